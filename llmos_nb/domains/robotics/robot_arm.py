"""The robot arm, for people: the same few calls that agents have as tools, and the reset of the emergency stop.

>>> from llmos_nb.domains.robotics import robot
>>> robot().move_relative(right="30cm")
>>> robot().look()

Nothing here decides what is safe. Each motion goes to the arm's own process, which proves the whole way free or refuses
it; there is no other way to the motors.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from llmos_nb.domains.robotics.actuator import check_pace
from llmos_nb.domains.robotics.arm import ARM, Vector
from llmos_nb.domains.robotics.controller import ArmController
from llmos_nb.domains.robotics.desk import DESK
from llmos_nb.domains.robotics.drawing import ABOVE, CORNER, View
from llmos_nb.domains.robotics.errors import ArmError, EmergencyStopped, MoveRefused, UnitError
from llmos_nb.domains.robotics.gate import Ruling
from llmos_nb.domains.robotics.kinematics import tool_pose
from llmos_nb.domains.robotics.motion import Motion, Pose, plan
from llmos_nb.domains.robotics.picture import Picture, arm_picture
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.status import Done, RobotStatus
from llmos_nb.domains.robotics.things import THINGS, Thing, things_of
from llmos_nb.domains.robotics.units import angle, length, share
from llmos_nb.domains.robotics.ways import way_to
from llmos_nb.domains.robotics.world import check_world
from llmos_nb.guard import persons_only

__all__ = ["DIRECTIONS", "Robot", "robot"]

#: What each direction is along x (forward), y (left) and z (up), as seen from behind the arm's base.
DIRECTIONS: Final[Mapping[str, tuple[int, int, int]]] = {
    "right": (0, -1, 0), "left": (0, 1, 0), "forward": (1, 0, 0), "back": (-1, 0, 0), "up": (0, 0, 1),
    "down": (0, 0, -1),
}  # fmt: skip
_RESET: Final = "A person resets it: robot().reset_estop()."
#: Shapes of the arm, all joints but the first, in which it turns where it stands in nobody's way: drawn in, and raised.
_DRAWN_IN: Final = ((-0.8, 2.2, 0.0, 1.2, 0.0), (-0.3, 0.6, 0.0, 1.2, 0.0))
_GATE: Final = "Try a shorter way, or one around what is in the way."
#: What to do where nothing is in the way.
_REMEDIES: Final = {
    "limit": "Name an angle within that range.",
    "form": "Say it with numbers that are finite, and units.",
    "start": "Wait until the arm stands still, look where it is, and try again.",
    "busy": "Wait for it, or stop it.",
    "grip": "Say 'close' or 'open'.",
    "time": "Try a shorter way.",
}


class Robot:
    """A simulated arm on its desk, in a process of its own.

    Lengths are metres or texts with a unit (``"30cm"``, ``"0.3 m"``, ``"12 in"``), angles radians or texts
    (``"90 deg"``). In numbers x is forward, y to the left and z up from the table, from the middle of the base; right is
    therefore ``-y``. All calls may come from any thread; one motion is made at a time. ``pace`` is how fast time goes
    in its world: 1 as for people, 0 as fast as it can be reckoned.

    Raises:
        ArmError: the world or the things make no sense.
        GuardDenied: an agent's code asks; agents use :func:`robot`.
    """

    def __init__(
        self,
        world: str = "numpy",
        *,
        scene: Scene = DESK,
        things: Sequence[Thing] = THINGS,
        pace: float = 1.0,
    ) -> None:
        persons_only("set up a robot arm")
        self._set_up(world, scene, things, pace)

    def _set_up(self, world: str, scene: Scene, things: Sequence[Thing], pace: float, stopped: str = "") -> None:
        check_world(world)  # before the arm's own process, where it would only be told of with the first motion
        check_pace(pace)
        self.world = world
        options = {"things": [thing.as_mapping() for thing in things_of(things)]}
        self._controller = ArmController(scene=scene, world=world, options=options, pace=pace, stopped=stopped)
        self._closed = False
        self._latest: Motion | None = None

    # What is seen

    def status(self) -> RobotStatus:
        """Where the arm is, what it holds, and whether it may move: as measured, also while it moves."""
        now, seen = self._controller.status(), self._controller.see("things")
        state = now.state
        return RobotStatus(
            position=now.tool,
            joints=state.q,
            opening=state.opening,
            holding=state.held.name if state.held is not None else "",
            emergency_stop=now.stopped,
            moving=now.moving,
            things=tuple(_thing(one) for one in seen["things"]),
            zones=tuple(zone.name for zone in now.scene.zones),
            world=self.world,
        )

    def look(self, *, views: Sequence[View] = (CORNER, ABOVE)) -> Picture:
        """A picture of the arm, the things and the zones; the way it went last, too."""
        return self._picture(self.status(), motion=self._latest, views=views)

    def live(self) -> Any:
        """A widget that shows the arm while it moves, with a button for the emergency stop."""
        from llmos_nb.domains.robotics.live import live_view

        return live_view(self)

    # What moves

    def move_to(self, x: Any, y: Any, z: Any, *, speed: float = 1.0) -> Done:
        """Bring the hand to a place, in a straight line where the joints allow one.

        Raises:
            UnitError: a length or the speed cannot be read.
            Unreachable: the hand cannot get there.
            MoveRefused: the safety gate refused it, and nothing has moved; ``error.picture`` shows why.
            EmergencyStopped: the emergency stop is latched, or was pressed on the way.
        """
        place = (length(x), length(y), length(z))
        return self._to(place, f"moved to x {place[0]:.3f}, y {place[1]:.3f}, z {place[2]:.3f} m", speed)

    def move_relative(self, *, speed: float = 1.0, **ways: Any) -> Done:
        """Move the hand from where it is: ``right="30cm"``, ``left``, ``forward``, ``back``, ``up``, ``down``.

        Raises:
            UnitError: a length cannot be read, a direction is unknown, or none is given.
            Unreachable, MoveRefused, EmergencyStopped: as in :meth:`move_to`.
        """
        if not ways or (unknown := ways.keys() - DIRECTIONS.keys()):
            wrong = f"{sorted(unknown)[0]!r:.40} is no direction" if ways else "no direction is given"
            raise UnitError(f"Where to? {wrong}.", remedy=f"Name one of {', '.join(DIRECTIONS)}: right='30cm'.")
        off, said = np.zeros(3), []
        for way, given in ways.items():
            far = length(given)
            off += far * np.array(DIRECTIONS[way])
            said.append(f"{far:.3f} m {way}")
        x, y, z = (float(number) for number in np.array(self._controller.status().tool) + off)
        return self._to((x, y, z), f"moved {', '.join(said)}", speed)

    def move_joints(self, joints: Mapping[str, Any] | Sequence[Any], *, speed: float = 1.0) -> Done:
        """Turn joints: all of them as a list, or some by name, ``{"elbow": "90 deg"}``.

        Raises:
            UnitError: an angle cannot be read, or there is no such joint.
            MoveRefused, EmergencyStopped: as in :meth:`move_to`.
        """
        names = [joint.name for joint in ARM.joints]
        if isinstance(joints, Mapping):
            if not joints or (unknown := [name for name in joints if name not in names]):
                wrong = f"There is no joint {unknown[0]!r:.40}" if joints else "No joint is named"
                raise UnitError(f"{wrong}.", remedy=f"Joints are {', '.join(names)}.")
            now = self._controller.status().state.q
            pose = tuple(angle(joints[name]) if name in joints else q for name, q in zip(names, now, strict=True))
        else:
            if isinstance(joints, (str, bytes)) or not hasattr(joints, "__len__") or len(joints) != len(names):
                raise UnitError(
                    f"The arm has {len(names)} joints, and {joints!r:.80} is not an angle for each.",
                    remedy="Give six angles in a list, or name some: {'elbow': '90 deg'}.",
                )
            pose = tuple(angle(given) for given in joints)
        return self._go((pose,), "turned the joints", speed)

    def grip(self, hand: str) -> Done:
        """``"close"`` the hand, and hold what is between its fingers; ``"open"`` it, and put down what it holds.

        Raises:
            UnitError: ``hand`` is something else.
            MoveRefused, EmergencyStopped: as in :meth:`move_to`.
        """
        if not isinstance(hand, str) or hand not in ("close", "open"):
            raise UnitError(f"The hand is closed or opened, got {hand!r:.40}.", remedy="Say 'close' or 'open'.")
        before = self.status().holding
        try:
            self._controller.grip(ARM.opening if hand == "open" else 0.0)
        except MoveRefused as refused:
            raise self._explained(refused, None) from refused
        now = self.status()
        if hand == "close":
            said = (
                f"closed the hand: it holds the {now.holding}" if now.holding else "closed the hand: it holds nothing"
            )
        else:
            said = f"opened the hand: it put down the {before}" if before else "opened the hand"
        return Done(said, now)

    def go_home(self, *, speed: float = 1.0) -> Done:
        """Go to the pose it started from; where that is not free, by way of a place straight above, or of an arm that is
        drawn in or raised before it turns.

        Raises:
            MoveRefused, EmergencyStopped: as in :meth:`move_to`.
        """
        speed = share(speed)
        now = self._controller.status()
        ways: list[tuple[Pose, ...]] = [(ARM.home,)]
        height = float(tool_pose(ARM, ARM.home)[0][2])
        with contextlib.suppress(ArmError):  # nothing above is in reach
            ways.append((*way_to(ARM, now.state.q, (now.tool[0], now.tool[1], height)), ARM.home))
        yaw = now.state.q[0]
        ways += [((yaw, *shape), (0.0, *shape), ARM.home) for shape in (ARM.home[1:], *_DRAWN_IN)]
        free = next((way for way in ways if self._controller.check(way, speed=speed).ok), ways[0])
        return self._go(free, "went home", speed)

    # What stops it, and what lets it move again

    def stop(self, reason: str = "stop was pressed") -> None:
        """Emergency stop: from any thread, at any time. It brakes, and stays stopped until a person resets it.

        Whatever moves in this kernel is stopped, also where this arm was replaced by another one.
        """
        self._controller.stop(reason)

    def halt(self) -> None:
        """Break off the motion at work, from any thread: it brakes, and may be told to move again."""
        self._controller.halt()

    def reset_estop(self) -> RobotStatus:
        """Let the arm move again; look at it first. It is a line of its own in a cell of yours.

        Raises:
            GuardDenied: it is not seen that a person does it by hand, see :mod:`llmos_nb.guard.by_hand`: agents, threads,
                callbacks, functions and replays are refused.
            ArmError: it has not come to rest yet, or was stopped again meanwhile.
        """
        self._controller.reset()
        return self.status()

    def _reset_clicked(self, comm_id: str, content: dict[str, Any]) -> None:
        """Reset because of a click on the page, of which the kernel has the message."""
        self._controller._reset((comm_id, content))

    def close(self) -> None:
        """End the arm's process.

        Raises:
            GuardDenied: an agent's code asks.
        """
        persons_only("switch the robot off")
        self._closed = True
        self._controller.close()

    @property
    def latched(self) -> str:
        """Why it is stopped, as far as it is known without asking the arm; empty if it is not."""
        return self._controller.latched

    @property
    def closed(self) -> bool:
        """Whether it was switched off."""
        return self._closed

    def __repr__(self) -> str:
        return f"<Robot {ARM.name} in the {self.world} world>"

    # How a motion is made

    def _to(self, place: Vector, said: str, speed: float) -> Done:
        speed = share(speed)
        now = self._controller.status()
        if now.stopped:
            raise self._latched(now.stopped)
        way = way_to(ARM, now.state.q, place, upright=now.state.held is not None)
        return self._go(way, said, speed, start=now.state.q)

    def _go(self, way: Sequence[Pose], said: str, speed: float, *, start: Pose | None = None) -> Done:
        speed = share(speed)
        before = start or self._controller.status().state.q
        try:
            self._controller.move(way, speed=speed, start=start)
        except MoveRefused as refused:
            motion = _planned(before, way, speed)
            # A way that was broken off is still worth seeing; one that was refused belongs to the refusal.
            self._latest = motion if _begun(refused.ruling) else None
            raise self._explained(refused, motion) from refused
        self._latest = _planned(before, way, speed)
        return Done(said, self.status())

    def _latched(self, why: str) -> EmergencyStopped:
        ruling = Ruling(False, f"the emergency stop is latched: {why}", "stopped")
        return EmergencyStopped(f"Nothing has moved: the arm is stopped: {why}.", ruling=ruling, remedy=_RESET)

    def _explained(self, refused: MoveRefused, motion: Motion | None) -> MoveRefused:
        """The same refusal with what to do, and a picture of where it would have hit."""
        ruling = refused.ruling
        if not isinstance(ruling, Ruling):
            return refused
        if ruling.rule == "stopped":
            error: MoveRefused = EmergencyStopped(f"{_told_stop(ruling)}.", ruling=ruling, remedy=_RESET)
        elif ruling.rule == "halted":
            error = MoveRefused(f"{_told_stop(ruling)}.", ruling=ruling, remedy="Look where it is before you go on.")
        else:
            told = f"Refused, nothing has moved: {ruling.reason.rstrip('.')}."
            error = MoveRefused(told, ruling=ruling, remedy=_REMEDIES.get(ruling.rule, _GATE))
            if ruling.q is not None:
                error.picture = self._picture(self.status(), motion=motion, ruling=ruling)
        return error

    def _picture(
        self,
        now: RobotStatus,
        *,
        motion: Motion | None = None,
        ruling: Ruling | None = None,
        views: Sequence[View] = (CORNER, ABOVE),
    ) -> Picture:
        scene = self._controller.status().scene
        where = f"The hand is at {now.where}; {now.hand}."
        title, notes = "", [where]
        if ruling is not None and not ruling.ok:
            title = f"Refused: {ruling.reason}"
            notes = ["Red: where the arm would stand when it touches. Nothing has moved.", where]
        elif now.emergency_stop:
            title = f"Emergency stop: {now.emergency_stop}"
        return arm_picture(
            ARM,
            scene,
            now.joints,
            opening=now.opening,
            things=now.things,
            motion=motion,
            ruling=ruling,
            title=title,
            notes=notes,
            stopped=bool(now.emergency_stop),
            views=views,
        )


#: How the arm's process begins the reason of a motion that was stopped after it had begun.
_ON_THE_WAY: Final = "stopped on the way: "


def _begun(ruling: object) -> bool:
    """Whether a motion that was not made whole had begun."""
    return isinstance(ruling, Ruling) and (ruling.rule == "halted" or ruling.reason.startswith(_ON_THE_WAY))


def _told_stop(ruling: Ruling) -> str:
    if _begun(ruling):
        return f"The arm came to rest on its way: {ruling.reason.removeprefix(_ON_THE_WAY)}"
    return f"Nothing has moved: {ruling.reason}"


def _planned(start: Pose, way: Sequence[Pose], speed: float) -> Motion | None:
    """The motion as the arm's process plans it too; None where it is none."""
    try:
        return plan(ARM, start, list(way), speed=speed)
    except ArmError:
        return None


def _thing(given: Mapping[str, Any]) -> Thing:
    x, y, z = given["position"]
    width, depth, height = given["size"]
    size = (width, depth, height)
    return Thing(given["name"], (x, y, z), size, given["color"], bool(given["held"]), given["yaw"])


_one: Robot | None = None
_making: Final = threading.Lock()


def robot(world: str | None = None, *, pace: float | None = None) -> Robot:
    """The robot arm of this kernel; the first call sets it up.

    Name a ``world`` (``numpy``, or ``mujoco`` for physics), or a ``pace``, to have another one in its place.

    Raises:
        ArmError: the world is not there.
        EmergencyStopped: the one that is there is stopped.
        GuardDenied: an agent's code asks for another one: that would be a way around the emergency stop.
    """
    global _one
    with _making:
        if _one is not None and not _one.closed and world is None and pace is None:
            return _one
        check_world(world or "numpy")  # before the one that is there is given up
        check_pace(1.0 if pace is None else pace)
        if _one is not None:
            persons_only("put another robot arm in the place of this one")
            if not _one.closed and (why := _one.status().emergency_stop):
                # Another arm would begin as if nobody had stopped this one.
                raise EmergencyStopped(
                    f"The arm is stopped: {why}. It stays in its place.", ruling=None, remedy=_RESET
                )
            _one.close()
        stopped = "" if _one is None else _one.latched  # switching it off and on is no reset
        _one = _made(world or "numpy", 1.0 if pace is None else pace, stopped)
        return _one


def _made(world: str, pace: float, stopped: str) -> Robot:
    """A robot whoever asks: the first one of a kernel may be an agent's to use."""
    made = object.__new__(Robot)
    Robot._set_up(made, world, DESK, THINGS, pace, stopped)
    return made
