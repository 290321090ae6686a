"""What killed kernels left in a workspace: temporary files that never got their name."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

from llmos_nb.kernel.files import sweep_temporaries

__all__ = ["sweep_workspace"]

#: Where the system writes, and how many levels below.
_PLACES: Final = ((".llmos", 2), ("agents", 0), ("memory", 2), ("crystals", 0), ("schedule", 0), ("projects", 2))


def sweep_workspace(workspace: Path) -> threading.Thread:
    """Remove them, in a thread of its own: no start waits for it. What other kernels write just now is left alone."""
    thread = threading.Thread(target=_sweep, args=(workspace,), name="llmos-leftovers", daemon=True)
    thread.start()
    return thread


def _sweep(workspace: Path) -> None:
    for name, levels in _PLACES:
        _below(workspace / name, levels)


def _below(folder: Path, levels: int) -> None:
    sweep_temporaries(folder)
    if not levels:
        return
    try:
        with os.scandir(folder) as entries:
            folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for name in folders:
        if not name.endswith(".git"):
            _below(folder / name, levels - 1)
