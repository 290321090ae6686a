"""Counts and theory: what holds for any distribution, any circuit and any noise."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")
import numpy as np
from qiskit import QuantumCircuit

from llmos_nb.domains.quantum import (
    Noise,
    QuantumError,
    as_circuit,
    bloch_vectors,
    branches,
    check_counts,
    compile_circuit,
    from_qasm,
    measured,
    noisy_probabilities,
    probabilities,
    run,
    statevector,
    to_qasm,
    validate,
)  # fmt: skip

GATES = ("h", "x", "y", "z", "s", "sdg", "t", "sx")
SHARES = st.lists(st.floats(0.001, 1), min_size=1, max_size=8).map(lambda found: [p / sum(found) for p in found])


@st.composite
def circuits(draw: st.DrawFn, *, measure: bool = False) -> QuantumCircuit:
    n = draw(st.integers(1, 4))
    circuit = QuantumCircuit(n)
    for _ in range(draw(st.integers(0, 8))):
        if n > 1 and draw(st.booleans()):
            a, b = draw(st.permutations(range(n)))[:2]
            circuit.cx(a, b)
        elif draw(st.booleans()):
            circuit.ry(draw(st.floats(-3, 3)), draw(st.integers(0, n - 1)))
        else:
            getattr(circuit, draw(st.sampled_from(GATES)))(draw(st.integers(0, n - 1)))
    if measure:
        circuit.measure_all()
    return circuit


def named(shares: list[float]) -> dict[str, float]:
    return {f"{i:03b}": p for i, p in enumerate(shares)}


@settings(deadline=None, max_examples=60)
@given(SHARES, st.integers(1, 5000), st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_the_verdict_does_not_hang_on_the_order_of_anything(shares, shots, seed, random) -> None:  # type: ignore[no-untyped-def]
    theory = named(shares)
    counts = dict(zip(theory, map(int, np.random.default_rng(seed).multinomial(shots, shares)), strict=True))
    check = check_counts(counts, theory)
    shuffled = list(counts.items())
    random.shuffle(shuffled)
    again = check_counts(dict(shuffled), dict(sorted(theory.items(), reverse=True)))
    assert again.p_value == pytest.approx(check.p_value, rel=1e-9, abs=1e-300) and again.ok == check.ok
    assert 0 <= check.p_value <= 1 + 1e-12
    assert sum(cell.count for cell in check.cells) == shots
    assert math.fsum(cell.expected for cell in check.cells) == pytest.approx(shots)
    if any(count and key not in theory for key, count in counts.items()):
        assert not check.ok


@settings(deadline=None, max_examples=60)
@given(SHARES, st.integers(1, 500))
def test_one_impossible_outcome_is_always_enough(shares: list[float], shots: int) -> None:
    theory = named(shares)
    most = max(theory, key=lambda key: theory[key])
    assert not check_counts({most: shots, "111": 1}, {key: p for key, p in theory.items() if key != "111"} | (
        {} if "111" not in theory else {"000": theory.get("000", 0.0) + theory["111"]}
    ))  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(circuits())
def test_states_are_normalized_and_bloch_vectors_fit_into_the_sphere(circuit: QuantumCircuit) -> None:
    state = statevector(circuit)
    assert float(np.sum(np.abs(state.data) ** 2)) == pytest.approx(1)
    assert all(vector.length <= 1 + 1e-9 for vector in bloch_vectors(state))
    assert math.fsum(probabilities(circuit).values()) == pytest.approx(1)
    for vector in bloch_vectors(circuit):  # each component is what a measurement in that basis gives
        for basis, value in zip("XYZ", (vector.x, vector.y, vector.z), strict=True):
            zero = probabilities(measured(circuit, basis, [vector.qubit])).get("0", 0.0)
            assert 2 * zero - 1 == pytest.approx(value, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(circuits(measure=True), st.integers(0, 2**31 - 1))
def test_sampled_counts_agree_with_exact_theory(circuit: QuantumCircuit, seed: int) -> None:
    assert check_counts(run(circuit, 500, seed), circuit, false_alarm=1e-9)
    total = math.fsum(branch.probability for branch in branches(circuit))
    assert total == pytest.approx(1)


@settings(deadline=None, max_examples=20)
@given(circuits(measure=True), st.sampled_from([None, "line", "ring"]), st.integers(0, 3))
def test_rewriting_and_writing_out_keep_the_distribution(circuit: QuantumCircuit, coupling, level: int) -> None:  # type: ignore[no-untyped-def]
    assert compile_circuit(circuit, coupling=coupling, level=level).same
    for version in (2, 3):
        again = from_qasm(to_qasm(circuit, version))
        before, after = probabilities(circuit), probabilities(again)
        assert all(before.get(key, 0) == pytest.approx(after.get(key, 0), abs=1e-9) for key in {*before, *after})
    assert validate(circuit).qubits == circuit.num_qubits


@settings(deadline=None, max_examples=20)
@given(circuits(measure=True), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.5), st.integers(0, 2**31 - 1))
def test_noisy_counts_agree_with_noisy_theory(circuit, one: float, two: float, wrong: float, seed: int) -> None:  # type: ignore[no-untyped-def]
    noise = Noise(depolarizing_1q=one, depolarizing_2q=two, readout=wrong)
    theory = noisy_probabilities(circuit, noise)
    assert math.fsum(theory.values()) == pytest.approx(1)
    assert check_counts(run(circuit, 300, seed, noise), theory, false_alarm=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.text(max_size=200), st.text(max_size=200).map(lambda text: f"OPENQASM 2.0; {text}"),
                 st.text(max_size=200).map(lambda text: f"OPENQASM 3.0; {text}")))  # fmt: skip
def test_any_text_is_a_circuit_or_a_plain_error(text: str) -> None:
    try:
        assert as_circuit(text).num_qubits >= 0
    except QuantumError as error:
        assert error.message
