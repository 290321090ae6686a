"""The way of a goal through the modes: replayed where that holds, else handed on to the plan or to the agent."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from llmos_nb.dispatch.ask import UNKNOWN, ask_agent
from llmos_nb.dispatch.belonging import places
from llmos_nb.dispatch.decide import Decision
from llmos_nb.dispatch.follow import call_crystal, follow
from llmos_nb.dispatch.lookup import Lookup, guides_of, is_whole, not_from_here
from llmos_nb.dispatch.orchestrator.handoff import HANDED, told_else
from llmos_nb.dispatch.orchestrator.run import orchestrate
from llmos_nb.dispatch.orchestrator.walk import Child
from llmos_nb.dispatch.propose import unattended
from llmos_nb.dispatch.recalled import outdated
from llmos_nb.dispatch.refusal import WITH_A_KEY, refusal
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.ripen import Ripening
from llmos_nb.dispatch.run import Goal, Run
from llmos_nb.dispatch.shipped import shipped_match
from llmos_nb.dispatch.wording import plain
from llmos_nb.errors import ModeUnavailable
from llmos_nb.memory import Match
from llmos_nb.memory.library import task_of
from llmos_nb.tools.cell import RUN_CELL

__all__ = ["Modes"]

#: What the guard says where an agent may run no code.
NO_CELLS: Final = f"not granted the tool {RUN_CELL.name}"


class Modes:
    """Decides about runs and hands them to their mode's runner. ``child`` runs a node of a plan."""

    def __init__(
        self, lookup: Lookup, ripening: Ripening, child: Callable[[Run, Goal], Coroutine[Any, Any, Child]]
    ) -> None:
        self._lookup, self._ripening, self._child = lookup, ripening, child

    async def work(self, run: Run) -> RunResult:
        """Work on a goal by the cheapest mode that serves it, or by the one that was asked for."""
        goal = run.goal
        if (ended := unattended(run)) is not None:
            return ended
        if goal.plan is not None:
            run.vocabulary = self._lookup.vocabulary()
            run.take_mode("orchestrator", Decision("orchestrator", "a plan was given"))
            return await self._orchestrated(run)
        # A node is one goal, whatever it looks like: plans do not nest.
        several = "" if goal.parent_run_id or goal.sandbox else self._lookup.several(goal.text)
        try:
            run.vocabulary = self._lookup.vocabulary()
            if goal.resumes:
                why = f"it goes on with the conversation of {goal.resumes}"
                run.take_mode("learner", Decision("learner", why, None))
                return await ask_agent(run, (), why)
            asked = goal.agent.name if goal.agent_asked else None
            match = self._lookup.match(goal.text, asked, goal.cwd, goal.project, goal.handed, run.vocabulary)
            if goal.mode not in ("learner", "orchestrator"):  # where a replay was wanted
                run.passed_over = match.passed_over
                if match.passed_over and goal.parent_run_id:
                    run.notice(match.passed_over)
            decision = self._lookup.decide(goal.text, goal.mode, match, several=several)
        except ModeUnavailable as error:
            run.mode = goal.mode
            return run.result("failed", plain(error.message), "", remedy=error.remedy)
        run.take_mode(decision.mode, decision)
        if decision.mode == "orchestrator":
            return await self._orchestrated(run)
        if decision.match is None:
            return self._nobody(run) or await ask_agent(run, (), decision.reason)
        if decision.mode not in ("follower", "crystallized"):
            return self._nobody(run) or await ask_agent(run, guides_of(match, run.vocabulary), decision.reason)
        result, refused = await self._repeated(run, match, decision)
        if result is not None:
            return self._used(run, match, result)
        return await self._handed_over(run, match, decision, refused)

    async def _handed_over(self, run: Run, match: Match, decision: Decision, refused: str) -> RunResult:
        """The agent works on what could not be replayed, unless a replay was asked for."""
        goal, why = run.goal, f"the replay was refused: {refused}"
        if goal.mode in ("follower", "crystallized"):
            remedy = "Run it with --mode auto: the agent then works it out with the trace as guidance."
            return run.result("failed", why, "", trace_id=match.trace_id, remedy=remedy)
        if not goal.parent_run_id and not goal.sandbox and (self._lookup.several(goal.text) or is_whole(match)):
            run.take_mode("orchestrator", decision, why)
            run.start_over()
            return await self._orchestrated(run)
        run.take_mode("mixed", decision, why)
        return self._nobody(run, refused) or await ask_agent(run, guides_of(match, run.vocabulary), refused)

    def _nobody(self, run: Run, refused: str = "") -> RunResult | None:
        """The end of a goal that nobody can work on: without a key, and no script knows it. Nothing is asked, nothing is
        paid; what is free instead is told."""
        parts = run.parts
        if parts.endpoint.kind != "scripted" or parts.cortex.has_script(run.goal.text):
            return None
        if parts.library is None or parts.settings.library == "never":
            return run.result("failed", UNKNOWN, "", remedy=f"“What can you do?” tells what it knows. {WITH_A_KEY}")
        names = run.bench.namespace.names
        if (not_by_it := _not_by_this_agent(run, refused)) is not None:
            return run.result("failed", not_by_it[0], "", remedy=f"{not_by_it[1]} {WITH_A_KEY}")
        found = refusal(run.goal.text, parts.library, parts.store, names, run.goal.cwd)
        said = re.sub(r"^step \d+ \(\w+\) failed: (?:TableError: )?", "", refused)
        return run.result("failed", said or found.reason or UNKNOWN, "", remedy=found.remedy)

    async def _orchestrated(self, run: Run) -> RunResult:
        return await orchestrate(run, functools.partial(self._child, run))

    async def _repeated(self, run: Run, match: Match, decision: Decision) -> tuple[RunResult | None, str]:
        """Serve a goal by the crystal or the trace that was decided on: the result, or None and why it was refused."""
        goal, refused = run.goal, ""
        assert match.trace is not None
        if alien := (
            not_from_here(match.trace, goal.project, goal.cwd)
            or told_else(match.trace, goal.handed, goal.cwd)
            or outdated(match.trace, goal.text, run.services, run.parts.settings)
        ):
            return None, alien
        if decision.crystal and not goal.sandbox:  # a crystal is a function of the kernel's
            result, refused = await call_crystal(run, match, run.parts.crystals.get(decision.crystal))
            if result is not None:
                return result, ""
            run.start_over()
            if goal.mode == "auto":
                run.take_mode("follower", decision, f"the crystal {decision.crystal} was not used: {refused}")
        if decision.crystal and goal.sandbox:
            run.take_mode("follower", decision, "in a sandbox the recorded steps are replayed")
        if not decision.crystal or goal.mode == "auto" or goal.sandbox:
            return await follow(run, match)
        return None, refused

    def _used(self, run: Run, match: Match, result: RunResult) -> RunResult:
        """After a replay or a call that went well: what is used often enough becomes a crystal."""
        told = match.trace is not None and (match.trace.environment.get(HANDED) or task_of(match.trace))
        if result.ok and match.trace_id is not None and not told and not run.goal.sandbox:
            self._ripening.used(
                match.trace_id,
                vocabulary=run.vocabulary,
                names=run.parts.namespace.names,
                cwd=places(run.parts.projects, Path.cwd() if run.goal.project is not None else run.goal.cwd),
                tell=run.notice,
            )
        return result


def _not_by_this_agent(run: Run, refused: str) -> tuple[str, str] | None:
    """Why a goal that is free otherwise is not with this agent, and what to do; None where the agent is not the reason.

    The tasks that come with packs are cells that run in the agent's name: one that may run no code can do none of them.
    """
    goal, parts = run.goal, run.parts
    if goal.agent is None or parts.library is None:
        return None
    name = goal.agent.name
    if refused and NO_CELLS in refused:
        tools = ", ".join(goal.agent.tools) or "none"
        why = f"the everyday tasks are cells, and the agent {name} may run none: its tools are {tools}"
        return why, f"Give it the tool run_cell in agents/{name}.md, or ask with another default agent."
    asked = goal.agent_asked and not refused
    if asked and shipped_match(goal.text, parts.library, parts.store, run.bench.namespace.names).steps is not None:
        why = f"the agent {name} was asked for, and has not done this yet"
        return why, "Without --agent it is free: the everyday tasks that come with packs are no agent's."
    return None
