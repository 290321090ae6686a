"""What the state database knows of the trace files: enough to find one and to serve it without parsing Markdown.

The files are the truth. Every row can be made again from its file, so any process may write any row at any time.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from llmos_nb.errors import StoreError
from llmos_nb.kernel.state import METADATA, writing
from llmos_nb.memory.lookup import Found, Reader, question
from llmos_nb.memory.match import Candidate
from llmos_nb.memory.row import key_digest, row_of, unpacked
from llmos_nb.memory.tables import CHANGES, DERIVED, FORM, INDEX, TRACES, USES
from llmos_nb.memory.trace import Trace

__all__ = ["BATCH", "TraceIndex", "key_digest", "row_of"]

#: Rows in one transaction: short enough that other kernels get their turn.
BATCH: Final = 500
#: The numbers that :meth:`TraceIndex.candidates_at` asks for at once.
_PLACES: Final = tuple(f"n{at}" for at in range(32))
#: More rows than any folder has.
_ALL: Final = 2**62
#: Traces kept in memory as they were last served.
_SERVED: Final = 2048
#: Numbers that are gone and still listed.
_CHANGES_KEPT: Final = 10_000

_T, _U, _I = TRACES.c, USES.c, INDEX.c
_ROOT: Final[sa.BindParameter[Any]] = sa.bindparam("root")
_INNER: Final = {"number", "root", "payload", "problem", "digest", "bits", "text"}
_INNER_HASHES: Final = {"key", "template", "words", "slots", "shape"}
_LISTED: Final = tuple(c.name for c in TRACES.c if c.name not in _INNER | _INNER_HASHES)


# The questions, built once: building one takes longer than answering it. ``root`` and the rest are bound on use.
def _of_root(*columns: Any) -> sa.Select[Any]:
    return sa.select(*columns).where(_T.root == _ROOT)


_READABLE: Final = _T.problem == ""
#: Written out, and more than it asked for: so the index of those rows serves the question, and not one of all rows.
_EMPTY: Final[sa.ColumnElement[str]] = sa.literal_column("''")
_KNOWN: Final = (
    _T.path, _T.id, _T.digest, _T.status, _T.replayable, _T.agent, _T.created_at, _T.mtime_ns,
    sa.func.coalesce(_U.uses, 0), sa.func.coalesce(_U.failures, 0),
)  # fmt: skip
_WITH_USES: Final = TRACES.outerjoin(USES, _U.trace_id == _T.id)
_SEEN: Final = question(_of_root(_T.path, _T.mtime_ns, _T.size))
_CANDIDATES: Final = question(
    _of_root(*_KNOWN, _T.wrong).select_from(_WITH_USES).where(_T.key == sa.bindparam("key"))
)
_FOUND: Final = question(
    sa.select(_T.root, *_KNOWN, _T.number, _T.template, _T.words, _T.slots, _T.shape, _T.wrong, _T.text)
    .select_from(_WITH_USES)
    .where(_T.number.in_([sa.bindparam(place, type_=sa.BigInteger) for place in _PLACES]))
)
_PAYLOAD: Final = question(
    _of_root(_T.payload).where(_T.path == sa.bindparam("path"), _T.digest == sa.bindparam("digest"))
)
#: In no order: asked for one, SQLite goes through all rows of the folder by the index that has it.
_PATHS: Final = question(_of_root(_T.path).where(_T.id == sa.bindparam("id")))
_IDS: Final = question(_of_root(_T.id).where(_READABLE))
_EDITED: Final = question(
    _of_root(_T.template, _T.id)
    .where(_READABLE, _T.edited, _T.wrong == "", _T.status == "success")
    .order_by(_T.created_at.desc(), _T.id.desc())
)
_CALLED_WRONG: Final = question(_of_root(_T.id).where(_T.wrong > _EMPTY))
_COUNT: Final = question(_of_root(sa.func.count()).where(_READABLE))
_ROWS: Final = question(
    _of_root(*(_T[name] for name in _LISTED))
    .where(_READABLE, sa.or_(sa.bindparam("any"), _T.status == sa.bindparam("status")))
    .order_by(_T.created_at.desc(), _T.mtime_ns.desc(), _T.id.desc())
    .limit(sa.bindparam("newest"))
)
_PROBLEMS: Final = question(_of_root(_T.path, _T.problem).where(_T.problem > _EMPTY))
_USED: Final = question(sa.select(*_U).where(_U.trace_id == sa.bindparam("trace_id")))
_OTHER_ROOTS: Final = question(sa.select(_I.root).where(_I.name == "generation", _I.root != _ROOT))
_ABOUT: Final = question(sa.select(_I.name, _I.value).where(sa.or_(_I.root == _ROOT, _I.root == "")))
#: Answers nothing, and fails where a table or a column is missing.
_WHOLE: Final = question(sa.select(*_T, CHANGES.c.change, _U.uses).where(sa.false()))


def _flagged(row: Sequence[Any]) -> list[Any]:
    """A row of :data:`_KNOWN` and more, with its ``replayable`` a bool in every database."""
    return [*row[:4], bool(row[4]), *row[5:]]


def _counting(insert: Any) -> Any:
    """One use more of ``trace_id``. Built once, as the questions are."""
    row: dict[str, Any] = {name: sa.bindparam(name) for name in ("trace_id", "successes", "failures", "last_used_at")}
    added = {
        "uses": _U.uses + 1,
        "successes": _U.successes + sa.bindparam("successes"),
        "failures": _U.failures + sa.bindparam("failures"),
        "last_used_at": sa.bindparam("last_used_at"),
    }
    return insert(USES).values(uses=1, **row).on_conflict_do_update(index_elements=["trace_id"], set_=added)


class TraceIndex:
    """The rows of one traces folder.

    ``maker`` names what makes the signatures (rules and embedder, each with its version). Rows that another maker's
    signatures are in are dropped when the index is opened, and their files read again; empty: any maker will do.
    """

    def __init__(self, engine: sa.Engine, root: str, *, maker: str = "") -> None:
        self.engine = engine
        self.root = root
        self.maker = maker
        #: For look-ups in the same database: one connection does for both.
        self.reader = Reader(engine)
        self._use = _counting(postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert)
        self._served: dict[tuple[str, str], Trace] = {}
        #: The count at a version of the database.
        self._counted: tuple[tuple[int, int] | None, int] = (None, 0)
        self._idle: tuple[tuple[int, int] | None, dict[int, str]] = (None, {})
        self._wrong: tuple[tuple[int, int] | None, frozenset[str]] = (None, frozenset())

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

        Tables of another version are dropped (ledger and use counts are kept), and so are this folder's rows where
        another maker signed them: whoever opens the index reads the files that it does not know.

        Raises:
            StoreError: it cannot be made.
        """
        try:
            if self.engine.dialect.name == "sqlite" and self.engine.url.database:
                Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
                if self._whole():
                    return
            with writing(self.engine) as connection:
                self._make(connection)
        except (OSError, sa.exc.DatabaseError) as error:
            raise StoreError(
                f"{self.engine.url}: the state database is gone and cannot be made again ({error}).",
                remedy="Check that its folder is writable, then open the store anew.",
            ) from error

    def _whole(self) -> bool:
        """There is nothing to make, as at almost every opening."""
        try:
            about = dict(self.reader.ask(_ABOUT, root=self.root))
            self.reader.ask(_WHOLE)
        except StoreError:
            return False
        return self._fits(about)

    def _fits(self, about: Mapping[str, str]) -> bool:
        signed = self.maker in ("", about.get("maker", ""))
        return about.get("form") == FORM and "generation" in about and signed

    def _make(self, connection: sa.Connection) -> None:
        METADATA.create_all(connection)
        inspector = sa.inspect(connection)
        there = [[column["name"] for column in inspector.get_columns(table.name)] for table in DERIVED]
        fits = there == [[column.name for column in table.columns] for table in DERIVED]
        form = _I.root == "", _I.name == "form"
        if not fits or connection.scalar(sa.select(_I.value).where(*form)) != FORM:
            METADATA.drop_all(connection, tables=DERIVED)
            METADATA.create_all(connection, tables=DERIVED)
            connection.execute(INDEX.insert(), {"root": "", "name": "form", "value": FORM})
        found = connection.execute(sa.select(_I.name, _I.value).where(_I.root == self.root))
        about = {"form": FORM, **{row.name: row.value for row in found}}
        if not self._fits(about):
            self._empty(connection, self.root)
            maker = {"root": self.root, "name": "maker", "value": self.maker or about.get("maker", "")}
            new = {"root": self.root, "name": "generation", "value": secrets.token_hex(16)}
            connection.execute(INDEX.insert(), [maker, new])

    def _empty(self, connection: sa.Connection, root: str) -> None:
        for table in DERIVED:
            connection.execute(table.delete().where(table.c.root == root))

    def seen(self) -> dict[str, tuple[int, int]]:
        """Every indexed path with its file's ``(mtime_ns, size)`` then."""
        return {path: (mtime_ns, size) for path, mtime_ns, size in self.reader.ask(_SEEN, root=self.root)}

    def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace rows made by :func:`row_of`; each gets a new number.

        Where another kernel has signed the folder with another maker since, the rows go without sign bits: bits of
        two embedders say nothing about each other.
        """
        for start in range(0, len(rows), BATCH):
            batch = {row["path"]: {"root": self.root, **row} for row in rows[start : start + BATCH]}
            with writing(self.engine) as connection:
                if (
                    self.maker
                    and any(row["bits"] for row in batch.values())
                    and self._maker(connection) != self.maker
                ):
                    batch = {path: {**row, "bits": b""} for path, row in batch.items()}
                self._retire(connection, list(batch))
                connection.execute(TRACES.insert(), list(batch.values()))

    def _maker(self, connection: sa.Connection) -> str:
        """Who signs the rows of this folder now."""
        return connection.scalar(sa.select(_I.value).where(_I.root == self.root, _I.name == "maker")) or ""

    def _retire(self, connection: sa.Connection, paths: list[str]) -> None:
        """Drop the rows of these files, and note their numbers as gone."""
        chosen = sa.and_(_T.root == self.root, _T.path.in_(paths))
        gone = connection.scalars(sa.select(_T.number).where(chosen)).all()
        if gone:
            connection.execute(TRACES.delete().where(chosen))
            connection.execute(CHANGES.insert(), [{"root": self.root, "gone": number} for number in gone])
            newest = sa.select(sa.func.max(CHANGES.c.change)).scalar_subquery()
            connection.execute(CHANGES.delete().where(CHANGES.c.change <= newest - _CHANGES_KEPT))

    def drop(self, paths: Iterable[str]) -> None:
        """Forget files that are gone."""
        gone = list(paths)
        for start in range(0, len(gone), BATCH):
            with writing(self.engine) as connection:
                self._retire(connection, gone[start : start + BATCH])

    def other_roots(self) -> list[str]:
        """The other folders that have rows in this database."""
        return [root for (root,) in self.reader.ask(_OTHER_ROOTS, root=self.root)]

    def drop_root(self, root: str) -> None:
        """Forget a whole folder."""
        with writing(self.engine) as connection:
            self._empty(connection, root)

    def candidates(self, key: int) -> list[Candidate]:
        """All traces with this key, whatever became of them."""
        rows = self.reader.ask(_CANDIDATES, root=self.root, key=key)
        return [Candidate._make(_flagged(row)) for row in rows]

    def candidates_at(self, numbers: Sequence[int]) -> list[Found]:
        """What is known of the traces with these numbers, in their order; those that are gone are left out."""
        found: dict[int, Found] = {}
        for start in range(0, len(numbers), len(_PLACES)):
            wanted = dict.fromkeys(_PLACES, -1) | dict(
                zip(_PLACES, numbers[start : start + len(_PLACES)], strict=False)
            )
            for root, *row in self.reader.ask(_FOUND, **wanted):
                if root == self.root:
                    one = Found._make(_flagged(row))
                    found[one.number] = one
        return [found[number] for number in numbers if number in found]

    def payload(self, path: str, digest: str) -> Trace | None:
        """The trace in a file whose content has this digest; None where the index knows another content.

        The same object may be given again: what it holds must not be changed.
        """
        served = self._served.get((path, digest))
        if served is not None:
            return served
        for (payload,) in self.reader.ask(_PAYLOAD, root=self.root, path=path, digest=digest):
            if payload and (trace := unpacked(payload, digest)) is not None:
                while len(self._served) >= _SERVED:
                    self._served.pop(next(iter(self._served)), None)
                self._served[path, digest] = trace
                return trace
        return None

    def paths_of(self, id: str) -> list[str]:
        """The paths of the files with this id, readable or not."""
        return sorted(path for (path,) in self.reader.ask(_PATHS, root=self.root, id=id))

    def ids(self) -> list[str]:
        """The ids of all readable traces."""
        return [id for (id,) in self.reader.ask(_IDS, root=self.root)]

    def count(self, version: tuple[int, int] | None = None) -> int:
        """How many traces can be read. ``version`` is the database's now, where that is known."""
        version = version or self.reader.version()
        if version is None or self._counted[0] != version:
            self._counted = version, int(self.reader.ask(_COUNT, root=self.root)[0][0])
        return self._counted[1]

    def called_wrong(self) -> frozenset[str]:
        """The ids of traces that a person called wrong."""
        version = self.reader.version()
        if version is None or self._wrong[0] != version:
            self._wrong = version, frozenset(id for (id,) in self.reader.ask(_CALLED_WRONG, root=self.root))
        return self._wrong[1]

    def edited(self, version: tuple[int, int] | None = None) -> dict[int, str]:
        """The newest trace of each template that is out of use because it was edited; see :meth:`count`."""
        version = version or self.reader.version()
        if version is None or self._idle[0] != version:
            self._idle = version, dict(reversed(self.reader.ask(_EDITED, root=self.root)))
        return self._idle[1]

    def rows(self, newest: int | None = None, *, status: str | None = None) -> list[dict[str, Any]]:
        """The readable traces, newest first: ``newest`` of them, those that ended with ``status``, or all."""
        most = _ALL if newest is None else newest
        listed = self.reader.ask(_ROWS, root=self.root, any=status is None, status=status or "", newest=most)
        found = (dict(zip(_LISTED, row, strict=True)) for row in listed)
        return [{**row, "replayable": bool(row["replayable"]), "edited": bool(row["edited"])} for row in found]

    def problems(self) -> dict[str, str]:
        """The files that cannot be read, with what is wrong."""
        return dict(sorted(self.reader.ask(_PROBLEMS, root=self.root)))

    def record_use(self, trace_id: str, *, success: bool, at: str) -> None:
        """Count one use; counts of several kernels add up."""
        row = {"trace_id": trace_id, "successes": int(success), "failures": int(not success), "last_used_at": at}
        with writing(self.engine) as connection:
            connection.execute(self._use, row)

    def uses(self, trace_id: str) -> Mapping[str, Any] | None:
        """The use record of a trace, None where it was never used."""
        for row in self.reader.ask(_USED, trace_id=trace_id):
            return dict(zip(_U.keys(), row, strict=True))
        return None
