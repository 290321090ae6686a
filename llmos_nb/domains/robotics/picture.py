"""What is shown of the arm: where it is and what stands around it, a way it went, or where a refused one would have hit."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

from llmos_nb.domains.robotics.arm import Arm, Vector
from llmos_nb.domains.robotics.drawing import (
    ABOVE,
    CORNER,
    Capsule,
    Frame,
    Point,
    Prism,
    Rod,
    View,
    box,
    cylinder,
    drawing,
)
from llmos_nb.domains.robotics.gate import Ruling
from llmos_nb.domains.robotics.kinematics import forward
from llmos_nb.domains.robotics.motion import Motion, Pose, progress
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.things import Thing
from llmos_nb.domains.robotics.ways import points_along
from llmos_nb.domains.robotics.zones import Box, CapsuleZone, Cylinder, Zone

__all__ = ["Picture", "arm_picture"]

#: The part of the workspace that is drawn, in metres.
SHOWN: tuple[Vector, Vector] = ((-0.25, -0.62, 0.0), (0.78, 0.62, 0.72))


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and the same in words; the same on every page, in a terminal and for a model."""

    svg: str
    text: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        data = base64.b64encode(self.svg.encode()).decode()
        said = html.escape(self.text, quote=True)
        shown = f'<img alt="{said}" src="data:image/svg+xml;base64,{data}" style="max-width:100%;height:auto"/>'
        return {"text/html": shown, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def arm_picture(
    arm: Arm,
    scene: Scene,
    q: Pose,
    *,
    opening: float,
    things: Sequence[Thing] = (),
    motion: Motion | None = None,
    ruling: Ruling | None = None,
    title: str = "",
    notes: Sequence[str] = (),
    text: str = "",
    stopped: bool = False,
    views: Sequence[View] = (CORNER, ABOVE),
) -> Picture:
    """The arm in pose ``q`` among zones and things.

    With ``motion`` the way of the hand is drawn; with a ``ruling`` that refuses it, up to where it would have hit, and
    the arm as it would stand there.
    """
    refused = ruling is not None and not ruling.ok
    path: list[Point] = []
    clear = None
    if motion is not None:
        path = points_along(arm, [motion.start, *motion.waypoints], each=8)
        if refused and ruling is not None and ruling.time_s is not None:
            clear = 1 + int(8 * _lines_done(motion, ruling.time_s))
    ghost: Sequence[Capsule] = ()
    if refused and ruling is not None and ruling.q is not None and ruling.link:
        ghost = _capsules(arm, ruling.q, opening)
    low = (max(SHOWN[0][0], scene.low[0]), max(SHOWN[0][1], scene.low[1]), scene.floor)
    high = tuple(min(shown, corner) for shown, corner in zip(SHOWN[1], scene.high, strict=True))
    frame = Frame(
        arm=_capsules(arm, q, opening),
        solids=[*map(_solid, scene.zones), *map(_thing, things)],
        workspace=(low, (high[0], high[1], high[2])),
        path=path,
        clear=clear,
        ghost=ghost,
        contact=ruling.point if refused and ruling is not None else None,
        title=title,
        notes=tuple(notes),
        stopped=stopped or refused,
    )
    said = text or ". ".join(part.rstrip(".") for part in (title, *notes) if part) + "."
    return Picture(drawing(frame, views), said)


def _lines_done(motion: Motion, time_s: float) -> float:
    """How many of a motion's lines are done at a time: 2.5 is the middle of the third."""
    shares = [(time_s - begins) / takes for begins, takes in zip(motion.starts, motion.durations, strict=True)]
    return sum(progress(min(1.0, max(0.0, share)))[0] for share in shares)


def _capsules(arm: Arm, q: Pose, opening: float) -> list[Capsule]:
    ends = forward(arm, q, opening).ends[0]
    last = len(arm.joints)
    return [
        Capsule(_point(start), _point(end), link.radius, link.frame == last)
        for link, (start, end) in zip(arm.links, ends, strict=True)
    ]


def _solid(zone: Zone) -> Prism | Rod:
    if isinstance(zone, Box):
        return box(zone.name, zone.center, zone.size, yaw=zone.yaw)
    if isinstance(zone, Cylinder):
        return cylinder(zone.name, zone.center, zone.radius, zone.height)
    if isinstance(zone, CapsuleZone):
        return Rod(zone.name, Capsule(zone.start, zone.end, zone.radius))
    return Rod(zone.name, Capsule(zone.center, zone.center, zone.radius))


def _thing(thing: Thing) -> Prism:
    return box("", thing.position, thing.size, yaw=thing.yaw, kind="body", color=thing.color)


def _point(place: Sequence[float]) -> Point:
    return float(place[0]), float(place[1]), float(place[2])
