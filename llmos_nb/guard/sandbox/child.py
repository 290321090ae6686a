"""The first thing that runs in a sandbox: takes the job from its standard input, closes the last doors, runs it.

It is handed to Python as text, so that nothing of this package is in the sandbox, and uses the standard library alone.
With ``fence`` in the job it is a keeper first, outside: it starts what runs, and ends every process that is left.
"""

from __future__ import annotations

import marshal
import os
import resource
import sys

TYPE_CHECKING = False  # without an import: each one counts, here
if TYPE_CHECKING:
    from typing import Any

#: linux/signal.h; the module signal makes enumerations of all of them first.
SIGINT, SIGKILL, SIGPIPE, SIGTERM = 2, 9, 13, 15


def _take() -> dict[str, Any]:
    size = int.from_bytes(_read(8), "big")
    job: dict[str, Any] = marshal.loads(_read(size))  # from whoever started us
    return job


def _read(size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            os._exit(0)  # whoever was to give the job is gone
        data += more
    return data


def _limit(limits: dict[str, Any]) -> None:
    memory = int(limits["memory"])
    wanted = [
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_CPU, max(1, int(limits["cpu"] + 0.999)), max(1, int(limits["cpu"] + 0.999)) + 1),
        (resource.RLIMIT_FSIZE, int(limits["file"]), int(limits["file"])),
        (resource.RLIMIT_DATA, memory, memory),
        (resource.RLIMIT_AS, memory * 4 + 2**31, memory * 4 + 2**31),
        (resource.RLIMIT_NOFILE, 512, 512),
    ]
    for kind, soft, hard in wanted:
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))


def _work(job: dict[str, Any]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    import _signal as signals  # type: ignore[import-not-found]  # of CPython, built in

    signals.signal(SIGINT, signals.default_int_handler)
    for number in (SIGTERM, SIGPIPE):
        signals.signal(number, signals.SIG_DFL)
    if job["kind"] == "command":
        os.execvp("bash", ["bash", "--noprofile", "--norc", "-c", job["text"]])
    import builtins

    sys.path[:] = job["path"]
    sys.argv[:] = ["<sandbox>"]
    text = job["text"]
    main = type(sys)("__main__")
    main.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main
    code = 0
    try:
        exec(compile(text, "<sandbox>", "exec", dont_inherit=True), main.__dict__)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            sys.stderr.write(f"{end.code}\n")
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:  # noqa: BLE001 - told as Python tells it
        import linecache
        import traceback

        linecache.cache["<sandbox>"] = (len(text), None, text.splitlines(True), "<sandbox>")
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        traceback.print_exception(error)
        code = 1
    _leave(code & 0xFF)


def _leave(code: int) -> None:
    """End as Python does, but for taking its modules apart, which can take longer than the work."""
    import atexit

    try:
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        atexit._run_exitfuncs()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                continue
        os._exit(code)


def _main() -> None:
    if sys.argv[1:2] == ["warm"]:
        ready = _take()
        sys.path[:] = ready["path"]
        for name in ready["preload"]:
            __import__(name)
        if ready.get("fence"):
            _keep(ready, later=True)
        os.write(1, b"\0")
    job = _take()
    if job.get("fence"):
        _keep(job)
    _limit(job["limits"])
    if bound := job.get("bound"):
        bind: dict[str, Any] = {}
        exec(marshal.loads(bound["code"]), bind)  # llmos_nb.guard.sandbox.counted
        bind["bind"](bound)
    _work(job)


# -- where the fence is Landlock


def _keep(job: dict[str, Any], later: bool = False) -> None:
    """Return behind the fence, in another process; here wait for that one's end, or until whoever asked is gone, and end
    all that is left. What is to be done comes ``later``, and is handed on, or is ``job``.
    """
    import ctypes
    import select
    import time

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(36, 1, 0, 0, 0):  # PR_SET_CHILD_SUBREAPER: what loses its parent becomes ours
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")
    fence = job.pop("fence")
    mine, its = os.pipe() if later else (0, 0)
    work = os.fork()
    if not work:
        os.setsid()
        if later:
            os.dup2(mine, 0)
            os.close(mine)
            os.close(its)
        _close_doors(fence, libc)
        return
    for number in (1, 2, *job.get("inherits", ()), *((mine,) if later else ())):
        os.close(number)
    ended = os.pidfd_open(work)
    status, gone = None, False
    while status is None and not gone:
        ready = select.select([0, ended], [], [], 0.05)[0]
        if 0 in ready and later:
            later = False
            size = _read(8)  # where there is none any more, we end, and the system ends what is ours
            rest = memoryview(size + _read(int.from_bytes(size, "big")))
            while rest:
                rest = rest[os.write(its, rest) :]
            os.close(its)
        elif 0 in ready:
            gone = not os.read(0, 1)
        status = _reaped(work)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break  # nothing is left
        for process in _descendants(os.getpid()):
            try:
                os.kill(process, SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.001)
    if status is None:
        os._exit(137)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _reaped(work: int) -> int | None:
    """Take note of processes that ended; how ``work`` did, if it is one of them."""
    status = None
    try:
        while True:
            ended, how = os.waitpid(-1, os.WNOHANG)
            if not ended:
                return status
            if ended == work:
                status = how
    except ChildProcessError:
        return status


def _descendants(of: int) -> set[int]:
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError):
                continue
    found: set[int] = set()
    more = {of}
    while more:
        more = {process for process, parent in parents.items() if parent in more} - found
        found |= more
    return found


# linux/landlock.h, as of version 6
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK, _IOCTL_DEV = 1 << 6, 1 << 9, 1 << 11, 1 << 15
_ALL_FILES, _ALL_NETWORK, _ABSTRACT_SOCKETS, _SIGNALS = (1 << 16) - 1, 3, 1 << 0, 1 << 1


def _close_doors(fence: dict[str, Any], libc: Any) -> None:
    """Landlock for files, TCP, signals and abstract sockets; a filter for the system calls that it does not cover."""
    import ctypes

    def called(number: int, *given: Any) -> int:
        done: int = libc.syscall(number, *given)
        if done < 0:
            raise OSError(ctypes.get_errno(), "Landlock")
        return done

    def packed(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(8, sys.byteorder) for number in numbers)

    rules = called(444, packed(_ALL_FILES, _ALL_NETWORK, _ABSTRACT_SOCKETS | _SIGNALS), ctypes.c_size_t(24), 0)
    look = _EXECUTE | _READ_FILE | _READ_DIR
    change = _ALL_FILES & ~(_MAKE_CHAR | _MAKE_BLOCK | _IOCTL_DEV | _MAKE_SOCK)

    def allow(path: str, access: int) -> None:
        at = os.open(path, os.O_PATH | os.O_CLOEXEC)
        called(445, rules, 1, packed(access) + at.to_bytes(4, sys.byteorder), 0)
        os.close(at)

    for path in fence["read"]:
        allow(path, look if os.path.isdir(path) else look & ~_READ_DIR)
    for path in fence["write"]:
        allow(path, change if os.path.isdir(path) else _READ_FILE | _WRITE_FILE | _TRUNCATE)
    os.chdir(fence["cwd"])
    for capability in range(64):  # root's powers, also for what is started later
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
    none = (ctypes.c_uint32 * 6)()
    if libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), none):
        raise OSError(ctypes.get_errno(), "capset")
    if libc.prctl(38, 1, 0, 0, 0):  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    called(446, rules, 0)
    os.close(rules)

    class Filter(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]

    lines = fence["filter"]
    program = Program(len(lines), (Filter * len(lines))(*(Filter(*line) for line in lines)))
    if libc.prctl(22, 2, ctypes.byref(program), 0, 0):  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")


_main()
