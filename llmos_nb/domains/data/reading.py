"""``read_table``: a DataFrame from CSV, Parquet, Excel, SQLite or DuckDB, with how it was read."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.data.codes import has_codes, has_powers, keep_codes, occurs
from llmos_nb.domains.data.decimals import grouped_columns, in_doubt, left_as_text
from llmos_nb.domains.data.endings import column_notes, ending_notes
from llmos_nb.domains.data.heading import heading_notes
from llmos_nb.domains.data.marks import IN_TEXT, kept_marks
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
    header: int | None = None,
) -> pd.DataFrame:
    """Read a table from a file. What kind of file it is says its content, not its name.

    How it was read stands in ``source_of(result)``: separator, encoding and decimal sign of a text file, and the line of
    the names, are found out where they are not given. What can be read in two ways stays text, and that is told: ``1.200``
    beside ``980`` in a file that shows no decimal sign (:mod:`llmos_nb.domains.data.decimals`), and in a text file or a
    workbook a column of digits alone if some value begins with a zero (a postcode ``01067``), or if it has gaps and its
    numbers are too long for a float (:mod:`llmos_nb.domains.data.codes`). Databases are opened to be read only.

    Args:
        source: a CSV or other text file (also ``.gz``, ``.bz2``, ``.xz``), Parquet, Excel (.xlsx), SQLite or DuckDB.
        table: the table of a database; may be left out where there is one only.
        sheet: the sheet of an Excel file, by name or counting from 0; the first one if None.
        query: a SELECT in place of a table.
        columns: only these columns.
        rows: only so many rows from the beginning.
        missing: texts that stand for a missing value in a text file; pandas' own (empty, NA, null …) if None, of which
            each is told that occurs, and ``NA`` stays among codes of two capitals.
        header: the line of a text file or a sheet that has the names, counted from 1; 0 where none has. Found out if None.

    Raises:
        TableError: the file is absent, empty, damaged, locked or of no such kind, or has no such table, sheet or column.
    """
    path = _file(source)
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 0):
        raise TableError(f"rows must be a count of rows, got {rows!r}.", remedy="Leave it out to read all of them.")
    kind = kind_of(path)
    _check_options(
        path, kind, table=table, query=query, sheet=sheet, separator=separator, decimal=decimal, header=header
    )
    if kind == "Parquet":
        frame, notes = _parquet(path, columns, rows)
    elif kind == "Excel":
        from llmos_nb.domains.data.workbooks import read_workbook

        frame, notes = read_workbook(path, sheet, rows, header)
    elif kind in ("SQLite", "DuckDB"):
        from llmos_nb.domains.data.databases import read_database

        frame, notes = read_database(path, kind, table, query, rows)
    else:
        layout = sniff(
            path, kind, encoding=encoding or "", separator=separator or "", decimal=decimal or "", header=header
        )
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
        from llmos_nb.domains.data.workbooks import sheets_of

        return sheets_of(path)
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
    fitting = {
        "Excel": {"sheet", "header"},
        "SQLite": {"table", "query"},
        "DuckDB": {"table", "query"},
        "Parquet": set(),
    }
    allowed = fitting.get(kind, {"separator", "decimal", "header"})
    for name, value in given.items():
        if value is not None and name not in allowed:
            raise TableError(
                f"{path.name}: {name} is given, and this file ({kind}) has none.",
                remedy=f"Leave {name} out." if not allowed else f"This kind takes {' and '.join(sorted(allowed))}.",
            )
    line = given.get("header")
    if line is not None and (isinstance(line, bool) or not isinstance(line, int) or line < 0):
        raise TableError(f"header must be the number of a line, got {line!r}.", remedy="1 is the first; 0 is none.")
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
        with opened(path, kind) as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            _skip_sep_line(file, layout)
            found: pd.DataFrame = pd.read_csv(
                file,
                sep=layout.separator,
                encoding=layout.encoding,
                nrows=rows,
                header=0 if layout.header else None,
                index_col=0 if layout.named_rows else False,
                skiprows=layout.skip,
                low_memory=False,
                skipinitialspace=layout.spaced,
                **{**marks, **how},
            )
        if layout.named_rows:
            found = found.reset_index(names="row")
        return found if layout.header else found.rename(columns=lambda place: f"column_{place + 1}")

    def texts(places: list[int]) -> pd.DataFrame:
        return read(dtype=str).iloc[:, places]

    try:
        frame = read(decimal=layout.decimal)
        said = [] if layout.proved else in_doubt(frame, texts, measured=layout.separator != ";")
        said += keep_codes(
            frame, texts, lambda: has_codes(path, kind, layout), lambda: has_powers(path, kind, layout)
        )
        if missing is None and frame.isna().any(axis=None) and occurs(path, kind, layout, IN_TEXT):
            said += kept_marks(
                frame, lambda places: read(dtype=str, keep_default_na=False, na_values=[""]).iloc[:, places]
            )
    except pd.errors.EmptyDataError as error:
        raise TableError(f"{path.name}: has no columns.", remedy="Look at its first lines.") from error
    except pd.errors.ParserWarning as error:
        raise TableError(
            f"{path.name}: its rows have more values than there are names: {', '.join(layout.header[:8])}.",
            remedy="If the names stand in another line, say which: header=2; if nowhere, header=0.",
        ) from error
    except pd.errors.ParserError as error:
        raise TableError(
            f"{path.name}: cannot be read with the separator {_NAMES.get(layout.separator, layout.separator)} "
            f"({reason_of(error)}).",
            remedy="Look at that line; another separator can be given: separator=';'.",
        ) from error
    except UnicodeError as error:
        raise TableError(
            f"{path.name}: is not {layout.encoding} text throughout ({error}).", remedy="Give its encoding."
        ) from error
    except (OSError, EOFError, ValueError) as error:
        raise TableError(f"{path.name}: cannot be read ({reason_of(error)}).", remedy="Look at the file.") from error
    notes = [
        f"separator {_NAMES.get(layout.separator, repr(layout.separator))}, decimal {layout.decimal!r}, "
        f"encoding {layout.encoding}{f', packed with {layout.packed}' if layout.packed else ''}"
    ]
    if layout.spaced:
        notes.append("a blank follows each separator and is not part of a value")
    if layout.encoding in ("cp1252", "latin-1"):
        notes.append(f"the encoding is a guess: the text is not UTF-8; look whether {_odd_letters(frame)} is right")
    again = {name: n for name, n in Counter(layout.header).items() if n > 1 and name}
    notes += heading_notes(layout.above, layout.header)
    if layout.short:
        notes.append(
            f"{count(layout.short, 'row has', 'rows have')} fewer values than there are names, as far as was looked"
        )
    if layout.named_rows:
        notes.append("each row has a value more than there are names: the first one is called 'row'")
    notes += said
    notes += [f"{n} columns are called {name!r}: the later ones are {name}.1 …" for name, n in again.items()]
    frame, unnamed = without_blanks(frame, [place for place, name in enumerate(layout.header) if not name.strip()])
    notes += unnamed
    notes += settled(frame, layout.decimal, proved=layout.proved, quoted=layout.separator == ",", told=said)
    return frame, notes


def without_blanks(frame: pd.DataFrame, places: Sequence[int]) -> tuple[pd.DataFrame, list[str]]:
    """Leave out those columns at ``places``, which have no name, that have no value either; what is to be said of them."""
    unnamed = [place for place in places if place < len(frame.columns)]
    empty = [place for place in unnamed if len(frame) and bool(frame.iloc[:, place].isna().all())]
    said = []
    if empty:
        frame = frame.iloc[:, [place for place in range(len(frame.columns)) if place not in empty]]
        said.append(f"{count(len(empty), 'column')} without a name and without a value left out")
    if len(unnamed) > len(empty):
        said.append(f"{count(len(unnamed) - len(empty), 'column has', 'columns have')} no name: Unnamed")
    return frame, said


def settled(frame: pd.DataFrame, decimal: str, *, proved: bool, quoted: bool, told: Sequence[str]) -> list[str]:
    """Read the numbers of a table that have groups of thousands; returns what to say of them and of what is left odd."""
    said = grouped_columns(frame, decimal, proved=proved, quoted=quoted, told=told)
    return [*said, *left_as_text(frame, [*told, *said]), *column_notes(frame), *ending_notes(frame)]


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
            f"{path.name}: is a damaged Parquet file ({reason_of(error)}).", remedy="Fetch it again."
        ) from error
    return (frame if rows is None else frame.head(rows)), ["the columns have the types that the file says"]


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


def reason_of(error: BaseException) -> str:
    text = " ".join(str(error).split()).replace("Error tokenizing data. C error: ", "")
    return (text or type(error).__name__)[:200]
