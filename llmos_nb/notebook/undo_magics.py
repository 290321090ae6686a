"""``%undo``: takes back what a run changed."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.arguments import Option, suggestion
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.variables import named

__all__ = ["UndoMagics"]

_OPTIONS: Final = (
    Option("list", "", "show what can be taken back, and what cannot, and why"),
    Option("anyway", "", "take back all that can be, where something is in the way"),
)
_NAMES: Final = tuple(f"--{option.name}" for option in _OPTIONS)


@magics_class
class UndoMagics(Magics):
    """``%undo`` on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {"undo": Grammar(first="undoable", options=_OPTIONS)}

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self._names: dict[str, Any] = shell.user_ns
        self.system = system

    @no_var_expand
    @line_magic
    def undo(self, line: str) -> Any:
        """Take back what the last goal changed: variables and files are as they were before it.

        %undo                    the last goal that you asked for; again, the one before it
        %undo --list             what can be taken back, and what cannot, and why
        %undo RUN_ID             an earlier one; or the name of a variable that holds its result
        %undo --anyway [RUN_ID]  all that can be, where something is in the way

        What you, or a later goal, changed since is never overwritten: it is then refused, and nothing is touched. What
        was spent stays spent, and a restart of the kernel ends it. In Python: llmos.undo(run_id), llmos.undoable().
        """
        words = line.split()
        options = [word for word in words if word.startswith("-")]
        names = [word.strip("\"'") for word in words if not word.startswith("-")]
        for option in options:
            if option not in _NAMES:
                raise SettingsError(
                    f"%undo has no option {option}.",
                    remedy=f"{suggestion(option, _NAMES)}Use %undo, %undo --list, %undo RUN_ID or %undo --anyway RUN_ID.",
                )
        if "--list" in options or names == ["list"]:
            if len(words) > 1:
                raise SettingsError(f"%undo {line.strip()}: --list stands alone.", remedy="Use %undo --list.")
            return self.system.undoable()
        if len(names) > 1:
            raise SettingsError(
                f"%undo takes one run, got {len(names)} words.", remedy="%undo --list shows the ids of runs."
            )
        run = named(names[0], self._names, "run_id") if names else None
        return self.system.undo(run, anyway="--anyway" in options)
