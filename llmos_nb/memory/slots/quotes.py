"""Text between quotes or back-ticks."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["closing", "opens"]

_CLOSED_BY: Final = {'"': '"', "“": "”", "«": "»", "„": "“”", "‘": "’", "'": "'"}
_TICKS: Final = re.compile(r"`+")
_AFTER_APOSTROPHE: Final = {mark: re.compile(rf"{mark}(?!\w)") for mark in "'’"}
#: Characters between apostrophes that are quotes; more is a text with an apostrophe at its start.
_LONGEST: Final = 5_000
_HIGH_OR_LOW: Final = re.compile(r"[“”]")


def opens(goal: str, start: int) -> bool:
    """Can the mark at ``start`` open a quotation? Not behind a letter, where it is an apostrophe, nor behind a digit,
    where it is a unit; but behind a Python prefix: ``f"…"``.
    """
    mark, before = goal[start], goal[start - 1 : start]
    if mark in "'‘":
        return not (before.isalnum() or before in ("_", "'"))
    return mark != '"' or not before.isdigit()


def closing(goal: str, start: int) -> tuple[int, int] | None:
    """Where the text quoted at ``start`` begins and ends; None where the mark quotes nothing."""
    mark = goal[start]
    if mark == "`":
        ticks = _TICKS.match(goal, start)
        if ticks is None:
            return None
        for other in _TICKS.finditer(goal, ticks.end()):
            if len(other[0]) == len(ticks[0]):
                return ticks.end(), other.start()
        return None
    if not opens(goal, start):
        return None
    if mark in "'‘":
        end = _AFTER_APOSTROPHE[_CLOSED_BY[mark]].search(goal, start + 1, start + _LONGEST)
        return None if end is None else (start + 1, end.start())
    if mark == "„":
        end = _HIGH_OR_LOW.search(goal, start + 1)
        return None if end is None else (start + 1, end.start())
    found = goal.find(_CLOSED_BY[mark], start + 1)
    return None if found < 0 else (start + 1, found)
