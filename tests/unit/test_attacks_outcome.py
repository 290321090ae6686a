"""Failures that look like success, searches that get around the guard, and a state database that is busy."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.guard.policy import check_tool
from llmos_nb.kernel.state import open_state
from llmos_nb.tools.shell_namespace import ShellNamespace


@pytest.mark.parametrize("tool", ["Grep", "Glob"])
def test_a_search_may_not_go_where_reading_may_not(tool: str, tmp_path: Path) -> None:
    def decision(**arguments: Any) -> str:
        given = {"pattern": "x", **arguments}
        return check_tool(tool, given, grant=(tool,), cwd=tmp_path, workspace=tmp_path / "workspace").decision

    assert decision() == decision(path=str(tmp_path)) == decision(path=".") == "allow"
    assert decision(path="~/.ssh") == decision(path="/etc/shadow") == decision(path=["~/.ssh"]) == "deny"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("!exit 3", "exit code 3"),
        ("x = 1\n!false", "exit code 1"),
        ("!true", ""),
        ("!false\nx = 1", ""),  # what comes after it worked
        ("!false\n!true", ""),
        ("x = 1", ""),
    ],
)
def test_a_cell_that_ends_in_a_command_ends_as_the_command_did(code: str, error: str, ipython: Any) -> None:
    result = asyncio.run(ShellNamespace(ipython).run_cell(code))
    assert result.error == error, result.traceback


def test_a_database_that_another_kernel_is_just_opening_is_waited_for(tmp_path: Path) -> None:
    """Turning the write-ahead log on is refused at once while another connection writes, whatever the time-out."""
    path = tmp_path / "state.db"
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("create table t(x)")
        timer = threading.Timer(0.3, other.execute, ("COMMIT",))
        timer.start()
        open_state(path).dispose()
        timer.join()
