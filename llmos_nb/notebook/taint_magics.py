"""``%taint``: what came into this session from outside, what that changes, and how to say that you have looked at it."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.notebook.arguments import not_understood
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.views import Page, Table
from llmos_nb.system import LLMOS

__all__ = ["TaintMagics"]

_WORDS: Final[dict[str, tuple[str, ...]]] = {"clear": ()}


@magics_class
class TaintMagics(Magics):
    """``%taint`` on one system, which keeps it as ``system.taint``."""

    grammars: ClassVar[dict[str, Grammar]] = {"taint": Grammar(_WORDS)}

    def __init__(self, shell: Any, system: LLMOS) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_magic
    def taint(self, line: str) -> Table | Page:
        """What this session has read that you did not write, and what is asked about since.

        %taint           what came in, when, by which run; and what that changes
        %taint clear     you have looked at it: nothing is asked about for its sake any more

        In Python: llmos.taint.marks, .level; llmos.clear_taint().
        """
        if line.strip() == "clear":
            return Page(self.system.clear_taint())
        if line.strip():
            raise not_understood("%taint", line, _WORDS, "Use %taint, or %taint clear.")
        taint = self.system.taint
        if not taint.level:
            return Page("Nothing came in from outside: nothing is asked about for its sake.")
        rows = [(one.level, one.kind, one.what, one.at, one.run_id) for one in taint.marks]
        rows += [("", "asks now", rule.what, "", "") for rule in taint.rules]
        rows.append(("", "", "%taint clear: you have looked at what came in, and nothing asks for its sake", "", ""))
        return Table(("level", "kind", "what came in", "when (UTC)", "run"), tuple(rows))
