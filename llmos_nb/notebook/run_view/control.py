"""Answers a page that was reloaded and asks for all the widgets there are, where ipywidgets is not loaded to do so.

While a cell awaits a goal a kernel answers no question about its comms; it does take messages to a comm, and this is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["answer_pages", "listen"]

_TARGET: Final = "jupyter.widget.control"


def listen(comm: Any, heard: Callable[[Mapping[str, Any]], None]) -> None:
    """Have ``heard`` called with every message to ``comm``, and nothing else.

    A comm's own ``on_msg`` runs what IPython runs before and after a cell as well, in the thread that hears: there
    matplotlib draws all open figures anew, while the main thread may be drawing one of them into a picture.
    """
    comm.handle_msg = heard


def answer_pages(states: Callable[[], Mapping[str, Mapping[str, Any]]]) -> None:
    """Answer with ``states()``, by model id, unless somebody does already; ipywidgets takes over when it is loaded."""
    from comm import get_comm_manager

    manager = get_comm_manager()
    if _TARGET in getattr(manager, "targets", {_TARGET: None}):
        return

    def opened(comm: Any, message: Mapping[str, Any]) -> None:
        def got(asked: Mapping[str, Any]) -> None:
            if asked.get("content", {}).get("data", {}).get("method") == "request_states":
                comm.send({"method": "update_states", "states": dict(states()), "buffer_paths": []})

        listen(comm, got)

    manager.register_target(_TARGET, opened)
