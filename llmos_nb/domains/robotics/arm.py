"""A robot arm as data: its joints, its links and its hand. Everything else is made from this one table.

The kinematics, the safety gate and the MuJoCo model all read the same :class:`Arm`, so that they cannot drift apart.

Frames: frame 0 is the world (x forward, y left, z up, metres); frame ``i`` moves with joint ``i`` (counted from 1). A
joint's ``offset`` is its place in the frame before it; with all joints at 0 no frame is turned, so the arm stands
straight up and every frame has the world's axes. The tool's frame is that of the last joint, moved by ``tool``; its z
axis points out of the hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Final

__all__ = ["ARM", "Arm", "Joint", "Link", "Vector"]

Vector = tuple[float, float, float]
_DEGREE: Final = pi / 180


@dataclass(frozen=True, slots=True)
class Joint:
    """One joint, turning about ``axis`` (a unit vector): limits in rad, rad/s and rad/s²."""

    name: str
    axis: Vector
    offset: Vector
    low: float
    high: float
    speed: float
    acceleration: float


@dataclass(frozen=True, slots=True)
class Link:
    """A capsule: all points within ``radius`` of the segment from ``start`` to ``end``, which moves with ``frame``.

    ``slide`` is how far a finger moves for each metre that the hand opens; zero for all others.
    """

    name: str
    frame: int
    start: Vector
    end: Vector
    radius: float
    slide: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm: joints from the base outward, links as capsules, and a hand whose two fingers open and close.

    ``opening`` is the distance between the pads of the fingers, from 0 to ``opening`` metres; ``grip_speed`` is in m/s.
    ``home`` is the pose it starts from, with the hand open by ``home_opening``. Links of frame 0 are fixed: they are
    part of the table and only the arm itself must not hit them. ``touching`` names pairs of links that are joined.
    """

    name: str
    joints: tuple[Joint, ...]
    links: tuple[Link, ...]
    tool: Vector
    home: tuple[float, ...]
    opening: float
    grip_speed: float
    home_opening: float
    touching: frozenset[frozenset[str]]

    @property
    def fingers(self) -> tuple[Link, ...]:
        """The links that move when the hand opens."""
        return tuple(link for link in self.links if any(link.slide))

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Which links must not hit one another: indices, the one nearer to the base first."""
        order = sorted(range(len(self.links)), key=lambda i: (self.links[i].frame, i))
        return tuple(
            (one, other)
            for place, one in enumerate(order)
            for other in order[place + 1 :]
            if self.links[one].frame != self.links[other].frame
            and frozenset({self.links[one].name, self.links[other].name}) not in self.touching
        )


X: Final[Vector] = (1.0, 0.0, 0.0)
Y: Final[Vector] = (0.0, 1.0, 0.0)
Z: Final[Vector] = (0.0, 0.0, 1.0)

#: A desk arm with six joints: yaw, pitch, pitch, roll, pitch, roll. It reaches 0.95 m from its shoulder.
ARM: Final = Arm(
    name="desk-arm",
    joints=(
        #     name             axis  offset           low             high            speed  acceleration
        Joint("base_yaw",      Z, (0.0, 0.0, 0.10), -170 * _DEGREE,  170 * _DEGREE,  1.6,   4.0),
        Joint("shoulder",      Y, (0.0, 0.0, 0.16), -100 * _DEGREE,  130 * _DEGREE,  1.6,   4.0),
        Joint("elbow",         Y, (0.0, 0.0, 0.38), -150 * _DEGREE,  150 * _DEGREE,  1.8,   5.0),
        Joint("forearm_roll",  Z, (0.0, 0.0, 0.18), -175 * _DEGREE,  175 * _DEGREE,  2.6,   8.0),
        Joint("wrist_pitch",   Y, (0.0, 0.0, 0.18), -125 * _DEGREE,  125 * _DEGREE,  2.6,   8.0),
        Joint("wrist_roll",    Z, (0.0, 0.0, 0.09), -175 * _DEGREE,  175 * _DEGREE,  3.0,  10.0),
    ),
    links=(
        #    name             frame  start               end                 radius
        Link("base",            0, (0.0, 0.0, 0.05),   (0.0, 0.0, 0.10),   0.06),
        Link("shoulder",        1, (0.0, -0.05, 0.16), (0.0, 0.05, 0.16),  0.055),
        Link("upper_arm",       2, (0.0, 0.0, 0.04),   (0.0, 0.0, 0.38),   0.045),
        Link("elbow",           3, (0.0, 0.0, 0.02),   (0.0, 0.0, 0.18),   0.042),
        Link("forearm",         4, (0.0, 0.0, 0.02),   (0.0, 0.0, 0.18),   0.038),
        Link("wrist",           5, (0.0, 0.0, 0.02),   (0.0, 0.0, 0.07),   0.035),
        Link("hand",            6, (0.0, -0.045, 0.04), (0.0, 0.045, 0.04), 0.025),
        Link("finger_left",     6, (0.0, 0.008, 0.07), (0.0, 0.008, 0.13), 0.008, (0.0, 0.5, 0.0)),
        Link("finger_right",    6, (0.0, -0.008, 0.07), (0.0, -0.008, 0.13), 0.008, (0.0, -0.5, 0.0)),
    ),
    tool=(0.0, 0.0, 0.125),
    home=(0.0, 0.285682328, 1.594464619, 0.0, 1.261445706, 0.0),  # the tool at (0.45, 0, 0.30), pointing down
    opening=0.08,
    grip_speed=0.10,
    home_opening=0.08,
    touching=frozenset(
        frozenset(pair)
        for pair in (
            ("shoulder", "upper_arm"), ("upper_arm", "elbow"), ("elbow", "forearm"),
            ("forearm", "wrist"), ("wrist", "hand"), ("wrist", "finger_left"), ("wrist", "finger_right"),
        )
    ),
)  # fmt: skip
