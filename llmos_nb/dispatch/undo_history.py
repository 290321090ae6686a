"""The last runs of this kernel, each with what is needed to take it back, up to a number and a size."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from llmos_nb.dispatch.changes import Changes, changes_of, short_path
from llmos_nb.dispatch.undone import Undoable, Undone
from llmos_nb.errors import LlmosError, UndoRefused
from llmos_nb.guard.footprint import Footprint
from llmos_nb.guard.undo import Undo
from llmos_nb.projects import Project
from llmos_nb.tools.workbench import Call

__all__ = ["EndedRun", "UndoHistory", "effects_elsewhere"]

#: Rules of the guard that a person had to approve because what is then done happens elsewhere, or to what nobody keeps.
_ELSEWHERE: Final = frozenset(
    [
        "upload",
        "connect",
        "remote-change",
        "container",
        "nested-agent",
        "install",
        "schedule",
        "system-settings",
        "process",
        "permissions",
        "database",
        "git-discard",
        "git-history",
        "git-code",
        "write-outside",
        "delete-unknown",
        "shell-unknown-command",
        "shell-unknown-code",
        "shell-hidden-code",
        "program-outside",
        "program-written",
        "code-effect",
        "py-shell",
        "py-native",
        "py-later",
        "py-network",
    ]
)
#: Runs whose names stay in the list after what is needed to take them back is gone.
LISTED: Final = 100
_MEGABYTE: Final = 2**20


def effects_elsewhere(calls: Iterable[Call]) -> tuple[str, ...]:
    """Calls whose effects nobody can take back: approved ones that reached beyond the files and names that are kept."""
    return tuple(
        f"step {call.step} ({call.tool}) was {call.verdict.reason}"
        for call in calls
        if call.result is not None and call.verdict.rule in _ELSEWHERE and call.verdict.reason.startswith("approved")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """A run that is over, and what it left. ``forgotten`` says why it cannot be taken back any more, if so."""

    run_id: str
    goal: str
    cwd: Path
    footprint: Footprint = field(default_factory=Footprint, repr=False)
    changes: Changes = field(default_factory=Changes)
    price: str = ""
    paid: bool = False
    trace_id: str | None = None
    elsewhere: tuple[str, ...] = ()
    scheduled_by: str = ""
    project: Project | None = None
    forgotten: str = ""
    undone: bool = False
    #: Whether it changed nothing, and a person was told so who wanted to take it back.
    passed: bool = False

    @property
    def title(self) -> str:
        """The goal in a line."""
        text = " ".join(self.goal.split())
        return f"“{text[:80]}{'…' if len(text) > 80 else ''}”"


class UndoHistory:
    """What :meth:`add` is told of, the last runs first undone. Safe to be asked from any thread."""

    def __init__(self, runs: int = 10, megabytes: float = 1024) -> None:
        self._runs, self._bytes = runs, megabytes * _MEGABYTE
        self._ended: list[EndedRun] = []
        self._lock = threading.RLock()

    def configure(self, runs: int, megabytes: float) -> None:
        """Other limits from now on."""
        with self._lock:
            self._runs, self._bytes = runs, megabytes * _MEGABYTE
            self._forget()

    def note(
        self,
        run: EndedRun,
        undos: Iterable[Undo],
        namespace: Mapping[str, Any],
        plain: Iterable[Path] = (),
        meanwhile: Iterable[str] = (),
    ) -> Changes:
        """Note a run that ended just now; returns what it changed, see :func:`~llmos_nb.dispatch.changes.changes_of`."""
        footprint = Footprint.of(list(undos), namespace, meanwhile)
        changes = changes_of(footprint, run.cwd, plain, namespace)
        with self._lock:
            self._ended.append(replace(run, footprint=footprint, changes=changes))
            self._forget()
        return changes

    def _forget(self) -> None:
        """Let go of what is beyond the limits, the oldest first."""
        runs, held = 0, 0
        kept: list[EndedRun] = []
        for run in reversed(self._ended[-LISTED:]):
            if run.footprint and not run.undone and not run.forgotten:
                size = run.footprint.size
                runs, held = runs + 1, held + size
                why = ""
                if runs > self._runs:
                    why = f"only the last {self._runs} runs are kept (the setting undo_runs)"
                elif held > self._bytes:
                    held -= size
                    why = (
                        f"what it changed takes {size / _MEGABYTE:.0f} MB, and "
                        f"{self._bytes / _MEGABYTE:.0f} MB are kept in all (the setting undo_mb)"
                    )
                if why:
                    run = replace(run, footprint=Footprint(), forgotten=why)
            kept.append(run)
        self._ended = kept[::-1]

    def undoable(self, namespace: Mapping[str, Any]) -> Undoable:
        """The runs that changed something, the newest first, each with whether it can be taken back, or why not."""
        with self._lock:
            rows = [
                (run.run_id, " ".join(run.goal.split())[:80], run.changes.summary, self._state(run, namespace))
                for run in reversed(self._ended)
                if run.changes
            ]
        return Undoable(tuple(rows))

    def _state(self, run: EndedRun, namespace: Mapping[str, Any]) -> str:
        if run.undone:
            return "taken back already"
        problems = self._problems(run, run.footprint.conflicts(namespace))
        if not problems:
            return "yes"
        return f"no: {problems[0]}{f' (and {len(problems) - 1} more)' if len(problems) > 1 else ''}"

    def _problems(self, run: EndedRun, conflicts: Iterable[str]) -> list[str]:
        """What is in the way of taking a run back whole."""
        if run.forgotten:
            return [run.forgotten]
        later = self._later(run)
        touched = {what for _, things in later for what in things}
        found = [
            f"{other.title} ({other.run_id}) changed {_named(things, run.cwd)} after it" for other, things in later
        ]
        for reason in conflicts:
            if not any(_mentions(reason, key) for key in touched):
                found.append(_in_words(reason, run.cwd))
        found += [f"{_in_words(what, run.cwd)}: {why}" for what, why in sorted(run.footprint.lost.items())]
        return [*found, *run.elsewhere]

    def _later(self, run: EndedRun) -> list[tuple[EndedRun, list[tuple[str, object]]]]:
        """Runs after ``run``, not undone, that touched what it touched."""
        mine, found = run.footprint.keys, []
        for other in self._ended[self._ended.index(run) + 1 :]:
            common = [] if other.undone else sorted(mine & other.footprint.keys, key=str)
            if common:
                found.append((other, common))
        return found

    def find(self, run_id: str | None) -> EndedRun:
        """The run of this id; the last one that a person asked for and that is not undone if None.

        Raises:
            UndoRefused: there is none, or it changed nothing.
        """
        with self._lock:
            if run_id is None:
                return self._last()
            # What a person took of a sandbox is of that run, too.
            named = [run for run in reversed(self._ended) if run.run_id == run_id]
            found = next((run for run in named if run.changes and not run.undone), next(iter(named), None))
            ids = [run.run_id for run in reversed(self._ended) if run.changes and not run.undone]
        if found is None:
            near = difflib.get_close_matches(run_id, ids, n=1, cutoff=0.5)
            ends = "Runs of other kernels, and of this one before it was restarted, cannot be taken back."
            raise UndoRefused(
                f"No run of this kernel is called {run_id!r}.",
                remedy=f"Did you mean {near[0]}? %undo --list shows them." if near else f"See %undo --list. {ends}",
            )
        if found.undone:
            raise UndoRefused(f"The run {found.title} is taken back already.", remedy="See %undo --list.")
        if not found.changes:
            raise UndoRefused(
                f"The run {found.title} changed nothing that could be taken back.",
                remedy="%undo --list shows what can.",
            )
        return found

    def _last(self) -> EndedRun:
        asked = [run for run in self._ended if not run.scheduled_by and not run.undone and not run.passed]
        if not asked:
            done = any(run.undone for run in self._ended)
            raise UndoRefused(
                "Every run of this kernel is taken back already." if done else "There is no run to take back.",
                remedy="" if done else "It can be undone what goals changed since this kernel was started.",
            )
        if not asked[-1].changes:
            before = next((run for run in reversed(asked) if run.changes), None)
            if before is not None:  # who says it again means that one
                at = self._ended.index(before) + 1
                self._ended[at:] = [replace(run, passed=not run.changes) for run in self._ended[at:]]
            raise UndoRefused(
                f"The last run, {asked[-1].title}, changed nothing that could be taken back.",
                remedy=f"The one before it that did is {before.title}: %undo once more, or %undo {before.run_id}"
                if before
                else "",
            )
        return asked[-1]

    def take_back(self, run_id: str | None, namespace: MutableMapping[str, Any], *, anyway: bool = False) -> Undone:
        """Put back what a run changed: everything, or nothing; with ``anyway`` all that can be.

        Raises:
            UndoRefused: there is no such run, or something is in the way; nothing was touched then.
        """
        with self._lock:
            run = self.find(run_id)
            conflicts = run.footprint.find_conflicts(namespace)
            problems = self._problems(run, [reason for _, reason in conflicts if reason])
            if run.forgotten or (problems and not anyway):
                hint = "" if run.forgotten else _remedy(run, self._later(run))
                raise UndoRefused(
                    f"{run.title} is not taken back: {'; '.join(problems)}.", remedy=hint, reasons=tuple(problems)
                )
            done = run.footprint.take_back(namespace, conflicts)
            left = tuple(dict.fromkeys([*problems, *(_in_words(one, run.cwd) for one in done.left)]))
            took = done.names or done.files or done.environment
            if took and not done.failed:  # what failed may be tried again: what is back already is no obstacle
                index = self._ended.index(run)
                self._ended[index] = replace(run, footprint=Footprint(), undone=True)
        names = {name.name for name in done.names}
        files = {short_path(file.path, run.cwd) for file in done.files}
        notes = (*_notes(run, done.files), *done.told, *(f"Not seen: {doubt}." for doubt in run.footprint.doubts))
        if run.project is not None:
            try:
                gone = [name for name in names if name not in namespace]
                run.project.keep_variables(namespace, [name for name in names if name in namespace], gone)
            except LlmosError as error:
                notes += (f"The variables that the project keeps are not brought up to date: {error}",)
        return Undone(
            run_id=run.run_id,
            goal=run.goal,
            names=tuple(one for one in run.changes.names if one.name in names),
            files=tuple(one for one in run.changes.files if one.path in files),
            environment=tuple(name or "working folder" for name in done.environment),
            left=left,
            failed=tuple(_in_words(one, run.cwd) for one in done.failed),
            notes=notes,
            values=done.values,
        )


def _remedy(run: EndedRun, later: list[tuple[EndedRun, list[tuple[str, object]]]]) -> str:
    if later:
        return f"Take the later run back first: %undo {later[-1][0].run_id}"
    return f"To take back all that can be, and leave what is named here: %undo --anyway {run.run_id}"


def _notes(run: EndedRun, files: Iterable[Any]) -> tuple[str, ...]:
    """What an undo does not take back, as far as it concerns this run."""
    notes = []
    if run.paid:
        notes.append(f"What it cost ({run.price}) is spent.")
    if run.trace_id:
        notes.append(
            "Its trace is kept, and the same goal may be replayed from it: %llmos_wrong "
            f"{run.trace_id} takes it out of use."
        )
    parts = {part for file in files for part in file.path.parts[-4:]}
    if "agents" in parts:
        notes.append("The history of its agents goes on: %agents history shows what it had made of them.")
    return tuple(notes)


def _named(things: list[tuple[str, object]], cwd: Path) -> str:
    said = [
        f"{what} {short_path(one, cwd) if isinstance(one, Path) else one}" for what, one in things if what != "object"
    ]
    return ", ".join(said[:5]) + (f" and {len(said) - 5} more" if len(said) > 5 else "") or "the same objects"


def _mentions(reason: str, key: tuple[str, object]) -> bool:
    what, one = key
    return reason.startswith(f"{what} {one} ") or (what == "object" and reason.startswith("what "))


def _in_words(text: str, cwd: Path) -> str:
    """A sentence with the paths of the run's folder made short."""
    for root in {f"{cwd}/", f"{cwd.resolve()}/"}:
        text = text.replace(root, "")
    return text
