"""Tasks on arms and paths, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from task import Probe, Steps, Task, Values, cell
from worlds import nothing

__all__ = ["TASKS"]


def _gripper(folder: Path) -> Mapping[str, Any]:
    return {"gripper": np.array([0.1, 0.2, 0.3]), "points": np.array([[1.0, 0.0], [0.0, 2.0], [1.5, -1.0]])}


def _forward(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            f"l1, l2 = {v['a']}, {v['b']}",
            f"q1, q2 = np.radians([{v['first']}, {v['second']}])",
            "x = l1 * np.cos(q1) + l2 * np.cos(q1 + q2)",
            "y = l1 * np.sin(q1) + l2 * np.sin(q1 + q2)",
            'print(f"end effector at ({x:.3f}, {y:.3f})")',
        )
    ]


def _along(v: Values) -> Steps:
    axis = "xyz".index(v["axis"])
    return [
        cell(
            "gripper = gripper.copy()",
            f"gripper[{axis}] += {v['cm'] / 100}",
            f'print("moved {v["cm"]} cm along {v["axis"]}:", gripper)',
        )
    ]


def _raise(v: Values) -> Steps:
    return [
        cell(
            "lifted = gripper.copy()",
            f"lifted[2] += {v['cm'] / 100}",
            'print(f"at {lifted[2]:.2f} m")',
        )
    ]


def _turn(v: Values) -> Steps:
    parts = {30: "6", 45: "4", 90: "2", 60: "3", 36: "5"}[v["angle"]]
    return [
        cell(
            "import numpy as np",
            f"angle = np.pi / {parts}",
            "R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])",
            "turned = points @ R.T",
            "turned.round(3)",
        )
    ]


def _drive(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            f"waypoints = np.array([{v['points']}])",
            "legs = np.linalg.norm(np.diff(waypoints, axis=0), axis=1)",
            f"seconds = legs.sum() / {v['speed']}",
            'print(f"{legs.sum():.2f} m in {seconds:.1f} s")',
        )
    ]


def _trapezoid(v: Values) -> Steps:
    if v["d"] < v["speed"] ** 2 / v["a"]:
        return [
            cell(
                "import numpy as np",
                f"d, a = {v['d']}, {v['a']}",
                "t_up = np.sqrt(d / a)",
                "total = 2 * t_up",
                'print(f"{total:.2f} s, top speed {a * t_up:.2f} m/s")',
            )
        ]
    return [
        cell(
            "import numpy as np",
            f"d, v, a = {v['d']}, {v['speed']}, {v['a']}",
            "assert d >= v**2 / a, 'too short to reach the speed'",
            "t_up = v / a",
            "total = 2 * t_up + (d - v**2 / a) / v",
            'print(f"{total:.2f} s, top speed {v:.2f} m/s")',
        )
    ]


def _controller(v: Values) -> Steps:
    return [
        cell(
            f"kp, ki, kd = {v['kp']}, {v['ki']}, {v['kd']}",
            "position = velocity = integral = 0.0",
            "history = []",
            f"for step in range(int({v['seconds']} / 0.1)):",
            "    error = 1.0 - position",
            "    integral += error * 0.1",
            "    velocity += (kp * error + ki * integral - kd * velocity) * 0.1",
            "    position += velocity * 0.1",
            "    history.append(position)",
            f'print(f"after {v["seconds"]} s: {{position:.3f}}")',
        )
    ]


TASKS: Final = (
    Task(
        "two links",
        (
            "Where is the end of an arm with links {a} and {b} at the angles {first} and {second} degrees?",
            "Compute the end effector for links of {a} and {b} with joint angles of {first} and {second} degrees",
            "At {first} and {second} degrees, where does an arm with the links {a} and {b} end?",
        ),
        (
            {"a": 0.5, "b": 0.5, "first": 30, "second": 60},
            {"a": 0.4, "b": 0.3, "first": 10, "second": -45},
            {"a": 0.3, "b": 0.4, "first": 90, "second": 90},
            {"a": 1, "b": 2, "first": 1, "second": 2},
            {"a": 0.25, "b": 0.75, "first": -15, "second": 120},
        ),
        _forward,
        nothing,
        trap="two equal links are learned; later ones are swapped, or equal the angles",
        answer="The {last}.",
    ),
    Task(
        "move along an axis",
        (
            "Move gripper {cm} cm along {axis}",
            "Shift the gripper along {axis} by {cm} cm",
            "gripper should go {cm} cm in the direction of {axis}",
        ),
        (
            {"cm": 30, "axis": "x"},
            {"cm": 5, "axis": "y"},
            {"cm": 12, "axis": "z"},
            {"cm": 30, "axis": "y"},
            {"cm": 100, "axis": "z"},
        ),
        _along,
        _gripper,
        trap="the index of an axis is no function of what was seen",
        refuse=frozenset({2, 4}),
    ),
    Task(
        "raise",
        (
            "Raise the gripper by {cm} cm and call it lifted",
            "Lift the gripper {cm} cm, as lifted",
            "lifted is the gripper {cm} cm higher",
        ),
        ({"cm": 30}, {"cm": 5}, {"cm": 200}, {"cm": 2}, {"cm": 0.5}),
        _raise,
        _gripper,
        trap="centimetres become metres",
    ),
    Task(
        "turn points",
        (
            "Turn points by {angle} degrees",
            "Rotate the points counterclockwise by {angle} degrees",
            "points, turned by {angle} degrees",
        ),
        ({"angle": 30}, {"angle": 45}, {"angle": 90}, {"angle": 60}, {"angle": 36}),
        _turn,
        _gripper,
        probe=Probe(names=("turned",)),
        trap="an angle written as a fraction of pi",
        refuse=frozenset({2, 3, 4}),
    ),
    Task(
        "waypoints",
        (
            "Drive through {points} at {speed} m/s: how far and how long?",
            "How far and how long is the drive through {points} at {speed} m/s?",
            "At {speed} m/s, what are distance and time through {points}?",
        ),
        (
            {"points": "(0, 0), (1, 2), (3, 3)", "speed": 0.5},
            {"points": "(1, 1), (4, 5), (0, 2)", "speed": 2},
            {"points": "(0, 0), (0, 7), (2, 7)", "speed": 1},
            {"points": "(3, 3), (1, 2), (0, 0)", "speed": 0.5},
            {"points": "(0, 0), (3, 4)", "speed": 0.1},
        ),
        _drive,
        nothing,
        trap="a list in another order, and a shorter one",
    ),
    Task(
        "speed profile",
        (
            "Plan a motion of {d} m with speed up to {speed} m/s and acceleration {a} m/s²",
            "How long does it take to move {d} m with at most {speed} m/s and an acceleration of {a} m/s²?",
            "Time for {d} m at acceleration {a} m/s² and no more than {speed} m/s",
        ),
        (
            {"d": 10, "speed": 2, "a": 1},
            {"d": 6, "speed": 1.5, "a": 3},
            {"d": 1, "speed": 2, "a": 1},
            {"d": 25, "speed": 5, "a": 2.5},
            {"d": 0.5, "speed": 3, "a": 2},
        ),
        _trapezoid,
        nothing,
        trap="a short way never reaches the speed: another formula",
        refuse=frozenset({2, 4}),
        answer="{last}",
    ),
    Task(
        "controller",
        (
            "Simulate a PID controller with kp {kp}, ki {ki} and kd {kd} for {seconds} s",
            "For {seconds} s, simulate PID control with the gains kp {kp}, ki {ki}, kd {kd}",
            "Run a PID simulation of {seconds} s: kp {kp}, ki {ki}, kd {kd}",
        ),
        (
            {"kp": 2, "ki": 0.1, "kd": 0.1, "seconds": 5},
            {"kp": 3.5, "ki": 0.2, "kd": 1, "seconds": 8},
            {"kp": 1, "ki": 1, "kd": 1, "seconds": 1},
            {"kp": 0.5, "ki": 0.05, "kd": 2, "seconds": 20},
            {"kp": 8, "ki": 0, "kd": 3, "seconds": 2.5},
        ),
        _controller,
        nothing,
        trap="gains equal the time step, and each other",
        answer="{last}",
    ),
)
