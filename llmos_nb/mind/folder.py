"""The agents folder on disk: which files in it count, and a lock that keeps two kernels from writing at once."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from llmos_nb.errors import AgentFileError
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import printable

__all__ = ["file_names", "locked"]


def file_names(folder: Path) -> list[str]:
    """The names of the Markdown files in ``folder``, in no order; none where there is no folder.

    Hidden files are left out: they belong to editors, and to writes that were cut off.

    Raises:
        AgentFileError: the folder is a symbolic link, is no folder, or cannot be read.
    """
    where = printable(spelled(folder))
    try:
        if stat.S_ISLNK(os.lstat(folder).st_mode):
            raise AgentFileError(
                f"{where}:1: the agents folder is a symbolic link.", remedy="Put a real folder there."
            )
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AgentFileError(
            f"{where}:1: the agents folder cannot be read ({error.strerror or error}).",
            remedy="Check that it is a folder and may be read.",
        ) from error
    return [name for name in names if name.casefold().endswith(".md") and not name.startswith(".")]


@contextlib.contextmanager
def locked(folder: Path, patience_s: float | None = None) -> Iterator[None]:
    """Hold ``folder`` against every other process that asks for the same; on Windows this does nothing.

    The lock is on the folder itself, so that no lock file is left among the agents. It ends with the process that
    holds it, however that ends.

    Raises:
        OSError: the folder is a symbolic link, or its file system has no locks.
        TimeoutError: somebody else held it for ``patience_s`` seconds.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if patience_s is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            deadline = time.monotonic() + patience_s
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"another kernel held it for {patience_s:g} s") from None
                    time.sleep(0.005)
        yield
    finally:
        os.close(descriptor)
