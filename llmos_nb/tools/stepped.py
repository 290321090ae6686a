"""A coroutine that can be interrupted while it blocks: a running loop otherwise only marks its task."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Generator
from typing import Any, TypeVar

from llmos_nb.tools.namespace import interruptible

__all__ = ["stepped"]

T = TypeVar("T")


@types.coroutine
def stepped(work: Awaitable[T], waited: list[bool]) -> Generator[Any, Any, T]:
    """Run ``work`` so that a stop raises KeyboardInterrupt in what it does between two awaits, and nowhere else.

    ``waited`` gets an item when it really waited for something: then others may have been at work meanwhile.
    """
    steps: Any = work.__await__()
    given: Any = None
    thrown: BaseException | None = None
    while True:
        try:
            with interruptible():
                wanted = steps.send(given) if thrown is None else steps.throw(thrown)
        except StopIteration as end:
            result: T = end.value
            return result
        given, thrown = None, None
        waited.append(True)
        try:
            given = yield wanted
        except BaseException as error:  # noqa: BLE001 - a cancellation is the coroutine's to take
            thrown = error
