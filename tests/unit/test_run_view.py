"""What a page is told of a run: every event in small messages, escaped, and all of it again for a page that comes late."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.kernel.approvals import Approval
from llmos_nb.kernel.events import (
    AgentMessage,
    ApprovalAsked,
    ApprovalGiven,
    Event,
    EventBus,
    MemoryInjected,
    ModeDecided,
    ModelCalled,
    NodeEnded,
    NodeStarted,
    Notice,
    PlanMade,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolStarted,
)  # fmt: skip
from llmos_nb.notebook.run_view import plain
from llmos_nb.notebook.run_view.code import first_line, highlighted, shown_arguments
from llmos_nb.notebook.run_view.model import REMEMBERED, WHOLE, RunModel
from llmos_nb.notebook.run_view.streamed import Streamed

RUN = {"run_id": "r1"}
START = RunStarted(**RUN, goal="g", agent="a", endpoint="e")
CALL = ToolStarted(**RUN, step=1, tool="run_cell", arguments={"code": "\nimport os\nx = 1"})
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def calls(**facts: Any) -> ModelCalled:
    given = {
        "run_id": "r1", "model": "m", "input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 0,
        "cache_write_tokens": 0, "cost_usd": 0.01,
    }  # fmt: skip
    return ModelCalled(**{**given, **facts})


def ended(status: str = "ok", text: str = "", **facts: Any) -> ToolFinished:
    given = {"run_id": "r1", "step": 1, "tool": "run_cell", "status": status, "text": text, "duration_s": 0.1}
    return ToolFinished(**{**given, **facts})


class Page:
    """What ``run_view.js`` keeps of the messages: entries in order, texts joined from their blocks."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.head: dict[str, Any] = {}
        self.graph: dict[str, Any] = {}
        self.asks: dict[str, dict[str, Any]] = {}

    def take(self, messages: list[dict[str, Any]]) -> Page:
        for message in json.loads(json.dumps(messages)):  # as they travel
            match message["k"]:
                case "reset":
                    self.entries.clear()
                    self.asks.clear()
                case "head":
                    self.head = message
                case "graph":
                    self.graph = message
                case "ask":
                    self.asks[message["id"]] = message
                case "answered":
                    self.asks.pop(message["id"], None)
                case _:
                    if message["k"] == "text":
                        blocks = self.entries.get(message["id"], {}).get("blocks", [])
                        assert message["at"] <= len(blocks), "blocks are missing"
                        message["blocks"] = blocks[: message["at"]] + message.pop("done")
                        message.pop("at")
                    self.entries[message["id"]] = message
        return self

    @property
    def shown(self) -> list[dict[str, Any]]:
        return list(self.entries.values())

    @property
    def text(self) -> str:
        return "".join("".join(e["blocks"]) + e["tail"] for e in self.shown if e["k"] == "text")


def told(*events: Event, model: RunModel | None = None) -> Page:
    """A page that is told after each event."""
    model = model or RunModel()
    page = Page().take(model.snapshot())
    for event in events:
        model.take(event)
        page.take(model.changes())
    late = Page().take(model.snapshot())
    assert [e["id"] for e in late.shown] == [e["id"] for e in page.shown], "a late page sees the same"
    assert late.text == page.text and late.asks == page.asks and late.graph.get("svg") == model._graph.drawn()
    return page


def test_it_tells_what_happens() -> None:
    page = told(
        START, ModeDecided(**RUN, mode="learner", reason="nothing fits"), TextDelta(**RUN, text="I **lo"),
        TextDelta(**RUN, text="ok**"), CALL, ended(text="done"), TextDelta(**RUN, text="It works"), calls(), calls(),
        Notice(**RUN, text="a note"),
    )  # fmt: skip
    kinds = [entry["k"] for entry in page.shown]
    assert kinds == ["text", "call", "text", "note"], "in the order in which it happened"
    assert "<strong>look</strong>" in page.text and "It works" in page.text
    call = page.shown[1]
    assert (call["tool"], call["status"], call["output"]) == ("run_cell", "ok", "done")
    assert call["line"] == "import os  (+1 lines)" and '<span class="kn">import</span>' in call["code"]
    head = page.head
    assert (head["mode"], head["label"], head["reason"], head["agent"]) == (
        "learner",
        "learning",
        "nothing fits",
        "a",
    )
    assert (head["tokens"], head["money"]) == (240, "$0.0200")
    assert page.shown[3]["text"] == "a note"


@pytest.mark.parametrize("status", ["ok", "error", "denied"])
def test_how_a_call_ended_is_told(status: str) -> None:
    assert told(START, CALL).shown[0]["status"] == "running"
    page = told(START, CALL, ended(status, "why"))
    assert page.shown[0]["status"] == status and page.shown[0]["output"] == "why"
    assert ("run_cell" in page.head["phase"]) == (status != "ok"), "a screen reader hears of what went wrong"


def test_a_call_that_ended_is_not_taken_for_another() -> None:
    two = ToolStarted(**RUN, step=2, tool="run_shell", arguments={"command": "ls"})
    page = told(START, CALL, two, ended("error"))
    assert [entry["status"] for entry in page.shown] == ["error", "running"]


def test_an_unknown_price_is_not_made_up_and_play_money_is_called_so() -> None:
    assert told(START, calls(cost_usd=None), calls()).head["money"] == "cost unknown"
    model = RunModel(simulated=True)
    model.budget(0.5)
    page = told(START, calls(), model=model)
    assert page.head["money"] == "$0.0100 of $0.50 play money" and page.head["share"] == 0.02


def test_no_markup_of_an_agent_reaches_the_page() -> None:
    approval = Approval(id="a1", run_id="r1", agent=EVIL, tool="run_cell", reason=EVIL, text=EVIL)
    model = RunModel()
    model.ask(approval)
    page = told(
        START, ModeDecided(**RUN, mode=EVIL, reason=EVIL), TextDelta(**RUN, text=f"{EVIL}\n\n```{EVIL}\n{EVIL}\n```\n"),
        AgentMessage(**RUN, role="assistant", text=f"![x](http://evil/x.png) [y](javascript:alert) {EVIL}", agent="a"),
        ToolStarted(**RUN, step=1, tool=EVIL, arguments={"code": EVIL}), ended("error", EVIL), Notice(**RUN, text=EVIL),
        PlanMade(**RUN, plan={"nodes": [{"id": "one", "goal": EVIL}]}, source="model"), model=model,
    )  # fmt: skip
    made = [
        page.text,
        page.graph["svg"],
        page.asks["a1"]["code"],
        page.shown[1]["code"],
        plain.page(model.snapshot()),
    ]
    for text in made:
        assert "<script" not in text and "<img" not in text and 'href="javascript' not in text


def test_only_its_own_run_is_told() -> None:
    other = RunStarted(run_id="r2", goal="g", agent="a", endpoint="e")
    page = told(Notice(run_id="r0", text="before"), START, other, Notice(run_id="r2", text="foreign"))
    assert page.shown == []


def test_the_run_that_is_meant_is_the_one_with_the_goal_that_a_person_started() -> None:
    model = RunModel(goal=" mine ")
    for facts in ({"goal": "other"}, {"goal": "mine", "parent_run_id": "p"}, {"goal": "mine", "scheduled_by": "job"}):
        assert not model.take(RunStarted(**{"run_id": "x", "agent": "a", "endpoint": "e", **facts}))
    assert model.take(RunStarted(run_id="y", goal="mine", agent="a", endpoint="e")) and model.owns("y")
    assert not model.owns("x") and not model.owns("")


def test_a_message_that_comes_after_its_call_is_not_told_twice() -> None:
    whole = AgentMessage(**RUN, role="assistant", text="I look.", agent="a")
    page = told(START, TextDelta(**RUN, text="I look."), CALL, whole)
    assert [entry["k"] for entry in page.shown] == ["text", "call"]
    assert [e["k"] for e in told(START, whole, CALL).shown] == ["text", "call"], "an answer that came whole"


def test_a_text_that_ends_otherwise_than_it_streamed_is_told_anew() -> None:
    page = told(
        START, TextDelta(**RUN, text="one\n\ntwo\n\nthr"), TextDelta(**RUN, text="ee"),
        AgentMessage(**RUN, role="assistant", text="another\n\ntext", agent="a"),
    )  # fmt: skip
    assert page.text == "<p>another</p>\n<p>text</p>\n"


def test_what_memory_gave_and_why_is_told() -> None:
    fact = {"id": "f", "score": 0.9, "text": "-999 is\nmissing", "reason": "named in the goal", "source": "a person"}
    page = told(START, MemoryInjected(**RUN, facts=(fact,), tokens=12, limit=500, left_out=2))
    entry = page.shown[0]
    assert entry["facts"] == [{"text": "-999 is missing", "reason": "named in the goal", "source": "a person"}]
    assert (entry["tokens"], entry["left_out"]) == (12, 2)


def test_a_question_is_told_and_taken_away() -> None:
    diff = Approval(
        id="a1", run_id="r1", agent="a", tool="modify_agent", reason="why", text="--- a\n+++ b\n@@ -1 +1 @@\n-<x>\n+y"
    )
    model = RunModel()
    take_away = model.ask(diff)
    page = told(START, model=model)
    assert page.asks["a1"]["code"].count("<span") == 5 and "&lt;x&gt;" in page.asks["a1"]["code"], "a coloured diff"
    assert page.asks["a1"]["editable"] is False and page.head["phase"] == "a asks for modify_agent: why"
    take_away()
    assert not page.take(model.changes()).asks
    model.ask(diff)
    asked = ApprovalAsked(**RUN, approval_id="a1", agent="a", tool="modify_agent", reason="why", text="")
    page = told(asked, ApprovalGiven(**RUN, approval_id="a1", approved=False, by="person"), model=model)
    assert not page.asks and page.head["phase"] == "not approved (person)"


def test_what_can_be_edited_is_given_as_it_is() -> None:
    model = RunModel()
    model.ask(
        Approval(
            id="a1", run_id="r1", agent="a", tool="run_cell", reason="proposed", text="x = 1 < 2", editable=True,
            language="python",
        )
    )  # fmt: skip
    assert told(START, model=model).asks["a1"]["text"] == "x = 1 < 2"
    model.ask_again("a1", "not like this")
    assert told(model=model).asks["a1"]["problem"] == "not like this"


def test_a_plan_tells_its_nodes_what_they_do_and_what_they_cost() -> None:
    nodes = [{"id": "load", "goal": "Load <b>"}, {"id": "plot", "goal": "Plot"}, {"id": "old", "goal": "Old"}]
    begins = NodeStarted(**RUN, node="load", node_run_id="r2", agent="analyst", goal="Load")
    call = ToolStarted(run_id="r2", step=1, tool="run_cell", arguments={"code": "x = 1"})
    plan = PlanMade(**RUN, plan={"nodes": nodes}, source="model", kept=("old",))
    stranger = ToolStarted(run_id="r9", step=1, tool="run_shell", arguments={"command": "ls"})
    cost = calls(run_id="r2", input_tokens=5, output_tokens=5, cost_usd=0.5)
    model = RunModel()
    page = told(START, plan, begins, call, cost, stranger, model=model)
    assert page.graph["svg"].count("<rect") == 3 and "●" in page.graph["svg"] and ">kept<" in page.graph["svg"]
    assert page.graph["doing"] == [["load", "run_cell x = 1"]] and model.owns("r2") and not model.owns("r9")
    assert [(e["tool"], e["who"]) for e in page.shown] == [("run_cell", "load")] and page.head["tokens"] == 10
    over = NodeEnded(
        **RUN, node="load", node_run_id="r2", status="over_budget", mode="learner", reason="", cost_usd=0.5,
        saved_usd=0.0,
    )  # fmt: skip
    page = told(over, model=model)
    assert "over budget · $0.5000" in page.graph["svg"] and page.graph["doing"] == []


def test_agents_that_work_for_the_agent_are_drawn() -> None:
    arguments = {"subagent_type": "analyst", "description": "count the rows"}
    inner = ToolStarted(**RUN, step=1, tool="run_cell", arguments={"code": "len(df)"}, agent="analyst")
    page = told(START, inner, ended())
    assert page.graph["svg"].count("<rect") == 2 and page.graph["doing"] == [["analyst", "run_cell len(df)"]]
    back = ToolStarted(**RUN, step=2, tool="Agent", arguments=arguments)
    page = told(START, inner, ended(), back, ended(step=2, tool="Agent"))
    assert "has reported" in page.graph["svg"] and page.graph["doing"] == []
    assert page.shown[0]["who"] == "analyst"


def test_the_end_and_a_stop_are_told() -> None:
    model = RunModel()
    model.stopping()
    end = RunEnded(**RUN, status="timed_out", mode="m", reason="", text="", cost_usd=0.0, saved_usd=0.0, duration_s=1)
    page = told(START, end, model=model)
    assert page.head["stopping"] and page.head["status"] == "timed_out" and page.head["phase"] == "timed out"


def test_a_story_of_many_calls_stays_small() -> None:
    model, page = RunModel(), Page()
    model.take(START)
    for n in range(REMEMBERED + 50):
        code = {"code": f"x = {n}\n" * 10_000}
        model.take(ToolStarted(**RUN, step=n, tool="run_cell", arguments=code))
        model.take(ended(text="long " * 10_000, step=n))
    page.take(model.snapshot())
    assert len(page.entries) == REMEMBERED and page.shown[-1]["line"].startswith(f"x = {REMEMBERED + 49}")
    assert sum("code" in entry for entry in page.shown) == WHOLE
    assert len(json.dumps(model.snapshot())) < 10_000_000
    assert "characters more" in page.shown[-1]["output"]


def words(page: str) -> str:
    return "".join(re.sub(r"<[^>]*>", "", page).split())


def at_once(text: str) -> str:
    whole = Streamed(text)
    tail = whole.advance()
    return "".join(whole.done) + tail


def test_a_line_that_is_not_whole_completes_nothing() -> None:
    streamed = Streamed()
    for piece in (
        "`\n|",
        "`\n--",
        "1",
    ):  # with the second piece a table begins in the second line; with the third none
        streamed.add(piece)
        streamed.advance()
    assert not streamed.done and words(streamed.advance()) == words(at_once("`\n|`\n--1"))


@given(st.lists(st.text(alphabet="ab*`#-|>\n 1.\r~", max_size=12), max_size=30), st.data())
def test_text_told_in_pieces_is_the_text_told_at_once(pieces: list[str], data: st.DataObject) -> None:
    streamed = Streamed()
    told: list[str] = []
    for piece in pieces:
        streamed.add(piece)
        if data.draw(st.booleans()):
            streamed.advance()
            assert streamed.done[: len(told)] == told, "what is complete does not change"
            told = list(streamed.done)
    text = "".join(pieces).replace("\r", "")
    assert streamed.text == text
    tail = streamed.advance()
    assert words("".join(streamed.done) + tail) == words(at_once(text))


def test_a_bus_carries_it_in_order() -> None:
    bus, model = EventBus(), RunModel()
    end = bus.subscribe(model.take, name="display")
    for event in (START, CALL, ended(), *(TextDelta(**RUN, text=f"{n} ") for n in range(500))):
        bus.publish(event)
    assert bus.flush(10)
    end()
    page = Page().take(model.changes())
    assert page.text == f"<p>{' '.join(str(n) for n in range(500))}</p>\n"


@pytest.mark.parametrize(
    ("arguments", "tool", "line", "code", "language"),
    [
        ({"code": "x = 1"}, "run_cell", "x = 1", "x = 1", "python"),
        ({"command": "ls\npwd"}, "run_shell", "ls  (+1 lines)", "ls\npwd", "bash"),
        ({"command": "ls"}, "Bash", "ls", "ls", "bash"),
        ({"path": "a.py", "content": "y = 2"}, "write_file", "a.py", "y = 2", "python"),
        ({"path": "a.txt", "content": "text"}, "write_file", "a.txt", "path: a.txt\n\ntext", ""),
        ({"names": ["df"], "depth": 2}, "inspect", "", "names: ['df']\ndepth: 2", ""),
        ({}, "list_agents", "", "", ""),
    ],
)  # fmt: skip
def test_what_people_read_of_a_call(
    arguments: dict[str, Any], tool: str, line: str, code: str, language: str
) -> None:
    assert first_line(arguments, tool) == line
    assert shown_arguments(arguments, tool) == (code, language)


def test_code_in_a_language_that_nobody_knows_is_escaped() -> None:
    assert highlighted("<a>", "klingon") == highlighted("<a>", "") == "&lt;a&gt;"


def test_a_page_without_the_widget_shows_the_same_in_plain_html() -> None:
    model = RunModel(simulated=True)
    approval = Approval(id="a1", run_id="r1", agent="a", tool="run_cell", reason="it writes", text="x")
    told(START, ModeDecided(**RUN, mode="learner", reason="nothing fits"), CALL, TextDelta(**RUN, text="It *works*"),
         calls(), Notice(**RUN, text="a note"), model=model)  # fmt: skip
    model.ask(approval)
    page = plain.page(model.snapshot())
    for word in ("learning", "nothing fits", "run_cell", "import os", "<em>works</em>", "120 tokens", "play money",
                 "a note", "asks for run_cell"):  # fmt: skip
        assert word in page


def test_the_view_is_there_before_widgets_and_before_what_the_run_needs() -> None:
    code = (
        "import sys\n"
        "from llmos_nb.notebook.run_view import RunView\n"
        "late = 'ipywidgets anywidget markdown_it yaml llmos_nb.guard llmos_nb.tools llmos_nb.dispatch.dispatcher'\n"
        "print(*sorted({*late.split()} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
