"""Every error this package raises on purpose, named by what happened.

Each message says what happened, where, and what to do next. In a notebook only that message is shown; the full
traceback stays one ``%tb`` away.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

__all__ = [
    "ActRefused",
    "AgentFileError",
    "BackgroundError",
    "BudgetExceeded",
    "CrystalError",
    "EmptyGoal",
    "EndpointError",
    "FactError",
    "FactFileError",
    "GuardDenied",
    "GuardFileError",
    "HookFailed",
    "LessonError",
    "LlmosError",
    "ModeUnavailable",
    "NotCrystallizable",
    "NotEditable",
    "PackError",
    "PlanError",
    "PlotError",
    "ProjectError",
    "RunFailed",
    "SandboxFailed",
    "SandboxUnavailable",
    "ScheduleError",
    "ScriptFileError",
    "SettingsError",
    "StoreError",
    "TableError",
    "TraceFileError",
    "UndoFailed",
    "UndoRefused",
    "UnknownAgent",
    "UnknownApproval",
    "UnknownBackgroundRun",
    "UnknownCrystal",
    "UnknownFact",
    "UnknownMode",
    "UnknownProject",
    "UnknownSession",
    "UnknownTrace",
    "WaitsForTrust",
]


class LlmosError(Exception):
    """What happened, where, and what to do next.

    ``remedy`` is the next step, kept apart so that a display can set it on a line of its own.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """IPython shows these lines instead of a traceback, once: ``%tb`` asks again, and then shows all of it.

        While the error is handled it has this attribute. Later it has not, so that IPython makes the traceback, in the
        mode that was asked for. Nothing of the shell is replaced by this, such as an exception handler of the user's.
        """
        if sys.exc_info()[1] is not self:
            raise AttributeError("_render_traceback_")
        return self._lines

    def _lines(self) -> list[str]:
        lines = [f"{type(self).__name__}: {self.message}"]
        if self.remedy:
            lines.append(f"  -> {self.remedy}")
        return lines


class SettingsError(LlmosError):
    """A setting has an unknown name or an unusable value."""


class EmptyGoal(LlmosError):
    """A goal with no words in it."""


class UnknownAgent(LlmosError):
    """An agent was named that no file defines."""


class UnknownApproval(LlmosError):
    """A question was to be answered that nobody asks."""


class NotEditable(LlmosError):
    """A question was answered with a text that cannot be done in place of what was asked about."""


class AgentFileError(LlmosError):
    """An agent file cannot be used; the message starts with ``path:line``.

    ``line`` is that line of the file, 0 where it is about none; ``field`` is the key of the front matter, or ``prompt``,
    that is wrong, empty where it is about none.
    """

    def __init__(self, message: str, *, remedy: str = "", field: str = "", line: int = 0) -> None:
        super().__init__(message, remedy=remedy)
        self.field = field
        self.line = line


class UnknownMode(LlmosError):
    """A mode was named that does not exist."""


class LessonError(LlmosError):
    """A lesson or an exercise cannot be used; the message starts with ``path:line`` where a file is wrong."""


class ModeUnavailable(LlmosError):
    """The forced mode has nothing to run for this goal."""


class UnknownTrace(LlmosError):
    """A trace id that no file has."""


class BackgroundError(LlmosError):
    """A goal cannot be worked on in the background here."""


class UnknownBackgroundRun(LlmosError, KeyError):
    """No run in the background has this id."""

    __str__ = LlmosError.__str__  # a KeyError would quote it


class UnknownSession(LlmosError):
    """A session or a run that no session log holds, or that cannot be gone on with."""


class TraceFileError(LlmosError):
    """A trace file cannot be read; the message starts with ``path:line``."""


class FactError(LlmosError):
    """A text that cannot be kept as a fact."""


class FactFileError(LlmosError):
    """A fact's file cannot be read; the message starts with ``path:line``."""


class UnknownFact(LlmosError):
    """A fact's id that no file has."""


class CrystalError(LlmosError):
    """A crystal's file cannot be used, or must not be installed; the message starts with its path or name."""


class UnknownCrystal(CrystalError, ImportError):
    """A crystal was named, or imported, that the workspace does not have."""


class NotCrystallizable(LlmosError):
    """Recorded steps cannot become a function; the message says which part of them and why."""


class PackError(LlmosError):
    """A pack cannot be used here; the message names it, the remedy says what to install or correct."""


class PlanError(LlmosError):
    """A plan that cannot be run, or none where one was asked for; the message names the node and what is wrong."""


class ProjectError(LlmosError):
    """A project's name, folder or file cannot be used; the message says which and why."""


class UnknownProject(ProjectError):
    """No project of this name exists."""


class StoreError(LlmosError):
    """The workspace or its state database cannot be read or written."""


class TableError(LlmosError):
    """A table cannot be read, written, profiled, cleaned, joined or drawn; the message says which, where and why."""


class PlotError(LlmosError):
    """A plot cannot be drawn: the DataFrame has not the columns, or no library is there that draws."""


class BudgetExceeded(LlmosError):
    """A limit would be, or was, exceeded. ``limit`` names it; amounts are US dollars."""

    def __init__(self, message: str, *, limit: str, available_usd: float, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.limit = limit
        self.available_usd = available_usd


class EndpointError(LlmosError):
    """The model's endpoint, the SDK or its command line program cannot be used."""


class SandboxUnavailable(LlmosError):
    """This machine has no sandbox, so nothing was run."""


class SandboxFailed(LlmosError):
    """A sandbox did not start, or could not take what was to be run."""


class ScheduleError(LlmosError):
    """A job of the schedule, or its time, makes no sense; or there is no job of that name."""


class ScriptFileError(LlmosError):
    """A script of the scripted endpoint cannot be used; the message starts with ``path:line``."""


class HookFailed(LlmosError):
    """A hook could not be attached, raised, hung or returned rubbish. ``hook`` is its name."""

    def __init__(self, message: str, *, hook: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.hook = hook


class GuardDenied(LlmosError):
    """The guard refused a tool call. ``rule`` is the rule's id."""

    def __init__(self, message: str, *, rule: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.rule = rule


class GuardFileError(LlmosError):
    """A person's decisions on the guard's rules cannot be used; the message starts with ``file:line``."""

    def __init__(self, file: str, line: int, what: str, *, remedy: str = "") -> None:
        super().__init__(
            f"{file}:{line}: {what}.",
            remedy=remedy or "Mend that line; %guard rules lists the rules and what decides them.",
        )
        self.line = line


class WaitsForTrust(UserWarning):
    """Something of a workspace is not in force, since it is broken or may be somebody else's; the message says what to
    do."""


class ActRefused(GuardDenied, PermissionError):
    """The guard refused something that code was about to do. Libraries that can do without it treat it as any
    PermissionError."""

    def __init__(self, message: str, *, rule: str, remedy: str = "", path: str | None = None) -> None:
        super().__init__(message, rule=rule, remedy=remedy)
        self.errno, self.strerror, self.filename = errno.EACCES, message, path


class UndoRefused(LlmosError):
    """A run is not taken back, and nothing was touched. ``reasons`` says what is in the way, one by one."""

    def __init__(self, message: str, *, remedy: str = "", reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.reasons = reasons


class UndoFailed(LlmosError):
    """Not all that a run changed could be put back, although nothing was in the way. ``undone`` says what was, and what
    not."""

    def __init__(self, message: str, *, undone: object, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.undone = undone


class RunFailed(LlmosError):
    """A goal run from a magic did not end in ``success``. ``status`` is the run's end state."""

    def __init__(self, message: str, *, status: str, run_id: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.run_id = run_id
