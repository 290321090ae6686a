"""What a circuit is, and what about it looks like a mistake, before anything is run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["SIMULATED_QUBITS", "Validation", "validate"]

#: Qubits of a circuit that is simulated: 2**24 amplitudes of 16 bytes are 256 MB.
SIMULATED_QUBITS: Final = 24

#: Instructions that are no gates.
_NOT_GATES: Final = frozenset({"barrier", "delay", "measure", "reset", "global_phase", "if_else", "store"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """A circuit's figures, ``problems`` (it cannot be run as it is) and ``notes`` (it can, but is it meant so?)."""

    name: str
    qubits: int
    clbits: int
    depth: int
    gates: int
    two_qubit_gates: int
    operations: dict[str, int]
    #: Qubits that are measured somewhere, and those that nothing acts on.
    measured: tuple[int, ...]
    unused: tuple[int, ...]
    #: Whether it is one unitary matrix, final measurements aside.
    unitary: bool
    #: Whether later operations depend on measured bits.
    feed_forward: bool
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it can be run and counted."""
        return not self.problems

    def __str__(self) -> str:
        used = ", ".join(f"{name} x {count}" for name, count in sorted(self.operations.items())) or "none"
        measured = ", ".join(map(str, self.measured)) or "none"
        lines = [
            f"{self.qubits} qubits, {self.clbits} classical bits, depth {self.depth}",
            f"operations: {used}; gates on two or more qubits: {self.two_qubit_gates}",
            f"measured qubits: {measured}; {'unitary' if self.unitary else 'not unitary'}"
            + (" before the final measurements" if self.unitary and self.measured else "")
            + (", with feed-forward" if self.feed_forward else ""),
        ]
        lines += [f"problem: {text}" for text in self.problems]
        lines += [f"note: {text}" for text in self.notes]
        return "\n".join([*lines, "ready to run" if self.ok else "not ready to run"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def validate(source: Any) -> Validation:
    """Look a circuit over: size, depth, measurements, unused qubits, gates after a measurement, and more.

    Raises:
        QuantumError: ``source`` is no circuit and no OpenQASM program.
    """
    circuit = as_circuit(source)
    seen = _Seen()
    _walk(circuit, list(range(circuit.num_qubits)), list(range(circuit.num_clbits)), seen, conditional=False)
    unused = tuple(q for q in range(circuit.num_qubits) if q not in seen.acted)
    problems = []
    if circuit.num_qubits == 0:
        problems.append("it has no qubits")
    elif not seen.gates and not seen.resets:
        problems.append("it has no gates")
    if circuit.num_qubits > SIMULATED_QUBITS:
        problems.append(
            f"a circuit on {circuit.num_qubits} qubits cannot be run here: at most {SIMULATED_QUBITS} can"
        )
    if not seen.measured:
        problems.append("nothing is measured, so there is nothing to count: add measure_all()")
    if circuit.parameters:
        names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
        problems.append(f"these parameters have no value yet: {names}")
    notes = [*seen.notes]
    if unused:
        notes.append(f"nothing acts on {_qubits(unused)}")
    if seen.measured and (left := [q for q in sorted(seen.acted) if q not in seen.measured]):
        notes.append(f"{_qubits(left)} {'is' if len(left) == 1 else 'are'} never measured")
    idle = [c for c in range(circuit.num_clbits) if c not in seen.written]
    if seen.measured and idle:
        notes.append(f"no measurement writes {_bits(idle)}: always 0 in the counts")
    return Validation(
        name=circuit.name,
        qubits=circuit.num_qubits,
        clbits=circuit.num_clbits,
        depth=circuit.depth(),
        gates=seen.gates,
        two_qubit_gates=seen.wide,
        operations=dict(seen.operations),
        measured=tuple(sorted(seen.measured)),
        unused=unused,
        unitary=not (seen.resets or seen.conditional or seen.after),
        feed_forward=seen.conditional,
        problems=tuple(problems),
        notes=tuple(dict.fromkeys(notes)),
    )


class _Seen:
    """What was met on the way through a circuit."""

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.gates = self.wide = self.resets = 0
        self.acted: set[int] = set()
        self.measured: set[int] = set()
        self.live: set[int] = set()  # measured, and neither reset nor acted on since
        self.written: set[int] = set()
        self.conditional = False
        self.after = False
        self.notes: list[str] = []


def _walk(circuit: QuantumCircuit, qubits: list[int], clbits: list[int], seen: _Seen, *, conditional: bool) -> None:
    """``qubits`` and ``clbits`` are the outer numbers of this circuit's own; blocks of conditions have their own."""
    for item in circuit.data:
        on = [qubits[circuit.find_bit(bit).index] for bit in item.qubits]
        bits = [clbits[circuit.find_bit(bit).index] for bit in item.clbits]
        name = item.operation.name
        blocks = getattr(item.operation, "blocks", ())
        if name != "barrier":
            seen.operations[name] += 1
        if blocks:
            seen.conditional = True
            if unwritten := sorted(set(bits) - seen.written):
                seen.notes.append(f"a condition reads {_bits(unwritten)} before any measurement writes there")
            for block in blocks:
                _walk(block, on, bits, seen, conditional=True)
        elif name == "measure":
            if again := sorted(set(bits) & seen.written):
                seen.notes.append(f"{_bits(again)} is written by more than one measurement; the last one counts")
            seen.after |= bool(set(on) & seen.live)
            seen.measured.update(on)
            seen.live.update(on)
            seen.written.update(bits)
        elif name == "reset":
            seen.resets += 1
            seen.live.difference_update(on)
        elif name not in _NOT_GATES:
            seen.gates += 1
            seen.wide += len(on) > 1
            seen.acted.update(on)
            if late := sorted(set(on) & seen.live):
                seen.after = True
                if not conditional:
                    seen.notes.append(
                        f"{name} acts on {_qubits(late)} after the measurement: what was measured does not see it"
                    )
                    seen.live.difference_update(late)


def _qubits(numbers: Any) -> str:
    return f"qubit{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"


def _bits(numbers: Any) -> str:
    return f"classical bit{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"
