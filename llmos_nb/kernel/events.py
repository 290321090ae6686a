"""What happens in a run, as typed events, and a bus whose subscribers can neither block nor break the run.

``publish`` only appends to each subscriber's queue. Every subscriber has a thread of its own that empties its queue
in order; one that raises too often, or falls too far behind, is let go and named in :attr:`EventBus.lost`.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = [
    "EVENTS",
    "AgentMessage",
    "Event",
    "EventBus",
    "ModeDecided",
    "ModelCalled",
    "Notice",
    "RunEnded",
    "RunStarted",
    "TextDelta",
    "ToolFinished",
    "ToolStarted",
    "as_record",
]


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
class AgentMessage(Event):
    """A whole message: ``role`` is ``user`` (what the model was asked) or ``assistant``."""

    role: str
    text: str
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(Event):
    """A tool call begins. ``step`` counts from 1 within the run; ``replayed`` tells a replay from a live call."""

    step: int
    tool: str
    arguments: dict[str, Any]
    replayed: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCalled(Event):
    """One answered model call. Tokens as the endpoint counts them; ``cost_usd`` is None where no price is known."""

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """Something a person should know: a retry, a refused replay, a subscriber that was let go."""

    text: str


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


#: Every event type by name: what a session log may hold.
EVENTS: Final[dict[str, type[Event]]] = {
    kind.__name__: kind
    for kind in (
        RunStarted, ModeDecided, TextDelta, AgentMessage, ToolStarted, ToolFinished, ModelCalled, Notice, RunEnded,
    )
}  # fmt: skip


def as_record(event: Event) -> dict[str, Any]:
    """The event as plain data: ``{"event": type name, "run_id": ..., "at": ..., ...}``."""
    return {"event": type(event).__name__, **{f.name: getattr(event, f.name) for f in dataclasses.fields(event)}}


#: Events that may wait for one subscriber before it is let go. At 200 deltas a second this is over half an hour.
QUEUE_LIMIT: Final = 400_000
#: Exceptions a subscriber may raise before it is let go.
RAISE_LIMIT: Final = 10


class _Subscription:
    """One subscriber, its queue and its thread, which starts with the first event."""

    def __init__(self, name: str, deliver: Callable[[Event], None], limit: int) -> None:
        self.name = name
        self.problem = ""
        self.lost = False
        self._deliver = deliver
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._wake = threading.Condition()
        self._busy = False
        self._thread: threading.Thread | None = None
        self._closed = False
        self._raised = 0

    def put(self, event: Event) -> bool:
        """Queue one event; False when this subscriber is lost."""
        with self._wake:
            if self._closed:
                return False
            if len(self._waiting) >= self._limit:
                self._close(f"fell {self._limit} events behind")
                return False
            self._waiting.append(event)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"llmos-{self.name}", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as error:  # too many threads, or the interpreter is ending
                    self._close(f"has no thread ({error})")
                    return False
            elif not self._busy:
                self._wake.notify_all()
        return True

    def _close(self, problem: str) -> None:
        self.problem = problem
        self.lost = self._closed = True
        self._waiting.clear()
        self._wake.notify_all()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                self._wake.notify_all()
                while not self._waiting and not self._closed:
                    self._wake.wait()
                if self._closed:
                    return
                batch = list(self._waiting)
                self._waiting.clear()
                self._busy = True
            for event in batch:
                try:
                    self._deliver(event)
                # BaseException: a CancelledError or SystemExit would end the thread and leave flush waiting for it.
                except BaseException as error:  # noqa: BLE001 - a subscriber's fault must stay with the subscriber
                    self._raised += 1
                    self.problem = f"raised {type(error).__name__}: {error}"
                    if self._raised >= RAISE_LIMIT:
                        with self._wake:
                            self._close(self.problem)
                        return

    def idle(self, deadline: float) -> bool:
        """Wait until everything queued so far is delivered, or the monotonic ``deadline`` has passed."""
        with self._wake:
            while (self._waiting or self._busy) and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0 or self._thread is threading.current_thread():
                    return False
                self._wake.wait(left)
        return True

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify_all()


class EventBus:
    """Hands every published event to every subscriber, in order, from the subscriber's own thread."""

    def __init__(self) -> None:
        self._subscriptions: list[_Subscription] = []
        self._lock = threading.Lock()
        self._lost: dict[str, str] = {}

    def subscribe(
        self, deliver: Callable[[Event], None], *, name: str, limit: int = QUEUE_LIMIT
    ) -> Callable[[], None]:
        """Call ``deliver(event)`` for every event from now on; returns the function that ends it.

        Events that still wait when it is ended are dropped: :meth:`flush` first where they matter.
        """
        subscription = _Subscription(name, deliver, limit)
        with self._lock:
            self._subscriptions.append(subscription)

        def unsubscribe() -> None:
            subscription.close()
            with self._lock:
                if subscription in self._subscriptions:
                    self._subscriptions.remove(subscription)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Queue ``event`` for everyone. Never raises, never waits for a subscriber."""
        for subscription in tuple(self._subscriptions):
            if not subscription.put(event):
                with self._lock:
                    if subscription.lost and subscription in self._subscriptions:
                        self._subscriptions.remove(subscription)
                        self._lost[subscription.name] = subscription.problem

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Wait at most ``timeout_s`` until everyone has seen what was published so far; False if someone has not."""
        deadline = time.monotonic() + timeout_s
        waited = [
            subscription.idle(deadline) for subscription in tuple(self._subscriptions)
        ]  # all, not up to the first
        return all(waited)

    @property
    def lost(self) -> dict[str, str]:
        """Subscribers that were let go, and why."""
        with self._lock:
            return {**self._lost, **{s.name: s.problem for s in self._subscriptions if s.lost}}

    @property
    def problems(self) -> dict[str, str]:
        """Subscribers that are lost or have raised, with what happened."""
        raised = {s.name: s.problem for s in self._subscriptions if s.problem}
        return {**raised, **self.lost}
