"""The schedule in real kernels: it runs between cells, once whatever number of kernels look at it, and survives a kill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import Kernel, until
from rig import one_step

pytestmark = pytest.mark.cli


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Callable[[], Kernel]]:
    made: list[Kernel] = []

    def make() -> Kernel:
        made.append(Kernel(tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.close()


def logged(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Events of a kind that any kernel logged."""
    lines = [
        json.loads(line)
        for log in (folder / "workspace" / "memory" / "sessions").glob("*.jsonl")
        for line in log.read_text(encoding="utf-8").splitlines()
    ]
    return [line for line in lines if line.get("event") == kind]


def runs(folder: Path, job: str) -> list[dict[str, Any]]:
    """The runs of a job that any kernel began."""
    return [line for line in logged(folder, "RunStarted") if line.get("scheduled_by") == job]


def record(folder: Path, job: str) -> dict[str, Any]:
    path = folder / "workspace" / ".llmos" / "schedule" / f"{job}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def test_two_kernels_run_each_occurrence_once_and_one_takes_over_from_a_killed_one(
    kernel: Callable[[], Kernel], tmp_path: Path
) -> None:
    first, second = kernel(), kernel()
    said = first.run("%schedule add --every 3s --name adding --budget 0.2 Add 2 and 3")
    assert said == "adding: every 3 s.\nThis kernel runs the schedule, between cells, as long as it lives."
    assert "Another kernel (process" in second.run("%schedule") and "adding" in second.run("%schedule")
    until(lambda: len(runs(tmp_path, "adding")) >= 3, "three runs")
    first.run("import time; time.sleep(0)")
    assert first.unasked() == [] and second.unasked() == []
    assert first.run("print(a + b)").startswith("5\n")  # it worked among this kernel's names
    assert "NameError" in second.run("try:\n    a\nexcept NameError as error:\n    print(repr(error))")
    shown = first.run("%schedule show adding")
    assert "adding" in shown and "sum: 5" in shown and "llmos · " in shown

    first.kill()
    count = len(runs(tmp_path, "adding"))
    until(lambda: len(runs(tmp_path, "adding")) >= count + 2, "runs by the other kernel")
    assert second.run("print(a + b)").startswith("5\n")
    assert "This kernel runs the schedule" in second.run("%schedule")
    second.run("%schedule pause adding")
    until(lambda: record(tmp_path, "adding")["begun"] is None, "the end of the run")
    kept, count = record(tmp_path, "adding"), len(runs(tmp_path, "adding"))
    assert kept["last_status"] in ("success", "stopped")
    # Every moment at which it was due was run once or told as missed, but perhaps the one at which the kill came.
    import tomllib
    from datetime import datetime

    job = tomllib.loads((tmp_path / "workspace" / "schedule" / "adding.toml").read_text())
    due = round((datetime.fromisoformat(kept["accounted"]) - job["start"]).total_seconds() / 3)
    assert due - 1 <= count + kept["missed"] <= due
    ledger = second.run("from llmos_nb import runs_df; print(set(runs_df()['scheduled_by']))")
    assert "adding" in ledger
    second.run("%schedule remove adding")
    assert "nothing is scheduled" in second.run("%schedule")


def test_a_job_waits_for_the_cell_at_work_and_its_failure_is_told_below_the_next(
    kernel: Callable[[], Kernel], tmp_path: Path
) -> None:
    one = kernel()
    one.run("%schedule add --every 5s --name unknown Do what no script knows")
    waited = one.run("import asyncio\nawait asyncio.sleep(12)\nprint('done')")
    assert runs(tmp_path, "unknown") == []
    until(lambda: record(tmp_path, "unknown").get("last_status"), "its end")
    told = one.run("1")
    assert "the scheduled job unknown was missed" in waited
    assert "the scheduled job unknown ended in failed" in told
    assert "unknown" in one.run("%schedule")


def test_a_scheduled_cell_that_hangs_is_ended_by_the_stop_button_and_by_the_time_limit(
    kernel: Callable[[], Kernel], tmp_path: Path
) -> None:
    scripts = tmp_path / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "block.md").write_text(one_step("Block", "run_cell", "import time\nwhile True:\n    time.sleep(0.01)"))
    one = kernel()
    one.run("%schedule add --every 3s --name block Block")
    until(lambda: logged(tmp_path, "ToolStarted"), "the cell")
    one.manager.interrupt_kernel()
    until(lambda: record(tmp_path, "block").get("last_status"), "the end of the run")
    assert record(tmp_path, "block")["last_status"] == "stopped"
    one.run("%config LLMOSMagics.time_limit_s = 5")
    until(lambda: record(tmp_path, "block")["last_status"] == "timed_out", "the time limit")
    one.run("%schedule pause block")
    assert one.run("print('alive')").startswith("alive")
