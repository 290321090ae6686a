"""How the arm stands, as measured: never as it was told to stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmos_nb.domains.robotics.arm import Vector
from llmos_nb.domains.robotics.motion import Pose

if TYPE_CHECKING:
    from llmos_nb.domains.robotics.things import Thing

__all__ = ["Held", "State"]


@dataclass(frozen=True, slots=True)
class Held:
    """What the hand holds, as the capsule around it in the last joint's frame (metres).

    ``sink`` is how far the capsule reaches out of the thing at most: so far it may sink into the floor, and into zones
    that may be touched. A cube of edge ``a`` is in a ball of radius 0.87 a, which reaches 0.37 a out of its sides.

    Against other things it is the box itself, if it is one: ``middle``, half edges ``half`` and its three ``axes``, in the
    same frame.
    """

    name: str
    start: Vector
    end: Vector
    radius: float
    sink: float = 0.0
    middle: Vector = (0.0, 0.0, 0.0)
    half: tuple[float, ...] = ()
    axes: tuple[Vector, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Held:
        """From plain data, as :func:`dataclasses.asdict` gives it."""
        start, end = (tuple(float(number) for number in given[key]) for key in ("start", "end"))
        radius, sink = float(given["radius"]), float(given.get("sink", 0.0))
        middle, half = given.get("middle", (0.0, 0.0, 0.0)), tuple(map(float, given.get("half", ())))
        axes = tuple((float(x), float(y), float(z)) for x, y, z in given.get("axes", ()))
        return cls(
            str(given["name"]),
            (start[0], start[1], start[2]),
            (end[0], end[1], end[2]),
            radius,
            sink,
            (float(middle[0]), float(middle[1]), float(middle[2])),
            half,
            axes,
        )


@dataclass(frozen=True, slots=True)
class State:
    """Measured angles (rad), speeds (rad/s), the hand's opening (m), what it holds, and the things that lie about."""

    q: Pose
    qd: Pose
    opening: float
    held: Held | None = None
    things: tuple[Thing, ...] = ()
