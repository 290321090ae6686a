"""A robot arm behind a safety gate."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_nb.domains.robotics.tools import TOOLS
from llmos_nb.tools import Pack

if TYPE_CHECKING:
    from llmos_nb.domains.robotics.errors import EmergencyStopped, MoveRefused
    from llmos_nb.domains.robotics.robot_arm import Robot, robot

__all__ = ["PACK", "EmergencyStopped", "MoveRefused", "Robot", "robot"]

PACK = Pack(
    name="robotics",
    description="A robot arm: move, grip and look, behind a safety gate that nothing goes around.",
    tools=TOOLS,
    folder=Path(__file__).parent,
)


_HOME = {"Robot": "robot_arm", "robot": "robot_arm", "EmergencyStopped": "errors", "MoveRefused": "errors"}


def __getattr__(name: str) -> Any:
    """Load the arm on first use, so that the pack stays quick to import."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
