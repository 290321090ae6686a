"""The line that is open already when the next goal begins.

A page takes its time to make a widget: its code is loaded, made and set up. That is done while nobody waits, for a
widget that shows nothing yet; the next run is shown by it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from llmos_nb.notebook.run_view.channel import Channel, can_open
from llmos_nb.notebook.run_view.frontend import keeps_spares

__all__ = ["drop_spare", "prepare_spare", "spare_or_new"]

_lock = threading.Lock()
_spare: Channel | None = None


def prepare_spare() -> None:
    """Open a line for the next run, unless one is open. Callable from any thread."""
    global _spare
    if keeps_spares() and can_open():
        with _lock:
            if _spare is None or _spare.closed:
                _spare = Channel()


def spare_or_new(
    state: Mapping[str, Any], told: Callable[[Mapping[str, Any], str], None], snapshot: Callable[[], Any]
) -> Channel:
    """The line that was opened before, or a new one, about this: see :class:`Channel`."""
    global _spare
    with _lock:
        found, _spare = _spare, None
    if found is None or found.closed:
        return Channel(state, told, snapshot)
    found.begin(state, told, snapshot)
    return found


def drop_spare() -> None:
    """Close the line that was opened before: no run will come."""
    global _spare
    with _lock:
        found, _spare = _spare, None
    if found is not None:
        found.close()
