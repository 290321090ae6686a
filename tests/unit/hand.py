"""A person's hand: a line typed as a cell of its own, in a real IPython shell."""

from __future__ import annotations

import functools
import sys
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

__all__ = ["by_hand"]


@functools.cache
def _shell() -> InteractiveShell:
    config = Config()
    config.HistoryManager.enabled = False
    before = sys.displayhook, sys.excepthook, sys.modules["__main__"]
    try:
        return InteractiveShell(config=config)
    finally:
        sys.displayhook, sys.excepthook, sys.modules["__main__"] = before


def by_hand(cell: str, **names: Any) -> Any:
    """Run ``cell`` as a person does, with these names; what it gives, or the error that it ends in."""
    shell = _shell()
    had = InteractiveShell._instance
    for kind in InteractiveShell._walk_mro():
        kind._instance = shell
    try:
        shell.user_ns.update(names)
        result = shell.run_cell(cell)
    finally:
        for kind in InteractiveShell._walk_mro():
            kind._instance = had
        for name in names:
            shell.user_ns.pop(name, None)
    if result.error_before_exec or result.error_in_exec:
        raise result.error_before_exec or result.error_in_exec
    return result.result
