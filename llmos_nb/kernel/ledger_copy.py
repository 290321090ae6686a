"""What of a state database no other file can tell, copied beside it as plain text: the ledger, the limits, the use counts.

``state.ledger.jsonl`` has one line for every row of the ledger and is only ever appended to; ``state.kept.json`` has the
limits that people set and, as of the latest opening, how often each trace was used. Both follow the database, which is
what counts. They are read where it has less than they do: it was deleted, damaged, or replaced by an older one.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import atomic_write, sync_folder
from llmos_nb.kernel.locks import locked

__all__ = ["LedgerCopy", "copied_rows"]

#: Version of the copy's form; one of another version is left alone.
FORM: Final = 1
_HEAD: Final = f'{{"ledger_copy": {FORM}}}\n'.encode()
#: Seconds to wait for another kernel that appends.
PATIENCE_S: Final = 10.0
#: Bytes of the file's end that surely hold its last line.
_TAIL: Final = 256 * 1024
#: What the second file has: its name there, in words, its table and what tells two rows apart.
_KEPT: Final = (
    ("limits", "limits", "budget_limits", ("scope", "simulated")),
    ("uses", "use counts", "trace_uses", ("trace_id",)),
)
_FLAGS: Final = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class LedgerCopy:
    """The copy beside the database ``file``. Safe for threads and for several kernels."""

    def __init__(self, file: Path) -> None:
        self.path: Final = _beside(file)
        self._kept: Final = file.with_name(f"{file.stem}.kept.json")
        self._lock = threading.Lock()
        #: Size of the file when we wrote it last, and the last row's number in it.
        self._known: tuple[int, int] = (-1, 0)
        self._limits: list[dict[str, Any]] | None = None

    # -- following the database

    def catch_up(self, engine: sa.Engine, *, all_of_it: bool = False) -> None:
        """Append the rows that the copy lacks. Where it cannot be written, or another kernel is at it, the next call
        does; ``all_of_it`` also looks at what seldom changes."""
        with (
            self._lock,
            contextlib.suppress(OSError, StoreError, sa.exc.DatabaseError),
            engine.connect() as connection,
        ):
            tables = set(sa.inspect(connection).get_table_names()) if all_of_it else {"ledger", "budget_limits"}
            if "ledger" in tables:
                self._append(connection)
            self._keep(connection, tables)

    def _append(self, connection: sa.Connection) -> None:
        new = not self.path.exists()
        if new and connection.exec_driver_sql("SELECT 1 FROM ledger LIMIT 1").first() is None:
            return
        with self._held(make=True) as descriptor:
            if descriptor is None:
                return
            last = self._last(descriptor)
            if last is None:
                return  # of another form, or of another ledger: the next opening says so
            rows = (
                connection.exec_driver_sql("SELECT * FROM ledger WHERE id > ? ORDER BY id", (last,)).mappings().all()
            )
            if rows:
                data = b"".join(json.dumps(dict(row)).encode() + b"\n" for row in rows)
                size = os.fstat(descriptor).st_size
                if os.write(descriptor, data) < len(data):
                    os.ftruncate(descriptor, size)
                    return
                last = int(rows[-1]["id"])
                os.fsync(descriptor)
            self._known = os.fstat(descriptor).st_size, last
        if new:
            sync_folder(self.path.parent)

    def _last(self, descriptor: int) -> int | None:
        """The last row's number in the file, whose torn last line is cut off; None where it is not ours to write."""
        size = os.fstat(descriptor).st_size
        if size == self._known[0]:
            return self._known[1]
        if not size:
            os.write(descriptor, _HEAD)
            return 0
        if _read(descriptor, 0, len(_HEAD)) != _HEAD:
            if size > len(_HEAD):
                return None
            os.ftruncate(descriptor, 0)  # a kill tore the very first line
            os.write(descriptor, _HEAD)
            return 0
        start = max(0, size - _TAIL)
        tail = _read(descriptor, start, size - start)
        # A kill tears the last line, and a power cut may leave holes in what was appended last.
        while tail:
            line = tail[tail.rfind(b"\n", 0, -1) + 1 :]
            found = _number(line)
            if found is not None:
                os.ftruncate(descriptor, start + len(tail))
                return found
            tail = tail[: -len(line)]
        return None

    def _keep(self, connection: sa.Connection, tables: set[str]) -> None:
        if "budget_limits" not in tables:
            return
        limits = _all(connection, "budget_limits", "scope, simulated")
        uses = "trace_uses" in tables
        if limits == self._limits and not uses:
            return
        before = self._read_kept()
        if before is None:
            return
        kept: dict[str, Any] = {"form": FORM, "limits": limits, "uses": before.get("uses", [])}
        if uses:
            kept["uses"] = _all(connection, "trace_uses", "trace_id")
        if kept != before and (limits or kept["uses"] or before):
            atomic_write(self._kept, json.dumps(kept, indent=0).encode())
        self._limits = limits

    # -- putting back

    def restore(self, connection: sa.Connection) -> str:
        """Put back what the database lacks, in the transaction of ``connection``; returns what a person has to know.

        Nothing is put back twice: a row goes by its number, and a copy that tells other rows of the same numbers belongs
        to another ledger and is set aside.
        """
        told = []
        tables = set(sa.inspect(connection).get_table_names())
        with contextlib.suppress(OSError), self._held(make=False, patience_s=PATIENCE_S) as descriptor:
            if descriptor is not None:
                told += self._restore_ledger(connection, descriptor, tables)
        if added := self._restore_kept(connection, tables):
            told.append(added)
        if not told:
            return ""
        return f"{self.path.parent}: the state database had lost what its copy knows. {' '.join(told)}"

    def _restore_ledger(self, connection: sa.Connection, descriptor: int, tables: set[str]) -> list[str]:
        last = self._last(descriptor)
        if last is None:
            if _read(descriptor, 0, 16).startswith(b'{"ledger_copy": ') and _read(descriptor, 0, len(_HEAD)) != _HEAD:
                return []  # written by a newer version: left alone
            return [self._set_aside("it cannot be read")]
        if not last:
            return []
        if "ledger" not in tables:
            from llmos_nb.kernel.ledger import LEDGER

            LEDGER.create(connection, checkfirst=True)
        there = connection.exec_driver_sql("SELECT max(id) FROM ledger").scalar() or 0
        same = connection.exec_driver_sql("SELECT * FROM ledger WHERE id = ?", (min(last, there),)).mappings().first()
        if there >= last and same is not None and _agree(dict(same), self._line(descriptor)):
            return []
        rows, torn = _rows(_read(descriptor, 0, os.fstat(descriptor).st_size))
        known = {int(row["id"]): dict(row) for row in connection.exec_driver_sql("SELECT * FROM ledger").mappings()}
        if any(not _agree(known[row["id"]], row) for row in rows if row["id"] in known):
            return [self._set_aside("it is of another ledger")]
        missing = [row for row in rows if row["id"] not in known]
        columns = [found["name"] for found in sa.inspect(connection).get_columns("ledger")]
        for row in missing:
            values = {name: row[name] for name in columns if name in row}
            marks = ", ".join("?" for _ in values)
            connection.exec_driver_sql(
                f"INSERT INTO ledger ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
            )
        told = [f"{len(missing)} rows of the ledger were put back from {self.path.name}."] if missing else []
        return told + ([f"{torn} lines of it could not be read."] if torn else [])

    def _line(self, descriptor: int) -> dict[str, Any]:
        size = os.fstat(descriptor).st_size
        start = max(0, size - _TAIL)
        rows, _ = _rows(_read(descriptor, start, size - start))
        return rows[-1] if rows else {}

    def _restore_kept(self, connection: sa.Connection, tables: set[str]) -> str:
        kept = self._read_kept() or {}
        told = []
        for name, table, key in (
            ("limits", "budget_limits", ("scope", "simulated")),
            ("uses", "trace_uses", ("trace_id",)),
        ):
            rows = [row for row in kept.get(name, ()) if isinstance(row, dict)]
            if not rows or table not in tables:
                continue
            # A limit that was lifted is a row as well, so only a table without any has lost them.
            if connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first() is not None:
                continue
            columns = [found["name"] for found in sa.inspect(connection).get_columns(table)]
            for row in rows:
                values = {column: row[column] for column in columns if column in row}
                if all(column in values for column in key):
                    marks = ", ".join("?" for _ in values)
                    connection.exec_driver_sql(
                        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
                    )
            told.append(
                f"{len(rows)} {'limits' if name == 'limits' else 'use counts'} were put back from {self._kept.name}."
            )
        return " ".join(told)

    # -- files

    def _read_kept(self) -> dict[str, Any] | None:
        """What the second file says; empty where there is none that can be read, None where it is of another form."""
        try:
            kept = json.loads(self._kept.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(kept, dict):
            return {}
        return kept if kept.get("form") == FORM else None

    @contextlib.contextmanager
    def _held(self, *, make: bool, patience_s: float = 0.0) -> Iterator[int | None]:
        """The file, locked; None where it is not there, or another kernel has it for longer than ``patience_s``."""
        try:
            descriptor = os.open(self.path, _FLAGS | (os.O_CREAT if make else 0), 0o666)
        except FileNotFoundError:
            yield None
            return
        try:
            try:
                free = os.name == "nt" or locked(descriptor, by_process=False)
                deadline = time.monotonic() + patience_s
                while not free and time.monotonic() < deadline:
                    time.sleep(0.01)
                    free = locked(descriptor, by_process=False)
            except OSError:  # a file system without locks
                free = True
            yield descriptor if free else None
        finally:
            os.close(descriptor)

    def _set_aside(self, why: str) -> str:
        aside = self.path.with_name(f"{self.path.name}.broken-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
        os.rename(self.path, aside)
        self._known = (-1, 0)
        return f"Its copy of the ledger was set aside as {aside.name}, because {why}, and a new one begins."


def copied_rows(file: Path) -> tuple[list[dict[str, Any]], int]:
    """The ledger as the copy beside the database ``file`` has it, and how many of its lines are no rows; only read."""
    try:
        data = _beside(file).read_bytes()
    except FileNotFoundError:
        return [], 0
    return _rows(data) if data.startswith(_HEAD) else ([], len(data.splitlines()))


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.stem}.ledger.jsonl")


def _all(connection: sa.Connection, table: str, order: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY {order}").mappings()]


def _read(descriptor: int, start: int, size: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _rows(data: bytes) -> tuple[list[dict[str, Any]], int]:
    """The rows in the lines of ``data``, and how many lines are none."""
    rows, torn = [], 0
    for line in data.splitlines():
        try:
            row = json.loads(line)
            if "ledger_copy" in row:
                continue
            row["id"] = int(row["id"])
            rows.append(row)
        except (ValueError, TypeError, KeyError):
            torn += 1
    return rows, torn


def _number(line: bytes) -> int | None:
    """The number of the row in a whole line, 0 for the first line; None where it is none."""
    try:
        row = json.loads(line) if line.endswith(b"\n") else None
        return int(row.get("id", 0)) if isinstance(row, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None


def _agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two tellings of a row say the same, as far as both speak of it."""
    return bool(other) and all(one[name] == other[name] for name in one.keys() & other.keys())
