"""How a goal ended is told truly, whatever went wrong; the ledger is settled and the next goal works."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rig import Rig, children, one_step, soon, until

from llmos_nb.cortex.scripted import Fault, FaultPlan
from llmos_nb.kernel.events import ModelCalled, Notice, TextDelta, ToolFinished
from llmos_nb.mind import Agent

pytestmark = pytest.mark.cli

ADD = one_step("add it up", "run_cell", "total = 1 + 2\nprint(total)", "It is {{result}}.")
BREAK = one_step("break it", "run_cell", "kept = 1\n1 / 0")
OUTSIDE = one_step("write outside", "run_shell", "echo harmless >> ~/.bashrc")
MENDED = (
    "---\ngoal: mend it\n---\n## Turn 1\n\n### run_cell\n\n```\n1 / 0\n```\n\n"
    "## On error\n\n### run_cell\n\n```\nmended = 1\n```\n\n## Answer\n\nDone.\n"
)
SLOW = "---\ngoal: talk slowly\ndelta_delay_s: 0.2\n---\n## Answer\n\n" + "Word after word. " * 100 + "\n"
#: One retry, so that what an unwell endpoint does is over within seconds.
ONCE = {"env": {"CLAUDE_CODE_MAX_RETRIES": "1"}}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("outcomes"), [ADD, BREAK, OUTSIDE, MENDED, SLOW], warm_clients=1)
    yield made
    made.close()


async def the_process() -> int:
    """The one client's process; one that an earlier test used may still be ending."""
    await until(lambda: len(children()) == 1, "one process alone")
    return children()[0]


async def test_success(rig: Rig) -> None:
    result = await rig.run("add it up")
    assert (result.status, result.text, result.steps[0].status) == ("success", "It is 3.", "ok")
    assert rig.namespace.names["total"] == 3
    assert result.trace_id is not None


async def test_last_step_that_raises_fails_the_run(rig: Rig) -> None:
    result = await rig.run("break it")
    assert result.status == "failed"
    assert result.reason == "the last step (run_cell) failed: ZeroDivisionError: division by zero"
    assert result.trace_id is not None, "kept for study"
    assert rig.store.get(result.trace_id).status == "failed"


async def test_error_that_was_mended_is_no_failure(rig: Rig) -> None:
    assert (await rig.run("mend it")).status == "success"


async def test_unknown_goal_fails_without_a_trace(rig: Rig) -> None:
    result = await rig.run("fly to the moon")
    assert (result.status, result.trace_id) == ("failed", None)
    assert "does not know this goal" in result.reason
    assert not any("moon" in row["goal"] for row in rig.store.rows())


async def test_refused_step_is_denied(rig: Rig) -> None:
    result = await rig.run("write outside")
    assert result.status == "denied"
    assert result.reason.startswith("the guard refused run_shell: ")
    assert not Path.home().joinpath(".bashrc").exists()


async def test_tool_without_a_grant_is_not_run(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that calls a tool which it was never offered."""
    from llmos_nb.cortex.scripted import player

    monkeypatch.setattr(player, "_offered_name", lambda tool, offered: f"mcp__llmos__{tool}")
    rig.namespace.names.pop("total", None)
    result = await rig.run("add it up", agent=Agent("reader", tools=("inspect",), prompt="You look."))
    assert result.status in ("denied", "failed")
    assert "run_cell" in result.reason
    assert "total" not in rig.namespace.names
    assert not [event for event in rig.of(ToolFinished, result.run_id) if event.status == "ok"]


async def test_agent_that_says_it_cannot_go_on_has_failed(rig: Rig) -> None:
    result = await rig.run("add it up", agent=Agent("watcher", tools=("inspect",), prompt="You look."))
    assert (result.status, result.reason) == ("failed", "the script could not go on")
    assert "not granted" in result.text


async def test_workspace_budget_that_is_used_up(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ADD, budget_usd=0.001)
    result = await rig.run("add it up", budget_usd=0.5)
    assert result.status == "over_budget"
    assert "workspace" in result.reason
    assert rig.server.requests.count == 0


async def test_run_that_uses_up_its_budget(rig: Rig) -> None:
    rig.namespace.names.pop("total", None)
    result = await rig.run("add it up", budget_usd=0.000001)
    assert result.status == "over_budget"
    assert result.reason.startswith("the run used up its budget: $0.00") and "$1e-06 allowed" in result.reason
    assert "--budget" in result.remedy
    assert result.cost_usd is not None and result.cost_usd > 0.000001
    assert len(rig.of(ModelCalled, result.run_id)) == 1, "no second call was made with an empty purse"
    assert (await rig.run("add it up")).status == "success"


async def test_run_without_a_budget_asks_no_model(rig: Rig) -> None:
    asked = rig.server.requests.count
    result = await rig.run("add it up", budget_usd=0)
    assert (result.status, result.reason) == ("over_budget", "the run has no budget")
    assert rig.server.requests.count == asked


async def test_process_that_dies_while_it_answers(rig: Rig) -> None:
    assert (await rig.run("add it up")).status == "success"
    process = await the_process()
    deltas = len(rig.of(TextDelta))
    soon(lambda: len(rig.of(TextDelta)) > deltas + 3, lambda: os.kill(process, signal.SIGKILL))
    result = await rig.run("talk slowly")
    assert result.status == "failed"
    assert "command line program" in result.reason
    assert result.remedy
    assert result.cost_usd, "the call that was begun is charged"
    assert (await rig.run("add it up")).status == "success"


async def test_process_that_died_since_the_last_goal_is_replaced(rig: Rig) -> None:
    assert (await rig.run("add it up")).status == "success"
    process = await the_process()
    os.kill(process, signal.SIGKILL)
    result = await rig.run("add it up")
    assert result.status == "success", result.reason
    assert children() and process not in children()


async def test_process_that_hangs_since_the_last_goal_is_replaced(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmos_nb.cortex.session.FORGET_LIMIT_S", 0.5)
    assert (await rig.run("add it up")).status == "success"
    process = await the_process()
    os.kill(process, signal.SIGSTOP)
    result = await rig.run("add it up")
    assert result.status == "success", result.reason
    await until(lambda: process not in children(), "the end of the process that hung")


async def test_process_that_hangs_while_it_answers(rig: Rig) -> None:
    assert (await rig.run("add it up")).status == "success"
    process = await the_process()
    deltas = len(rig.of(TextDelta))
    soon(lambda: len(rig.of(TextDelta)) > deltas + 3, lambda: os.kill(process, signal.SIGSTOP))
    usual = rig.settings.time_limit_s
    rig.with_settings(time_limit_s=2.0)
    result = await rig.run("talk slowly")
    rig.with_settings(time_limit_s=usual)
    assert (result.status, result.reason) == ("timed_out", "the time limit of 2 s was reached")
    assert result.duration_s < 2 + 1.5
    await until(lambda: process not in children(), "the end of the process that hung")
    assert (await rig.run("add it up")).status == "success"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", "answered 401"),
        ("429", "answered 429"),
        ("500", "answered 500"),
        ("529", "answered 529"),
        ("error_event", "answered 529"),
        ("cut", "the endpoint failed: API Error"),
        ("malformed", "the endpoint failed: API Error"),
    ],
)
async def test_endpoint_that_stays_unwell(make_rig: Callable[..., Rig], fault: str, words: str) -> None:
    rig = make_rig(ADD, faults=FaultPlan(dict.fromkeys(range(1, 5), fault)), sdk=ONCE)  # type: ignore[arg-type]
    result = await rig.run("add it up")
    assert result.status == "failed"
    assert words in result.reason
    assert result.remedy
    assert "total" not in rig.namespace.names
    failed = rig.server.requests.kinds["message"]
    for _ in range(failed, 4):  # use up what is left of the bad weather
        assert rig.server.next_fault() is not None
    assert (await rig.run("add it up")).status == "success"


@pytest.mark.parametrize("fault", ["500", "cut", "error_event", Fault("slow", delay_s=0.05)])
async def test_endpoint_that_recovers(make_rig: Callable[..., Rig], fault: str) -> None:
    """One bad answer is asked for again; every answer that came is charged, whole or streamed."""
    rig = make_rig(ADD, faults=FaultPlan({1: fault}), sdk=ONCE)  # type: ignore[dict-item]
    result = await rig.run("add it up")
    assert (result.status, result.text) == ("success", "It is 3.")
    calls = rig.of(ModelCalled)
    assert len(calls) >= 2
    assert all(call.input_tokens > 0 and call.output_tokens > 0 for call in calls)
    if fault == "500":
        assert any("answered 500" in notice.text for notice in rig.of(Notice))


async def test_endpoint_that_hangs_meets_the_time_limit(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ADD, faults=FaultPlan({3: "hang"}))
    assert (await rig.run("add it up")).status == "success"  # connects, so that the time is the endpoint's alone
    rig.with_settings(time_limit_s=1.0)
    result = await rig.run("add it up")
    assert (result.status, result.reason) == ("timed_out", "the time limit of 1 s was reached")
    assert result.duration_s < 1 + 1.5
    rig.with_settings(time_limit_s=60.0)
    assert (await rig.run("add it up")).status == "success"


async def test_program_that_is_missing(make_rig: Callable[..., Rig], tmp_path: Path) -> None:
    rig = make_rig(ADD, sdk={"cli_path": str(tmp_path / "no-such-program")})
    result = await rig.run("add it up")
    assert result.status == "failed"
    assert "no-such-program" in result.reason
    assert "claude-agent-sdk" in result.remedy


async def test_program_that_never_answers(make_rig: Callable[..., Rig], tmp_path: Path) -> None:
    program = tmp_path / "silent"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    rig = make_rig(ADD, sdk={"cli_path": str(program)}, time_limit_s=1.5)
    result = await rig.run("add it up")
    assert result.status == "timed_out"
    assert result.duration_s < 1.5 + 1.5
    await until(lambda: not children("sleep"), "the end of the program")


async def test_program_that_ends_at_once(make_rig: Callable[..., Rig], tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    result = await make_rig(ADD, sdk={"cli_path": str(program)}).run("add it up")
    assert result.status == "failed"
    assert "no such library" in result.reason
    assert result.remedy
