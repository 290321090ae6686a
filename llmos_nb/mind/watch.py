"""Watching the agents folder, so that what a person, git or another kernel changed is read before it is asked for.

Only a convenience: whoever asks for an agent looks at its file (:mod:`llmos_nb.mind.loaded`), so nothing is missed
where watching is impossible. With it a thousand files that a checkout replaced are parsed before the next goal, and
their versions kept before they are changed again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["FolderWatch"]

#: Milliseconds for which changes are gathered: at most, and between two looks.
GATHER_MS: Final = 60
LOOK_MS: Final = 15
#: Seconds until the first look at what changed while nobody watched.
FIRST_S: Final = 1.5
#: Milliseconds after which the folder itself is looked at: it may have been replaced by another.
STILL_THERE_MS: Final = 2_000


class FolderWatch:
    """Calls ``changed(names)`` on a thread of its own after files in ``folder`` changed, until :meth:`close`.

    ``first()`` is called once, when what a person waits for at the beginning is likely to be over.
    ``problem`` says why nothing is watched, if nothing is.
    """

    def __init__(
        self, folder: Path, changed: Callable[[frozenset[str]], None], first: Callable[[], None] | None = None
    ) -> None:
        self.problem = ""
        self._folder, self._changed, self._first = folder, changed, first
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="llmos-agents-watch", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the folder is being watched, or waited for."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop watching. May be called again."""
        self._ending.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=1)

    def _work(self) -> None:
        try:
            if self._first is not None and not self._ending.wait(FIRST_S):
                self._first()
            while not self._ending.is_set():
                if self._folder.is_dir():
                    self._watch(_identity(self._folder))
                self._ending.wait(0.5)
        except Exception as error:  # noqa: BLE001 - too many watches, a file system without them: stat goes on working
            self.problem = f"{type(error).__name__}: {error}"

    def _watch(self, identity: tuple[int, int] | None) -> None:
        """Watch one folder until it is another, or the end."""
        from watchfiles import watch  # 40 ms, on this thread and not on the user's

        for changes in watch(
            self._folder,
            watch_filter=None,
            debounce=GATHER_MS,
            step=LOOK_MS,
            stop_event=self._ending,
            rust_timeout=STILL_THERE_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=False,
            ignore_permission_denied=True,
        ):
            if self._ending.is_set():
                return
            names = frozenset(os.path.basename(path) for _, path in changes)
            if names:
                self._changed(names)
            if _identity(self._folder) != identity:
                return


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.lstat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino
