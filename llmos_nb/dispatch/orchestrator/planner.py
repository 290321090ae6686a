"""Where a plan comes from: the goal's own numbered list, a recorded run of the goal, or the model, asked once.

The model answers in JSON by a schema. A plan of its that cannot be run is told to it once, with what is wrong; the
second one that cannot be run ends the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from llmos_nb.cortex.job import Job
from llmos_nb.cortex.outcome import Outcome, judge
from llmos_nb.dispatch.ask import job_of
from llmos_nb.dispatch.belonging import told_otherwise
from llmos_nb.dispatch.orchestrator.detect import find_parts
from llmos_nb.dispatch.orchestrator.plan import SCHEMA, Node, Plan, plan_from
from llmos_nb.dispatch.orchestrator.pot import Pot
from llmos_nb.dispatch.recalled import injection
from llmos_nb.dispatch.run import Run
from llmos_nb.errors import LlmosError, PlanError
from llmos_nb.memory import TraceStore
from llmos_nb.memory.seal import is_edited
from llmos_nb.mind import Agent
from llmos_nb.projects import Project

__all__ = ["NoPlan", "ask_for_plan", "listed_plan", "planner_goal", "recorded_plan"]

#: Agents that the model is told of, and characters of one's description.
AGENTS_TOLD: Final = 50
DESCRIPTION_TOLD: Final = 300
_PROMPT: Final = """\
You plan; you do not work on the goal yourself, and you have no tools but the one that takes your plan. Split the goal \
into as few goals as do it justice, at most {limit}, each for one agent. Goals that do not build on each other need \
nothing of each other: they run at the same time. All of them work in one Python kernel and one folder.

- Write each goal so that it is clear by itself: name files, columns and variables; never "it" or "the above".
- Where a later goal builds on a value, have the earlier goal keep it in a variable, say its name in both goals, and \
list it under produces. The same for files. A goal's answer in words is in the variable <id>_answer for those that need it.
- Use the words of the goal itself where you can: a goal that was reached before costs nothing.

The agents:
{agents}"""

#: What is said where the endpoint that plays scripts has none of a plan for the goal.
NO_SCRIPT: Final = "the scripted endpoint has no script of a plan for this goal"
_UNPLANNED: Final = (
    "Leave --mode orchestrator and --plan out to run it as one goal, or write the plan yourself: Plan(goal, nodes) and "
    "llmos.execute(plan)."
)


class NoPlan(LlmosError):
    """No plan came of it: ``status`` is the end state of the run, ``text`` what the model said."""

    def __init__(self, message: str, *, status: str = "failed", remedy: str = "", text: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.text = text


def planner_goal(goal: str) -> str:
    """What the model is asked."""
    return f"Make a plan for this goal:\n\n{goal}"


def listed_plan(goal: str) -> Plan | None:
    """The plan that a goal itself is: its numbered list, one after the other. None where the goal leaves a choice."""
    parts = find_parts(goal)
    if not parts or not parts.ordered or not parts.whole:
        return None
    nodes = tuple(
        Node(f"goal_{number}", part, needs=(f"goal_{number - 1}",) if number > 1 else ())
        for number, part in enumerate(parts.goals, start=1)
    )
    return Plan(goal, nodes, answer=tuple(node.id for node in nodes), source="list")


def recorded_plan(goal: str, store: TraceStore, agents: Sequence[str], project: Project | None = None) -> Plan | None:
    """The plan of the latest successful run of this very goal, if it can still be run and the same was told then."""
    for row in store.rows():
        if row["mode"] != "orchestrator" or row["status"] != "success" or row["goal"].strip() != goal.strip():
            continue
        try:
            trace = store.get(row["id"])
            if trace.wrong or is_edited(trace) or told_otherwise(trace, project):
                continue
            return plan_from(trace.extra.get("plan"), goal, "trace").check(agents)
        except LlmosError:
            continue
    return None


async def ask_for_plan(run: Run, pot: Pot, agents: Sequence[Agent]) -> Plan:
    """The plan that the model makes for the run's goal.

    Raises:
        NoPlan: the model or its endpoint gave none that can be run, or the money was not enough.
        BudgetExceeded: there is no money to ask with.
    """
    text = planner_goal(run.goal.text)
    if run.parts.endpoint.kind == "scripted" and not run.parts.cortex.has_script(text):
        raise NoPlan(NO_SCRIPT, remedy=_UNPLANNED)  # it would only say so, and charge for it
    run.injection = injection(run.goal.text, run.services, run.parts.settings)
    try:
        return await _asked(run, pot, agents, text)
    except PlanError as error:
        run.notice(f"the plan could not be used, and the model is asked once more: {error}")
        problem = str(error)
    again = f"{text}\n\nThe plan that you gave cannot be used: {problem}\nGive a whole new one."
    try:
        return await _asked(run, pot, agents, again)
    except PlanError as error:
        raise NoPlan(
            f"the model gave no plan that can be run: {error.message}",
            remedy=f"{error.remedy} Or write the plan yourself: Plan(goal, nodes) and llmos.execute(plan).".strip(),
        ) from error


async def _asked(run: Run, pot: Pot, agents: Sequence[Agent], text: str) -> Plan:
    planner = _planner(agents, run.parts.settings.plan_nodes)
    with pot.part(pot.left_usd, f"Plan: {run.goal.text}"[:200], run_id=run.goal.run_id) as purse:
        project = run.goal.project
        hint = project.told(run.parts.settings.guidance_limit) if project is not None else ""
        run.job = job = job_of(run, purse, hint=hint, text=text, agent=planner.name)
        try:
            if run.ending:
                job.end(run.ending, run.ending_reason)
            await run.parts.cortex.run(job, planner, run.parts.settings, model=run.goal.model)
        finally:
            run.job = None
            billed = getattr(job.result, "total_cost_usd", None)
            if run.parts.endpoint.kind == "claude" and isinstance(billed, int | float):
                estimated = purse.charged_usd
                purse.adjust(float(billed))
                if run.cost_usd is not None:
                    run.cost_usd = round(run.cost_usd - estimated + float(billed), 9)
    outcome = judge(job)
    _check_outcome(run, job, outcome, text)
    plan = plan_from(_answered(job, outcome), run.goal.text, "model")
    return plan.check([agent.name for agent in agents], run.parts.settings.plan_nodes)


def _check_outcome(run: Run, job: Job, outcome: Outcome, text: str) -> None:
    if run.parts.endpoint.kind == "scripted" and not job.ending and not job.failure:
        server = run.parts.cortex.scripted
        if not server.knows(text):
            raise NoPlan(NO_SCRIPT, remedy=_UNPLANNED)
    unstructured = "structured_output" in str(getattr(job.result, "subtype", ""))
    if outcome.status != "success" and not (unstructured and not job.ending):
        raise NoPlan(
            f"no plan was made: {outcome.reason}", status=outcome.status, remedy=outcome.remedy, text=outcome.text
        )


def _planner(agents: Sequence[Agent], limit: int) -> Agent:
    """The agent that plans: no tools, and an answer in JSON."""
    told = [
        f"- {agent.name}: {' '.join(agent.description.split())[:DESCRIPTION_TOLD]} "
        f"(tools: {', '.join(tool for tool in agent.tools) or 'none'})"
        for agent in agents[:AGENTS_TOLD]
    ]
    return Agent(
        name="planner",
        description="Splits a goal into goals.",
        prompt=_PROMPT.format(limit=limit, agents="\n".join(told)),
        options={"output_format": {"type": "json_schema", "schema": SCHEMA}},
    )


def _answered(job: Job, outcome: Outcome) -> Any:
    """The JSON that the model answered with.

    Raises:
        PlanError: there is none.
    """
    data = getattr(job.result, "structured_output", None)
    if isinstance(data, Mapping):
        return data
    text = outcome.text.strip()
    found = re.search(r"```(?:json)?\s*(\{.*\})\s*```", text, re.DOTALL)
    for candidate in (text, found[1] if found else "", text[text.find("{") : text.rfind("}") + 1]):
        try:
            data = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return data
    shown = " ".join(text.split())[:120]
    raise PlanError(
        f"The answer holds no JSON object{f': {shown}' if shown else ''}.", remedy="Answer by the schema."
    )
