"""What stands below a table and is none of its rows: a total, or a line that says where it is from. Told, not dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.values import is_text
from llmos_nb.domains.data.view import count, shown_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ending_notes"]

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
