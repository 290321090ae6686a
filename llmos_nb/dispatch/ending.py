"""The end of a run: what it changed is noted, its project knows of it, and everyone is told."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Run
from llmos_nb.dispatch.undo_history import EndedRun, effects_elsewhere
from llmos_nb.errors import LlmosError
from llmos_nb.guard.effects import unwatched
from llmos_nb.kernel.events import RunEnded
from llmos_nb.projects import PastRun

__all__ = ["end_run"]


def end_run(run: Run, result: RunResult) -> RunResult:
    """Note and tell how ``run`` ended; returns the result with what it changed."""
    _note(run, result)
    result = run.ended = _changed(run, result)
    run.publish(
        RunEnded(
            run_id=result.run_id,
            status=result.status,
            mode=result.mode,
            reason=result.reason,
            text=result.text,
            cost_usd=run.cost_usd,  # its own calls: those of a plan's nodes are in runs of their own
            saved_usd=0.0 if result.nodes else result.saved_usd,
            duration_s=result.duration_s,
            trace_id=result.trace_id,
            conversation=run.job.conversation if run.job is not None else "",
        )
    )
    run.parts.bus.flush()
    return result


def _note(run: Run, result: RunResult) -> None:
    """Write the run into its project: a line of history, and the variables it made."""
    project = run.goal.project
    if project is None:
        return
    cost = result.price.split(",")[0]
    past = PastRun(
        f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", result.status, result.mode, cost, result.run_id, result.goal
    )
    done = [call.result for call in run.bench.calls if call.result is not None]
    try:
        with unwatched():  # a cell may wait for this run
            if not run.goal.parent_run_id:  # a plan is one run
                project.note_run(past)
            if not run.goal.sandbox:  # its variables are none of the kernel's
                project.keep_variables(
                    run.bench.namespace.names,
                    {name: None for one in done for name in one.defines},
                    {name: None for one in done for name in one.deletes},
                )
    except LlmosError as error:
        run.notice(f"the project {project.name} could not be written to: {error}")


def _changed(run: Run, result: RunResult) -> RunResult:
    """The result with what the run changed, which can be taken back from now on; a node's is its plan's."""
    goal, workspace = run.goal, run.parts.settings.workspace
    if goal.parent_run_id:
        return result
    try:
        with unwatched():  # a cell may wait for this run
            changes = run.parts.undos.note(
                EndedRun(
                    run_id=goal.run_id,
                    goal=goal.text,
                    cwd=goal.cwd,
                    price=result.price,
                    paid=bool(result.cost_usd),
                    trace_id=result.trace_id,
                    elsewhere=effects_elsewhere(call for bench in run.benches for call in bench.calls),
                    scheduled_by=goal.scheduled_by,
                    project=goal.project,
                ),
                [bench.undo for bench in run.benches],
                run.parts.namespace.names,
                (workspace / "agents", workspace / "memory"),
                run.named_meanwhile(),
            )
    except Exception as error:  # noqa: BLE001 - looking at the user's values must not cost the run its result
        run.notice(f"what this run changed is not known, and cannot be taken back: {type(error).__name__}: {error}")
        return result
    library, text = run.parts.library, result.text
    if result.ok and changes.tables and library is not None and library.path(str(result.trace_id)) is not None:
        text = f"{text} {changes.tables}".strip()  # what a pack recorded speaks of any table, and not of this one
    return dataclasses.replace(result, changes=changes, text=text)
