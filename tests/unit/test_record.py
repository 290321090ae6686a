"""Calls become steps: which of them a replay runs, what it depends on, and where it was made."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.guard.verdict import ALLOWED, Verdict
from llmos_nb.learning import record
from llmos_nb.learning.record import environment_of, input_digests, recorded_steps
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call

OK = ToolResult(text="fine")


def made(tool: str, result: ToolResult | None = OK, **arguments: Any) -> Call:
    verdict = ALLOWED if result is not None else Verdict("deny", "rule", "because")
    return Call(1, tool, arguments, verdict, result, 0.123456)


def test_a_call_that_worked_is_replayed_with_what_it_did() -> None:
    (step,) = recorded_steps(
        [made("run_cell", ToolResult(text="1", defines={"x": "int"}, files=("a",)), code="x = 1")]
    )
    assert (step.tool, step.arguments, step.output, step.duration_s) == ("run_cell", {"code": "x = 1"}, "1", 0.1235)
    assert step.expect.replay and step.expect.defines == {"x": "int"} and step.expect.files == ("a",)
    assert step.expect.digest


@pytest.mark.parametrize(
    ("did", "replayed"),
    [({}, False), ({"defines": {"x": "int"}}, True), ({"files": ("a",)}, True), ({"deletes": ("x",)}, True)],
)
def test_a_call_that_failed_is_replayed_only_if_it_changed_something(did: dict[str, Any], replayed: bool) -> None:
    (step,) = recorded_steps([made("run_cell", ToolResult(text="no", error="KeyError", **did), code="...")])
    assert step.expect.replay is replayed
    assert (step.expect.status, step.expect.error) == ("error", "KeyError")


def test_a_denied_call_is_kept_with_the_reason_and_never_replayed() -> None:
    (step,) = recorded_steps([made("run_shell", None, command="rm -rf /")])
    assert not step.expect.replay and step.expect.error == "denied" and step.output == "because"


@pytest.mark.parametrize(
    ("tool", "arguments", "ours", "expected"),
    [
        ("Bash", {"command": "ls", "description": "list"}, "run_shell", {"command": "ls"}),
        ("Write", {"file_path": "a", "content": "x"}, "write_file", {"path": "a", "content": "x"}),
        ("Edit", {"file_path": "a", "old_string": "x", "new_string": "y"}, "edit_file",
         {"path": "a", "old": "x", "new": "y"}),
        ("Read", {"file_path": "a", "offset": 2, "limit": 3}, "read_file", {"path": "a", "first_line": 2, "lines": 3}),
    ],
)  # fmt: skip
def test_claude_codes_own_tools_become_ours_but_prove_nothing(
    tool: str, arguments: dict[str, Any], ours: str, expected: dict[str, Any]
) -> None:
    (step,) = recorded_steps([made(tool, **arguments)])
    assert (step.tool, step.arguments) == (ours, expected)
    assert step.expect.replay and step.expect.digest == ""
    (failed,) = recorded_steps([made(tool, ToolResult(text="", error="failed"), **arguments)])
    assert not failed.expect.replay


def test_an_edit_of_all_places_cannot_be_repeated_by_an_edit_of_one() -> None:
    (step,) = recorded_steps([made("Edit", file_path="a", old_string="x", new_string="y", replace_all=True)])
    assert not step.expect.replay


@pytest.mark.parametrize("tool", ["WebSearch", "WebFetch", "mcp__other__tool", "Task"])
def test_an_answer_that_rests_on_what_cannot_be_repeated_is_not_replayed(tool: str) -> None:
    steps = recorded_steps([made("run_cell", code="x = 1"), made(tool, query="q")])
    assert not any(step.expect.replay for step in steps)


def test_a_note_to_itself_does_not_keep_a_run_from_being_replayed() -> None:
    steps = recorded_steps([made("run_cell", code="x = 1"), made("TodoWrite", todos=[])])
    assert [step.expect.replay for step in steps] == [True, False]


def test_a_denied_tool_of_any_name_does_not_keep_a_run_from_being_replayed() -> None:
    steps = recorded_steps([made("WebSearch", None), made("run_cell", code="x = 1")])
    assert [step.expect.replay for step in steps] == [False, True]


def test_inputs_are_files_that_were_read_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "DIGEST_LIMIT", 10)
    (tmp_path / "in.csv").write_text("a,b")
    (tmp_path / "made.csv").write_text("x")
    (tmp_path / "large.csv").write_text("x" * 11)
    calls = [
        made("run_cell", ToolResult(text="", reads=("in.csv", "large.csv", "gone.csv"), files=("made.csv",))),
        made("run_cell", ToolResult(text="", reads=("made.csv",))),
        made("run_cell", None),
    ]
    assert input_digests(calls, tmp_path) == {"in.csv": hashlib.sha256(b"a,b").hexdigest()[:16], "large.csv": ""}


def test_the_environment_names_what_the_code_imports() -> None:
    code = "import pandas as pd, os.path\nfrom numpy.linalg import norm\nfrom . import x\nimport not_a_package"
    calls = [
        made("run_cell", code=code),
        made("run_cell", code="%magic\nimport sqlalchemy"),
        made("run_shell", command="x"),
    ]
    environment = environment_of(calls)
    assert environment["python"] == platform.python_version() and environment["llmos_nb"]
    assert sorted(environment["packages"]) == ["numpy", "pandas", "sqlalchemy"]
