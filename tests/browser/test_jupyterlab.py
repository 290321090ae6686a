"""The first notebook in a real JupyterLab, driven in a real Chromium, on the scripted endpoint."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def chromium() -> str:
    """The browser's path; without one the tests are skipped on a person's machine and fail in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: .ci/run installs it as root on Debian")
        pytest.skip("no Chromium on this machine: apt-get install chromium, or put one on the PATH")
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab on loopback that serves a copy of the notebooks."""
    executable = chromium()
    assert executable
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copytree(ROOT / "workspace" / "agents", root / "workspace" / "agents")
    settings = root / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
            "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}",
            f"--LabApp.user_settings_dir={root / 'settings'}", "--LabApp.expose_app_in_browser=True",
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        ],
        cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        else:
            pytest.fail("JupyterLab did not start within 60 s")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture
def page(lab: str, tmp_path: Path) -> Iterator[Any]:
    """A page on the first notebook, its stored outputs cleared."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{lab}/lab/tree/notebooks/01_first_steps.ipynb?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )
        try:
            yield page
        finally:
            page.screenshot(path=str(tmp_path / "last.png"))
            browser.close()


def command(page: Any, name: str) -> None:
    """Begin one of JupyterLab's commands, without waiting for its end."""
    page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)


def test_the_first_notebook_runs_and_shows_its_answers(page: Any, tmp_path: Path) -> None:
    command(page, "notebook:clear-all-cell-outputs")
    page.wait_for_selector(".jp-OutputArea-output", state="detached")
    command(page, "notebook:run-all-cells")

    # While the first goal works, its view is there: mode, tool calls, cost.
    status = page.locator('[role="status"][aria-live="polite"]').first
    status.wait_for(timeout=60_000)
    seen: set[str] = set()
    learned = page.get_by_text("learned", exact=True)
    deadline = time.monotonic() + 120
    while not learned.count() and time.monotonic() < deadline:
        if status.count():
            seen.add(status.inner_text())
        page.wait_for_timeout(50)
    assert any("run_cell" in text and "play money" in text for text in seen), seen

    page.get_by_text("guided by a trace", exact=True).wait_for(timeout=120_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)
    assert learned.count() == 1
    assert page.get_by_text("replayed, verified", exact=True).count() == 1
    assert page.get_by_text("replayed, new outputs", exact=True).count() == 1
    assert page.locator(".jp-OutputArea img").count() == 5, "a plot for each goal, and the one of costs"
    assert page.locator('.jp-RenderedText[data-mime-type*="error"]').count() == 0
    assert page.locator('[role="status"][aria-live="polite"]').count() == 0, "live views are emptied at the end"
    page.screenshot(path=str(tmp_path / "lab.png"))
    if target := os.environ.get("SCREENSHOTS"):
        take_pictures(page, Path(target))


def take_pictures(page: Any, folder: Path) -> None:
    """Screenshots for people to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = page.locator(".jp-CodeCell")
    for number in range(cells.count()):
        cells.nth(number).scroll_into_view_if_needed()
        page.wait_for_timeout(100)
        cells.nth(number).screenshot(path=str(folder / f"cell-{number:02}.png"))
    page.screenshot(path=str(folder / "page.png"))
