"""One run: what was asked, what it works with, how far it is. Every mode's runner gets one and speaks through it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_nb.cortex.cortex import Cortex
from llmos_nb.cortex.endpoint import Endpoint
from llmos_nb.cortex.job import Job, Usage
from llmos_nb.dispatch.decide import Decision
from llmos_nb.dispatch.result import RunResult, ShownStep
from llmos_nb.kernel.budget import TokenEconomy
from llmos_nb.kernel.events import Event, EventBus, ModeDecided, Notice
from llmos_nb.learning.record import repeating
from llmos_nb.memory import TraceStore
from llmos_nb.mind import Agent
from llmos_nb.settings import Settings
from llmos_nb.tools.namespace import Namespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Call, Workbench

__all__ = ["Goal", "Parts", "Run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal as it was asked for. ``agent_asked`` tells an agent that a person named from the default one."""

    run_id: str
    text: str
    mode: str
    agent: Agent
    agent_asked: bool
    model: str | None
    budget_usd: float
    cwd: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a dispatcher works with."""

    settings: Settings
    endpoint: Endpoint
    store: TraceStore
    economy: TokenEconomy
    cortex: Cortex
    bus: EventBus
    namespace: Namespace


class Run:
    """A run that is going on. Made on the loop that awaits the goal; :meth:`end` may be called from any thread."""

    def __init__(self, goal: Goal, parts: Parts) -> None:
        self.goal, self.parts = goal, parts
        self.started = time.monotonic()
        self.mode = self.mode_reason = ""
        #: Why it is ended from outside, if it is: the end state, and the reason.
        self.ending = self.ending_reason = ""
        self.job: Job | None = None
        self.usage: list[Usage] = []
        self.cost_usd: float | None = 0.0
        self.bench = self._new_bench(0)

    def _new_bench(self, first_step: int) -> Workbench:
        return Workbench(
            self.goal.run_id,
            namespace=self.parts.namespace,
            workspace=self.parts.settings.workspace.resolve(),
            cwd=self.goal.cwd,
            grant={*self.goal.agent.tools, *repeating(self.goal.agent.tools)},
            publish=self.publish,
            first_step=first_step,
        )

    def start_over(self) -> None:
        """Give the agent a workbench of its own after a refused replay, whose effects were put back."""
        self.bench = self._new_bench(len(self.bench.calls))

    def end(self, status: str, reason: str) -> None:
        """End the run from outside, in ``status``. The first call counts."""
        if not self.ending:
            self.ending, self.ending_reason = status, reason
        if self.job is not None:
            self.job.end(status, reason)
        else:
            self.bench.stop()

    def publish(self, event: Event) -> None:
        """Tell everyone."""
        self.parts.bus.publish(event)

    def notice(self, text: str) -> None:
        """Tell a person something."""
        self.publish(Notice(run_id=self.goal.run_id, text=text))

    def take_mode(self, mode: str, decision: Decision, reason: str = "") -> None:
        """Note and tell which mode works on the goal from now on."""
        self.mode, self.mode_reason = mode, reason or decision.reason
        match = decision.match
        self.publish(
            ModeDecided(
                run_id=self.goal.run_id,
                mode=mode,
                reason=self.mode_reason,
                trace_id=match.trace_id if match else None,
                confidence=match.confidence if match else None,
            )
        )

    def spend(self, usage: Usage, cost_usd: float | None) -> None:
        """Note a model call; an unknown cost makes the run's cost unknown. Rounded to nano-dollars, as the ledger is."""
        self.usage.append(usage)
        known = cost_usd is not None and self.cost_usd is not None
        self.cost_usd = round((self.cost_usd or 0.0) + (cost_usd or 0.0), 9) if known else None

    @property
    def tokens(self) -> dict[str, int]:
        """Tokens so far, by kind."""
        return {
            "input": sum(usage.input_tokens for usage in self.usage),
            "output": sum(usage.output_tokens for usage in self.usage),
            "cache_read": sum(usage.cache_read for usage in self.usage),
            "cache_write": sum(usage.cache_write for usage in self.usage),
        }

    def result(self, status: str, reason: str, text: str, **facts: Any) -> RunResult:
        """The run's result as things stand now."""
        return RunResult(
            run_id=self.goal.run_id,
            goal=self.goal.text,
            status=status,
            mode=self.mode,
            text=text,
            reason=reason,
            cost_usd=self.cost_usd,
            agent=self.goal.agent.name,
            mode_reason=self.mode_reason,
            endpoint=self.parts.endpoint.label,
            simulated=self.parts.endpoint.simulated,
            duration_s=time.monotonic() - self.started,
            tokens=self.tokens,
            steps=tuple(_shown(call) for call in self.bench.calls),
            **facts,
        )


def _shown(call: Call) -> ShownStep:
    main = TOOLS[call.tool].main if call.tool in TOOLS else ""
    return ShownStep(call.tool, str(call.arguments.get(main, "") or ""), call.status)
