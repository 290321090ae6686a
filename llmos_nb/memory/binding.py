"""A goal's values put into the program of a recorded goal, or why that cannot be done."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.memory.match import Verdict
from llmos_nb.memory.programs import Bound, Example, Generalization, generalize
from llmos_nb.memory.reading import Comparison, slot_order
from llmos_nb.memory.slots import KINDS, Slot
from llmos_nb.memory.task import Asked, Known, Memo
from llmos_nb.memory.trace import Step

__all__ = ["Served", "bound_to", "same_values"]

#: Runs of one program that are generalized together.
_EXAMPLES: Final = 12
_WORDS: Final = re.compile(r"[^\W\d_]+")
_SAID: Final = {
    "template": "the same wording",
    "words": "the same words",
    "meaning": "the same task in other words",
    "likely": "most likely the same task",
}


@dataclass(frozen=True, slots=True)
class Served:
    """What a claim comes to: steps to run, or why there are none."""

    verdict: Verdict
    reason: str
    steps: tuple[Step, ...] | None = None
    bindings: dict[str, Any] = dataclasses.field(default_factory=dict)
    generalization: Generalization | None = None
    slots: tuple[Slot, ...] = ()

    @property
    def arguments(self) -> list[tuple[str, Any]]:
        """What would be done, to compare with what another program would do."""
        return _done(self.steps or ())


def same_values(a: Slot, b: Slot) -> bool:
    """Whether two slots mean the same value: 30 cm is 0.3 m, ``three`` is 3, ``a`` is not ``A``, and version 3.10 is not
    3.1: a decimal whose spelling has other zeros at its end may be no number."""
    if a.kind == b.kind == "decimal" and not a.unit and a.text != b.text and a.text.rstrip("0") == b.text.rstrip("0"):
        return False
    return a.value == b.value and a.unit == b.unit


def bound_to(
    asked: Asked,
    one: Known,
    comparison: Comparison,
    known: Sequence[Known],
    memo: Memo,
    constants: frozenset[str] = frozenset(),
) -> Served:
    """The steps of ``one`` for the values of ``asked``; other runs among ``known`` show where the values go."""
    order = slot_order(asked.reading, one.reading, comparison.tier, constants)
    if order is None:
        return Served("guide", "it is not clear which value plays which part")
    other = _respelled(asked, one)
    if other:
        return Served("guide", f"it has other capitals in what looks like a value: {other[0]} is {other[1]} there")
    slots = tuple(asked.lifted.slots[j] for j in order)
    said = _SAID[comparison.tier]
    if all(same_values(a, b) for a, b in zip(slots, one.lifted.slots, strict=True)):
        return Served("replay", f"{said} with the same values", one.trace.replayable_steps, slots=slots)
    for new, old in zip(slots, one.lifted.slots, strict=True):
        if new.value == old.value and new.unit == old.unit and not same_values(new, old):
            return Served("guide", f"{new.text} may be another thing than {old.text}: a version, say", slots=slots)
    family = [other for other in known if other.shape == one.shape or other.reading.masked == one.reading.masked]
    family.sort(key=lambda other: (other.program != one.program, other.shape != one.shape))
    if one not in family[:_EXAMPLES]:
        family.insert(0, one)
    family = family[:_EXAMPLES]
    found = memo.kept(
        "generalized", family, lambda: generalize([Example(o.trace, o.lifted.slots, o.parsed) for o in family])
    )
    if any(place >= 0 for place in one.reading.listed) and not _same_places(found, family):
        return Served("guide", "recorded runs take the values of such a list in different orders", slots=slots)
    bound = found.bind(one.trace.id, slots)
    if not isinstance(bound, Bound):
        return Served("guide", bound.reason, generalization=found, slots=slots)
    if len(found.families) > 1 and _put_elsewhere(found, bound, asked, one, comparison, family, constants):
        return Served("guide", "recorded runs put such values in different places", slots=slots)
    values = ", ".join(f"{name} = {value!r}" for name, value in bound.bindings.items())
    reason = f"{said} with other values: {values}"
    return Served("rebind", reason, bound.steps, dict(bound.bindings), found, slots)


def _put_elsewhere(
    found: Generalization,
    bound: Bound,
    asked: Asked,
    one: Known,
    comparison: Comparison,
    family: Sequence[Known],
    constants: frozenset[str],
) -> bool:
    """Whether runs of the same shape that do not agree with ``one`` would put the goal's values in other places."""
    agreed = set(found.members(one.trace.id))
    for other in family:
        if other.trace.id in agreed or other.shape != one.shape or other.reading.signature != one.reading.signature:
            continue
        agreed.update(found.members(other.trace.id))
        order = slot_order(asked.reading, other.reading, comparison.tier, constants)
        if order is None:
            continue
        made = found.bind(other.trace.id, tuple(asked.lifted.slots[j] for j in order))
        if isinstance(made, Bound) and _exchanged(asked, made.steps, bound.steps):
            return True
    return False


def _exchanged(asked: Asked, steps: Sequence[Step], others: Sequence[Step]) -> bool:
    """Whether the steps have the same values of the goal as the others, in another order."""
    texts = {item.text.casefold() for slot in asked.lifted.slots for item in (slot.items or (slot,))}
    if len(texts) < 2:
        return False
    values = re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))))
    ours, theirs = (values.findall(str(_done(made)).casefold()) for made in (steps, others))
    return ours != theirs and sorted(ours) == sorted(theirs)


def _done(steps: Sequence[Step]) -> list[tuple[str, Any]]:
    return [(step.tool, dict(step.arguments)) for step in steps]


def _respelled(asked: Asked, one: Known) -> tuple[str, str] | None:
    """A word of the goal that differs in its capitals alone from one that is a value to the program.

    What a vocabulary knows it knows by its own spelling; what the recorded goal spells the same way is no value.
    """
    if not one.spelled:
        return None
    folded, recorded = _folded(one.spelled), _words(one.trace.goal)
    sure = [
        (slot.start, slot.end)
        for slot in asked.lifted.slots
        if any(kind not in KINDS and kind != "literal" for kind in slot.kinds)
    ]
    for number, found in enumerate(_WORDS.finditer(asked.goal)):
        word = found[0]
        value = folded.get(word.casefold())
        if value is None or word in one.spelled or word in recorded:
            continue
        if number == 0 and word[1:] == value[1:]:
            continue  # where a sentence begins
        if not any(start <= found.start() < end for start, end in sure):
            return word, value
    return None


@functools.lru_cache(maxsize=1024)
def _folded(spelled: frozenset[str]) -> dict[str, str]:
    """Words by how they are written without capitals."""
    return {word.casefold(): word for word in sorted(spelled)}


@functools.lru_cache(maxsize=1024)
def _words(goal: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(goal))


def _same_places(generalization: Generalization, family: Sequence[Known]) -> bool:
    """Whether the first value of an enumeration is the same parameter in every recorded run, and so on."""
    seen: dict[tuple[str, int], set[int | None]] = {}
    for one in family:
        for slot, parameter in enumerate(generalization.order(one.trace.id)):
            if one.reading.listed[slot] >= 0:
                seen.setdefault((one.reading.classes[slot], one.reading.listed[slot]), set()).add(parameter)
    return all(len(parameters) == 1 for parameters in seen.values())
