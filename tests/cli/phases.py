"""Everything that a run can be doing when it is stopped, and the ways to stop it: for the tests, and for the bench."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from rig import Rig, children, one_step, soon, until

from llmos_nb.cortex.scripted import FaultPlan
from llmos_nb.dispatch.dispatcher import Dispatcher
from llmos_nb.dispatch.result import RunResult
from llmos_nb.kernel.approvals import Approvals
from llmos_nb.kernel.events import ApprovalAsked, Notice, RunEnded, RunStarted, TextDelta, ToolStarted
from llmos_nb.tools.services import Services

__all__ = ["PHASES", "Phase", "stopped"]

#: The cell of a phase says that it is at work.
BEGUN: Final = "begun = 1\n"


def cell(goal: str, code: str) -> str:
    return one_step(goal, "run_cell", BEGUN + code)


SCRIPTS: Final = (
    one_step("add it up", "run_cell", "print(1 + 2)"),
    "---\ngoal: talk slowly\ndelta_delay_s: 0.2\n---\n## Answer\n\n" + "Word after word. " * 200 + "\n",
    cell("loop in python", "while True:\n    pass"),
    cell("sleep a while", "import time\ntime.sleep(pause)"),
    cell("sleep {n:int} times", "import time\nfor i in range({{n|int}}):\n    time.sleep(pause)"),
    cell("multiply matrices", "import numpy as np\na = np.ones((700, 700))\nwhile True:\n    a @ a"),
    cell("start a program", "import subprocess\nsubprocess.run(['sleep', '60'])"),
    cell("await a while", "import asyncio\nawait asyncio.sleep(60)"),
    one_step("run a command", "run_shell", "sleep 61; true"),
    "---\ngoal: 'Make a plan for this goal: do two things'\n---\n## Turn 1\n\n### StructuredOutput\n\n```yaml arguments\n"
    "nodes: [{id: one, goal: talk slowly}, {id: two, goal: await a while}]\n```\n\n## Answer\n\nDone.\n",
    "---\ngoal: 'Make a plan for this goal: think of a plan'\n---\n## Answer\n\nThere is none.\n",
    "---\ngoal: make an agent\n---\n## Turn 1\n\nI do it.\n\n### create_agent\n\n```yaml arguments\nname: poet\n"
    "description: Writes poems.\ntools: []\nprompt: You write poems.\n```\n\n## Answer\n\nDone.\n",
    "---\ngoal: declare a number\n---\n## Turn 1\n\nI do it.\n\n### run_cell\n\n```python\n"
    "import time\ntime.sleep(1.5)\nprint(number)\n```\n\n```yaml arguments\nparameters:\n  number: 7\n```\n\n"
    "## Answer\n\nDone.\n",
)  # fmt: skip


HANGS: Final = {"faults": FaultPlan(always="hang")}
#: What makes a crystal.
LEARNED: Final = ("sleep 2 times", "sleep 3 times", *(f"sleep {n} times" for n in (4, 5, 6, 7, 8, 2, 3)))


def in_cell(rig: Rig, seen: int) -> bool:
    return "begun" in rig.namespace.names


def event(kind: type[Any], count: int = 1, **facts: Any) -> Callable[[Rig, int], bool]:
    def happened(rig: Rig, seen: int) -> bool:
        found = [one for one in rig.events[seen:] if isinstance(one, kind)]
        return sum(all(getattr(one, k) == v for k, v in facts.items()) for one in found) >= count

    return happened


def asked(rig: Rig, seen: int) -> bool:
    """The endpoint has a request that it does not answer."""
    return rig.server.requests.kinds.get("message", 0) > 0


def proving(rig: Rig, seen: int) -> bool:
    return any(isinstance(one, Notice) and "to prove" in one.text for one in rig.events[seen:])


@dataclass(frozen=True, slots=True)
class Phase:
    """``at_work(rig, events seen before)`` tells that the run of ``goal`` is in this phase."""

    name: str
    goal: str
    at_work: Callable[[Rig, int], bool]
    mode: str = "learner"
    #: Whether it holds the loop's thread: then its task cannot be cancelled, but the thread gets the signal.
    blocks: bool = False
    #: What went well before: a first goal for a warm client; the goal itself for something to replay.
    before: tuple[str, ...] = ("add it up",)
    options: dict[str, Any] = field(default_factory=dict)
    #: Whether a person is there who could be asked.
    asks: bool = False

    async def prepare(self, rig: Rig) -> None:
        """Bring everything to where the goal can be begun."""
        rig.namespace.names["pause"] = 0
        if self.asks:
            approvals = Approvals(rig.bus.publish)
            approvals.attend()
            services = Services(agents=rig.agents, agent_changes="ask", approvals=approvals)
            rig.parts = dataclasses.replace(rig.parts, services=services)
            rig.dispatcher.close()
            rig.dispatcher = Dispatcher(rig.parts)
        for goal in self.before:
            assert (await rig.run(goal, mode="auto")).ok, goal
        rig.dispatcher.settle(60)
        rig.namespace.names["pause"] = 60
        rig.namespace.names.pop("begun", None)


PHASES: Final = (
    Phase("connecting", "add it up", lambda rig, seen: bool(children("claude")), before=()),
    Phase("a hanging endpoint", "add it up", asked, before=(), options=HANGS),
    Phase("the client tries again", "add it up", asked, before=(), options={"faults": FaultPlan(always="529")}),
    Phase("told to come back later", "add it up", asked, before=(), options={"faults": FaultPlan(always="429")}),
    Phase("streaming", "talk slowly", event(TextDelta, 3)),
    Phase("a loop in a cell", "loop in python", in_cell, blocks=True),
    Phase("time.sleep in a cell", "sleep a while", in_cell, blocks=True),
    Phase("numpy in a cell", "multiply matrices", in_cell, blocks=True),
    Phase("a program in a cell", "start a program", in_cell, blocks=True),
    Phase("await in a cell", "await a while", in_cell),
    Phase("run_shell", "run a command", lambda rig, seen: bool(children("bash"))),
    Phase("waiting for Approve", "make an agent", event(ApprovalAsked), asks=True),
    Phase("proving parameters", "declare a number", proving),
    Phase("replaying", "sleep a while", in_cell, "follower", blocks=True, before=("sleep a while",)),
    Phase("a crystal", "sleep 9 times", event(ToolStarted), "crystallized", blocks=True, before=LEARNED),
    Phase("making the plan", "think of a plan", asked, "orchestrator", before=(), options=HANGS),
    Phase("two nodes at once", "do two things", in_cell, "orchestrator"),
)  # fmt: skip


async def stopped(phase: Phase, rig: Rig, way: str) -> tuple[float, RunResult | None]:
    """Seconds from the stop to the run's end, and its result where the task was not cancelled.

    ``way`` is ``stop`` (from another thread), or ``interrupt``: what the kernel's does, to the task or to the thread.
    """
    await phase.prepare(rig)
    seen, at = len(rig.events), []

    def stop() -> None:
        time.sleep(0.2)  # well within it
        at.append(time.monotonic())
        if way == "stop":
            assert rig.dispatcher.stop()
        elif phase.blocks:
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
        else:
            loop.call_soon_threadsafe(task.cancel)

    loop = asyncio.get_running_loop()
    task = asyncio.create_task(rig.run(phase.goal, mode=phase.mode))
    soon(lambda: phase.at_work(rig, seen), stop)
    result = None
    try:
        result = await asyncio.wait_for(asyncio.shield(task), 90)
    except asyncio.CancelledError:
        assert task.cancelled() and way == "interrupt"
    assert at, f"it ended before it came to this phase: {result}"
    took = time.monotonic() - at[0]
    await until(lambda: event(RunEnded)(rig, seen), "the run's end")
    return took, result


def left_over(rig: Rig) -> str:
    """What a stopped run left behind that it must not; empty if nothing."""
    if children("bash"):
        return "a command goes on"
    if rig.economy.reserved_usd:
        return f"{rig.economy.reserved_usd} are reserved still"
    last = rig.of(RunEnded)[-1]
    if last.reason == "the agent finished":
        return ""  # what was stopped came after that
    begun = next(one for one in rig.of(RunStarted) if one.run_id == last.run_id)
    if begun.parent_run_id or last.status != "stopped":
        return f"it ended in {last.status}: {last.reason}"
    worked = any(isinstance(one, ToolStarted) and one.run_id == last.run_id for one in rig.events)
    kept = worked and last.mode == "learner" and last.trace_id is None
    return "what it did is not kept" if kept else ""
