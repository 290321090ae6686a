"""The kernel's own bound on how many tasks a sandbox has: one of three, the first that can be had here.

Looking at a sandbox now and then ends one with too many processes, unless these are so many by then that the one who
looks gets no turn any more. So the first fork too many has to be refused:

- *group*: a control group of its own. For root, and for whoever was given groups to make.
- *namespace*: the limit of a user's tasks, which the kernel counts apart for each user namespace since Linux 5.14. For
  users behind bubblewrap; root's tasks are never counted.
- *counted*: a system call filter has each fork wait until it was counted and allowed here. For everybody else.

Where there is none of them (root without groups on Linux before 5.5, or inside a container whose manager listens to system
calls itself), a user's tasks are bounded by as many as there are plus those of the sandbox, and root's by looking alone.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.resources
import itertools
import marshal
import os
import platform
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from llmos_nb.guard.sandbox.seccomp import counting_call, counting_lines, supported
from llmos_nb.guard.sandbox.watch import descendants

__all__ = ["Bound", "Counted", "Group", "Namespace", "bound"]

_numbers = itertools.count()
#: Seconds that killed processes get to be gone.
_GONE_S: Final = 2.0
#: Seconds after which a fork that was allowed has happened, and is counted.
_SETTLED_S: Final = 0.02
#: Milliseconds after which the one who counts sees that all is over, where no processes that are gone tell it.
_LOOK_MS: Final = 200
#: linux/seccomp.h: ioctls of a listener, the notification's and the answer's form, and "go on with the call".
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1
_NOTIFICATION_BYTES: Final = 80
_ANSWER: Final = struct.Struct("=QqiI")
#: Versions of Linux: listeners that may let a call go on; limits that are counted for each user namespace.
_LISTENS, _COUNTS_APART = (5, 5), (5, 14)


class Bound(Protocol):
    """A bound on the tasks of one process and of all that comes from it."""

    #: What the process is told, for :func:`llmos_nb.guard.sandbox.counted.bind`; empty where it has nothing to do.
    told: Mapping[str, Any]
    #: Descriptors that it needs.
    inherits: tuple[int, ...]

    def around(self, process: int) -> None:
        """Bound ``process``, which has begun, and has not begun to work."""

    @property
    def was_full(self) -> bool:
        """Whether a fork was refused, as far as can be told."""

    def shut(self) -> None:
        """Let nothing more begin."""

    def end(self) -> None:
        """Kill what is left, if anything is, and clear up. Safe to call twice."""


def bound(most: int, *, apart: bool) -> Bound:
    """The strictest bound on processes and threads together that can be had here; ``apart`` says whether the process will
    have a user namespace of its own.
    """
    root = not hasattr(os, "getuid") or os.getuid() == 0
    if apart and not root and _linux() >= _COUNTS_APART:
        return Namespace(most)
    if (parent := _parent()) is not None:
        with contextlib.suppress(OSError):
            return Group(parent, most)
    used = 0 if root else _tasks_of_user()
    if _linux() >= _LISTENS and supported():
        return Counted(most, used + most if used else 0)
    return Namespace(used + most if used else 0)


class Namespace:
    """The limit of a user's tasks; none at all with 0."""

    inherits: tuple[int, ...] = ()
    was_full = False  # the kernel tells the one who forks, and nobody else

    def __init__(self, most: int) -> None:
        self.told: Mapping[str, Any] = {"code": _code(), "most": most} if most else {}

    def around(self, process: int) -> None: ...

    def shut(self) -> None: ...

    def end(self) -> None: ...


class Group:
    """A control group around a process and all that comes from it.

    Raises:
        OSError: none can be made below ``parent``.
    """

    inherits: tuple[int, ...] = ()
    told: Mapping[str, Any] = {}

    def __init__(self, parent: Path, most: int) -> None:
        self.folder = parent / f"llmos-{os.getpid()}-{next(_numbers)}"
        self.folder.mkdir()
        try:
            (self.folder / "pids.max").write_text(str(most))
        except OSError:
            self.folder.rmdir()
            raise

    def around(self, process: int) -> None:
        inside: set[int] = set()
        while more := set(descendants(process)) - inside:
            for one in more:
                with contextlib.suppress(ProcessLookupError):  # it ended
                    (self.folder / "cgroup.procs").write_text(str(one))
            inside |= more

    @property
    def was_full(self) -> bool:
        try:
            return any(
                name == "max" and int(times) > 0
                for name, times in map(str.split, (self.folder / "pids.events").read_text().splitlines())
            )
        except (OSError, ValueError):
            return False

    def shut(self) -> None:
        with contextlib.suppress(OSError):
            (self.folder / "pids.max").write_text("0")

    def end(self) -> None:
        self.shut()
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


class Counted:
    """Each fork waits for a thread here, which lets as many go on as there is room for, and then counts anew.

    A count may miss tasks whose parents end meanwhile, each of which had to be one of the counted; so there are never
    more than twice as many, whatever they try. ``otherwise`` is the limit of a user's tasks where no filter can be had.
    """

    def __init__(self, most: int, otherwise: int = 0) -> None:
        self._most, self._room, self._allowed_at = most, 0, 0.0
        self._ours, self._its = socket.socketpair()
        self.inherits: tuple[int, ...] = (self._its.fileno(),)
        self.told: Mapping[str, Any] = {
            "code": _code(), "lines": counting_lines(), "call": counting_call(), "channel": self._its.fileno(),
            "most": otherwise,
        }  # fmt: skip
        self._process = 0
        self._full, self._shut = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def around(self, process: int) -> None:
        self._process = process
        self._its.close()
        self._thread = threading.Thread(target=self._serve, name="llmos-sandbox-tasks", daemon=True)
        self._thread.start()

    @property
    def was_full(self) -> bool:
        return self._full.is_set()

    def shut(self) -> None:
        self._shut.set()

    def end(self) -> None:
        self.shut()
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)  # in case that no listener came yet
        if self._thread is not None:
            self._thread.join(_GONE_S)
        self._its.close()
        self._ours.close()

    def _serve(self) -> None:
        try:
            _, sent, _, _ = socket.recv_fds(self._ours, 1, 1)
        except OSError:
            return
        if not sent:  # it ended first, or has no filter
            return
        listener = sent[0]
        os.set_inheritable(listener, False)
        look = select.poll()
        look.register(listener, select.POLLIN)
        try:
            while not self._shut.is_set():
                for _, event in look.poll(_LOOK_MS):
                    if not event & select.POLLIN:
                        return  # nobody is left
                    self._answer(listener)
        except (OSError, ValueError):
            return
        finally:
            os.close(listener)  # whoever waits is refused, and who comes later

    def _answer(self, listener: int) -> None:
        import fcntl

        asked = bytearray(_NOTIFICATION_BYTES)
        try:
            fcntl.ioctl(listener, _RECEIVE, asked, True)
            number = int.from_bytes(asked[:8], sys.byteorder)
            error, then = (0, _CONTINUE) if self._has_room() else (-11, 0)  # EAGAIN, as any limit of the kernel's
            fcntl.ioctl(listener, _SEND, bytearray(_ANSWER.pack(number, 0, error, then)), True)
        except (FileNotFoundError, InterruptedError):  # it was killed meanwhile
            pass

    def _has_room(self) -> bool:
        if self._shut.is_set() or self._full.is_set():
            return False
        if self._room <= 0:
            time.sleep(max(0.0, self._allowed_at + _SETTLED_S - time.monotonic()))
            self._room = self._most - sum(map(_threads, descendants(self._process)))
        if self._room <= 0:
            self._full.set()
            return False
        self._room -= 1
        self._allowed_at = time.monotonic()
        return True


@functools.cache
def _code() -> bytes:
    text = importlib.resources.files(__package__).joinpath("counted.py").read_text(encoding="utf-8")
    return marshal.dumps(compile(text, "<sandbox>", "exec", dont_inherit=True))


@functools.cache
def _linux() -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if sys.platform == "linux" and found else (0, 0)


def _threads(process: int) -> int:
    try:
        return len(os.listdir(f"/proc/{process}/task"))
    except OSError:
        return 0


def _tasks_of_user() -> int:
    """How many processes and threads of this user there are; 0 where nobody tells."""
    own, found = os.getuid(), 0
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if name.isdigit() and os.stat(f"/proc/{name}").st_uid == own:
                    found += _threads(int(name))
    return found


@functools.cache
def _parent() -> Path | None:
    """Where groups that count tasks can be made below; None where that is shut to us, as it is to most users."""
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
                if _takes(folder):
                    return folder
    except (OSError, ValueError, IndexError):
        return None
    return None


def _takes(folder: Path) -> bool:
    """Whether a process can be put into a group below ``folder``: with version 2 not every place lets it."""
    try:
        group = Group(folder, 1)
    except OSError:
        return False
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as one:
        try:
            group.around(one.pid)
        except OSError:
            return False
        finally:
            one.kill()
            one.wait()
            group.end()
    return True


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
