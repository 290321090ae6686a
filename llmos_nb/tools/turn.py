"""One tool call at a time, whatever runs it: two that await would get each other's outputs, names and files."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import weakref
from collections.abc import AsyncIterator
from typing import Final

__all__ = ["alone"]

#: The lock for what is awaited by the turn this code is part of: another goal even belongs to that turn and does not
#: wait for its end, but two goals that one turn awaits at once still take turns between them.
_within: Final[contextvars.ContextVar[asyncio.Lock | None]] = contextvars.ContextVar(
    "llmos_within_a_turn", default=None
)
_turns: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]] = weakref.WeakKeyDictionary()


@contextlib.asynccontextmanager
async def alone() -> AsyncIterator[None]:
    """Wait until nothing else has the turn on this loop, and keep others waiting until the block ends."""
    lock = _within.get() or _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with lock:
        token = _within.set(asyncio.Lock())
        try:
            yield
        finally:
            _within.reset(token)
