"""What a program did to files, seen by comparing folders before and after, with copies of what it could change."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from llmos_nb.guard.undo import Undo

__all__ = ["Snapshot"]

#: Files that are looked at; folders with more are not watched.
FILE_LIMIT: Final = 5_000
#: Bytes of one file, and of all together, that are copied. Larger ones that change are named as not restorable.
ONE_LIMIT: Final = 16 * 1024 * 1024
ALL_LIMIT: Final = 64 * 1024 * 1024

Stamp = tuple[int, int, int]


@dataclass(slots=True)
class Snapshot:
    """The files and folders below some folders as they are now, hidden folders and caches aside."""

    _roots: tuple[Path, ...]
    _stamps: dict[Path, Stamp] = field(default_factory=dict)
    _copies: dict[Path, bytes] = field(default_factory=dict)
    #: Whether all files could be looked at.
    complete: bool = True

    @classmethod
    def of(cls, folders: tuple[Path, ...]) -> Self:
        """Look at ``folders`` and copy what is small enough."""
        roots: list[Path] = []
        for folder in sorted({folder.resolve() for folder in folders}):
            if not any(folder.is_relative_to(root) for root in roots):
                roots.append(folder)
        stamps = _stamps(tuple(roots))
        if stamps is None:
            return cls(tuple(roots), complete=False)
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
        return cls(tuple(roots), stamps, copies)

    def changes(self, undo: Undo) -> list[Path]:
        """Files that are new, other or gone by now; ``undo`` gets to know how they were."""
        if not self.complete:
            undo.not_kept.setdefault("files changed by a program", f"more than {FILE_LIMIT} files to watch")
            return []
        after = _stamps(self._roots) or {}
        both = sorted(self._stamps.keys() | after.keys())
        changed = [path for path in both if self._stamps.get(path) != after.get(path)]
        for path in changed:
            before = self._stamps.get(path)
            content = self._copies.get(path)
            if before is None:
                undo.keep_as(path, None)
            elif stat.S_ISDIR(before[2]) or content is not None:
                undo.keep_as(path, before[2], content or b"")
            elif not undo.existed(path):
                undo.not_kept.setdefault(str(path), "changed by a program, and too large to be copied before")
        return [path for path in changed if not stat.S_ISDIR((self._stamps.get(path) or after[path])[2])]


def _stamps(roots: tuple[Path, ...]) -> dict[Path, Stamp] | None:
    """Time, size and mode of every file; None where there are too many."""
    found: dict[Path, Stamp] = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
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
