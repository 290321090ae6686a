"""What a run left changed, once it is over, and how to take that back without touching what somebody did since.

What a run only looked at is let go; of what it changed there is the state before, to be put back, and a mark of the
state after. Only what still fits its mark is put back: anything else is somebody's later work.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Container, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.alike import table_bytes
from llmos_nb.guard.contents import Contents, Kept
from llmos_nb.guard.generators import generators_now, put_generator
from llmos_nb.guard.library_settings import put_settings, settings_now
from llmos_nb.guard.looks import look
from llmos_nb.guard.marks import Mark
from llmos_nb.guard.old_file import FileState, OldFile, clear_links, stamp_of, state_of
from llmos_nb.guard.opaque import is_opaque
from llmos_nb.guard.undo import ABSENT, OldName, Undo

__all__ = ["ChangedFile", "ChangedName", "Footprint", "TakenBack"]

#: Names that IPython keeps for itself, or that every module has.
_SHELL: Final = re.compile(r"_+|_i+|_[iod]h|_i?\d+|_exit_code|In|Out|get_ipython|exit|quit|open|__\w+__")
_TOGETHER: Final = "your cells worked with it while the run did, and what it holds may be yours"
#: Bytes of a text after a change that are kept for showing what was changed.
TEXT_LIMIT: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class ChangedName:
    """A name that a run created, changed or deleted; ``before`` and ``after`` are looks, empty where it was not there.

    ``inside`` tells that it is the same object, which holds something else.
    """

    name: str
    before: str
    after: str
    inside: bool
    value: Any = field(repr=False)
    mark: Mark | None = field(repr=False)

    def as_left(self, namespace: Mapping[str, Any]) -> bool:
        """Whether the name is still what the run left."""
        now = namespace.get(self.name, ABSENT)
        if self.inside:
            return now is self.value  # what it holds is looked at apart
        return now is ABSENT if self.mark is None else now is not ABSENT and self.mark.fits(now)

    def as_before(self, namespace: Mapping[str, Any]) -> bool:
        """Whether it is what it was before the run already."""
        return namespace.get(self.name, ABSENT) is self.value


@dataclass(frozen=True, slots=True)
class _ChangedItem:
    """A mutable object that a run changed in place; ``names`` are those it was reached from.

    ``bound`` are those that were bound to it itself when the run ended.
    """

    kept: Kept
    names: tuple[str, ...]
    bound: frozenset[str]
    mark: Mark
    after: Contents

    def as_left(self) -> bool:
        """Whether it holds what it held when the run ended."""
        if self.mark.by_contents:
            return self.mark.fits(self.kept.item)
        later = self.after.kept.get(id(self.kept.item))
        return later is not None and later.unchanged


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path that a run made, changed or took away. ``content`` is what it held afterwards, if that is not much."""

    path: Path
    old: OldFile
    state: FileState
    size: int
    content: bytes | None = field(repr=False)

    def as_left(self) -> bool:
        """Whether the path is still what the run left."""
        try:
            return state_of(self.path) == self.state
        except OSError:
            return False

    def as_before(self) -> bool:
        """Whether it is what it was before the run already."""
        try:
            return state_of(self.path) == self.old.state
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was put back, what was left alone and why, what failed, and the values that names had until then."""

    names: tuple[ChangedName, ...] = ()
    files: tuple[ChangedFile, ...] = ()
    environment: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    #: What became of random generators, in words.
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Everything that is other than before a run, as far as it was seen.

    ``lost`` is what was changed and cannot be put back, with the reason; ``doubts`` what may have been changed.
    """

    names: tuple[ChangedName, ...] = ()
    items: tuple[_ChangedItem, ...] = ()
    files: tuple[ChangedFile, ...] = ()
    #: Environment variables, ``""`` for the working folder, and settings of libraries by their names: before and after,
    #: None where there was none.
    environment: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    #: Where random generators stood before and after. That they went on is no change that anybody would look for, and in
    #: the way of nothing.
    generators: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    #: About how many bytes are held so that it can be taken back.
    size: int = 0

    def __bool__(self) -> bool:
        return bool(self.names or self.items or self.files or self.environment or self.lost)

    @classmethod
    def of(cls, undos: Sequence[Undo], namespace: Mapping[str, Any], meanwhile: Iterable[str] = ()) -> Footprint:
        """What is other now than before the first of ``undos``, which belong to one run, began to keep.

        ``meanwhile`` are names that a person's cells worked with while the run did: what they hold may be theirs.
        """
        files, lost = _files_of(undos)
        names, items, more, doubts = _names_of(undos, namespace, meanwhile)
        return cls(
            names=names,
            items=items,
            files=files,
            environment=_environment_of(undos),
            generators=_generators_of(undos),
            lost={**lost, **more},
            doubts=doubts,
            size=sum({id(name.value): _size(name.value) for name in names if not name.inside}.values())
            + sum(item.kept.size for item in items)
            + sum(len(file.old.content) + len(file.content or b"") for file in files),
        )

    @property
    def keys(self) -> frozenset[tuple[str, object]]:
        """What it touches, to be compared with another one's."""
        return frozenset(
            [("the variable", name.name) for name in self.names]
            + [("object", id(item.kept.item)) for item in self.items]
            + [("the file", file.path) for file in self.files if "folder" not in (file.old.kind, file.state[0])]
            + [("the environment variable", name) for name in self.environment]  # settings have names of their own
        )

    def conflicts(self, namespace: Mapping[str, Any]) -> list[str]:
        """What is neither as the run left it nor as it was before, and why, in words."""
        return [reason for _, reason in self.find_conflicts(namespace) if reason]

    def find_conflicts(self, namespace: Mapping[str, Any]) -> list[tuple[object, str]]:
        """Entries that must stay as they are, each with the reason; it is empty where another one tells it already."""
        found: list[tuple[object, str]] = []
        told: set[str] = set()
        for name in self.names:
            if not name.as_left(namespace) and not name.as_before(namespace):
                told.add(name.name)
                what = "changed" if name.name in namespace else "deleted"
                found.append((name, f"the variable {name.name} was {what} since"))
        bound = _bound_to({id(item.kept.item) for item in self.items}, namespace)
        for item in self.items:
            if item.kept.unchanged:
                continue
            known = " and ".join(item.names) or f"a {type(item.kept.item).__name__}"
            if not item.as_left():
                again = bool(item.names) and told.issuperset(item.names)
                found.append((item, "" if again else f"what {known} holds was changed since"))
            elif since := sorted(bound.get(id(item.kept.item), set()) - item.bound):
                what = f"{' and '.join(since)} {'is' if len(since) == 1 else 'are'} since the very object of {known}"
                found.append((item, f"{what}, and would change with it (`del {since[0]}`, or make it a copy)"))
        for file in self.files:
            if not file.as_left() and not file.as_before() and not _is_folder(file):
                there = file.path.exists() or file.path.is_symlink()
                found.append((file, f"the file {file.path} was {'changed' if there else 'deleted'} since"))
        for key, (before, after) in self.environment.items():
            if _now(key) not in (before, after):
                what = _called(key)
                found.append((key, f"{what} was changed since"))
        return found

    def take_back(
        self, namespace: MutableMapping[str, Any], conflicts: Sequence[tuple[object, str]] | None = None
    ) -> TakenBack:
        """Put everything back that is as the run left it; the rest stays, and is named.

        ``conflicts`` are those that were found just before: looking for them goes through all values.
        """
        if conflicts is None:
            conflicts = self.find_conflicts(namespace)
        stay = {id(what) for what, _ in conflicts if not isinstance(what, str)}
        keys = {what for what, _ in conflicts if isinstance(what, str)}
        failed: list[str] = []
        for item in self.items:
            if id(item) not in stay:
                try:
                    item.kept.restore()
                except Exception as error:  # noqa: BLE001 - the others must still be put back
                    failed.append(f"{', '.join(item.names)}: {type(error).__name__}: {error}")
        names = [name for name in self.names if id(name) not in stay]
        values: dict[str, Any] = {}
        for name in names:  # before files: an open file that goes with its name writes once more when it is closed
            if not name.inside and namespace.get(name.name, ABSENT) is not name.value:
                if name.name in namespace:
                    values[name.name] = namespace[name.name]
                if name.value is ABSENT:
                    namespace.pop(name.name, None)
                else:
                    namespace[name.name] = name.value
        files = []
        if self.files:
            gc.collect()  # closes what refers to itself, as a connection of sqlite3 does
        ready = []
        for file in reversed(self.files):  # what is in a new folder goes before the folder
            if id(file) in stay:
                continue
            if not file.as_left() and not file.as_before() and not _is_folder(file):  # in this very moment
                failed.append(f"{file.path}: changed meanwhile")
            else:
                ready.append(file)
        clear_links((file.path, file.old) for file in ready)
        for file in ready:
            try:
                file.old.restore(file.path)
                files.append(file)
            except Exception as error:  # noqa: BLE001 - the others must still be put back
                failed.append(f"{file.path}: {error}")
        environment = [key for key in self.environment if key not in keys]
        for key in environment:
            try:
                _set(key, self.environment[key][0])
            except Exception as error:  # noqa: BLE001 - the others must still be put back
                failed.append(f"{key or 'the working folder'}: {error}")
        return TakenBack(
            names=tuple(names),
            files=tuple(reversed(files)),
            environment=tuple(environment),
            left=tuple(reason for _, reason in conflicts if reason),
            failed=tuple(failed),
            values=values,
            told=self._put_generators(),
        )

    def _put_generators(self) -> tuple[str, ...]:
        """Have random generators stand where they stood, unless others have drawn from them since."""
        now, told = generators_now(), []
        for name, (before, after) in self.generators.items():
            if now.get(name) != after:
                told.append(f"The random numbers of {name} go on from where they are now: others drew some since.")
                continue
            try:
                put_generator(name, before)
                told.append(f"The random numbers of {name} go on from where they were.")
            except Exception as error:  # noqa: BLE001 - told; all else is put back
                told.append(f"The random numbers of {name} are not as before: {error}.")
        return tuple(told)


def _bound_to(wanted: Container[int], namespace: Mapping[str, Any]) -> dict[int, set[str]]:
    """By identity, a person's names for the ``wanted`` objects."""
    found: dict[int, set[str]] = {}
    for name, value in list(namespace.items()):
        if id(value) in wanted and not _SHELL.fullmatch(name):
            found.setdefault(id(value), set()).add(name)
    return found


def _is_folder(file: ChangedFile) -> bool:
    """A folder that was made: it goes if it is empty by then, and stays if it is not."""
    return file.old.kind == "absent" and file.state[0] == "folder" and file.path.is_dir()


def _merged(entries: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """By key, the entry that was kept first; in the order in which they were kept."""
    found: dict[Any, Any] = {}
    for key, entry in entries:
        if key not in found or entry.order < found[key].order:
            found[key] = entry
    return dict(sorted(found.items(), key=lambda pair: pair[1].order))


def _files_of(undos: Sequence[Undo]) -> tuple[tuple[ChangedFile, ...], dict[str, str]]:
    changed, lost = [], {}
    for path, old in _merged(pair for undo in undos for pair in undo.files.items()).items():
        try:
            state = state_of(path)
            if state == old.state:
                continue
            size = path.lstat().st_size if state[0] == "file" else 0
            content = path.read_bytes() if state[0] == "file" and size <= TEXT_LIMIT else None
        except OSError as error:
            lost[str(path)] = f"cannot be read now ({error.strerror or error})"
            continue
        changed.append(ChangedFile(path, old, state, size, content))
    for undo in undos:
        for path, unkept in undo.unkept_files.items():
            if unkept.stamp is None or unkept.stamp != _stamp(path):
                lost.setdefault(str(path), unkept.reason)
        own = {str(path) for path in undo.unkept_files} | set(undo.names)
        lost.update({name: reason for name, reason in undo.not_kept.items() if name not in own})
    return tuple(changed), lost


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        return stamp_of(path.lstat())
    except OSError:
        return None


def _names_of(
    undos: Sequence[Undo], namespace: Mapping[str, Any], meanwhile: Iterable[str]
) -> tuple[tuple[ChangedName, ...], tuple[_ChangedItem, ...], dict[str, str], tuple[str, ...]]:
    olds: dict[str, OldName] = _merged(pair for undo in undos for pair in undo.names.items())
    kept: dict[int, Kept] = _merged(pair for undo in undos for pair in undo.contents.kept.items())
    bound = dict(sorted((pair for undo in undos for pair in undo.bound.items()), key=lambda pair: pair[1][1]))
    changed = {number: one for number, one in kept.items() if not one.unchanged}
    names: list[ChangedName] = []
    lost: dict[str, str] = {}
    if changed and (named := set(meanwhile)):
        theirs = Undo()
        theirs.keep_names(namespace, named)
        for number in changed.keys() & theirs.contents.kept.keys():
            del changed[number]
            lost.update({name: _TOGETHER for name, old in olds.items() if number in old.kept})
    reached: dict[int, list[str]] = {number: [] for number in changed}
    doubts: list[str] = []
    for name, old in olds.items():
        if _SHELL.fullmatch(name):
            continue
        inside = [number for number in old.kept if number in changed]
        for number in inside:
            reached[number].append(name)
        now = namespace.get(name, ABSENT)
        if now is old.value:
            if inside:
                names.append(ChangedName(name, old.look, look(now), True, now, None))
            elif old.unkept is not None and not (old.unkept.by_contents and old.unkept.fits(now)):
                why = next((undo.not_kept[name] for undo in undos if name in undo.not_kept), "not kept")
                known = "changed" if old.unkept.by_contents else "perhaps changed"
                lost[name] = f"{known} in place, and not kept: {why}"
            elif old.opaque is not None and not old.opaque.fits(now):
                lost[name] = f"changed inside, and what a {type(now).__name__} holds is not kept"
            elif old.opaque is None and name not in bound and is_opaque(now):
                doubts.append(f"{name}: a change inside a {type(now).__name__} is not seen")
            continue
        if name not in bound:
            continue  # it was not the run that bound it
        if bound[name][0] is not now:
            lost[name] = "you changed it while the run worked"
            continue
        if _equal_atoms(old.value, now):
            continue
        after = "" if now is ABSENT else look(now)
        names.append(ChangedName(name, old.look, after, False, old.value, None if now is ABSENT else Mark(now)))
    own = _bound_to(changed.keys(), namespace)
    items = tuple(
        _item(one, tuple(sorted(reached[number])), frozenset(own.get(number, ()))) for number, one in changed.items()
    )
    return tuple(sorted(names, key=lambda one: one.name)), items, lost, tuple(doubts)


def _item(kept: Kept, names: tuple[str, ...], bound: frozenset[str]) -> _ChangedItem:
    mark, after = Mark(kept.item), Contents()
    if not mark.by_contents:
        after.keep(kept.item, {})
    return _ChangedItem(kept, names, bound, mark, after)


def _equal_atoms(one: Any, two: Any) -> bool:
    """Whether a name was bound to what it was bound to already, as far as plain values go."""
    return type(one) is type(two) and isinstance(one, int | float | str | bytes | complex) and bool(one == two)


def _environment_of(undos: Sequence[Undo]) -> dict[str, tuple[Any, Any]]:
    kept = [undo.process for undo in undos if undo.process is not None]
    if not kept:
        return {}
    first = min(kept, key=lambda one: one.order)
    found: dict[str, tuple[Any, Any]] = {
        name: (first.environ.get(name), os.environ.get(name))
        for name in sorted(first.environ.keys() | os.environ.keys())
        if first.environ.get(name) != os.environ.get(name)
    }
    if first.folder != (now := _now("")):
        found[""] = first.folder, now
    for name, before in first.settings.items():
        if (after := settings_now(name)) is not None and after != before:
            found[name] = before, after
    return found


def _generators_of(undos: Sequence[Undo]) -> dict[str, tuple[Any, Any]]:
    kept = [undo.process for undo in undos if undo.process is not None]
    if not kept:
        return {}
    first, now = min(kept, key=lambda one: one.order), generators_now()
    return {
        name: (before, now[name]) for name, before in first.generators.items() if name in now and now[name] != before
    }


def _called(key: str) -> str:
    if settings_now(key) is not None:
        return key
    return f"the environment variable {key}" if key else "the working folder"


def _now(key: str) -> Any:
    if (settings := settings_now(key)) is not None:
        return settings
    if key:
        return os.environ.get(key)
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _set(key: str, value: Any) -> None:
    if put_settings(key, value):
        return
    if not key:
        os.chdir(value or ".")
    elif value is None:
        os.environ.pop(key, None)
    else:
        os.environ[key] = value


def _size(value: Any) -> int:
    """About how many bytes a value takes; of what it holds only arrays and tables count."""
    try:
        if hasattr(value, "_mgr") and hasattr(value, "memory_usage"):
            return table_bytes(value)
        if isinstance(nbytes := getattr(value, "nbytes", None), int):
            return nbytes
    except Exception:  # noqa: BLE001 - then it does not count
        return 0
    if isinstance(value, list | tuple | set | frozenset):
        return 8 * len(value) + sum(_size(item) for item in list(value)[:100])
    if isinstance(value, dict):
        return 16 * len(value) + sum(_size(item) for item in list(value.values())[:100])
    return len(value) if isinstance(value, str | bytes | bytearray) else 0
