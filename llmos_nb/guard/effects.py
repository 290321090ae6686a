"""What agent code does to files, seen through Python's audit events, with each file kept as it was before its first change.

An audit event fires *before* the file is opened for writing, renamed or removed, so the copy taken then is the old
content. Programs that agent code starts, and C libraries that open files by themselves, are not seen: the tools that
start programs take their own copies.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

__all__ = ["FileEffects", "watching"]

_WRITE_FLAGS: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES: Final = frozenset({"os.remove", "os.rename", "os.truncate", "os.link", "os.symlink", "sqlite3.connect"})


class FileEffects:
    """Files read and changed by one piece of agent code, as absolute paths."""

    def __init__(self, roots: tuple[Path, ...], before_change: Callable[[Path], None]) -> None:
        self.read: set[Path] = set()
        self.changed: set[Path] = set()
        self._before_change = before_change
        self._roots = tuple(str(root.resolve()) + os.sep for root in roots)
        self._thread = threading.get_ident()
        self._inside = False

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of one audit event of the watched thread."""
        if self._inside or threading.get_ident() != self._thread:
            return
        self._inside = True  # the copying below opens files itself
        try:
            if event == "open":
                path, _, flags = (*arguments, None, None)[:3]
                if self._relevant(path):
                    name = Path(os.path.abspath(os.fsdecode(path)))
                    if isinstance(flags, int) and flags & _WRITE_FLAGS:
                        self._note_change(name)
                    else:
                        self.read.add(name)
            elif event in _CHANGES:
                for path in arguments[:2]:
                    if self._relevant(path):
                        self._note_change(Path(os.path.abspath(os.fsdecode(path))))
        finally:
            self._inside = False

    def _note_change(self, path: Path) -> None:
        if path not in self.changed:
            self._before_change(path)
            self.changed.add(path)

    def _relevant(self, path: object) -> bool:
        """Whether a path is the user's data: not the interpreter's, a cache's or the system's own files."""
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        name = os.path.abspath(os.fsdecode(path))
        if "__pycache__" in name or f"{os.sep}.llmos{os.sep}" in name or name.startswith(_SYSTEM):
            return False
        return name.startswith(self._roots) or not name.startswith(_SCRATCH)


def _folders(*paths: str | None) -> tuple[str, ...]:
    return tuple({os.path.abspath(path) + os.sep for path in paths if path})


_SYSTEM: Final = _folders(
    "/proc", "/sys", "/dev", "/etc", "/usr/lib", "/usr/share", *sysconfig.get_paths().values(), *sys.path[1:]
)
_SCRATCH: Final = _folders(
    tempfile.gettempdir(),
    str(Path.home() / ".cache"),
    str(Path.home() / ".config"),
    str(Path.home() / ".ipython"),
    str(Path.home() / ".jupyter"),
    str(Path.home() / ".local"),
    str(Path.home() / ".matplotlib"),
)

_active: FileEffects | None = None
_installed = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _active is not None and (event == "open" or event in _CHANGES):
        _active.audit(event, arguments)


@contextmanager
def watching(effects: FileEffects) -> Iterator[FileEffects]:
    """Note file effects of this thread until the block ends. Blocks nest; the innermost one notes."""
    global _active, _installed
    if not _installed:
        sys.addaudithook(_audit)  # cannot be taken away again; idle it costs one comparison an event
        _installed = True
    before, _active = _active, effects
    try:
        yield effects
    finally:
        _active = before
