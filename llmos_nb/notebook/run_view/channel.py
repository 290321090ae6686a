"""The line between a kernel and the pages that show a widget of ours.

It speaks the widgets' protocol over a comm of its own, as an anywidget that is made of a file of JavaScript and one of
CSS. Neither ipywidgets nor anywidget is imported, which would take half a second when a person waits for the first sign
of life: what a page needs of them is in the page.
"""

from __future__ import annotations

import functools
import importlib.metadata
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.notebook.run_view.control import answer_pages, listen
from llmos_nb.notebook.run_view.frontend import shows_widgets

__all__ = ["VIEW_MIME", "Channel", "can_open"]

VIEW_MIME: Final = "application/vnd.jupyter.widget-view+json"
_HERE: Final = Path(__file__).parent
#: The version of the protocol that ipywidgets 8 speaks.
_PROTOCOL: Final = "2.1.0"


def can_open() -> bool:
    """Whether there is a kernel to open a line from, and a version of anywidget for a page to show it with."""
    kernel = sys.modules.get("ipykernel.kernelbase")
    return kernel is not None and kernel.Kernel.initialized() and bool(_version()) and shows_widgets()


class Channel:
    """An open line. ``told`` is called with what a page says and the page's client id, on whichever thread that is handled.

    ``state`` is what a page starts from, and ``snapshot`` gives all messages there are, for one that comes later. Without
    them a page makes its side ready, and is told by :meth:`begin` what it is for.
    """

    def __init__(
        self,
        state: Mapping[str, Any] | None = None,
        told: Callable[[Mapping[str, Any], str], None] | None = None,
        snapshot: Callable[[], Any] = list,
    ) -> None:
        from comm import create_comm

        self._state = {**(state or {}), "view_id": secrets.token_hex(8)}
        self._told, self._snapshot = told, snapshot
        #: When it was opened, and whether a page said that its side is ready.
        self.opened: Final = time.monotonic()
        self.ready = False
        #: Whether something was said that a page misses whose side gets ready now.
        self._missed = False
        self._closed = False
        self._comm = create_comm(
            target_name="jupyter.widget", metadata={"version": _PROTOCOL},
            data={"state": self.get_state(), "buffer_paths": []},
        )  # fmt: skip
        self.model_id: Final = str(self._comm.comm_id)
        # The page sends its messages to a thread beside the main one, so that Stop is heard while a cell computes. A
        # comm that is written on would call them back to the main one.
        if hasattr(self._comm, "_reply_subshell_for"):
            self._comm._reply_subshell_for = None
        listen(self._comm, self._got)
        self._remember()
        answer_pages(_states)

    @property
    def bundle(self) -> dict[str, Any]:
        """What a display's MIME bundle holds of it."""
        return {VIEW_MIME: {"version_major": 2, "version_minor": 1, "model_id": self.model_id}}

    @property
    def closed(self) -> bool:
        """Whether nothing can be said on it any more."""
        return self._closed

    def begin(
        self, state: Mapping[str, Any], told: Callable[[Mapping[str, Any], str], None], snapshot: Callable[[], Any]
    ) -> None:
        """Say what the line is about. ``told`` is called with what a page says and the page's client id, on whichever
        thread that is handled; ``snapshot`` gives all messages there are, for a page that was not there before."""
        self._state |= state
        self._told, self._snapshot = told, snapshot
        self._begin()

    def _begin(self) -> None:
        self.send({"begin": self._state, "messages": self._snapshot()})

    def send(self, content: Mapping[str, Any]) -> None:
        """Tell every page. Callable from any thread."""
        if not self._closed:
            self._remember()  # ipywidgets may be loaded by now
            self._missed = True
            self._comm.send({"method": "custom", "content": dict(content)})

    def close(self) -> None:
        """Take the widget off every page."""
        if not self._closed:
            self._closed = True
            self._forget()
            self._comm.close()

    def _got(self, message: Mapping[str, Any]) -> None:
        data = message.get("content", {}).get("data", {})
        if data.get("method") == "request_state":
            self._comm.send({"method": "update", "state": self.get_state(), "buffer_paths": []})
        elif data.get("method") == "custom" and isinstance(data.get("content"), dict):
            content = data["content"]
            self.ready = self.ready or bool(content.get("page"))
            for what in {"page", "hello"} & set(content):
                self._comm.send({"method": "custom", "content": {"heard": what}})  # it is said until then
            if self._told is None:
                return
            self._told(content, str(message.get("header", {}).get("session", "")))
            if content.get("page") and self._missed:
                self._begin()

    # -- what ipywidgets asks of a widget when a page that was reloaded wants to know of all there are

    _model_name, _model_module = "AnyModel", "anywidget"

    @property
    def _model_module_version(self) -> str:
        return _version()

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The state of the widget's model."""
        self._missed = False
        return {
            "_model_module": "anywidget", "_model_name": "AnyModel", "_model_module_version": _version(),
            "_view_module": "anywidget", "_view_name": "AnyView", "_view_module_version": _version(),
            "_view_count": None, "_anywidget_id": "llmos_nb.run_view", "_esm": _source("run_view.js"),
            "_css": _source("run_view.css"), **self._state, "start": self._snapshot(),
        }  # fmt: skip

    def _remember(self) -> None:
        _open[self.model_id] = self
        if (known := _instances()) is not None:
            known[self.model_id] = self

    def _forget(self) -> None:
        _open.pop(self.model_id, None)
        if (known := _instances()) is not None:
            known.pop(self.model_id, None)


#: The lines that are open, by id.
_open: dict[str, Channel] = {}


def _states() -> dict[str, dict[str, Any]]:
    """All models there are, as a page asks for them."""
    return {
        id_: {
            "model_name": one._model_name,
            "model_module": one._model_module,
            "model_module_version": one._model_module_version,
            "state": one.get_state(),
        }
        for id_, one in list(_open.items())
    }


def _instances() -> dict[str, Any] | None:
    """Of ipywidgets, where it is loaded: all widgets there are, by id."""
    found = getattr(sys.modules.get("ipywidgets.widgets.widget"), "_instances", None)
    return found if isinstance(found, dict) else None


@functools.cache
def _version() -> str:
    """The versions of anywidget's part in the page that will do; empty without anywidget."""
    try:
        major, minor, *_ = importlib.metadata.version("anywidget").split(".")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return ""
    return f"~{major}.{minor}.*"


@functools.cache
def _source(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
