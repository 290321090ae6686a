"""A lock on an open file, which the operating system takes back when its holder dies."""

from __future__ import annotations

__all__ = ["locked"]


def locked(descriptor: int, *, by_process: bool) -> bool:
    """Lock the file without waiting; False where somebody else has it locked.

    ``by_process`` makes the lock the process's own (POSIX record locks: a forked child does not have it, and one part
    of the process does not keep it from another); otherwise it belongs to the open file, and keeps out others in this
    process as well. Windows knows only the latter.

    Raises:
        OSError: files of this file system cannot be locked.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    lock = fcntl.lockf if by_process else fcntl.flock
    try:
        lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # record locks tell either
        return False
    return True
