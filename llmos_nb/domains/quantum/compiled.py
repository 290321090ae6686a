"""A circuit rewritten for a device: its gates, its wiring; what that cost, and whether it still does the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit
from llmos_nb.domains.quantum.errors import QuantumError
from llmos_nb.domains.quantum.exact import is_terminal, probabilities
from llmos_nb.domains.quantum.validate import validate

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["Compiled", "Size", "compile_circuit", "wiring"]

#: Qubits up to which it is checked that the rewritten circuit does the same.
CHECKED_QUBITS: Final = 8
#: Qubits of a device.
DEVICE_QUBITS: Final = 1_000
_LEVELS: Final = (0, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a circuit is. ``two_qubit_gates`` counts gates on two or more qubits."""

    depth: int
    gates: int
    two_qubit_gates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The rewritten ``circuit``, its size before and after, and whether it was checked to be the same.

    ``same`` is True where both were compared, None where they are too large or cannot be; ``checked`` says how.
    ``layout`` gives, for each qubit of the circuit, the device's qubit it begins on.
    """

    circuit: QuantumCircuit
    before: Size
    after: Size
    basis_gates: tuple[str, ...]
    layout: tuple[int, ...]
    same: bool | None
    checked: str

    def __str__(self) -> str:
        rows = [("", "before", "after")] + [
            (
                name.replace("_", "-", 1).replace("_", " "),
                str(getattr(self.before, name)),
                str(getattr(self.after, name)),
            )
            for name in ("depth", "gates", "two_qubit_gates")
        ]
        lines = [f"{name:<16}{before:>7}{after:>7}" for name, before, after in rows]
        lines.append(f"qubits begin on {', '.join(map(str, self.layout))}; {self.checked}")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def compile_circuit(
    source: Any,
    basis_gates: Sequence[str] | None = ("rz", "sx", "x", "cx"),
    coupling: str | Sequence[Sequence[int]] | None = None,
    level: int = 2,
    seed: int = 1,
) -> Compiled:
    """Rewrite a circuit to ``basis_gates`` on a device whose qubits are wired as ``coupling`` says.

    Args:
        basis_gates: gates that the device has; None leaves the gates as they are.
        coupling: ``line``, ``ring``, ``all``, or pairs of qubits that a gate can act on (in both directions); None is
            ``all``.
        level: 0 (only what is needed) to 3 (optimize much).
        seed: decides between equally good ways.

    Up to 8 qubits the result is compared with the circuit: the whole matrix up to a global phase, or, where it measures,
    the exact distribution of its outcomes.

    Raises:
        QuantumError: an unknown gate, a wiring that is too small or not connected, a bad level or seed, or a rewriting
            that came out as another circuit.
    """
    circuit = as_circuit(source)
    if isinstance(level, bool) or level not in _LEVELS:
        raise QuantumError(f"level is 0, 1, 2 or 3, got {level!r}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise QuantumError(f"seed is a whole number from 0 to {2**31 - 1}, got {seed!r}.")
    gates = None if basis_gates is None else _known(basis_gates)
    pairs = wiring(coupling, circuit.num_qubits)
    from qiskit import transpile
    from qiskit.exceptions import QiskitError

    try:
        made = transpile(
            circuit, basis_gates=gates, coupling_map=pairs, optimization_level=level, seed_transpiler=seed
        )
    except QiskitError as error:
        raise QuantumError(f"The circuit cannot be rewritten so: {str(error).strip(chr(34))[:300]}") from error
    same, checked = _compared(circuit, made)
    if same is False:
        raise QuantumError(f"The rewritten circuit is another one: {checked}.")
    layout = made.layout.initial_index_layout(filter_ancillas=True) if made.layout else range(circuit.num_qubits)
    return Compiled(
        circuit=made,
        before=_size(circuit),
        after=_size(made),
        basis_gates=tuple(gates or ()),
        layout=tuple(layout),
        same=same,
        checked=checked,
    )


def wiring(coupling: str | Sequence[Sequence[int]] | None, qubits: int) -> list[list[int]] | None:
    """The pairs of qubits, in both directions, that a wiring means; None where every pair is wired.

    Raises:
        QuantumError: another word, no pairs, or fewer qubits than the circuit has.
    """
    if coupling is None or coupling == "all":
        return None
    if coupling in ("line", "ring"):
        pairs = [[q, q + 1] for q in range(qubits - 1)]
        pairs += [[qubits - 1, 0]] if coupling == "ring" and qubits > 2 else []
    elif isinstance(coupling, str) or not isinstance(coupling, Sequence):
        raise QuantumError(f"coupling is 'line', 'ring', 'all' or pairs of qubits, got {coupling!r}.")
    else:
        pairs = [_pair(pair) for pair in coupling]
        held = {qubit for pair in pairs for qubit in pair}
        if len(held) < qubits:
            raise QuantumError(f"The circuit has {qubits} qubits, and the wiring names {len(held)}.")
    if not pairs:
        return None
    return [list(pair) for pair in {tuple(way): None for a, b in pairs for way in ((a, b), (b, a))}]


def _pair(pair: Any) -> list[int]:
    if (
        isinstance(pair, str)
        or not isinstance(pair, Sequence)
        or len(pair) != 2
        or any(isinstance(q, bool) or not isinstance(q, int) or not 0 <= q < DEVICE_QUBITS for q in pair)
        or pair[0] == pair[1]
    ):
        raise QuantumError(f"A pair of the wiring is two different qubits, such as [0, 1], got {pair!r}.")
    return list(pair)


def _known(gates: Sequence[str]) -> list[str]:
    from qiskit.circuit.library import get_standard_gate_name_mapping

    names = [gates] if isinstance(gates, str) else list(gates)
    known = set(get_standard_gate_name_mapping())
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise QuantumError(
            f"Unknown gates: {', '.join(map(str, unknown)) or 'none at all were named'}.",
            remedy="Gates are named as in Qiskit: rz, sx, x, h, cx, cz, ecr …",
        )
    return names


def _size(circuit: QuantumCircuit) -> Size:
    looked = validate(circuit)
    return Size(looked.depth, looked.gates, looked.two_qubit_gates)


def _compared(circuit: QuantumCircuit, made: QuantumCircuit) -> tuple[bool | None, str]:
    if circuit.parameters:
        return None, "not compared: it has parameters without a value"
    if made.num_qubits > CHECKED_QUBITS:
        return None, f"not compared: it has more than {CHECKED_QUBITS} qubits"
    if not validate(circuit).measured and is_terminal(circuit):
        from qiskit.quantum_info import Operator

        wide = made.copy_empty_like()
        wide.compose(circuit, qubits=range(circuit.num_qubits), inplace=True)
        plain = Operator(wide) if made.layout is None else Operator.from_circuit(made)
        same = Operator(wide).equiv(plain if made.layout is not None else Operator(made))
        return bool(same), "the same matrix up to a global phase" if same else "its matrix is another one"
    before, after = probabilities(circuit), probabilities(made)
    away = max(abs(before.get(key, 0.0) - after.get(key, 0.0)) for key in before.keys() | after.keys())
    same = away < 1e-9
    return same, "the same exact distribution of outcomes" if same else "its outcomes are distributed otherwise"
