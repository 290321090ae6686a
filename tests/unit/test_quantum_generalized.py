"""A GHZ circuit recorded for some sizes: which programs follow the number of qubits to others, and which do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")

from llmos_nb.domains.quantum import probabilities
from llmos_nb.memory import Step, Trace, TraceStore

GOAL = "Create a {n}-qubit GHZ state circuit"
LITERAL = """from qiskit import QuantumCircuit
n = {n}
circuit = QuantumCircuit(n)
circuit.h(0)
for i in range(n - 1):
    circuit.cx(i, i + 1)
circuit.measure_all()
"""
EVERYWHERE = """from qiskit import QuantumCircuit
circuit = QuantumCircuit({n})
circuit.h(0)
for i in range({m}):
    circuit.cx(i, i + 1)
circuit.measure_all()
print("0" * {n}, "1" * {n})
"""
FROM_ONE = """from qiskit import QuantumCircuit
circuit = QuantumCircuit({n}, {n})
circuit.h(0)
for target in range(1, {n}):
    circuit.cx(0, target)
circuit.measure(range({n}), range({n}))
"""


def unrolled(n: int) -> str:
    """The loop written out: another program for every size."""
    lines = [f"circuit.cx({i}, {i + 1})" for i in range(n - 1)]
    return "\n".join(
        [
            "from qiskit import QuantumCircuit",
            f"circuit = QuantumCircuit({n})",
            "circuit.h(0)",
            *lines,
            "circuit.measure_all()",
        ]
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    with TraceStore(tmp_path / "traces") as store:
        yield store


def learn(store: TraceStore, n: int, code: str, goal: str = GOAL) -> None:
    step = Step(tool="run_cell", arguments={"code": code})
    store.add(Trace(goal=goal.format(n=n), steps=[step], status="success", cost_usd=0.02))


@pytest.mark.parametrize("code", [LITERAL, EVERYWHERE, FROM_ONE], ids=["literal", "everywhere", "from one"])
@pytest.mark.parametrize("sizes", [(3, 5), (3, 4), (2, 6)])
def test_two_sizes_show_where_the_number_goes(store: TraceStore, code: str, sizes: tuple[int, int]) -> None:
    for n in sizes:
        learn(store, n, code.format(n=n, m=n - 1))
    for n in (4, 6, 10):
        match = store.match(GOAL.format(n=n))
        assert match.verdict == ("replay" if n in sizes else "rebind")
        assert match.steps is not None
        names: dict[str, object] = {}
        exec(str(match.steps[0].arguments["code"]), names)
        found = probabilities(names["circuit"])
        assert found == pytest.approx({"0" * n: 0.5, "1" * n: 0.5}), (n, match.steps[0].arguments["code"])


def test_loops_written_out_are_no_program_for_other_sizes(store: TraceStore) -> None:
    for n in (3, 5):
        learn(store, n, unrolled(n))
    assert store.match(GOAL.format(n=3)).verdict == "replay"
    for n in (2, 4, 6, 10):
        assert store.match(GOAL.format(n=n)).verdict in ("guide", "none")


@pytest.mark.parametrize(
    "goal",
    [
        "Create a 3-qubit W state circuit",
        "Create a 5-qubit W state circuit",
        "Create a 3-qubit GHZ state circuit with noise",
        "Create a 3-qubit GHZ state circuit without measurements",
        "Create a 3-qubit GHZ state circuit and transpile it",
        "Do not create a 3-qubit GHZ state circuit",
        "Create a 3-qutrit GHZ state circuit",
        "Create 3 2-qubit GHZ state circuits",
        "Create a 3-qubit cluster state circuit",
        "Draw a 3-qubit GHZ state circuit",
        "Delete the 3-qubit GHZ state circuit",
    ],
)
def test_what_only_looks_alike_is_not_served(store: TraceStore, goal: str) -> None:
    for n in (3, 5):
        learn(store, n, LITERAL.format(n=n))
    assert store.match(goal).verdict in ("guide", "none")
