"""Taking a run back, as a person asks for it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from llmos_nb.dispatch.undo_history import UndoHistory
from llmos_nb.dispatch.undone import Undone
from llmos_nb.errors import UndoFailed, UndoRefused
from llmos_nb.kernel.events import EventBus, RunUndone

__all__ = ["undo"]


def undo(
    history: UndoHistory,
    running: Mapping[str, str],
    namespace: MutableMapping[str, Any],
    bus: EventBus,
    run_id: str | None = None,
    *,
    anyway: bool = False,
) -> Undone:
    """Put back what a run changed, and tell everyone that it was undone.

    Raises:
        UndoFailed: something could not be written; the rest is back.
        UndoRefused: goals are being worked on (``running``), or something else is in the way; nothing was touched then.
    """
    if run_id is not None and not isinstance(run_id, str):
        raise UndoRefused(f"A run is named by its id, got {run_id!r:.60}.", remedy="llmos.undoable() lists them.")
    if running:
        goal = " ".join(next(iter(running.values())).split())[:80]
        raise UndoRefused(
            f"Nothing is taken back while a goal is worked on: “{goal}”.",
            remedy="Wait for it, or llmos.stop(), and say it again.",
        )
    done = history.take_back(run_id, namespace, anyway=anyway)
    if not done.lines() and not done.failed:
        return done  # all of it was left as it is
    bus.publish(
        RunUndone(
            run_id=done.run_id,
            names=tuple(one.name for one in done.names),
            files=tuple(one.path for one in done.files),
            left=(*done.left, *done.failed),
        )
    )
    bus.flush()
    if done.failed:
        raise UndoFailed(
            f"Not everything could be put back: {'; '.join(done.failed)}.",
            undone=done,
            remedy=f"Mend that, and say %undo {done.run_id} again: what is back already stays so.",
        )
    return done
