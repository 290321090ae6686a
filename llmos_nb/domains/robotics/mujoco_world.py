"""The arm in MuJoCo: motors, masses and gravity, made from the same table as everything else.

The motors are told a torque that the model's own dynamics ask for (computed torque control, Luh, Walker, Paul 1980), with
what is left of the error fed back. A thing that the hand closes on is welded to it until the hand opens; then it falls.
Things touch the table and one another; that the hand pushes them is not simulated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from xml.sax.saxutils import quoteattr

import mujoco
import numpy as np
from numpy.typing import NDArray

from llmos_nb.domains.robotics.arm import Arm
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.finite import finite, finites
from llmos_nb.domains.robotics.kinematics import forward
from llmos_nb.domains.robotics.mjcf import mjcf
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.things import LOOSE, THINGS, Thing, graspable, held_name, held_thing, things_of
from llmos_nb.domains.robotics.world import World

__all__ = ["mujoco_world"]

Array = NDArray[np.float64]
#: Of the feedback: an error is gone in about 1/50 s, without swinging over.
_STIFF, _DAMPED = 2500.0, 100.0
#: The longest step of the simulation.
_STEP_S: Final = 0.0025
#: Seconds in which a thing that was let go comes to rest.
_SETTLE_S: Final = 0.6
#: The cosine of the tilt (2 degrees) from which a thing is no upright box any more.
_UPRIGHT: Final = 0.9994


def mujoco_world(arm: Arm, scene: Scene, begin: Mapping[str, Any] | None, options: Mapping[str, Any]) -> World:
    """The world ``mujoco``; ``options`` may have ``things``, as plain data.

    Raises:
        ArmError: what it is to begin with makes no sense.
    """
    return _Physics(arm, scene, begin or {}, things_of(options.get("things", THINGS)))


class _Physics:
    def __init__(self, arm: Arm, scene: Scene, begin: Mapping[str, Any], things: Sequence[Thing]) -> None:
        count = len(arm.joints)
        q, opening = finites(begin.get("q", arm.home), count), finite(begin.get("opening", arm.home_opening))
        if q is None or opening is None:
            raise ArmError("The pose to begin from is not finite.")
        self._arm, self._count = arm, count
        self._things = {thing.name: thing for thing in things_of(begin.get("things", things))}
        held = held_name(begin.get("held"), self._things)
        if held and (offset := finites(begin.get("offset"), 3)) is not None:
            poses = forward(arm, q)  # it is where the hand is, which may have moved on since the rest was kept
            place = poses.places[0, -1] + poses.turns[0, -1] @ np.array(offset)
            self._things[held] = self._things[held].at(place)
        here = tuple(self._things.values())
        self._model = mujoco.MjModel.from_xml_string(
            mjcf(
                arm,
                scene.zones,
                world="".join(map(_body, here)),
                extra=_welds_and_contacts(arm, here),
                floor=scene.floor,
            )
        )
        self._data = mujoco.MjData(self._model)
        joints = [self._model.joint(joint.name) for joint in arm.joints]
        slides = [self._model.joint(f"{finger.name}_slide") for finger in arm.fingers]
        self._at = np.array([joint.qposadr[0] for joint in (*joints, *slides)])
        self._moves = np.array([joint.dofadr[0] for joint in (*joints, *slides)])
        self._share = np.array([float(np.linalg.norm(finger.slide)) for finger in arm.fingers])
        self._opening = opening
        self._held, self._wide = "", 0.0  # what it holds, and how far the fingers are apart that do
        self._data.qpos[self._at] = self._wanted = np.array([*q, *(opening * self._share)])
        mujoco.mj_forward(self._model, self._data)
        if held:
            self._weld(held, on=True)
        self._rest(_SETTLE_S)

    def measured(self) -> State:
        q = tuple(float(angle) for angle in self._data.qpos[self._at[: self._count]])
        qd = tuple(float(rate) for rate in self._data.qvel[self._moves[: self._count]])
        slides = self._data.qpos[self._at[self._count :]]
        opening = float(np.clip((slides / self._share).mean(), 0.0, self._arm.opening))
        return State(q, qd, opening, self._in_hand(), tuple(thing for thing in self._seen() if not thing.held))

    def follow(self, q: Pose, qd: Pose, qdd: Pose, opening: float, dt: float) -> None:
        was = self._opening
        thing = self._things.get(self._held)
        if thing is not None and opening > self._wide + LOOSE:
            self._weld(thing.name, on=False)
            thing = None
            self._rest(_SETTLE_S)
        if thing is None and opening < was:
            place, turn = self._hand()
            tool = place + turn @ np.array(self._arm.tool)
            thing = graspable(self._seen(), tool, turn, was, opening)
            if thing is not None:
                self._weld(thing.name, on=True)
        self._opening = max(opening, self._wide) if thing is not None else opening
        fingers = self._opening * self._share
        closing = (fingers - self._wanted[self._count :]) / dt
        self._go_on(np.array([*q, *fingers]), np.array([*qd, *closing]), np.array([*qdd, *(0.0 * closing)]), dt)

    def halt(self) -> None:
        self._wanted = np.array([*self._data.qpos[self._at[: self._count]], *(self._opening * self._share)])
        self._rest(0.1)

    def see(self, what: str, options: Mapping[str, Any]) -> dict[str, Any]:
        if what != "things":
            raise ArmError(f"In this world the things can be seen, no {what!r:.80}.")
        return {"things": [thing.as_mapping() for thing in self._seen()]}

    def save(self) -> dict[str, Any]:
        state = self.measured()
        place, turn = self._hand()
        thing = next((thing for thing in self._seen() if thing.held), None)
        offset = (turn.T @ (np.array(thing.position) - place)).tolist() if thing is not None else None
        return {
            "q": list(state.q),
            "opening": state.opening,
            "held": self._held,
            "offset": offset,
            **self.see("things", {}),
        }

    def _seen(self) -> list[Thing]:
        seen = []
        for thing in self._things.values():
            body = self._data.body(thing.name)
            turn = np.array(body.xmat).reshape(3, 3)
            yaw = math.atan2(turn[1, 0], turn[0, 0])
            if turn[2, 2] < _UPRIGHT and thing.name != self._held:  # tilted: the upright box that has all of it in it
                x, y, z = (float(edge) for edge in np.abs(turn) @ np.array(thing.size))
                thing, yaw = replace(thing, size=(x, y, z)), 0.0
            seen.append(thing.at(body.xpos, held=thing.name == self._held, yaw=yaw))
        return seen

    def _hand(self) -> tuple[Array, Array]:
        hand = self._data.body(f"frame{self._count}")
        return np.array(hand.xpos), np.array(hand.xmat).reshape(3, 3)

    def _in_hand(self) -> Any:
        thing = self._things.get(self._held)
        if thing is None:
            return None
        place, turn = self._hand()
        body = self._data.body(thing.name)
        turned = turn.T @ np.array(body.xmat).reshape(3, 3)
        return held_thing(thing, turn.T @ (np.array(body.xpos) - place), turned.tolist())

    def _rest(self, seconds: float) -> None:
        nothing = np.zeros(len(self._wanted))
        self._go_on(self._wanted, nothing, nothing, seconds)

    def _go_on(self, end: Array, speed: Array, change: Array, seconds: float) -> None:
        """Steps that bring the joints to ``end``, at ``speed``, with an acceleration that is ``change`` there."""
        count = max(1, math.ceil(seconds / _STEP_S - 1e-9))
        self._model.opt.timestep = step = seconds / count
        for number in range(count):  # seen from the end of it
            left = (count - number) * step
            self._push(end - speed * left + 0.5 * change * left * left, speed - change * left, change)
            mujoco.mj_step(self._model, self._data)
        self._wanted = np.array(end)

    def _push(self, place: Array, speed: Array, change: Array) -> None:
        """The torques that bring the joints there: M (a + feedback) + bias."""
        data: Any = self._data
        push = np.zeros(self._model.nv)
        off = place - data.qpos[self._at]
        push[self._moves] = change + _STIFF * off + _DAMPED * (speed - data.qvel[self._moves])
        torque = np.zeros(self._model.nv)
        mujoco.mj_mulM(self._model, data, torque, push)
        torque += data.qfrc_bias - data.qfrc_passive
        data.ctrl[:] = torque[self._moves]

    def _weld(self, name: str, *, on: bool) -> None:
        """Hold a thing as it is now in the hand, or let it go."""
        number = self._model.equality(f"hold:{name}").id
        if on:
            self._wide = next(thing for thing in self._seen() if thing.name == name).width(self._hand()[1][:, 1])
            hand, thing = self._data.body(f"frame{self._count}"), self._data.body(name)
            back, turn = np.zeros(4), np.zeros(4)
            mujoco.mju_negQuat(back, hand.xquat)
            mujoco.mju_mulQuat(turn, back, thing.xquat)
            place = np.array(hand.xmat).reshape(3, 3).T @ (np.array(thing.xpos) - np.array(hand.xpos))
            self._model.eq_data[number, :11] = [0, 0, 0, *place, *turn, 1]  # anchor, pose, share of the torque
        self._data.eq_active[number] = on
        self._held = name if on else ""


def _body(body: Thing) -> str:
    place, half = (
        " ".join(repr(float(n)) for n in numbers) for numbers in (body.position, [e / 2 for e in body.size])
    )
    turn = f"{math.cos(body.yaw / 2)!r} 0 0 {math.sin(body.yaw / 2)!r}"
    red, green, blue = (int(body.color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return (
        f'<body name={quoteattr(body.name)} pos="{place}" quat="{turn}"><freejoint/>'
        f'<geom name={quoteattr("thing:" + body.name)} type="box" size="{half}" contype="0" conaffinity="0" '
        f'rgba="{red:.3f} {green:.3f} {blue:.3f} 1"/></body>'
    )


def _welds_and_contacts(arm: Arm, bodies: Sequence[Thing]) -> str:
    names = [quoteattr("thing:" + body.name) for body in bodies]
    welds = "".join(
        f'<weld name={quoteattr("hold:" + body.name)} body1="frame{len(arm.joints)}" body2={quoteattr(body.name)} '
        'active="false" solref="0.004 1"/>'
        for body in bodies
    )
    pairs = [f'<pair geom1="floor" geom2={name} friction="0.9 0.9 0.01 0.001 0.001"/>' for name in names]
    pairs += [
        f'<pair geom1={one} geom2={other} friction="0.9 0.9 0.01 0.001 0.001"/>'
        for number, one in enumerate(names)
        for other in names[number + 1 :]
    ]
    fingers = [finger.name for finger in arm.fingers]
    apart = f'<exclude body1="{fingers[0]}" body2="{fingers[1]}"/>'  # closed they touch
    return f"<equality>{welds}</equality><contact>{''.join(pairs)}{apart}</contact>"
