"""A run's pages: the one it began on sees the cell's own outputs; others are given the view, and in the end the result."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from llmos_nb.dispatch.result import RunResult
from llmos_nb.notebook.run_view.control import answer_pages, listen
from llmos_nb.notebook.run_view.pages import Cell, Pages, outputs_of
from llmos_nb.tools.namespace import Output

CELL = Cell("first", "c1", "%%llmos\nTell me")
VIEW = {"application/x-view": {"model_id": "m"}}
LEFT = [{"output_type": "display_data", "data": {"text/plain": "done"}, "metadata": {}}]


class Kernel:
    def __init__(self, parent: Any) -> None:
        self.parent = parent

    def get_parent(self, channel: str) -> Any:
        return self.parent


def made() -> tuple[Pages, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    return Pages(CELL, lambda message: told.append(dict(message)), VIEW, "m"), told


def test_the_page_that_it_began_on_is_given_nothing() -> None:
    pages, told = made()
    pages.heard("first", {"page": True})
    pages.heard("first", {"hello": True})
    pages.over(LEFT)
    pages.heard("first", {"bye": True})
    assert told == [{"over": True}] and pages.wait(0) and pages.delivered


def test_a_page_that_comes_back_is_given_the_view_once_and_then_the_result() -> None:
    pages, told = made()
    for message in ({"page": True}, {"hello": True}, {"again": True}):
        pages.heard("second", message)
    place = {"client": "second", "cell": "c1", "code": CELL.code, "model": "m"}
    assert told == [{"back": {**place, "view": VIEW}}]
    pages.heard("second", {"placed": True})
    assert not pages.delivered, "the view is no result"
    pages.over(LEFT)
    assert told[1:] == [{"over": True}, {"back": {**place, "outputs": LEFT}}]
    pages.heard("second", {"bye": True})
    assert not pages.wait(0), "its cell shows nothing by itself"
    pages.heard("second", {"placed": True})
    assert pages.wait(0)


def test_a_page_that_comes_when_it_is_over_is_given_the_result() -> None:
    pages, told = made()
    pages.over(LEFT)
    assert not pages.wait(0.01)
    pages.heard("third", {"page": True})
    assert told[-1]["back"]["outputs"] == LEFT
    pages.heard("third", {"placed": False})
    assert not pages.delivered, "the cell is another one there"
    pages.heard("fourth", {"page": True})
    pages.heard("fourth", {"placed": True})
    assert pages.delivered


def test_who_waits_is_told_as_soon_as_a_page_has_it() -> None:
    pages, _ = made()
    pages.over(LEFT)
    threading.Timer(0.05, lambda: pages.heard("first", {"bye": True})).start()
    assert pages.wait(10)


@pytest.mark.parametrize("parent", [None, {}, {"header": {"session": "s"}}, {"metadata": {}, "header": {}}])
def test_a_frontend_that_tells_nothing_of_its_cells_is_no_obstacle(parent: Any) -> None:
    assert Cell.at_work(Kernel(parent)) == Cell()
    pages, told = Pages(Cell(), lambda message: told.append(message), VIEW), []
    pages.heard("any", {"page": True})
    assert not told


def test_the_cell_is_what_the_kernel_was_asked_to_run() -> None:
    asked = {"header": {"session": "s"}, "metadata": {"cellId": "c7"}, "content": {"code": "1 + 1"}}
    assert Cell.at_work(Kernel(asked)) == Cell("s", "c7", "1 + 1")


def test_what_a_cell_would_have_shown() -> None:
    shown = (Output("stdout", {"text/plain": "looked\n"}), Output("display", {"image/png": "aa"}, {"width": 3}))
    result = RunResult(run_id="r", goal="g", status="success", mode="learner", text="It is.", reason="", shown=shown)
    stream, picture, last = outputs_of(result)
    assert stream == {"output_type": "stream", "name": "stdout", "text": "looked\n"}
    assert picture == {"output_type": "display_data", "data": {"image/png": "aa"}, "metadata": {"width": 3}}
    assert "It is." in last["data"]["text/plain"] and "text/html" in last["data"]
    assert outputs_of(None) == []


def test_a_page_that_asks_for_all_widgets_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    class Manager:
        def __init__(self) -> None:
            self.targets: dict[str, Any] = {}

        def register_target(self, name: str, opened: Any) -> None:
            self.targets[name] = opened

    class Comm:
        def __init__(self) -> None:
            self.sent: list[Any] = []
            self.handle_msg: Any = None

        def send(self, data: Any) -> None:
            self.sent.append(data)

    manager, comm = Manager(), Comm()
    monkeypatch.setattr("comm.get_comm_manager", lambda: manager)
    answer_pages(lambda: {"m": {"state": {"goal": "g"}}})
    answer_pages(lambda: {"never": {}})
    manager.targets["jupyter.widget.control"](comm, {})
    comm.handle_msg({"content": {"data": {"method": "request_states"}}})
    comm.handle_msg({"content": {"data": {"method": "something else"}}})
    assert comm.sent == [{"method": "update_states", "states": {"m": {"state": {"goal": "g"}}}, "buffer_paths": []}]


def test_listening_to_a_comm_runs_nothing_of_the_shells(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs before and after a cell draws figures, in whichever thread it is run."""
    from comm.base_comm import BaseComm

    ran: list[str] = []
    shell = SimpleNamespace(events=SimpleNamespace(trigger=ran.append))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    heard: list[Any] = []
    comm = BaseComm(primary=False)
    comm.on_msg(heard.append)
    comm.handle_msg({"n": 1})
    assert ran == ["pre_execute", "post_execute"], "as it is where nobody sees to it"
    listen(comm, heard.append)
    comm.handle_msg({"n": 2})
    assert heard == [{"n": 1}, {"n": 2}] and len(ran) == 2
