"""Every test runs without the machine's keys and logins, in a home of its own, on the scripted endpoint."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything is imported that could read them; names only, values are never looked at.
for _name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE_", "LLMOS_"))]:
    del os.environ[_name]
_home = tempfile.mkdtemp(prefix="llmos-home-")
os.environ["HOME"] = os.environ["USERPROFILE"] = _home
os.environ["CLAUDE_CONFIG_DIR"] = str(Path(_home, "claude"))
os.environ["IPYTHONDIR"] = str(Path(_home, "ipython"))
os.environ["JUPYTER_CONFIG_DIR"] = str(Path(_home, "jupyter"))
os.environ["LLMOS_ENDPOINT"] = "scripted"
os.environ["LLMOSNB_TRUST_SCRIPTS"] = tempfile.gettempdir()  # tests write scripts of their own

# How quick a machine is decides no test; tables of characters are made anew where there is no cache of them yet.
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

PENGUINS = Path(__file__).resolve().parents[1] / "notebooks" / "data" / "penguins.csv"


@pytest.fixture(autouse=True)
def _own_interrupts(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins with Python's own answer to Ctrl-C; one that leaves another is told of."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    left = signal.getsignal(signal.SIGINT)
    if left is not signal.default_int_handler:
        warnings.warn(f"{request.node.nodeid} left {left!r} to answer SIGINT", stacklevel=1)


@pytest.fixture(autouse=True)
def _no_figures_of_others() -> None:
    """Every test begins without the figures that another left open: they would be drawn into, and shown."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(autouse=True, scope="module")
def _no_garbage_of_others() -> None:
    """What earlier tests imported and keep is not walked through each time that a test has the garbage collected."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def playground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder with a copy of the penguins table; ``workspace`` below it does not exist yet."""
    (tmp_path / "penguins.csv").write_bytes(PENGUINS.read_bytes())
    monkeypatch.chdir(tmp_path)
    yield tmp_path
