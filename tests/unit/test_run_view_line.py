"""The line to a page: what a page misses is told again, and one is open already when the next run begins."""

from __future__ import annotations

import asyncio
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

import comm
import pytest

from llmos_nb.notebook.run_view import busy, channel, spare
from llmos_nb.notebook.run_view.busy import StillBusy
from llmos_nb.notebook.run_view.channel import Channel
from llmos_nb.notebook.run_view.frontend import keeps_spares, shows_widgets

STATE = {"goal": "g", "interrupts": True}


class Comm:
    """A comm that keeps what is sent; :meth:`hear` is the page."""

    def __init__(self, data: Any = None, **_: Any) -> None:
        self.comm_id, self.opened_with, self.sent = f"c{id(self)}", data, []
        self.handle_msg: Any = None
        self.closed = False

    def send(self, data: Any) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def hear(self, content: Any) -> None:
        data = {"method": "custom", "content": content}
        self.handle_msg({"content": {"data": data}, "header": {"session": "page 1"}})

    @property
    def begun(self) -> list[Any]:
        return [one["content"] for one in self.sent if "begin" in one.get("content", {})]


@pytest.fixture(autouse=True)
def comms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Comm]]:
    """Every comm that is opened."""
    made: list[Comm] = []

    def create(**given: Any) -> Comm:
        made.append(Comm(**given))
        return made[-1]

    monkeypatch.setattr(comm, "create_comm", create)
    monkeypatch.setattr(channel, "answer_pages", lambda states: None)
    monkeypatch.setattr(spare, "can_open", lambda: True)
    ipykernel = types.ModuleType("ipykernel")
    ipykernel.version_info = (7, 4, 0)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ipykernel", ipykernel)
    for name in ("VSCODE_PID", "VSCODE_CWD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    yield made
    spare.drop_spare()
    assert not channel._open or all(one.closed for one in channel._open.values())
    channel._open.clear()


def heard() -> tuple[list[Any], Any]:
    told: list[Any] = []
    return told, lambda message, client: told.append((dict(message), client))


def test_a_page_whose_side_is_ready_late_is_told_what_it_missed(comms: list[Comm]) -> None:
    told, take = heard()
    line = Channel(STATE, take, lambda: [{"k": "reset"}, {"k": "head"}])
    (page,) = comms
    assert page.opened_with["state"]["goal"] == "g" and page.opened_with["state"]["start"]
    page.hear({"page": True})
    assert told == [({"page": True}, "page 1")] and not page.begun, "it has all there is"
    assert page.sent[-1]["content"] == {"heard": "page"}, "a page says it until it is answered"
    line.send({"messages": [{"k": "head", "mode": "learner"}]})
    page.hear({"page": True})
    assert page.begun[-1]["messages"] == [{"k": "reset"}, {"k": "head"}]
    line.close()
    assert line.closed and page.closed
    line.send({"messages": []})
    assert page.sent[-1] is not None and len(page.begun) == 1


def test_the_next_run_takes_the_line_that_is_open_already(comms: list[Comm]) -> None:
    spare.prepare_spare()
    spare.prepare_spare()
    (page,) = comms
    assert page.opened_with["state"]["start"] == []
    page.hear({"page": True})  # nobody listens yet
    assert page.sent == [{"method": "custom", "content": {"heard": "page"}}]
    told, take = heard()
    line = spare.spare_or_new(STATE, take, lambda: [{"k": "head"}])
    assert len(comms) == 1 and line.ready and line.model_id == page.comm_id
    assert page.begun == [{"begin": line._state, "messages": [{"k": "head"}]}] and line._state["goal"] == "g"
    page.hear({"here": True})
    assert told == [({"here": True}, "page 1")]
    other = spare.spare_or_new(STATE, take, list)
    assert other is not line and len(comms) == 2, "each run has its own"
    line.close()
    other.close()


def test_a_line_that_was_closed_meanwhile_is_not_used(comms: list[Comm]) -> None:
    spare.prepare_spare()
    channel._open[comms[0].comm_id].close()  # as ipywidgets' own Widget.close_all does
    line = spare.spare_or_new(STATE, heard()[1], list)
    assert len(comms) == 2 and not line.closed
    line.close()
    spare.prepare_spare()
    spare.drop_spare()
    assert comms[2].closed and not channel._open


def test_vs_code_gets_a_line_when_it_is_needed(comms: list[Comm], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSCODE_PID", "1")
    spare.prepare_spare()
    assert not comms and not keeps_spares() and shows_widgets()


@pytest.mark.parametrize(
    ("version", "keeps"), [((6, 29, 5), False), ((7, 3, 0), False), ((7, 4, 0), True), ((8, 0), True)]
)
def test_older_kernels_open_no_line_beforehand(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], keeps: bool
) -> None:
    monkeypatch.setattr(sys.modules["ipykernel"], "version_info", version)
    assert keeps_spares() is keeps
    monkeypatch.delitem(sys.modules, "ipykernel")
    assert not keeps_spares()


def test_colab_gets_a_widget_where_its_user_enabled_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shows_widgets() and keeps_spares()
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    widgets = types.ModuleType("google.colab.output._widgets")
    assert not shows_widgets() and not keeps_spares()
    monkeypatch.setitem(sys.modules, widgets.__name__, widgets)
    assert not shows_widgets(), "a Colab that says nothing of it"
    monkeypatch.setattr(widgets, "_installed_url", None, raising=False)
    assert not shows_widgets()
    monkeypatch.setattr(widgets, "_installed_url", "https://ssl.gstatic.com/manager.min.js")
    assert shows_widgets() and not keeps_spares()


class Kernel:
    """A kernel at work on a cell; ``said`` is what it said of its state."""

    iopub_socket = None

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        self.session = self

    def get_parent(self, channel: str) -> Any:
        return {"header": {"msg_id": channel}}

    def send(self, socket: Any, kind: str, content: Any, *, parent: Any, ident: Any) -> None:
        self.said.append((content["execution_state"], parent["header"]["msg_id"]))

    def _topic(self, of: str) -> bytes:
        return of.encode()


def test_a_kernel_whose_cell_awaits_a_goal_says_that_it_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy, "AFTER_S", 0.0)
    kernel, over = Kernel(), False

    async def cell() -> None:
        nonlocal over
        still = StillBusy(kernel, lambda: not over)
        for _ in range(3):  # one page says several things at once
            hears = threading.Thread(target=still.say)
            hears.start()
            hears.join()
        assert not kernel.said, "it is said by the loop of the cell"
        for _ in range(4):
            await asyncio.sleep(0.001)
        assert kernel.said == [("busy", "shell")]
        still.say()
        over = True  # the cell ends before the loop comes to it
        for _ in range(4):
            await asyncio.sleep(0.001)
        still.say()

    asyncio.run(cell())
    assert kernel.said == [("busy", "shell")], "never after the cell's own end"
    StillBusy(kernel, lambda: True).say()  # no loop runs here
    assert len(kernel.said) == 1
