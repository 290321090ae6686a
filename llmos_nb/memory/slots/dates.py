"""Dates and times as people write them, in ISO 8601: ``22 Nov 2026`` is ``2026-11-22``, ``5pm`` is ``17:00``.

What does not say which day it is keeps its text: ``22/11/2026`` and ``11/22/2026`` look alike on the third of March.
Without a year a date is ``--11-22``, without a day ``2026-11``.
"""

from __future__ import annotations

import datetime
import re
from typing import Final

from llmos_nb.memory.slots.ordinary import words

__all__ = ["DATE", "MONTHS", "NAMED_DATE", "TIME", "clock", "read_date", "read_time"]

_FULL: Final = words("january february march april may june july august september october november december")
#: Names of months and their abbreviations, in lower case.
MONTHS: Final = {
    **{name: number for number, name in enumerate(_FULL, start=1)},
    **{name[:3]: number for number, name in enumerate(_FULL, start=1)},
    "sept": 9,
}
#: Months that are words: in lower case they are taken for the word.
_ALSO_WORDS: Final = frozenset(
    {"may", "march", "mar", "dec", "jan", "sep", "sept", "oct", "nov", "feb", "apr", "jun"}
)
_MONTH: Final = rf"(?P<{{}}>(?i:{'|'.join(sorted(MONTHS, key=len, reverse=True))}))(?![^\W\d_])\.?"
_YEAR: Final = r"(?:1[0-9]|20|21)[0-9]{2}"
_ZONE: Final = r"(?:Z|[ ]?[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?+"

#: A date or moment that begins with a digit.
DATE: Final = (
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}"
    rf"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{{1,9}})?)?+{_ZONE})?+"
    r"|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{4}|[0-9]{2})|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"
    r"|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}|[0-9]{4}-(?:0[1-9]|1[0-2])(?!-)"
    rf"|(?:0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?(?:[ ]of)?[ -]{_MONTH.format('later')}(?:,?[ -]{_YEAR})?"
    r")(?![\w]|[-/.:][0-9])"
)
#: A date that begins with a month's name.
NAMED_DATE: Final = re.compile(
    rf"{_MONTH.format('month')}(?:[ ](?P<day>0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?(?![\w]|[.,:/-][0-9]|[ ]?%)"
    rf"(?:,?[ ](?P<year>{_YEAR})(?!\w|[.,:/-][0-9]))?|,?[ ](?P<only>{_YEAR})(?!\w|[.,:/-][0-9]))"
)
#: A time of the day with minutes. ``[1:10]`` is a slice.
TIME: Final = (
    r"(?<![\[:])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?+(?![\w:])"
    r"(?:[ ]?(?i:[ap]m\b|[ap]\.m\.))?"
)
_NUMERIC: Final = re.compile(r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})(?:[-/](?P<day>[0-9]{1,2})(?P<rest>.+)?)?")
_DAY_MONTH: Final = re.compile(
    r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?(?: of)?[ -](?P<month>[^\W\d_]+)\.?(?:,?[ -](?P<year>[0-9]{4}))?"
)
_AMBIGUOUS: Final = re.compile(r"[0-9]{1,2}([/.-])[0-9]{1,2}\1[0-9]{2,4}")
_TIME: Final = re.compile(
    r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?(?P<rest>:[0-9.]+)? ?(?:(?P<half>[apAP])\.?[mM]\.?)?"
)


def read_date(text: str) -> tuple[str, str] | None:
    """``("date" | "datetime", value)`` of what :data:`DATE` or :data:`NAMED_DATE` matched; None for no day there is."""
    if _AMBIGUOUS.fullmatch(text):
        return "date", text
    match = _NUMERIC.fullmatch(text)
    if match is not None:
        value = _iso(match["year"], int(match["month"]), match["day"])
        rest = match["rest"]
        if value is None or rest is None:
            return None if value is None else ("date", value)
        return "datetime", f"{value}T{rest[1:].replace(' ', '')}"
    named = NAMED_DATE.fullmatch(text)
    if named is not None:
        value = _iso(named["year"] or named["only"], _month(named["month"]), named["day"])
        return None if value is None else ("date", value)
    match = _DAY_MONTH.fullmatch(text)
    if match is None:
        return None
    value = _iso(match["year"], _month(match["month"]), match["day"])
    return None if value is None else ("date", value)


def _month(word: str) -> int:
    """The month ``word`` names; 0 where it is a word in lower case such as "may"."""
    return 0 if word in _ALSO_WORDS else MONTHS[word.lower()]


def _iso(year: str | None, month: int, day: str | None) -> str | None:
    try:
        # A leap year stands for the year that is not told.
        datetime.date(int(year or 2000), month, int(day or 1))
    except ValueError:
        return None
    return f"{year or '-'}-{month:02}" + (f"-{int(day):02}" if day else "")


def read_time(text: str) -> str | None:
    """``10:30``, ``10:30:15``, ``17:00`` for ``5 pm``; None for no time there is."""
    match = _TIME.fullmatch(text)
    return None if match is None else clock(int(match["hour"]), match["minute"] or "00", match["rest"], match["half"])


def clock(hour: int, minute: str, rest: str | None, half: str | None) -> str | None:
    """A time of the day in ISO 8601 from its parts; ``half`` is the a or p of am and pm."""
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    return f"{hour:02}:{minute}{rest or ''}" if hour < 24 else None
