"""Every call is shown before it is made: approved, denied or edited, guarded as edited, recorded as it was made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.errors import NotEditable, UnknownApproval
from llmos_nb.kernel.approvals import Approval, Approvals
from llmos_nb.kernel.events import ApprovalAsked, ApprovalGiven, Event, Notice
from llmos_nb.learning.record import recorded_steps
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.proposal import as_edited
from llmos_nb.tools.quiet import QuietNamespace
from llmos_nb.tools.services import Services
from llmos_nb.tools.shell_namespace import ShellNamespace
from llmos_nb.tools.workbench import Call, Workbench

GRANT = ("run_cell", "inspect", "read_file", "write_file", "edit_file", "run_shell", "Bash")
#: What a person says to a question: yes or no, or the text to do instead.
Says = Callable[[Approval], bool | str]


class Desk:
    """Workbenches that show everything, and a person before them."""

    def __init__(self, folder: Path) -> None:
        self.cwd, self.events, self.asked = folder, list[Event](), list[Approval]()
        self.approvals = Approvals(self.events.append)
        self.namespace = PlainNamespace()

    def bench(self, propose: bool = True) -> Workbench:
        return Workbench(
            "run-1", namespace=self.namespace, workspace=self.cwd / "workspace", cwd=self.cwd, grant=GRANT,
            publish=self.events.append, agent="maker", services=Services(approvals=self.approvals), propose=propose,
        )  # fmt: skip

    def person(self, says: Says) -> Callable[[], None]:
        def present(approval: Approval) -> Callable[[], None]:
            self.asked.append(approval)
            said = says(approval)
            text = said if isinstance(said, str) else None
            answer = threading.Timer(0.02, self.approvals.answer, (approval.id, bool(said)), {"text": text})
            answer.start()
            return lambda: None

        return self.approvals.attend(present=present)

    def call(self, tool: str, *, replayed: bool = False, **arguments: Any) -> Call:
        async def work() -> Call:
            return await self.bench().call(tool, arguments, replayed=replayed)

        return asyncio.run(work())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def test_what_a_person_edits_is_what_runs_and_what_is_recorded(desk: Desk) -> None:
    desk.person(lambda approval: approval.text.replace("1", "2"))
    done = desk.call("run_cell", code="x = 1\nx")
    assert done.result is not None and done.result.text == "2" and desk.namespace.names["x"] == 2
    assert done.edited and recorded_steps([done])[0].arguments == {"code": "x = 2\nx"}
    asked = desk.asked[0]
    assert (asked.text, asked.editable, asked.language) == ("x = 1\nx", True, "python")
    given = [event for event in desk.events if isinstance(event, ApprovalGiven)]
    assert given[0].approved and given[0].edited
    assert any("a person edited it" in event.text for event in desk.events if isinstance(event, Notice))


def test_what_is_approved_as_it_is_runs_as_it_is(desk: Desk) -> None:
    desk.person(lambda approval: True)
    done = desk.call("run_cell", code="n + 1", parameters={"n": 4})
    assert done.result is not None and done.result.text == "5" and not done.edited
    assert done.arguments == {"code": "n + 1", "parameters": {"n": 4}} and desk.asked[0].text == "n = 4\nn + 1"


def test_what_is_denied_does_not_run(desk: Desk) -> None:
    desk.person(lambda approval: False)
    done = desk.call("run_cell", code="x = 1")
    assert done.status == "denied" and done.verdict.rule == "proposed" and "a person said no" in done.verdict.reason
    assert "x" not in desk.namespace.names
    assert desk.call("run_shell", command="touch made").status == "denied" and not Path("made").exists()


def test_files_and_commands_are_shown_and_edited_too(desk: Desk) -> None:
    texts = iter(["# Better\n", "echo two", "B"])
    desk.person(lambda approval: next(texts))
    desk.call("write_file", path="note.md", content="# Note\n")
    assert Path("note.md").read_text() == "# Better\n"
    told = desk.call("run_shell", command="echo one").result
    assert told is not None and told.text == "two"
    Path("a.txt").write_bytes(b"x\r\ny")
    desk.call("edit_file", path="a.txt", old="y", new="z")
    assert Path("a.txt").read_bytes() == b"x\r\nB"
    assert [(one.tool, one.language) for one in desk.asked] == [
        ("write_file", "markdown"), ("run_shell", "bash"), ("edit_file", "")
    ]  # fmt: skip
    assert "note.md" in desk.asked[0].reason and "'y' in a.txt" in desk.asked[2].reason


def test_what_only_reads_is_not_asked_about(desk: Desk) -> None:
    Path("a.txt").write_text("text")
    desk.person(lambda approval: False)
    assert desk.call("read_file", path="a.txt").status == "ok" and desk.call("inspect").status == "ok"
    assert desk.asked == []


def test_the_guard_judges_the_text_as_it_was_edited(desk: Desk) -> None:
    desk.person(lambda approval: "rm -rf /")
    done = desk.call("run_shell", command="echo hello")
    assert done.status == "denied" and done.verdict.rule != "proposed" and done.arguments["command"] == "rm -rf /"
    assert len(desk.asked) == 1


def test_an_edit_that_the_guard_has_to_ask_about_is_asked_about(desk: Desk) -> None:
    desk.person(lambda approval: True if "ctypes" in approval.text else "import ctypes\nx = 1")
    assert desk.call("run_cell", code="x = 2").status == "ok"
    assert [one.text for one in desk.asked] == ["x = 2", "import ctypes\nx = 1"]
    assert "ctypes" in desk.asked[1].reason and desk.namespace.names["x"] == 1


def test_one_question_is_enough_where_the_guard_asks_as_well(desk: Desk) -> None:
    desk.person(lambda approval: True)
    assert desk.call("run_cell", code="import ctypes").status == "ok"
    assert len(desk.asked) == 1 and "ctypes" in desk.asked[0].reason and desk.asked[0].editable


def test_with_nobody_there_nothing_is_done(desk: Desk) -> None:
    done = desk.call("run_cell", code="x = 1")
    assert done.status == "denied" and "nobody was there" in done.verdict.reason
    assert not [event for event in desk.events if isinstance(event, ApprovalAsked)]


def test_a_call_that_cannot_be_made_is_not_asked_about(desk: Desk) -> None:
    desk.person(lambda approval: True)
    done = desk.call("run_cell", kode="x = 1")
    assert done.status == "error" and desk.asked == []


def test_replayed_steps_are_shown_all_together_elsewhere(desk: Desk) -> None:
    desk.person(lambda approval: False)
    assert desk.call("run_cell", replayed=True, code="x = 1").status == "ok" and desk.asked == []


def test_what_cannot_be_shown_beforehand_is_refused(desk: Desk) -> None:
    async def verdicts() -> list[str]:
        return [desk.bench(propose).check("Bash", {"command": "ls"}).decision for propose in (True, False)]

    assert asyncio.run(verdicts()) == ["deny", "allow"]


def test_other_goals_go_on_while_a_person_is_thinking(desk: Desk) -> None:
    desk.approvals.attend()

    async def work() -> tuple[Call, Call]:
        waiting = asyncio.create_task(desk.bench().call("run_cell", {"code": "x = 1"}))
        while not desk.approvals.pending:
            await asyncio.sleep(0.01)
        other = await asyncio.wait_for(desk.bench(propose=False).call("run_cell", {"code": "y = 2"}), 5)
        desk.approvals.answer(None, True)
        return await waiting, other

    waited, other = asyncio.run(work())
    assert waited.status == other.status == "ok" and desk.namespace.names["y"] == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  \n", "is empty"),
        (3, "must be text, got int"),
        ("x\ud800", "half a character"),
        ("x = = 1", "cannot be run: line 1: invalid syntax in 'x = = 1'"),
        ("y\nprint('a", "line 2: unterminated"),
        ("a\0b", "null bytes"),
        ("def f():\nx", "expected an indented block"),
    ],
)
def test_a_text_that_cannot_be_done_leaves_the_question_open(text: Any, said: str, desk: Desk) -> None:
    desk.approvals.attend()

    async def work() -> Call:
        task = asyncio.create_task(desk.bench().call("run_cell", {"code": "x = 1"}))
        while not desk.approvals.pending:
            await asyncio.sleep(0.01)
        with pytest.raises(NotEditable, match=said):
            desk.approvals.answer(None, True, text=text)
        with pytest.raises(NotEditable, match="a no takes no text"):
            desk.approvals.answer(None, False, text="x = 2")
        assert len(desk.approvals.pending) == 1
        desk.approvals.answer(None, True, text="x = 1")
        return await task

    assert asyncio.run(work()).status == "ok"
    with pytest.raises(UnknownApproval):
        desk.approvals.answer("a1", True, text="x")


def test_only_cells_must_be_python(desk: Desk) -> None:
    desk.person(lambda approval: "x = = 1")
    assert desk.call("write_file", path="a.txt", content="x").status == "ok"
    assert Path("a.txt").read_text() == "x = = 1"


def test_what_a_notebook_can_run_can_be_written(ipython: Any) -> None:
    space = ShellNamespace(ipython)
    for cell in ("!ls", "%time 1", "%%time\n1 +", "await x()", "x = !ls", "?int", "1;", "from math import *"):
        assert space.unreadable(cell) == "" and QuietNamespace(space, "").unreadable(cell) == "", cell
    assert "invalid syntax" in space.unreadable("x = = 1")
    assert PlainNamespace().unreadable("await x()") == "" and "line 2" in PlainNamespace().unreadable("1\n(")


def test_what_is_not_editable_is_not_edited(desk: Desk) -> None:
    desk.approvals.attend()

    async def work() -> bool:
        asking = asyncio.create_task(desk.bench().agree("replay", "steps", "x = 1"))
        while not desk.approvals.pending:
            await asyncio.sleep(0.01)
        with pytest.raises(NotEditable, match="as it is"):
            desk.approvals.answer(None, True, text="x = 2")
        desk.approvals.answer(None, True, text="x = 1")
        return (await asking).decision == "allow"

    assert asyncio.run(work())


def test_a_stop_ends_the_question(desk: Desk) -> None:
    desk.approvals.attend()

    async def work() -> Call:
        bench = desk.bench()
        task = asyncio.create_task(bench.call("run_cell", {"code": "x = 1"}))
        while not desk.approvals.pending:
            await asyncio.sleep(0.01)
        bench.stop()
        return await asyncio.wait_for(task, 5)

    assert asyncio.run(work()).verdict.rule == "stopping" and "x" not in desk.namespace.names


# -- what an edit stands for

PLAIN = st.one_of(st.integers(), st.booleans(), st.none(), st.text(max_size=20), st.lists(st.integers(), max_size=3))
NAMES = st.sampled_from(["n", "city", "values"])


@given(st.dictionaries(NAMES, PLAIN, max_size=3), st.text(st.characters(codec="utf-8", exclude_characters="\r")))
def test_a_cell_shown_and_given_back_is_the_same_cell(parameters: dict[str, Any], code: str) -> None:
    from llmos_nb.tools.cell import with_parameters

    shown = with_parameters(code, parameters)
    given = {"code": code, "parameters": parameters}
    again = as_edited("run_cell", given, shown)
    assert again["code"] == code and again.get("parameters", {}) == parameters


def test_parameters_stay_parameters_while_they_are_assigned_first() -> None:
    given = {"code": "print(n)", "parameters": {"n": 3}}
    assert as_edited("run_cell", given, "n = 5\nprint(n)") == {"code": "print(n)", "parameters": {"n": 5}}
    assert as_edited("run_cell", given, "print(7)") == {"code": "print(7)"}
    assert as_edited("run_cell", given, "n = len(df)\nprint(n)") == {"code": "n = len(df)\nprint(n)"}


def test_line_ends_stay_as_they_were() -> None:
    given = {"path": "a", "content": "one\r\ntwo\r\n"}
    assert as_edited("write_file", given, "one\n2\n")["content"] == "one\r\n2\r\n"
    assert as_edited("write_file", {"path": "a", "content": "one\ntwo"}, "one\r\n2")["content"] == "one\n2"
