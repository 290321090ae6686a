"""The system's own bound on the tasks of a sandbox, which holds where nobody gets to look."""

from __future__ import annotations

import contextlib
import os
import pickle
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmos_nb.guard import sandbox
from llmos_nb.guard.sandbox import Limits, Sandbox, fences, tasks
from llmos_nb.guard.sandbox.seccomp import supported
from llmos_nb.guard.sandbox.tasks import Bound, Counted, Group, Namespace, bound
from llmos_nb.guard.sandbox.watch import descendants
from llmos_nb.learning.rerun import Apart

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these bounds are Linux'")

#: Binds itself as it is told; then every process begins another, in a session of its own, as often as it may.
BOMB = """
import os, pickle, sys, time
told = pickle.load(sys.stdin.buffer)
if told:
    from llmos_nb.guard.sandbox.counted import bind
    bind(told)
try:
    for _ in range(8):
        if not os.fork():
            os.setsid()
except OSError:
    pass
time.sleep(60)
"""
COUNTS = supported() and tuple(map(int, platform.release().split(".")[:2])) >= (5, 5)
WORKING = [fence for fence in fences() if not fence.problem]


def _group() -> Group:
    parent = tasks._parent()
    if parent is None:
        pytest.skip("no control group can be made here: that takes root, and a file system of groups to write to")
    return Group(parent, 20)


def _counted() -> Bound:
    if not COUNTS:
        pytest.skip("this kernel lets nobody else answer a system call")
    return Counted(20)


@contextlib.contextmanager
def bomb(limit: Bound) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", BOMB], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=limit.inherits
    ) as one:
        yield one
        for process in descendants(one.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, 9)
    limit.end()


@pytest.fixture(params=[_group, _counted], ids=["group", "counted"])
def twenty(request: pytest.FixtureRequest) -> Bound:
    make: Callable[[], Bound] = request.param
    return make()


def go(one: subprocess.Popen[bytes], limit: Bound) -> None:
    limit.around(one.pid)
    assert one.stdin is not None
    one.stdin.write(pickle.dumps(dict(limit.told)))
    one.stdin.close()


def test_no_more_than_that_many_begin(twenty: Bound) -> None:
    assert not twenty.was_full
    with bomb(twenty) as one:
        go(one, twenty)
        deadline, most = time.monotonic() + 20, 0
        while not twenty.was_full and time.monotonic() < deadline:
            most = max(most, len(descendants(one.pid)))
            time.sleep(0.01)
        time.sleep(0.1)
        assert twenty.was_full and 10 < max(most, len(descendants(one.pid))) <= 20  # 256 without


def test_a_group_ends_all_that_is_in_it() -> None:
    group = _group()
    with bomb(group) as one:
        go(one, group)
        group.end()
        assert not group.folder.exists() and one.wait(10) < 0


def test_what_is_shut_lets_nothing_begin(twenty: Bound) -> None:
    code = (
        "import pickle, sys; told = pickle.load(sys.stdin.buffer)\n"
        "if told:\n from llmos_nb.guard.sandbox.counted import bind; bind(told)\n"
        "import os, time; print(flush=True); time.sleep(1)\n"
        "try: os.fork()\nexcept OSError as error: print(type(error).__name__)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=twenty.inherits
    ) as one:
        go(one, twenty)
        assert one.stdout is not None and one.stdout.readline() == b"\n"
        twenty.shut()
        assert one.stdout.read() in (b"BlockingIOError\n", b"OSError\n")
    twenty.end()


@pytest.mark.skipif(not COUNTS, reason="this kernel lets nobody else answer a system call")
def test_who_ends_makes_room_for_others() -> None:
    code = (
        "import pickle, subprocess, sys; told = pickle.load(sys.stdin.buffer)\n"
        "from llmos_nb.guard.sandbox.counted import bind; bind(told)\n"
        "for _ in range(30): subprocess.run(['true'], check=True)\n"
        "import threading\n"
        "for _ in range(30):\n one = threading.Thread(target=print); one.start(); one.join()"
    )
    counted = Counted(4)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=counted.inherits) as one:
        go(one, counted)
        assert one.wait(60) == 0 and not counted.was_full
    counted.end()


@pytest.mark.skipif(not COUNTS, reason="this kernel lets nobody else answer a system call")
@pytest.mark.parametrize("fence", WORKING, ids=lambda fence: fence.name)
def test_sandboxes_are_bounded_without_groups(fence: sandbox.Fence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_parent", lambda: None)
    # Nobody looks: what ends it is the first fork that is refused.
    monkeypatch.setattr("llmos_nb.guard.sandbox.watch.descendants", lambda of: [of])
    code = "import os, time\nfor _ in range(8):\n    os.fork()\ntime.sleep(60)"
    done = sandbox.run(code, fence=fence, limits=Limits(processes=5, wall_s=20))
    assert done.ending == "processes" or (os.getuid() and "BlockingIOError" in done.stderr), done
    assert sandbox.run("import subprocess; subprocess.run(['echo', 'a'])", fence=fence).stdout == "a\n"
    with Sandbox(fence=fence, warm=1, limits=Limits(processes=5, wall_s=20)) as warm:
        assert warm.wait_warm()
        assert warm.run("import os\nprint(os.waitpid(os.fork() or os._exit(0), 0)[1])").stdout == "0\n"
        assert warm.wait_warm()
        assert warm.run(code).ending == "processes" or os.getuid()


@pytest.mark.skipif(not COUNTS, reason="this kernel lets nobody else answer a system call")
@pytest.mark.parametrize("grouped", [True, False])
def test_steps_that_are_made_again_are_bounded_as_a_sandbox_is(
    grouped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not grouped:
        monkeypatch.setattr(tasks, "_parent", lambda: None)
    monkeypatch.setattr("llmos_nb.guard.sandbox.watch.descendants", lambda of: [of])
    code = "import threading, time\nfor _ in range(400):\n    threading.Thread(target=time.sleep, args=(60,)).start()"
    with Apart(tmp_path, time_limit_s=60) as apart:
        outcome = apart.run([("run_cell", {"code": code})])
    assert "processes" in outcome.problem or "can't start new thread" in outcome.error


def test_who_can_make_no_group_and_has_no_namespace_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_parent", lambda: None)
    monkeypatch.setattr("os.getuid", lambda: 1000)
    monkeypatch.setattr(tasks, "_linux", lambda: (5, 14))
    assert isinstance(bound(20, apart=True), Namespace) and bound(20, apart=True).told["most"] == 20
    if supported():
        here = bound(20, apart=False)
        assert isinstance(here, Counted)
        here.end()
    monkeypatch.setattr(tasks, "_tasks_of_user", lambda: 300)
    monkeypatch.setattr(tasks, "_linux", lambda: (4, 18))
    assert bound(20, apart=True).told["most"] == 320  # counted together with all else of the user's
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert bound(20, apart=True).told == {}
