"""A real JupyterLab, driven in a real Chromium: one server for all tests of this folder, one browser for each module.

``KERNEL_PYTHON`` names the interpreter that kernels are run by, where it is not the one of the tests: one that has another
version of ipykernel, say.

``open_notebook`` opens a notebook of the repository, ``open_cells`` one that is made of the cells given; both wait for
the kernel.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the tests of this folder share frontend.py
from frontend import end_kernels, put

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


@pytest.fixture(scope="session")
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
    surroundings = dict(os.environ)
    if python := os.environ.get("KERNEL_PYTHON"):
        specs = root / "share" / "kernels" / "python3"
        specs.mkdir(parents=True)
        spec = {
            "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",
            "language": "python",
            "interrupt_mode": "signal",
            "metadata": {"debugger": True},
        }
        (specs / "kernel.json").write_text(json.dumps(spec))
        surroundings["JUPYTER_PATH"] = str(root / "share")
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
        cwd=root, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium. Not for the whole session: Playwright's event loop would run on beside other tests' own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, lab: str, tmp_path: Path) -> Iterator[Any]:
    """An empty page; a picture of how it was at the end is kept in the test's folder. Its kernels end with it."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    try:
        yield page
    finally:
        page.screenshot(path=str(tmp_path / "last.png"))
        page.close()
        end_kernels(lab)


@pytest.fixture
def open_notebook(page: Any, lab: str) -> Callable[[str], Any]:
    """Opens a notebook of the server's folder ``notebooks`` by its name, and waits for its kernel."""

    def opened(name: str) -> Any:
        page.goto(f"{lab}/lab/tree/notebooks/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )
        return page

    return opened


@pytest.fixture
def open_cells(lab: str, open_notebook: Callable[[str], Any], request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a notebook of these code cells, and opens it."""

    def opened(*cells: str) -> Any:
        name = re.sub(r"\W+", "_", request.node.name) + ".ipynb"
        put(lab, f"notebooks/{name}", cells)
        return open_notebook(name)

    return opened
