"""One run: what was asked, what it works with, how far it is. Every mode's runner gets one and speaks through it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmos_nb.cortex.context import ContextUse
from llmos_nb.cortex.cortex import Cortex
from llmos_nb.cortex.endpoint import Endpoint
from llmos_nb.cortex.job import Job, Usage
from llmos_nb.crystals import CrystalShelf
from llmos_nb.crystals.offered import as_cell
from llmos_nb.dispatch.belonging import services_in
from llmos_nb.dispatch.decide import Decision
from llmos_nb.dispatch.orchestrator.plan import Plan
from llmos_nb.dispatch.orchestrator.pot import Pot
from llmos_nb.dispatch.orchestrator.state import PlanState
from llmos_nb.dispatch.recalled import Injection, injection
from llmos_nb.dispatch.result import RunResult, ShownStep
from llmos_nb.dispatch.seen import Seen
from llmos_nb.dispatch.undo_history import UndoHistory
from llmos_nb.dispatch.wording import plain
from llmos_nb.kernel.budget import Reservation, TokenEconomy
from llmos_nb.kernel.events import Event, EventBus, ModeDecided, Notice
from llmos_nb.learning.needs import types_of
from llmos_nb.learning.record import repeating
from llmos_nb.memory import TraceStore
from llmos_nb.memory.insights import MENDED, Insight
from llmos_nb.memory.library import Library
from llmos_nb.memory.slots import Vocabulary
from llmos_nb.mind import Agent
from llmos_nb.projects import Constraints, Project
from llmos_nb.settings import Settings
from llmos_nb.tools.aside import AsideNamespace
from llmos_nb.tools.cell import mentioned_names
from llmos_nb.tools.namespace import Namespace, Output
from llmos_nb.tools.quiet import QuietNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.sandboxed import Offered, Sandboxed
from llmos_nb.tools.services import Services
from llmos_nb.tools.workbench import Call, Workbench

__all__ = ["Goal", "Parts", "Run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal as it was asked for. ``agent_asked`` tells an agent that a person named from the default one.

    ``plan`` is one to run for it, ``resumed`` what an earlier run of it had reached. A goal that is a node of a plan
    has the run of the whole as ``parent_run_id``, takes its money from ``pot`` and brings ``briefing``: what the agent
    is told of the plan beside the goal, whose words are the same every time.
    """

    run_id: str
    text: str
    mode: str
    agent: Agent
    agent_asked: bool
    model: str | None
    budget_usd: float
    cwd: Path
    #: What a person can do to give it more money.
    more: str = "Give this goal more with --budget."
    #: Agents that the agent may call.
    team: tuple[Agent, ...] = ()
    #: A run, and the model's name of its conversation, that this one goes on with; empty: it begins a new one.
    resumes: str = ""
    conversation: str = ""
    #: The job of the schedule that asks for it, if one does: what it shows is kept, and appears in no cell.
    scheduled_by: str = ""
    #: Whether it is worked on beside the person's cells: what it shows is kept for its result, and appears in no cell.
    background: bool = False
    plan: Plan | None = None
    resumed: PlanState | None = None
    parent_run_id: str = ""
    pot: Pot | None = None
    briefing: str = ""
    #: A mark of what ``briefing`` tells of other nodes' answers.
    handed: str = ""
    #: The project that the run belongs to, and what holds in it.
    project: Project | None = None
    constraints: Constraints = field(default_factory=Constraints)
    #: Tools of the agent that it may not use there.
    withheld: tuple[str, ...] = ()
    #: Whether a person is shown what would be done before it is.
    propose: bool = False
    #: What a person should know about the goal as it is.
    note: str = ""
    #: Whether its tools work in a sandbox instead of the kernel.
    sandbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a dispatcher works with."""

    settings: Settings
    endpoint: Endpoint
    store: TraceStore
    economy: TokenEconomy
    cortex: Cortex
    bus: EventBus
    namespace: Namespace
    crystals: CrystalShelf
    services: Services = field(default_factory=Services)
    #: What takes runs back.
    undos: UndoHistory = field(default_factory=UndoHistory)
    #: The folder of projects, if there is one.
    projects: Path | None = None
    #: The tasks that come with packs; None where there are none.
    library: Library | None = None
    #: What earlier runs had to mend on goals like one.
    lessons: Callable[[str], Sequence[Insight]] = lambda goal: ()

    def recalled(self, goal: str, project: Project | None) -> Injection:
        """What an agent is given from memory beside ``goal``: facts of its project and of none, lessons of all."""
        learned = self.lessons(goal) if self.settings.memory_limit else ()
        return injection(goal, services_in(self.services, project), self.settings, learned)


class Run:
    """A run that is going on. Made on the loop that awaits the goal; :meth:`end` may be called from any thread."""

    def __init__(self, goal: Goal, parts: Parts, namespace: Namespace | None = None) -> None:
        self.goal, self.parts = goal, parts
        self.services = services_in(parts.services, goal.project)
        if goal.scheduled_by:
            self.services = replace(self.services, approvals=None)  # nobody waits for it who could be asked
        self.started = time.monotonic()
        self.mode = self.mode_reason = ""
        #: Why a recorded run of this very goal is not replayed, and what to do; empty where there is none.
        self.passed_over = ""
        #: What is free and comes near, for a goal that nothing free serves.
        self.confidence: float | None = None
        #: Why it is ended from outside, if it is: the end state, and the reason.
        self.ending = self.ending_reason = ""
        self.job: Job | None = None
        #: What is remembered that bears on the goal, once the agent is asked.
        self.injection = Injection()
        #: All that the agent was given, once it is asked.
        self.seen: Seen | None = None
        #: Runs of the plan's nodes that are going on.
        self.children: list[Run] = []
        self.usage: list[Usage] = []
        self.cost_usd: float | None = 0.0
        #: What the runs of nodes that are over cost.
        self.nodes_usd: float | None = 0.0
        #: The words that mean something in the namespace when the run begins.
        self.vocabulary: Vocabulary | None = None
        #: What it came to, once it is over.
        self.ended: RunResult | None = None
        #: The trace that it left, once it did.
        self.trace_id: str | None = None
        #: Notices that stay with the result.
        self.notices: list[str] = [goal.note] if goal.note else []
        self.names_before = types_of(parts.namespace.names)
        self.namespace = namespace or _namespace(goal, parts)
        #: What a node's steps show, until it is its turn to be shown; None where they show it at once.
        self.held: list[Output] | None = [] if goal.parent_run_id else None
        cells = parts.namespace.names.get("In")
        self._cells = len(cells) if isinstance(cells, list) else 0
        #: Every workbench that worked for it, its plan's nodes' too: together they know what it changed.
        self.benches: list[Workbench] = []
        #: What it made in its sandbox, once it is over.
        self.offered = Offered()
        if self.services.taint is not None and not goal.parent_run_id:
            self.services.taint.hear(goal.text)
        self.bench = self._new_bench(0)

    def _new_bench(self, first_step: int) -> Workbench:
        workspace = self.parts.settings.workspace.resolve()
        sandbox = Sandboxed(self.namespace, self.goal.cwd, workspace, self.goal.text) if self.goal.sandbox else None
        bench = Workbench(
            self.goal.run_id,
            namespace=self.namespace if sandbox is None else sandbox.namespace,
            workspace=workspace,
            cwd=self.goal.cwd,
            grant={*self.goal.agent.tools, *repeating(self.goal.agent.tools)},
            publish=self.publish,
            first_step=first_step,
            meant=functools.partial(as_cell, self.parts.crystals),
            agent=self.goal.agent.name,
            services=self.services,
            in_folder=self.goal.project is not None or self.goal.background,
            team={one.name: {*one.tools, *repeating(one.tools)} for one in self.goal.team},
            held=self.held,
            propose=self.goal.propose,
            sandbox=sandbox,
        )
        self.benches.append(bench)
        return bench

    def named_meanwhile(self) -> set[str]:
        """What a person's cells named that began while this run worked, where a shell keeps them."""
        cells = self.parts.namespace.names.get("In")
        later = cells[self._cells :] if isinstance(cells, list) else []
        return {name for cell in later for name in mentioned_names(str(cell))}

    def start_over(self) -> None:
        """Give the agent a workbench of its own after a refused replay, whose effects were put back."""
        self.bench = self._new_bench(len(self.bench.calls))

    def end(self, status: str, reason: str) -> None:
        """End the run from outside, in ``status``. The first call counts."""
        if not self.ending:
            self.ending, self.ending_reason = status, reason
        for child in tuple(self.children):
            child.end(status, reason)
        if self.job is not None:
            self.job.end(status, reason)
        else:
            self.bench.stop()

    async def leave_sandbox(self) -> None:
        """Take out of the sandbox what a goal that was reached made there, and end it with all its processes."""
        for bench in self.benches:
            if bench.sandbox is None:
                continue
            try:
                if bench is self.bench and not self.ending:
                    self.offered = await bench.sandbox.offers()
                self.notices += bench.sandbox.notices
            finally:
                bench.sandbox.stop()
                await bench.sandbox.end()

    def reserve(self, description: str) -> Reservation:
        """Hold what this run may spend: of the whole plan's money where it is a node of one.

        Raises:
            BudgetExceeded: it is not there.
        """
        goal = self.goal
        if goal.pot is not None:
            return goal.pot.part(goal.budget_usd, description, run_id=goal.run_id)
        return self.parts.economy.reserve(
            goal.budget_usd,
            description,
            run_id=goal.run_id,
            project=goal.project.name if goal.project is not None else "",
            project_usd=goal.constraints.total_budget_usd,
        )

    def publish(self, event: Event) -> None:
        """Tell everyone."""
        self.parts.bus.publish(event)

    def notice(self, text: str) -> None:
        """Tell a person something."""
        self.publish(Notice(run_id=self.goal.run_id, text=text))

    def tell_broken_agents(self) -> None:
        """Tell of agents of this run whose file is broken, so that they are not what it says."""
        agents = self.services.agents
        if agents is None:
            return
        for name in (self.goal.agent.name, *(one.name for one in self.goal.team)):
            if (error := agents.problem(name)) is not None:
                text = f"{error} The last version of {name} that could be read is used until then."
                self.notices.append(text)
                self.notice(text)

    def take_mode(self, mode: str, decision: Decision, reason: str = "") -> None:
        """Note and tell which mode works on the goal from now on."""
        self.mode, self.mode_reason = mode, plain(reason or decision.reason)
        match = decision.match
        self.confidence = match.confidence if match else None
        self.publish(
            ModeDecided(
                run_id=self.goal.run_id,
                mode=mode,
                reason=self.mode_reason,
                trace_id=match.trace_id if match else None,
                confidence=self.confidence,
            )
        )

    def spend(self, usage: Usage, cost_usd: float | None) -> None:
        """Note a model call; an unknown cost makes the run's cost unknown. Rounded to nano-dollars, as the ledger is."""
        self.usage.append(usage)
        known = cost_usd is not None and self.cost_usd is not None
        self.cost_usd = round((self.cost_usd or 0.0) + (cost_usd or 0.0), 9) if known else None

    def _clashes(self) -> list[str]:
        """What others changed while it worked in the background: told once, for the whole of a plan."""
        if self.goal.parent_run_id or not isinstance(self.namespace, AsideNamespace):
            return []
        return self.namespace.clashes()

    @property
    def spent_usd(self) -> float | None:
        """What it cost so far, with the nodes of its plan; None where the price of a call is unknown."""
        costs = [self.cost_usd, self.nodes_usd, *(child.cost_usd for child in tuple(self.children))]
        return None if None in costs else round(sum(cost or 0.0 for cost in costs), 9)

    def _seen(self) -> Seen | None:
        """What the agent was given, with the SDK's count."""
        if self.seen is None or self.job is None or not self.job.context_tokens:
            return self.seen
        return replace(self.seen, used=ContextUse(self.job.context_tokens))

    @property
    def tokens(self) -> dict[str, int]:
        """Tokens so far, by kind."""
        return {
            "input": sum(usage.input_tokens for usage in self.usage),
            "output": sum(usage.output_tokens for usage in self.usage),
            "cache_read": sum(usage.cache_read for usage in self.usage),
            "cache_write": sum(usage.cache_write for usage in self.usage),
        }

    def result(self, status: str, reason: str, text: str, **facts: Any) -> RunResult:
        """The run's result as things stand now; what a plan's nodes cost is part of it."""
        costs = [self.cost_usd, *(node.cost_usd for node in facts.get("nodes", ()))]
        return RunResult(
            run_id=self.goal.run_id,
            goal=self.goal.text,
            status=status,
            mode=self.mode,
            text=text,
            reason=reason,
            cost_usd=None if None in costs else round(sum(cost or 0.0 for cost in costs), 9),
            agent=self.goal.agent.name,
            mode_reason=self.mode_reason,
            passed_over=self.passed_over,
            confidence=self.confidence,
            endpoint=self.parts.endpoint.label,
            simulated=self.parts.endpoint.simulated,
            duration_s=time.monotonic() - self.started,
            tokens=self.tokens,
            steps=tuple(_shown(call) for call in self.bench.calls),
            outputs=tuple(self.namespace.kept) if isinstance(self.namespace, QuietNamespace) else (),
            shown=()
            if isinstance(self.namespace, QuietNamespace)
            else tuple(output for bench in self.benches for output in bench.shown),
            context=ContextUse(self.job.context_tokens) if self.job is not None and self.job.context_tokens else None,
            seen=self._seen(),
            recalled=(
                *(f"{one.fact.text}  ({one.reason})" for one in self.injection.given),
                *(f"{lesson.text}  ({MENDED})" for lesson, _ in self.injection.lessons),
            ),
            project=self.goal.project.name if self.goal.project is not None else "",
            notices=(*self.notices, *self._clashes()),
            sandbox=self.bench.sandbox.fence.name if self.bench.sandbox is not None else "",
            folder=str(self.goal.cwd) if self.bench.sandbox is not None else "",
            diffs=tuple(call.result.diff for call in self.bench.calls if call.result and call.result.diff),
            **facts,
        )


def _namespace(goal: Goal, parts: Parts) -> Namespace:
    """Where a goal's cells run; what no cell of a person's waits for shows nothing."""
    if goal.background:
        return AsideNamespace(parts.namespace)
    return QuietNamespace(parts.namespace, goal.scheduled_by) if goal.scheduled_by else parts.namespace


def _shown(call: Call) -> ShownStep:
    main = TOOLS[call.tool].main if call.tool in TOOLS else ""
    return ShownStep(call.tool, str(call.arguments.get(main, "") or ""), call.status)
