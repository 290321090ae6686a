"""Quantum circuits on Qiskit and Aer."""

from pathlib import Path

from llmos_nb.domains.quantum.circuit import as_circuit, from_qasm, to_qasm
from llmos_nb.domains.quantum.compiled import compile_circuit
from llmos_nb.domains.quantum.energy import H2, H2_REPULSION, estimate_energy, exact_energy, hamiltonian_matrix
from llmos_nb.domains.quantum.errors import MissingQuantumPackage, QuantumError
from llmos_nb.domains.quantum.exact import branches, probabilities, statevector
from llmos_nb.domains.quantum.noise import Noise
from llmos_nb.domains.quantum.pictures import as_text, bloch, draw, histogram, overview
from llmos_nb.domains.quantum.removals import measured, removals, try_removals
from llmos_nb.domains.quantum.simulate import Counts, check_qubits, noisy_probabilities, run
from llmos_nb.domains.quantum.states import bloch_vectors, fidelity, kets
from llmos_nb.domains.quantum.statistics import check_counts, shots_needed
from llmos_nb.domains.quantum.tools import TOOLS
from llmos_nb.domains.quantum.validate import validate
from llmos_nb.tools import Pack

__all__ = [
    "H2", "H2_REPULSION", "PACK", "Counts", "MissingQuantumPackage", "Noise", "QuantumError", "as_circuit", "as_text",
    "bloch", "bloch_vectors", "branches", "check_counts", "check_qubits", "compile_circuit", "draw", "estimate_energy",
    "exact_energy", "fidelity", "from_qasm", "hamiltonian_matrix", "histogram", "kets", "measured",
    "noisy_probabilities", "overview", "probabilities", "removals", "run", "shots_needed", "statevector", "to_qasm",
    "try_removals", "validate",
]  # fmt: skip

PACK = Pack(
    name="quantum",
    description="Quantum circuits: build, check, run with and without noise, transpile, draw.",
    tools=TOOLS,
    folder=Path(__file__).parent,
    requires={"qiskit": "llmos-nb[quantum]", "qiskit_aer": "llmos-nb[quantum]"},
)
