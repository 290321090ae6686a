"""The system from a terminal: a known goal, errors with remedies, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmos_nb import LLMOS
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.terminal import main

GOAL = "Write a note"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    step = Step("write_file", {"path": "note.txt", "content": "hello"}, Expectation(files=("note.txt",)))
    with LLMOS("workspace") as system:
        system.traces.add(Trace(goal=GOAL, steps=[step], answer="It is written.", agent="generalist"))
    return tmp_path


def test_a_known_goal_is_done_and_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", GOAL, "--mode", "follower"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("llmos · replayed, new outputs · free · 1 step")
    assert "[follower] asked for; same goal" in captured.err and "write_file: ok" in captured.err
    assert (place / "note.txt").read_text() == "hello"


def test_a_workspace_can_be_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", "elsewhere", "run", GOAL, "--mode", "follower"]) == 1
    assert "No trace can be replayed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "  "], "-> Say in words"),
        (["run", GOAL, "--mode", "folower"], "Did you mean 'follower'?"),
        (["run", GOAL, "--agent", "generalst"], "generalist"),
        (["run", GOAL, "--budget", "-1"], "US dollars"),
        (["demo", "nothing.ipynb"], "no such notebook"),
        (["--workspace", "workspace/memory/traces/none\0", "run", GOAL], "workspace"),
    ],
)
def test_mistakes_are_told_with_a_remedy_and_exit_code_1(
    arguments: list[str], words: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert words in captured.err and "Traceback" not in captured.err
    assert not (place / "note.txt").exists()


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["run"], ["run", GOAL, "--budget", "much"]])
def test_wrong_usage_ends_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2 and "usage: llmos-nb" in capsys.readouterr().err


def test_a_bad_settings_file_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "workspace" / "llmos.toml").write_text('mod = "follower"')
    for command in (["run", GOAL], ["doctor"]):
        assert main(command) == 1
        assert "llmos.toml:1" in capsys.readouterr().err


def test_an_interrupt_has_its_own_code(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*given: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("llmos_nb.system.LLMOS.run", interrupted)
    assert main(["run", GOAL]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_package_can_be_run(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llmos_nb", "run", GOAL, "--mode", "follower"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and "free" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """As in ``llmos-nb doctor | head -1``."""
    doctor = subprocess.Popen(
        [sys.executable, "-u", "-m", "llmos_nb", "doctor"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert doctor.stdout is not None and doctor.stderr is not None
    doctor.stdout.readline()
    doctor.stdout.close()
    said = doctor.stderr.read()
    doctor.wait(60)
    assert "Traceback" not in said and "BrokenPipe" not in said


def test_a_file_that_is_no_notebook_cannot_be_played(tmp_path: Path) -> None:
    from llmos_nb.errors import LlmosError
    from llmos_nb.terminal.demo import play

    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(LlmosError, match="is no notebook"):
        play(tmp_path / "a.csv", tmp_path / "out")
