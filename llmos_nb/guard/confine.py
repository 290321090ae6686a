"""Files opened where they were judged to be: no link that comes in between leads anywhere else.

A path is judged by where it leads, and the world goes on until it is opened: a folder may be a link by then. So what was
judged, the resolved path, is opened folder by folder through descriptors, none of which follows a link.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from llmos_nb.errors import GuardDenied, StoreError
from llmos_nb.guard.paths import Mode, check_path, resolve
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.locks import locked

__all__ = ["confined", "read_judged", "write_judged"]

#: Whether this system opens files from a folder's descriptor; Windows does not.
_FROM_FOLDERS: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_BINARY: Final = getattr(os, "O_BINARY", 0)
#: Through a folder that may not be read, one may pass.
_PASS: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


def confined(path: str | os.PathLike[str], mode: Mode, *, workspace: Path, cwd: Path, approved: bool = False) -> Path:
    """Where ``path`` leads, judged once more: what was judged before may be a link by now. ``approved`` says that a person
    agreed to what is to be asked about.

    Raises:
        GuardDenied: an agent may not read or write there.
    """
    verdict = check_path(path, mode, workspace=workspace, cwd=cwd, roots=(cwd,))
    try:
        real = resolve(path, cwd=cwd, workspace=workspace)
        again = check_path(real, mode, workspace=workspace, cwd=cwd, roots=(cwd,))
    except ValueError as error:
        raise GuardDenied(f"{error}.", rule="path-invalid", remedy="Name the file by another path.") from error
    for one in (verdict, again):
        if one.decision == "deny" or (one.decision == "ask" and not approved):
            raise GuardDenied(f"{one.reason}.", rule=one.rule, remedy="Work inside the workspace.")
    return real


def read_judged(real: Path, limit: int) -> bytes:
    """At most ``limit`` bytes of the file at the resolved path ``real``.

    Raises:
        GuardDenied: a link is in the way that was not there when the path was judged.
        OSError: it cannot be read, or is no file.
    """
    if not _FROM_FOLDERS:
        with real.open("rb") as file:
            return file.read(limit)
    with _folder_of(real, make=False) as folder:
        try:
            descriptor = os.open(real.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | _BINARY, dir_fd=folder)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _moved(real) from error
            raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a file", str(real))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit)


def write_judged(real: Path, data: bytes) -> None:
    """Write ``data`` to the resolved path ``real``, as :func:`~llmos_nb.kernel.files.atomic_write` does. Missing folders
    are made.

    Raises:
        GuardDenied: a link is in the way that was not there when the path was judged.
        StoreError: it cannot be written.
    """
    if not _FROM_FOLDERS:
        atomic_write(real, data)
        return
    try:
        with _folder_of(real, make=True) as folder:
            _put(folder, real.name, data)
    except OSError as error:
        raise StoreError(
            f"{real}: cannot be written ({error.strerror or error}).",
            remedy="Free some space, or choose a folder that you can write to.",
        ) from error


def _put(folder: int, name: str, data: bytes) -> None:
    temporary = f".{name[:40]}.{secrets.token_hex(8)}.tmp"
    descriptor = os.open(
        temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | _BINARY, 0o666, dir_fd=folder
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            with contextlib.suppress(OSError):  # a file system without locks
                locked(descriptor, by_process=False)  # nobody takes it for a leftover
            file.write(data)
            file.flush()
            with contextlib.suppress(FileNotFoundError):
                before = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISREG(before.st_mode):
                    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
            os.fsync(descriptor)
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        with contextlib.suppress(OSError):  # a drive that cannot
            os.fsync(folder)
    finally:  # also after an interrupt
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)


@contextmanager
def _folder_of(real: Path, *, make: bool) -> Iterator[int]:
    """The folder of a resolved path, opened from the root without following a link."""
    names = real.parent.parts
    current = os.open(names[0], _PASS)
    try:
        for number, name in enumerate(names[1:], 1):
            last = number == len(names) - 1
            try:
                following = _step(current, name, last=last, make=make)
            except NotADirectoryError as error:
                if _is_link(current, name):
                    raise _moved(real) from error
                raise
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise _moved(real) from error
                raise
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)


def _step(folder: int, name: str, *, last: bool, make: bool) -> int:
    try:
        return os.open(name, _FOLDER if last else _PASS, dir_fd=folder)
    except PermissionError:
        return os.open(name, _PASS, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        return os.open(name, _FOLDER, dir_fd=folder)


def _is_link(folder: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return True  # it was there a moment ago


def _moved(real: Path) -> GuardDenied:
    return GuardDenied(
        f"{real}: a folder on the way became a link while it was being opened.",
        rule="path-link",
        remedy="See what else works in that folder, and try again.",
    )
