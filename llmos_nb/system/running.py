"""A goal that is ready is worked on: awaited, in the background, by the schedule, as a plan, or from code that blocks."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from llmos_nb.system.goals import goal_of

if TYPE_CHECKING:
    from llmos_nb.dispatch.background import BackgroundRuns
    from llmos_nb.dispatch.orchestrator import Plan
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.dispatch.run import Goal
    from llmos_nb.kernel.schedule import ScheduledJob
    from llmos_nb.kernel.scheduler import Scheduler
    from llmos_nb.system.parts import SystemParts

__all__ = [
    "answered",
    "background_runs",
    "executed",
    "finished",
    "plan_of",
    "resumed_plan",
    "schedule_of",
    "waited_for",
]

_T = TypeVar("_T")


async def executed(parts: SystemParts, goal: Goal) -> RunResult:
    """Work on ``goal`` to its end, shown where a page can be updated."""
    from llmos_nb.dispatch.presented import presented

    present = parts.present_goal if parts.settings.show_runs == "auto" else None
    with presented(goal, present, lambda: parts._latest.result):
        return await parts._dispatcher.execute(goal)


def background_runs(parts: SystemParts) -> BackgroundRuns:
    """The goals in the background of one system."""
    from llmos_nb.dispatch.background import BackgroundRuns

    async def execute(goal: Goal) -> RunResult:
        return await parts._dispatcher.execute(goal)

    return BackgroundRuns(
        execute,
        parts.stop,
        lambda run_id: made.at_work(run_id) if (made := parts._made_dispatcher) is not None else None,
        lambda: parts.settings.background_runs,
        lambda: parts._own().names,
        lambda: parts.present_run,
    )


def schedule_of(parts: SystemParts) -> Scheduler:
    """The schedule of one system: each job is a goal like any other."""
    from llmos_nb.kernel.scheduler import Scheduler

    def goal(job: ScheduledJob) -> Goal:
        return goal_of(
            parts,
            job.goal,
            mode=job.mode or None,
            agent=job.agent or None,
            budget_usd=job.budget_usd,
            project=job.project,
            sandbox=job.sandbox or None,
        )

    async def execute(job: ScheduledJob) -> RunResult:
        return await executed(parts, goal(job))

    def check(job: ScheduledJob) -> None:
        goal(job)

    return Scheduler(
        parts.workspace,
        execute=execute,
        check=check,
        project=lambda: parts.settings.project or "",
        bus=parts.bus,
        session=parts.session_id,
    )


async def plan_of(parts: SystemParts, goal: Goal, *, new: bool) -> Plan:
    """The plan for ``goal``, which knows the project that it is for. Nothing of it is run.

    Raises:
        PlanError: none came of it that can be run.
    """
    plan = await parts._dispatcher.plan(goal, new=new)
    return dataclasses.replace(plan, project=goal.project.name if goal.project is not None else "")


def resumed_plan(
    parts: SystemParts,
    run_id: str | None,
    at: str | None,
    plan: Plan | None,
    budget_usd: float | None,
    model: str | None,
    propose: bool,
) -> Goal:
    """The goal that goes on with a plan: see :meth:`llmos_nb.LLMOS.resume_plan`.

    Raises:
        PlanError: there is no such run or node, or what is kept of it cannot be used.
    """
    from llmos_nb.dispatch.orchestrator.state import latest, load_state, plans_folder

    folder = plans_folder(parts.workspace)
    state = load_state(folder, run_id or latest(folder))
    state = state.before(at) if at is not None else state
    where = Path(state.cwd)
    project = where.name if where.parent == (parts.workspace / "projects").resolve() else ""
    goal = goal_of(
        parts,
        state.plan if plan is None else plan,
        agent=state.agent,
        budget_usd=budget_usd,
        project=project,
        model=model,
        propose=propose,
    )
    return dataclasses.replace(goal, resumed=state, agent_asked=False)


def finished(work: Coroutine[Any, Any, RunResult]) -> RunResult:
    """What ``work`` comes to, waited for: in a plain script, and inside a running loop as well.

    Raises:
        KeyboardInterrupt: a person interrupted the run; it is settled and kept.
    """
    result = waited_for(work)
    if result.interrupted:
        raise KeyboardInterrupt  # as any other call: what comes after it must not go on
    return result


def waited_for(work: Coroutine[Any, Any, _T]) -> _T:
    """What ``work`` comes to: a loop that runs already goes on with all that it has, but a page is not heard."""
    loop = _running_loop()
    if loop is None:
        return asyncio.run(work)
    import nest_asyncio  # patches the loop, so only for whoever asks for it

    from llmos_nb.dispatch.presented import shown_already

    nest_asyncio.apply(loop)
    with shown_already():
        found: _T = loop.run_until_complete(work)
    return found


def answered(answer: Callable[[], _T]) -> _T:
    """An answer that needs a running loop, whether there is one or not."""
    if _running_loop() is not None:
        return answer()

    async def inside() -> _T:
        return answer()

    return asyncio.run(inside())


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
