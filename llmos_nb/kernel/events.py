"""What happens in a run, as typed events, and a bus whose subscribers can neither block nor break the run.

``publish`` only appends to a log. Every subscriber has a thread of its own that reads the log in order; one that raises
too often, or falls too far behind, is let go: a :class:`Notice` tells, and :attr:`EventBus.lost` names it.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from llmos_nb.kernel.subscription import PAGE, Page, Subscription

__all__ = [
    "EVENTS",
    "SCHEDULE",
    "AgentMessage",
    "ApprovalAsked",
    "ApprovalGiven",
    "Event",
    "EventBus",
    "MemoryInjected",
    "ModeDecided",
    "ModelBusy",
    "ModelCalled",
    "NodeEnded",
    "NodeStarted",
    "Notice",
    "PlanMade",
    "RunEnded",
    "RunStarted",
    "RunUndone",
    "TextDelta",
    "ToolFinished",
    "ToolStarted",
    "as_record",
]


#: Stands where a run's id does in what the schedule tells; no run has it.
SCHEDULE: Final = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in the run ``run_id``; ``at`` is in seconds since the epoch."""

    run_id: str
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A goal was accepted; nothing is decided yet."""

    goal: str
    agent: str
    endpoint: str
    forced_mode: str = "auto"
    project: str = ""
    #: The run whose plan this goal is a node of; empty for a goal of a person's.
    parent_run_id: str = ""
    #: The job of the schedule that asked for the goal, if one did.
    scheduled_by: str = ""
    #: Whether it is worked on beside the person's cells.
    background: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeDecided(Event):
    """How the goal is going to be worked on, and why. A replay that hands over publishes a second one."""

    mode: str
    reason: str
    trace_id: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(Event):
    """A piece of the agent's text as it streams. Not kept in the session log: the whole message follows."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBusy(Event):
    """The model's stream brings what is not shown: thinking, a tool's arguments, a subagent's words. At most one a
    second; not kept in the session log.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMessage(Event):
    """A whole message: ``role`` is ``user`` (what the model was asked) or ``assistant``."""

    role: str
    text: str
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(Event):
    """A tool call begins. ``step`` counts from 1 within the run; ``replayed`` tells a replay from a live call.

    ``agent`` is the subagent that makes it; empty for the run's own agent.
    """

    step: int
    tool: str
    arguments: dict[str, Any]
    replayed: bool = False
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(Event):
    """A tool call ended: ``status`` is ``ok``, ``error`` or ``denied``; ``text`` is what the model was told."""

    step: int
    tool: str
    status: str
    text: str
    duration_s: float
    outputs: tuple[str, ...] = ()
    defines: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    replayed: bool = False
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCalled(Event):
    """One answered model call. Tokens as the endpoint counts them; ``cost_usd`` is None where no price is known."""

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None
    #: Who asked.
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryInjected(Event):
    """Remembered facts went to the model beside the goal. Each of ``facts`` has its ``id``, ``score`` (0 to 1),
    ``reason``, ``source`` and ``text``; ``tokens`` is about how much of the model's context they take, and
    ``left_out`` counts those that the limit of ``limit`` tokens had no room for.
    """

    facts: tuple[dict[str, Any], ...]
    tokens: int
    limit: int
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade(Event):
    """What the goal is going to be reached by: ``plan`` as plain data (``nodes``, ``answer``), ``source`` whose it is.

    Nothing of it has run yet, but what ``kept`` names: nodes that an earlier run had finished.
    """

    plan: dict[str, Any]
    source: str
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted(Event):
    """A node of the plan begins, as the run ``node_run_id``; everything it needs is there."""

    node: str
    node_run_id: str
    agent: str
    goal: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEnded(Event):
    """A node of the plan ended: ``status`` is one of the end states, or ``skipped`` (then it never began)."""

    node: str
    node_run_id: str
    status: str
    mode: str
    reason: str
    cost_usd: float | None
    saved_usd: float
    produced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something a person should know: a retry, a refused replay, a subscriber that was let go."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tainted(Event):
    """Something came in that the person did not write: ``level`` is ``named`` or ``foreign``; empty: a person has looked at
    all of it, and it counts no more."""

    level: str
    kind: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked(Event):
    """A call waits for a person's answer. ``reason`` is the guard's, ``text`` is what would be done.

    Where it is ``editable``, another text in its ``language`` may be done instead.
    """

    approval_id: str
    agent: str
    tool: str
    reason: str
    text: str
    editable: bool = False
    language: str = ""
    for_run: str = ""
    always: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven(Event):
    """A question was answered; ``by`` is ``person``, or says why nobody did; ``edited``: to another text than asked.

    ``extent`` is how far a yes goes: ``once``, ``run`` or ``always``.
    """

    approval_id: str
    approved: bool
    by: str
    edited: bool = False
    extent: str = "once"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """The end of a run, in one of the six end states."""

    status: str
    mode: str
    reason: str
    text: str
    cost_usd: float | None
    saved_usd: float
    duration_s: float
    trace_id: str | None = None
    #: The model's own name of the conversation, by which it can be gone on with; empty where there was none.
    conversation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUndone(Event):
    """What a run had changed was put back. ``left`` is what was not, with the reason; money is never given back."""

    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


#: Every event type by name: what a session log may hold.
EVENTS: Final[dict[str, type[Event]]] = {
    kind.__name__: kind
    for kind in (
        RunStarted, ModeDecided, TextDelta, ModelBusy, AgentMessage, ToolStarted, ToolFinished, ModelCalled,
        MemoryInjected, PlanMade, NodeStarted, NodeEnded, Notice, Tainted, ApprovalAsked, ApprovalGiven, RunEnded,
        RunUndone,
    )
}  # fmt: skip


def as_record(event: Event) -> dict[str, Any]:
    """The event as plain data: ``{"event": type name, "run_id": ..., "at": ..., ...}``."""
    return {"event": type(event).__name__, **{f.name: getattr(event, f.name) for f in dataclasses.fields(event)}}


#: Events that may wait for one subscriber before it is let go. At 200 deltas a second this is over eight minutes. What
#: waits is memory that the publisher has to fetch and the collector to walk, so more would cost the publisher.
QUEUE_LIMIT: Final = 100_000
#: Seconds in which a subscriber must be able to take as many events as its limit, to be kept when that many wait: it
#: is then not slow, but met a burst.
PATIENCE_S: Final = 10.0
#: How many times its limit may wait for such a subscriber. The log costs some 150 bytes an event, once for all.
BURST: Final = 20
#: Events behind which a publisher gives up its turn once a page, so that readers get theirs. It waits for nobody.
YIELD_AT: Final = 50_000


class EventBus:
    """Hands every published event to every subscriber, in order, from the subscriber's own thread."""

    def __init__(self) -> None:
        self._subscriptions: tuple[Subscription, ...] = ()
        # Reentrant: letting a subscriber go publishes a notice.
        self._lock = threading.RLock()
        self._lost: dict[str, str] = {}
        self._farewells: dict[Subscription, Callable[[], None]] = {}
        self._page = Page(0)
        #: The event count at which somebody may have fallen too far behind.
        self._look_at = 0
        self._progress = threading.Condition()
        self._flushing = 0

    def __repr__(self) -> str:
        return f"EventBus({', '.join(one.name for one in self._subscriptions) or 'nobody listens'})"

    def subscribe(
        self,
        deliver: Callable[[Event], None],
        *,
        name: str,
        limit: int = QUEUE_LIMIT,
        let_go: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Call ``deliver(event)`` for every event from now on; returns the function that ends it.

        Events that still wait when it is ended are dropped: :meth:`flush` first where they matter. A name that is
        taken gets a number. ``let_go`` is called when the bus lets the subscriber go.
        """
        with self._lock:
            taken = {subscription.name for subscription in self._subscriptions} | set(self._lost)
            names = (name if n == 1 else f"{name} ({n})" for n in range(1, len(taken) + 2))
            subscription = Subscription(
                next(free for free in names if free not in taken),
                deliver,
                limit,
                self._page,
                told=self._told,
                let_go=self._raised,
            )
            if let_go is not None:
                self._farewells[subscription] = let_go
            self._subscriptions = (*self._subscriptions, subscription)
            self._look_at = 0

        def unsubscribe() -> None:
            subscription.close()
            self._remove(subscription)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Log ``event`` for everyone. Never raises, never waits for a subscriber."""
        with self._lock:
            page = self._page
            page.events.append(event)
            count = page.base + len(page.events)
            if count >= page.base + PAGE:
                self._page = page.next = Page(count)
            if count >= self._look_at:
                self._look(count, event)
            full = page is not self._page
        for subscription in self._subscriptions:
            if subscription.asleep:
                with self._lock:
                    problem = subscription.wake() if subscription.asleep and not subscription.closed else ""
                if problem:
                    self._let_go(subscription, problem, event)
        if full and any(count - subscription.seen > YIELD_AT for subscription in self._subscriptions):
            time.sleep(0)

    def _look(self, count: int, event: Event) -> None:
        """Let those go that are too far behind, and say when to look again."""
        look_at = count + QUEUE_LIMIT
        for subscription in self._subscriptions:
            limit, behind = subscription.limit, count - subscription.seen
            if behind > limit:
                if behind > limit * BURST or subscription.pace * PATIENCE_S < limit:
                    self._let_go(subscription, f"fell {behind - 1} events behind", event)
                    continue
                behind = max(behind - limit // 4, 0)  # a burst: look again when a quarter more came
            look_at = min(look_at, count + max(1, limit + 1 - behind))
        self._look_at = look_at

    def _raised(self, subscription: Subscription, event: Event) -> None:
        self._let_go(subscription, subscription.problem, event)

    def _let_go(self, subscription: Subscription, problem: str, event: Event) -> None:
        with self._lock:
            if subscription.closed:
                return
            subscription.lose(problem)
            self._lost[subscription.name] = problem
            farewell = self._farewells.get(subscription)
            self._remove(subscription)
        self._told()
        text = f"the subscriber {subscription.name!r} was let go: it {problem}"
        self.publish(Notice(run_id=event.run_id, text=text))
        if farewell is not None:
            farewell()

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
            self._farewells.pop(subscription, None)
        self._told()

    def _told(self) -> None:
        """A subscriber has got on: whoever flushes looks again."""
        if self._flushing:
            with self._progress:
                self._progress.notify_all()

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Wait at most ``timeout_s`` until everyone has seen what was published so far; False if someone has not."""
        deadline = time.monotonic() + timeout_s
        page = self._page
        count = page.base + len(page.events)

        def behind() -> list[Subscription]:
            return [s for s in self._subscriptions if s.seen < count and not s.closed]

        with self._progress:
            self._flushing += 1
            try:
                while waiting := behind():
                    left = deadline - time.monotonic()
                    if left <= 0 or all(subscription.is_current for subscription in waiting):
                        return False
                    for subscription in waiting:
                        subscription.nudge()
                    self._progress.wait(left)
            finally:
                self._flushing -= 1
        return True

    @property
    def lost(self) -> dict[str, str]:
        """Subscribers that were let go, and why."""
        with self._lock:
            return dict(self._lost)

    @property
    def problems(self) -> dict[str, str]:
        """Subscribers that are lost or have raised, with what happened."""
        raised = {s.name: s.problem for s in self._subscriptions if s.problem}
        return {**raised, **self.lost}
