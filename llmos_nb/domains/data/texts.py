"""What a column of texts stands for, asked of all of it: as numbers, as dates, or as it should be put in order.

A file often holds dates as ``03.04.2025`` and prices as ``$1,200``, which as texts are in the order of the alphabet. What
is here reads such a column if it can be read in one way only, and refuses it with the reason otherwise: nothing is guessed
and nothing is dropped. A column that holds no texts comes back as it is.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.profiling import named
from llmos_nb.domains.data.scales import UNCLEAR, is_scaled, scaled, unscaled
from llmos_nb.domains.data.values import Reading, hardly, is_text, markers_among, read_dates, read_numbers, texts_of
from llmos_nb.domains.data.view import count, shown_value
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["after", "alike", "before", "between", "dates", "numbers", "order_key", "trimmed", "unreadable"]

#: The part of a column's different texts that must look like dates or numbers for it to be a column of such.
MOST: Final = 0.5
#: 1.234 may be a thousand and more; 0.234 and 1234.5 say what the point is.
_POINTED: Final = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_CODE: Final = re.compile(r"0\d+")
#: As many digits as whole numbers keep.
_DIGITS: Final = re.compile(r"\d{1,18}")
#: What is said where the other decimal sign would make other numbers of a column.
_EITHER: Final = "no other value decides"
_SMALL: Final = re.compile(r"[+-]?\d{1,3}")
#: A month by itself.
_MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_MONTHS: Final = (
    ("jan", "january", "januar"), ("feb", "february", "februar"), ("mar", "march", "märz", "mär"), ("apr", "april"),
    ("may", "mai"), ("jun", "june", "juni"), ("jul", "july", "juli"), ("aug", "august"), ("sep", "september", "sept"),
    ("oct", "october", "oktober", "okt"), ("nov", "november"), ("dec", "december", "dezember", "dez"),
)  # fmt: skip
_WEEKDAYS: Final = (
    ("mon", "monday", "montag", "mo"), ("tue", "tuesday", "dienstag", "di", "tues"),
    ("wed", "wednesday", "mittwoch", "mi"), ("thu", "thursday", "donnerstag", "do", "thurs", "thur"),
    ("fri", "friday", "freitag", "fr"), ("sat", "saturday", "samstag", "sa", "sonnabend"),
    ("sun", "sunday", "sonntag", "so"),
)  # fmt: skip
_CALENDAR: Final[tuple[Mapping[str, int], ...]] = tuple(
    {name: number for number, called in enumerate(names, 1) for name in called} for names in (_MONTHS, _WEEKDAYS)
)


def numbers(column: pd.Series[Any], /, *, decimal: str | None = None, short: bool = False) -> pd.Series[Any]:
    """The column as numbers: ``3.5``, ``1.234,50``, ``$12``, ``12 %``, ``4k``; marks for a missing value become missing.

    A column of digits alone is read, too, where some begin with a zero: as numbers they have none.

    Args:
        decimal: ``","`` or ``"."``, where ``1,234`` and ``1.234`` could be read in two ways.
        short: K, M and B behind numbers are thousands, millions and billions, also where no other value decides.

    Raises:
        TableError: a text is no number, or it is not clear which number it is.
    """
    if not is_text(column):
        return column
    counts = texts_of(column)
    marks = set(markers_among(counts))
    texts = [text for text in counts if text not in marks]
    if texts and all(map(_DIGITS.fullmatch, (text.strip() for text in texts))):
        codes = {text: text.strip().lstrip("0") or "0" for text in texts}
        reading = _numbers(texts, codes, sure=True)
    else:
        given = {text: _with_point(text, decimal) for text in texts} if decimal else {text: text for text in texts}
        reading = _numbers(texts, given, sure=decimal is not None, of_thousands=short)
    problem = _problem(reading, counts, "number", column)
    if problem and decimal is None and _EITHER in problem:
        doubts = [unreadable(column, f"numbers with a decimal {sign}") for sign in ("comma", "point")]
        if all(doubts):  # to say which sign it is would not help
            raise TableError(doubts[1], remedy=_decimals(column, doubts[1]))
    if problem:
        raise TableError(f"{_name(column)}: {problem}.", remedy=_decimals(column, problem))
    return _replaced(column, reading, "float64")


def dates(column: pd.Series[Any], /, *, day_first: bool | None = None) -> pd.Series[Any]:
    """The column as dates: ISO, ``31.12.2020``, ``31 Dec 2020`` …; marks for a missing value become missing.

    Args:
        day_first: whether ``3/4/2020`` is in April; needed only where no other value of the column tells.

    Raises:
        TableError: a text is no date, or it is not clear which date it is; or the column holds numbers.
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    if not is_text(column):
        found = pd.to_datetime(column) if column.dtype == object else None
        if found is None:
            raise TableError(
                f"{_name(column)} holds {column.dtype}, no dates.", remedy="Name a column that holds dates."
            )
        return found
    counts = texts_of(column)
    if any(isinstance(value, int | float) and value == value for value in column.astype(object)):
        raise TableError(f"{_name(column)}: some values are numbers, no dates.", remedy="Put them right first.")
    if not counts:
        return pd.to_datetime(column)
    marks = set(markers_among(counts))
    reading = read_dates([text for text in counts if text not in marks], day_first=day_first)
    problem = _problem(reading, counts, "date", column)
    if problem:
        raise TableError(f"{_name(column)}: {problem}.", remedy=_which_first(column, problem))
    return _replaced(column, reading, "datetime")


def after(column: pd.Series[Any], day: str, /) -> pd.Series[bool]:
    """Whether each date of the column is after that day, or after that month (``2024-03``).

    Raises:
        TableError: the column is not of dates (:func:`dates`), or ``day`` is none.
    """
    found: pd.Series[bool] = _days(column) > _span(day)[1]
    return found


def before(column: pd.Series[Any], day: str, /) -> pd.Series[bool]:
    """Whether each date of the column is before that day, or before that month; raises as :func:`after`."""
    found: pd.Series[bool] = _days(column) < _span(day)[0]
    return found


def between(column: pd.Series[Any], first: str, last: str, /) -> pd.Series[bool]:
    """Whether each date of the column is on one of these days or between them; raises as :func:`after`."""
    return _days(column).between(_span(first)[0], _span(last)[1])


def alike(column: pd.Series[Any], /) -> pd.Series[Any]:
    """The column with one spelling for texts that differ in capitals or blanks alone: the most frequent one, without blanks
    around it; of equally frequent ones the first by the alphabet."""
    spelled: dict[str, dict[str, int]] = {}
    counts = texts_of(column)
    for text, number in counts.items():
        bare = " ".join(text.split())
        some = spelled.setdefault(_folded(text), {})
        some[bare] = some.get(bare, 0) + number
    best = {key: min(some, key=lambda one: (-some[one], one)) for key, some in spelled.items()}
    return _mapped(column, {text: best[_folded(text)] for text in counts})


def trimmed(column: pd.Series[Any], /) -> pd.Series[Any]:
    """The column without blanks before and behind its texts; what are no texts stays as it is."""
    return _mapped(column, {text: text.strip() for text in texts_of(column)})


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()


def _mapped(column: pd.Series[Any], given: Mapping[str, str]) -> pd.Series[Any]:
    """The column with other texts for its texts."""
    kind = column.dtype if not hasattr(column.dtype, "categories") else object
    found = column.astype(object).map(lambda value: given.get(value, value) if isinstance(value, str) else value)
    made: pd.Series[Any] = found.astype(kind)
    return made


def _days(column: pd.Series[Any]) -> pd.Series[Any]:
    """The days of a column of dates, without the time of day and without a zone."""
    found = dates(column)
    if getattr(found.dt, "tz", None) is not None:
        found = found.dt.tz_localize(None)
    whole: pd.Series[Any] = found.dt.normalize()
    return whole


def _span(text: str) -> tuple[Any, Any]:
    """The first and the last day that a text means: a day, or a month."""
    import pandas as pd

    if _MONTH.fullmatch(text.strip()):
        month = pd.Period(text.strip(), freq="M")
        return month.start_time, month.end_time.normalize()
    reading = read_dates([text])
    if not reading.whole:
        why = "may be in two months" if reading.reason else "is no date"
        raise TableError(f"{text!r} {why}.", remedy="Write it as 2024-03-31.")
    day = pd.Timestamp(reading.values[text]).tz_localize(None).normalize()
    return day, day


#: What a column can be converted to, in the words of a goal, with how.
_CONVERTED: Final[Mapping[str, tuple[bool, Mapping[str, Any]]]] = {
    "numbers": (True, {}), "numbers with a decimal comma": (True, {"decimal": ","}),
    "numbers with a decimal point": (True, {"decimal": "."}), "numbers with k and M": (True, {"short": True}),
    "dates": (False, {}),
    "european dates": (False, {"day_first": True}), "american dates": (False, {"day_first": False}),
}  # fmt: skip


def unreadable(column: Any, what: str) -> str:
    """Why :func:`numbers` or :func:`dates` would refuse a column; empty where it would not.

    ``what`` is ``numbers``, also ``… with a decimal comma`` or ``… point``; ``dates``, ``european dates`` or
    ``american dates``.
    """
    if what not in _CONVERTED:
        return f"nothing converts a column to {what}"
    of_numbers, how = _CONVERTED[what]
    try:
        numbers(column, **how) if of_numbers else dates(column, **how)
    except TableError as error:
        return error.message
    except (ValueError, TypeError, OverflowError) as error:
        return f"{_name(column)} cannot be read ({type(error).__name__})"
    return ""


def order_key(column: Any, /) -> Any:
    """What to sort the column by: dates, numbers, times of day, months and weekdays (Monday first) by what its texts stand
    for, other texts by the alphabet, whatever their case and accents; what are no texts as it is. Made to be the ``key`` of
    ``sort_values`` and ``sort_index``.

    Raises:
        TableError: it is a column of dates or of numbers, but not all can be read, or not in one way only.
    """
    import pandas as pd

    if isinstance(column, pd.MultiIndex):
        return column
    if isinstance(column, pd.Index):
        return pd.Index(order_key(pd.Series(column.array, name=column.name)))
    kind = column.dtype
    if not is_text(column):
        return column
    if isinstance(kind, pd.CategoricalDtype) and (kind.ordered or not kind.categories.is_monotonic_increasing):
        return column  # somebody chose their order
    counts = texts_of(column)
    marks = set(markers_among(counts))
    texts = [text for text in counts if text not in marks]
    if not texts:
        return column
    mixed = int(column.count()) > sum(counts.values())
    codes = any(_CODE.fullmatch(text.strip()) for text in texts)  # 00123 has no size
    for read, what, made in ((read_dates, "date", "datetime"), (_plain_numbers, "number", "float64"))[: 2 - codes]:
        if hardly(texts, read):
            continue
        reading = read(texts)
        looks = max(sum(reading.forms.values()), len(reading.values))
        if looks < MOST * len(texts):
            continue
        problem = _problem(reading, counts, what, column)
        if problem or (mixed and what == "date"):
            problem = problem or "some are texts and some are not"
            remedy = _which_first(column, problem) if what == "date" else _decimals(column, problem)
            raise TableError(f"{_name(column)}: {problem}, so that its order is not clear.", remedy=remedy)
        return _replaced(column, reading, made)
    if mixed:
        return column
    return _by_calendar(column, texts, marks)


def _by_calendar(column: Any, texts: list[str], marks: set[str]) -> Any:
    """Times of day and names of months and weekdays as numbers; other texts as the alphabet has them."""
    folded = {text: text.strip().rstrip(".").casefold() for text in texts}
    for names in _CALENDAR:
        if len(texts) > 1 and all(name in names for name in folded.values()):
            return _replaced(column, Reading({text: names[name] for text, name in folded.items()}), "float64")
    clocks = {text: _CLOCK.fullmatch(text.strip()) for text in texts}
    if all(clocks.values()):
        seconds = {
            text: 3600 * int(found[1]) + 60 * int(found[2]) + int(found[3] or 0)
            for text, found in clocks.items()
            if found is not None
        }
        return _replaced(column, Reading(seconds), "float64")
    return column.astype(object).map({text: _letters(text) for text in [*texts, *marks]})


def _letters(text: str) -> str:
    """The text as the alphabet has it: Ä with A, and b before C."""
    parts = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _plain_numbers(texts: list[str]) -> Reading:
    return _numbers(texts, {text: text for text in texts}, sure=False)


def _numbers(texts: list[str], given: Mapping[str, str], *, sure: bool, of_thousands: bool = False) -> Reading:
    """``given`` has for each text how it is to be read; unless that is ``sure``, 1.234 needs a value that decides."""
    parted, doubt = unscaled((given[text] for text in texts), sure=of_thousands)
    if doubt and not read_numbers([text for text in map(given.__getitem__, texts) if not is_scaled(text)]).others:
        return Reading({}, tuple(texts), {"number": len(texts)}, doubt)
    if parted:
        short = {text: parted.get(given[text], (given[text], 1)) for text in texts}
        reading = _numbers(texts, {text: plain for text, (plain, _) in short.items()}, sure=sure)
        values = {text: scaled(value, short[text][1]) for text, value in reading.values.items()}
        return dataclasses.replace(reading, values=values)
    reading = read_numbers([given[text] for text in texts])
    bare = [re.sub(r"[^\d.,+-]", "", given[text]) for text in texts]
    pointed = reading.values and any(_POINTED.fullmatch(text) for text in bare)
    if not sure and pointed and all(_POINTED.fullmatch(text) or _SMALL.fullmatch(text) for text in bare):
        reason = "1.234 may be 1.234 or 1234, and no other value decides"
        return Reading({}, tuple(texts), reading.forms, reason)
    values = {text: reading.values[given[text]] for text in texts if given[text] in reading.values}
    others = tuple(text for text in texts if text not in values)
    return Reading(values, others, reading.forms, reading.reason, reading.unit)


def _with_point(text: str, decimal: str) -> str:
    """The text with a point as its decimal sign and without groups of thousands."""
    groups, found = ("." if decimal == "," else ","), text.strip()
    if re.search(rf"\d{re.escape(groups)}\d", found):
        found = re.sub(rf"(?<=\d){re.escape(groups)}(?=\d{{3}}(?!\d))", "", found)
    return found.replace(",", ".") if decimal == "," else found


def _problem(reading: Reading, counts: Mapping[str, int], what: str, column: Any) -> str:
    """Why not every text of a column is read; empty where each is."""
    if reading.reason:
        return reading.reason
    if reading.others:
        number = sum(counts[text] for text in reading.others)
        told = ", ".join(map(shown_value, sorted(reading.others, key=lambda text: -counts[text])[:3]))
        return f"{count(number, 'text is', 'texts are')} no {what}{'' if number == 1 else 's'}: {told}"
    return ""


def _which_first(column: Any, problem: str) -> str:
    if "day_first" not in problem:
        return f"clean() names what is odd in it; put {shown_value(column.name)} right first."
    return f"Convert {column.name} to european dates, with the day first, or to american dates."


def _decimals(column: Any, problem: str) -> str:
    if UNCLEAR in problem:
        return f"Convert {column.name} to numbers with K as thousand and M as million."
    if _EITHER not in problem:
        return f"clean() names what is odd in it; put {shown_value(column.name)} right first."
    return f"Convert {column.name} to numbers with a decimal comma, or with a decimal point."


def _name(column: Any) -> str:
    return named(column.name) if column.name is not None else "the column"


def _replaced(column: Any, reading: Reading, made: str) -> pd.Series[Any]:
    """The column with what its texts stand for, and nothing for those that mark a missing value."""
    import pandas as pd

    values = reading.values
    found = column.astype(object).map(lambda value: values.get(value) if isinstance(value, str) else value)
    if made == "datetime":
        read: pd.Series[Any] = pd.to_datetime(found)
        return read
    found = found.where(found.notna(), None)
    whole = bool(values) and found.notna().all() and all(isinstance(value, int) for value in found)
    made_of: pd.Series[Any] = pd.to_numeric(found).astype("int64" if whole else made)
    return made_of
