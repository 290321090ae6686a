"""Things are in the way, too: of the hand, and of what it carries. They are touched, and never run through."""

from __future__ import annotations

import importlib.util
import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_nb.domains.robotics.actuator import Actuator
from llmos_nb.domains.robotics.advance import TOUCH, Surroundings
from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.desk import DESK
from llmos_nb.domains.robotics.errors import Unreachable
from llmos_nb.domains.robotics.gate import MARGIN, Gate, Ruling
from llmos_nb.domains.robotics.kinematics import forward
from llmos_nb.domains.robotics.scene import SCENE
from llmos_nb.domains.robotics.state import Held
from llmos_nb.domains.robotics.things import THINGS, Thing, held_thing, resting_height
from llmos_nb.domains.robotics.ways import way_to
from llmos_nb.domains.robotics.world import open_world

HAS_MUJOCO = importlib.util.find_spec("mujoco") is not None
WORLDS = ["numpy", pytest.param("mujoco", marks=pytest.mark.skipif(not HAS_MUJOCO, reason="no MuJoCo"))]
RED, GREEN, _ = THINGS


class Bench:
    """An actuator over a world, told places instead of joint angles."""

    def __init__(self, name: str, things: tuple[Thing, ...] = THINGS) -> None:
        options = {"things": [thing.as_mapping() for thing in things]}
        self.world = open_world(name, ARM, DESK, None, options)
        self.actuator = Actuator(ARM, DESK, self.world, pace=0)

    def to(self, *place: float) -> Ruling:
        state = self.actuator.measured()
        return self.actuator.move(list(way_to(ARM, state.q, place, upright=state.held is not None)))

    def grip(self, opening: float) -> Ruling:
        return self.actuator.grip(opening)

    def thing(self, name: str) -> dict[str, Any]:
        return next(one for one in self.world.see("things", {})["things"] if one["name"] == name)

    def take(self, thing: Thing) -> None:
        x, y, z = thing.position
        for ruling in (self.to(x, y, 0.2), self.to(x, y, z), self.grip(0.0), self.to(x, y, 0.2)):
            assert ruling.ok, ruling.reason
        assert self.thing(thing.name)["held"]


@pytest.mark.parametrize("world", WORLDS)
def test_two_cubes_are_never_in_one_place(world: str) -> None:
    bench = Bench(world)
    bench.take(RED)
    x, y, _ = GREEN.position
    assert bench.to(x, y, 0.2).ok
    into = bench.to(x, y, 0.02)
    assert (into.ok, into.rule, into.link, into.other) == (False, "thing", "red cube", "green cube")
    assert into.reason.startswith("red cube would hit the green cube after") and into.point is not None
    for aside in (0.01, 0.03, 0.037):
        assert bench.to(x, y - aside, 0.2).ok
        assert not bench.to(x, y - aside, 0.02).ok, aside
    assert bench.to(x, y - 0.042, 0.2).ok, "beside it there is room"
    assert bench.to(x, y, 0.2).ok
    assert bench.to(x, y, 0.0605).ok, "on top of it, too"
    assert bench.grip(ARM.opening).ok
    assert bench.to(x, y, 0.25).ok
    assert bench.thing("red cube")["position"] == pytest.approx((x, y, 0.06), abs=2e-3)


@pytest.mark.parametrize("world", WORLDS)
def test_the_hand_runs_through_nothing(world: str) -> None:
    bench = Bench(world)
    x, y, _ = GREEN.position
    assert bench.to(x, y, 0.2).ok
    assert bench.grip(0.0).ok
    onto = bench.to(x, y, 0.01)
    assert (onto.rule, onto.other) == ("thing", "green cube") and onto.link.startswith("finger")
    assert bench.to(x - 0.1, y, 0.2).ok
    assert bench.to(x - 0.1, y, 0.02).ok
    through = bench.to(x + 0.05, y, 0.02)
    assert (through.rule, through.other) == ("thing", "green cube")
    assert bench.thing("green cube")["position"] == pytest.approx(GREEN.position, abs=1e-3)


def test_the_hand_closes_on_what_it_holds_and_on_nothing_beside() -> None:
    near = Thing("other cube", (0.42, 0.255, 0.02), (0.04, 0.04, 0.04))
    bench = Bench("numpy", (RED, near))
    assert bench.to(0.42, 0.20, 0.2).ok
    down = bench.to(0.42, 0.20, 0.02)
    assert (down.rule, down.other) == ("thing", "other cube"), "the left finger has no room between them"
    bench = Bench("numpy", (Thing("cube", (0.42, 0.22, 0.02), (0.04, 0.02, 0.04)),))
    assert bench.to(0.42, 0.202, 0.2).ok and bench.to(0.42, 0.202, 0.02).ok
    off = bench.grip(0.0)
    assert (off.ok, off.rule, off.other) == (False, "thing", "cube"), "its middle is not between the fingers"
    assert bench.to(0.42, 0.22, 0.02).ok and bench.grip(0.0).ok and bench.thing("cube")["held"]


def test_a_hand_that_let_go_a_little_can_go_away_and_cannot_go_on() -> None:
    """Its fingers are nearer to the cube than the margin: they may stay so, and come no nearer."""
    bench = Bench("numpy")
    bench.take(RED)
    assert bench.to(0.42, 0.20, 0.021).ok
    assert bench.grip(0.042).ok, "a millimetre on both sides"
    assert not bench.thing("red cube")["held"]
    aside = bench.to(0.42, 0.26, 0.021)
    assert (aside.rule, aside.other) == ("thing", "red cube")
    assert bench.grip(ARM.opening).ok
    assert bench.to(0.42, 0.20, 0.2).ok


@pytest.mark.parametrize("world", WORLDS)
def test_a_thing_keeps_its_turn(world: str) -> None:
    plank = Thing("plank", (0.42, 0.10, 0.02), (0.03, 0.12, 0.04), yaw=math.pi / 2)
    bench = Bench(world, (plank,))
    bench.take(plank)
    state = bench.actuator.measured()
    turned = (*state.q[:5], state.q[5] + 0.5)
    assert bench.actuator.move([turned]).ok
    assert bench.to(0.42, 0.10, 0.021).ok
    assert bench.grip(ARM.opening).ok
    yaw = bench.thing("plank")["yaw"]
    assert abs(math.sin(yaw - math.pi / 2)) == pytest.approx(math.sin(0.5), abs=0.02)


def test_what_hangs_over_something_does_not_fall_through_it() -> None:
    cube = RED.at((0.53, 0.0, 0.07))
    below = Thing("block", (0.5, 0.0, 0.02), (0.04, 0.04, 0.04))
    assert resting_height(cube, [below]) == pytest.approx(0.06), "its middle is beside, a part of it is above"
    assert resting_height(RED.at((0.55, 0.0, 0.07)), [below]) == pytest.approx(0.02)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_the_gap_between_two_boxes_is_never_more_than_their_distance(seed: int) -> None:
    """Against corners, edges and sides of one box seen from the other: no pair of points is nearer than the gap says."""
    rng = np.random.default_rng(seed)
    q = ARM.home + rng.normal(0, 0.4, 6)
    size, place = rng.uniform(0.01, 0.12, 3), rng.uniform(-0.05, 0.05, 3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    held = held_thing(Thing("box", (0, 0, 0), tuple(size)), place, turn.tolist())
    poses = forward(ARM, q, 0.08)
    middle = poses.places[0, -1] + poses.turns[0, -1] @ place
    other = Thing(
        "other", tuple(middle + rng.uniform(-0.15, 0.15, 3)), tuple(rng.uniform(0.01, 0.12, 3)), yaw=seed % 7
    )
    around = Surroundings(ARM, SCENE, opening=0.08, held=held, things=(other,))
    gap = around._between_boxes(around.poses(np.array([q])), np.zeros((1, 6)), np.zeros(1))[0][0, 0] - TOUCH
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 9)] * 3), -1).reshape(-1, 3)
    mine = middle + (grid * size) @ (poses.turns[0, -1] @ turn).T
    cos, sin = math.cos(other.yaw), math.sin(other.yaw)
    inside = (mine - other.position) @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    off = np.abs(inside) - np.array(other.size) / 2
    nearest = float(np.linalg.norm(np.maximum(off, 0.0), axis=1).min())
    assert gap <= nearest + 1e-9
    if nearest == 0.0:
        assert gap <= 1e-9
    deepest = float(np.min(off.max(1)))
    assert gap >= deepest - np.linalg.norm(size) - np.linalg.norm(other.size), "and it says something"


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> float:
    """How far two things are in one another (m), by the points of one in the other."""
    worst = 0.0
    for a, b in ((one, other), (other, one)):
        grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 11)] * 3), -1).reshape(-1, 3) * a["size"]
        turns = [np.array([[math.cos(y), -math.sin(y), 0], [math.sin(y), math.cos(y), 0], [0, 0, 1]]) for y in
                 (a["yaw"], b["yaw"])]  # fmt: skip
        points = (np.array(a["position"]) + grid @ turns[0].T - np.array(b["position"])) @ turns[1]
        depth = (np.array(b["size"]) / 2 - np.abs(points)).min(1).max()
        worst = max(worst, float(depth))
    return worst


_place = st.tuples(st.floats(0.25, 0.6), st.floats(-0.3, 0.35), st.sampled_from([0.02, 0.03, 0.06, 0.1, 0.2]))
_turn = st.tuples(st.just("turn"), st.floats(-0.8, 0.8))
_command = st.one_of(
    st.tuples(st.just("to"), _place), st.tuples(st.just("to"), st.sampled_from([t.position for t in THINGS])),
    st.tuples(st.just("take"), st.sampled_from(THINGS)), st.tuples(st.just("grip"), st.sampled_from([0.0, 0.042, 0.08])),
    _turn,
)  # fmt: skip


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_command, min_size=3, max_size=10))
def test_whatever_is_asked_no_two_things_are_in_one_place(commands: list[Any]) -> None:
    bench = Bench("numpy")
    begun = {thing.name: thing.position for thing in THINGS}
    moved: set[str] = set()
    for what, given_ in commands:
        state = bench.actuator.measured()
        try:
            if what == "to":
                bench.to(*given_)
            elif what == "take" and state.held is None:
                x, y, z = bench.thing(given_.name)["position"]
                for place in ((x, y, 0.2), (x, y, z)):
                    bench.to(*place)
                bench.grip(0.0)
            elif what == "grip":
                bench.grip(given_)
            elif what == "turn":
                bench.actuator.move([(*state.q[:5], state.q[5] + given_)])
        except Unreachable:
            continue
        seen = bench.world.see("things", {})["things"]
        for one, other in combinations(seen, 2):
            assert _overlap(one, other) <= 0.0011, (what, given_, one, other)
        moved |= {one["name"] for one in seen if one["held"]}
        for one in seen:
            assert one["name"] in moved or one["position"] == begun[one["name"]], "only what was held moves"
        assert Gate(ARM, DESK).clear(bench.actuator.measured()).ok, "and it never stands where it cannot go on"


def test_a_held_thing_that_is_no_box_is_a_capsule_for_things_too() -> None:
    ball = Held("ball", (0.0, 0.0, 0.125), (0.0, 0.0, 0.125), 0.02)
    near = Thing("near", (0.45, 0.0, 0.27), (0.02, 0.02, 0.02))
    around = Surroundings(ARM, SCENE, opening=0.08, held=ball, things=(near,))
    _, clear, link, code = around.look(np.array([ARM.home]), np.zeros((1, 6)), np.zeros(1), 0.0, MARGIN)
    assert clear[0] < 0.003 and around.name(int(link[0]), int(code[0])) == ("ball", "near", "thing")
