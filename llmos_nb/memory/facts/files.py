"""The files of facts in memory, kept up to date with the folder, and a table of the state database that spares reading
them all when it is opened.

The files are the truth. Every row can be made again from its file, so any process may write any row at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from llmos_nb.errors import FactError, FactFileError, StoreError
from llmos_nb.guard.effects import unwatched
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.state import reading, writing
from llmos_nb.kernel.whose import by_agent as from_agent_code
from llmos_nb.memory.embedding import embedder
from llmos_nb.memory.facts.codec import dump, parse_bytes, read
from llmos_nb.memory.facts.fact import Fact
from llmos_nb.memory.facts.table import FACTS, FORM

if TYPE_CHECKING:
    from llmos_nb.memory.facts.search import Search

__all__ = ["FactFiles"]

Stamp = tuple[int, int]
#: Rows in one transaction.
_BATCH: Final = 500
#: A look at every file may take this share of the time.
_LOOKING: Final = 0.01
#: Looks in a row, while others write: what is seen is what the folder held at one moment, or nearly.
LOOKS: Final = 12


@dataclasses.dataclass(slots=True)
class Entry:
    """One file as it was last read: ``fact`` is None where ``problem`` says why."""

    stamp: Stamp
    digest: str
    fact: Fact | None
    problem: str = ""
    vector: bytes = b""


class FactFiles:
    """The files of ``folder``, indexed in ``engine``. Not thread-safe by itself: hold :attr:`lock`.

    Raises:
        StoreError: the folder or the database cannot be used.
    """

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        self.folder = folder
        self._engine = engine
        self.lock = threading.RLock()
        self.entries: dict[str, Entry] = {}
        #: Ids that some other fact says it supersedes, with that fact's id.
        self._replaced: dict[str, str] = {}
        self._search: Search | None = None
        self._folder_ns = -1
        #: Ids of facts that are named as another's successor, and are not there: their files were deleted.
        self._missed: set[str] = set()
        self._looked_at = 0.0
        self._look_took = 0.0
        self._form = f"{FORM}-{embedder().version}"
        #: The transaction of the writer whose turn it is, if it is this one.
        self._turn: sa.Connection | None = None
        self._make_table()
        self._load()
        self._look()

    @contextlib.contextmanager
    def writing_turn(self) -> Iterator[sa.Connection]:
        """The turn of this writer, in this process and among all that share the database."""
        with self.lock:
            if self._turn is not None:
                yield self._turn
                return
            with writing(self._engine) as connection:
                self._turn = connection
                try:
                    yield connection
                finally:
                    self._turn = None

    def write(self, fact: Fact, *, exclusive: bool = False) -> None:
        """Write a fact's file and index it; in a turn of :meth:`writing_turn`.

        Raises:
            FileExistsError: ``exclusive``, and the file is there.
            FactError: it is a person's fact, and an agent's code writes it.
            StoreError: it cannot be written.
        """
        if from_agent_code() and not fact.by_an_agent:
            raise FactError(
                f"Code of an agent cannot write what {fact.source} said.", remedy="Ask the person: %remember TEXT."
            )
        data = dump(fact).encode()
        path = f"{fact.id}.md"
        with unwatched():
            atomic_write(self.folder / path, data, exclusive=exclusive)
        self._take(path, data)

    def status(self, fact: Fact) -> str:
        """What holds now: a fact that another one supersedes is superseded, whatever a kill kept its file from saying."""
        return "superseded" if fact.status == "active" and fact.id in self._replaced else fact.status

    def as_is(self, fact: Fact) -> Fact:
        """The fact with the status that holds now."""
        if fact.status == "active" and fact.id in self._replaced:
            return dataclasses.replace(fact, status="superseded", superseded_by=self._replaced[fact.id])
        return fact

    def searched(self) -> Search:
        """The search table, made at the first question."""
        if self._search is None:
            import numpy as np

            from llmos_nb.memory.facts.search import Search

            self._search = search = Search()
            for path, entry in self.entries.items():
                if entry.fact is not None and entry.fact.status == "active":
                    search.put(path, entry.fact, np.frombuffer(entry.vector, np.float16))
        return self._search

    def _make_table(self) -> None:
        """Make the table, if it is missing or of another version: everything in it can be read from the files."""
        try:
            with reading(self._engine) as connection:
                connection.execute(sa.select(*FACTS.c).where(sa.false()))
        except (sa.exc.DatabaseError, StoreError):
            with writing(self._engine) as connection:
                FACTS.drop(connection, checkfirst=True)
                FACTS.create(connection, checkfirst=True)

    def _load(self) -> None:
        """What the index says of the files: they are not read again where their stamps are the same."""
        try:
            with reading(self._engine) as connection:
                found = connection.execute(
                    sa.select(*FACTS.c).where(FACTS.c.root == str(self.folder), FACTS.c.form == self._form)
                ).all()
        except sa.exc.DatabaseError:  # a database that was taken away, or is of another version: the files say it all
            return
        for row in found:
            fact = _from_record(row.record) if row.record else None
            if fact is not None or row.problem:
                self.entries[row.path] = Entry((row.mtime_ns, row.size), row.digest, fact, row.problem, row.vector)
                if fact is not None and fact.supersedes:
                    self._replaced[fact.supersedes] = fact.id

    def notice(self, *, now: bool = False) -> None:
        """Look at the files, if a look is due: one takes a hundredth of the time at the most."""
        if now or time.monotonic() - self._looked_at > self._look_took / _LOOKING or self._changed():
            for _ in range(LOOKS):
                self._look()
                missing = self._missing()
                if not self._changed() and missing <= self._missed:
                    break
            self._missed = missing

    def _missing(self) -> set[str]:
        """Facts that took another's place and were not seen: their files are gone, or the look came too early for them."""
        facts = [entry.fact for entry in self.entries.values() if entry.fact is not None and entry.fact.superseded_by]
        return {fact.superseded_by for fact in facts if f"{fact.superseded_by}.md" not in self.entries}

    def _changed(self) -> bool:
        """Whether a file came or went, or was replaced, as far as the folder's own time tells."""
        try:
            return os.stat(self.folder).st_mtime_ns != self._folder_ns
        except OSError:
            return self._folder_ns != -1

    def _look(self) -> None:
        started = time.monotonic()
        try:
            self._folder_ns = os.stat(self.folder).st_mtime_ns
        except OSError:
            self._folder_ns = -1
        there: dict[str, Stamp] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if _counts(entry.name) and entry.is_file(follow_symlinks=False):
                        with contextlib.suppress(FileNotFoundError):
                            found = entry.stat(follow_symlinks=False)
                            there[entry.name] = (found.st_mtime_ns, found.st_size)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreError(
                f"{self.folder}: cannot be listed ({error.strerror}).", remedy="Check the folder's permissions."
            ) from error
        for path in [path for path in self.entries if path not in there]:
            self._gone(path)
        new = [path for path, stamp in there.items() if path not in self.entries or self.entries[path].stamp != stamp]
        if new:
            self._read_all(new)
        self._looked_at = time.monotonic()
        self._look_took = self._looked_at - started if not new else self._look_took

    def _read_all(self, paths: list[str]) -> None:
        """Read these files and index them. A database that cannot be written costs time later, and no fact."""
        from llmos_nb.memory.facts.search import vectors_of

        for start in range(0, len(paths), _BATCH):
            batch = {
                path: data for path in paths[start : start + _BATCH] if (data := read(self.folder / path)) is not None
            }
            made = {path: _parsed(path, data) for path, data in batch.items()}
            texts = [(path, fact.text) for path, (fact, _) in made.items() if fact is not None]
            vectors = dict(zip((path for path, _ in texts), vectors_of([text for _, text in texts]), strict=True))
            rows = []
            for path, data in batch.items():
                fact, problem = made[path]
                stamp = self._stamp(path)
                if stamp is None:
                    continue
                vector = vectors[path].tobytes() if fact is not None else b""
                self._put(path, Entry(stamp, _digest(data), fact, problem, vector))
                rows.append(self._row(path))
            with contextlib.suppress(StoreError, sa.exc.DatabaseError), self.writing_turn() as connection:
                self._index(rows, connection)

    def read_again(self, path: str) -> bool:
        """Read a file that is about to be told; True if it says something else than was known of it."""
        data = read(self.folder / path) if _counts(path) else None
        known = self.entries.get(path)
        if data is None:
            if known is not None:
                self._gone(path)
            return known is not None
        if known is not None and known.digest == _digest(data):
            return False
        self._take(path, data)
        return True

    def _take(self, path: str, data: bytes) -> None:
        """Know a file of this content from now on."""
        from llmos_nb.memory.facts.search import vectors_of

        fact, problem = _parsed(path, data)
        vector = vectors_of([fact.text])[0].tobytes() if fact is not None else b""
        self._put(path, Entry(self._stamp(path) or (-1, -1), _digest(data), fact, problem, vector))
        if self._turn is not None:
            self._index([self._row(path)], self._turn)
        if not self._changed():
            return
        with contextlib.suppress(OSError):  # our own write is no reason to look at everything
            self._folder_ns = os.stat(self.folder).st_mtime_ns

    def _put(self, path: str, entry: Entry) -> None:
        self._unlink(path)
        self.entries[path] = entry
        if entry.fact is not None and entry.fact.supersedes:
            self._replaced[entry.fact.supersedes] = entry.fact.id
        if self._search is not None:
            if entry.fact is not None and entry.fact.status == "active":
                import numpy as np

                self._search.put(path, entry.fact, np.frombuffer(entry.vector, np.float16))
            else:
                self._search.drop(path)

    def _unlink(self, path: str) -> None:
        old = self.entries.get(path)
        if old is not None and old.fact is not None and self._replaced.get(old.fact.supersedes) == old.fact.id:
            del self._replaced[old.fact.supersedes]

    def _gone(self, path: str) -> None:
        self._unlink(path)
        self.entries.pop(path, None)
        if self._search is not None:
            self._search.drop(path)

    def _stamp(self, path: str) -> Stamp | None:
        try:
            found = os.lstat(self.folder / path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _row(self, path: str) -> dict[str, Any]:
        entry = self.entries[path]
        return {
            "root": str(self.folder), "path": path, "mtime_ns": entry.stamp[0], "size": entry.stamp[1],
            "digest": entry.digest, "form": self._form, "problem": entry.problem,
            "record": _record(entry.fact) if entry.fact is not None else "", "vector": entry.vector,
        }  # fmt: skip

    def _index(self, rows: list[dict[str, Any]], connection: sa.Connection) -> None:
        if not rows:
            return
        connection.execute(
            FACTS.delete().where(FACTS.c.root == str(self.folder), FACTS.c.path.in_([row["path"] for row in rows]))
        )
        connection.execute(FACTS.insert(), rows)


def _counts(name: str) -> bool:
    return (
        name.endswith(".md")
        and not name.startswith(".")
        and name.lower() != "readme.md"
        and (name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name))
    )


def _parsed(path: str, data: bytes) -> tuple[Fact | None, str]:
    try:
        return parse_bytes(data, path), ""
    except FactFileError as error:
        return None, str(error)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _record(fact: Fact) -> str:
    record = {field.name: getattr(fact, field.name) for field in dataclasses.fields(fact)}
    text = json.dumps(record, ensure_ascii=True)
    return f"{zlib.crc32(text.encode()):08x}{text}"  # SQLite does not notice when a disk changes what it holds


def _from_record(text: str) -> Fact | None:
    try:
        if text[:8] != f"{zlib.crc32(text[8:].encode()):08x}":
            return None
        record = json.loads(text[8:])
        return Fact(**{**record, "tags": tuple(record["tags"])})
    except (ValueError, TypeError, KeyError):
        return None
