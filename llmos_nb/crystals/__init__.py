"""Crystals: functions made from recorded goals. ``from llmos_nb.crystals import NAME`` finds the current workspace's.

What is imported is a :class:`~llmos_nb.crystals.crystal.Crystal`, which always runs the newest code of its file.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmos_nb.crystals.crystal import Crystal
    from llmos_nb.crystals.current import current, use
    from llmos_nb.crystals.report import Check, Report
    from llmos_nb.crystals.shelf import CrystalShelf

__all__ = ["Check", "Crystal", "CrystalShelf", "Report", "current", "use"]

_HOME = {
    "Check": "report", "Crystal": "crystal", "CrystalShelf": "shelf", "Report": "report",
    "current": "current", "use": "current",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    from llmos_nb.crystals.current import imported

    # An import shall say which crystals there are; hasattr() and getattr() need the usual error.
    importing = sys._getframe(1).f_globals.get("__name__") == "importlib._bootstrap"
    return imported(name, importing=importing)


def __dir__() -> list[str]:
    from llmos_nb.crystals.current import current

    return sorted({*__all__, *current().names()})
