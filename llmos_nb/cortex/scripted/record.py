"""What a scripted server was asked, kept for tests and for a look afterwards."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

__all__ = ["RequestLog", "RequestRecord"]

#: Requests and unknown goals that are remembered; older ones are dropped, the counts go on.
KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One answered request. ``kind`` is ``message``, ``count_tokens``, ``root`` or ``refused``."""

    kind: str
    status: int
    goal: str = ""
    #: The script's name; "" when no script knows the goal or none was looked for.
    script: str = ""
    stream: bool = False
    #: The fault that it met, if any.
    fault: str = ""
    #: Whether the answer says that the goal cannot be reached.
    gives_up: bool = False


class RequestLog:
    """A bounded record; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=KEPT)
        self._unknown: dict[str, None] = {}
        self._kinds: Counter[str] = Counter()

    def add(self, record: RequestRecord) -> None:
        """Remember one request."""
        with self._lock:
            self._records.append(record)
            self._kinds[record.kind] += 1

    def add_unknown(self, goal: str) -> None:
        """Remember a goal that no script knew."""
        with self._lock:
            self._unknown.pop(goal, None)
            self._unknown[goal] = None
            if len(self._unknown) > KEPT:
                del self._unknown[next(iter(self._unknown))]

    def gave_up(self, goal: str) -> bool:
        """Whether the last answer about ``goal`` says that it cannot be reached."""
        with self._lock:
            answers = (record for record in reversed(self._records) if record.kind == "message")
            return next((record.gives_up for record in answers if record.goal == goal), False)

    @property
    def count(self) -> int:
        """How many requests there were."""
        with self._lock:
            return self._kinds.total()

    @property
    def kinds(self) -> dict[str, int]:
        """How many of each kind."""
        with self._lock:
            return dict(self._kinds)

    @property
    def recent(self) -> tuple[RequestRecord, ...]:
        """The last requests, oldest first."""
        with self._lock:
            return tuple(self._records)

    @property
    def unknown_goals(self) -> tuple[str, ...]:
        """The goals answered as unknown, oldest first."""
        with self._lock:
            return tuple(self._unknown)
