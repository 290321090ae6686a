"""The watchdog: sees every run's events, looks at the clock and the memory, warns, and ends what goes nowhere.

It lives on two threads of its own (the bus's for events, one for the time), because the notebook's loop stands still
while a cell computes.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llmos_nb.kernel.events import ApprovalAsked, ApprovalGiven, Event, EventBus, Notice
from llmos_nb.kernel.watch import NOTICE, Finding, Watch, WatchLimits

__all__ = ["WatchLimits", "Watchdog", "memory_mb"]

#: Seconds between two looks at the memory, where it is limited.
MEMORY_PERIOD_S = 0.5
#: Seconds beyond the planned that the watchdog's own thread may sleep; a longer sleep means that all stood still.
STOOD_STILL_S = 5.0


def memory_mb() -> float | None:
    """Megabytes that this process and those it started hold; None where that cannot be told."""
    import psutil

    total = 0
    try:
        own = psutil.Process()
        for process in (own, *own.children(recursive=True)):
            with contextlib.suppress(psutil.Error):  # it ended meanwhile
                total += process.memory_info().rss
    except (psutil.Error, OSError):
        return None
    return total / 1e6


@dataclass(slots=True)
class _Watched:
    watch: Watch
    end: Callable[[str, str], None]
    within: str = ""
    over: bool = False


class Watchdog:
    """Watches any number of runs on one bus. ``memory`` tells how many megabytes are held."""

    def __init__(self, bus: EventBus, *, memory: Callable[[], float | None] = memory_mb) -> None:
        self._bus, self._memory = bus, memory
        self._watched: dict[str, _Watched] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._closed = False

    @contextlib.contextmanager
    def watch(
        self, run_id: str, limits: WatchLimits, end: Callable[[str, str], None], *, within: str = ""
    ) -> Iterator[None]:
        """While the block runs: warn of what goes wrong in a run, and call ``end(status, reason)`` at a limit, once.

        ``within`` is the run that this one is a part of: while a person thinks about a question of one part, the time of
        none of them counts, since they wait for its turn to end. ``end`` is called from another thread.
        """
        with self._changed:
            if self._unsubscribe is None:
                self._unsubscribe = self._bus.subscribe(self._take, name="watchdog")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="llmos-watchdog-clock", daemon=True)
                self._thread.start()
            self._watched[run_id] = _Watched(Watch(limits, time.monotonic()), end, within)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._watched.pop(run_id, None)

    def close(self) -> None:
        """End both threads."""
        with self._changed:
            self._closed = True
            unsubscribe, self._unsubscribe = self._unsubscribe, None
            self._changed.notify_all()
        if unsubscribe is not None:
            unsubscribe()

    def _take(self, event: Event) -> None:
        with self._changed:
            watched = self._watched.get(event.run_id)
            if watched is None or watched.over:
                return
            waited = watched.watch.facts()["waiting"]
            now = time.monotonic()
            finding = watched.watch.take(event, now)
            if isinstance(event, ApprovalAsked | ApprovalGiven):
                whole = watched.within or event.run_id
                for run_id, other in self._watched.items():
                    if other is not watched and whole in (run_id, other.within):
                        other.watch.take(event, now)
            if isinstance(event, ApprovalGiven) or (not waited and watched.watch.facts()["waiting"]):
                self._changed.notify_all()  # there is a new time to look at
        self._tell(event.run_id, watched, finding)

    def _tell(self, run_id: str, watched: _Watched, finding: Finding | None) -> None:
        if finding is None:
            return
        with self._changed:
            if watched.over or self._watched.get(run_id) is not watched:
                return
            watched.over = bool(finding.status)
        what = f"the run is ended: {finding.text}" if finding.status else finding.text
        self._bus.publish(Notice(run_id=run_id, text=f"{NOTICE}{what}"))
        if finding.status:
            watched.end(finding.status, finding.text)

    def _work(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                wake = min((w.watch.next_look(now) for w in self._watched.values() if not w.over), default=None)
                limited = any(w.watch.limits.memory_mb is not None for w in self._watched.values())
                nap = None if wake is None or wake == float("inf") else max(0.0, wake - now)
                if limited:
                    nap = min(MEMORY_PERIOD_S, nap if nap is not None else MEMORY_PERIOD_S)
                if self._closed:
                    return
                self._changed.wait(nap)
                if self._closed:
                    return
                gap = time.monotonic() - now - (nap or 0.0)
                if nap is not None and gap > STOOD_STILL_S:
                    for watched in self._watched.values():
                        watched.watch.stood_still(gap)
                limited = any(w.watch.limits.memory_mb is not None for w in self._watched.values())
            held = self._memory() if limited else None
            with self._changed:
                now = time.monotonic()
                found = [(run_id, w, w.watch.look(now, held)) for run_id, w in self._watched.items() if not w.over]
            for run_id, watched, finding in found:
                self._tell(run_id, watched, finding)
