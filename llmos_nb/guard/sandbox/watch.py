"""Watching a sandbox from outside: what all of its processes take together, which no limit of the system's is for."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from llmos_nb.guard.sandbox.job import Ending, Limits

__all__ = ["descendants", "end_all", "remove", "too_many", "watched"]

#: Seconds between two looks at what is in the temporary folder.
_DISK_S = 0.25
#: How deep folders may be nested.
_DEPTH = 100
#: Where a sandbox of bubblewrap's has file systems of its own.
_TEMPORARY = ("/sandbox", "/tmp", "/dev/shm")
#: Seconds that processes get to be gone once they are killed.
_GONE_S = 2.0


def watched(
    process: subprocess.Popen[bytes],
    limits: Limits,
    over: threading.Event,
    stopped: Callable[[], bool],
    look_s: float,
    *,
    scratch: Path | None = None,
    full: Callable[[], bool] = lambda: False,
) -> tuple[Ending | None, str, int]:
    """Wait for the end, or for the first limit that is passed; returns which, in words too, and the most memory seen.

    None: it ended by itself. Nothing is ended here. Memory is in bytes. ``scratch`` is the folder that was made for it;
    ``full`` says whether the system refused a process already.
    """
    with _ending(process) as ended:
        return _watched(process, limits, over, stopped, look_s, _Disk(limits, scratch), ended, full)


@contextlib.contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], bool]]:
    """What waits so many seconds for the end of a process, and tells whether it ended: at once when it does."""

    def slowly(seconds: float) -> bool:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # it was waited for already, or the kernel is an old one
        yield slowly
        return
    look = select.poll()
    look.register(descriptor, select.POLLIN)

    def at_once(seconds: float) -> bool:
        if look.poll(seconds * 1000):
            process.wait()
            return True
        return False

    try:
        yield at_once
    finally:
        os.close(descriptor)


def _watched(
    process: subprocess.Popen[bytes],
    limits: Limits,
    over: threading.Event,
    stopped: Callable[[], bool],
    look_s: float,
    disk: _Disk,
    ended: Callable[[float], bool],
    full: Callable[[], bool],
) -> tuple[Ending | None, str, int]:
    begun = time.monotonic()
    deadline = begun + limits.wall_s
    most, peak = limits.memory_mb * 2**20, 0
    spent: dict[int, float] = {}  # by process: what those that ended used stays counted
    while True:
        pause = min(look_s, max(0.001, (time.monotonic() - begun) / 4))  # a short run is told of at once
        if ended(min(pause, max(0.0, deadline - time.monotonic()))):
            return ("output", _too_much(limits), peak) if over.is_set() else (None, "", peak)
        if over.is_set():
            return "output", _too_much(limits), peak
        if stopped():
            return "stopped", "it was stopped", peak
        if time.monotonic() >= deadline:
            return "time", f"it took more than {limits.wall_s:g} s", peak
        found = descendants(process.pid)
        if full() or len(found) > limits.processes + 3:  # the fence's own among them
            return "processes", too_many(limits), peak
        used = sum(map(_resident, found))
        if used > most:  # pages that processes share are counted once here, which takes longer to find out
            used = sum(map(_proportional, found))
        peak = max(peak, used)
        if used > most:
            return "memory", f"it used more than {limits.memory_mb} MB of memory", peak
        if filled := disk.look(found):
            return "files", filled, peak
        for one in found:
            spent[one] = max(spent.get(one, 0.0), _processor_s(one))
        # What ended is in the count of whoever waited for it, and else in what was seen of it.
        if max(sum(spent.values()), sum(_processor_s(one, True) for one in found)) > limits.cpu_s:
            return "cpu", f"it used more than {limits.cpu_s:g} s of the processor", peak


def too_many(limits: Limits) -> str:
    """What is said of a run that had more processes than it may."""
    return f"it started more than {limits.processes} processes"


class _Disk:
    """What is in the temporary folder of a run: in a file system of its own the system bounds its bytes, else we do."""

    def __init__(self, limits: Limits, scratch: Path | None) -> None:
        self._limits, self._scratch = limits, scratch
        self._next = 0.0

    def look(self, processes: list[int]) -> str:
        """What is too much of it, in words; looked at every now and then."""
        now = time.monotonic()
        if now < self._next:
            return ""
        files, size = self._own(processes)
        if files < 0:
            files, size = self._walked()
        self._next = now + _DISK_S
        if files > self._limits.files:
            return f"it made more than {self._limits.files} files"
        if size > self._limits.scratch_mb * 2**20:
            return f"it wrote more than {self._limits.scratch_mb} MB"
        return ""

    def _own(self, processes: list[int]) -> tuple[int, int]:
        """Files in the temporary file systems of the sandbox; -1 where it has none that can be seen."""
        for process in reversed(processes):  # the last is the innermost
            found = -1
            for path in _TEMPORARY:
                with contextlib.suppress(OSError):
                    there = os.statvfs(f"/proc/{process}/root{path}")
                    if os.stat(f"/proc/{process}/root{path}").st_dev != os.stat("/").st_dev and there.f_files:
                        found = max(found, 0) + there.f_files - there.f_ffree
            if found >= 0 and _is_apart(process):
                return found, 0
        return -1, 0

    def _walked(self) -> tuple[int, int]:
        files = size = 0
        waiting = [(str(self._scratch), 0)] if self._scratch is not None else []
        while waiting and files <= self._limits.files:
            folder, depth = waiting.pop()
            if depth > _DEPTH:  # further down nobody would look
                return self._limits.files + 1, size
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        files += 1
                        with contextlib.suppress(OSError):
                            size += entry.stat(follow_symlinks=False).st_blocks * 512
                            if entry.is_dir(follow_symlinks=False):
                                waiting.append((entry.path, depth + 1))
            except OSError as error:
                if error.errno == errno.EACCES:  # a folder that was made unreadable: nobody needs one
                    return self._limits.files + 1, size
        return files, size


def _is_apart(process: int) -> bool:
    """Whether a process sees another root than we do."""
    try:
        return not os.path.samestat(os.stat(f"/proc/{process}/root/"), os.stat("/"))
    except OSError:
        return False


def remove(folder: Path) -> None:
    """Remove the folder of a run that is over, however deep and unreadable it was made."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):  # neither of the two follows a link below it
        for command in (["chmod", "-R", "u+rwX", "--", str(folder)], ["rm", "-rf", "--", str(folder)]):
            subprocess.run(command, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"})


def _too_much(limits: Limits) -> str:
    return f"it printed more than {limits.output_bytes} bytes"


def end_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that came from it, also what left its group, and wait until they are gone."""
    found = descendants(process.pid) if process.poll() is None else []
    if not hasattr(os, "killpg"):
        process.kill()
        process.wait()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for one in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + _GONE_S
    while any(map(_runs, found)) and time.monotonic() < deadline:
        time.sleep(0.001)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def descendants(of: int) -> list[int]:
    """The processes that came from ``of``, itself among them."""
    found, more = [], [of]
    while more:
        one = more.pop()
        found.append(one)
        more += _children(one)
    return found


def _children(process: int) -> Iterable[int]:
    try:
        return [
            int(child)
            for thread in Path(f"/proc/{process}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except (OSError, ValueError):  # it is gone
        return ()


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return 0


def _proportional(process: int) -> int:
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return _resident(process)


def _processor_s(process: int, waited_for: bool = False) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11 : 15 if waited_for else 13])) / 100
    except (OSError, ValueError, IndexError):
        return 0.0
