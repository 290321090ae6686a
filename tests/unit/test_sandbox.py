"""The sandbox from inside: what code that means harm can reach, use up or leave behind, for each fence that works."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.errors import SandboxUnavailable, SettingsError
from llmos_nb.guard import sandbox
from llmos_nb.guard.sandbox import Fence, Limits, Place, Sandbox, fences, find_fence

WORKING = [fence for fence in fences() if not fence.problem]
pytestmark = pytest.mark.skipif(not WORKING, reason="no sandbox works on this machine")


@pytest.fixture(params=WORKING, ids=lambda fence: fence.name)
def fence(request: pytest.FixtureRequest) -> Fence:
    return request.param


def inside(code: str, fence: Fence, **given: Any) -> str:
    """What well-meaning code prints."""
    done = sandbox.run(textwrap.dedent(code), fence=fence, **given)
    assert done.ok, done
    return done.stdout


def attempt(code: str, fence: Fence, **given: Any) -> str:
    """What comes of ``code``, which tries to get at something: what it got, or why it did not."""
    body = textwrap.indent(textwrap.dedent(code).strip(), "    ")
    done = sandbox.run(
        f"try:\n{body}\n    print('GOT IT')\nexcept BaseException as error:\n    print('kept in:', type(error).__name__)",
        fence=fence, **given,
    )  # fmt: skip
    return done.stdout or done.why


def running(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in (line := path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")):
                found.append(line)
        except OSError:
            continue
    return found


def gone(mark: str) -> bool:
    deadline = time.monotonic() + 5
    while running(mark) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not running(mark)


# -- what it is for


def test_code_and_commands_run_and_tell_how_they_ended(fence: Fence) -> None:
    assert inside("import numpy\nprint(numpy.arange(3).sum())", fence) == "3\n"
    failed = sandbox.run("import sys\nprint('a')\n1 / 0", fence=fence)
    assert (failed.ending, failed.exit_code, failed.stdout) == ("error", 1, "a\n")
    assert (
        failed.stderr.startswith("Traceback")
        and '"<sandbox>", line 3' in failed.stderr
        and "child" not in failed.stderr
    )
    assert sandbox.run("import sys; sys.exit(7)", fence=fence).exit_code == 7
    command = sandbox.run("echo out; echo err >&2; exit 3", kind="command", fence=fence)
    assert (command.exit_code, command.stdout, command.stderr, command.fence) == (3, "out\n", "err\n", fence.name)
    assert sandbox.run("kill -9 $$", kind="command", fence=fence).why == "it was ended by SIGKILL"


def test_threads_processes_and_endings_are_pythons_own(fence: Fence) -> None:
    code = """
        import atexit, multiprocessing, threading, time
        atexit.register(lambda: print("at exit"))
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(abs, [-1, -2]))
    """
    if fence.name == "bubblewrap":
        lines = inside(code, fence).splitlines()
        assert sorted(lines) == ["[1, 2]", "at exit", "thread"] and lines[-1] == "at exit"


def test_output_comes_as_it_is_printed(fence: Fence) -> None:
    heard: list[tuple[float, str, str]] = []
    code = "import sys, time\nprint('ä' * 3, flush=True)\ntime.sleep(0.5)\nprint('b', file=sys.stderr)"
    done = sandbox.run(code, fence=fence, on_output=lambda name, text: heard.append((time.monotonic(), name, text)))
    assert [(name, text) for _, name, text in heard] == [("stdout", "äää\n"), ("stderr", "b\n")] and done.ok
    assert heard[1][0] - heard[0][0] > 0.3


def test_folders_in_sight(fence: Fence, tmp_path: Path) -> None:
    for name in ("in", "out", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.txt").write_text(name)
    place = Place(read=(tmp_path / "in",), write=(tmp_path / "out",), cwd=tmp_path / "out")
    assert inside(f"print(open({str(tmp_path / 'in' / 'file.txt')!r}).read())", fence, place=place) == "in\n"
    inside("import shutil; open('new.txt', 'w').write('x'); shutil.copy('new.txt', 'copy.txt')", fence, place=place)
    assert (tmp_path / "out" / "copy.txt").read_text() == "x"
    for path, mode in (("in/file.txt", "w"), ("in/new.txt", "w"), ("other/file.txt", "r"), ("new.txt", "w")):
        assert "kept in" in attempt(f"open({str(tmp_path / path)!r}, {mode!r}).read()", fence, place=place)
    assert (tmp_path / "in" / "file.txt").read_text() == "in"
    # By a link, and by a hard link, from where it may write.
    (tmp_path / "out" / "link").symlink_to(tmp_path / "other" / "file.txt")
    assert "kept in" in attempt("open('link').read()", fence, place=place)
    assert "kept in" in attempt("open('link', 'w').write('x')", fence, place=place)
    (tmp_path / "out" / "up").symlink_to("..")
    assert "kept in" in attempt("open('up/other/file.txt', 'w').write('x')", fence, place=place)
    assert "kept in" in attempt(f"import os; os.link({str(tmp_path / 'in/file.txt')!r}, 'hard')", fence, place=place)
    assert (tmp_path / "other" / "file.txt").read_text() == "other"


def test_bad_limits_and_paths_are_told(fence: Fence, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="memory_mb"):
        Limits(memory_mb=0)
    with pytest.raises(SettingsError, match="wall_s"):
        Limits(wall_s=float("nan"))
    with pytest.raises(SettingsError, match="cannot show"):
        sandbox.run("1", fence=fence, place=Place(read=(tmp_path / "none",)))
    with pytest.raises(SettingsError, match="nothing of it is in sight"):
        sandbox.run("1", fence=fence, place=Place(cwd=tmp_path))


def test_without_a_fence_nothing_runs() -> None:
    class Broken:
        name, problem = "broken", "it is broken"

        def launch(self, place: Place, limits: Limits, scratch: Path) -> Any:
            raise AssertionError

    with pytest.raises(SandboxUnavailable, match=r"it is broken.*Nothing was run"):
        find_fence([Broken()])


# -- what it keeps in

SECRETS = ["/etc/shadow", "/etc/passwd", "/root/.ssh", "/proc/1/environ", "/var", "/run", "/sys/kernel", "/boot"]


@pytest.mark.parametrize("path", SECRETS)
def test_files_of_the_system_and_of_people_are_not_in_sight(fence: Fence, path: str) -> None:
    said = attempt(
        f"import os\nprint(os.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}, 'rb').read())", fence
    )
    if path == "/proc/1/environ" and fence.name == "bubblewrap":  # it is the sandbox's own first process
        assert "LLMOS" not in said
    else:
        assert "kept in" in said


def test_the_home_the_environment_and_other_processes_are_not_in_sight(fence: Fence, monkeypatch: Any) -> None:
    Path.home().mkdir(exist_ok=True)
    (Path.home() / "secret.txt").write_text("sesame")
    monkeypatch.setenv("SOME_API_KEY", "sesame")
    assert "kept in" in attempt(f"print(open({str(Path.home() / 'secret.txt')!r}).read())", fence)
    assert "sesame" not in sandbox.run("env; cat /proc/*/environ", kind="command", fence=fence).stdout
    assert "sesame" not in attempt(f"print(open('/proc/{os.getpid()}/environ').read())", fence)


@pytest.mark.parametrize("path", [sys.prefix, sys.base_prefix, "/usr/lib", "/etc", "/", "/dev"])
def test_the_system_is_read_only(fence: Fence, path: str) -> None:
    assert "kept in" in attempt(f"open({path + '/llmos-was-here'!r}, 'w').write('x')", fence)
    assert not Path(path, "llmos-was-here").exists()


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[dict[str, Any]]:
    made = {
        "tcp": socket.socket(socket.AF_INET, socket.SOCK_STREAM), "udp": socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "path": socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "abstract": socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    }  # fmt: skip
    path, abstract = str(tmp_path / "socket"), f"\0llmos-{os.getpid()}"
    for name, address in (
        ("tcp", ("127.0.0.1", 0)),
        ("udp", ("127.0.0.1", 0)),
        ("path", path),
        ("abstract", abstract),
    ):
        made[name].bind(address)
        if name != "udp":
            made[name].listen()
    yield {name: one.getsockname() for name, one in made.items()} | {"sockets": made}
    for one in made.values():
        one.close()


@pytest.mark.parametrize(("kind", "family", "type"), [
    ("tcp", "AF_INET", "SOCK_STREAM"), ("udp", "AF_INET", "SOCK_DGRAM"), ("path", "AF_UNIX", "SOCK_STREAM"),
    ("abstract", "AF_UNIX", "SOCK_STREAM"),
])  # fmt: skip
def test_no_network_and_no_socket_of_others(
    fence: Fence, listening: dict[str, Any], tmp_path: Path, kind: str, family: str, type: str
) -> None:
    address = listening[kind]
    address = address.decode("latin-1") if isinstance(address, bytes) else address
    code = f"""
    import socket
    s = socket.socket(socket.{family}, socket.{type})
    s.settimeout(2)
    s.connect({address!r})
    s.send(b"out")
    """
    # Even where the socket's folder is in sight.
    attempt(code, fence, place=Place(read=(tmp_path,)))
    one = listening["sockets"][kind]
    one.settimeout(0.2)
    with pytest.raises(TimeoutError):
        one.recvfrom(10) if kind == "udp" else one.accept()[0].settimeout(0.2) or one.accept()[0].recv(10)


def test_others_are_neither_signalled_nor_traced(fence: Fence) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        assert "kept in" in attempt(f"import os; os.kill({other.pid}, 9)", fence)
        trace = f"import ctypes\nif ctypes.CDLL(None).ptrace(16, {other.pid}, 0, 0): raise OSError"
        assert "kept in" in attempt(trace, fence)
        assert "kept in" in attempt(f"open('/proc/{other.pid}/mem', 'rb')", fence)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("command", [
    "mount -t tmpfs none /tmp", "unshare -U id", "unshare -m id", "chroot / id", "mknod /tmp/sda b 8 0", "umount /proc",
    "nsenter -t 1 -a id", "date -s 2020-01-01", "hostname other", "su -c id", "dmesg",
])  # fmt: skip
def test_powers_of_the_system_are_not_given(fence: Fence, command: str) -> None:
    done = sandbox.run(f"PATH=$PATH:/sbin:/usr/sbin; {command}", kind="command", fence=fence)
    assert not done.ok, done


# -- what it bounds


def test_a_fork_bomb_ends(fence: Fence) -> None:
    done = sandbox.run("import os\nwhile True:\n    os.fork()", fence=fence, limits=Limits(processes=30, wall_s=20))
    assert done.ending == "processes" and "30 processes" in done.why


def test_a_fork_bomb_of_a_shell_that_leaves_its_session_ends(fence: Fence) -> None:
    done = sandbox.run(
        "f() { setsid bash -c 'sleep 54321' & f; }; f", kind="command", fence=fence, limits=Limits(wall_s=20)
    )
    assert done.ending == "processes" and gone("sleep 54321")


@pytest.mark.parametrize("code", ["x = bytearray(10**10)", "x = []\nwhile True: x.append(bytearray(10**7))"])
def test_a_memory_bomb_ends(fence: Fence, code: str) -> None:
    done = sandbox.run(code, fence=fence, limits=Limits(memory_mb=200, wall_s=20))
    assert done.ending == "memory" and "200 MB" in done.why and done.peak_mb < 400


def test_a_kind_that_there_is_not_is_told() -> None:
    with pytest.raises(ValueError, match="kind must be python or command, got 'cmd'"):
        sandbox.run("x", kind="cmd")  # type: ignore[arg-type]


def test_memory_is_that_of_all_processes_together(fence: Fence) -> None:
    code = """
        import os, time
        for _ in range(8):
            if not os.fork():
                x = bytearray(b'x' * 60_000_000)
                time.sleep(30)
        time.sleep(30)
    """
    done = sandbox.run(textwrap.dedent(code), fence=fence, limits=Limits(memory_mb=200, wall_s=25))
    assert done.ending == "memory" and "200 MB" in done.why


def test_what_takes_too_long_ends(fence: Fence) -> None:
    done = sandbox.run("import time\ntime.sleep(60)", fence=fence, limits=Limits(wall_s=0.5))
    assert done.ending == "time" and done.took_s < 5
    done = sandbox.run("while True: pass", fence=fence, limits=Limits(cpu_s=1, wall_s=30))
    assert done.ending == "cpu", done


def test_what_prints_too_much_ends(fence: Fence) -> None:
    done = sandbox.run("yes | head -c 1000000000", kind="command", fence=fence, limits=Limits(output_bytes=10_000))
    assert done.ending == "output" and len(done.stdout) == 10_000 and done.took_s < 10


def test_the_scratch_folder_is_bounded_and_its_own(fence: Fence) -> None:
    code = "open('x', 'wb').write(bytes(50_000_000))"
    assert "kept in: OSError" in attempt(code, fence, limits=Limits(scratch_mb=10))
    assert inside("import os; print(os.listdir())", fence) == "[]\n"


def test_stopping_ends_it(fence: Fence) -> None:
    begun = time.monotonic()
    done = sandbox.run("sleep 54322", kind="command", fence=fence, stopped=lambda: time.monotonic() - begun > 0.5)
    assert done.ending == "stopped" and time.monotonic() - begun < 5 and gone("sleep 54322")


def test_nothing_is_left_when_the_code_ends_or_whoever_asked_is_killed(fence: Fence) -> None:
    left = "import subprocess\nsubprocess.Popen(['setsid', 'sleep', '54323'], start_new_session=True)\nprint('done')"
    assert inside(left, fence) == "done\n" and gone("sleep 54323")
    program = (
        "from llmos_nb.guard import sandbox\n"
        f"fence = next(f for f in sandbox.fences() if f.name == {fence.name!r})\n"
        "sandbox.run('setsid sleep 54324 & sleep 54324', kind='command', fence=fence)"
    )
    asking = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
    deadline = time.monotonic() + 30
    while len([line for line in running("sleep 54324") if line.startswith("sleep")]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    asking.send_signal(signal.SIGKILL)
    asking.wait()
    assert gone("sleep 54324")


# -- warm


def test_warm_runs_know_nothing_of_each_other(fence: Fence) -> None:
    with Sandbox(fence=fence, warm=2) as warm:
        assert warm.wait_warm()
        assert warm.run("import numpy; numpy.mark = 1; open('left.txt', 'w').write('x')").ok
        second = warm.run("import numpy, os; print(hasattr(numpy, 'mark'), os.listdir())")
        assert second.stdout == "False []\n"
        results: list[str] = []
        threads = [
            threading.Thread(target=lambda n=n: results.append(warm.run(f"print({n})").stdout.strip()))
            for n in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == list("012345")
    assert gone("<sandbox>")


def test_a_warm_interpreter_that_died_is_passed_over(fence: Fence) -> None:
    with Sandbox(fence=fence, warm=1) as warm:
        assert warm.wait_warm()
        waiting = warm._waiting[0]._started.process.pid
        os.kill(waiting, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while warm._waiting and warm._waiting[0].alive and time.monotonic() < deadline:
            time.sleep(0.01)
        assert warm.run("print(1)").stdout == "1\n"
