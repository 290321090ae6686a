"""What the arm tells of itself: where it is, what it holds, whether it may move."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from llmos_nb.domains.robotics.arm import Vector
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.things import Thing

__all__ = ["Done", "RobotStatus", "told"]


@dataclass(frozen=True, slots=True)
class RobotStatus:
    """As measured. ``position`` is the tool's place in metres: x forward, y to the left, z up from the table."""

    position: Vector
    joints: Pose
    opening: float
    holding: str
    emergency_stop: str
    moving: bool
    things: tuple[Thing, ...]
    zones: tuple[str, ...]
    world: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data, in metres to the millimetre and degrees to a tenth."""
        return {
            "position": _place(self.position),
            "hand_open": _rounded(self.opening),
            "holding": self.holding or None,
            "emergency_stop": self.emergency_stop or None,
            "moving": self.moving,
            "joints_deg": [round(math.degrees(angle), 1) + 0.0 for angle in self.joints],
            "things": {thing.name: _place(thing.position) for thing in self.things},
            "keep_out": list(self.zones),
            "world": self.world,
        }

    def __str__(self) -> str:
        lines = [f"hand at {self.where}; {self.hand}"]
        if self.emergency_stop:
            lines.append(f"EMERGENCY STOP is latched ({self.emergency_stop}): a person resets it")
        if self.moving:
            lines.append("moving")
        return "\n".join(lines)

    __repr__ = __str__

    @property
    def where(self) -> str:
        """Where the hand is, in words, as seen from behind the base."""
        x, y, z = (_rounded(number) for number in self.position)
        aside = f"{abs(y):.3f} m {'left' if y > 0 else 'right'}" if y else "in the middle"
        return f"{abs(x):.3f} m {'forward' if x >= 0 else 'back'}, {aside}, {z:.3f} m up"

    @property
    def hand(self) -> str:
        """What the hand does, in words."""
        return f"holding the {self.holding}" if self.holding else f"hand open {self.opening * 100:.1f} cm"


@dataclass(frozen=True, slots=True)
class Done:
    """A motion that was made, whole: what it was, and how the arm stands after it."""

    what: str
    status: RobotStatus

    def as_dict(self) -> dict[str, Any]:
        """Plain data; ``position`` in metres."""
        now = self.status
        return {
            "ok": True,
            "did": self.what,
            "position": _place(now.position),
            "hand_open": _rounded(now.opening),
            "holding": now.holding or None,
        }

    def __str__(self) -> str:
        return f"{self.what}; {self.status}"

    __repr__ = __str__


def told(data: dict[str, Any]) -> str:
    """Plain data as the one line of JSON that a model reads."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _place(place: Vector) -> dict[str, float]:
    return {axis: _rounded(number) for axis, number in zip("xyz", place, strict=True)}


def _rounded(number: float) -> float:
    return round(number, 3) + 0.0  # no -0.0
