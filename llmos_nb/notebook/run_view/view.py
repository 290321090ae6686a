"""One run on the page: a display that lives as long as the run, or longer than the cell it was made in."""

from __future__ import annotations

import functools
import math
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import LlmosError, UnknownApproval
from llmos_nb.kernel.events import Event, ModeDecided
from llmos_nb.notebook.run_view.busy import StillBusy
from llmos_nb.notebook.run_view.channel import Channel, can_open
from llmos_nb.notebook.run_view.model import RunModel
from llmos_nb.notebook.run_view.pages import Cell, Pages, outputs_of
from llmos_nb.notebook.run_view.plain import page
from llmos_nb.notebook.run_view.spare import prepare_spare, spare_or_new
from llmos_nb.notebook.run_view.unseen import UNSEEN

if TYPE_CHECKING:
    from llmos_nb.kernel.approvals import Approval
    from llmos_nb.system import LLMOS

__all__ = ["EMPTY", "RunView", "view_of"]

#: What is left of a view.
EMPTY: Final = {"text/plain": "", "text/html": ""}
#: Seconds between two messages to the page, so that a fast stream does not flood it; the first of a burst goes at once.
PERIOD_S: Final = 0.03
#: Seconds a page may take to say that it shows the widget, before it is given plain HTML, and between two of those.
PATIENCE_S: Final = 4.0
#: The same where no page said anything of the line that was opened for it before: it hardly shows widgets.
UNHEARD_S: Final = 1.0
#: Seconds after which a line is opened for another run, where this one's cell is over: this one is on the page by then.
NEXT_S: Final = 2.0
PLAIN_PERIOD_S: Final = 0.25
#: Runs that are over, whose result no page has seen, that are kept for one that comes back.
KEPT: Final = 5

_views: weakref.WeakSet[RunView] = weakref.WeakSet()


def view_of(run_id: str) -> RunView | None:
    """The open view that shows the run, if one does that a page shows, or that one may be about to show."""
    for view in tuple(_views):
        if view.model.owns(run_id) and (view.seen or view.patience_s > 0):
            return view
    return None


class RunView:
    """Shows a run of ``system`` from the first moment: the run ``run_id``, or the next one that starts with ``goal``.

    It holds on to nothing of the cell it is made in: a run that goes on in the background keeps its view, as long as
    :meth:`close` is not called. ``interrupts`` tells whether a person's Stop may interrupt the kernel when that does
    not answer, which is right only where the cell that computes is the run's.
    """

    def __init__(
        self,
        system: LLMOS,
        *,
        goal: str = "",
        run_id: str = "",
        budget_usd: float | None = None,
        interrupts: bool = True,
    ) -> None:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        self._system = system
        self.model = RunModel(goal=goal, run_id=run_id, simulated=system.endpoint.simulated)
        #: Whether a page said that it shows the widget.
        self.seen = False
        self._over = False
        self._wake = threading.Condition()
        #: That something is to be told at once, whatever was told a moment ago.
        self._hurry = threading.Event()
        self._plain_at = time.monotonic() + PATIENCE_S
        self._channel: Channel | None = None
        self._busy: StillBusy | None = None
        self._pages: Pages | None = None
        #: Whether a page has the widget at all, though it may not show it yet.
        self._heard = False
        self._told_of = False
        self._result: Any = None
        kernel = getattr(get_ipython(), "kernel", None)
        # A frontend that runs notebooks by itself takes no input: nobody looks, and what is shown must not vary.
        if kernel is None or not getattr(kernel, "_allow_stdin", False):
            self._handle = display(EMPTY, raw=True, display_id=True)
            self._end: Callable[[], None] | None = None
            return
        if can_open():
            if interrupts:  # a run in the background leaves the kernel idle
                self._busy = StillBusy(kernel, lambda: not self._over)
            state = {"goal": goal, "interrupts": interrupts}
            self._channel = channel = spare_or_new(state, self._told, self.model.snapshot)
            cell = Cell.at_work(kernel)
            self._pages = Pages(cell, channel.send, channel.bundle, channel.model_id)
            _make_room(cell)
            if not channel.ready and time.monotonic() - channel.opened > PATIENCE_S:
                self._plain_at -= PATIENCE_S - UNHEARD_S
        else:
            self._plain_at = 0.0
        shown = {"text/plain": "llmos works on it …", "text/html": page(self.model.snapshot(), self._how_to_stop)}
        self._handle = display(shown | (self._channel.bundle if self._channel else {}), raw=True, display_id=True)
        self._end = system.bus.subscribe(self.take, name="display")
        _let_it_appear()
        self.model.budget(budget_usd if budget_usd is not None else _budget(system))
        _views.add(self)
        threading.Thread(target=self._tell_all, name="llmos-view", daemon=True).start()

    @property
    def patience_s(self) -> float:
        """For how many seconds a page may still take to show the widget; 0 when that is not expected any more."""
        return max(0.0, self._plain_at - time.monotonic())

    @property
    def run_id(self) -> str:
        """The run that is shown; empty until it has started."""
        return self.model.run_id

    def take(self, event: Event) -> None:
        """Take one event; a bus subscriber, called on the bus's thread."""
        if self.model.take(event):
            if isinstance(event, ModeDecided):
                self._hurry.set()
            self._changed()

    def ask(self, approval: Approval) -> Callable[[], None]:
        """Show a question with its buttons; returns what takes it away."""
        take_away = self.model.ask(approval)
        self._hurry.set()
        self._changed()

        def taken_away() -> None:
            take_away()
            self._changed()

        return taken_away

    def close(self, final: Any = None, *, result: Any = None) -> None:
        """Empty the display, or leave ``final``'s own in its place: the result of a run whose cell is long over.

        ``result`` is what the cell itself shows then: a page that was reloaded meanwhile, or comes later, is given it.
        """
        if self._over:
            return
        self._result = result if final is None else final
        self._over = True
        _views.discard(self)
        if self._end is not None:
            self._end()
        self._changed()
        if self._handle is not None:
            left = final._repr_mimebundle_() if final is not None else EMPTY
            self._handle.update(left, raw=True)
        if self._channel is not None and not (self._heard and self._pages is not None and self._result is not None):
            self._channel.close()

    def _take_leave(self) -> None:
        """See that a page has the result before the line is closed; where none is there, keep it for one that comes."""
        if self._channel is None or self._pages is None or not self._heard or self._result is None:
            return
        self._pages.over(outputs_of(self._result))
        if not self._pages.wait():
            UNSEEN.append(self)
            while len(UNSEEN) > KEPT:
                UNSEEN[0].forget()
            return
        self._channel.close()

    def forget(self) -> None:
        """Keep the result for no page any longer."""
        if self in UNSEEN:
            UNSEEN.remove(self)
        if self._channel is not None:
            self._channel.close()

    def told_once(self, system: LLMOS) -> str:
        """Where the result is, for a person who missed it; empty where it is told, or another system's."""
        if self._told_of or self._system is not system:
            return ""
        self._told_of = True
        goal = " ".join(self.model.goal.split())
        told = f"The page was closed or reloaded while “{goal[:80]}{'…' if len(goal) > 80 else ''}” was worked on"
        last, trace = self._system.last, getattr(self._result, "trace_id", None)
        if last is not None and last.run_id == self.run_id:
            return f"{told}: %llmos_last shows its result."
        return f"{told}: {f'%trace {trace} shows what it did.' if trace else 'runs_df() has it.'}"

    # -- from the page

    def _told(self, message: Mapping[str, Any], client: str = "") -> None:
        self._heard = True
        if self._busy is not None:
            self._busy.say()
        if self._pages is not None:
            self._pages.heard(client, message)
            if self in UNSEEN and self._pages.delivered:
                self.forget()
        if message.get("hello"):
            back = not self.seen and self._channel is not None and self._plain_at < time.monotonic()
            self.seen = True
            if back and not self._over and self._channel is not None and self._handle is not None:
                self._handle.update(EMPTY | self._channel.bundle, raw=True)  # it was only late
        elif message.get("again"):
            self._send(self.model.snapshot())
        elif message.get("stop"):
            self._stop()
        elif isinstance(message.get("answer"), str):
            self._answer(message)

    def _stop(self) -> None:
        self._send([{"k": "heard"}])  # before anything that may take its time: a page that hears nothing interrupts
        self.model.stopping()
        self._changed()
        if self.run_id:
            self._system.stop(self.run_id)

    def _answer(self, message: Mapping[str, Any]) -> None:
        asked, text = str(message["answer"]), message.get("text")
        try:
            self._system._approvals.answer(
                asked,
                message.get("yes") is True,
                text=text if isinstance(text, str) else None,
                extent=message.get("extent", "once"),
            )
        except UnknownApproval:  # answered elsewhere in the same moment
            return
        except LlmosError as error:
            self.model.ask_again(asked, str(error).removeprefix(f"{asked}: "))
            self._changed()

    # -- to the page

    @property
    def _how_to_stop(self) -> str:
        return " · the notebook's stop button ends it"

    def _changed(self) -> None:
        with self._wake:
            self._wake.notify()

    def _tell_all(self) -> None:
        """Tell the page what changed, on a thread of its own: at once, then once a period, costly ones less often."""
        pause, prepared = 0.0, time.monotonic() + NEXT_S
        while not self._over:
            if self._busy is None and time.monotonic() > prepared:  # other cells begin goals while it is at work
                prepare_spare()
                prepared = math.inf
            with self._wake:
                if not self.model.dirty and not self._over:
                    self._wake.wait(0.5)
            if self._over:
                break
            started = time.monotonic()
            if not self.seen and started >= self._plain_at:
                self._plain()
                pause = PLAIN_PERIOD_S
            elif self.model.dirty:
                self._send(self.model.changes())
                pause = max(PERIOD_S, 3 * (time.monotonic() - started))
            else:
                continue
            self._hurry.wait(pause)
            self._hurry.clear()
        prepare_spare()
        self._take_leave()

    def _send(self, messages: list[dict[str, Any]]) -> None:
        if self._channel is not None and messages:
            self._channel.send({"messages": messages})

    def _plain(self) -> None:
        """Show plain HTML; where a widget is tried too, it may come yet."""
        if self._over or self._handle is None:
            return
        html = page(self.model.snapshot(), self._how_to_stop)
        self._handle.update({"text/plain": "llmos works on it …", "text/html": html}, raw=True)


def _make_room(cell: Cell) -> None:
    """What a cell shows anew takes the place of what was kept for it."""
    for view in tuple(UNSEEN):
        if view._pages is not None and cell.id and view._pages.cell.id == cell.id:
            view.forget()


@functools.cache
def _let_it_appear() -> None:
    """Before the first run of a kernel loads what it needs, which would keep the view waiting on its way to the page."""
    time.sleep(0.02)


def _budget(system: LLMOS) -> float | None:
    """What a goal may spend that is given no budget; None where that cannot be said now."""
    try:
        return system.goal_budget_usd
    except LlmosError:
        return None
