"""How a person is told of a file: from the folder that they are in, where it lies below that; else by its whole path."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["spelled"]


def spelled(path: Path | str) -> str:
    """``workspace/agents/poet.md`` for the file of that name below the current folder."""
    whole = os.fspath(path)
    try:
        here = os.getcwd()
    except OSError:  # it was deleted
        return whole
    start = here.rstrip(os.sep) + os.sep
    return whole[len(start) :] if whole.startswith(start) and len(whole) > len(start) else whole
