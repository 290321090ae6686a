"""The place where the tools of one run work: guard first, then the tool, one call at a time, every call noted.

Live runs and replays use the same workbench, so both pass the same guard and leave the same evidence.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import dataclasses
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from llmos_nb.guard.policy import check_tool
from llmos_nb.guard.undo import Undo
from llmos_nb.guard.verdict import Verdict
from llmos_nb.kernel.events import Event, ToolFinished, ToolStarted
from llmos_nb.tools.namespace import Namespace, interrupt
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolContext, ToolResult

__all__ = ["Call", "Workbench"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call that was made: ``verdict`` is the guard's, ``result`` is None when it was denied."""

    step: int
    tool: str
    arguments: Mapping[str, Any]
    verdict: Verdict
    result: ToolResult | None
    duration_s: float
    agent: str = ""

    @property
    def status(self) -> str:
        """``ok``, ``error`` or ``denied``."""
        return "denied" if self.result is None else self.result.status


class Workbench:
    """Runs tools for one run on the thread and loop where it was made: the notebook's.

    ``publish`` receives :class:`ToolStarted` and :class:`ToolFinished` events.
    """

    def __init__(
        self,
        run_id: str,
        *,
        namespace: Namespace,
        workspace: Path,
        cwd: Path,
        grant: Collection[str],
        publish: Callable[[Event], None],
        stopping: threading.Event | None = None,
        ask: Callable[[Verdict], bool] | None = None,
        first_step: int = 0,
    ) -> None:
        self.run_id = run_id
        self.grant = frozenset(grant)
        self.calls: list[Call] = []
        self.undo = Undo()
        self.stopping = stopping or threading.Event()
        self._marshalled: set[asyncio.Task[Any]] = set()
        self._task: asyncio.Task[Any] | None = None
        self._publish = publish
        self._ask = ask
        self._steps = first_step
        self._counting = threading.Lock()  # hooks work on threads of their own
        self._context = ToolContext(
            namespace=namespace, workspace=workspace, cwd=cwd, undo=self.undo, stopping=self.stopping
        )
        self._home = asyncio.get_running_loop()
        self._surroundings = contextvars.copy_context()  # ipykernel finds the awaiting cell through it
        self._turn = asyncio.Lock()
        self._passes: Counter[tuple[str, str]] = Counter()

    @property
    def namespace(self) -> Namespace:
        """Where cells run."""
        return self._context.namespace

    @property
    def cwd(self) -> Path:
        """The working folder of tools."""
        return self._context.cwd

    def check(self, tool: str, arguments: Mapping[str, Any]) -> Verdict:
        """The guard's verdict on a call; once the run is being stopped, every call is denied."""
        if self.stopping.is_set():
            return Verdict("deny", "stopping", "the run is being stopped")
        return check_tool(
            tool, arguments, grant=self.grant, cwd=self._context.cwd, workspace=self._context.workspace, ask=self._ask
        )

    def stop(self) -> None:
        """Let no further call begin and interrupt the one at work. Callable from any thread, more than once."""
        self.stopping.set()
        interrupt()
        self._home.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        # Only tasks of our own: one that called us directly is somebody else's.
        if self._task is not None and self._task in self._marshalled:
            self._task.cancel()

    # A hook that did not run must not be taken for one that agreed: a call needs a pass from each of them.

    def grant_pass(self, tool: str, arguments: Mapping[str, Any], hook: str) -> None:
        """Note that ``hook`` let this very call through."""
        with self._counting:
            self._passes[hook, _fingerprint(tool, arguments)] += 1

    def take_pass(self, tool: str, arguments: Mapping[str, Any], hook: str) -> bool:
        """Use up a pass of ``hook`` for this very call; False when there is none."""
        key = (hook, _fingerprint(tool, arguments))
        with self._counting:
            if self._passes[key] < 1:
                return False
            self._passes[key] -= 1
            return True

    async def call(self, tool: str, arguments: Mapping[str, Any], *, replayed: bool = False) -> Call:
        """Guard and run one call. Calls made at the same time wait for each other, in the order asked."""
        async with self._turn:
            started = time.perf_counter()
            step = self._begin(tool, arguments, replayed)
            verdict = self.check(tool, arguments)
            result = None
            if verdict.decision == "allow":
                problem = TOOLS[tool].problem(arguments)
                self._task = asyncio.current_task()
                try:
                    if problem:
                        result = ToolResult(text=problem, error="TypeError")
                    else:
                        context = dataclasses.replace(self._context, show=not replayed)
                        work = TOOLS[tool].run(context, dict(arguments))
                        result = await (self._stoppable(work) if replayed else work)
                except Exception as error:  # noqa: BLE001 - told to the model as the tool's error
                    result = ToolResult(text=f"{type(error).__name__}: {error}", error=type(error).__name__)
                finally:
                    self._task = None
                if result.interrupted:
                    self.stopping.set()
            return self._end(step, tool, arguments, verdict, result, time.perf_counter() - started, replayed)

    async def _stoppable(self, work: Awaitable[ToolResult]) -> ToolResult:
        """Work in a task of its own, which a stop ends even while it awaits something."""

        async def own() -> ToolResult:
            return await work

        self._task = task = asyncio.create_task(own())
        self._marshalled.add(task)
        task.add_done_callback(self._marshalled.discard)
        try:
            return await task
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if not self.stopping.is_set() or (this is not None and this.cancelling()):
                raise
            return ToolResult(text="stopped", error="CancelledError", interrupted=True)

    def note(self, tool: str, arguments: Mapping[str, Any], result: ToolResult | None, *, verdict: Verdict) -> Call:
        """Note a call that was made elsewhere: one of the CLI's own tools, or one that was denied beforehand."""
        return self._end(self._begin(tool, arguments, False), tool, arguments, verdict, result, 0.0, False)

    def _begin(self, tool: str, arguments: Mapping[str, Any], replayed: bool) -> int:
        with self._counting:
            self._steps += 1
            step = self._steps
        self._publish(
            ToolStarted(run_id=self.run_id, step=step, tool=tool, arguments=dict(arguments), replayed=replayed)
        )
        return step

    def _end(
        self,
        step: int,
        tool: str,
        arguments: Mapping[str, Any],
        verdict: Verdict,
        result: ToolResult | None,
        duration_s: float,
        replayed: bool,
    ) -> Call:
        call = Call(step, tool, dict(arguments), verdict, result, duration_s)
        self.calls.append(call)
        self._publish(
            ToolFinished(
                run_id=self.run_id,
                step=step,
                tool=tool,
                status=call.status,
                text=verdict.reason if result is None else result.text,
                duration_s=duration_s,
                outputs=() if result is None else tuple(output.mime for output in result.outputs),
                defines={} if result is None else dict(result.defines),
                files=() if result is None else result.files,
                replayed=replayed,
            )
        )
        return call

    def at_home(self, work: Callable[[], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T]:
        """Run a coroutine on the notebook's loop, as part of the awaiting cell, from any thread."""
        done: concurrent.futures.Future[T] = concurrent.futures.Future()

        def start() -> None:
            task = self._home.create_task(work(), context=self._surroundings)
            self._marshalled.add(task)
            task.add_done_callback(self._marshalled.discard)
            task.add_done_callback(lambda t: _hand_over(t, done))

        self._home.call_soon_threadsafe(start)
        return done


def _hand_over(task: asyncio.Task[T], done: concurrent.futures.Future[T]) -> None:
    if done.cancelled():
        return
    if task.cancelled():
        done.cancel()
    elif (error := task.exception()) is not None:
        done.set_exception(error)
    else:
        done.set_result(task.result())


def _fingerprint(tool: str, arguments: Mapping[str, Any]) -> str:
    return f"{tool} {json.dumps(arguments, sort_keys=True, default=str)}"
