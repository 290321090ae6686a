"""Values that several values make: a name of several words, a range. Lists come after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from llmos_nb.memory.slots.atom import NUMERIC, PLAIN, Atom
from llmos_nb.memory.slots.numbers import product

__all__ = ["between", "merged_names", "same_unit", "stands_alone", "together", "with_ranges"]

_IN_NAME: Final = re.compile(r" (?:[A-Z]\. ?)*(?:(?:of|de|del|della|der|di|da|du|la|le|van|von|bin|al|y|the) ){0,2}")
_TO: Final = re.compile(r"\s+(?:to|through|thru|until|till)\s+|\s?(?:–|—|\.\.\.?|…)\s?", re.IGNORECASE)
_AND: Final = re.compile(r"\s+and\s+", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\bbetween\s+\Z", re.IGNORECASE)
_DASHES: Final = ("-", "–")
_TIMES: Final = frozenset({"date", "time", "datetime"})
#: Characters between two values that belong together; more are other words.
_LONGEST_JOINT: Final = 16
#: What touches a value that is part of something longer: 10-2 and 3, 1/2 and 1/3, 2 and 3-qubit.
_GLUE: Final = frozenset("-−–+*/^%|&\\~")
_OPERATOR_BEFORE: Final = re.compile(r"(?:[<>!]=?\s?|\S\s[-−+*/^%|]{1,2}\s)\Z")
_OPERATOR_AFTER: Final = re.compile(r"\s?[<>=]|\s?!=|\s[-−+*/^%|]{1,2}\s")


def between(goal: str, left: Atom, right: Atom) -> str:
    """The text from ``left`` to ``right``, without the quotes around them."""
    return goal[left.whole[1] : right.whole[0]]


def stands_alone(goal: str, first: Atom, last: Atom) -> bool:
    """Is what begins with ``first`` and ends with ``last`` touched by no operator, so that it may be one value?"""
    start, end = first.whole[0], last.whole[1]
    return not (
        goal[start - 1 : start] in _GLUE
        or goal[end : end + 1] in _GLUE
        or _OPERATOR_BEFORE.search(goal[max(0, start - 5) : start])
        or _OPERATOR_AFTER.match(goal, end)
    )


def together(kind: str, items: Sequence[Atom], unit: str) -> Atom:
    """One value of several."""
    first, last = items[0], items[-1]
    return Atom((kind,), first.whole[0], last.whole[1], tuple(item.value for item in items), unit, items=list(items))


def merged_names(goal: str, atoms: list[Atom]) -> list[Atom]:
    """``atoms`` with names that follow each other made one: "Barbra Meek", "John F. Kennedy", "University of Oslo"."""
    joined: list[Atom] = []
    for atom in atoms:
        last = joined[-1] if joined else None
        if last and _is_name(last) and _is_name(atom) and _IN_NAME.fullmatch(goal, last.end, atom.start):
            last.end = atom.end
        else:
            joined.append(atom)
    for atom in joined:
        if _is_name(atom):
            atom.value = goal[atom.start : atom.end]
    return joined


def _is_name(atom: Atom) -> bool:
    return atom.kind == "name" and not atom.known


def with_ranges(goal: str, atoms: list[Atom]) -> list[Atom]:
    """``atoms`` with two numbers or dates from and to made one: "3 to 5 cm", "3-5", "between 3 and 5"."""
    result: list[Atom] = []
    for atom in atoms:
        ends = _ends(goal, result[-1], atom) if result and result[-1].kind != "range" else None
        if ends is None:
            result.append(atom)
        else:
            result[-1] = together("range", ends, ends[0].unit)
    return result


def _ends(goal: str, left: Atom, right: Atom) -> list[Atom] | None:
    """Both ends of the range from ``left`` to ``right``, in one unit; None where it is none."""
    joint = between(goal, left, right)
    if len(joint) > _LONGEST_JOINT or left.outer or right.outer or not stands_alone(goal, left, right):
        return None
    if not ({left.generic, right.generic} <= NUMERIC or left.generic == right.generic in _TIMES):
        return None
    if joint in _DASHES:
        # A dash makes a range of two ascending numbers: 10-2 is a subtraction.
        ends = same_unit([left, right], money_first=True)
        return ends if ends is not None and _ascending(*ends) else None
    if _TO.fullmatch(joint) or (
        _AND.fullmatch(joint) and _BETWEEN.search(goal[max(0, left.start - 12) : left.start])
    ):
        return same_unit([left, right], money_first=True)
    return None


def _ascending(low: Atom, high: Atom) -> bool:
    if isinstance(low.value, int | Decimal) and isinstance(high.value, int | Decimal):
        return low.value < high.value
    return low.generic in _TIMES


def same_unit(items: list[Atom], *, money_first: bool = False) -> list[Atom] | None:
    """``items`` in one unit; None where they have different ones.

    The unit of the last is meant for bare numbers before it: "3 to 5 cm" has two lengths. So is the currency before the
    first, with ``money_first``: "$5-10". But whether 3 in "3 to 5 million" is a million too, nobody can tell.
    """
    if not any(item.generic in NUMERIC for item in items):
        return items
    if len({item.scaled for item in items}) > 1:
        return None
    units, kinds = {item.unit for item in items}, {item.generic for item in items}
    if len(units) == 1 and (len(kinds) == 1 or kinds <= PLAIN):
        return items
    giver = items[0] if money_first and items[0].kind == "money" else items[-1]
    if giver.kind not in ("percent", "quantity", "money"):
        return None
    given = [_given(item, giver) for item in items]
    whole = [item for item in given if item is not None]
    return whole if len(whole) == len(given) else None


def _given(item: Atom, giver: Atom) -> Atom | None:
    """``item`` with the unit of ``giver``; None where it has one of its own."""
    if item.unit == giver.unit and item.kind == giver.kind:
        return item
    if item.generic not in PLAIN or not isinstance(item.value, int | Decimal):
        return None
    value = product(item.value, giver.factor) if giver.kind == "quantity" else item.value
    return replace(item, kinds=giver.kinds, value=value, unit=giver.unit, factor=giver.factor, known=())
