"""The robot's tools and the arm that people have: units, errors, JSON, the emergency stop and who may reset it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hand import by_hand
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.domains.robotics import PACK, EmergencyStopped, MoveRefused, Robot, robot
from llmos_nb.domains.robotics.errors import ArmError, UnitError, Unreachable
from llmos_nb.domains.robotics.robot_arm import DIRECTIONS
from llmos_nb.domains.robotics.units import length
from llmos_nb.errors import GuardDenied
from llmos_nb.guard.undo import Undo
from llmos_nb.kernel.whose import agents_code
from llmos_nb.mind.agent_file import read_agent
from llmos_nb.tools import Tool, ToolContext, ToolResult
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.workbench import Workbench

TOOLS = {tool.name: tool for tool in PACK.tools}


@pytest.fixture(scope="module", autouse=True)
def one_arm() -> Iterator[None]:
    robot("numpy", pace=0)
    yield
    robot().close()


@pytest.fixture
def arm() -> Robot:
    return robot()


@pytest.fixture(autouse=True)
def at_home(one_arm: None) -> None:
    arm = robot()
    if arm.status().emergency_stop:
        by_hand("arm.reset_estop()", arm=arm)
    if arm.status().holding:
        arm.grip("open")
    try:
        arm.go_home()
    except MoveRefused:  # from behind a zone there may be no way that it knows
        robot("numpy", pace=0)


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    return ToolContext(
        namespace=PlainNamespace(),
        workspace=tmp_path,
        cwd=tmp_path,
        undo=Undo(),
        stopping=threading.Event(),
        agent="operator",
    )


def call(context: ToolContext, name: str, **arguments: Any) -> ToolResult:
    tool: Tool = TOOLS[name]
    assert not tool.problem(arguments)
    if tool.check is not None:
        verdict = tool.check(context, arguments)
        if verdict.decision != "allow":
            return ToolResult(text=verdict.reason, error="denied")

    async def run() -> ToolResult:
        return await tool.run(context, arguments)

    return asyncio.run(run())


def test_there_is_no_tool_that_resets_or_changes_what_is_safe() -> None:
    assert set(TOOLS) == {
        "move_to", "move_relative", "move_joints", "grip", "get_status", "look", "stop", "go_home",
    }  # fmt: skip
    assert not any("reset" in name or "zone" in name for tool in PACK.tools for name in tool.schema["properties"])


def test_the_officer_can_only_look_and_stop() -> None:
    assert PACK.folder is not None
    officer = read_agent(PACK.folder / "agents" / "safety-officer.md")
    operator = read_agent(PACK.folder / "agents" / "operator.md")
    assert set(officer.tools) == {"get_status", "look", "stop"}
    assert set(officer.tools) <= set(operator.tools) and "run_cell" not in operator.tools


def test_a_length_that_cannot_be_read_is_refused_with_the_units_that_can(context: ToolContext) -> None:
    told = call(context, "move_relative", right="9 parsec")
    assert told.error == "denied"
    assert told.text.startswith("'9 parsec' is not a length")
    assert all(f" {unit}" in told.text for unit in ("m,", "cm,", "mm,", "in,"))


@pytest.mark.parametrize("said", ["30cm", "0.3 m", 0.3, "300 mm", "30 CM"])
def test_thirty_centimetres_to_the_right_however_it_is_said(arm: Robot, context: ToolContext, said: Any) -> None:
    told = json.loads(call(context, "move_relative", right=said).text)
    assert told == {
        "ok": True,
        "did": "moved 0.300 m right",
        "position": {"x": 0.45, "y": -0.3, "z": 0.3},
        "hand_open": 0.08,
        "holding": None,
    }
    assert arm.status().position == pytest.approx((0.45, -0.3, 0.3), abs=5e-4)


@pytest.mark.parametrize(
    ("way", "axis", "sign"),
    [("left", 1, 1), ("right", 1, -1), ("forward", 0, 1), ("back", 0, -1), ("up", 2, 1), ("down", 2, -1)],
)
def test_each_direction_is_the_one_that_it_says(arm: Robot, way: str, axis: int, sign: int) -> None:
    before = arm.status().position
    arm.move_relative(**{way: "5 cm"})
    off = [b - a for a, b in zip(before, arm.status().position, strict=True)]
    expected = [0.0, 0.0, 0.0]
    expected[axis] = sign * 0.05
    assert off == pytest.approx(expected, abs=5e-4)
    assert set(DIRECTIONS) == {"left", "right", "forward", "back", "up", "down"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("move_relative", {"right": "30"}),
        ("move_relative", {"right": "30 kg"}),
        ("move_relative", {"right": "far"}),
        ("move_relative", {"right": ""}),
        ("move_to", {"x": "nan", "y": 0, "z": 0.3}),
        ("move_to", {"x": "1e400 m", "y": 0, "z": 0.3}),
        ("move_joints", {"joints": {"elbow": "90 m"}}),
        ("move_joints", {"joints": {"knee": "90 deg"}}),
        ("move_joints", {"joints": {}}),
        ("move_relative", {}),
    ],
)
def test_what_cannot_be_read_moves_nothing_and_says_why(
    arm: Robot, context: ToolContext, name: str, arguments: dict[str, Any]
) -> None:
    before = arm.status()
    result = call(context, name, **arguments)
    assert result.error and len(result.text) > 15
    assert arm.status() == before


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), True, None, [1], "30 cm 20 cm", b"30cm", 10**400])
def test_a_person_gets_the_same_errors(arm: Robot, bad: Any) -> None:
    before = arm.status()
    with pytest.raises(UnitError):
        arm.move_relative(right=bad)
    with pytest.raises(UnitError):
        arm.move_to(bad, 0.0, 0.3)
    assert arm.status() == before


def test_a_refused_motion_says_where_it_would_hit_and_shows_it(arm: Robot, context: ToolContext) -> None:
    before = arm.status()
    result = call(context, "move_relative", right="60 cm")
    assert result.error == "MoveRefused" and "glass pane" in result.text and "nothing has moved" in result.text
    (shown,) = result.outputs
    assert b"glass pane" in base64.b64decode(shown.data["text/html"].split("base64,")[1].split('"')[0])
    assert arm.status() == before


def test_look_tells_in_words_what_it_shows(context: ToolContext) -> None:
    result = call(context, "look")
    told = json.loads(result.text)
    assert told["keep_out"] == ["glass pane", "lamp"] and set(told["things"]) == {
        "red cube",
        "green cube",
        "blue block",
    }
    assert result.outputs[0].mime == "text/html"


def test_pick_and_place(arm: Robot, context: ToolContext) -> None:
    x, y, _ = next(thing.position for thing in arm.status().things if thing.name == "red cube")
    for z in ("20 cm", "2 cm"):
        assert not call(context, "move_to", x=x, y=y, z=z).error
    assert json.loads(call(context, "grip", hand="close").text)["holding"] == "red cube"
    assert not call(context, "move_relative", up="18 cm").error
    assert not call(context, "move_to", x=0.40, y=-0.20, z=0.20).error
    into_glass = call(context, "move_relative", right="24 cm")
    assert into_glass.error == "MoveRefused", into_glass.text
    assert not call(context, "move_to", x=0.40, y=-0.20, z="2 cm").error
    assert "put down the red cube" in json.loads(call(context, "grip", hand="open").text)["did"]
    there = next(thing.position for thing in arm.status().things if thing.name == "red cube")
    assert there == pytest.approx((0.40, -0.20, 0.02), abs=1e-3)


def test_after_the_emergency_stop_nothing_moves_until_a_person_resets_it(arm: Robot, context: ToolContext) -> None:
    assert json.loads(call(context, "stop", reason="a test").text)["emergency_stop"] == "operator: a test"
    before = arm.status()
    for name, arguments in {
        "move_to": {"x": 0.4, "y": 0.0, "z": 0.3}, "move_relative": {"up": "1 cm"}, "go_home": {},
        "move_joints": {"joints": {"elbow": "90 deg"}}, "grip": {"hand": "close"},
    }.items():  # fmt: skip
        result = call(context, name, **arguments)
        assert result.error == "EmergencyStopped" and "A person resets it" in result.text
    assert arm.status() == before
    with agents_code():
        for forbidden in (arm.reset_estop, arm.close, Robot, lambda: robot("numpy"), lambda: robot(pace=0)):
            with pytest.raises(GuardDenied):
                forbidden()
    assert arm.status().emergency_stop
    seen: list[BaseException] = []

    def elsewhere() -> None:
        try:
            arm.reset_estop()
        except GuardDenied as error:
            seen.append(error)

    with agents_code():
        thread = threading.Thread(target=elsewhere)
        thread.start()
    thread.join()
    assert seen, "a thread that an agent's code started is an agent's code"
    assert not by_hand("arm.reset_estop()", arm=arm).emergency_stop
    assert arm.move_relative(up="1 cm")


def test_the_stop_of_a_run_stops_the_arm_on_its_way(context: ToolContext) -> None:
    slow = robot("numpy", pace=1)

    def press() -> None:
        while not slow.status().moving:
            time.sleep(0.01)
        time.sleep(0.2)
        context.stopping.set()

    threading.Thread(target=press).start()
    result = call(context, "move_relative", left="30 cm")
    assert result.error == "MoveRefused" and "came to rest on its way" in result.text
    now = slow.status()
    assert 0.0 < now.position[1] < 0.29 and not now.moving and not now.emergency_stop
    robot("numpy", pace=0)


def test_a_stop_on_the_way_is_told_and_the_arm_is_somewhere_between() -> None:
    slow = Robot(pace=1)

    def press() -> None:
        while not slow.status().moving:
            time.sleep(0.01)
        time.sleep(0.2)
        slow.stop("a test")

    threading.Thread(target=press).start()
    with pytest.raises(EmergencyStopped, match="came to rest on its way: a test"):
        slow.move_relative(left="30 cm")
    assert "<polyline" in slow.look().svg, "the way that it was on"
    assert 0.0 < slow.status().position[1] < 0.29
    slow.close()


def test_two_motions_at_once_are_one_motion_and_a_refusal() -> None:
    slow = Robot(pace=1)
    first = threading.Thread(target=lambda: slow.move_relative(left="20 cm"))
    first.start()
    while not slow.status().moving:
        time.sleep(0.01)
    with pytest.raises(MoveRefused, match="another motion"):
        slow.move_joints([0.0] * 6)
    first.join()
    assert slow.status().position[1] == pytest.approx(0.2, abs=1e-3)
    slow.close()


def test_a_place_that_cannot_be_reached_is_told(arm: Robot) -> None:
    with pytest.raises(Unreachable):
        arm.move_to(2.0, 0.0, 0.3)


def test_an_unknown_world_is_told() -> None:
    with pytest.raises(ArmError, match="no world"):
        Robot("gazebo").status()


@settings(max_examples=60, deadline=None)
@given(st.decimals(min_value=-500, max_value=500, places=3, allow_nan=False, allow_infinity=False))
def test_lengths_in_every_unit_are_the_same_length(number: Any) -> None:
    metres = float(number)
    assert length(f"{number} m") == pytest.approx(metres)
    assert length(f"{number * 100} cm") == pytest.approx(metres)
    assert length(f"{number * 1000}mm") == pytest.approx(metres)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=12))
def test_odd_texts_are_lengths_or_errors(text: str) -> None:
    with contextlib.suppress(UnitError):
        assert abs(length(text)) < float("inf")


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(DIRECTIONS)), st.floats(-0.6, 0.6), min_size=1, max_size=3))
def test_whatever_is_asked_for_the_arm_stays_clear(ways: dict[str, float]) -> None:
    """However a motion ends, the arm stands where the gate finds nothing near."""
    arm = robot()
    with contextlib.suppress(MoveRefused, Unreachable):
        arm.move_relative(**ways)
    here = arm.status().joints
    assert arm._controller.check([here]).ok


@pytest.mark.parametrize("busy", ["motion", "cell"])
async def test_the_stop_tool_does_not_wait_for_its_turn(tmp_path: Path, busy: str) -> None:
    """Neither for a motion nor for a cell that keeps the notebook's thread; a hook that let it through is enough."""
    arm = robot("numpy", pace=1)
    arm.status()
    names = PlainNamespace()
    bench = Workbench(
        "run", namespace=names, workspace=tmp_path, cwd=tmp_path, grant={*TOOLS, "run_cell"},
        publish=lambda event: None, agent="operator",
    )  # fmt: skip
    pressed: list[float] = []

    def press() -> None:  # as the cortex does, on its own thread
        while not arm.status().moving:
            time.sleep(0.01)
        time.sleep(0.2)
        bench.at_once("stop", {"reason": "a person comes near"})
        pressed.append(arm.status().position[1])

    thread = threading.Thread(target=press)
    thread.start()
    code = "from llmos_nb.domains.robotics import robot\nrobot().move_relative(left='40cm', speed=0.2)"
    if busy == "cell":
        moved = await bench.call("run_cell", {"code": code})
    else:
        moving = asyncio.create_task(bench.call("move_relative", {"left": "40cm", "speed": 0.2}))
        moved = await moving
    thread.join()
    assert moved.result is not None and moved.result.error == "EmergencyStopped", moved.result
    assert pressed and pressed[0] < 0.2
    assert arm.status().emergency_stop == "operator: a person comes near"
    by_hand("arm.reset_estop()", arm=arm)
    robot("numpy", pace=0)


async def test_a_stop_called_beside_a_motion_ends_it(tmp_path: Path) -> None:
    arm = robot("numpy", pace=1)
    arm.status()
    bench = Workbench(
        "run", namespace=PlainNamespace(), workspace=tmp_path, cwd=tmp_path, grant=set(TOOLS),
        publish=lambda event: None, agent="operator",
    )  # fmt: skip
    moving = asyncio.create_task(bench.call("move_relative", {"left": "40cm", "speed": 0.1}))
    while not arm.status().moving:
        await asyncio.sleep(0.02)
    began = time.monotonic()
    stopped = await bench.call("stop", {"reason": "enough"})
    assert time.monotonic() - began < 5, "the motion alone would have taken more than ten seconds"
    assert stopped.result is not None and "operator: enough" in stopped.result.text
    moved = await moving
    assert moved.result is not None and moved.result.error == "EmergencyStopped"
    by_hand("arm.reset_estop()", arm=arm)
    robot("numpy", pace=0)


async def test_a_stop_that_was_not_granted_stops_nothing(tmp_path: Path) -> None:
    bench = Workbench(
        "run", namespace=PlainNamespace(), workspace=tmp_path, cwd=tmp_path, grant={"get_status"},
        publish=lambda event: None, agent="operator",
    )  # fmt: skip
    bench.at_once("stop", {})
    bench.at_once("get_status", {})
    assert not robot().status().emergency_stop


@pytest.mark.parametrize("speed", [0, 5, -1, "0.5", True, None, math.nan, math.inf])
def test_a_speed_that_is_none_is_told_before_anything_is_asked(arm: Robot, speed: Any) -> None:
    for move in (
        lambda: arm.move_relative(right="1 cm", speed=speed),
        lambda: arm.move_to(0.45, 0.0, 0.25, speed=speed),
        lambda: arm.move_joints({"elbow": "90 deg"}, speed=speed),
        lambda: arm.go_home(speed=speed),
    ):
        with pytest.raises(UnitError, match=r"from 0\.01 to 1, not") as told:
            move()
        assert "speed=0.5" in told.value.remedy


@pytest.mark.parametrize("joints", [None, 5, [0] * 5, "x", b"123456", {}, {0: 1}, [None] * 6, {"elbow": "1e308"}])
def test_joints_that_are_none_are_told(arm: Robot, joints: Any) -> None:
    with pytest.raises(UnitError) as told:
        arm.move_joints(joints)
    assert told.value.remedy and len(str(told.value)) < 300


@pytest.mark.parametrize("far", ["1e308", 1e308, -2e5, "5000 m"])
def test_a_length_beyond_all_reason_is_told_in_few_words(arm: Robot, far: Any) -> None:
    with pytest.raises(UnitError, match="more than 1000 m") as told:
        arm.move_relative(right=far)
    assert len(str(told.value)) < 160


def test_a_refusal_says_what_helps_against_it(arm: Robot) -> None:
    with pytest.raises(MoveRefused, match=r"to 150 degrees, not to 540.0\.") as limit:
        arm.move_joints({"elbow": "540 deg"})
    assert limit.value.remedy == "Name an angle within that range."
    with pytest.raises(MoveRefused) as zone:
        arm.move_relative(right="60 cm")
    assert "around what is in the way" in zone.value.remedy


@pytest.mark.parametrize("place", [(-0.118, 0.477, 0.129), (-0.3, -0.45, 0.55), (0.2, 0.15, 0.6), (0.3, -0.38, 0.1)])
def test_home_is_found_from_behind_what_stands_in_between(arm: Robot, place: tuple[float, float, float]) -> None:
    yaw = math.atan2(place[1], place[0])
    for way in ((0.0, -0.8, 2.2, 0.0, 1.2, 0.0), (yaw, -0.8, 2.2, 0.0, 1.2, 0.0)):
        arm.move_joints(way)
    with contextlib.suppress(MoveRefused):
        arm.move_to(*place)
    arm.go_home()
    assert arm.status().position == pytest.approx((0.45, 0.0, 0.30), abs=1e-3)


async def test_an_agents_cell_may_be_the_first_to_use_the_arm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is judged while agents' code runs lets the arm's process begin, whatever the surroundings say."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    bench = Workbench(
        "run", namespace=PlainNamespace(), workspace=tmp_path, cwd=tmp_path, grant={"run_cell"},
        publish=lambda event: None, agent="operator",
    )  # fmt: skip
    code = (
        "from llmos_nb.domains.robotics.controller import ArmController\n"
        "with ArmController(pace=0) as arm:\n    print(arm.status().moving)"
    )
    made = await bench.call("run_cell", {"code": code})
    assert made.result is not None and made.result.text.strip() == "False", made
