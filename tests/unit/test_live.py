"""The live display of a goal: shows what happens, escapes it, and ends as empty as it began."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmos_nb.kernel.events import (
    AgentMessage,
    Event,
    ModeDecided,
    ModelCalled,
    Notice,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolStarted,
)  # fmt: skip
from llmos_nb.notebook import live
from llmos_nb.notebook.live import LiveView

RUN = {"run_id": "r1"}
START = RunStarted(**RUN, goal="g", agent="a", endpoint="e")
CALL = ToolStarted(**RUN, step=1, tool="run_cell", arguments={"code": "\nimport os\nx = 1"})


class Handle:
    """A display handle that keeps what it was given."""

    def __init__(self, first: dict[str, str]) -> None:
        self.shown = [first]

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(data)


@pytest.fixture
def handles(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    made: list[Handle] = []

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        made.append(Handle(data))
        return made[-1]

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(live, "PERIOD_S", 0.0)
    return made


def page_after(handles: list[Handle], *events: Event, simulated: bool = False) -> str:
    """The last page that is shown after these events."""

    async def work() -> None:
        view = LiveView("endpoint <e>", simulated)
        for event in events:
            await asyncio.to_thread(view.take, event)  # as the bus does
        await asyncio.sleep(0.01)

    asyncio.run(work())
    return handles[-1].shown[-1]["text/html"]


def calls(**tokens: Any) -> ModelCalled:
    given = {
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "cost_usd": 0.01,
    }
    return ModelCalled(**RUN, model="m", **{**given, **tokens})


def test_it_shows_what_happens(handles: list[Handle]) -> None:
    page = page_after(
        handles, START, ModeDecided(**RUN, mode="learner", reason="nothing fits"), CALL,
        ToolFinished(**RUN, step=1, tool="run_cell", status="ok", text="", duration_s=0.1),
        TextDelta(**RUN, text="It "), TextDelta(**RUN, text="works"), calls(), calls(), Notice(**RUN, text="a note"),
    )  # fmt: skip
    for word in (
        "learner",
        "nothing fits",
        "run_cell",
        "✓",
        "import os",
        "(+1 lines)",
        "It works",
        "240 tokens",
        "$0.0200",
        "a note",
    ):
        assert word in page


@pytest.mark.parametrize(("status", "mark"), [("ok", "✓"), ("error", "✗"), ("denied", "refused")])
def test_how_a_call_ended_is_shown(status: str, mark: str, handles: list[Handle]) -> None:
    end = ToolFinished(**RUN, step=1, tool="run_cell", status=status, text="", duration_s=0.1)
    assert "…" in page_after(handles, START, CALL)
    assert mark in page_after(handles, START, CALL, end)


def test_a_call_that_ended_is_not_taken_for_another(handles: list[Handle]) -> None:
    two = ToolStarted(**RUN, step=2, tool="run_shell", arguments={"command": "ls"})
    first_ends = ToolFinished(**RUN, step=1, tool="run_cell", status="error", text="", duration_s=0.1)
    page = page_after(handles, START, CALL, two, first_ends)
    assert "<code>run_cell</code> ✗" in page and "<code>run_shell</code> …" in page


def test_an_unknown_price_is_not_made_up(handles: list[Handle]) -> None:
    assert "cost unknown" in page_after(handles, START, calls(cost_usd=None), calls())
    assert "$0.0100 play money" in page_after(handles, START, calls(), simulated=True)


def test_everything_is_escaped(handles: list[Handle]) -> None:
    evil = '"><script>alert(1)</script>'
    page = page_after(
        handles, START, ModeDecided(**RUN, mode=evil, reason=evil),
        ToolStarted(**RUN, step=1, tool=evil, arguments={"code": evil}),
        AgentMessage(**RUN, role="assistant", text=evil), Notice(**RUN, text=evil),
    )  # fmt: skip
    assert "<script" not in page and "<e>" not in page


def test_only_its_own_run_is_shown(handles: list[Handle]) -> None:
    other = RunStarted(run_id="r2", goal="g", agent="a", endpoint="e")
    page = page_after(handles, Notice(run_id="r0", text="before"), START, other, Notice(run_id="r2", text="foreign"))
    assert "before" not in page and "foreign" not in page


def test_it_ends_as_it_began(handles: list[Handle]) -> None:
    async def work() -> None:
        view = LiveView("e", False)
        view.take(START)
        view.take(TextDelta(**RUN, text="text"))
        view.take(
            RunEnded(
                **RUN, status="success", mode="m", reason="", text="", cost_usd=0.0, saved_usd=0.0, duration_s=1.0
            )
        )
        view.close()
        view.take(TextDelta(**RUN, text="late"))
        await asyncio.sleep(0.01)

    asyncio.run(work())
    shown = handles[-1].shown
    assert shown[-1] == shown[0] == {"text/plain": "", "text/html": ""}


def test_a_fast_stream_does_not_flood_the_page(handles: list[Handle], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PERIOD_S", 60.0)
    page_after(handles, START, *(TextDelta(**RUN, text="x") for _ in range(500)))
    assert len(handles[-1].shown) <= 3


def test_long_text_and_many_calls_are_cut(handles: list[Handle]) -> None:
    many = [ToolStarted(**RUN, step=n, tool=f"tool{n}", arguments={}) for n in range(50)]
    page = page_after(handles, START, *many, TextDelta(**RUN, text="a" * 100_000))
    assert "tool0<" not in page and "tool49<" in page and len(page) < 5000
