"""Work that an agent hands to another one: recorded, billed and guarded under the other's name, and replayed free."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rig import Rig

from llmos_nb import LLMOS
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal
from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.frames import ledger_df, steps_df
from llmos_nb.kernel.events import AgentMessage, ModelCalled, ToolFinished
from llmos_nb.mind import Agent, AgentRegistry

ANALYST = Agent("analyst", "Describes tables", tools=("run_cell",), prompt="You describe tables.")
WRITER = Agent("scribe", "Writes notes", tools=("write_file",), prompt="You write.")
LEAD = Agent("lead", tools=("Agent", "run_cell", "run_shell", "write_file"), prompt="You lead.")


def asks(
    goal: str, prompt: str, who: str = "analyst", answer: str = "Told: {{result|match: answer is (\\S+)}}"
) -> str:
    """A script of a lead that hands all of its goal to one agent."""
    call = f"description: a part of it\nprompt: {prompt}\nsubagent_type: {who}"
    return (
        f"---\ngoal: {goal}\n---\n## Turn 1\n\n### Agent\n\n```yaml arguments\n{call}\n```\n\n## Answer\n\n{answer}\n"
    )


def does(goal: str, *calls: tuple[str, str, str], answer: str = "The answer is {{result|match: (\\d+)}}") -> str:
    turns = "".join(
        f"## Turn {n}\n\n### {tool}\n\n```{language}\n{text}\n```\n\n"
        for n, (tool, language, text) in enumerate(calls, 1)
    )
    return f"---\ngoal: {goal}\n---\n{turns}## Answer\n\n{answer}\n"


COUNT = ("run_cell", "python", "rows = 40 + 4\nprint(rows)")


async def run(rig: Rig, goal: str, team: tuple[Agent, ...] = (ANALYST,), lead: Agent = LEAD) -> RunResult:
    number = len(rig.of(ModelCalled)) + len(rig.events)
    try:
        return await rig.dispatcher.execute(
            Goal(
                run_id=f"run-{number}", text=goal, mode="auto", agent=lead, agent_asked=False, model="scripted",
                budget_usd=0.5, cwd=rig.folder, team=team,
            )
        )  # fmt: skip
    finally:
        rig.bus.flush()


async def test_a_delegate_is_recorded_and_billed_by_its_name_and_replayed_free(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(asks("Have the rows counted", "Count the rows now"), does("Count the rows now", COUNT))
    learned = await run(rig, "Have the rows counted")
    assert (learned.status, learned.text) == ("success", "Told: 44")
    assert rig.namespace.names["rows"] == 44, "a delegate works in the same kernel"
    assert [(c.tool, c.agent) for c in rig.of(ToolFinished, learned.run_id)] == [
        ("run_cell", "analyst"),
        ("Agent", ""),
    ]
    assert learned.trace_id is not None
    trace = rig.store.get(learned.trace_id)
    assert [(s.tool, s.agent, s.expect.replay) for s in trace.steps] == [
        ("run_cell", "analyst", True), ("Agent", "", False)
    ]  # fmt: skip
    billed = rig.of(ModelCalled, learned.run_id)
    assert [call.agent for call in billed].count("lead") == 2
    assert [call.agent for call in billed].count("analyst") >= 2
    requests = rig.server.requests
    assert sum(call.input_tokens for call in billed) > 0 and requests is not None
    assert abs(sum(call.cost_usd for call in billed) - (learned.cost_usd or 0)) < 1e-9
    said = [(m.role, m.agent) for m in rig.of(AgentMessage, learned.run_id)]
    assert ("user", "analyst") in said and ("assistant", "analyst") in said and said[-1] == ("assistant", "lead")

    del rig.namespace.names["rows"]
    again = await run(rig, "Have the rows counted")
    assert (again.status, again.mode, again.cost_usd, again.text) == ("success", "follower", 0.0, "Told: 44")
    assert rig.namespace.names["rows"] == 44


async def test_a_delegate_has_its_own_grant_not_its_callers(make_rig: Callable[..., Rig]) -> None:
    shell = ("run_shell", "bash", "echo 44 rows")
    rig = make_rig(
        asks("Have it listed", "List it now"),
        does("List it now", shell),
        does("List it directly", shell),
    )
    refused = await run(rig, "Have it listed")
    assert refused.status == "failed" and "analyst" in refused.reason, "the tool is not even offered"
    assert not [c for c in rig.of(ToolFinished, refused.run_id) if c.tool == "run_shell" and c.status == "ok"]
    direct = await run(rig, "List it directly")
    assert direct.status == "success", "the caller itself has the tool"


async def test_a_call_that_slips_past_the_offer_is_denied_by_the_delegates_grant(
    make_rig: Callable[..., Rig],
) -> None:
    """The client offers too much: the guard goes by the delegate's own grant all the same."""
    wide = Agent("analyst", "Describes tables", tools=("run_cell", "run_shell"), prompt="You describe tables.")
    rig = make_rig(asks("Have it listed", "List it now"), does("List it now", ("run_shell", "bash", "echo 44 rows")))
    run_of = rig.cortex.run

    async def offering(*arguments: Any, team: Any = (), **options: Any) -> None:
        await run_of(*arguments, team=(wide,), **options)

    rig.cortex.run = offering  # type: ignore[method-assign]
    refused = await run(rig, "Have it listed")
    calls = [(c.tool, c.agent, c.status) for c in rig.of(ToolFinished, refused.run_id)]
    assert calls[0] == ("run_shell", "analyst", "denied")
    assert refused.status == "denied" and "of analyst" in refused.reason and "not granted" in refused.reason
    assert "rows" not in rig.namespace.names


async def test_only_delegates_can_be_called(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(
        asks("Have anyone count", "Count the rows now", who="general-purpose"), does("Count the rows now", COUNT)
    )
    refused = await run(rig, "Have anyone count")
    assert refused.status == "denied" and "no delegate" in refused.reason
    assert "rows" not in rig.namespace.names


async def test_a_delegate_that_fails_is_no_success(make_rig: Callable[..., Rig]) -> None:
    broken = ("run_cell", "python", "1 / 0")
    rig = make_rig(asks("Have it divided", "Divide it now", answer="All went well."), does("Divide it now", broken))
    failed = await run(rig, "Have it divided")
    assert failed.status == "failed" and "analyst" in failed.reason and "ZeroDivisionError" in failed.reason


async def test_a_task_that_no_script_knows_is_no_success(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(asks("Have it guessed", "Guess something nobody wrote down", answer="All went well."))
    failed = await run(rig, "Have it guessed")
    assert failed.status == "failed" and "Guess something" in failed.reason


async def test_two_delegates_at_once_keep_their_names(make_rig: Callable[..., Rig]) -> None:
    both = (
        "---\ngoal: Have it counted and noted\n---\n## Turn 1\n\n"
        + "".join(
            f"### Agent\n\n```yaml arguments\ndescription: part\nprompt: {prompt}\nsubagent_type: {who}\n```\n\n"
            for prompt, who in (("Count the rows now", "analyst"), ("Note it now", "scribe"))
        )
        + "## Answer\n\nDone.\n"
    )
    note = "## Turn 1\n\n### write_file\n\n```yaml arguments\npath: note.txt\ncontent: noted 1\n```\n\n"
    rig = make_rig(
        both, does("Count the rows now", COUNT), f"---\ngoal: Note it now\n---\n{note}## Answer\n\nNoted.\n"
    )
    done = await run(rig, "Have it counted and noted", (ANALYST, WRITER))
    assert done.status == "success"
    calls = sorted((c.tool, c.agent) for c in rig.of(ToolFinished, done.run_id))
    assert calls == [("Agent", ""), ("Agent", ""), ("run_cell", "analyst"), ("write_file", "scribe")]
    assert {call.agent for call in rig.of(ModelCalled, done.run_id)} >= {"lead", "analyst", "scribe"}


def lead_file(workspace: Path, *, tools: str = "[Agent, run_cell]", delegates: str = "[analyst]") -> None:
    agents = workspace / "agents"
    agents.mkdir(parents=True, exist_ok=True)
    (agents / "lead.md").write_text(f"---\nname: lead\ntools: {tools}\ndelegates: {delegates}\n---\nYou lead.\n")
    AgentRegistry(agents).trust("lead")


def agent_file(workspace: Path, name: str, tools: str) -> None:
    (workspace / "agents").mkdir(parents=True, exist_ok=True)
    (workspace / "agents" / f"{name}.md").write_text(
        f"---\nname: {name}\ndescription: tables\ntools: {tools}\n---\nYou describe tables.\n"
    )
    with contextlib.suppress(AgentFileError):  # a broken one
        AgentRegistry(workspace / "agents").trust(name)


async def test_the_whole_system_delegates_by_agent_files(playground: Path) -> None:
    workspace = playground / "workspace"
    lead_file(workspace)
    agent_file(workspace, "analyst", "[run_cell]")
    (workspace / "scripts").mkdir()
    (workspace / "scripts" / "lead.md").write_text(asks("Have the rows counted", "Count the rows now"))
    (workspace / "scripts" / "count.md").write_text(does("Count the rows now", COUNT))
    with LLMOS(workspace) as system:
        done = await system.execute("Have the rows counted", agent="lead")
        assert done.status == "success"
        again = await system.execute("Have the rows counted", agent="lead")
        assert (again.mode, again.cost_usd) == ("follower", 0.0)
        ledger = ledger_df(workspace)
        assert set(ledger[ledger.kind == "model_call"].agent) == {"lead", "analyst"}
        steps = steps_df(workspace)
        assert list(steps[steps.tool == "run_cell"].agent) == ["analyst", ""]


@pytest.mark.parametrize(
    ("tools", "delegates", "files", "said"),
    [
        ("[Agent, run_cell]", "[analist]", {"analyst": "[run_cell]"}, "No agent is named 'analist'"),
        ("[Agent, run_cell]", "[analyst]", {"analyst": "[run_cell, run_shell]"}, "may use run_shell"),
        ("[Agent, run_cell]", "[analyst]", {"analyst": "[run_cell, Agent]"}, "does not delegate further"),
        ("[Agent, run_cell]", "[analyst]", {"analyst": "run_cell"}, "tools must be a list"),
        ("[Agent, run_cell]", "analyst", {"analyst": "[run_cell]"}, "must be a list of agents' names"),
        ("[Agent, run_cell]", "[lead]", {}, "names itself"),
        ("[Agent, run_cell]", "[]", {}, "names nobody"),
        ("[run_cell]", "[analyst]", {"analyst": "[run_cell]"}, "is not granted the tool Agent"),
        ("[Agent, run_cell]", "[analyst]", {"analyst": "[run_cell, fly]"}, "fly"),
    ],
)
async def test_a_team_that_cannot_work_is_refused_before_anything_begins(
    tools: str, delegates: str, files: dict[str, str], said: str, playground: Path
) -> None:
    workspace = playground / "workspace"
    lead_file(workspace, tools=tools, delegates=delegates)
    for name, granted in files.items():
        agent_file(workspace, name, granted)
    with LLMOS(workspace) as system:
        with pytest.raises((AgentFileError, UnknownAgent), match="lead") as error:
            await system.execute("Have the rows counted", agent="lead")
        assert said in str(error.value)
        assert not system.traces.rows()
