"""The state database of a workspace: the trace index (which the files can rebuild), the ledger and the use counts.

SQLite in WAL mode by default; any SQLAlchemy URL (``LLMOS_STATE_URL``) for many machines on one budget. Every table
is declared on :data:`METADATA` by the module that owns it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from llmos_nb.errors import StoreError

__all__ = ["METADATA", "open_state", "reading", "writing"]

#: All tables of the state database; each is declared beside the code that owns it.
METADATA = sa.MetaData()

#: Seconds that a writer waits for another kernel's write to end.
BUSY_TIMEOUT_S = 10.0
#: The advisory lock that writers of one PostgreSQL database take in turn; any number, the same for all.
WRITE_LOCK = 0x6C6C6D6F73


def open_state(location: Path | str | None) -> sa.Engine:
    """The engine for a state database: a file's path, an SQLAlchemy URL, or None for one in memory.

    Creates the file and whatever tables are missing.

    Raises:
        StoreError: the database cannot be opened or is not one.
    """
    if location is None:
        engine = sa.create_engine(
            "sqlite://",
            # One connection that threads take in turn: on a shared one their transactions would run into each other.
            poolclass=sa.pool.QueuePool,
            pool_size=1,
            max_overflow=0,
            connect_args={"check_same_thread": False},
        )
    elif isinstance(location, str) and "://" in location:
        try:
            engine = sa.create_engine(location)
        except (sa.exc.ArgumentError, ImportError) as error:  # a malformed URL, or its database driver is missing
            raise StoreError(
                f"The URL of the state database cannot be used ({type(error).__name__}: {error}).",
                remedy="Check LLMOS_STATE_URL, and that the database's Python driver is installed.",
            ) from None
    else:
        path = Path(location)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{path.parent}: cannot be created ({error.strerror or error}).",
                remedy="Choose a workspace folder that you can write to.",
            ) from error
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        )
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, wal=location is not None)
    try:
        # Under the write lock: two kernels that start together must not both find the tables missing.
        with _write_locked(engine) as connection:
            METADATA.create_all(connection)
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        engine.dispose()
        reason = error.orig if isinstance(error, sa.exc.DatabaseError) else error
        raise StoreError(
            f"{engine.url.render_as_string(hide_password=True)}: the state database cannot be used ({reason}).",
            remedy="Check that the folder is writable and the disk not full. If the file is damaged, move it away: "
            "the index is rebuilt from the trace files, but the ledger starts anew.",
        ) from error
    return engine


def _prepare_sqlite(engine: sa.Engine, *, wal: bool) -> None:
    @sa.event.listens_for(engine, "connect")
    def _connect(connection, record):  # type: ignore[no-untyped-def]
        connection.isolation_level = None  # transactions are begun by us, so that BEGIN IMMEDIATE can be said
        if wal:
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=NORMAL")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection):  # type: ignore[no-untyped-def]
        immediate = connection.get_execution_options().get("llmos_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite's own waiting does not cover this, so kernels that start together retry."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def _write_locked(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect().execution_options(llmos_write=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":  # SQLite's BEGIN IMMEDIATE does this there
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITE_LOCK)))
        yield connection


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that holds the write lock from its start, so that what it reads stays true until it commits.

    Raises:
        StoreError: the disk is full, read-only, or another kernel holds the lock for too long.
    """
    with _explained(engine, "written"), _write_locked(engine) as connection:
        yield connection


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only reads, and sees one moment.

    Raises:
        StoreError: the database cannot be read.
    """
    with _explained(engine, "read"), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def _explained(engine: sa.Engine, attempted: str) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        if type(error) not in (sa.exc.OperationalError, sa.exc.DatabaseError):
            raise  # a broken constraint or a wrong statement is the caller's affair
        raise StoreError(
            f"{engine.url}: the state database cannot be {attempted} ({error.orig}).",
            remedy="Check that the disk is not full and the folder writable, and that no other kernel hangs.",
        ) from error
