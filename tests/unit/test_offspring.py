"""Processes whose parent is gone are found again by their marks, and nobody else's is touched."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from llmos_nb.kernel import ledger
from llmos_nb.kernel.offspring import CLIENT, KERNEL, end_offspring, end_orphans, kernel_mark

#: Leaves a child in a session of its own, says its number, and does what it is told.
LEAVES = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60 if sys.argv[1] == 'stay' else 0)\n"
)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc")


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine of one's own: another kernel that begins meanwhile ends what is left on its machine."""
    name = f"{ledger._host()}/{uuid.uuid4().hex}"
    monkeypatch.setattr(ledger, "_host", lambda: name)
    return name


@pytest.fixture
def leave() -> Iterator[Callable[..., int]]:
    """Makes a process whose parent is gone, or stays, with marks in its environment; returns its number."""
    made: list[int] = []

    def make(what: str = "go", **marks: str) -> int:
        parent = subprocess.Popen(
            [sys.executable, "-c", LEAVES, what], env={**os.environ, **marks}, stdout=subprocess.PIPE, text=True
        )
        assert parent.stdout is not None
        made.append(int(parent.stdout.readline()))
        if what == "go":
            parent.wait()
        else:
            made.append(parent.pid)
        return made[0]

    yield make
    for pid in made:
        if alive(pid):
            os.kill(pid, 9)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def test_what_a_client_started_ends_with_it(leave: Callable[..., int]) -> None:
    pid = leave(**{CLIENT: "one"})
    assert end_offspring("another") == 0 and alive(pid)
    assert end_offspring("one") == 1 and gone(pid)


def test_what_a_kernel_left_that_is_gone_ends(leave: Callable[..., int], machine: str) -> None:
    over = subprocess.Popen(
        [sys.executable, "-c", "from llmos_nb.kernel.offspring import kernel_mark; print(kernel_mark())"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    number, started, _ = over.communicate()[0].strip().split(" ", 2)
    pid = leave(**{KERNEL: f"{number} {started} {machine}"})
    assert end_orphans() == 1 and gone(pid)


def test_what_belongs_to_a_kernel_that_lives_is_left_alone(leave: Callable[..., int]) -> None:
    pid = leave(**{KERNEL: kernel_mark()})
    end_orphans()
    assert alive(pid)


@pytest.mark.parametrize("mark", ["", "nonsense", "1", "999999999", "999999999 5 another-machine"])
def test_marks_that_say_nothing_are_passed_over(leave: Callable[..., int], mark: str) -> None:
    pid = leave(**{KERNEL: mark})
    end_orphans()
    assert alive(pid)


def test_what_this_process_lives_in_is_left_alone(
    leave: Callable[..., int], machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = f"999999999 {kernel_mark().split(' ')[1]} {machine}"
    pid = leave(**{KERNEL: mark})
    monkeypatch.setenv(KERNEL, mark)
    end_orphans()
    assert alive(pid)
