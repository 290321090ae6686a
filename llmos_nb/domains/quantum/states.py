"""What a state is: its amplitudes as kets, and each qubit's Bloch vector, which an entangled qubit does not fill.

Kets read as in Qiskit: ``|q2 q1 q0>``, qubit 0 rightmost. Many textbooks write qubit 0 first.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit
from llmos_nb.domains.quantum.errors import QuantumError
from llmos_nb.domains.quantum.exact import statevector

if TYPE_CHECKING:
    from qiskit.quantum_info import Statevector

__all__ = ["BlochVector", "as_state", "bloch_vectors", "fidelity", "kets"]

#: Amplitudes smaller than this are rounding.
ROUNDING: Final = 1e-9
#: Kets that are written out.
KETS_LIMIT: Final = 64


@dataclass(frozen=True, slots=True)
class BlochVector:
    """The expectations of X, Y and Z of one qubit.

    Its length is 1 for a qubit that has a pure state of its own. A shorter one is mixed; a qubit of a pure state is
    mixed because it is entangled with others, and no point *on* the sphere describes it.
    """

    qubit: int
    x: float
    y: float
    z: float

    @property
    def length(self) -> float:
        """From 0 (maximally mixed) to 1 (pure)."""
        return math.sqrt(self.x**2 + self.y**2 + self.z**2)

    def __str__(self) -> str:
        x, y, z = (f"{_zero(value):+.3f}" for value in (self.x, self.y, self.z))
        kind = "pure" if self.length > 1 - 1e-6 else "mixed: entangled with other qubits, if the whole is pure"
        return f"qubit {self.qubit}: ({x}, {y}, {z}), length {self.length:.3f}, {kind}"


def as_state(source: Any) -> Statevector:
    """``source`` as a normalized state: a state itself, a list of amplitudes, or what a circuit makes of ``|0…0>``.

    Raises:
        QuantumError: it is not normalized, not 2**n amplitudes long, or no state at all.
    """
    from qiskit import QuantumCircuit
    from qiskit.exceptions import QiskitError
    from qiskit.quantum_info import Statevector

    if isinstance(source, QuantumCircuit | str):
        return statevector(as_circuit(source))
    try:
        state = source if isinstance(source, Statevector) else Statevector(source)
    except (QiskitError, TypeError, ValueError) as error:
        raise QuantumError(f"A state is a circuit, a Statevector or a list of amplitudes: {error}") from error
    if state.num_qubits is None:
        raise QuantumError(f"A state of qubits has 2, 4, 8 … amplitudes, got {state.dim}.")
    norm = float(abs(state.inner(state)))
    if not math.isfinite(norm) or abs(norm - 1) > 1e-6:
        raise QuantumError(f"The squared amplitudes add up to {norm:.6g}, not to 1: the state is not normalized.")
    return state


def kets(source: Any) -> str:
    """The state as lines of amplitude, ket and probability.

    The global phase is taken away: the first amplitude that is not zero is made real and positive.

    Raises:
        QuantumError: no state; see :func:`as_state`.
    """
    state = as_state(source)
    n = int(state.num_qubits or 0)
    found = [(index, complex(value)) for index, value in enumerate(state.data) if abs(value) > ROUNDING]
    turn = cmath.exp(-1j * cmath.phase(found[0][1]))
    lines = [
        f"{_number(value * turn)}  |{index:0{n}b}>  p = {abs(value) ** 2:.4f}" for index, value in found[:KETS_LIMIT]
    ]
    if len(found) > KETS_LIMIT:
        lines.append(f"… and {len(found) - KETS_LIMIT} more")
    reads = " ".join(f"q{qubit}" for qubit in reversed(range(n)))
    return "\n".join([f"|{reads}>" if n <= 8 else "|… q1 q0>", *lines])


def bloch_vectors(source: Any) -> list[BlochVector]:
    """The Bloch vector of each qubit, qubit 0 first; the other qubits are traced out.

    Raises:
        QuantumError: no state; see :func:`as_state`.
    """
    import numpy as np

    state = as_state(source)
    n = int(state.num_qubits or 0)
    data = np.asarray(state.data).reshape((2,) * n)  # axis 0 is the last qubit
    vectors = []
    for qubit in range(n):
        rows = np.moveaxis(data, n - 1 - qubit, 0).reshape(2, -1)
        rho = rows @ rows.conj().T
        x, y, z = 2 * rho[1, 0].real, 2 * rho[1, 0].imag, (rho[0, 0] - rho[1, 1]).real
        vectors.append(BlochVector(qubit, float(x), float(y), float(z)))
    return vectors


def fidelity(one: Any, other: Any) -> float:
    """How alike two pure states are, ``|<a|b>|**2``: 1 for the same state, whatever its global phase.

    Raises:
        QuantumError: no states, or of different numbers of qubits.
    """
    a, b = as_state(one), as_state(other)
    if a.dim != b.dim:
        raise QuantumError(f"The states have {a.num_qubits} and {b.num_qubits} qubits.")
    return float(abs(a.inner(b)) ** 2)


def _zero(value: float) -> float:
    return 0.0 if abs(value) < 5e-10 else value


def _number(value: complex) -> str:
    if abs(value.imag) < ROUNDING:
        return f"{value.real:+.4f}      "
    if abs(value.real) < ROUNDING:
        return f"{value.imag:+.4f}i     "
    return f"{value.real:+.3f}{value.imag:+.3f}i"
