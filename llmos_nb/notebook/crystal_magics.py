"""``%crystals``: the functions made from goals that were used often."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.notebook.arguments import not_understood
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.crystal_views import crystal_page, crystals_table, report_table
from llmos_nb.notebook.views import Page, Table

__all__ = ["CrystalMagics"]

_NAME: Final = ("crystal",)
_WORDS: Final = {
    "list": (), "show": _NAME, "test": _NAME, "disable": _NAME, "enable": _NAME, "remove": _NAME, "trust": _NAME,
}  # fmt: skip
_USAGE: Final = "Use %crystals or %crystals show|test|disable|enable|remove|trust NAME."


@magics_class
class CrystalMagics(Magics):
    """``%crystals`` on one system, which keeps them as ``system.crystals``."""

    grammars: ClassVar[dict[str, Grammar]] = {"crystals": Grammar(_WORDS)}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_magic
    def crystals(self, line: str) -> Table | Page:
        """The functions made from goals that were used often.

        %crystals                 list them
        %crystals show NAME       the module's text
        %crystals test NAME       make its recorded runs again, in a separate process
        %crystals disable NAME    goals and agents do not use it any more; you still can
        %crystals enable NAME     they may again
        %crystals trust NAME      one that was brought here or edited: what it is, and how to put it into use
        %crystals remove NAME     delete its file; the same function is not made again

        To call one: from llmos_nb.crystals import NAME. In Python: llmos.crystals.list(), .test(name), .disable(name) …
        """
        words = line.split()
        shelf = self.system.crystals
        if not words or words == ["list"]:
            return crystals_table(shelf)
        what, *rest = words
        if what not in _WORDS or not rest or (len(rest) > (2 if what == "trust" else 1) and what != "disable"):
            raise not_understood("%crystals", line, _WORDS, _USAGE)
        name = rest[0]
        shelf.get(name)  # a name that is none is told of in the same words, whatever was wanted
        if what == "show":
            return crystal_page(shelf, name)
        if what == "test":
            return report_table(name, shelf.test(name))
        if what == "disable":
            shelf.disable(name, " ".join(rest[1:]))
            return Page(f"{name} is disabled: goals and agents do not use it. %crystals enable {name} puts it back.")
        if what == "trust":
            if len(rest) == 1:
                return Page(shelf.preview(name))
            refusal = shelf.trust(name, rest[1])
            return Page(f"{name} is trusted, but not in use yet: {refusal}." if refusal else f"{name} is in use.")
        if what == "enable":
            refusal = shelf.enable(name)
            return Page(f"{name} is enabled, but not in use yet: {refusal}." if refusal else f"{name} is in use.")
        shelf.remove(name)
        return Page(f"{name} is removed.")
