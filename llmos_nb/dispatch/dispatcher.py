"""From a goal to its result: look it up, decide, hand it to the mode's runner, and end in one of the six end states."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from llmos_nb.dispatch.ask import ask_agent
from llmos_nb.dispatch.decide import Decision, Thresholds, decide
from llmos_nb.dispatch.follow import follow
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal, Parts, Run
from llmos_nb.errors import LlmosError, ModeUnavailable
from llmos_nb.kernel.events import RunEnded, RunStarted
from llmos_nb.learning.record import inputs_unchanged

__all__ = ["Dispatcher"]


class Dispatcher:
    """Runs goals, any number at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._runs: dict[str, Run] = {}

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
        run = Run(goal, self._parts)
        run.publish(
            RunStarted(
                run_id=goal.run_id,
                goal=goal.text,
                agent=goal.agent.name,
                endpoint=self._parts.endpoint.label,
                forced_mode=goal.mode,
            )
        )
        self._runs[goal.run_id] = run
        try:
            with self._time_limit(run):
                result = await self._decided(run)
        except (asyncio.CancelledError, KeyboardInterrupt):
            self._end(run, run.result("stopped", "interrupted", ""))
            raise
        except LlmosError as error:
            result = run.result("failed", error.message, "", remedy=error.remedy)
        except Exception as error:
            self._end(run, run.result("failed", f"{type(error).__name__}: {error}", ""))
            raise
        finally:
            self._runs.pop(goal.run_id, None)
        self._end(run, result)
        return result

    @contextlib.contextmanager
    def _time_limit(self, run: Run) -> Iterator[None]:
        """A timer on a thread of its own: the notebook's loop stands still while a cell computes."""
        limit_s = self._parts.settings.time_limit_s
        timer = threading.Timer(limit_s, run.end, ("timed_out", f"the time limit of {limit_s:g} s was reached"))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def decision(self, text: str, mode: str, agent: str | None, cwd: Path) -> Decision:
        """What would be done about a goal in the folder ``cwd``, without doing it: one look-up, then a pure function.

        Raises:
            UnknownMode, ModeUnavailable: see :func:`llmos_nb.dispatch.decide.decide`.
        """
        settings = self._parts.settings
        match = self._parts.store.match(text, agent=agent, prefer=lambda trace: inputs_unchanged(trace, cwd))
        thresholds = Thresholds(settings.follower_confidence, settings.mixed_confidence)
        return decide(text, match, mode=mode, thresholds=thresholds)

    async def _decided(self, run: Run) -> RunResult:
        goal = run.goal
        try:
            decision = self.decision(goal.text, goal.mode, goal.agent.name if goal.agent_asked else None, goal.cwd)
        except ModeUnavailable as error:
            run.mode = goal.mode
            return run.result("failed", error.message, "", remedy=error.remedy)
        run.take_mode(decision.mode, decision)
        match = decision.match
        if decision.mode != "follower" or match is None:
            return await ask_agent(run, match.trace if match else None, decision.reason)
        result, refused = await follow(run, match)
        if result is not None:
            return result
        why = f"the replay was refused: {refused}"
        if goal.mode == "follower":
            remedy = "Run it with --mode auto: the agent then works it out with the trace as guidance."
            return run.result("failed", why, "", trace_id=match.trace_id, remedy=remedy)
        run.take_mode("mixed", decision, why)
        return await ask_agent(run, match.trace, refused)

    def _end(self, run: Run, result: RunResult) -> None:
        run.publish(
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
