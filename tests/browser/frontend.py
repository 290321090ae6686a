"""What tests do with a JupyterLab that is open in a browser."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["BEGIN", "begin_with", "command", "end_kernels", "gone", "picture", "put", "run_cell", "shown", "themed"]

#: What the first cell of a notebook says that works on the embedded endpoint, in a folder and workspace of its own.
BEGIN: Final = (
    "import os, tempfile\nos.chdir(tempfile.mkdtemp())\nos.environ['LLMOS_ENDPOINT'] = 'scripted'\n"
    "%load_ext llmos_nb\nprint('ready')"
)


def put(lab: str, path: str, cells: tuple[str, ...]) -> None:
    """Write a notebook of code cells into the server's folder."""
    document = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "source": code,
                "outputs": [],
                "execution_count": None,
            }
            for n, code in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    body = json.dumps({"type": "notebook", "format": "json", "content": document}).encode()
    headers = {"content-type": "application/json"}
    put = urllib.request.Request(f"{lab}/api/contents/{path}", body, headers, method="PUT")
    urllib.request.urlopen(put, timeout=10).close()


def command(page: Any, name: str) -> None:
    """Begin one of JupyterLab's commands, without waiting for its end."""
    page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)


def begin_with(scripts: Mapping[str, str]) -> str:
    """:data:`BEGIN` in a workspace with these scripts, by name."""
    writing = "".join(f"(folder / '{name}.md').write_text({text!r})\n" for name, text in scripts.items())
    made = "import pathlib\nfolder = pathlib.Path('workspace/scripts'); folder.mkdir(parents=True)\n"
    return BEGIN.replace("%load_ext", f"{made}{writing}%load_ext")


def run_cell(page: Any, number: int) -> Any:
    """Begin one cell, as Ctrl-Enter does; its place on the page."""
    page.evaluate("cell => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = cell }", number)
    command(page, "notebook:run-cell")
    return page.locator(".jp-CodeCell").nth(number)


def shown(place: Any, timeout: float = 30_000) -> None:
    """Wait until something of this kind is to be seen, once or more: for a moment a live view and the result that takes
    its place say the same."""
    place.filter(visible=True).first.wait_for(timeout=timeout)


def gone(place: Any, timeout: float = 10_000) -> None:
    """Wait until nothing of this kind is on the page."""
    from playwright.sync_api import expect  # not at the top: whoever has no browser tests has no Playwright

    expect(place).to_have_count(0, timeout=timeout)


def themed(page: Any, name: str) -> None:
    """Have the page look as one of JupyterLab's themes does, and wait until it does."""
    page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })", name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
    page.wait_for_timeout(500)


def picture(page: Any, name: str) -> None:
    """A picture of the page for people to look at, where ``SCREENSHOTS`` says that they want any."""
    if target := os.environ.get("SCREENSHOTS"):
        Path(target).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(target) / f"{name}.png"))


def end_kernels(lab: str) -> None:
    """Shut down what runs on the server, so that one test's kernels take nothing from the next."""
    with urllib.request.urlopen(f"{lab}/api/sessions", timeout=10) as answer:
        sessions = json.load(answer)
    for session in sessions:
        ended = urllib.request.Request(f"{lab}/api/sessions/{session['id']}", method="DELETE")
        urllib.request.urlopen(ended, timeout=20).close()
