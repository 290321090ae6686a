"""What a person means by the last goal: the one that they asked for themselves, and waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.dispatch.run import Goal
    from llmos_nb.dispatch.seen import Seen

__all__ = ["Latest"]


@dataclass(slots=True)
class Latest:
    """The last goal's result, the trace that was made or replayed last, and what an agent saw last; None before one."""

    result: RunResult | None = None
    trace_id: str | None = None
    seen: Seen | None = None

    def ended(self, goal: Goal, result: RunResult) -> None:
        """Take note of how a goal ended. Those of the schedule and of the background are nobody's last."""
        if goal.scheduled_by or goal.background:
            return
        self.result = result
        self.trace_id = result.trace_id or self.trace_id
        self.seen = result.seen or self.seen

    @property
    def run_or_trace(self) -> str | None:
        """The id by which the last goal that left a trace is found: its run's where that is known, else its trace's."""
        if self.result is not None and self.result.trace_id == self.trace_id is not None:
            return self.result.run_id
        return self.trace_id
