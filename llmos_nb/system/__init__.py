"""The running system: its configuration, its parts, what happens to a goal before it is worked on, and ``LLMOS``."""

from __future__ import annotations

from llmos_nb.system.llmos import LLMOS

__all__ = ["LLMOS"]
