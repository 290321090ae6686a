"""From where the hand is to go, to poses that bring it there in a straight line. What stands in the way is not looked at.

A line is cut where the hand would leave it by more than :data:`BEND`: between two poses the joints turn evenly, and the
hand moves in an arc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.errors import Unreachable
from llmos_nb.domains.robotics.kinematics import Solution, solve, tool_pose
from llmos_nb.domains.robotics.motion import Pose

__all__ = ["BEND", "DOWN", "points_along", "way_to"]

Array = NDArray[np.float64]
#: How far the hand may leave the straight line, in metres.
BEND: Final = 0.004
DOWN: Final = (0.0, 0.0, -1.0)
#: Poses of one line at the most, and how far a joint may turn between two of them (rad): more is a jump to another
#: posture, and then the hand goes in an arc.
MOST: Final = 32
JUMP: Final = 1.2


def way_to(arm: Arm, q: Pose, target: Sequence[float], *, upright: bool = False) -> tuple[Pose, ...]:
    """Poses after ``q`` that bring the tool to ``target`` (metres), in a straight line where the joints allow one.

    The hand points down, turned as it is where that can be. Only where no such pose is there, and not if ``upright``,
    it may point elsewhere.

    Raises:
        Unreachable: no pose has the tool there.
    """
    place, turn = tool_pose(arm, q)
    goal = np.array([float(number) for number in target])
    points_down = float(turn[:, 2] @ np.array(DOWN)) > 0.999
    ways: list[_Hand] = [_Hand(axis=DOWN)]
    ways = [_Hand(rotation=turn), *ways] if points_down else ways
    ways = ways if upright else [*ways, _Hand()]
    bent: tuple[Pose, ...] = ()
    reason = ""
    for hand in ways:
        end = hand.at(arm, goal, q)
        if not end.reached:
            reason = end.reason
            continue
        line = _line(arm, q, place, goal, hand)
        if line is not None:
            return line
        bent = bent or (end.q,)
    if bent:
        return bent
    raise Unreachable(
        f"The hand cannot get to {_said(goal)}{', pointing down' if upright else ''}: {reason}.",
        remedy="Name a place nearer to the arm; pointing down its hand reaches about 60 cm around the base.",
    )


@dataclass(frozen=True, slots=True)
class _Hand:
    """How the hand is to point: wholly as told, along an axis, or anyhow."""

    rotation: Array | None = None
    axis: tuple[float, float, float] | None = None

    def at(self, arm: Arm, place: Array, near: Pose) -> Solution:
        if (missing := self._too_far(arm, place)) > 0:  # seen at once; to search for a pose takes seconds
            return Solution(False, near, missing, 0.0, f"it is {missing * 100:.1f} cm too far away")
        return solve(arm, [float(number) for number in place], rotation=self.rotation, axis=self.axis, near=near)

    def _too_far(self, arm: Arm, place: Array) -> float:
        """By how much the stretched arm is too short: the shoulder stands still, and behind the wrist is the hand."""
        offsets = [np.array(joint.offset) for joint in arm.joints]
        hand = float(np.linalg.norm(offsets[5] + np.array(arm.tool)))
        stretched = float(np.linalg.norm(offsets[2]) + np.linalg.norm(offsets[3] + offsets[4]))
        pointing = self.rotation[:, 2] if self.rotation is not None else self.axis
        if pointing is None:
            far = float(np.linalg.norm(place - offsets[0] - offsets[1])) - hand
        else:
            far = float(np.linalg.norm(place - hand * np.array(pointing) - offsets[0] - offsets[1]))
        return far - stretched


def _line(arm: Arm, q: Pose, start: Array, goal: Array, hand: _Hand) -> tuple[Pose, ...] | None:
    """Poses along the straight line; None if one is missing or far from the one before."""
    poses: list[tuple[float, Pose]] = [(0.0, q)]
    wanted = [1.0]
    while wanted:
        share = wanted[-1]
        before, near = poses[-1]
        found = hand.at(arm, start + share * (goal - start), near)
        if not found.reached:
            return None
        middle = 0.5 * (before + share)
        far = max(abs(a - b) for a, b in zip(found.q, near, strict=True))
        halfway, _ = tool_pose(arm, [0.5 * (a + b) for a, b in zip(near, found.q, strict=True)])
        if far > JUMP or float(np.linalg.norm(halfway - (start + middle * (goal - start)))) > BEND:
            if len(poses) + len(wanted) >= MOST or share - before < 1 / MOST:
                return None
            wanted.append(middle)
            continue
        wanted.pop()
        poses.append((share, found.q))
    return tuple(pose for _, pose in poses[1:])


def points_along(arm: Arm, poses: Sequence[Pose], each: int = 8) -> list[tuple[float, float, float]]:
    """Places of the tool along the lines between ``poses``, ``each`` for a line and the last one: for a drawing."""
    shares = np.arange(each) / each
    rows = [
        (1 - share) * np.array(one) + share * np.array(other) for one, other in pairwise(poses) for share in shares
    ]
    rows.append(np.array(poses[-1]))
    places = [tool_pose(arm, row)[0] for row in rows]
    return [(float(x), float(y), float(z)) for x, y, z in places]


def _said(place: Array) -> str:
    return "(" + ", ".join(f"{number:.3f}" for number in place) + ") m"
