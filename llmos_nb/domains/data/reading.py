"""``read_table``: a DataFrame from CSV, Parquet, Excel, SQLite or DuckDB, with how it was read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.codes import has_zeros, keep_codes, workbook_has_zeros
from llmos_nb.domains.data.sniffing import Layout, kind_of, opened, sniff
from llmos_nb.domains.data.view import Cell, Grid, Shown, count
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Source", "read_table", "source_of", "tables_in"]

#: Where a DataFrame keeps how it was read.
KEY: Final = "read_table"
_NAMES: Final = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar", " ": "blank"}


@dataclass(frozen=True, slots=True, repr=False)
class Source:
    """Where a table came from and how it was read: ``notes`` are sentences, ``columns`` names with types."""

    name: str
    kind: str
    rows: int
    columns: tuple[tuple[str, str, int], ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self._shown().text()

    __repr__ = __str__

    def _shown(self) -> Shown:
        size = f"{count(self.rows, 'row')}, {count(len(self.columns), 'column')}"
        rows = tuple(
            (Cell(name), Cell(kind), Cell(f"{missing:,}" if missing else "")) for name, kind, missing in self.columns
        )
        return Shown(f"{self.name}: {self.kind}, {size}", self.notes, (Grid(("column", "type", "missing"), rows),))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown().bundle()


def read_table(
    source: str | os.PathLike[str],
    table: str | None = None,
    *,
    sheet: str | int | None = None,
    query: str | None = None,
    columns: Sequence[str] | None = None,
    rows: int | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    missing: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read a table from a file. What kind of file it is says its content, not its name.

    How it was read stands in ``source_of(result)``: separator, encoding and decimal sign of a text file are found out
    where they are not given. In a text file or a workbook a column of digits alone stays text if some value begins with a
    zero (a postcode ``01067``), or if it has gaps and its numbers are too long for a float
    (:mod:`llmos_nb.domains.data.codes`). Databases are opened to be read only.

    Args:
        source: a CSV or other text file (also ``.gz``, ``.bz2``, ``.xz``), Parquet, Excel (.xlsx), SQLite or DuckDB.
        table: the table of a database; may be left out where there is one only.
        sheet: the sheet of an Excel file, by name or counting from 0; the first one if None.
        query: a SELECT in place of a table.
        columns: only these columns.
        rows: only so many rows from the beginning.
        missing: texts that stand for a missing value in a text file; pandas' own (empty, NA, null …) if None.

    Raises:
        TableError: the file is absent, empty, damaged, locked or of no such kind, or has no such table, sheet or column.
    """
    path = _file(source)
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 0):
        raise TableError(f"rows must be a count of rows, got {rows!r}.", remedy="Leave it out to read all of them.")
    kind = kind_of(path)
    _check_options(path, kind, table=table, query=query, sheet=sheet, separator=separator, decimal=decimal)
    if kind == "Parquet":
        frame, notes = _parquet(path, columns, rows)
    elif kind == "Excel":
        frame, notes = _excel(path, sheet, rows)
    elif kind in ("SQLite", "DuckDB"):
        from llmos_nb.domains.data.databases import read_database

        frame, notes = read_database(path, kind, table, query, rows)
    else:
        layout = sniff(path, kind, encoding=encoding or "", separator=separator or "", decimal=decimal or "")
        frame, notes = _text(path, kind, layout, rows, missing)
        kind = "text" if layout.separator != "," else "CSV"
    if columns is not None:
        frame = _chosen(frame, columns, path.name)
    frame.attrs[KEY] = {"name": path.name, "kind": kind, "notes": notes}
    return frame


def source_of(frame: pd.DataFrame) -> Source:
    """How a table was read, and its columns as they are now.

    Raises:
        TableError: it is no table, or was made otherwise.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise TableError(f"source_of takes a DataFrame, got {type(frame).__name__}.", remedy="Read one: read_table.")
    said = frame.attrs.get(KEY)
    if not isinstance(said, dict):
        raise TableError("This table was not read by read_table.", remedy="profile(table) tells what is in it.")
    missing = frame.isna().sum().tolist()
    kinds = [str(kind) for kind in frame.dtypes]
    columns = tuple((_named(c), kind, int(n)) for c, kind, n in zip(frame.columns, kinds, missing, strict=True))
    return Source(str(said["name"]), str(said["kind"]), len(frame), columns, tuple(map(str, said["notes"])))


def tables_in(source: str | os.PathLike[str]) -> list[str]:
    """The tables of a database or the sheets of an Excel file; the file's own stem for other kinds.

    Raises:
        TableError: see :func:`read_table`.
    """
    path = _file(source)
    kind = kind_of(path)
    if kind == "Excel":
        with _workbook(path) as book:
            return [str(name) for name in book.sheet_names]
    if kind in ("SQLite", "DuckDB"):
        from llmos_nb.domains.data.databases import tables_of

        return tables_of(path, kind)
    return [path.name.partition(".")[0]]


def _file(source: str | os.PathLike[str]) -> Path:
    if not isinstance(source, str | os.PathLike):
        raise TableError(f"A table is read from a file, got {type(source).__name__}.", remedy="Give its path.")
    text = os.fspath(source)
    if text.partition("://")[0].lower() in ("http", "https", "ftp", "s3", "gs"):
        raise TableError(f"{text[:80]}: tables are read from files, not from the net.", remedy="Download it first.")
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            raise TableError(f"{text}: is a folder.", remedy="Name a file in it.")
        if not path.exists():
            near = sorted(p.name for p in path.parent.glob("*") if p.is_file())[:10] if path.parent.is_dir() else []
            raise TableError(
                f"{text}: there is no such file in {path.parent.absolute().name or '/'}.",
                remedy=f"There are {', '.join(near)}." if near else "Look at the path.",
            )
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TableError(f"{text[:200]}: cannot be read ({why}).", remedy="Look at its permissions.") from error
    return path


def _check_options(path: Path, kind: str, **given: object) -> None:
    """An option that means nothing for this kind of file is a mistake that would go unseen."""
    fitting = {"Excel": {"sheet"}, "SQLite": {"table", "query"}, "DuckDB": {"table", "query"}, "Parquet": set()}
    allowed = fitting.get(kind, {"separator", "decimal"})
    for name, value in given.items():
        if value is not None and name not in allowed:
            raise TableError(
                f"{path.name}: {name} is given, and this file ({kind}) has none.",
                remedy=f"Leave {name} out." if not allowed else f"This kind takes {' and '.join(sorted(allowed))}.",
            )
    for name in ("separator", "decimal"):
        value = given.get(name)
        if value is not None and (not isinstance(value, str) or len(value) != 1):
            raise TableError(f"{name} must be one character, got {value!r}.", remedy="Leave it out: it is found out.")


def _text(
    path: Path, kind: str, layout: Layout, rows: int | None, missing: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    marks: dict[str, Any] = {} if missing is None else {"na_values": list(missing), "keep_default_na": False}

    def read(**how: Any) -> pd.DataFrame:
        with opened(path, kind) as file:
            _skip_sep_line(file, layout)
            found: pd.DataFrame = pd.read_csv(
                file,
                sep=layout.separator,
                encoding=layout.encoding,
                nrows=rows,
                index_col=False,
                low_memory=False,
                skipinitialspace=layout.spaced,
                **marks,
                **how,
            )
            return found

    try:
        frame = read(decimal=layout.decimal, thousands=layout.thousands or None)
        codes = keep_codes(
            frame,
            lambda places: read(dtype=str).iloc[:, places],
            lambda: has_zeros(path, kind, layout),
        )
    except pd.errors.EmptyDataError as error:
        raise TableError(f"{path.name}: has no columns.", remedy="Look at its first lines.") from error
    except pd.errors.ParserError as error:
        raise TableError(
            f"{path.name}: cannot be read with the separator {_NAMES.get(layout.separator, layout.separator)} "
            f"({_reason(error)}).",
            remedy="Look at that line; another separator can be given: separator=';'.",
        ) from error
    except UnicodeError as error:
        raise TableError(
            f"{path.name}: is not {layout.encoding} text throughout ({error}).", remedy="Give its encoding."
        ) from error
    except (OSError, EOFError, ValueError) as error:
        raise TableError(f"{path.name}: cannot be read ({_reason(error)}).", remedy="Look at the file.") from error
    notes = [
        f"separator {_NAMES.get(layout.separator, repr(layout.separator))}, decimal {layout.decimal!r}, "
        f"encoding {layout.encoding}{f', packed with {layout.packed}' if layout.packed else ''}"
    ]
    if layout.spaced:
        notes.append("a blank follows each separator and is not part of a value")
    if layout.thousands:
        notes.append(f"{layout.thousands!r} groups thousands")
    if layout.encoding in ("cp1252", "latin-1"):
        notes.append(f"the encoding is a guess: the text is not UTF-8; look whether {_odd_letters(frame)} is right")
    again = {name: n for name, n in Counter(layout.header).items() if n > 1 and name}
    notes += codes
    notes += [f"{n} columns are called {name!r}: the later ones are {name}.1 …" for name, n in again.items()]
    unnamed = sum(not name.strip() for name in layout.header)
    if unnamed:
        notes.append(f"{count(unnamed, 'column has', 'columns have')} no name: Unnamed")
    return frame, notes


def _skip_sep_line(file: Any, layout: Layout) -> None:
    """Excel's first line ``sep=;`` is no header."""
    start = file.read(64)
    text = start.decode(layout.encoding, "ignore").lstrip("\ufeff")
    line = text.split("\n")[0]
    if line.rstrip("\r") == f"sep={layout.separator}":
        file.seek(len(f"{line}\n".encode(layout.encoding)))
    else:
        file.seek(0)


def _odd_letters(frame: pd.DataFrame) -> str:
    for column in frame.columns:
        if not str(column).isascii():
            return repr(str(column)[:40])
        for value in frame[column].head(10_000):
            if isinstance(value, str) and not value.isascii():
                return repr(value[:40])
    return "the text"


def _parquet(path: Path, columns: Sequence[str] | None, rows: int | None) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    needed("pyarrow", "Parquet files")
    try:
        with path.open("rb") as file:
            frame = pd.read_parquet(file)
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        raise TableError(
            f"{path.name}: is a damaged Parquet file ({_reason(error)}).", remedy="Fetch it again."
        ) from error
    return (frame if rows is None else frame.head(rows)), ["the columns have the types that the file says"]


def _excel(path: Path, sheet: str | int | None, rows: int | None) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    with _workbook(path) as book:
        names = [str(name) for name in book.sheet_names]
        if isinstance(sheet, int) and 0 <= sheet < len(names):
            chosen = names[sheet]
        elif sheet is None:
            chosen = names[0]
        elif sheet in names:
            chosen = str(sheet)
        else:
            raise TableError(f"{path.name}: has no sheet {sheet!r}.", remedy=f"It has {', '.join(names[:20])}.")
        try:
            frame = pd.read_excel(book, sheet_name=chosen, nrows=rows)
            codes = keep_codes(
                frame,
                lambda places: pd.read_excel(book, sheet_name=chosen, nrows=rows, dtype=str).iloc[:, places],
                lambda: workbook_has_zeros(path),
            )
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise TableError(
                f"{path.name}: the sheet {chosen!r} cannot be read ({_reason(error)}).",
                remedy="Save it anew as .xlsx.",
            ) from error
    if not len(frame.columns):
        raise TableError(f"{path.name}: the sheet {chosen!r} is empty.", remedy=f"It has {', '.join(names[:20])}.")
    others = [name for name in names if name != chosen]
    notes = [f"sheet {chosen!r}" + (f"; there are also {', '.join(map(repr, others[:10]))}" if others else "")]
    return frame, notes + codes


def _workbook(path: Path) -> pd.ExcelFile:
    import zipfile

    import pandas as pd

    needed("openpyxl", "Excel files")
    try:
        with path.open("rb"):
            return pd.ExcelFile(path, engine="openpyxl")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise TableError(
            f"{path.name}: is no Excel file, or a damaged one ({_reason(error)}).",
            remedy="Unpack it if it is a zip of tables; else save it anew as .xlsx.",
        ) from error


def needed(module: str, what: str) -> None:
    """Say which package is missing where one is."""
    import importlib.util

    if importlib.util.find_spec(module) is None:
        raise TableError(f"{what} need the package {module}.", remedy="pip install 'llmos-nb[data]'")


def _chosen(frame: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    wanted = [columns] if isinstance(columns, str) else list(columns)
    gone = [column for column in wanted if column not in frame.columns]
    if gone:
        there = ", ".join(map(_named, frame.columns[:20]))
        raise TableError(f"{name}: has no column {', '.join(map(str, gone))}.", remedy=f"It has {there}.")
    return frame[wanted]


def _named(column: object) -> str:
    return " / ".join(map(str, column)) if isinstance(column, tuple) else str(column)


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split()).replace("Error tokenizing data. C error: ", "")
    return (text or type(error).__name__)[:200]
