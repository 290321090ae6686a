"""A person's word on a trace: wrong, and out of use at once; or vouched for, and in use again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from llmos_nb.crystals import CrystalShelf
from llmos_nb.errors import CrystalError, TraceFileError, UnknownTrace
from llmos_nb.memory import Trace, TraceStore
from llmos_nb.memory.seal import sealed
from llmos_nb.memory.store import UseRecord

__all__ = ["Consequences", "call_wrong", "vouch"]


@dataclass(frozen=True, slots=True)
class Consequences:
    """What else came from a trace that was called wrong.

    ``guided`` are traces that an agent made with it as guidance; they stay in use, to be looked at. ``crystals`` were
    made of it and are out of use now. ``uses`` is how often it was replayed.
    """

    trace_id: str
    goal: str
    reason: str
    uses: UseRecord
    guided: tuple[str, ...]
    crystals: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.trace_id} is out of use: {self.goal[:100]!r}."]
        if self.uses.uses:
            when = f", last on {self.uses.last_used_at[:10]}" if self.uses.last_used_at else ""
            lines.append(f"It was replayed {_times(self.uses.successes)}{when}: look at what those runs told.")
        if self.guided:
            lines.append(
                f"It guided {', '.join(self.guided)}; what that run did stays in use: look at it with %trace."
            )
        if self.crystals:
            lines.append(
                f"Made of it and out of use now: {', '.join(self.crystals)} (%crystals enable puts one back)."
            )
        if len(lines) == 1:
            lines.append("Nothing else came from it.")
        return "\n".join([*lines, f"%trace trust {self.trace_id} shows it, and how to put it back into use."])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def call_wrong(store: TraceStore, shelf: CrystalShelf, trace_id: str | None, reason: str) -> Consequences:
    """Mark a trace, take crystals made of it out of use, and tell what else came from it.

    Raises:
        UnknownTrace: there is no such trace, or none is named and nothing ran yet.
        StoreError: its file cannot be written.
    """
    if trace_id is None:
        raise UnknownTrace(
            "No goal of this session made or replayed a trace.", remedy="Name the trace; %traces lists them."
        )
    trace = store.get(trace_id)
    told = " ".join(reason.split()) or "no reason given"
    store.replace(dataclasses.replace(trace, wrong=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {told}"))
    crystals = []
    for name in shelf.names():
        try:
            made_of = trace_id in shelf.module(name).facts.traces
        except CrystalError:
            continue
        if made_of:
            shelf.call_wrong(name, f"{trace_id} was called wrong: {told}")
            crystals.append(name)
    return Consequences(trace_id, trace.goal, told, store.uses(trace_id), _guided(store, trace_id), tuple(crystals))


def _guided(store: TraceStore, trace_id: str) -> tuple[str, ...]:
    """Traces that were made with this one as guidance. Only guided runs are looked into."""
    found = []
    for row in store.rows():
        if row["mode"] == "mixed":
            try:
                if trace_id in store.get(row["id"]).guided_by:
                    found.append(str(row["id"]))
            except (UnknownTrace, TraceFileError):
                continue
    return tuple(found)


def vouch(store: TraceStore, trace_id: str, trace: Trace | None = None) -> str:
    """Put a trace into use as its file is now, or as ``trace`` was read from it; says so.

    Raises:
        UnknownTrace: there is no such trace.
        StoreError: its file cannot be written.
    """
    written = store.vouch(sealed(dataclasses.replace(trace or store.get(trace_id), wrong="")))
    return f"{trace_id} is in use, as its file is now: {written.goal[:100]!r}."
