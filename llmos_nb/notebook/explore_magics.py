"""``%explore``: look through traces, agents, the budget or crystals."""

from __future__ import annotations

from typing import Any, ClassVar

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.frames.accessor import register
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.explorers import EXPLORERS

__all__ = ["ExploreMagics"]


@magics_class
class ExploreMagics(Magics):
    """``%explore`` on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {"explore": Grammar(dict.fromkeys(EXPLORERS, ()))}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system
        self._shell = shell
        if hasattr(shell, "events") and not register(only_if_imported=True):
            shell.events.register("pre_run_cell", self._pandas_seen)

    def _pandas_seen(self, info: Any) -> None:
        """Make ``df.llmos`` known as soon as anybody has imported pandas, also for a frame that was read from a file."""
        if register(only_if_imported=True):
            self._shell.events.unregister("pre_run_cell", self._pandas_seen)

    @no_var_expand
    @line_magic
    def explore(self, line: str) -> Any:
        """Look through what a workspace holds, and act on it.

        %explore             traces: search, filter, open one, replay it, call it wrong, compare two
        %explore agents      read and edit agents; their versions
        %explore budget      what may be spent, what is spent and saved
        %explore crystals    the functions made from goals that were used often

        ex = %explore traces keeps the explorer: ex.selected_df is what is selected in it, ex.df what it shows.
        In Python: llmos.explore("traces"), with .filter(…), .select(…) and .df.
        """
        return self.system.explore(line.strip() or "traces")
