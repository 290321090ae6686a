"""Shows a goal that code asks for while it works, where a page can be updated: as ``%%llmos`` shows its own."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.dispatch.run import Goal

__all__ = ["Present", "presented", "shown_already"]

#: Begins to show a goal; returns what ends that, and is told what the goal came to.
Present = Callable[["Goal"], Callable[["RunResult | None"], None]]
_SHOWN: Final[contextvars.ContextVar[bool]] = contextvars.ContextVar("llmos_shown", default=False)


@contextlib.contextmanager
def shown_already() -> Iterator[None]:
    """Goals that are asked for within are shown by whoever asks for them, or not at all."""
    token = _SHOWN.set(True)
    try:
        yield
    finally:
        _SHOWN.reset(token)


@contextlib.contextmanager
def presented(goal: Goal, present: Present | None, last: Callable[[], RunResult | None]) -> Iterator[None]:
    """Show ``goal`` within, if nobody does yet; ``last`` is what the last goal came to."""
    if present is None or _SHOWN.get() or goal.scheduled_by or goal.background:
        yield
        return
    end = present(goal)
    try:
        with shown_already():
            yield
    finally:
        found = last()
        end(found if found is not None and found.run_id == goal.run_id else None)
