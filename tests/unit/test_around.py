"""``%%time`` and its like around a goal, and goals that nobody awaits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded import record

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.around_magics import PendingGoal

GOAL = "Say hello to the world"
KNOWN = f"--mode follower {GOAL}"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ipython: Any) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    record(GOAL, "greeting = 'hello'\nprint(greeting)", "It **said** hello.")
    ipython.run_line_magic("load_ext", "llmos_nb")
    yield ipython
    ipython.run_line_magic("unload_ext", "llmos_nb")


@pytest.mark.parametrize(
    "cell",
    [
        f"%%time\n%%llmos --mode follower\n{GOAL}",
        f"%%time\nresult = %llmos {KNOWN}\nresult",
        f"%time %llmos {KNOWN}",
        f"result = %time %llmos {KNOWN}",
    ],
)
def test_a_goal_is_timed(cell: str, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    done = shell.run_cell(cell)
    done.raise_error()
    result = done.result if done.result is not None else shell.user_ns["result"]
    assert result.ok and shell.user_ns["greeting"] == "hello"
    assert re.search(r"hello\nCPU time: [\d.]+ s\nWall time: [\d.]+ s\n", capsys.readouterr().out)


@pytest.mark.parametrize("cell", [f"%%llmos --mode follower\n{GOAL}", f"x = 1\n%llmos {KNOWN}", f"%llmos {KNOWN}?"])
def test_what_a_goal_shows_is_captured(cell: str, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell(f"%%capture --no-stderr kept\n{cell}").raise_error()
    assert capsys.readouterr().out == ""
    kept = shell.user_ns["kept"]
    assert kept.stdout == "hello\n" and "said" in kept.outputs[0].data["text/plain"]
    shell.run_cell(f"%%capture\n{cell}").raise_error()
    assert capsys.readouterr().out == ""


def test_an_error_inside_is_the_cells_error(shell: Any) -> None:
    done = shell.run_cell("%%time\n%llmos --mood x y")
    assert isinstance(done.error_in_exec, SettingsError)


@pytest.mark.parametrize("magic", ["%%timeit\n%llmos", "%timeit %llmos", "%%prun\n%llmos", "%prun %llmos"])
def test_what_would_pay_many_times_or_see_nothing_is_refused(magic: str, shell: Any) -> None:
    error = shell.run_cell(f"{magic} {KNOWN}").error_in_exec
    assert isinstance(error, SettingsError) and "%%time" in error.remedy
    assert "greeting" not in shell.user_ns


def test_around_anything_else_they_are_ipythons_own(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for cell in ("%%time\nprint('llmos')", "%time 1 + 1", "%%capture kept\nprint('%llm')", "%timeit -n1 -r1 1"):
        shell.run_cell(cell).raise_error()
    assert "Wall time" in capsys.readouterr().out


@pytest.mark.parametrize("quote", ["'", '"'])
def test_the_call_that_a_magic_stands_for_is_awaited(quote: str, shell: Any) -> None:
    done = shell.run_cell(f"get_ipython().run_line_magic({quote}llmos{quote}, '{KNOWN}')")
    done.raise_error()
    assert done.result.ok


def test_a_goal_that_nobody_awaits_says_so(shell: Any) -> None:
    shell.run_cell("begun = True").raise_error()
    pending = shell.run_line_magic("llmos", KNOWN)
    assert isinstance(pending, PendingGoal) and "llmos.run(goal)" in repr(pending)
    with pytest.warns(RuntimeWarning, match="a goal that is not begun"):
        del pending
    assert "greeting" not in shell.user_ns


def test_goals_in_the_cell_that_loads_it_are_worked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ipython: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """That cell was read before the extension could put an ``await`` before them."""
    monkeypatch.chdir(tmp_path)
    record(GOAL, "greeting = 'hello'\nprint(greeting)", "It **said** hello.")
    try:
        cell = f"%load_ext llmos_nb\nfirst = %llmos {KNOWN}\ndel greeting\n%llmos {KNOWN}"
        done = ipython.run_cell(cell, store_history=True)
        done.raise_error()
        assert ipython.user_ns["first"].ok and done.result.ok and ipython.user_ns["greeting"] == "hello"
        assert capsys.readouterr().out.startswith("hello\nhello\n")
        again = ipython.run_cell(f"%llmos {KNOWN}", store_history=True)  # awaited, as ever
        again.raise_error()
        assert again.result.ok
    finally:
        ipython.run_line_magic("unload_ext", "llmos_nb")
