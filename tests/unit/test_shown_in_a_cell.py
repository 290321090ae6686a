"""What the objects that people meet say of themselves: a line in a list, the file where they are printed."""

from __future__ import annotations

from pathlib import Path

from llmos_nb.guard.taint import Taint
from llmos_nb.kernel.events import EventBus
from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.mind import AgentRegistry


def test_a_trace_is_a_line_and_prints_as_its_file(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        kept = store.add(Trace(goal="Say hi", steps=[Step("run_cell", {"code": "print('hi')"})]))
        trace = store.get(kept.id)
        assert repr([trace]) == f"[<trace {trace.id}: 'Say hi', success, 1 step; print shows the whole>]"
        assert str(trace) == store.path(trace.id).read_text(encoding="utf-8").rstrip()
    assert repr(Trace(goal="x", steps=[])).startswith("<trace (not stored): 'x', success, 0 steps")


def test_an_agent_is_a_line_and_prints_as_its_file(tmp_path: Path) -> None:
    agents = AgentRegistry(tmp_path)
    agent = agents.create("poet", "Writes poems", ["read_file"], "You write poems.\n\nShort ones.")
    assert repr(agent) == "<agent poet: 'Writes poems', granted read_file, version 1; print shows the whole>"
    assert str(agent) == (tmp_path / "poet.md").read_text(encoding="utf-8").rstrip()


def test_what_belongs_to_a_session_says_what_it_holds() -> None:
    bus, taint = EventBus(), Taint()
    assert repr(bus) == "EventBus(nobody listens)"
    end = bus.subscribe(lambda event: None, name="mine")
    assert repr(bus) == "EventBus(mine)"
    end()
    taint.mark("foreign", "web", "example.org")
    assert repr(taint) == "Taint(foreign, marks: 1; %taint shows them)"
