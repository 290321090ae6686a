"""``profile``: what is in a table and what looks wrong with it, before anything is computed from it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.values import is_text, markers_among, read_booleans, read_dates, read_numbers, texts_of
from llmos_nb.domains.data.view import Cell, Grid, Shown, bars, count, shown_value
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnProfile", "Profile", "profile", "tables_among"]

#: Distinct texts of a column that are looked at for what they stand for.
VOCABULARY: Final = 20_000
#: Far out, as Tukey has it: more than three times the middle half's width away from it.
FAR: Final = 3.0
#: Numbers that are often written for "not known", where they lie far out.
_CODES: Final = frozenset({-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0})
_GARBLED: Final = ("Ã¤", "Ã¶", "Ã¼", "Ã©", "Ã¨", "Ã±", "â€", "Â°", "ï»¿", "\ufffd")


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column: its type, how much is missing, how many values differ, what they are, and what looks wrong."""

    name: str
    type: str
    missing: int
    distinct: int
    values: str
    findings: tuple[str, ...] = ()
    heights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """A table's profile: shown as it is, and ``df`` has a row a column."""

    name: str
    rows: int
    duplicates: int
    columns: tuple[ColumnProfile, ...]
    findings: tuple[str, ...] = field(default=())

    @property
    def df(self) -> pd.DataFrame:
        """A row for each column."""
        import pandas as pd

        names = ["column", "type", "missing", "distinct", "values", "findings"]
        rows = [(c.name, c.type, c.missing, c.distinct, c.values, "; ".join(c.findings)) for c in self.columns]
        return pd.DataFrame(rows, columns=names)

    def __str__(self) -> str:
        return self._shown().text()

    __repr__ = __str__

    def to_markdown(self) -> str:
        """For a report."""
        return self._shown().markdown()

    def _shown(self) -> Shown:
        said = [*self.findings, *(f"{c.name}: {finding}" for c in self.columns for finding in c.findings)]
        rows = tuple(
            (
                Cell(c.name),
                Cell(c.type),
                Cell(f"{c.missing:,} ({c.missing / self.rows:.0%})" if c.missing else ""),
                Cell(f"{c.distinct:,}"),
                Cell("", bars(c.heights, c.missing / max(self.rows, 1), label=c.name) if c.heights else ""),
                Cell(c.values),
            )
            for c in self.columns
        )
        heading = f"{self.name}: {count(self.rows, 'row')}, {count(len(self.columns), 'column')}"
        heading += f", {count(len(said), 'finding')}" if said else ", nothing looks wrong"
        return Shown(heading, said, (Grid(("column", "type", "missing", "distinct", "", "values"), rows),))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown().bundle()


def profile(table: pd.DataFrame, name: str = "table") -> Profile:
    """Look at a table: types, missing values, duplicates, and what looks wrong in each column.

    Looked for are numbers and dates stored as text, dates in several forms, marks for missing values, blanks around
    texts, spellings of one word, several types in one column, columns with one value, infinite and far-out numbers
    (more than 3 interquartile ranges outside of the middle half), numbers that stand for "not known", garbled letters.
    Nothing is changed; ``clean`` does that.

    Raises:
        TableError: ``table`` is no DataFrame.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        raise TableError(f"profile takes a DataFrame, got {type(table).__name__}.", remedy="read_table makes one.")
    columns = tuple(_column(named(table.columns[i]), table.iloc[:, i]) for i in range(len(table.columns)))
    findings = []
    names = [column.name for column in columns]
    again = {n: names.count(n) for n in dict.fromkeys(names) if names.count(n) > 1}
    findings += [f"{times} columns are called {n!r}" for n, times in list(again.items())[:10]]
    odd = [n for n in names if n != n.strip()]
    findings += [f"blanks around the names of columns: {', '.join(map(repr, odd[:5]))}"] if odd else []
    duplicates = int(duplicated(table).sum()) if len(table.columns) else 0
    if duplicates:
        findings.append(f"{count(duplicates, 'row is', 'rows are')} an exact copy of an earlier one")
    empty = int(table.isna().all(axis=1).sum()) if len(table.columns) else 0
    if empty:
        findings.append(f"{count(empty, 'row has', 'rows have')} no value at all")
    return Profile(name, len(table), duplicates, columns, tuple(findings))


def named(column: object) -> str:
    """A column's name as text: levels with a slash between them."""
    return " / ".join(str(part) for part in column if str(part)) if isinstance(column, tuple) else str(column)


def duplicated(table: pd.DataFrame, columns: list[int] | None = None) -> pd.Series[bool]:
    """Which rows are copies of an earlier one, by all columns or those at these positions; lists and the like by
    what they look like."""

    kept = table if columns is None else table.iloc[:, columns]
    flat = kept.set_axis(range(len(kept.columns)), axis=1)
    try:
        return flat.duplicated()
    except TypeError:  # lists and the like
        objects = [i for i, kind in enumerate(flat.dtypes) if kind.kind == "O"]
        for position in objects:
            flat = flat.copy(deep=False)
            flat.isetitem(position, flat.iloc[:, position].map(repr).to_numpy())
        return flat.duplicated()


def _column(name: str, column: pd.Series[Any]) -> ColumnProfile:
    import pandas as pd

    missing = int(column.isna().sum())
    present = column[column.notna()]
    if present.empty:
        return ColumnProfile(name, "empty", missing, 0, "", ("has no value at all",) if len(column) else ())
    try:
        counts = present.value_counts()
    except TypeError:  # lists and the like
        counts = present.map(repr).value_counts()
    distinct = len(counts)
    findings = ["has one value only"] if distinct == 1 and len(column) > 1 else []
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind):
        return _with("yes or no", name, missing, counts, findings)
    if pd.api.types.is_datetime64_any_dtype(kind):
        zone = f", {kind.tz}" if isinstance(kind, pd.DatetimeTZDtype) else ""
        values = f"{present.min():%Y-%m-%d} to {present.max():%Y-%m-%d}{zone}"
        return ColumnProfile(
            name, "date", missing, distinct, values, tuple(findings), _heights(present.astype("int64"))
        )
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        findings += _odd_numbers(present)
        whole = "whole number" if pd.api.types.is_integer_dtype(kind) else "number"
        finite = present[present.map(math.isfinite)] if pd.api.types.is_float_dtype(kind) else present
        low, middle, high = (finite.min(), finite.median(), finite.max()) if len(finite) else (math.nan,) * 3
        values = f"{_short(low)} to {_short(high)}, median {_short(middle)}"
        return ColumnProfile(name, whole, missing, distinct, values, tuple(findings), _heights(finite))
    if not is_text(column):
        return ColumnProfile(name, str(kind), missing, distinct, shown_value(counts.index[0]), tuple(findings))
    texts = texts_of(present)
    if sum(texts.values()) < len(present):
        types = present.astype(object).map(lambda value: type(value).__name__).value_counts()
        told = ", ".join(f"{n:,} {kind}" for kind, n in sorted(types.items(), key=lambda item: (-item[1], item[0])))
        findings.append(f"several types in one column: {told}" if len(types) > 1 else f"holds values of type {told}")
    findings += _odd_texts(texts) if texts else []
    return _with("mixed" if sum(texts.values()) < len(present) else "text", name, missing, counts, findings)


def _with(kind: str, name: str, missing: int, counts: pd.Series[int], findings: list[str]) -> ColumnProfile:
    usual = sorted(((str(v), v, int(n)) for v, n in counts.head(50).items()), key=lambda item: (-item[2], item[0]))
    if len(counts) > 12 and int(counts.iloc[0]) == 1:
        values = f"all different, such as {shown_value(min(str(v) for v in counts.index[:1000]))}"
    else:
        values = ", ".join(f"{shown_value(v)} {n:,}" for _, v, n in usual[:3])
        values += f" … {len(counts) - 3:,} more" if len(counts) > 3 else ""
    heights = tuple(float(n) for _, _, n in usual[:12]) if len(counts) > 1 and usual[0][2] > 1 else ()
    return ColumnProfile(name, kind, missing, len(counts), values, tuple(findings), heights)


def _odd_numbers(present: pd.Series[Any]) -> Iterator[str]:
    import numpy as np

    values = present.to_numpy(dtype=float, na_value=math.nan)
    infinite = int(np.isinf(values).sum())
    if infinite:
        yield f"{count(infinite, 'value is', 'values are')} infinite"
    values = values[np.isfinite(values)]
    if len(values) < 8:
        return
    low, high = np.quantile(values, (0.25, 0.75))
    width = high - low
    if not width:
        return
    far = values[(values < low - FAR * width) | (values > high + FAR * width)]
    codes = sorted({float(v) for v in far} & _CODES)
    for code in codes:
        times = count(int((far == code).sum()), "time")
        yield f"{_short(code)} occurs {times}, far from all others: a mark for 'not known'?"
    rest = far[~np.isin(far, codes)]
    if len(rest):
        shown = ", ".join(_short(v) for v in sorted(set(rest.tolist()), key=lambda v: -abs(v - (low + high) / 2))[:3])
        yield f"{count(len(rest), 'value lies', 'values lie')} far out: {shown}"


def _odd_texts(texts: dict[str, int]) -> Iterator[str]:
    vocabulary = list(itertools.islice(texts, VOCABULARY))
    times = texts
    marks = markers_among(vocabulary)
    if marks:
        told = ", ".join(repr(mark) for mark in sorted(marks)[:5])
        yield f"{count(sum(times[m] for m in marks), 'text marks', 'texts mark')} a missing value: {told}"
    words = [text for text in vocabulary if text not in set(marks)]
    blank = [text for text in words if text != text.strip()]
    if blank:
        having = count(sum(times[t] for t in blank), "text has", "texts have")
        yield f"{having} blanks around it, such as {shown_value(min(blank))}"
    spelled: dict[str, list[str]] = {}
    for text in words:
        spelled.setdefault(" ".join(text.split()).casefold(), []).append(text)
    if len(spelled) <= max(50, len(words) // 2):
        several = {key: v for key, v in spelled.items() if len({text.strip() for text in v}) > 1}
        if several:
            told = "; ".join(" = ".join(map(shown_value, sorted(v)[:4])) for _, v in sorted(several.items())[:3])
            yield f"{count(len(several), 'value is', 'values are')} spelled in several ways: {told}"
    total = sum(times[t] for t in words)
    some = f" (of the first {VOCABULARY:,} different texts)" if len(texts) > VOCABULARY else ""
    yield from (f"{finding}{some}" for finding in _stored_as_text(words, times, total))
    garbled = [text for text in words if any(sign in text for sign in _GARBLED)]
    if garbled:
        yield f"garbled letters, such as {shown_value(min(garbled))}: read with a wrong encoding?"


def _stored_as_text(words: list[str], times: dict[str, int], total: int) -> Iterator[str]:
    """Whether most of the texts are numbers, dates or yes and no."""
    if not words:
        return
    numbers = read_numbers(words)
    read = sum(times[t] for t in numbers.values)
    if numbers.reason and sum(numbers.forms.values()) >= 0.8 * len(words):
        yield f"looks like numbers stored as text, but {numbers.reason}"
        return
    if read >= 0.8 * total:
        left = sorted(numbers.others, key=lambda t: -times[t])
        unit = f", unit {numbers.unit!r}" if numbers.unit else ""
        but = (
            f"; {count(sum(times[t] for t in left), 'is', 'are')} none: {', '.join(map(shown_value, left[:3]))}"
            if left
            else ""
        )
        yield f"{count(read, 'number')} stored as text{unit}{but}"
        return
    dates = read_dates(words)
    dated = sum(times[t] for t in words if t in dates.values)
    if dates.reason and sum(dates.forms.values()) >= 0.8 * len(words):
        yield f"dates stored as text, but {dates.reason}"
    elif dated >= 0.8 * total:
        forms = f" in {len(dates.forms)} forms: {', '.join(dates.forms)}" if len(dates.forms) > 1 else ""
        yield f"{count(dated, 'date')} stored as text{forms}"
    elif read_booleans(words).whole:
        yield "yes and no stored as text"


def _heights(values: pd.Series[Any]) -> tuple[float, ...]:
    import numpy as np

    if len(values) < 2:
        return ()
    numbers = values.to_numpy(dtype=float, na_value=math.nan)
    low, high = float(numbers.min()), float(numbers.max())
    if not math.isfinite(high - low) or high <= low:
        return ()
    return tuple(float(n) for n in np.histogram(numbers, bins=12, range=(low, high))[0])


def _short(value: Any) -> str:
    number = float(value)
    grouped = "," if abs(number) >= 10_000 else ""  # 2007 is a year
    return (
        f"{number:{grouped}.0f}"
        if (number.is_integer() or abs(number) >= 10_000) and abs(number) < 1e12
        else f"{number:.4g}"
    )


def tables_among(names: Mapping[str, Any], /) -> pd.DataFrame:
    """The tables among variables: for each its rows and columns, in the order in which they were made."""
    import pandas as pd

    found = {
        name: value for name, value in list(names.items()) if isinstance(value, pd.DataFrame) and name[:1] != "_"
    }
    rows = [(name, len(table), len(table.columns)) for name, table in found.items()]
    return pd.DataFrame(rows, columns=["table", "rows", "columns"]).set_index("table")
