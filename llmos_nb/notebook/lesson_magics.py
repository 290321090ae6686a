"""``%lesson`` and ``%%check``: exercises of a lesson, and what is wrong with an answer."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from llmos_nb.errors import LessonError
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.views import Table

__all__ = ["LessonMagics"]

_GOAL: Final = re.compile(r"%llmos|^[ \t]*await\b|\bawait\s+llmos\b", re.MULTILINE)


@magics_class
class LessonMagics(Magics):
    """``%lesson`` and ``%check`` on one system."""

    grammars: ClassVar[dict[str, Grammar]] = {
        "lesson": Grammar({"progress": ()}),
        "check": Grammar(first="exercise"),
        "report": Grammar(),
    }

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system
        self._shell: Any = shell

    @no_var_expand
    @line_magic
    def lesson(self, line: str) -> Any:
        """Open a lesson: a Markdown file of exercises.

        %lesson FILE       open it; %%check NAME then looks at an answer
        %lesson            the one that is open
        %lesson progress   what is solved in this workspace, of all lessons

        In Python: llmos.lesson(file), llmos.check(name)
        """
        name = line.strip().strip("\"'")
        if name == "progress":
            return Table(
                ("lesson", "exercise", "tries", "solved"),
                tuple(
                    (one.lesson, one.exercise, str(one.tries), "yes" if one.solved else "not yet")
                    for one in self.system.progress
                ),
                empty="no exercise was tried yet",
            )
        return self.system.lesson(name or None)

    @no_var_expand
    @line_cell_magic
    def check(self, line: str, cell: str | None = None) -> Any:
        """Run a cell as the answer to an exercise, and say whether it is right, or what is wrong with it.

        %%check NAME   run what stands below, then look
        %check NAME    look at what is there now: variables, files, the last goal
        """
        name = line.strip()
        if cell is not None:
            if _GOAL.search(cell):
                raise LessonError(
                    "%%check cannot wait for a goal.",
                    remedy=f"Put the goal into a cell of its own, then %check {name}.",
                )
            self.system.exercise(name)  # a misspelt name is told before anything runs
            outer = self._shell.displayhook.exec_result  # a cell within a cell would take its result
            try:
                done = self._shell.run_cell(cell, store_history=False)
            finally:
                self._shell.displayhook.exec_result = outer
            if not done.success:
                error = done.error_before_exec or done.error_in_exec
                self.system.note_try(name, f"{type(error).__name__}: {error}")
                return None  # the shell has shown it
        return self.system.check(name)

    @no_var_expand
    @line_magic
    def report(self, line: str) -> Any:
        """A teacher's view of a class: %report FOLDER, the folder with the students' workspaces.

        In Python: llmos_nb.report(folder), whose .df is a DataFrame, and .plot() draws it.
        """
        return self.system.report(line.strip().strip("\"'") or None)
