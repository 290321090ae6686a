"""Circuits read, looked over, computed exactly, run with and without noise, rewritten and drawn."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")
import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr
from qiskit.quantum_info import Statevector, random_statevector

from llmos_nb.domains import quantum
from llmos_nb.domains.quantum import (
    H2,
    H2_REPULSION,
    MissingQuantumPackage,
    Noise,
    QuantumError,
    as_text,
    bloch,
    bloch_vectors,
    branches,
    check_counts,
    check_qubits,
    compile_circuit,
    draw,
    estimate_energy,
    exact_energy,
    fidelity,
    from_qasm,
    hamiltonian_matrix,
    histogram,
    kets,
    measured,
    noisy_probabilities,
    probabilities,
    removals,
    run,
    statevector,
    to_qasm,
    try_removals,
    validate,
)  # fmt: skip

BELL_2 = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'
BELL_3 = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; '
    "if (c[0]) { x q[1]; } c[1] = measure q[1];"
)


def ghz(n: int, *, end: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for qubit in range(n - 1):
        circuit.cx(qubit, qubit + 1)
    if end:
        circuit.measure_all()
    return circuit


def teleportation(theta: float, phi: float) -> QuantumCircuit:
    bits = ClassicalRegister(2, "m")
    circuit = QuantumCircuit(QuantumRegister(3, "q"), bits)
    circuit.ry(theta, 0)
    circuit.rz(phi, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], bits)
    with circuit.if_test((bits[1], 1)):
        circuit.x(2)
    with circuit.if_test((bits[0], 1)):
        circuit.z(2)
    return circuit


# ---------------------------------------------------------------- reading


def test_openqasm_2_and_3() -> None:
    for text in (BELL_2, BELL_3):
        assert probabilities(text) == pytest.approx({"00": 0.5, "11": 0.5})
        assert probabilities(to_qasm(from_qasm(text))) == pytest.approx({"00": 0.5, "11": 0.5})
    assert to_qasm(from_qasm(BELL_2), 2).startswith("OPENQASM 2.0;")
    assert from_qasm("// a comment\r\nOPENQASM 2.0;\r\nqreg q[3];\r\n").num_qubits == 3
    assert from_qasm("/* and\nmore */ OPENQASM 3.0;\r\nqubit[3] q;\r\n").num_qubits == 3


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("h q[0];", "does not begin with its version"),
        ("", "does not begin with its version"),
        ("OPENQASM 4.0;", "OpenQASM 4 is not known"),
        ('OPENQASM 2.0; include "/etc/passwd";', "includes '/etc/passwd'"),
        ('OPENQASM 3.0; include "secrets.inc";', "includes 'secrets.inc'"),
        ("OPENQASM 2.0; qreg q[1000000000];", "declares 1000000000 qubits"),
        ("OPENQASM 3.0; qubit[600] a; bit[600] b;", "declares 1200 qubits"),
        ("OPENQASM 2.0; qreg q[1]; foo q[0];", r"cannot be read: .*'foo' is not defined"),
        ("OPENQASM 3.0; qubit q; foo q;", "cannot be read: .*'foo' is not defined"),
        ("OPENQASM 3.0; qubit[2 q;", "cannot be read"),
        ("OPENQASM 2.0; qreg q[2]; " + "x" * 1_000_000, "up to 1000000 are read"),
        (3, "must be a QuantumCircuit or OpenQASM text, got int"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_circuit_says_why(source: Any, message: str) -> None:
    with pytest.raises(QuantumError, match=message):
        validate(source)


def test_a_file_of_the_working_folder_is_no_include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "qelib1.inc").write_text("gate h a { U(0, 0, 0) a; }")
    monkeypatch.chdir(tmp_path)
    assert probabilities(BELL_2) == pytest.approx({"00": 0.5, "11": 0.5})


def test_what_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "qiskit" else real(name))
    for call in (
        lambda: validate(BELL_2),
        lambda: run(BELL_2),
        lambda: probabilities(BELL_2),
        lambda: as_text(BELL_2),
    ):
        with pytest.raises(MissingQuantumPackage, match=r'pip install "llmos-nb\[quantum\]"'):
            call()


def test_the_pack_is_quick_to_import() -> None:
    code = (
        "import sys, llmos_nb.domains.quantum; print(*{'qiskit', 'scipy', 'matplotlib', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
    assert set(quantum.__all__) <= set(dir(quantum))


# ---------------------------------------------------------------- looking it over


def test_a_sound_circuit() -> None:
    looked = validate(ghz(3))
    assert looked.ok and looked.unitary and not looked.feed_forward and not looked.notes
    assert (looked.qubits, looked.clbits, looked.gates, looked.two_qubit_gates) == (3, 3, 3, 2)
    assert looked.depth == 4 and looked.measured == (0, 1, 2)
    assert str(looked).endswith("ready to run")


def test_what_a_circuit_lacks() -> None:
    assert "nothing is measured" in str(validate(ghz(2, end=False)))
    assert "it has no gates" in str(validate(QuantumCircuit(1, 1)))
    assert "it has no qubits" in str(validate(QuantumCircuit()))
    assert validate(ghz(24)).ok
    wide = ghz(25)
    assert "at most 24 can" in str(validate(wide)) and str(validate(wide)).endswith("not ready to run")
    open_circuit = QuantumCircuit(1)
    open_circuit.ry(Parameter("angle"), 0)
    open_circuit.measure_all()
    assert validate(open_circuit).problems == ("these parameters have no value yet: angle",)


def test_what_looks_like_a_mistake() -> None:
    circuit = QuantumCircuit(4, 3)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.cx(1, 2)
    circuit.measure(1, 0)
    notes = " | ".join(validate(circuit).notes)
    assert "x acts on qubit 0 after the measurement: what was measured does not see it" in notes
    assert "nothing acts on qubit 3" in notes
    assert "qubit 2 is never measured" in notes
    assert "classical bit 0 is written by more than one measurement" in notes
    assert "no measurement writes classical bits 1, 2" in notes
    assert not validate(circuit).unitary


def test_feed_forward_is_no_mistake() -> None:
    looked = validate(measured(teleportation(1.0, 0.5), qubits=[2]))
    assert looked.feed_forward and not looked.unitary and looked.ok and not looked.notes
    early = QuantumCircuit(1, 1)
    with early.if_test((0, 1)):
        early.x(0)
    early.measure(0, 0)
    assert "a condition reads classical bit 0 before any measurement writes there" in str(validate(early))


# ---------------------------------------------------------------- exact theory


def test_qubit_0_is_the_rightmost_bit() -> None:
    circuit = QuantumCircuit(3)
    circuit.x(0)
    assert probabilities(circuit) == {"001": 1.0}
    assert kets(circuit).splitlines() == ["|q2 q1 q0>", "+1.0000        |001>  p = 1.0000"]
    circuit.measure_all()
    assert probabilities(circuit) == {"001": 1.0}
    assert run(circuit, 10, 1) == {"001": 10}


def test_measured_bits_go_where_they_are_written() -> None:
    circuit = QuantumCircuit(2, 3)
    circuit.x(1)
    circuit.measure(1, 0)
    assert probabilities(circuit) == {"001": 1.0} == {key: n / 5 for key, n in run(circuit, 5, 1).items()}
    two = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "a"), ClassicalRegister(2, "b"))
    two.x(0)
    two.measure(0, 1)
    assert probabilities(two) == {"01 0": 1.0}
    assert run(two, 5, 1) == {"01 0": 5}


@pytest.mark.parametrize("seed", range(6))
def test_exact_and_sampled_agree_on_circuits_that_measure_in_between(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(3, 3)
    for _ in range(3):
        for qubit in range(3):
            circuit.ry(float(rng.uniform(0, 3)), qubit)
        circuit.cx(*(int(q) for q in rng.permutation(3)[:2]))
        circuit.measure(int(rng.integers(3)), int(rng.integers(3)))
        with circuit.if_test((int(rng.integers(3)), 1)) as other:
            circuit.h(int(rng.integers(3)))
        with other:
            circuit.x(int(rng.integers(3)))
        circuit.reset(int(rng.integers(3)))
    circuit.measure(0, 0)
    assert math.fsum(probabilities(circuit).values()) == pytest.approx(1)
    assert check_counts(run(circuit, 3000, seed), circuit)


def test_conditions_on_registers_and_expressions() -> None:
    bits = ClassicalRegister(2, "m")
    circuit = QuantumCircuit(QuantumRegister(3), bits, ClassicalRegister(1, "out"))
    circuit.h([0, 1])
    circuit.measure([0, 1], bits)
    with circuit.if_test((bits, 2)):
        circuit.x(2)
    with circuit.if_test(expr.logic_and(bits[0], expr.logic_not(bits[1]))):
        circuit.ry(1.0, 2)
    circuit.measure(2, 2)
    one = math.sin(0.5) ** 2
    assert probabilities(circuit) == pytest.approx(
        {"0 00": 0.25, "0 01": 0.25 * (1 - one), "0 11": 0.25, "1 01": 0.25 * one, "1 10": 0.25}
    )
    assert check_counts(run(circuit, 2000, 1), circuit)


def test_no_single_state_where_it_measures_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.domains.quantum import exact

    with pytest.raises(QuantumError, match="no single state"):
        statevector(teleportation(1, 1))
    with pytest.raises(QuantumError, match="exact states are computed up to 20"):
        probabilities(ghz(21))
    with pytest.raises(QuantumError, match="parameters without a value: a"):
        circuit = QuantumCircuit(1)
        circuit.rx(Parameter("a"), 0)
        probabilities(circuit)
    many = QuantumCircuit(1, 1)
    for _ in range(13):
        many.h(0)
        many.measure(0, 0)
        many.reset(0)
        many.ry(1.0, 0)
    with pytest.raises(QuantumError, match="lead to 8192 branches: too many"):
        branches(many)
    monkeypatch.setattr(exact, "AMPLITUDE_LIMIT", 64)
    wide = QuantumCircuit(5, 2)
    wide.h(range(2))
    wide.measure(range(2), range(2))
    with pytest.raises(QuantumError, match="branches: too many to follow"):
        branches(wide)


@pytest.mark.parametrize("seed", range(10))
def test_teleportation_has_fidelity_1_in_every_branch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    theta, phi = float(np.arccos(rng.uniform(-1, 1))), float(rng.uniform(0, 2 * np.pi))
    wanted = QuantumCircuit(1)
    wanted.ry(theta, 0)
    wanted.rz(phi, 0)
    goal = statevector(wanted)
    found = branches(teleportation(theta, phi))
    assert [round(branch.probability, 12) for branch in found] == [0.25] * 4
    for branch in found:
        at = branch.bits[0] + 2 * branch.bits[1]  # the measured qubits are in a basis state
        assert fidelity(branch.state.data[[at, at + 4]], goal) == pytest.approx(1, abs=1e-12)


# ---------------------------------------------------------------- states


def test_bloch_vectors_of_known_states() -> None:
    for gates, wanted in {
        (): (0, 0, 1), ("x",): (0, 0, -1), ("h",): (1, 0, 0), ("x", "h"): (-1, 0, 0), ("h", "s"): (0, 1, 0),
        ("h", "sdg"): (0, -1, 0),
    }.items():  # fmt: skip
        circuit = QuantumCircuit(2)
        for gate in gates:
            getattr(circuit, gate)(1)
        other, vector = bloch_vectors(circuit)
        assert (vector.x, vector.y, vector.z) == pytest.approx(wanted, abs=1e-12)
        assert (other.x, other.y, other.z) == pytest.approx((0, 0, 1))
        assert vector.length == pytest.approx(1)


def test_an_entangled_qubit_has_no_point_on_the_sphere() -> None:
    for vector in bloch_vectors(ghz(3, end=False)):
        assert vector.length == pytest.approx(0, abs=1e-12)
        assert "length 0.000, mixed: entangled" in str(vector)
    assert "pure" in str(bloch_vectors(QuantumCircuit(1))[0])


@pytest.mark.parametrize("seed", range(5))
def test_bloch_vectors_are_expectations(seed: int) -> None:
    from qiskit.quantum_info import Pauli

    state = random_statevector(8, seed=seed)
    for vector in bloch_vectors(state):
        wanted = [state.expectation_value(Pauli(letter), [vector.qubit]) for letter in "XYZ"]
        assert (vector.x, vector.y, vector.z) == pytest.approx(wanted)


def test_the_global_phase_means_nothing() -> None:
    circuit = ghz(2, end=False)
    turned = circuit.copy()
    turned.global_phase = 1.2
    assert kets(turned) == kets(circuit) and fidelity(turned, circuit) == pytest.approx(1)
    assert "+0.7071        |11>" in kets(circuit)
    circuit.z(0)
    assert "-0.7071        |11>" in kets(circuit)
    assert fidelity(turned, circuit) == pytest.approx(0, abs=1e-12)


def test_states_are_normalized() -> None:
    with pytest.raises(QuantumError, match="not normalized"):
        kets([1, 1])
    with pytest.raises(QuantumError, match=r"2, 4, 8 … amplitudes, got 3"):
        kets([1, 0, 0])
    with pytest.raises(QuantumError, match="1 and 2 qubits"):
        fidelity([1, 0], [1, 0, 0, 0])
    with pytest.raises(QuantumError, match="A state is"):
        kets(object())


# ---------------------------------------------------------------- shots


@pytest.mark.parametrize("noise", [None, Noise(depolarizing_2q=0.05, readout=0.02)])
def test_the_same_seed_gives_the_same_counts(noise: Noise | None) -> None:
    first = run(ghz(3), 500, 7, noise)
    assert first == run(ghz(3), 500, 7, noise) != run(ghz(3), 500, 8, noise)
    assert (first.shots, first.seed, first.noise) == (500, 7, noise)
    import pickle

    again = pickle.loads(pickle.dumps(first))
    assert again == first and again.seed == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: run(ghz(2), 0), "shots is a whole number from 1"),
        (lambda: run(ghz(2), True), "shots is a whole number"),
        (lambda: run(ghz(2), 1.5), "shots is a whole number"),
        (lambda: run(ghz(2), 10**9), "shots is a whole number"),
        (lambda: run(ghz(2), 10, -1), "seed is a whole number"),
        (lambda: run(ghz(2), 10, 1, "noisy"), r"noise is a Noise\(...\), got str"),
        (lambda: run(ghz(2, end=False)), r"nothing is measured.*measure_all"),
        (
            lambda: run(measured(teleportation(1, 1), qubits=[2]), 10_000_000),
            "about 9 minutes, and cannot be interrupted",
        ),
        (lambda: run(ghz(24), 1000, 1, Noise(readout=0.1)), "minutes, and cannot be interrupted"),
        (lambda: run(ghz(25)), "A circuit on 25 qubits cannot be made here: 1 to 24 qubits can"),
        (lambda: check_qubits(0, 2, what="A GHZ state"), "A GHZ state on 0 qubits cannot be made here: 2 to 24"),
        (lambda: check_qubits(-2), "on -2 qubits"),
        (lambda: check_qubits(200), "on 200 qubits cannot be made here.*doubles with every qubit"),
        (lambda: check_qubits("3"), "whole number of qubits, got '3'"),
        (lambda: check_qubits(2.0), "whole number of qubits"),
        (lambda: check_qubits(True), "whole number of qubits"),
    ],
)
def test_runs_that_cannot_be(call: Any, message: str) -> None:
    with pytest.raises(QuantumError, match=message):
        call()


# ---------------------------------------------------------------- noise


def test_readout_errors_have_the_known_distribution() -> None:
    p = 0.05
    noisy = noisy_probabilities(ghz(3), Noise(readout=p))
    for key, value in noisy.items():
        flips = key.count("1")
        wanted = 0.5 * (p**flips * (1 - p) ** (3 - flips) + p ** (3 - flips) * (1 - p) ** flips)
        assert value == pytest.approx(wanted)
    uneven = QuantumCircuit(1)
    uneven.x(0)
    uneven.measure_all()
    assert noisy_probabilities(uneven, Noise(readout=(0.1, 0.3))) == pytest.approx({"0": 0.3, "1": 0.7})


def test_depolarizing_has_the_stated_meaning() -> None:
    """``E(rho) = (1 - p) rho + p I/d``, on x (one qubit) and cx (two)."""
    one = QuantumCircuit(1)
    one.x(0)
    one.measure_all()
    assert noisy_probabilities(one, Noise(depolarizing_1q=0.2)) == pytest.approx({"0": 0.1, "1": 0.9})
    two = QuantumCircuit(2)
    two.cx(0, 1)
    two.measure_all()
    assert noisy_probabilities(two, Noise(depolarizing_2q=0.2)) == pytest.approx(
        {"00": 0.85, "01": 0.05, "10": 0.05, "11": 0.05}
    )


def test_relaxation_has_the_known_decay() -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    noise = Noise(t1_us=1.0, t2_us=1.5, gate_1q_ns=200)
    assert noisy_probabilities(circuit, noise)["1"] == pytest.approx(math.exp(-0.2))
    coherence = QuantumCircuit(1)
    coherence.sx(0)  # one gate, then X or Y is measured without a further one
    from qiskit_aer import AerSimulator

    coherence.save_density_matrix()
    rho = AerSimulator(method="density_matrix", noise_model=noise.model()).run(coherence).result().data()
    assert 2 * abs(np.asarray(rho["density_matrix"])[0, 1]) == pytest.approx(math.exp(-0.2 / 1.5))


def test_noisy_counts_agree_with_noisy_theory_and_not_with_the_ideal() -> None:
    noise = Noise(depolarizing_1q=0.01, depolarizing_2q=0.03, readout=(0.02, 0.04), t1_us=100, t2_us=80)
    counts = run(ghz(3), 5000, 3, noise)
    assert check_counts(counts, noisy_probabilities(ghz(3), noise))
    assert not check_counts(counts, ghz(3))
    assert Noise().is_silent and not noise.is_silent
    assert noisy_probabilities(ghz(3), Noise()) == pytest.approx({"000": 0.5, "111": 0.5})
    assert str(Noise()) == "no noise" and "T1 100 us, T2 80 us" in str(noise)


def test_noise_with_feed_forward() -> None:
    circuit = measured(teleportation(1.1, 0.7), qubits=[2])
    assert run(circuit, 200, 1, Noise(depolarizing_2q=0.02)).shots == 200
    with pytest.raises(QuantumError, match="measure at the end"):
        noisy_probabilities(circuit, Noise(depolarizing_2q=0.02))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depolarizing_1q": -0.1}, "depolarizing_1q is a probability from 0 to 1, got -0.1"),
        ({"depolarizing_2q": 1.2}, "depolarizing_2q is a probability"),
        ({"readout": float("nan")}, "readout is a probability"),
        ({"readout": (0.1, 0.2, 0.3)}, "one probability or two"),
        ({"readout": "0.1"}, "readout is a probability"),
        ({"t1_us": 0}, "t1_us is a time in microseconds, above 0"),
        ({"t1_us": 50, "t2_us": 101}, "T2 is at most 2 T1"),
        ({"t2_us": 50}, "t2_us needs t1_us"),
        ({"gate_2q_ns": float("inf")}, "gate_2q_ns is a time in nanoseconds"),
    ],
)
def test_noise_that_cannot_be(values: Any, message: str) -> None:
    with pytest.raises(QuantumError, match=message):
        Noise(**values)


# ---------------------------------------------------------------- rewriting


@pytest.mark.parametrize("coupling", [None, "line", "ring", "all", [[0, 1], [1, 2], [2, 3], [3, 4]]])
@pytest.mark.parametrize("level", [0, 3])
def test_a_rewritten_circuit_does_the_same(coupling: Any, level: int) -> None:
    circuit = QuantumCircuit(4)
    circuit.h(0)
    circuit.cx(0, 3)
    circuit.ccx(0, 1, 2)
    circuit.rx(0.3, 2)
    circuit.swap(0, 3)
    made = compile_circuit(circuit, coupling=coupling, level=level)
    assert made.same and "the same matrix" in made.checked
    assert set(made.circuit.count_ops()) <= {"rz", "sx", "x", "cx"}
    assert (made.before.two_qubit_gates, made.before.depth) == (3, 4)
    assert made.after.two_qubit_gates >= 7
    circuit.measure_all()
    assert "the same exact distribution" in compile_circuit(circuit, coupling=coupling, level=level).checked
    assert "two-qubit gates" in str(made)


def test_wires_that_are_not_there_cost_gates() -> None:
    far = QuantumCircuit(5)
    far.h(0)
    for qubit in range(1, 5):
        far.cx(0, qubit)
    free, line = compile_circuit(far), compile_circuit(far, coupling="line")
    assert free.after.two_qubit_gates == 4 < line.after.two_qubit_gates
    allowed = {frozenset(pair) for pair in [(0, 1), (1, 2), (2, 3), (3, 4)]}
    used = {
        frozenset(line.circuit.find_bit(qubit).index for qubit in item.qubits)
        for item in line.circuit.data
        if len(item.qubits) == 2
    }
    assert used <= allowed


def test_another_circuit_is_noticed() -> None:
    from llmos_nb.domains.quantum.compiled import _compared

    wrong = ghz(2, end=False)
    wrong.x(0)
    assert _compared(ghz(2, end=False), wrong)[0] is False
    wrong.measure_all()
    assert _compared(ghz(2), wrong)[0] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"basis_gates": ["rz", "foo"]}, "Unknown gates: foo"),
        ({"basis_gates": []}, "none at all"),
        ({"basis_gates": ["x"]}, "cannot be rewritten so"),
        ({"coupling": "star"}, "coupling is 'line', 'ring', 'all' or pairs"),
        ({"coupling": [[0, 1]]}, "has 3 qubits, and the wiring names 2"),
        ({"coupling": [[0, 0]]}, "two different qubits"),
        ({"coupling": [[0, 1], [2, 3]]}, "cannot be rewritten so"),
        ({"level": 4}, "level is 0, 1, 2 or 3"),
        ({"seed": -1}, "seed is a whole number"),
    ],
)
def test_rewritings_that_cannot_be(options: Any, message: str) -> None:
    with pytest.raises(QuantumError, match=message):
        compile_circuit(ghz(3), **options)


# ---------------------------------------------------------------- measuring, taking out


def test_measured_in_other_bases() -> None:
    plus = QuantumCircuit(2)
    plus.h(0)
    plus.h(1)
    plus.s(1)
    assert probabilities(measured(plus, "YX")) == {"00": pytest.approx(1.0)}  # qubit 0 in X, qubit 1 in Y
    assert len(probabilities(measured(plus, "XY"))) == 4
    assert probabilities(measured(plus, "X", [0])) == {"0": pytest.approx(1.0)}
    assert plus.num_clbits == 0
    for basis, qubits in (("W", None), ("XX", [0]), ("X", [2]), ("X", [])):
        with pytest.raises(QuantumError):
            measured(plus, basis, qubits)


def test_every_operation_is_taken_out_once() -> None:
    names = [removal.removed for removal in removals(ghz(2))]
    assert (
        names == ["1. h on q0", "2. cx on q0, q1", "3. measure on q0", "4. measure on q1"]
        or names[2] == "4. measure on q0"
    )
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(0)
        circuit.z(0)
    assert [removal.removed for removal in removals(circuit)] == [
        "1. h on q0", "2. measure on q0", "3. if: x and z on q0", "3. if: x and z on q0: 1. x on q0",
        "3. if: x and z on q0: 2. z on q0",
    ]  # fmt: skip


@pytest.mark.parametrize("n", [2, 3, 5])
def test_each_gate_of_a_ghz_circuit_is_missed(n: int) -> None:
    tried = try_removals(ghz(n), shots=1000)
    assert len(tried) == 2 * n and all(removal.seen for removal in tried)


def test_a_phase_is_missed_in_another_basis_alone() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.rz(0.7, 0)
    assert [removal.seen_in for removal in try_removals(circuit, "Z")] == ["Z", ""]
    assert all(removal.seen for removal in try_removals(circuit, "ZXY"))
    assert repr(try_removals(circuit, "Z")[-1]).startswith("<without 2. ") and "not found" in repr(
        try_removals(circuit, "Z")
    )
    with pytest.raises(QuantumError, match="No basis is named"):
        try_removals(circuit, "")


def test_each_operation_of_a_teleportation_is_missed() -> None:
    tried = try_removals(teleportation(1.1, 0.7), "ZXY", qubits=[2], shots=1500)
    assert [removal.removed for removal in tried if not removal.seen] == []
    assert len(tried) == 10
    assert not all(removal.seen for removal in try_removals(teleportation(1.1, 0.7), "Z", qubits=[2], shots=1500))


def test_a_circuit_that_does_not_do_what_theory_says_is_no_ground() -> None:
    with pytest.raises(QuantumError, match="whole circuit does not agree"):
        try_removals(ghz(2), expected=lambda _: {"00": 1.0})


# ---------------------------------------------------------------- energies


def test_hydrogen_from_its_orbitals() -> None:
    """The published coefficients are those of STO-3G: integrals over its Gaussians, worked out here."""
    exponents = np.array([3.42525091, 0.62391373, 0.16885540])  # Hehre, Stewart and Pople 1969, scaled by 1.24
    weights = np.array([0.15432897, 0.53532814, 0.44463454]) * (2 * exponents / np.pi) ** 0.75
    bohr = 0.735 / 0.529177210903
    centre = (0.0, bohr)

    def boys(t: float) -> float:
        return 1 - t / 3 if t < 1e-9 else 0.5 * math.sqrt(math.pi / t) * math.erf(math.sqrt(t))

    def pairs(i: int, j: int) -> list[tuple[float, float, float, float, float]]:
        """Weight, exponents, overlap factor and centre of each product of two Gaussians."""
        found = []
        for a, wa in zip(exponents, weights, strict=True):
            for b, wb in zip(exponents, weights, strict=True):
                factor = math.exp(-a * b / (a + b) * (centre[i] - centre[j]) ** 2)
                found.append((wa * wb * factor, a, b, a + b, (a * centre[i] + b * centre[j]) / (a + b)))
        return found

    overlap, core = np.zeros((2, 2)), np.zeros((2, 2))
    repulsion = np.zeros((2, 2, 2, 2))
    for i in range(2):
        for j in range(2):
            r2 = (centre[i] - centre[j]) ** 2
            for w, a, b, p, at in pairs(i, j):
                s = w * (math.pi / p) ** 1.5
                overlap[i, j] += s
                core[i, j] += a * b / p * (3 - 2 * a * b / p * r2) * s
                core[i, j] -= sum(2 * math.pi / p * w * boys(p * (at - nucleus) ** 2) for nucleus in centre)
                for k in range(2):
                    for m in range(2):
                        for w2, _, _, q, other in pairs(k, m):
                            factor = 2 * math.pi**2.5 / (p * q * math.sqrt(p + q))
                            repulsion[i, j, k, m] += w * w2 * factor * boys(p * q / (p + q) * (at - other) ** 2)
    s = overlap[0, 1] / overlap[0, 0]
    orbitals = np.array([[1, 1], [1, -1]]) / np.sqrt(2 * overlap[0, 0] * np.array([[1 + s], [1 - s]]))
    h = orbitals @ core @ orbitals.T
    eri = np.einsum("pi,qj,rk,sl,ijkl->pqrs", *[orbitals] * 4, repulsion)
    exchange = eri[0, 1, 1, 0]
    both_down = 2 * h[0, 0] + eri[0, 0, 0, 0]
    both_up = 2 * h[1, 1] + eri[1, 1, 1, 1]
    one_each = h[0, 0] + h[1, 1] + eri[0, 0, 1, 1]
    matrix = hamiltonian_matrix(H2).real
    wanted = np.diag([one_each, both_down, both_up, one_each]) + exchange * np.fliplr(np.eye(4))
    assert matrix == pytest.approx(wanted, abs=2e-6)
    assert pytest.approx(-1.137306, abs=1e-6) == np.linalg.eigvalsh(matrix)[0] + H2_REPULSION
    assert pytest.approx(1 / bohr) == H2_REPULSION


def h2_trial(theta: float) -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.ry(theta, 1)
    circuit.cx(1, 0)
    circuit.x(0)
    return circuit


def test_energies_from_states_and_from_shots() -> None:
    lowest = np.linalg.eigvalsh(hamiltonian_matrix(H2))[0]
    for theta in np.linspace(-3, 3, 7):
        exact = exact_energy(h2_trial(theta), H2)
        assert exact >= lowest - 1e-12
        estimate = estimate_energy(h2_trial(theta), H2, 2000, 5)
        assert abs(estimate.value - exact) < 5 * estimate.error + 1e-9
        assert estimate.shots == 4000
    assert exact_energy([1, 0], {"Z": 1.0}) == 1.0
    zero = QuantumCircuit(1)
    zero.id(0)
    assert estimate_energy(zero, {"Z": 1.0, "I": 2.0}, 100, 1).value == 3.0
    plus = QuantumCircuit(2)
    plus.h(0)
    plus.x(1)
    assert estimate_energy(plus, {"IX": 1.0, "ZI": 0.5}, 100, 1).value == pytest.approx(0.5)  # qubit 0 rightmost


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "mapping of Pauli strings"),
        ({"ZA": 1.0}, "letters I, X, Y and Z, got 'ZA'"),
        ({"Z": 1.0, "ZZ": 1.0}, "differ in length"),
        ({"ZZ": float("inf")}, "finite real number"),
        ({"ZZ": 1j}, "finite real number"),
        ({"ZZZ": 1.0}, "2 qubits and the Hamiltonian 3"),
    ],
)
def test_hamiltonians_that_are_none(terms: Any, message: str) -> None:
    with pytest.raises(QuantumError, match=message):
        estimate_energy(h2_trial(0.1), terms)
    with pytest.raises(QuantumError, match=message):
        exact_energy(h2_trial(0.1), terms)


# ---------------------------------------------------------------- pictures


def test_pictures() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    counts = run(ghz(3), 100, 1)
    ax = histogram(counts, ghz(3), "GHZ").axes[0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["counted", "expected"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["000", "111"]
    assert {round(patch.get_height(), 6) for patch in ax.patches} == {counts["000"], counts["111"], 50}
    assert len(histogram({f"{i:08b}": 1 for i in range(256)}).axes[0].patches) == 64
    spheres = bloch(ghz(2, end=False)).axes
    assert [ax.get_title() for ax in spheres] == ["qubit 0, length 0.00", "qubit 1, length 0.00"]
    assert draw(ghz(2), "Bell").get_suptitle() == "Bell"
    assert as_text(ghz(2)).splitlines()[1].strip().startswith("q_0:")
    assert plt.get_fignums() == []  # shown once, as the value of a cell
    with pytest.raises(QuantumError, match="no shot was made"):
        histogram({})
    with pytest.raises(QuantumError, match="Up to 8 qubits are drawn"):
        bloch(ghz(9, end=False))
    with pytest.raises(QuantumError, match="up to 2000 are drawn"):
        long = QuantumCircuit(1)
        for _ in range(2001):
            long.x(0)
        as_text(long)


def test_amplitudes_may_be_given() -> None:
    assert kets(Statevector([0, 1j])).splitlines()[1] == "+1.0000        |1>  p = 1.0000"
