"""From a goal to its result: begin its run, watch it, have it worked on, and end in one of the six end states."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

from llmos_nb.cortex.context import ContextUse
from llmos_nb.dispatch.decide import Decision
from llmos_nb.dispatch.ending import end_run
from llmos_nb.dispatch.explain import Explanation
from llmos_nb.dispatch.foretell import explained, would_see
from llmos_nb.dispatch.lookup import Lookup
from llmos_nb.dispatch.modes import Modes
from llmos_nb.dispatch.orchestrator.plan import Plan
from llmos_nb.dispatch.orchestrator.planner import NoPlan
from llmos_nb.dispatch.orchestrator.pot import Pot
from llmos_nb.dispatch.orchestrator.run import plan_for
from llmos_nb.dispatch.orchestrator.walk import Child
from llmos_nb.dispatch.remedy import misplaced, with_next_step
from llmos_nb.dispatch.result import STOPPED, RunResult
from llmos_nb.dispatch.ripen import Ripening, Settled
from llmos_nb.dispatch.run import Goal, Parts, Run
from llmos_nb.dispatch.seen import Seen
from llmos_nb.errors import BudgetExceeded, LlmosError, PlanError
from llmos_nb.kernel.events import RunStarted
from llmos_nb.kernel.pulse import pulsing
from llmos_nb.kernel.watchdog import Watchdog, WatchLimits
from llmos_nb.mind import Agent
from llmos_nb.projects import MEANT, Project
from llmos_nb.settings import Settings
from llmos_nb.tools.namespace import Namespace

__all__ = ["Dispatcher"]


class Dispatcher:
    """Runs goals, any number at a time; ``ended`` is told what each came to that was asked for."""

    def __init__(self, parts: Parts, ended: Callable[[Goal, RunResult], None] = lambda goal, result: None) -> None:
        self._parts, self._ended = parts, ended
        self._runs: dict[str, Run] = {}
        self._ripening = Ripening(parts.store, parts.crystals, parts.settings)
        self._lookup = Lookup(parts)
        self._watchdog = Watchdog(parts.bus)
        parts.undos.configure(parts.settings.undo_runs, parts.settings.undo_mb)

    def configure(self, settings: Settings) -> None:
        """Other settings from the next goal on."""
        services = dataclasses.replace(
            self._parts.services, agent_changes=settings.agent_changes, agent_facts=settings.agent_facts
        )
        self._parts = dataclasses.replace(self._parts, settings=settings, services=services)
        self._lookup = Lookup(self._parts)
        self._ripening.configure(settings)
        self._parts.undos.configure(settings.undo_runs, settings.undo_mb)

    def stop(self, run_id: str | None = None) -> list[str]:
        """Stop one run, or all; returns the ids of those that were stopped. Callable from any thread."""
        stopped = [run for id_, run in list(self._runs.items()) if run_id in (None, id_)]
        for run in stopped:
            run.end("stopped", STOPPED)
        return [run.goal.run_id for run in stopped]

    @property
    def namespace(self) -> Namespace:
        """Where cells run."""
        return self._parts.namespace

    def context_use(self) -> ContextUse | None:
        """How full the model's context is; None before there was a conversation."""
        return self._parts.cortex.context_use()

    @property
    def running(self) -> dict[str, str]:
        """Goals that are being worked on, by run id."""
        return {run_id: run.goal.text for run_id, run in list(self._runs.items())}

    def reload_scripts(self) -> None:
        """Have the scripted endpoint play what may be played now.

        Raises:
            ScriptFileError: a script is none.
        """
        self._parts.cortex.reload_scripts()

    def at_work(self, run_id: str) -> Run | None:
        """The run of this id, while it is going on."""
        return self._runs.get(run_id)

    async def execute(self, goal: Goal) -> RunResult:
        """Work on a goal until one of the six end states. Raises only when it is itself cancelled."""
        run = Run(goal, self._parts)
        try:
            return await self._worked(run, self._modes.work)
        finally:
            if run.ended is not None:  # one that was interrupted, too
                self._ended(goal, run.ended)

    async def plan(self, goal: Goal, *, new: bool = False) -> Plan:
        """The plan by which a goal would be reached; the model may be asked for it, but nothing of it is run.

        With ``new`` the model is asked even where a plan was recorded or the goal is a list already.

        Raises:
            PlanError: none came of it that can be run; the message says why.
        """
        made: list[Plan] = []

        async def planned(run: Run) -> RunResult:
            run.take_mode("orchestrator", Decision("orchestrator", "a plan was asked for"))
            pot = Pot(
                self._parts.economy,
                goal.budget_usd,
                f"Plan: {goal.text}"[:200],
                run_id=goal.run_id,
                project=goal.project.name if goal.project is not None else "",
                project_usd=goal.constraints.total_budget_usd,
            )
            try:
                made.append(await plan_for(run, pot, new=new))
            except NoPlan as error:
                return run.result(error.status, error.message, error.text, remedy=error.remedy)
            except BudgetExceeded as error:
                return run.result("over_budget", error.message, "", remedy=error.remedy)
            finally:
                pot.settle()
            return run.result("success", "the plan was made", str(made[0]))

        result = await self._worked(Run(goal, self._parts), planned)
        if not made:
            raise PlanError(f"No plan was made: {result.reason}.", remedy=result.remedy)
        return made[0]

    def explain(
        self, text: str, mode: str, agent: str | None, cwd: Path, project: Project | None = None
    ) -> Explanation:
        """What would be done about a goal in the folder ``cwd``, in ``project`` if one is given, with all it rests on.

        Raises:
            UnknownMode, ModeUnavailable: see :func:`llmos_nb.dispatch.decide.decide`.
        """
        return explained(self._lookup, text, mode, agent, cwd, project)

    def seen(
        self, text: str, mode: str, agent: Agent, team: tuple[Agent, ...], cwd: Path, project: Project | None
    ) -> Seen:
        """What ``agent`` would be given for a goal; without one, what it is given for any. Nothing is run."""
        return would_see(self._lookup, text, mode, agent, team, cwd, project)

    @property
    def _modes(self) -> Modes:
        return Modes(self._lookup, self._ripening, self._child)

    async def _child(self, parent: Run, goal: Goal) -> Child:
        """Run a node's goal; what ends the whole ends it, too."""
        shared = parent.namespace if goal.background else None  # what others change is noted once for the whole
        run = Run(goal, self._parts, shared)
        parent.children.append(run)
        try:
            if parent.ending:
                run.end(parent.ending, parent.ending_reason)
            result = await self._worked(run, self._modes.work)
        finally:
            parent.children.remove(run)
            known = run.cost_usd is not None and parent.nodes_usd is not None
            parent.nodes_usd = (parent.nodes_usd or 0.0) + (run.cost_usd or 0.0) if known else None
            parent.benches += run.benches
        return Child(result, tuple(run.bench.calls), tuple(run.held or ()))

    async def _worked(self, run: Run, work: Callable[[Run], Awaitable[RunResult]]) -> RunResult:
        goal = run.goal
        run.publish(
            RunStarted(
                run_id=goal.run_id,
                goal=goal.text,
                agent=goal.agent.name,
                endpoint=self._parts.endpoint.label,
                forced_mode=goal.mode,
                parent_run_id=goal.parent_run_id,
                project=goal.project.name if goal.project is not None else "",
                scheduled_by=goal.scheduled_by,
                background=goal.background,
            )
        )
        self._runs[goal.run_id] = run
        welcome = goal.project.welcome() if goal.project is not None and not goal.parent_run_id else ""
        for text in filter(None, (welcome, goal.note)):
            run.notice(text)
            if MEANT in welcome:  # a slip of the pen must be seen, however the run ends
                run.notices.append(welcome)
        hint = misplaced(goal)
        if hint and not goal.parent_run_id:
            run.notice(hint)
        run.tell_broken_agents()
        try:
            with self._watched(run), pulsing():
                try:
                    result = await work(run)
                finally:
                    await run.leave_sandbox()
            if run.goal.sandbox:
                result = dataclasses.replace(
                    result, offered=run.offered, notices=tuple(dict.fromkeys((*result.notices, *run.notices)))
                )
        except (asyncio.CancelledError, KeyboardInterrupt):
            end_run(run, run.result("stopped", "interrupted", "", trace_id=run.trace_id))
            raise
        except LlmosError as error:
            result = run.result("failed", error.message, "", remedy=error.remedy)
        except Exception as error:
            end_run(run, run.result("failed", f"{type(error).__name__}: {error}", ""))
            raise
        finally:
            self._runs.pop(goal.run_id, None)
        return end_run(run, with_next_step(goal, result, hint, welcome))

    def _watched(self, run: Run) -> contextlib.AbstractContextManager[None]:
        """The watchdog ends what takes too long, is silent, goes in circles or holds too much memory."""
        settings = self._parts.settings
        allowed = [s for s in (settings.time_limit_s, run.goal.constraints.time_limit_s) if s is not None]
        limits = WatchLimits(
            time_s=min(allowed, default=None),
            silence_s=settings.silence_limit_s,
            repeats=settings.repeat_limit,
            idle_turns=settings.idle_turns,
            memory_mb=settings.process_memory_mb,
        )
        return self._watchdog.watch(run.goal.run_id, limits, run.end, within=run.goal.parent_run_id)

    def settle(self, timeout_s: float | None = None) -> Settled:
        """Wait until no crystal is being made, at most ``timeout_s`` seconds; says what became of them."""
        return self._ripening.wait(timeout_s)

    def close(self) -> None:
        """End what works beside the notebook."""
        self._ripening.close()
        self._watchdog.close()
