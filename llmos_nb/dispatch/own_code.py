"""What a run's code needs to be told to stand on its own: its trace, and where variables that it reads were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from llmos_nb.crystals import CrystalShelf
from llmos_nb.crystals.inlined import inlined
from llmos_nb.errors import LlmosError
from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory.session import read_events

__all__ = ["self_contained", "sources_of", "trace_of_run"]

#: Traces that are looked through for who made a variable, the newest first.
LOOKED_AT: Final = 200


def trace_of_run(which: str, store: TraceStore, shelf: CrystalShelf, log_folder: Path) -> Trace:
    """The trace that a run left, or replayed: then with the steps and values of that very run. ``which`` is the id of a
    run or of a trace. Crystals are said in their own words.

    Raises:
        UnknownTrace, TraceFileError: there is no such run or trace, or its file cannot be read.
    """
    made: list[dict[str, Any]] = []
    begun: dict[str, Any] = {}
    end: dict[str, Any] = {}
    if log_folder.is_dir():
        for event in read_events(log_folder, []):
            if event.get("run_id") != which:
                continue
            if event.get("event") == "RunStarted":
                begun = event
            elif event.get("event") == "ToolStarted" and event.get("replayed"):
                made.append(event)
            elif event.get("event") == "RunEnded":
                end = event
    trace = store.get(str(end.get("trace_id") or which))
    if end.get("status") == "success" and end.get("mode") in ("follower", "crystallized"):
        trace = _as_replayed(trace, {**end, "goal": begun.get("goal")}, made)
    return self_contained(trace, shelf)


def _as_replayed(trace: Trace, end: Mapping[str, Any], made: Sequence[Mapping[str, Any]]) -> Trace:
    """The trace with the values of a run that replayed it; as it is where what the run did is not known."""
    wanted = trace.replayable_steps
    if end["mode"] == "crystallized":
        wanted = wanted[-1:]
    found = made[len(made) - len(wanted) :]  # before them may be those of a crystal that refused
    if not wanted or len(found) < len(wanted):
        return trace
    steps = []
    for step, event in zip(wanted, found, strict=True):
        arguments = event.get("arguments")
        if not isinstance(arguments, Mapping):
            return trace
        steps.append(replace(step, tool=str(event.get("tool")), arguments=arguments))
    return replace(
        trace, goal=str(end.get("goal") or trace.goal), steps=tuple(steps), answer=str(end.get("text") or "")
    )


def self_contained(trace: Trace, shelf: CrystalShelf) -> Trace:
    """The trace with what crystals did in place of the calls of them."""

    def without(step: Step) -> Step:
        code = step.arguments.get("code")
        if not isinstance(code, str) or "llmos_nb.crystals" not in code:
            return step
        return replace(step, arguments={**step.arguments, "code": inlined(code, shelf)})

    return replace(trace, steps=tuple(without(step) for step in trace.steps))


def sources_of(trace: Trace, store: TraceStore) -> dict[str, str]:
    """For each variable that a trace needs, the run before it that made it last, where one did."""
    needs = trace.environment.get("needs")
    wanted = set(map(str, needs)) if isinstance(needs, Mapping) else set()
    found: dict[str, str] = {}
    for row in [row for row in store.rows() if str(row["created_at"]) <= trace.created_at][:LOOKED_AT]:
        if not wanted - set(found) or row["id"] == trace.id:
            continue
        try:
            other = store.get(str(row["id"]))
        except LlmosError:  # a file that cannot be read tells nothing
            continue
        for step in other.steps:
            for name in wanted - set(found):
                if name in step.expect.defines:
                    found[name] = f"made by {other.goal!r} ({other.id})"
    return found
