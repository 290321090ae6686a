"""FOLLOWER: a trace's steps run again, verified, without a model."""

from __future__ import annotations

from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Run
from llmos_nb.errors import LlmosError
from llmos_nb.learning.replay import replay
from llmos_nb.memory import Match, Trace

__all__ = ["follow"]


async def follow(run: Run, match: Match) -> tuple[RunResult | None, str]:
    """Replay the trace that ``match`` found; returns the result, or None and why the replay was refused."""
    assert match.trace is not None and match.trace_id is not None and match.steps is not None
    replayed = await replay(match.trace, match.steps, run.bench)
    why = replayed.surprise
    if replayed.not_restored:
        why += f" (could not be put back: {'; '.join(replayed.not_restored)})"
        run.notice(why)
    if replayed.stopped or (why and run.ending):
        stopped = run.result(run.ending or "stopped", run.ending_reason or why, "", trace_id=match.trace_id)
        return stopped, ""
    saved = _count(run, match.trace, success=not why)
    if why:
        return None, why
    result = run.result(
        "success",
        run.mode_reason,
        replayed.answer,
        saved_usd=saved,
        trace_id=match.trace_id,
        stale=replayed.stale,
    )
    return result, ""


def _count(run: Run, trace: Trace, *, success: bool) -> float:
    """Note one use of a trace; returns what it saved, in US dollars. A replay does not fail for its bookkeeping."""
    saved = trace.cost_usd or 0.0
    if not success or trace.simulated_cost != run.parts.endpoint.simulated:
        saved = 0.0
    try:
        run.parts.store.record_use(trace.id, success=success)
        if saved > 0:
            with run.parts.economy.reserve(0.0, "Replay", run_id=run.goal.run_id) as purse:
                purse.settle(saved, f"Replay: {run.goal.text}"[:200])
    except LlmosError as error:
        run.notice(f"this use was not counted: {error}")
        return 0.0
    return saved
