"""One goal in the hands of the agent: what it is asked, what it may spend, and the facts its outcome is judged by."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from llmos_nb.cortex.endpoint import Endpoint
from llmos_nb.kernel.events import Event
from llmos_nb.tools.workbench import Workbench

__all__ = ["Bill", "Job", "Told", "Usage"]

#: Tokens that no model call can take: what says so is no count.
MOST_TOKENS: Final = 100_000_000


class Bill(Protocol):
    """Where a job's model calls are charged: a budget reservation."""

    @property
    def exceeded(self) -> bool:
        """Whether more was charged than was reserved."""

    @property
    def remaining_usd(self) -> float:
        """What is left of the reservation, in US dollars."""

    def charge(self, call: Any) -> None:
        """Book one model call."""


def _count(value: Any) -> float:
    """``value`` as a number of tokens, which may be too large to be one; 0 where it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:  # NaN is not above 0
        return 0
    return value


@dataclass(slots=True)
class Usage:
    """Tokens of one model call as they stream in."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    #: The subagent that made it; empty for the run's own agent.
    agent: str = ""
    #: The tool call that the subagent works for: it tells calls apart that are under way at the same time.
    slot: str = ""
    #: A count that cannot be true, if one was told; what the call cost is then unknown.
    absurd: str = ""
    #: What is to be known of the counts, for the ledger.
    note: str = ""

    def take(self, usage: Any) -> None:
        """Take over what a ``message_start`` or ``message_delta`` event says; counts in a message only grow.

        What is no count is passed over: endpoints say all kinds of things.
        """
        if not isinstance(usage, dict):
            return
        for name, key in (
            ("input_tokens", "input_tokens"),
            ("output_tokens", "output_tokens"),
            ("cache_read", "cache_read_input_tokens"),
            ("cache_write", "cache_creation_input_tokens"),
        ):
            value = _count(usage.get(key))
            if value > MOST_TOKENS:
                self.absurd = f"{float(min(value, 10**300)):.3g} {key}"
            else:
                setattr(self, name, max(getattr(self, name), int(value)))

    def counts(self) -> dict[str, int]:
        """The four counts by name."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_read": self.cache_read,
            "cache_write": self.cache_write,
        }


@dataclass(frozen=True, slots=True)
class Told:
    """What the model was told about one of its tool calls: ``error`` is empty when the call worked."""

    tool: str
    call_id: str
    error: str


@dataclass(slots=True, kw_only=True)
class Job:
    """A run of the agent. Made on the notebook's side, worked on by a session; stopping it is thread-safe."""

    run_id: str
    goal: str
    agent: str
    guidance: str
    endpoint: Endpoint
    workbench: Workbench
    bill: Bill
    publish: Callable[[Event], None]
    #: Books a finished model call and publishes it; set by whoever owns the ledger.
    charge: Callable[[Usage], None]
    #: Notes that a model call is under way, with what is known of it so far, lest a kill keep it out of the ledger.
    begin: Callable[[Usage], None] = lambda usage: None
    #: Remembered facts for the model, and the event that says so once it has them.
    memory: str = ""
    memory_injected: Event | None = None
    #: The user's variables, described for the model, and what is told of that.
    namespace: str = ""
    namespace_told: str = ""
    #: An earlier conversation of the model to go on with; empty: it begins a new one.
    resume: str = ""

    text: str = ""
    result: Any = None
    #: Tokens in the model's context at its latest call.
    context_tokens: int = 0
    #: The latest tool call's end as the model saw it; calls that never reached a hook or a tool show only here.
    told: Told | None = None
    failure: str = ""
    remedy: str = ""
    #: Why the job is ended from outside: ``stopped``, ``timed_out``, ``over_budget`` or ``failed``; empty if it is not.
    ending: str = ""
    ending_reason: str = ""
    usage: list[Usage] = field(default_factory=list)
    _stopped_at: float | None = None
    _on_end: Callable[[], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def conversation(self) -> str:
        """The model's own name of the conversation that this job was; empty before it has a result."""
        return str(getattr(self.result, "session_id", "") or "")

    def end(self, status: str, reason: str) -> None:
        """End the job from any thread: no further tool call passes, the model is interrupted. The first reason stays."""
        with self._lock:
            if self.ending:
                return
            self.ending, self.ending_reason = status, reason
            self._stopped_at = time.monotonic()
            notify = self._on_end
        self.workbench.stop()
        if notify is not None:
            notify()

    def on_end(self, notify: Callable[[], None] | None) -> None:
        """Call ``notify`` when the job is ended from outside; at once if it already is."""
        with self._lock:
            self._on_end = notify
            due = bool(self.ending)
        if due and notify is not None:
            notify()
