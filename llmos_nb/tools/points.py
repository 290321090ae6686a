"""Numbers with a point that may part thousands: 1.500 is one and a half here, fifteen hundred there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["either_number", "either_told", "plainly_pointed"]

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^'\s]*'|`[^`]*`")
#: Points before a comma part thousands, and what a comma parts from less or more than three digits are decimals, where a
#: number is compared: ``above 1000,50``. "3,5" alone may be two numbers.
_COMMA: Final = re.compile(
    r"(?<![\w.,/\\])(?P<thousands>[1-9]\d{0,2}(?:\.\d{3})+),(?P<rest>\d+)(?![\w,]|\.\d)"
    r"|(?P<before>\b(?:above|over|below|under|than|least|most|between|exceed(?:s|ing)?)|[<>]=?) ?(?P<minus>-?)"
    r"(?P<whole>\d+),(?P<part>\d{1,2}|\d{4,})(?![\w,]|\.\d)",
    re.IGNORECASE,
)
_UPPER_END: Final = re.compile(
    r"(?P<before>\bbetween -?\d+\.\d+ and )(?P<whole>-?\d+),(?P<part>\d{1,2}|\d{4,})(?![\w,]|\.\d)"
)
_POINTS: Final = re.compile(r"(?<![\w.,/\\])(?<!\w-)[1-9]\d{0,2}(?:\.\d{3})+(?![\d/\\_]|[eE][-+]?\d|\.\w)")
#: What follows is a piece of a text.
_OF_A_TEXT: Final = re.compile(r"\b(?:contain\w*|(?:start|end|begin)\w* with) $", re.IGNORECASE)


def plainly_pointed(goal: str) -> str:
    """The goal with numbers that can only have a decimal comma, ``1.000,50``, written with a point."""
    bare = _QUOTED.sub(lambda match: "\x00" * len(match[0]), goal)
    for match in reversed(list(_COMMA.finditer(bare))):
        if match["thousands"]:
            made = f"{match['thousands'].replace('.', '')}.{match['rest']}"
        else:
            made = f"{match['before']} {match['minus']}{match['whole']}.{match['part']}"
        goal = f"{goal[: match.start()]}{made}{goal[match.end() :]}"
    return _UPPER_END.sub(lambda match: f"{match['before']}{match['whole']}.{match['part']}", goal)


def either_number(goal: str, known: Iterable[str] = ()) -> tuple[int, int, tuple[str, ...]] | None:
    """Where ``goal`` has a number that can be read in two ways, and how else to write it; None where it has none.

    Texts in quotes, names of files and pieces of what is in ``known``, names and values that there are, are no numbers.
    """
    bare = _QUOTED.sub(lambda match: "_" * len(match[0]), goal)
    found = [match for match in _POINTS.finditer(bare) if not _OF_A_TEXT.search(bare[: match.start()])]
    names = [name for name in known if "." in name and name in goal] if found else []
    for match in found:
        if any(match[0] in name and match[0] != name for name in names):
            continue
        whole, _, rest = match[0].partition(".")
        ways = [match[0].replace(".", "")]
        if len(rest) == 3:
            ways.append(f"{whole}.{rest.rstrip('0') or '0'}")
        return match.start(), match.end(), tuple(ways)
    return None


def either_told(goal: str, known: Iterable[str] = ()) -> str:
    """That a number of the goal can be read in two ways, and what to write; empty where none can."""
    found = either_number(goal, known)
    if found is None:
        return ""
    start, end, ways = found
    if len(ways) == 1:
        return f"{goal[start:end]} is not read as a number: write {ways[0]}"
    return f"{goal[start:end]} may be {ways[0]} or {ways[1]}: write {ways[0]}, or {ways[1]}"
