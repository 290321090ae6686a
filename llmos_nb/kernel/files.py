"""Writing files so that a reader, a kill or a power cut at any moment leaves the old content or the new, never a torn one.

When a call returns, what it wrote is on the disk: the content is synced before it gets its name, and the name with the
folder that holds it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from pathlib import Path
from typing import Final

from llmos_nb.errors import StoreError
from llmos_nb.kernel.locks import locked

__all__ = ["append_line", "atomic_write", "make_folder", "sweep_temporaries", "sync_folder"]

#: What :func:`atomic_write` calls its temporary files.
TEMPORARY: Final = re.compile(r"\..{1,40}\.[0-9a-f]{16}\.tmp")
#: Seconds for which a temporary file that nobody has locked is left alone: its writer may be about to lock it.
YOUNG_S: Final = 30.0
_BINARY: Final = getattr(os, "O_BINARY", 0)
#: A folder that cannot be synced for one of these reasons never can be: the file system does not know how, or whoever
#: may write into the folder may not read it.
_UNSYNCABLE: Final = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EBADF, errno.ENOSYS, errno.ENOENT)


def atomic_write(path: Path, data: bytes, *, exclusive: bool = False) -> None:
    """Write ``data`` to ``path`` through a synced temporary file in the same folder.

    With ``exclusive`` the file must not exist yet, also not a moment later: it is linked into place, which fails
    where another process was faster.

    Raises:
        FileExistsError: ``exclusive`` and the path is taken.
        StoreError: the folder cannot be written (read-only, full, a file where a folder should be).
    """
    try:
        make_folder(path.parent)
        temporary = path.parent / f".{path.name[:40]}.{secrets.token_hex(8)}.tmp"
        # Not tempfile.mkstemp: its files are private (0600), and colleagues share a workspace.
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o666)
    except OSError as error:
        raise _cannot(path.parent, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            if os.name != "nt":
                with contextlib.suppress(OSError):  # a file system without locks: then its age alone tells
                    locked(descriptor, by_process=False)  # it is in use: nobody takes it for a leftover
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if os.name != "nt":  # which moves no open file
                _put_in_place(temporary, path, exclusive)
        if os.name == "nt":
            _put_in_place(temporary, path, exclusive)
        if exclusive:
            os.unlink(temporary)
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise _cannot(path, error) from error
    finally:  # also after an interrupt
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _put_in_place(temporary: Path, path: Path, exclusive: bool) -> None:
    if exclusive:
        os.link(temporary, path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)


def append_line(path: Path, line: bytes) -> None:
    """Add one line, ``line`` and its end, to a file, whole or not at all; a line that a kill tore before gets an end.

    Whoever adds to one file from several processes holds a lock meanwhile.

    Raises:
        OSError: it cannot be written, or ``path`` is a link.
    """
    make_folder(path.parent)
    new = not os.path.lexists(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | _BINARY
    descriptor = os.open(path, flags, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        torn = False
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            torn = os.read(descriptor, 1) != b"\n"
        whole = (b"\n" if torn else b"") + line + b"\n"
        try:
            if os.write(descriptor, whole) < len(whole):
                raise OSError(errno.ENOSPC, "only part of a line fitted on the disk")
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):  # what failed is not there
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if new:
        sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, each synced into the one that holds it.

    Raises:
        OSError: it cannot be made.
    """
    if path.is_dir():
        return
    missing = [path, *(parent for parent in path.parents if not parent.exists())]
    path.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        sync_folder(made.parent)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk. Nothing where the system cannot (Windows, some network drives).

    Raises:
        OSError: the disk reports a failure.
    """
    if os.name == "nt":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno in _UNSYNCABLE:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSYNCABLE:
            raise
    finally:
        os.close(descriptor)


def sweep_temporaries(folder: Path) -> int:
    """Remove the temporary files that killed processes left in a folder; returns how many there were.

    A file that some process has locked is being written, and one that is young may be about to be locked. Never raises:
    a leftover costs nothing but its space.
    """
    found = 0
    try:
        names = [name for name in os.listdir(folder) if TEMPORARY.fullmatch(name)]
    except OSError:
        return 0
    for name in names:
        path = folder / name
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.lstat(path).st_mode) or time.time() - os.lstat(path).st_mtime < YOUNG_S:
                continue
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | _BINARY)
            try:
                if os.name == "nt" or locked(descriptor, by_process=False):
                    os.unlink(path)
                    found += 1
            finally:
                os.close(descriptor)
    return found


def _cannot(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path}: cannot be written ({error.strerror or error}).",
        remedy="Free some space, or choose a workspace folder that you can write to.",
    )
