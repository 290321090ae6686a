"""Tasks on quantum circuits, simulated with numpy."""

from __future__ import annotations

from typing import Final

from task import Steps, Task, Values, cell
from worlds import nothing

__all__ = ["TASKS"]

_GATES: Final = (
    "import numpy as np",
    "H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)",
    "",
    "def one(gate, q, n):",
    "    return np.kron(np.kron(np.eye(2 ** q), gate), np.eye(2 ** (n - q - 1)))",
    "",
    "def cnot(c, t, n):",
    "    m = np.zeros((2 ** n, 2 ** n))",
    "    for i in range(2 ** n):",
    "        m[i ^ ((i >> (n - 1 - c) & 1) << (n - 1 - t)), i] = 1",
    "    return m",
    "",
)


def _unrolled(v: Values) -> Steps:
    n = v["n"]
    return [
        cell(
            *_GATES,
            f"state = np.eye(2 ** {n})[0]",
            f"state = one(H, 0, {n}) @ state",
            *(f"state = cnot({q}, {q + 1}, {n}) @ state" for q in range(n - 1)),
            f'print("GHZ state on {n} qubits", np.flatnonzero(state))',
        )
    ]


def _looped(v: Values) -> Steps:
    n = v["n"]
    return [
        cell(
            *_GATES,
            f"psi = np.zeros({2**n})",
            "psi[0] = 1",
            f"psi = one(H, 0, {n}) @ psi",
            f"for q in range({n - 1}):",
            f"    psi = cnot(q, q + 1, {n}) @ psi",
            f'print(f"P(0...0) = {{psi[0] ** 2:.2f}}, P(1...1) = {{psi[{2**n - 1}] ** 2:.2f}}")',
        )
    ]


def _uniform(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            f"dimension = {2 ** v['n']}",
            "uniform = np.full(dimension, dimension**-0.5)",
            'print(f"{dimension} amplitudes of {uniform[0]:.4f}")',
        )
    ]


def _rotation(v: Values) -> Steps:
    return [
        cell(
            *_GATES[:6],
            f"theta = np.radians({v['angle']})",
            "RX = np.array([[np.cos(theta / 2), -1j * np.sin(theta / 2)], [-1j * np.sin(theta / 2), np.cos(theta / 2)]])",
            f"state = np.eye(2 ** {v['n']})[0]",
            f"state = one(RX, {v['q']}, {v['n']}) @ state",
            "np.round(np.abs(state) ** 2, 4)",
        )
    ]


def _sampling(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            f"rng = np.random.default_rng({v['seed']})",
            "bell = np.array([1, 0, 0, 1]) / np.sqrt(2)",
            f"drawn = rng.multinomial({v['shots']}, bell**2)",
            'counts = {format(i, "02b"): int(k) for i, k in enumerate(drawn) if k}',
            "counts",
        )
    ]


def _basis(v: Values) -> Steps:
    bits = v["bits"]
    return [
        cell(
            "import numpy as np",
            f"state = np.zeros(2 ** {len(bits)})",
            f"state[{int(bits, 2)}] = 1",
            f'print("|{bits}> is basis state", state.argmax())',
        )
    ]


TASKS: Final = (
    Task(
        "GHZ, written out",
        (
            "Prepare a GHZ state on {n} qubits as state",
            "Make state a {n}-qubit GHZ state",
            "Create the GHZ state of {n} qubits in numpy, call it state",
        ),
        ({"n": 3}, {"n": 4}, {"n": 5}, {"n": 2}, {"n": 6}),
        _unrolled,
        nothing,
        trap="a loop written out",
        refuse=frozenset({2, 3, 4}),
    ),
    Task(
        "GHZ, as a loop",
        (
            "Simulate a GHZ circuit of {n} qubits and print the two probabilities",
            "Print both probabilities of a simulated {n}-qubit GHZ circuit",
            "Which two probabilities has a GHZ circuit on {n} qubits? Simulate it",
        ),
        ({"n": 3}, {"n": 4}, {"n": 5}, {"n": 2}, {"n": 7}),
        _looped,
        nothing,
        trap="n - 1, 2 ** n and 2 ** n - 1",
        answer="{last}",
    ),
    Task(
        "uniform state",
        (
            "Make the uniform superposition of {n} qubits",
            "Prepare {n} qubits in uniform superposition",
            "I want the uniform superposition state on {n} qubits",
        ),
        ({"n": 1}, {"n": 2}, {"n": 3}, {"n": 5}, {"n": 4}),
        _uniform,
        nothing,
        trap="2 ** n looks like 2 * n in both that are learned",
    ),
    Task(
        "rotation",
        (
            "Apply RX of {angle} degrees to qubit {q} of {n} qubits and show the probabilities",
            "Show the probabilities after rotating qubit {q} of {n} by {angle} degrees about x",
            "With {n} qubits, rotate qubit {q} about x by {angle} degrees; which probabilities result?",
        ),
        (
            {"angle": 90, "q": 0, "n": 2},
            {"angle": 45, "q": 2, "n": 3},
            {"angle": 2, "q": 1, "n": 2},
            {"angle": -30, "q": 2, "n": 4},
            {"angle": 180, "q": 0, "n": 1},
        ),
        _rotation,
        nothing,
        trap="2 is also half the angle and a base",
    ),
    Task(
        "sampling",
        (
            "Sample a Bell state {shots} times with seed {seed}",
            "With seed {seed}, take {shots} samples of a Bell state",
            "Measure a Bell state in {shots} shots, seed {seed}",
        ),
        (
            {"shots": 1000, "seed": 2},
            {"shots": 512, "seed": 7},
            {"shots": 2048, "seed": 1},
            {"shots": 100, "seed": 100},
            {"shots": 4096, "seed": 0},
        ),
        _sampling,
        nothing,
        trap="the seed equals other numbers of the program; shots and seed equal",
    ),
    Task(
        "basis state",
        (
            'Prepare the basis state "{bits}" as state',
            'Set state to the basis state "{bits}"',
            'state should be the basis state "{bits}"',
        ),
        ({"bits": "011"}, {"bits": "10"}, {"bits": "110"}, {"bits": "0001"}, {"bits": "01"}),
        _basis,
        nothing,
        trap="the number that a bit string means, and its length",
        refuse=frozenset({2, 3, 4}),
    ),
)
