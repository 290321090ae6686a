"""Tables in SQLite and DuckDB files: opened to be read only, whatever the query says."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_database", "tables_of"]

#: What a query of SQLite may do; all else (attaching files, settings, writing) is refused by SQLite itself.
_ALLOWED: Final = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
#: Seconds to wait for another program's lock.
PATIENCE_S: Final = 3.0
_SELECT: Final = re.compile(r"\s*(?:select|with|from|values|table)\b", re.IGNORECASE)


def tables_of(path: Path, kind: str) -> list[str]:
    """The names of a database's tables and views."""
    with _opened(path, kind) as database:
        return _names(database, kind)


def read_database(
    path: Path, kind: str, table: str | None, query: str | None, rows: int | None
) -> tuple[pd.DataFrame, list[str]]:
    """A table, or what a SELECT gives, with notes on it."""
    if table is not None and query is not None:
        raise TableError(f"{path.name}: both a table and a query are given.", remedy="Give one of them.")
    if query is not None and not _SELECT.match(query):
        raise TableError(f"{path.name}: {query[:60]!r} is no SELECT.", remedy="Databases are only read here.")
    with _opened(path, kind) as database:
        names = _names(database, kind)
        notes = []
        if query is None:
            table = _one_of(path, names, table)
            query = f"SELECT * FROM {_quoted(table)}"
            others = [name for name in names if name != table]
            more = f"; there are also {', '.join(map(repr, others[:10]))}" if others else ""
            notes.append(f"table {table!r}{more}")
        else:
            notes.append(f"query {' '.join(query.split())[:200]!r}")
            query = query.strip().rstrip(";")
        if rows is not None:
            query = f"SELECT * FROM ({query}) LIMIT {rows}"
        return _fetched(database, path, kind, query), notes


def _one_of(path: Path, names: list[str], table: str | None) -> str:
    listed = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
    if table is not None and table in names:
        return table
    if table is not None:
        raise TableError(f"{path.name}: has no table {table!r}.", remedy=f"It has {listed or 'none'}.")
    if len(names) == 1:
        return names[0]
    if not names:
        raise TableError(f"{path.name}: is a database without tables.", remedy="Name another file.")
    raise TableError(f"{path.name}: has {len(names)} tables: {listed}.", remedy=f"Say which: table={names[0]!r}.")


def _names(database: Any, kind: str) -> list[str]:
    if kind == "SQLite":
        found = database.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        return sorted(str(name) for (name,) in found.fetchall())
    found = database.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
    )
    return [str(name) for (name,) in found.fetchall()]


@contextlib.contextmanager
def _opened(path: Path, kind: str) -> Iterator[Any]:
    opened = _sqlite(path) if kind == "SQLite" else _duckdb(path)
    with opened as database:
        try:
            yield database
        except sqlite3.Error as error:
            raise _problem(path, kind, error) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb"):
                raise
            raise _problem(path, kind, error) from error


@contextlib.contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    address = f"file:{urllib.parse.quote(str(path.absolute()))}?mode=ro"
    try:
        database = sqlite3.connect(address, uri=True, timeout=PATIENCE_S)
    except sqlite3.Error as error:
        raise _problem(path, "SQLite", error) from error
    try:
        database.text_factory = lambda data: data.decode("utf-8", "replace")
        database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def _duckdb(path: Path) -> Iterator[Any]:
    from llmos_nb.domains.data.reading import needed

    needed("duckdb", "DuckDB files")
    import duckdb

    try:
        database = duckdb.connect(
            str(path), read_only=True, config={"enable_external_access": "false", "lock_configuration": "true"}
        )
    except duckdb.Error as error:
        raise _problem(path, "DuckDB", error) from error
    try:
        yield database
    finally:
        database.close()


def _fetched(database: Any, path: Path, kind: str, query: str) -> pd.DataFrame:
    import pandas as pd

    if kind == "DuckDB":
        return database.execute(query).df()  # type: ignore[no-any-return]
    cursor = database.execute(query)
    names = [str(column[0]) for column in cursor.description]
    frame = pd.DataFrame.from_records(cursor.fetchall(), columns=range(len(names)), coerce_float=True)
    frame.columns = pd.Index(names)  # two may be called the same
    return frame.infer_objects()


def _problem(path: Path, kind: str, error: BaseException) -> TableError:
    said = " ".join(str(error).split())[:200]
    low = said.lower()
    if "lock" in low:
        return TableError(
            f"{path.name}: is locked by another program or connection ({said}).",
            remedy="Close the other connection, or copy the file and read the copy.",
        )
    if "different configuration" in low:
        return TableError(
            f"{path.name}: this kernel has it open for writing.", remedy="Close that connection first: close()."
        )
    if "prohibited" in low or "not authorized" in low or "disabled" in low or "read-only" in low:
        return TableError(f"{path.name}: databases are only read here ({said}).", remedy="Use a SELECT.")
    if "malformed" in low or "not a database" in low or "corrupt" in low or "serializ" in low or "checksum" in low:
        return TableError(f"{path.name}: is a damaged {kind} file ({said}).", remedy="Fetch it again, or a backup.")
    return TableError(f"{path.name}: {said}.", remedy="Look at the table's name or the query.")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
