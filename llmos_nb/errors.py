"""Every error this package raises on purpose, named by what happened.

Each message says what happened, where, and what to do next. In a notebook only that message is shown; the full
traceback stays one ``%tb`` away.
"""

from __future__ import annotations

__all__ = [
    "AgentFileError",
    "BudgetExceeded",
    "EmptyGoal",
    "EndpointError",
    "GuardDenied",
    "HookFailed",
    "LlmosError",
    "ModeUnavailable",
    "RunFailed",
    "ScriptFileError",
    "SettingsError",
    "StoreError",
    "TraceFileError",
    "UnknownAgent",
    "UnknownMode",
    "UnknownTrace",
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

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines instead of a traceback."""
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


class AgentFileError(LlmosError):
    """An agent file cannot be used; the message starts with ``path:line``."""


class UnknownMode(LlmosError):
    """A mode was named that does not exist."""


class ModeUnavailable(LlmosError):
    """The forced mode has nothing to run for this goal."""


class UnknownTrace(LlmosError):
    """A trace id that no file has."""


class TraceFileError(LlmosError):
    """A trace file cannot be read; the message starts with ``path:line``."""


class StoreError(LlmosError):
    """The workspace or its state database cannot be read or written."""


class BudgetExceeded(LlmosError):
    """A limit would be, or was, exceeded. ``limit`` names it; amounts are US dollars."""

    def __init__(self, message: str, *, limit: str, available_usd: float, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.limit = limit
        self.available_usd = available_usd


class EndpointError(LlmosError):
    """The model's endpoint, the SDK or its command line program cannot be used."""


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


class RunFailed(LlmosError):
    """A goal run from a magic did not end in ``success``. ``status`` is the run's end state."""

    def __init__(self, message: str, *, status: str, run_id: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.run_id = run_id
