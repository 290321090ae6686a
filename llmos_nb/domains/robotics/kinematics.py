"""Where the links are for given joint angles, and which angles bring the tool somewhere.

All functions take one pose ``(n,)`` or many at once ``(N, n)``, in radians, and give metres. See
:mod:`~llmos_nb.domains.robotics.arm` for the frames.

>>> from llmos_nb.domains.robotics.kinematics import solve, tool_pose
>>> position, rotation = tool_pose(ARM, ARM.home)       # (3,), (3, 3); the columns are the tool's x, y and z axes
>>> solution = solve(ARM, (0.45, -0.30, 0.30), axis=(0, 0, -1), near=ARM.home)
>>> solution.reached, solution.q
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.finite import finites

__all__ = ["Poses", "Solution", "forward", "jacobian", "solve", "tool_pose"]

Array = NDArray[np.float64]
#: How near the tool must come to count as there: metres, radians.
POSITION_TOLERANCE: Final = 1e-4
ANGLE_TOLERANCE: Final = 1e-3
_STARTS: Final = 24
_ROUNDS: Final = 120


@dataclass(frozen=True, slots=True)
class Poses:
    """N poses of an arm with n joints and L links, in the world.

    ``places`` (N, n+1, 3) and ``turns`` (N, n+1, 3, 3): the frames, 0 first. ``axes`` (N, n, 3): the joints' axes.
    ``ends`` (N, L, 2, 3): the two ends of each link's segment.
    """

    places: Array
    turns: Array
    axes: Array
    ends: Array


@dataclass(frozen=True, slots=True)
class Solution:
    """What :func:`solve` found. ``q`` is the best pose, also where it did not reach; errors in metres and radians."""

    reached: bool
    q: tuple[float, ...]
    position_error: float
    angle_error: float
    reason: str = ""


@cache
def _constants(arm: Arm) -> tuple[Array, ...]:
    axes = np.array([joint.axis for joint in arm.joints])
    offsets = np.array([joint.offset for joint in arm.joints])
    cross = np.zeros((len(axes), 3, 3))
    x, y, z = axes.T
    cross[:, 0, 1], cross[:, 0, 2] = -z, y
    cross[:, 1, 0], cross[:, 1, 2] = z, -x
    cross[:, 2, 0], cross[:, 2, 1] = -y, x
    return axes, offsets, cross, cross @ cross


def forward(arm: Arm, q: ArrayLike, opening: float | None = None, held: Sequence[Any] = ()) -> Poses:
    """The frames and links of ``arm`` for joint angles ``q`` (N, n) and a hand open by ``opening`` metres.

    ``held`` are further capsules ``(start, end, radius)`` in the last joint's frame, as the last of the links.
    """
    angles = np.atleast_2d(np.asarray(q, dtype=float))
    axes, offsets, cross, squared = _constants(arm)
    count, joints = angles.shape
    turned = np.eye(3) + np.sin(angles)[..., None, None] * cross + (1.0 - np.cos(angles))[..., None, None] * squared
    places = np.zeros((count, joints + 1, 3))
    turns = np.empty((count, joints + 1, 3, 3))
    turns[:, 0] = np.eye(3)
    for j in range(joints):
        places[:, j + 1] = places[:, j] + turns[:, j] @ offsets[j]
        np.matmul(turns[:, j], turned[:, j], out=turns[:, j + 1])
    world_axes = np.einsum("njab,jb->nja", turns[:, 1:], axes)
    opened = arm.home_opening if opening is None else opening
    local = [
        [np.add(link.start, np.multiply(link.slide, opened)), np.add(link.end, np.multiply(link.slide, opened))]
        for link in arm.links
    ]
    local += [[np.asarray(start, float), np.asarray(end, float)] for start, end, _ in held]
    frames = [link.frame for link in arm.links] + [joints] * len(held)
    ends = places[:, frames, None, :] + np.einsum("nlab,leb->nlea", turns[:, frames], np.array(local))
    return Poses(places, turns, world_axes, ends)


def tool_pose(arm: Arm, q: ArrayLike) -> tuple[Array, Array]:
    """The tool's place (3,) and its axes (3, 3; columns x, y, z) in the world."""
    poses = forward(arm, q)
    turn = poses.turns[0, -1]
    return poses.places[0, -1] + turn @ np.array(arm.tool), turn


def jacobian(arm: Arm, q: ArrayLike) -> Array:
    """The tool's geometric Jacobian (6, n): rows are its velocity (m/s) and turning (rad/s) for each rad/s of a joint."""
    poses = forward(arm, q)
    tool = poses.places[0, -1] + poses.turns[0, -1] @ np.array(arm.tool)
    axes = poses.axes[0]
    return np.concatenate([np.cross(axes, tool - poses.places[0, 1:]), axes], axis=1).T


def solve(
    arm: Arm,
    position: Sequence[float],
    *,
    axis: Sequence[float] | None = None,
    rotation: ArrayLike | None = None,
    near: Sequence[float] | None = None,
) -> Solution:
    """Joint angles that bring the tool to ``position``, by damped least squares within the joints' limits.

    With ``axis`` the tool's z axis points there (``(0, 0, -1)``: straight down); with ``rotation`` (3, 3) all of its
    axes are given. Of the poses found from several fixed starts the one nearest to ``near`` (home if None) is given, by
    the largest turn of a joint. Nothing is random: the same question has the same answer.

    The damping follows Nakamura & Hanafusa 1986 and falls with the error, as in Sugihara 2011.

    Raises:
        ArmError: a number is not finite, or an axis or a rotation is none.
    """
    count = len(arm.joints)
    target = finites(position, 3)
    if target is None:
        raise ArmError(f"A position has three finite numbers in metres, got {position!r:.80}.")
    start = finites(arm.home if near is None else near, count)
    if start is None:
        raise ArmError(f"A pose has {count} finite numbers in radians, got {near!r:.80}.")
    wanted = _turn(rotation)
    pointing = _direction(axis)
    reach = float(sum(np.linalg.norm(joint.offset) for joint in arm.joints) + np.linalg.norm(arm.tool))
    if (far := float(np.linalg.norm(target))) > reach:
        return Solution(False, start, far - reach, 0.0, f"it is {far:.2f} m away; the arm is {reach:.2f} m long")
    low = np.array([joint.low for joint in arm.joints])
    high = np.array([joint.high for joint in arm.joints])
    here = np.clip(np.array(start), low, high)
    best: tuple[float, float, Array, float, float] | None = None
    for number, first in enumerate(_starts(low, high, here)):
        q, far, turned = _descend(arm, first, np.array(target), pointing, wanted, low, high)
        good = far <= POSITION_TOLERANCE and turned <= ANGLE_TOLERANCE
        rank = (float(np.abs(q - here).max()) if good else 1e3 + far + 0.3 * turned, float(number))
        if best is None or rank < best[:2]:
            best = (*rank, q, far, turned)
        if good and (number == 0 or (number >= 8 and best[0] < 1e3)):
            break  # the pose reached straight from here is the one that a person expects
    assert best is not None
    _, _, q, far, turned = best
    reached = far <= POSITION_TOLERANCE and turned <= ANGLE_TOLERANCE
    reason = ""
    if not reached:
        told = f"{far * 100:.1f} cm" if far > POSITION_TOLERANCE else f"{np.degrees(turned):.0f} degrees"
        reason = f"the nearest pose that the joints allow misses it by {told}"
    return Solution(reached, tuple(map(float, q)), far, turned, reason)


def _direction(axis: Sequence[float] | None) -> Array | None:
    if axis is None:
        return None
    numbers = finites(axis, 3)
    long = float(np.linalg.norm(numbers)) if numbers else 0.0
    if not numbers or not 1e-9 < long < 1e9:
        raise ArmError(f"A direction has three finite numbers that are not all 0, got {axis!r:.80}.")
    direction: Array = np.array(numbers) / long
    return direction


def _turn(rotation: ArrayLike | None) -> Array | None:
    if rotation is None:
        return None
    turn = np.asarray(rotation, dtype=float)
    proper = turn.shape == (3, 3) and bool(np.isfinite(turn).all())
    if not proper or not np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) or np.linalg.det(turn) < 0:
        raise ArmError("A rotation is a 3 by 3 matrix whose columns are the tool's x, y and z axes.")
    return turn


def _starts(low: Array, high: Array, here: Array) -> list[Array]:
    """The pose at hand, and poses spread over what the joints allow (a Kronecker sequence of the golden-ratio kind)."""
    ratio = 1.1347241384015194  # the root of x^(n+1) = x + 1 for n = 6, see Roberts 2018
    steps = ratio ** -np.arange(1, len(here) + 1)
    spread = [(0.5 + number * steps) % 1.0 for number in range(_STARTS)]
    return [here, *(low + (0.1 + 0.8 * share) * (high - low) for share in spread)]


def _descend(
    arm: Arm, q: Array, target: Array, pointing: Array | None, wanted: Array | None, low: Array, high: Array
) -> tuple[Array, float, float]:
    far = turned = float("inf")
    tool = np.array(arm.tool)
    for _ in range(_ROUNDS):
        poses = forward(arm, q)
        turn = poses.turns[0, -1]
        place = poses.places[0, -1] + turn @ tool
        off = target - place
        spin = np.zeros(3)
        if wanted is not None:
            spin = _log(wanted @ turn.T)
        elif pointing is not None:
            spin = _between(turn[:, 2], pointing)
        far, turned = float(np.linalg.norm(off)), float(np.linalg.norm(spin))
        if far < POSITION_TOLERANCE / 100 and turned < ANGLE_TOLERANCE / 100:
            break
        axes = poses.axes[0]
        rows = np.cross(axes, place - poses.places[0, 1:]).T
        error = off
        if wanted is not None or pointing is not None:
            turning = axes.T
            if wanted is None:  # turning about the tool's own axis is free
                turning = turning - np.outer(turn[:, 2], turn[:, 2] @ turning)
            rows = np.concatenate([rows, 0.3 * turning])
            error = np.concatenate([off, 0.3 * spin])
        # A joint at its limit that would be pushed out of it does not move: the others are asked anew.
        free = np.ones(len(q), dtype=bool)
        damping = 1e-6 + 0.5 * float(error @ error)
        step = np.zeros(len(q))
        for _ in range(len(q)):
            part = rows[:, free]
            step[:] = 0.0
            step[free] = part.T @ np.linalg.solve(part @ part.T + damping * np.eye(len(part)), error)
            stuck = free & (((q >= high) & (step > 0)) | ((q <= low) & (step < 0)))
            if not stuck.any():
                break
            free &= ~stuck
            if not free.any():
                break
        largest = float(np.abs(step).max())
        if largest < 1e-10:
            break
        q = np.clip(q + step * min(1.0, 0.5 / largest), low, high)
    return q, far, turned


def _log(turn: Array) -> Array:
    """The rotation vector of a rotation matrix."""
    cos = float(np.clip((np.trace(turn) - 1.0) / 2.0, -1.0, 1.0))
    axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    long = float(np.linalg.norm(axis))
    if long > 1e-6:
        return np.asarray(axis / long * np.arctan2(long / 2.0, cos))
    if cos > 0:
        return axis / 2.0
    column = int(np.argmax(np.diag(turn)))  # a half turn: the axis is a column of R + I
    half: Array = turn[:, column] + np.eye(3)[column]
    return np.asarray(half / np.linalg.norm(half) * np.pi)


def _between(one: Array, other: Array) -> Array:
    """The shortest rotation vector that turns one unit vector into another."""
    axis = np.cross(one, other)
    sin, cos = float(np.linalg.norm(axis)), float(one @ other)
    if sin > 1e-9:
        return np.asarray(axis / sin * np.arctan2(sin, cos))
    if cos > 0:
        return np.zeros(3)
    aside = np.cross(one, np.eye(3)[int(np.argmin(np.abs(one)))])
    return np.asarray(aside / np.linalg.norm(aside) * np.pi)
