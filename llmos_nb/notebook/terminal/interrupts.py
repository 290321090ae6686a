"""Ctrl-C while a goal is awaited in a terminal. IPython's own way would leave the goal at work with nobody waiting."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

__all__ = ["stopped_by_interrupt"]


async def stopped_by_interrupt(work: Coroutine[Any, Any, Any]) -> Any:
    """Await ``work``, which Ctrl-C cancels; see :func:`_cancelled_by_interrupt`."""
    with _cancelled_by_interrupt():
        return await work


@contextlib.contextmanager
def _cancelled_by_interrupt() -> Iterator[None]:
    """Until the block ends Ctrl-C cancels the task that is in it; pressed again it raises KeyboardInterrupt.

    A cell that blocks the thread has a handler of its own meanwhile. Elsewhere than on the main thread nothing is done.
    """
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, pressed = asyncio.get_running_loop(), False

    def interrupted(number: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        loop.call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
