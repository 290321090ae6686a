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

from llmos_nb.errors import EmptyGoal, LlmosError, StoreError, TraceFileError, UnknownTrace
from llmos_nb.guard.effects import unwatched
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.state import open_state
from llmos_nb.kernel.trust import Trust
from llmos_nb.memory.capitals import capitals_that_matter
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.confidence import confidence_of, reliability
from llmos_nb.memory.file import SIZE_LIMIT, checked_id, digest_of, new_id, read, row_of_file
from llmos_nb.memory.forms import maker, signature_of
from llmos_nb.memory.index import BATCH, TraceIndex, key_digest, row_of
from llmos_nb.memory.library import Library, task_of
from llmos_nb.memory.match import Match, in_order, passed_over, strange
from llmos_nb.memory.programs import Generalization
from llmos_nb.memory.reading import read_goal
from llmos_nb.memory.recall import Recall
from llmos_nb.memory.repaired import gave_up
from llmos_nb.memory.seal import RECORDED, is_edited, is_recorded_here, recorded_here
from llmos_nb.memory.shelf import Shelf, Stamp
from llmos_nb.memory.signature import hash63
from llmos_nb.memory.slots import Vocabulary
from llmos_nb.memory.trace import Trace

__all__ = ["TraceStore", "UseRecord"]

_NOTHING: Final = ("no trace of this goal with these values",)
_NONE: Final = Match("none", 0.0, None, reasons=_NOTHING)
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
    brings the index up to date with the files. Traces of ``library``, which belong to packs, are found by their ids,
    too; what is to be written into one goes into a copy in ``folder``. With ``trust`` only traces that were recorded or
    vouched for on this machine are matched; others are there to be looked at.

    Raises:
        StoreError: the folder or the database cannot be used.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        state: sa.Engine | None = None,
        library: Library | None = None,
        trust: Trust | None = None,
    ) -> None:
        self._library = library
        self._trust = trust
        self.folder = Path(folder).absolute()
        self._own_state = state is None
        self._engine = state if state is not None else open_state(self.folder / ".llmos" / "state.db")
        self._index = TraceIndex(self._engine, str(self.folder), maker=maker())
        self._shelf = Shelf(self.folder)
        self._lock = threading.RLock()
        private = self.folder / ".llmos"
        #: By a file's stamp: whether it is from here.
        self._whose: dict[tuple[str, int, int], bool] = {}
        self._recall = Recall(self._index, private, lambda row: self._own(self._current(row.path, row.digest)))
        self._index.create()
        self._database = self._index.file()
        self.refresh()

    def __repr__(self) -> str:
        try:
            return f"TraceStore({str(self.folder)!r}, {len(self)} traces; %traces shows them)"
        except StoreError as error:
            return f"TraceStore({error.message})"

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

    def rows(self, newest: int | None = None, *, status: str | None = None) -> list[dict[str, Any]]:
        """What the index says of every readable trace, newest first; no file is opened.

        With ``newest`` that many at the most; with ``status`` only traces of runs that ended so.
        """
        with self._lock:
            self._notice()
            return self._index.rows(newest, status=status)

    @property
    def version(self) -> tuple[int, int] | None:
        """Another value after every write to the index, by this process or another; None where the database has none."""
        with self._lock:
            self._notice()
            return self._index.reader.version()

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
                named = dataclasses.replace(trace, id=id, created_at=created_at)
                # One that brings a mark was recorded somewhere: that is kept, whoever puts it here.
                if self._trust is not None and self._trust.may_sign and RECORDED not in trace.extra:
                    named = recorded_here(named, self._trust)
                text = dump(named)
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
                    with unwatched():
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
            self._index.put([row_of(path, trace.id, *stamp, digest_of(data), trace, signature=signature_of(trace))])
        except (StoreError, OSError):
            return  # the file is safe, and the next look finds it; a run must not fail for its index
        self._shelf.wrote(path, stamp)

    def record_use(self, trace_id: str, success: bool) -> None:
        """Count one use of a trace.

        Raises:
            UnknownTrace: there is no such trace.
        """
        with self._lock:
            if not self._index.paths_of(checked_id(trace_id)) and self._shipped(trace_id) is None:
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
        if self._library is not None and not self._has(trace_id) and (path := self._library.path(trace_id)):
            return path
        return self.folder / self._relative(trace_id)

    def _has(self, trace_id: str) -> bool:
        """Whether the folder itself has a trace of this id."""
        with self._lock:
            self._notice()
            return bool(self._index.paths_of(checked_id(trace_id)))

    def _shipped(self, trace_id: str) -> Trace | None:
        """The trace of this id in a pack; None where it is the folder's own, or nobody's."""
        if self._library is None or self._has(trace_id):
            return None
        return self._library.get(trace_id)

    def tasks_called_wrong(self) -> frozenset[str]:
        """The tasks of packs of which a person called a trace wrong."""
        if self._library is None:
            return frozenset()
        with self._lock:
            self._notice()
            wrong = self._index.called_wrong()
        if not wrong:
            return frozenset()
        found = (self._library.get(id) for id in wrong)
        return frozenset(task_of(trace) for trace in found if trace is not None)

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
                else "%traces lists them; in Python llmos.traces.rows().",
            )

    def get(self, trace_id: str) -> Trace:
        """The trace as its file says it now.

        Raises:
            UnknownTrace: there is no such trace.
            TraceFileError: its file cannot be read.
        """
        shipped = self._shipped(trace_id)
        if shipped is not None:
            return shipped
        with self._lock:
            path = self._relative(trace_id)
            trace = self._current(path)
            if trace is not None:
                return trace
            problem = self._index.problems().get(path)
            if problem is None:
                raise UnknownTrace(
                    f"The trace {trace_id!r} was deleted a moment ago.", remedy="%traces lists those that are there."
                )
            raise TraceFileError(problem, remedy="Correct the file, or delete it: the goal is then worked out anew.")

    def match(
        self,
        goal: str,
        *,
        vocabulary: Mapping[str, Iterable[str]] | Vocabulary | None = None,
        agent: str | None = None,
        prefer: Callable[[Trace], float] | None = None,
        only: Callable[[Trace], bool] | None = None,
    ) -> Match:
        """The recorded task that ``goal`` is, if there is one, and what may be done with it.

        The exact key (:func:`~llmos_nb.memory.key.goal_key`) comes first: the same goal with the same values. Then
        goals of the same wording, of the same words, of the same meaning, as :mod:`llmos_nb.memory.matcher` tells
        them; other values are bound where recorded runs prove how. With ``agent`` only that agent's traces count.

        Args:
            goal: what is asked for.
            vocabulary: values known to exist, by kind: names of columns, variables, values of columns. It tells values
                from words, and a department from an instructor.
            agent: the agent whose traces count; every agent's if None.
            prefer: of several traces of the very same goal, the one that this gives most goes first; 1 is the most.
            only: the traces that count; all if None.

        Raises:
            EmptyGoal: the goal has no words.
        """
        if not goal.strip():
            raise EmptyGoal("There is no goal to match.", remedy="Say what is to be done.")
        with self._lock:
            # What the index has can be served at once, since its file is read again. Only where that is nothing is the
            # folder looked through for files that came by another way.
            exact, version = None, None
            if self._index.file() == self._database:
                version = self._index.reader.version()
                exact = self._exact(goal, agent, prefer, only)
            if exact is None or exact.verdict != "replay":
                changed, before = self._notice(), version
                version = self._index.reader.version()
                # Where nothing was written since, there still is no row with this key.
                if (
                    exact is None or changed or exact.reasons != _NOTHING
                    or version is None or version != before
                ):  # fmt: skip
                    exact = self._exact(goal, agent, prefer, only)
                    version = None  # it may have written
            if exact.verdict == "replay":
                return exact
            match = self._recall.best(goal, vocabulary, agent, only, version=version)
            if match.steps is None and (idle := exact.passed_over or self._edited_like(match, version)):
                match = dataclasses.replace(match, passed_over=idle)
            if match.verdict == "none" and exact.reasons != _NOTHING:
                return dataclasses.replace(match, reasons=(*exact.reasons, *match.reasons))
            return match

    def _edited_like(self, match: Match, version: tuple[int, int] | None) -> str:
        """Why a run of this goal's very wording, with other values perhaps, was not looked at; empty if there is none."""
        edited = self._index.edited(version)
        if not edited or match.lifted is None:
            return ""
        like = edited.get(hash63(read_goal(match.lifted).masked))
        why = "of a goal like this one was edited after it was recorded"
        return passed_over(like, why) if like is not None else ""

    def _exact(
        self,
        goal: str,
        agent: str | None,
        prefer: Callable[[Trace], float] | None,
        only: Callable[[Trace], bool] | None,
    ) -> Match:
        """The trace of this same goal with these same values, if there is one."""
        key = key_digest(goal)
        candidates = self._index.candidates(key)
        if not candidates:
            return _NONE
        usable, reasons = in_order(candidates, agent)
        found: Match | None = None
        best = -1.0
        idle = ""
        for candidate in usable:
            trace = self._current(candidate.path, candidate.digest)
            if trace is not None and only is not None and not only(trace):
                continue
            if trace is None:
                reasons.append(f"{candidate.id} is gone or cannot be read any more")
            elif not trace.replayable or not _has_key(trace, goal, key) or agent not in (None, trace.agent):
                reasons.append(f"{candidate.id} was edited and does not fit any more")
            elif is_edited(trace):
                why_not = "was edited after it was recorded, and nobody has vouched for it since"
                reasons.append(f"{candidate.id} {why_not}")
                idle = idle or passed_over(candidate.id, why_not)
            elif not self.is_own(trace):
                why_not = "was not recorded here, and nobody has said that it is trusted"
                reasons.append(f"{candidate.id} {why_not}")
                idle = idle or strange(candidate.id)
            elif gave_up(trace):
                reasons.append(f"{candidate.id} gave up at a step that failed, and is not repeated")
            elif goal != trace.goal and (matter := capitals_that_matter(goal, trace)):
                told = ", ".join(f"{typed} is {recorded} there" for recorded, typed in matter)
                reasons.append(f"{candidate.id} has other capitals in what looks like a value: {told}")
            else:
                liked = 1.0 if prefer is None or len(usable) == 1 else float(prefer(trace))
                if liked <= best:
                    continue
                best = liked
                why = ["same goal with the same values"]
                if len(usable) > 1:
                    order = "its files unchanged, " if prefer is not None and liked >= 1 else ""
                    why.append(f"the best of {len(usable)} such traces: {order}fewest failures in use, then newest")
                if agent is not None:
                    why.append(f"only traces of {agent} were asked for")
                if candidate.failures:
                    why.append(f"it failed in {candidate.failures} of {candidate.uses} uses")
                found = Match(
                    "replay",
                    confidence_of(
                        "exact", None, reliability(candidate.uses - candidate.failures, candidate.failures)
                    ),
                    trace.id,
                    steps=trace.replayable_steps,
                    reasons=(*why, *reasons),
                    trace=trace,
                )
                if liked >= 1:
                    break
        if found is not None:
            return found
        for one in candidates:
            if one.wrong and one.status == "success" and agent in (None, one.agent) and not idle:
                idle = passed_over(one.id, f"was called wrong ({one.wrong.partition(' ')[2]})")
        return Match("none", 0.0, None, reasons=tuple(reasons) or _NOTHING, passed_over=idle)

    def generalization(self, trace_id: str, *, vocabulary: Vocabulary | None = None) -> Generalization:
        """What the runs of one trace's program say together: the trace, and others of the same shape or template.

        Raises:
            UnknownTrace, TraceFileError: there is no such trace, or its file cannot be read.
        """
        with self._lock:
            self._notice()
            return self._recall.generalization(self.get(trace_id), vocabulary)

    def is_own(self, trace: Trace) -> bool:
        """Whether a trace was recorded, or vouched for, on this machine; of any, where the store does not look at that."""
        return self._trust is None or self._from_pack(trace) or is_recorded_here(trace, self._trust)

    def strangers(self) -> set[str]:
        """Ids of traces that could be replayed if they had been recorded here, or if somebody had vouched for them."""
        if self._trust is None:
            return set()
        return {str(row["id"]) for row in self.rows(status="success") if row["replayable"] and self.is_strangers(row)}

    def is_strangers(self, row: Mapping[str, Any]) -> bool:
        """Whether the trace of a row of :meth:`rows` was recorded elsewhere, and nobody has vouched for it here."""
        key = (row["path"], row["mtime_ns"], row["size"])
        if key not in self._whose:
            try:
                self._whose[key] = self.is_own(self.get(row["id"]))
            except LlmosError:  # it is gone, or broke just now
                return False
        return not self._whose[key]

    def _from_pack(self, trace: Trace) -> bool:
        return self._library is not None and bool(task_of(trace)) and self._library.get(trace.id) is trace

    def _own(self, trace: Trace | None) -> Trace | None:
        return trace if trace is not None and self.is_own(trace) else None

    def vouch(self, trace: Trace) -> Trace:
        """Write a trace as one of this machine's own.

        Raises:
            GuardDenied: an agent's code asks.
            UnknownTrace, TraceFileError, StoreError: see :meth:`replace`.
        """
        return self.replace(trace if self._trust is None else recorded_here(trace, self._trust))

    def replace(self, trace: Trace) -> Trace:
        """Write another content into the file of a trace, because a person said so: called it wrong, or trusts an edit.

        Raises:
            UnknownTrace: there is no such trace.
            TraceFileError, StoreError: it cannot be written.
        """
        if self._shipped(trace.id) is not None:
            return self.add(trace)
        with self._lock:
            path = self._relative(trace.id)
            if task_of(trace) and not trace.wrong and self._library is not None and self._library.get(trace.id):
                with unwatched():  # as the pack has it, it is in use again
                    (self.folder / path).unlink(missing_ok=True)
                self._forget([path])
                return trace
            data = dump(trace).encode()
            with unwatched():
                atomic_write(self.folder / path, data)
            written = parse(data.decode(), path)
            self._index_added(path, data, written)
            return written

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

    def _notice(self) -> bool:
        """A quick look for files that came or went, and for a database that was taken away; True if any did."""
        if self._index.file() != self._database:
            self._engine.dispose()
            self._index.create()
            self._database = self._index.file()
            self.refresh()
            return True
        new, gone = self._shelf.changes()
        if not new and not gone:
            return False
        self._forget(gone)
        self._read(new)
        return True

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
        data = read(self.folder, path)
        if data is not None:
            now = digest_of(data)
            trace = self._index.payload(path, now) if digest in (None, now) else None
            if trace is not None:
                return trace
        try:
            found = os.lstat(self.folder / path)
        except OSError:
            found = None
        if data is None or found is None:
            self._index.drop([path])
            return None
        row, trace = row_of_file(path, (found.st_mtime_ns, found.st_size), data)
        self._index.put([row])
        return trace


def _has_key(trace: Trace, goal: str, key: int) -> bool:
    """Whether the goal in a trace's file has the key; the same text surely has."""
    return trace.goal == goal or key_digest(trace.goal) == key


def _taken(id: str) -> StoreError:
    return StoreError(f"There is a trace {id!r} already.", remedy="Leave the id empty, and a new one is made.")
