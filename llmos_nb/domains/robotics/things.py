"""What lies on the table and can be picked up; and the rules by which a hand takes hold of it and puts it down.

Both worlds, with physics and without, go by the same rules, so that the same calls end the same way in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from llmos_nb.domains.robotics.arm import Vector
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.state import Held

__all__ = ["LOOSE", "REACH", "THINGS", "Thing", "graspable", "held_name", "held_thing", "resting_height", "things_of"]

#: How far, sideways, the tool may be from the middle of what it is to grip, in metres.
REACH: Final = 0.015
#: How much farther than a thing is wide (m) the hand opens before it lets go.
LOOSE: Final = 1e-4
MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Thing:
    """A box that can be picked up: its middle, its whole edges (m), its colour as ``#rrggbb``, and how far it is turned
    about the vertical (rad)."""

    name: str
    position: Vector
    size: Vector
    color: str = "#bf8700"
    held: bool = False
    yaw: float = 0.0

    @property
    def top(self) -> float:
        """How high it reaches."""
        return self.position[2] + self.size[2] / 2

    @property
    def bottom(self) -> float:
        """How low it reaches."""
        return self.position[2] - self.size[2] / 2

    def width(self, fingers: Any) -> float:
        """How far the fingers are apart that hold it and close along ``fingers``: on the faces nearest to that."""
        turn = math.atan2(fingers[1], fingers[0]) - self.yaw
        return self.size[0] if abs(math.cos(turn)) >= abs(math.sin(turn)) else self.size[1]

    def at(self, position: Iterable[float], *, held: bool = False, yaw: float | None = None) -> Thing:
        """The same thing somewhere else."""
        x, y, z = (float(number) for number in position)
        return replace(self, position=(x, y, z), held=held, yaw=self.yaw if yaw is None else float(yaw))

    def as_mapping(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


#: What lies on the desk at the start.
THINGS: Final = (
    Thing("red cube", (0.42, 0.20, 0.02), (0.04, 0.04, 0.04), "#d1242f"),
    Thing("green cube", (0.55, 0.10, 0.02), (0.04, 0.04, 0.04), "#2da44e"),
    Thing("blue block", (0.32, 0.30, 0.03), (0.04, 0.04, 0.06), "#218bff"),
)


def things_of(given: object) -> tuple[Thing, ...]:
    """Things from plain data, looked at one by one.

    Raises:
        ArmError: it is no list of them, two have the same name, or a number makes no sense.
    """
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise ArmError(f"Things are given as a list of at most {MOST}, got {given!r:.80}.")
    made: list[Thing] = []
    for one in given:
        data = one.as_mapping() if isinstance(one, Thing) else one
        if not isinstance(data, Mapping) or not isinstance(data.get("name"), str) or not data["name"].strip():
            raise ArmError(f"A thing has a name, a position and a size, got {one!r:.80}.")
        place, size = finites(data.get("position"), 3), finites(data.get("size"), 3)
        if place is None or size is None or not all(0.001 <= edge <= 1.0 for edge in size):
            raise ArmError(
                f"The thing {data['name']!r:.60}: position and size (1 mm to 1 m) have three numbers each."
            )
        color = str(data.get("color", "#bf8700"))
        if len(color) != 7 or color[0] != "#" or not all(digit in "0123456789abcdefABCDEF" for digit in color[1:]):
            raise ArmError(f"The thing {data['name']!r:.60}: its color is #rrggbb, got {color!r:.20}.")
        if any(data["name"] == other.name for other in made):
            raise ArmError(f"Two things have the name {data['name']!r:.60}.")
        yaw = finite(data.get("yaw", 0.0))
        if yaw is None or abs(yaw) > 7:
            raise ArmError(f"The thing {data['name']!r:.60}: yaw is an angle in radians, got {data['yaw']!r:.40}.")
        made.append(Thing(data["name"], (place[0], place[1], place[2]), (size[0], size[1], size[2]), color, yaw=yaw))
    return tuple(made)


def held_name(given: object, things: Mapping[str, Thing]) -> str:
    """The name of the held thing in what was kept of a world: a name, or the mapping of a :class:`Held`."""
    name = given.get("name") if isinstance(given, Mapping) else given
    return name if isinstance(name, str) and name in things else ""


def graspable(things: Iterable[Thing], tool: Iterable[float], turn: Any, was: float, now: float) -> Thing | None:
    """What a hand takes hold of whose opening goes from ``was`` to ``now`` at ``tool``; of several the nearest.

    The columns of ``turn`` (3, 3) are the hand's axes: its fingers close along the second, and it points along the third,
    which must be down. The tool is within the thing's height and no farther than :data:`REACH` from its middle line, and
    the thing is as wide as the hand is open on the way.
    """
    x, y, z = tool
    fingers, down = [float(row[1]) for row in turn], float(turn[2][2])
    if down > -math.cos(math.radians(20)):
        return None
    found = []
    for thing in things:
        aside = math.hypot(x - thing.position[0], y - thing.position[1])
        meets = now < was and now <= thing.width(fingers) <= was
        if meets and aside <= REACH and thing.bottom - 0.002 <= z <= thing.top + 0.002:
            found.append((aside, thing.name, thing))
    return min(found)[2] if found else None


def resting_height(thing: Thing, others: Iterable[Thing], floor: float = 0.0) -> float:
    """How high the middle of ``thing`` is once it was let go: on the table, or on whatever lies below a part of it."""
    below = [
        other.top
        for other in others
        if other.name != thing.name and _aside(thing, other) < -0.001 and other.top <= thing.bottom + 0.01
    ]
    return max(below, default=floor) + thing.size[2] / 2


def _aside(one: Thing, other: Thing) -> float:
    """How far two things are apart seen from above; below 0 by how much they cover one another (separating axes)."""
    off = (other.position[0] - one.position[0], other.position[1] - one.position[1])
    gaps = []
    for turn in (one.yaw, one.yaw + math.pi / 2, other.yaw, other.yaw + math.pi / 2):
        along = math.cos(turn), math.sin(turn)
        reach = sum(
            thing.size[0] / 2 * abs(math.cos(thing.yaw - turn)) + thing.size[1] / 2 * abs(math.sin(thing.yaw - turn))
            for thing in (one, other)
        )
        gaps.append(abs(off[0] * along[0] + off[1] * along[1]) - reach)
    return max(gaps)


def held_thing(thing: Thing, offset: Iterable[float], turn: Sequence[Sequence[float]]) -> Held:
    """What the gate is to know of a held thing: the box, and a capsule that has all of it in it.

    The box's middle is at ``offset`` in the frame of the last joint; the columns of ``turn`` are its axes there, its height
    along the third. The capsule is longer than the box; by so much it may sink into a table, on which the box then stands.
    """
    axes = tuple((float(turn[0][k]), float(turn[1][k]), float(turn[2][k])) for k in range(3))
    middle = tuple(float(number) for number in offset)
    up = axes[2]
    aside = math.hypot(thing.size[0], thing.size[1]) / 2
    half = max(0.0, thing.size[2] / 2 - aside / 2)
    radius = math.hypot(aside, thing.size[2] / 2 - half)
    pairs = list(zip(middle, up, strict=True))
    start, end = (tuple(float(o + side * half * u) for o, u in pairs) for side in (-1, 1))
    sink = half + radius - thing.size[2] / 2
    return Held(
        thing.name,
        (start[0], start[1], start[2]),
        (end[0], end[1], end[2]),
        float(radius),
        float(sink),
        (middle[0], middle[1], middle[2]),
        (thing.size[0] / 2, thing.size[1] / 2, thing.size[2] / 2),
        axes,
    )
