"""What a page knows of a run: made from events, told in small messages.

Each message is a plain dictionary with ``k``, its kind, and for what can come again ``id``. A message says all of what
it is about, so a page that missed some is put right by :meth:`RunModel.snapshot`, which tells everything once more.
Text is told as it grows: ``at`` is how many complete blocks the page has already.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.kernel.events import (
    AgentMessage,
    ApprovalAsked,
    ApprovalGiven,
    Event,
    MemoryInjected,
    ModeDecided,
    ModelCalled,
    NodeEnded,
    NodeStarted,
    Notice,
    PlanMade,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from llmos_nb.notebook.run_view.code import cut, first_line, highlighted, shown_arguments
from llmos_nb.notebook.run_view.graph import Graph
from llmos_nb.notebook.run_view.streamed import Streamed

if TYPE_CHECKING:
    from llmos_nb.kernel.approvals import Approval

__all__ = ["MODES", "Message", "RunModel"]

Message = dict[str, Any]

#: What is done in each mode, in a word, and its color.
MODES: Final = {
    "": ("looking", "grey"),
    "crystallized": ("crystal", "purple"),
    "follower": ("replaying", "green"),
    "mixed": ("guided", "amber"),
    "learner": ("learning", "blue"),
    "orchestrator": ("orchestrating", "pink"),
}
#: Entries of the story that a page that comes late is told of.
REMEMBERED: Final = 1_000
#: Of those, the latest ones whose code and output are told too.
WHOLE: Final = 100
#: Characters of what is asked that are shown.
ASKED: Final = 12_000


@dataclass(slots=True)
class _Call:
    """A tool call; its code is highlighted when it is first told."""

    event: ToolStarted
    node: str
    end: ToolFinished | None = None
    code: str | None = None

    def told(self, whole: bool = True) -> Message:
        start, end = self.event, self.end
        message: Message = {
            "k": "call", "tool": start.tool, "who": start.agent or self.node,
            "line": first_line(start.arguments, start.tool), "status": end.status if end else "running",
            "replayed": start.replayed,
        }  # fmt: skip
        if end is not None:
            message["seconds"] = round(end.duration_s, 2)
        if whole:
            if self.code is None:
                self.code = highlighted(*shown_arguments(start.arguments, start.tool))
            message |= {"code": self.code, "output": cut(end.text) if end else ""}
        return message


@dataclass(slots=True)
class _Text:
    """What the agent says. ``told_blocks`` of its complete blocks are with the page already."""

    who: str
    streamed: Streamed = field(default_factory=Streamed)
    told_blocks: int = 0

    def told(self, whole: bool = False) -> Message:
        tail = self.streamed.advance()
        at = 0 if whole or self.streamed.anew else self.told_blocks
        if not whole:
            self.streamed.anew, self.told_blocks = False, len(self.streamed.done)
        return {"k": "text", "who": self.who, "at": at, "done": self.streamed.done[at:], "tail": tail}


@dataclass(slots=True)
class _Said:
    """Anything that is told as it is."""

    message: Message

    def told(self, whole: bool = True) -> Message:
        return self.message


class RunModel:
    """The state of one run, and of the runs of its plan's nodes. :meth:`take` and the rest may be called anywhere."""

    def __init__(self, *, goal: str = "", run_id: str = "", simulated: bool = False) -> None:
        self.run_id, self.goal = run_id, goal
        self.status = ""
        self._simulated = simulated
        self._budget_usd: float | None = None
        self._started = time.monotonic()
        self._mode = self._reason = self._agent = self._phase = ""
        self._tokens, self._cost = 0, 0.0
        self._known = True
        self._stopping = False
        self._entries: dict[str, _Call | _Text | _Said] = {}
        self._asks: dict[str, Message] = {}
        #: By run: the text that streams now, and the last one that ended.
        self._open: dict[str, str] = {}
        self._last: dict[str, str] = {}
        self._number = 0
        self._left_out = 0
        self._graph = Graph()
        self._changed: dict[str, None] = {"head": None}
        self._lock = threading.RLock()

    # -- what happens

    def take(self, event: Event) -> bool:
        """Take one event; whether it belongs to the run. Without an id, the first fitting run that starts is the one."""
        with self._lock:
            if isinstance(event, RunStarted) and not self.run_id and self._is_meant(event):
                self.run_id = event.run_id
            node = self._graph.node_of(event.run_id)
            if event.run_id != self.run_id and not node:
                return False
            self._take(event, node)
            return True

    def owns(self, run_id: str) -> bool:
        """Whether the run is this one, or works on a node of its plan."""
        return bool(run_id) and (run_id == self.run_id or bool(self._graph.node_of(run_id)))

    def budget(self, usd: float | None) -> None:
        """What the run may spend."""
        with self._lock:
            self._budget_usd = usd
            self._changed["head"] = None

    def stopping(self) -> None:
        """A person said stop."""
        with self._lock:
            self._stopping = True
            self._say("stopping")

    def ask(self, approval: Approval) -> Callable[[], None]:
        """Show a question; returns what takes it away."""
        text = cut(approval.text, ASKED)
        language = "diff" if text.startswith("--- ") else approval.language
        asked: Message = {
            "k": "ask", "id": approval.id, "who": approval.agent, "tool": approval.tool, "reason": approval.reason,
            "code": highlighted(text, language or _language(approval.tool)), "editable": approval.editable,
        }  # fmt: skip
        if approval.editable:
            asked["text"] = approval.text
        if approval.for_run:
            asked |= {"for_run": approval.for_run, "always": approval.always}
        with self._lock:
            self._asks[approval.id] = asked
            self._changed[f"ask {approval.id}"] = None
            self._say(f"{approval.agent} asks for {approval.tool}: {approval.reason}")

        def take_away() -> None:
            with self._lock:
                self._asks.pop(approval.id, None)
                self._changed[f"ask {approval.id}"] = None

        return take_away

    def ask_again(self, approval_id: str, problem: str) -> None:
        """The answer that was given cannot be taken, for this reason."""
        with self._lock:
            if (asked := self._asks.get(approval_id)) is not None:
                self._asks[approval_id] = asked | {"problem": problem}
                self._changed[f"ask {approval_id}"] = None

    def _is_meant(self, event: RunStarted) -> bool:
        if event.parent_run_id or event.scheduled_by or event.background:
            return False
        return not self.goal or event.goal.strip() == self.goal.strip()

    def _take(self, event: Event, node: str) -> None:
        match event:
            case RunStarted() if not node:
                self._agent, self.goal = event.agent, event.goal
                self._changed["head"] = None
            case ModeDecided() if not node:
                self._mode, self._reason = event.mode, event.reason
                self._say(f"{MODES.get(event.mode, (event.mode, ''))[0]}: {event.reason}")
            case ToolStarted():
                self._open.pop(event.run_id, None)
                self._put(f"{event.run_id} {event.step}", _Call(event, node))
                self._at_work(event, node)
            case ToolFinished():
                self._call_ended(event)
            case TextDelta():
                self._text_of(event.run_id, node).add(event.text)
            case AgentMessage() if event.role == "assistant":
                self._said(event, node)
            case ModelCalled():
                self._spend(event)
            case MemoryInjected():
                self._put(f"memory {event.run_id}", _Said(_memory(event, node)))
            case Notice():
                self._number += 1
                self._put(f"note {self._number}", _Said({"k": "note", "who": node, "text": event.text}))
            case ApprovalAsked() if event.approval_id not in self._asks:
                self._say(f"{event.agent} asks for {event.tool}: {event.reason}")
            case ApprovalGiven():
                self._asks.pop(event.approval_id, None)
                self._changed[f"ask {event.approval_id}"] = None
                self._say("approved" if event.approved else f"not approved ({event.by})")
            case RunEnded() if not node:
                self.status = event.status
                self._say(event.status.replace("_", " "))
        self._of_graph(event)

    def _of_graph(self, event: Event) -> None:
        if isinstance(event, (PlanMade, NodeStarted, NodeEnded, ModeDecided)) and self._graph.take(event):
            self._changed["graph"] = None

    def _at_work(self, event: ToolStarted, node: str) -> None:
        if self._graph.at_work(node, event, self._agent):
            self._changed["graph"] = None

    def _call_ended(self, event: ToolFinished) -> None:
        key = f"{event.run_id} {event.step}"
        call = self._entries.get(key)
        if isinstance(call, _Call):
            call.end = event
            self._changed[key] = None
            if self._graph.ended(call.event):
                self._changed["graph"] = None
            if event.status != "ok":
                self._say(f"{event.tool} {'failed' if event.status == 'error' else 'was refused'}")

    def _text_of(self, run_id: str, node: str, who: str = "") -> Streamed:
        key = self._open.get(run_id)
        entry = self._entries.get(key) if key is not None else None
        if not isinstance(entry, _Text):
            self._number += 1
            key, entry = f"text {self._number}", _Text(who or node)
            self._open[run_id] = self._last[run_id] = key
            self._put(key, entry)
        assert key is not None
        self._changed[key] = None
        return entry.streamed

    def _said(self, event: AgentMessage, node: str) -> None:
        """A whole message: it ends the text that streamed, or is one of its own."""
        if event.agent and event.agent != self._agent and not node:
            self._number += 1
            self._put(f"text {self._number}", _Text(event.agent, Streamed(event.text)))
            return
        last = self._entries.get(self._last.get(event.run_id, ""))
        if event.run_id not in self._open and isinstance(last, _Text) and last.streamed.text == event.text:
            return  # it came after the call that it announced
        self._text_of(event.run_id, node).end(event.text)
        self._open.pop(event.run_id, None)

    def _spend(self, event: ModelCalled) -> None:
        self._tokens += event.input_tokens + event.output_tokens
        self._known = self._known and event.cost_usd is not None
        self._cost += event.cost_usd or 0.0
        self._changed["head"] = None

    def _put(self, key: str, entry: _Call | _Text | _Said) -> None:
        self._entries[key] = entry
        self._changed[key] = None
        while len(self._entries) > REMEMBERED:
            oldest = next(iter(self._entries))
            del self._entries[oldest]
            self._changed.pop(oldest, None)
            self._left_out += 1

    def _say(self, phase: str) -> None:
        """What a screen reader tells: few words, at turns of the story."""
        self._phase = phase
        self._changed["head"] = None

    # -- what is told

    @property
    def dirty(self) -> bool:
        """Whether something changed since :meth:`changes` was asked."""
        return bool(self._changed)

    def changes(self) -> list[Message]:
        """What changed since this was asked last."""
        with self._lock:
            changed, self._changed = self._changed, {}
            return [self._told(key) for key in changed]

    def snapshot(self) -> list[Message]:
        """Everything, for a page that comes late or missed something; it replaces what the page knows."""
        with self._lock:
            told: list[Message] = [{"k": "reset", "left_out": self._left_out}, self._head(), self._told("graph")]
            for place, (key, entry) in enumerate(self._entries.items()):
                whole = isinstance(entry, _Text) or len(self._entries) - place <= WHOLE
                told.append(entry.told(whole) | {"id": key})
            return told + [self._told(f"ask {id_}") for id_ in self._asks]

    def _told(self, key: str) -> Message:
        if key == "head":
            return self._head()
        if key == "graph":
            return {"k": "graph", "svg": self._graph.drawn(), "doing": self._graph.doing_now()}
        if key.startswith("ask "):
            return self._asks.get(key[4:]) or {"k": "answered", "id": key[4:]}
        entry = self._entries[key]
        return (entry.told() if not isinstance(entry, _Text) else entry.told(False)) | {"id": key}

    def _head(self) -> Message:
        label, color = MODES.get(self._mode, (self._mode, "grey"))
        return {
            "k": "head", "goal": " ".join(self.goal.split())[:200], "mode": self._mode, "label": label, "color": color,
            "reason": self._reason, "agent": self._agent, "tokens": self._tokens, "money": self.money,
            "share": self._share(), "elapsed": round(time.monotonic() - self._started, 2),
            "stopping": self._stopping, "status": self.status, "phase": self._phase,
        }  # fmt: skip

    @property
    def money(self) -> str:
        """What it cost so far, of what it may; play money is always called so."""
        if not self._known:
            return "cost unknown"
        of = f" of ${self._budget_usd:.2f}" if self._budget_usd else ""
        return f"${self._cost:.4f}{of}{' play money' if self._simulated else ''}"

    def _share(self) -> float | None:
        """The part of the budget that is spent, 0 to 1; None where that cannot be said."""
        if not self._known or not self._budget_usd:
            return None
        return round(min(1.0, self._cost / self._budget_usd), 4)


def _memory(event: MemoryInjected, node: str) -> Message:
    facts = [
        {name: " ".join(str(fact.get(name, "")).split()) for name in ("text", "reason", "source")}
        for fact in event.facts
    ]
    return {"k": "memory", "who": node, "facts": facts, "tokens": event.tokens, "left_out": event.left_out}


def _language(tool: str) -> str:
    from llmos_nb.tools.registry import TOOLS

    found = TOOLS.get(tool)
    return found.language if found is not None else "bash" if tool == "Bash" else ""
