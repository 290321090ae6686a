"""A robot arm behind its safety gate, as a cell and the tools use it.

>>> arm = ArmController(scene=Scene(zones=(Box("wall", (0.4, 0.3, 0.2), (0.3, 0.01, 0.4)),)))
>>> solution = arm.reach((0.45, -0.30, 0.30), axis=(0, 0, -1))
>>> arm.move([solution.q])            # refused: MoveRefused with .ruling, and the arm has not moved
>>> arm.check([solution.q])           # the same ruling, and nothing moves
>>> arm.grip("3cm"); arm.status(); arm.stop(); arm.reset(); arm.close()

The arm lives in a process of its own, with its gate, its actuator and its world
(:mod:`~llmos_nb.domains.robotics.server`). This object can only ask. Whatever code does to it, or to the modules of the
kernel - other threads, subclasses, patched functions, private attributes, a request written by hand - every motion is
judged over there, from the pose measured over there. What no process boundary gives is to tell a person's request from
an agent's: that a stopped arm is reset, or a zone taken away, by a person alone is a matter of this object and of the
guard. Even then every motion is judged.

If the arm's process dies, the next request starts another one: the arm stands where it was last seen, and is stopped.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, NoReturn

from numpy.typing import ArrayLike

from llmos_nb.domains.robotics.actuator import STOPPED_AGAIN
from llmos_nb.domains.robotics.arm import ARM, Arm, Vector
from llmos_nb.domains.robotics.errors import ArmError, MoveRefused
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.gate import Ruling
from llmos_nb.domains.robotics.kinematics import Solution, solve, tool_pose
from llmos_nb.domains.robotics.messages import ruling_of, state_of
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.process import ArmProcess
from llmos_nb.domains.robotics.scene import SCENE, Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.units import length
from llmos_nb.domains.robotics.zones import Zone, as_mapping, zone
from llmos_nb.guard import persons_only

__all__ = ["ArmController", "Status", "stop_all"]

#: All arms of this kernel: a stop stops every one, whichever it was told to.
_arms: Final[weakref.WeakSet[ArmController]] = weakref.WeakSet()
_PATIENCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Status:
    """How the arm stands. ``stopped`` says why it is stopped, empty if it is not; ``tool`` is where its tool is (m)."""

    state: State
    tool: Vector
    moving: bool
    stopped: str
    scene: Scene


class ArmController:
    """Asks the arm's process. Made by a person; a world is chosen by name, see :mod:`~llmos_nb.domains.robotics.world`.

    ``pace`` is how fast time goes there: 1 as in the world, 0 as fast as it can be reckoned. The process starts with
    the first request. With ``stopped`` the arm begins stopped, for that reason.

    Raises:
        ZoneError: the scene makes no sense.
    """

    arm: Arm = ARM

    def __init__(
        self,
        *,
        scene: Scene | Mapping[str, Any] = SCENE,
        world: str = "bare",
        options: Mapping[str, Any] | None = None,
        pace: float = 1.0,
        stopped: str = "",
    ) -> None:
        self._opening = {
            "scene": Scene.of(scene).as_mapping(),
            "world": world,
            "options": dict(options or {}),
            "pace": pace,
        }
        self._starting = threading.Lock()
        self._process: ArmProcess | None = None
        self._seen: dict[str, Any] = {}
        self._closed = False
        self._stop_wanted, self._latched = stopped, ""
        self._stops, self._counting = 0, threading.Lock()
        self._owner = os.getpid()
        _arms.add(self)

    # What moves or looks

    def reach(
        self,
        position: Sequence[Any],
        *,
        axis: Sequence[float] | None = None,
        rotation: ArrayLike | None = None,
    ) -> Solution:
        """Joint angles that bring the tool to ``position`` (m, or texts such as ``30cm``), nearest to where it stands.

        Raises:
            ArmError: a number is not finite.
        """
        if isinstance(position, (str, bytes)) or len(position) != 3:
            raise ArmError(f"A position has three lengths, got {position!r:.80}.")
        place = [length(part) for part in position]
        return solve(self.arm, place, axis=axis, rotation=rotation, near=self.status().state.q)

    def move(self, waypoints: Sequence[Sequence[float]], *, speed: float = 1.0, start: Pose | None = None) -> Ruling:
        """Move through ``waypoints`` (joint angles, rad) and come back when the arm is there.

        ``speed`` is a share of what the arm may do. With ``start`` the arm must stand there, or nothing moves. An
        interrupt stops the arm.

        Raises:
            MoveRefused: the gate does not allow it, or it was stopped on the way.
            ArmError: the arm's process is gone.
        """
        return self._moved("move", waypoints=_plain(waypoints), speed=_plain(speed), start=_plain(start))

    def grip(self, opening: Any) -> Ruling:
        """Open or close the hand to ``opening`` between its fingers (m, or a text such as ``3cm``).

        Raises:
            MoveRefused: something is in the way of the fingers, or it was stopped on the way.
            ArmError: that is no length, or the arm's process is gone.
        """
        return self._moved("grip", opening=length(opening))

    def check(self, waypoints: Sequence[Sequence[float]], *, speed: float = 1.0, start: Pose | None = None) -> Ruling:
        """What the gate says of this motion now. Nothing moves.

        Raises:
            ArmError: the arm's process is gone.
        """
        asked = self._ask("check", waypoints=_plain(waypoints), speed=_plain(speed), start=_plain(start))
        return ruling_of(asked)

    def status(self) -> Status:
        """How the arm stands, as measured.

        Raises:
            ArmError: the arm's process is gone.
        """
        told = self._ask("status")
        state = state_of(told["state"])
        place, _ = tool_pose(self.arm, state.q)
        x, y, z = map(float, place)
        return Status(state, (x, y, z), bool(told["moving"]), str(told["stopped"]), Scene.of(told["scene"]))

    def see(self, what: str, **options: Any) -> dict[str, Any]:
        """What the world can tell: ``objects``, ``picture`` …

        Raises:
            ArmError: it cannot tell that.
        """
        seen: dict[str, Any] = self._ask("see", what=what, options=options)
        return seen

    def add_zone(self, given: Zone | Mapping[str, Any]) -> None:
        """One more zone to keep out of. Anybody may ask for that.

        Raises:
            ZoneError: it makes no sense.
            ArmError: there is one of this name already, there are too many, or the arm moves.
        """
        told = self._ask("add_zone", zone=as_mapping(zone(given)))
        self._opening["scene"] = told["scene"]

    def stop(self, why: str = "stop was pressed") -> None:
        """Stop the arm, from any thread: it brakes, and does not move again until a person resets it.

        The other arms of this kernel are stopped, too: whoever stops an arm that was replaced means the one that moves.
        """
        others = [arm for arm in list(_arms) if arm is not self and arm._process is not None]
        for wait in [arm._press(why) for arm in (self, *others)]:  # all are told before one is waited for
            wait()

    @property
    def latched(self) -> str:
        """Why the arm is stopped, as far as it is known here; the process is not asked. Empty if it is not."""
        return self._latched or self._stop_wanted

    def _press(self, why: str) -> Callable[[], None]:
        """Tell the process to stop; what comes back waits until it is."""
        why = str(why)[:300] or "stop was pressed"
        with self._counting:
            self._stops += 1
            self._stop_wanted = why  # first: a process that is just starting reads it
        process, told = self._process, threading.Event()
        if process is None or process.over:
            return lambda: None

        def tell() -> None:
            with suppress(ArmError, TooLate):
                process.ask("stop", why=why).result(_PATIENCE_S)
                told.set()

        # On a thread of its own: the pipe of a process that hangs may be full.
        threading.Thread(target=tell, name="arm-stop", daemon=True).start()

        def wait() -> None:
            if not told.wait(_PATIENCE_S):
                process.kill()  # it does not listen: then it ends where it stands

        return wait

    def halt(self) -> None:
        """Break off the motion that is under way, if there is one. It brakes; the next motion may follow at once."""
        process = self._process
        if process is None or process.over:
            return
        try:
            process.ask("halt").result(2.0)
        except (ArmError, TooLate):
            self.stop("it did not halt")

    # What only a person may do

    def reset(self) -> None:
        """Let a stopped arm move again: a line of its own in a cell of yours. A stop that comes meanwhile holds.

        Raises:
            GuardDenied: it is not seen to be a person's cell that asks (:mod:`llmos_nb.guard.by_hand`).
            ArmError: it has not come to rest yet, or was stopped again.
        """
        self._reset()

    def _reset(self, click: tuple[str, dict[str, Any]] | None = None) -> None:
        persons_only("reset the robot's emergency stop")
        seen = self._stops
        process = self._running()
        stops = process.ask("status").result()["stops"]
        self._still(seen)  # else it may be among those that the process told of
        process.release("reset", click=click, stops=stops).result()
        self._still(seen, forget=True)

    def _still(self, seen: int, *, forget: bool = False) -> None:
        """Refuse to go on with a reset during which somebody pressed stop."""
        with self._counting:
            if self._stops != seen:
                raise ArmError(STOPPED_AGAIN, remedy="Find out why before you reset it.")
            if forget:
                self._stop_wanted = ""

    def set_zones(self, zones: Sequence[Zone | Mapping[str, Any]]) -> None:
        """Other zones in place of those that are.

        Raises:
            GuardDenied: it is not seen to be a person's cell that asks.
            ZoneError: one makes no sense.
            ArmError: the arm moves.
        """
        persons_only("take away the robot's keep-out zones")
        asked = [as_mapping(zone(one)) for one in zones]
        told = self._running().release("zones", zones=asked).result()
        self._opening["scene"] = told["scene"]

    def restart(self) -> None:
        """Begin anew: at home, with the world as it was at first. What was stopped stays so.

        Raises:
            GuardDenied: an agent's code asks.
        """
        persons_only("restart the arm")
        why = self.latched
        self.close()
        with self._counting:
            self._closed, self._seen, self._stop_wanted = False, {}, self._stop_wanted or why

    def close(self) -> None:
        """End the arm's process; what is under way is braked first."""
        with self._starting:
            self._closed = True
            if self._process is not None:
                self._process.close()
                self._process = None

    def __enter__(self) -> ArmController:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise ArmError("An arm cannot be copied or sent elsewhere.", remedy="Use the one that there is.")

    # How it asks

    def _moved(self, do: str, **arguments: Any) -> Ruling:
        answer = self._running().ask(do, **arguments)
        try:
            while not answer.done():
                with suppress(TooLate):
                    answer.exception(0.5)  # an interrupt is heard in between, on every system
            told = answer.result()
        except BaseException as error:
            if not isinstance(error, Exception):  # an interrupt: whoever pressed it does not want the arm to go on
                self.stop("interrupted")
            raise
        ruling = ruling_of(told)
        if not ruling.ok:
            remedy = "A person resets it with reset()." if ruling.rule == "stopped" else ""
            told = ruling.reason if ruling.rule in ("stopped", "halted") else f"the arm did not move: {ruling.reason}"
            raise MoveRefused(f"{told[:1].upper()}{told[1:]}.", ruling=ruling, remedy=remedy)
        return ruling

    def _ask(self, do: str, **arguments: Any) -> Any:
        return self._running().ask(do, **arguments).result()

    def _running(self) -> ArmProcess:
        if os.getpid() != self._owner:
            raise ArmError("This arm belongs to the process that made it.", remedy="Use it there.")
        with self._starting:
            if self._closed:
                raise ArmError("This arm is closed.", remedy="Make another ArmController.")
            process = self._process
            if process is not None and not process.over:
                return process
            opening = dict(self._opening)
            if process is not None:
                self._stop_wanted = self._stop_wanted or "the arm's process ended unexpectedly"
                process.close()
            if self._seen:
                opening["begin"] = dict(self._seen)
            if self._stop_wanted:
                opening["stopped"] = self._stop_wanted
            started = ArmProcess(opening, weakref.WeakMethod(self._heard))
            weakref.finalize(self, started.close).atexit = False  # an arm that nobody has any more
            self._process = started
            if self._stop_wanted and "stopped" not in opening:
                started.ask("stop", why=self._stop_wanted)
            return started

    def _heard(self, message: dict[str, Any]) -> None:
        """Keep how the arm was seen last, for the case that its process dies."""
        if message["event"] == "latched":
            if not self._closed:  # that it brakes when it ends is no emergency stop
                self._latched = str(message["why"])
        elif message["event"] == "saved":
            self._seen = dict(message["begin"])
        elif message["event"] == "state":
            state = state_of(message["state"])
            if finites(state.q, len(self.arm.joints)) is not None and finite(state.opening) is not None:
                held = asdict(state.held) if state.held else None
                self._seen = {**self._seen, "q": list(state.q), "opening": state.opening, "held": held}


def stop_all(why: str) -> None:
    """Stop whatever arm of this kernel there is, from any thread."""
    for wait in [arm._press(why) for arm in list(_arms) if arm._process is not None]:
        wait()


def _plain(value: Any) -> Any:
    """Arrays as lists; what is no plain data is left for the gate to refuse."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
