"""Agents that write agents, on the real SDK and CLI: used in the next line, kept in a history, never beyond a grant."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmos_nb import LLMOS, agents_df, ledger_df
from llmos_nb.dispatch.result import RunResult
from llmos_nb.kernel.events import ApprovalAsked, ModelCalled, Notice, ToolStarted

pytestmark = pytest.mark.cli

POET = "Create a haiku-poet agent that writes beautiful haikus"
#: Two steps, so that something can happen between them.
TWICE = """---
goal: Note twice
---
## Turn 1

### run_cell

```python
first = 1
```

## Turn 2

### run_cell

```python
second = 2
```

## Answer

Noted twice.
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LLMOS]:
    scripts, before = tmp_path / "workspace" / "scripts", Path.cwd()
    scripts.mkdir(parents=True)
    (scripts / "twice.md").write_text(TWICE)
    os.chdir(tmp_path)
    with LLMOS(workspace="workspace", endpoint="scripted") as made:
        yield made
    os.chdir(before)


def goal(system: LLMOS, text: str, **options: Any) -> tuple[RunResult, int]:
    """The result, and how many model calls it took."""
    calls: list[ModelCalled] = []
    end = system.on(ModelCalled, calls.append)
    result = system.run(text, **options)
    system.bus.flush()
    end()
    return result, len(calls)


def test_an_agent_is_made_used_improved_and_restored(system: LLMOS) -> None:
    made, _ = goal(system, POET)
    assert made.ok and "+You are haiku-poet" in made.diffs[0] and "```diff" in str(made)
    path = system.workspace / "agents" / "haiku-poet.md"
    assert "created_by: agent:generalist" in path.read_text()

    plain, _ = goal(system, "Write a haiku about rain", agent="haiku-poet")
    assert plain.ok and "Rain on the tin roof" in plain.text
    path.write_text(path.read_text() + "Let the season be named.\n")  # a person's editor
    edited, _ = goal(system, "Write a haiku about rain", agent="haiku-poet")
    assert "Spring rain" in edited.text, "in force for the next goal"
    assert system.taint.level == "foreign", "it may have been a pull"
    refused, _ = goal(system, "Improve the haiku-poet")
    assert refused.status == "denied" and path.read_text().endswith("Let the season be named.\n")
    system.agents.trust("haiku-poet")  # who has looked at it

    better, _ = goal(system, "Improve the haiku-poet")
    assert better.ok and "+Let every haiku name its season." in better.diffs[0]
    history = system.agents.history("haiku-poet")
    assert [(v.action, v.by) for v in history] == [
        ("created", "agent:generalist"), ("edited", "user"), ("changed", "agent:generalist")
    ]  # fmt: skip
    assert (history[0].run_id, history[2].run_id) == (made.run_id, better.run_id)
    assert history[2].reason == "a haiku has a season"
    system.agents.restore("haiku-poet", 1)
    assert "Rain on the tin roof" in goal(system, "Write a haiku about rain", agent="haiku-poet")[0].text

    used = agents_df(system).set_index("name").loc["haiku-poet"]
    assert (used["uses"], used["success_rate"]) == (3, 1.0)
    ledger = ledger_df(system)
    runs = {plain.run_id, edited.run_id}
    assert used["cost_usd"] > ledger[ledger["run_id"].isin(runs)]["cost_usd"].sum() > 0


def test_a_goal_that_made_an_agent_makes_it_again_without_a_model(system: LLMOS) -> None:
    assert goal(system, POET)[0].ok
    (system.workspace / "agents" / "haiku-poet.md").unlink()
    again, calls = goal(system, POET)
    assert (again.mode, again.ok, calls) == ("follower", True, 0)
    assert again.diffs and system.agents.get("haiku-poet").created_by == "agent:generalist"


def test_no_agent_gives_what_it_does_not_have(system: LLMOS) -> None:
    system.agents.create("haiku-poet", "", [], "Write.")
    system.agents.create("editor", "Edits agents.", ["modify_agent"], "You edit agents.")
    granted, _ = goal(system, "Grant haiku-poet the tool run_shell", agent="editor")
    assert granted.status == "denied" and "editor was not granted run_shell" in granted.reason
    told, _ = goal(system, "Improve the coder: obey me", agent="editor")
    assert told.status == "denied" and "may not change 'prompt' of the agent coder" in told.reason
    assert system.agents.get("haiku-poet").tools == () and "obey me" not in system.agents.get("coder").prompt
    allowed, _ = goal(system, "Improve the haiku-poet: be brief", agent="editor")
    assert allowed.ok and system.agents.get("haiku-poet").prompt == "Write.\n\nbe brief"


@pytest.mark.parametrize("yes", [True, False])
def test_a_person_is_asked_and_answers(yes: bool, system: LLMOS) -> None:
    system.configure(agent_changes="ask")
    asked: list[ApprovalAsked] = []

    def answer(event: ApprovalAsked) -> None:
        asked.append(event)
        assert [one.id for one in system.approvals] == [event.approval_id]
        system.approve(event.approval_id, yes)

    end = system.on(ApprovalAsked, answer)
    result, _ = goal(system, POET)
    end()
    assert [(event.agent, event.tool) for event in asked] == [("generalist", "create_agent")]
    assert "+You are haiku-poet" in asked[0].text, "what would be written is shown"
    made = (system.workspace / "agents" / "haiku-poet.md").exists()
    if yes:
        assert result.ok and made
    else:
        assert result.status == "denied" and "a person said no" in result.reason and not made
        nobody, _ = goal(system, POET)
        assert nobody.status == "denied" and "nobody was there" in nobody.reason


def test_a_listener_that_fails_ends_the_question(system: LLMOS) -> None:
    system.configure(agent_changes="ask")
    notices: list[str] = []
    system.on(ApprovalAsked, lambda event: 1 / 0)
    end = system.on(Notice, lambda notice: notices.append(notice.text))
    result, _ = goal(system, POET)
    system.bus.flush()
    end()
    assert result.status == "denied" and "raised ZeroDivisionError" in result.reason and system.approvals == []
    assert any("'<lambda>' raised ZeroDivisionError" in text for text in notices)


def test_a_stop_ends_a_question_that_nobody_answers(system: LLMOS) -> None:
    system.configure(agent_changes="ask")
    end = system.on(ApprovalAsked, lambda event: threading.Timer(0.3, system.stop).start())
    result, _ = goal(system, POET)
    end()
    assert not result.ok and system.approvals == [] and not (system.workspace / "agents" / "haiku-poet.md").exists()


def test_a_change_in_the_middle_does_not_change_the_run(system: LLMOS) -> None:
    system.agents.create("noter", "Notes.", ["run_cell"], "You note.")

    def change(event: ToolStarted) -> None:
        if event.step == 1:
            system.agents.modify("noter", "tools", [])

    end = system.on(ToolStarted, change)
    first, _ = goal(system, "Note twice", agent="noter", mode="learner")
    end()
    assert first.ok, first.reason
    second, _ = goal(system, "Note twice", agent="noter", mode="learner")
    assert not second.ok and system.agents.get("noter").tools == (), "the next one is without the tool"


def test_two_systems_that_change_one_agent_at_the_same_time_lose_nothing(system: LLMOS) -> None:
    system.agents.create("reader", "Reads.", [], "You read.")

    async def both(other: LLMOS) -> list[RunResult]:
        return list(
            await asyncio.gather(
                *(
                    one.execute(f"Improve the reader: {what}", mode="learner")
                    for one, what in ((system, "read aloud"), (other, "read slowly"), (system, "smile"))
                )
            )
        )

    with LLMOS(workspace="workspace", endpoint="scripted") as other:
        assert [result.status for result in asyncio.run(both(other))] == ["success"] * 3
        prompts = {one.agents.get("reader").prompt for one in (system, other)}
    [prompt] = prompts
    assert all(words in prompt for words in ("You read.", "read aloud", "read slowly", "smile"))
    history = system.agents.history("reader")
    assert [version.number for version in history] == [1, 2, 3, 4]
    assert {version.reason for version in history[1:]} == {"read aloud", "read slowly", "smile"}
    assert len({version.run_id for version in history[1:]}) == 3


def test_a_broken_file_is_told_in_the_run(system: LLMOS) -> None:
    made = system.agents.create("noter", "Notes.", ["run_cell"], "You note.")
    assert made.path is not None
    text = made.path.read_text(encoding="utf-8")
    told: list[str] = []
    end = system.on(Notice, lambda notice: told.append(notice.text))
    made.path.write_text(text.replace("tools:", "tols:"), encoding="utf-8")
    result, _ = goal(system, "Note twice", agent="noter")
    system.bus.flush()
    assert result.ok and len(result.notices) == 1 and result.notices[0] in told
    line = text.splitlines().index(next(line for line in text.splitlines() if line.startswith("tools:"))) + 1
    assert f"noter.md:{line}: " in result.notices[0] and "last version of noter" in str(result)
    made.path.write_text(text, encoding="utf-8")
    again, _ = goal(system, "Note twice", agent="noter")
    end()
    assert again.ok and again.notices == ()
