"""Who works on a plan: one kernel at a time, for as long as it lives."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from llmos_nb.errors import PlanError
from llmos_nb.guard.effects import unwatched
from llmos_nb.kernel.locks import locked

__all__ = ["at_work", "claimed"]


@contextlib.contextmanager
def claimed(folder: Path, run_id: str) -> Iterator[None]:
    """Keep others, in this process as well, from working on the plan of ``run_id`` until the block ends.

    A kernel that dies lets go of it. Where files cannot be locked or written nobody is kept away.

    Raises:
        PlanError: somebody works on it.
    """
    path = folder / f"{run_id}.lock"
    try:
        with unwatched():  # a cell may wait for this run
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError:
        yield
        return
    try:
        if not _claim(descriptor):
            raise PlanError(
                f"The plan of the run {run_id} is being worked on, here or in another kernel.",
                remedy="Wait for it, or stop it first.",
            )
        yield
        with contextlib.suppress(OSError), unwatched():
            path.unlink()
    finally:
        os.close(descriptor)


def at_work(folder: Path, run_id: str) -> bool:
    """Whether somebody works on the plan of ``run_id``."""
    try:
        descriptor = os.open(folder / f"{run_id}.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        return not _claim(descriptor)
    finally:
        os.close(descriptor)


def _claim(descriptor: int) -> bool:
    try:
        return locked(descriptor, by_process=False)
    except OSError:  # a file system without locks
        return True
