"""A real Jupyter kernel: a plot is recorded where it was drawn, and replayed with the same outputs every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

RECORD = '''
from pathlib import Path
from llmos_nb.learning.record import recorded_steps
from llmos_nb.memory import Trace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.shell_namespace import ShellNamespace
from llmos_nb.tools.workbench import Workbench

bench = Workbench("r", namespace=ShellNamespace(get_ipython()), workspace=Path("workspace"), cwd=Path.cwd(),
                  grant=tuple(TOOLS), publish=lambda event: None)
code = """
import matplotlib.pyplot as plt
import pandas as pd
df = pd.DataFrame({"x": [1, 2, 3]})
print("before the plot")
fig, ax = plt.subplots(figsize=(2, 2))
ax.plot(df["x"]);
"""
await bench.call("run_cell", {"code": code})
await bench.call("run_cell", {"code": "print('after the plot')\\ndf"})
trace = llmos.traces.add(Trace(goal="Plot x", steps=recorded_steps(bench.calls), answer="A **rising** line.",
                               agent="generalist", cost_usd=0.02, simulated_cost=True))
[step.expect.outputs for step in trace.steps]
'''
GOAL = "%%llmos --mode follower --out result\nPlot x"


def execute(folder: Path, *cells: str) -> list[list[Any]]:
    """Run a notebook in a kernel of its own; returns the outputs of each cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> list[list[list[Any]]]:
    """Two kernels: one that records and replays, one that only replays."""
    folder = tmp_path_factory.mktemp("notebook")
    tail = (GOAL, "(result.status, result.mode, result.stale, list(df), plt.get_fignums())", "%budget")
    first = execute(
        folder, "%load_ext llmos_nb", "%matplotlib inline", RECORD, "%reset_selective -f ^(df|fig|ax|plt|pd)$", *tail
    )
    return [first, execute(folder, "%load_ext llmos_nb", "%matplotlib inline", *tail)]


def kinds(outputs: list[Any]) -> list[str]:
    return [output.name if output.output_type == "stream" else output.output_type for output in outputs]


def test_figures_are_recorded_in_the_step_that_drew_them(notebooks: list[list[list[Any]]]) -> None:
    recording = notebooks[0][2]
    assert recording[-1].data["text/plain"] == "[('stream', 'image/png'), ('stream', 'text/html')]"
    assert kinds(recording) == ["stdout", "display_data", "stdout", "display_data", "execute_result"]


@pytest.mark.parametrize("which", [0, 1])
def test_a_replay_shows_everything_in_place_and_one_result_last(which: int, notebooks: list[list[list[Any]]]) -> None:
    goal, facts = notebooks[which][-3], notebooks[which][-2]
    live, printed, plot, printed_later, table, result = goal
    assert live.output_type == "display_data" and set(live.data.values()) == {""}
    assert (printed.text, printed_later.text) == ("before the plot\n", "after the plot\n")
    assert "image/png" in plot.data and "<table" in table.data["text/html"]
    assert result.output_type == "execute_result"
    assert "A **rising** line." in result.data["text/plain"] and "replayed, verified" in result.data["text/html"]
    assert facts[0].data["text/plain"] == "('success', 'follower', False, ['x'], [])"


def test_the_outputs_of_a_goal_are_the_same_in_every_kernel(notebooks: list[list[list[Any]]]) -> None:
    def plain(outputs: list[Any]) -> list[Any]:
        return [{key: value for key, value in output.items() if key != "execution_count"} for output in outputs]

    assert plain(notebooks[0][-3]) == plain(notebooks[1][-3])


def test_what_a_replay_saved_is_in_the_budget(notebooks: list[list[list[Any]]]) -> None:
    assert ["$0.02" in notebooks[0][-1][0].data["text/plain"], "$0.04" in notebooks[1][-1][0].data["text/plain"]] == [
        True,
        True,
    ]
