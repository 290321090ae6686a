"""Any graph of goals, whatever becomes of each: order, what a failure takes down, money, and going on afterwards."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.cortex.cortex import Cortex
from llmos_nb.cortex.endpoint import resolve_endpoint
from llmos_nb.crystals import CrystalShelf
from llmos_nb.dispatch.orchestrator import Node, Plan, Product
from llmos_nb.dispatch.orchestrator.pot import Pot
from llmos_nb.dispatch.orchestrator.state import load_state, plans_folder
from llmos_nb.dispatch.orchestrator.walk import Child, Walk, joined_answers
from llmos_nb.dispatch.run import Goal, Parts, Run
from llmos_nb.errors import BudgetExceeded
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.budget import ModelCall, TokenEconomy, Tokens
from llmos_nb.kernel.events import EventBus
from llmos_nb.memory import TraceStore
from llmos_nb.mind import AgentRegistry
from llmos_nb.settings import Settings
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call

ENDS = ("success", "failed", "over_budget", "stopped", "raises", "breaks its promise")
BUDGET = 0.4
_numbers = itertools.count(1)


@dataclass
class Graph:
    """A plan, how each of its nodes will end, and after how many turns of the loop."""

    plan: Plan
    ends: dict[str, str]
    turns: dict[str, int]
    limit: int


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 7))
    ids = [f"n{number}" for number in range(count)]
    nodes = []
    for number, id_ in enumerate(ids):
        needs = draw(st.lists(st.sampled_from(ids[:number]), unique=True, max_size=3)) if number else []
        leaves = (Product("variable", f"v{number}"),) if draw(st.booleans()) else ()
        share = draw(st.sampled_from([None, None, 0.05, 0.5]))
        nodes.append(Node(id_, f"reach {id_}", needs=tuple(needs), produces=leaves, share=share))
    nodes = draw(st.permutations(nodes))  # a plan may name its nodes in any order
    ends = {id_: draw(st.sampled_from(("success",) * 6 + ENDS)) for id_ in ids}
    return Graph(
        Plan("the whole", tuple(nodes)), ends, {id_: draw(st.integers(0, 4)) for id_ in ids}, draw(st.integers(1, 4))
    )


@dataclass
class World:
    """Real parts, and nodes' goals that are reached by leaving a variable: no model, no tool."""

    parts: Parts
    folder: Path
    last: str = ""
    started: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    most: int = 0
    #: What a node met that must never be; raised there, it would be taken for the node's own failure.
    wrong: list[str] = field(default_factory=list)

    def must(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)

    def walk(self, graph: Graph, resume: str = "") -> tuple[Walk, Pot, Run]:
        self.last = f"whole-{next(_numbers)}"
        self.started, self.ended, self.most = [], [], 0
        parts = dataclasses.replace(self.parts, settings=self.parts.settings.with_(parallel_goals=graph.limit))
        goal = Goal(
            run_id=self.last, text="the whole", mode="orchestrator", agent=AGENT, agent_asked=False,
            model=None, budget_usd=BUDGET, cwd=self.folder, plan=graph.plan,
        )  # fmt: skip
        run = Run(goal, parts)
        pot = Pot(parts.economy, BUDGET, "x", run_id=goal.run_id)
        state = load_state(plans_folder(parts.settings.workspace), resume) if resume else None
        walk = Walk(run, graph.plan, pot, start=self._start(run, graph), agent_of=lambda name: AGENT, resumed=state)
        return walk, pot, run

    def _start(self, run: Run, graph: Graph):  # type: ignore[no-untyped-def]
        async def start(goal: Goal) -> Child:
            id_ = goal.text.removeprefix("reach ")
            needs = graph.plan[id_].needs
            names = run.parts.namespace.names
            self.must(set(needs) <= set(self.ended), f"{id_} began before {needs}")
            self.must(all(names.get(f"{n}_answer") == f"{n} is reached" for n in needs), f"{id_} got no answer")
            self.started.append(id_)
            self.most = max(self.most, len(self.started) - len(self.ended))
            self.must(goal.pot is not None and goal.budget_usd > 0, f"{id_} got no money")
            try:
                part = Run(goal, run.parts).reserve("x")
            except BudgetExceeded as error:
                self.must(False, f"what was put aside for {id_} is not there: {error}")
                raise
            with part:
                part.charge(
                    ModelCall(model="m", endpoint="e", tokens=Tokens(1, 1, 0, 0), cost_usd=goal.budget_usd / 2)
                )
                for _ in range(graph.turns[id_]):
                    await asyncio.sleep(0)
            self.ended.append(id_)
            end = graph.ends[id_]
            if end == "raises":
                raise ValueError(f"{id_} broke")
            made = {p.name: "int" for p in graph.plan[id_].produces if end == "success"}
            names.update(dict.fromkeys(made, 1))
            call = Call(
                1, "run_cell", {"code": "pass"}, Verdict("allow", "", ""), ToolResult(text="", defines=made), 0.0
            )
            status = "success" if end in ("success", "breaks its promise") else end
            return Child(run.result(status, f"{id_} ended so", f"{id_} is reached"), (call,))

        return start


AGENT = AgentRegistry(Path(tempfile.gettempdir()) / "no-such-agents").get("generalist")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("walk")
    chosen = Settings(workspace=folder / "workspace", endpoint="scripted")
    (chosen.workspace / ".llmos").mkdir(parents=True)
    with TraceStore(chosen.workspace / "memory" / "traces") as store:
        yield Parts(
            settings=chosen, endpoint=resolve_endpoint(chosen, {}), store=store,
            economy=TokenEconomy(None, simulated=True), cortex=Cortex(chosen.workspace), bus=EventBus(),
            namespace=PlainNamespace(), crystals=CrystalShelf(chosen.workspace / "crystals"),
        )  # fmt: skip


def expected(graph: Graph) -> dict[str, str]:
    """How every node must end: as it was said, or skipped where something it needs did not end well."""
    found: dict[str, str] = {}
    for layer in graph.plan.layers:
        for id_ in layer:
            node = graph.plan[id_]
            end = graph.ends[id_]
            if end == "raises" or (end == "breaks its promise" and node.produces):
                end = "failed"
            elif end == "breaks its promise":
                end = "success"  # it promised nothing
            found[id_] = "skipped" if any(found[need] != "success" for need in node.needs) else end
    return found


@settings(max_examples=100, deadline=None)
@given(graph=graphs())
def test_a_walk_ends_as_its_nodes_do(parts: Parts, graph: Graph) -> None:
    world = World(dataclasses.replace(parts, namespace=PlainNamespace()), Path.cwd())
    graph.plan.check()
    spent = parts.economy.spent_usd()

    async def once() -> Walk:
        walk, pot, _ = world.walk(graph)
        await walk.go()
        pot.settle()
        return walk

    walk = asyncio.run(once())
    assert not world.wrong
    wanted = expected(graph)
    assert {id_: result.status for id_, result in walk.results.items()} == wanted
    began = {id_ for id_, end in wanted.items() if end != "skipped"}
    assert sorted(world.started) == sorted(began), "each once, and none that needs what failed"
    assert world.most <= graph.limit
    assert parts.economy.reserved_usd == 0 and parts.economy.spent_usd() - spent <= BUDGET + 1e-9
    reached = {id_ for id_, end in wanted.items() if end == "success"}
    assert len(walk.calls) == len(reached), "only what succeeded can be replayed"
    answer = [f"{id_} is reached" for id_ in graph.plan.answers if id_ in reached]
    assert joined_answers(graph.plan, walk.results) == "\n\n".join(answer)

    # Everything can be reached now: only what was not reached before is worked on again.
    better = dataclasses.replace(graph, ends=dict.fromkeys(graph.ends, "success"))

    async def again() -> Walk:
        walk, pot, _ = world.walk(better, resume=world.last)
        world.ended = sorted(reached)
        world.started = sorted(reached)
        await walk.go()
        pot.settle()
        return walk

    resumed = asyncio.run(again())
    assert all(result.ok for result in resumed.results.values()), resumed.results
    assert not world.wrong
    assert {id_ for id_, result in resumed.results.items() if result.kept} == reached
    assert sorted(world.started[len(reached) :]) == sorted(set(wanted) - reached)
    assert parts.economy.reserved_usd == 0


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), after=st.integers(0, 6), by=st.sampled_from(["a person", "cancelling"]))
def test_whenever_it_is_stopped_nothing_goes_on_and_nothing_is_held(
    parts: Parts, graph: Graph, after: int, by: str
) -> None:
    graph = dataclasses.replace(graph, turns=dict.fromkeys(graph.turns, 4), ends=dict.fromkeys(graph.ends, "success"))
    world = World(dataclasses.replace(parts, namespace=PlainNamespace()), Path.cwd())

    async def once() -> tuple[Walk, set[str]]:
        walk, pot, run = world.walk(graph)
        going = asyncio.ensure_future(walk.go())
        for _ in range(after):
            await asyncio.sleep(0)
        begun = set(world.started)
        if by == "a person":
            run.end("stopped", "by a person")
            await going
            assert set(walk.results) == {node.id for node in graph.plan.nodes}
        else:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
        pot.settle()
        return walk, begun

    walk, begun = asyncio.run(once())
    assert not world.wrong
    assert len(set(world.started) - begun) <= graph.limit, "at most those that were just beginning"
    assert parts.economy.reserved_usd == 0
    if not (plans_folder(parts.settings.workspace) / f"{world.last}.json").is_file():
        assert not world.started, "it was cancelled before its first turn"
        return
    kept = load_state(plans_folder(parts.settings.workspace), world.last)
    assert {id_ for id_, node in kept.nodes.items() if node.ok} == {
        id_ for id_, result in walk.results.items() if result.ok
    }
