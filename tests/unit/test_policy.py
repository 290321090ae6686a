"""One question for every tool call: is it granted, does the guard agree, and if it asks, does a person?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmos_nb.guard.policy import BUILT_IN_TOOLS, check_tool
from llmos_nb.guard.verdict import Verdict
from llmos_nb.tools.registry import KERNEL_TOOLS


def check(tool: str, arguments: dict[str, Any], cwd: Path, **options: Any) -> Verdict:
    options.setdefault("grant", (tool,))
    return check_tool(tool, arguments, cwd=cwd, workspace=cwd / "workspace", **options)


@pytest.mark.parametrize("tool", ["run_cell", "Bash", "WebSearch"])
def test_what_was_not_granted_is_denied_whatever_it_is(tool: str, tmp_path: Path) -> None:
    verdict = check(tool, {"code": "1", "command": "true"}, tmp_path, grant=("inspect",))
    assert (verdict.decision, verdict.rule) == ("deny", "not-granted")


def test_a_granted_tool_without_a_rule_is_denied(tmp_path: Path) -> None:
    verdict = check("mcp__other__delete", {}, tmp_path)
    assert (verdict.decision, verdict.rule) == ("deny", "unknown-tool")


def test_every_tool_has_a_rule(tmp_path: Path) -> None:
    for tool in (*KERNEL_TOOLS, *BUILT_IN_TOOLS):
        assert check(tool, {}, tmp_path).rule != "unknown-tool"


@pytest.mark.parametrize(
    "tool", ["read_file", "write_file", "edit_file", "Read", "Write", "Edit", "MultiEdit", "NotebookEdit"]
)
@pytest.mark.parametrize("path", [None, 5, ["a"], "", {}])
def test_a_file_tool_must_name_a_file(tool: str, path: Any, tmp_path: Path) -> None:
    for name in ("path", "file_path", "notebook_path"):
        assert check(tool, {name: path}, tmp_path).decision == "deny"


@pytest.mark.parametrize("tool", ["write_file", "edit_file", "Write", "Edit", "MultiEdit", "NotebookEdit"])
def test_writing_is_confined_by_whatever_name_the_path_has(tool: str, tmp_path: Path) -> None:
    cwd = tmp_path / "project"
    cwd.mkdir()
    for name in ("path", "file_path", "notebook_path"):
        assert check(tool, {name: "inside.txt"}, cwd).decision == "allow"
        assert check(tool, {name: "../outside.txt"}, cwd).decision == "deny"
        assert check(tool, {name: str(tmp_path / "outside.txt")}, cwd).decision == "deny"


def test_a_call_with_two_paths_is_not_judged_by_the_harmless_one(tmp_path: Path) -> None:
    cwd = tmp_path / "project"
    cwd.mkdir()
    for tool in ("Write", "write_file"):
        assert check(tool, {"path": "inside.txt", "file_path": "../outside.txt"}, cwd).decision == "deny"
        assert check(tool, {"path": "../outside.txt", "file_path": "inside.txt"}, cwd).decision == "deny"


def test_what_would_be_asked_is_denied_where_nobody_is_there(tmp_path: Path) -> None:
    verdict = check("run_shell", {"command": "$WHATEVER"}, tmp_path)
    assert verdict.decision == "deny" and "nobody was there" in verdict.reason


def test_a_person_decides_what_is_asked_and_nothing_else(tmp_path: Path) -> None:
    asked: list[Verdict] = []

    def yes(verdict: Verdict) -> bool:
        asked.append(verdict)
        return True

    def no(verdict: Verdict) -> bool:
        return False

    assert check("run_shell", {"command": "$WHATEVER"}, tmp_path, ask=yes).decision == "allow"
    assert check("run_shell", {"command": "$WHATEVER"}, tmp_path, ask=no).decision == "deny"
    assert check("run_shell", {"command": "true"}, tmp_path, ask=yes).decision == "allow"
    assert check("run_shell", {"command": "rm -rf /"}, tmp_path, ask=yes).decision == "deny"
    assert [verdict.decision for verdict in asked] == ["ask"]


def test_shell_and_python_are_judged_by_their_own_rules(tmp_path: Path) -> None:
    for tool in ("run_shell", "Bash"):
        assert check(tool, {"command": "echo hi"}, tmp_path).decision == "allow"
        assert check(tool, {"command": "rm -rf ~"}, tmp_path).decision == "deny"
    assert check("run_cell", {"code": "x = 1"}, tmp_path).decision == "allow"
    assert check("run_cell", {"code": "import shutil; shutil.rmtree('/')"}, tmp_path).decision == "deny"
    assert check("inspect", {}, tmp_path).decision == "allow"
