"""The safety gate: what it refuses and why, and that it is right where MuJoCo can say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.gate import KEEP, MARGIN, Gate
from llmos_nb.domains.robotics.kinematics import forward, solve
from llmos_nb.domains.robotics.motion import Motion, Pose, plan
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import Held, State
from llmos_nb.domains.robotics.zones import Box, Cylinder, Sphere

STILL = (0.0,) * 6
HOME = State(ARM.home, STILL, ARM.home_opening)


def pose_at(*place: float) -> Pose:
    """The pose with the tool there, pointing down."""
    solution = solve(ARM, place, axis=(0, 0, -1))
    assert solution.reached
    return solution.q


def test_a_free_move_is_proved_free() -> None:
    ruling = Gate(ARM).check(plan(ARM, ARM.home, [pose_at(0.45, -0.3, 0.3)]), HOME)
    assert ruling.ok
    assert ruling.rule == ""
    assert ruling.clearance is not None
    assert ruling.clearance > KEEP


def test_a_sheet_of_five_millimetres_between_start_and_end_is_not_jumped_over() -> None:
    sheet = Box("glass", (0.45, -0.15, 0.3), (0.6, 0.005, 0.6))
    ruling = Gate(ARM, Scene(zones=(sheet,))).check(plan(ARM, ARM.home, [pose_at(0.45, -0.3, 0.3)]), HOME)
    assert not ruling.ok
    assert (ruling.rule, ruling.other) == ("zone", "glass")
    assert ruling.link in {link.name for link in ARM.links}
    assert ruling.clearance is not None
    assert ruling.clearance <= MARGIN
    assert ruling.point is not None
    assert abs(ruling.point[1] - -0.1475) < 0.005  # it comes from the left
    assert ruling.time_s is not None
    assert ruling.time_s > 0
    assert "glass" in ruling.reason


_POSE = st.tuples(*(st.floats(joint.low, joint.high) for joint in ARM.joints))


@settings(max_examples=60, deadline=None)
@given(_POSE, _POSE, st.integers(1, len(ARM.links) - 1), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_ball_of_five_millimetres_is_found_wherever_it_lies_on_the_way(
    one: Pose, other: Pose, link: int, along: float, share: float
) -> None:
    wide = Scene(low=(-3.0, -3.0, -3.0), high=(3.0, 3.0, 3.0), floor=-3.0)
    middle = np.array(one) + share * (np.array(other) - np.array(one))
    start, end = forward(ARM, middle, 0.04).ends[0, link]
    x, y, z = map(float, start + along * (end - start))
    scene = replace(wide, zones=(Sphere("ball", (x, y, z), 0.0025),))
    ruling = Gate(ARM, scene).check(plan(ARM, one, [other]), State(one, STILL, 0.04))
    assert not ruling.ok
    assert ruling.rule in ("zone", "self")


def test_the_first_place_that_is_hit_is_told() -> None:
    far = Box("far", (0.45, -0.28, 0.3), (0.6, 0.005, 0.6))
    near = Box("near", (0.45, -0.12, 0.3), (0.6, 0.005, 0.6))
    motion = plan(ARM, ARM.home, [pose_at(0.45, -0.4, 0.3), ARM.home])
    first = Gate(ARM, Scene(zones=(far, near))).check(motion, HOME)
    alone = Gate(ARM, Scene(zones=(near,))).check(motion, HOME)
    assert first.other == alone.other == "near"
    assert first.time_s == pytest.approx(alone.time_s, abs=0.01)


@pytest.mark.parametrize(
    ("place", "rule", "other"),
    [((0.45, 0.0, 0.005), "floor", "floor"), ((0.6, 0.0, 0.3), "workspace", "front")],
)
def test_floor_and_workspace(place: tuple[float, ...], rule: str, other: str) -> None:
    scene = Scene(high=(0.62, 0.95, 1.35))
    ruling = Gate(ARM, scene).check(plan(ARM, ARM.home, [pose_at(*place)]), HOME)
    assert (ruling.ok, ruling.rule, ruling.other) == (False, rule, other)


def test_the_arm_does_not_hit_itself() -> None:
    folded = (0.0, 0.0, 2.6, 0.0, 2.1, 0.0)
    ruling = Gate(ARM).check(plan(ARM, ARM.home, [folded]), HOME)
    assert (ruling.ok, ruling.rule) == (False, "self")


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, "0.1", None, True, 10**400, [0.1], 1 + 0j])
@pytest.mark.parametrize("where", ["start", "waypoint", "duration", "measured", "speed", "opening"])
def test_what_is_no_finite_number_is_refused(wrong: object, where: str) -> None:
    motion, state = plan(ARM, ARM.home, [pose_at(0.45, -0.3, 0.3)]), HOME
    pose: tuple[object, ...] = (wrong, *ARM.home[1:])
    match where:
        case "start":
            motion = replace(motion, start=pose)
        case "waypoint":
            motion = replace(motion, waypoints=(pose,))
        case "duration":
            motion = replace(motion, durations=(wrong,))
        case "measured":
            state = replace(state, q=pose)
        case "speed":
            state = replace(state, qd=pose)
        case "opening":
            state = replace(state, opening=wrong)
    ruling = Gate(ARM).check(motion, state)
    assert not ruling.ok
    assert ruling.rule in ("form", "start")


@pytest.mark.parametrize(
    "motion",
    [
        None,
        "home",
        {},
        Motion(ARM.home, (), ()),
        Motion(ARM.home, (ARM.home[:5],), (1.0,)),
        Motion(ARM.home, (ARM.home,), ()),
        Motion(ARM.home, (ARM.home,), (0.0,)),
        Motion(ARM.home, (ARM.home,) * 101, (1.0,) * 101),
        Motion(ARM.home, ARM.home, (1.0,) * 6),  # type: ignore[arg-type]
        Motion(ARM.home, 5, (1.0,)),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_motion_is_refused(motion: Motion) -> None:
    ruling = Gate(ARM).check(motion, HOME)
    assert (ruling.ok, ruling.rule) == (False, "form")


def test_limits_speed_and_acceleration() -> None:
    gate = Gate(ARM)
    assert gate.check(plan(ARM, ARM.home, [(3.1, *ARM.home[1:])]), HOME).rule == "limit"
    goal = (2.0, *ARM.home[1:])
    motion = plan(ARM, ARM.home, [goal])
    assert gate.check(motion, HOME).ok
    fast = replace(motion, durations=(motion.duration * 0.99,))
    assert gate.check(fast, HOME).rule == "speed"
    short = plan(ARM, ARM.home, [(0.05, *ARM.home[1:])])
    assert gate.check(replace(short, durations=(short.duration * 0.99,)), HOME).rule == "acceleration"


@pytest.mark.parametrize(
    "begins",
    [(0.0,), (0.0, 0.1), (0.1, 1.0), (0.0, math.nan), (0.0, 9.0), (0.0, -1.0), (0.0, "1"), (0.0, True), ("", ""), 5],
)
def test_lines_that_overlap_otherwise_than_they_may_are_refused(begins: object) -> None:
    motion = plan(ARM, ARM.home, [(0.3, *ARM.home[1:]), (0.6, *ARM.home[1:])])
    assert Gate(ARM).check(motion, HOME).ok
    ruling = Gate(ARM).check(replace(motion, begins=begins), HOME)  # type: ignore[arg-type]
    assert not ruling.ok
    assert ruling.rule in ("form", "speed")


def test_two_lines_that_together_are_too_fast_are_refused() -> None:
    motion = plan(ARM, ARM.home, [(1.0, *ARM.home[1:]), (2.0, *ARM.home[1:])])
    first, second = motion.durations
    closer = replace(motion, begins=(0.0, first - 0.489 * min(first, second)))
    assert Gate(ARM).check(closer, HOME).rule == "speed"
    there_and_back = Motion(ARM.home, ((0.3, *ARM.home[1:]), ARM.home), (0.7, 0.7), (0.0, 0.4))
    assert Gate(ARM).check(there_and_back, HOME).rule == "acceleration"


def test_a_motion_from_elsewhere_or_of_a_moving_arm_is_refused() -> None:
    gate, motion = Gate(ARM), plan(ARM, ARM.home, [pose_at(0.45, -0.3, 0.3)])
    elsewhere = replace(HOME, q=(0.01, *ARM.home[1:]))
    assert gate.check(motion, elsewhere).rule == "start"
    assert gate.check(motion, replace(HOME, qd=(0.1, *STILL[1:]))).rule == "start"


def test_what_is_held_is_part_of_the_arm() -> None:
    pole = Held("pole", (0.0, 0.0, 0.125), (0.0, 0.0, 0.40), 0.01)
    motion = plan(ARM, ARM.home, [pose_at(0.45, -0.3, 0.2)])
    assert Gate(ARM).check(motion, HOME).ok
    ruling = Gate(ARM).check(motion, replace(HOME, held=pole))
    assert (ruling.rule, ruling.link) == ("floor", "pole")


def test_what_is_held_may_touch_what_it_is_put_down_on_but_the_arm_may_not() -> None:
    table = Box("table", (0.45, 0.0, 0.1), (0.3, 0.3, 0.2), touch=True)
    ball = Held("ball", (0.0, 0.0, 0.125), (0.0, 0.0, 0.125), 0.02)
    down, low = (plan(ARM, ARM.home, [pose_at(0.45, 0.0, z)]) for z in (0.2195, 0.21))
    for touch in (True, False):
        gate = Gate(ARM, Scene(zones=(replace(table, touch=touch),)))
        assert gate.check(down, replace(HOME, held=ball)).ok is touch
        assert not gate.check(low, replace(HOME, held=ball)).ok
    assert not Gate(ARM, Scene(zones=(table,))).check(plan(ARM, ARM.home, [pose_at(0.45, 0.0, 0.205)]), HOME).ok


def test_fingers_are_checked_when_the_hand_opens() -> None:
    post = Cylinder("post", (0.45, 0.06, 0.24), 0.01, 0.2)
    closed = replace(HOME, opening=0.0)
    assert Gate(ARM).check_grip(0.08, closed).ok
    ruling = Gate(ARM, Scene(zones=(post,))).check_grip(0.08, closed)
    assert (ruling.rule, ruling.link, ruling.other) == ("zone", "finger_left", "post")
    for wrong in (math.nan, -0.01, 0.09, "wide", None, True):
        assert Gate(ARM).check_grip(wrong, closed).rule == "grip"


def test_an_arm_that_stands_in_a_zone_stays_where_it_is() -> None:
    ball = Sphere("ball", (0.45, 0.0, 0.3), 0.05)
    gate = Gate(ARM, Scene(zones=(ball,)))
    ruling = gate.check(plan(ARM, ARM.home, [pose_at(0.45, -0.3, 0.3)]), HOME)
    assert not ruling.ok
    assert ruling.reason.endswith("where it stands")
    assert not gate.clear(HOME).ok


def test_the_same_question_has_the_same_answer() -> None:
    gate = Gate(ARM, Scene(zones=(Sphere("ball", (0.45, -0.2, 0.3), 0.05),)))
    motion = plan(ARM, ARM.home, [pose_at(0.45, -0.4, 0.3)])
    rulings = {replace(gate.check(motion, HOME), took_ms=0.0) for _ in range(3)}
    assert len(rulings) == 1


def test_mujoco_finds_nothing_in_what_the_gate_lets_through() -> None:
    pytest.importorskip("mujoco")
    from tests.bench.bench_gate import measure

    counts = measure(120, seed=7, points=401)
    assert counts.unsafe_accepted == 0
    assert counts.unsafe > 15
    assert counts.accepted >= 0.95 * counts.safe
    assert np.all(np.isfinite(counts.took_ms))
