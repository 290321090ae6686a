"""Where on an obstacle a link would hit it: for a picture and a sentence, not for a decision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmos_nb.domains.robotics.advance import WALLS, Surroundings
from llmos_nb.domains.robotics.arm import Vector
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.zones import Box, CapsuleZone, Cylinder, Sphere, Zone

__all__ = ["contact_point", "nearest_point"]

Array = NDArray[np.float64]


def contact_point(around: Surroundings, q: Pose, link: str, other: str, kind: str) -> Vector:
    """The point of the obstacle that is nearest to the link in pose ``q``, to about 1 % of the link's length."""
    ends = around.poses(np.array([q])).ends[0]
    start, end = ends[around.names.index(link)]
    line = start + np.linspace(0.0, 1.0, 101)[:, None] * (end - start)
    if kind == "zone":
        near = nearest_point(next(zone for zone in around.scene.zones if zone.name == other), line)
    elif kind == "thing":
        near = nearest_point(next(thing for thing in around.things if thing.name == other), line)
    elif kind == "self":
        start, end = ends[around.names.index(other)]
        along = start + np.linspace(0.0, 1.0, 101)[:, None] * (end - start)
        near = along[((line[:, None] - along) ** 2).sum(-1).argmin(1)]
    else:
        near = line.copy()
        side = WALLS.index(other) if kind == "workspace" else 2
        bound = (*around.scene.low, *around.scene.high)[side] if kind == "workspace" else around.scene.floor
        near[:, side % 3] = bound
        sign = 1.0 if side < 3 else -1.0
        x, y, z = near[(sign * line[:, side % 3]).argmin()]
        return float(x), float(y), float(z)
    x, y, z = near[((line - near) ** 2).sum(-1).argmin()]
    return float(x), float(y), float(z)


def nearest_point(zone: Zone, points: Array) -> Array:
    """For each of ``points`` (N, 3) the point of the zone that is nearest to it; the point itself if it is inside."""
    if isinstance(zone, Box):
        cos, sin = np.cos(zone.yaw), np.sin(zone.yaw)
        turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        half = np.array(zone.size) / 2
        inside: Array = np.clip((points - zone.center) @ turn.T, -half, half) @ turn + zone.center
        return inside
    if isinstance(zone, Cylinder):
        local = points - np.array(zone.center)
        out = np.hypot(local[:, 0], local[:, 1])
        shrink = np.minimum(1.0, zone.radius / np.maximum(out, 1e-30))
        z = np.clip(local[:, 2], -zone.height / 2, zone.height / 2)
        return np.asarray(np.stack([local[:, 0] * shrink, local[:, 1] * shrink, z], -1) + np.array(zone.center))
    if isinstance(zone, Sphere):
        zone = CapsuleZone(zone.name, zone.center, zone.center, zone.radius)
    start, along = np.array(zone.start), np.array(zone.end) - np.array(zone.start)
    share = np.clip((points - start) @ along / max(float(along @ along), 1e-30), 0.0, 1.0)
    middle = start + share[:, None] * along
    off = points - middle
    long = np.sqrt((off**2).sum(-1, keepdims=True))
    near: Array = middle + off * np.minimum(1.0, zone.radius / np.maximum(long, 1e-30))
    return near
