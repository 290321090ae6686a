"""A motion: straight lines in joint space from pose to pose, with its time told, and its corners rounded where they are
flat.

Along a line by ``d`` that takes ``T`` seconds the share of the way is ``s(u) = 10 u³ - 15 u⁴ + 6 u⁵`` with ``u = t / T``:
speed and acceleration are 0 at both ends. Its largest speed is ``15/8 / T`` (at u = 1/2) and its largest acceleration
``10/√3 / T²`` (at u = (3 ± √3) / 6), so that a joint that turns by ``d`` keeps a speed limit ``v`` and an acceleration
limit ``a`` if and only if ``T >= 15/8 d / v`` and ``T² >= 10/√3 d / a``. These are proved for every instant, not sampled.

A line may begin before the one before it has ended (``begins``): then both turn the joints at once, the arm does not
stop between them, and it passes the corner on its inner side. At most two lines overlap, each by less than half of it;
so the share ``s`` done of the first is more than the share ``t`` done of the second, and the pose is the mixture
``(1 - s) a + (s - t) b + t c`` of the three waypoints, which is within the joints' limits if they are. While they
overlap, speeds and accelerations are bounded by their values on a fine grid and by how much they can change between two
of its points, which the next derivative bounds (:func:`strain`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.finite import finite, finites

__all__ = [
    "MAX_WAYPOINTS",
    "PEAK_ACCELERATION",
    "PEAK_SPEED",
    "Motion",
    "Pose",
    "least_time",
    "plan",
    "progress",
    "strain",
]

Array = NDArray[np.float64]
Pose = tuple[float, ...]
PEAK_SPEED: Final = 15 / 8
PEAK_ACCELERATION: Final = 10 / math.sqrt(3)
#: The third derivative of s(u) is at most this.
_PEAK_JERK: Final = 60.0
MAX_WAYPOINTS: Final = 100
#: The shortest time that a line takes, in seconds.
SHORTEST: Final = 0.02
#: How much of the shorter of two lines overlaps at a flat corner: in the middle of the overlap each has half of its
#: largest speed, and a straight way is gone at an even speed.
OVERLAP: Final = 0.46
#: A corner is flat if the lines differ in direction by less than this (the cosine of 40 degrees).
_FLAT: Final = 0.766
_GRID: Final = 129


@dataclass(frozen=True, slots=True)
class Motion:
    """From ``start`` through ``waypoints`` (rad); line k takes ``durations[k]`` seconds and begins at ``begins[k]``.

    Without ``begins`` each line begins when the one before it has ended.
    """

    start: Pose
    waypoints: tuple[Pose, ...]
    durations: tuple[float, ...]
    begins: tuple[float, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds in all."""
        return self.starts[-1] + self.durations[-1] if self.durations else 0.0

    @property
    def starts(self) -> tuple[float, ...]:
        """When each line begins, in seconds."""
        return self.begins or (0.0, *accumulate(self.durations[:-1]))

    @property
    def end(self) -> Pose:
        """Where it ends."""
        return self.waypoints[-1] if self.waypoints else self.start

    @property
    def lines(self) -> list[tuple[Pose, Pose]]:
        """The straight lines in joint space, with the corners as they are."""
        return list(pairwise((self.start, *self.waypoints)))

    def at(self, time: float) -> tuple[Pose, Pose, Pose]:
        """Angles, speeds and accelerations at ``time`` (s), which is kept within the motion."""
        joints = range(len(self.start))
        q, qd, qdd = list(self.start), [0.0 for _ in joints], [0.0 for _ in joints]
        for (one, other), takes, begins in zip(self.lines, self.durations, self.starts, strict=True):
            if time <= begins:
                break
            if time >= begins + takes:
                q = list(other)  # the lines before it have ended, too
                continue
            share, rate, change = progress((time - begins) / takes)
            for j in joints:
                turn = other[j] - one[j]
                q[j] += share * turn
                qd[j] += rate / takes * turn
                qdd[j] += change / takes**2 * turn
        return tuple(q), tuple(qd), tuple(qdd)

    def time_at(self, line: int, share: float) -> float:
        """When the motion has done ``share`` of a line, in seconds from its start."""
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if progress(middle)[0] < share else (low, middle)
        return self.starts[line] + high * self.durations[line]


def progress(u: float) -> tuple[float, float, float]:
    """The share of the way at the share ``u`` of the time, and its first and second derivative by ``u``."""
    return (
        u**3 * (10 - 15 * u + 6 * u * u),
        30 * u * u * (1 - u) ** 2,
        60 * u * (1 - u) * (1 - 2 * u),
    )


def least_time(arm: Arm, one: Sequence[float], other: Sequence[float]) -> float:
    """The shortest time (s) in which the arm may go from one pose to the other within its speeds and accelerations."""
    least = SHORTEST
    for joint, a, b in zip(arm.joints, one, other, strict=True):
        turn = abs(b - a)
        least = max(least, PEAK_SPEED * turn / joint.speed, math.sqrt(PEAK_ACCELERATION * turn / joint.acceleration))
    return least


def strain(arm: Arm, motion: Motion) -> tuple[float, float]:
    """Bounds on the motion's speeds and accelerations where two lines overlap, as shares of what the joints may do.

    Both are 0 where none do. Each is proved: the value on a grid, and what it can change in half of a step.
    """
    starts, times = np.array(motion.starts), np.array(motion.durations)
    turns = np.array(motion.waypoints) - np.array((motion.start, *motion.waypoints[:-1]))
    overlaps = starts[:-1] + times[:-1] - starts[1:]
    corners = np.nonzero(overlaps > 0)[0]
    if not len(corners):
        return 0.0, 0.0
    grid = np.linspace(0.0, 1.0, _GRID)
    long = overlaps[corners][:, None]
    rates = np.zeros((len(corners), _GRID, turns.shape[1]))
    changes, rate_slack, change_slack = np.zeros_like(rates), 0.0, 0.0
    for line, u in (
        (corners, 1.0 - long * (1.0 - grid) / times[corners][:, None]),
        (corners + 1, long * grid / times[corners + 1][:, None]),
    ):
        takes, turn = times[line][:, None], turns[line]
        rates += (30 * u**2 * (1 - u) ** 2 / takes)[..., None] * turn[:, None]
        changes += (60 * u * (1 - u) * (1 - 2 * u) / takes**2)[..., None] * turn[:, None]
        rate_slack = rate_slack + PEAK_ACCELERATION / takes**2 * np.abs(turn)
        change_slack = change_slack + _PEAK_JERK / takes**3 * np.abs(turn)
    half = long / (_GRID - 1) / 2
    speeds = np.array([joint.speed for joint in arm.joints])
    limits = np.array([joint.acceleration for joint in arm.joints])
    fast = ((np.abs(rates).max(1) + half * rate_slack) / speeds).max()
    hard = ((np.abs(changes).max(1) + half * change_slack) / limits).max()
    return float(fast), float(hard)


def plan(arm: Arm, start: Sequence[float], waypoints: Sequence[Sequence[float]], *, speed: float = 1.0) -> Motion:
    """A quick motion through ``waypoints`` at ``speed`` (0.01 to 1) times what the arm allows.

    It stops at waypoints where it turns, and passes by those that lie on a nearly straight way. It says nothing of what
    stands in the way: only the gate does.

    Raises:
        ArmError: a pose has another number of joints or a number that is not finite, there are none or too many
            waypoints, or the speed is out of range.
    """
    joints = len(arm.joints)
    first = finites(start, joints)
    if not isinstance(waypoints, (list, tuple)) or not 0 < len(waypoints) <= MAX_WAYPOINTS:
        raise ArmError(f"A motion has 1 to {MAX_WAYPOINTS} waypoints, each with {joints} angles in radians.")
    poses = [finites(pose, joints) for pose in waypoints]
    for given, pose in [(start, first), *zip(waypoints, poses, strict=True)]:
        if pose is None:
            raise ArmError(f"A pose has {joints} finite angles in radians, got {given!r:.100}.")
    share = finite(speed)
    if share is None or not 0.01 <= share <= 1.0:
        raise ArmError(f"The speed is a share of the arm's own from 0.01 to 1, got {speed!r:.80}.")
    known = [pose for pose in (first, *poses) if pose is not None]
    # A hair more than the least time, so that rounding does not carry it past a limit.
    times = [least_time(arm, a, b) * (1 + 1e-9) / share for a, b in pairwise(known)]
    begins = [0.0]
    for k in range(1, len(times)):
        overlap = OVERLAP * min(times[k - 1], times[k]) if _is_flat(*known[k - 1 : k + 2]) else 0.0
        begins.append(begins[-1] + times[k - 1] - overlap)
    motion = Motion(known[0], tuple(known[1:]), tuple(times), tuple(begins))
    fast, hard = strain(arm, motion)
    slower = max(1.0, fast / share, math.sqrt(hard) / share) * (1 + 1e-9)
    if slower > 1.0 + 1e-8:
        return Motion(
            motion.start, motion.waypoints, tuple(t * slower for t in times), tuple(t * slower for t in begins)
        )
    return motion


def _is_flat(one: Pose, corner: Pose, other: Pose) -> bool:
    into, out = np.subtract(corner, one), np.subtract(other, corner)
    long = float(np.linalg.norm(into) * np.linalg.norm(out))
    with np.errstate(over="ignore"):
        return math.isfinite(long) and long > 0 and float(into @ out) > _FLAT * long
