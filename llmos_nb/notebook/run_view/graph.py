"""Who works on a run, drawn: the nodes of its plan, or the agent and those it delegates to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmos_nb.kernel.events import Event, ModeDecided, NodeEnded, NodeStarted, PlanMade, ToolStarted
from llmos_nb.mind.delegates import DELEGATE
from llmos_nb.notebook.run_view.code import first_line

if TYPE_CHECKING:
    from llmos_nb.dispatch.orchestrator import Plan
    from llmos_nb.dispatch.orchestrator.picture import Look

__all__ = ["Graph"]

#: The argument of a delegation that names the subagent.
_NAMED = "subagent_type"


class Graph:
    """A plan's nodes and how far each is; without a plan, an agent and its subagents."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._planned = False
        self._looks: dict[str, Look] = {}
        self._doing: dict[str, str] = {}
        self._children: dict[str, str] = {}

    def node_of(self, run_id: str) -> str:
        """The node that the run works on; empty where it is none of this plan's."""
        return self._children.get(run_id, "")

    def take(self, event: Event) -> bool:
        """Take an event; whether the drawing changed."""
        if isinstance(event, ModeDecided) and event.run_id not in self._children:
            return False
        from llmos_nb.dispatch.orchestrator.node_result import NodeResult
        from llmos_nb.dispatch.orchestrator.picture import Look, ended_looks
        from llmos_nb.dispatch.orchestrator.plan import plan_from

        match event:
            case PlanMade():
                self._plan, self._planned = plan_from(event.plan, "", "model"), True
                waiting = {node.id: Look(note=node.agent) for node in self._plan.nodes}
                self._looks = {**waiting, **dict.fromkeys(event.kept, Look("kept", "kept"))}
            case NodeStarted():
                self._children[event.node_run_id] = event.node
                self._looks[event.node] = Look("running", event.agent)
                self._doing[event.node] = event.goal.split("\n")[0][:90]
            case NodeEnded():
                ended = NodeResult(
                    id=event.node, goal="", status=event.status, mode=event.mode, cost_usd=event.cost_usd
                )
                self._looks |= ended_looks({event.node: ended})
                self._doing.pop(event.node, None)
            case ModeDecided():
                self._looks[self._children[event.run_id]] = Look("running", event.mode)
            case _:
                return False
        return True

    def at_work(self, node: str, event: ToolStarted, agent: str) -> bool:
        """A call begins, in a node's run or a subagent's; whether the drawing changed."""
        if node:
            self._doing[node] = f"{event.tool} {first_line(event.arguments, event.tool)}"
            return True
        if self._planned:
            return False
        if event.tool == DELEGATE:
            return self._delegated(str(event.arguments.get(_NAMED, "")), event, agent)
        if event.agent:
            self._delegated(event.agent, event, agent)
            self._doing[event.agent] = f"{event.tool} {first_line(event.arguments, event.tool)}"
            return True
        return False

    def ended(self, event: ToolStarted) -> bool:
        """A call ended; whether the drawing changed."""
        from llmos_nb.dispatch.orchestrator.picture import Look

        name = str(event.arguments.get(_NAMED, ""))
        if self._planned or event.tool != DELEGATE or name not in self._looks:
            return False
        self._looks[name] = Look("learner", "has reported")
        self._doing.pop(name, None)
        return True

    def _delegated(self, name: str, event: ToolStarted, agent: str) -> bool:
        """The agent has given work to a subagent."""
        from llmos_nb.dispatch.orchestrator.picture import Look
        from llmos_nb.dispatch.orchestrator.plan import Node, Plan

        if not name:
            return False
        nodes = self._plan.nodes if self._plan is not None else (Node(id=agent, goal="the agent asked for"),)
        if name not in {node.id for node in nodes}:
            told = str(event.arguments.get("description") or event.arguments.get("prompt") or "works for it")
            self._plan = Plan(goal="", nodes=(*nodes, Node(id=name, goal=told, needs=(agent,))))
        self._looks |= {agent: Look("running", "delegates"), name: Look("running", "works")}
        return True

    def drawn(self) -> str:
        """The picture as SVG; empty where there is nothing to draw."""
        if self._plan is None:
            return ""
        from llmos_nb.dispatch.orchestrator.picture import picture

        return picture(self._plan, self._looks)

    def doing_now(self) -> list[list[str]]:
        """What each of those at work does: name and line."""
        return [[name, line] for name, line in self._doing.items()]
