"""The first notebook in a real JupyterLab, and a person who is asked there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frontend import BEGIN, command, gone, picture, shown

pytestmark = pytest.mark.browser


def test_the_first_notebook_runs_and_shows_its_answers(open_notebook: Callable[[str], Any]) -> None:
    page = open_notebook("01_first_steps.ipynb")
    command(page, "notebook:clear-all-cell-outputs")
    page.wait_for_selector(".jp-OutputArea-output", state="detached")
    command(page, "notebook:run-all-cells")

    # While the first goal works, its view is there: mode, tool calls, cost.
    status = page.locator(".llmos-run").first
    status.wait_for(timeout=60_000)
    seen: set[str] = set()
    learned = page.get_by_text("learned", exact=True)
    deadline = time.monotonic() + 120
    while not learned.count() and time.monotonic() < deadline:
        if status.count():
            seen.add(str(status.text_content()))
        page.wait_for_timeout(50)
    assert any("run_cell" in text and "play money" in text for text in seen), seen

    shown(page.get_by_text("guided by a trace", exact=True), timeout=120_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)
    labels = ("learned", "replayed, verified", "replayed, new outputs", "guided by a trace")
    kept = page.evaluate("() => JSON.stringify(window.jupyterapp.shell.currentWidget.context.model.toJSON().cells)")
    assert {label: kept.count(f'"llmos · {label} · ') for label in labels} == dict.fromkeys(labels, 1)
    assert page.locator(".jp-OutputArea img").count() == 5, "a plot for each goal, and the one of costs"
    assert page.locator('.jp-RenderedText[data-mime-type*="error"]').count() == 0
    gone(page.locator(".llmos-run"))  # live views are emptied at the end
    if target := os.environ.get("SCREENSHOTS"):
        take_pictures(page, Path(target))


#: A person is asked twice; the second time about the agent that the first answer let be made, or not.
ASKING = (
    f"{BEGIN}\nllmos.configure(agent_changes='ask')",
    "made = await llmos.execute('Create a haiku-poet agent that writes beautiful haikus')\nmade.status",
    "better = await llmos.execute('Improve the haiku-poet')\nprint(better.status, better.reason)",
)


def test_a_person_approves_and_denies_in_the_notebook(open_cells: Callable[..., Any]) -> None:
    page = open_cells(*ASKING)
    command(page, "notebook:run-all-cells")

    question = page.locator('[role="alertdialog"]')
    question.wait_for(timeout=90_000)
    assert "generalist asks for create_agent" in question.inner_text()
    assert "+You are haiku-poet" in question.inner_text(), "what would be written is shown"
    picture(page, "asked")
    page.get_by_role("button", name="Approve").click()
    shown(page.get_by_text("'success'", exact=True), timeout=60_000)

    question.filter(has_text="generalist asks for modify_agent").wait_for(timeout=60_000)
    page.get_by_role("button", name="Deny").click()
    shown(page.get_by_text("(a person said no)"), timeout=60_000)
    gone(question)
    gone(page.get_by_role("button", name="Approve"))  # answered: taken away
    assert page.locator('.jp-RenderedText[data-mime-type*="error"]').count() == 0


def take_pictures(page: Any, folder: Path) -> None:
    """Screenshots for people to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = page.locator(".jp-CodeCell")
    for number in range(cells.count()):
        cells.nth(number).scroll_into_view_if_needed()
        page.wait_for_timeout(100)
        cells.nth(number).screenshot(path=str(folder / f"cell-{number:02}.png"))
    page.screenshot(path=str(folder / "page.png"))
