"""Plans, run for real: the model asked for one, nodes through the dispatcher, parallel clients, failure, resume, replay."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rig import Rig, children, one_step, until

from llmos_nb.dispatch.orchestrator import Node, Plan, Product
from llmos_nb.dispatch.orchestrator.claim import claimed
from llmos_nb.dispatch.orchestrator.plan import plan_from
from llmos_nb.dispatch.orchestrator.state import latest, load_state, plans_folder
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal
from llmos_nb.errors import PlanError
from llmos_nb.kernel.events import (
    ModelCalled,
    NodeEnded,
    NodeStarted,
    PlanMade,
    RunStarted,
    ToolFinished,
    ToolStarted,
)
from llmos_nb.tools.services import Services
from llmos_nb.tools.summary import namespace_summary

pytestmark = pytest.mark.cli

GOAL = "Compute a and b. Then combine them."


def planned(goal: str, plan: dict[str, Any] | None, *, answer: str = "Done.") -> str:
    """A script that plans; ``plan`` None answers in words."""
    turn = f"## Turn 1\n\n### StructuredOutput\n\n```yaml arguments\n{json.dumps(plan)}\n```\n" if plan else ""
    return f"---\ngoal: 'Make a plan for this goal: {goal}'\n---\n{turn}\n## Answer\n\n{answer}\n"


def cell(goal: str, code: str, answer: str, header: str = "") -> str:
    return one_step(goal, "run_cell", code, answer, header)


A = cell("Compute a into the variable a", "a = 2\nprint('a is', a)", "a is {{result|match: a is (\\d+)}}.")
B = cell("Compute b into the variable b", "b = 3\nprint('b is', b)", "b is {{result|match: b is (\\d+)}}.")
C = cell("Multiply a by b into the variable c", "c = a * b\nprint('c is', c)", "c is {{result|match: c is (\\d+)}}.")
PLAN = {
    "nodes": [
        {"id": "one", "goal": "Compute a into the variable a", "produces": [{"kind": "variable", "name": "a"}]},
        {"id": "two", "goal": "Compute b into the variable b", "produces": [{"kind": "variable", "name": "b"}]},
        {"id": "both", "goal": "Multiply a by b into the variable c", "needs": ["one", "two"]},
    ]
}
ASKED = "Work out the product of a and b."


class System(Rig):
    """A rig that orchestrates."""

    _numbers = itertools.count(1)

    def goal(self, goal: str | Plan, **options: Any) -> Goal:
        plan = goal if isinstance(goal, Plan) else None
        given: dict[str, Any] = {
            "run_id": f"whole-{next(self._numbers)}",
            "text": plan.goal if plan is not None else goal,
            "mode": "orchestrator",
            "agent": self.agents.get("generalist"),
            "agent_asked": False,
            "model": "scripted",
            "budget_usd": 0.5,
            "cwd": self.folder,
            "plan": plan,
        }
        return Goal(**{**given, **options})

    async def whole(self, goal: str | Plan, **options: Any) -> RunResult:
        try:
            return await self.dispatcher.execute(self.goal(goal, **options))
        finally:
            self.bus.flush()
            assert self.economy.reserved_usd == 0, "what was not spent is given back"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., System]]:
    made: list[System] = []

    def new(*scripts: str, **options: Any) -> System:
        folder = tmp_path / f"rig-{len(made)}"
        folder.mkdir()
        made.append(System(folder, scripts, **options))
        return made[-1]

    yield new
    for rig in made:
        rig.close()


async def test_a_plan_by_the_model_runs_and_is_replayed_free(make: Callable[..., System]) -> None:
    rig = make(planned(ASKED, PLAN), A, B, C)
    result = await rig.whole(ASKED)
    assert result.ok, result
    assert result.text == "c is 6.", "the answer is the sinks' answer, no status"
    assert [(node.id, node.status) for node in result.nodes] == [
        ("one", "success"), ("two", "success"), ("both", "success"),
    ]  # fmt: skip
    assert rig.namespace.names["c"] == 6 and rig.namespace.names["one_answer"] == "a is 2."
    assert result.cost_usd == pytest.approx(rig.economy.spent_usd()), "planner and nodes, nothing else"
    whole = rig.of(ModelCalled, result.run_id)
    assert len(whole) == 1, "the plan costs one model call"
    children = [event for event in rig.of(RunStarted) if event.parent_run_id == result.run_id]
    assert len(children) == 3
    (made,) = rig.of(PlanMade)
    first = next(event for event in rig.events if isinstance(event, NodeStarted))
    assert rig.events.index(made) < rig.events.index(first), "shown before it runs"

    calls = len(rig.of(ModelCalled))
    for name in ("a", "b", "c"):
        del rig.namespace.names[name]
    again = await rig.whole(ASKED, mode="auto")
    assert (again.mode, again.status, again.cost_usd, again.text) == ("follower", "success", 0.0, "c is 6.")
    assert rig.namespace.names["c"] == 6 and len(rig.of(ModelCalled)) == calls

    forced = await rig.whole(ASKED)
    assert forced.ok and forced.cost_usd == 0 and {node.mode for node in forced.nodes} == {"follower"}
    assert len(rig.of(ModelCalled)) == calls, "the recorded plan is used, and every node is known"


async def test_branches_overlap_but_their_cells_do_not(make: Callable[..., System]) -> None:
    slow = "delay_s: 0.7\n"
    names = ["p", "q", "r"]
    scripts = [
        cell(f"Compute {name}", f"import time\ntime.sleep(0.2)\n{name} = 1", f"{name} done.", slow) for name in names
    ]
    rig = make(*scripts)
    plan = Plan("All", tuple(Node(n, f"Compute {n}", produces=(Product("variable", n),)) for n in names))
    result = await rig.whole(plan)
    assert result.ok, result
    spans = []
    for started in rig.of(NodeStarted):
        ended = next(event for event in rig.of(NodeEnded) if event.node == started.node)
        spans.append((started.at, ended.at))
    assert max(start for start, _ in spans) < min(end for _, end in spans), "all three at work at the same time"
    for event in rig.of(ToolFinished):
        assert set(event.defines) - {"time"} == {rig_name(rig, event.run_id)}, "nobody gets another's effects"


async def test_what_a_node_is_told_hangs_on_no_other_that_works_beside_it(
    make: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make(cell("Compute p", "p = 1", "p done."), cell("Compute q", "q = 1", "q done."))
    rig.namespace.names["before"] = 1
    parts = rig.dispatcher._parts
    told: dict[str, set[str]] = {}

    def lessons(text: str) -> tuple[()]:
        deadline = time.monotonic() + 30
        while text == "Compute q" and "p_answer" not in rig.namespace.names and time.monotonic() < deadline:
            time.sleep(0.01)  # the other is through before this one is asked
        return ()

    def summary(names: Mapping[str, Any], goal: str, limit: int) -> Any:
        told[goal] = set(names) - {"In"}
        return namespace_summary(names, goal, limit)

    monkeypatch.setattr(rig.dispatcher, "_parts", dataclasses.replace(parts, lessons=lessons))
    monkeypatch.setattr("llmos_nb.dispatch.ask.namespace_summary", summary)
    assert (await rig.whole(Plan("All", (Node("p", "Compute p"), Node("q", "Compute q"))))).ok
    assert "p" in rig.namespace.names
    assert told["Compute q"] == told["Compute p"] and "before" in told["Compute q"]


async def test_goals_that_follow_use_the_clients_of_those_before(make: Callable[..., System]) -> None:
    names = ["p", "q", "r", "s", "t", "u", "v"]
    rig = make(*(cell(f"Compute {name}", f"{name} = 1", f"{name} done.", "delay_s: 0.2\n") for name in names))
    seen: set[int] = set()
    rig.bus.subscribe(lambda event: seen.update(children()) if isinstance(event, NodeEnded) else None, name="pids")
    result = await rig.whole(Plan("All", tuple(Node(n, f"Compute {n}") for n in names)))
    assert result.ok and 1 < len(seen) <= rig.settings.parallel_goals < len(names)
    drawn = re.search(r"data:image/svg\+xml;base64,([\w+/=]+)", result._repr_mimebundle_()["text/html"])
    assert drawn is not None and base64.b64decode(drawn[1]).count(b"<title>") == len(names)


def rig_name(rig: System, run_id: str) -> str:
    return next(event.node for event in rig.of(NodeStarted) if event.node_run_id == run_id)


async def test_a_failed_node_fails_its_dependants_alone_and_is_resumed(
    make: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = cell("Read the number in n.txt into the variable n", "n = int(open('n.txt').read())", "n is read.")
    uses = cell("Double n into the variable m", "m = 2 * n\nprint(m)", "m is {{result|number 1}}.")
    rig = make(A, fails, uses)
    monkeypatch.chdir(rig.folder)
    plan = Plan(
        "Two branches",
        (
            Node("good", "Compute a into the variable a", produces=(Product("variable", "a"),)),
            Node("bad", "Read the number in n.txt into the variable n", produces=(Product("variable", "n"),)),
            Node("after", "Double n into the variable m", needs=("bad",)),
        ),
    )
    result = await rig.whole(plan)
    assert result.status == "failed"
    assert result.reason.startswith("bad failed") and "after did not begin" in result.reason
    assert [node.status for node in result.nodes] == ["success", "failed", "skipped"]
    assert result.nodes[2].reason == "needs bad"
    assert rig.namespace.names["a"] == 2, "what finished stays"

    (rig.folder / "n.txt").write_text("21")
    folder = rig.settings.workspace / ".llmos" / "plans"
    state = load_state(folder, latest(folder))
    calls = len(rig.of(ModelCalled))
    resumed = await rig.whole(state.plan, resumed=state)
    assert resumed.ok, resumed
    assert [node.kept for node in resumed.nodes] == [True, False, False]
    assert len(rig.of(ModelCalled)) > calls and rig.namespace.names["m"] == 42
    with pytest.raises(PlanError, match="No plan was left unfinished"):
        (folder / f"{result.run_id}.json").unlink()
        latest(folder)


async def test_a_new_kernel_resumes_with_what_is_free(make: Callable[..., System]) -> None:
    """Variables are gone there, so the node runs again: from its trace."""
    rig = make(A, cell("Fail", "1/0", "Failed."))
    plan = Plan(
        "x",
        (Node("good", "Compute a into the variable a", produces=(Product("variable", "a"),)), Node("bad", "Fail")),
    )
    first = await rig.whole(plan)
    assert first.status == "failed"
    state = load_state(rig.settings.workspace / ".llmos" / "plans", first.run_id)
    rig.namespace.names.clear()
    again = await rig.whole(state.plan, resumed=state)
    assert (again.nodes[0].mode, again.nodes[0].cost_usd, again.nodes[0].kept) == ("follower", 0.0, False)


async def test_a_plan_is_gone_on_with_at_a_node_and_as_it_was_edited(make: Callable[..., System]) -> None:
    rig = make(
        A, B, C, cell("Add a to b as the variable c", "c = a + b\nprint('c is', c)", "c is {{result|number 1}}.")
    )
    first = await rig.whole(plan_from(PLAN, "x", "person"))
    assert first.ok and first.plan is not None
    folder = plans_folder(rig.settings.workspace)
    state = load_state(folder, first.run_id)

    again = await rig.whole(state.plan, resumed=state.before("both"))
    assert again.ok and [node.kept for node in again.nodes] == [True, True, False]

    rig.namespace.names["b"] = 30  # by hand; it is still there, so it is not computed again
    edited = first.plan.edit("both", goal="Add a to b as the variable c")
    added = await rig.whole(edited, resumed=state)
    assert added.ok and [node.kept for node in added.nodes] == [True, True, False]
    assert rig.namespace.names["c"] == 32 and added.text == "c is 32."


async def test_a_plan_at_work_is_not_gone_on_with(make: Callable[..., System]) -> None:
    rig = make(A)
    first = await rig.whole(plan_from({"nodes": PLAN["nodes"][:1]}, "x", "person"))
    folder = plans_folder(rig.settings.workspace)
    state = load_state(folder, first.run_id)
    with claimed(folder, first.run_id):
        refused = await rig.whole(state.plan, resumed=state)
    assert refused.status == "failed" and "being worked on" in refused.reason and not refused.nodes


KILLED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_orchestrator import A, PLAN, System, cell, plan_from
B = cell("Compute b into the variable b", "b = 3", "b.", "delay_s: 5\\n")
rig = System(Path(sys.argv[1]), (A, B))
asyncio.run(rig.whole(plan_from(PLAN, "x", "person")))
"""


async def test_a_kernel_that_is_killed_in_the_middle_leaves_what_was_reached(
    make: Callable[..., System], tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    code = KILLED.format(tests=str(Path(__file__).parent))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    states = plans_folder(folder / "workspace")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], env=environment, stdout=subprocess.PIPE
    ) as other:
        try:
            await until(
                lambda: states.is_dir() and any(b'"success"' in p.read_bytes() for p in states.glob("*.json")),
                "the first node",
            )
            with pytest.raises(PlanError, match="being worked on"):
                latest(states)
            clients = children(parent=other.pid)
        finally:
            other.kill()
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in clients), "its clients to end")
    rig = System(folder, (A, B, C))
    try:
        state = load_state(states, latest(states))
        assert state.status == "" and [id_ for id_, node in state.nodes.items() if node.ok] == ["one"]
        calls = len(rig.of(ModelCalled))
        result = await rig.whole(state.plan, resumed=state, run_id="later")
        assert result.ok and result.text == "c is 6." and not result.nodes[0].kept, (
            "the variable died with its kernel"
        )
        assert result.nodes[0].cost_usd == 0 and len(rig.of(ModelCalled)) > calls
    finally:
        rig.close()


async def test_a_promise_that_is_not_kept_fails_the_node(make: Callable[..., System]) -> None:
    rig = make(A)
    rig.namespace.names["left"] = "from an earlier day"
    plan = Plan(
        "x",
        (
            Node(
                "one",
                "Compute a into the variable a",
                produces=(Product("variable", "left"), Product("file", "out.txt"), Product("variable", "a")),
            ),
        ),
    )
    result = await rig.whole(plan)
    assert result.status == "failed"
    assert result.nodes[0].reason == "promised variable left, file out.txt, left none"


async def test_the_model_may_mend_its_plan_once(make: Callable[..., System]) -> None:
    bad = {"nodes": [{"id": "one", "goal": "x", "needs": ["two"]}, {"id": "two", "goal": "y", "needs": ["one"]}]}
    mended = planned(f"{ASKED} The plan that you gave cannot be used: {{problem:text}}", PLAN)
    rig = make(planned(ASKED, bad), mended, A, B, C)
    result = await rig.whole(ASKED)
    assert result.ok and len(rig.of(ModelCalled, result.run_id)) == 2

    stubborn = planned(f"{ASKED} The plan that you gave cannot be used: {{problem:text}}", bad)
    rig = make(planned(ASKED, bad), stubborn, A)
    result = await rig.whole(ASKED)
    assert result.status == "failed" and "goes in a circle" in result.reason and not rig.of(ToolStarted)
    assert len(rig.of(ModelCalled, result.run_id)) == 2


async def test_a_model_that_answers_no_json(make: Callable[..., System]) -> None:
    rig = make(planned(ASKED, None, answer="I would rather not."), planned(f"{ASKED} The plan {{x:text}}", None))
    result = await rig.whole(ASKED)
    assert result.status == "failed" and not result.nodes
    assert "no JSON" in result.reason, result.reason


async def test_the_money_of_the_whole_is_shared_and_never_exceeded(make: Callable[..., System]) -> None:
    rig = make(A, B, C)
    plan = Plan(
        "x",
        tuple(
            Node(f"n{i}", goal)
            for i, goal in enumerate(("Compute a into the variable a", "Compute b into the variable b"))
        ),
    )
    result = await rig.whole(plan, budget_usd=0.001)
    assert result.status == "failed"
    assert {node.status for node in result.nodes} == {"over_budget"}
    assert "over_budget" in result.reason


async def test_stop_ends_every_node_and_keeps_the_state(make: Callable[..., System]) -> None:
    slow = "delay_s: 3\n"
    rig = make(*(cell(f"Compute {name}", f"{name} = 1", "done.", slow) for name in ("p", "q", "r")), A)
    plan = Plan(
        "x",
        (
            Node("fast", "Compute a into the variable a"),
            *(Node(n, f"Compute {n}", needs=("fast",)) for n in ("p", "q", "r")),
        ),
    )
    whole = asyncio.create_task(rig.whole(plan))
    await until(lambda: len(rig.of(NodeStarted)) == 4, "the slow nodes")
    await asyncio.sleep(0.3)
    (run_id,) = [event.run_id for event in rig.of(PlanMade)]
    rig.dispatcher.stop(run_id)
    result = await whole
    assert result.status == "stopped" and not rig.dispatcher.running
    assert [node.status for node in result.nodes] == ["success", "stopped", "stopped", "stopped"]


async def test_what_an_agent_was_told_in_words_is_told_anew(
    make: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent without cells gets the answer itself, and its trace counts where the answer is the same."""
    one = cell(
        "Read the number in n.txt", "print('n is', open('n.txt').read())", "It is {{result|match: n is (\\d+)}}."
    )
    two = one_step("Write down what was found", "write_file", "whatever it was", "It is written down.").replace(
        "```\nwhatever", "```yaml arguments\npath: out.txt\n```\n\n```text\nwhatever"
    )
    rig = make(one, two)
    monkeypatch.chdir(rig.folder)
    rig.parts = dataclasses.replace(rig.parts, services=Services(agents=rig.agents))
    rig.with_settings()
    rig.agents.create("scribe", "Writes.", ["write_file"], "You write.")
    plan = Plan(
        "Read and write it down",
        (
            Node("one", "Read the number in n.txt"),
            Node(
                "two",
                "Write down what was found",
                agent="scribe",
                needs=("one",),
                produces=(Product("file", "out.txt"),),
            ),
        ),
    )
    modes = []
    for number in "7", "8", "8", "7":
        (rig.folder / "n.txt").write_text(number)
        result = await rig.whole(plan)
        assert result.ok, result
        modes.append([node.mode for node in result.nodes])
    assert modes == [["learner", "learner"], ["follower", "mixed"], ["follower"] * 2, ["follower"] * 2]
    assert (await rig.whole(plan.goal, mode="auto")).mode == "follower", "the whole, where nothing changed"
    (rig.folder / "n.txt").write_text("9")
    again = await rig.whole(plan.goal, mode="auto")
    assert again.mode == "orchestrator" and [node.mode for node in again.nodes] == ["follower", "mixed"]


async def test_agents_of_a_plan_work_under_their_own_names(make: Callable[..., System]) -> None:
    rig = make(A, B)
    rig.parts = dataclasses.replace(rig.parts, services=Services(agents=rig.agents))
    rig.with_settings()
    rig.agents.create("analyst", "Counts.", ["run_cell"], "You count.")
    plan = Plan(
        "x",
        (Node("one", "Compute a into the variable a", agent="analyst"), Node("two", "Compute b into the variable b")),
    )
    result = await rig.whole(plan)
    assert [node.agent for node in result.nodes] == ["analyst", "generalist"] and result.ok
    unknown = await rig.whole(plan.edit("one", agent="analist"))
    assert unknown.status == "failed" and "Did you mean analyst?" in unknown.remedy
