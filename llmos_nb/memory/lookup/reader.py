"""Reading the state database fast: a question is compiled once, and SQLite is asked without SQLAlchemy in between.

SQLAlchemy takes about 100 microseconds to hand one row through, SQLite itself needs 8. Only reading goes this way;
every write is a transaction of :func:`llmos_nb.kernel.state.writing`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from llmos_nb.errors import StoreError
from llmos_nb.kernel.state import BUSY_TIMEOUT_S

__all__ = ["Question", "Reader", "question"]

_DIALECT: Final = sqlite.dialect(paramstyle="qmark")


@dataclass(frozen=True, slots=True)
class Question:
    """A SELECT, and the same as SQLite takes it: ``names`` are its parameters in order, ``fixed`` those with values."""

    statement: sa.Select[Any]
    sql: str
    names: tuple[str, ...]
    fixed: dict[str, Any]


def question(statement: sa.Select[Any]) -> Question:
    """Compile a SELECT. Its results come as the database has them: in SQLite a boolean is 0 or 1."""
    compiled: Any = statement.compile(dialect=_DIALECT)
    names = tuple(compiled.positiontup or ())
    return Question(statement, str(compiled), names, {name: compiled.params[name] for name in names})


class Reader:
    """Asks questions of one state database; threads may share it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        url = engine.url
        plain = engine.dialect.name == "sqlite" and url.database and not url.query
        #: The file to open; None where SQLAlchemy has to be asked (PostgreSQL, a database in memory).
        self._path = url.database if plain and url.database not in (":memory:", "") else None
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._opened = 0
        self._lock = threading.Lock()
        this = weakref.ref(self)

        def disposed(engine: sa.Engine) -> None:
            reader = this()
            if reader is not None:
                reader.close()

        sa.event.listen(engine, "engine_disposed", disposed)

    def close(self) -> None:
        """Let go of the connection; the next question opens another."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def __del__(self) -> None:
        connection = getattr(self, "_connection", None)  # a reader whose making failed has none
        if connection is not None and self._process == os.getpid():
            connection.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():  # SQLite's connections do not outlive a fork
            assert self._path is not None
            self._connection = sqlite3.connect(
                f"{Path(self._path).absolute().as_uri()}?mode=rw",  # rw: a file that is gone is not made anew here
                uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False,
            )  # fmt: skip
            self._process = os.getpid()
            self._opened += 1
        return self._connection

    def ask(self, question: Question, /, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of the answer.

        Raises:
            StoreError: the database cannot be read.
        """
        try:
            if self._path is None:
                with self.engine.connect() as connection:
                    return [tuple(row) for row in connection.execute(question.statement, values)]
            fixed = question.fixed
            given = [values[name] if name in values else fixed[name] for name in question.names]
            with self._lock:
                try:
                    return self._open().execute(question.sql, given).fetchall()
                except sqlite3.Error:
                    self._drop()
                    raise
        except (sa.exc.DatabaseError, sqlite3.Error) as error:
            raise self._error(error) from error

    def version(self) -> tuple[int, int] | None:
        """What changes whenever anybody else commits to the database, ourselves included; None where nothing tells.

        Raises:
            StoreError: the database cannot be read.
        """
        if self._path is None:
            return None
        with self._lock:
            try:
                (found,) = self._open().execute("PRAGMA data_version").fetchone()
            except sqlite3.Error as error:
                self._drop()
                raise self._error(error) from error
            return self._opened, found

    def _error(self, error: Exception) -> StoreError:
        reason = error.orig if isinstance(error, sa.exc.DatabaseError) else error
        return StoreError(
            f"{self.engine.url}: the trace index cannot be read ({reason}).",
            remedy="Open the store anew: the index is rebuilt from the trace files.",
        )
