"""What runs kept that had read content from outside: facts, agents and files, so that a later session knows of it.

A line a thing, in a file that is only appended to. A mark holds for the content that was written: what a person changes
since is theirs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Final

from llmos_nb.guard.taint import FOREIGN, NAMED, Level, Mark

__all__ = ["OutsideMarks", "digest_of_file"]

#: Bytes of a file that is looked through for its digest, and of the list of marks.
LARGEST: Final = 200 * 1024 * 1024
_LIST: Final = 64 * 1024 * 1024


class OutsideMarks:
    """The marks in the file ``path``; several kernels may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[tuple[str, str, str], Mark] = {}
        self._read = 0
        self._lock = threading.Lock()

    def note(self, kind: str, id: str, digest: str, mark: Mark) -> None:
        """A run that had read ``mark`` wrote the thing of this ``kind`` (``fact``, ``agent``, ``file``) and name.

        Raises:
            OSError: it cannot be written.
        """
        if self.found(kind, id, digest) is not None:
            return
        line = json.dumps(
            {"kind": kind, "id": id, "digest": digest, "level": mark.level, "what": mark.what, "at": mark.at}
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def found(self, kind: str, id: str, digest: str) -> Mark | None:
        """What a run had read that wrote this very content; None where there is no such mark."""
        with self._lock:
            self._refresh()
            return self._known.get((kind, id, digest))

    def _refresh(self) -> None:
        try:
            size = self.path.stat().st_size
        except OSError:
            self._known.clear()
            self._read = 0
            return
        if size == self._read:
            return
        if size < self._read:
            self._known.clear()
            self._read = 0
        with self.path.open("rb") as file:
            file.seek(self._read)
            data = file.read(_LIST)
        whole = data.rfind(b"\n") + 1
        self._read += whole
        for line in data[:whole].splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                level: Level = NAMED if said.get("level") == NAMED else FOREIGN
                mark = Mark(level, str(said["kind"]), str(said["what"]), at=str(said["at"]))
                self._known[said["kind"], said["id"], said["digest"]] = mark


def digest_of_file(path: Path) -> str:
    """A digest of a file's content; empty where it cannot be read, or is too large to be looked through."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
