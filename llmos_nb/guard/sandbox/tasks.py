"""The kernel's own bound on how many tasks a sandbox has, for root, whose processes no limit of a user counts.

Looking at a sandbox now and then ends one with too many processes, unless these are so many by then that the one who
looks gets no turn any more. A control group of its own, where one can be made, refuses the first fork too many.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import signal
import time
from pathlib import Path
from typing import Final

from llmos_nb.guard.sandbox.watch import descendants

__all__ = ["Tasks"]

_numbers = itertools.count()
#: Seconds that killed processes get to be gone.
_GONE_S: Final = 2.0


class Tasks:
    """A control group around a process and all that comes from it; :meth:`around` gives none where none can be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def around(cls, process: int, most: int) -> Tasks | None:
        """Bound ``process``, which has not begun to work, and what it started, to ``most`` processes and threads."""
        parent = _parent()
        if parent is None:
            return None
        folder = parent / f"llmos-{os.getpid()}-{next(_numbers)}"
        try:
            folder.mkdir()
        except OSError:
            return None
        tasks = cls(folder)
        try:
            (folder / "pids.max").write_text(str(most))
            inside: set[int] = set()
            while more := set(descendants(process)) - inside:
                for one in more:
                    with contextlib.suppress(ProcessLookupError):  # it ended
                        (folder / "cgroup.procs").write_text(str(one))
                inside |= more
        except OSError:
            tasks.end()
            return None
        return tasks

    @property
    def was_full(self) -> bool:
        """Whether a fork was refused."""
        try:
            return any(
                name == "max" and int(times) > 0
                for name, times in map(str.split, (self.folder / "pids.events").read_text().splitlines())
            )
        except (OSError, ValueError):
            return False

    def end(self) -> None:
        """Let nothing more begin, kill what is left, and take the group away; without processes it is but a name."""
        with contextlib.suppress(OSError):
            (self.folder / "pids.max").write_text("0")
        deadline = time.monotonic() + _GONE_S
        while time.monotonic() < deadline:
            try:
                left = [int(one) for one in (self.folder / "cgroup.procs").read_text().split()]
                for one in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(one, signal.SIGKILL)
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # some are not quite gone
                time.sleep(0.002)
            else:
                return


@functools.cache
def _parent() -> Path | None:
    """Where groups that count tasks can be made below; None for whoever is not root, or where that is shut."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return None
    try:
        own = {
            name: path
            for _, controllers, path in (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().split())
            for name in controllers.split(",")
        }
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            fields, _, rest = line.partition(" - ")
            kind, _, options = rest.split(" ", 2)
            place = Path(fields.split()[4])
            if kind == "cgroup" and "pids" in options.split(",") and "pids" in own:
                folder = place / own["pids"].lstrip("/")
            elif kind == "cgroup2" and "pids" in _words(
                place / own.get("", "/").lstrip("/") / "cgroup.subtree_control"
            ):
                folder = place / own.get("", "/").lstrip("/")
            else:
                continue
            if os.access(folder, os.W_OK):
                _clear(folder)
                return folder
    except (OSError, ValueError, IndexError):
        return None
    return None


def _clear(folder: Path) -> None:
    """Take away the groups of processes that were killed before they could."""
    for left in folder.glob("llmos-*-*"):
        maker = left.name.split("-")[1]
        if maker.isdigit() and not Path("/proc", maker).exists():
            with contextlib.suppress(OSError):
                left.rmdir()


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
