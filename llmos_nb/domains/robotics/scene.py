"""What stands around the arm: the box it may work in, the floor, and the keep-out zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.domains.robotics.arm import Vector
from llmos_nb.domains.robotics.errors import ZoneError
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.zones import Zone, as_mapping, zones_of

__all__ = ["SCENE", "Scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """Metres. Every moving link stays between the corners ``low`` and ``high``, above ``floor`` and out of ``zones``.

    ``walls`` of the workspace are told by name: ``front`` is its end at x, ``left`` at y, ``top`` at z.
    """

    low: Vector = (-0.75, -0.95, -0.05)
    high: Vector = (0.95, 0.95, 1.35)
    floor: float = 0.0
    zones: tuple[Zone, ...] = ()

    @classmethod
    def of(cls, given: Scene | Mapping[str, Any]) -> Scene:
        """A proper scene from plain data, or from a scene whose fields are looked at again.

        Raises:
            ZoneError: a corner, the floor or a zone makes no sense.
        """
        data = given.as_mapping() if isinstance(given, Scene) else given
        if not isinstance(data, Mapping) or (unknown := data.keys() - {"low", "high", "floor", "zones"}):
            wrong = "" if not isinstance(data, Mapping) else f", not {sorted(map(str, unknown))[0]!r:.80}"
            raise ZoneError(f"A scene is a mapping with low, high, floor and zones{wrong}.")
        low, high = finites(data.get("low", cls().low), 3), finites(data.get("high", cls().high), 3)
        floor = finite(data.get("floor", 0.0))
        if low is None or high is None or not all(-10 <= low[i] < high[i] <= 10 for i in range(3)):
            raise ZoneError(
                "The workspace's corners low and high have three numbers each, in metres, low the smaller."
            )
        if floor is None or abs(floor) > 10:
            raise ZoneError(f"The floor's height is a number in metres, got {data['floor']!r:.80}.")
        return cls((low[0], low[1], low[2]), (high[0], high[1], high[2]), floor, zones_of(data.get("zones", ())))

    def as_mapping(self) -> dict[str, Any]:
        """The scene as plain data."""
        zones = [as_mapping(zone) for zone in self.zones]
        return {"low": list(self.low), "high": list(self.high), "floor": self.floor, "zones": zones}


#: An empty desk: its top is the floor.
SCENE: Final = Scene()
