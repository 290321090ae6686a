"""ORCHESTRATOR: a goal that is several goals, from its plan to its answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from llmos_nb.dispatch.orchestrator.claim import claimed
from llmos_nb.dispatch.orchestrator.node_result import NodeResult
from llmos_nb.dispatch.orchestrator.plan import Plan
from llmos_nb.dispatch.orchestrator.plan_text import written
from llmos_nb.dispatch.orchestrator.planner import NoPlan, ask_for_plan, listed_plan, recorded_plan
from llmos_nb.dispatch.orchestrator.pot import Pot
from llmos_nb.dispatch.orchestrator.record import whole_trace
from llmos_nb.dispatch.orchestrator.state import plans_folder
from llmos_nb.dispatch.orchestrator.walk import StartChild, Walk, joined_answers
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Run
from llmos_nb.errors import BudgetExceeded, LlmosError, PlanError, UnknownAgent
from llmos_nb.guard.effects import unwatched
from llmos_nb.guard.policy import BUILT_IN_TOOLS
from llmos_nb.mind import Agent
from llmos_nb.tools.pack_agents import lacking
from llmos_nb.tools.registry import TOOLS

__all__ = ["orchestrate", "plan_for"]


async def plan_for(run: Run, pot: Pot, *, new: bool = False) -> Plan:
    """The plan for a run's goal, checked: the one it brings, a recorded one, its own list, or the model's.

    With ``new`` the model is asked whatever there is. In a project it is written into plan.md.

    Raises:
        NoPlan, PlanError: there is none that can be run.
        BudgetExceeded: there is no money to ask with.
    """
    plan = await _found(run, pot, new=new)
    if run.goal.project is not None:
        try:
            with unwatched():  # a cell may wait for this run
                run.goal.project.write_plan(written(plan))
        except LlmosError as error:
            run.notice(f"the plan could not be written into the project {run.goal.project.name}: {error}")
    return plan


async def _found(run: Run, pot: Pot, *, new: bool) -> Plan:
    goal, settings = run.goal, run.parts.settings
    agents = _agents(run)
    names = [agent.name for agent in agents]
    if goal.plan is not None:
        return goal.plan.check(names, settings.plan_nodes)
    if not new:
        plan = recorded_plan(goal.text, run.parts.store, names, goal.project) or listed_plan(goal.text)
        if plan is not None and len(plan.nodes) <= settings.plan_nodes:
            return plan.check(names, settings.plan_nodes)
    return await ask_for_plan(run, pot, agents)


async def orchestrate(run: Run, start: StartChild) -> RunResult:
    """Plan the run's goal and reach it node by node; ``start`` sends a node's goal through the dispatcher."""
    goal = run.goal
    pot = Pot(
        run.parts.economy,
        goal.budget_usd,
        f"Orchestrate: {goal.text}"[:200],
        run_id=goal.run_id,
        project=goal.project.name if goal.project is not None else "",
        project_usd=goal.constraints.total_budget_usd,
    )
    try:
        try:
            plan = await plan_for(run, pot)
        except NoPlan as error:
            return run.result(error.status, error.message, error.text, remedy=error.remedy)
        except PlanError as error:
            return run.result("failed", f"the plan cannot be run: {error.message}", "", remedy=error.remedy)
        except BudgetExceeded as error:
            return run.result("over_budget", error.message, "", remedy=error.remedy)
        if run.ending:
            return run.result(run.ending, run.ending_reason, "")
        folder = plans_folder(run.parts.settings.workspace)
        with contextlib.ExitStack() as claims:
            try:
                claims.enter_context(claimed(folder, goal.run_id))
                if goal.resumed is not None:
                    claims.enter_context(claimed(folder, goal.resumed.run_id))
            except PlanError as error:
                return run.result("failed", error.message, "", remedy=error.remedy)
            walk = Walk(run, plan, pot, start=start, agent_of=_agent_of(run), resumed=goal.resumed)
            await walk.go()
            return _over(run, plan, walk)
    finally:
        pot.settle()


def _over(run: Run, plan: Plan, walk: Walk) -> RunResult:
    """The result of a walk that ended; it is kept as a trace, and as something to go on with."""
    status, reason = _judged(run, plan, walk.results)
    text = joined_answers(plan, walk.results)
    walk.save(status)
    trace_id = _remember(run, plan, walk, status, reason, text)
    return run.result(
        status,
        reason,
        text,
        trace_id=trace_id,
        remedy="" if status == "success" else _remedy(run, walk.results),
        saved_usd=round(sum(result.saved_usd for result in walk.results.values()), 9),
        nodes=tuple(walk.results[node.id] for node in plan.nodes),
        plan=plan,
    )


def _judged(run: Run, plan: Plan, results: dict[str, NodeResult]) -> tuple[str, str]:
    """The end state of the whole, and why."""
    if run.ending:
        return run.ending, run.ending_reason
    bad = [results[node.id] for node in plan.nodes if not results[node.id].ok]
    if not bad:
        return "success", "every goal of the plan was reached"
    began = [result for result in bad if result.status != "skipped"]
    if began and all(result.status == "stopped" for result in began):
        return "stopped", began[0].reason
    named = "; ".join(
        f"{result.id} {'failed' if result.status == 'failed' else 'ended in ' + result.status}: {result.reason}"
        for result in began
    )
    skipped = [result.id for result in bad if result.status == "skipped"]
    after = f" ({', '.join(skipped)} did not begin)" if skipped else ""
    return "failed", f"{named}{after}"


def _remedy(run: Run, results: dict[str, NodeResult]) -> str:
    done = [result.id for result in results.values() if result.ok]
    kept = f"What {', '.join(done)} reached is kept. " if done else ""
    return f"{kept}Go on from there with %llmos --resume-plan last, or await llmos.resume_plan()."


def _remember(run: Run, plan: Plan, walk: Walk, status: str, reason: str, text: str) -> str | None:
    """Keep the whole as a trace; a run that cannot be remembered is told of and ends as it ended."""
    trace = whole_trace(run, plan, walk.calls, walk.results, status=status, reason=reason, text=text, told=walk.told)
    try:
        return run.parts.store.add(trace).id
    except LlmosError as error:
        run.notice(f"the whole could not be remembered: {error}")
        return None


def _agents(run: Run) -> list[Agent]:
    """The agents that a plan may name: all that can be used, or the one that a person asked for alone."""
    goal, registry = run.goal, run.parts.services.agents
    if (goal.agent_asked and goal.plan is None) or registry is None:
        return [goal.agent]
    known = {*TOOLS, *BUILT_IN_TOOLS}
    usable = [
        agent
        for agent in registry.list()
        if not registry.unknown_tools(agent, known) and not lacking(agent) and not registry.foreign(agent.name)
    ]
    narrowed = [(agent, goal.constraints.narrow(agent)) for agent in usable]
    found = [agent for whole, agent in narrowed if agent.tools or not whole.tools]
    return found if any(agent.name == goal.agent.name for agent in found) else [goal.agent, *found]


def _agent_of(run: Run) -> Callable[[str], Agent]:
    """A node's agent, as its file says now; the run's own where the node names none."""

    def agent_of(name: str) -> Agent:
        if not name or name == run.goal.agent.name:
            return run.goal.agent
        registry = run.parts.services.agents
        if registry is None:
            raise UnknownAgent(f"There is no agent {name!r}.", remedy="Leave the node's agent out.")
        return registry.usable(name)

    return agent_of
