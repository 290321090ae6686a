"""``%schedule`` in a real shell, and scheduled goals in a whole system: quiet, each with its own budget, told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cells import run
from recorded import record

from llmos_nb.errors import LlmosError, ScheduleError, SettingsError, UnknownAgent
from llmos_nb.kernel.events import Event, RunStarted
from llmos_nb.kernel.scheduled import SCHEDULED
from llmos_nb.notebook.schedule_magics import OPTIONS
from llmos_nb.system import LLMOS
from llmos_nb.system.goals import goal_of

GOAL = "Say hello to the world"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(place: Path, ipython: Any) -> Iterator[Any]:
    ipython.run_line_magic("load_ext", "llmos_nb")
    yield ipython
    ipython.run_line_magic("unload_ext", "llmos_nb")


def test_jobs_are_added_shown_paused_and_removed(shell: Any) -> None:
    assert "nothing is scheduled" in str(run(shell, "%schedule"))
    added = run(shell, "%schedule add --every '10 min' --name hello --budget 0.2 --timezone UTC Say hello {x} $y?!")
    assert str(added).startswith("hello: every 10 min.\nNobody runs the schedule now")
    added = run(
        shell, "%%schedule add --cron '0 7 * * mon-fri' --timezone Europe/Berlin --catch-up\nLook at\nthe mail"
    )
    assert str(added).startswith("look-at-the-mail: cron 0 7 * * mon-fri Europe/Berlin.")
    system = shell.user_ns["llmos"]
    rows = {row["name"]: row for row in system.schedule.rows()}
    assert rows["hello"]["goal"] == "Say hello {x} $y?!" and rows["look-at-the-mail"]["goal"] == "Look at\nthe mail"
    listing = run(shell, "%schedule")
    assert len(listing) == 2 and "07:00" in str(listing) and "<table>" in listing._repr_html_()
    run(shell, "%schedule pause hello")
    assert "paused" in str(run(shell, "%schedule show hello"))
    run(shell, "%schedule resume hello")
    assert "scheduled" in str(run(shell, "%schedule show hello"))
    run(shell, "%schedule remove hello")
    assert len(run(shell, "%schedule list")) == 1
    assert "catch_up = true" in Path("workspace/schedule/look-at-the-mail.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("remove nothing", ScheduleError, "There is no scheduled job 'nothing'"),
        ("pause", SettingsError, "not understood"),
        ("begin", SettingsError, "not understood"),
        ("add x", ScheduleError, "When is not said"),
        ("add --every 1h", ScheduleError, "goal must be text"),
        ("add --every 10 min Count", ScheduleError, "--every 10: of what"),
        ("add --every 0s x", ScheduleError, "at least 1 s"),
        ("add --cron 0 7 * * 1-5 Count", ScheduleError, "Put the line in quotes"),
        ("add --cron '99 7 * * 1-5' Count", ScheduleError, "Bad minute"),
        ("add --at 2099-12-24 18:00 Count", ScheduleError, "cut in two at the space"),
        ("add --at 2020-01-01T10:00 Count", ScheduleError, "has passed"),
        ("add --evry 1h x", SettingsError, "Did you mean --every?"),
        ("add --every 1h --name 'A b' x", ScheduleError, "cannot be a job's name"),
        ("add --every 1h --agent nobody x", UnknownAgent, "nobody"),
        ("add --every 1h --mode quick x", LlmosError, "quick"),
        ("add --every 1h --budget lots x", SettingsError, "not an amount"),
        ("add --every 1h --project '../x' x", LlmosError, "project"),
    ],
)
def test_what_is_not_understood_says_what_to_do(shell: Any, line: str, error: type[LlmosError], words: str) -> None:
    done = shell.run_cell(f"%schedule {line}", store_history=False)
    raised = done.error_in_exec or done.error_before_exec
    assert isinstance(raised, error) and words in str(raised), raised
    assert not shell.user_ns["llmos"].has_schedule


def test_the_help_names_every_option(shell: Any) -> None:
    magic = shell.find_line_magic("schedule")
    assert all(f"--{option.name}" in magic.__doc__ for option in OPTIONS)


def test_a_scheduled_goal_is_a_quiet_run_of_its_own(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(GOAL, "greeting = 'hello'\nprint(greeting)")
    capsys.readouterr()
    seen: list[Event] = []
    with LLMOS("workspace", endpoint="scripted") as system:
        system.on(RunStarted, seen.append)
        now = [datetime.now(UTC)]
        monkeypatch.setattr(system.schedule, "_clock", lambda: now[0])
        job = system.schedule(GOAL, every="1 hour", name="hello", mode="follower", budget_usd=0.125)
        assert system.schedule.run_pending() == []
        now[0] += timedelta(hours=1)
        (result,) = system.schedule.run_pending()
        assert (result.status, result.mode) == ("success", "follower") and job.budget_usd == 0.125
        assert [output.text for output in result.outputs] == ["hello\n"]
        assert capsys.readouterr().out == ""
        plain = system.run(GOAL, mode="follower")
        assert plain.ok and plain.outputs == () and "hello" in capsys.readouterr().out
        system.bus.flush()
        assert [event.scheduled_by for event in seen if isinstance(event, RunStarted)] == ["hello", ""]
        assert system.schedule.last("hello") is result


def test_the_last_goal_is_the_last_one_of_a_persons(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record("Compute the first greeting", "print('hello')")
    record("Count the letters of hello", "print(5)")
    with LLMOS("workspace", endpoint="scripted") as system:
        now = [datetime.now(UTC)]
        monkeypatch.setattr(system.schedule, "_clock", lambda: now[0])
        mine = system.run("Compute the first greeting", mode="follower")
        system.schedule("Count the letters of hello", every="1 hour", mode="follower")
        system.schedule.run_pending()
        now[0] += timedelta(hours=1)
        (other,) = system.schedule.run_pending()
        system.bus.flush()
        assert other.ok and other.trace_id != mine.trace_id
        assert [run.scheduled_by for run in system.sessions[0].runs] == ["", "count-the-letters-of-hello"]
        assert str(mine.trace_id) in str(system.wrong())


def test_a_scheduled_plan_is_quiet_in_all_its_goals(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record("Compute the first greeting", "greeting = 'hello'\nprint(greeting)")
    record("Count the letters of hello", "count = 5\nprint(count)")
    capsys.readouterr()
    seen: list[Any] = []
    with LLMOS("workspace", endpoint="scripted") as system:
        system.on(RunStarted, seen.append)
        now = [datetime.now(UTC)]
        monkeypatch.setattr(system.schedule, "_clock", lambda: now[0])
        system.schedule("1. Compute the first greeting\n2. Count the letters of hello", every="1 hour", name="both")
        system.schedule.run_pending()
        now[0] += timedelta(hours=1)
        (result,) = system.schedule.run_pending()
        system.bus.flush()
    assert (result.status, result.mode, len(result.nodes)) == ("success", "orchestrator", 2), result
    assert [output.text for output in result.outputs] == ["hello\n", "5\n"]
    assert capsys.readouterr().out == ""
    assert [event.scheduled_by for event in seen] == ["both"] * 3


def test_a_scheduled_goal_asks_nobody(place: Path) -> None:
    from llmos_nb.dispatch.run import Run

    with LLMOS("workspace", endpoint="scripted") as system:
        system._approvals.attend()

        async def decided() -> str:
            goal = goal_of(system, GOAL)
            bench = Run(goal, system._dispatcher._parts).bench
            return bench.check("run_shell", {"command": "mapfile -C id lines"}).decision

        assert asyncio.run(decided()) == "ask"
        token = SCHEDULED.set("hello")
        assert asyncio.run(decided()) == "deny"
        SCHEDULED.reset(token)


def test_a_closed_system_lets_another_have_the_schedule(place: Path) -> None:
    first, second = LLMOS("workspace"), LLMOS("workspace")
    first.schedule(GOAL, every="1 hour", name="hello")
    first.schedule.run_pending()
    assert second.schedule.holder.startswith("another kernel")
    first.close()
    assert second.schedule.run_pending() == []
    second.close()


def test_jobs_belong_to_the_project_in_use_when_they_are_added(place: Path) -> None:
    with LLMOS("workspace", project="lab") as system:
        assert system.schedule(GOAL, every="1 hour").project == "lab"
        assert system.schedule(GOAL, every="1 hour", project="").project == ""
        assert system.schedule(GOAL, every="1 hour", project="other").project == "other"


def test_other_workspaces_have_other_schedules(place: Path) -> None:
    with LLMOS("workspace") as system:
        system.schedule(GOAL, every="1 hour", name="hello")
        system.schedule.run_pending()
        system.configure(workspace="elsewhere")
        assert system.schedule.rows() == [] and not system.has_schedule
        with LLMOS("workspace") as other:
            assert other.schedule.run_pending() == []
