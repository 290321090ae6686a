"""Says that the kernel is busy while a goal is awaited in a cell.

A kernel that is told something by a page, as that its view is shown, says *busy* and *idle* about that alone; the page
takes the last word for the kernel's state, and shows an idle one beside a cell that is at work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

__all__ = ["StillBusy"]

#: Seconds after a page's message in which the kernel has said what it says of it.
AFTER_S: Final = 0.05


class StillBusy:
    """What the cell at work says when :meth:`say` is called, as long as ``at_work`` is true; made in that cell.

    It is said by the loop that the cell is awaited on, so never after the cell's own end.
    """

    def __init__(self, kernel: Any, at_work: Callable[[], bool]) -> None:
        self._kernel, self._at_work = kernel, at_work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: Any = None
        self._waits = False
        with contextlib.suppress(RuntimeError, AttributeError):
            self._asked = kernel.get_parent("shell")
            self._loop = asyncio.get_running_loop()

    def say(self) -> None:
        """Say it once more, in a moment. Callable from any thread."""
        if self._loop is None or self._waits or not self._at_work():
            return
        self._waits = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: the kernel ends
            self._loop.call_soon_threadsafe(self._loop.call_later, AFTER_S, self._said)

    def _said(self) -> None:
        self._waits = False
        if self._at_work():
            kernel = self._kernel
            kernel.session.send(
                kernel.iopub_socket, "status", {"execution_state": "busy"}, parent=self._asked,
                ident=kernel._topic("status"),
            )  # fmt: skip
