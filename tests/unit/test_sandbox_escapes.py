"""Ways out of a sandbox that are known of, each tried behind each fence: none may lead anywhere."""

# ruff: noqa: E501 - attempts are read side by side

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from test_sandbox import gone

from llmos_nb.guard import sandbox
from llmos_nb.guard.sandbox import Fence, Limits, Place, fences

WORKING = [fence for fence in fences() if not fence.problem]
pytestmark = pytest.mark.skipif(not WORKING, reason="no sandbox works on this machine")

#: Code that raises, or that comes to its end and has got out. ``OTHER`` is a process outside, ``SECRET`` a file of its,
#: ``MAPPED`` an address in its memory, ``SEGMENT`` a shared segment of its, ``CALL`` makes a system call that must not
#: be refused to go on.
ATTEMPTS = {
    "memory of another": "open(f'/proc/{OTHER}/mem', 'r+b', 0).seek(MAPPED)",
    "memory of another, by call": "assert CALL(310, OTHER, (U64 * 2)(ctypes.addressof(buffer), 8), 1, (U64 * 2)(MAPPED, 8), 1, 0) == 8",
    "environment of another": "assert b'PATH' in open(f'/proc/{OTHER}/environ', 'rb').read()",
    "root of another": "os.listdir(f'/proc/{OTHER}/root/tmp')",
    "folder of another": "os.listdir(f'/proc/{OTHER}/cwd')",
    "files of another": "os.listdir(f'/proc/{OTHER}/fd')",
    "a file by the root of another": "open(f'/proc/{OTHER}/root{SECRET}').read()",
    "a file by the root of the first": "open(f'/proc/1/root{SECRET}').read()",
    "a descriptor of another": "pid = CALL(434, OTHER, 0); CALL(438, pid, 3, 0)",
    "namespaces of another": "pid = CALL(434, OTHER, 0); CALL(308, pid, 0x20000)",
    "trace another": "CALL(101, 16, OTHER, 0, 0)",
    "seize another": "CALL(101, 0x4206, OTHER, 0, 0)",
    "signal another": "os.kill(OTHER, 9)",
    "signal all": "os.killpg(os.getpgid(OTHER), 9)",
    "signal another by descriptor": "pid = CALL(434, OTHER, 0); CALL(424, pid, 9, 0, 0)",
    "signal a thread of another": "CALL(234, OTHER, OTHER, 9)",
    "signal the keeper": "assert KEEPER > 1; os.kill(KEEPER, 9)",
    "limits of another": "resource.prlimit(OTHER, resource.RLIMIT_CPU, (1, 1))",
    "limits of another, read": "resource.prlimit(OTHER, resource.RLIMIT_CPU)",
    "higher limits": "h = resource.getrlimit(resource.RLIMIT_FSIZE)[1]; resource.setrlimit(resource.RLIMIT_FSIZE, (h + 1, h + 1))",
    "processors of another": "os.sched_setaffinity(OTHER, {0})",
    "priority of another": "os.setpriority(os.PRIO_PROCESS, OTHER, 19)",
    "schedule of another": "os.sched_setscheduler(OTHER, os.SCHED_IDLE, os.sched_param(0))",
    "shared segment": "a = CALL(30, SEGMENT, 0, 0); assert a not in (0, -1)",
    "shared segment, removed": "CALL(31, SEGMENT, 0, 0)",
    "shared memory by name": "assert os.path.exists('/dev/shm/llmos-mark') and open('/dev/shm/llmos-mark').read()",
    "message queue": "CALL(240, b'llmos-queue', 0o102, 0o600, 0); assert os.path.exists('/dev/mqueue')",
    "keyring of the session": "CALL(250, 0, -3, 0)",
    "keyring, a key": "CALL(248, b'user', b'llmos', b'x', 1, -3)",
    "keyring, asked": "CALL(249, b'user', b'llmos', 0, -3)",
    "io_uring": "CALL(425, 4, (ctypes.c_byte * 120)())",
    "bpf": "CALL(321, 0, (ctypes.c_byte * 120)(), 120)",
    "performance counters": "CALL(298, (ctypes.c_byte * 120)(), 0, -1, -1, 0)",
    "faults by hand": "CALL(323, 0)",
    "files by handle": "CALL(304, -100, (ctypes.c_byte * 140)(8), 0)",
    "new user namespace": "CALL(272, 0x10000000)",
    "new user namespace, by clone": "pid = CALL(56, 0x10000000 | 17, 0, 0, 0, 0); os._exit(0) if pid == 0 else None",
    "new mount namespace": "CALL(272, 0x20000)",
    "mount": "CALL(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "mount, the new way": "CALL(430, b'tmpfs', 0)",
    "remount for writing": "CALL(165, 0, b'/', 0, 32 | 4096, 0)",
    "tree of another": "CALL(428, -100, b'/', 1)",
    "other root": "os.chroot('/tmp')",
    "device": "os.mknod('sda', 0o60600, os.makedev(8, 0)); open('sda', 'rb').read(1)",
    "device of memory": "open('/dev/mem', 'rb').read(1)",
    "device of the kernel's log": "open('/dev/kmsg', 'rb').read(1)",
    "device of disks": "open('/dev/sda', 'rb').read(1)",
    "device of the terminal": "open('/dev/tty', 'wb').write(b'x')",
    "typing for a person": "import fcntl; [fcntl.ioctl(n, 0x5412, b'x') for n in range(3)]",
    "the kernel's switches": "os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)",
    "the kernel's switches, any": "found = [os.path.join(d, n) for d, _, f in os.walk('/proc/sys') for n in f if OPENS(os.path.join(d, n))]; assert found",
    "the kernel's other files": "found = [os.path.join(d, n) for d, ds, f in os.walk('/proc') if ds.__setitem__(slice(None), [x for x in ds if not x.isdigit() and x not in ('self', 'thread-self')]) is None for n in f if OPENS(os.path.join(d, n))]; assert found",
    "the kernel's switches, by key": "os.open('/proc/sysrq-trigger', os.O_WRONLY)",
    "what the kernel tells": "assert os.listdir('/sys/class/net')",
    "core dumps": "assert resource.getrlimit(resource.RLIMIT_CORE)[1]",
    "powers back": "import ctypes as c; CALL(126, (c.c_uint32 * 2)(0x20080522, 0), (c.c_uint32 * 6)(*[2**32 - 1] * 6)); os.listdir('/root')",
    "powers by a program": "import subprocess; subprocess.run(['su', '-c', f'cat {SECRET}'], check=True, stdin=subprocess.DEVNULL)",
    "new powers": "assert 'NoNewPrivs:\\t0' in open('/proc/self/status').read()",
    "another user": "assert os.geteuid(); os.setuid(0); open(SECRET).read()",
    "fence off": "CALL(157, 22, 0, 0, 0); open(SECRET).read()",
    "a secret": "open(SECRET).read()",
    "a secret, by a link": "os.symlink(SECRET, 'link'); open('link').read()",
    "a secret, by a hard link": "os.link(SECRET, 'hard'); open('hard').read()",
    "a secret, by its folder": "d = os.open(os.path.dirname(SECRET), os.O_PATH); os.open('secret.txt', os.O_RDONLY, dir_fd=d)",
    "a secret, renamed": "os.rename(SECRET, 'here'); open('here').read()",
    "a secret, cut": "os.truncate(SECRET, 0)",
    "a secret, deleted": "os.unlink(SECRET)",
    "a secret, watched": "assert CALL(254, CALL(294, 0), SECRET.encode(), 0xfff) >= 0",
    "a secret, by a program made of memory": "fd = os.memfd_create('x', 0); os.write(fd, open('/bin/cat', 'rb').read()); import subprocess; subprocess.run([f'/proc/self/fd/{fd}', SECRET], pass_fds=[fd], check=True)",
    "open files that were left": "assert [n for n in range(3, 60) if n != write and FSTAT(n)]",
    "a door of the bus": "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/dbus/system_bus_socket')",
    "a door of a person's": "import socket; s = socket.socket(socket.AF_UNIX); s.connect(DOOR)",
    "a door without a name": "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0' + NAMELESS)",
    "a raw network": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "the kernel's network": "import socket; s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); s.bind((0, 0)); assert os.listdir('/sys/class/net') != ['lo']",
    "a virtual machine's host": "import socket; s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); s.settimeout(1); s.connect((2, 22))",
    "tcp": "import socket; socket.create_connection(('127.0.0.1', TCP), 1)",
    "tcp, fast": "import socket; s = socket.socket(); s.settimeout(1); assert s.sendto(b'x', 0x20000000, ('127.0.0.1', TCP))",
    "tcp, version 6": "import socket; s = socket.socket(socket.AF_INET6); s.settimeout(1); s.connect(('::ffff:127.0.0.1', TCP))",
    "names": "import socket; socket.gethostbyname('example.com')",
    "a file larger than disks": "f = open('sparse', 'wb'); f.truncate(10**13)",
    "a file larger than may be": "f = open('large', 'wb'); os.posix_fallocate(f.fileno(), 0, 10**11)",
}  # fmt: skip


@dataclass
class Outside:
    """Things outside that a sandbox must not get at."""

    process: subprocess.Popen[bytes]
    facts: dict[str, Any]
    secret: Path
    sockets: list[socket.socket] = field(default_factory=list)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    secret = tmp_path / "home" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text("sesame")
    os.utime(secret, (1_000_000_000, 1_000_000_000))
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(0, 4096, 0o1600)
    mark = Path("/dev/shm/llmos-mark")
    mark.write_text("sesame")
    door, nameless, tcp = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX), socket.socket()
    door.bind(str(secret.parent / "door"))
    nameless.bind(f"\0llmos-escape-{os.getpid()}")
    tcp.bind(("127.0.0.1", 0))
    for one in (door, nameless, tcp):
        one.listen()
    facts = {
        "OTHER": process.pid, "SECRET": str(secret), "MAPPED": 4096, "SEGMENT": segment, "DOOR": str(secret.parent / "door"),
        "NAMELESS": f"llmos-escape-{os.getpid()}", "TCP": tcp.getsockname()[1],
    }  # fmt: skip
    yield Outside(process, facts, secret, [door, nameless, tcp])
    for one in (door, nameless, tcp):
        one.close()
    libc.shmctl(segment, 0, 0)
    mark.unlink()
    process.kill()
    process.wait()


PROGRAM = """
import ctypes, json, os, resource, signal, sys
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
U64 = ctypes.c_ulong
buffer = ctypes.create_string_buffer(8)
KEEPER = os.getppid()
def CALL(*given):
    done = LIBC.syscall(*(ctypes.c_long(one) if isinstance(one, int) else one for one in given))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done
def FSTAT(n):
    try:
        return os.fstat(n)
    except OSError:
        return None
def OPENS(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
globals().update(json.loads(FACTS))
for name, code in json.loads(ATTEMPTS).items():
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read)
        signal.alarm(10)
        try:
            exec(code)
            said = 'OUT'
        except BaseException as error:
            said = f'{type(error).__name__}: {error}'
        os.write(write, said[:200].encode())
        os._exit(0)
    os.close(write)
    said = os.read(read, 300).decode() or 'killed'
    os.close(read)
    os.waitpid(pid, 0)
    print(json.dumps([name, said]), flush=True)
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of system calls are x86-64's")
@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
def test_no_way_out_is_one(fence: Fence, outside: Outside, tmp_path: Path) -> None:
    program = PROGRAM.replace("FACTS", repr(json.dumps(outside.facts))).replace(
        "ATTEMPTS", repr(json.dumps(ATTEMPTS)), 1
    )
    done = sandbox.run(program, fence=fence, limits=Limits(wall_s=100))
    said = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert set(said) == set(ATTEMPTS), (done, set(ATTEMPTS) - set(said))
    assert [name for name, what in said.items() if what == "OUT"] == []
    # One that says it was refused might have got at it all the same.
    assert outside.process.poll() is None and outside.secret.read_text() == "sesame"
    assert outside.secret.stat().st_mtime == 1_000_000_000 and Path("/dev/shm/llmos-mark").exists()
    for one in outside.sockets:
        one.settimeout(0.05)
        with pytest.raises(TimeoutError):
            one.accept()


@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
def test_marks_of_files_outside_stay(fence: Fence, outside: Outside) -> None:
    before = outside.secret.stat()
    for folder in (outside.secret.parent, outside.secret):
        sandbox.run(
            f"import os\nfor work in (lambda p: os.utime(p, (1, 1)), lambda p: os.chmod(p, 0o777), "
            f"lambda p: os.chown(p, 1, 1), lambda p: os.setxattr(p, 'user.x', b'x')):\n"
            f"    try: work({str(folder)!r})\n    except OSError: pass",
            fence=fence, place=Place(read=(outside.secret.parent,)),
        )  # fmt: skip
    after = outside.secret.stat()
    assert (before.st_mode, before.st_uid, before.st_mtime) == (after.st_mode, after.st_uid, after.st_mtime)
    assert os.listxattr(outside.secret) == []


@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
def test_a_door_in_a_folder_that_may_be_written_is_shut(fence: Fence, outside: Outside) -> None:
    place = Place(write=(outside.secret.parent,))
    done = sandbox.run(
        f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({outside.facts['DOOR']!r})\ns.send(b'out')",
        fence=fence, place=place,
    )  # fmt: skip
    assert done.exit_code == 1 and "PermissionError" in done.stderr


@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
def test_nothing_is_inherited(fence: Fence, tmp_path: Path) -> None:
    secret = os.open(tmp_path / "open.txt", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(secret, True)
    code = """
import os
there = []
for n in range(300):
    try: os.fstat(n); there.append(n)
    except OSError: pass
print(there)
"""
    try:
        assert sandbox.run(code, fence=fence).stdout == "[0, 1, 2]\n"
    finally:
        os.close(secret)


# -- limits


@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
@pytest.mark.parametrize(("code", "endings"), [
    ("n = 0\nwhile True:\n    open(f'f{n}', 'w').close(); n += 1", {"files", "error"}),
    ("n = 0\nwhile True:\n    open(f'f{n}', 'wb').write(bytes(9_000_000)); n += 1", {"files", "error"}),
    ("import os\nwhile True:\n    os.mkdir('d'); os.chdir('d')", {"files", "error"}),
    ("import os\nos.mkdir('closed', 0)\nos.mkdir('c'); os.chdir('c')\nfor n in range(1200):\n    os.mkdir('d'); os.chdir('d')", {"files", "ok", "error"}),
    ("import signal, time\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ntime.sleep(60)", {"time"}),
    ("import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nwhile True:\n    if not os.fork():\n        t = time.process_time()\n        while time.process_time() - t < 0.2: pass\n        os._exit(0)\n    time.sleep(0.15)", {"cpu"}),
    ("import os, time\nwhile True:\n    if not os.fork():\n        t = time.process_time()\n        while time.process_time() - t < 0.004: pass\n        os._exit(0)\n    os.wait()", {"cpu"}),
])  # fmt: skip
def test_limits_are_not_got_around(
    fence: Fence, code: str, endings: set[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    begun = time.monotonic()
    done = sandbox.run(
        code, fence=fence, limits=Limits(wall_s=1 if endings == {"time"} else 40, cpu_s=0.3 if endings == {"cpu"} else 30,
        scratch_mb=40, files=3000),
    )  # fmt: skip
    assert done.ending in endings and time.monotonic() - begun < 60, done
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
def test_a_gigabyte_of_output_ends_it_and_costs_no_memory(fence: Fence) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = sandbox.run("import os\nx = b'x' * 2**20\nfor _ in range(1000): os.write(1, x)", fence=fence)
    assert (done.ending, len(done.stdout)) == ("output", 1_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
def test_a_daemon_that_forks_twice_and_hides_is_ended(fence: Fence) -> None:
    code = """
        import ctypes, os, signal, time
        for _ in range(2):
            if os.fork(): os._exit(0) if _ else time.sleep(0.3) or os._exit(0)
            os.setsid()
        libc = ctypes.CDLL(None)
        libc.prctl(1, 0)  # no signal when the parent ends
        libc.prctl(15, b"kworker")
        os.execv("/bin/sleep", ["[kworker/0:1]", "54328"])
    """
    sandbox.run(textwrap.dedent(code), fence=fence)
    assert gone("54328")
