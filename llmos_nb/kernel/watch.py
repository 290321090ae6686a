"""What a watchdog concludes from the events of one run: a pure state machine, told of every event and of the time.

A running cell is not silence, asking again until something changes is no repetition, and reading something new is
progress. While a person thinks about a question the run's time stands still.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any, Final

from llmos_nb.kernel.events import (
    AgentMessage,
    ApprovalAsked,
    ApprovalGiven,
    Event,
    ModelBusy,
    ModelCalled,
    Notice,
    TextDelta,
    ToolFinished,
    ToolStarted,
)

__all__ = ["NOTICE", "Finding", "Watch", "WatchLimits"]

#: What the watchdog's own notices begin with; they are no sign of life.
NOTICE: Final = "watchdog: "
#: The share of a limit at which a person is warned.
WARN_AT: Final = 0.5
WARN_TIME_AT: Final = 0.8
#: Outcomes of one run that are remembered.
KNOWN_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLimits:
    """When a run is warned of and ended; None: never. Times in seconds, memory in megabytes."""

    time_s: float | None = None
    silence_s: float | None = None
    repeats: int | None = None
    idle_turns: int | None = None
    memory_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen. ``status`` is the end state that the run must end in, empty for a warning."""

    text: str
    status: str = ""


@dataclass(slots=True)
class Watch:
    """The state of one run; all times are those of one monotonic clock."""

    limits: WatchLimits
    started: float
    _asked: float | None = None
    #: The questions that a person thinks about, and since when without a break.
    _questions: set[str] = field(default_factory=set)
    _thinking: float = 0.0
    _open: int = 0
    _warned: set[str] = field(default_factory=set)
    _calls: dict[int, str] = field(default_factory=dict)
    _last_call: str = ""
    _repeats: int = 0
    #: The latest outcomes of calls: to see one again is no progress.
    _known: dict[str, None] = field(default_factory=dict)
    _called: bool = False
    _progress: bool = False
    _idle: int = 0

    def take(self, event: Event, now: float) -> Finding | None:
        """What an event shows, if anything."""
        match event:
            case ApprovalAsked():
                self._thinking = self._thinking if self._questions else now
                self._questions.add(event.approval_id)
            case ApprovalGiven() if event.approval_id in self._questions:
                self._questions.remove(event.approval_id)
                if not self._questions:
                    self.started += now - self._thinking
                    if self._asked is not None:
                        self._asked += now - max(self._thinking, self._asked)
            case AgentMessage() if event.role == "user":
                self._asked = now
            case TextDelta() | ModelBusy() if not self._open:  # else a subagent speaks while a cell runs
                self._asked = now
                self._warned.discard("silence")
            case AgentMessage() | Notice() if self._asked is not None:
                if not (isinstance(event, Notice) and event.text.startswith(NOTICE)):
                    self._asked = now
            case ModelCalled():
                # What follows is a tool's call, which may be one of the CLI's own and tell only when it is over.
                self._asked = None
                return self._turn()
            case ToolStarted() if not event.replayed:
                self._asked = None
                self._open += 1
                self._calls[event.step] = f"{event.tool} {json.dumps(event.arguments, sort_keys=True, default=str)}"
            case ToolFinished() if not event.replayed:
                self._open = max(0, self._open - 1)
                if not self._open:
                    self._asked = now
                return self._finished(event)
        return None

    def _turn(self) -> Finding | None:
        """A model call was answered: what the tools brought since the one before?"""
        if self._called:
            self._idle = 0 if self._progress else self._idle + 1
        limit, idle = self.limits.idle_turns, self._idle
        turned, self._called, self._progress = self._called, False, False
        if limit is None or not turned:
            return None
        if idle >= limit:
            return Finding(
                f"{idle} turns in a row brought nothing new: tool calls failed or were repeated", "stopped"
            )
        if idle == max(1, math.ceil(limit * WARN_AT)):
            return Finding(f"{idle} turns in a row brought nothing new; at {limit} the run is stopped")
        return None

    def _finished(self, event: ToolFinished) -> Finding | None:
        call = self._calls.pop(event.step, event.tool)
        seen = hashlib.sha256(f"{call}\0{event.status}\0{event.text}".encode("utf-8", "replace")).hexdigest()
        self._called = True
        if event.status == "ok" and seen not in self._known:
            self._progress = True
        self._known[seen] = self._known.pop(seen, None)
        if len(self._known) > KNOWN_LIMIT:
            del self._known[next(iter(self._known))]
        self._repeats = self._repeats + 1 if seen == self._last_call else 1
        self._last_call = seen
        limit, count = self.limits.repeats, self._repeats
        if limit is None or count < 2:
            return None
        same = f"{event.tool} was called {count} times in a row with the same arguments and the same result"
        if count >= limit:
            return Finding(same, "stopped")
        if count == max(2, math.ceil(limit * WARN_AT)):
            return Finding(f"{same}; at {limit} the run is stopped")
        return None

    def stood_still(self, gap_s: float) -> None:
        """The whole process did not run for a while: nobody was silent."""
        if self._asked is not None:
            self._asked += gap_s

    def look(self, now: float, memory_mb: float | None = None) -> Finding | None:
        """What the time and the memory show, if anything; the most serious first."""
        if self._questions:
            now = self._thinking
        limits, took = self.limits, now - self.started
        if limits.time_s is not None and took >= limits.time_s:
            return Finding(f"the time limit of {limits.time_s:g} s was reached", "timed_out")
        silent = 0.0 if self._asked is None else now - self._asked
        if limits.silence_s is not None and silent >= limits.silence_s:
            return Finding(f"the model gave no sign of life for {limits.silence_s:g} s", "stopped")
        held = memory_mb or 0.0
        most = limits.memory_mb
        if most is not None and held >= most:
            return Finding(
                f"{held:.0f} MB of memory are held; at most {most:g} may be (process_memory_mb)", "stopped"
            )
        if most is not None and held >= most * WARN_TIME_AT and self._once("memory"):
            return Finding(f"{held:.0f} MB of memory are held; at {most:g} the run is stopped")
        if limits.silence_s is not None and silent >= limits.silence_s * WARN_AT and self._once("silence"):
            return Finding(
                f"no sign of life from the model for {silent:.0f} s; at {limits.silence_s:g} s the run is stopped"
            )
        if limits.time_s is not None and took >= limits.time_s * WARN_TIME_AT and self._once("time"):
            return Finding(f"the run has taken {took:.0f} s; at {limits.time_s:g} s it is ended")
        return None

    def _once(self, what: str) -> bool:
        first = what not in self._warned
        self._warned.add(what)
        return first

    def next_look(self, now: float) -> float:
        """When :meth:`look` can next find something by the time alone; infinity if never."""
        times: list[float] = []
        limits = self.limits
        if self._questions:
            return math.inf
        if limits.time_s is not None:
            times += [self.started + limits.time_s * share for share in self._shares("time", WARN_TIME_AT)]
        if limits.silence_s is not None and self._asked is not None:
            times += [self._asked + limits.silence_s * share for share in self._shares("silence", WARN_AT)]
        return min(times, default=math.inf)

    def _shares(self, what: str, warn: float) -> tuple[float, ...]:
        return (1.0,) if what in self._warned else (warn, 1.0)

    def facts(self) -> dict[str, Any]:
        """How far it is, for a test or a curious person."""
        return {"repeats": self._repeats, "idle_turns": self._idle, "waiting": self._asked is not None}
