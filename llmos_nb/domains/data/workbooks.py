"""Sheets of Excel files: which there are, where their names stand, and what is told of how one was read."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.codes import keep_codes, workbook_has, workbook_has_codes
from llmos_nb.domains.data.heading import head_of, heading_notes
from llmos_nb.domains.data.marks import IN_WORKBOOK, kept_marks
from llmos_nb.domains.data.reading import needed, reason_of, settled, without_blanks
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_workbook", "sheets_of"]

#: What is to be told wherever a workbook has it.
_TOLD: Final = (
    (re.compile(rb'<c [^>]*t="e"'), "cells with an error, such as #DIV/0!, are read as missing"),
    (
        re.compile(rb"</f><v\s*/>|</f><v></v>|</f></c>"),
        "formulas without a stored value are read as missing: save it in Excel",
    ),
    (
        re.compile(rb'<mergeCell ref="[A-Z]+([2-9]|\d\d+):(?![A-Z]+\1")'),
        "some cells are merged over several rows: only the first of each has the value",
    ),
)
#: Rows of a sheet that are looked at to find the names.
_LOOKED_AT: Final = 60


def sheets_of(path: Path) -> list[str]:
    """The names of a workbook's sheets."""
    with _workbook(path) as book:
        return [str(name) for name in book.sheet_names]


def read_workbook(
    path: Path, sheet: str | int | None, rows: int | None, header: int | None
) -> tuple[pd.DataFrame, list[str]]:
    """A sheet, with notes on it; ``header`` is the row that has the names, from 1; 0 for none."""
    import pandas as pd

    with _workbook(path) as book:
        names = [str(name) for name in book.sheet_names]
        chosen = _chosen(path, names, sheet)
        try:
            top = _top(book, chosen)
            place = header - 1 if header else _head(top) if header is None else 0
            how: dict[str, Any] = {"sheet_name": chosen, "nrows": rows, "skiprows": place}

            def texts(**more: Any) -> pd.DataFrame:
                again: pd.DataFrame = pd.read_excel(book, **how, header=0 if header != 0 else None, dtype=str, **more)
                return again

            frame = pd.read_excel(book, **how, header=0 if header != 0 else None)
            coded = functools.partial(workbook_has_codes, path)
            said = keep_codes(frame, lambda places: texts().iloc[:, places], coded, coded)
            if workbook_has(path, IN_WORKBOOK):
                said += kept_marks(frame, lambda places: texts(keep_default_na=False, na_values=[""]).iloc[:, places])
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise TableError(
                f"{path.name}: the sheet {chosen!r} cannot be read ({reason_of(error)}).",
                remedy="Save it anew as .xlsx.",
            ) from error
    if not len(frame.columns):
        raise TableError(f"{path.name}: the sheet {chosen!r} is empty.", remedy=f"It has {', '.join(names[:20])}.")
    if header == 0:
        frame = frame.rename(columns=lambda column: f"column_{column + 1}")
    others = [name for name in names if name != chosen]
    notes = [f"sheet {chosen!r}" + (f"; there are also {', '.join(map(repr, others[:10]))}" if others else "")]
    if plain := next((name for name in others if name.isidentifier()), ""):
        notes.append(f"“load sheet {plain} of {path.name}” loads another")
    elif others:
        notes.append(f"read_table({path.name!r}, sheet={others[0]!r}) reads another")
    above = ["; ".join(field for field in row if field) for row in top[:place]]
    given = top[place] if header != 0 and place < len(top) else []
    blank = [place for place, column in enumerate(frame.columns) if str(column).startswith("Unnamed: ")]
    frame, unnamed = without_blanks(frame, blank)
    notes += heading_notes([line for line in above if line], given)
    notes += unnamed
    notes += [said for pattern, said in _TOLD if workbook_has(path, pattern)]
    return frame, [*notes, *said, *settled(frame, ".", proved=False, quoted=True, told=said)]


def _chosen(path: Path, names: Sequence[str], sheet: str | int | None) -> str:
    """The name of the sheet; as a person says it where no other is called so but for capitals and blanks."""
    if isinstance(sheet, int) and 0 <= sheet < len(names):
        return names[sheet]
    if sheet is None:
        return names[0]
    alike = [name for name in names if name.strip().casefold() == str(sheet).strip().casefold()]
    if sheet in names or len(alike) == 1:
        return str(sheet) if sheet in names else alike[0]
    raise TableError(f"{path.name}: has no sheet {sheet!r}.", remedy=f"It has {', '.join(names[:20])}.")


def _top(book: pd.ExcelFile, sheet: str) -> list[list[str]]:
    """The first rows of a sheet as texts; what is empty is an empty text."""
    import pandas as pd

    first = pd.read_excel(book, sheet_name=sheet, header=None, nrows=_LOOKED_AT, dtype=object, keep_default_na=False)
    return [["" if value is None else str(value).strip() for value in row] for row in first.to_numpy().tolist()]


def _head(top: Sequence[Sequence[str]]) -> int:
    """The row of a sheet that has the names, counted from 0."""
    filled = [place for place, row in enumerate(top) if any(row)]
    if not filled:
        return 0
    used = [column for column in range(max(map(len, top))) if any(row[column] for row in top)]
    gaps = [place > 0 and place - 1 not in filled for place in filled]
    return filled[head_of([[top[place][column] for column in used] for place in filled], gaps, padded=True)]


def _workbook(path: Path) -> pd.ExcelFile:
    import zipfile

    import pandas as pd

    needed("openpyxl", "Excel files")
    try:
        with path.open("rb"):
            return pd.ExcelFile(path, engine="openpyxl")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise TableError(
            f"{path.name}: is no Excel file, or a damaged one ({reason_of(error)}).",
            remedy="Unpack it if it is a zip of tables; else save it anew as .xlsx.",
        ) from error
