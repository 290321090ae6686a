"""The arm's twin in numpy: it is exactly where it is told to be, and things stay where they are put.

No forces: a thing is held when the hand closes on it, goes with the hand, and when the hand opens it comes to rest,
upright, on what is below it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.kinematics import forward
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.things import (
    LOOSE,
    THINGS,
    Thing,
    graspable,
    held_name,
    held_thing,
    resting_height,
    things_of,
)
from llmos_nb.domains.robotics.world import World

__all__ = ["twin_world"]

Array = NDArray[np.float64]


def twin_world(arm: Arm, scene: Scene, begin: Mapping[str, Any] | None, options: Mapping[str, Any]) -> World:
    """The world ``numpy``; ``options`` may have ``things``, as plain data.

    Raises:
        ArmError: what it is to begin with makes no sense.
    """
    return _Twin(arm, scene, begin or {}, things_of(options.get("things", THINGS)))


class _Twin:
    def __init__(self, arm: Arm, scene: Scene, begin: Mapping[str, Any], things: Sequence[Thing]) -> None:
        self._arm, self._scene = arm, scene
        count = len(arm.joints)
        q, opening = finites(begin.get("q", arm.home), count), finite(begin.get("opening", arm.home_opening))
        if q is None or opening is None:
            raise ArmError("The pose to begin from is not finite.")
        self._q: Pose = q
        self._qd: Pose = (0.0,) * count
        self._opening = opening
        self._things = {thing.name: thing for thing in things_of(begin.get("things", things))}
        self._wide = 0.0  # how far the fingers are apart that hold it
        self._held = held_name(begin.get("held"), self._things)
        #: Where the held thing is in the frame of the last joint, and how it is turned there.
        self._offset: Array = np.array(finites(begin.get("offset"), 3) or (0.0, 0.0, 0.0))
        self._turn: Array = np.reshape(finites(begin.get("turn"), 9) or np.eye(3).ravel(), (3, 3))
        if self._held:  # it is where the hand is, which may have moved on since the rest was kept
            self._carry(self._things[self._held])
            self._wide = self._things[self._held].width(self._hand()[2][:, 1])

    def measured(self) -> State:
        thing = self._things.get(self._held)
        held = None if thing is None else held_thing(thing, self._offset, self._turn.tolist())
        return State(
            self._q, self._qd, self._opening, held, tuple(one for one in self._things.values() if not one.held)
        )

    def follow(self, q: Pose, qd: Pose, qdd: Pose, opening: float, dt: float) -> None:
        was, self._q, self._qd = self._opening, tuple(map(float, q)), tuple(map(float, qd))
        thing = self._things.get(self._held)
        if thing is not None and opening > self._wide + LOOSE:
            self._put_down(thing)
            thing = None
        place, tool, turn = self._hand()
        if thing is None:
            thing = graspable(self._things.values(), tool, turn, was, opening)
            if thing is not None:
                self._wide = thing.width(turn[:, 1])
                self._held = thing.name
                self._offset = turn.T @ (np.array(thing.position) - place)
                cos, sin = np.cos(thing.yaw), np.sin(thing.yaw)
                self._turn = turn.T @ np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        if thing is not None:
            self._carry(thing)
            opening = max(opening, self._wide)
        self._opening = float(opening)

    def halt(self) -> None:
        self._qd = (0.0,) * len(self._q)

    def see(self, what: str, options: Mapping[str, Any]) -> dict[str, Any]:
        if what != "things":
            raise ArmError(f"In this world the things can be seen, no {what!r:.80}.")
        return {"things": [thing.as_mapping() for thing in self._things.values()]}

    def save(self) -> dict[str, Any]:
        return {
            "q": list(self._q),
            "opening": self._opening,
            **self.see("things", {}),
            "held": self._held,
            "offset": self._offset.tolist(),
            "turn": self._turn.ravel().tolist(),
        }

    def _carry(self, thing: Thing) -> None:
        place, _, turn = self._hand()
        (x, y, _), *_ = (turn @ self._turn).T
        self._things[thing.name] = thing.at(place + turn @ self._offset, held=True, yaw=math.atan2(y, x))

    def _put_down(self, thing: Thing) -> None:
        x, y, _ = thing.position
        self._things[thing.name] = thing.at((x, y, resting_height(thing, self._things.values(), self._scene.floor)))
        self._held = ""

    def _hand(self) -> tuple[Array, Array, Array]:
        """The last joint's place, the tool's place, and the turn of both."""
        poses = forward(self._arm, self._q)
        place, turn = poses.places[0, -1], poses.turns[0, -1]
        return place, place + turn @ np.array(self._arm.tool), turn
