"""A run on the page: seen before its end, stopped, asked about, and gone without a trace when it is over."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from frontend import BEGIN, begin_with, command, picture, run_cell, shown, themed

pytestmark = pytest.mark.browser

#: Scripts of these tests, written where the workspace has its own.
SCRIPTS = {
    "talk": (
        "---\ngoal: Tell me of {what:word} at length\ndelta_delay_s: 0.05\n---\n## Turn 1\n\nI look **closely** first.\n\n"
        "### run_cell\n\n```python\nprint('looked')\n```\n\n## Turn 2\n\n### run_cell\n\n```python\n1 / 0\n```\n\n"
        "## On error\n\nThat failed; I go on.\n\n### run_cell\n\n```python\nprint('went on')\n```\n\n"
        "## Answer\n\n### What I found\n\n" + "Penguins are **birds** that swim. " * 20 + "\n"
    ),
    "wait": (
        "---\ngoal: Compute for {seconds:int} seconds\n---\n## Turn 1\n\n### run_cell\n\n"
        "```python\nimport time\ntime.sleep({{seconds}})\n```\n\n## Answer\n\nDone.\n"
    ),
    "open": (
        "---\ngoal: Open the file\n---\n## Turn 1\n\n### run_shell\n\n```\nchmod 777 seen.txt\n```\n\n"
        "## Answer\n\nOpen.\n"
    ),
}
BEGUN = begin_with(SCRIPTS)
VIEW = ".llmos-run"


def view_of(page: Any) -> Any:
    view = page.locator(VIEW)
    view.wait_for(timeout=90_000)
    return view


def ended(page: Any) -> None:
    """Waits until the view is gone and all that the cell had to say is on the page."""
    page.wait_for_selector(VIEW, state="detached", timeout=60_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)


def outputs(page: Any, cell: int) -> list[dict[str, Any]]:
    """The outputs of a cell as the notebook would save them."""
    found: list[dict[str, Any]] = page.evaluate(
        "cell => window.jupyterapp.shell.currentWidget.context.model.toJSON().cells[cell].outputs", cell
    )
    return found


def test_a_run_is_seen_while_it_works_and_leaves_one_result(open_cells: Callable[..., Any]) -> None:
    page = open_cells(BEGUN, "%%llmos\nTell me of penguins at length")
    command(page, "notebook:run-all-cells")
    view = view_of(page)
    assert view.get_by_role("button", name="Stop").is_enabled()
    picture(page, "run-view-begins")
    view.locator(".llmos-markdown strong", has_text="closely").wait_for(timeout=60_000)
    view.locator('.llmos-call[data-status="ok"]').first.wait_for(timeout=60_000)
    failed = view.locator('.llmos-call[data-status="error"]')
    failed.wait_for(timeout=60_000)
    assert "ZeroDivisionError" in failed.locator(".llmos-error").inner_text(), "an error is open"
    view.locator(".llmos-markdown h3", has_text="What I found").wait_for(timeout=60_000)
    first = len(view.inner_text())
    page.wait_for_timeout(400)
    assert len(view.inner_text()) > first, "the answer grows while it streams"
    view.get_by_role("button", name="learning").hover()
    assert "Mode learner" in view.get_by_role("tooltip").inner_text()
    picture(page, "run-view-streams")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="busy"]', timeout=5_000)
    assert "play money" in view.inner_text() and "generalist" in view.inner_text()
    shown(page.get_by_text("learned", exact=True), timeout=60_000)
    ended(page)
    kept = outputs(page, 1)
    assert kept[0]["data"] == {"text/plain": "", "text/html": ""} and len(str(kept)) < 20_000
    picture(page, "run-view-ended")


def test_goals_that_code_awaits_are_seen_too(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        BEGUN,
        "import asyncio\ngoals = [f'Tell me of {what} at length' for what in ('penguins', 'seals')]\n"
        "found = await asyncio.gather(*map(llmos.execute, goals))\nprint(*(one.status for one in found))",
    )
    run_cell(page, 0)
    run_cell(page, 1)
    page.locator(f"{VIEW} h3").nth(1).wait_for(timeout=60_000)
    picture(page, "run-view-two")
    page.locator(VIEW).first.get_by_role("button", name="Stop").click()
    shown(page.get_by_text("stopped success"), timeout=60_000)
    ended(page)
    assert [sorted(one.get("data", {})) for one in outputs(page, 1) if one["output_type"] != "stream"] == [
        ["text/html", "text/plain"]
    ] * 2


def test_stop_ends_a_run_that_streams_and_one_that_computes(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        BEGUN, "%%llmos\nTell me of seals at length", "%%llmos\nCompute for 60 seconds", "print(6 * 7, 'the next')"
    )
    run_cell(page, 0)
    for cell, sign in ((1, ".llmos-markdown"), (2, '.llmos-call[data-status="running"]')):
        run_cell(page, cell)
        view = view_of(page)
        view.locator(sign).first.wait_for(timeout=60_000)
        view.get_by_role("button", name="Stop").click()
        page.wait_for_selector(VIEW, state="detached", timeout=10_000)
        shown(page.locator(".jp-CodeCell").nth(cell).get_by_text("stopped", exact=True), timeout=10_000)
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=10_000)
        page.wait_for_timeout(500)  # an error takes with it what was asked to run before the page knew of it
    run_cell(page, 3)
    shown(page.get_by_text("42 the next"), timeout=20_000)


def test_a_person_approves_and_denies_in_the_view(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        f"{BEGIN}\nllmos.configure(agent_changes='ask')",
        "%%llmos\nCreate a haiku-poet agent that writes beautiful haikus",
        "%%llmos\nImprove the haiku-poet",
    )
    command(page, "notebook:run-all-cells")
    view = view_of(page)
    question = view.get_by_role("alertdialog", name=re.compile("generalist asks for create_agent"))
    question.wait_for(timeout=60_000)
    assert "+You are haiku-poet" in question.inner_text(), "what would be written is shown"
    picture(page, "run-view-asks")
    question.get_by_role("button", name="Approve").focus()
    page.keyboard.press("Enter")
    shown(page.get_by_text("learned", exact=True), timeout=60_000)

    question = page.get_by_role("alertdialog", name=re.compile("generalist asks for modify_agent"))
    question.wait_for(timeout=60_000)
    question.get_by_role("button", name="Deny").click()
    ended(page)
    assert "a person said no" in str(outputs(page, 2))


def test_a_person_says_always_and_sees_before_what_that_covers(open_cells: Callable[..., Any]) -> None:
    page = open_cells(f"{BEGUN}\npathlib.Path('seen.txt').write_text('x')", "%%llmos\nOpen the file", "%guard")
    command(page, "notebook:run-all-cells")
    question = view_of(page).get_by_role("alertdialog", name=re.compile("generalist asks for run_shell"))
    question.wait_for(timeout=60_000)
    always = question.get_by_role("button", name="Always")
    covers = page.locator(f"#{always.get_attribute('aria-describedby')}")
    assert "permissions allows exactly 'chmod 777 seen.txt'" in covers.inner_text()
    assert "nothing else" in covers.inner_text()
    assert [button.inner_text() for button in question.get_by_role("button").all()] == [
        "Approve", "For this run", "Always", "Deny",
    ]  # fmt: skip
    picture(page, "run-view-always")
    assert not serious(page, VIEW)
    question.get_by_role("button", name="Approve").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    ended(page)
    shown(page.get_by_text("exactly 'chmod 777 seen.txt', work in .."), timeout=30_000)
    picture(page, "guard-decisions")


def serious(page: Any, where: str) -> list[str]:
    """What axe-core holds against a part of the page that keeps people from using it."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=where).response["violations"]
    return [
        f"{one['id']}: {one['help']} {[node['html'][:120] + ' ' + node['failureSummary'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def test_everyone_can_use_it_in_light_and_dark_and_in_a_narrow_pane(open_cells: Callable[..., Any]) -> None:
    page = open_cells(
        f"{BEGUN}\nllmos.configure(agent_changes='ask')\nllmos.remember('Penguins swim up to 8 m/s.')",
        "%%llmos\nTell me of penguins at length",
        "%%llmos\nCreate a haiku-poet agent that writes beautiful haikus",
    )
    run_cell(page, 0)
    run_cell(page, 1)
    view = view_of(page)
    view.locator(".llmos-markdown h3", has_text="What I found").wait_for(timeout=60_000)
    assert "8 m/s" in str(view.locator(".llmos-memory").text_content()), "what came from memory is told"
    view.locator(".llmos-call summary").first.click()
    assert serious(page, VIEW) == []
    view.get_by_role("button", name="Stop").click()
    page.wait_for_selector(VIEW, state="detached", timeout=60_000)
    page.wait_for_timeout(500)  # an error takes with it what was asked to run before the page knew of it
    run_cell(page, 2)
    question = view.get_by_role("alertdialog")
    question.wait_for(timeout=60_000)
    page.set_viewport_size({"width": 680, "height": 900})
    for name in ("JupyterLab Light", "JupyterLab Dark"):
        themed(page, name)
        view.scroll_into_view_if_needed()
        assert serious(page, VIEW) == [], name
        picture(page, f"run-view-{name.split()[1].lower()}-narrow")
    width = view.evaluate("view => [view.scrollWidth - view.clientWidth, view.clientWidth]")
    assert width[0] <= 0 and width[1] < 420, "nothing sticks out of a narrow pane"
    for name in ("Stop", "Approve", "Deny"):
        page.keyboard.press("Tab")
        box = view.get_by_role("button", name=name).bounding_box()
        assert box is not None and box["x"] + box["width"] <= 680
    view.get_by_role("button", name="Deny").click()
    page.wait_for_selector(VIEW, state="detached", timeout=60_000)
    themed(page, "JupyterLab Light")


def test_a_result_says_the_same_where_it_is_not_trusted(open_notebook: Callable[[str], Any]) -> None:
    """A notebook that came from elsewhere: its HTML is cleaned, drawings go, and nothing that was run is there."""
    page = open_notebook("04_orchestration.ipynb")
    page.locator(".jp-OutputArea summary").first.wait_for(timeout=60_000)
    trusted = page.evaluate(
        "[...window.jupyterapp.shell.currentWidget.context.model.cells].filter(c => c.type === 'code').some(c => c.trusted)"
    )
    assert not trusted
    notebook = page.locator(".jp-Notebook")
    text = notebook.inner_text()
    assert "learned" in text and "play money" in text and "Error displaying widget" not in text
    plan = page.locator('img[alt^="the plan:"]').first
    assert plan.count() and "matplotlib" not in str(plan.get_attribute("alt"))
    page.locator("summary", has_text="the steps").first.click()
    shown(page.get_by_text("Mode learner:"), timeout=5_000)
    picture(page, "untrusted")
