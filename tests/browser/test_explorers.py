"""The explorers in a real JupyterLab: mouse and keyboard, light and dark, wide and narrow, and after reopening."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from frontend import BEGIN, command, gone, picture, shown, themed

pytestmark = pytest.mark.browser

TRACES = """
import sys
from llmos_nb.memory import Expectation, Step, Trace
def record(n, **fields):
    step = Step("run_cell", {"code": f"# count\\nprint({n})"}, Expectation(outputs=("stream",)), f"{n}\\n", 0.1)
    return llmos.traces.add(Trace(
        goal=f"Print the number {n} in the house", steps=[step], agent=("coder", "writer")[n % 2], model="m",
        cost_usd=0.01 * n, answer=f"It is {n}.", created_at=f"2020-11-{n % 27 + 1:02}T07:41:03Z", **fields))
for n in range(60):
    record(n, status="failed" if n % 9 == 4 else "success")
for n in range(40):
    llmos.economy.deduct(0.02, f"Learn: goal {n}", model="m", saved_usd=0.03 * (n % 2))
"""
CELLS = (
    BEGIN + TRACES,
    "traces = llmos.explore()\ntraces",
    "%explore agents",
    "%explore budget",
    "%explore crystals",
    "",
)

LEARN = "learned = await llmos.execute('Compute the first 5 primes')\nprint(learned.status)"
SELECTED = "print('selected:', list(traces.selected_df['goal']))"


@pytest.fixture
def explorers(open_cells: Callable[..., Any]) -> Iterator[Any]:
    page = open_cells(*CELLS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    command(page, "notebook:run-all-cells")
    page.locator('.llmos-explorer[aria-label="Crystals"]').wait_for(timeout=60_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)
    yield page
    assert not problems


def explorer(page: Any, name: str) -> Any:
    return page.locator(f'.llmos-explorer[aria-label="{name}"]')


def run_last(page: Any, code: str) -> None:
    """Run this in the last cell, as a person who types it."""
    page.locator(".jp-CodeCell").nth(5).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def violations(page: Any) -> list[str]:
    """What axe-core finds serious in the explorers of the page."""
    import axe_playwright_python

    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run('.llmos-explorer', {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_traces_are_filtered_opened_marked_wrong_and_compared(explorers: Any) -> None:
    page, traces = explorers, explorer(explorers, "Traces")
    assert page.locator(".llmos-twin").count() == 4
    assert not any(twin.is_visible() for twin in page.locator(".llmos-twin").all()), "the widgets stand for them"
    shown(traces.get_by_text("60 traces", exact=True), timeout=15_000)
    assert traces.locator("tbody tr").count() == 50
    picture(page, "explorer-traces")

    # Filtering: what is typed, and what is chosen.
    traces.get_by_label("Search").fill("house number")
    traces.get_by_label("agent", exact=True).select_option("coder")
    traces.get_by_label("status", exact=True).select_option("success")
    shown(traces.get_by_text("26 of 60 traces"))
    traces.get_by_role("button", name="Clear").click()
    shown(traces.get_by_text("60 traces", exact=True))
    traces.get_by_role("button", name="next page").click()
    shown(traces.get_by_text("51–60 of 60"))
    traces.get_by_role("button", name="first page").click()
    shown(traces.get_by_text("1–50 of 60"))

    # One trace: opened, called wrong (asked once), and out of use in the kernel.
    traces.get_by_role("button", name="Print the number 53 in the house").click()
    opened = traces.get_by_role("article")
    shown(opened.get_by_text("It is 53."))
    assert opened.locator("code").inner_text().rstrip() == "# count\nprint(53)"
    opened.get_by_role("button", name="Mark wrong…").click()
    opened.get_by_label("what is wrong with it").fill("it is 54")
    picture(page, "explorer-wrong")
    opened.get_by_role("button", name="Mark wrong", exact=True).click()
    shown(traces.get_by_text("is out of use"))
    shown(opened.get_by_text("called wrong: it is 54"))
    opened.get_by_role("button", name="Put back into use…").click()
    page.keyboard.press("Escape")
    shown(opened.get_by_role("button", name="Put back into use…"))  # Escape is a no

    # A goal that is reached meanwhile shows up by itself; a replay of it, in the user's kernel, without a model.
    run_last(page, LEARN)
    shown(traces.get_by_text("61 traces"), timeout=60_000)
    traces.get_by_role("button", name="Compute the first 5 primes").click()
    opened.get_by_role("button", name="Replay").click()
    shown(traces.get_by_text("Replayed: replayed, verified"), timeout=60_000)
    page.wait_for_timeout(1000)  # the list is made anew once more, for the run that ended

    # Two side by side, and a frame of them.
    traces.get_by_role("button", name="close the trace").click()
    traces.get_by_label("select Print the number 53 in the house").check()
    traces.get_by_role("button", name="Compare the two selected").click()
    shown(traces.get_by_text("Two traces side by side"))
    assert "print(53)" in "".join(traces.locator("td.came").all_inner_texts())
    picture(page, "explorer-compare")
    run_last(page, SELECTED)
    shown(page.get_by_text("selected: ['Compute the first 5 primes', 'Print the number 53 in the house']"))


def test_an_agent_is_edited_with_an_error_first(explorers: Any) -> None:
    page, agents = explorers, explorer(explorers, "Agents")
    agents.get_by_role("button", name="writer", exact=True).click()
    editor = agents.get_by_role("article")
    editor.get_by_label("What it is for").fill("Writes very short notes.")
    editor.get_by_label("Tools", exact=True).fill("read_file, write_fil")
    editor.get_by_role("button", name="Save").click()
    wrong = editor.get_by_text("no tool is called 'write_fil'")
    wrong.wait_for()
    assert editor.get_by_label("Tools", exact=True).get_attribute("aria-invalid") == "true"
    assert editor.get_by_label("What it is for").input_value() == "Writes very short notes.", "nothing typed is lost"
    picture(page, "explorer-agent-error")

    # What was typed survives a look at another agent, and goes along into the whole file.
    shown(agents.get_by_text("not saved", exact=True))
    agents.get_by_role("button", name="coder", exact=True).click()
    shown(editor.get_by_role("heading", name="coder"))
    agents.get_by_role("button", name="writer", exact=True).click()
    shown(editor.get_by_role("heading", name="writer"))
    assert editor.get_by_label("Tools", exact=True).input_value() == "read_file, write_fil"
    editor.get_by_role("tab", name="File").click()
    file = editor.get_by_label("The whole file")
    file.wait_for()
    assert "Writes very short notes." in file.input_value()
    editor.get_by_role("button", name="Save").click()
    wrong.wait_for()
    assert editor.locator(".gutter .at").inner_text().strip() == "4", "the line is marked"
    picture(page, "explorer-agent-file")
    file.fill(file.input_value().replace("write_fil]", "write_file]"))
    editor.get_by_role("button", name="Save").click()
    shown(agents.get_by_text("writer is saved: version 2 is in force."))
    page.wait_for_timeout(500)
    gone(agents.get_by_text("not saved", exact=True))  # a draft does not come after the saving
    editor.get_by_role("tab", name="Versions (2)").click()
    editor.get_by_role("button", name="what version 2 changed").click()
    editor.get_by_text("+description: Writes very short notes.").last.wait_for()
    picture(page, "explorer-agent-versions")
    gone(editor.get_by_role("button", name="restore version 2"))  # it is the newest
    editor.get_by_role("button", name="restore version 1").click()
    editor.get_by_role("button", name="Yes").click()
    shown(agents.get_by_text("that is version 3 now"))


FOREIGN = """
one = llmos.traces.path(next(iter(llmos.traces.rows()))["id"])
other = one.stem[:-4] + "beef"
one.with_name(f"{other}.md").write_text(one.read_text().replace(one.stem, other))
llmos.agents.folder.mkdir(parents=True, exist_ok=True)
(llmos.agents.folder / "guest.md").write_text("---\\nname: guest\\ntools: [inspect]\\n---\\nYou are a guest.\\n")
llmos.traces.refresh()
traces.filter("beef")
print("brought:", len(traces.rows))
"""


def test_what_came_from_elsewhere_is_marked_and_trusted_by_hand(explorers: Any) -> None:
    page, traces = explorers, explorer(explorers, "Traces")
    run_last(page, FOREIGN)
    shown(page.get_by_text("brought: 1"))
    traces.get_by_label("Search").fill("beef")
    shown(traces.get_by_text("not recorded here", exact=True))
    run_last(page, "%explore agents")
    listed = explorer(page, "Agents").last
    shown(listed.get_by_text("not trusted", exact=True))
    listed.get_by_role("button", name="guest", exact=True).click()
    editor = listed.get_by_role("article")
    shown(editor.get_by_text("guest was not written here, so it is not used yet."))
    assert "You are a guest." in editor.get_by_label("The whole file").input_value(), "the whole of it is shown"
    picture(page, "explorer-agent-foreign")
    editor.get_by_role("button", name="Trust…").click()
    editor.get_by_role("button", name="Trust", exact=True).click()
    shown(listed.get_by_text("guest is trusted as it stands here."))
    gone(listed.get_by_text("not trusted", exact=True))
    gone(editor.get_by_role("button", name="Trust…"))
    run_last(page, "print('usable:', llmos.agents.usable('guest').name)")
    shown(page.get_by_text("usable: guest"))


def test_explorers_work_without_a_mouse_and_pass_axe(explorers: Any) -> None:
    page = explorers
    traces = explorer(page, "Traces")
    traces.get_by_label("Search").focus()
    page.keyboard.type("ddzz")  # d d would delete the cell if the notebook saw it
    shown(traces.get_by_text("No trace fits"))
    page.keyboard.press("Control+a")
    page.keyboard.type("number 5")
    traces.locator("tbody tr").first.wait_for()
    first = traces.locator("button.link").first
    first.focus()
    page.keyboard.press("ArrowDown")
    second = traces.locator("button.link").nth(1).inner_text()
    assert page.evaluate("document.activeElement.textContent") == second
    page.keyboard.press("Enter")
    shown(traces.get_by_role("article").get_by_role("heading", name=second))
    assert page.evaluate("document.activeElement.tagName") == "H3", "the trace that was opened has the focus"
    agents = explorer(page, "Agents")
    agents.get_by_role("button", name="coder", exact=True).press("Enter")
    agents.get_by_role("tab", name="Fields").press("ArrowRight")
    agents.get_by_label("The whole file").wait_for()
    shown(explorer(page, "Budget").get_by_role("meter"))

    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        themed(page, theme)
        for name in ("Traces", "Agents", "Budget", "Crystals"):
            explorer(page, name).scroll_into_view_if_needed()
            picture(page, f"explorer-{name.lower()}-{theme.split()[1].lower()}")
        assert violations(page) == []

    page.set_viewport_size({"width": 420, "height": 900})
    command(page, "application:toggle-left-area")
    page.wait_for_timeout(500)
    assert traces.bounding_box()["width"] < 400
    for name in ("Traces", "Agents", "Budget"):
        explorer(page, name).scroll_into_view_if_needed()
        picture(page, f"explorer-{name.lower()}-narrow")
        wide = explorer(page, name).evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide <= 1, f"{name} must be scrolled aside"
    assert violations(page) == []
    themed(page, "JupyterLab Light")


def test_reopened_without_a_kernel_the_tables_stay(explorers: Any, lab: str) -> None:
    page = explorers
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    size = page.evaluate("JSON.stringify(window.jupyterapp.shell.currentWidget.context.model.toJSON()).length")
    assert size < 60_000, "no widget's state in the file"
    page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    page.reload()
    page.locator(".llmos-twin").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    assert explorer(page, "Traces").count() == 0
    twin = page.locator(".llmos-twin").first
    assert twin.is_visible() and "60 traces" in twin.inner_text() and "Print the number" in twin.inner_text()
    for left in ("Loading widget", "model not found"):
        assert not any(one.is_visible() for one in page.get_by_text(left).all())
    picture(page, "explorer-reopened")
