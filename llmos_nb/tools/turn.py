"""One cell at a time, whatever runs it: two that await would get each other's outputs, names and files."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import weakref
from collections.abc import AsyncIterator
from typing import Final

__all__ = ["alone"]

#: Set while a cell runs: what it awaits, another goal even, belongs to it and does not wait for its end.
_inside: Final = contextvars.ContextVar("llmos_inside_a_cell", default=False)
_turns: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]] = weakref.WeakKeyDictionary()


@contextlib.asynccontextmanager
async def alone() -> AsyncIterator[None]:
    """Wait until no other cell runs on this loop, and keep others waiting until the block ends."""
    if _inside.get():
        yield
        return
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        token = _inside.set(True)
        try:
            yield
        finally:
            _inside.reset(token)
