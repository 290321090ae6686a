"""Shots on a simulator: how often each outcome came, for a seed, with or without noise."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit
from llmos_nb.domains.quantum.errors import QuantumError, need
from llmos_nb.domains.quantum.exact import is_terminal, without_measurements, written
from llmos_nb.domains.quantum.noise import NOISY_GATES, Noise
from llmos_nb.domains.quantum.validate import SIMULATED_QUBITS, validate

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["SHOTS_LIMIT", "SIMULATED_QUBITS", "Counts", "check_qubits", "noisy_probabilities", "run"]

#: Shots of one run.
SHOTS_LIMIT: Final = 10_000_000
#: Seconds that a run may be expected to take: the simulator cannot be interrupted.
SECONDS_LIMIT: Final = 300.0
#: Seconds for an operation, and for it on one amplitude, without noise and with it; measured on a small machine.
_PER_OPERATION: Final = 5e-6
_PER_AMPLITUDE: Final = 2.5e-9
_PER_NOISY_AMPLITUDE: Final = 2e-8
#: Qubits up to which noise is simulated with a density matrix, and whose noisy distribution is computed.
DENSITY_QUBITS: Final = 10


class Counts(dict[str, int]):
    """How often each outcome came: qubit 0 is the rightmost character. A dict that knows its shots, seed and noise."""

    def __init__(self, counts: Mapping[str, int], *, seed: int | None = None, noise: Noise | None = None) -> None:
        super().__init__(sorted((str(key), int(value)) for key, value in counts.items()))
        self.seed, self.noise = seed, noise

    @property
    def shots(self) -> int:
        """How many shots there were."""
        return sum(self.values())

    @property
    def summary(self) -> str:
        """Shots, noise and the most frequent outcomes, in two lines."""
        most = sorted(sorted(self.items(), key=lambda item: -item[1])[:32])
        shown = ", ".join(f"{key}: {count}" for key, count in most)
        more = f" and {len(self) - len(most)} more outcomes" if len(self) > len(most) else ""
        return f"{self.shots} shots, {self.noise or 'no noise'}\ncounts (qubit 0 rightmost): {shown}{more}"

    def __reduce__(self) -> Any:
        return _again, (dict(self), self.seed, self.noise)


def _again(counts: dict[str, int], seed: int | None, noise: Noise | None) -> Counts:
    return Counts(counts, seed=seed, noise=noise)


def check_qubits(n: Any, at_least: int = 1, at_most: int = SIMULATED_QUBITS, what: str = "A circuit") -> int:
    """``n`` as a number of qubits that can be simulated here.

    Raises:
        QuantumError: it is no whole number, or out of range; the message gives ``what`` and the range.
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise QuantumError(f"{what} has a whole number of qubits, got {n!r}.")
    if not at_least <= n <= at_most:
        more = " The memory that a state takes doubles with every qubit." if n > at_most else ""
        said = "1 qubit" if n == 1 else f"{n} qubits"
        raise QuantumError(f"{what} on {said} cannot be made here: {at_least} to {at_most} qubits can.{more}")
    return int(n)


def run(source: Any, shots: int = 1000, seed: int | None = None, noise: Noise | None = None) -> Counts:
    """Run a measured circuit ``shots`` times on Aer and count the outcomes.

    With the same seed the same outcomes come again, on the same version of Aer. With ``noise`` the circuit is first
    rewritten to ``rz``, ``sx``, ``x`` and ``cx``, gate by gate and without optimization.

    Raises:
        QuantumError: nothing is measured, too many qubits, a bad number of shots or seed, parameters without a value, or
            more than about five minutes of work.
        MissingQuantumPackage: Qiskit or Aer is not installed.
    """
    need("qiskit", "qiskit_aer")
    circuit = as_circuit(source)
    if isinstance(shots, bool) or not isinstance(shots, int) or not 1 <= shots <= SHOTS_LIMIT:
        raise QuantumError(f"shots is a whole number from 1 to {SHOTS_LIMIT}, got {shots!r}.")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31):
        raise QuantumError(f"seed is a whole number from 0 to {2**31 - 1}, got {seed!r}.")
    if noise is not None and not isinstance(noise, Noise):
        raise QuantumError(f"noise is a Noise(...), got {type(noise).__name__}.")
    check_qubits(circuit.num_qubits)
    problems = [text for text in validate(circuit).problems if "no gates" not in text]
    if problems:
        raise QuantumError(f"The circuit cannot be run: {'; '.join(problems)}.")
    seconds = _expected_seconds(circuit, shots, noise)
    if seconds > SECONDS_LIMIT:
        raise QuantumError(
            f"The run would take about {seconds / 60:.0f} minutes, and cannot be interrupted.",
            remedy="Take fewer shots, qubits or operations.",
        )
    from qiskit.exceptions import QiskitError

    backend, ready = _prepared(circuit, noise)
    try:
        result = backend.run(ready, shots=shots, seed_simulator=seed).result()
        counts = result.get_counts() if result.success else None
    except QiskitError as error:
        raise QuantumError(f"The simulator refused the circuit: {error}") from error
    if counts is None:
        raise QuantumError(f"The simulator failed: {result.status}")
    return Counts(counts, seed=seed, noise=noise)


def _expected_seconds(circuit: QuantumCircuit, shots: int, noise: Noise | None) -> float:
    """A rough guess: whether the state is computed once, or for every shot anew."""
    n, operations = int(circuit.num_qubits), max(len(circuit.data), 1)
    noisy = noise is not None and not noise.is_silent
    if is_terminal(circuit) and (not noisy or n <= DENSITY_QUBITS):
        amplitudes = float(4**n if noisy else 2**n)
        return operations * (_PER_OPERATION + amplitudes * _PER_AMPLITUDE) + shots * 1e-6
    each = _PER_NOISY_AMPLITUDE if noisy else _PER_AMPLITUDE
    return shots * operations * (_PER_OPERATION + float(2**n) * each)


#: One thread: how shots are spread over threads would decide which random numbers they get.
_ONE_THREAD: Final[dict[str, Any]] = {"max_parallel_threads": 1}


def _prepared(circuit: QuantumCircuit, noise: Noise | None) -> tuple[Any, QuantumCircuit]:
    """The simulator, and the circuit in gates that it knows."""
    if noise is None or noise.is_silent:
        backend, rewriter = _ideal()
        return backend, rewriter.run(circuit)
    from qiskit_aer import AerSimulator

    small = circuit.num_qubits <= DENSITY_QUBITS and is_terminal(circuit)
    method = "density_matrix" if small else "statevector"
    return AerSimulator(method=method, noise_model=noise.model(), **_ONE_THREAD), _rewritten(circuit)


@functools.cache
def _ideal() -> tuple[Any, Any]:
    """The simulator without noise, and what rewrites circuits for it: making it takes longer than most runs."""
    from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager
    from qiskit_aer import AerSimulator

    backend = AerSimulator(method="statevector", **_ONE_THREAD)
    return backend, generate_preset_pass_manager(optimization_level=0, backend=backend)


@functools.cache
def _rewriter() -> Any:
    from qiskit.transpiler.preset_passmanagers import generate_preset_pass_manager

    return generate_preset_pass_manager(optimization_level=0, basis_gates=list(NOISY_GATES))


def _rewritten(circuit: QuantumCircuit) -> QuantumCircuit:
    rewritten: QuantumCircuit = _rewriter().run(circuit)
    return rewritten


def noisy_probabilities(source: Any, noise: Noise) -> dict[str, float]:
    """Each outcome's exact probability under ``noise``: from the density matrix, with the read-out errors on top.

    Raises:
        QuantumError: more than 10 qubits, measurements in between, or nothing measured.
    """
    need("qiskit", "qiskit_aer")
    circuit = as_circuit(source)
    if not is_terminal(circuit) or not validate(circuit).measured:
        raise QuantumError("The noisy distribution is computed for circuits that measure at the end, and only there.")
    check_qubits(circuit.num_qubits, at_most=DENSITY_QUBITS, what="A noisy distribution")
    import numpy as np
    from qiskit_aer import AerSimulator

    bare = _rewritten(without_measurements(circuit))
    bare.save_density_matrix()
    backend = AerSimulator(method="density_matrix", noise_model=noise.model(), **_ONE_THREAD)
    matrix = backend.run(bare, shots=1).result().data()["density_matrix"]
    n = circuit.num_qubits
    read = np.real(np.diagonal(np.asarray(matrix))).clip(0).reshape((2,) * n)  # axis 0 is the last qubit
    measured = {
        circuit.find_bit(item.clbits[0]).index: circuit.find_bit(item.qubits[0]).index
        for item in circuit.data
        if item.operation.name == "measure"
    }
    up, down = noise.flips
    confusion = np.array([[1 - up, down], [up, 1 - down]])  # column: what it is, row: what is read
    for qubit in set(measured.values()):
        axis = n - 1 - qubit
        read = np.moveaxis(np.tensordot(confusion, read, axes=(1, axis)), 0, axis)
    found: dict[str, float] = {}
    for index, p in enumerate(read.reshape(-1)):
        bits = tuple(index >> measured[c] & 1 if c in measured else 0 for c in range(circuit.num_clbits))
        key = written(circuit, bits)
        found[key] = found.get(key, 0.0) + float(p)
    total = sum(found.values())
    return {key: p / total for key, p in sorted(found.items()) if p / total > 1e-15}
