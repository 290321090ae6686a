"""Sessions are read from their logs, whatever a kill or an editor left in them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmos_nb.errors import UnknownSession
from llmos_nb.kernel.events import ModelCalled, RunEnded, RunStarted
from llmos_nb.memory.session import SessionLog, in_use
from llmos_nb.memory.sessions import find_run, find_session, sessions


def run(log: SessionLog, run_id: str, *, status: str = "success", cost: float | None = 0.02, at: float = 1e9) -> None:
    log(RunStarted(run_id=run_id, at=at, goal=f"goal of {run_id}", agent="coder", endpoint="scripted"))
    log(
        ModelCalled(
            run_id=run_id, at=at, model="m", input_tokens=1, output_tokens=1, cache_read_tokens=0,
            cache_write_tokens=0, cost_usd=cost,
        )
    )  # fmt: skip
    if status:
        log(
            RunEnded(
                run_id=run_id, at=at, status=status, mode="learner", reason="", text="", cost_usd=cost, saved_usd=0.0,
                duration_s=1.0, conversation=f"talk-{run_id}",
            )
        )  # fmt: skip


def test_sessions_tell_goals_costs_and_how_they_ended(tmp_path: Path) -> None:
    one, two = SessionLog(tmp_path, "one"), SessionLog(tmp_path, "two")
    run(one, "a")
    run(one, "b", status="failed", cost=0.03)
    run(two, "c", cost=None, at=2e9)
    assert [(s.id, s.status) for s in sessions(tmp_path)] == [("two", "open"), ("one", "open")]
    one.close()
    two.close()
    found = sessions(tmp_path)
    assert [(s.id, s.status, s.goals, s.cost_usd) for s in found] == [
        ("two", "ended", 1, None),
        ("one", "ended", 2, 0.05),
    ]
    assert found[1].started_at == "2001-09-09T01:46:40Z" and "goal of b (failed)" in str(found[1])
    assert (
        find_run(tmp_path, "b").conversation == "talk-b" and find_session(tmp_path, "one").runs[0].goal == "goal of a"
    )
    with pytest.raises(UnknownSession, match="no run 'z'"):
        find_run(tmp_path, "z")
    for wrong in ("onne", "../one", ""):
        with pytest.raises(UnknownSession):
            find_session(tmp_path, wrong)
    assert sessions(tmp_path / "nowhere") == []


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    log = SessionLog(tmp_path, "one")
    run(log, "a", status="")
    log.close()
    path = tmp_path / "one.jsonl"
    path.write_bytes(
        path.read_bytes()
        + b'{"event":"RunEnded","run_id":5}\n\xff\xfe\n{"event":"RunEnded","run_id":"a","at":1e9,"sta'
    )
    [found] = sessions(tmp_path)
    assert (found.status, found.goals, found.cost_usd, found.runs[0].status) == ("cut off", 1, 0.02, "")
    (tmp_path / "folder.jsonl").mkdir()
    assert {s.id: s.status for s in sessions(tmp_path)} == {"one": "cut off", "folder": "ended"}


def test_a_log_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    log = SessionLog(tmp_path, "one")
    run(log, "a", status="")
    log.close()
    (tmp_path / "one.jsonl").write_bytes((tmp_path / "one.jsonl").read_bytes()[:-20])
    again = SessionLog(tmp_path, "one")
    run(again, "b")
    assert [(r.run_id, r.status) for r in sessions(tmp_path)[0].runs] == [("a", ""), ("b", "success")]
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock and SIGKILL")
def test_a_kill_in_the_middle_of_a_goal_is_told(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom llmos_nb.memory.session import SessionLog\n"
        "from llmos_nb.kernel.events import RunStarted\n"
        "log = SessionLog(sys.argv[1], 'killed')\n"
        "log(RunStarted(run_id='a', goal='long work', agent='coder', endpoint='scripted'))\n"
        "print('on', flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"on\n"
    assert sessions(tmp_path)[0].status == "open" and in_use(tmp_path / "killed.jsonl")
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    deadline = time.monotonic() + 5
    while in_use(tmp_path / "killed.jsonl") and time.monotonic() < deadline:
        time.sleep(0.01)
    [found] = sessions(tmp_path)
    assert found.status == "cut off" and found.runs[0].goal == "long work" and "no end" in str(found)
