"""The system in a terminal's IPython: a prompt that takes goals, progress, questions, and Ctrl-C."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from llmos_nb.lazily import lazily

if TYPE_CHECKING:
    from llmos_nb.notebook.terminal.ask import attend_terminal
    from llmos_nb.notebook.terminal.interrupts import stopped_by_interrupt
    from llmos_nb.notebook.terminal.view import TerminalView

__all__ = ["TerminalView", "attend_terminal", "is_terminal", "stopped_by_interrupt"]

# A notebook needs none of it.
__getattr__, __dir__ = lazily(
    __name__, {"TerminalView": "view", "attend_terminal": "ask", "stopped_by_interrupt": "interrupts"}, __all__
)


def is_terminal(shell: Any) -> bool:
    """Whether ``shell`` is IPython in a terminal."""
    # What is one has imported its class; a notebook's kernel has not, and need not wait for that.
    known = getattr(sys.modules.get("IPython.terminal.interactiveshell"), "TerminalInteractiveShell", None)
    return isinstance(known, type) and isinstance(shell, known)
