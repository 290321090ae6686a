"""A page that is reloaded, or closed, while a goal is worked on gets its view back, and its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from frontend import begin_with, command, gone, picture, run_cell, shown

pytestmark = pytest.mark.browser

SCRIPT = (
    "---\ngoal: Tell me of {what:word} at length\ndelta_delay_s: 0.05\n---\n## Turn 1\n\n### run_cell\n\n"
    "```python\nprint('looked')\nfound = 7\n```\n\n## Answer\n\n### What I found\n\n"
)
SCRIPTS = {
    "long": SCRIPT + "Some words of it. " * 300,
    "short": SCRIPT.replace("length", "once") + "Some words. " * 30,
}
BEGUN = begin_with(SCRIPTS)
VIEW = ".llmos-run"


def test_a_reloaded_page_gets_the_view_back_and_the_result(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        BEGUN,
        "%%llmos\nTell me of penguins at length",
        "%%llmos\nTell me of seals at once",
        "%llmos_last",
        "print(llmos.last.status, found)",
    )
    page.on("dialog", lambda dialog: dialog.accept())
    shown(run_cell(page, 0).get_by_text("ready"), timeout=60_000)
    shown(run_cell(page, 1).locator(VIEW).get_by_role("heading", name="What I found"), timeout=60_000)
    page.reload()
    cell = page.locator(".jp-CodeCell").nth(1)
    view = cell.locator(VIEW)
    shown(view.get_by_role("heading", name="What I found"), timeout=30_000)
    before = len(view.inner_text())
    page.wait_for_timeout(500)
    assert len(view.inner_text()) > before, "it goes on where it is"
    picture(page, "reloaded")
    view.get_by_role("button", name="Stop").click()
    shown(cell.get_by_text("stopped by a person"), timeout=10_000)
    assert cell.get_by_text("looked", exact=True).count(), "what the goal's cells showed is there, too"
    gone(cell.locator(VIEW))
    picture(page, "reloaded-ended")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=10_000)

    address = page.url
    shown(run_cell(page, 2).locator(VIEW).get_by_role("heading", name="What I found"), timeout=60_000)
    command(page, "docmanager:save")
    page.wait_for_timeout(500)
    page.goto("about:blank")  # nobody looks when it ends
    page.wait_for_timeout(4_500)
    page.goto(address.partition("?")[0])
    page.wait_for_function(  # in the notebook itself: cells that are out of sight are not on the page
        "() => { const model = window.jupyterapp?.shell.currentWidget?.context?.model; "
        "const told = JSON.stringify(model?.toJSON().cells[2]?.outputs ?? []); "
        "return told.includes('learned') && told.includes('looked') && !told.includes('widget-view'); }",
        timeout=60_000,
    )
    shown(run_cell(page, 4).get_by_text("success 7"), timeout=20_000)
    last = run_cell(page, 3)
    shown(last.get_by_text("learned", exact=True), timeout=20_000)
    assert last.get_by_text("looked", exact=True).count()
    assert not page.get_by_text("The page was closed or reloaded").count(), "it has it already"


def test_a_page_that_lost_the_cell_is_told_where_the_result_is(open_cells: Callable[..., Any]) -> None:
    page = open_cells(BEGUN, "%%llmos\nTell me of whales at once", "print(6 * 7)")
    page.on("dialog", lambda dialog: dialog.accept())
    shown(run_cell(page, 0).get_by_text("ready"), timeout=60_000)
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.model.sharedModel.getCell(1)"
        ".setSource('%%llmos --out told\\nTell me of whales at once')"
    )  # and is not saved
    shown(run_cell(page, 1).locator(VIEW).get_by_role("heading", name="What I found"), timeout=60_000)
    page.reload()
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=30_000)
    page.wait_for_timeout(5_000)
    cell = run_cell(page, 2)
    shown(cell.get_by_text("The page was closed or reloaded"), timeout=20_000)
    assert "%llmos_last" in cell.inner_text()
    picture(page, "reloaded-lost")
