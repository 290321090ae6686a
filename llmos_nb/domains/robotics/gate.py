"""The safety gate at the actuator: a motion is proved safe from its first instant to its last, or it is refused.

>>> gate = Gate(ARM, Scene(zones=(Box("glass wall", (0.4, 0.25, 0.3), (0.4, 0.005, 0.6)),)))
>>> ruling = gate.check(plan(ARM, state.q, [goal]), state)
>>> ruling.ok, ruling.reason
(False, "hand would hit the zone 'glass wall' after 0.84 s")

What a motion must pass, in this order; the first thing that is wrong is told, and anything that cannot be decided is
refused:

1. *form*: every number finite, every pose with one angle for each joint, times above 0;
2. *limit*: all poses within the joints' limits; in between too, since the lines between them are straight and their
   corners are cut on the inner side;
3. *speed*, *acceleration*: at every instant, by the bounds proved in :mod:`~llmos_nb.domains.robotics.motion`;
4. *start*: the arm stands still where the motion begins, as measured;
5. *workspace*, *floor*, *zone*, *thing*, *self*: no link comes nearer than the margin to anything, along the whole path, by
   conservative advancement (:mod:`~llmos_nb.domains.robotics.advance` has the proof).

The gate itself moves nothing. :class:`~llmos_nb.domains.robotics.actuator.Actuator` asks it before each motion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import Final

import numpy as np

from llmos_nb.domains.robotics.advance import Surroundings, reach_of_motion
from llmos_nb.domains.robotics.arm import ARM, Arm, Vector
from llmos_nb.domains.robotics.contact import contact_point
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.kinematics import forward, tool_pose
from llmos_nb.domains.robotics.motion import MAX_WAYPOINTS, SHORTEST, Motion, Pose, least_time, strain
from llmos_nb.domains.robotics.path import Path
from llmos_nb.domains.robotics.scene import SCENE, Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.things import Thing, graspable

__all__ = ["KEEP", "MARGIN", "STILL", "Gate", "Ruling"]

#: A motion is refused where something comes as near as this (m) …
MARGIN: Final = 0.003
#: … and proved to stay farther than this from everything. An arm that follows its motion less well is stopped.
KEEP: Final = 0.0015
#: Slower than this (rad/s) counts as standing still.
STILL: Final = 0.01


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate says of a motion, and why.

    ``rule`` is empty if it may go ahead, else the thing that is wrong: ``form``, ``limit``, ``speed``, ``acceleration``,
    ``start``, ``workspace``, ``floor``, ``zone``, ``thing``, ``self`` or ``time`` (not decided); the actuator adds
    ``stopped`` (also where it was stopped on the way), ``halted`` (a motion was broken off, and the next may follow),
    ``busy`` and ``grip``.
    Where something would be hit: ``link`` is the part of the arm, ``other`` what it hits,
    ``time_s`` when, ``q`` the pose in which it does and ``point`` where (m). ``clearance`` (m) is the least that was
    seen, ``looks`` how many poses were looked at.
    """

    ok: bool
    reason: str
    rule: str = ""
    link: str = ""
    other: str = ""
    time_s: float | None = None
    point: Vector | None = None
    q: Pose | None = None
    clearance: float | None = None
    looks: int = 0
    took_ms: float = 0.0


class Gate:
    """Judges motions of ``arm`` in ``scene``. It keeps no state: the same question has the same answer.

    Raises:
        ZoneError: the scene makes no sense.
    """

    def __init__(self, arm: Arm = ARM, scene: Scene = SCENE) -> None:
        self.arm = arm
        self.scene = Scene.of(scene)

    def check(self, motion: Motion, state: State) -> Ruling:
        """Whether ``motion`` is safe for the arm as it was measured."""
        began = perf_counter()
        try:
            ruling = (
                self._form(motion) or self._limits(motion) or self._start(motion, state) or self._path(motion, state)
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            ruling = _no("form", f"the motion cannot be judged: {error!r:.200}")  # what cannot be judged is refused
        return replace(ruling, took_ms=(perf_counter() - began) * 1e3)

    def check_grip(self, opening: object, state: State) -> Ruling:
        """Whether the hand may open to ``opening`` metres where the arm stands: its fingers must not hit anything."""
        began = perf_counter()
        wide = finite(opening)
        if wide is None or not 0.0 <= wide <= self.arm.opening:
            ruling = _no("grip", f"the hand opens from 0 to {self.arm.opening:g} m, not {opening!r:.40}")
        elif (still := self._still(state)) is not None:
            ruling = still
        else:
            ruling = self._fingers(wide, state)
        return replace(ruling, took_ms=(perf_counter() - began) * 1e3)

    def clear(self, state: State) -> Ruling:
        """Whether the arm stands clear of everything, as measured."""
        return self.check(Motion(state.q, (state.q,), (SHORTEST,)), replace(state, qd=(0.0,) * len(state.q)))

    def strays(self, q: Pose, state: State) -> float:
        """How far (m) any point of the arm as measured can be from where it is in pose ``q``, at most."""
        held = state.held
        grasped = () if held is None else ((held.start, held.end, held.radius),)
        poses = forward(self.arm, np.array([q]), state.opening, grasped)
        frames = [link.frame for link in self.arm.links] + [len(q)] * len(grasped)
        return float(reach_of_motion(poses, frames, np.array(state.q) - np.array(q)).max())

    def _form(self, motion: Motion) -> Ruling | None:
        count = len(self.arm.joints)
        if type(motion) is not Motion:
            return _no("form", f"a motion is wanted, got {motion!r:.80}")
        if not 0 < len(motion.waypoints) <= MAX_WAYPOINTS:
            return _no("form", f"a motion has 1 to {MAX_WAYPOINTS} waypoints, this has {len(motion.waypoints)}")
        if len(motion.durations) != len(motion.waypoints):
            return _no("form", "a motion has one duration for each waypoint")
        for pose in (motion.start, *motion.waypoints):
            if finites(pose, count) is None:
                return _no("form", f"a pose has {count} finite angles in radians, got {pose!r:.100}")
        for takes in motion.durations:
            if (seconds := finite(takes)) is None or not SHORTEST <= seconds <= 3600.0:
                return _no("form", f"a line takes {SHORTEST:g} to 3600 seconds, not {takes!r:.40}")
        if motion.begins:
            begins = finites(motion.begins, len(motion.durations))
            if begins is None or begins[0] != 0.0:
                return _no("form", "a motion has one finite time for each line to begin at, the first 0")
            for k, (one, other) in enumerate(pairwise(begins)):
                takes, following = motion.durations[k], motion.durations[k + 1]
                if not one + takes - 0.49 * min(takes, following) <= other <= one + takes + 1e-9:
                    return _no("form", "lines follow one another, and overlap by less than half of the shorter one")
        return None

    def _limits(self, motion: Motion) -> Ruling | None:
        for number, pose in enumerate((motion.start, *motion.waypoints)):
            for joint, angle in zip(self.arm.joints, pose, strict=True):
                slack = 1e-3 if number == 0 else 1e-9  # as measured, it may stand a hair outside
                if not joint.low - slack <= angle <= joint.high + slack:
                    low, high = np.degrees([joint.low, joint.high])
                    told = f"{joint.name} turns from {low:.0f} to {high:.0f} degrees, not to {np.degrees(angle):.1f}"
                    return _no("limit", told, q=pose)
        for (one, other), takes in zip(motion.lines, motion.durations, strict=True):
            if takes < least_time(self.arm, one, other) * (1 - 1e-12):
                return self._too_fast(one, other, takes)
        fast, hard = strain(self.arm, motion)
        if fast > 1.0:
            return _no("speed", f"a joint could turn at {fast:.2f} times its speed where two lines meet")
        if hard > 1.0:
            return _no("acceleration", f"a joint could have {hard:.2f} times its acceleration where two lines meet")
        return None

    def _too_fast(self, one: Pose, other: Pose, takes: float) -> Ruling:
        for joint, a, b in zip(self.arm.joints, one, other, strict=True):
            peak = 15 / 8 * abs(b - a) / takes
            if peak > joint.speed:
                return _no("speed", f"{joint.name} would turn at {peak:.2f} rad/s; it may at {joint.speed:g}")
        return _no("acceleration", f"a turn in {takes:.3g} s is more acceleration than the joints may have")

    def _still(self, state: State) -> Ruling | None:
        count = len(self.arm.joints)
        if finites(state.q, count) is None or finites(state.qd, count) is None or finite(state.opening) is None:
            return _no("start", "the arm's measured state is not finite")
        if (speed := max(map(abs, state.qd))) > STILL:
            return _no("start", f"the arm still moves, by {speed:.2g} rad/s")
        return None

    def _start(self, motion: Motion, state: State) -> Ruling | None:
        if (moving := self._still(state)) is not None:
            return moving
        if (far := self.strays(motion.start, state)) > KEEP / 2:
            told = f"the motion begins up to {far * 1000:.1f} mm from where the arm is measured to be"
            return _no("start", told, q=state.q)
        return None

    def _path(self, motion: Motion, state: State) -> Ruling:
        around = Surroundings(self.arm, self.scene, opening=state.opening, held=state.held, things=state.things)
        around.begin(state.q, MARGIN)
        path = Path(motion, state.q)
        found = around.prove(path, margin=MARGIN, keep=KEEP)
        if found.free:
            reason = f"nothing comes nearer than {KEEP * 1000:g} mm on the whole way"
            return Ruling(True, reason, clearance=found.clearance, looks=found.looks)
        q = tuple(map(float, path.poses(np.array([found.line]), np.array([found.share]))[0]))
        if found.why == "time":
            return Ruling(False, "too much is near the way to decide in time", "time", looks=found.looks, q=q)
        time = path.time(found.line, found.share)
        told = _told(found.link, found.other, found.kind)
        reason = f"{told[1]} after {time:.2f} s" if time >= 1e-3 else f"{told[0]} where it stands"
        point = contact_point(around, q, found.link, found.other, found.kind)
        return Ruling(
            False, reason, found.kind, found.link, found.other, time, point, q, found.clearance, found.looks
        )

    def _fingers(self, wide: float, state: State) -> Ruling:
        # Half of the way of the fingers to both sides is proved at a time, from one end to the other.
        step = (MARGIN - KEEP) / 2
        count = max(2, int(abs(wide - state.opening) / 2 / step) + 2)
        looks, least, here = 0, float("inf"), Motion(state.q, (), ())
        things = self._beside(wide, state)
        start = Surroundings(self.arm, self.scene, opening=state.opening, held=state.held, things=things)
        start.begin(state.q, MARGIN)
        for opening in np.linspace(state.opening, wide, count):
            around = Surroundings(self.arm, self.scene, opening=float(opening), held=state.held, things=things)
            around.slack, around.room = start.slack, start.room
            found = around.prove(Path(here, state.q), margin=MARGIN, keep=KEEP)
            looks += found.looks
            least = min(least, found.clearance)
            if not found.free:
                told = _told(found.link, found.other, found.kind)[1]
                point = contact_point(around, state.q, found.link, found.other, found.kind)
                return Ruling(
                    False, told, found.kind, found.link, found.other, None, point, state.q, found.clearance, looks
                )
        return Ruling(True, "nothing is in the way of the fingers", clearance=least, looks=looks)

    def _beside(self, wide: float, state: State) -> tuple[Thing, ...]:
        """The things that the fingers must not touch: all but the one that they close on."""
        if state.held is not None or not state.things:
            return state.things
        place, turn = tool_pose(self.arm, state.q)
        taken = graspable(state.things, place, turn, state.opening, wide)
        return tuple(thing for thing in state.things if thing is not taken)


def _no(rule: str, reason: str, *, q: Pose | None = None) -> Ruling:
    return Ruling(False, reason, rule, q=q)


def _told(link: str, other: str, kind: str) -> tuple[str, str]:
    """Of what is so where it stands, and of what would be so on the way."""
    link = link.replace("_", " ")
    if kind == "workspace":
        return (
            f"{link} is too near to the {other} end of the workspace",
            f"{link} would leave the workspace at its {other}",
        )
    if kind == "self":
        other = other.replace("_", " ")
        return f"{link} is too near to the arm's own {other}", f"{link} would hit the arm's own {other}"
    what = {"floor": "the floor", "thing": f"the {other}"}.get(kind, f"the zone {other!r}")
    return f"{link} is too near to {what}", f"{link} would hit {what}"
