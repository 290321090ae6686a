"""A plan that was run, as a trace: the steps of all its nodes in the order in which they were made.

Such a trace is replayed like any other, every step verified, and no model asked. What it cannot hold is text that went
from one node to another: where a step reads an answer of another node, the steps alone would go on with the recorded
words. Then nothing is marked for replay, and the plan is run again instead, each node known on its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

from llmos_nb.dispatch.belonging import PROJECT, conditions
from llmos_nb.dispatch.orchestrator.handoff import HANDED, digest_of
from llmos_nb.dispatch.orchestrator.node_result import NodeResult
from llmos_nb.dispatch.orchestrator.plan import Plan
from llmos_nb.dispatch.recalled import recorded
from llmos_nb.dispatch.run import Run
from llmos_nb.errors import LlmosError
from llmos_nb.learning.needs import needs_of
from llmos_nb.learning.record import edited_by_hand, environment_of, folder_named, input_digests, recorded_steps
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.seal import sealed
from llmos_nb.memory.slots import lift, slots_record
from llmos_nb.tools.cell import mentioned_names
from llmos_nb.tools.workbench import Call

__all__ = ["whole_trace"]


def whole_trace(
    run: Run,
    plan: Plan,
    calls: Sequence[Call],
    results: Mapping[str, NodeResult],
    *,
    status: str,
    reason: str,
    text: str,
    told: Mapping[str, str],
) -> Trace:
    """The trace of a plan's run; ``calls`` are those of all nodes that succeeded, ``told`` marks what answers their
    agents were told in words."""
    goal, endpoint = run.goal, run.parts.endpoint
    ordered = sorted(calls, key=lambda call: call.ended)
    steps = recorded_steps(ordered)
    if _reads_an_answer(plan, ordered) or any(result.kept for result in results.values()):
        steps = tuple(_not_replayed(step) for step in steps)
    lifted = lift(goal.text, run.vocabulary)
    needs = needs_of(ordered, run.names_before)
    environment = {
        **environment_of(ordered),
        **folder_named(goal.text, ordered, text, goal.cwd),
        **conditions(goal.project),
        **({HANDED: digest_of(told)} if told else {}),
    }
    costs = [run.cost_usd, *(result.cost_usd for result in results.values())]
    return sealed(
        Trace(
            goal=goal.text,
            template=lifted.template,
            slots=slots_record(lifted),
            steps=steps,
            status=status,
            cost_usd=None if None in costs else round(sum(cost for cost in costs if cost is not None), 9),
            mode="orchestrator",
            agent=goal.agent.name,
            model=goal.model or "",
            endpoint=endpoint.label,
            simulated_cost=endpoint.simulated,
            duration_s=round(time.monotonic() - run.started, 3),
            tokens=run.tokens,
            environment={**environment, "needs": needs} if needs else environment,
            inputs=input_digests(ordered, goal.cwd),
            answer=text,
            reason="" if status == "success" else reason,
            extra={
                **({PROJECT: goal.project.name} if goal.project is not None else {}),
                **_rested_on(run, ordered, results),
                **edited_by_hand(ordered),
                "plan": plan.as_data(),
            },
        )
    )


def _rested_on(run: Run, calls: Sequence[Call], results: Mapping[str, NodeResult]) -> dict[str, Any]:
    """The remembered facts that the whole rests on: those that the planner was given, and those of every node."""
    kept = recorded(run.injection.known, calls, run.parts.services.facts)
    facts, made = dict(kept.get("recalled", {})), list(kept.get("remembered", []))
    for result in results.values():
        if result.trace_id is None:
            continue
        with contextlib.suppress(LlmosError):  # a trace that is gone by now says nothing
            extra = run.parts.store.get(result.trace_id).extra
            facts |= extra.get("recalled") or {}
            made += [id_ for id_ in extra.get("remembered") or [] if id_ not in made]
    return {**({"recalled": facts} if facts else {}), **({"remembered": made} if made else {})}


def _reads_an_answer(plan: Plan, calls: Sequence[Call]) -> bool:
    names = {node.answer_name for node in plan.nodes}
    return any(
        not names.isdisjoint(mentioned_names(text)) for call in calls for text in map(str, call.arguments.values())
    )


def _not_replayed(step: Step) -> Step:
    return dataclasses.replace(step, expect=dataclasses.replace(step.expect, replay=False))
