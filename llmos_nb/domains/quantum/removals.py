"""Would the test notice? Each operation of a circuit is taken out in turn, and the counts are checked against theory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit
from llmos_nb.domains.quantum.errors import QuantumError, need
from llmos_nb.domains.quantum.exact import is_terminal, probabilities, without_measurements, written
from llmos_nb.domains.quantum.simulate import run
from llmos_nb.domains.quantum.statistics import check_counts
from llmos_nb.domains.quantum.validate import validate

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["Removal", "measured", "removals", "try_removals"]

_BASES: Final = "XYZ"


@dataclass(frozen=True, slots=True, repr=False)
class Removal:
    """A circuit that lacks one operation: which one, and the first basis whose counts told; empty where none did."""

    removed: str
    circuit: QuantumCircuit
    seen_in: str = ""
    reason: str = ""

    @property
    def seen(self) -> bool:
        """Whether the counts told."""
        return bool(self.seen_in)

    def __repr__(self) -> str:
        return f"<without {self.removed}: {f'found in {self.seen_in}' if self.seen else 'not found'}>"


def measured(source: Any, basis: str = "Z", qubits: Sequence[int] | None = None) -> QuantumCircuit:
    """The circuit with ``qubits`` (all, if None) measured at its end in the basis X, Y or Z.

    ``basis`` is one letter for all or one for each qubit, the first qubit's rightmost, as in Qiskit's Pauli labels. The
    outcome 0 is the eigenvalue +1. The bits go into a register of their own, ``out``.

    Raises:
        QuantumError: another letter, another number of letters, or a qubit that is not there.
    """
    need("qiskit")
    from qiskit import ClassicalRegister

    circuit = as_circuit(source)
    chosen = list(range(circuit.num_qubits)) if qubits is None else list(qubits)
    if not chosen or any(not isinstance(q, int) or not 0 <= q < circuit.num_qubits for q in chosen):
        raise QuantumError(f"qubits are numbers from 0 to {circuit.num_qubits - 1}, got {qubits!r}.")
    letters = basis * len(chosen) if len(basis) == 1 else basis
    if len(letters) != len(chosen) or any(letter not in _BASES for letter in letters):
        raise QuantumError(
            f"basis is one of X, Y and Z, or {len(chosen)} of them, one for each qubit, got {basis!r}."
        )
    full: QuantumCircuit = circuit.copy()
    out = ClassicalRegister(len(chosen), "out")
    full.add_register(out)
    for place, (qubit, letter) in enumerate(zip(chosen, reversed(letters), strict=True)):
        if letter == "Y":
            full.sdg(qubit)
        if letter in "XY":
            full.h(qubit)
        full.measure(qubit, out[place])
    return full


def removals(source: Any) -> list[Removal]:
    """The circuit without one of its operations, for each: gates, measurements, resets, and what conditions hold."""
    circuit = as_circuit(source)
    return [Removal(name, changed) for name, changed in _without_one(circuit)]


def try_removals(
    source: Any,
    bases: Sequence[str] = ("Z",),
    *,
    qubits: Sequence[int] | None = None,
    expected: Callable[[QuantumCircuit], dict[str, float]] = probabilities,
    shots: int = 4000,
    seed: int = 1,
    false_alarm: float = 1e-6,
) -> list[Removal]:
    """Take out each operation in turn, measure in each basis, and say which basis tells by :func:`check_counts`.

    A circuit that measures at its end already is run as it is for the basis Z; for the others its measurements are left
    out. ``expected`` makes the theory of the whole circuit, once a basis. The whole circuit itself has to agree with it.

    Raises:
        QuantumError: no basis is named, or the whole circuit does not agree with theory.
    """
    if not bases:
        raise QuantumError("No basis is named to measure in.", remedy="bases='Z', or 'ZXY' to try each.")
    circuit = as_circuit(source)
    ends_measured = is_terminal(circuit) and bool(validate(circuit).measured)

    def ready(changed: QuantumCircuit, basis: str) -> QuantumCircuit:
        if ends_measured:
            return changed if basis == "Z" else measured(without_measurements(changed), basis, qubits)
        return measured(changed, basis, qubits)

    whole = [(basis, ready(circuit, basis)) for basis in bases]
    theory = []
    for basis, complete in whole:
        theory.append((basis, expected(complete)))
        check = check_counts(run(complete, shots, seed), theory[-1][1], false_alarm)
        if not check:
            raise QuantumError(f"The whole circuit does not agree with theory in the basis {basis}: {check.reason}.")
    tried = []
    for removal in removals(circuit):
        seen_in = reason = ""
        for basis, distribution in theory:
            check = check_counts(_counted(ready(removal.circuit, basis), shots, seed), distribution, false_alarm)
            if not check:
                seen_in, reason = basis, check.reason
                break
        tried.append(Removal(removal.removed, removal.circuit, seen_in, reason))
    return tried


def _counted(circuit: QuantumCircuit, shots: int, seed: int) -> dict[str, int]:
    if validate(circuit).measured:
        return run(circuit, shots, seed)
    return {written(circuit, (0,) * circuit.num_clbits): shots}  # its only measurement was taken out


def _without_one(circuit: QuantumCircuit) -> Iterator[tuple[str, QuantumCircuit]]:
    for index, item in enumerate(circuit.data):
        if item.operation.name == "barrier":
            continue
        name = f"{index + 1}. {_said(circuit, item)}"
        rest = circuit.copy_empty_like()
        for other, kept in enumerate(circuit.data):
            if other != index:
                rest.append(kept)
        yield name, rest
        blocks = getattr(item.operation, "blocks", ())
        if sum(len(block.data) for block in blocks) > 1:  # else it is the same as taking out the condition
            for number, block in enumerate(blocks):
                for inner, smaller in _without_one(block):
                    changed = circuit.copy_empty_like()
                    for other, kept in enumerate(circuit.data):
                        if other != index:
                            changed.append(kept)
                            continue
                        parts = [smaller if at == number else old for at, old in enumerate(blocks)]
                        changed.append(item.operation.replace_blocks(parts), item.qubits, item.clbits)
                    yield f"{name}: {inner}", changed


def _said(circuit: QuantumCircuit, item: Any) -> str:
    on = ", ".join(f"q{circuit.find_bit(qubit).index}" for qubit in item.qubits)
    held = [inner.operation.name for block in getattr(item.operation, "blocks", ()) for inner in block.data]
    return f"{'if: ' + ' and '.join(held) if held else item.operation.name} on {on}"
