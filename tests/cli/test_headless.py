"""Notebooks that run by themselves: nbclient executes them, a failed goal fails the cell, and nobody is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[2]
COUNT = "How many rows does penguins.csv have?"
MAKE = "Create a haiku-poet agent that writes beautiful haikus"


def executed(place: Path, *cells: str, allow_errors: bool = True) -> list[Any]:
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        document, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(place)}},
        allow_errors=allow_errors, extra_arguments=["--IPKernelApp.log_level=40"],
    )  # fmt: skip
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    return list(document.cells)


def shown(cell: Any) -> str:
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs
    )


def errors(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if output.output_type == "error"]


def test_a_notebook_runs_by_itself_and_what_would_be_asked_is_refused(playground: Path) -> None:
    cells = executed(
        playground,
        "%load_ext llmos_nb",
        f"%%time\n%%llmos\n{COUNT}",
        f"%%capture kept\n%llmos {COUNT}",
        "print(kept.stdout)",
        "llmos.configure(agent_changes='ask');",
        f"%llmos {MAKE}",
        "%llmos --mood x y",
        "%tb",
        "llmos.configure(agent_changes='allow');",
        f"%llmos {MAKE}",
        "[agent.name for agent in llmos.agents.list() if agent.name == 'haiku-poet']",
    )
    assert not any(errors(cell) for cell in (*cells[:5], cells[8], cells[9], cells[10]))
    assert "Wall time" in shown(cells[1]) and "344 rows" in shown(cells[1])
    assert "rows: 344" in shown(cells[3]) and not cells[2].outputs
    (denied,) = errors(cells[5])
    assert denied.ename == "RunFailed" and "nobody was there to approve it" in "\n".join(denied.traceback)
    assert "Run it where you can answer" in "\n".join(denied.traceback)
    (short,), (whole,) = errors(cells[6]), errors(cells[7])
    assert short.traceback == ["SettingsError: %%llmos has no option --mood.", "  -> Did you mean --mode?"]
    assert "Traceback (most recent call last)" in "".join(whole.traceback) and "parse" in "".join(whole.traceback)
    assert shown(cells[10]) == "['haiku-poet']"


def test_a_goal_that_fails_fails_the_notebook(playground: Path) -> None:
    with pytest.raises(CellExecutionError, match="RunFailed: the goal ended in failed") as raised:
        executed(playground, "%load_ext llmos_nb", "%llmos Frobnicate the whatsit", "1 / 0", allow_errors=False)
    assert len(str(raised.value).splitlines()) < 60 and "ZeroDivision" not in str(raised.value)
