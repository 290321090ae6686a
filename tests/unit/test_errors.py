"""Errors in a cell: two lines, the whole traceback when it is asked for, and a next step in each of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import llmos_nb
from llmos_nb import errors
from llmos_nb.errors import LlmosError

PACKAGE = Path(llmos_nb.__file__).parent
FAIL = "from llmos_nb.errors import LlmosError\ndef deep():\n    raise LlmosError('It broke.', remedy='Mend it.')\n"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", "".join(capsys.readouterr()))


def test_a_cell_shows_two_lines_and_tb_shows_all(ipython: Any, capsys: pytest.CaptureFixture[str]) -> None:
    done = ipython.run_cell(f"{FAIL}deep()")
    assert isinstance(done.error_in_exec, LlmosError)
    assert said(capsys).strip() == "LlmosError: It broke.\n  -> Mend it."
    ipython.run_cell("%tb")
    whole = said(capsys)
    assert "Traceback (most recent call last)" in whole and "in deep()" in whole
    assert whole.strip().endswith("LlmosError: It broke. Mend it.")
    ipython.run_cell("%tb Minimal")
    assert "Traceback" not in said(capsys)


def test_a_cell_that_awaits_shows_two_lines(ipython: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ipython.run_cell(f"{FAIL}async def later():\n    deep()\nawait later()")
    assert said(capsys).strip() == "LlmosError: It broke.\n  -> Mend it."


def test_the_handler_of_the_user_goes_before(ipython: Any, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def own(shell: Any, kind: Any, value: Any, tb: Any, tb_offset: Any = None) -> None:
        seen.append(str(value))

    ipython.set_custom_exc((LlmosError,), own)
    try:
        ipython.run_cell(f"{FAIL}deep()")
    finally:
        ipython.set_custom_exc((), None)
    assert seen == ["It broke. Mend it."] and said(capsys) == ""


def test_an_error_that_other_errors_follow_is_a_traceback_as_usual(
    ipython: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ipython.run_cell(f"{FAIL}try:\n    deep()\nexcept LlmosError:\n    1 / 0")
    whole = said(capsys)
    assert "ZeroDivisionError" in whole and "It broke. Mend it." in whole


#: Refusals that are a step's reason and never reach a person alone, with what a person does about them told there.
_INNER = {"NotCrystallizable"}
#: Errors that say by themselves what to do.
_THEMSELVES = {"GuardFileError"}
_ALLOWED = {
    "crystals/crystal.py": 3,  # why a crystal does not serve a goal: the goal goes to the trace or the agent
    "crystals/offered.py": 2,  # told to the agent
    "crystals/shelf.py": 3,  # why no crystal was made
    "cortex/scripted/faults.py": 1,  # for tests of the endpoint
    "notebook/explorers/explorer.py": 6,  # told to the page's own program
    "frames/rows.py": 1,  # the error of an agent's file, which says what to do
}


def test_every_error_that_a_person_meets_says_what_to_do() -> None:
    names = (
        {
            name
            for name in dir(errors)
            if isinstance(getattr(errors, name), type) and issubclass(getattr(errors, name), LlmosError)
        }
        - _INNER
        - _THEMSELVES
    )
    found: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in names
                and not any(keyword.arg == "remedy" for keyword in node.keywords)
            ):
                where = path.relative_to(PACKAGE).as_posix()
                found.setdefault(where, []).append(f"{where}:{node.lineno}: {ast.unparse(node)[:100]}")
    for where, lines in found.items():
        assert len(lines) <= _ALLOWED.get(where, 0), "\n".join(lines)
