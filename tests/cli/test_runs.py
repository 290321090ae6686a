"""Streaming, usage, several goals at once on one warm client, and conversations that know nothing of each other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from rig import Rig, children, one_step

from llmos_nb.kernel.events import ModelCalled, Notice, RunEnded, RunStarted, TextDelta, ToolFinished
from llmos_nb.kernel.ledger import LEDGER

pytestmark = pytest.mark.cli

ADD = one_step("add {a:int} and {b:int}", "run_cell", "print({{a}} + {{b}})", "The sum is {{result}}.")
SECRET = one_step("remember the {word:word}", "run_cell", "print({{word | quoted}})", "Noted: {{word}}.")
TALK = "---\ngoal: talk slowly\ndelta_delay_s: 0.05\n---\n## Answer\n\n" + "Word after word. " * 20 + "\n"
GUIDED = (
    "---\ngoal: count to {n:int}\n---\n## Turn 1\n\n### run_cell\n\n```\nway = 'long'\n```\n\n"
    "## Guided turn 1\n\n### run_cell\n\n```\nway = 'short'\n```\n\n## Answer\n\nDone.\n"
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("runs"), [ADD, SECRET, TALK, GUIDED])
    yield made
    made.close()


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the model is sent from now on."""
    from llmos_nb.cortex.scripted import handler

    sent: list[dict[str, Any]] = []

    def kept(body: bytes) -> dict[str, Any]:
        request = real(body)
        sent.append(request)
        return request

    real = handler._parse
    monkeypatch.setattr(handler, "_parse", kept)
    return sent


async def test_text_streams_before_the_end(rig: Rig) -> None:
    result = await rig.run("talk slowly")
    deltas, (ended,) = rig.of(TextDelta, result.run_id), rig.of(RunEnded, result.run_id)
    assert len(deltas) > 5
    assert "".join(delta.text for delta in deltas) == result.text
    assert deltas[0].at < deltas[-1].at < ended.at
    assert ended.at - deltas[0].at > 5 * 0.05, "the first piece came while the rest was still being said"


async def test_usage_is_the_same_everywhere(rig: Rig) -> None:
    result = await rig.run("add 2 and 3")
    calls = rig.of(ModelCalled, result.run_id)
    assert len(calls) == 2
    with rig.economy._engine.connect() as connection:
        rows = connection.execute(sa.select(LEDGER).where(LEDGER.c.run_id == result.run_id)).mappings().all()
    assert [row["kind"] for row in rows] == ["model_call", "model_call"]
    for tokens, column in (("input", "input_tokens"), ("output", "output_tokens")):
        assert result.tokens[tokens] == sum(getattr(call, column) for call in calls) > 0
        assert result.tokens[tokens] == sum(row[column] for row in rows)
    assert result.cost_usd == pytest.approx(sum(call.cost_usd for call in calls))
    assert rig.economy.spent_usd("run", result.run_id) == pytest.approx(result.cost_usd, abs=1e-8)
    assert result.cost_usd == pytest.approx((3 * result.tokens["input"] + 15 * result.tokens["output"]) / 1e6)


async def test_goals_share_one_warm_client(rig: Rig) -> None:
    assert (await rig.run("add 2 and 3")).status == "success"
    before = children()
    for _ in range(3):
        assert (await rig.run("add 4 and 5")).text == "The sum is 9."
    assert children() == before
    assert len(before) == 1


async def test_goals_at_once_keep_apart(rig: Rig) -> None:
    goals = [f"add {n} and {10 * n}" for n in (1, 2, 3)] + ["fly to the moon"]
    results = await asyncio.gather(*(rig.run(goal) for goal in goals))
    assert [result.status for result in results] == ["success", "success", "success", "failed"]
    assert [result.text for result in results[:3]] == ["The sum is 11.", "The sum is 22.", "The sum is 33."]
    assert len({result.run_id for result in results}) == 4
    for result in results:
        (started,), (ended,) = rig.of(RunStarted, result.run_id), rig.of(RunEnded, result.run_id)
        assert (started.goal, ended.status) == (result.goal, result.status)
        assert sum(call.input_tokens for call in rig.of(ModelCalled, result.run_id)) == result.tokens["input"]
    for n, result in zip((1, 2, 3), results, strict=False):
        (finished,) = rig.of(ToolFinished, result.run_id)
        assert finished.text == str(11 * n)
    assert rig.economy.reserved_usd == 0


async def test_no_conversation_reaches_the_next_goal(rig: Rig, bodies: list[dict[str, Any]]) -> None:
    first = await rig.run("remember the xylophone")
    assert (first.status, first.text) == ("success", "Noted: xylophone.")
    assert "xylophone" in json.dumps(bodies)
    bodies.clear()
    assert (await rig.run("add 2 and 3")).status == "success"
    assert bodies
    assert "xylophone" not in json.dumps(bodies)
    for body in bodies:
        spoken = [message for message in body["messages"] if message["role"] != "system"]
        assert len(spoken) <= 3, "the goal, a call and its result, and nothing before them"


async def test_stopped_conversation_does_not_reach_the_next_goal(rig: Rig, bodies: list[dict[str, Any]]) -> None:
    running = asyncio.create_task(rig.run("talk slowly"))
    while not rig.of(TextDelta, next(iter(rig.dispatcher.running), "none")):
        await asyncio.sleep(0.01)
    rig.dispatcher.stop()
    assert (await running).status == "stopped"
    bodies.clear()
    assert (await rig.run("add 2 and 3")).status == "success"
    assert "talk slowly" not in json.dumps(bodies)
    assert "Word after word" not in json.dumps(bodies)


async def test_goal_is_delivered_word_for_word(make_rig: Callable[..., Rig], bodies: list[dict[str, Any]]) -> None:
    """Nothing in a goal is a command, a file mention or a placeholder to the program in between."""
    heard = ("/clear", "/help me", "what is in @note.txt?", "!ls", "# remember this", "{said} two")
    rig = make_rig(*(f"---\ngoal: '{goal}'\n---\n## Answer\n\nThat was heard.\n" for goal in heard))
    (rig.folder / "note.txt").write_text("contents of the note")
    for goal in ("/clear", "/help me", "what is in @note.txt?", "!ls", "# remember this", "{a} $HOME `x` \\n  two"):
        bodies.clear()
        result = await rig.run(goal)
        assert (result.status, result.text) == ("success", "That was heard."), goal
        assert "contents of the note" not in json.dumps(bodies)
        assert goal in json.dumps([body["messages"] for body in bodies], ensure_ascii=False).replace("\\\\", "\\")


async def test_guidance_goes_in_beside_the_goal(rig: Rig, bodies: list[dict[str, Any]]) -> None:
    """A trace of the goal guides the agent, by way of the memory hook; the next goal is not given it."""
    assert (await rig.run("count to 3")).status == "success"
    assert "way = 'long'" not in json.dumps(bodies[0])
    bodies.clear()
    result = await rig.run("count to 3", mode="mixed")
    assert result.status == "success", result.reason
    assert rig.namespace.names["way"] == "short", "the script saw that it was guided"
    assert any("guidance" in notice.text for notice in rig.of(Notice, result.run_id))
    assert "way = 'long'" in json.dumps(bodies[0])
    bodies.clear()
    assert (await rig.run("count to 5")).status == "success"
    assert "way = 'long'" not in json.dumps(bodies[0])


async def test_agent_is_offered_what_it_was_granted(
    make_rig: Callable[..., Rig], bodies: list[dict[str, Any]]
) -> None:
    from llmos_nb.mind import Agent

    rig = make_rig(ADD)
    agent = Agent("adder", tools=("run_cell", "Read"), prompt="You only add.")
    assert (await rig.run("add 2 and 3", agent=agent)).status == "success"
    offered = {tool["name"] for tool in bodies[0]["tools"]}
    assert {"mcp__llmos__run_cell", "Read"} <= offered
    assert not {"mcp__llmos__run_shell", "Bash", "Write", "Edit", "WebFetch", "Task", "Agent"} & offered
    assert "You only add." in json.dumps(bodies[0]["system"])
