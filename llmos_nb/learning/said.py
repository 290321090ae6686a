"""A single value as an answer says it: a number without the digits that nobody reads, a date as one writes it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["plainly"]

#: Digits of a number that are said.
DIGITS: Final = 6
_FLOAT: Final = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")
_MOMENT: Final = re.compile(
    r"Timestamp\('(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d)(:\d\d(?:\.\d+)?)?)?([+-]\d\d:?\d\d)?'(?:, tz='([^']*)')?\)"
)
_NOTHING: Final = ("nan", "NaN", "NaT", "<NA>", "None")


def plainly(text: str) -> str:
    """``21.837837837837838`` as ``21.8378``, ``Timestamp('2025-03-01 00:00:00')`` as ``2025-03-01``, ``nan`` in words;
    anything else as it is. The value itself stands in the cell."""
    if text in _NOTHING:
        return "no value"
    if _FLOAT.fullmatch(text):
        return _number(text)
    return _MOMENT.sub(_moment, text)


def _number(text: str) -> str:
    value = float(text)
    if len(text.lstrip("-").replace(".", "").lstrip("0")) <= DIGITS + 1:
        return text
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        return f"{value:.{DIGITS}g}"
    whole = len(str(int(size))) if size >= 1 else 0
    behind = f"{size:.10f}".partition(".")[2]
    zeros = len(behind) - len(behind.lstrip("0")) if size < 1 else 0
    said = f"{value:.{max(2, DIGITS - whole + zeros)}f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def _moment(match: re.Match[str]) -> str:
    day, clock, seconds, offset, zone = match.groups()
    time = (
        f" {clock}{seconds}" if seconds not in (None, ":00") else f" {clock}" if clock not in (None, "00:00") else ""
    )
    return f"{day}{time}{offset or ''}{f' {zone}' if zone and not offset else ''}"
