"""``write_table``: CSV, Parquet or Excel, atomically, with what the format cannot hold told."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.reading import needed
from llmos_nb.domains.data.view import Shown, count
from llmos_nb.errors import TableError
from llmos_nb.tools import atomic_write

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Written", "write_table"]

_PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    # No time in it: the same table makes the same file.
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
#: Files that were written here, each with what tells that nobody touched it since.
_made: dict[Path, tuple[int, int, int] | None] = {}
_DATABASES: Final = frozenset({".db", ".sqlite", ".sqlite3", ".db3", ".duckdb", ".ddb"})


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """A file that was written; ``notes`` say what looks different in it than in the table."""

    path: str
    rows: int
    columns: int
    size: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self._shown().text()

    __repr__ = __str__

    def _shown(self) -> Shown:
        what = f"{count(self.rows, 'row')}, {count(self.columns, 'column')}, {count(self.size, 'byte')}"
        return Shown(f"Wrote {self.path}: {what}", self.notes)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown().bundle()


def write_table(
    table: pd.DataFrame,
    path: str | os.PathLike[str],
    /,
    *,
    sheet: str = "Sheet1",
    separator: str | None = None,
    decimal: str = ".",
    encoding: str = "utf-8",
    index: bool | None = None,
    replace: bool = True,
) -> Written:
    """Write a table; the name's end says how: ``.csv``, ``.tsv``, ``.txt`` (also ``.gz``, ``.bz2``, ``.xz``), ``.parquet``,
    ``.xlsx``. A file that is there is replaced, all at once or not at all; not without ``replace``.

    Args:
        index: whether the row labels become columns; None does it where they have names.
        replace: whether a file that is there may be replaced. One that this function wrote in this process, and that
            nobody touched since, may always be.

    Raises:
        TableError: the kind is unknown or cannot hold the table, or it is a database, which is only read here; or the
            file is there and is not to be replaced.
        StoreError: the folder cannot be written.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        raise TableError(
            f"write_table takes a DataFrame, got {type(table).__name__}.", remedy="Make one of it first."
        )
    target = Path(path).expanduser()
    packed = target.suffix.lower() if target.suffix.lower() in _PACKERS else ""
    suffix = (target.with_suffix("") if packed else target).suffix.lower()
    if suffix in _DATABASES:
        raise TableError(f"{target.name}: databases are only read here.", remedy="Write .parquet, .csv or .xlsx.")
    if target.is_dir():
        raise TableError(f"{path}: is a folder.", remedy="Name a file in it.")
    if not replace and os.path.lexists(target) and _made.get(target.resolve()) != _mark(target):
        raise TableError(
            f"{path} is there already, and was not made here: nothing is written.",
            remedy=f"Name a file that is not there, e.g. {fresh_name(path)}.",
        )
    frame, notes = _flat(table, index)
    try:
        if suffix in (".csv", ".tsv", ".txt", ".tab"):
            sign = separator or ("\t" if suffix in (".tsv", ".tab") else ";" if decimal == "," else ",")
            text = frame.to_csv(index=False, sep=sign, decimal=decimal, lineterminator="\n")
            data = text.encode(encoding)
        elif suffix in (".parquet", ".pq") and not packed:
            needed("pyarrow", "Parquet files")
            data = _parquet(frame, notes)
        elif suffix == ".xlsx" and not packed:
            needed("openpyxl", "Excel files")
            data = _excel(frame, sheet, notes)
        else:
            raise TableError(
                f"{target.name}: there is no way to write {(suffix + packed) or 'a name without an end'}.",
                remedy="Use .csv, .tsv, .parquet or .xlsx.",
            )
    except UnicodeEncodeError as error:
        raise TableError(
            f"{target.name}: {encoding} has no {error.object[error.start : error.end]!r}.", remedy="Use utf-8."
        ) from error
    except LookupError as error:
        raise TableError(f"{target.name}: {error}.", remedy="utf-8 is an encoding.") from error
    except TableError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        said = " ".join(str(error).split())[:200]
        raise TableError(
            f"{target.name}: this kind of file cannot hold the table ({said}).", remedy="Try .csv."
        ) from error
    if packed:
        data = _PACKERS[packed](data)
    atomic_write(target, data)
    _made[target.resolve()] = _mark(target)
    return Written(os.fspath(path), len(frame), len(frame.columns), len(data), tuple(notes))


def fresh_name(path: str | os.PathLike[str]) -> str:
    """``path``, or the first of ``name_2.csv``, ``name_3.csv`` … that is not there."""
    target, number = Path(path), 2
    stem, ends = target.name.partition(".")[0], target.name.partition(".")[2]
    while os.path.lexists(target.expanduser()):
        target, number = target.with_name(f"{stem}_{number}.{ends}"), number + 1
    return os.fspath(target)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from what it was before; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _flat(table: pd.DataFrame, index: bool | None) -> tuple[pd.DataFrame, list[str]]:
    """Without levels: files have one line of names, and no row labels."""
    import pandas as pd

    frame, notes = table, []
    labelled = any(name is not None for name in frame.index.names) or isinstance(frame.index, pd.MultiIndex)
    if index or (index is None and labelled):
        frame = frame.reset_index(
            names=[str(n) if n is not None else f"index_{i}" for i, n in enumerate(frame.index.names)],
            allow_duplicates=True,
        )
        notes.append("the row labels are columns")
    if isinstance(frame.columns, pd.MultiIndex):
        frame = frame.set_axis([" / ".join(str(p) for p in c if str(p)) for c in frame.columns], axis=1)
        notes.append("column names of several levels are joined with ' / '")
    names = [str(column) for column in frame.columns]
    if len(set(names)) < len(names):
        again = sorted({name for name in names if names.count(name) > 1})
        notes.append(f"several columns are called {', '.join(again[:5])}: read again, they get numbers")
    return frame, notes


def _parquet(frame: pd.DataFrame, notes: list[str]) -> bytes:
    names = [str(column) for column in frame.columns]
    if len(set(names)) < len(names):
        again = next(name for name in names if names.count(name) > 1)
        raise TableError(
            f"A Parquet file cannot have two columns called {again!r}.", remedy="Rename one, or write .csv."
        )
    frame = frame.set_axis(names, axis=1).copy(deep=False)
    frame.attrs = {}
    for name in names:
        if frame[name].dtype == object and len({type(v) for v in frame[name].dropna()}) > 1:
            frame[name] = frame[name].map(lambda v: v if v is None or v != v else str(v))
            notes.append(f"{name} holds values of several types and is written as text")
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _excel(frame: pd.DataFrame, sheet: str, notes: list[str]) -> bytes:
    import pandas as pd
    from openpyxl.utils.exceptions import IllegalCharacterError

    frame = frame.set_axis([str(column) for column in frame.columns], axis=1).copy(deep=False)
    for position in range(len(frame.columns)):
        if isinstance(frame.dtypes.iloc[position], pd.DatetimeTZDtype):
            column = frame.iloc[:, position]
            told = column.map(lambda t: None if pd.isna(t) else t.isoformat()).astype(object)
            frame.isetitem(position, told.to_numpy())
            notes.append(f"{frame.columns[position]} is written as text: Excel has no time zones")
    buffer = io.BytesIO()
    try:
        with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
            frame.to_excel(writer, sheet_name=sheet, index=False)
            for row in writer.sheets[sheet].iter_rows():
                for cell in row:
                    if cell.data_type == "f":  # text that begins with = is text
                        cell.data_type = "s"
    except IllegalCharacterError as error:
        raise TableError(
            "An Excel file cannot hold control characters, and a text has some.", remedy="Write .csv."
        ) from error
    return buffer.getvalue()
