"""A real IPython shell for the tests that need one, and modules that tests share."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def ipython() -> Iterator[Any]:
    """The process's IPython shell while the test runs; afterwards there is none again."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    before = sys.displayhook, sys.excepthook, sys.modules["__main__"]
    shell = InteractiveShell.instance(config=config)
    yield shell
    if pyplot := sys.modules.get("matplotlib.pyplot"):  # which a change of backend has tied to this very shell
        pyplot.uninstall_repl_displayhook()
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    InteractiveShell.clear_instance()
    sys.displayhook, sys.excepthook, sys.modules["__main__"] = before


@pytest.fixture
def shell(ipython: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The shell with the extension, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    ipython.run_line_magic("load_ext", "llmos_nb")
    yield ipython
    ipython.run_line_magic("unload_ext", "llmos_nb")
