"""What a plan has reached, on disk: read back whole, refused when it is not, gone on with once, by one kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.dispatch.orchestrator import Node, Plan, Product
from llmos_nb.dispatch.orchestrator.claim import at_work, claimed
from llmos_nb.dispatch.orchestrator.node_result import NodeResult
from llmos_nb.dispatch.orchestrator.state import (
    PlanState,
    latest,
    load_state,
    marks,
    plans_folder,
    save_state,
    still_there,
)
from llmos_nb.errors import PlanError, StoreError

ROOT = Path(__file__).parents[2]
PLAN = Plan("g — größer\r\n", (Node("a", "do a", produces=(Product("variable", "x"), Product("file", "o.txt"))),
                               Node("b", "do b", needs=("a",)), Node("c", "do c")))  # fmt: skip
DONE = NodeResult(id="a", goal="do a", status="success", mode="learner", text="a 😀", produced={"variable x": "int"})


def state(run_id: str = "r1", **more: Any) -> PlanState:
    return PlanState(run_id=run_id, plan=PLAN, agent="generalist", cwd="/w", **{"nodes": {"a": DONE}, **more})


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    save_state(tmp_path, state(resumes="r0", status="failed"))
    assert load_state(tmp_path, "r1") == state(resumes="r0", status="failed")


def test_a_state_before_a_node_has_neither_it_nor_what_needs_it() -> None:
    nodes = {id_: NodeResult(id=id_, goal="g", status="success") for id_ in "abc"}
    whole = state(nodes=nodes)
    assert set(whole.before("a").nodes) == {"c"} and set(whole.before("b").nodes) == {"a", "c"}
    with pytest.raises(PlanError, match="no node 'z'"):
        whole.before("z")


@pytest.mark.parametrize(
    "broken",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"schema": 1}', b"[" * 100_000,
        json.dumps({"schema": 2, "run_id": "r1"}).encode(),
        json.dumps({"schema": 1, "run_id": "r1", "plan": {"nodes": 5}, "goal": "g", "source": "person", "agent": "x",
                    "cwd": "/", "status": "", "nodes": {}}).encode(),
        json.dumps({"schema": 1, "run_id": "r1", "plan": {"nodes": [{"id": "a", "goal": "x"}]}, "goal": "g",
                    "source": "person", "agent": "x", "cwd": "/", "status": "", "nodes": {"b": {}}}).encode(),
        json.dumps({"schema": 1, "run_id": "r1", "plan": {"nodes": [{"id": "a", "goal": "x"}]}, "goal": "g",
                    "source": "person", "agent": "x", "cwd": "/", "status": "",
                    "nodes": {"a": {"id": "a", "goal": "x", "text": 5}}}).encode(),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_told_of_and_passed_over(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "r1.json").write_bytes(broken)
    with pytest.raises(PlanError) as caught:
        load_state(tmp_path, "r1")
    assert caught.value.message and caught.value.remedy
    with pytest.raises(PlanError, match="No plan was left unfinished"):
        latest(tmp_path)
    save_state(tmp_path, state("r0", status="stopped"))
    assert latest(tmp_path) == "r0"


@pytest.mark.parametrize("run_id", ["../x", "", "a/b", "x" * 200, "none\0", "r2"])
def test_a_run_that_is_not_there(tmp_path: Path, run_id: str) -> None:
    save_state(tmp_path, state("r1"))
    with pytest.raises(PlanError) as caught:
        load_state(tmp_path, run_id)
    assert "r1" in caught.value.remedy


def at(folder: Path, run_id: str, seconds: int) -> None:
    os.utime(folder / f"{run_id}.json", (1_600_000_000 + seconds,) * 2)


def test_the_latest_is_the_one_worked_on_last_and_not_gone_on_with(tmp_path: Path) -> None:
    for number, (run_id, facts) in enumerate(
        [("zz", {"status": "failed"}), ("aa", {"status": "stopped"}), ("mm", {"status": "success"})]
    ):
        save_state(tmp_path, state(run_id, **facts))
        at(tmp_path, run_id, number)
    assert latest(tmp_path) == "aa"
    save_state(tmp_path, state("bb", resumes="aa", status="success"))
    assert latest(tmp_path) == "zz", "aa was gone on with, and reached its end"
    save_state(tmp_path, state("cc", resumes="zz", status="failed"))
    assert latest(tmp_path) == "cc"
    save_state(tmp_path, state("dd", resumes="cc", status="success"))
    with pytest.raises(PlanError, match="No plan was left unfinished"):
        latest(tmp_path)


def test_a_plan_that_is_worked_on_is_nobody_elses(tmp_path: Path) -> None:
    save_state(tmp_path, state("r1"))
    with claimed(tmp_path, "r1"):
        assert at_work(tmp_path, "r1")
        with pytest.raises(PlanError, match="being worked on") as caught, claimed(tmp_path, "r1"):
            raise AssertionError
        assert caught.value.remedy
        with pytest.raises(PlanError, match="being worked on"):
            latest(tmp_path)
    assert not at_work(tmp_path, "r1") and latest(tmp_path) == "r1"
    assert not list(tmp_path.glob("*.lock"))


def test_a_kernel_that_was_killed_lets_go(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from llmos_nb.dispatch.orchestrator.claim import claimed\n"
        "with claimed(Path(sys.argv[1]), 'r1'): print('mine', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, env=environment, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "mine\n"
        assert at_work(tmp_path, "r1")
        with pytest.raises(PlanError), claimed(tmp_path, "r1"):
            pass
        other.kill()
    with claimed(tmp_path, "r1"):
        pass


def test_where_nothing_can_be_written_nobody_is_kept_away(tmp_path: Path) -> None:
    (tmp_path / "plans").write_text("a file where the folder should be")
    with claimed(tmp_path / "plans", "r1"):
        pass
    with pytest.raises(StoreError):
        save_state(tmp_path / "plans", state())
    assert plans_folder(tmp_path) == tmp_path / ".llmos" / "plans"


def test_what_a_node_left_is_there_only_as_it_was_left(tmp_path: Path) -> None:
    (tmp_path / "o.txt").write_text("one")
    names = {"x": 1}
    left = NodeResult(id="a", goal="do a", status="success", produced=marks(PLAN["a"], names, tmp_path))
    assert still_there(PLAN["a"], left, names, tmp_path)
    assert not still_there(PLAN["a"], left, {"x": "text"}, tmp_path)
    assert not still_there(PLAN["a"], left, {}, tmp_path)
    (tmp_path / "o.txt").write_text("two")
    assert not still_there(PLAN["a"], left, names, tmp_path)


def test_the_oldest_states_are_removed_but_none_that_is_worked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmos_nb.dispatch.orchestrator.state.KEPT", 3)
    for number in range(3):
        save_state(tmp_path, state(f"r{number}"))
        os.utime(tmp_path / f"r{number}.json", (number, number))
    with claimed(tmp_path, "r0"):
        for _ in range(2):  # a state that is written again removes nothing
            save_state(tmp_path, state("r3"))
        assert sorted(path.stem for path in tmp_path.glob("*.json")) == ["r0", "r1", "r2", "r3"]
        os.utime(tmp_path / "r3.json", (3, 3))
        save_state(tmp_path, state("r4"))
        assert sorted(path.stem for path in tmp_path.glob("*.json")) == ["r0", "r2", "r3", "r4"]
    save_state(tmp_path, state("r5"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r3.json", "r4.json", "r5.json"]
