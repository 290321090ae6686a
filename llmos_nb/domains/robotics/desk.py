"""The desk that the arm stands on: what must not be touched, and what can be picked up."""

from __future__ import annotations

from typing import Final

from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.zones import Box, Cylinder

__all__ = ["DESK"]

#: A pane of glass, 5 mm thick, on the right of the arm, and a lamp on its left.
DESK: Final = Scene(
    zones=(
        Box("glass pane", (0.42, -0.47, 0.24), (0.56, 0.005, 0.48)),
        Cylinder("lamp", (0.30, 0.48, 0.30), 0.05, 0.60),
    )
)
