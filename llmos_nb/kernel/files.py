"""Writing a file so that a reader, or a kill at any moment, sees the old text or the new one and never a torn one."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from llmos_nb.errors import StoreError

__all__ = ["atomic_write"]


def atomic_write(path: Path, data: bytes, *, exclusive: bool = False) -> None:
    """Write ``data`` to ``path`` through a synced temporary file in the same folder.

    With ``exclusive`` the file must not exist yet, also not a moment later: it is linked into place, which fails
    where another process was faster.

    Raises:
        FileExistsError: ``exclusive`` and the path is taken.
        StoreError: the folder cannot be written (read-only, full, a file where a folder should be).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{path.name[:40]}.{secrets.token_hex(8)}.tmp"
        # Not tempfile.mkstemp: its files are private (0600), and colleagues share a workspace.
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise StoreError(
            f"{path.parent}: cannot be written ({error.strerror or error}).",
            remedy="Free some space, or choose a workspace folder that you can write to.",
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            os.link(temporary, path)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
            os.replace(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror or error}).",
            remedy="Free some space, or choose a workspace folder that you can write to.",
        ) from error
    finally:  # also after an interrupt
        with contextlib.suppress(OSError):
            os.unlink(temporary)
