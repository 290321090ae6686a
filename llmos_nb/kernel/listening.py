"""Listening to events of one kind; whoever listens to questions is there to answer them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmos_nb.kernel.approvals import Approvals
from llmos_nb.kernel.events import ApprovalAsked, Event, EventBus, Notice

__all__ = ["listen"]


def listen(
    bus: EventBus, approvals: Approvals, kind: type[Event], deliver: Callable[[Any], None]
) -> Callable[[], None]:
    """Call ``deliver(event)``, on a thread of its own, for every event of ``kind``; returns what ends it.

    When a listener to questions raises, a notice tells, and the answer is no unless somebody else is there.

    Raises:
        TypeError: ``kind`` is no type of event, or ``deliver`` cannot be called.
    """
    if not (isinstance(kind, type) and issubclass(kind, Event)):
        raise TypeError(
            f"A type of event is needed, got {kind!r}. They are in llmos_nb.kernel.events: "
            "from llmos_nb.kernel.events import RunEnded, say; Event stands for all."
        )
    if not callable(deliver):
        raise TypeError(f"What is to be called with each event cannot be called: {deliver!r}.")
    name = getattr(deliver, "__name__", kind.__name__)

    def filtered(event: Event) -> None:
        if isinstance(event, kind):
            deliver(event)

    if kind is not ApprovalAsked:
        return bus.subscribe(filtered, name=name)
    attendant = approvals.attend()  # whoever listens to questions can answer them

    def asked(event: Event) -> None:
        try:
            filtered(event)
        except BaseException as error:
            told = f"{name!r} raised {type(error).__name__}: {error}"
            assert isinstance(event, ApprovalAsked)
            text = f"the listener to the question {event.approval_id} failed: {told}"
            bus.publish(Notice(run_id=event.run_id, text=text))
            attendant.cannot(event.approval_id, f"the listener {told}")
            raise

    end = bus.subscribe(asked, name=name, let_go=attendant)

    def ended() -> None:
        attendant()
        end()

    return ended
