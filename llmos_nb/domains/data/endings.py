"""What is odd in a table as it was read: a total in its last row, columns without a value or with values of several kinds,
days that are written as numbers. It is told; nothing is changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.values import is_text
from llmos_nb.domains.data.view import count, shown_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["column_notes", "ending_notes"]

#: Values of a column that are looked at.
_LOOKED_AT: Final = 2000
#: What a column of days or of moments is called, as a part of its name.
_OF_TIME: Final = re.compile(
    r"(?:^|[^a-z])(?:date|datum|day|tag|time|zeit|when|timestamp|created|updated|fecha|jour)(?:$|[^a-z])"
)

#: What a row of totals is called, and its parts.
_TOTALS: Final = frozenset(
    ("total", "totals", "sum", "sums", "summe", "gesamt", "gesamtsumme", "insgesamt", "grand", "subtotal", "overall",
     "all", "zwischensumme", "totale", "somme", "suma", "totaal")
)  # fmt: skip


def ending_notes(frame: pd.DataFrame) -> list[str]:
    """What is to be told of the last row, and of rows without any value."""
    if len(frame) < 2 or len(frame.columns) < 2:
        return []
    notes = []
    blank = int(frame.isna().all(axis=1).sum())
    if blank:
        notes.append(f"{count(blank, 'row has', 'rows have')} no value at all")
    last = frame.iloc[-1]
    there = [(place, value) for place, value in enumerate(last.tolist()) if not last.isna().iloc[place]]
    said = next(((place, value) for place, value in there if isinstance(value, str) and value.strip()), None)
    if said is None:
        return notes
    place, label = said
    column = str(frame.columns[place])
    if len(there) == 1 and len(last) > 2:
        notes.append(f"the last row has one value only: {shown_value(label)} in {column}")
    elif _is_total(label) or (len(frame) > 3 and _sums(frame)):
        notes.append(
            f"the last row may be a total: {shown_value(label)} in {column}; "
            f"“drop the rows where {column} is '{label}'” leaves it out"
        )
    return notes


def _is_total(label: str) -> bool:
    words = label.strip().rstrip(":").casefold().split()
    return bool(words) and words[0].rstrip(":") in _TOTALS and len(words) <= 3


def _sums(frame: pd.DataFrame) -> bool:
    """Whether the last row has the sums of all columns of numbers, some of which are not 0."""
    import numpy as np

    seen = False
    for place in range(len(frame.columns)):
        column: Any = frame.iloc[:, place]
        if is_text(column) or column.dtype.kind not in "iuf":
            continue
        values = column.to_numpy(dtype=float)
        if not np.isclose(np.nansum(values[:-1]), values[-1]) or values[-1] == 0:
            return False
        seen = True
    return seen


def column_notes(frame: pd.DataFrame) -> list[str]:
    """What is to be told of columns that have no value, values of several kinds, or days as numbers."""
    if not len(frame):
        return []
    notes = []
    empty = [str(frame.columns[place]) for place, full in enumerate(frame.notna().any().tolist()) if not full]
    if empty:
        notes.append(
            f"{', '.join(empty[:5])}{' …' if len(empty) > 5 else ''} {'has' if len(empty) == 1 else 'have'} no value"
        )
    for place in range(len(frame.columns)):
        column, name = frame.iloc[:, place], str(frame.columns[place])
        if column.dtype == object:
            kinds = sorted({type(value).__name__ for value in column.dropna().head(_LOOKED_AT)})
            if len(kinds) > 1:
                notes.append(f"{name} has values of several kinds: {', '.join(kinds)}")
        elif column.dtype.kind in "if" and (days := _days(column.dropna(), name)):
            notes.append(f"{name} holds numbers; {days}")
    return notes


def _days(values: Any, name: str) -> str:
    """What a column's whole numbers may stand for, if that is days or moments; empty otherwise."""
    import pandas as pd

    if not len(values) or bool((values % 1 != 0).any()):
        return ""
    low, high, first = int(values.min()), int(values.max()), int(values.iloc[0])
    if low >= 19000101 and high <= 20991231:
        read = pd.to_datetime(values.head(_LOOKED_AT).astype("int64").astype(str), format="%Y%m%d", errors="coerce")
        return f"{first} may be the day {read.iloc[0].date()}" if bool(read.notna().all()) else ""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    if not _OF_TIME.search(words):
        return ""
    if low >= 20_000 and high <= 60_000:
        day = pd.Timestamp("1899-12-30") + pd.Timedelta(days=first)
        return f"{first} may be the day {day.date()}, as Excel counts them"
    for unit, size in (("s", 1), ("ms", 1000)):
        if low >= 500_000_000 * size and high <= 4_000_000_000 * size:
            return f"{first} may be the moment {pd.Timestamp(first, unit=unit)} UTC, as computers count"
    return ""
