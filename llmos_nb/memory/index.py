"""What the state database knows of the trace files: enough to find one and to serve it without parsing Markdown.

The files are the truth. Every row can be made again from its file, so any process may write any row at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from llmos_nb.errors import StoreError
from llmos_nb.kernel.state import METADATA, writing
from llmos_nb.memory.key import goal_key
from llmos_nb.memory.match import Candidate
from llmos_nb.memory.trace import Trace, as_record, from_record

__all__ = ["TRACES", "USES", "TraceIndex", "key_digest", "row_of"]

#: One row a trace file. ``root`` is the traces folder, ``path`` is relative to it with forward slashes.
TRACES: Final = sa.Table(
    "traces",
    METADATA,
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("replayable", sa.Boolean, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("goal", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("traces_seen", "root", "path", "mtime_ns", "size"),  # all that opening a store asks for
    sa.Index("traces_key", "root", "key"),
    sa.Index("traces_id", "root", "id"),
)

#: How often a trace was used, and how that went. Not in the files, which are written once.
USES: Final = sa.Table(
    "trace_uses",
    METADATA,
    sa.Column("trace_id", sa.Text, primary_key=True),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("successes", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_used_at", sa.Text, nullable=False),
)

#: Rows in one transaction: short enough that other kernels get their turn.
BATCH: Final = 500

_LISTED: Final = tuple(c for c in TRACES.c if c.name not in ("root", "payload", "problem", "digest"))


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
        dialect = engine.dialect.name
        self._insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert

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

    def _select(self, *columns: Any) -> sa.Select[Any]:
        return sa.select(*columns).where(TRACES.c.root == self.root)

    def seen(self) -> dict[str, tuple[int, int]]:
        """Every indexed path with its file's ``(mtime_ns, size)`` then."""
        with self._reading() as connection:
            rows = connection.execute(self._select(TRACES.c.path, TRACES.c.mtime_ns, TRACES.c.size))
            return {path: (mtime_ns, size) for path, mtime_ns, size in rows}

    def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace rows made by :func:`row_of`."""
        insert = self._insert(TRACES)
        values = {c.name: insert.excluded[c.name] for c in TRACES.c if not c.primary_key}
        statement = insert.on_conflict_do_update(index_elements=["root", "path"], set_=values)
        for start in range(0, len(rows), BATCH):
            with writing(self.engine) as connection:
                connection.execute(statement, [{"root": self.root, **row} for row in rows[start : start + BATCH]])

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
        t, u = TRACES.c, USES.c
        columns = (t.path, t.id, t.digest, t.status, t.replayable, t.agent, t.created_at)
        used = (sa.func.coalesce(u.uses, 0), sa.func.coalesce(u.failures, 0))
        joined = TRACES.outerjoin(USES, u.trace_id == t.id)
        with self._reading() as connection:
            rows = connection.execute(self._select(*columns, *used).select_from(joined).where(t.key == key))
            return [Candidate(*row) for row in rows]

    def payload(self, path: str, digest: str) -> Trace | None:
        """The trace in a file whose content has this digest; None where the index knows another content."""
        with self._reading() as connection:
            statement = self._select(TRACES.c.payload).where(TRACES.c.path == path, TRACES.c.digest == digest)
            payload = connection.scalar(statement)
        return from_record(json.loads(payload)) if payload else None

    def paths_of(self, id: str) -> list[str]:
        """The paths of the files with this id, readable or not."""
        with self._reading() as connection:
            statement = self._select(TRACES.c.path).where(TRACES.c.id == id).order_by(TRACES.c.path)
            return list(connection.scalars(statement))

    def ids(self) -> list[str]:
        """The ids of all readable traces."""
        with self._reading() as connection:
            return list(connection.scalars(self._select(TRACES.c.id).where(TRACES.c.problem == "")))

    def count(self) -> int:
        """How many traces can be read."""
        with self._reading() as connection:
            return connection.scalar(self._select(sa.func.count()).where(TRACES.c.problem == "")) or 0

    def rows(self) -> list[dict[str, Any]]:
        """All readable traces, newest first."""
        statement = self._select(*_LISTED).where(TRACES.c.problem == "")
        with self._reading() as connection:
            found = connection.execute(statement.order_by(TRACES.c.created_at.desc(), TRACES.c.id.desc()))
            return [dict(row) for row in found.mappings()]

    def problems(self) -> dict[str, str]:
        """The files that cannot be read, with what is wrong."""
        statement = self._select(TRACES.c.path, TRACES.c.problem).where(TRACES.c.problem != "")
        with self._reading() as connection:
            return {row.path: row.problem for row in connection.execute(statement.order_by(TRACES.c.path))}

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
        with self._reading() as connection:
            row = connection.execute(sa.select(USES).where(USES.c.trace_id == trace_id)).mappings().first()
            return dict(row) if row is not None else None
