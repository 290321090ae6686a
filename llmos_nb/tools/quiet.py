"""A namespace in which nothing appears: for goals that nobody waits for, such as those of a schedule."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

from llmos_nb.kernel.scheduled import SCHEDULED
from llmos_nb.tools.namespace import CellResult, Namespace, Output
from llmos_nb.tools.presentable import presentable

__all__ = ["QuietNamespace"]


class QuietNamespace:
    """Runs cells among the same names as ``inner``, for ``job``; what they show is kept and appears nowhere."""

    def __init__(self, inner: Namespace, job: str) -> None:
        self._inner, self._job = inner, job
        #: What would have been shown.
        self.kept: list[Output] = []

    @property
    def names(self) -> MutableMapping[str, Any]:
        """The user's names and values, live."""
        return self._inner.names

    async def run_cell(self, code: str, *, show: bool = True) -> CellResult:
        """Run ``code``; what it would show is kept."""
        token = SCHEDULED.set(self._job)  # goals that the cell asks for are the schedule's, too
        try:
            result = await self._inner.run_cell(code, show=False)
        finally:
            SCHEDULED.reset(token)
        if show:
            self.kept.extend(presentable(result.outputs))
        return result

    def show(self, outputs: Iterable[Output]) -> None:
        """Keep the outputs."""
        self.kept.extend(outputs)

    def unreadable(self, code: str) -> str:
        """Why ``code`` is no cell that could be begun; empty where it is one."""
        return self._inner.unreadable(code)
