"""How right and how quick the robot arm's safety gate is.

Random moves among random zones, from sheets of 5 mm to blocks of half a metre. The oracle is MuJoCo's own collision
check at 2,001 poses along each move, of the same arm and the same zones (the workspace's walls and the floor are zones
there). A move is *unsafe* if MuJoCo finds a contact at any of them. Beside the gate stand two checks of the same
distances that look at the end alone, and at 11 poses: what sampling lets through.

python tests/bench/bench_gate.py [MOVES]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import mujoco
import numpy as np

from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.controller import ArmController
from llmos_nb.domains.robotics.gate import Gate, Ruling
from llmos_nb.domains.robotics.mjcf import mjcf
from llmos_nb.domains.robotics.motion import Motion, Pose, plan
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.zones import Box, CapsuleZone, Cylinder, Sphere, Zone

POINTS = 2001
MOVES_IN_A_SCENE = 40
LOW = np.array([joint.low for joint in ARM.joints])
HIGH = np.array([joint.high for joint in ARM.joints])
STILL = (0.0,) * len(ARM.joints)


class Oracle:
    """MuJoCo's collision check of the arm in a scene."""

    def __init__(self, scene: Scene) -> None:
        text = mjcf(ARM, (*scene.zones, *_walls(scene)), floor=scene.floor)
        # Zones are there to be seen; here they are to be hit.
        text = text.replace('contype="0" conaffinity="0"', 'contype="1" conaffinity="1"')
        self.model = mujoco.MjModel.from_xml_string(text)
        self.data = mujoco.MjData(self.model)

    def hits(self, q: np.ndarray, opening: float) -> bool:
        """Whether anything touches anything in pose ``q``."""
        count = len(ARM.joints)
        self.data.qpos[:count] = q
        self.data.qpos[count:] = opening / 2
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_collision(self.model, self.data)
        return bool(self.data.ncon)

    def first_hit(self, motion: Motion, opening: float, points: int = POINTS) -> float | None:
        """The share of the way at which something is hit first, looking at so many points of each line."""
        lines = motion.lines
        for number, (one, other) in enumerate(lines):
            a, d = np.array(one), np.array(other) - np.array(one)
            for share in np.linspace(0.0, 1.0, points):
                if self.hits(a + share * d, opening):
                    return (number + float(share)) / len(lines)
        return None


def _walls(scene: Scene) -> Iterator[Box]:
    """The workspace's ends as blocks of a metre outside of it."""
    low, high = np.array(scene.low), np.array(scene.high)
    for axis in range(3):
        for name, bound, sign in (("low", low, -1), ("high", high, 1)):
            center, size = (low + high) / 2, high - low + 4.0
            center[axis], size[axis] = bound[axis] + sign * 0.5, 1.0
            yield Box(f"wall {axis} {name}", tuple(center), tuple(size))


def random_scene(rng: np.random.Generator) -> Scene:
    """A workspace with 1 to 10 zones of all kinds and sizes around the arm."""
    zones: list[Zone] = []
    for number in range(rng.integers(1, 11)):
        turn = rng.uniform(-np.pi, np.pi)
        away = rng.uniform(0.22, 0.9)
        center = (float(away * np.cos(turn)), float(away * np.sin(turn)), float(rng.uniform(0.0, 0.9)))
        size = np.exp(rng.uniform(np.log(0.005), np.log(0.5), 3))
        if rng.random() < 0.4:
            size[rng.integers(3)] = 0.005  # a sheet
        name, width = f"zone {number}", float(size[0])
        kind = rng.integers(4)
        if kind == 0:
            zones.append(Box(name, center, tuple(map(float, size)), float(rng.uniform(-3, 3))))
        elif kind == 1:
            zones.append(Sphere(name, center, max(0.0025, width / 2)))
        elif kind == 2:
            end = tuple(float(part) for part in np.array(center) + rng.uniform(-0.3, 0.3, 3))
            zones.append(CapsuleZone(name, center, end, max(0.0025, width / 4)))
        else:
            zones.append(Cylinder(name, center, max(0.0025, width / 2), float(size[1])))
    return Scene(zones=tuple(zones))


def random_moves(
    rng: np.random.Generator, scene: Scene, oracle: Oracle, count: int
) -> Iterator[tuple[State, Motion]]:
    """Moves within the joints' limits that begin where the arm stands free: short and long, of one and of three lines."""
    gate, found, tried = Gate(ARM, scene), 0, 0
    while found < count and tried < 40 * count:
        tried += 1
        start = rng.uniform(LOW, HIGH)
        if rng.random() < 0.5:
            start = np.clip(np.array(ARM.home) + rng.normal(0, 0.4, len(start)), LOW, HIGH)
        state = State(tuple(map(float, start)), STILL, float(rng.uniform(0, ARM.opening)))
        if oracle.hits(start, state.opening) or not gate.clear(state).ok:
            continue
        wide = rng.choice([0.1, 0.3, 1.0, 10.0])
        goals: list[Pose] = []
        here = start
        for _ in range(3 if rng.random() < 0.2 else 1):
            here = np.clip(here + rng.uniform(-wide, wide, len(start)), LOW, HIGH)
            goals.append(tuple(map(float, here)))
        found += 1
        yield state, plan(ARM, state.q, goals)


@dataclass
class Counts:
    """What was found over all moves."""

    safe: int = 0
    unsafe: int = 0
    accepted: int = 0
    unsafe_accepted: int = 0
    end_only: int = 0
    eleven: int = 0
    took_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def take(self, ruling: Ruling, motion: Motion, oracle: Oracle, opening: float, points: int) -> None:
        """Count one move."""
        hit = oracle.first_hit(motion, opening, points)
        self.took_ms.append(ruling.took_ms)
        self.looks.append(ruling.looks)
        if hit is None:
            self.safe += 1
            self.accepted += ruling.ok
            if not ruling.ok:
                self.refused[ruling.rule] = self.refused.get(ruling.rule, 0) + 1
            return
        self.unsafe += 1
        self.unsafe_accepted += ruling.ok
        self.end_only += not oracle.hits(np.array(motion.end), opening)
        self.eleven += oracle.first_hit(motion, opening, 11) is None


def measure(moves: int, seed: int = 1, points: int = POINTS) -> Counts:
    """Check ``moves`` random moves against the oracle."""
    rng, counts, done = np.random.default_rng(seed), Counts(), 0
    while done < moves:
        scene = random_scene(rng)
        oracle, gate = Oracle(scene), Gate(ARM, scene)
        for state, motion in random_moves(rng, scene, oracle, min(MOVES_IN_A_SCENE, moves - done)):
            began = time.thread_time()
            ruling = gate.check(motion, state)
            counts.cpu_ms.append((time.thread_time() - began) * 1e3)
            counts.take(ruling, motion, oracle, state.opening, points)
            done += 1
    return counts


def round_trips(count: int = 400) -> list[float]:
    """What it takes to ask the arm's process for its status, in milliseconds each."""
    took = []
    with ArmController(pace=0) as arm:
        arm.status()
        for _ in range(count):
            began = time.perf_counter()
            arm.status()
            took.append((time.perf_counter() - began) * 1e3)
    return took


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    counts = measure(asked)
    total = counts.safe + counts.unsafe
    print(f"{total} moves: {counts.safe} safe, {counts.unsafe} unsafe by MuJoCo at {POINTS} points of each line")
    print(
        f"gate: {counts.unsafe_accepted} unsafe accepted, {counts.accepted / max(1, counts.safe):.2%} of safe accepted"
    )
    print(f"  safe but refused, by rule: {counts.refused or 'none'}")
    print(f"only the end looked at: {counts.end_only} unsafe accepted; 11 points: {counts.eleven}")
    p50, p99, most = np.percentile(counts.took_ms, [50, 99, 100])
    print(f"a check takes {p50:.1f} ms (median), {p99:.1f} ms (p99), {most:.1f} ms (most)")
    p50, p99, most = np.percentile(counts.cpu_ms, [50, 99, 100])
    print(f"  of the processor: {p50:.1f} ms (median), {p99:.1f} ms (p99), {most:.1f} ms (most)")
    p50, p99 = np.percentile(round_trips(), [50, 99])
    print(f"asking the arm's process takes {p50:.2f} ms (median), {p99:.2f} ms (p99)")
    print(f"poses looked at: {np.median(counts.looks):.0f} (median), {max(counts.looks)} (most)")
