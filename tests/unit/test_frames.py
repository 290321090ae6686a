from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from llmos_nb import LLMOS, frames
from llmos_nb.errors import AgentFileError, StoreError, TraceFileError
from llmos_nb.frames.rows import agent_uses
from llmos_nb.frames.schema import FRAMES
from llmos_nb.kernel.budget import ModelCall, TokenEconomy, Tokens
from llmos_nb.kernel.events import (
    AgentMessage,
    Event,
    ModeDecided,
    ModelCalled,
    Notice,
    RunEnded,
    RunStarted,
    RunUndone,
    ToolFinished,
    ToolStarted,
)
from llmos_nb.kernel.state import open_state
from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory.session import SessionLog
from llmos_nb.mind import AgentRegistry

ROOT = Path(__file__).parents[2]
STARTED_AT = pd.Timestamp("2026-11-22T07:41:03.250000Z")


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMOS_WORKSPACE", raising=False)
    monkeypatch.delenv("LLMOS_STATE_URL", raising=False)


def model_call(run_id: str, cost: float | None) -> ModelCalled:
    return ModelCalled(
        run_id=run_id, model="m", input_tokens=5, output_tokens=4, cache_read_tokens=3, cache_write_tokens=2,
        cost_usd=cost,
    )  # fmt: skip


def finished(run_id: str, step: int, **more: Any) -> ToolFinished:
    return ToolFinished(run_id=run_id, step=step, tool="run_cell", status="ok", text="3\n", duration_s=0.5, **more)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One run that ended, one that a kill cut short, one whose end is all that is left."""
    events: list[Event] = [
        RunStarted(run_id="r1", at=STARTED_AT.timestamp(), goal="add", agent="adder", endpoint="scripted"),
        ModeDecided(run_id="r1", mode="follower", reason="matches", trace_id="t0", confidence=0.95),
        ModeDecided(run_id="r1", mode="mixed", reason="the replay failed", trace_id="t1", confidence=0.8),
        AgentMessage(run_id="r1", role="user", text="add", agent="adder"),
        ToolStarted(run_id="r1", step=1, tool="run_cell", arguments={"code": "1 + 2"}),
        RunStarted(run_id="r2", goal="wait", agent="adder", endpoint="scripted", forced_mode="learner"),
        model_call("r1", 0.01),
        finished("r1", 1, outputs=("text/plain",), defines={"x": "int"}, files=("a.csv",)),
        ToolStarted(run_id="r2", step=1, tool="run_shell", arguments={"command": "sleep 9"}, replayed=True),
        model_call("r1", 0.02),
        model_call("r2", None),
        AgentMessage(run_id="r1", role="assistant", text="3", agent="adder"),
        RunEnded(
            run_id="r1", status="success", mode="mixed", reason="done", text="3", cost_usd=0.03, saved_usd=0.5,
            duration_s=2.5,
        ),
        Notice(run_id="r3", text="orphan"),
    ]  # fmt: skip
    log = SessionLog(tmp_path / "memory" / "sessions", "s1")
    for event in events:
        log(event)
    return tmp_path


def append(workspace: Path, line: str) -> None:
    with (workspace / "memory" / "sessions" / "s1.jsonl").open("a") as file:
        file.write(line + "\n")


@pytest.mark.parametrize("name", FRAMES)
def test_an_empty_workspace_gives_the_columns_of_the_schema_and_makes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=f"{name}: there is no workspace .*none"):
        df, errors = getattr(frames, name)(tmp_path / "none", strict=False)
    assert errors == []
    assert [(column, str(dtype)) for column, dtype in df.dtypes.items()] == [(c.name, c.dtype) for c in FRAMES[name]]
    assert not (tmp_path / "none").exists()
    if name != "agents_df":  # the packaged agents are everywhere
        assert len(df) == 0


@pytest.mark.filterwarnings("ignore:ledger_df")  # these runs have no ledger
@pytest.mark.parametrize("name", FRAMES)
def test_a_filled_workspace_has_the_same_dtypes(name: str, workspace: Path) -> None:
    df = getattr(frames, name)(workspace)
    assert [(column, str(dtype)) for column, dtype in df.dtypes.items()] == [(c.name, c.dtype) for c in FRAMES[name]]


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_is_there_once_and_says_what_it_means(name: str) -> None:
    names = [column.name for column in FRAMES[name]]
    assert len(set(names)) == len(names)
    assert all(column.meaning for column in FRAMES[name])


def test_runs(workspace: Path) -> None:
    runs = frames.runs_df(workspace).set_index("run_id")
    assert list(runs.index) == ["r1", "r2", "r3"]
    assert runs.loc["r1"].drop("duration_s").to_dict() == {
        "session_id": "s1", "parent_run_id": None, "scheduled_by": None, "background": False, "undone": False,
        "started_at": STARTED_AT, "goal": "add", "agent": "adder", "endpoint": "scripted",
        "forced_mode": "auto", "mode": "mixed", "reason": "done", "status": "success", "cost_usd": 0.03,
        "saved_usd": 0.5, "input_tokens": 10, "output_tokens": 8, "cache_read_tokens": 6, "cache_write_tokens": 4,
        "model_calls": 2, "steps": 1, "trace_id": "t1", "confidence": 0.8, "project": "",
    }  # fmt: skip
    assert runs.loc["r1", "duration_s"] == 2.5


def test_runs_in_the_background_and_taken_back_ones_are_told_apart(tmp_path: Path) -> None:
    log = SessionLog(tmp_path / "memory" / "sessions", "s1")
    begun: dict[str, Any] = {"goal": "g", "agent": "a", "endpoint": "scripted"}
    log(RunStarted(run_id="r1", **begun, background=True))
    log(RunStarted(run_id="r2", **begun))
    log(RunUndone(run_id="r2", names=("x",)))
    runs = frames.runs_df(tmp_path).set_index("run_id")
    assert runs[["background", "undone"]].to_numpy().tolist() == [[True, False], [False, True]]


def test_a_run_without_an_end_has_no_status(workspace: Path) -> None:
    run = frames.runs_df(workspace).set_index("run_id").loc["r2"]
    assert run["status"] is pd.NA
    assert run["saved_usd"] is pd.NA
    assert run["cost_usd"] is pd.NA  # one of its calls has no known price
    assert (run["forced_mode"], run["model_calls"], run["steps"]) == ("learner", 1, 1)


def test_steps(workspace: Path) -> None:
    one, two = frames.steps_df(workspace).to_dict("records")
    assert {key: one[key] for key in ("run_id", "session_id", "step", "position", "tool", "code", "status", "text")} == {
        "run_id": "r1", "session_id": "s1", "step": 1, "position": 5, "tool": "run_cell", "code": "1 + 2",
        "status": "ok", "text": "3\n",
    }  # fmt: skip
    assert [json.loads(one[key]) for key in ("arguments", "outputs", "defines", "files")] == [
        {"code": "1 + 2"}, ["text/plain"], {"x": "int"}, ["a.csv"],
    ]  # fmt: skip
    assert (one["duration_s"], one["replayed"]) == (0.5, False)
    assert (two["code"], two["replayed"]) == ("sleep 9", True)
    assert pd.isna(two["status"])


def test_a_step_number_used_twice_and_an_end_without_a_beginning_are_rows_of_their_own(tmp_path: Path) -> None:
    log = SessionLog(tmp_path / "memory" / "sessions")
    for code in ("first", "second"):
        log(ToolStarted(run_id="r", step=1, tool="run_cell", arguments={"code": code}))
        log(finished("r", 1))
    log(finished("r", 2))
    steps = frames.steps_df(tmp_path)
    assert steps["code"].tolist() == ["first", "second", pd.NA]
    assert steps["status"].tolist() == ["ok"] * 3


def test_messages_and_events_join_by_position(workspace: Path) -> None:
    messages = frames.messages_df(workspace)
    assert messages[["role", "agent", "text"]].values.tolist() == [
        ["user", "adder", "add"],
        ["assistant", "adder", "3"],
    ]
    joined = messages.merge(frames.events_df(workspace), on=["run_id", "position"])
    assert joined["event"].tolist() == ["AgentMessage"] * 2
    assert [json.loads(data)["text"] for data in joined["data"]] == ["add", "3"]


def test_events_count_from_one_in_each_run(workspace: Path) -> None:
    events = frames.events_df(workspace)
    assert events.groupby("run_id")["position"].apply(list).to_dict() == {
        "r1": list(range(1, 11)), "r2": [1, 2, 3], "r3": [1],
    }  # fmt: skip


def test_the_ledger_joins_the_runs_and_keeps_tutorial_money_apart(workspace: Path) -> None:
    engine = open_state(workspace / ".llmos" / "state.db")
    with TokenEconomy(engine=engine, session_id="s1").reserve(0.5, "add", run_id="r1") as reservation:
        reservation.charge(ModelCall(model="m", endpoint="claude", tokens=Tokens(5, 4, 3, 2), cost_usd=0.0512))
        reservation.charge(ModelCall(model="m", cost_usd=None))
    TokenEconomy(engine=engine, simulated=True).deduct(0.25, "play", saved_usd=0.1)
    ledger = frames.ledger_df(workspace)
    assert ledger["id"].tolist() == [1, 2, 3]
    assert ledger["cost_usd"].tolist() == [0.0512, pd.NA, 0.25]
    assert ledger["saved_usd"].tolist() == [0.0, 0.0, 0.1]
    assert ledger["simulated"].tolist() == [False, False, True]
    assert ledger["kind"].tolist() == ["model_call", "model_call", "deduct"]
    assert ledger.loc[0, ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"]].tolist() == [
        5,
        4,
        3,
        2,
    ]
    joined = frames.runs_df(workspace).merge(ledger, on=["run_id", "session_id"], suffixes=("", "_call"))
    assert joined["goal"].tolist() == ["add", "add"]


def test_the_state_url_goes_before_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    monkeypatch.setenv("LLMOS_STATE_URL", f"sqlite:///{elsewhere}")
    assert len(frames.ledger_df(tmp_path)) == 0
    assert not elsewhere.exists()
    TokenEconomy(engine=open_state(elsewhere)).deduct(0.5, "x")
    assert frames.ledger_df(tmp_path)["cost_usd"].tolist() == [0.5]


def test_a_ledger_whose_database_was_left_behind_is_read_from_its_copy(workspace: Path) -> None:
    state = workspace / ".llmos" / "state.db"
    engine = open_state(state)
    TokenEconomy(engine=engine, session_id="s1").deduct(0.5, "real")
    TokenEconomy(engine=engine, simulated=True).deduct(0.25, "play", saved_usd=0.1)
    whole = frames.ledger_df(workspace)
    engine.dispose()
    for file in state.parent.glob("state.db*"):
        file.unlink()
    copied = frames.ledger_df(workspace)
    pd.testing.assert_frame_equal(copied, whole)
    assert not state.exists(), "reading makes no database"
    copy = state.with_name("state.ledger.jsonl")
    copy.write_bytes(copy.read_bytes() + b'{"id": 3, "torn')
    with pytest.raises(StoreError, match="1 lines of the ledger's copy"):
        frames.ledger_df(workspace)
    found, errors = frames.ledger_df(workspace, strict=False)
    assert len(found) == 2 and len(errors) == 1


def test_a_ledger_that_is_lost_is_told_of_where_runs_asked_a_model(workspace: Path) -> None:
    with pytest.warns(UserWarning, match="no ledger of them"):
        assert len(frames.ledger_df(workspace)) == 0


def test_a_ledger_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / ".llmos").mkdir()
    (tmp_path / ".llmos" / "state.db").write_text("not a database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        frames.ledger_df(tmp_path)
    df, errors = frames.ledger_df(tmp_path, strict=False)
    assert (len(df), len(errors)) == (0, 1)


def test_agents(tmp_path: Path) -> None:
    AgentRegistry(tmp_path / "agents").create(
        "haiku-poet", "Writes haiku.", ["run_cell", "recall"], "You are a poet."
    )
    agent = frames.agents_df(tmp_path).set_index("name").loc["haiku-poet"]
    assert agent["description"] == "Writes haiku."
    assert json.loads(agent["tools"]) == ["run_cell", "recall"]
    assert (agent["version"], agent["created_by"], agent["model"]) == (1, "user", pd.NA)
    assert agent["path"] == str(tmp_path / "agents" / "haiku-poet.md")
    assert pd.Timestamp.now("UTC") - agent["created_at"] < pd.Timedelta(minutes=5)


def test_how_agents_fared(tmp_path: Path) -> None:
    """Runs, calls by another agent and model calls, each under the name of the agent that did it."""
    registry = AgentRegistry(tmp_path / "agents")
    for name in ("lead", "helper", "idle", "unpriced"):
        registry.create(name, "", [], "Work.")
    at = STARTED_AT.timestamp()
    ask = {"subagent_type": "helper", "prompt": "x"}
    end: dict[str, Any] = {"mode": "learner", "reason": "", "text": "", "saved_usd": 0.0, "duration_s": 1.0}
    events: list[Event] = [
        RunStarted(run_id="a", at=at, goal="g", agent="lead", endpoint="scripted"),
        dataclasses.replace(model_call("a", 0.5), agent="lead"),
        dataclasses.replace(model_call("a", 0.25), agent="helper"),
        ToolStarted(run_id="a", step=1, tool="Agent", arguments=ask),
        ToolFinished(run_id="a", at=at + 9, step=1, tool="Agent", status="ok", text="", duration_s=1),
        ToolStarted(run_id="a", step=2, tool="Agent", arguments={**ask, "subagent_type": "idle"}),
        ToolFinished(run_id="a", step=2, tool="Agent", status="denied", text="", duration_s=0),
        ToolStarted(run_id="a", step=3, tool="run_cell", arguments={"code": "1"}),
        finished("a", 3),
        RunEnded(run_id="a", status="success", cost_usd=0.75, **end),
        RunStarted(run_id="b", at=at + 60, goal="g", agent="lead", endpoint="scripted"),
        model_call("b", 0.125),
        RunEnded(run_id="b", status="stopped", cost_usd=0.125, **end),
        RunStarted(run_id="c", at=at + 30, goal="g", agent="lead", endpoint="scripted"),
        RunStarted(run_id="d", goal="g", agent="unpriced", endpoint="url"),
        model_call("d", None),
        model_call("d", 0.5),
        RunEnded(run_id="d", status="failed", cost_usd=None, **end),
    ]
    log = SessionLog(tmp_path / "memory" / "sessions", "s1")
    for event in events:
        log(event)
    log.close()
    agents = frames.agents_df(tmp_path).set_index("name")[["uses", "success_rate", "cost_usd", "last_used_at"]]
    assert agents.loc["lead"].tolist() == [3, 0.5, 0.625, STARTED_AT + pd.Timedelta(seconds=60)]
    assert agents.loc["helper"].tolist() == [1, 1.0, 0.25, STARTED_AT + pd.Timedelta(seconds=9)]
    assert agents.loc["idle"].tolist() == [0, pd.NA, 0.0, pd.NaT]
    assert agents.loc["unpriced"].tolist()[:3] == [1, 0.0, pd.NA]
    assert agents["cost_usd"].sum() == 0.875, "what the priced runs cost"


def test_a_broken_agent_file(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "broken.md").write_text("---\nname: [\n---\n")
    with pytest.raises(AgentFileError, match=r"broken\.md"):
        frames.agents_df(tmp_path)
    df, errors = frames.agents_df(tmp_path, strict=False)
    assert "broken" not in df["name"].tolist()
    assert [type(error) for error in errors] == [AgentFileError]


@pytest.mark.parametrize("name", ["runs_df", "steps_df", "messages_df", "events_df"])
def test_strict_raises_at_a_bad_line_and_not_strict_reads_the_rest(name: str, workspace: Path) -> None:
    read = getattr(frames, name)
    whole = read(workspace)
    append(workspace, "not json")
    append(workspace, '{"event": "Later", "run_id": "r1"}')
    with pytest.raises(StoreError, match=r"s1\.jsonl:15: not JSON"):
        read(workspace)
    df, errors = read(workspace, strict=False)
    pd.testing.assert_frame_equal(df, whole)
    assert [error.message.partition(": ")[0].rpartition("/")[2] for error in errors] == ["s1.jsonl:15", "s1.jsonl:16"]


def test_a_value_that_its_column_cannot_hold_is_na_and_an_error(workspace: Path) -> None:
    append(workspace, '{"event": "AgentMessage", "run_id": "r1", "at": 5, "role": "user", "text": ["x"]}')
    with pytest.raises(StoreError, match=r"s1\.jsonl:15: text must be text, got \['x'\]"):
        frames.messages_df(workspace)
    df, errors = frames.messages_df(workspace, strict=False)
    assert df["text"].tolist() == ["add", "3", pd.NA]
    assert len(errors) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"event": "ModelCalled", "input_tokens": "many"},
        {"event": "ModelCalled", "input_tokens": 1.5, "cost_usd": True},
        {"event": "ModelCalled", "input_tokens": 10**30},
        {"event": "RunEnded", "status": 3, "duration_s": "long"},
        {"event": "RunStarted", "goal": {"a": 1}},
        {"event": "ToolStarted", "step": [1], "arguments": "text"},
        {"event": "ToolFinished", "step": None, "duration_s": float("inf")},
    ],
)
def test_no_log_line_breaks_reading(bad: dict[str, Any], workspace: Path) -> None:
    append(workspace, json.dumps({"run_id": "r9", "at": 5, **bad}))
    errors: list[Any] = []
    for name in ("runs_df", "steps_df", "messages_df", "events_df"):
        df, found = getattr(frames, name)(workspace, strict=False)
        assert [str(dtype) for dtype in df.dtypes] == [column.dtype for column in FRAMES[name]]
        errors += found
    assert errors
    assert all("s1.jsonl:" in error.message for error in errors)


def test_half_a_surrogate_pair_does_not_break_a_column(workspace: Path) -> None:
    append(workspace, r'{"event": "AgentMessage", "run_id": "r1", "at": 5, "text": "\ud83d\ude00 \ud83d"}')
    assert frames.messages_df(workspace)["text"].tolist()[-1] == "😀 ?"


def test_which_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(frames.runs_df(str(workspace))) == 3
    assert len(frames.runs_df(SimpleNamespace(workspace=workspace))) == 3
    monkeypatch.setenv("LLMOS_WORKSPACE", str(workspace))
    assert len(frames.runs_df()) == 3
    monkeypatch.delenv("LLMOS_WORKSPACE")
    monkeypatch.chdir(workspace)
    assert len(frames.runs_df()) == 0
    (workspace / "workspace").symlink_to(workspace)
    assert len(frames.runs_df()) == 3
    with pytest.raises(StoreError, match="no workspace"):
        frames.runs_df(3)


def test_importing_the_functions_imports_no_pandas() -> None:
    code = "import sys, llmos_nb.frames; sys.exit(len({'pandas', 'sqlalchemy'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_what_the_schedule_tells_is_no_run(tmp_path: Path) -> None:
    SessionLog(tmp_path / "memory" / "sessions", "s1")(Notice(run_id="schedule", text="missed"))
    assert len(frames.runs_df(tmp_path)) == 0 and list(frames.events_df(tmp_path)["run_id"]) == ["schedule"]


def test_a_goal_that_was_refused_before_anything_was_done_is_no_use_of_its_agent(tmp_path: Path) -> None:
    log = SessionLog(tmp_path / "memory" / "sessions", "s1")
    for run, status in (("r1", "over_budget"), ("r2", "failed"), ("r3", "success")):
        log(RunStarted(run_id=run, goal="add", agent="adder", endpoint="scripted"))
        if run == "r2":
            log(ToolStarted(run_id=run, step=1, tool="run_cell", arguments={}))
        log(
            RunEnded(
                run_id=run,
                status=status,
                mode="learner",
                reason="",
                text="",
                cost_usd=0.0,
                saved_usd=0.0,
                duration_s=1.0,
            )
        )
    log(RunStarted(run_id="r4", goal="add", agent="adder", endpoint="scripted"))  # at work, or cut off
    log.close()
    use = agent_uses(tmp_path)["adder"]
    assert (use.uses, use.success_rate) == (3, 0.5)


def test_a_system_whose_workspace_is_not_made_yet_has_no_rows_and_no_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert frames.runs_df(LLMOS(tmp_path / "new")).empty


def test_traces_are_read_from_their_files_and_nothing_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "memory" / "traces"
    with TraceStore(folder) as store:
        steps = [Step("run_cell", {"code": "1 + 2"}), Step("run_cell", {"code": "1 + 3"})]
        good = store.add(Trace(goal="Add up", steps=steps, cost_usd=0.25, agent="adder"))
        store.add(Trace(goal="Wait", steps=[], status="stopped", cost_usd=None))
        store.replace(dataclasses.replace(good, wrong="it is 4"))
    shutil.rmtree(folder / ".llmos")
    (folder / "broken.md").write_text("no trace")
    (folder / "latin.md").write_bytes("caf\u00e9".encode("latin-1"))
    df, errors = frames.traces_df(tmp_path, strict=False)
    assert not (folder / ".llmos").exists()
    assert sorted(str(error).partition(":")[0] for error in errors) == ["broken.md", "latin.md"]
    rows = df.set_index("goal")
    assert rows.loc["Add up"].drop(["created_at", "wrong", "path"]).to_dict() == {
        "id": good.id, "status": "success", "mode": "learner", "agent": "adder", "project": "", "model": "",
        "cost_usd": 0.25, "duration_s": 0.0, "replayable": False, "edited": False,
    }  # fmt: skip
    assert "it is 4" in rows.loc["Add up", "wrong"] and rows.loc["Wait", "cost_usd"] is pd.NA
    with pytest.raises(TraceFileError):
        frames.traces_df(tmp_path)
