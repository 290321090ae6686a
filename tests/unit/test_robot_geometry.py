"""Distances against brute force, the bound on a link's motion against motions, and trajectories against their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmos_nb.domains.robotics.advance import Surroundings, reach_of_motion
from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.contact import nearest_point
from llmos_nb.domains.robotics.errors import ArmError, UnitError, ZoneError
from llmos_nb.domains.robotics.geometry import (
    capsule_capsule,
    point_segment,
    segment_box,
    segment_cylinder,
    segment_plane,
    segment_segment,
)
from llmos_nb.domains.robotics.kinematics import forward
from llmos_nb.domains.robotics.motion import Motion, least_time, plan, progress, strain
from llmos_nb.domains.robotics.path import Path
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import Held
from llmos_nb.domains.robotics.units import angle, length
from llmos_nb.domains.robotics.zones import MAX_ZONES, Box, CapsuleZone, Cylinder, Sphere, as_mapping, zone, zones_of

SHARES = np.linspace(0.0, 1.0, 401)
LOW = np.array([joint.low for joint in ARM.joints])
HIGH = np.array([joint.high for joint in ARM.joints])
coordinate = st.floats(-1.0, 1.0).map(lambda number: round(number, 3))  # so that parallel and touching ones occur
point = st.tuples(coordinate, coordinate, coordinate).map(np.array)
size = st.floats(0.0025, 0.8)
pose = st.tuples(*(st.floats(joint.low, joint.high) for joint in ARM.joints)).map(np.array)


def along(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return start + SHARES[:, None] * (end - start)


def agrees(distance: float, sampled: float, start: np.ndarray, end: np.ndarray, *, below: float = 1e-9) -> None:
    """Never larger than the nearest of the sampled points, and smaller by no more than half a step between them."""
    assert distance <= sampled + 1e-12
    assert distance >= sampled - np.linalg.norm(end - start) / (len(SHARES) - 1) - below


@given(point, point, point, point)
def test_segment_to_segment(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> None:
    distance = float(segment_segment(a, b, c, d))
    sampled = float(point_segment(along(a, b), c, d).min())
    agrees(distance, sampled, a, b)
    assert distance == pytest.approx(float(segment_segment(d, c, b, a)), abs=1e-9)
    radii = np.array(0.01), (c, d, np.array(0.02))
    assert float(capsule_capsule(a, b, *radii)) == pytest.approx(distance - 0.03)


@given(point, point, point)
def test_point_to_segment(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> None:
    agrees(float(point_segment(p, a, b)), float(np.linalg.norm(along(a, b) - p, axis=1).min()), a, b)


@given(point, point, st.tuples(size, size, size).map(np.array))
def test_segment_to_box(a: np.ndarray, b: np.ndarray, half: np.ndarray) -> None:
    points = along(a, b)
    sampled = float(np.linalg.norm(points - np.clip(points, -half, half), axis=1).min())
    agrees(float(segment_box(a, b, half)), sampled, a, b)


@given(point, point, size, size)
def test_segment_to_cylinder(a: np.ndarray, b: np.ndarray, radius: float, half: float) -> None:
    points = along(a, b)
    out = np.maximum(np.hypot(points[:, 0], points[:, 1]) - radius, 0.0)
    sampled = float(np.hypot(out, np.maximum(np.abs(points[:, 2]) - half, 0.0)).min())
    agrees(float(segment_cylinder(a, b, np.array(radius), np.array(half))), sampled, a, b, below=2e-9)


@given(point, point, point, coordinate)
def test_segment_to_plane(a: np.ndarray, b: np.ndarray, normal: np.ndarray, offset: float) -> None:
    assume(np.linalg.norm(normal) > 0.1)
    unit = normal / np.linalg.norm(normal)
    distance = float(segment_plane(a, b, unit, np.array(offset)))
    assert distance == pytest.approx(float((along(a, b) @ unit - offset).min()), abs=1e-12)


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    rng = np.random.default_rng(2)
    a, b, c, d = rng.uniform(-1, 1, (4, 50, 3))
    half = rng.uniform(0.01, 0.5, (50, 3))
    pairs = segment_segment(a, b, c, d)
    boxes = segment_box(a, b, half)
    cylinders = segment_cylinder(a, b, half[:, 0], half[:, 1])
    for i in range(50):
        assert pairs[i] == pytest.approx(float(segment_segment(a[i], b[i], c[i], d[i])), abs=1e-14)
        assert boxes[i] == pytest.approx(float(segment_box(a[i], b[i], half[i])), abs=1e-14)
        assert cylinders[i] == pytest.approx(float(segment_cylinder(a[i], b[i], half[i, 0], half[i, 1])), abs=1e-14)


@given(pose, pose, st.floats(0.0, 1.0))
def test_no_point_of_the_arm_moves_farther_than_the_bound(one: np.ndarray, other: np.ndarray, share: float) -> None:
    held = Held("rod", (0.0, 0.05, 0.1), (0.1, -0.05, 0.3), 0.01)
    around = Surroundings(ARM, Scene(), opening=0.05, held=held)
    turns = (other - one) * share
    before, after = around.poses(one[None]), around.poses((one + turns)[None])
    bound = reach_of_motion(before, around.frames, turns)[0]
    moved = np.linalg.norm(after.ends - before.ends, axis=-1)[0]
    assert (moved <= bound + 1e-12).all()
    middles = np.linalg.norm(after.ends.mean(2) - before.ends.mean(2), axis=-1)[0]
    assert (middles <= bound.max(-1) + 1e-12).all()


@given(pose, st.integers(0, 5))
def test_the_bound_is_sharp_for_a_small_turn_of_one_joint(one: np.ndarray, joint: int) -> None:
    turns = np.zeros(6)
    turns[joint] = 1e-4
    before, after = forward(ARM, one), forward(ARM, one + turns)
    bound = reach_of_motion(before, [link.frame for link in ARM.links], turns)[0]
    moved = np.linalg.norm(after.ends - before.ends, axis=-1)[0]
    assert moved == pytest.approx(bound, abs=1e-11)


@settings(max_examples=40, deadline=None)
@given(
    pose,
    pose,
    st.floats(-0.2, 0.2),
    st.lists(st.tuples(point, size, st.sampled_from(["box", "ball", "rod", "post"])), max_size=5),
)
def test_what_is_proved_free_is_free_at_every_sampled_pose(
    one: np.ndarray, other: np.ndarray, bend: float, shapes: list[tuple[np.ndarray, float, str]]
) -> None:
    zones = []
    for number, (center, wide, kind) in enumerate(shapes):
        at = (float(center[0]), float(center[1]), float(center[2]))
        name = f"{kind} {number}"
        zones.append(
            {
                "box": Box(name, at, (0.005, wide, wide), wide),
                "ball": Sphere(name, at, wide / 4),
                "rod": CapsuleZone(name, at, (at[2], at[0], at[1]), 0.0025),
                "post": Cylinder(name, at, wide / 4, wide),
            }[kind]
        )
    around = Surroundings(ARM, Scene(zones=tuple(zones)), opening=0.04)
    bent = tuple(np.clip(0.6 * one + 0.4 * other + bend, LOW, HIGH))
    motion = plan(ARM, tuple(one), [bent, tuple(other)])
    path = Path(motion, tuple(one))
    found = around.prove(path, margin=0.003, keep=0.0015)
    times = np.linspace(0.0, motion.duration, 301)
    poses = around.poses(np.array([motion.at(float(time))[0] for time in times]))
    clear = _clearances(around, poses.ends)
    if found.free:
        assert clear.min() > 0.0015
    else:
        assert found.clearance <= 0.003
        when = path.time(found.line, found.share)
        told = np.array(motion.at(when)[0])
        q = np.array([motion.at(float(time))[0] for time in times])
        early = clear[(times < when) & (np.abs(q - told).max(-1) > 2e-3)]  # it is told to a thousandth of a radian
        assert early.size == 0 or early.min() > 0.0  # nothing was hit before the first place that is told


def _clearances(around: Surroundings, ends: np.ndarray) -> np.ndarray:
    """By sampling the links: the least clearance in each pose from zones, floor and workspace."""
    least = np.full(len(ends), np.inf)
    for link in around.moving:
        start, end = ends[:, link, 0], ends[:, link, 1]
        radius = around.radii[link]
        points = start[:, None] + np.linspace(0.0, 1.0, 41)[:, None] * (end - start)[:, None]
        flat = points.reshape(-1, 3)
        for one in around.scene.zones:
            away = np.linalg.norm(flat - nearest_point(one, flat), axis=1).reshape(points.shape[:2])
            least = np.minimum(least, away.min(1) - radius)
        room = np.minimum(flat - around.scene.low, np.array(around.scene.high) - flat).min(-1)
        least = np.minimum(least, np.minimum(room, flat[:, 2]).reshape(points.shape[:2]).min(1) - radius)
    return least


@given(pose, pose, st.floats(0.01, 1.0))
def test_a_planned_motion_keeps_every_limit_at_every_time(one: np.ndarray, other: np.ndarray, speed: float) -> None:
    motion = plan(ARM, tuple(one), [tuple(other)], speed=speed)
    for time in np.linspace(0.0, motion.duration, 101):
        q, qd, qdd = motion.at(float(time))
        for joint, angle_, rate, change in zip(ARM.joints, q, qd, qdd, strict=True):
            assert joint.low - 1e-9 <= angle_ <= joint.high + 1e-9
            assert abs(rate) <= joint.speed * speed * (1 + 1e-9) + 1e-12
            assert abs(change) <= joint.acceleration * (1 + 1e-9)
    assert motion.at(0.0)[0] == pytest.approx(tuple(one))
    assert motion.at(motion.duration)[0] == tuple(other)


nearly_straight = st.tuples(
    pose,
    st.lists(st.tuples(*[st.floats(-0.05, 0.4)] * 6).map(np.array), min_size=2, max_size=6),
    st.floats(0.05, 1.0),
)


def rounded(given_: tuple[np.ndarray, list[np.ndarray], float]) -> Motion:
    start, steps, speed = given_
    goals = [np.clip(start + sum(steps[: k + 1], np.zeros(6)), LOW, HIGH) for k in range(len(steps))]
    return plan(ARM, tuple(start), [tuple(goal) for goal in goals], speed=speed)


@given(nearly_straight)
def test_rounded_corners_keep_every_limit_at_every_time(given_: tuple[np.ndarray, list[np.ndarray], float]) -> None:
    motion, speed = rounded(given_), given_[2]
    assert max(strain(ARM, motion)) <= 1.0
    for time in np.linspace(0.0, motion.duration, 301):
        q, qd, qdd = motion.at(float(time))
        for joint, angle_, rate, change in zip(ARM.joints, q, qd, qdd, strict=True):
            assert joint.low - 1e-9 <= angle_ <= joint.high + 1e-9
            assert abs(rate) <= joint.speed * speed * (1 + 1e-9) + 1e-12
            assert abs(change) <= joint.acceleration * (1 + 1e-9)
    assert motion.at(motion.duration) == (motion.end, (0.0,) * 6, (0.0,) * 6)


@given(nearly_straight, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_path_is_the_motion_and_its_rates_are_bounds(
    given_: tuple[np.ndarray, list[np.ndarray], float], one: float, other: float
) -> None:
    motion = rounded(given_)
    path = Path(motion, motion.start)
    pieces = np.arange(len(path))
    low, high = np.full(len(path), min(one, other)), np.full(len(path), max(one, other))
    before, after = path.poses(pieces, low), path.poses(pieces, high)
    assert (np.abs(after - before) <= path.rates(pieces, low, high) * (high - low)[:, None] + 1e-12).all()
    for piece in range(1, len(path)):
        at = motion.at(path.time(piece, float(low[piece])))[0]
        assert before[piece] == pytest.approx(at, abs=1e-6)
    ends, begins = path.poses(pieces[:-1], np.ones(len(path) - 1)), path.poses(pieces[1:], np.zeros(len(path) - 1))
    assert np.abs(ends - begins).max() < 1e-12  # no gap
    assert path.poses(pieces[-1:], np.ones(1))[0] == pytest.approx(motion.end)


def test_a_straight_way_is_not_gone_by_fits_and_starts() -> None:
    goals = [(0.2 * (k + 1), *ARM.home[1:]) for k in range(5)]
    motion = plan(ARM, ARM.home, goals)
    assert motion.duration < 0.7 * sum(motion.durations)
    inner = np.linspace(motion.starts[1], motion.starts[-1] + 0.01, 200)
    rates = [motion.at(float(time))[1][0] for time in inner]
    assert min(rates) > 0.9 * max(rates)
    back = plan(ARM, ARM.home, [goals[0], ARM.home])  # a turn on the spot is a stop
    assert back.at(back.starts[1])[1] == (0.0,) * 6


def test_speeds_and_accelerations_are_the_derivatives() -> None:
    motion = plan(ARM, ARM.home, [(0.5, *ARM.home[1:]), (0.5, 0.6, *ARM.home[2:])])
    step = 1e-6
    for time in np.linspace(0.01, motion.duration - 0.01, 50):
        before, here, after = (motion.at(float(time) + off) for off in (-step, 0.0, step))
        assert (np.array(after[0]) - before[0]) / (2 * step) == pytest.approx(here[1], abs=1e-6)
        assert (np.array(after[1]) - before[1]) / (2 * step) == pytest.approx(here[2], abs=1e-4)


def test_the_least_time_is_the_least() -> None:
    for turn in (0.02, 2.0):
        other = (turn, *ARM.home[1:])
        takes = least_time(ARM, ARM.home, other)
        shares = [progress(u) for u in np.linspace(0.0, 1.0, 2001)]
        speed = max(rate for _, rate, _ in shares) * turn / takes
        change = max(abs(second) for _, _, second in shares) * turn / takes**2
        joint = ARM.joints[0]
        assert speed == pytest.approx(joint.speed, rel=1e-5) or change == pytest.approx(joint.acceleration, rel=1e-5)


@given(st.floats(0.0, 1.0), st.integers(0, 1))
def test_the_time_of_a_share(share: float, line: int) -> None:
    motion = Motion(ARM.home, ((0.5, *ARM.home[1:]), ARM.home), (2.0, 3.0))
    q, _, _ = motion.at(motion.time_at(line, share))
    assert q[0] == pytest.approx(0.5 * (share if line == 0 else 1 - share), abs=1e-6)


@pytest.mark.parametrize("speed", [0.0, -1.0, 1.01, math.nan, "fast", None, True])
def test_a_speed_that_is_none_is_refused(speed: object) -> None:
    with pytest.raises(ArmError, match="speed"):
        plan(ARM, ARM.home, [ARM.home], speed=speed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "metres"),
    [("30cm", 0.3), ("-5 mm", -0.005), ("−5 mm", -0.005), (0.3, 0.3), (1, 1.0), ("0.3", 0.3), (" 1.5 m ", 1.5),
     ("2 inches", 0.0508), ("1 foot", 0.3048), ("0.001 km", 1.0), ("3 dm", 0.3), ("1 yard", 0.9144),
     ("0.1 miles", 160.9344),
     ("1e-2 m", 0.01), ("30 CM", 0.3), (np.float64(0.2), 0.2), (np.int32(2), 2.0), (".5m", 0.5)],
)  # fmt: skip
def test_lengths(written: object, metres: float) -> None:
    assert length(written) == pytest.approx(metres)


@pytest.mark.parametrize(
    ("written", "radians"), [("90deg", math.pi / 2), ("-45°", -math.pi / 4), ("1.2 rad", 1.2), (0.5, 0.5)]
)
def test_angles(written: object, radians: float) -> None:
    assert angle(written) == pytest.approx(radians)


@pytest.mark.parametrize(
    "wrong",
    ["", "cm", "30 parsec", "30deg", "nan", "inf", "1e999 m", "3 cm 2", "2 km", "0x10", "٣ cm", None, True, [0.3], math.nan,
     math.inf, 10**400, b"3cm", "1" * 100, 1 + 0j, object()],
)  # fmt: skip
def test_what_is_no_length_is_refused(wrong: object) -> None:
    with pytest.raises(UnitError):
        length(wrong)


ZONES = [
    Box("a wall", (0.1, 0.2, 0.3), (0.005, 1.0, 1.0), 0.5, touch=True),
    Sphere("ball", (0.1, 0.2, 0.3), 0.1),
    CapsuleZone("rod", (0.0, 0.0, 0.0), (0.1, 0.2, 0.3), 0.0025),
    Cylinder("post", (0.1, 0.2, 0.3), 0.1, 0.2),
]


@pytest.mark.parametrize("one", ZONES)
def test_a_zone_is_the_same_after_the_way_through_plain_data(one: Box) -> None:
    assert zone(as_mapping(one)) == one
    assert Scene.of(Scene(zones=(one,)).as_mapping()) == Scene(zones=(one,))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "cone", "name": "c"}, "kind"),
        ({"kind": "sphere", "name": "s", "center": [0, 0, 0]}, "needs radius"),
        ({"kind": "sphere", "name": "s", "center": [0, 0], "radius": 1}, "center has three numbers"),
        ({"kind": "sphere", "name": "s", "center": [0, 0, math.nan], "radius": 1}, "center"),
        ({"kind": "sphere", "name": "s", "center": [0, 0, 0], "radius": -1}, "radius"),
        ({"kind": "sphere", "name": "s", "center": [0, 0, 0], "radius": "1"}, "radius"),
        ({"kind": "sphere", "name": "", "center": [0, 0, 0], "radius": 1}, "name"),
        ({"kind": "sphere", "name": "s", "center": [0, 0, 0], "radius": 1, "colour": 3}, "no 'colour'"),
        ({"kind": "box", "name": "b", "center": [0, 0, 0], "size": [1, 1, 0]}, "size"),
        ({"kind": "box", "name": "b", "center": [0, 0, 0], "size": [1, 1, 1], "touch": 1}, "touch"),
        (Box("b", (0, 0, 0), (1, 1, -1)), "size"),
        ("box", "mapping"),
        (None, "mapping"),
    ],
)
def test_what_is_no_zone_is_refused(wrong: object, said: str) -> None:
    with pytest.raises(ZoneError, match=said):
        zone(wrong)  # type: ignore[arg-type]


def test_too_many_zones_and_two_of_a_name_are_refused() -> None:
    balls = [Sphere(f"ball {number}", (0.5, 0.5, 0.5), 0.01) for number in range(MAX_ZONES + 1)]
    assert len(zones_of(balls[:-1])) == MAX_ZONES
    with pytest.raises(ZoneError, match="too many"):
        zones_of(balls)
    with pytest.raises(ZoneError, match="Two zones"):
        zones_of(balls[:1] * 2)
    with pytest.raises(ZoneError, match="list"):
        zones_of("ball")


@pytest.mark.parametrize(
    "wrong",
    [{"low": [1, 0, 0]}, {"low": [0, 0, math.nan]}, {"floor": "0"}, {"floor": 50}, {"walls": []}, [], {"high": None}],
)
def test_what_is_no_scene_is_refused(wrong: object) -> None:
    with pytest.raises(ZoneError):
        Scene.of(wrong)  # type: ignore[arg-type]
