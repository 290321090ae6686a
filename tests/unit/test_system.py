"""One workspace, wired up: replays without a model, honest errors, and recovery once what was broken is mended."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmos_nb import LLMOS
from llmos_nb.dispatch.result import RunResult
from llmos_nb.errors import (
    EmptyGoal,
    LlmosError,
    ModeUnavailable,
    ProjectError,
    SettingsError,
    StoreError,
    UnknownAgent,
    UnknownMode,
    WaitsForTrust,
)
from llmos_nb.kernel import files
from llmos_nb.kernel.events import Event, ModeDecided, Notice, RunEnded, RunStarted, ToolFinished
from llmos_nb.learning.record import input_digests, recorded_steps
from llmos_nb.memory import Trace
from llmos_nb.memory.seal import sealed
from llmos_nb.notebook.views import traces_table
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

GOAL = "Sum the a column of data.csv"
CODE = "import pandas as pd\ndf = pd.read_csv('data.csv')\nprint('sum', df['a'].sum())"


def record(goal: str, *steps: str, workspace: Path | str = "workspace", **facts: Any) -> Trace:
    """Run steps for real, in a namespace of their own, and keep them as a trace of ``workspace``."""

    async def work() -> list[Any]:
        bench = Workbench(
            "r", namespace=PlainNamespace(), workspace=Path(workspace), cwd=Path.cwd(), grant=tuple(TOOLS),
            publish=lambda event: None,
        )  # fmt: skip
        for code in steps:
            assert (await bench.call("run_cell", {"code": code})).status == "ok"
        return bench.calls

    calls = asyncio.run(work())
    given = {"answer": "The sum is 4.", "agent": "generalist", "cost_usd": 0.05, "simulated_cost": True, **facts}
    trace = Trace(goal=goal, steps=recorded_steps(calls), inputs=input_digests(calls, Path.cwd()), **given)
    with LLMOS(workspace) as system:
        return system.traces.add(trace)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n1,2\n3,4\n")
    return tmp_path


@pytest.fixture
def system(place: Path) -> Iterator[LLMOS]:
    record(GOAL, CODE)
    with LLMOS("workspace", namespace=PlainNamespace()) as made:
        yield made


def follow(system: LLMOS, goal: str = GOAL, **options: Any) -> RunResult:
    """Run a goal without ever asking an agent."""
    return system.run(goal, mode="follower", **options)


# ---------------------------------------------------------------- replay, from the outside


def test_a_plan_that_has_no_script_is_told_as_such_and_costs_nothing(system: LLMOS) -> None:
    result = system.run("Add 2 and 3", mode="orchestrator")
    assert not result.ok and "no script of a plan" in result.reason and result.cost_usd == 0
    assert "Leave --mode orchestrator" in result.remedy and "It knows" not in str(result)
    with pytest.raises(LlmosError, match="no script of a plan") as caught:
        asyncio.run(system.plan("Add 2 and 3"))
    assert "those listed here" not in str(caught.value) and system.economy.spent_usd() == 0


def test_a_known_goal_is_replayed_free_and_counted(system: LLMOS) -> None:
    (row,) = system.traces.rows()
    for mode in ("auto", "follower"):
        result = system.run(GOAL, mode=mode)
        assert (result.status, result.mode, result.text, result.cost_usd) == (
            "success",
            "follower",
            "The sum is 4.",
            0.0,
        )
        assert (result.saved_usd, result.trace_id, result.agent) == (0.05, row["id"], "generalist")
    assert system.traces.uses(row["id"]).successes == 2
    assert system.economy.saved_usd == pytest.approx(0.10) and system.economy.spent_usd() == 0
    assert len(system.traces) == 1  # a replay is not written down as a new trace


def test_a_replay_defines_names_in_the_users_namespace(place: Path) -> None:
    record(GOAL, CODE)
    space = PlainNamespace()
    with LLMOS("workspace", namespace=space) as system:
        follow(system)
    assert list(space.names["df"]) == ["a", "b"]


def test_changed_data_is_answered_with_fresh_outputs(system: LLMOS, place: Path) -> None:
    (place / "data.csv").write_text("a,b\n10,2\n")
    result = follow(system)
    assert result.ok and result.stale
    assert "sum 10" in result.text and "The sum is 4" not in result.text
    assert result.label == "replayed, new outputs"


def test_a_refused_replay_fails_with_the_reason_where_nothing_else_may_follow(system: LLMOS, place: Path) -> None:
    (place / "data.csv").write_text("x,y\n1,2\n")
    result = follow(system)
    assert (result.status, result.mode) == ("failed", "follower")
    assert "KeyError" in result.reason and "--mode auto" in result.remedy
    (row,) = system.traces.rows()
    assert (system.traces.uses(row["id"]).failures, result.saved_usd) == (1, 0.0)
    (place / "data.csv").write_text("a,b\n1,2\n3,4\n")
    assert follow(system).ok


def test_an_unknown_goal_cannot_be_followed(system: LLMOS) -> None:
    result = follow(system, "Something else entirely")
    assert result.status == "failed" and result.remedy and result.steps == ()


def test_a_replay_works_when_the_budget_is_used_up(place: Path) -> None:
    record(GOAL, CODE)
    with LLMOS("workspace", budget_usd=0.0, namespace=PlainNamespace()) as system:
        result = follow(system)
    assert result.ok and result.saved_usd == 0.05


def test_play_money_is_not_saved_where_the_trace_cost_real_money(place: Path) -> None:
    record(GOAL, CODE, simulated_cost=False)
    with LLMOS("workspace", namespace=PlainNamespace()) as system:
        assert follow(system).saved_usd == 0.0


@pytest.mark.parametrize("status", ["failed", "stopped", "denied"])
def test_only_success_is_replayed(status: str, place: Path) -> None:
    record(GOAL, CODE, status=status)
    with LLMOS("workspace", namespace=PlainNamespace()) as system:
        result = follow(system)
    assert result.status == "failed" and status in result.reason


def test_events_tell_the_life_of_a_goal(system: LLMOS) -> None:
    seen: list[Event] = []
    end = system.on(Event, seen.append)
    result = follow(system)
    end()
    kinds = [type(event) for event in seen]
    assert kinds[0] is RunStarted and kinds[-1] is RunEnded
    assert ModeDecided in kinds and ToolFinished in kinds
    assert {event.run_id for event in seen} == {result.run_id}
    ended = seen[-1]
    assert isinstance(ended, RunEnded) and (ended.status, ended.trace_id) == ("success", result.trace_id)


def test_explain_says_what_would_be_done_and_does_nothing(system: LLMOS) -> None:
    decision = system.explain(GOAL)
    assert (decision.mode, decision.match.trace_id if decision.match else None) == (
        "follower",
        follow(system).trace_id,
    )
    system.agents.create("researcher", "Looks things up.", ["run_cell"], "You look things up.")
    assert system.explain("another goal").mode == "learner"
    assert system.explain(GOAL, mode="learner").mode == "learner"
    with pytest.raises(ModeUnavailable):
        system.explain("another goal", mode="follower")
    with pytest.raises(UnknownMode):
        system.explain(GOAL, mode="folower")
    with pytest.raises(UnknownAgent):
        system.explain(GOAL, agent="nobody")
    assert system.explain(GOAL, agent="researcher").mode == "learner"  # her own traces only


def test_a_trace_by_another_agent_is_replayed_unless_one_was_asked_for(system: LLMOS) -> None:
    system.agents.create("researcher", "Looks things up.", ["run_cell"], "You look things up.")
    assert follow(system, agent="generalist").ok
    assert follow(system, agent="researcher").status == "failed"


# ---------------------------------------------------------------- stopping


def test_a_stop_from_another_thread_ends_the_run_and_puts_back(place: Path) -> None:
    (place / "pause").write_text("0")
    record("wait", "import time\nx = 1\nwith open('pause') as file:\n    time.sleep(float(file.read()))")
    (place / "pause").write_text("30")
    space = PlainNamespace()
    with LLMOS("workspace", namespace=space) as system:
        stopped: list[str] = []

        def stop() -> None:
            while "x" not in space.names:
                time.sleep(0.01)
            assert list(system.running.values()) == ["wait"]
            stopped.extend(system.stop())

        stopper = threading.Thread(target=stop)
        stopper.start()
        result = follow(system, "wait")
        stopper.join()
        assert result.status == "stopped" and stopped == [result.run_id]
        assert "x" not in space.names and system.running == {}
        assert system.stop() == []


def test_the_time_limit_ends_a_replay(place: Path) -> None:
    (place / "pause").write_text("0")
    record("wait", "import time\nx = 1\nwith open('pause') as file:\n    time.sleep(float(file.read()))")
    (place / "pause").write_text("30")
    space = PlainNamespace()
    with LLMOS("workspace", namespace=space, time_limit_s=0.3) as system:
        result = follow(system, "wait")
    assert result.status == "timed_out" and "x" not in space.names


def test_cancelling_a_run_puts_back_and_is_told(place: Path) -> None:
    (place / "pause").write_text("0")
    record("wait", "import asyncio\nx = 1\nawait asyncio.sleep(float(open('pause').read()))")
    (place / "pause").write_text("30")
    space, ended = PlainNamespace(), []

    async def work(system: LLMOS) -> None:
        task = asyncio.create_task(system.execute("wait", mode="follower"))
        while "x" not in space.names:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with LLMOS("workspace", namespace=space) as system:
        system.on(RunEnded, ended.append)
        asyncio.run(work(system))
        assert system.running == {}
    assert "x" not in space.names
    assert [event.status for event in ended] == ["stopped"]


# ---------------------------------------------------------------- calling it


SCRIPT = """
import asyncio
from llmos_nb import LLMOS
with LLMOS("workspace") as system:
    {}
    print(result.status, result.mode, "df" in {})
"""


@pytest.mark.parametrize(
    "call",
    [
        f"result = system.run({GOAL!r}, mode='follower')",
        f"result = asyncio.run(system.execute({GOAL!r}, mode='follower'))",
        f"async def main(): return system.run({GOAL!r}, mode='follower')\n    result = asyncio.run(main())",
        f"async def main(): return (await system.execute({GOAL!r}, mode='follower'), "
        f"system.run({GOAL!r}, mode='follower'))[1]\n    result = asyncio.run(main())",
    ],
)
def test_it_runs_in_a_plain_script_and_inside_a_running_loop(call: str, system: LLMOS) -> None:
    script = SCRIPT.format(call, "system._dispatcher._parts.namespace.names")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1:] == ["success follower True"], done.stderr


def test_importing_and_making_one_is_cheap(place: Path) -> None:
    script = (
        "import sys, llmos_nb\nllmos_nb.LLMOS('workspace')\n"
        "print(sorted({'pandas', 'sqlalchemy', 'claude_agent_sdk', 'IPython', 'ipywidgets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
    assert not (place / "workspace").exists()


@pytest.mark.parametrize(
    ("goal", "options", "error", "words"),
    [
        ("", {}, EmptyGoal, "empty"),
        (" \n\t", {}, EmptyGoal, "empty"),
        (None, {}, EmptyGoal, "empty"),
        ("x" * 100_001, {}, EmptyGoal, "100001 characters"),
        ("g", {"mode": "folower"}, UnknownMode, "Did you mean 'follower'?"),
        ("g", {"mode": 5}, UnknownMode, "The modes are"),
        ("g", {"agent": "generalst"}, UnknownAgent, "generalist"),
        ("g", {"agent": "../../etc/passwd"}, UnknownAgent, "passwd"),
        ("g", {"budget_usd": -1}, SettingsError, "US dollars"),
        ("g", {"budget_usd": float("nan")}, SettingsError, "US dollars"),
        ("g", {"budget_usd": float("inf")}, SettingsError, "US dollars"),
        ("g", {"budget_usd": "0.5"}, SettingsError, "US dollars"),
        ("g", {"budget_usd": True}, SettingsError, "US dollars"),
        ("g", {"project": "p"}, ProjectError, "project"),
    ],
)
def test_what_cannot_be_begun_is_refused_with_a_remedy(
    goal: Any, options: dict[str, Any], error: type[LlmosError], words: str, place: Path
) -> None:
    with LLMOS("workspace", namespace=PlainNamespace()) as system:
        with pytest.raises(error) as caught:
            system.run(goal, **options)
        assert words in str(caught.value) and caught.value.remedy
        assert system.running == {}


@pytest.mark.parametrize(
    "options",
    [{"budget_usd": -1}, {"endpoint": "ftp://x"}, {"nonsense": 1}, {"mode": "folower"}, {"workspace": "a\0b"}],
)
def test_unusable_settings_are_refused_at_once(options: dict[str, Any], place: Path) -> None:
    with pytest.raises(SettingsError):
        LLMOS(**options)


# ---------------------------------------------------------------- broken surroundings


def test_a_workspace_that_is_a_file_is_told_and_works_once_mended(place: Path) -> None:
    (place / "workspace").write_text("in the way")
    system = LLMOS("workspace", namespace=PlainNamespace())
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            follow(system)
        assert "workspace" in caught.value.message and "LLMOS_WORKSPACE" in caught.value.remedy
    (place / "workspace").unlink()
    record(GOAL, CODE)
    assert follow(system).ok
    system.close()


def test_a_workspace_below_a_file_is_told(place: Path) -> None:
    with LLMOS("data.csv/workspace", namespace=PlainNamespace()) as system, pytest.raises(StoreError) as caught:
        follow(system)
    assert "data.csv" in caught.value.message and caught.value.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_workspace_is_told(place: Path) -> None:
    (place / "workspace").mkdir(mode=0o500)
    with LLMOS("workspace", namespace=PlainNamespace()) as system, pytest.raises(StoreError) as caught:
        follow(system)
    assert caught.value.remedy


def test_a_full_disk_does_not_undo_a_replay_that_worked(system: LLMOS, monkeypatch: pytest.MonkeyPatch) -> None:
    notices: list[Notice] = []
    system.on(Notice, notices.append)
    assert follow(system).ok

    def full(*given: Any, **options: Any) -> Any:
        raise StoreError("the state database cannot be written (disk is full).", remedy="Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(system.traces._index, "record_use", full)
        result = follow(system)
        assert result.ok and result.text == "The sum is 4." and result.saved_usd == 0.0
        system.bus.flush()
        assert "not counted" in notices[-1].text and "Free some space" in notices[-1].text
    assert follow(system).saved_usd == 0.05


TINY_DISK = """
set -e
mount -t tmpfs -o size=600k tmpfs disk
cp -r data.csv disk/
cd disk
exec {python} -c '
import os
from pathlib import Path
from llmos_nb import LLMOS
from llmos_nb.errors import LlmosError
from llmos_nb.memory import Step, Trace
system = LLMOS("workspace")
system.traces.add(Trace(goal="write", steps=[Step("write_file", {{"path": "out.txt", "content": "x" * 60_000}})]))
filler = os.open("filler", os.O_CREAT | os.O_WRONLY)
try:
    while True: os.write(filler, b"x" * 4096)
except OSError: os.close(filler)
try:
    result = system.run("write", mode="follower")
    print(result.status, "|", result.reason)
except LlmosError as error:
    print("failed |", error)
print(Path("out.txt").exists(), [path.name for path in Path(".").iterdir() if path.name.endswith(".tmp")])
os.remove("filler")
print(system.run("write", mode="follower").status, Path("out.txt").stat().st_size)
system.close()
'
"""


def test_a_really_full_disk_is_told_and_the_next_call_works(place: Path) -> None:
    probe = subprocess.run(["unshare", "-rm", "true"], capture_output=True) if sys.platform == "linux" else None
    if probe is None or probe.returncode:
        pytest.skip("no user namespaces here")
    (place / "disk").mkdir()
    script = TINY_DISK.format(python=sys.executable)
    done = subprocess.run(["unshare", "-rm", "bash", "-c", script], capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stdout + done.stderr
    assert lines[0].startswith("failed |") and ("No space" in lines[0] or "full" in lines[0])
    assert lines[1] == "False []"
    assert lines[2] == "success 60000"


def test_a_disk_that_fills_up_while_a_trace_is_added_leaves_no_half(
    system: LLMOS, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = sorted((system.workspace / "memory").rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(StoreError) as caught:
            system.traces.add(Trace(goal="new", steps=[]))
    assert "No space left" in caught.value.message and "Free some space" in caught.value.remedy
    assert [p for p in sorted((system.workspace / "memory").rglob("*")) if p not in before and p.is_file()] == []
    assert system.traces.add(Trace(goal="new", steps=[])).id


NONSENSE: list[Callable[[str], str]] = [
    lambda text: "not a trace at all",
    lambda text: text.replace("goal:", "gaol:", 1),
    lambda text: text.replace("---", "", 1),
    lambda text: text.replace("status: success", "status: [1, 2"),
    lambda text: "",
    lambda text: text.replace("```python", "```python\n\x00", 1),
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_a_trace_edited_into_nonsense_is_reported_and_others_still_work(
    nonsense: Callable[[str], str], system: LLMOS
) -> None:
    other = record("Count the rows", "n = 2\nprint(n)")
    (row,) = [row for row in system.traces.rows() if row["goal"] == GOAL]
    path = system.traces.path(row["id"])
    before = path.read_text()
    path.write_text(nonsense(before))
    os.utime(path, ns=(1, 1))
    system.traces.refresh()
    result = follow(system)
    assert result.status == "failed", result
    assert follow(system, "Count the rows").trace_id == other.id
    if system.traces.problems:
        assert any(row["id"] in name for name in system.traces.problems)
    path.write_text(before)
    system.traces.refresh()
    assert follow(system).ok


def test_a_trace_whose_code_was_edited_is_replayed_as_it_is_now(system: LLMOS) -> None:
    (row,) = system.traces.rows()
    path = system.traces.path(row["id"])
    path.write_text(path.read_text().replace("'sum'", "'total'"))
    system.traces.refresh()
    assert not follow(system).ok, "nobody has looked at it"
    system.trust(row["id"], system.preview(row["id"]).shown)
    result = follow(system)
    assert result.stale and "total 4" in result.text


@pytest.mark.parametrize("how", ["edited", "wrong"])
def test_a_goal_that_costs_again_says_why_its_recorded_run_was_not_used(how: str, system: LLMOS, place: Path) -> None:
    (row,) = system.traces.rows()
    system.traces.replace(sealed(system.traces.get(row["id"])))
    if how == "edited":
        path = system.traces.path(row["id"])
        path.write_text(path.read_text().replace("'sum'", "'total'"))
        system.traces.refresh()
    else:
        system.wrong(row["id"], "the sum is of b")
    result = system.run(GOAL, budget_usd=0.2)  # the scripted endpoint does not know it: no matter
    said = "was edited after" if how == "edited" else "called wrong (the sum is of b)"
    assert result.mode == "learner" and said in result.passed_over
    assert f"%trace trust {row['id']}" in str(result) and said in result._repr_mimebundle_()["text/html"]
    shown = dataclasses.replace(result, status="success", text="The sum is 4.")
    assert said in str(shown) and "The sum is 4." in str(shown)
    refused = follow(system)
    assert not refused.ok and f"%trace trust {row['id']}" in str(refused)
    assert (
        traces_table(system).rows[-1][2].startswith("success (" + {"edited": "edited", "wrong": "called wrong"}[how])
    )
    system.trust(row["id"], system.preview(row["id"]).shown)
    assert follow(system).ok and follow(system).passed_over == ""
    assert traces_table(system).rows[-1][2] == "success"


def test_a_trace_edited_to_do_harm_is_refused(system: LLMOS, place: Path) -> None:
    (row,) = system.traces.rows()
    path = system.traces.path(row["id"])
    path.write_text(path.read_text().replace("print('sum', df['a'].sum())", "import shutil; shutil.rmtree('/')"))
    system.traces.refresh()
    system.trust(row["id"], system.preview(row["id"]).shown)  # by mistake
    result = follow(system)
    assert result.status == "failed" and "refused" in result.reason
    assert (place / "data.csv").exists()


def test_two_systems_share_a_workspace(system: LLMOS) -> None:
    with LLMOS("workspace", namespace=PlainNamespace()) as other:
        assert follow(system).ok and follow(other).ok
        added = record("Count the rows", "print(2)")
        assert follow(other, "Count the rows").trace_id == follow(system, "Count the rows").trace_id == added.id
        assert other.traces.uses(added.id).uses == 2
        assert other.economy.saved_usd == system.economy.saved_usd == pytest.approx(0.2)
        other.close()
        assert follow(system).ok


def test_runs_at_the_same_time_do_not_disturb_each_other(place: Path) -> None:
    for name in "ab":
        record(
            f"do {name}",
            f"import asyncio\n{name} = 1\nawait asyncio.sleep(0.02)\nprint('{name}')",
            answer=f"did {name}",
        )

    async def work(system: LLMOS) -> list[RunResult]:
        return await asyncio.gather(*(system.execute(f"do {name}", mode="follower") for name in "ab"))

    with LLMOS("workspace", namespace=PlainNamespace()) as system:
        results = asyncio.run(work(system))
    assert [(result.ok, result.text) for result in results] == [(True, "did a"), (True, "did b")]


def test_closing_twice_is_safe_and_it_can_be_used_again(system: LLMOS) -> None:
    assert follow(system).ok
    system.close()
    system.close()
    assert follow(system).ok
    LLMOS("elsewhere").close()
    assert not Path("elsewhere").exists()


def test_the_state_database_is_damaged(place: Path) -> None:
    record(GOAL, CODE)
    database = place / "workspace" / ".llmos" / "state.db"
    for extra in ("-wal", "-shm"):
        Path(f"{database}{extra}").unlink(missing_ok=True)
    database.write_bytes(b"this is no database" * 1000)
    system = LLMOS("workspace", namespace=PlainNamespace())
    with pytest.raises(StoreError) as caught:
        follow(system)
    assert "state.db" in caught.value.message and "move it away" in caught.value.remedy
    database.unlink()
    assert follow(system).ok  # the index is made anew from the files
    system.close()


def test_it_says_what_it_is(place: Path) -> None:
    assert repr(LLMOS("workspace", endpoint="scripted")) == "LLMOS(workspace='workspace', endpoint='scripted')"


@pytest.mark.parametrize(("kind", "deliver"), [("x", print), (None, 3), (int, print), (RunEnded, 3)])
def test_only_types_of_events_and_callables_can_listen(system: LLMOS, kind: Any, deliver: Any) -> None:
    with pytest.raises(TypeError, match=r"llmos_nb\.kernel\.events|cannot be called"):
        system.on(kind, deliver)


def test_a_goal_is_text(system: LLMOS) -> None:
    goal: Any = 42
    with pytest.raises(EmptyGoal, match="text or a plan, got int"):
        asyncio.run(system.execute(goal))


def test_no_agent_is_granted_a_tool_that_there_is_not(system: LLMOS) -> None:
    for write in (
        lambda: system.agents.write("poet", "You write.", tools=["run_cel"]),
        lambda: system.agents.create("poet", "Writes.", ["inspect", "run_cel"], "You write."),
        lambda: system.agents.modify("generalist", "tools", ["run_cel"], append=True),
    ):
        with pytest.raises(LlmosError, match="no tool is called 'run_cel'") as caught:
            write()
        assert "Did you mean 'run_cell'?" in caught.value.remedy
    assert not (system.workspace / "agents" / "poet.md").exists()
    # A tool that some file of a person grants already is no obstacle to changing the rest of it.
    (system.workspace / "agents").mkdir(parents=True, exist_ok=True)
    (system.workspace / "agents" / "old.md").write_text("---\nname: old\ntools: [gone_tool]\n---\nYou are old.\n")
    assert system.agents.modify("old", "description", "Was here before.").tools == ("gone_tool",)


def test_a_strangers_settings_loosen_nothing_until_they_are_trusted(place: Path) -> None:
    (place / "workspace").mkdir(exist_ok=True)
    (place / "workspace" / "llmos.toml").write_text(
        'endpoint = "http://127.0.0.1:9"\nbudget_usd = 500\nmax_turns = 3\n[sdk]\ncli_path = "/bin/sh"\n'
        '[[guard]]\nrule = "install"\ndecision = "allow"\n'
    )
    record(GOAL, CODE)
    with pytest.warns(WaitsForTrust, match="3 options and 1 rule not in force") as told:
        system = LLMOS(workspace="workspace", namespace=PlainNamespace())
    with system:
        assert len(told) == 1 and told[0].filename == "workspace/llmos.toml"
        settings = system.settings
        assert (settings.endpoint, settings.budget_usd, settings.max_turns, settings.sdk) == ("scripted", 10.0, 3, {})
        assert follow(system).notices == (
            "llmos.toml: 3 options and 1 rule not in force until you trust them: see %guard trust",
        )
        assert follow(system).notices == (), "once"
        system.guard.trust(system.guard.waiting().shown)
        assert (system.settings.endpoint, system.settings.budget_usd) == ("scripted", 500.0), (
            "the environment goes before"
        )
    with LLMOS(workspace="workspace") as again:
        assert (
            again.settings.sdk == {"cli_path": "/bin/sh"} and again.guard.check("pip install x").decision == "allow"
        )


def test_a_relative_workspace_stays_where_it_was(system: LLMOS, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = '[[guard]]\nrule = "py-install"\ndecision = "allow"\n'
    (place / "sub" / "workspace").mkdir(parents=True)
    (place / "sub" / "data.csv").write_text("a,b\n5,2\n6,4\n")
    (place / "sub" / "workspace" / "llmos.toml").write_text("max_turns = 3\n" + rules)
    assert follow(system).ok
    monkeypatch.chdir(place / "sub")
    assert len(list(system.traces.rows())) == 1
    result = follow(system)
    assert "cannot be read" not in result.reason and result.trace_id, "the trace is found; the folder is the cell's"
    assert system.workspace == place / "workspace" and system.guard.overrides == ()
    assert system.configure(run_budget_usd=0.4).max_turns != 3
    assert str(system.settings.workspace) == "workspace"
    assert sorted(os.listdir("workspace")) == ["llmos.toml"], "nothing was made there"
    assert (
        system.agents.folder == place / "workspace" / "agents"
        and system.projects.folder.parent == place / "workspace"
    )
    system.agents.create("poet", "Writes.", [], "You write.")
    system.projects.create("study")
    assert (place / "workspace" / "agents" / "poet.md").is_file() and (place / "workspace/projects/study").is_dir()
    assert sorted(os.listdir("workspace")) == ["llmos.toml"], "nor agents and projects"
    system.configure(workspace="other")
    assert system.workspace == place / "sub" / "other", "a person names a folder from where they are"
