"""The place where the tools of one run work: guard first, then the tool, one call at a time, every call noted.

Live runs and replays use the same workbench, so both pass the same guard and leave the same evidence.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import dataclasses
import functools
import threading
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from llmos_nb.errors import LlmosError
from llmos_nb.guard.gate import Gate, gated
from llmos_nb.guard.policy import BUILT_IN_TOOLS, judge_tool
from llmos_nb.guard.policy_file import policy_of
from llmos_nb.guard.taint import Taint
from llmos_nb.guard.undo import Undo
from llmos_nb.guard.verdict import Verdict, worst
from llmos_nb.kernel.events import Event, Notice, ToolFinished, ToolStarted
from llmos_nb.kernel.secrets import redacted_data, secret_values
from llmos_nb.mind.delegates import DELEGATE
from llmos_nb.tools.asking import PROPOSED, Asking, Word, fingerprint
from llmos_nb.tools.cell import RUN_CELL
from llmos_nb.tools.namespace import Namespace, Output, heeding, interrupt
from llmos_nb.tools.outside import OutsideCalls
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.sandboxed import Sandboxed
from llmos_nb.tools.services import Services
from llmos_nb.tools.stands_for import cell_of
from llmos_nb.tools.tainting import Tainting, agent_digest
from llmos_nb.tools.tool import ToolContext, ToolResult
from llmos_nb.tools.turn import alone
from llmos_nb.tools.withheld import without_secrets

__all__ = ["Call", "Caller", "Workbench"]

T = TypeVar("T")
#: Arguments that a call of a delegate may have: what to do and for whom. Anything else would change how it runs.
_DELEGATION: Final = frozenset({"description", "prompt", "subagent_type", "model"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call: the name of a subagent and the SDK's id of this piece of its work; empty for the run's agent."""

    agent: str = ""
    delegation: str = ""


_LEAD: Final = Caller()


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call that was made: ``verdict`` is the guard's, ``result`` is None when it was denied.

    ``agent`` is the subagent that made it, empty for the run's own agent. ``delegation`` is the id of the subagent's
    piece of work that the call belongs to, or, for a call of ``Agent``, that it began.
    """

    step: int
    tool: str
    arguments: Mapping[str, Any]
    verdict: Verdict
    result: ToolResult | None
    duration_s: float
    agent: str = ""
    delegation: str = ""
    #: Whether a person edited it: ``arguments`` are theirs.
    edited: bool = False
    #: Whether a secret was taken out of ``arguments``: they are not what was really run.
    withheld: bool = False
    #: When it ended, on the clock of ``time.monotonic``: the order of the calls of several runs.
    ended: float = 0.0

    @property
    def status(self) -> str:
        """``ok``, ``error`` or ``denied``."""
        return "denied" if self.result is None else self.result.status


class Workbench:
    """Runs tools for one run on the thread and loop where it was made: the notebook's.

    ``publish`` receives :class:`ToolStarted` and :class:`ToolFinished` events. ``meant`` tells which call a call of a
    tool that is none of :data:`~llmos_nb.tools.registry.TOOLS` stands for. ``team`` has the agents that the run's agent
    may call, each with its own grant; their calls are judged by that. With ``held`` nothing is shown: what would have
    been is added to it. With ``propose`` a person is shown every live call that can change something, before it is made.
    With ``sandbox`` tools work there, and ``namespace`` is the sandbox's.
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
        meant: Callable[[str, Mapping[str, Any]], tuple[str, Mapping[str, Any]]] | None = None,
        agent: str = "",
        services: Services | None = None,
        team: Mapping[str, Collection[str]] | None = None,
        held: list[Output] | None = None,
        in_folder: bool = False,
        propose: bool = False,
        sandbox: Sandboxed | None = None,
    ) -> None:
        self.run_id = run_id
        #: Where its tools work, if not in the kernel.
        self.sandbox = sandbox
        self.team = {name: frozenset(granted) for name, granted in (team or {}).items()}
        self.calls: list[Call] = []
        self.undo = Undo()
        #: Watches the calls of the CLI's own tools.
        self.outside = OutsideCalls(self.undo, cwd, workspace)
        #: What it showed, in the order it was.
        self.shown: list[Output] = []
        self.stopping = stopping or threading.Event()
        self._marshalled: set[asyncio.Task[Any]] = set()
        self._task: asyncio.Task[Any] | None = None
        self._asking = Asking(
            run_id, services.approvals if services else None, self.stopping, publish, propose=propose
        )
        self._publish = publish
        self._policy = policy_of(workspace)
        #: The guard's rules as they were before calls that are made elsewhere.
        self._rules_before = ""
        self._ask = ask
        self._steps = first_step
        self._meant = meant
        self._held = held
        self._counting = threading.Lock()  # hooks work on threads of their own
        self._context = ToolContext(
            namespace=namespace,
            workspace=workspace,
            cwd=cwd,
            undo=self.undo,
            stopping=self.stopping,
            run_id=run_id,
            agent=agent,
            grant=frozenset(grant),
            services=services or Services(),
            in_folder=in_folder,
        )
        #: What came in from outside, and what asks because of it.
        self.tainting = Tainting(
            run_id,
            (services.taint if services else None) or Taint(),
            namespace=namespace,
            workspace=workspace,
            cwd=cwd,
            publish=publish,
        )
        self._home = asyncio.get_running_loop()
        self._surroundings = contextvars.copy_context()  # ipykernel finds the awaiting cell through it
        self._turn = asyncio.Lock()
        self._passes: defaultdict[tuple[str, str], deque[Caller]] = defaultdict(deque)

    @property
    def namespace(self) -> Namespace:
        """Where cells run."""
        return self._context.namespace

    @property
    def grant(self) -> frozenset[str]:
        """The tools that the run's agent may use."""
        return self._context.grant

    @property
    def cwd(self) -> Path:
        """The working folder of tools."""
        return self._context.cwd

    def _of(self, caller: Caller) -> ToolContext:
        """What a caller's tools work with: a subagent has its own name and grant."""
        if not caller.agent:
            return self._context
        return dataclasses.replace(self._context, agent=caller.agent, grant=self.team.get(caller.agent, frozenset()))

    def check(
        self, tool: str, arguments: Mapping[str, Any], caller: Caller = _LEAD, *, as_cell: bool = False
    ) -> Verdict:
        """The guard's verdict on a call; once the run is being stopped, every call is denied. ``as_cell`` says that it is
        the cell for which a call of another tool stands, which was allowed.

        It is ``ask`` only for calls that :meth:`call` makes, where somebody is there to be asked; else that is ``deny``.
        """
        if self.stopping.is_set():
            return Verdict("deny", "stopping", "the run is being stopped")
        if caller.agent and caller.agent not in self.team:
            return Verdict("deny", "unknown-agent", f"{caller.agent[:64]!r} is no agent that this run may call")
        if self.sandbox is not None and (why := self.sandbox.refusal(tool)):
            return Verdict("deny", "sandbox", why)
        context = self._of(caller)
        grant = context.grant | ({RUN_CELL.name} if as_cell else frozenset())
        stood_for: Verdict | None = None
        if tool in TOOLS and cell_of(tool, arguments) is not None:
            stood_for = self._judged(tool, arguments, context, context.grant)
            if stood_for.decision == "deny":
                return stood_for
            grant |= {RUN_CELL.name}  # whoever has the tool has the cell that it stands for
        try:
            tool, arguments = self._as_meant(tool, arguments)
        except LlmosError as error:
            return Verdict("deny", "not-callable", str(error))
        if self._asking.propose and BUILT_IN_TOOLS.get(tool) in ("shell", "write"):
            return Verdict(
                "deny", PROPOSED, f"a person sees everything before it is done, and {tool} cannot show it to them"
            )
        verdict = self._judged(tool, arguments, context, grant)
        verdict = verdict if stood_for is None else worst([stood_for, verdict])
        if verdict.decision != "ask":
            return verdict
        approvals = context.services.approvals
        if self._ask is None and tool in TOOLS and approvals is not None and approvals.attended:
            return verdict
        if self._ask is not None and self._ask(verdict):
            return Verdict("allow", verdict.rule, f"approved: {verdict.reason}")
        return Verdict("deny", verdict.rule, f"{verdict.reason} (nobody was there to approve it)")

    def _judged(
        self, tool: str, arguments: Mapping[str, Any], context: ToolContext, grant: frozenset[str]
    ) -> Verdict:
        """What the guard and the tool's own check say, before anybody is asked."""
        own = TOOLS[tool].check if tool in TOOLS else None
        more = [functools.partial(own, context, arguments)] if own is not None else []
        more.append(functools.partial(self.tainting.exits, tool, arguments))
        if tool == DELEGATE:
            more.append(functools.partial(self._check_delegation, arguments))
        verdict = judge_tool(
            tool,
            arguments,
            grant=grant,
            cwd=context.cwd,
            workspace=context.workspace,
            more=more,
            checked=own is not None,
        )
        return self.tainting.first(verdict, tool, arguments)

    async def agree(self, tool: str, reason: str, text: str, *, language: str = "") -> Verdict:
        """Show a person something that is more than one call, and wait for their yes or no; a stop is a no."""
        return await self._asking.whole(self._context.agent, tool, reason, text, language)

    def _check_delegation(self, arguments: Mapping[str, Any]) -> Verdict:
        """Only agents that the run's agent names, and only to be told what to do."""
        name = arguments.get("subagent_type")
        if not isinstance(name, str) or name not in self.team:
            known = ", ".join(sorted(self.team)) or "nobody"
            return Verdict("deny", "not-a-delegate", f"{str(name)[:64]!r} is no delegate of this agent ({known})")
        odd = [key for key, value in arguments.items() if key not in _DELEGATION and value not in (None, False, "")]
        if odd:
            return Verdict("deny", "delegation-option", f"a delegate is called without {', '.join(odd)[:200]}")
        return Verdict("allow", "delegate", f"{name} is a delegate of this agent")

    def _as_meant(self, tool: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The call that a call stands for: guarded, made and recorded is this one.

        Raises:
            LlmosError: it stands for none.
        """
        if tool in TOOLS:
            return cell_of(tool, arguments) or (tool, arguments)
        return (tool, arguments) if self._meant is None else self._meant(tool, arguments)

    def stop(self) -> None:
        """Let no further call begin and interrupt the one at work. Callable from any thread, more than once."""
        self.stopping.set()
        if self.sandbox is not None:
            self.sandbox.stop()
        self._asking.take_back()
        if (task := self._task) is not None:  # else what blocks the thread now is another run's
            interrupt(lambda: self._task is task)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing of this run is at work any more
            self._home.call_soon_threadsafe(self._cancel)

    async def over(self, timeout_s: float) -> None:
        """Wait until no call that came from outside its loop is at work any more, but no longer than ``timeout_s``."""
        if at_work := [task for task in self._marshalled if task is not asyncio.current_task()]:
            await asyncio.wait(at_work, timeout=timeout_s)

    def _cancel(self) -> None:
        # Only tasks of our own: one that called us directly is somebody else's.
        if self._task is not None and self._task in self._marshalled:
            self._task.cancel()

    # A hook that did not run must not be taken for one that agreed: a call needs a pass from each of them.

    def grant_pass(self, tool: str, arguments: Mapping[str, Any], hook: str, caller: Caller = _LEAD) -> None:
        """Note that ``hook`` let this very call of ``caller`` through."""
        with self._counting:
            self._passes[hook, fingerprint(tool, arguments)].append(caller)

    def take_pass(self, tool: str, arguments: Mapping[str, Any], hook: str) -> Caller | None:
        """Use up a pass of ``hook`` for this very call: whom it was for, None when there is none."""
        key = (hook, fingerprint(tool, arguments))
        with self._counting:
            given = self._passes.get(key)
            if not given:
                return None
            caller = given.popleft()
            if not given:
                del self._passes[key]
            return caller

    def at_once(self, tool: str, arguments: Mapping[str, Any], caller: Caller = _LEAD) -> None:
        """Do what of a call cannot wait for its turn, from any thread; nothing for most, or where the guard objects."""
        known = TOOLS.get(tool)
        if known is None or known.at_once is None or known.problem(arguments):
            return
        if self.check(tool, arguments, caller).decision == "allow":
            with contextlib.suppress(Exception):  # the call that follows tells of it
                known.at_once(self._of(caller), dict(arguments))

    async def call(
        self, tool: str, arguments: Mapping[str, Any], *, replayed: bool = False, caller: Caller = _LEAD
    ) -> Call:
        """Guard and run one call. Calls made at the same time, of other runs too, wait for each other, in the order
        asked: what a call is seen to do must be its own. While a person is asked, nothing else of this run goes on."""
        if tool in TOOLS and TOOLS[tool].at_once is not None:
            await asyncio.to_thread(self.at_once, tool, arguments, caller)
        async with self._turn:
            word, as_cell = Word(), False
            while True:
                async with alone():
                    with heeding() if tool == RUN_CELL.name else contextlib.nullcontext():
                        started = time.perf_counter()
                        verdict = word.on(self.check(tool, arguments, caller, as_cell=as_cell))
                        verdict = self._asking.settled(verdict, tool, arguments)
                        if verdict.decision != "deny":
                            as_cell = as_cell or cell_of(tool, arguments) is not None
                            tool, arguments = self._as_meant(tool, arguments)
                        if not self._asking.due(verdict, tool, arguments, word, replayed=replayed):
                            return await self._made(tool, arguments, verdict, started, replayed, caller, word)
                # The world goes on while a person is thinking: the guard is asked again after that.
                arguments = await self._asking.about(verdict, tool, arguments, word, self._of(caller))

    async def _made(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        verdict: Verdict,
        started: float,
        replayed: bool,
        caller: Caller,
        word: Word,
    ) -> Call:
        step = self._begin(tool, arguments, replayed, caller)
        result, gate = None, self.tainting.gate(verdict, word.rules)
        rules, shut = self._policy.now(), gate.shut
        if verdict.decision == "allow":
            problem = TOOLS[tool].problem(arguments)
            self._task = asyncio.current_task()
            try:
                if problem:
                    result = ToolResult(text=problem, error="TypeError")
                else:
                    context = dataclasses.replace(
                        self._of(caller),
                        show=not replayed and self._held is None,
                        approved=verdict.reason.startswith("approved"),
                    )
                    run = TOOLS[tool].run if self.sandbox is None else functools.partial(self.sandbox.call, tool)
                    with gated(gate):
                        work = run(context, dict(arguments))
                        result = await (self._stoppable(work) if replayed else work)
            except Exception as error:  # noqa: BLE001 - told to the model as the tool's error
                result = ToolResult(text=f"{type(error).__name__}: {error}", error=type(error).__name__)
            finally:
                self._task = None
            self._look_at_rules(rules)
            if result.interrupted:
                self.stopping.set()
            result = without_secrets(result, secret_values(self.namespace.names))
            self._let_in(tool, arguments, result, gate)
            if not replayed:
                shown = self.tainting.outputs(result.outputs) if shut else result.outputs
                (self.shown if self._held is None else self._held).extend(shown)
        took_s = time.perf_counter() - started
        return self._end(step, tool, arguments, verdict, result, took_s, replayed, caller, word.edited)

    def show(self, outputs: Iterable[Output]) -> None:
        """Show what a replay kept back until it was verified."""
        outputs = self.tainting.outputs(tuple(outputs))
        if self._held is not None:
            self._held += outputs
        else:
            self.shown += outputs
            self.namespace.show(outputs)

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

    def note(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        result: ToolResult | None,
        *,
        verdict: Verdict,
        caller: Caller = _LEAD,
        duration_s: float = 0.0,
    ) -> Call:
        """Note a call that was made elsewhere: one of the CLI's own tools, or one that was denied beforehand."""
        if result is not None:
            self.outside.over(tool, arguments)
            if self._rules_before:
                self._look_at_rules(self._rules_before)
            result = without_secrets(result, secret_values(self.namespace.names))
            self._let_in(tool, arguments, result, None)
        step = self._begin(tool, arguments, False, caller)
        return self._end(step, tool, arguments, verdict, result, duration_s, False, caller)

    def _let_in(self, tool: str, arguments: Mapping[str, Any], result: ToolResult, gate: Gate | None) -> None:
        """Note what a call let in from outside, and what was written after such content was read."""
        tainting, services = self.tainting, self._context.services
        tainting.came_in(tool, arguments, result, gate)
        if result.error:
            return
        if tool == "recall" and services.facts is not None:
            ids = [Path(name).stem for name in result.reads]
            tainting.rests_on(recalled=[services.facts.get(id) for id in ids])
        elif tool == "remember" and services.facts is not None:
            for name in result.files:
                fact = services.facts.get(Path(name).stem)
                tainting.keep("fact", fact.id, fact.digest)
        elif tool in ("create_agent", "modify_agent") and services.agents is not None:
            agent = services.agents.get(str(arguments.get("name")))
            tainting.keep("agent", agent.name, agent_digest(agent))

    def foresee(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """Keep what a call is about to change that is made elsewhere: by one of the CLI's own tools."""
        self._rules_before = self._policy.now()
        self.outside.about_to(tool, arguments)

    def _look_at_rules(self, before: str) -> None:
        """See that no call changed what the guard goes by."""
        if told := self._policy.distrust_if_changed(before):
            self._publish(Notice(run_id=self.run_id, text=told))

    def _begin(self, tool: str, arguments: Mapping[str, Any], replayed: bool, caller: Caller) -> int:
        with self._counting:
            self._steps += 1
            step = self._steps
        self._publish(
            ToolStarted(
                run_id=self.run_id,
                step=step,
                tool=tool,
                arguments=self._shown(arguments),
                replayed=replayed,
                agent=caller.agent,
            )
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
        caller: Caller,
        edited: bool = False,
    ) -> Call:
        shown = self._shown(arguments)
        call = Call(
            step,
            tool,
            shown,
            verdict,
            result,
            duration_s,
            caller.agent,
            caller.delegation,
            edited,
            shown != dict(arguments),
            time.monotonic(),
        )
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
                agent=caller.agent,
            )
        )
        return call

    def _shown(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as they are told and recorded: without secrets."""
        return dict(redacted_data(dict(arguments), secret_values(self.namespace.names)))

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
