"""Files that were cut off, or came through an editor: read as they were, repaired, or refused with a reason."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.dispatch.orchestrator import Node, Plan
from llmos_nb.dispatch.orchestrator.state import PlanState, load_state, save_state
from llmos_nb.errors import LlmosError
from llmos_nb.kernel.events import RunEnded, RunStarted
from llmos_nb.kernel.schedule.shelf import JobShelf
from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.facts import Fact
from llmos_nb.memory.facts import codec as facts
from llmos_nb.memory.seal import is_edited, sealed
from llmos_nb.memory.session import SessionLog, read_events
from llmos_nb.mind.agent_file import parse_agent
from llmos_nb.projects.variables import keep_variables, read_variables
from llmos_nb.settings import load_settings

TRACE = sealed(
    Trace(
        goal="Count to 3 — größer", id="20261122-074103-count-3f2a", created_at="2026-11-22T07:41:03Z", status="success",
        answer="It is 3.",
        steps=[Step("run_cell", {"code": "n = 3"}, output="3\n"), Step("run_shell", {"command": "echo 3"})],
    )
)  # fmt: skip


NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)


def cuts(data: bytes) -> list[bytes]:
    return [data[:size] for size in range(len(data))]


def test_a_trace_that_was_cut_off_anywhere_is_never_served_as_it_was() -> None:
    data = dump(TRACE).encode()
    read = 0
    for cut in cuts(data):
        with contextlib.suppress(LlmosError):
            found = parse(cut.decode("utf-8", "replace"), "t.md")
            read += 1
            assert is_edited(found) or found == TRACE, cut[-40:]
    assert read > 20  # within the steps' prose and the answer: there only the seal tells


@pytest.mark.parametrize("cut", [0, 1, 60, 300, -80, -20, -4])
def test_a_store_with_a_trace_that_was_cut_off_says_so_and_serves_the_others(tmp_path: Path, cut: int) -> None:
    with TraceStore(tmp_path) as store:
        path = store.path(store.add(TRACE).id)
        other = store.add(sealed(Trace(goal="Count to 4", steps=[Step("run_cell", {"code": "4"})], status="success")))
        path.write_bytes(path.read_bytes()[:cut])
    with TraceStore(tmp_path) as store:
        assert store.match(TRACE.goal).verdict in ("none", "guide")
        assert store.match("Count to 4").trace_id == other.id
        problem = store.problems.get(f"2026-11/{TRACE.id}.md", "")
        assert problem or is_edited(store.get(TRACE.id))


def whole_settings(path: Path) -> object:
    return load_settings(path.parent, environ={})


def the_job(path: Path) -> object:
    jobs, problems = JobShelf(path.parent, path.parent / "kept", lambda: NOW).load()
    if problems:
        raise LlmosError(problems["j"], remedy="")
    return jobs["j"]


def whole_plan(path: Path) -> object:
    return load_state(path.parent, "r")


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "fact": ("f.md", lambda path: facts.parse_bytes(path.read_bytes(), path)),
    "agent": ("poet.md", lambda path: parse_agent(path.read_bytes().decode("utf-8", "replace"), path)),
    "job": ("j.toml", lambda path: the_job(path)),
    "variables": ("variables.json", read_variables),
    "plan": ("r.json", whole_plan),
    "settings": ("llmos.toml", whole_settings),
}


def make(what: str, path: Path) -> None:
    if what == "fact":
        path.write_text(facts.dump(Fact("The mast is 80 m high — größer", id="f", date="2026-11-22", source="user")))
    elif what == "agent":
        path.write_text("---\nname: poet\ndescription: Größe\ntools: [recall]\n---\nYou are a poet.\n")
    elif what == "job":
        path.write_text('goal = "Count to 3"\ncron = "0 7 * * *"\ntimezone = "UTC"\n')
    elif what == "variables":
        keep_variables(path, {"n": 1, "t": "größer"}, ["n", "t"])
    elif what == "plan":
        save_state(path.parent, PlanState(run_id="r", plan=Plan("g", (Node("a", "do a"),)), agent="x", cwd="/"))
    else:
        path.write_text('agent = "analyst"\nrun_budget_usd = 0.25\n')


@pytest.mark.parametrize("what", READERS)
def test_a_file_that_was_cut_off_anywhere_or_holds_nul_is_read_or_refused(tmp_path: Path, what: str) -> None:
    name, read = READERS[what]
    path = tmp_path / name
    make(what, path)
    data = path.read_bytes()
    broken = [
        *cuts(data),
        bytes(len(data)),
        data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
        b"\xff\xfe" + data,
    ]
    for content in broken:
        path.write_bytes(content)
        with contextlib.suppress(LlmosError):
            read(path)
    path.write_bytes(data)
    read(path)


@pytest.mark.parametrize("what", ["fact", "agent", "job", "settings"])
def test_files_that_windows_editors_saved_say_the_same(tmp_path: Path, what: str) -> None:
    name, read = READERS[what]
    path = tmp_path / name
    make(what, path)
    data = path.read_bytes()
    expected: Any = read(path)
    for content in (
        data.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + data,
        b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
    ):
        path.write_bytes(content)
        assert read(path) == expected, content[:20]


def test_a_session_log_that_was_cut_off_anywhere_keeps_every_whole_line(tmp_path: Path) -> None:
    log = SessionLog(tmp_path, "s")
    for number in range(3):
        log(RunStarted(run_id=str(number), goal="größer", agent="a", endpoint="scripted"))
        log(
            RunEnded(
                run_id=str(number), status="success", mode="learner", reason="", text="", cost_usd=0.0, saved_usd=0.0,
                duration_s=1.0,
            )
        )  # fmt: skip
    log.close()
    data = (tmp_path / "s.jsonl").read_bytes()
    for cut in cuts(data)[::3]:
        (tmp_path / "s.jsonl").write_bytes(cut)
        whole = cut.count(b"\n")
        assert whole <= len(list(read_events(tmp_path))) <= whole + 1
    (tmp_path / "s.jsonl").write_bytes(data[:40] + bytes(200) + data[240:])  # a power cut left a hole
    assert 3 <= len(list(read_events(tmp_path))) <= 5
    (tmp_path / "s.jsonl").write_bytes(data[:-30])
    again = SessionLog(tmp_path, "s")
    again(RunStarted(run_id="9", goal="g", agent="a", endpoint="scripted"))
    again.close()
    lines = (tmp_path / "s.jsonl").read_bytes().splitlines()
    assert len(lines) == 7 and json.loads(lines[-1])["run_id"] == "9"
