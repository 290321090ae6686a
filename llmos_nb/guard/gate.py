"""What agents' code does with the network and with programs while it runs, seen through Python's audit events.

Reading code cannot tell all that it will do. So where a session has read content from outside, code that nobody approved
for it finds the ways out closed: the connection, the look-up of a name, the program raises PermissionError in it. In any
session it is noted which hosts a cell talked to. What C libraries connect by themselves is not seen.
"""

from __future__ import annotations

import contextvars
import errno
import os
import shlex
import socket
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from llmos_nb.guard.exits import PUBLIC_HOSTS, outward_text
from llmos_nb.guard.offline import outward
from llmos_nb.guard.taint import FOREIGN, Taint, host_of
from llmos_nb.kernel.whose import by_agent, is_own_work

__all__ = ["Gate", "current_gate", "gated"]

_NAMED: Final = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_CONNECTS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_PROGRAMS: Final = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "pty.spawn",
        "webbrowser.open",
    }
)
_EVENTS: Final = _NAMED | _CONNECTS | _PROGRAMS
#: Programs by which Python starts a worker of its own.
_WORKERS: Final = ("from multiprocessing.", "from joblib.externals.loky", "llmos_nb.domains.")


class Gate:
    """The ways out of one call: ``approved`` opens them. ``hosts`` are those it talked to, ``refused`` what was not."""

    def __init__(self, taint: Taint, *, approved: bool = False) -> None:
        self.taint, self.approved = taint, approved
        #: When the call began.
        self.began_ns = time.time_ns()
        self.hosts: list[str] = []
        self.refused: list[str] = []
        #: Outputs that were not shown as they are.
        self.withheld = 0
        self._addresses: set[str] = set()

    @property
    def shut(self) -> bool:
        """Whether what leads out is closed."""
        return bool(self.taint.level) and not self.approved

    def meets(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One audit event of agents' code.

        Raises:
            PermissionError: it leads out, and the ways out are closed.
        """
        if event in _PROGRAMS:
            if self.shut and (why := _program(event, arguments)):
                self._refuse(why)
            return
        host = _host(event, arguments)
        if host is None:
            return
        if not self.shut:
            self._note(host)
            return
        open_ = self.taint.level != FOREIGN and (host in self._named() or host in self._addresses)
        if not open_:
            self._refuse(f"a connection to {host}")
        self._note(host)
        if event in _NAMED and not _is_address(host):
            with _working():
                try:
                    self._addresses.update(str(found[4][0]) for found in socket.getaddrinfo(host, None))
                except OSError:
                    return  # then the code's own look-up fails as well

    def _named(self) -> set[str]:
        hosts = {*self.taint.hosts, *PUBLIC_HOSTS}
        return hosts | {host_of(f"http://{host}").partition(":")[0] for host in hosts}

    def _note(self, host: str) -> None:
        if host not in self.hosts and len(self.hosts) < 50 and host not in self._addresses:
            self.hosts.append(host)

    def _refuse(self, what: str) -> None:
        if len(self.refused) < 50:
            self.refused.append(what)
        raise PermissionError(
            errno.EACCES,
            f"{what} was refused: this session has read content from outside, and nobody approved this. Say plainly in "
            "the code what it is to reach, and a person is asked",
        )


_gate: Final[contextvars.ContextVar[Gate | None]] = contextvars.ContextVar("llmos_gate", default=None)
_busy: Final = contextvars.ContextVar("llmos_gate_busy", default=False)
#: The gate of the newest call: threads that agents' code started have no context.
_latest: weakref.ref[Gate] | None = None
_installed = False


def current_gate() -> Gate | None:
    """The gate of the call that this code belongs to; None where it is no agent's."""
    if is_own_work():
        return None
    gate = _gate.get()
    if gate is None and threading.current_thread() is not threading.main_thread() and by_agent():
        return _latest() if _latest is not None else None
    return gate


@contextmanager
def gated(gate: Gate) -> Iterator[Gate]:
    """What the block runs, and the tasks and threads that it starts, go through ``gate``."""
    global _latest, _installed
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    _latest = weakref.ref(gate)
    token = _gate.set(gate)
    try:
        yield gate
    finally:
        _gate.reset(token)


@contextmanager
def _working() -> Iterator[None]:
    token = _busy.set(True)
    try:
        yield
    finally:
        _busy.reset(token)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS and not _busy.get():
        gate = current_gate()
        if gate is not None:
            with _working():
                gate.meets(event, arguments)


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The host that an event is about; None where it stays within the machine's own sockets of files."""
    if event in _NAMED:
        host = arguments[0] if arguments else None
    else:
        address = arguments[1] if len(arguments) > 1 else None
        sock = arguments[0] if arguments else None
        if getattr(sock, "family", None) == getattr(socket, "AF_UNIX", -1):
            return None
        if not isinstance(address, tuple) or not address:
            return None
        host = address[0]
    if isinstance(host, bytes):
        host = host.decode("idna" if host.isascii() else "latin-1", "replace")
    return host.casefold().rstrip(".") if isinstance(host, str) and host else None


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _program(event: str, arguments: tuple[Any, ...]) -> str:
    """Why a program that is about to start is refused; empty where it is known to stay on the machine."""
    if event in ("webbrowser.open", "os.startfile", "pty.spawn"):
        return f"{event} {arguments[0] if arguments else ''}"[:120]
    if event == "os.system":
        command = arguments[0]
        text = os.fsdecode(command) if isinstance(command, str | bytes) else ""
        return (outward_text(text) or "")[:120]
    position = 2 if event == "os.spawn" else 1
    given = arguments[position] if len(arguments) > position else None
    if isinstance(given, str | bytes):
        words: tuple[str, ...] = tuple(shlex.split(os.fsdecode(given)))
    else:
        words = tuple(os.fsdecode(word) for word in given or ())
    if len(words) > 2 and words[0].rpartition("/")[2] in ("sh", "bash", "dash") and words[1] == "-c":
        return outward_text(words[2])[:120]
    if len(words) > 2 and words[0] == sys.executable and any(word.startswith(_WORKERS) for word in words):
        return ""
    return outward(words)[:120]
