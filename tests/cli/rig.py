"""A whole system around a cortex of the test's own: the real SDK and CLI, scripts of the test, hooks that can misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmos_nb.cortex.cortex import Cortex
from llmos_nb.cortex.endpoint import resolve_endpoint
from llmos_nb.cortex.hooks import HOOKS, Hook, HookBody
from llmos_nb.cortex.scripted import FaultPlan, ScriptedServer, parse_script
from llmos_nb.crystals import CrystalShelf
from llmos_nb.dispatch.dispatcher import Dispatcher
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal, Parts
from llmos_nb.kernel.budget import TokenEconomy
from llmos_nb.kernel.events import Event, EventBus
from llmos_nb.memory import TraceStore
from llmos_nb.mind import Agent, AgentRegistry
from llmos_nb.settings import Settings
from llmos_nb.tools.namespace import PlainNamespace

#: Seconds within which something that must happen happens, on a slow and busy machine.
SOON_S = 60.0


def one_step(goal: str, tool: str, argument: str, answer: str = "Done.", header: str = "") -> str:
    """A script that makes one tool call and answers; ``argument`` is the tool's main one."""
    call = f"## Turn 1\n\nI do it.\n\n### {tool}\n\n```\n{argument}\n```\n"
    return f"---\ngoal: {goal}\n{header}---\n{call}\n## Answer\n\n{answer}\n"


class Mishaps:
    """Hooks whose bodies can be replaced while a client that holds them stays connected."""

    def __init__(self) -> None:
        self.bodies: dict[str, HookBody] = {}
        self.seen: list[tuple[str, str]] = []
        self.hooks = tuple(Hook(hook.name, hook.events, self._body(hook)) for hook in HOOKS)

    def _body(self, hook: Hook) -> HookBody:
        def body(job: Any, given: Mapping[str, Any]) -> Any:
            self.seen.append((hook.name, str(given.get("hook_event_name"))))
            return self.bodies.get(hook.name, hook.body)(job, given)

        return body


class Rig:
    """Dispatcher, ledger, traces and bus on a scripted server; every part is at hand."""

    def __init__(
        self,
        folder: Path,
        scripts: Sequence[str] = (),
        *,
        hooks: tuple[Hook, ...] = HOOKS,
        faults: FaultPlan | None = None,
        delta_delay_s: float = 0.0,
        server: Any = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.settings = Settings(workspace=folder / "workspace", endpoint="scripted", mode="learner").with_(
            **settings
        )
        (self.settings.workspace / ".llmos").mkdir(parents=True, exist_ok=True)
        parsed = [parse_script(text, f"test-{number}.md") for number, text in enumerate(scripts)]
        self.server = server or ScriptedServer(parsed, faults=faults, delta_delay_s=delta_delay_s)
        self.server.start()
        self.crystals = CrystalShelf(self.settings.workspace / "crystals")
        self.cortex = Cortex(self.settings.workspace, hooks=hooks, scripted=self.server, crystals=self.crystals)
        self.economy = TokenEconomy(self.settings.budget_usd, simulated=True)
        self.store = TraceStore(self.settings.workspace / "memory" / "traces")
        self.agents = AgentRegistry(self.settings.workspace / "agents")
        self.bus = EventBus()
        self.events: list[Event] = []
        self._unsubscribe = self.bus.subscribe(self.events.append, name="test")
        self.namespace = PlainNamespace()
        self._ids = itertools.count(1)
        self.parts = Parts(
            settings=self.settings, endpoint=resolve_endpoint(self.settings, {}), store=self.store,
            economy=self.economy, cortex=self.cortex, bus=self.bus, namespace=self.namespace,
            crystals=self.crystals,
        )  # fmt: skip
        self.dispatcher = Dispatcher(self.parts)

    async def run(
        self, goal: str, *, agent: Agent | None = None, budget_usd: float = 0.5, mode: str = "learner"
    ) -> RunResult:
        """Work on a goal; the ledger must hold no open reservation afterwards, whatever happened."""
        try:
            return await self.dispatcher.execute(
                Goal(
                    run_id=f"run-{next(self._ids)}",
                    text=goal,
                    mode=mode,
                    agent=agent or self.agents.get("generalist"),
                    agent_asked=False,
                    model="scripted",
                    budget_usd=budget_usd,
                    cwd=self.folder,
                )
            )
        finally:
            self.bus.flush()
            assert self.dispatcher.running or self.economy.reserved_usd == 0

    def with_settings(self, **changes: Any) -> Dispatcher:
        """Use other settings from now on, with all other parts as they are."""
        import dataclasses

        self.settings = self.settings.with_(**changes)
        self.parts = dataclasses.replace(self.parts, settings=self.settings)
        self.dispatcher.close()
        self.dispatcher = Dispatcher(self.parts)
        return self.dispatcher

    def of(self, kind: type[Any], run_id: str = "") -> list[Any]:
        """The events of a kind, of one run or of all."""
        return [event for event in self.events if isinstance(event, kind) and run_id in ("", event.run_id)]

    def close(self) -> None:
        """End the CLI processes, the server and the threads."""
        self.dispatcher.close()
        self._unsubscribe()
        self.cortex.close()
        self.server.close()
        self.store.close()


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        await asyncio.sleep(0.02)


def soon(condition: Callable[[], Any], action: Callable[[], Any]) -> threading.Thread:
    """Do ``action`` on a thread of its own as soon as ``condition`` holds: what a person with a Stop button does. Where it
    does not hold soon, nothing is done."""

    def wait() -> None:
        deadline = time.monotonic() + SOON_S
        while not (holds := condition()) and time.monotonic() < deadline:
            time.sleep(0.01)
        if holds:
            action()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def children(name: str = "claude", parent: int | None = None) -> list[int]:
    """Process ids of the children, of this process or another, with ``name`` in their name, those that ended left out."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (folder / "stat").read_text()
                state, its_parent = stat.rpartition(")")[2].split()[:2]
                if (
                    int(its_parent) == (parent or os.getpid())
                    and state != "Z"
                    and name in stat.partition("(")[2].rpartition(")")[0]
                ):
                    found.append(int(folder.name))
    return found
