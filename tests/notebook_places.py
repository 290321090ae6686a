"""A pytest plugin: with ``NOTEBOOK_PLACES`` set, each notebook works in a folder of its own below that one.

What libraries set up once for a machine, and tell on the error stream, is done before.

A second run then finds what the first one learned: ``python -m pytest -p tests.notebook_places --nbval-lax notebooks``.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest


def pytest_sessionstart() -> None:
    """Let matplotlib look for the machine's fonts: a first plot that takes long says so, which no notebook holds."""
    importlib.import_module("matplotlib.font_manager")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tell the notebook's kernel, which is started with its first cell, where to work."""
    places = os.environ.get("NOTEBOOK_PLACES")
    if places and item.path.suffix == ".ipynb":
        place = Path(places, item.path.stem)
        place.mkdir(parents=True, exist_ok=True)
        os.environ["PLAYGROUND"] = str(place)
