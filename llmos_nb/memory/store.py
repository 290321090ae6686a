"""The traces of a workspace: Markdown files that are the truth, and an index that finds one in a millisecond.

Nothing is served on the index's word alone: the file is read again, and where its content is not the indexed one it
is parsed anew. So an edited or deleted file is never replayed as it was.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa

from llmos_nb.errors import EmptyGoal, StoreError, TraceFileError, UnknownTrace
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.state import open_state
from llmos_nb.memory.capitals import capitals_that_matter
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.file import SIZE_LIMIT, checked_id, digest_of, new_id, read, row_of_file
from llmos_nb.memory.index import BATCH, TraceIndex, key_digest, row_of
from llmos_nb.memory.match import Match, in_order
from llmos_nb.memory.shelf import Shelf, Stamp
from llmos_nb.memory.trace import Trace

__all__ = ["TraceStore", "UseRecord"]

_CREATED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


@dataclass(frozen=True, slots=True)
class UseRecord:
    """How often a trace was replayed, and how that went. ``last_used_at`` is ISO 8601 in UTC, empty if never."""

    uses: int = 0
    successes: int = 0
    failures: int = 0
    last_used_at: str = ""


class TraceStore:
    """The traces in ``folder``; a context manager. Several stores, also of several processes, may share a folder.

    ``state`` is the workspace's state database; without one the store keeps ``folder/.llmos/state.db``. Opening it
    brings the index up to date with the files.

    Raises:
        StoreError: the folder or the database cannot be used.
    """

    def __init__(self, folder: Path | str, *, state: sa.Engine | None = None) -> None:
        self.folder = Path(folder).absolute()
        self._own_state = state is None
        self._engine = state if state is not None else open_state(self.folder / ".llmos" / "state.db")
        self._index = TraceIndex(self._engine, str(self.folder))
        self._shelf = Shelf(self.folder)
        self._lock = threading.RLock()
        self._index.create()
        self._database = self._index.file()
        self.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database, if the store opened it."""
        if self._own_state:
            self._engine.dispose()

    def __len__(self) -> int:
        """How many traces can be read, failures included."""
        with self._lock:
            self._notice()
            return self._index.count()

    @property
    def problems(self) -> dict[str, str]:
        """Files that cannot be read, by path relative to the folder, with what is wrong and what to do."""
        with self._lock:
            self._notice()
            return self._index.problems()

    def rows(self) -> list[dict[str, Any]]:
        """What the index says of every readable trace, newest first; no file is opened."""
        with self._lock:
            self._notice()
            return self._index.rows()

    def add(self, trace: Trace) -> Trace:
        """Write ``trace`` to a file of its own; returns it as it is read back, with id and time filled in.

        Raises:
            EmptyGoal: the goal has no words.
            TraceFileError: the trace holds what a file cannot.
            StoreError: the folder cannot be written, or the id that ``trace`` brings is taken.
        """
        if not trace.goal.strip():
            raise EmptyGoal("A trace needs a goal.", remedy="Say what was to be done.")
        created_at = trace.created_at or datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if not _CREATED.fullmatch(created_at):
            raise TraceFileError(
                f"{trace.goal[:60]!r}: created_at is {created_at!r}.", remedy="Write it as 2026-11-22T07:41:03Z."
            )
        with self._lock:
            while True:
                id = checked_id(trace.id) if trace.id else new_id(trace.goal, created_at)
                text = dump(dataclasses.replace(trace, id=id, created_at=created_at))
                path = f"{created_at[:7]}/{id}.md"
                data = text.encode()
                if len(data) > SIZE_LIMIT:
                    raise TraceFileError(
                        f"{id}: cannot be written: {len(data)} bytes are more than {SIZE_LIMIT}.",
                        remedy="Shorten the outputs.",
                    )
                if trace.id and self._index.paths_of(id):
                    raise _taken(id)
                try:
                    atomic_write(self.folder / path, data, exclusive=True)
                    break
                except FileExistsError:
                    if trace.id:
                        raise _taken(id) from None
            added = parse(text, path)
            self._index_added(path, data, added)
            return added

    def _index_added(self, path: str, data: bytes, trace: Trace) -> None:
        try:
            found = os.lstat(self.folder / path)
            stamp = (found.st_mtime_ns, found.st_size)
            self._index.put([row_of(path, trace.id, *stamp, digest_of(data), trace)])
        except (StoreError, OSError):
            return  # the file is safe, and the next look finds it; a run must not fail for its index
        self._shelf.wrote(path, stamp)

    def record_use(self, trace_id: str, success: bool) -> None:
        """Count one use of a trace.

        Raises:
            UnknownTrace: there is no such trace.
        """
        with self._lock:
            self.path(trace_id)
            now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._index.record_use(trace_id, success=success, at=now)

    def uses(self, trace_id: str) -> UseRecord:
        """The use record of a trace; all zero for one that was never used."""
        with self._lock:
            row = self._index.uses(checked_id(trace_id))
            return UseRecord(**{k: v for k, v in row.items() if k != "trace_id"}) if row else UseRecord()

    def path(self, trace_id: str) -> Path:
        """The file of a trace.

        Raises:
            UnknownTrace: there is no such trace; the message has the ids that come close.
        """
        return self.folder / self._relative(trace_id)

    def _relative(self, trace_id: str) -> str:
        with self._lock:
            self._notice()
            paths = self._index.paths_of(checked_id(trace_id))
            if paths:
                return paths[0]
            close = difflib.get_close_matches(trace_id, self._index.ids(), 3)
            raise UnknownTrace(
                f"There is no trace {trace_id!r} in {self.folder}.",
                remedy=f"Did you mean {' or '.join(close)}?"
                if close
                else "%traces lists them; in Python store.rows().",
            )

    def get(self, trace_id: str) -> Trace:
        """The trace as its file says it now.

        Raises:
            UnknownTrace: there is no such trace.
            TraceFileError: its file cannot be read.
        """
        with self._lock:
            path = self._relative(trace_id)
            trace = self._current(path)
            if trace is not None:
                return trace
            problem = self._index.problems().get(path)
            if problem is None:
                raise UnknownTrace(f"The trace {trace_id!r} was deleted a moment ago.")
            raise TraceFileError(problem)

    def match(
        self,
        goal: str,
        *,
        vocabulary: Mapping[str, Iterable[str]] | None = None,
        agent: str | None = None,
        prefer: Callable[[Trace], bool] | None = None,
    ) -> Match:
        """The trace that reached this same goal with these same values, if there is one.

        Same means an equal :func:`~llmos_nb.memory.key.goal_key`. Only success is replayed; among several traces
        one that ``prefer`` says yes to, then the one with the fewest failures in use, then the newest. With ``agent``
        only that agent's traces count.
        ``vocabulary`` (values known to exist, by kind) tells values from words; an exact match needs none.
        """
        if not goal.strip():
            raise EmptyGoal("There is no goal to match.", remedy="Say what is to be done.")
        key = key_digest(goal)
        with self._lock:
            self._notice()
            usable, reasons = in_order(self._index.candidates(key), agent)
            found: Match | None = None
            for candidate in usable:
                trace = self._current(candidate.path, candidate.digest)
                if trace is None:
                    reasons.append(f"{candidate.id} is gone or cannot be read any more")
                elif not trace.replayable or key_digest(trace.goal) != key or agent not in (None, trace.agent):
                    reasons.append(f"{candidate.id} was edited and does not fit any more")
                elif matter := capitals_that_matter(goal, trace):
                    told = ", ".join(f"{typed} is {recorded} there" for recorded, typed in matter)
                    reasons.append(f"{candidate.id} has other capitals in what looks like a value: {told}")
                else:
                    liked = prefer is None or len(usable) == 1 or prefer(trace)
                    if found is not None and not liked:
                        continue
                    why = ["same goal with the same values"]
                    if len(usable) > 1:
                        order = "its files unchanged, " if prefer is not None and liked else ""
                        why.append(
                            f"the best of {len(usable)} such traces: {order}fewest failures in use, then newest"
                        )
                    if agent is not None:
                        why.append(f"only traces of {agent} were asked for")
                    if candidate.failures:
                        why.append(f"it failed in {candidate.failures} of {candidate.uses} uses")
                    steps = trace.replayable_steps
                    found = Match("replay", 1.0, trace.id, steps=steps, reasons=(*why, *reasons), trace=trace)
                    if liked:
                        break
            if found is not None:
                return found
        return Match("none", 0.0, None, reasons=tuple(reasons) or ("no trace of this goal with these values",))

    def refresh(self) -> None:
        """Bring the index up to date: every file is statted, those that changed are parsed.

        Raises:
            StoreError: the folder or the database cannot be used.
        """
        with self._lock:
            there, seen = self._shelf.scan(), self._index.seen()
            self._forget(path for path in seen if path not in there)
            self._read({path: stamp for path, stamp in there.items() if seen.get(path) != stamp})
            if self._engine.dialect.name == "sqlite":  # a folder that was moved took its database along
                for root in self._index.other_roots():
                    if not os.path.isdir(root):
                        self._index.drop_root(root)

    def _notice(self) -> None:
        """A quick look for files that came or went, and for a database that was taken away."""
        if self._index.file() != self._database:
            self._engine.dispose()
            self._index.create()
            self._database = self._index.file()
            self.refresh()
            return
        new, gone = self._shelf.changes()
        self._forget(gone)
        self._read(new)

    def _forget(self, paths: Iterable[str]) -> None:
        """Drop these from the index, unless another process put one there since the folder was listed."""
        self._index.drop([path for path in paths if not os.path.lexists(self.folder / path)])

    def _read(self, files: Mapping[str, Stamp]) -> None:
        """Parse and index these files."""
        rows: list[dict[str, Any]] = []
        for path, stamp in files.items():
            data = read(self.folder, path)
            if data is None:
                continue
            rows.append(row_of_file(path, stamp, data)[0])
            if len(rows) >= BATCH:
                self._index.put(rows)
                rows = []
        self._index.put(rows)

    def _current(self, path: str, digest: str | None = None) -> Trace | None:
        """What the file says now: from the index if that knows this very content (``digest``), else parsed anew."""
        try:
            found = os.lstat(self.folder / path)
        except OSError:
            found = None
        data = read(self.folder, path) if found is not None else None
        if data is None or found is None:
            self._index.drop([path])
            return None
        now = digest_of(data)
        if digest is None or now == digest:
            trace = self._index.payload(path, now)
            if trace is not None:
                return trace
        row, trace = row_of_file(path, (found.st_mtime_ns, found.st_size), data)
        self._index.put([row])
        return trace


def _taken(id: str) -> StoreError:
    return StoreError(f"There is a trace {id!r} already.", remedy="Leave the id empty, and a new one is made.")
