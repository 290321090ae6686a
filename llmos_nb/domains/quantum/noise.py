"""A simple noise: depolarizing gates, thermal relaxation while they last, and errors in reading out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.errors import QuantumError, need

if TYPE_CHECKING:
    from qiskit_aer.noise import NoiseModel

__all__ = ["NOISY_GATES", "Noise"]

#: What a circuit is rewritten to before noise acts on it. ``rz`` is a change of frame and takes no time: no noise.
NOISY_GATES: Final = ("rz", "sx", "x", "cx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How noisy the gates and the read-out are; everything is off by default.

    Args:
        depolarizing_1q: probability, 0 to 1, that an ``sx`` or ``x`` leaves its qubit in the maximally mixed state:
            ``E(rho) = (1 - p) rho + p I/2``.
        depolarizing_2q: the same for both qubits of a ``cx``: ``E(rho) = (1 - p) rho + p I/4``.
        readout: probability that a measured bit is read wrongly, 0 to 1; or two of them, that a 0 is read as 1 and
            that a 1 is read as 0.
        t1_us, t2_us: relaxation and coherence time in microseconds; T2 is at most 2 T1, and T1 alone means T2 = T1.
        gate_1q_ns, gate_2q_ns: how long the gates take, in nanoseconds; only relaxation needs it.

    Qubits that wait do not relax: what an idle qubit suffers is left out, and so are crosstalk and leakage. The bath is
    at zero temperature.

    Raises:
        QuantumError: a value out of its range, which the message gives.
    """

    depolarizing_1q: float = 0.0
    depolarizing_2q: float = 0.0
    readout: float | tuple[float, float] = 0.0
    t1_us: float | None = None
    t2_us: float | None = None
    gate_1q_ns: float = 50.0
    gate_2q_ns: float = 300.0

    def __post_init__(self) -> None:
        for name in ("depolarizing_1q", "depolarizing_2q"):
            _probability(name, getattr(self, name))
        given = self.readout if isinstance(self.readout, tuple | list) else (self.readout, self.readout)
        if len(given) != 2:
            raise QuantumError(f"readout is one probability or two (0 read as 1, 1 read as 0), got {self.readout!r}.")
        for value in given:
            _probability("readout", value)
        if isinstance(self.readout, list):
            object.__setattr__(self, "readout", tuple(self.readout))
        for name in ("t1_us", "t2_us", "gate_1q_ns", "gate_2q_ns"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and 0 < value < 1e12):
                unit = "microseconds" if name.endswith("us") else "nanoseconds"
                raise QuantumError(f"{name} is a time in {unit}, above 0, got {value!r}.")
        if self.t2_us is not None and self.t1_us is None:
            raise QuantumError("t2_us needs t1_us, too: T2 is at most 2 T1.")
        if self.t1_us is not None and self.t2_us is not None and self.t2_us > 2 * self.t1_us:
            raise QuantumError(f"T2 is at most 2 T1: t2_us = {self.t2_us:g} with t1_us = {self.t1_us:g} cannot be.")

    @property
    def is_silent(self) -> bool:
        """Whether nothing is noisy."""
        return not (self.depolarizing_1q or self.depolarizing_2q or any(self.flips) or self.t1_us)

    @property
    def flips(self) -> tuple[float, float]:
        """The probabilities that a 0 is read as 1, and a 1 as 0."""
        return self.readout if isinstance(self.readout, tuple) else (self.readout, self.readout)

    def __str__(self) -> str:
        parts = []
        if self.depolarizing_1q:
            parts.append(f"depolarizing {self.depolarizing_1q:g} a one-qubit gate")
        if self.depolarizing_2q:
            parts.append(f"depolarizing {self.depolarizing_2q:g} a two-qubit gate")
        if self.t1_us is not None:
            t2 = self.t1_us if self.t2_us is None else self.t2_us
            times = f"{self.gate_1q_ns:g} and {self.gate_2q_ns:g} ns a gate"
            parts.append(f"T1 {self.t1_us:g} us, T2 {t2:g} us, {times}")
        if any(self.flips):
            parts.append("read-out errors {:g} (0 as 1) and {:g} (1 as 0)".format(*self.flips))
        return "; ".join(parts) or "no noise"

    def model(self) -> NoiseModel:
        """The noise as Aer takes it."""
        need("qiskit", "qiskit_aer")
        from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

        model = NoiseModel(basis_gates=list(NOISY_GATES))
        one = self._gate(depolarizing_error(self.depolarizing_1q, 1), self.gate_1q_ns, 1)
        two = self._gate(depolarizing_error(self.depolarizing_2q, 2), self.gate_2q_ns, 2)
        if one is not None:
            model.add_all_qubit_quantum_error(one, ["sx", "x"])
        if two is not None:
            model.add_all_qubit_quantum_error(two, ["cx"])
        if any(self.flips):
            up, down = self.flips
            model.add_all_qubit_readout_error(ReadoutError([[1 - up, up], [down, 1 - down]]))
        return model

    def _gate(self, depolarizing: Any, time_ns: float, qubits: int) -> Any:
        """Depolarizing, then the relaxation of each qubit, as one error; None where there is neither."""
        from qiskit_aer.noise import thermal_relaxation_error

        off = (self.depolarizing_1q if qubits == 1 else self.depolarizing_2q) == 0
        if self.t1_us is None:
            return None if off else depolarizing
        t2 = self.t1_us if self.t2_us is None else self.t2_us
        each = thermal_relaxation_error(self.t1_us * 1000, t2 * 1000, time_ns)
        relaxing = each if qubits == 1 else each.tensor(each)
        return relaxing if off else depolarizing.compose(relaxing)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _probability(name: str, value: Any) -> None:
    if not (_is_number(value) and 0 <= value <= 1):
        raise QuantumError(f"{name} is a probability from 0 to 1, got {value!r}.")
