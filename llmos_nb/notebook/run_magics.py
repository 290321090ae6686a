"""``%%llmos --background`` and ``%llmos_runs``: goals that are worked on beside the cells, listed, shown and stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from llmos_nb.errors import BackgroundError, SettingsError
from llmos_nb.notebook import run_view
from llmos_nb.notebook.arguments import not_understood
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.views import Page
from llmos_nb.system import LLMOS

if TYPE_CHECKING:
    from llmos_nb.dispatch.background import BackgroundRun, BackgroundRuns
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.dispatch.run import Goal

__all__ = ["RunMagics", "begin_in_background"]

_WORDS: Final = {"show": ("background",), "stop": ("background",)}
_USAGE: Final = "Use %llmos_runs, %llmos_runs show b1, %llmos_runs stop b1 or %llmos_runs stop all."


def begin_in_background(shell: Any, system: LLMOS, goal: str, **asked: Any) -> BackgroundRun:
    """What ``%%llmos --background`` does; arguments are those of ``LLMOS.start``.

    Raises:
        BackgroundError: nothing works between the cells here.
    """
    if not hasattr(shell, "kernel"):
        raise BackgroundError(
            "In a terminal nothing is worked on while it waits for you to type.",
            remedy="Leave --background out, or use a notebook.",
        )
    return system.start(goal, **asked)


@magics_class
class RunMagics(Magics):
    """``%llmos_runs`` and ``%llmos_last``, on one system; in a notebook a run that is shown is followed to its end."""

    grammars: ClassVar[dict[str, Grammar]] = {"llmos_runs": Grammar(_WORDS), "llmos_last": Grammar()}

    def __init__(self, shell: Any, system: LLMOS) -> None:
        super().__init__(shell=shell)
        self.system = system
        if hasattr(shell, "kernel"):
            system.present_run = self._present
            system.present_goal = self._present_goal

    @no_var_expand
    @line_magic
    def llmos_runs(self, line: str) -> BackgroundRuns | BackgroundRun | Page:
        """List the goals in the background, show one, or stop them.

        %llmos_runs              all of them: id, goal, state, mode, when it began, cost
        %llmos_runs show b1      one of them, followed until it is over
        %llmos_runs stop b1      stop one
        %llmos_runs stop all     stop all

        In Python: llmos.runs, llmos.runs['b1'], llmos.runs.stop('b1'), llmos.runs.df; await llmos.runs['b1'] waits
        for its result.
        """
        words, runs = line.split(), self.system.runs
        if not words:
            return runs
        if words[0] == "show" and len(words) == 2:
            return runs[words[1]]
        if words[0] == "stop" and len(words) <= 2:
            stopped = runs.stop(words[1] if len(words) == 2 and words[1] != "all" else None)
            return Page(f"{', '.join(stopped)}: is being stopped." if stopped else "Nothing is at work.")
        raise not_understood("%llmos_runs", line, _WORDS, _USAGE)

    @no_var_expand
    @line_magic
    def llmos_last(self, line: str) -> RunResult:
        """Show once more what the last goal came to, with what its cells showed: after the page was reloaded, say.

        In Python: llmos.last; .text, .status and .steps are as in result = %llmos ….
        """
        if line.strip():
            raise SettingsError("%llmos_last takes nothing.", remedy="%trace ID shows what an earlier goal did.")
        last = self.system.last
        if last is None:
            raise SettingsError(
                "No goal was worked on in this kernel yet.", remedy="%traces lists what was recorded before it began."
            )
        self.system._own().show(last.shown)
        return last

    def _present_goal(self, goal: Goal) -> Callable[[RunResult | None], None]:
        """Show a goal that code of the cell at hand awaits. Where nobody looks nothing is shown, and so nothing is left."""
        if not getattr(getattr(self.shell, "kernel", None), "_allow_stdin", False):
            return lambda result: None
        view = run_view.RunView(self.system, goal=goal.text, run_id=goal.run_id, budget_usd=goal.budget_usd)
        return lambda result: view.close(result=result)

    def _present(self, run: BackgroundRun) -> None:
        """Show a run in the cell at hand; the display lives on until the run is over, and then shows its result."""
        from IPython.display import display

        if run.done():
            display(run._repr_mimebundle_(), raw=True)
            return
        # What computes may be the person's own cell: Stop never interrupts the kernel here.
        view = run_view.RunView(
            self.system, goal=run.goal, run_id=run.run_id, budget_usd=run.budget_usd, interrupts=False
        )
        run.when_done(lambda: view.close(run))
