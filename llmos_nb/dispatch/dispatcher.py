"""From a goal to its result: look it up, decide, replay or ask the agent, book it, remember it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmos_nb.cortex.cortex import Cortex
from llmos_nb.cortex.endpoint import Endpoint
from llmos_nb.cortex.job import Job, Usage
from llmos_nb.cortex.outcome import Outcome, judge
from llmos_nb.dispatch.decide import Decision, Thresholds, decide
from llmos_nb.dispatch.result import RunResult, ShownStep
from llmos_nb.errors import BudgetExceeded, LlmosError, ModeUnavailable
from llmos_nb.kernel.budget import ModelCall, Reservation, TokenEconomy, Tokens
from llmos_nb.kernel.events import Event, EventBus, ModeDecided, ModelCalled, Notice, RunEnded, RunStarted
from llmos_nb.learning.guidance import guidance
from llmos_nb.learning.record import environment_of, folder_named, input_digests, recorded_steps
from llmos_nb.learning.replay import replay
from llmos_nb.memory import Trace, TraceStore
from llmos_nb.mind import Agent
from llmos_nb.settings import Settings
from llmos_nb.tools.namespace import Namespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

__all__ = ["Dispatcher", "Goal", "Parts"]


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


@dataclass(slots=True)
class _Run:
    """A run that is going on."""

    goal: Goal
    bench: Workbench
    started: float
    job: Job | None = None
    mode: str = ""
    mode_reason: str = ""
    ending: str = ""
    ending_reason: str = ""
    usage: list[Usage] = field(default_factory=list)
    cost_usd: float | None = 0.0

    def end(self, status: str, reason: str) -> None:
        if not self.ending:
            self.ending, self.ending_reason = status, reason
        if self.job is not None:
            self.job.end(status, reason)
        else:
            self.bench.stop()


class Dispatcher:
    """Runs goals, any number at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._runs: dict[str, _Run] = {}

    def stop(self, run_id: str | None = None) -> list[str]:
        """Stop one run, or all; returns the ids of those that were stopped. Callable from any thread."""
        stopped = [run for id_, run in list(self._runs.items()) if run_id in (None, id_)]
        for run in stopped:
            run.end("stopped", "stopped by a person")
        return [run.goal.run_id for run in stopped]

    @property
    def running(self) -> dict[str, str]:
        """Goals that are being worked on, by run id."""
        return {run_id: run.goal.text for run_id, run in list(self._runs.items())}

    async def execute(self, goal: Goal) -> RunResult:
        """Work on a goal until one of the six end states. Raises only when it is itself cancelled."""
        parts = self._parts
        self._publish(
            RunStarted(
                run_id=goal.run_id,
                goal=goal.text,
                agent=goal.agent.name,
                endpoint=parts.endpoint.label,
                forced_mode=goal.mode,
            )
        )
        bench = Workbench(
            goal.run_id,
            namespace=parts.namespace,
            workspace=parts.settings.workspace.resolve(),
            cwd=goal.cwd,
            grant=goal.agent.tools,
            publish=self._publish,
        )
        run = _Run(goal, bench, time.monotonic())
        self._runs[goal.run_id] = run
        try:
            with self._time_limit(run):
                result = await self._decided(run)
        except (asyncio.CancelledError, KeyboardInterrupt):
            self._end(run, self._result(run, "stopped", "interrupted", ""))
            raise
        except LlmosError as error:
            result = self._result(run, "failed", error.message, "", remedy=error.remedy)
        except Exception as error:
            self._end(run, self._result(run, "failed", f"{type(error).__name__}: {error}", ""))
            raise
        finally:
            self._runs.pop(goal.run_id, None)
        self._end(run, result)
        return result

    @contextlib.contextmanager
    def _time_limit(self, run: _Run) -> Iterator[None]:
        """A timer on a thread of its own: the notebook's loop stands still while a cell computes."""
        limit_s = self._parts.settings.time_limit_s
        timer = threading.Timer(limit_s, run.end, ("timed_out", f"the time limit of {limit_s:g} s was reached"))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def decision(self, text: str, mode: str, agent: str | None) -> Decision:
        """What would be done about a goal, without doing it. One look-up, then a pure function.

        Raises:
            UnknownMode, ModeUnavailable: see :func:`llmos_nb.dispatch.decide.decide`.
        """
        settings = self._parts.settings
        match = self._parts.store.match(text, agent=agent)
        thresholds = Thresholds(settings.follower_confidence, settings.mixed_confidence)
        return decide(text, match, mode=mode, thresholds=thresholds)

    async def _decided(self, run: _Run) -> RunResult:
        goal = run.goal
        try:
            decision = self.decision(goal.text, goal.mode, goal.agent.name if goal.agent_asked else None)
        except ModeUnavailable as error:
            run.mode = goal.mode
            return self._result(run, "failed", error.message, "", remedy=error.remedy)
        self._decide(run, decision.mode, decision)
        if decision.mode != "follower":
            return await self._ask_agent(run, decision, "")
        result, refused = await self._follow(run, decision)
        if result is not None:
            return result
        if goal.mode == "follower":
            return self._result(
                run, "failed", f"the replay was refused: {refused}", "",
                trace_id=decision.match.trace_id if decision.match else None,
                remedy="Run it with --mode auto: the agent then works it out with the trace as guidance.",
            )  # fmt: skip
        self._decide(run, "mixed", decision, f"the replay was refused: {refused}")
        return await self._ask_agent(run, decision, refused)

    def _decide(self, run: _Run, mode: str, decision: Decision, reason: str = "") -> None:
        run.mode, run.mode_reason = mode, reason or decision.reason
        match = decision.match
        self._publish(
            ModeDecided(
                run_id=run.goal.run_id,
                mode=mode,
                reason=run.mode_reason,
                trace_id=match.trace_id if match else None,
                confidence=match.confidence if match else None,
            )
        )

    async def _follow(self, run: _Run, decision: Decision) -> tuple[RunResult | None, str]:
        """Replay; returns the result, or None and why the goal goes on to the agent."""
        match = decision.match
        assert match is not None and match.trace is not None and match.trace_id is not None
        assert match.steps is not None
        replayed = await replay(match.trace, match.steps, run.bench)
        why = replayed.surprise
        if replayed.not_restored:
            why += f" (could not be put back: {'; '.join(replayed.not_restored)})"
            self._notice(run, why)
        if replayed.stopped or (why and run.ending):
            return self._result(
                run, run.ending or "stopped", run.ending_reason or why, "", trace_id=match.trace_id
            ), ""
        saved = self._count(run, match.trace, success=not why)
        if why:
            return None, why
        result = self._result(
            run, "success", decision.reason, replayed.answer, saved_usd=saved, trace_id=match.trace_id,
            stale=replayed.stale,
        )  # fmt: skip
        return result, ""

    def _count(self, run: _Run, trace: Trace, *, success: bool) -> float:
        """Note one use of a trace; returns what it saved, in US dollars. A replay does not fail for its bookkeeping."""
        saved = trace.cost_usd or 0.0
        if not success or trace.simulated_cost != self._parts.endpoint.simulated:
            saved = 0.0
        try:
            self._parts.store.record_use(trace.id, success=success)
            if saved > 0:
                with self._parts.economy.reserve(0.0, "Replay", run_id=run.goal.run_id) as purse:
                    purse.settle(saved, f"Replay: {run.goal.text}"[:200])
        except LlmosError as error:
            self._notice(run, f"this use was not counted: {error}")
            return 0.0
        return saved

    async def _ask_agent(self, run: _Run, decision: Decision, refused: str) -> RunResult:
        goal, parts = run.goal, self._parts
        trace = decision.match.trace if decision.match else None
        hint = ""
        if trace is not None and decision.mode in ("follower", "mixed"):
            hint = guidance(trace, refused or decision.reason, parts.settings.guidance_limit)
        # A refused replay has put its effects back; the agent starts with a workbench without them.
        run.bench = Workbench(
            goal.run_id,
            namespace=parts.namespace,
            workspace=parts.settings.workspace.resolve(),
            cwd=goal.cwd,
            grant=goal.agent.tools,
            publish=self._publish,
        )
        try:
            purse = parts.economy.reserve(
                goal.budget_usd, f"{run.mode.capitalize()}: {goal.text}"[:200], run_id=goal.run_id
            )
        except BudgetExceeded as error:
            return self._result(run, "over_budget", error.message, "", remedy=error.remedy)
        with purse:
            run.job = self._job(run, hint, purse)
            if run.ending:
                run.job.end(run.ending, run.ending_reason)
            await parts.cortex.run(run.job, goal.agent, parts.settings, model=goal.model)
            self._book(run, purse)
        return self._remember(run, judge(run.job), trace)

    def _job(self, run: _Run, hint: str, purse: Reservation) -> Job:
        endpoint = self._parts.endpoint

        def charge(usage: Usage) -> None:
            cost = endpoint.cost_usd(usage.model, usage.counts())
            run.usage.append(usage)
            run.cost_usd = None if cost is None or run.cost_usd is None else run.cost_usd + cost
            tokens = Tokens(usage.input_tokens, usage.output_tokens, usage.cache_read, usage.cache_write)
            purse.charge(ModelCall(model=usage.model, endpoint=endpoint.label, tokens=tokens, cost_usd=cost))
            self._publish(
                ModelCalled(
                    run_id=run.goal.run_id,
                    model=usage.model,
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cache_read_tokens=usage.cache_read,
                    cache_write_tokens=usage.cache_write,
                    cost_usd=cost,
                )
            )

        return Job(
            run_id=run.goal.run_id,
            goal=run.goal.text,
            agent=run.goal.agent.name,
            guidance=hint,
            endpoint=endpoint,
            workbench=run.bench,
            bill=purse,
            publish=self._publish,
            charge=charge,
        )

    def _book(self, run: _Run, purse: Reservation) -> None:
        """Claude's own bill replaces the estimates made while the run went on."""
        result = run.job.result if run.job else None
        billed = getattr(result, "total_cost_usd", None)
        if self._parts.endpoint.kind == "claude" and isinstance(billed, int | float):
            purse.adjust(float(billed))
            run.cost_usd = float(billed)

    def _remember(self, run: _Run, outcome: Outcome, guided_by: Trace | None) -> RunResult:
        job, parts = run.job, self._parts
        assert job is not None
        server = parts.cortex.scripted
        if parts.endpoint.kind == "scripted" and outcome.status == "success" and not server.knows(run.goal.text):
            return self._result(
                run, "failed", "the scripted endpoint does not know this goal", outcome.text,
                remedy="It plays tutorial scripts only: set ANTHROPIC_API_KEY, or LLMOS_ENDPOINT to a model's URL.",
            )  # fmt: skip
        if parts.endpoint.kind == "scripted" and outcome.status == "success" and server.gave_up(run.goal.text):
            outcome = replace(outcome, status="failed", reason="the script could not go on")
        trace_id, text = None, outcome.text
        if job.result is not None or run.bench.calls:
            trace = self._trace(run, outcome)
            try:
                trace_id = parts.store.add(trace).id
            except LlmosError as error:  # what was worked out, and paid for, is told all the same
                text = f"{text}\n\n*This run could not be remembered: {error}*".strip()
            if outcome.status == "success" and not trace.replayable:
                self._notice(run, "kept, but it cannot be replayed: nothing it did can be verified later")
        return self._result(run, outcome.status, outcome.reason, text, trace_id=trace_id, remedy=outcome.remedy)

    def _trace(self, run: _Run, outcome: Outcome) -> Trace:
        calls = run.bench.calls
        return Trace(
            goal=run.goal.text,
            steps=recorded_steps(calls),
            status=outcome.status,
            cost_usd=run.cost_usd,
            mode=run.mode,
            agent=run.goal.agent.name,
            model=next((usage.model for usage in run.usage if usage.model), run.goal.model or ""),
            endpoint=self._parts.endpoint.label,
            simulated_cost=self._parts.endpoint.simulated,
            duration_s=round(time.monotonic() - run.started, 3),
            tokens=_tokens(run),
            environment={**environment_of(calls), **folder_named(run.goal.text, calls, outcome.text, run.goal.cwd)},
            inputs=input_digests(calls, run.goal.cwd),
            answer=outcome.text,
            reason="" if outcome.status == "success" else outcome.reason,
        )

    def _result(self, run: _Run, status: str, reason: str, text: str, **facts: Any) -> RunResult:
        return RunResult(
            run_id=run.goal.run_id,
            goal=run.goal.text,
            status=status,
            mode=run.mode,
            text=text,
            reason=reason,
            cost_usd=run.cost_usd,
            agent=run.goal.agent.name,
            mode_reason=run.mode_reason,
            endpoint=self._parts.endpoint.label,
            simulated=self._parts.endpoint.simulated,
            duration_s=time.monotonic() - run.started,
            tokens=_tokens(run),
            steps=tuple(
                ShownStep(
                    call.tool,
                    str(call.arguments.get(TOOLS[call.tool].main if call.tool in TOOLS else "", "") or ""),
                    call.status,
                )
                for call in run.bench.calls
            ),
            **facts,
        )

    def _end(self, run: _Run, result: RunResult) -> None:
        self._publish(
            RunEnded(
                run_id=result.run_id,
                status=result.status,
                mode=result.mode,
                reason=result.reason,
                text=result.text,
                cost_usd=result.cost_usd,
                saved_usd=result.saved_usd,
                duration_s=result.duration_s,
                trace_id=result.trace_id,
            )
        )
        self._parts.bus.flush()

    def _notice(self, run: _Run, text: str) -> None:
        self._publish(Notice(run_id=run.goal.run_id, text=text))

    @property
    def _publish(self) -> Callable[[Event], None]:
        return self._parts.bus.publish


def _tokens(run: _Run) -> dict[str, int]:
    return {
        "input": sum(usage.input_tokens for usage in run.usage),
        "output": sum(usage.output_tokens for usage in run.usage),
        "cache_read": sum(usage.cache_read for usage in run.usage),
        "cache_write": sum(usage.cache_write for usage in run.usage),
    }
