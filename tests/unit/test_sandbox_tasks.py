"""The system's own bound on the tasks of a sandbox, which holds where nobody gets to look."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from llmos_nb.guard.sandbox.tasks import Tasks
from llmos_nb.guard.sandbox.watch import descendants

#: Waits for a word; then every process begins another, in a session of its own, as often as it may.
BOMB = (
    "import os\ninput()\nfor _ in range(8):\n    if not os.fork():\n        os.setsid()\nimport time\ntime.sleep(60)"
)


@pytest.fixture
def bomb() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", BOMB], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as one:
        yield one
        one.kill()


def test_no_more_than_that_many_begin_and_all_are_ended(bomb: subprocess.Popen[str]) -> None:
    tasks = Tasks.around(bomb.pid, 20)
    if tasks is None:
        pytest.skip("no control group can be made here: that takes root, and a file system of groups to write to")
    assert not tasks.was_full
    assert bomb.stdin is not None
    bomb.stdin.write("go\n")
    bomb.stdin.flush()
    deadline = time.monotonic() + 20
    most = 0
    while not tasks.was_full and time.monotonic() < deadline:
        most = max(most, len(descendants(bomb.pid)))
        time.sleep(0.01)
    assert tasks.was_full and most <= 20  # 256 without
    group = tasks.folder
    tasks.end()
    assert not group.exists() and bomb.wait(10) < 0


def test_who_is_no_root_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.guard.sandbox import tasks

    tasks._parent.cache_clear()
    try:
        monkeypatch.setattr("os.getuid", lambda: 1000)
        assert Tasks.around(1, 20) is None
    finally:
        tasks._parent.cache_clear()
