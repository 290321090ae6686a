"""``%packs``: the packs of tools and agents that are installed."""

from __future__ import annotations

from typing import Any, ClassVar

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.completion import Grammar

__all__ = ["PackMagics"]


@magics_class
class PackMagics(Magics):
    """``%packs`` on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {"packs": Grammar()}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_magic
    def packs(self, line: str) -> Any:
        """The packs that are installed: tools and agents of a field, what is missing, and what is wrong with others.

        %packs

        A pack that is installed meanwhile is found at once. In Python: llmos.packs, llmos.packs.df
        """
        if line.strip():
            raise SettingsError(f"%packs takes nothing, got {line.strip()!r}.", remedy="Say %packs.")
        return self.system.packs
