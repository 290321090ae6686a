"""An agent writes agents: at once usable, never beyond its own grant, shown as a diff, and asked for where that is set."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmos_nb import LLMOS
from llmos_nb.errors import GuardDenied, UnknownApproval
from llmos_nb.guard.effects import FileEffects, watching
from llmos_nb.guard.undo import Undo
from llmos_nb.kernel.approvals import Answer, Approval, Approvals
from llmos_nb.kernel.events import ApprovalAsked, ApprovalGiven, Event, Notice
from llmos_nb.learning.record import recorded_steps
from llmos_nb.learning.replay import Replay, replay
from llmos_nb.memory import Trace
from llmos_nb.memory.seal import sealed
from llmos_nb.mind import AgentRegistry
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.services import Services
from llmos_nb.tools.workbench import Call, Workbench

OWN = ("create_agent", "modify_agent", "list_agents", "reload_agent", "run_cell", "write_file", "run_shell")
POET = {"name": "poet", "description": "Writes.", "prompt": "You write."}


class Desk:
    """A workspace, and workbenches for agents that work there."""

    def __init__(self, folder: Path) -> None:
        self.cwd = folder
        self.workspace = folder / "workspace"
        self.agents = AgentRegistry(self.workspace / "agents")
        self.events: list[Event] = []
        self.approvals = Approvals(self.events.append)

    def bench(self, grant: tuple[str, ...] = OWN, policy: str = "allow") -> Workbench:
        return Workbench(
            "run-1", namespace=PlainNamespace(), workspace=self.workspace, cwd=self.cwd, grant=grant,
            publish=self.events.append, agent="maker",
            services=Services(agents=self.agents, agent_changes=policy, approvals=self.approvals),
        )  # fmt: skip

    def call(self, tool: str, grant: tuple[str, ...] = OWN, policy: str = "allow", **arguments: Any) -> Call:
        async def work() -> Call:
            return await self.bench(grant, policy).call(tool, arguments)

        return asyncio.run(work())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def text(call: Call) -> str:
    assert call.result is not None, call.verdict.reason
    return call.result.text


def test_an_agent_is_created_shown_and_listed(desk: Desk) -> None:
    made = desk.call("create_agent", **POET, tools=["run_cell"], reason="for fun")
    assert made.status == "ok" and made.result is not None
    assert made.result.files == ("workspace/agents/poet.md",)
    assert "+tools: [run_cell]" in made.result.diff and made.result.diff in made.result.text
    agent = desk.agents.get("poet")
    assert (agent.tools, agent.created_by, agent.prompt) == (("run_cell",), "agent:maker", "You write.")
    version = desk.agents.history("poet")[0]
    assert (version.by, version.reason, version.run_id) == ("agent:maker", "for fun", "run-1")
    assert "- poet: Writes. [tools: run_cell; version 1]" in text(desk.call("list_agents"))
    assert "generalist" not in text(desk.call("list_agents", about="WRITES poet"))
    assert text(desk.call("reload_agent", name="poet")).startswith("poet: version 1 is in force. Tools: run_cell.")


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ({"field": "prompt", "value": "You sing."}, "prompt", "You sing."),
        ({"field": "prompt", "value": "Sing.", "append": True}, "prompt", "You write.\n\nSing."),
        ({"field": "description", "value": "Well.", "append": True}, "description", "Writes. Well."),
        ({"field": "tools", "value": ["run_cell"]}, "tools", ("run_cell",)),
        ({"field": "tools", "value": "run_cell, list_agents", "append": True}, "tools", ("run_cell", "list_agents")),
        ({"field": "model", "value": "haiku"}, "model", "haiku"),
        ({"field": "model", "value": ""}, "model", None),
    ],
)
def test_a_field_is_changed(arguments: dict[str, Any], field: str, value: Any, desk: Desk) -> None:
    desk.call("create_agent", **POET)
    changed = desk.call("modify_agent", name="poet", **arguments)
    assert changed.status == "ok", text(changed)
    assert getattr(desk.agents.get("poet"), field) == value
    again = desk.call("modify_agent", name="poet", **arguments)
    assert "nothing was changed" in text(again) and again.result is not None and again.result.diff == ""


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_agent", {**POET, "tools": ["Bash"]}),
        ("create_agent", {**POET, "tools": "run_cell, WebFetch"}),
        ("modify_agent", {"name": "weak", "field": "tools", "value": ["inspect"], "append": True}),
        ("modify_agent", {"name": "strong", "field": "prompt", "value": "Obey me."}),
        ("modify_agent", {"name": "strong", "field": "tools", "value": []}),
        ("modify_agent", {"name": "strong", "field": "model", "value": "opus"}),
        ("modify_agent", {"name": "researcher", "field": "prompt", "value": "Obey me."}),
    ],
)
def test_nothing_beyond_the_own_grant(tool: str, arguments: dict[str, Any], desk: Desk) -> None:
    desk.agents.create("strong", "", ["Bash", "run_cell"], "Strong.")
    desk.agents.create("weak", "", [], "Weak.")
    refused = desk.call(tool, **arguments)
    assert refused.verdict.rule == "beyond-own-grant", refused
    assert desk.agents.get("strong").prompt == "Strong." and desk.agents.get("weak").tools == ()
    assert "poet" not in [agent.name for agent in desk.agents.list()]


def test_what_was_widened_meanwhile_is_not_changed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check came before: the change itself looks again, under the lock."""
    desk.agents.create("weak", "", [], "Weak.")

    async def work() -> Call:
        bench = desk.bench()
        monkeypatch.setattr(Workbench, "check", lambda self, *a, **k: __import__("llmos_nb").guard.verdict.ALLOWED)
        return await bench.call("modify_agent", {"name": "researcher", "field": "prompt", "value": "Obey me."})

    assert "was not granted" in text(asyncio.run(work()))
    assert desk.agents.get("researcher").path.parent != desk.agents.folder  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_agent", {"name": "poet"}),
        ("create_agent", {**POET, "options": {"hooks": []}}),
        ("create_agent", {**POET, "permissionMode": "bypassPermissions"}),
        ("create_agent", {**POET, "tools": [1]}),
        ("create_agent", {**POET, "tools": {"a": 1}}),
        ("create_agent", {**POET, "name": "../poet"}),
        ("create_agent", {**POET, "name": "p\u043eet"}),
        ("create_agent", {**POET, "name": "gener4list", "prompt": "a\0b"}),
        ("create_agent", {**POET, "name": "coder"}),
        ("create_agent", {**POET, "name": "genera1ist"}),
        ("create_agent", {**POET, "model": "--help"}),
        ("create_agent", {**POET, "prompt": "x" * 70_000}),
        ("modify_agent", {"name": "nobody", "field": "prompt", "value": "x"}),
        ("modify_agent", {"name": "weak", "field": "options", "value": "{hooks: x}"}),
        ("modify_agent", {"name": "weak", "field": "version", "value": "1"}),
        ("modify_agent", {"name": "weak", "field": "prompt", "value": ["x"]}),
        ("modify_agent", {"name": "weak", "field": "tools", "value": "* Bash(rm)"}),
        ("reload_agent", {"name": "nobody"}),
        ("reload_agent", {"name": "../../etc/passwd"}),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(tool: str, arguments: dict[str, Any], desk: Desk) -> None:
    desk.agents.create("weak", "", [], "Weak.")
    refused = desk.call(tool, **arguments)
    assert refused.status in ("error", "denied")
    assert sorted(path.name for path in desk.agents.folder.iterdir()) == ["weak.md"]
    assert desk.agents.get("weak").version == 1


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("write_file", {"path": "workspace/agents/poet.md", "content": "x"}),
        ("run_shell", {"command": "echo x > workspace/agents/poet.md"}),
        ("run_cell", {"code": "open('workspace/agents/poet.md', 'w')"}),
        ("run_cell", {"code": "import os\nos.chdir('workspace/agents')\nopen('poet.md', 'w').write('x')"}),
        ("run_cell", {"code": "for name in ['workspace/agents/poet.md']:\n    open(name, 'w').write('x')"}),
        ("run_cell", {"code": "for name in ['workspace/llmos.toml']:\n    open(name, 'w').write('x')"}),
        ("run_cell", {"code": "import os\nfor n in ['workspace/agents/weak.md']:\n    os.replace(n, 'weak.md')"}),
        ("run_cell", {"code": "import os\nfor n in ['workspace/agents/weak.md']:\n    os.remove(n)"}),
        ("run_cell", {"code": "llmos.agents.create('poet', '', ['Bash'], 'x')"}),
        ("run_cell", {"code": "system = llmos\nsystem.agents.modify('weak', 'tools', ['Bash'])"}),
        ("run_cell", {"code": "llmos.approve('a1')"}),
        ("run_cell", {"code": "llmos.economy.set_limit('workspace', 1000)"}),
        ("run_cell", {"code": "llmos.settings = None"}),
        (
            "run_cell",
            {
                "code": "from llmos_nb.mind import AgentRegistry\nAgentRegistry('workspace/agents').create('poet','',[],'')"
            },
        ),
        (
            "run_cell",
            {
                "code": "from llmos_nb import LLMOS as L\nfor f in [L('workspace').agents.write]:\n    f('weak', 'Obey')"
            },
        ),
    ],
)
def test_agents_and_settings_change_by_their_tools_alone(tool: str, arguments: dict[str, Any], desk: Desk) -> None:
    desk.agents.create("weak", "", [], "Weak.")
    refused = desk.call(tool, **arguments)
    assert refused.status in ("error", "denied"), refused
    assert sorted(path.name for path in desk.agents.folder.iterdir()) == ["weak.md"]
    assert desk.agents.get("weak").prompt == "Weak."
    assert not (desk.workspace / "llmos.toml").exists()


# -- replays


def again(desk: Desk, calls: list[Call], policy: str = "allow") -> Replay:
    trace = sealed(Trace(goal="g", steps=recorded_steps(calls), status="success", answer="It is there."))

    async def work() -> Replay:
        return await replay(trace, trace.steps, desk.bench(policy=policy))

    return asyncio.run(work())


def test_a_replay_makes_the_agent_again_and_leaves_the_same_one_alone(desk: Desk) -> None:
    made = desk.call("create_agent", **POET)
    same = again(desk, [made])
    assert same.surprise == "" and "nothing was changed" in same.answer
    assert desk.agents.get("poet").version == 1
    (desk.agents.folder / "poet.md").unlink()
    assert again(desk, [made]).answer == "It is there."
    assert desk.agents.get("poet").prompt == "You write."


def test_a_replay_is_refused_where_another_agent_has_the_name(desk: Desk) -> None:
    made = desk.call("create_agent", **POET)
    desk.agents.modify("poet", "prompt", "You paint.")
    refused = again(desk, [made])
    assert "there is an agent poet already, and it is another one" in refused.surprise.lower()
    assert desk.agents.get("poet").prompt == "You paint."


def test_a_replay_answers_to_the_same_policy(desk: Desk) -> None:
    made = desk.call("create_agent", **POET)
    (desk.agents.folder / "poet.md").unlink()
    assert "agent_changes is deny" in again(desk, [made], "deny").surprise
    assert "nobody was there" in again(desk, [made], "ask").surprise
    assert not (desk.agents.folder / "poet.md").exists()


# -- approvals


def answering(desk: Desk, yes: bool) -> Callable[[], None]:
    def present(approval: Approval) -> Callable[[], None]:
        threading.Timer(0.05, desk.approvals.answer, (approval.id, yes)).start()
        return lambda: desk.events.append(Event(run_id="taken away"))

    return desk.approvals.attend(present=present)


def test_a_person_says_yes_or_no(desk: Desk) -> None:
    leave = answering(desk, True)
    assert desk.call("create_agent", policy="ask", **POET).status == "ok"
    asked, given = (e for e in desk.events if isinstance(e, ApprovalAsked | ApprovalGiven))
    assert isinstance(asked, ApprovalAsked) and "+You write." in asked.text and asked.agent == "maker"
    assert isinstance(given, ApprovalGiven) and given.approved and given.by == "person"
    assert desk.events[-2].run_id != "taken away" and any(e.run_id == "taken away" for e in desk.events)
    leave()
    answering(desk, False)
    refused = desk.call("modify_agent", policy="ask", name="poet", field="prompt", value="x")
    assert refused.status == "denied" and "a person said no" in refused.verdict.reason
    assert desk.agents.get("poet").prompt == "You write."
    assert desk.approvals.pending == []


def test_with_nobody_there_it_is_no_at_once(desk: Desk) -> None:
    refused = desk.call("create_agent", policy="ask", **POET)
    assert refused.status == "denied" and "nobody was there" in refused.verdict.reason
    desk.approvals.attend(lambda: False)  # a frontend that takes no input
    assert desk.call("create_agent", policy="ask", **POET).status == "denied"
    assert not [event for event in desk.events if isinstance(event, ApprovalAsked)]


def test_a_question_that_cannot_be_shown_is_told_and_answered_no(desk: Desk) -> None:
    def broken(approval: Approval) -> Callable[[], None]:
        raise ImportError("no widgets here")

    def gone() -> None:
        raise RuntimeError("the display is gone")

    leave = desk.approvals.attend(present=broken)
    assert desk.call("create_agent", policy="ask", **POET).status == "denied"
    assert desk.approvals.pending == []
    assert not [e for e in desk.events if isinstance(e, ApprovalAsked | ApprovalGiven)]
    answering(desk, True)  # somebody else sees it
    desk.approvals.attend(present=lambda approval: gone)
    assert desk.call("create_agent", policy="ask", **POET).status == "ok"
    told = [event.text for event in desk.events if isinstance(event, Notice)]
    assert any("no widgets here" in text for text in told) and any("display is gone" in text for text in told)
    leave()


def test_a_yes_never_widens_the_grant(desk: Desk) -> None:
    answering(desk, True)
    assert desk.call("create_agent", policy="ask", **POET, tools=["Bash"]).verdict.rule == "beyond-own-grant"
    assert not [event for event in desk.events if isinstance(event, ApprovalAsked)]


def test_the_loop_goes_on_while_a_person_thinks_and_a_stop_ends_it(desk: Desk) -> None:
    desk.approvals.attend()

    async def work() -> tuple[Call, int]:
        bench = desk.bench(policy="ask")
        task = asyncio.create_task(bench.call("create_agent", dict(POET)))
        beats = 0
        while not desk.approvals.pending:
            await asyncio.sleep(0.01)
        for _ in range(10):
            await asyncio.sleep(0.01)
            beats += 1
        await asyncio.to_thread(bench.stop)
        return await asyncio.wait_for(task, 5), beats

    done, beats = asyncio.run(work())
    assert done.status == "denied" and done.verdict.rule == "stopping" and beats == 10
    assert desk.approvals.pending == []
    given = [event for event in desk.events if isinstance(event, ApprovalGiven)]
    assert [(event.approved, event.by) for event in given] == [(False, "nobody: the run was stopped")]


def test_a_cancelled_cell_takes_its_question_back(desk: Desk) -> None:
    desk.approvals.attend()

    async def work() -> None:
        task = asyncio.create_task(desk.bench(policy="ask").call("create_agent", dict(POET)))
        while not desk.approvals.pending:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert desk.approvals.pending == []


def test_other_questions_of_the_guard_are_asked_too(desk: Desk) -> None:
    answering(desk, True)
    assert desk.call("run_cell", code="import ctypes\nx = 1").status == "ok"
    asked = next(event for event in desk.events if isinstance(event, ApprovalAsked))
    assert asked.tool == "run_cell" and asked.text == "import ctypes\nx = 1"


def test_when_the_last_one_who_could_answer_has_left_it_is_no(desk: Desk) -> None:
    first, second = desk.approvals.attend(), desk.approvals.attend()

    async def work() -> Call:
        task = asyncio.create_task(desk.bench(policy="ask").call("create_agent", dict(POET)))
        while not desk.approvals.pending:
            await asyncio.sleep(0.01)
        question = desk.approvals.pending[0].id
        first.cannot(question, "it failed")
        first.cannot(question, "it failed twice")
        await asyncio.sleep(0.05)
        assert desk.approvals.pending, "somebody else can answer"
        second()
        return await asyncio.wait_for(task, 5)

    done = asyncio.run(work())
    assert done.status == "denied" and "nobody: who was asked has left" in done.verdict.reason
    assert desk.approvals.pending == [] and desk.approvals.attended, "the one that failed may do better next time"


@pytest.mark.parametrize("wrong", ["raises", "wrong id", "often"])
def test_a_listener_that_fails_is_told_and_answers_no(wrong: str, desk: Desk) -> None:
    with LLMOS("workspace") as system:
        told: list[str] = []

        def decide(event: ApprovalAsked) -> None:
            if wrong == "wrong id":
                system.approve("a99")
            raise ZeroDivisionError("one by none")

        end = system.on(ApprovalAsked, decide)
        system.on(Notice, lambda notice: told.append(notice.text))
        question = {"run_id": "r", "agent": "maker", "tool": "create_agent", "reason": "", "text": ""}

        async def asked() -> Answer:
            asking = system._approvals.ask(**question, opened=lambda approval_id: None)
            return await asyncio.wait_for(asking, 5)

        problem = "UnknownApproval: No question 'a99' is open" if wrong == "wrong id" else "ZeroDivisionError"
        for _ in range(10 if wrong == "often" else 1):
            answer = asyncio.run(asked())
            assert not answer.yes and answer.by.startswith("nobody: the listener 'decide' raised")
            assert problem in answer.by
        assert system.bus.flush() and "'decide' raised" in told[0] and problem in told[0]
        assert system._approvals.attended == (wrong != "often"), "whom the bus let go is not there any more"
        end()
        assert system.approvals == [] and not system._approvals.attended


def test_the_system_answers_for_a_person_and_not_for_an_agent(desk: Desk) -> None:
    with LLMOS("workspace") as system:
        assert system.approvals == []
        with pytest.raises(UnknownApproval, match="'a7'"):
            system.approve("a7")
        with pytest.raises(UnknownApproval):
            system.approve()
        with watching(FileEffects((desk.cwd,), Undo())), pytest.raises(GuardDenied):
            system.approve("a7")
        seen: list[ApprovalAsked] = []
        end = system.on(ApprovalAsked, seen.append)
        assert system._approvals.attended
        end()
        assert not system._approvals.attended
