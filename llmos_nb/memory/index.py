"""What the state database knows of the trace files: enough to find one and to serve it without parsing Markdown.

The files are the truth. Every row can be made again from its file, so any process may write any row at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from llmos_nb.errors import StoreError
from llmos_nb.kernel.state import METADATA, writing
from llmos_nb.memory.key import goal_key
from llmos_nb.memory.match import Candidate
from llmos_nb.memory.tables import TRACES, USES
from llmos_nb.memory.trace import Trace, as_record, from_record

__all__ = ["BATCH", "TraceIndex", "key_digest", "row_of"]

#: Rows in one transaction: short enough that other kernels get their turn.
BATCH: Final = 500

_LISTED: Final = tuple(c for c in TRACES.c if c.name not in ("root", "payload", "problem", "digest"))


#: The questions, built once: building one takes longer than answering it. ``root`` and the rest are bound on use.
_T, _U = TRACES.c, USES.c


def _of_root(*columns: Any) -> sa.Select[Any]:
    return sa.select(*columns).where(_T.root == sa.bindparam("root"))


_READABLE: Final = _T.problem == ""
_SEEN: Final = _of_root(_T.path, _T.mtime_ns, _T.size)
_CANDIDATES: Final = (
    _of_root(
        _T.path, _T.id, _T.digest, _T.status, _T.replayable, _T.agent, _T.created_at, _T.mtime_ns,
        sa.func.coalesce(_U.uses, 0), sa.func.coalesce(_U.failures, 0),
    ).select_from(TRACES.outerjoin(USES, _U.trace_id == _T.id)).where(_T.key == sa.bindparam("key"))
)  # fmt: skip
_PAYLOAD: Final = _of_root(_T.payload).where(_T.path == sa.bindparam("path"), _T.digest == sa.bindparam("digest"))
_PATHS: Final = _of_root(_T.path).where(_T.id == sa.bindparam("id")).order_by(_T.path)
_IDS: Final = _of_root(_T.id).where(_READABLE)
_COUNT: Final = _of_root(sa.func.count()).where(_READABLE)
_ROWS: Final = _of_root(*_LISTED).where(_READABLE).order_by(_T.created_at.desc(), _T.mtime_ns.desc(), _T.id.desc())
_PROBLEMS: Final = _of_root(_T.path, _T.problem).where(~_READABLE).order_by(_T.path)
_USED: Final = sa.select(USES).where(_U.trace_id == sa.bindparam("trace_id"))


def key_digest(goal: str) -> str:
    """The key of a goal in a fixed length that every database can index."""
    return hashlib.sha256(goal_key(goal).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _storable(text: str) -> str:
    """``text`` without what databases refuse (NUL, halves of characters); for showing, not for comparing."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def row_of(
    path: str, id: str, mtime_ns: int, size: int, digest: str, trace: Trace | None, problem: str = ""
) -> dict[str, Any]:
    """The row of one file: of its trace, or of the problem that it has instead of one."""
    row: dict[str, Any] = {"path": path, "id": _storable(id), "mtime_ns": mtime_ns, "size": size, "digest": digest}
    row |= {"problem": _storable(problem)}
    if trace is None:
        empty = dict.fromkeys(("key", "status", "mode", "agent", "model", "created_at", "goal", "payload"), "")
        return row | empty | {"replayable": False, "cost_usd": None, "duration_s": 0.0}
    row |= {
        name: _storable(getattr(trace, name)) for name in ("status", "mode", "agent", "model", "created_at", "goal")
    }
    row |= {"key": key_digest(trace.goal), "replayable": trace.replayable, "payload": json.dumps(as_record(trace))}
    return row | {"cost_usd": trace.cost_usd, "duration_s": trace.duration_s}


class TraceIndex:
    """The rows of one traces folder."""

    def __init__(self, engine: sa.Engine, root: str) -> None:
        self.engine = engine
        self.root = root
        self._insert: Any = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        insert = self._insert(TRACES)
        values = {c.name: insert.excluded[c.name] for c in TRACES.c if not c.primary_key}
        self._upsert = insert.on_conflict_do_update(index_elements=["root", "path"], set_=values)

    def file(self) -> tuple[int, int] | None:
        """Which file the database is (device and inode); None where it is none, or is gone."""
        name = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not name:
            return None
        try:
            found = os.stat(name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def create(self) -> None:
        """Make the tables that are missing, and the database if it was taken away.

        Raises:
            StoreError: it cannot be made.
        """
        try:
            if self.engine.dialect.name == "sqlite" and self.engine.url.database:
                Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
            METADATA.create_all(self.engine)
        except (OSError, sa.exc.DatabaseError) as error:
            raise StoreError(
                f"{self.engine.url}: the state database is gone and cannot be made again ({error}).",
                remedy="Check that its folder is writable, then open the store anew.",
            ) from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            raise StoreError(
                f"{self.engine.url}: the trace index cannot be read ({error.orig}).",
                remedy="Open the store anew: the index is rebuilt from the trace files.",
            ) from error

    def _ask(self, statement: sa.Select[Any], **values: Any) -> list[Any]:
        with self._reading() as connection:
            return list(connection.execute(statement, {"root": self.root, **values}))

    def seen(self) -> dict[str, tuple[int, int]]:
        """Every indexed path with its file's ``(mtime_ns, size)`` then."""
        return {path: (mtime_ns, size) for path, mtime_ns, size in self._ask(_SEEN)}

    def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace rows made by :func:`row_of`."""
        for start in range(0, len(rows), BATCH):
            with writing(self.engine) as connection:
                connection.execute(self._upsert, [{"root": self.root, **row} for row in rows[start : start + BATCH]])

    def drop(self, paths: Iterable[str]) -> None:
        """Forget files that are gone."""
        gone = [{"gone": path} for path in paths]
        if gone:
            with writing(self.engine) as connection:
                statement = TRACES.delete().where(TRACES.c.root == self.root, TRACES.c.path == sa.bindparam("gone"))
                connection.execute(statement, gone)

    def other_roots(self) -> list[str]:
        """The other folders that have rows in this database."""
        with self._reading() as connection:
            return list(connection.scalars(sa.select(TRACES.c.root).distinct().where(TRACES.c.root != self.root)))

    def drop_root(self, root: str) -> None:
        """Forget a whole folder."""
        with writing(self.engine) as connection:
            connection.execute(TRACES.delete().where(TRACES.c.root == root))

    def candidates(self, key: str) -> list[Candidate]:
        """All traces with this key, whatever became of them."""
        return [Candidate(*row) for row in self._ask(_CANDIDATES, key=key)]

    def payload(self, path: str, digest: str) -> Trace | None:
        """The trace in a file whose content has this digest; None where the index knows another content."""
        for row in self._ask(_PAYLOAD, path=path, digest=digest):
            if row.payload:
                return from_record(json.loads(row.payload))
        return None

    def paths_of(self, id: str) -> list[str]:
        """The paths of the files with this id, readable or not."""
        return [row.path for row in self._ask(_PATHS, id=id)]

    def ids(self) -> list[str]:
        """The ids of all readable traces."""
        return [row.id for row in self._ask(_IDS)]

    def count(self) -> int:
        """How many traces can be read."""
        return int(self._ask(_COUNT)[0][0])

    def rows(self) -> list[dict[str, Any]]:
        """All readable traces, newest first."""
        return [dict(row._mapping) for row in self._ask(_ROWS)]

    def problems(self) -> dict[str, str]:
        """The files that cannot be read, with what is wrong."""
        return {row.path: row.problem for row in self._ask(_PROBLEMS)}

    def record_use(self, trace_id: str, *, success: bool, at: str) -> None:
        """Count one use; counts of several kernels add up."""
        good, bad = int(success), int(not success)
        row = {"trace_id": trace_id, "uses": 1, "successes": good, "failures": bad, "last_used_at": at}
        added = {
            "uses": USES.c.uses + 1,
            "successes": USES.c.successes + good,
            "failures": USES.c.failures + bad,
            "last_used_at": at,
        }
        with writing(self.engine) as connection:
            insert = self._insert(USES).values(**row)
            connection.execute(insert.on_conflict_do_update(index_elements=["trace_id"], set_=added))

    def uses(self, trace_id: str) -> Mapping[str, Any] | None:
        """The use record of a trace, None where it was never used."""
        for row in self._ask(_USED, trace_id=trace_id):
            return dict(row._mapping)
        return None
