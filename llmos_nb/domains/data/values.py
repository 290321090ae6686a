"""What texts in a column stand for: numbers however they are written, dates, and marks for a missing value.

All functions look at *distinct* texts, so that a column of a million rows costs no more than its vocabulary, and all of
them are careful: what can be read in two ways is not read, and the reason says so.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MARKERS",
    "Reading",
    "is_text",
    "markers_among",
    "read_booleans",
    "read_dates",
    "read_numbers",
    "texts_of",
]

#: Texts that say "nothing here", in lower case; others (``unknown``, ``-999``) can be real values and must be named.
MARKERS: Final = frozenset({"", "-", "--", "?", "n/a", "na", "nan", "null", "#n/a", "#na", "n.a.", "missing", "<na>"})
#: Texts that show whether it is worth the time to look at all of a column's.
LOOKED_AT: Final = 500
_TRUE: Final = frozenset({"true", "yes"})
_FALSE: Final = frozenset({"false", "no"})

_PLAIN: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_COMMA: Final = re.compile(r"[+-]?\d+,\d+")  # 3,5 – or 1,234
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")  # 1,234.5
_POINTED: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")  # 1.234,5
_SPACED: Final = re.compile(r"[+-]?\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?")  # 1 234,5
_CODE: Final = re.compile(r"[+-]?0\d+")  # 00123: a code, not a number
_UNIT: Final = re.compile(
    r"(?P<before>[€$£¥]|(?:EUR|USD|GBP|CHF)(?=\s))?\s*(?P<number>[+-]?[\d.].*?)\s*(?P<after>[^\d\s.,+-][^\d\s.,+-]{0,6})?"
)
_NUMBER: Final = re.compile("|".join(form.pattern for form in (_PLAIN, _COMMA, _GROUPED, _POINTED, _SPACED)))
#: What may stand behind a number without being part of a code: single letters as they are, others whatever their case.
_LETTERS: Final = frozenset("gmltshd")
_UNITS: Final = frozenset(
    """% ‰ € $ £ ¥ ° °c °f eur usd gbp chf mm cm dm km in ft yd mi m² m³ km² cm² cm³ ha µg mg kg lb lbs oz ml cl dl
    ms sec min hr hrs day days week weeks month months year years yr yrs hz khz mhz ghz kb mb gb tb kw mw kwh wh mv ma nm
    pa hpa kpa mpa bar mbar mol mmol ppm ppb kj mj cal kcal km/h m/s mph kn °/s db lux px pcs""".split()  # noqa: SIM905
)

_ISO: Final = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
#: Forms of dates besides ISO: a name people know, a pattern, and strptime's formats. A slash says nothing about the order.
_FORMS: Final[tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]] = (
    ("2020/12/31", re.compile(r"\d{4}/\d{1,2}/\d{1,2}"), ("%Y/%m/%d",)),
    ("2020.12.31", re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}"), ("%Y.%m.%d",)),
    ("31.12.2020", re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"), ("%d.%m.%Y",)),
    ("31 Dec 2020", re.compile(r"\d{1,2}[ -][A-Za-z]{3}[ -]\d{4}"), ("%d %b %Y",)),
    ("31 December 2020", re.compile(r"\d{1,2}\.? [A-Za-z]{3,9},? \d{4}"), ("%d %B %Y",)),
    ("Dec 31, 2020", re.compile(r"[A-Za-z]{3}\.? \d{1,2},? \d{4}"), ("%b %d %Y",)),
    ("December 31, 2020", re.compile(r"[A-Za-z]{3,9} \d{1,2},? \d{4}"), ("%B %d %Y",)),
)
#: A time of day behind a date, with strptime's format for it.
_CLOCKS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(.+?),? (\d{1,2}:\d{2})"), "%H:%M"),
    (re.compile(r"(.+?),? (\d{1,2}:\d{2}:\d{2})"), "%H:%M:%S"),
    (re.compile(r"(.+?),? (\d{1,2}:\d{2} ?[AaPp][Mm])"), "%I:%M %p"),
    (re.compile(r"(.+?),? (\d{1,2}:\d{2}:\d{2} ?[AaPp][Mm])"), "%I:%M:%S %p"),
)
_SLASHED: Final = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4})")


@dataclass(frozen=True, slots=True)
class Reading:
    """``values`` maps each text that was read to what it stands for; ``others`` are those that were not.

    ``forms`` are the ways of writing that occur, with how many distinct texts have each; ``reason`` says why nothing was
    read although much looks like it.
    """

    values: Mapping[str, Any]
    others: tuple[str, ...] = ()
    forms: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    unit: str = ""

    @property
    def whole(self) -> bool:
        """Whether every text was read."""
        return bool(self.values) and not self.others and not self.reason


def is_text(column: pd.Series[Any]) -> bool:
    """Whether a column may hold texts."""
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return is_text(kind.categories.to_series())
    return isinstance(kind, pd.StringDtype) or kind.kind == "O"


def texts_of(column: pd.Series[Any]) -> dict[str, int]:
    """The distinct texts among a column's values, with how often each occurs."""
    import pandas as pd

    values = column.dropna()
    if not isinstance(column.dtype, pd.StringDtype):
        values = values.astype(object)
        values = values[[isinstance(value, str) for value in values]]
    counts = values.value_counts(sort=False)
    return dict(zip(counts.index.tolist(), counts.tolist(), strict=True))


def markers_among(texts: Iterable[str], more: Iterable[object] = ()) -> list[str]:
    """Those of ``texts`` that mark a missing value, whatever their case and the blanks around them."""
    known = MARKERS | {str(mark).strip().casefold() for mark in more}
    return [text for text in texts if text.strip().casefold() in known]


def read_booleans(texts: Iterable[str]) -> Reading:
    """Both of yes and no, or true and false, and nothing else."""
    texts = list(texts)
    if len(texts) > LOOKED_AT:
        return Reading({}, tuple(texts))
    lowered = {text: text.strip().casefold() for text in texts}
    said = set(lowered.values())
    if said in ({"true", "false"}, {"yes", "no"}):
        return Reading({text: low in _TRUE for text, low in lowered.items()})
    return Reading({}, tuple(text for text in texts if lowered[text] not in _TRUE | _FALSE))


def hardly(texts: Collection[str], read: Callable[[list[str]], Reading]) -> bool:
    """Whether so few of the first texts can be read that the others need not be tried."""
    first = list(itertools.islice(texts, LOOKED_AT))
    reading = read(first)
    return len(texts) > len(first) and max(len(reading.values), sum(reading.forms.values())) < 0.2 * len(first)


def read_numbers(texts: Iterable[str]) -> Reading:
    """Texts as numbers: ``3.5``, ``1,234.5``, ``3,5``, ``1.234,5``, ``1 234``, ``12 %``, ``$5``, ``3750 g``.

    ``00123`` is a code. ``1,234`` alone may be either 1.234 or 1234: such a column is read only where another of its
    texts decides. Two units in one column are not read.
    """
    texts = list(texts)
    parted = {text: _parted(text.strip().replace("\u2212", "-")) for text in texts}
    others = [text for text, (number, _) in parted.items() if number is None]
    numbers = {text: (number, unit) for text, (number, unit) in parted.items() if number is not None}
    units = {unit for _, unit in numbers.values()} - {""}
    style, reason = _style([number for number, _ in numbers.values()])
    if len(units) > 1:
        reason = f"there are several units: {', '.join(sorted(units)[:5])}"
    if reason:
        return Reading({}, tuple(texts), {"number": len(numbers)}, reason)
    values: dict[str, int | float] = {}
    forms: dict[str, int] = {}
    for text, (number, _) in numbers.items():
        form, value = _value(number, style)
        if value is None:
            others.append(text)
        else:
            values[text] = value
            forms[form] = forms.get(form, 0) + 1
    return Reading(values, tuple(others), forms, unit=next(iter(units), ""))


def _parted(text: str) -> tuple[str | None, str]:
    """A number's text and its unit; None where there is no number."""
    if _looks_like_number(text):
        return text, ""
    found = _UNIT.fullmatch(text)
    if found is None or bool(found["before"]) == bool(found["after"]):
        return None, ""
    if (after := found["after"]) and after not in _LETTERS and after.casefold() not in _UNITS:
        return None, ""
    number = found["number"].strip()
    return (number, found["before"] or found["after"]) if _looks_like_number(number) else (None, "")


def _looks_like_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and _CODE.fullmatch(text) is None


def _style(numbers: list[str]) -> tuple[str, str]:
    """Whether the comma is the decimal sign (``,``) or groups thousands (``.``), or why nobody can tell."""
    comma = any(
        (_COMMA.fullmatch(n) and not _GROUPED.fullmatch(n))
        or (_POINTED.fullmatch(n) and ("," in n or n.count(".") > 1))
        for n in numbers
    )
    point = any(
        (_PLAIN.fullmatch(n) and "." in n and not _POINTED.fullmatch(n))
        or (_GROUPED.fullmatch(n) and ("." in n or n.count(",") > 1))
        for n in numbers
    )
    if comma and point:
        return "", "some have a decimal comma, some a decimal point"
    if not comma and not point and any(_GROUPED.fullmatch(n) for n in numbers):
        return "", "1,234 may be 1.234 or 1234, and no other value decides"
    return ("," if comma else "."), ""


def _value(number: str, style: str) -> tuple[str, int | float | None]:
    form = "plain"
    if _SPACED.fullmatch(number):
        number, form = re.sub(r"[ \u00a0\u202f'’]", "", number), "grouped"
        number = number.replace(",", ".")
    elif style == ",":
        if "," in number or _POINTED.fullmatch(number):
            form = "decimal comma"
        number = number.replace(".", "").replace(",", ".") if _POINTED.fullmatch(number) else number.replace(",", ".")
    elif "," in number:
        if not _GROUPED.fullmatch(number):
            return form, None
        number, form = number.replace(",", ""), "grouped"
    if re.fullmatch(r"[+-]?\d{1,18}", number):
        return form, int(number)
    if len(re.sub(r"\D", "", number)) > 17 and "e" not in number.lower():
        return form, None  # more digits than a float holds: an account or an id
    return form, float(number)


def read_dates(texts: Iterable[str], *, day_first: bool | None = None) -> Reading:
    """Texts as dates, each by the form it has, also with a time of day behind it; several forms in one column are told.

    ``3/4/2020`` is read only where another text of the column decides (``25/4/2020``), or ``day_first`` does.
    """
    import pandas as pd

    texts = list(texts)
    forms: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    others = []
    for text in texts:
        form, day, time, clock = _parted_date(text.strip())
        if form:
            forms.setdefault((form, clock), []).append((text, day, time))
        else:
            others.append(text)
    counts: dict[str, int] = {}
    for (form, _), having in forms.items():
        counts[form] = counts.get(form, 0) + len(having)
    zones = [form for form in counts if form.endswith("zone")]
    if zones and len(zones) < len(counts):
        return Reading({}, tuple(texts), counts, "some have a time zone, some have none")
    slashed = [day for (form, _), having in forms.items() if form == "a/b/2020" for _, day, _ in having]
    order, reason = _order(slashed, day_first) if slashed else ("", "")
    if reason:
        return Reading({}, tuple(texts), counts, reason)
    values: dict[str, Any] = {}
    for (form, clock), having in forms.items():
        known = next((formats[0] for name, _, formats in _FORMS if name == form), "")
        known = order if form == "a/b/2020" else known
        if known:
            days = [
                _only_words(d) if "Dec" in form else d.replace("-", "/") if known == order else d
                for _, d, _ in having
            ]
            cleaned = [f"{day} {time}".strip() for day, (_, _, time) in zip(days, having, strict=True)]
            read = pd.to_datetime(
                pd.Series(cleaned, dtype=object), format=f"{known} {clock}".strip(), errors="coerce"
            )
        else:
            read = pd.to_datetime(
                pd.Series([day.replace(" Z", "Z").replace(" +", "+") for _, day, _ in having], dtype=object),
                format="ISO8601", errors="coerce", utc=bool(zones),
            )  # fmt: skip
        unread = read.isna().tolist()
        others += [text for (text, _, _), bad in zip(having, unread, strict=True) if bad]
        values |= {text: value for (text, _, _), value, bad in zip(having, read, unread, strict=True) if not bad}
    return Reading(values, tuple(others), counts)


def _parted_date(text: str) -> tuple[str, str, str, str]:
    """The form of a date, the text of its day and of its time, and the format of that; a form alone is all of it."""
    if form := _form(text):
        return form, text, "", ""
    for pattern, clock in _CLOCKS:
        found = pattern.fullmatch(text)
        if found and (form := _form(found[1])) and not form.startswith("2020-"):
            time = re.sub(r" ?([AaPp][Mm])$", r" \1", found[2])
            return form, found[1], time, clock
    return "", "", "", ""


def _form(text: str) -> str:
    if found := _ISO.fullmatch(text):
        return "2020-12-31 with a time zone" if found["zone"] else "2020-12-31"
    if _SLASHED.fullmatch(text):
        return "a/b/2020"
    return next((name for name, pattern, _ in _FORMS if pattern.fullmatch(text)), "")


def _only_words(text: str) -> str:
    return " ".join(re.sub(r"[,.-]", " ", text).split())


def _order(texts: list[str], day_first: bool | None) -> tuple[str, str]:
    found = [(text.strip(), int(f[1]), int(f[3])) for text in texts if (f := _SLASHED.fullmatch(text.strip()))]
    days = any(first > 12 for _, first, _ in found)
    months = any(second > 12 for _, _, second in found)
    if days and months:
        return "", "some have the day first, some the month"
    if not days and not months and day_first is None:
        either = next((one for one in found if one[1] != one[2]), None)
        if either is not None:
            text, *ends = either
            one, other = (calendar.month_name[number] for number in sorted(ends))
            return "", f"{text} may be in {one} or in {other}, and no other value decides: say day_first"
    first = days or (not months and bool(day_first))
    return ("%d/%m/%Y" if first else "%m/%d/%Y"), ""
