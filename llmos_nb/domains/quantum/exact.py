"""Exact theory: what a circuit's outcomes are worth, and the states it leaves, without a random number.

Bits read as in Qiskit: qubit 0 is the *rightmost* character of an outcome, and the lowest bit of a state's index.
A circuit that measures in between is followed along every outcome (a :class:`Branch` each), feed-forward included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit
from llmos_nb.domains.quantum.errors import QuantumError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import Statevector

__all__ = ["Branch", "branches", "is_terminal", "probabilities", "statevector", "without_measurements"]

#: Qubits up to which a state is computed, and branches that measurements in between may lead to.
QUBIT_LIMIT: Final = 20
BRANCH_LIMIT: Final = 4_096
#: Amplitudes that all branches together may have: 2**25 of them are 512 MB.
AMPLITUDE_LIMIT: Final = 2**25
#: Probability below which a branch is rounding.
ROUNDING: Final = 1e-14

_SKIPPED: Final = frozenset({"barrier", "delay", "global_phase"})


@dataclass(frozen=True, slots=True)
class Branch:
    """One way through a circuit: how probable it is, the classical bits (bit 0 first), and the state it ends in."""

    probability: float
    bits: tuple[int, ...]
    state: Statevector


def statevector(source: Any) -> Statevector:
    """The state that a unitary circuit makes of ``|0…0>``; final measurements are left out.

    Amplitude ``k`` belongs to the outcome whose bits are ``k`` in binary, qubit 0 rightmost. The global phase is that
    of the circuit; no measurement can tell it.

    Raises:
        QuantumError: it measures in between, resets, has free parameters or more than 20 qubits.
    """
    circuit = _computable(as_circuit(source))
    if not is_terminal(circuit):
        raise QuantumError(
            "The circuit measures or resets in between, so it has no single state.",
            remedy="branches(circuit) gives the state of each outcome.",
        )
    from qiskit.quantum_info import Statevector

    return Statevector(without_measurements(circuit))


def probabilities(source: Any) -> dict[str, float]:
    """Each outcome's exact probability, written as in counts; impossible outcomes are left out.

    Without measurements they are those of measuring every qubit.

    Raises:
        QuantumError: free parameters, more than 20 qubits, more than 4,096 branches, or an unknown operation.
    """
    circuit = _computable(as_circuit(source))
    measured = _final_map(circuit) if is_terminal(circuit) else None
    if measured is None:
        found: dict[str, float] = {}
        for branch in branches(circuit):
            key = written(circuit, branch.bits)
            found[key] = found.get(key, 0.0) + branch.probability
        return dict(sorted(found.items()))
    state = statevector(circuit)
    if not measured:
        return {str(key): float(p) for key, p in sorted(state.probabilities_dict().items()) if p > ROUNDING}
    qubits = sorted(set(measured.values()))
    totals: dict[str, float] = {}
    for index, p in enumerate(state.probabilities(qubits)):
        if p > ROUNDING:
            value = {qubit: index >> place & 1 for place, qubit in enumerate(qubits)}
            bits = tuple(value[measured[c]] if c in measured else 0 for c in range(circuit.num_clbits))
            key = written(circuit, bits)
            totals[key] = totals.get(key, 0.0) + float(p)
    return dict(sorted(totals.items()))


def branches(source: Any) -> list[Branch]:
    """Every way through a circuit that has a chance, in the order of the outcomes.

    Raises:
        QuantumError: free parameters, more than 20 qubits, more than 4,096 branches, or an operation that is neither
            gate, measurement, reset nor ``if_test``.
    """
    circuit = _computable(as_circuit(source))
    from qiskit.quantum_info import Statevector

    start = Statevector.from_int(0, 2**circuit.num_qubits)
    place = {bit: index for index, bit in enumerate([*circuit.qubits])}
    place |= {bit: index for index, bit in enumerate(circuit.clbits)}
    return _followed(circuit, [Branch(1.0, (0,) * circuit.num_clbits, start)], place)


def is_terminal(circuit: QuantumCircuit) -> bool:
    """Whether nothing but further measurements comes after a measurement on its qubit, and nothing is conditional."""
    done: set[Any] = set()
    for item in circuit.data:
        name = item.operation.name
        if name == "reset" or getattr(item.operation, "blocks", ()):
            return False
        if name == "measure":
            done.update(item.qubits)
        elif name not in _SKIPPED and done.intersection(item.qubits):
            return False
    return True


def without_measurements(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit's gates alone."""
    bare = circuit.copy_empty_like()
    for item in circuit.data:
        if item.operation.name != "measure":
            bare.append(item)
    return bare


def written(circuit: QuantumCircuit, bits: tuple[int, ...]) -> str:
    """Classical bits as counts write them: the last bit first, registers apart."""
    text = "".join(str(bit) for bit in reversed(bits))
    sizes = [len(register) for register in circuit.cregs]
    if len(sizes) < 2 or sum(sizes) != len(bits):
        return text
    pieces, at = [], 0
    for size in reversed(sizes):
        pieces.append(text[at : at + size])
        at += size
    return " ".join(pieces)


def _computable(circuit: QuantumCircuit) -> QuantumCircuit:
    if circuit.parameters:
        names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
        raise QuantumError(
            f"The circuit has parameters without a value: {names}.",
            remedy="circuit.assign_parameters({...}) gives them one.",
        )
    if circuit.num_qubits > QUBIT_LIMIT:
        raise QuantumError(
            f"The circuit has {circuit.num_qubits} qubits; exact states are computed up to {QUBIT_LIMIT}."
        )
    if circuit.num_qubits == 0:
        raise QuantumError("The circuit has no qubits.")
    return circuit


def _final_map(circuit: QuantumCircuit) -> dict[int, int]:
    """The qubit that each classical bit holds at the end."""
    return {
        circuit.find_bit(bit).index: circuit.find_bit(qubit).index
        for item in circuit.data
        if item.operation.name == "measure"
        for qubit, bit in zip(item.qubits, item.clbits, strict=True)
    }


def _followed(circuit: QuantumCircuit, ways: list[Branch], place: Mapping[Any, int]) -> list[Branch]:
    for item in circuit.data:
        operation = item.operation
        if operation.name in _SKIPPED:
            continue
        qubits = [place[qubit] for qubit in item.qubits]
        if operation.name == "measure":
            ways = [part for way in ways for part in _measured(way, qubits[0], place[item.clbits[0]])]
        elif operation.name == "reset":
            ways = [part for way in ways for part in _reset(way, qubits[0])]
        elif operation.name == "if_else":
            ways = [part for way in ways for part in _conditional(item, way, place)]
        elif getattr(operation, "blocks", ()):
            raise QuantumError(f"{operation.name} is not followed exactly; if_test is.")
        else:
            ways = [Branch(way.probability, way.bits, _evolved(way.state, operation, qubits)) for way in ways]
        if len(ways) > BRANCH_LIMIT or sum(way.state.dim for way in ways) > AMPLITUDE_LIMIT:
            raise QuantumError(f"The measurements lead to {len(ways)} branches: too many to follow each of them.")
    return sorted(ways, key=lambda way: way.bits[::-1])


def _evolved(state: Statevector, operation: Any, qubits: list[int]) -> Statevector:
    from qiskit.exceptions import QiskitError

    try:
        return state.evolve(operation, qubits)
    except QiskitError as error:
        raise QuantumError(f"The operation {operation.name} has no exact meaning here: {error}") from error


def _projected(way: Branch, qubit: int) -> list[tuple[int, float, Statevector]]:
    """Outcomes of measuring a qubit, with probability and state."""
    import numpy as np
    from qiskit.quantum_info import Statevector

    data = np.asarray(way.state.data)
    bit = np.arange(len(data)) >> qubit & 1
    found = []
    for outcome in (0, 1):
        kept = np.where(bit == outcome, data, 0)
        p = float(np.vdot(kept, kept).real)
        if p * way.probability > ROUNDING:
            found.append((outcome, p, Statevector(kept / np.sqrt(p))))
    return found


def _measured(way: Branch, qubit: int, clbit: int) -> list[Branch]:
    return [
        Branch(way.probability * p, (*way.bits[:clbit], outcome, *way.bits[clbit + 1 :]), state)
        for outcome, p, state in _projected(way, qubit)
    ]


def _reset(way: Branch, qubit: int) -> list[Branch]:
    from qiskit.circuit.library import XGate

    return [
        Branch(way.probability * p, way.bits, _evolved(state, XGate(), [qubit]) if outcome else state)
        for outcome, p, state in _projected(way, qubit)
    ]


def _conditional(item: Any, way: Branch, place: Mapping[Any, int]) -> list[Branch]:
    blocks = item.operation.blocks
    if _holds(item.operation.condition, way.bits, place):
        block = blocks[0]
    elif len(blocks) > 1 and blocks[1] is not None:
        block = blocks[1]
    else:
        return [way]
    inner = {own: place[outer] for own, outer in zip(block.qubits, item.qubits, strict=True)}
    inner |= {own: place[outer] for own, outer in zip(block.clbits, item.clbits, strict=True)}
    return _followed(block, [way], {**place, **inner})


def _holds(condition: Any, bits: tuple[int, ...], place: Mapping[Any, int]) -> bool:
    if isinstance(condition, tuple):
        target, value = condition
        return _value(target, bits, place) == int(value)
    return bool(_expression(condition, bits, place))


def _value(target: Any, bits: tuple[int, ...], place: Mapping[Any, int]) -> int:
    from qiskit.circuit import Clbit

    if isinstance(target, Clbit):
        return bits[place[target]]
    return sum(bits[place[bit]] << at for at, bit in enumerate(target))


def _expression(node: Any, bits: tuple[int, ...], place: Mapping[Any, int]) -> int:
    """The value of a classical expression of ``qiskit.circuit.classical.expr``."""
    from qiskit.circuit.classical import expr

    def value(part: Any) -> int:
        return _expression(part, bits, place)

    if isinstance(node, expr.Var) and not node.standalone:
        return _value(node.var, bits, place)
    if isinstance(node, expr.Value):
        return int(node.value)
    if isinstance(node, expr.Cast):
        return value(node.operand)
    if isinstance(node, expr.Unary) and node.op.name == "LOGIC_NOT":
        return int(not value(node.operand))
    if isinstance(node, expr.Unary) and node.op.name == "BIT_NOT":
        width = getattr(node.type, "width", 1)
        return ~value(node.operand) & (1 << width) - 1
    if isinstance(node, expr.Binary) and node.op.name in _BINARY:
        return int(_BINARY[node.op.name](value(node.left), value(node.right)))
    raise QuantumError(f"The condition {node} is not followed exactly.")


_BINARY: Final[dict[str, Any]] = {
    "BIT_AND": lambda a, b: a & b,
    "BIT_OR": lambda a, b: a | b,
    "BIT_XOR": lambda a, b: a ^ b,
    "LOGIC_AND": lambda a, b: a and b,
    "LOGIC_OR": lambda a, b: a or b,
    "EQUAL": lambda a, b: a == b,
    "NOT_EQUAL": lambda a, b: a != b,
    "LESS": lambda a, b: a < b,
    "LESS_EQUAL": lambda a, b: a <= b,
    "GREATER": lambda a, b: a > b,
    "GREATER_EQUAL": lambda a, b: a >= b,
}
