"""The actuator and the process it lives in: whatever is tried, nothing moves that the gate has not let through."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import math
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import pytest
from hand import by_hand
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_nb.domains.robotics import controller as controller_module
from llmos_nb.domains.robotics.actuator import TICK, Actuator
from llmos_nb.domains.robotics.advance import Surroundings
from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.controller import ArmController
from llmos_nb.domains.robotics.errors import ArmError, MoveRefused, UnitError, ZoneError
from llmos_nb.domains.robotics.gate import KEEP, Gate
from llmos_nb.domains.robotics.kinematics import solve
from llmos_nb.domains.robotics.motion import Pose
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.world import bare_world
from llmos_nb.domains.robotics.zones import Box, Sphere
from llmos_nb.errors import GuardDenied
from llmos_nb.kernel.whose import agents_code

GLASS = Box("glass", (0.45, -0.15, 0.3), (0.6, 0.005, 0.6))
SCENE = Scene(zones=(GLASS,))
STILL = (0.0,) * 6
WRONG: list[Any] = [
    math.nan, math.inf, -math.inf, "0.1", "nan", None, True, 10**400, 10**18, [0.1], {"a": 1}, b"0", 1 + 0j, object(),
]  # fmt: skip


def pose_at(*place: float) -> Pose:
    solution = solve(ARM, place, axis=(0, 0, -1))
    assert solution.reached
    return solution.q


LEFT, RIGHT = pose_at(0.45, 0.3, 0.3), pose_at(0.45, -0.3, 0.3)


class Recorded:
    """The bare world, which keeps what it was told and can go wrong."""

    def __init__(self) -> None:
        self._world = bare_world(ARM, SCENE, None, {})
        self.told: list[tuple[Pose, Pose, Pose, float, float]] = []
        self.off = STILL
        self.broken: BaseException | None = None
        self.halted = 0
        self.at_tick: dict[int, Any] = {}

    def measured(self) -> State:
        state = self._world.measured()
        return replace(state, q=tuple(a + b for a, b in zip(state.q, self.off, strict=True)))

    def follow(self, q: Pose, qd: Pose, qdd: Pose, opening: float, dt: float) -> None:
        self.told.append((q, qd, qdd, opening, dt))
        self.at_tick.get(len(self.told), lambda: None)()
        if self.broken is not None:
            raise self.broken
        self._world.follow(q, qd, qdd, opening, dt)

    def halt(self) -> None:
        self.halted += 1
        self._world.halt()

    def see(self, what: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def save(self) -> dict[str, Any]:
        return self._world.save()


def test_a_motion_is_followed_to_its_end_within_all_limits() -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    assert actuator.move([LEFT]).ok
    assert world.measured().q == LEFT
    assert world.measured().qd == STILL
    for _, qd, qdd, _, _ in world.told:
        for joint, rate, change in zip(ARM.joints, qd, qdd, strict=True):
            assert abs(rate) <= joint.speed
            assert abs(change) <= joint.acceleration


def test_a_refused_motion_never_reaches_the_world() -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    ruling = actuator.move([RIGHT])
    assert (ruling.ok, ruling.rule, ruling.other) == (False, "zone", "glass")
    assert world.told == []


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_number_never_reaches_the_world(wrong: object) -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    assert not actuator.move([(wrong, *LEFT[1:])]).ok
    assert not actuator.move([LEFT, (wrong, *LEFT[1:])]).ok
    assert not actuator.move([wrong]).ok
    assert not actuator.move(wrong).ok
    if wrong is not None:
        assert not actuator.move([LEFT], start=wrong).ok
        assert not actuator.move([LEFT], start=(wrong, *ARM.home[1:])).ok
    assert not actuator.move([LEFT], speed=wrong).ok
    assert not actuator.grip(wrong).ok
    assert world.told == []


def test_a_motion_recorded_from_elsewhere_is_refused() -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    assert actuator.move([LEFT], start=ARM.home).ok
    world.told.clear()
    assert actuator.move([ARM.home], start=ARM.home).rule == "start"
    assert world.told == []


@pytest.mark.parametrize("tick", [1, 2, 30, 60, 100, 150, 180])
@pytest.mark.parametrize("goals", [[LEFT], [LEFT, ARM.home]])
def test_a_stop_in_the_middle_brakes_on_the_way_within_the_limits(tick: int, goals: list[Pose]) -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    world.at_tick[tick] = lambda: actuator.stop("enough")
    ruling = actuator.move(goals)
    assert (ruling.ok, ruling.rule) == (False, "stopped")
    assert "enough" in ruling.reason
    assert len(world.told) < tick + 0.6 / TICK
    assert world.measured().qd == STILL
    before = world.told[tick - 1][1]
    for q, qd, qdd, _, dt in world.told[tick:]:
        for joint, rate, change, last, a, b, c in zip(ARM.joints, qd, qdd, before, q, ARM.home, LEFT, strict=True):
            assert abs(change) <= joint.acceleration * (1 + 1e-9)
            assert abs(rate - last) <= joint.acceleration * dt * (1 + 1e-6) + 1e-9
            assert min(b, c) - 1e-9 <= a <= max(b, c) + 1e-9  # still between the two ends
        before = qd
    assert actuator.move(goals).rule == "stopped"
    assert actuator.grip(0.02).rule == "stopped"
    actuator.reset(actuator.stops)
    world.at_tick.clear()
    assert actuator.move([LEFT]).ok


@pytest.mark.parametrize("after", [1, 50])
def test_an_arm_that_strays_is_stopped_for_good(after: int) -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    world.at_tick[after] = lambda: setattr(world, "off", (0.01, *STILL[1:]))
    ruling = actuator.move([LEFT])
    assert (ruling.ok, ruling.rule) == (False, "stopped")
    assert "strayed" in ruling.reason
    assert len(world.told) == after
    assert world.halted
    assert actuator.stopped
    assert actuator.move([ARM.home]).rule == "stopped"


def test_straying_is_found_before_the_room_that_was_kept_free_is_used_up() -> None:
    gate, state = Gate(ARM, SCENE), State(ARM.home, STILL, ARM.home_opening)
    turned = (0.002, *ARM.home[1:])
    moved = abs(0.002) * math.hypot(0.45, 0.13)
    assert gate.strays(turned, state) >= 0.002 * 0.45
    assert gate.strays(turned, state) <= moved
    assert gate.strays(ARM.home, state) == 0.0
    assert KEEP > 0.001


@pytest.mark.parametrize("error", [ValueError("lost"), RuntimeError("x"), MemoryError()])
def test_a_world_that_fails_stops_the_arm(error: BaseException) -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    world.at_tick[20] = lambda: setattr(world, "broken", error)
    ruling = actuator.move([LEFT])
    assert (ruling.ok, ruling.rule) == (False, "stopped")
    assert len(world.told) == 20
    assert actuator.stopped
    assert not actuator.moving


def test_a_measured_state_that_is_not_finite_stops_the_arm() -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    world.at_tick[20] = lambda: setattr(world, "off", (math.nan, *STILL[1:]))
    assert actuator.move([LEFT]).rule == "stopped"
    assert len(world.told) == 20
    assert not actuator.move([LEFT]).ok


def test_one_motion_at_a_time() -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=1)
    rulings: list[Any] = []

    def others() -> None:
        rulings.append(actuator.move([ARM.home]))
        rulings.append(actuator.grip(0.01))
        with pytest.raises(ArmError, match="moves"):
            actuator.change_zones([])
        with pytest.raises(ArmError, match="moves"):
            actuator.reset(actuator.stops)

    thread = threading.Thread(target=others)
    world.at_tick[20] = thread.start
    assert actuator.move([LEFT]).ok
    thread.join()
    assert [ruling.rule for ruling in rulings] == ["busy", "busy"]
    assert world.measured().q == LEFT


def test_the_hand_opens_and_closes() -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    assert actuator.grip(0.03).ok
    assert world.measured().opening == pytest.approx(0.03)
    assert actuator.move([LEFT]).ok
    assert world.told[-1][3] == pytest.approx(0.03)


_joint = st.one_of(st.floats(-3.2, 3.2), st.sampled_from([math.nan, math.inf, 1e308, "1", None, True, 10**400]))
_pose = st.one_of(
    st.tuples(*(st.floats(joint.low, joint.high) for joint in ARM.joints)),
    st.tuples(*(st.floats(angle - 0.5, angle + 0.5) for angle in ARM.home)),
    st.tuples(*[_joint] * 6),
    st.lists(_joint, max_size=7),
)
_command = st.one_of(
    st.tuples(st.just("move"), st.lists(_pose, min_size=1, max_size=3), st.one_of(st.none(), st.integers(1, 80))),
    st.tuples(st.just("grip"), st.one_of(st.floats(0.0, 0.08), _joint), st.none()),
    st.tuples(st.just("zone"), st.tuples(*[st.floats(-0.6, 0.6)] * 3), st.floats(0.005, 0.2)),
    st.tuples(st.just("reset"), st.none(), st.none()),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_command, min_size=1, max_size=6))
def test_whatever_is_asked_no_pose_that_the_world_is_told_hits_anything(commands: list[Any]) -> None:
    world = Recorded()
    actuator = Actuator(ARM, SCENE, world, pace=0)
    assert actuator.move([LEFT]).ok
    for number, (what, given_, more) in enumerate(commands):
        began = len(world.told)
        before = world.measured()
        if what == "move":
            if more is not None:
                world.at_tick[began + more] = lambda: actuator.stop("enough")
            actuator.move(given_)
        elif what == "grip":
            actuator.grip(given_)
        elif what == "zone":
            size = (more, 0.005, more)
            actuator.change_zones([*actuator.scene.zones, Box(f"zone {number}", given_, size, more * 9)])
        else:
            actuator.reset(actuator.stops)
        told = world.told[began:]
        if told:
            poses = np.array([q for q, *_ in told])
            assert np.abs(poses[0] - before.q).max() < 0.01  # it goes on from where it is
            assert (np.array([rates for _, rates, *_ in told]) <= [joint.speed for joint in ARM.joints]).all()
            for opening in {before.opening, told[-1][3]}:
                around = Surroundings(ARM, actuator.scene, opening=opening)
                flat = np.zeros_like(poses)
                _, clear, _, _ = around.look(poses, flat, np.zeros(len(poses)), 0.0, 1.0)
                assert clear.min() > KEEP * 0.999
        assert max(map(abs, world.measured().qd)) == 0.0


# The process


@pytest.fixture(scope="module")
def shared() -> Iterator[ArmController]:
    with ArmController(scene=SCENE, pace=0) as arm:
        yield arm


@pytest.fixture
def arm(shared: ArmController) -> ArmController:
    by_hand("shared.reset()", shared=shared)
    by_hand("shared.set_zones(zones)", shared=shared, zones=SCENE.zones)
    if shared.status().state.q != ARM.home:
        shared.move([ARM.home])
    return shared


def stays(arm: ArmController) -> bool:
    return arm.status().state.q == ARM.home


def test_the_arm_goes_where_it_may_and_nowhere_else(arm: ArmController) -> None:
    with pytest.raises(MoveRefused, match="glass") as caught:
        arm.move([RIGHT])
    assert caught.value.ruling.q is not None
    assert stays(arm)
    assert arm.check([RIGHT]).rule == "zone"
    solution = arm.reach(("45cm", "300 mm", 0.3), axis=(0, 0, -1))
    assert arm.move([solution.q]).ok
    assert arm.status().tool == pytest.approx((0.45, 0.3, 0.3), abs=1e-4)
    assert arm.move(np.array([ARM.home])).ok


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_number_is_refused_by_the_process(arm: ArmController, wrong: Any) -> None:
    for call in (
        lambda: arm.move([(wrong, *LEFT[1:])]),
        lambda: arm.move([wrong]),
        lambda: arm.move(wrong),
        lambda: arm.move([LEFT], speed=wrong),
        lambda: arm.grip([wrong]),
        lambda: arm.reach((wrong, object(), 0.3)),
        lambda: arm.add_zone({"kind": "sphere", "name": "s", "center": [0, 0, wrong], "radius": wrong}),
    ):
        with pytest.raises((ArmError, UnitError)):
            call()
    assert stays(arm)
    assert arm.status().state.opening == pytest.approx(ARM.home_opening)


def test_raw_requests_are_judged_like_any_other(arm: ArmController) -> None:
    process = arm._process
    assert process is not None
    pipe = process._process.stdin
    assert pipe is not None
    for line in (
        b"\n", b"{}\n", b"[]\n", b"nonsense\n", b'{"do": "move"}\n', b'{"id": 1, "do": "move", "waypoints": [[NaN]]}\n',
        b'{"id": 5, "do": ["move"]}\n', b'{"do": "follow", "q": [0,0,0,0,0,0]}\n', b"[" * 100_000 + b"\n",
        b'{"do": "move", "waypoints": [[1e999, 0, 0, 0, 0, 0]]}\n', b'{"do": "__class__"}\n', b"\xff\xfe\n",
        json.dumps({"do": "move", "waypoints": [RIGHT]}).encode() + b"\n",
        json.dumps({"do": "zones", "zones": []}).encode() + b"\n",
        json.dumps({"do": "zones", "zones": [], "key": "guessed"}).encode() + b"\n",
        json.dumps({"do": "reset", "key": 5}).encode() + b"\n",
    ):  # fmt: skip
        pipe.write(line)
    time.sleep(0.2)
    assert stays(arm)
    assert arm.status().scene.zones == SCENE.zones


def test_neither_patches_nor_subclasses_nor_attributes_help(
    arm: ArmController, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = Gate(ARM).check
    monkeypatch.setattr(Gate, "check", lambda *a, **k: replace(free(*a, **k), ok=True))
    monkeypatch.setattr(controller_module, "ruling_of", lambda data: None)
    arm._opening["scene"]["zones"] = []
    object.__setattr__(arm.arm, "links", arm.arm.links)

    class Bold(ArmController):
        def check(self, *arguments: Any, **named: Any) -> Any:
            return None

    monkeypatch.setattr(arm, "__class__", Bold)
    with pytest.raises(AttributeError):  # the refusal cannot even be told in this kernel; the arm stands still
        arm.move([RIGHT])
    assert stays(arm)
    arm._opening["scene"] = SCENE.as_mapping()


def test_an_arm_is_not_copied(arm: ArmController) -> None:
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(ArmError, match="copied"):
            way(arm)


def test_only_a_person_resets_and_takes_zones_away(arm: ArmController) -> None:
    arm.stop("officer")
    with agents_code():
        for call in (arm.reset, lambda: arm.set_zones([]), arm.restart):
            with pytest.raises(GuardDenied):
                call()
        arm.stop("again")
    with pytest.raises(ArmError, match="Only a person"):
        arm._ask("reset")
    with pytest.raises(MoveRefused, match="officer"):
        arm.move([LEFT])
    assert stays(arm)
    by_hand("arm.reset()", arm=arm)
    with agents_code():
        arm.add_zone(Sphere("ball", (0.45, 0.3, 0.3), 0.05))
        with pytest.raises(MoveRefused, match="ball"):
            arm.move([LEFT])
    with pytest.raises(ArmError, match="Two zones"):
        arm.add_zone(Sphere("ball", (0.45, 0.3, 0.3), 0.05))


def test_other_threads_are_refused_while_it_moves_and_may_stop_it() -> None:
    with ArmController(scene=SCENE) as arm:
        arm.status()
        found: list[str] = []

        def other() -> None:
            time.sleep(0.4)
            for way in (lambda: arm.move([ARM.home]), lambda: arm.grip(0.0)):
                try:
                    way()
                except MoveRefused as error:
                    found.append(error.ruling.rule)
            arm.stop("thread")

        thread = threading.Thread(target=other)
        thread.start()
        began = time.monotonic()
        with pytest.raises(MoveRefused, match="thread") as caught:
            arm.move([LEFT], speed=0.3)
        thread.join()
        assert caught.value.ruling.rule == "stopped"
        assert time.monotonic() - began < 3
        assert found == ["busy", "busy"]
        state = arm.status().state
        assert state.qd == STILL
        assert 0 < state.q[0] < LEFT[0]


def test_an_interrupt_stops_the_arm() -> None:
    with ArmController(scene=SCENE) as arm:
        arm.status()
        timer = threading.Timer(0.4, lambda: os.kill(os.getpid(), 2))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            arm.move([LEFT], speed=0.2)
        assert arm.status().stopped == "interrupted"


async def test_a_cancelled_await_leaves_a_motion_that_can_be_stopped() -> None:
    with ArmController(scene=SCENE) as arm:
        arm.status()
        task = asyncio.create_task(asyncio.to_thread(arm.move, [LEFT], speed=0.2))
        await asyncio.sleep(0.4)
        arm.stop("cancelled")
        with pytest.raises(MoveRefused):
            await task


def test_a_killed_process_leaves_a_stopped_arm_where_it_was_seen_last() -> None:
    with ArmController(scene=SCENE) as arm:
        arm.status()
        process = arm._process
        assert process is not None
        timer = threading.Timer(0.6, process._process.kill)
        timer.start()
        with pytest.raises(ArmError, match="ended"):
            arm.move([LEFT], speed=0.3)
        status = arm.status()
        assert "ended unexpectedly" in status.stopped
        assert 0 < status.state.q[0] < LEFT[0]
        assert status.scene.zones == SCENE.zones
        with pytest.raises(MoveRefused, match="ended unexpectedly"):
            arm.move([LEFT])
        by_hand("arm.reset()", arm=arm)
        assert arm.move([ARM.home]).ok


def test_a_stop_before_the_first_request_holds() -> None:
    with ArmController(scene=SCENE, pace=0) as arm:
        arm.stop("not today")
        with pytest.raises(MoveRefused, match="not today"):
            arm.move([LEFT])


def test_a_stop_while_the_process_starts_holds() -> None:
    with ArmController(scene=SCENE, pace=0) as arm:
        starting = threading.Thread(target=arm.status)
        starting.start()
        arm.stop("at once")
        starting.join()
        assert arm.status().stopped == "at once"
        with pytest.raises(MoveRefused, match="at once"):
            arm.move([LEFT])


def test_the_process_ends_with_the_last_reference_to_its_arm() -> None:
    arm = ArmController(scene=SCENE, pace=0)
    arm.move([LEFT])
    assert arm._process is not None
    pid = arm._process.pid
    del arm
    gc.collect()
    assert not psutil.pid_exists(pid)


def test_a_process_that_hangs_is_ended_by_stop() -> None:
    with ArmController(scene=SCENE) as arm:
        arm.status()
        process = arm._process
        assert process is not None
        psutil.Process(process.pid).suspend()
        arm.stop("hung")
        assert process._process.poll() is not None
        assert arm.status().stopped == "hung"


def test_a_halt_breaks_off_and_latches_nothing() -> None:
    with ArmController(scene=SCENE) as arm:
        arm.halt()
        arm.status()
        arm.halt()
        timer = threading.Timer(0.4, arm.halt)
        timer.start()
        with pytest.raises(MoveRefused, match="broken off") as caught:
            arm.move([LEFT], speed=0.3)
        assert caught.value.ruling.rule == "halted"
        status = arm.status()
        assert status.stopped == ""
        assert status.state.qd == STILL
        assert 0 < status.state.q[0] < LEFT[0]
        assert arm.move([ARM.home]).ok


def test_what_cannot_be_opened_says_why() -> None:
    with ArmController(world="moon") as arm, pytest.raises(ArmError, match="no world 'moon'"):
        arm.status()
    with pytest.raises(ZoneError):
        ArmController(scene={"zones": [{"kind": "cone"}]})
    closed = ArmController()
    closed.close()
    with pytest.raises(ArmError, match="closed"):
        closed.status()
    closed.stop()


def test_a_module_in_the_working_folder_is_not_what_the_process_imports(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "json", "llmos_nb", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('taken', 'w').write('x')\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ArmController(scene=SCENE, pace=0) as arm:
        assert arm.move([LEFT]).ok
    assert not (tmp_path / "taken").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    "way", ["sys.exit()", "os._exit(1)", "os.kill(os.getpid(), 9)", "os.fork() and os._exit(0); time.sleep(3)"]
)
def test_the_arm_ends_with_its_kernel(way: str) -> None:
    code = (
        "import os, sys, time\n"
        "from llmos_nb.domains.robotics.controller import ArmController\n"
        "arm = ArmController(); arm.status(); print(arm._process.pid, flush=True)\n" + way
    )
    kernel = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert kernel.stdout is not None
    pid = int(kernel.stdout.readline())
    kernel.wait(20)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)
    kernel.stdout.close()
