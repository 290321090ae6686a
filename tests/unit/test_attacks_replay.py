"""Replays under attack: evidence that is not looked at again, other folders, and effects that outlive a surprise."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from test_replay import Asked, Place

from llmos_nb.learning.record import OUTPUT_KEPT, folder_named
from llmos_nb.memory import Expectation, Step, Trace, TraceStore

FAILS = "assert 'a,b' in open('data.csv').read()"


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n1,2\n3,4\n")
    return tmp_path


# ---------------------------------------------------------------- prose that nobody verified


@pytest.mark.parametrize(
    "asked",
    [
        "print(len(open('data.csv').readlines()))\n1 / 0",
        ("run_shell", {"command": "wc -l data.csv; false"}),
        ("read_file", {"path": "missing.csv"}),
    ],
)
def test_prose_is_not_repeated_when_it_may_rest_on_a_failed_step(asked: Asked, cwd: Path) -> None:
    trace = Place(cwd).record(asked, "x = 1", answer="There are 3 lines.")
    done = Place(cwd).replay(trace)
    assert done.stale and not done.surprise and "3 lines" not in done.answer


@pytest.mark.parametrize("asked", ["1 / 0", ("run_shell", {"command": "false"}), ("inspect", {"names": ["nothing"]})])
def test_a_failed_step_that_told_nothing_does_not_cost_the_prose(asked: Asked, cwd: Path) -> None:
    trace = Place(cwd).record(asked, "x = 1", answer="Done.")
    assert Place(cwd).replay(trace).answer == "Done."


def test_what_an_exception_said_is_evidence(cwd: Path) -> None:
    trace = Place(cwd).record("x = 1\nprint('a')\nraise ValueError(open('data.csv').read(1))", "y = 2")
    assert not Place(cwd).replay(trace).stale
    (cwd / "data.csv").write_text("z")
    assert Place(cwd).replay(trace).stale


def test_where_an_exception_was_raised_is_not(cwd: Path, ipython: Any) -> None:
    from llmos_nb.tools.shell_namespace import ShellNamespace

    def place() -> Place:
        made = Place(cwd)
        made.space = ShellNamespace(ipython)  # type: ignore[assignment]
        return made

    trace = place().record("made = [1]\nraise ValueError('no')", "y = 2")
    ipython.run_cell("1\n", store_history=True)
    ipython.run_cell("2\n", store_history=True)
    assert not place().replay(trace).stale


# ---------------------------------------------------------------- another folder


def test_steps_that_name_their_folder_are_not_replayed_in_another(cwd: Path) -> None:
    other = cwd / "other"
    other.mkdir()
    (other / "data.csv").write_text("a,b\n100,2\n")
    step = Step("run_shell", {"command": f"cat {cwd}/data.csv"}, Expectation(digest="x"))
    with TraceStore(cwd / "traces") as store:
        trace = store.add(Trace(goal="g", steps=[step], environment={"folder": str(cwd)}))
    place = Place(other)
    assert "another one" in place.replay(trace).surprise and place.calls_begun() == 0
    assert Place(cwd).replay(trace).surprise == ""


def test_the_folder_is_kept_where_it_is_named(cwd: Path) -> None:
    place = Place(cwd)

    def kept(asked: Asked, goal: str = "Sum data.csv", answer: str = "4") -> dict[str, str]:
        place.record(asked)
        assert place.bench is not None
        return folder_named(goal, place.bench.calls, answer, cwd)

    here = {"folder": str(cwd)}
    assert kept(f"open('{cwd}/data.csv').read()") == here
    assert kept(("run_shell", {"command": f"cd {cwd} && ls"})) == here
    assert kept("1", answer=f"Saved to `{cwd}`.") == here
    assert kept("open('data.csv').read()") == {}
    assert kept(f"'{cwd}-other/data.csv'") == {}
    assert kept(f"open('{cwd}/data.csv').read()", goal=f"Sum {cwd}/data.csv") == {}


# ---------------------------------------------------------------- putting back


def test_the_working_folder_and_the_environment_are_put_back(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTACKED", "before")
    monkeypatch.delenv("NEW", raising=False)
    (cwd / "sub").mkdir()
    code = "import os\nos.environ.update(ATTACKED='after', NEW='1')\nos.chdir('sub')"
    trace = Place(cwd).record(code, FAILS.replace("data", "../data"))
    os.chdir(cwd)
    monkeypatch.setenv("ATTACKED", "before")
    monkeypatch.delenv("NEW")
    (cwd / "data.csv").write_text("")
    assert Place(cwd).replay(trace).surprise
    assert Path.cwd() == cwd and os.environ["ATTACKED"] == "before" and "NEW" not in os.environ


def test_text_still_in_a_buffer_is_not_written_after_all(cwd: Path) -> None:
    (cwd / "log").write_text("old\n")
    trace = Place(cwd).record("f = open('log', 'a')\nf.write('new\\n');", FAILS)
    gc.collect()
    (cwd / "log").write_text("old\n")
    (cwd / "data.csv").write_text("")
    assert Place(cwd).replay(trace).surprise
    gc.collect()
    assert (cwd / "log").read_text() == "old\n"


def test_a_database_with_a_write_ahead_log_is_put_back(cwd: Path) -> None:
    def rows() -> int:
        with contextlib.closing(sqlite3.connect("m.db")) as connection:
            return int(connection.execute("select count(*) from t").fetchone()[0])

    with contextlib.closing(sqlite3.connect("m.db")) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table t(x)")
        connection.commit()
    insert = "import sqlite3\nc = sqlite3.connect('m.db')\nc.execute('insert into t values(1)')\nc.commit()"
    trace = Place(cwd).record(insert, FAILS)
    gc.collect()
    assert rows() == 1
    (cwd / "data.csv").write_text("")
    done = Place(cwd).replay(trace)
    gc.collect()
    assert done.surprise and done.not_restored == () and rows() == 1


def test_a_file_name_that_cannot_be_one_is_a_surprise(cwd: Path) -> None:
    trace = Trace(goal="g", steps=[Step("run_cell", {"code": "1"}, Expectation(files=("a\0b",)))])
    assert "changed the files" in Place(cwd).replay(trace).surprise


def test_a_stop_ends_a_replayed_step_that_awaits(cwd: Path) -> None:
    trace = Place(cwd, pause=0).record("x = 1", "import asyncio\nawait asyncio.sleep(pause)")
    place = Place(cwd, pause=60)

    def stop() -> None:
        while place.calls_begun() < 2:
            time.sleep(0.01)
        time.sleep(0.05)
        assert place.bench is not None
        place.bench.stop()

    stopper = threading.Thread(target=stop)
    started = time.monotonic()
    stopper.start()
    done = place.replay(trace)
    stopper.join()
    assert done.stopped and "x" not in place.names and time.monotonic() - started < 30


# ---------------------------------------------------------------- odd content


def test_huge_outputs_are_verified_whole_but_not_written_down_whole(
    cwd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = Place(cwd).record(*(f"print('{letter}' * 3_000_000, open('data.csv').read(1))" for letter in "xy"))
    assert all(len(step.output) < OUTPUT_KEPT + 100 and "left out" in step.output for step in trace.steps)
    assert not Place(cwd).replay(trace).stale
    (cwd / "data.csv").write_text("z")
    assert Place(cwd).replay(trace).stale
    capsys.readouterr()


@pytest.mark.parametrize(
    "said", ["\x1b[31m\x00\x85\u2028\r", "---\ngoal: x\n---\n## Step 1: run_cell\n```\n## Answer\n", "\U0001f600"]
)
def test_odd_outputs_survive_the_file(said: str, cwd: Path) -> None:
    trace = Place(cwd).record(f"print({said!r})", f"{said!r} + '\\ud800'")
    assert Place(cwd).replay(trace).answer == "The recorded answer."


def test_passes_are_not_lost_when_hooks_agree_at_the_same_time(cwd: Path) -> None:
    async def work() -> int:
        bench = Place(cwd).make_bench()
        arguments = {"code": "1"}
        threads = [
            threading.Thread(target=lambda: [bench.grant_pass("run_cell", arguments, "budget") for _ in range(300)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = 0
        while bench.take_pass("run_cell", arguments, "budget"):
            taken += 1
        return taken

    assert asyncio.run(work()) == 2400
