"""LEARNER and MIXED: the agent works on the goal, under a reservation, and leaves a trace."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from llmos_nb.cortex.job import Job, Usage
from llmos_nb.cortex.outcome import Outcome, judge
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Run
from llmos_nb.errors import BudgetExceeded, LlmosError
from llmos_nb.kernel.budget import ModelCall, Reservation, Tokens
from llmos_nb.kernel.events import ModelCalled
from llmos_nb.learning.guidance import guidance
from llmos_nb.learning.record import environment_of, folder_named, input_digests, recorded_steps
from llmos_nb.memory import Trace

__all__ = ["ask_agent"]

UNKNOWN: Final = "the scripted endpoint does not know this goal"


async def ask_agent(run: Run, guide: Trace | None, why: str) -> RunResult:
    """Have the agent work on the goal; ``guide`` is a trace to start from, and ``why`` says why it was not replayed."""
    goal, parts = run.goal, run.parts
    hint = guidance(guide, why, parts.settings.guidance_limit) if guide is not None else ""
    run.start_over()
    try:
        purse = parts.economy.reserve(
            goal.budget_usd, f"{run.mode.capitalize()}: {goal.text}"[:200], run_id=goal.run_id
        )
    except BudgetExceeded as error:
        return run.result("over_budget", error.message, "", remedy=error.remedy)
    with purse:
        run.job = _job(run, hint, purse)
        if run.ending:
            run.job.end(run.ending, run.ending_reason)
        await parts.cortex.run(run.job, goal.agent, parts.settings, model=goal.model)
        _book(run, run.job, purse)
    return _remember(run, run.job, _judged(run, run.job))


def _job(run: Run, hint: str, purse: Reservation) -> Job:
    endpoint = run.parts.endpoint

    def charge(usage: Usage) -> None:
        cost = endpoint.cost_usd(usage.model, usage.counts())
        run.spend(usage, cost)
        tokens = Tokens(usage.input_tokens, usage.output_tokens, usage.cache_read, usage.cache_write)
        purse.charge(ModelCall(model=usage.model, endpoint=endpoint.label, tokens=tokens, cost_usd=cost))
        run.publish(
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
        publish=run.publish,
        charge=charge,
    )


def _book(run: Run, job: Job, purse: Reservation) -> None:
    """Claude's own bill replaces the estimates made while the run went on."""
    billed = getattr(job.result, "total_cost_usd", None)
    if run.parts.endpoint.kind == "claude" and isinstance(billed, int | float):
        purse.adjust(float(billed))
        run.cost_usd = round(float(billed), 9)


def _judged(run: Run, job: Job) -> Outcome:
    """The job's outcome, and what only the scripted endpoint or the budget can add to it."""
    outcome = judge(job)
    if outcome.status == "over_budget" and run.usage:
        spent = "an unknown amount" if run.cost_usd is None else f"${run.cost_usd:g}"
        return replace(
            outcome,
            reason=f"{outcome.reason}: {spent} spent, ${run.goal.budget_usd:g} allowed; a call that has begun is paid",
            remedy="Give this goal more with --budget, or every goal with %budget limits run=….",
        )
    if run.parts.endpoint.kind != "scripted" or outcome.status != "success":
        return outcome
    server = run.parts.cortex.scripted
    if not server.knows(run.goal.text):
        return replace(
            outcome,
            status="failed",
            reason=UNKNOWN,
            remedy="It plays tutorial scripts only, those listed here.",
        )
    if server.gave_up(run.goal.text):
        return replace(outcome, status="failed", reason="the script could not go on")
    return outcome


def _remember(run: Run, job: Job, outcome: Outcome) -> RunResult:
    """Keep the run as a trace, whatever its end; only one that did nothing at all leaves none."""
    trace_id, text = None, outcome.text
    if (job.result is not None or run.bench.calls) and outcome.reason != UNKNOWN:
        trace = _trace(run, outcome)
        try:
            trace_id = run.parts.store.add(trace).id
        except LlmosError as error:  # what was worked out, and paid for, is told all the same
            text = f"{text}\n\n*This run could not be remembered: {error}*".strip()
        if outcome.status == "success" and not trace.replayable:
            run.notice("kept, but it cannot be replayed: nothing it did can be verified later")
    return run.result(outcome.status, outcome.reason, text, trace_id=trace_id, remedy=outcome.remedy)


def _trace(run: Run, outcome: Outcome) -> Trace:
    calls, goal, endpoint = run.bench.calls, run.goal, run.parts.endpoint
    return Trace(
        goal=goal.text,
        steps=recorded_steps(calls),
        status=outcome.status,
        cost_usd=run.cost_usd,
        mode=run.mode,
        agent=goal.agent.name,
        model=next((usage.model for usage in run.usage if usage.model), goal.model or ""),
        endpoint=endpoint.label,
        simulated_cost=endpoint.simulated,
        duration_s=round(time.monotonic() - run.started, 3),
        tokens=run.tokens,
        environment={**environment_of(calls), **folder_named(goal.text, calls, outcome.text, goal.cwd)},
        inputs=input_digests(calls, goal.cwd),
        answer=outcome.text,
        reason="" if outcome.status == "success" else outcome.reason,
    )
