"""What recorded programs tell about values: the names under which they use them.

A program that says ``WHERE semester = "Fall"`` tells that ``Fall`` is a semester. So no goal's ``Fall`` stands for what
another program compares with ``department``, though nobody gave a vocabulary. Names that share a value (``origin`` and
``destination``) have values of one kind, and a name that was seen with few values tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from llmos_nb.memory.programs import Program
from llmos_nb.memory.slots import Slot

__all__ = ["columns_of", "told_apart", "used_as"]

_EDGES: Final = re.compile(r"^[\W_]+|[\W_]+$")
#: Different values under a name from which it is known what kind of value stands there.
_ENOUGH: Final = 3
#: Share of the values under one name that also occur under another if the two have values of one kind.
_SHARED: Final = 0.2

#: For each text in a program the names it is used under.
Used = Mapping[str, frozenset[str]]


def used_as(program: Program) -> dict[str, frozenset[str]]:
    """For each text in a program (in lower case, without the punctuation around it) the names it is used under."""
    found: dict[str, set[str]] = {}
    for place in program.places:
        if not place.hint:
            continue
        items = place.value if isinstance(place.value, tuple) else (place.value,)
        for item in items:
            if isinstance(item, str):
                found.setdefault(_EDGES.sub("", item).casefold(), set()).add(place.hint.removesuffix(" ="))
    return {text: frozenset(names) for text, names in found.items() if text}


def columns_of(slots: Sequence[Slot], used: Used) -> tuple[frozenset[str], ...]:
    """For each slot of a goal the names under which its value is used; empty where that is not known."""
    return tuple(used.get(_text(slot), frozenset()) for slot in slots)


def told_apart(programs: Iterable[Used]) -> dict[str, frozenset[str]]:
    """For each text in recorded programs the names under which it may be used, where that is known."""
    values: dict[str, set[str]] = {}
    texts: dict[str, set[str]] = {}
    for used in programs:
        for text, names in used.items():
            texts.setdefault(text, set()).update(names)
            for name in names:
                values.setdefault(name, set()).add(text)
    few = frozenset(name for name, found in values.items() if len(found) < _ENOUGH)
    kept: dict[frozenset[str], frozenset[str]] = {}
    told: dict[str, frozenset[str]] = {}
    for text, under in texts.items():
        own = frozenset(under)
        if not own & few:
            told[text] = kept[own] if own in kept else kept.setdefault(own, _with_others(own, values) | few)
    return told


def _with_others(names: frozenset[str], values: Mapping[str, set[str]]) -> frozenset[str]:
    """``names`` with all that share values with them, and so on."""
    found: set[str] = set(names)
    new = found
    while new:
        new = {
            name
            for name, theirs in values.items()
            if name not in found and any(_shared(values[other], theirs) for other in new)
        }
        found = found | new
    return frozenset(found)


def _shared(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= _SHARED * min(len(one), len(other))


def _text(slot: Slot) -> str:
    return slot.value.casefold() if isinstance(slot.value, str) and not slot.value.isdecimal() else ""
