"""A goal in the background, and the kernel's own stop button, in a real JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from frontend import begin_with, gone, picture, run_cell, shown

pytestmark = pytest.mark.browser

SCRIPTS = {
    "talk": "---\ngoal: Tell me of {what:word} at length\ndelta_delay_s: 0.05\n---\n## Turn 1\n\n### run_cell\n\n"
    "```python\nprint('looked')\nfound = 7\n```\n\n## Answer\n\n### What I found\n\n"
    + "Some words of it. " * 50
    + "\n",
    "wait": "---\ngoal: Compute for a minute\n---\n## Turn 1\n\n### run_cell\n\n"
    "```python\nimport time\ntime.sleep(60)\n```\n\n## Answer\n\nDone.\n",
}
BEGUN = begin_with(SCRIPTS)
VIEW = ".llmos-run"


def test_other_cells_run_while_a_goal_is_worked_on(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        BEGUN,
        "%%llmos --background --out told\nTell me of penguins at length",
        "print(llmos.runs['b1'].status, sum(range(10)))",
        "print(told.status, found, told.outputs[0].text)",
        "%%llmos --background\nTell me of seals at length",
    )
    shown(run_cell(page, 0).get_by_text("ready"), timeout=60_000)
    cell = run_cell(page, 1)
    view = cell.locator(VIEW)
    view.wait_for(timeout=60_000)
    shown(view.get_by_role("heading", name="What I found"), timeout=60_000)
    shown(run_cell(page, 2).get_by_text("running 45"), timeout=20_000)
    picture(page, "background-works")
    assert view.is_visible(), "it goes on in its own cell"
    shown(cell.get_by_text("learned", exact=True), timeout=60_000)
    assert "background run b1" in cell.inner_text() and "looked" in cell.inner_text()
    gone(cell.locator(VIEW))
    shown(run_cell(page, 3).get_by_text("success 7 looked"), timeout=20_000)
    picture(page, "background-ended")

    stopping = run_cell(page, 4)
    shown(stopping.locator(VIEW).get_by_role("heading", name="What I found"), timeout=60_000)
    stopping.get_by_role("button", name="Stop").click()
    shown(stopping.get_by_text("stopped by a person"), timeout=5_000)


def test_the_kernels_stop_button_ends_a_goal(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        BEGUN,
        "%%llmos\nCompute for a minute",
        "%%llmos\nTell me of whales at length",
        "print(6 * 7, 'the next')",
    )
    shown(run_cell(page, 0).get_by_text("ready"), timeout=60_000)
    for number, sign in ((1, '.llmos-call[data-status="running"]'), (2, "h3")):
        cell = run_cell(page, number)
        cell.locator(f"{VIEW} {sign}").first.wait_for(timeout=60_000)
        page.locator('[data-command="notebook:interrupt-kernel"], [data-jp-item-name="interrupt"]').first.click()
        page.wait_for_selector(VIEW, state="detached", timeout=5_000)
        shown(cell.get_by_text("stopped"), timeout=5_000)
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=10_000)
        page.wait_for_timeout(500)  # an error takes with it what was asked to run before the page knew of it
    shown(run_cell(page, 3).get_by_text("42 the next"), timeout=20_000)
