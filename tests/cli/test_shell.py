"""``llmos-nb shell`` in a real terminal: goals, Python, Ctrl-C, questions; and through a pipe."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rig import one_step

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals for pexpect", allow_module_level=True)
import pexpect

ROOT = Path(__file__).parents[2]
COUNT = "How many rows does penguins.csv have?"
SECONDS = 60
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


@pytest.fixture
def place(playground: Path) -> Path:
    scripts = playground / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "wait.md").write_text(one_step("Wait a while", "run_cell", "import asyncio\nawait asyncio.sleep(300)"))
    (scripts / "block.md").write_text(one_step("Block a while", "run_cell", "import time\ntime.sleep(300)"))
    return playground


class Terminal:
    """The shell in a pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        surroundings = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        self.child = pexpect.spawn(
            sys.executable, ["-m", "llmos_nb", "shell"], cwd=str(folder), env=surroundings, encoding="utf-8",
            timeout=SECONDS, dimensions=(50, 160),
        )  # fmt: skip
        self.seen = ""

    def until(self, what: str) -> str:
        """Everything up to ``what``, without escape sequences."""
        found = ""
        deadline = time.monotonic() + SECONDS
        while not re.search(what, found):
            assert time.monotonic() < deadline, f"no {what!r} in:\n{found}"
            with contextlib.suppress(pexpect.TIMEOUT):
                found = _ANSI.sub("", self.seen + self.child.read_nonblocking(65536, timeout=1))
                self.seen = found
        self.seen = found[re.search(what, found).end() :]  # type: ignore[union-attr]
        return found

    def type(self, line: str) -> None:
        self.seen = ""
        self.child.send(f"{line}\r")

    def close(self) -> None:
        self.child.close(force=True)


@pytest.fixture
def terminal(place: Path) -> Iterator[Any]:
    found = Terminal(place)
    yield found
    found.close()


def test_goals_python_and_magics_at_one_prompt(terminal: Terminal) -> None:
    said = terminal.until(r"llmos> ")
    assert "play money" in said and "Ctrl-C stops a goal" in said
    terminal.type(COUNT)
    said = terminal.until(r"in the variable `?data`?\.")
    assert "● learner" in said and "✓ run_cell" in said and "I load the file and count." in said
    assert "llmos · learned" in said and "344 rows" in said
    terminal.until(r"llmos> ")
    terminal.type("len(data)")
    terminal.until(r"\n344\b")
    terminal.type("--mode follower " + COUNT)
    terminal.until(r"replayed, verified")
    terminal.until(r"llmos> ")
    terminal.type("--mode folower " + COUNT)
    said = terminal.until(r"llmos> $")
    assert "Did you mean 'follower'?" in said and "Traceback" not in said
    terminal.type("%goals off")
    terminal.until(r"In \[\d+\]: ")
    terminal.type("%goals on")
    terminal.until(r"llmos> ")
    terminal.child.send("\x1b[A\x1b[A")  # the line before the last one
    terminal.until(r"%goals off")
    terminal.child.send("\x03")  # takes the line away, and nothing else
    terminal.until(r"llmos> ")
    terminal.type("exit")
    terminal.child.expect(pexpect.EOF)
    terminal.child.wait()
    assert terminal.child.exitstatus == 0


@pytest.mark.parametrize("goal", ["Wait a while", "Block a while"])
def test_ctrl_c_stops_the_goal_and_the_shell_goes_on(goal: str, terminal: Terminal) -> None:
    terminal.until(r"llmos> ")
    terminal.type(goal)
    terminal.until(r"I do it\.")
    time.sleep(0.5)  # the cell is at work
    pressed = time.monotonic()
    terminal.child.send("\x03")
    said = terminal.until(r"llmos> $")
    assert "stopped" in said and time.monotonic() - pressed < 10
    assert "Traceback" not in said
    terminal.type("print(40 + 2, llmos.running)")
    terminal.until(r"42 \{\}")
    terminal.type(COUNT)
    terminal.until(r"344 rows")


def test_a_question_is_asked_and_answered_in_the_terminal(terminal: Terminal) -> None:
    terminal.until(r"llmos> ")
    terminal.type("llmos.configure(agent_changes='ask');")
    terminal.until(r"llmos> ")
    for answer, told in (("perhaps", "Approve it"), ("n", "not approved")):
        if answer == "perhaps":
            terminal.type("Create a haiku-poet agent that writes beautiful haikus")
            said = terminal.until(r"Approve it\? \[y/n\] ")
            assert "asks for create_agent" in said and "name: haiku-poet" in said
        terminal.type(answer)
        terminal.until(told)
    terminal.until(r"llmos> $")
    terminal.type("Create a haiku-poet agent that writes beautiful haikus")
    terminal.until(r"Approve it\? \[y/n\] ")
    terminal.type("y")
    terminal.until(r"llmos> $")
    terminal.type("print([a.name for a in llmos.agents.list()])")
    terminal.until(r"haiku-poet")


def piped(place: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "llmos_nb", "shell", *options], input=text, cwd=place, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120,
    )  # fmt: skip


def test_through_a_pipe_answers_go_out_and_the_first_failure_ends_it(place: Path) -> None:
    text = (
        f"{COUNT}\n\nfor i in range(2):\n    print('row', i)\n\nfound = %llmos {COUNT}\nprint(found.mode)\n%budget\n"
    )
    done = piped(place, text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rows: 344") and "row 0\nrow 1\n" in done.stdout and "follower" in done.stdout
    assert "saved by replays" in done.stdout and "\x1b" not in done.stdout
    assert "● learner" in done.stderr and "✓ run_cell" in done.stderr
    failed = piped(place, "print(1)\nFrobnicate the whatsit\nprint(2)\n")
    assert failed.returncode == 1 and failed.stdout.startswith("1\n") and "\n2\n" not in failed.stdout
    asked = piped(
        place, "llmos.configure(agent_changes='ask');\nCreate a haiku-poet agent that writes beautiful haikus\n"
    )
    assert asked.returncode == 1 and "nobody was there to approve it" in asked.stdout


def test_a_workspace_that_cannot_be_used_is_told(place: Path) -> None:
    (place / "file").write_text("x")
    done = piped(place, "print(1)\n", "--workspace", "file")
    assert done.returncode == 1 and "cannot be used" in done.stderr and "Traceback" not in done.stderr
