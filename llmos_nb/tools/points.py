"""Numbers with a point that may part thousands: 1.500 is one and a half here, fifteen hundred there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["either_number", "either_told"]

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^'\s]*'|`[^`]*`")
_POINTS: Final = re.compile(r"(?<![\w.,/\\])(?<!\w-)[1-9]\d{0,2}(?:\.\d{3})+(?![\d/\\_]|[eE][-+]?\d|\.\w)")
#: What follows is a piece of a text.
_OF_A_TEXT: Final = re.compile(r"\b(?:contain\w*|(?:start|end|begin)\w* with) $", re.IGNORECASE)


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
