"""Pairs of goals, one stored and one asked: near misses, which must not be served, and honest paraphrases.

Half of each is for tuning, the other is kept out of it: who works on the matcher does not look at ``held`` rows.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from llmos_nb.memory import Step, Trace, TraceStore

__all__ = ["Judged", "Pair", "judged", "near_misses", "paraphrases"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Pair:
    """A stored goal with the program that answers it, and another goal. ``same``: the program answers that, too."""

    stored: str
    program: str
    asked: str
    kind: str
    same: bool
    split: Literal["tune", "held"]
    #: ``easy`` or ``hard``, for paraphrases.
    level: str = ""
    vocabulary: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair and what the store made of it."""

    pair: Pair
    served: bool
    #: Only of a paraphrase, and only with the recorded program.
    right: bool
    confidence: float
    found: bool
    reason: str


def near_misses() -> tuple[Pair, ...]:
    """Goals that look alike and mean something else."""
    return _read("near_misses.jsonl")


def paraphrases() -> tuple[Pair, ...]:
    """Goals that say the same with the same values."""
    return _read("paraphrases.jsonl")


def _read(name: str) -> tuple[Pair, ...]:
    return tuple(Pair(**json.loads(line)) for line in (_HERE / name).read_text(encoding="utf-8").splitlines())


def judged(pairs: Iterable[Pair], *, vocabulary: bool = True) -> list[Judged]:
    """Each pair on its own: a store with the one trace, asked for the other goal."""
    results = []
    for pair in pairs:
        with tempfile.TemporaryDirectory() as folder, TraceStore(folder) as store:
            store.add(Trace(goal=pair.stored, steps=[Step("run_cell", {"code": pair.program})]))
            match = store.match(pair.asked, vocabulary=pair.vocabulary if vocabulary and pair.vocabulary else None)
        served = match.verdict in ("replay", "rebind")
        same_program = bool(match.steps) and match.steps[0].arguments.get("code") == pair.program  # type: ignore[index]
        right = pair.same and (same_program or not served)
        reason = match.reasons[0] if match.reasons else ""
        results.append(Judged(pair, served, right, match.confidence, match.trace_id is not None, reason))
    return results
