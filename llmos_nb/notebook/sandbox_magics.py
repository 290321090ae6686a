"""``%llmos_take``: what a sandboxed goal made, taken by name."""

from __future__ import annotations

from typing import Any, ClassVar

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.completion import Grammar
from llmos_nb.system import LLMOS

__all__ = ["SandboxMagics"]


@magics_class
class SandboxMagics(Magics):
    """``%llmos_take`` on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {"llmos_take": Grammar()}

    def __init__(self, shell: Any, system: LLMOS) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_magic
    def llmos_take(self, line: str) -> Any:
        """Take what the last goal made in its sandbox: variables are bound, files are written.

        %llmos_take                    what there is
        %llmos_take NAME ...           these variables and files
        %llmos_take all                everything
        %llmos_take NAME --replace     also where you have one of that name

        In Python: llmos.take(*names, replace=False); result.offered["name"] is a value that is bound to nothing.
        """
        words = line.split()
        names = [word for word in words if word != "--replace"]
        if unknown := [word for word in names if word.startswith("--")]:
            raise SettingsError(f"%llmos_take has no option {unknown[0]}.", remedy="It has --replace.")
        if not names:
            last = self.system.last
            if last is None or not last.sandbox:
                raise SettingsError(
                    "The last goal did not work in a sandbox.", remedy="%%llmos --sandbox begins one."
                )
            return last.offered
        return self.system.take(*([] if names == ["all"] else names), replace="--replace" in words)
