"""A shell of IPython's in a sandbox, so that a cell means there what it means in a kernel: magics, pictures, await."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import IPython
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from llmos_nb.tools.shell_namespace import ShellNamespace

__all__ = ["sandbox_shell"]


def sandbox_shell(home: Path, show: Callable[[dict[str, Any]], None]) -> ShellNamespace:
    """The namespace of a new shell that keeps its own files in ``home``; ``show`` is given what is displayed."""
    os.environ["IPYTHONDIR"] = str(home / ".ipython")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor" if int(IPython.version_info[0]) >= 9 else "NoColor"
    config.InteractiveShell.autoindent = False
    shell: Any = InteractiveShell.instance(config=config)

    def publish(data: dict[str, Any], metadata: Any = None, **_: Any) -> None:
        show(data)

    shell.display_pub.publish = publish
    if not _has_terminals():
        shell.system = shell.system_raw
    return ShellNamespace(shell)


def _has_terminals() -> bool:
    """Whether there are pseudo-terminals, which IPython runs commands in."""
    try:
        for one in os.openpty():
            os.close(one)
    except OSError:
        return False
    return True
