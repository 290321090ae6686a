"""One goal in the hands of the agent: what it is asked, what it may spend, and the facts its outcome is judged by."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmos_nb.cortex.endpoint import Endpoint
from llmos_nb.kernel.events import Event
from llmos_nb.tools.workbench import Workbench

__all__ = ["Bill", "Job", "Told", "Usage"]


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


@dataclass(slots=True)
class Usage:
    """Tokens of one model call as they stream in."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def take(self, usage: dict[str, Any]) -> None:
        """Take over what a ``message_start`` or ``message_delta`` event says; counts in a message only grow."""
        for name, key in (
            ("input_tokens", "input_tokens"),
            ("output_tokens", "output_tokens"),
            ("cache_read", "cache_read_input_tokens"),
            ("cache_write", "cache_creation_input_tokens"),
        ):
            value = usage.get(key)
            if isinstance(value, int):
                setattr(self, name, max(getattr(self, name), value))

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

    text: str = ""
    result: Any = None
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
