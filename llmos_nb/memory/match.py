"""The answer to "have we done this before?", as a value with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmos_nb.memory.trace import Step, Trace

__all__ = ["Candidate", "Match", "Verdict", "in_order"]

Verdict = Literal["replay", "rebind", "guide", "none"]


@dataclass(frozen=True, slots=True)
class Match:
    """Which trace fits a goal, how surely, and what may be done with it."""

    verdict: Verdict
    #: Among matches given this number, at least that share is right. 1.0: the same goal with the same values.
    confidence: float
    trace_id: str | None
    #: Slot name to the value it gets; empty where the goal's values are the recorded ones.
    bindings: Mapping[str, Any] = field(default_factory=dict)
    #: The steps, bound and ready to replay; None for ``guide`` and ``none``.
    steps: tuple[Step, ...] | None = None
    #: Why, in words for a person.
    reasons: tuple[str, ...] = ()
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the index knows of one trace that has the goal's key."""

    path: str
    id: str
    digest: str
    status: str
    replayable: bool
    agent: str
    created_at: str
    #: When the file was written: several traces can be of one second.
    mtime_ns: int
    uses: int
    failures: int


def in_order(candidates: Iterable[Candidate], agent: str | None) -> tuple[list[Candidate], list[str]]:
    """The candidates that may be replayed, best first, and why others may not.

    Fewer failures in use come first; among equals the newest, since it knows the world best.
    """
    found = list(candidates)
    usable = [c for c in found if c.replayable and (agent is None or c.agent == agent)]
    reasons = []
    ended = [c for c in found if c.status != "success"]
    if ended:
        states = ", ".join(sorted({c.status for c in ended}))
        reasons.append(f"{_count(len(ended))} of this goal ended in {states}, and only success is replayed")
    idle = sum(c.status == "success" and not c.replayable for c in found)
    if idle:
        reasons.append(f"{_count(idle)} of this goal has no step to replay")
    others = sorted({c.agent or "no agent" for c in found if c.replayable and agent is not None and c.agent != agent})
    if others:
        reasons.append(f"other traces of this goal are by {', '.join(others)}, not {agent}")
    usable.sort(key=lambda c: (c.created_at, c.mtime_ns, c.id), reverse=True)
    usable.sort(key=lambda c: c.failures)
    return usable, reasons


def _count(number: int) -> str:
    return "1 trace" if number == 1 else f"{number} traces"
