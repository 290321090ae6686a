"""What all explorers have in common: a selection, a static twin, and answers to what the widget in front asks.

A question is a message ``{"id": …, "do": action, "with": {…}}``; the answer has the same id and ``data``, or ``error``.
Actions that take long are coroutines: they run beside the kernel's messages and tell of their progress meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from llmos_nb.errors import AgentFileError, LlmosError, SettingsError
from llmos_nb.notebook.explorers.twin import Twin

if TYPE_CHECKING:
    import pandas as pd

    from llmos_nb.system import LLMOS

__all__ = ["Explorer", "Send", "Tell"]

#: Hands a message to the widget.
Send = Callable[[dict[str, Any]], None]
#: Tells how far a long action is.
Tell = Callable[[str], None]


class Explorer:
    """Looks through one kind of things of a system. ``selected`` has the ids of those that are selected, in order."""

    #: Its name, as ``llmos.explore(…)`` takes it; also of its front end's file.
    what: ClassVar[str]

    def __init__(self, system: LLMOS) -> None:
        self.system = system
        self.selected: list[str] = []
        self._senders: list[Send] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[Any] = set()

    # -- what each explorer says for itself

    def actions(self) -> Mapping[str, Callable[..., dict[str, Any]]]:
        """What can be asked of it, by name; each returns plain data at once."""
        raise NotImplementedError

    def long_actions(self) -> Mapping[str, Callable[..., Awaitable[dict[str, Any]]]]:
        """What takes long; each is called with a :data:`Tell` first."""
        return {}

    def twin(self) -> Twin:
        """What it shows, as it stands in a file."""
        raise NotImplementedError

    @property
    def df(self) -> pd.DataFrame:
        """Everything that it shows now, as a DataFrame."""
        raise NotImplementedError

    def known(self, ids: Iterable[str]) -> None:
        """Refuse ids that it does not have.

        Raises:
            LlmosError: one of them is none.
        """
        raise NotImplementedError

    # -- selecting

    @property
    def selected_df(self) -> pd.DataFrame:
        """What is selected, as a DataFrame; no rows where nothing is."""
        raise NotImplementedError

    def select(self, *ids: str) -> dict[str, Any]:
        """Select these and nothing else; none at all without any.

        Raises:
            LlmosError: one of them does not exist.
        """
        wanted = list(dict.fromkeys(str(id) for id in ids))
        self.known(wanted)
        self.selected = wanted
        return {"selected": wanted}

    # -- answering the widget

    def take(self, message: Any, send: Send) -> None:
        """Answer one message of the widget; never raises. Long actions are begun, and answered when they end."""
        if not isinstance(message, Mapping) or not isinstance(message.get("do"), str):
            send({"id": None, "error": _told(SettingsError(f"Not a question: {message!r:.80}."))})
            return
        id, name, given = message.get("id"), message["do"], message.get("with") or {}
        if name == "select" and isinstance(given, Mapping):
            self._answer(id, lambda: self.select(*given.get("ids", ())), send)
        elif name in (long := self.long_actions()):
            begun = self._begin(id, long[name], given, send)
            with contextlib.suppress(RuntimeError):
                self._loop = asyncio.get_running_loop() if self._loop is None else self._loop
            if self._loop is None:
                begun.close()
                send({"id": id, "error": _told(SettingsError(f"{name} needs a notebook's event loop."))})
                return
            task = asyncio.run_coroutine_threadsafe(begun, self._loop)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif name in (quick := self.actions()):
            self._answer(id, lambda: _called(quick[name], given), send)
        else:
            send({"id": id, "error": _told(SettingsError(f"{self.what}: there is no action {name!r:.40}."))})

    def _answer(self, id: Any, made: Callable[[], dict[str, Any]], send: Send) -> None:
        try:
            send({"id": id, "data": made()})
        except Exception as error:  # noqa: BLE001 - the person who clicked gets to see it
            send({"id": id, "error": _told(error)})

    async def _begin(self, id: Any, action: Callable[..., Any], given: Any, send: Send) -> None:
        working = True

        def tell(text: str) -> None:
            if working:  # what is heard of late must not stand where the answer does
                send({"id": id, "progress": text})

        def answer(**told: Any) -> None:
            nonlocal working
            working = False
            send({"id": id, **told})

        try:
            answer(data=await _called(lambda **named: action(tell, **named), given, of=action))
        except asyncio.CancelledError:
            answer(error=_told(LlmosError("It was stopped.")))
            raise
        except Exception as error:  # noqa: BLE001 - the person who clicked gets to see it
            answer(error=_told(error))

    def changed(self) -> None:
        """Have every widget of this explorer ask again. From any thread."""
        for send in self._senders:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(send, {"changed": True})

    # -- showing itself

    def __str__(self) -> str:
        return str(self.twin())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.twin().bundle()

    def _ipython_display_(self) -> None:
        """The widget where a person sits before a notebook, and the twin, which stays in the file; else the twin alone.

        A frontend that runs notebooks by itself takes no input, and so gets no widget.
        """
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        kernel = getattr(get_ipython(), "kernel", None)
        if kernel is None or not getattr(kernel, "_allow_stdin", False):
            raise NotImplementedError  # IPython shows the bundle
        from llmos_nb.kernel.events import RunEnded
        from llmos_nb.notebook.explorers.front import front_of

        with contextlib.suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        if not self._senders:
            self.system.on(RunEnded, lambda event: self.changed())
        front = front_of(self)
        self._senders.append(front.send)
        view = {"version_major": 2, "version_minor": 0, "model_id": front.model_id}
        display({"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}, raw=True)
        display(self.twin().bundle(below_widget=True), raw=True)


def _called(action: Callable[..., Any], given: Any, of: Callable[..., Any] | None = None) -> Any:
    """The action's result; arguments that it does not take are an error of their own."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise SettingsError(f"Arguments must be named, got {given!r:.80}.")
    signature = inspect.signature(action if of is None else of)
    try:
        signature.bind(*(() if of is None else (None,)), **given)
    except TypeError as error:
        raise SettingsError(f"Arguments that do not fit: {error}.") from None
    return action(**given)


def _told(error: BaseException) -> dict[str, Any]:
    """An error as the widget shows it."""
    if not isinstance(error, LlmosError):
        return {"kind": type(error).__name__, "message": f"{type(error).__name__}: {error}", "remedy": ""}
    told: dict[str, Any] = {"kind": type(error).__name__, "message": error.message, "remedy": error.remedy}
    if isinstance(error, AgentFileError):
        told |= {"field": error.field, "line": error.line}
    return told
