"""Running a plan: every node is a goal of its own, sent through the dispatcher; what does not wait for another runs
beside it, as far as settings, memory and money allow."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from llmos_nb.dispatch.orchestrator.handoff import (
    Before,
    answers_for,
    briefing,
    broken_promises,
    digest_of,
    inputs_of,
    missing_inputs,
)
from llmos_nb.dispatch.orchestrator.node_result import NodeResult
from llmos_nb.dispatch.orchestrator.plan import Node, Plan
from llmos_nb.dispatch.orchestrator.pot import Pot
from llmos_nb.dispatch.orchestrator.state import PlanState, marks, plans_folder, save_state, still_there
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal, Run
from llmos_nb.errors import LlmosError, StoreError
from llmos_nb.guard.effects import unwatched
from llmos_nb.kernel.events import NodeEnded, NodeStarted, PlanMade
from llmos_nb.mind import Agent
from llmos_nb.mind.delegates import DELEGATE, team_of
from llmos_nb.tools.namespace import Output
from llmos_nb.tools.turn import alone
from llmos_nb.tools.workbench import Call

__all__ = ["Child", "StartChild", "Walk", "joined_answers", "parallel_limit"]

#: Bytes that one client's process takes.
CLIENT_BYTES: Final = 250 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Child:
    """A node's run that is over: its result, the calls it rests on, and what they showed and nobody has seen yet."""

    result: RunResult
    calls: Sequence[Call] = ()
    shown: Sequence[Output] = ()


#: Runs a node's goal through the dispatcher.
StartChild = Callable[[Goal], Awaitable[Child]]


def parallel_limit(wanted: int) -> int:
    """How many nodes may run at the same time: ``wanted``, or fewer where memory is short; always one."""
    import psutil

    return max(1, min(wanted, int(psutil.virtual_memory().available // CLIENT_BYTES)))


class Walk:
    """One walk through a plan. After :meth:`go`, ``results`` says how every node ended.

    ``start`` runs a goal to its end; ``agent_of`` gives a node's agent. Both are the dispatcher's.
    """

    def __init__(
        self,
        run: Run,
        plan: Plan,
        pot: Pot,
        *,
        start: StartChild,
        agent_of: Callable[[str], Agent],
        resumed: PlanState | None = None,
    ) -> None:
        self._run, self._plan, self._pot = run, plan, pot
        self._start, self._agent_of = start, agent_of
        self._names, self._cwd = run.namespace.names, run.goal.cwd
        self._folder = plans_folder(run.parts.settings.workspace)
        self._resumes = resumed.run_id if resumed is not None else ""
        self._running: dict[asyncio.Task[tuple[NodeResult, Child]], Node] = {}
        self._shown: dict[str, Sequence[Output]] = {}
        self._unshown = [node.id for node in plan.nodes]
        self._warned = False
        self.results: dict[str, NodeResult] = {}
        #: The calls of every node that succeeded, in the order in which they really ended.
        self.calls: list[Call] = []
        #: A mark of the answers that agents were told in words, by node.
        self.told: dict[str, str] = {}
        if resumed is not None:
            self._keep(resumed)

    def _keep(self, state: PlanState) -> None:
        """Take over what an earlier run had finished, as far as it is still there and so is what it rests on."""
        if state.cwd != str(self._cwd):
            self._run.notice(f"the plan was begun in {state.cwd}; it goes on in {self._cwd}")
        for id_ in (id_ for layer in self._plan.layers for id_ in layer):
            node, before = self._plan[id_], state.nodes.get(id_)
            same = before is not None and id_ in {n.id for n in state.plan.nodes} and state.plan[id_] == node
            if before is None or not same or not all(need in self.results for need in node.needs):
                continue
            if still_there(node, before, self._names, self._cwd):
                self.results[id_] = replace(before, kept=True, cost_usd=0.0, saved_usd=0.0)
                self._answer(node, before.text)

    async def go(self) -> None:
        """Walk until nothing runs and nothing can begin. Cancelling it ends every node."""
        run = self._run
        kept = tuple(self.results)
        run.publish(PlanMade(run_id=run.goal.run_id, plan=self._plan.as_data(), source=self._plan.source, kept=kept))
        self.save("")
        limit = parallel_limit(run.parts.settings.parallel_goals)
        try:
            while True:
                self._skip()
                for node in self._ready()[: limit - len(self._running)]:
                    run_id, usd = _new_id(), self._share(node)
                    if usd <= 0 and self._running:
                        break  # those at work hold all of it; what they leave is this one's
                    self._pot.promise(usd, run_id=run_id)  # at once: the next node's share is of what is left then
                    work = self._paid(node, usd, run_id)
                    task = asyncio.get_running_loop().create_task(work, name=f"llmos node {node.id}")
                    self._running[task] = node
                if not self._running:
                    break
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    await self._ended(self._running.pop(task), task)
        finally:
            await self._give_up()
        self._skip(rest=True)
        await self._show()

    async def _give_up(self) -> None:
        """End what still runs, because the walk was cancelled or something broke."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
            self._running.clear()
            self.save("stopped")

    def save(self, status: str) -> None:
        """Write down how far the plan is. A disk that is full does not stop the run; resuming is not possible then."""
        goal = self._run.goal
        state = PlanState(
            run_id=goal.run_id,
            plan=self._plan,
            agent=goal.agent.name,
            cwd=str(self._cwd),
            resumes=self._resumes,
            status=status,
            nodes=self.results,
        )
        try:
            with unwatched():  # a cell may wait for this run
                save_state(self._folder, state)
        except StoreError as error:
            if not self._warned:
                self._warned = True
                self._run.notice(f"the plan's state is not kept, so it cannot be resumed: {error}")

    # -- nodes

    def _open(self) -> list[Node]:
        """Nodes that neither ended nor run."""
        busy = {node.id for node in self._running.values()}
        return [node for node in self._plan.nodes if node.id not in self.results and node.id not in busy]

    def _ready(self) -> list[Node]:
        if self._run.ending:
            return []
        reached = {id_ for id_, result in self.results.items() if result.ok}
        return [node for node in self._open() if reached.issuperset(node.needs)]

    def _skip(self, *, rest: bool = False) -> None:
        """Nodes that need one that failed never begin; with ``rest`` none does any more."""
        while True:
            lost = {id_ for id_, result in self.results.items() if not result.ok}
            found = [(node, [need for need in node.needs if need in lost]) for node in self._open()]
            new = [(node, needs) for node, needs in found if needs or rest]
            if not new:
                return
            for node, needs in new:
                why = f"needs {', '.join(needs)}" if needs else f"the run was ended: {self._run.ending_reason}"
                self._note(NodeResult(id=node.id, goal=node.goal, agent=node.agent, reason=why), "")

    async def _paid(self, node: Node, usd: float, run_id: str) -> tuple[NodeResult, Child]:
        """Run one node, for which ``usd`` were put aside."""
        try:
            return await self._work(node, usd, run_id)
        finally:
            self._pot.forget(run_id)

    def _team(self, agent: Agent) -> tuple[Agent, ...]:
        """The agents that a node's agent may call, within the project's limits."""
        if DELEGATE not in agent.tools:
            return ()
        narrow = self._run.goal.constraints.narrow
        return team_of(agent, lambda name: narrow(self._agent_of(name)))

    async def _work(self, node: Node, usd: float, run_id: str) -> tuple[NodeResult, Child]:
        """Run one node; what it promised must be there afterwards."""
        run, plan = self._run, self._plan
        agent = run.goal.constraints.narrow(self._agent_of(node.agent))
        gone = missing_inputs(plan, node, self._names, self._cwd)
        if gone:
            return self._result(node, agent, status="failed", reason=gone), Child(run.result("failed", gone, ""))
        answers = answers_for(plan, node, agent.tools, self._names)
        if answers:
            self.told[node.id] = digest_of(answers)
        goal = Goal(
            run_id=run_id,
            text=node.goal,
            mode="auto",
            agent=agent,
            agent_asked=False,  # the plan says who works it out; whoever did so before, it is not paid for twice
            model=run.goal.model if agent is run.goal.agent else agent.model or run.goal.model,
            budget_usd=usd,
            cwd=self._cwd,
            parent_run_id=run.goal.run_id,
            scheduled_by=run.goal.scheduled_by,
            background=run.goal.background,
            pot=self._pot,
            team=self._team(agent),
            project=run.goal.project,
            constraints=run.goal.constraints,
            briefing=briefing(plan, node, answers),
            handed=digest_of(answers),
            more=run.goal.more,
            propose=run.goal.propose,
        )
        inputs = tuple(str(product) for product in inputs_of(plan, node))
        run.publish(
            NodeStarted(
                run_id=run.goal.run_id, node=node.id, node_run_id=goal.run_id, agent=agent.name, goal=node.goal,
                inputs=inputs,
            )
        )  # fmt: skip
        before = Before(node, self._cwd)
        child = await self._start(goal)
        cost, saved, calls = child.result.cost_usd, child.result.saved_usd, list(child.calls)
        broken = broken_promises(node, calls, self._names, self._cwd, before) if child.result.ok else ()
        if broken and child.result.mode in ("follower", "crystallized") and not run.ending:
            # Known from elsewhere, where nobody had asked for these: the agent gets to leave them.
            run.notice(f"{node.id} was known, but leaves no {', '.join(map(str, broken))}: the agent works on it")
            goal = replace(goal, run_id=_new_id(), mode="mixed")
            second = await self._start(goal)
            cost = None if cost is None or second.result.cost_usd is None else cost + second.result.cost_usd
            child = Child(second.result, [*calls, *second.calls], second.shown)
            broken = broken_promises(node, child.calls, self._names, self._cwd, before) if second.result.ok else ()
        result = child.result
        facts = {"mode": result.mode, "text": result.text, "cost_usd": cost, "saved_usd": saved,
                 "run_id": goal.run_id, "trace_id": result.trace_id}  # fmt: skip
        if broken:
            promised = ", ".join(map(str, broken))
            return self._result(
                node, agent, status="failed", reason=f"promised {promised}, left none", **facts
            ), child
        if not result.ok:
            reason = result.reason if not result.remedy else f"{result.reason}. {result.remedy}"
            return self._result(node, agent, status=result.status, reason=reason, **facts), child
        self._answer(node, result.text)
        left = marks(node, self._names, self._cwd)
        return self._result(node, agent, status="success", produced=left, **facts), child

    def _answer(self, node: Node, text: str) -> None:
        """Leave a node's answer where the others, and people, find it."""
        name = node.answer_name
        old = {name: self._names[name]} if name in self._names else {}
        self._names[name] = text
        self._run.bench.undo.keep_bindings(old, {name: text})

    def _result(self, node: Node, agent: Agent, **facts: object) -> NodeResult:
        return NodeResult(id=node.id, goal=node.goal, agent=agent.name, **facts)  # type: ignore[arg-type]

    async def _ended(self, node: Node, task: asyncio.Task[tuple[NodeResult, Child]]) -> None:
        try:
            result, child = task.result()
        except asyncio.CancelledError:
            result, child = (
                self._result(node, self._agent_of(node.agent), status="stopped", reason="interrupted"),
                None,
            )
        except Exception as error:  # noqa: BLE001 - a node fails its dependants and nothing else
            why = error.message if isinstance(error, LlmosError) else f"{type(error).__name__}: {error}"
            result, child = self._result(node, self._agent_of(node.agent), status="failed", reason=why), None
        if child is not None:
            self._shown[node.id] = child.shown
            if result.ok:
                self.calls += child.calls
            if child.result.interrupted and not self._run.ending:
                self._run.end("stopped", child.result.reason)  # a person's interrupt is meant for all of it
        self._note(result, result.run_id)
        await self._show()

    def _note(self, result: NodeResult, run_id: str) -> None:
        self.results[result.id] = result
        self._run.publish(
            NodeEnded(
                run_id=self._run.goal.run_id,
                node=result.id,
                node_run_id=run_id,
                status=result.status,
                mode=result.mode,
                reason=result.reason,
                cost_usd=result.cost_usd,
                saved_usd=result.saved_usd,
                produced=tuple(result.produced),
            )
        )
        self.save("")

    async def _show(self) -> None:
        """What the nodes printed and drew, node by node in the plan's order, each as soon as those before it ended."""
        while self._unshown and self._unshown[0] in self.results:
            outputs = self._shown.pop(self._unshown.pop(0), ())
            if outputs:
                async with alone():  # not into what a cell at work shows
                    self._run.bench.show(outputs)

    # -- money

    def _share(self, node: Node) -> float:
        """What a node may spend: its share, or an equal part of what is left for those that did not begin."""
        left = self._pot.left_usd
        usd = left / max(1, len(self._open()))
        if node.share is not None:
            usd = min(left, node.share * self._run.goal.budget_usd)
        return int(usd * 1e9) / 1e9  # whole nano-dollars, never rounded up


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def joined_answers(plan: Plan, results: Mapping[str, NodeResult]) -> str:
    """The answers of the nodes that the plan names, in its order: the answer of the whole."""
    texts = [results[id_].text.strip() for id_ in plan.answers if id_ in results and results[id_].ok]
    return "\n\n".join(text for text in texts if text)
