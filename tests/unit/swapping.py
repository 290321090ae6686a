"""A folder that is swapped with a link while something is written into it."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["swapping"]


@contextlib.contextmanager
def swapping(times: int, outside: Path) -> Iterator[threading.Event]:
    """Swap the working folder's ``d`` with a link to ``outside``, on a thread; what is given is set in the end."""
    over = threading.Event()

    def surely(act: Callable[..., None], *names: object) -> None:
        while True:
            try:
                return act(*names)
            except OSError:  # the writer made the folder meanwhile
                shutil.rmtree("d", ignore_errors=True)

    def swap() -> None:
        try:
            for _ in range(times):
                os.rename("d", "d2")
                surely(os.symlink, outside, "d")
                os.unlink("d")
                surely(os.rename, "d2", "d")
        finally:
            over.set()

    thread = threading.Thread(target=swap)
    thread.start()
    yield over
    thread.join()
