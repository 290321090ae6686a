"""A run in Notebook 7, the classic notebook's heir: seen, stopped by its view's button and by the notebook's own, and back
after the page was reloaded."""

from __future__ import annotations

import os
from typing import Any

import pytest
from frontend import begin_with, gone, picture, put, shown

pytestmark = pytest.mark.browser

SCRIPTS = {
    "wait": (
        "---\ngoal: Compute for {seconds:int} seconds\n---\n## Turn 1\n\n### run_cell\n\n"
        "```python\nimport time\ntime.sleep({{seconds}})\n```\n\n## Answer\n\nDone.\n"
    ),
    "long": (
        "---\ngoal: Tell me of {what:word} at length\ndelta_delay_s: 0.05\n---\n## Turn 1\n\n### run_cell\n\n"
        "```python\nprint('looked')\n```\n\n## Answer\n\n### What I found\n\n" + "Some words of it. " * 300
    ),
}
VIEW = ".llmos-run"
IDLE = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'


def run(page: Any, cell: Any) -> None:
    """Run a cell, as a person at the keyboard does."""
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def ready(page: Any) -> None:
    page.locator(IDLE).wait_for(timeout=60_000)
    page.wait_for_timeout(1000)  # the page says idle a moment before it takes keys


def test_a_run_is_seen_stopped_and_back_after_a_reload(page: Any, lab: str) -> None:
    goal, talk = "%%llmos\nCompute for 60 seconds", "%%llmos\nTell me of seals at length"
    put(lab, "notebooks/classic.ipynb", (begin_with(SCRIPTS), goal, goal, talk, "print(6 * 7, 'the next')"))
    page.goto(f"{lab}/notebooks/notebooks/classic.ipynb")
    page.on("dialog", lambda dialog: dialog.accept())
    cells = page.locator(".jp-CodeCell")
    ready(page)
    run(page, cells.nth(0))
    shown(page.get_by_text("ready", exact=True), timeout=60_000)
    view = page.locator(VIEW)
    buttons = (
        view.get_by_role("button", name="Stop"),
        page.locator('[data-jp-item-name="interrupt"] >> css=button, jp-button').first,
    )
    for cell, button in zip((cells.nth(1), cells.nth(2)), buttons, strict=True):
        run(page, cell)
        view.locator('.llmos-call[data-status="running"]').wait_for(timeout=60_000)
        picture(page, "notebook7")
        button.click()
        page.wait_for_selector(VIEW, state="detached", timeout=10_000)
        shown(cell.get_by_text("stopped", exact=True), timeout=10_000)
        page.locator(IDLE).wait_for(timeout=10_000)

    if os.environ.get("KERNEL_PYTHON"):
        return  # kernels before ipykernel 7.4 hear a page that came back when the cell is over: it gets the result
    page.keyboard.press("Control+s")
    run(page, cells.nth(3))
    shown(view.get_by_role("heading", name="What I found"), timeout=60_000)
    page.reload()
    shown(view.get_by_role("heading", name="What I found"), timeout=30_000)
    before = len(view.inner_text())
    page.wait_for_timeout(500)
    assert len(view.inner_text()) > before, "it goes on where it is"
    picture(page, "notebook7-reloaded")
    view.get_by_role("button", name="Stop").click()
    shown(cells.nth(3).get_by_text("stopped by a person"), timeout=10_000)
    shown(cells.nth(3).get_by_text("looked", exact=True))
    gone(view)
    ready(page)
    run(page, cells.nth(4))
    shown(page.get_by_text("42 the next", exact=True), timeout=20_000)
