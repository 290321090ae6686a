"""Distances between segments and the shapes that stand around the arm, for many pairs at once.

A capsule is a segment with a radius, so every distance between a link and something else is the distance of a segment
less the radii. All functions take arrays whose last axis is x, y, z and whose other axes are alike, in metres, and give
distances with those axes. They are exact up to rounding (:func:`segment_cylinder`: never too large, and at most
1e-9 m too small), and 0 where the two touch or overlap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "capsule_capsule",
    "point_segment",
    "segment_box",
    "segment_cylinder",
    "segment_plane",
    "segment_segment",
]

Array = NDArray[np.float64]
_TINY = 1e-30


def _dot(one: Array, other: Array) -> Array:
    product: Array = np.einsum("...i,...i->...", one, other)
    return product


def point_segment(point: Array, start: Array, end: Array) -> Array:
    """From points to segments."""
    along = end - start
    share = np.clip(_dot(point - start, along) / np.maximum(_dot(along, along), _TINY), 0.0, 1.0)
    off = start + share[..., None] * along - point
    distance: Array = np.sqrt(_dot(off, off))
    return distance


def segment_segment(start: Array, end: Array, other_start: Array, other_end: Array) -> Array:
    """From segments to segments.

    The squared distance is convex in the two shares along the segments. Its least value lies inside both, where its
    gradient is 0, or on the border of the square of shares, that is at an end of one of them.
    """
    nearest = np.minimum(
        np.minimum(point_segment(start, other_start, other_end), point_segment(end, other_start, other_end)),
        np.minimum(point_segment(other_start, start, end), point_segment(other_end, start, end)),
    )
    one, other, gap = end - start, other_end - other_start, start - other_start
    a, b, c = _dot(one, one), _dot(one, other), _dot(other, other)
    d, e = _dot(one, gap), _dot(other, gap)
    across = a * c - b * b
    skew = across > 1e-12 * a * c  # else parallel: an end is as near as any other point
    safe = np.where(skew, across, 1.0)
    s, t = (b * e - c * d) / safe, (a * e - b * d) / safe
    inside = skew & (s > 0.0) & (s < 1.0) & (t > 0.0) & (t < 1.0)
    off = gap + s[..., None] * one - t[..., None] * other
    return np.where(inside, np.minimum(nearest, np.sqrt(_dot(off, off))), nearest)


def capsule_capsule(start: Array, end: Array, radius: Array, other: tuple[Array, Array, Array]) -> Array:
    """From capsules to capsules ``(start, end, radius)``; below 0 where they overlap."""
    distance: Array = segment_segment(start, end, other[0], other[1]) - radius - other[2]
    return distance


def segment_plane(start: Array, end: Array, normal: Array, offset: Array) -> Array:
    """How far segments are above planes ``normal · x = offset`` (unit normals), below 0 where they reach under them."""
    return np.minimum(_dot(start, normal), _dot(end, normal)) - offset


def segment_box(start: Array, end: Array, half: Array) -> Array:
    """From segments to boxes that stand in the middle of the frame, reaching ``half`` to each side.

    The squared distance from the point at share t is convex in t, and its slope is linear between the at most six
    shares at which the segment passes a plane of the box. So the two of them (or the ends) between which the slope
    passes 0 give the nearest point by one linear interpolation.
    """
    along = end - start
    moving = np.abs(along) > 1e-15
    safe = np.where(moving, along, 1.0)
    passes = np.concatenate([(half - start) / safe, (-half - start) / safe], axis=-1)
    passes = np.clip(np.where(np.concatenate([moving, moving], axis=-1), passes, 0.0), 0.0, 1.0)
    ends = np.broadcast_to(np.array([0.0, 1.0]), (*passes.shape[:-1], 2))
    shares = np.concatenate([passes, ends], axis=-1)
    points = start[..., None, :] + shares[..., None] * along[..., None, :]
    bounds = half[..., None, :]
    slopes = _dot(points - np.clip(points, -bounds, bounds), along[..., None, :])
    left = slopes < 0.0
    before = np.where(left, shares, -1.0)
    after = np.where(left, 2.0, shares)
    low, high = np.argmax(before, axis=-1)[..., None], np.argmin(after, axis=-1)[..., None]
    t0, t1 = np.take_along_axis(before, low, -1)[..., 0], np.take_along_axis(after, high, -1)[..., 0]
    g0, g1 = np.take_along_axis(slopes, low, -1)[..., 0], np.take_along_axis(slopes, high, -1)[..., 0]
    between = (t0 >= 0.0) & (t1 <= 1.0)
    share = np.where(between, t0 - g0 * (t1 - t0) / np.where(between, np.maximum(g1 - g0, _TINY), 1.0), 0.0)
    share = np.where(t1 > 1.0, 1.0, np.where(t0 < 0.0, t1, share))  # the slope never rises to 0, or starts above it
    point = start + np.clip(share, 0.0, 1.0)[..., None] * along
    off = point - np.clip(point, -half, half)
    distance: Array = np.sqrt(_dot(off, off))
    return distance


def segment_cylinder(start: Array, end: Array, radius: Array, half_height: Array) -> Array:
    """From segments to upright cylinders with flat ends that stand in the middle of the frame.

    The distance is convex along the segment, so bisection of its slope closes in on the nearest point. The distance
    changes by no more than the length of what is left, which is taken off: the result is never too large.
    """
    along = end - start
    long = np.sqrt(_dot(along, along))
    low, high = np.zeros_like(long), np.ones_like(long)

    def off(share: Array) -> Array:
        point = start + share[..., None] * along
        out = np.sqrt(point[..., 0] ** 2 + point[..., 1] ** 2)
        shrink = np.maximum(0.0, 1.0 - radius / np.maximum(out, _TINY))
        z = point[..., 2] - np.clip(point[..., 2], -half_height, half_height)
        return np.stack([point[..., 0] * shrink, point[..., 1] * shrink, z], axis=-1)

    for _ in range(34):
        middle = 0.5 * (low + high)
        falling = _dot(off(middle), along) < 0.0
        low, high = np.where(falling, middle, low), np.where(falling, high, middle)
    near, far = off(low), off(high)
    distance = np.sqrt(np.minimum(_dot(near, near), _dot(far, far)))
    lower: Array = np.maximum(0.0, distance - (high - low) * long)
    return lower
