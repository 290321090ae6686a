"""What an agent may do with the arm. Each tool is one call of :class:`~llmos_nb.domains.robotics.robot_arm.Robot`.

There is none that resets the emergency stop, and none that changes zones or limits: those are for people.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from llmos_nb.guard import Verdict
from llmos_nb.tools import Output, Tool, ToolContext, ToolResult

__all__ = ["TOOLS"]

_LENGTH: Final = ["string", "number"]
_SPEED: Final = {"type": "number", "description": "A share of full speed, above 0 and up to 1; 1 if left out."}
#: What undoing a run leaves as it is, and why.
_STAYS: Final = ("where the robot arm was", "a motion is not taken back; ask for one that goes back")
_UNITS: Final = 'Lengths have a unit: "30cm", "0.3 m", "12 in"; a bare number is metres.'


async def _move_to(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    x, y, z = arguments["x"], arguments["y"], arguments["z"]
    return await _moved(context, lambda arm: arm.move_to(x, y, z, **_speed(arguments)))


async def _move_relative(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    return await _moved(context, lambda arm: arm.move_relative(**arguments))


async def _move_joints(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    return await _moved(context, lambda arm: arm.move_joints(arguments["joints"], **_speed(arguments)))


async def _grip(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    return await _moved(context, lambda arm: arm.grip(arguments["hand"]))


async def _go_home(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    return await _moved(context, lambda arm: arm.go_home(**_speed(arguments)))


async def _get_status(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    arm = await asyncio.to_thread(_robot)
    return ToolResult(text=_json((await asyncio.to_thread(arm.status)).as_dict()))


async def _look(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    arm = await asyncio.to_thread(_robot)
    seen = await asyncio.to_thread(arm.look)
    told = (await asyncio.to_thread(arm.status)).as_dict()
    return ToolResult(text=_json({"shown": seen.text, **told}), outputs=_shown(seen))


def _stop_now(context: ToolContext, arguments: Mapping[str, Any]) -> None:
    from llmos_nb.domains.robotics.controller import stop_all

    stop_all(_why(context, arguments))


def _why(context: ToolContext, arguments: Mapping[str, Any]) -> str:
    return f"{context.agent or 'an agent'}: {str(arguments.get('reason', '')).strip()[:200] or 'asked for'}"


async def _stop(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    arm = await asyncio.to_thread(_robot)
    await asyncio.to_thread(arm.stop, _why(context, arguments))
    told = (await asyncio.to_thread(arm.status)).as_dict()
    return ToolResult(text=_json({"ok": True, "did": "emergency stop", "only_a_person_resets_it": True, **told}))


def _robot() -> Any:
    from llmos_nb.domains.robotics.robot_arm import robot

    return robot()


def _speed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"speed": arguments["speed"]} if "speed" in arguments else {}


async def _moved(context: ToolContext, work: Callable[[Any], Any]) -> ToolResult:
    """Make a motion beside the notebook's loop; where the run is stopped meanwhile, the arm is, too."""
    from llmos_nb.domains.robotics.errors import ArmError, MoveRefused

    arm = await asyncio.to_thread(_robot)
    motion = asyncio.ensure_future(asyncio.to_thread(work, arm))
    try:
        while not motion.done():
            await asyncio.wait([motion], timeout=0.05)
            if context.stopping.is_set():
                arm.halt()
        done = motion.result()
    except asyncio.CancelledError:
        await asyncio.shield(asyncio.to_thread(arm.halt))
        raise
    except MoveRefused as refused:
        shown = _shown(refused.picture) if refused.picture is not None else ()
        return ToolResult(text=_refused(refused), error=type(refused).__name__, outputs=shown)
    except ArmError as error:
        return ToolResult(text=_refused(error), error=type(error).__name__)
    context.undo.not_kept.setdefault(*_STAYS)
    return ToolResult(text=_json(done.as_dict()))


def _refused(error: Any) -> str:
    """An error in plain words: what happened, where, what to do."""
    told = [error.message, error.remedy]
    ruling = getattr(error, "ruling", None)
    if ruling is not None and ruling.point is not None:
        x, y, z = (round(number, 3) + 0.0 for number in ruling.point)
        told.insert(1, f"It would touch at x {x:.3f} m, y {y:.3f} m, z {z:.3f} m.")
    return " ".join(part for part in told if part)


def _shown(seen: Any) -> tuple[Output, ...]:
    return (Output("display", seen._repr_mimebundle_()),)


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _check_lengths(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    """Numbers and units that cannot be read are refused before anything begins, a replay's other steps too."""
    from llmos_nb.domains.robotics.errors import ArmError
    from llmos_nb.domains.robotics.units import angle, length

    try:
        for name, value in arguments.items():
            if name == "joints":
                for one in value.values() if isinstance(value, Mapping) else value:
                    angle(one)
            elif name not in ("speed", "hand"):
                length(value)
    except ArmError as error:
        return Verdict("deny", "robot-units", str(error))
    return _check_nothing(context, arguments)


def _check_nothing(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    return Verdict("allow", "robot-gate", "the arm's safety gate judges the motion itself")


def _way(name: str) -> dict[str, Any]:
    return {"type": _LENGTH, "description": f"How far {name}."}


MOVE_TO: Final = Tool(
    name="move_to",
    description=(
        "Bring the robot's hand to a place, in a straight line: x forward from the base, y to the left (right is "
        f"negative), z up from the table. {_UNITS} The hand points down; z is where its finger tips grip. The safety "
        "gate proves the whole way free, or refuses it and nothing moves."
    ),
    schema={
        "type": "object",
        "properties": {"x": {"type": _LENGTH}, "y": {"type": _LENGTH}, "z": {"type": _LENGTH}, "speed": _SPEED},
        "required": ["x", "y", "z"],
    },
    run=_move_to,
    main="x",
    check=_check_lengths,
)

MOVE_RELATIVE: Final = Tool(
    name="move_relative",
    description=(
        "Move the robot's hand from where it is, as seen from behind the arm's base: give one or more of right, left, "
        f"forward, back, up, down. {_UNITS} The safety gate proves the whole way free, or refuses it and nothing moves."
    ),
    schema={
        "type": "object",
        "properties": {
            **{name: _way(name) for name in ("right", "left", "forward", "back", "up", "down")},
            "speed": _SPEED,
        },
    },
    run=_move_relative,
    main="right",
    check=_check_lengths,
)

MOVE_JOINTS: Final = Tool(
    name="move_joints",
    description=(
        "Turn the robot's joints to angles, by name (base_yaw, shoulder, elbow, forearm_roll, wrist_pitch, wrist_roll); "
        'joints that are not named stay. Angles have a unit: {"elbow": "90 deg"}; a bare number is radians.'
    ),
    schema={
        "type": "object",
        "properties": {
            "joints": {"type": "object", "description": "Angles by the joints' names."},
            "speed": _SPEED,
        },
        "required": ["joints"],
    },
    run=_move_joints,
    main="joints",
    check=_check_lengths,
)

GRIP: Final = Tool(
    name="grip",
    description=(
        "Close or open the robot's hand. It holds what is between its fingers when it closes, and puts down what it "
        "holds when it opens. The result says what is held."
    ),
    schema={
        "type": "object",
        "properties": {"hand": {"type": "string", "enum": ["close", "open"]}},
        "required": ["hand"],
    },
    run=_grip,
    main="hand",
    check=_check_nothing,
)

GET_STATUS: Final = Tool(
    name="get_status",
    description=(
        "Where the robot's hand is, what it holds, its joints, whether the emergency stop is latched, where the things "
        "on the table are and which zones must not be entered. As measured; changes nothing."
    ),
    schema={"type": "object", "properties": {}},
    run=_get_status,
    main="",
    changes=False,
)

LOOK: Final = Tool(
    name="look",
    description="A picture of the robot, the things and the zones for the person, and for you the same in words.",
    schema={"type": "object", "properties": {}},
    run=_look,
    main="",
    changes=False,
)

STOP: Final = Tool(
    name="stop",
    description="Emergency stop: the robot stops at once and stays stopped until a person resets it. No tool resets it.",
    schema={"type": "object", "properties": {"reason": {"type": "string", "description": "Why, in a few words."}}},
    run=_stop,
    main="reason",
    check=_check_nothing,
    at_once=_stop_now,
)

GO_HOME: Final = Tool(
    name="go_home",
    description="Bring the robot back to the pose that it starts from. The safety gate judges that, too.",
    schema={"type": "object", "properties": {"speed": _SPEED}},
    run=_go_home,
    main="speed",
    check=_check_nothing,
)

#: All of them, in the order in which they are offered.
TOOLS: Final = (MOVE_TO, MOVE_RELATIVE, MOVE_JOINTS, GRIP, GET_STATUS, LOOK, STOP, GO_HOME)
