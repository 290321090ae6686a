"""LEARNER and MIXED: the agent works on the goal, under a reservation, and leaves a trace."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from llmos_nb.cortex.job import Job, Usage
from llmos_nb.cortex.outcome import Outcome, judge
from llmos_nb.dispatch.belonging import PROJECT, conditions
from llmos_nb.dispatch.let_in import let_in, tainted_by
from llmos_nb.dispatch.orchestrator.handoff import HANDED
from llmos_nb.dispatch.recalled import recorded
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Run
from llmos_nb.dispatch.seen import seen
from llmos_nb.errors import BudgetExceeded, LlmosError
from llmos_nb.kernel.budget import ModelCall, Reservation, Tokens
from llmos_nb.kernel.events import ModelCalled
from llmos_nb.kernel.secrets import redacted
from llmos_nb.learning.guidance import Guide, guidance
from llmos_nb.learning.needs import needs_of
from llmos_nb.learning.prove import declared, proved
from llmos_nb.learning.record import edited_by_hand, environment_of, folder_named, input_digests, recorded_steps
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.seal import sealed
from llmos_nb.memory.slots import lift, slots_record
from llmos_nb.mind.delegates import DELEGATE
from llmos_nb.tools.summary import namespace_summary

__all__ = ["UNKNOWN", "ask_agent", "job_of"]

IN_CONTEXT: Final = "it went on with an earlier conversation, so it is kept for study and not replayed"
WITH_SECRET: Final = (
    "code or a command held what looks like a key, token or password. It was kept out of the trace, which therefore cannot "
    "be replayed: put it into an environment variable, and let the code read it from there (os.environ['NAME'])"
)
#: The key of a trace that says by which fence its tools were kept in.
SANDBOX: Final = "sandbox"
UNKNOWN: Final = "the scripted endpoint does not know this goal"


async def ask_agent(run: Run, guides: Sequence[Guide], why: str) -> RunResult:
    """Have the agent work on the goal; ``guides`` are traces to start from, and ``why`` says why none was replayed."""
    goal, parts = run.goal, run.parts
    limit = parts.settings.guidance_limit
    hint = guidance(guides, why, limit) if guides else ""
    project = goal.project.told(limit) if goal.project is not None else ""
    run.start_over()
    run.injection = await asyncio.to_thread(parts.recalled, goal.text, goal.project)
    let_in(run, guides)
    summary = namespace_summary(_there_before(run), goal.text, parts.settings.namespace_summary)
    run.seen = seen(
        goal.text,
        goal.agent,
        team=goal.team,
        crystals=parts.crystals,
        namespace=summary,
        project=project,
        guidance=hint,
        guides=[guide.trace.id for guide in guides],
        briefing=goal.briefing,
        injection=run.injection,
        endpoint_kind=parts.endpoint.kind,
    )
    try:
        purse = run.reserve(f"{run.mode.capitalize()}: {goal.text}"[:200])
    except BudgetExceeded as error:
        return run.result("over_budget", error.message, "", remedy=error.remedy)
    with purse:
        run.job = job_of(run, purse, hint="\n\n".join(filter(None, (goal.briefing, project, hint))))
        run.job.namespace = summary.text
        if summary.told:
            run.job.namespace_told = f"described {len(summary.told)} of your variables to the agent (no values)"
        if run.ending:
            run.job.end(run.ending, run.ending_reason)
        try:
            await parts.cortex.run(run.job, goal.agent, parts.settings, model=goal.model, team=goal.team)
        except asyncio.CancelledError:  # a person interrupted the cell: what was done is kept, as after any stop
            outcome = _clean(run, run.job)
            _remember(run, run.job, outcome, _trace(run, outcome, guides))
            raise
        finally:
            _book(run, run.job, purse)
    outcome = _clean(run, run.job)
    trace = _trace(run, outcome, guides)
    try:
        return _remember(run, run.job, outcome, await _proved(run, trace))
    except asyncio.CancelledError:
        _remember(run, run.job, outcome, trace)
        raise


def _there_before(run: Run) -> dict[str, Any]:
    """The variables without those that others made since the run began: a plan's nodes work side by side, and what one
    of them is told must not hang on how fast another is."""
    if run.bench.sandbox is not None:
        return run.bench.sandbox.given
    names = dict(run.parts.namespace.names)
    return {name: value for name, value in names.items() if name in run.names_before or name == "In"}


def job_of(run: Run, purse: Reservation, *, hint: str = "", text: str = "", agent: str = "") -> Job:
    """The job of a run's agent, whose calls are charged to ``purse``; with ``text`` one of another agent's."""
    endpoint = run.parts.endpoint

    def call(usage: Usage, cost: float | None) -> ModelCall:
        tokens = Tokens(usage.input_tokens, usage.output_tokens, usage.cache_read, usage.cache_write)
        who = usage.agent or agent or run.goal.agent.name
        told = usage.note or (usage.absurd and f"{usage.absurd} were told, which cannot be")
        return ModelCall(
            model=usage.model,
            endpoint=endpoint.label,
            tokens=tokens,
            cost_usd=cost,
            agent=who,
            slot=usage.slot,
            description=f"{purse.description} ({told})" if told else "",
        )

    def begin(usage: Usage) -> None:
        purse.begin(call(usage, endpoint.cost_usd(usage.model, usage.counts()) if usage.model else None))

    def charge(usage: Usage) -> None:
        cost = None if usage.absurd else endpoint.cost_usd(usage.model, usage.counts())
        run.spend(usage, cost)
        purse.charge(call(usage, cost))
        who = usage.agent or agent or run.goal.agent.name
        run.publish(
            ModelCalled(
                run_id=run.goal.run_id,
                model=usage.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read,
                cache_write_tokens=usage.cache_write,
                cost_usd=cost,
                agent=who,
            )
        )

    return Job(
        run_id=run.goal.run_id,
        goal=text or run.goal.text,
        agent=agent or run.goal.agent.name,
        guidance=redacted(hint),
        resume=run.goal.conversation,
        memory=redacted(run.injection.text),
        memory_injected=run.injection.event(run.goal.run_id, run.parts.settings.memory_limit),
        endpoint=endpoint,
        workbench=run.bench,
        bill=purse,
        publish=run.publish,
        charge=charge,
        begin=begin,
    )


def _book(run: Run, job: Job, purse: Reservation) -> None:
    """Claude's own bill replaces the estimates made while the run went on."""
    billed = getattr(job.result, "total_cost_usd", None)
    if run.parts.endpoint.kind == "claude" and isinstance(billed, int | float) and 0 <= billed < math.inf:
        purse.adjust(float(billed))
        run.cost_usd = round(float(billed), 9)


def _clean(run: Run, job: Job) -> Outcome:
    """The job's outcome, without anything secret that was said."""
    outcome = _judged(run, job)
    return replace(outcome, text=run.bench.tainting.text(redacted(outcome.text)), reason=redacted(outcome.reason))


def _judged(run: Run, job: Job) -> Outcome:
    """The job's outcome, and what only the scripted endpoint or the budget can add to it."""
    outcome = judge(job)
    if outcome.status == "over_budget" and run.usage:
        spent = "an unknown amount" if run.cost_usd is None else f"${run.cost_usd:g}"
        return replace(
            outcome,
            reason=f"{outcome.reason}: {spent} spent, ${run.goal.budget_usd:g} allowed; a call that has begun is paid",
            remedy=run.goal.more,
        )
    if run.parts.endpoint.kind != "scripted" or outcome.status != "success":
        return outcome
    server = run.parts.cortex.scripted
    if not server.knows(run.goal.text, run.goal.agent.name, run.goal.agent.prompt):
        return replace(
            outcome,
            status="failed",
            reason=UNKNOWN,
            remedy="It plays tutorial scripts only, those listed here.",
        )
    if server.gave_up(run.goal.text):
        return replace(outcome, status="failed", reason="the script could not go on")
    for call in run.bench.calls:
        asked = str(call.arguments.get("prompt", "")).strip()
        if call.tool == DELEGATE and call.result is not None and (not server.knows(asked) or server.gave_up(asked)):
            who = call.arguments.get("subagent_type")
            return replace(
                outcome, status="failed", reason=f"no script goes on with what {who} was asked: {asked[:200]}"
            )
    return outcome


async def _proved(run: Run, trace: Trace) -> Trace:
    """The trace with the parameters that the agent declared proved, where they can be."""
    if not trace.replayable or not declared(trace) or run.goal.sandbox:
        return trace
    run.notice("making the steps again in a process of their own, to prove the declared parameters")
    given_up = threading.Event()
    try:
        trace, why_not = await asyncio.to_thread(
            proved, trace, run.goal.cwd, stopped=lambda: bool(run.ending) or given_up.is_set()
        )
    finally:
        given_up.set()
    if why_not:
        run.notice(f"the declared parameters are not proved: {why_not}")
    return trace


def _remember(run: Run, job: Job, outcome: Outcome, trace: Trace) -> RunResult:
    """Keep the run as a trace, whatever its end; only one that did nothing at all leaves none."""
    trace_id, text = None, outcome.text
    if (job.result is not None or run.bench.calls) and outcome.reason != UNKNOWN:
        try:
            trace_id = run.trace_id = run.parts.store.add(trace).id
        except LlmosError as error:  # what was worked out, and paid for, is told all the same
            text = f"{text}\n\n*This run could not be remembered: {error}*".strip()
        if any(call.withheld for call in run.bench.calls):
            run.notices.append(WITH_SECRET)
            run.notice(WITH_SECRET)
        elif outcome.status == "success" and not trace.replayable and not run.goal.resumes:
            run.notice("kept, but it cannot be replayed: nothing it did can be verified later")
    reason = f"{outcome.reason}; {IN_CONTEXT}" if run.goal.resumes and outcome.status == "success" else outcome.reason
    return run.result(outcome.status, reason, text, trace_id=trace_id, remedy=outcome.remedy)


def _trace(run: Run, outcome: Outcome, guides: Sequence[Guide]) -> Trace:
    calls, goal, endpoint = run.bench.calls, run.goal, run.parts.endpoint
    lifted = lift(goal.text, run.vocabulary)
    environment = {
        **environment_of(calls),
        **folder_named(goal.text, calls, outcome.text, goal.cwd),
        **conditions(goal.project),
        **({HANDED: goal.handed} if goal.handed else {}),
    }
    needs = needs_of(calls, run.names_before)
    trace = Trace(
        goal=goal.text,
        template=lifted.template,
        slots=slots_record(lifted),
        guided_by=tuple(guide.trace.id for guide in guides),
        steps=_steps(run),
        status=outcome.status,
        cost_usd=run.cost_usd,
        mode=run.mode,
        agent=goal.agent.name,
        model=next((usage.model for usage in run.usage if usage.model), goal.model or ""),
        endpoint=endpoint.label,
        simulated_cost=endpoint.simulated,
        duration_s=round(time.monotonic() - run.started, 3),
        tokens=run.tokens,
        environment={**environment, "needs": needs} if needs else environment,
        inputs=input_digests(calls, goal.cwd),
        answer=outcome.text,
        reason=_kept_because(run, outcome),
        extra={
            **({PROJECT: goal.project.name} if goal.project is not None else {}),
            **recorded(run.injection.known, calls, run.services.facts),
            **({"resumes": goal.resumes} if goal.resumes else {}),
            **edited_by_hand(calls),
            **({SANDBOX: run.bench.sandbox.fence.name} if run.bench.sandbox is not None else {}),
            **tainted_by(run),
        },
    )
    return sealed(trace)


def _kept_because(run: Run, outcome: Outcome) -> str:
    """Why a run that went well is kept for study alone; of others, how they ended."""
    if outcome.status != "success":
        return outcome.reason
    if run.goal.resumes:
        return IN_CONTEXT
    return WITH_SECRET if any(call.withheld for call in run.bench.calls) else ""


def _steps(run: Run) -> tuple[Step, ...]:
    """The steps; for study alone where the agent knew an earlier conversation: they may rest on what was said there."""
    steps = recorded_steps(run.bench.calls)
    if not run.goal.resumes:
        return steps
    return tuple(replace(step, expect=replace(step.expect, replay=False)) for step in steps)
