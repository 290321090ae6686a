"""The state database of a workspace: the trace index (which the files can rebuild), the ledger and the use counts.

SQLite in WAL mode by default; any SQLAlchemy URL (``LLMOS_STATE_URL``) for many machines on one budget. Every table
is declared on :data:`METADATA` by the module that owns it.

Beside SQLite's file lies a copy of the ledger in plain text (:mod:`llmos_nb.kernel.ledger_copy`). A database that was
deleted is made anew with it, one that is damaged is set aside first, and a person is told either way.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import warnings
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import make_folder, sweep_temporaries
from llmos_nb.kernel.ledger_copy import LedgerCopy
from llmos_nb.kernel.locks import locked
from llmos_nb.kernel.migrations import VERSION, check_version, migrate, note_version, version_of

__all__ = ["METADATA", "make_tables", "open_state", "reading", "writing"]

#: All tables of the state database; each is declared beside the code that owns it.
METADATA = sa.MetaData()

#: Seconds that a writer waits for another kernel's write to end.
BUSY_TIMEOUT_S = 10.0
#: The advisory lock that writers of one PostgreSQL database take in turn; any number, the same for all.
WRITE_LOCK = 0x6C6C6D6F73


#: What SQLite says of a file that is damaged, or is no database.
DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(slots=True)
class _File:
    """SQLite's file of an engine: ``identity`` tells the one that was opened from another put in its place."""

    path: Path
    copy: LedgerCopy
    identity: tuple[int, int] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)


_files: Final[weakref.WeakKeyDictionary[sa.Engine, _File]] = weakref.WeakKeyDictionary()


def open_state(location: Path | str | None) -> sa.Engine:
    """The engine for a state database: a file's path, an SQLAlchemy URL, or None for one in memory.

    Creates the file and whatever tables are missing, and brings one of an older version up to date (a copy of it is kept
    in ``backups/``). What a ledger lacks that its copy has is put back.

    Raises:
        StoreError: the database cannot be opened, is not one, or is of a newer version.
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
            make_folder(path.parent)
        except OSError as error:
            raise StoreError(
                f"{path.parent}: cannot be created ({error.strerror or error}).",
                remedy="Choose a workspace folder that you can write to.",
            ) from error
        sweep_temporaries(path.parent)
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        )
        _files[engine] = _File(path, LedgerCopy(path))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, wal=location is not None)
    file = _files.get(engine)
    try:
        with file.lock if file is not None else contextlib.nullcontext():
            _bring_up(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


def _bring_up(engine: sa.Engine) -> None:
    """Make what is missing, or of an older version. One that is damaged is set aside where its ledger has a copy."""
    file = _files.get(engine)
    for attempt in (1, 2):
        before = _identity(file)
        try:
            _make(engine, file)
            if file is not None:
                file.identity = _identity(file)
            return
        except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
            reason = error.orig if isinstance(error, sa.exc.DatabaseError) else error
            engine.dispose()
            damaged = getattr(reason, "sqlite_errorcode", 0) & 0xFF in DAMAGED
            if damaged and attempt == 1 and file is not None and file.copy.path.exists():
                _set_aside(file.path, before, str(reason))
                continue
            raise StoreError(
                f"{engine.url.render_as_string(hide_password=True)}: the state database cannot be used ({reason}).",
                remedy="Check that the folder is writable and the disk not full. If the file is damaged, move it away: "
                "the index is rebuilt from the trace files, and the ledger from its copy where there is one beside it.",
            ) from error


def _make(engine: sa.Engine, file: _File | None) -> None:
    restored = ""
    while True:
        # Under the write lock: two kernels that start together must not both find the tables missing.
        with _write_locked(engine, durable=True) as connection:
            found = version_of(connection)
            check_version(found, engine.url.render_as_string(hide_password=True))
            if found is not None and found < VERSION:
                migrate(connection, found, file.path if file is not None else None)
                continue  # each in a transaction of its own
            make_tables(connection, METADATA.sorted_tables)
            if found is None:
                note_version(connection, VERSION)
            if file is not None:
                restored = file.copy.restore(connection)
            break
    if file is not None:
        file.copy.catch_up(engine, all_of_it=True)
    if restored and file is not None:  # named by the file that it is about, and not by a line of this package
        warnings.warn_explicit(restored, RuntimeWarning, str(file.path), 1)


def make_tables(connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """Make the tables that are not there. Those that are there have the form of their version: see migrations."""
    METADATA.create_all(connection, tables=tables)


def _identity(file: _File | None) -> tuple[int, int] | None:
    """Which file it is (device and inode); None where there is none."""
    if file is None:
        return None
    try:
        found = os.stat(file.path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_aside(path: Path, damaged: tuple[int, int] | None, why: str) -> None:
    """Move a damaged database out of the way, with its log; unless another kernel did so already."""
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    descriptor = os.open(path.parent, os.O_RDONLY) if os.name != "nt" else None
    try:
        if descriptor is not None:
            deadline = time.monotonic() + BUSY_TIMEOUT_S
            with contextlib.suppress(OSError):  # a file system without locks
                while not locked(descriptor, by_process=False) and time.monotonic() < deadline:
                    time.sleep(0.01)
        try:
            found = os.stat(path)
            if (found.st_dev, found.st_ino) != damaged:
                return
            for suffix in ("-wal", "-shm", ""):  # the log without its database is nothing, so that goes last
                with contextlib.suppress(FileNotFoundError):
                    os.rename(f"{path}{suffix}", f"{path}.broken-{stamp}{suffix}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(
                f"{path}: the state database is damaged ({why}) and cannot be moved out of the way "
                f"({error.strerror or error}).",
                remedy="Make its folder writable.",
            ) from error
    finally:
        if descriptor is not None:
            os.close(descriptor)
    warnings.warn_explicit(
        f"the state database was damaged ({why}) and was set aside as {path.name}.broken-{stamp}. The index is read anew "
        "from the files.",
        RuntimeWarning,
        str(path),
        1,
    )


def _prepare_sqlite(engine: sa.Engine, *, wal: bool) -> None:
    @sa.event.listens_for(engine, "connect")
    def _connect(connection, record):  # type: ignore[no-untyped-def]
        connection.isolation_level = None  # transactions are begun by us, so that BEGIN IMMEDIATE can be said
        if wal:  # before the first write: a newer version's file is not to be touched
            check_version(connection.execute("PRAGMA user_version").fetchone()[0], str(engine.url))
            _use_wal(connection)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection):  # type: ignore[no-untyped-def]
        options = connection.get_execution_options()
        if not options.get("llmos_write"):
            connection.exec_driver_sql("BEGIN")
            return
        # NORMAL: a kill loses nothing, a power cut may lose the latest commits. FULL: neither does.
        level = "FULL" if options.get("llmos_durable") else "NORMAL"
        connection.connection.dbapi_connection.execute(f"PRAGMA synchronous={level}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


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
def _write_locked(engine: sa.Engine, *, durable: bool = False) -> Iterator[sa.Connection]:
    options = {"llmos_write": True, "llmos_durable": durable}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        if engine.dialect.name == "postgresql":  # SQLite's BEGIN IMMEDIATE does this there
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITE_LOCK)))
        yield connection


def _still_there(engine: sa.Engine) -> None:
    """Go on with the file that is there now, where SQLite's was deleted or another put in its place."""
    file = _files.get(engine)
    if file is None or file.identity is None or _identity(file) == file.identity:
        return
    with file.lock:
        if _identity(file) != file.identity:
            engine.dispose()
            try:
                make_folder(file.path.parent)
            except OSError as error:
                raise StoreError(
                    f"{file.path}: is gone and cannot be made again ({error.strerror or error}).",
                    remedy="Make its folder writable.",
                ) from error
            _bring_up(engine)


@contextlib.contextmanager
def writing(engine: sa.Engine, *, durable: bool = False) -> Iterator[sa.Connection]:
    """A transaction that holds the write lock from its start, so that what it reads stays true until it commits.

    When it has ended, a kill takes nothing back. With ``durable`` a power cut does not either (money), and what it added
    to the ledger is in its copy as well.

    Raises:
        StoreError: the disk is full, read-only, or another kernel holds the lock for too long.
    """
    _still_there(engine)
    with _explained(engine, "written"), _write_locked(engine, durable=durable) as connection:
        yield connection
    if durable and (file := _files.get(engine)) is not None:
        file.copy.catch_up(engine)


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only reads, and sees one moment.

    Raises:
        StoreError: the database cannot be read.
    """
    _still_there(engine)
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
            remedy="Check that the disk is not full and the folder writable, and that no other kernel hangs. If the file "
            "is damaged, end the kernels that use it and move it away: it is made anew from the files beside it.",
        ) from error
