"""Expectation values of Hamiltonians that are sums of Pauli strings: exactly, or from shots with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit
from llmos_nb.domains.quantum.errors import QuantumError
from llmos_nb.domains.quantum.noise import Noise
from llmos_nb.domains.quantum.removals import measured
from llmos_nb.domains.quantum.simulate import run
from llmos_nb.domains.quantum.states import as_state

__all__ = ["H2", "H2_REPULSION", "Estimate", "estimate_energy", "exact_energy", "hamiltonian_matrix"]

#: Molecular hydrogen in the minimal basis STO-3G at 0.735 angstrom, in hartree, without the repulsion of the nuclei: two
#: qubits after the parity mapping, which leaves out two qubits that symmetries fix. The rightmost letter is qubit 0.
#: Published with Qiskit's tutorials on the variational quantum eigensolver; a test computes them from the orbitals.
H2: Final[dict[str, float]] = {
    "II": -1.052373245772859,
    "IZ": 0.39793742484318045,
    "ZI": -0.39793742484318045,
    "ZZ": -0.01128010425623538,
    "XX": 0.18093119978423156,
}
#: The repulsion of its two nuclei at that distance, in hartree: one over the distance in bohr.
H2_REPULSION: Final = 0.529177210903 / 0.735

_QUBITS: Final = 12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over shots and its standard error, in the Hamiltonian's unit."""

    value: float
    error: float
    shots: int

    def __str__(self) -> str:
        return f"{self.value:.4f} +/- {self.error:.4f} ({self.shots} shots)"


def hamiltonian_matrix(terms: Mapping[str, float]) -> Any:
    """The Hamiltonian as a matrix, row and column ``k`` for the basis state whose bits are ``k``, qubit 0 lowest.

    Raises:
        QuantumError: no terms, strings of different lengths or with other letters than I, X, Y, Z, or no finite numbers.
    """
    checked = _checked(terms)
    from qiskit.quantum_info import SparsePauliOp

    return SparsePauliOp.from_list(list(checked.items())).to_matrix()


def exact_energy(source: Any, terms: Mapping[str, float]) -> float:
    """``<psi|H|psi>`` of a circuit's state or a state.

    Raises:
        QuantumError: no state or no Hamiltonian, or of different numbers of qubits.
    """
    checked = _checked(terms)
    from qiskit.quantum_info import SparsePauliOp

    state = as_state(source)
    operator = SparsePauliOp.from_list(list(checked.items()))
    if state.num_qubits != operator.num_qubits:
        raise QuantumError(f"The state has {state.num_qubits} qubits and the Hamiltonian {operator.num_qubits}.")
    return float(state.expectation_value(operator).real)


def estimate_energy(
    source: Any, terms: Mapping[str, float], shots: int = 4000, seed: int | None = None, noise: Noise | None = None
) -> Estimate:
    """The expectation of a Hamiltonian from shots of an unmeasured circuit: ``shots`` in each basis that it takes.

    Strings whose letters do not contradict each other are measured together. The error is one standard deviation of
    the mean; an estimate can lie below the lowest energy, by chance, the exact value never does.

    Raises:
        QuantumError: no Hamiltonian of the circuit's size, or a circuit that cannot be run.
    """
    checked = _checked(terms)
    circuit = as_circuit(source)
    n = len(next(iter(checked)))
    if circuit.num_qubits != n:
        raise QuantumError(f"The circuit has {circuit.num_qubits} qubits and the Hamiltonian {n}.")
    value, variance, made = 0.0, 0.0, 0
    for number, (basis, strings) in enumerate(_groups(checked).items()):
        if set(basis) == {"I"}:
            value += sum(strings.values())
            continue
        letters = basis.replace("I", "Z")
        own = None if seed is None else (seed + number) % 2**31
        counts = run(measured(circuit, letters), shots, own, noise)
        mean = square = 0.0
        for key, count in counts.items():
            bits = key.split(" ")[0]  # the register that `measured` added is the leftmost
            energy = sum(c * math.prod(1 - 2 * int(b) for b, p in zip(bits, s, strict=True) if p != "I")
                         for s, c in strings.items())  # fmt: skip
            mean += energy * count / shots
            square += energy**2 * count / shots
        value += mean
        variance += max(square - mean**2, 0.0) / shots
        made += shots
    return Estimate(value, math.sqrt(variance), made)


def _checked(terms: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(terms, Mapping) or not terms:
        raise QuantumError('A Hamiltonian is a mapping of Pauli strings to numbers, such as {"ZZ": 1.0, "XI": 0.5}.')
    n = len(next(iter(terms)))
    for string, value in terms.items():
        if not isinstance(string, str) or not string or set(string) - set("IXYZ"):
            raise QuantumError(f"A Pauli string has the letters I, X, Y and Z, got {string!r}.")
        if len(string) != n:
            raise QuantumError(f"The Pauli strings {next(iter(terms))!r} and {string!r} differ in length.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise QuantumError(f"The coefficient of {string} is a finite real number, got {value!r}.")
    if n > _QUBITS:
        raise QuantumError(f"Hamiltonians of up to {_QUBITS} qubits are taken, got {n}.")
    return dict(terms)


def _groups(terms: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Strings that one measurement serves, by its letters."""
    groups: list[tuple[str, dict[str, float]]] = []
    for string, value in terms.items():
        if set(string) == {"I"}:
            groups.append((string, {string: value}))
            continue
        for index, (basis, strings) in enumerate(groups):
            if set(basis) != {"I"} and all(a == b or "I" in (a, b) for a, b in zip(basis, string, strict=True)):
                joined = "".join(b if a == "I" else a for a, b in zip(basis, string, strict=True))
                groups[index] = (joined, {**strings, string: value})
                break
        else:
            groups.append((string, {string: value}))
    found: dict[str, dict[str, float]] = {}
    for basis, strings in groups:
        found.setdefault(basis, {}).update(strings)
    return found
