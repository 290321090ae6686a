"""One path as it was, and how it becomes so again."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llmos_nb.kernel.files import atomic_write

__all__ = ["FileState", "OldFile", "clear_links", "stamp_of", "state_of"]

#: What tells one state of a path from another: its kind, its mode, and what it holds or leads to.
FileState = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class OldFile:
    """``kind`` is ``absent``, ``file``, ``link`` or ``folder``; ``order`` counts when it was remembered."""

    kind: str
    content: bytes = b""
    target: str = ""
    mode: int = 0
    order: int = 0
    #: Where the folder that holds it led when it was remembered; empty: that is not known.
    home: str = ""

    @property
    def state(self) -> FileState:
        """What the path was, to be compared with :func:`state_of`."""
        if self.kind == "file":
            return "file", self.mode, _digest(self.content)
        return self.kind, self.mode if self.kind == "folder" else 0, self.target

    def restore(self, path: Path) -> None:
        """Make ``path`` what it was. A folder that was not there stays if it holds anything.

        Raises:
            OSError, StoreError: it cannot be, or its folder leads elsewhere now: what is there is somebody else's.
        """
        if self.home and os.path.realpath(path.parent) != self.home:
            raise OSError(errno.ELOOP, "its folder leads elsewhere now", str(path))
        folder = path.is_dir() and not path.is_symlink()
        if self.kind == "absent":
            if not folder:
                with contextlib.suppress(NotADirectoryError):  # what was its folder is a file again: there it is not
                    path.unlink(missing_ok=True)
            elif not any(path.iterdir()):
                path.rmdir()
        elif self.kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
            os.chmod(path, self.mode)
        elif self.kind == "link":
            if not path.is_symlink() or os.readlink(path) != self.target:
                path.unlink(missing_ok=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(self.target)
        else:
            if path.is_symlink():
                path.unlink()
            if not path.exists() or path.read_bytes() != self.content:
                atomic_write(path, self.content)
            if stat.S_IMODE(path.stat().st_mode) != self.mode:
                os.chmod(path, self.mode)


def clear_links(files: Iterable[tuple[Path, OldFile]]) -> None:
    """Take away links that are where none was, before anything is put back through one of them."""
    for path, old in files:
        with contextlib.suppress(OSError):
            if old.home and old.kind != "link" and path.is_symlink() and os.path.realpath(path.parent) == old.home:
                path.unlink()


def state_of(path: Path) -> FileState:
    """What ``path`` is now.

    Raises:
        OSError: it cannot be read.
    """
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "absent", 0, ""
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return "link", 0, os.readlink(path)
    if stat.S_ISDIR(status.st_mode):
        return "folder", mode, ""
    if not stat.S_ISREG(status.st_mode):
        return "other", mode, ""
    with path.open("rb") as file:
        return "file", mode, hashlib.file_digest(file, "sha256").hexdigest()


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What is other once a file was written to."""
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
