"""One subscriber of an event bus, with a thread of its own and a place in the log that all subscribers share.

The log is a chain of pages. A publisher appends to the last page, whoever reads; a subscriber walks along the chain, and
pages that everyone has left are garbage. So what a publisher pays does not depend on how many subscribe, or how slow
they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["PAGE", "Page", "Subscription"]

#: Events on one page.
PAGE: Final = 1024
#: Exceptions a subscriber may raise before it is let go.
RAISE_LIMIT: Final = 10
#: Seconds a subscriber that has seen everything looks again by itself, before it sleeps until it is woken: waking a
#: thread for every piece of a stream would cost the publisher more than the piece.
NAP_S: Final = 0.002
NAPS: Final = 5


class Page:
    """Consecutive events, the first of which is number ``base``."""

    __slots__ = ("base", "events", "next")

    def __init__(self, base: int) -> None:
        self.base = base
        self.events: list[Any] = []
        self.next: Page | None = None


class Subscription:
    """Delivers events in order, from the moment it was made; ``told`` is called with it after each batch.

    ``deliver`` may raise and may hang: that stays here. ``let_go`` is called, from this subscriber's thread, with the
    subscription and the event at which it raised once too often.
    """

    def __init__(
        self,
        name: str,
        deliver: Callable[[Any], None],
        limit: int,
        page: Page,
        *,
        told: Callable[[], None],
        let_go: Callable[[Subscription, Any], None],
    ) -> None:
        self.name = name
        self.limit = limit
        self.problem = ""
        self.lost = False
        self.closed = False
        #: The number of the first event that is not delivered yet.
        self.seen = page.base + len(page.events)
        #: Whether its thread sleeps, or was not started yet: the publisher wakes it.
        self.asleep = True
        self._page: Page | None = page
        self._deliver, self._told, self._let_go = deliver, told, let_go
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._raised = 0
        self._since = time.monotonic()
        self._first = self.seen

    @property
    def pace(self) -> float:
        """Events a second that it has been able to take since it slept last."""
        return (self.seen - self._first) / max(1e-3, time.monotonic() - self._since)

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is this subscriber's own."""
        return self._thread is threading.current_thread()

    def wake(self) -> str:
        """Let the thread go on, starting it at first; returns why it cannot, or an empty string."""
        self.asleep = False
        self._since, self._first = time.monotonic(), self.seen
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"llmos-{self.name}", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # too many threads, or the interpreter is ending
                return f"has no thread ({error})"
        else:
            self._wake.set()
        return ""

    def nudge(self) -> None:
        """Let it look now, not at the end of its nap."""
        self._wake.set()

    def lose(self, problem: str) -> None:
        """Let this subscriber go."""
        self.problem, self.lost = problem, True
        self.close()

    def close(self) -> None:
        """End it; what still waits is dropped."""
        self.closed = True
        self._page = None  # a thread that hangs must not keep the log
        self._wake.set()

    def _next(self) -> list[Any]:
        """Events that wait, at most those of one page."""
        page = self._page
        if page is not None and self.seen - page.base >= PAGE and page.next is not None:
            page = self._page = page.next
            if self.closed:
                self._page = None
        return [] if page is None else page.events[self.seen - page.base :]

    def _work(self) -> None:
        naps = 0
        while not self.closed:
            batch = self._next()
            if batch:
                naps = 0
                self._deliver_all(batch)
                del batch
                self._told()
                continue
            naps += 1
            if naps <= NAPS:
                self._wake.wait(NAP_S)
                continue
            naps = 0
            self._wake.clear()
            self.asleep = True
            if (
                not self._next() and not self.closed
            ):  # looked after asleep is set: a publisher sees it or we see the event
                self._told()
                self._wake.wait()
            self.asleep = False

    def _deliver_all(self, batch: list[Any]) -> None:
        deliver = self._deliver
        for event in batch:
            if self.closed:
                return
            try:
                deliver(event)
            # BaseException: a CancelledError or SystemExit would end the thread and leave flush waiting for it.
            except BaseException as error:  # noqa: BLE001 - a subscriber's fault must stay with the subscriber
                self._raised += 1
                self.problem = f"raised {type(error).__name__}: {error}"
                if self._raised >= RAISE_LIMIT:
                    self.seen += 1
                    self._let_go(self, event)
                    return
            self.seen += 1
