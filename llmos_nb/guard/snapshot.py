"""What a program did to files, seen by comparing folders before and after, with copies of what it could change."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from llmos_nb.guard.undo import Undo

__all__ = ["PROGRAMS", "Snapshot", "apart"]

#: What is not kept where there are too many files to see what a program does to them.
PROGRAMS: Final = "files changed by a program"

#: Files that are looked at; folders with more are not watched.
FILE_LIMIT: Final = 5_000
#: Bytes of one file, and of all together, that are copied. Larger ones that change are named as not restorable.
ONE_LIMIT: Final = 16 * 1024 * 1024
ALL_LIMIT: Final = 64 * 1024 * 1024

#: Hidden folders that change without anybody's doing.
_OWN: Final = frozenset(
    {
        ".llmos", ".ipynb_checkpoints", ".ipython", ".virtual_documents",
        ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    }
)  # fmt: skip

Stamp = tuple[int, int, int]


def apart(workspace: Path) -> tuple[Path, ...]:
    """The folders of a workspace that the system itself writes while a program runs."""
    return tuple(workspace / name for name in ("crystals", "memory", "schedule"))


@dataclass(slots=True)
class Snapshot:
    """The files and folders below some folders as they are now, hidden folders and caches aside."""

    _roots: tuple[Path, ...]
    _apart: frozenset[Path] = frozenset()
    _stamps: dict[Path, Stamp] = field(default_factory=dict)
    _copies: dict[Path, bytes] = field(default_factory=dict)
    #: What there is in hidden folders, not deeper than their first level.
    _hidden: dict[Path, Stamp] = field(default_factory=dict)
    #: Whether all files could be looked at.
    complete: bool = True

    @classmethod
    def of(cls, folders: tuple[Path, ...], apart: tuple[Path, ...] = ()) -> Self:
        """Look at ``folders`` and copy what is small enough; what lies in ``apart`` is somebody else's."""
        aside = frozenset(folder.resolve() for folder in apart)
        roots: list[Path] = []
        for folder in sorted({folder.resolve() for folder in folders}):
            if not any(folder.is_relative_to(root) for root in roots):
                roots.append(folder)
        stamps = _stamps(tuple(roots), aside)
        if stamps is None:
            return cls(tuple(roots), aside, complete=False)
        copies: dict[Path, bytes] = {}
        left = ALL_LIMIT
        for path, (_, size, mode) in sorted(stamps.items(), key=lambda item: item[1][1]):
            if size > min(ONE_LIMIT, left) or not stat.S_ISREG(mode):
                continue
            try:
                copies[path] = path.read_bytes()
            except OSError:
                continue  # what cannot be read here can hardly be changed by a command
            left -= size
        return cls(tuple(roots), aside, stamps, copies, _hidden_stamps(tuple(roots)))

    def changes(self, undo: Undo, said: str = "") -> list[Path]:
        """Files that are new, other or gone by now; ``undo`` gets to know how they were.

        ``said`` is what the program was told: a notebook that is not named in it was saved by whoever has it open.
        """
        for folder in sorted({path.parent for path in _changed(self._hidden, _hidden_stamps(self._roots))}):
            undo.cannot_keep(folder, "changed by a program; hidden folders are not kept")
        if not self.complete:
            undo.not_kept.setdefault(PROGRAMS, f"more than {FILE_LIMIT} files to watch")
            return []
        after = _stamps(self._roots, self._apart) or {}
        changed = [
            path
            for path in _changed(self._stamps, after)
            if path.suffix != ".ipynb" or path.name in said or path.stem in said
        ]
        for path in changed:
            before = self._stamps.get(path)
            content = self._copies.get(path)
            if before is None:
                undo.keep_as(path, None)
            elif stat.S_ISDIR(before[2]) or content is not None:
                undo.keep_as(path, before[2], content or b"")
            elif not undo.existed(path):
                undo.cannot_keep(path, "changed by a program, and too large to be copied before")
        return [path for path in changed if not stat.S_ISDIR((self._stamps.get(path) or after[path])[2])]


def _changed(before: dict[Path, Stamp], after: dict[Path, Stamp]) -> list[Path]:
    return [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]


def _hidden_stamps(roots: tuple[Path, ...]) -> dict[Path, Stamp]:
    """Time, size and mode of the files that lie in hidden folders, such as a repository's index: a look, not a walk."""
    found: dict[Path, Stamp] = {}
    for root in roots:
        with contextlib.suppress(OSError):
            for folder in os.scandir(root):
                if not folder.name.startswith(".") or folder.name in _OWN or not folder.is_dir(follow_symlinks=False):
                    continue
                with contextlib.suppress(OSError):
                    for entry in itertools.islice(os.scandir(folder), FILE_LIMIT):
                        status = entry.stat(follow_symlinks=False)
                        if stat.S_ISREG(status.st_mode):
                            found[Path(entry.path)] = status.st_mtime_ns, status.st_size, status.st_mode
    return found


def _stamps(roots: tuple[Path, ...], apart: frozenset[Path] = frozenset()) -> dict[Path, Stamp] | None:
    """Time, size and mode of every file; None where there are too many."""
    found: dict[Path, Stamp] = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".") and name != "__pycache__" and Path(folder, name) not in apart
            ]
            for name in (*folders, *names):
                path = Path(folder, name)
                try:
                    status = path.lstat()
                except OSError:
                    continue
                folder_itself = stat.S_ISDIR(status.st_mode)  # its time and size only say what is in it
                time, size = (0, 0) if folder_itself else (status.st_mtime_ns, status.st_size)
                found[path] = (time, size, status.st_mode)
            if len(found) > FILE_LIMIT:
                return None
    return found
