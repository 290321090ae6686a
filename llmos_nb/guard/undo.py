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

from llmos_nb.guard.contents import KEEP_LIMIT, Contents
from llmos_nb.kernel.files import atomic_write

__all__ = ["Undo"]

#: Entries below a folder up to which the folder is kept when it is moved or removed.
TREE_LIMIT: Final = 5_000

_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class _OldFile:
    """One path as it was: ``kind`` is ``absent``, ``file``, ``link`` or ``folder``."""

    kind: str
    content: bytes = b""
    target: str = ""
    mode: int = 0


@dataclass(slots=True)
class Undo:
    """Collects what was there before, and puts it back. One for each run."""

    _files: dict[Path, _OldFile] = field(default_factory=dict)
    _names: dict[str, Any] = field(default_factory=dict)
    _contents: Contents = field(default_factory=Contents)
    #: The working folder and the environment variables, once they are kept.
    _process: tuple[str, dict[str, str]] | None = None
    #: Files and names that could not be kept, with the reason.
    not_kept: dict[str, str] = field(default_factory=dict)

    # -- files

    def keep_file(self, path: Path) -> None:
        """Remember what ``path`` is now (a file, a link, a folder or nothing), unless it is remembered already."""
        if path in self._files or str(path) in self.not_kept:
            return
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            if path.parent != path:
                self._keep_missing_folders(path.parent)
            self._files[path] = _OldFile("absent")
            return
        except (OSError, ValueError) as error:  # a trace that was edited may name what no file can be called
            self.not_kept[str(path)] = getattr(error, "strerror", None) or str(error)
            return
        try:
            self._keep_present(path, status)
        except OSError as error:
            self.not_kept[str(path)] = error.strerror or str(error)

    def _keep_missing_folders(self, folder: Path) -> None:
        if folder.parent != folder and not folder.exists() and folder not in self._files:
            self._keep_missing_folders(folder.parent)
            self._files[folder] = _OldFile("absent")

    def _keep_present(self, path: Path, status: os.stat_result) -> None:
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            self._files[path] = _OldFile("link", target=os.readlink(path))
            self.keep_file(path.resolve())  # writing to a link changes what it leads to
        elif stat.S_ISDIR(status.st_mode):
            self._files[path] = _OldFile("folder", mode=mode)
        elif not stat.S_ISREG(status.st_mode):
            self.not_kept[str(path)] = "not an ordinary file"
        elif status.st_size > KEEP_LIMIT:
            self.not_kept[str(path)] = f"larger than {KEEP_LIMIT // 2**20} MB"
        else:
            self._files[path] = _OldFile("file", path.read_bytes(), mode=mode)

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
        self._files.setdefault(path, _OldFile(kind, content, mode=stat.S_IMODE(mode or 0)))

    def existed(self, path: Path) -> bool:
        """Whether a remembered path was a file or link before."""
        old = self._files.get(path)
        return old is not None and old.kind in ("file", "link")

    # -- names

    def keep_names(self, namespace: Mapping[str, Any], names: Iterable[str]) -> None:
        """Remember what ``names`` stand for and hold now, and whatever the user's functions among them use."""
        waiting = set(names)
        while waiting:
            name = waiting.pop()
            if name in self._names:
                continue
            value = namespace.get(name, _ABSENT)
            self._names[name] = value
            if value is _ABSENT:
                continue
            problem, used = self._contents.keep(value, namespace)
            if problem:
                self.not_kept[name] = problem
            waiting |= {other for other in used if other in namespace and other not in self._names}

    def keep_bindings(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Remember, as far as nothing is known of them, the names that were bound otherwise in ``before``."""
        for name in before.keys() | after.keys():
            old = before.get(name, _ABSENT)
            if old is not after.get(name, _ABSENT):
                self._names.setdefault(name, old)

    # -- the process

    def keep_process(self) -> None:
        """Remember the working folder and the environment variables, unless they are remembered already."""
        if self._process is None:
            self._process = os.getcwd(), dict(os.environ)

    # -- back

    def put_back(self, namespace: MutableMapping[str, Any]) -> list[str]:
        """Restore every kept file and name. Returns what could not be put back, with the reason."""
        failed = self._contents.put_back()
        # Names before files: an open file or database that goes with its name writes once more when it is closed.
        for name, value in self._names.items():
            if value is _ABSENT:
                namespace.pop(name, None)
            elif namespace.get(name, _ABSENT) is not value:
                namespace[name] = value
        if self._files:
            gc.collect()  # closes what refers to itself, as a connection of sqlite3 does
        for path, old in reversed(self._files.items()):  # what is in a new folder goes before the folder
            try:
                _restore(path, old)
            except Exception as error:  # noqa: BLE001 - the others must still be put back
                failed.append(f"{path}: {error}")
        if self._process is not None:
            try:
                _restore_process(*self._process)
            except OSError as error:
                failed.append(f"the working folder: {error}")
        failed += [f"{name}: {reason}" for name, reason in self.not_kept.items()]
        return failed


def _restore_process(folder: str, environ: dict[str, str]) -> None:
    for name in [name for name in os.environ if name not in environ]:
        del os.environ[name]
    os.environ.update({name: value for name, value in environ.items() if os.environ.get(name) != value})
    os.chdir(folder)


def _restore(path: Path, old: _OldFile) -> None:
    folder = path.is_dir() and not path.is_symlink()
    if old.kind == "absent":
        if not folder:
            path.unlink(missing_ok=True)
        elif not any(path.iterdir()):
            path.rmdir()
    elif old.kind == "folder":
        path.mkdir(parents=True, exist_ok=True)
        os.chmod(path, old.mode)
    elif old.kind == "link":
        if not path.is_symlink() or os.readlink(path) != old.target:
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(old.target)
    else:
        if path.is_symlink():
            path.unlink()
        if not path.exists() or path.read_bytes() != old.content:
            atomic_write(path, old.content)
        if stat.S_IMODE(path.stat().st_mode) != old.mode:
            os.chmod(path, old.mode)
