"""The system from a terminal: ``llmos-nb doctor``, ``run`` and ``demo``."""

from __future__ import annotations

from llmos_nb.terminal.command import main

__all__ = ["main"]
