"""The two worlds that the arm moves in: a thing is taken, carried and put down, in both the same way."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hand import by_hand

from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.desk import DESK
from llmos_nb.domains.robotics.errors import ArmError, Unreachable
from llmos_nb.domains.robotics.gate import Gate
from llmos_nb.domains.robotics.kinematics import tool_pose
from llmos_nb.domains.robotics.motion import plan
from llmos_nb.domains.robotics.things import THINGS, Thing, held_thing, resting_height, things_of
from llmos_nb.domains.robotics.ways import BEND, points_along, way_to
from llmos_nb.domains.robotics.world import World, open_world

MUJOCO = pytest.param(
    "mujoco", marks=pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="MuJoCo is not installed")
)
TICK = 0.005


def world_of(name: str, **options: Any) -> World:
    return open_world(name, ARM, DESK, None, options)


def go(world: World, place: tuple[float, float, float]) -> None:
    """Follow the line there; every way must be one that the gate lets through."""
    state = world.measured()
    motion = plan(ARM, state.q, list(way_to(ARM, state.q, place)))
    ruling = Gate(ARM, DESK).check(motion, state)
    assert ruling.ok, ruling.reason
    time, opening = 0.0, state.opening if state.held is None else 0.0
    while time < motion.duration:
        time = min(motion.duration, time + TICK)
        world.follow(*motion.at(time), opening, TICK)


def grip(world: World, opening: float) -> None:
    state = world.measured()
    rest = (0.0,) * len(state.q)
    for share in range(1, 161):
        world.follow(state.q, rest, rest, state.opening + share / 160 * (opening - state.opening), TICK)


def thing(world: World, name: str) -> dict[str, Any]:
    return next(one for one in world.see("things", {})["things"] if one["name"] == name)


@pytest.mark.parametrize("name", ["numpy", MUJOCO])
def test_a_thing_is_picked_up_and_put_down_elsewhere(name: str) -> None:
    world = world_of(name)
    go(world, (0.42, 0.20, 0.20))
    go(world, (0.42, 0.20, 0.02))
    grip(world, 0.0)
    held = world.measured().held
    assert held is not None and held.name == "red cube"
    assert world.measured().opening == pytest.approx(0.04, abs=5e-4)
    go(world, (0.42, 0.20, 0.20))
    assert thing(world, "red cube")["position"] == pytest.approx((0.42, 0.20, 0.20), abs=1e-3)
    go(world, (0.45, -0.20, 0.20))
    go(world, (0.45, -0.20, 0.021))
    grip(world, ARM.opening)
    assert world.measured().held is None
    go(world, (0.45, -0.20, 0.20))
    assert thing(world, "red cube")["position"] == pytest.approx((0.45, -0.20, 0.02), abs=2e-3)
    assert thing(world, "green cube")["position"] == pytest.approx((0.55, 0.10, 0.02), abs=1e-3)


@pytest.mark.parametrize("name", ["numpy", MUJOCO])
def test_a_hand_that_closes_on_nothing_holds_nothing(name: str) -> None:
    world = world_of(name)
    go(world, (0.47, 0.20, 0.02))  # 5 cm beside it
    grip(world, 0.0)
    assert world.measured().held is None and world.measured().opening == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("name", ["numpy", MUJOCO])
def test_a_thing_put_on_another_one_stays_there(name: str) -> None:
    world = world_of(name)
    go(world, (0.42, 0.20, 0.20))
    go(world, (0.42, 0.20, 0.02))
    grip(world, 0.0)
    go(world, (0.42, 0.20, 0.20))
    go(world, (0.55, 0.10, 0.20))
    go(world, (0.55, 0.10, 0.062))
    grip(world, ARM.opening)
    go(world, (0.55, 0.10, 0.20))
    assert thing(world, "red cube")["position"] == pytest.approx((0.55, 0.10, 0.06), abs=3e-3)


@pytest.mark.parametrize("name", ["numpy", MUJOCO])
def test_a_world_goes_on_from_what_it_saved(name: str) -> None:
    world = world_of(name)
    go(world, (0.42, 0.20, 0.20))
    go(world, (0.42, 0.20, 0.02))
    grip(world, 0.0)
    go(world, (0.42, 0.20, 0.15))
    again = open_world(name, ARM, DESK, world.save(), {})
    before, after = world.measured(), again.measured()
    assert after.q == pytest.approx(before.q, abs=1e-3)
    assert after.held is not None and after.held.name == "red cube"
    assert after.held.start == pytest.approx(before.held.start if before.held else (), abs=1e-3)
    assert thing(again, "red cube")["position"] == pytest.approx(thing(world, "red cube")["position"], abs=1e-3)


def test_both_worlds_end_alike() -> None:
    if importlib.util.find_spec("mujoco") is None:
        pytest.skip("MuJoCo is not installed")
    ends = []
    for name in ("numpy", "mujoco"):
        world = world_of(name)
        for place in ((0.45, -0.30, 0.30), (0.32, 0.30, 0.20), (0.32, 0.30, 0.03)):
            go(world, place)
        ends.append(world.measured().q)
    assert ends[0] == pytest.approx(ends[1], abs=1e-3)


def test_what_is_held_is_part_of_what_the_gate_sees() -> None:
    """Where the hand alone passes, a hand that holds a board does not."""
    board = Thing("board", (0.42, 0.20, 0.06), (0.16, 0.03, 0.12))  # its narrow side between the fingers
    world = world_of("numpy", things=[board.as_mapping()])
    go(world, (0.42, 0.20, 0.25))
    go(world, (0.42, 0.20, 0.10))
    empty = world.measured()
    grip(world, 0.0)
    holding = world.measured()
    assert holding.held is not None and holding.held.name == "board"
    motion = plan(ARM, holding.q, list(way_to(ARM, holding.q, (0.34, 0.36, 0.30))))
    gate = Gate(ARM, DESK)
    ruling = gate.check(motion, holding)
    assert not ruling.ok and (ruling.link, ruling.other) == ("board", "lamp")
    assert gate.check(motion, replace(empty, things=())).ok


def test_the_capsule_has_all_of_the_box_in_it() -> None:
    for size in ((0.04, 0.04, 0.04), (0.02, 0.06, 0.12), (0.2, 0.03, 0.01)):
        held = held_thing(Thing("box", (0, 0, 0), size), (0.01, -0.02, 0.1), np.eye(3).tolist())
        for x in (-1, 1):
            for y in (-1, 1):
                for z in (-1, 1):
                    corner = (0.01 + x * size[0] / 2, -0.02 + y * size[1] / 2, 0.1 + z * size[2] / 2)
                    nearest = min(max(corner[2], held.start[2]), held.end[2])
                    off = ((corner[0] - 0.01) ** 2 + (corner[1] + 0.02) ** 2 + (corner[2] - nearest) ** 2) ** 0.5
                    assert off <= held.radius + 1e-12


def test_a_thing_rests_on_what_is_below_it() -> None:
    cube = THINGS[0]
    other = Thing("other", (0.5, 0.0, 0.05), (0.1, 0.1, 0.1))
    assert resting_height(cube.at((0.5, 0.0, 0.13)), [other]) == pytest.approx(0.12)
    assert resting_height(cube.at((0.6, 0.0, 0.13)), [other]) == pytest.approx(0.02)


@pytest.mark.parametrize(
    "given",
    [
        "cube", [1], [{"name": "a"}], [{"name": "a", "position": [0, 0, float("nan")], "size": [1, 1, 1]}],
        [{"name": "a", "position": [0, 0, 0], "size": [0, 1, 1]}],
        [{"name": "a", "position": [0, 0, 0], "size": [0.1, 0.1, 0.1], "color": "red"}],
        [THINGS[0], THINGS[0]],
    ],
)  # fmt: skip
def test_things_that_make_no_sense_are_refused(given: Any) -> None:
    with pytest.raises(ArmError):
        things_of(given)


@pytest.mark.parametrize("place", [(0.45, -0.30, 0.30), (0.45, 0.30, 0.30), (0.30, -0.30, 0.15), (0.42, 0.20, 0.02)])
def test_the_hand_goes_in_a_straight_line(place: tuple[float, float, float]) -> None:
    start, _ = tool_pose(ARM, ARM.home)
    poses = way_to(ARM, ARM.home, place)
    points = points_along(ARM, [ARM.home, *poses])
    assert points[-1] == pytest.approx(place, abs=2e-4)
    length = sum((b - a) ** 2 for a, b in zip(start, place, strict=True)) ** 0.5
    for point in points:
        share = sum((p - a) * (b - a) for p, a, b in zip(point, start, place, strict=True)) / length**2
        off = sum((p - a - share * (b - a)) ** 2 for p, a, b in zip(point, start, place, strict=True)) ** 0.5
        assert off < BEND * 1.5


def test_the_start_pose_allows_30_cm_to_all_sides_it_is_asked_for() -> None:
    start, _ = tool_pose(ARM, ARM.home)
    for off in (-0.3, 0.3):
        motion = plan(ARM, ARM.home, list(way_to(ARM, ARM.home, (start[0], start[1] + off, start[2]))))
        assert Gate(ARM, DESK).check(motion, world_of("numpy").measured()).ok


def test_a_place_out_of_reach_says_so() -> None:
    with pytest.raises(Unreachable, match="cannot get to"):
        way_to(ARM, ARM.home, (1.5, 0.0, 0.3))


def test_without_mujoco_the_other_world_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco", None)
    monkeypatch.delitem(sys.modules, "llmos_nb.domains.robotics.mujoco_world", raising=False)
    with pytest.raises(ArmError, match="mujoco") as refused:
        world_of("mujoco")
    assert "pip install" in refused.value.remedy
    go(world_of("numpy"), (0.42, 0.20, 0.20))


def test_a_stopped_arm_is_not_replaced_by_one_that_is_not() -> None:
    from llmos_nb.domains.robotics import EmergencyStopped, robot

    arm = robot("numpy", pace=0)
    try:
        arm.stop("somebody came near")
        with pytest.raises(EmergencyStopped, match="somebody came near"):
            robot("numpy", pace=0)
        assert arm.status().emergency_stop
        by_hand("arm.reset_estop()", arm=arm)
        again = robot("numpy", pace=0)
        assert again is not arm and not again.status().emergency_stop
    finally:
        robot().close()
