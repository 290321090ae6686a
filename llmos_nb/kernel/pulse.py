"""A loop that wakes up several times a second while goals are worked on.

A kernel that awaits a cell notes an interrupt in its loop without waking it: where nothing else happens, as while an
endpoint hangs or a person is asked, the interrupt would be heard only when something does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["pulsing"]

#: Seconds between two beats: a fraction of what a person takes for at once.
PERIOD_S: Final = 0.1


@contextmanager
def pulsing() -> Iterator[None]:
    """Keep the running loop awake until the block ends."""
    loop = asyncio.get_running_loop()
    beat: asyncio.TimerHandle

    def again() -> None:
        nonlocal beat
        beat = loop.call_later(PERIOD_S, again)

    again()
    try:
        yield
    finally:
        beat.cancel()
