"""``%llmos_code``: a run's code in a cell of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.variables import named
from llmos_nb.notebook.views import Page

__all__ = ["CodeMagics"]


@magics_class
class CodeMagics(Magics):
    """``%llmos_code`` on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {"llmos_code": Grammar({"last": ()}, first="trace")}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self._names: dict[str, Any] = shell.user_ns
        self._next_cell: Callable[[str], None] = shell.set_next_input
        self.system = system

    @no_var_expand
    @line_magic
    def llmos_code(self, line: str) -> Page:
        """Put the code of a run into a new cell: plain Python that runs without llmos_nb.

        %llmos_code           of the last run
        %llmos_code ID        of a trace or a run; or the name of a variable that holds a result or an id
        %llmos_code ID PATH   write it as a notebook instead: a new file, its name ends in .ipynb

        In Python: llmos.code(id), llmos.traces.get(id).to_notebook(path).
        """
        which, _, path = line.strip().partition(" ")
        which = named(which, self._names, "run_id") if which not in ("", "last") else which
        if path.strip():
            return Page(f"Written: {self.system.to_notebook(path.strip(), which)}.")
        code = self.system.code(which or "last")
        self._next_cell(code)
        return Page("The code is in the next cell.")
