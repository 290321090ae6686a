"""The only thing that moves the arm. It asks the gate before each motion, and watches the arm while it is under way.

One motion at a time: a second one is refused, not queued. A motion always begins where the arm is measured to be.
While it runs, each tick compares the measured pose with the one that was proved safe; the arm is stopped for good when
it strays by more than the gate kept free, when its world fails, or when anybody presses stop. Stopped means latched:
nothing moves until a person resets it.

A stop brakes along the rest of the way, which has been proved free: the motion's own time is made to go slower and
slower, as quickly as the accelerations that the joints are allowed permit beside those of the motion itself. So the arm
is at rest at the motion's end at the latest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.gate import KEEP, STILL, Gate, Ruling
from llmos_nb.domains.robotics.motion import Motion, Pose, plan
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.world import World

__all__ = ["STOPPED_AGAIN", "TICK", "Actuator", "check_pace"]

STOPPED_AGAIN: Final = "The arm was stopped again while it was being reset, and stays stopped."

#: Seconds between two looks at the arm.
TICK: Final = 0.005
#: After the arm or the fingers have had their time, they get this much more to come to rest (s).
_SETTLE: Final = 0.25
_Span = tuple[float, float]


def check_pace(pace: object) -> float:
    """How fast time goes, as a number.

    Raises:
        ArmError: it is none, or out of range.
    """
    if (speed := finite(pace)) is None or not 0 <= speed <= 100:
        raise ArmError(f"The pace is a number from 0 to 100, got {pace!r:.80}.")
    return speed


class Actuator:
    """Holds the gate and the world. ``pace`` is how fast time goes: 1 as in the world, 0 as fast as it can be reckoned.

    ``told`` is called with the state after each motion and about 20 times a second during one.
    """

    def __init__(
        self,
        arm: Arm,
        scene: Scene,
        world: World,
        *,
        pace: float = 1.0,
        stopped: str = "",
        told: Callable[[State], None] = lambda state: None,
        latched: Callable[[str], None] = lambda why: None,
    ) -> None:
        speed = check_pace(pace)
        self._gate = Gate(arm, scene)
        self._world, self._pace, self._told = world, speed, told
        self._moving = threading.Lock()
        self._touching = threading.Lock()  # the world is asked one thing at a time
        self._judging = (
            threading.Lock()
        )  # one at a time is looked at beside a motion, so that they cannot crowd it out
        self._stop = threading.Event()
        self._latching = threading.Lock()
        self._stops, self._latched = 0, latched
        self._halt = threading.Event()
        self._why = stopped
        self._opening = world.measured().opening  # as last told: what is held is held by being told to close further
        if stopped:
            self._stops = 1
            self._stop.set()

    @property
    def stopped(self) -> str:
        """Why the arm is stopped; empty if it is not."""
        return self._why if self._stop.is_set() else ""

    @property
    def stops(self) -> int:
        """How often stop was pressed so far: a reset says up to which."""
        return self._stops

    @property
    def moving(self) -> bool:
        """Whether a motion is under way."""
        return self._moving.locked()

    @property
    def scene(self) -> Scene:
        """What the gate knows to stand around the arm."""
        return self._gate.scene

    def measured(self) -> State:
        """How the arm stands now."""
        with self._touching:
            return self._world.measured()

    def see(self, what: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """What the world can tell."""
        with self._touching:
            return self._world.see(what, options)

    def save(self) -> dict[str, Any]:
        """All that is needed to go on from here."""
        with self._touching:
            return self._world.save()

    def stop(self, why: str) -> None:
        """Stop, and stay so: from any thread, at any time."""
        with self._latching:
            self._stops += 1
            if not self._stop.is_set():
                self._why = str(why)[:300] or "stop was pressed"
                self._stop.set()
        self._latched(self._why)

    def halt(self) -> None:
        """Break off the motion that is under way, if there is one; the next one may follow at once."""
        if self.moving:
            self._halt.set()

    def reset(self, stops: int) -> None:
        """Let the arm move again; asked for by a person who knew of so many ``stops``. One that came since holds.

        Raises:
            ArmError: it has not come to rest yet, or was stopped again.
        """
        if not self._moving.acquire(blocking=False):
            raise ArmError("The arm still moves.", remedy="Wait until it stands still.")
        try:
            self._opening = self.measured().opening if self._stop.is_set() else self._opening
            with self._latching:
                if type(stops) is not int or stops != self._stops:
                    raise ArmError(STOPPED_AGAIN, remedy="Find out why before you reset it.")
                self._stop.clear()
        finally:
            self._moving.release()
        self._latched("")

    def change_zones(self, zones: Sequence[Any]) -> None:
        """Other keep-out zones from now on; not while the arm moves.

        Raises:
            ArmError: the arm moves.
            ZoneError: one makes no sense.
        """
        if not self._moving.acquire(blocking=False):
            raise ArmError("Zones cannot be changed while the arm moves.", remedy="Wait for it, or stop it.")
        try:
            self._gate = Gate(self._gate.arm, Scene.of({**self.scene.as_mapping(), "zones": list(zones)}))
        finally:
            self._moving.release()

    def check(self, waypoints: Any, *, speed: Any = 1.0, start: Any = None) -> Ruling:
        """What the gate would say of :meth:`move` now. Nothing moves."""
        with self._judging:
            return self._judge(waypoints, speed, start)[0]

    def move(self, waypoints: Any, *, speed: Any = 1.0, start: Any = None) -> Ruling:
        """Move through ``waypoints``, if the gate allows it, and come back when the arm is there or has stopped.

        ``start`` is where the caller takes the arm to be; if it is elsewhere the motion is refused. A motion that was
        broken off has ``ok`` False and rule ``stopped`` or, if nothing is latched, ``halted``.
        """
        if not self._moving.acquire(blocking=False):
            return _refused("busy", "another motion is under way")
        try:
            self._halt.clear()
            if self._stop.is_set():
                return _refused("stopped", f"the arm is stopped: {self._why}")
            ruling, motion = self._judge(waypoints, speed, start)
            if not ruling.ok or motion is None:
                return ruling
            return self._run(motion, ruling)
        finally:
            self._finish()

    def grip(self, opening: Any) -> Ruling:
        """Open or close the hand to ``opening`` metres between its fingers; it stops at what it holds."""
        if not self._moving.acquire(blocking=False):
            return _refused("busy", "another motion is under way")
        try:
            self._halt.clear()
            if self._stop.is_set():
                return _refused("stopped", f"the arm is stopped: {self._why}")
            ruling = self._gate.check_grip(opening, state := self.measured())
            if not ruling.ok:
                return ruling
            return self._close(float(opening), state, ruling)
        finally:
            self._finish()

    def _finish(self) -> None:
        try:
            self._told(self.measured())
        finally:
            self._moving.release()

    def _judge(self, waypoints: Any, speed: Any, start: Any) -> tuple[Ruling, Motion | None]:
        state = self.measured()
        try:
            if finites(state.q, len(self._gate.arm.joints)) is None:
                return _refused("start", "the arm's measured state is not finite"), None
            motion = plan(self._gate.arm, state.q, waypoints, speed=speed)
            if start is not None and self._gate.strays(plan(self._gate.arm, start, [start]).start, state) > KEEP:
                return _refused("start", "the arm is not where this motion is to begin"), None
        except ArmError as error:
            return _refused("form", error.message), None
        return self._gate.check(motion, state), motion

    def _run(self, motion: Motion, ruling: Ruling) -> Ruling:
        """Follow a motion that was let through; from here on every way out leaves the arm at rest."""
        try:
            opening = self.measured().opening
            as_it_is = (opening, opening)
            clock = _Clock(self._pace)
            spent = 0.0
            while spent < motion.duration:
                if self._interrupted():
                    self._brake(motion, spent, as_it_is, clock)
                    return self._broken_off(ruling)
                spent = min(motion.duration, spent + TICK)
                if not self._tick(*motion.at(spent), as_it_is, clock):
                    return self._broken_off(ruling)
            last, spent = motion.at(motion.duration), 0.0
            while max(map(abs, self.measured().qd)) > STILL / 2 and spent < _SETTLE:  # physics takes a moment to rest
                spent += TICK
                if not self._tick(*last, as_it_is, clock):
                    return self._broken_off(ruling)
        except BaseException as error:
            self._fail(f"the arm's world failed: {error!r:.200}")
            if not isinstance(error, Exception):
                raise
            return self._broken_off(ruling)
        return ruling

    def _brake(self, motion: Motion, spent: float, fingers: _Span, clock: _Clock) -> None:
        pace, (_, before, _) = 1.0, motion.at(spent)
        while pace > 0 and spent < motion.duration:
            spent, pace, step, q, qd = self._slower(motion, spent, pace, before)
            qdd = tuple((b - a) / step for a, b in zip(before, qd, strict=True)) if pace else (0.0,) * len(q)
            if not self._tick(q, qd, qdd, fingers, clock, step):
                return
            before = qd
        with self._touching:
            self._world.halt()

    def _slower(
        self, motion: Motion, spent: float, pace: float, before: Pose
    ) -> tuple[float, float, float, Pose, Pose]:
        """Slow the motion's own time down for a tick, by as much as the accelerations that joints may have permit.

        Going on as slowly as now is always permitted: at a steady pace of at most 1 the motion keeps its limits.
        """
        for share in range(20, -1, -1):
            brake = share / 20 / (10 * TICK)
            step = min(TICK, pace / brake) if brake else TICK
            later = spent + pace * step - brake * step * step / 2
            slow = max(0.0, pace - brake * step)
            slow = slow if slow > 1e-9 else 0.0
            q, rates, _ = motion.at(later)
            qd = tuple(slow * rate for rate in rates)
            joints = zip(self._gate.arm.joints, before, qd, strict=True)
            if all(abs(b - a) <= joint.acceleration * step for joint, a, b in joints):
                break
        return later, slow, step, q, qd

    def _tick(self, q: Pose, qd: Pose, qdd: Pose, fingers: _Span, clock: _Clock, dt: float = TICK) -> bool:
        """One step of the world; False if it went wrong, in which case the arm is stopped where it is.

        ``fingers`` is between which openings of the hand nothing is in its way.
        """
        with self._touching:
            self._world.follow(q, qd, qdd, self._opening, dt)
            state = self._world.measured()
        count = len(q)
        if finites(state.q, count) is None or finites(state.qd, count) is None or finite(state.opening) is None:
            self._fail("the arm's measured state is not finite")
            return False
        wide = max(0.0, fingers[0] - state.opening, state.opening - fingers[1])
        if (far := self._gate.strays(q, state) + wide / 2) > KEEP:
            self._fail(f"it strayed from its way by up to {far * 1000:.1f} mm: something is in the way")
            return False
        if clock.tells():
            self._told(state)
        clock.wait(dt, self._stop)
        return True

    def _close(self, opening: float, state: State, ruling: Ruling) -> Ruling:
        rest = (0.0,) * len(state.q)
        span = (min(opening, state.opening), max(opening, state.opening))
        try:
            clock = _Clock(self._pace)
            takes = abs(opening - state.opening) / self._gate.arm.grip_speed
            spent = 0.0
            while spent < takes + _SETTLE:
                if self._interrupted():
                    with self._touching:
                        self._world.halt()
                    return self._broken_off(ruling)
                spent += TICK
                share = min(1.0, spent / takes) if takes else 1.0
                self._opening = state.opening + share * (opening - state.opening)
                if not self._tick(state.q, rest, rest, span, clock):
                    return self._broken_off(ruling)
        except BaseException as error:
            self._fail(f"the arm's world failed: {error!r:.200}")
            if not isinstance(error, Exception):
                raise
            return self._broken_off(ruling)
        return ruling

    def _interrupted(self) -> bool:
        return self._stop.is_set() or self._halt.is_set()

    def _broken_off(self, ruling: Ruling) -> Ruling:
        if self._stop.is_set():
            return replace(ruling, ok=False, rule="stopped", reason=f"stopped on the way: {self._why}")
        return replace(ruling, ok=False, rule="halted", reason="the motion was broken off")

    def _fail(self, why: str) -> None:
        """Stop at once and for good."""
        self.stop(why)
        with self._touching:
            self._world.halt()


class _Clock:
    """Keeps a motion from running ahead of the time that it is to take."""

    def __init__(self, pace: float) -> None:
        self._pace, self._due, self._last = pace, time.monotonic(), 0.0

    def wait(self, dt: float, stop: threading.Event) -> None:
        """Until ``dt`` more seconds of the world's time have gone by."""
        if not self._pace:
            return
        self._due += dt / self._pace
        left = self._due - time.monotonic()
        if left > 0:
            stop.wait(left) if not stop.is_set() else time.sleep(left)
        elif left < -0.1:
            self._due = time.monotonic()  # it has been held up: go on from here, not faster

    def tells(self) -> bool:
        """Whether it is time to tell how the arm stands."""
        now = time.monotonic()
        if now - self._last < 0.05:
            return False
        self._last = now
        return True


def _refused(rule: str, reason: str) -> Ruling:
    return Ruling(False, reason, rule)
