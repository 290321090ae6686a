"""What one run told, in tokens: its outputs, its prose, the values of its goal and the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.learning.prose import Cut, Line, Token, cut, lines_of
from llmos_nb.learning.sources import Place, SlotPart, numeric, read_place, read_slot, slot_texts
from llmos_nb.memory import Trace
from llmos_nb.memory.slots.slot import Slot

__all__ = [
    "Source",
    "Spot",
    "Telling",
    "changed_slots",
    "differs",
    "is_alike",
    "size_of",
    "telling",
    "telling_of",
    "varied",
]

#: Addresses in default reprs differ in every process and say nothing.
_ADDRESS: Final = re.compile(r"(?<= at )0x[0-9a-fA-F]{6,}(?=>|, file )")

#: A token of an output: output, line, token.
Spot = tuple[int, int, int]
Source = Place | SlotPart


@dataclass(frozen=True, slots=True)
class Telling:
    """What a run showed and was asked: outputs in tokens, slots, and the words of its goal outside of them."""

    outputs: tuple[tuple[Line, ...], ...]
    slots: tuple[Slot, ...]
    prose: Cut = Cut((), "")  # noqa: RUF009 - a frozen value
    goal: Cut = Cut((), "")  # noqa: RUF009
    asked: str = ""
    code: tuple[str, ...] = ()

    def at(self, spot: Spot) -> Token:
        """The token at a spot."""
        return self.outputs[spot[0]][spot[1]][spot[2]]

    def read(self, source: Source, base: Telling) -> tuple[str, str, Spot | None] | None:
        """A source's text, the kind of its token, and where it is when it is in an output."""
        if isinstance(source, SlotPart):
            text = read_slot(source, self.slots, base.slots[source.slot])
            return None if text is None else (text, "number" if numeric(text) is not None else "word", None)
        spot = read_place(source, self.outputs, self.slots)
        return None if spot is None else (self.at(spot).text, self.at(spot).kind, spot)


def telling(outputs: Iterable[str], slots: Sequence[Slot]) -> Telling:
    """Outputs and values of a run that has no prose yet."""
    phrases = _phrases(slots)
    return Telling(tuple(lines_of(_ADDRESS.sub("0x", text), phrases) for text in outputs), tuple(slots))


def telling_of(trace: Trace, slots: Sequence[Slot]) -> Telling:
    """What a recorded run told, prose and all."""
    steps = trace.replayable_steps
    made = telling((step.output for step in steps), slots)
    rest = trace.goal
    for slot in sorted(slots, key=lambda slot: -slot.start):
        rest = f"{rest[: slot.start]} \n {rest[slot.end :]}"
    code = tuple(text for step in steps for text in _texts(step.arguments))
    return Telling(made.outputs, made.slots, cut(trace.answer, _phrases(slots)), cut(rest), trace.goal, code)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _phrases(slots: Sequence[Slot]) -> list[str]:
    """Texts of slots that are more than one token."""
    return [text for slot in slots for text in slot_texts(slot).values() if len(cut(text).tokens) != 1]


def size_of(run: Telling) -> int:
    """Tokens of all its outputs."""
    return sum(len(line) for lines in run.outputs for line in lines)


def is_alike(base: Telling, run: Telling) -> bool:
    """The same number of outputs, and the same prose but for words, numbers and dates."""
    ours, theirs = base.prose, run.prose
    return (
        len(base.outputs) == len(run.outputs)
        and [slot.kind for slot in base.slots] == [slot.kind for slot in run.slots]
        and len(ours.tokens) == len(theirs.tokens)
        and ours.tail == theirs.tail
        and all(a.before == b.before for a, b in zip(ours.tokens, theirs.tokens, strict=True))
    )


def differs(run: Telling, other: Telling) -> bool:
    """Whether two runs are two pieces of evidence."""
    return run.outputs != other.outputs or bool(changed_slots(run, other))


def changed_slots(run: Telling, other: Telling) -> list[int]:
    """Indices of the values of the goal that are not the same in two runs."""
    pairs = enumerate(zip(run.slots, other.slots, strict=True))
    return [k for k, (a, b) in pairs if (a.text, a.value, a.unit) != (b.text, b.value, b.unit)]


def varied(slot: int, runs: Sequence[Telling]) -> bool:
    """Whether the runs had different values at ``slot``."""
    return any(slot in changed_slots(runs[0], run) for run in runs[1:])
