"""The versions of the state database: what has to be done, in this order, to bring an older one up to date.

Each migration is one function, run in a transaction of its own that also notes the new version; SQLite's file is copied
before (``backups/`` beside it). What is in a database of a newer version is not touched: it is refused.

The tables that are derived from files are no concern of this: they are dropped and filled again where their form changed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import make_folder, sync_folder

__all__ = ["MIGRATIONS", "VERSION", "back_up", "check_version", "migrate", "note_version", "version_of"]

#: Where PostgreSQL keeps the version; SQLite has a place for it (``PRAGMA user_version``).
_TABLE: Final = "llmos_state_version"


def _whose_money(connection: sa.Connection) -> None:
    """Which agent and which project a ledger row belongs to."""
    _add(connection, "ledger", "agent", "TEXT NOT NULL DEFAULT ''")
    _add(connection, "ledger", "project", "TEXT NOT NULL DEFAULT ''")
    _add(connection, "budget_holds", "project", "TEXT NOT NULL DEFAULT ''")
    if sa.inspect(connection).has_table("ledger"):
        connection.exec_driver_sql(
            "CREATE INDEX IF NOT EXISTS ledger_by_project ON ledger (simulated, project, cost)"
        )


def _open_calls(connection: sa.Connection) -> None:
    """Which model calls of a reservation have begun, so that one that a kill cut off is not missing from the ledger."""
    _add(connection, "budget_holds", "open_calls", "TEXT NOT NULL DEFAULT ''")


#: What brings a database from version n to n + 1, at place n. Only ever added to.
MIGRATIONS: Final[tuple[Callable[[sa.Connection], None], ...]] = (_whose_money, _open_calls)
#: The version that this code reads and writes.
VERSION: Final = len(MIGRATIONS)


def _add(connection: sa.Connection, table: str, column: str, rule: str) -> None:
    inspector = sa.inspect(connection)
    if inspector.has_table(table) and column not in {found["name"] for found in inspector.get_columns(table)}:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {rule}")


def version_of(connection: sa.Connection) -> int | None:
    """The version of a database; None for one that has no tables yet."""
    if connection.dialect.name == "sqlite":
        found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if found:
            return found
        return 0 if connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").first() else None
    inspector = sa.inspect(connection)
    if inspector.has_table(_TABLE):
        return int(connection.exec_driver_sql(f"SELECT version FROM {_TABLE}").scalar_one())
    return 0 if inspector.has_table("ledger") or inspector.has_table("traces") else None


def note_version(connection: sa.Connection, version: int) -> None:
    """Say in the database which version it has now."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
        return
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {_TABLE} (version INTEGER NOT NULL)")
    connection.exec_driver_sql(f"DELETE FROM {_TABLE}")
    connection.exec_driver_sql(f"INSERT INTO {_TABLE} VALUES ({version})")


def check_version(found: int | None, where: str) -> None:
    """Refuse a database of a newer version.

    Raises:
        StoreError: it is of one.
    """
    if found is not None and found > VERSION:
        raise StoreError(
            f"{where}: the state database was written by a newer llmos_nb (its version is {found}; this one reads up to "
            f"{VERSION}). Nothing in it was changed.",
            remedy="Update llmos_nb (pip install -U llmos-nb), or choose another workspace.",
        )


def migrate(connection: sa.Connection, found: int, file: Path | None) -> int:
    """One step from version ``found``, in the transaction of ``connection``, which holds the write lock; ``file`` is
    SQLite's, and is copied first. Returns the version then.

    Raises:
        StoreError: no copy can be made, so nothing was changed.
    """
    if file is not None:
        back_up(file, found)
    MIGRATIONS[found](connection)
    note_version(connection, found + 1)
    return found + 1


def back_up(file: Path, version: int) -> Path:
    """Copy a database as it was committed last into ``backups/``; returns where to.

    Raises:
        StoreError: the copy cannot be made.
    """
    folder = file.parent / "backups"
    target = folder / f"{file.stem}-v{version}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.db"
    temporary = folder / f".{target.name[:40]}.{secrets.token_hex(8)}.tmp"
    try:
        make_folder(folder)
        with (
            contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(temporary)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
        sync_folder(folder)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise StoreError(
            f"{file}: is of an older version, and no copy of it could be made in {folder} ({error}), so it was left as "
            "it is.",
            remedy="Free some space, or make the folder writable.",
        ) from error
    return target
