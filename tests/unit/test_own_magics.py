"""``%context`` and ``%llmos_code`` in a real shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorded import record

from llmos_nb.errors import SettingsError, UnknownTrace


def test_the_context_is_shown_with_and_without_a_goal(shell: Any) -> None:
    shell.run_cell("table = [1, 2, 3]")
    plain = shell.run_line_magic("context", "")
    assert "table: list, length 3" in plain.part("namespace").text and plain.goal == ""
    found = shell.run_line_magic("context", "--agent writer What is in {table}?")
    assert (found.agent, found.goal) == ("writer", "What is in {table}?")
    assert shell.run_cell_magic("context", "", "Two\nlines").goal == "Two\nlines"
    with pytest.raises(SettingsError, match="No agent was asked"):
        shell.run_line_magic("context", "last")
    with pytest.raises(SettingsError, match="--agnet"):
        shell.run_line_magic("context", "--agnet writer")


def test_the_code_of_a_run_is_put_into_the_next_cell(shell: Any) -> None:
    record("Say hello", "print('hello')")
    with pytest.raises(UnknownTrace, match="left a trace"):
        shell.run_line_magic("llmos_code", "")
    trace = shell.user_ns["llmos"].traces.rows()[0]["id"]
    said: list[str] = []
    shell.magics_manager.magics["line"]["llmos_code"].__self__._next_cell = said.append
    assert "next cell" in str(shell.run_line_magic("llmos_code", trace))
    assert said == ["# Say hello\n\nprint('hello')\n"]
    assert (
        "mine.ipynb" in str(shell.run_line_magic("llmos_code", f"{trace} mine.ipynb")) and Path("mine.ipynb").exists()
    )
