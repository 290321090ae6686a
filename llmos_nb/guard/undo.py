"""What a run changed, kept so that it can be put back: files as they were, names with their values, the process's
working folder and environment variables.

Values are put back in place: a list that was appended to is the same list again, for every name and container that
holds it. What that needs is in :mod:`llmos_nb.guard.contents`.
"""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.contents import KEEP_LIMIT, Contents, order
from llmos_nb.guard.generators import generators_now, put_generator
from llmos_nb.guard.library_settings import kept_settings, put_settings, settings_now
from llmos_nb.guard.looks import look
from llmos_nb.guard.marks import Mark
from llmos_nb.guard.old_file import OldFile, clear_links, stamp_of
from llmos_nb.guard.opaque import opaque_mark

__all__ = ["ABSENT", "OldName", "OldProcess", "Undo", "UnkeptFile"]

#: Entries below a folder up to which the folder is kept when it is moved or removed.
TREE_LIMIT: Final = 5_000
#: Bytes of all files together that one run keeps.
FILES_LIMIT: Final = 1024 * 1024 * 1024

#: Stands for the value of a name that is not there.
ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class OldName:
    """A name as it was: its value, what that looked like, the objects in it that are kept.

    ``unkept`` marks a value that could not be kept, ``opaque`` one whose inside is not seen.
    """

    value: Any
    look: str
    order: int
    kept: tuple[int, ...] = ()
    unkept: Mark | None = None
    opaque: Mark | None = None


@dataclass(frozen=True, slots=True)
class OldProcess:
    """The working folder, the environment variables, settings of libraries and random generators as they were."""

    folder: str
    environ: dict[str, str]
    order: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    generators: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnkeptFile:
    """A file that could not be kept: why, and what tells whether it was changed since (None: that is certain)."""

    reason: str
    stamp: tuple[int, ...] | None


@dataclass(slots=True)
class Undo:
    """Collects what was there before, and puts it back. One for each run."""

    files: dict[Path, OldFile] = field(default_factory=dict)
    names: dict[str, OldName] = field(default_factory=dict)
    contents: Contents = field(default_factory=Contents)
    process: OldProcess | None = None
    #: Files and names that could not be kept, with the reason.
    not_kept: dict[str, str] = field(default_factory=dict)
    #: Those of them that are files.
    unkept_files: dict[Path, UnkeptFile] = field(default_factory=dict)
    #: Names that were seen to be bound anew, with what they were bound to at last, and when.
    bound: dict[str, tuple[Any, int]] = field(default_factory=dict)
    #: Bytes of files that are kept.
    _size: int = 0

    # -- files

    def keep_file(self, path: Path) -> None:
        """Remember what ``path`` is now (a file, a link, a folder or nothing), unless it is remembered already."""
        path = path.absolute()  # the working folder may be another one when it is put back
        if path in self.files or str(path) in self.not_kept:
            return
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            if path.parent != path:
                self._keep_missing_folders(path.parent)
            self.files[path] = OldFile("absent", order=order(), home=_home(path))
            return
        except (OSError, ValueError) as error:  # a trace that was edited may name what no file can be called
            self.not_kept[str(path)] = getattr(error, "strerror", None) or str(error)
            return
        try:
            self._keep_present(path, status)
        except OSError as error:
            self.cannot_keep(path, error.strerror or str(error), stamp_of(status))

    def cannot_keep(self, path: Path, reason: str, stamp: tuple[int, ...] | None = None) -> None:
        """Note that a file could not be kept; without its ``stamp`` as it was before, it was changed."""
        self.not_kept.setdefault(str(path), reason)
        self.unkept_files.setdefault(path, UnkeptFile(reason, stamp))

    def _keep_missing_folders(self, folder: Path) -> None:
        if folder.parent != folder and not folder.exists() and folder not in self.files:
            self._keep_missing_folders(folder.parent)
            self.files[folder] = OldFile("absent", order=order(), home=_home(folder))

    def _keep_present(self, path: Path, status: os.stat_result) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            self.files[path] = OldFile("link", target=os.readlink(path), order=order(), home=_home(path))
            self.keep_file(path.resolve())  # writing to a link changes what it leads to
        elif stat.S_ISDIR(status.st_mode):
            self.files[path] = OldFile("folder", mode=mode, order=order(), home=_home(path))
        elif not stat.S_ISREG(status.st_mode):
            self.cannot_keep(path, "not an ordinary file", stamp_of(status))
        elif status.st_size > KEEP_LIMIT:
            self.cannot_keep(path, f"larger than {KEEP_LIMIT // 2**20} MB", stamp_of(status))
        elif self._size + status.st_size > FILES_LIMIT:
            self.cannot_keep(path, f"more than {FILES_LIMIT // 2**20} MB of files together", stamp_of(status))
        else:
            self._size += status.st_size
            self.files[path] = OldFile("file", path.read_bytes(), mode=mode, order=order(), home=_home(path))

    def keep_tree(self, folder: Path) -> list[Path]:
        """Remember a folder with all that is in it; returns what was found below it."""
        self.keep_file(folder)
        found: list[Path] = []
        for parent, folders, files in os.walk(folder):
            found += [Path(parent, name) for name in (*folders, *files)]
            if len(found) > TREE_LIMIT:
                self.not_kept[str(folder)] = f"it holds more than {TREE_LIMIT} files"
                return []
        for path in found:
            self.keep_file(path)
        return found

    def keep_as(self, path: Path, mode: int | None, content: bytes = b"") -> None:
        """Remember what ``path`` was at an earlier moment; ``mode`` is its ``st_mode`` then, None: it did not exist."""
        kind = "absent" if mode is None else "folder" if stat.S_ISDIR(mode) else "file"
        self.files.setdefault(path, OldFile(kind, content, mode=stat.S_IMODE(mode or 0), order=order()))

    def existed(self, path: Path) -> bool:
        """Whether a remembered path was a file or link before."""
        old = self.files.get(path)
        return old is not None and old.kind in ("file", "link")

    # -- names

    def keep_names(self, namespace: Mapping[str, Any], names: Iterable[str]) -> None:
        """Remember what ``names`` stand for and hold now, and whatever the user's functions among them use."""
        waiting = set(names)
        while waiting:
            name = waiting.pop()
            if name in self.names:
                continue
            value = namespace.get(name, ABSENT)
            if value is ABSENT:
                self.names[name] = OldName(ABSENT, "", order())
                continue
            reached = self.contents.keep(value, namespace)
            unkept = None
            if reached.problem:
                self.not_kept[name] = reached.problem
                unkept = Mark(value)
            self.names[name] = OldName(value, look(value), order(), reached.kept, unkept, opaque_mark(value))
            waiting |= {other for other in reached.used if other in namespace and other not in self.names}

    def keep_bindings(self, before: Mapping[str, Any], after: Mapping[str, Any], *, alone: bool = True) -> None:
        """Remember, as far as nothing is known of them, the names that were bound otherwise in ``before``.

        Without ``alone`` somebody else may have worked in between: only names that were kept before are the run's.
        """
        for name in before.keys() | after.keys():
            old, new = before.get(name, ABSENT), after.get(name, ABSENT)
            if old is not new:
                if alone or name in self.names:
                    self.bound[name] = new, order()
                if name not in self.names:
                    self.names[name] = OldName(old, "" if old is ABSENT else look(old), order())

    # -- the process

    def keep_process(self) -> None:
        """Remember the working folder, environment variables, settings of libraries and random generators, unless they
        are already."""
        if self.process is None:
            now = generators_now()
            self.process = OldProcess(os.getcwd(), dict(os.environ), order(), kept_settings(), now)

    # -- back

    def put_back(self, namespace: MutableMapping[str, Any]) -> list[str]:
        """Restore every kept file and name. Returns what could not be put back, with the reason."""
        failed = self.contents.put_back()
        # Names before files: an open file or database that goes with its name writes once more when it is closed.
        for name, old in self.names.items():
            if old.value is ABSENT:
                namespace.pop(name, None)
            elif namespace.get(name, ABSENT) is not old.value:
                namespace[name] = old.value
        self.bound.clear()
        if self.files:
            gc.collect()  # closes what refers to itself, as a connection of sqlite3 does
        clear_links(self.files.items())
        for path, file in reversed(self.files.items()):  # what is in a new folder goes before the folder
            try:
                file.restore(path)
            except Exception as error:  # noqa: BLE001 - the others must still be put back
                failed.append(f"{path}: {error}")
        if self.process is not None:
            try:
                _restore_process(self.process.folder, self.process.environ)
            except OSError as error:
                failed.append(f"the working folder: {error}")
            for name, value in self.process.settings.items():
                try:
                    if settings_now(name) != value:
                        put_settings(name, value)
                except Exception as error:  # noqa: BLE001 - the others must still be put back
                    failed.append(f"{name}: {error}")
            for name, value in self.process.generators.items():
                try:
                    put_generator(name, value)
                except Exception as error:  # noqa: BLE001 - the others must still be put back
                    failed.append(f"the random numbers of {name}: {error}")
        failed += [f"{name}: {reason}" for name, reason in self.not_kept.items()]
        return failed


def _home(path: Path) -> str:
    return os.path.realpath(path.parent)


def _restore_process(folder: str, environ: dict[str, str]) -> None:
    for name in [name for name in os.environ if name not in environ]:
        del os.environ[name]
    os.environ.update({name: value for name, value in environ.items() if os.environ.get(name) != value})
    os.chdir(folder)
