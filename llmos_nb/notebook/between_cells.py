"""Lets the schedule run while no cell of a person's does, and tells below the next cell what happened meanwhile: in the
schedule, and to goals in the background whose end nobody saw."""

from __future__ import annotations

import asyncio
from typing import Any

from IPython.display import display

from llmos_nb.kernel.scheduled import SCHEDULED
from llmos_nb.kernel.whose import cell_begins
from llmos_nb.notebook.forgotten import let_go
from llmos_nb.notebook.run_view.unseen import untold
from llmos_nb.notebook.views import Page

__all__ = ["BetweenCells"]


class BetweenCells:
    """Tells a system's schedule when a cell begins and ends. In a terminal there is no loop to run on between cells."""

    def __init__(self, shell: Any, system: Any) -> None:
        self._shell, self._system = shell, system

    def attach(self) -> None:
        """Be told of cells from now on; one is at work now."""
        self._shell.events.register("pre_run_cell", self._begins)
        self._shell.events.register("post_run_cell", self._ended)
        if self._system.has_schedule:
            self.start()

    def detach(self) -> None:
        """Be told no more."""
        self._shell.events.unregister("pre_run_cell", self._begins)
        self._shell.events.unregister("post_run_cell", self._ended)

    def start(self) -> None:
        """From within a cell: let the schedule run when it is over."""
        loop = self._loop()
        if loop is not None:
            self._system.schedule.busy()
            self._system.schedule.start(loop)

    def _loop(self) -> asyncio.AbstractEventLoop | None:
        if not hasattr(self._shell, "kernel"):
            return None
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            return None

    def _begins(self, info: Any) -> None:
        cell_begins()
        # A cell of a scheduled run is no person's; the shell tells of its beginning alone.
        if not SCHEDULED.get() and self._system.has_schedule:
            self._system.schedule.busy()

    def _ended(self, result: Any) -> None:
        let_go(self._shell)
        news = [*self._system.news(), *untold(self._system)]
        schedule = self._system.schedule if self._system.has_schedule else None
        if schedule is not None:
            loop = self._loop()
            if loop is not None:
                schedule.start(loop)
            news += schedule.news()
        if news:
            display(Page("\n".join(news)))
        if schedule is not None:
            schedule.idle()
