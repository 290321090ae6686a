"""Who may run the schedule of a workspace: one process, as long as it lives.

The lease is the operating system's lock on a file, so a process that is killed gives it back at once. It belongs to the
process (POSIX record locks): a child that was forked does not keep it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from llmos_nb.errors import StoreError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.locks import locked

__all__ = ["Holder", "Lease"]

#: Leases of this process by file: record locks do not keep one part of a process from another.
_held: Final[dict[str, Lease]] = {}
_lock: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lease."""

    pid: int
    host: str
    session: str
    since: float


class Lease:
    """The right to run one workspace's schedule; ``session`` names this side to others."""

    def __init__(self, folder: Path, session: str) -> None:
        self._path = folder / "schedule.lock"
        self._told = folder / "schedule.holder"
        self._session = session
        self._descriptor: int | None = None
        self._pid = 0

    @property
    def held(self) -> bool:
        """Whether this side holds it; a forked child never does."""
        return self._descriptor is not None and self._pid == os.getpid()

    def acquire(self) -> bool:
        """Take it if it is free; whether this side holds it now.

        Raises:
            StoreError: the lock file cannot be made.
        """
        if self.held:
            if self._in_place():
                return True
            self.release()  # the file was deleted or replaced: others lock another one
        key = os.path.realpath(self._path)
        with _lock:
            other = _held.get(key)
            if other is not None and other.held:
                return other is self  # another thread took it meanwhile
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                raise StoreError(
                    f"{self._path}: cannot be made ({error.strerror or error}).",
                    remedy="Choose a workspace folder that you can write to.",
                ) from error
            if not _taken(descriptor):
                os.close(descriptor)
                return False
            self._descriptor, self._pid = descriptor, os.getpid()
            _held[key] = self
        holder = Holder(os.getpid(), socket.gethostname(), self._session, time.time())
        with contextlib.suppress(StoreError):  # the lock is what counts; this only tells others
            atomic_write(self._told, json.dumps(asdict(holder)).encode())
        return True

    def _in_place(self) -> bool:
        assert self._descriptor is not None
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except OSError:
            return False

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        with _lock:
            if self.held and self._descriptor is not None:
                with contextlib.suppress(OSError):
                    self._told.unlink()
                os.close(self._descriptor)
                _held.pop(os.path.realpath(self._path), None)
            self._descriptor = None

    def holder(self) -> Holder | None:
        """Who said last that it holds the lease; ask only when :meth:`acquire` was refused."""
        try:
            told = json.loads(self._told.read_bytes())
            return Holder(int(told["pid"]), str(told["host"]), str(told["session"]), float(told["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _taken(descriptor: int) -> bool:
    try:
        return locked(descriptor, by_process=True)
    except OSError:  # without locks nobody can tell who else would run it
        return False
