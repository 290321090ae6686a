"""Every declared option with a behaviour that it changes. An option without such a test here fails: give it one.

To add yours, write a function below that shows the difference, with ``@effect("its_name")`` above it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llmos_nb.dispatch.presented import shown_already
from llmos_nb.dispatch.result import RunResult
from llmos_nb.errors import BudgetExceeded
from llmos_nb.kernel.events import ModelCalled, ToolFinished, ToolStarted
from llmos_nb.learning.record import input_digests, recorded_steps
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.settings import Settings
from llmos_nb.system import LLMOS
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

GOAL = "Add 2 and 3"
URL = "http://127.0.0.1:9"
MILLION = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
EFFECTS: dict[str, Callable[[Any], Any]] = {}


def effect(name: str) -> Callable[[Callable[[World], Any]], Callable[[World], Any]]:
    """Marks what shows that the option ``name`` changes something."""

    def mark(show: Callable[[World], Any]) -> Callable[[World], Any]:
        assert name not in EFFECTS
        EFFECTS[name] = show
        return show

    return mark


class Model:
    """Stands in for the SDK's client where only what it is told, or when it is let go, is looked at.

    ``work`` is what the model's side does once it was asked; it may hang.
    """

    made: list[Model]

    def __init__(self, options: Any) -> None:
        self.options = options
        self.connected = True
        self.ended = False
        type(self).made.append(self)

    work: Callable[[Model], Awaitable[None]] | None = None

    async def connect(self) -> None:
        return None

    async def query(self, prompt: Any) -> None:
        return None

    async def receive_messages(self) -> AsyncIterator[Any]:
        yield begun_message()
        if type(self).work is not None:
            await type(self).work(self)
        yield result_message()

    async def interrupt(self) -> None:
        return None

    async def disconnect(self) -> None:
        self.connected = False


def begun_message() -> Any:
    """The SDK's first word: the tools are there."""
    kind = type("SystemMessage", (SimpleNamespace,), {})
    return kind(subtype="init", data={"mcp_servers": [{"name": "llmos", "status": "connected"}]})


def result_message() -> Any:
    """The SDK's last word: the goal is reached."""
    kind = type("ResultMessage", (SimpleNamespace,), {})
    return kind(
        is_error=False, subtype="success", result="Done.", model_usage={}, total_cost_usd=0, permission_denials=[]
    )


class World:
    """An empty folder, the SDK's client replaced, and systems that are closed afterwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: contextlib.ExitStack) -> None:
        import claude_agent_sdk as sdk

        self.monkeypatch = monkeypatch
        self.stack = stack
        self.made: list[LLMOS] = []
        self.model: type[Model] = type("Model", (Model,), {"made": []})
        monkeypatch.setattr(sdk, "ClaudeSDKClient", self.model)

    def system(self, **options: Any) -> LLMOS:
        """A system in the folder; ``workspace`` unless another is named."""
        made = self.stack.enter_context(LLMOS(**{"namespace": PlainNamespace(), **options}))
        self.made.append(made)
        return made

    def asked(self, **options: Any) -> Any:
        """What the SDK is told when a goal is given to an agent."""
        self.system(**options).run(GOAL, mode="learner")
        return self.model.made[-1].options

    def working(self, work: Callable[[LLMOS, str], Awaitable[None]], **options: Any) -> RunResult:
        """A run during which the model's side does ``work(system, run_id)``."""
        system = self.system(**options)

        async def at_work(model: Model) -> None:
            await work(system, next(iter(system.running)))

        self.model.work = at_work
        return system.run(GOAL, mode="learner")

    def told(self, mode: str = "learner", **options: Any) -> str:
        """What the memory hook gives the model beside the goal."""
        contexts: list[str] = []

        async def work(model: Model) -> None:
            hook = model.options.hooks["UserPromptSubmit"][0].hooks[0]
            answer = await hook({"hook_event_name": "UserPromptSubmit"}, None, None)
            contexts.append(answer.get("hookSpecificOutput", {}).get("additionalContext", ""))

        self.model.work = work
        self.system(**options).run(GOAL, mode=mode)
        return contexts[0]

    def record(self, goal: str = GOAL, *cells: str) -> Trace:
        """Run cells for real and keep them as a trace of the workspace."""

        async def work() -> list[Any]:
            bench = Workbench(
                "r", namespace=PlainNamespace(), workspace=Path("workspace"), cwd=Path.cwd(), grant=tuple(TOOLS),
                publish=lambda event: None,
            )  # fmt: skip
            for code in cells or ("print(2 + 3)",):
                await bench.call("run_cell", {"code": code})
            return bench.calls

        calls = asyncio.run(work())
        trace = Trace(
            goal=goal, steps=recorded_steps(calls), inputs=input_digests(calls, Path.cwd()), answer="5",
            agent="generalist", cost_usd=0.05, simulated_cost=True,
        )  # fmt: skip
        with LLMOS("workspace") as system:
            return system.traces.add(trace)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with contextlib.ExitStack() as stack:
        yield World(monkeypatch, stack)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Settings)])
def test_the_option_changes_a_behaviour(name: str, world: World) -> None:
    show = EFFECTS.get(name)
    if show is None:
        pytest.fail(f'nothing shows what {name} changes: write a function with @effect("{name}") in {__file__}')
    shown = show(world)
    if inspect.isawaitable(shown):
        asyncio.run(shown)  # type: ignore[arg-type]


def test_there_is_no_effect_of_an_option_that_does_not_exist() -> None:
    assert set(EFFECTS) <= {field.name for field in dataclasses.fields(Settings)}


async def hang(system: LLMOS, run_id: str) -> None:
    await asyncio.sleep(60)


# ---------------------------------------------------------------- place, endpoint, model


@effect("workspace")
def _(world: World) -> None:
    world.system(workspace="here").check_workspace()
    assert Path("here/.llmos").is_dir() and not Path("workspace").exists()


@effect("preset")
def _(world: World) -> None:
    assert world.system(preset="teaching").endpoint.kind == "scripted"
    assert world.system(preset="teaching").economy.limits.session_usd == 1.0
    assert world.system(preset="teaching").settings.web_tools == "deny"
    assert world.system(preset="teaching", endpoint=URL).endpoint.url == URL, (
        "a class may have an endpoint of its own"
    )
    assert world.system().economy.limits.session_usd is None


@effect("endpoint")
def _(world: World) -> None:
    assert world.system(endpoint="claude").endpoint.kind == "claude"
    assert world.system(endpoint=URL).endpoint.kind == "url"


@effect("library")
async def _(world: World) -> None:
    import pandas as pd

    goal = "Show the first 5 rows of sales"
    for how, served in (("auto", True), ("never", False)):
        system = world.system(library=how, namespace=PlainNamespace({"sales": pd.DataFrame({"price": [1, 2, 3]})}))
        assert (system.explain(goal).mode == "follower") is served


@effect("sandbox")
async def _(world: World) -> None:
    for how, kept in (("never", True), ("always", False)):
        names: dict[str, Any] = {}
        system = world.system(sandbox=how, workspace=how, namespace=PlainNamespace(names))
        code = "inside = 6 * 7\nprint(inside)"
        system.traces.add(
            Trace("Multiply", [Step("run_cell", {"code": code}, Expectation(outputs=("stream",)), "42\n")])
        )
        await system.execute("Multiply")
        assert ("inside" in names) is kept


@effect("endpoint_key")
def _(world: World) -> None:
    assert world.asked(endpoint=URL, endpoint_key="mine").env["ANTHROPIC_API_KEY"] == "mine"


@effect("model")
def _(world: World) -> None:
    assert world.asked(model="small").model == "small"


@effect("agent")
def _(world: World) -> None:
    world.system().agents.create("counter", "Counts.", ["run_cell"], "You count.")
    assert "You count." in world.asked(agent="counter").system_prompt
    assert "You count." not in world.asked().system_prompt


@effect("project")
def _(world: World) -> None:
    assert world.system(project="whales").run(GOAL, mode="learner").project == "whales"
    assert Path("workspace/projects/whales/state/history.md").read_text().count("\n") == 1
    assert world.system().run(GOAL, mode="learner").project == ""


@effect("agent_changes")
def _(world: World) -> None:
    """From the next goal on, also where it is changed while the system is in use."""

    def wish(system: LLMOS) -> Any:
        verdicts: list[Any] = []

        async def work(model: Model) -> None:
            run = next(iter(system._dispatcher._runs.values()))
            verdicts.append(run.bench.check("create_agent", {"name": "poet", "description": "", "prompt": "Write."}))

        world.model.work = work
        system.run(GOAL, mode="learner")
        return verdicts[0]

    system = world.system()
    assert wish(system).decision == "allow"
    system.configure(agent_changes="deny")
    assert (wish(system).decision, wish(system).rule) == ("deny", "agent-changes")
    system.configure(agent_changes="ask")
    assert "nobody was there" in wish(system).reason


@effect("web_tools")
def _(world: World) -> None:
    """Whatever an agent was granted, in a project or in none, and what the SDK is told to allow."""

    def may(system: LLMOS, **options: Any) -> tuple[bool, str, list[str]]:
        verdicts: list[Any] = []
        asked: list[Any] = []

        async def work(model: Model) -> None:
            run = next(iter(system._dispatcher._runs.values()))
            verdicts.append(run.bench.check("WebFetch", {"url": "https://example.org", "prompt": "?"}))
            asked.append(model.options)

        world.model.work = work
        system.run(GOAL, mode="learner", agent="surfer", **options)
        offered = [*(asked[0].tools or []), *(asked[0].allowed_tools or [])]
        return verdicts[0].decision == "allow", verdicts[0].rule, [tool for tool in offered if tool.startswith("Web")]

    system = world.system()
    system.agents.create("surfer", "Reads the web.", ["run_cell", "WebFetch", "WebSearch"], "You read.")
    assert may(system)[0]
    for limited in (world.system(web_tools="deny"), world.system(preset="teaching")):
        assert may(limited) == (False, "not-granted", [])
        assert may(limited, project="whales") == (False, "not-granted", [])
        assert "WebFetch" not in limited.context_of(GOAL, agent="surfer").part("tools").text
    system.configure(web_tools="deny")
    assert may(system)[1] == "not-granted"


@effect("agent_facts")
def _(world: World) -> None:
    """From the next goal on, also where it is changed while the system is in use."""

    def wish(system: LLMOS) -> Any:
        verdicts: list[Any] = []

        async def work(model: Model) -> None:
            run = next(iter(system._dispatcher._runs.values()))
            verdicts.append(run.bench.check("remember", {"text": "The mast is 80 m high"}))

        world.model.work = work
        system.run(GOAL, mode="learner")
        return verdicts[0]

    system = world.system()
    assert wish(system).decision == "allow"
    system.configure(agent_facts="deny")
    assert (wish(system).decision, wish(system).rule) == ("deny", "agent-facts")
    system.configure(agent_facts="ask")
    assert "nobody was there" in wish(system).reason
    system.remember("The mast is 80 m high")
    assert wish(system).decision == "allow", "nothing would be written"


@effect("mode")
def _(world: World) -> None:
    world.record()
    assert world.system().explain(GOAL).mode == "follower"
    assert world.system(mode="learner").explain(GOAL).mode == "learner"


@effect("sdk")
def _(world: World) -> None:
    assert world.asked(sdk={"effort": "low"}).effort == "low"


@effect("state_url")
def _(world: World) -> None:
    world.system(state_url="sqlite:///other.db").economy.balance_usd  # noqa: B018
    assert Path("other.db").is_file() and not Path("workspace/.llmos/state.db").exists()


# ---------------------------------------------------------------- money


@effect("budget_usd")
def _(world: World) -> None:
    assert world.system(budget_usd=3.0).economy.balance_usd == 3.0


@effect("run_budget_usd")
def _(world: World) -> None:
    assert world.system(budget_usd=1.0, run_budget_usd=2.0).run(GOAL, mode="learner").status == "over_budget"
    assert world.system(budget_usd=1.0, run_budget_usd=0.5).run(GOAL, mode="learner").status == "success"


@effect("session_budget_usd")
def _(world: World) -> None:
    with pytest.raises(BudgetExceeded, match="session"):
        world.system(session_budget_usd=0.1).economy.reserve(0.2, "x", run_id="r")


@effect("day_budget_usd")
def _(world: World) -> None:
    with pytest.raises(BudgetExceeded, match="day"):
        world.system(day_budget_usd=0.1).economy.reserve(0.2, "x", run_id="r")


@effect("price_input_usd")
def _(world: World) -> None:
    assert world.system(endpoint=URL, price_input_usd=2.0).endpoint.cost_usd("m", MILLION) == 2.0


@effect("price_output_usd")
def _(world: World) -> None:
    assert world.system(endpoint=URL, price_output_usd=5.0).endpoint.cost_usd("m", MILLION) == 5.0
    assert world.system(endpoint=URL, price_output_usd="unknown").endpoint.cost_usd("m", MILLION) is None


@effect("tutorial_price_input_usd")
def _(world: World) -> None:
    assert world.system(endpoint="scripted", tutorial_price_input_usd=1.0).endpoint.cost_usd("m", MILLION) == 16.0


@effect("tutorial_price_output_usd")
def _(world: World) -> None:
    assert world.system(endpoint="scripted", tutorial_price_output_usd=1.0).endpoint.cost_usd("m", MILLION) == 4.0


# ---------------------------------------------------------------- limits of a run


@effect("time_limit_s")
def _(world: World) -> None:
    assert world.working(hang, time_limit_s=0.3).status == "timed_out"


@effect("silence_limit_s")
def _(world: World) -> None:
    assert world.working(hang, silence_limit_s=0.2, time_limit_s=20.0).status == "stopped"
    assert world.working(hang, silence_limit_s="none", time_limit_s=0.6).status == "timed_out"


def call(system: LLMOS, run_id: str, step: int, code: str) -> None:
    """A tool call that fails, as the watchdog sees one."""
    system.bus.publish(ToolStarted(run_id=run_id, step=step, tool="run_cell", arguments={"code": code}))
    system.bus.publish(
        ToolFinished(run_id=run_id, step=step, tool="run_cell", status="error", text="", duration_s=0.0)
    )


async def circle(system: LLMOS, run_id: str) -> None:
    for step in range(1, 5):
        call(system, run_id, step, "1 / 0")
    await asyncio.sleep(1)


async def fail_and_fail(system: LLMOS, run_id: str) -> None:
    for step in range(1, 5):
        system.bus.publish(
            ModelCalled(
                run_id=run_id, model="m", input_tokens=1, output_tokens=1, cache_read_tokens=0,
                cache_write_tokens=0, cost_usd=0.0,
            )
        )  # fmt: skip
        call(system, run_id, step, f"{step} / 0")
    await asyncio.sleep(1)


@effect("repeat_limit")
def _(world: World) -> None:
    assert world.working(circle, repeat_limit=3).status == "stopped"
    assert world.working(circle, repeat_limit="none").status == "success"


@effect("idle_turns")
def _(world: World) -> None:
    assert world.working(fail_and_fail, idle_turns=2).status == "stopped"
    assert world.working(fail_and_fail, idle_turns="none").status == "success"


@effect("process_memory_mb")
def _(world: World) -> None:
    result = world.working(hang, process_memory_mb=1.0, time_limit_s=20.0)
    assert result.status == "stopped" and "memory" in result.reason


@effect("hook_deadline_s")
def _(world: World) -> None:
    """A hook that answers late blocks: so does one whose deadline is shorter than its work."""
    import time

    from llmos_nb.cortex import hooks

    slow = hooks.Hook("memory", ("UserPromptSubmit",), lambda job, given: time.sleep(0.3) or {})
    others = tuple(hook for hook in hooks.HOOKS if hook.name != "memory")
    job = SimpleNamespace(end=lambda status, reason: None)

    async def answer(deadline_s: float) -> Any:
        attached = hooks.build_hooks((slow, *others), lambda: job, deadline_s)  # type: ignore[arg-type,return-value]
        return await attached["UserPromptSubmit"][0].hooks[0]({"hook_event_name": "UserPromptSubmit"}, None, None)

    assert asyncio.run(answer(0.05))["decision"] == "block"
    assert asyncio.run(answer(10.0)) == {}
    assert world.asked(hook_deadline_s=7.0).hooks["UserPromptSubmit"][0].timeout == 19.0


@effect("stop_grace_s")
async def _(world: World) -> None:
    """A run that is cancelled waits this long for the model's side to end in order."""

    async def ended(grace_s: float) -> bool:
        """Whether the model's side had ended when the cancelled run let go."""
        system = world.system(stop_grace_s=grace_s)
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def work(model: Model) -> None:
            loop.call_soon_threadsafe(begun.set)
            try:
                await asyncio.sleep(60)
            finally:
                model.ended = True

        world.model.work = work
        task = asyncio.create_task(system.execute(GOAL, mode="learner"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return world.model.made[-1].ended

    assert not await ended(0.01)
    assert await ended(30.0)


@effect("max_turns")
def _(world: World) -> None:
    assert world.asked(max_turns=3).max_turns == 3


@effect("output_limit")
def _(world: World) -> None:
    import claude_agent_sdk as sdk

    limits: list[int] = []
    text = "x" * 5000

    def shown(name: str, tools: list[Any]) -> Any:
        return {"type": "sdk", "name": name, "instance": None}

    from llmos_nb.cortex import cortex
    from llmos_nb.cortex.server import shortened

    def build(grant: Any, current: Any, output_limit: int, more: Any = ()) -> Any:
        limits.append(len(shortened(text, output_limit)))
        return shown("llmos", [])

    world.monkeypatch.setattr(cortex, "build_server", build)
    world.monkeypatch.setattr(sdk, "create_sdk_mcp_server", shown)
    world.asked(output_limit=500)
    world.asked(output_limit=50_000)
    assert limits[0] < 1000 and limits[1] == 5000


@effect("guidance_limit")
def _(world: World) -> None:
    world.record(GOAL, "print(2 + 3)", "print('checked')\n" + "# and so on\n" * 400)
    short, long = (world.told(mode="mixed", guidance_limit=limit) for limit in (1000, 20_000))
    assert len(short) <= 1000 < len(long)


FACT = "Add 2 and 3 in whole numbers, never in floats"


@effect("memory_limit")
def _(world: World) -> None:
    world.system().remember(FACT)
    assert "never in floats" in world.told(memory_relevance=0.0)
    assert "never in floats" not in world.told(memory_relevance=0.0, memory_limit=0)


@effect("namespace_summary")
def _(world: World) -> None:
    assert "table: list, length 3" in world.told(namespace=PlainNamespace({"table": [1, 2, 3]}))
    assert "table" not in world.told(namespace=PlainNamespace({"table": [1, 2, 3]}), namespace_summary=0)


@effect("memory_relevance")
def _(world: World) -> None:
    world.system().remember("Whole numbers are added without a fuss, 2 for example")
    assert "without a fuss" in world.told(memory_relevance=0.0)
    assert "without a fuss" not in world.told(memory_relevance=1.0)


@effect("warm_clients")
def _(world: World) -> None:
    kept = []
    for count in (0, 1):
        system = world.system(warm_clients=count)
        system.run(GOAL, mode="learner")
        client = world.model.made[-1]
        system._dispatcher._parts.cortex._submit(lambda: asyncio.sleep(0.1)).result(10)
        kept.append(client.connected)
    assert kept == [False, True]


# ---------------------------------------------------------------- learning


@effect("follower_confidence")
def _(world: World) -> None:
    trace = world.record()
    system = world.system()
    system.traces.record_use(trace.id, success=False)
    confidence = system.explain(GOAL).decision.match.confidence  # type: ignore[union-attr]
    assert 0 < confidence < 1
    assert world.system(follower_confidence=confidence, mixed_confidence=0.0).explain(GOAL).mode == "follower"
    assert world.system(follower_confidence=1.0, mixed_confidence=0.0).explain(GOAL).mode == "mixed"


@effect("mixed_confidence")
def _(world: World) -> None:
    trace = world.record()
    system = world.system()
    system.traces.record_use(trace.id, success=False)
    assert world.system(follower_confidence=1.0, mixed_confidence=0.0).explain(GOAL).mode == "mixed"
    assert world.system(follower_confidence=1.0, mixed_confidence=1.0).explain(GOAL).mode == "learner"


@effect("crystal_uses")
def _(world: World) -> None:
    world.record()
    world.record("Add 4 and 9", "print(4 + 9)")
    told = {}
    for uses in ("never", 1):
        system = world.system(crystal_uses=uses)
        system.run(GOAL, mode="follower")
        told[uses] = system.settle(60).told
    assert not told["never"] and told[1]


@effect("crystal_success")
def _(world: World) -> None:
    trace = world.record()
    world.record("Add 4 and 9", "print(4 + 9)")
    world.system().traces.record_use(trace.id, success=False)
    told = {}
    for share in (1.0, 0.1):
        system = world.system(crystal_uses=1, crystal_success=share, follower_confidence=0.0, mixed_confidence=0.0)
        system.run(GOAL, mode="follower")
        told[share] = system.settle(60).told
    assert not told[1.0] and told[0.1]


# ---------------------------------------------------------------- several goals in one

SEVERAL = "1. Add 2 and 3\n2. Create an agent that writes haikus\n3. Plot bill length by species in penguins.csv"


@effect("orchestrate")
def _(world: World) -> None:
    assert world.system().explain(SEVERAL).mode == "orchestrator"
    assert world.system(orchestrate="never").explain(SEVERAL).mode == "learner"


@effect("parallel_goals")
def _(world: World) -> None:
    async def at_once(limit: int) -> int:
        """How many clients work on three goals that are given at the same time."""
        world.model.made.clear()

        async def work(model: Model) -> None:
            await asyncio.sleep(0.3)

        world.model.work = work
        system = world.system(parallel_goals=limit)
        await asyncio.gather(*(system.execute(GOAL, mode="learner") for _ in range(3)))
        return len(world.model.made)

    assert asyncio.run(at_once(3)) == 3
    assert asyncio.run(at_once(1)) == 1


@effect("show_runs")
def _(world: World) -> None:
    async def shown(**options: Any) -> list[str]:
        seen: list[str] = []

        def present(goal: Any) -> Callable[[RunResult | None], None]:
            seen.append(goal.text)
            return lambda result: seen.append(result.status if result is not None else "nothing")

        system = world.system(**options)
        system.present_goal = present
        await system.execute(GOAL, mode="learner")
        with shown_already():
            await system.execute(GOAL, mode="learner")
        return seen

    began, ended = asyncio.run(shown())
    assert began == GOAL and ended
    assert asyncio.run(shown(show_runs="never")) == []


@effect("background_runs")
def _(world: World) -> None:
    async def waiting(limit: int) -> int:
        """How many of three goals in the background wait for another's end."""

        async def work(model: Model) -> None:
            await asyncio.sleep(0.5)

        world.model.work = work
        system = world.system(background_runs=limit)
        runs = [system.start(GOAL, mode="learner") for _ in range(3)]
        await asyncio.sleep(0.1)
        found = [run.status for run in runs].count("waiting")
        for run in runs:
            await run
        return found

    assert asyncio.run(waiting(3)) == 0
    assert asyncio.run(waiting(1)) == 2


@effect("plan_nodes")
def _(world: World) -> None:
    from llmos_nb.dispatch.orchestrator import Node, Plan

    plan = Plan("both", (Node("a", "Add 2 and 3"), Node("b", "Add 4 and 9")))
    assert "plan_nodes" in str(world.system(plan_nodes=1).run(plan))
    assert "plan_nodes" not in str(world.system(plan_nodes=2).run(plan))


# ---------------------------------------------------------------- taking back


async def make_variables(system: LLMOS, run_id: str) -> None:
    bench = system._dispatcher._runs[run_id].bench
    await bench.call("run_cell", {"code": "made = bytearray(2_000_000)"})
    await bench.call("run_cell", {"code": "made[0] = 1"})


async def change_variables(system: LLMOS, run_id: str) -> None:
    system._own().names["large"] = bytearray(2_000_000)
    await system._dispatcher._runs[run_id].bench.call("run_cell", {"code": "large[0] = 1"})


@effect("undo_runs")
def _(world: World) -> None:
    world.working(make_variables, undo_runs=1)
    assert len(world.made[-1].undoable().ids) == 1
    world.working(make_variables, undo_runs=0)
    assert world.made[-1].undoable().ids == []


@effect("undo_mb")
def _(world: World) -> None:
    world.working(change_variables, undo_mb=10)
    assert len(world.made[-1].undoable().ids) == 1
    world.working(change_variables, undo_mb=1)
    assert world.made[-1].undoable().ids == []
