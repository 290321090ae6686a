"""Several values of one kind joined by commas, "and", "or" or "&": a list."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from llmos_nb.memory.slots.atom import AMOUNTS, NUMERIC, Atom
from llmos_nb.memory.slots.compose import between, same_unit, stands_alone, together

__all__ = ["with_lists"]

#: What joins the items of a list.
_JOIN: Final = re.compile(
    r"\s*,\s*(?:(?P<last>and|or)\s+)?|\s+(?P<word>and|or)\s+|\s*(?P<sign>&)\s*",
    re.IGNORECASE,
)
#: Longer texts between values are words, or an unlikely amount of space.
_LONGEST_JOINT: Final = 16
#: Kinds that make no list by standing next to each other: "Boston, Massachusetts" is one place.
_ALONE: Final = frozenset({"name", "range"})
_MOMENTS: Final = frozenset({"date", "time", "datetime"})
_BRACKETS: Final = frozenset({"()", "[]", "{}"})


def with_lists(goal: str, atoms: list[Atom]) -> list[Atom]:
    """``atoms`` with the items of each list made one."""
    result: list[Atom] = []
    index = 0
    while index < len(atoms):
        found = _list_at(goal, atoms, index)
        result.append(found or atoms[index])
        index += len(found.items) if found else 1
    return result


def _list_at(goal: str, atoms: list[Atom], index: int) -> Atom | None:
    """The longest list that begins with the atom at ``index``."""
    items = [atoms[index]]
    # For each number of items: the kinds they share, and the word that joins them.
    shared, words = [_kinds(items[0])], [""]
    for place in range(index + 1, len(atoms)):
        last, atom = items[-1], atoms[place]
        if atom.whole[0] - last.whole[1] > _LONGEST_JOINT or (last.unit and last.unit != atom.unit):
            break
        match = _JOIN.fullmatch(between(goal, last, atom))
        kinds = _common(shared[-1], _kinds(atom))
        if match is None or not kinds:
            break
        said = (match["last"] or match["word"] or match["sign"] or "").lower().replace("&", "and")
        if words[-1] and said != words[-1]:
            break  # an "and" comes before the last item, or before each
        items.append(atom)
        shared.append(kinds)
        words.append(said or words[-1])
    while len(items) > 1 and stands_alone(goal, items[0], items[0]):
        same = same_unit(items)
        enough = words[-1] or _commas_suffice(goal, items)
        if same is not None and enough and stands_alone(goal, items[0], items[-1]):
            unit = f"or {same[0].unit}".strip() if words[-1] == "or" else same[0].unit
            return together("list", [_narrowed(item, shared[-1]) for item in same], unit)
        items, shared, words = items[:-1], shared[:-1], words[:-1]
    return None


def _kinds(atom: Atom) -> tuple[str, ...]:
    return tuple(kind for kind in atom.kinds if kind not in _ALONE or kind in atom.known)


def _common(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of both. Numbers of any kind may stand together until their units are compared."""
    both = tuple(kind for kind in left if kind in right)
    if both or not left or not right:
        return both
    return left if left[-1] in AMOUNTS and right[-1] in AMOUNTS else ()


def _narrowed(item: Atom, kinds: tuple[str, ...]) -> Atom:
    """``item`` with the kinds that the whole list shares before its others."""
    first = tuple(kind for kind in kinds if kind in item.kinds)
    if not first or first[0] == item.kind:
        return item
    return replace(item, kinds=(*first, *(kind for kind in item.kinds if kind not in first)))


def _commas_suffice(goal: str, items: list[Atom]) -> bool:
    """Without an "and", two numbers are a list only in brackets: "in 2024, 5 files" has none."""
    start, end = items[0].whole[0], items[-1].whole[1]
    if goal[start - 1 : start] + goal[end : end + 1] in _BRACKETS:
        return True
    return len(items) > 2 or not any(item.generic in NUMERIC or item.generic in _MOMENTS for item in items)
