"""Circuits, histograms and Bloch spheres as figures, and circuits as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.circuit import as_circuit
from llmos_nb.domains.quantum.errors import QuantumError, need
from llmos_nb.domains.quantum.states import bloch_vectors
from llmos_nb.domains.quantum.statistics import as_counts, as_distribution
from llmos_nb.domains.quantum.validate import validate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["as_text", "bloch", "draw", "histogram", "overview"]

_MEASURED, _EXPECTED = "#0969da", "#9a6700"
#: Outcomes that one histogram shows, Bloch spheres of one figure, and operations of a circuit that is drawn.
BARS: Final = 64
SPHERES: Final = 8
DRAWN: Final = 2_000


def as_text(source: Any) -> str:
    """The circuit in characters, qubit 0 on top.

    Raises:
        QuantumError: no circuit, or more than 2,000 operations.
    """
    circuit = _drawable(source)
    return str(circuit.draw("text", fold=100))


def overview(source: Any) -> str:
    """What :func:`~llmos_nb.domains.quantum.validate.validate` says, and the circuit in characters where it is small.

    Raises:
        QuantumError: no circuit.
    """
    circuit = as_circuit(source)
    small = circuit.num_qubits <= 16 and len(circuit.data) <= 60
    return f"{validate(circuit)}\n{as_text(circuit)}" if small and circuit.num_qubits else str(validate(circuit))


def draw(source: Any, title: str = "") -> Figure:
    """The circuit as a figure, qubit 0 on top; the last value of a cell shows it.

    Raises:
        QuantumError: no circuit, or more than 2,000 operations.
        MissingQuantumPackage: matplotlib or pylatexenc is not installed.
    """
    circuit = _drawable(source)
    need("matplotlib", "pylatexenc")
    import matplotlib.pyplot as plt

    figure: Figure = circuit.draw("mpl", style="clifford", fold=24)
    if title:
        figure.suptitle(title)
    plt.close(figure)
    return figure


def histogram(counts: Mapping[str, int], expected: Any = None, title: str = "") -> Figure:
    """How often each outcome came, beside how often theory expects it, with one standard deviation of shot noise.

    ``expected`` is a distribution or a circuit (see :func:`~llmos_nb.domains.quantum.statistics.check_counts`).

    Raises:
        QuantumError: no counts, or no distribution.
        MissingQuantumPackage: matplotlib is not installed.
    """
    need("matplotlib")
    import matplotlib.pyplot as plt

    counts = as_counts(counts)
    shots = sum(counts.values())
    theory = {} if expected is None else as_distribution(expected)
    names = sorted(set(counts) | set(theory))
    if len(names) > BARS:
        names = sorted(sorted(names, key=lambda key: -max(counts.get(key, 0), theory.get(key, 0.0) * shots))[:BARS])
    figure, ax = plt.subplots(figsize=(min(12.0, max(4.0, 1.6 + 0.55 * len(names))), 3.0))
    places, width = range(len(names)), 0.4 if theory else 0.7
    shift = width / 2 if theory else 0.0
    ax.bar([p - shift for p in places], [counts.get(n, 0) for n in names], width, color=_MEASURED, label="counted")
    if theory:
        heights = [theory.get(name, 0.0) * shots for name in names]
        spread = [math.sqrt(max(h * (1 - h / shots), 0.0)) for h in heights]
        ax.bar([p + shift for p in places], heights, width, yerr=spread, color="none", edgecolor=_EXPECTED,
               hatch="///", ecolor=_EXPECTED, capsize=2, label="expected")  # fmt: skip
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    ax.set_xticks(list(places), names, rotation=90 if max(map(len, names)) > 4 and len(names) > 4 else 0)
    ax.set_xlabel("outcome (qubit 0 rightmost)")
    ax.set_ylabel(f"counts of {shots}")
    if title:
        ax.set_title(title)
    plt.close(figure)
    return figure


def bloch(source: Any, title: str = "") -> Figure:
    """A Bloch sphere for each qubit, qubit 0 first. An arrow that does not reach the surface is a mixed state.

    Raises:
        QuantumError: no pure state, or more than 8 qubits.
        MissingQuantumPackage: matplotlib is not installed.
    """
    need("matplotlib")
    import matplotlib.pyplot as plt
    from qiskit.visualization import plot_bloch_vector

    vectors = bloch_vectors(source)
    if len(vectors) > SPHERES:
        raise QuantumError(f"Up to {SPHERES} qubits are drawn, got {len(vectors)}.")
    figure = plt.figure(figsize=(2.6 * len(vectors), 3.2))
    for place, vector in enumerate(vectors, start=1):
        ax = figure.add_subplot(1, len(vectors), place, projection="3d")
        plot_bloch_vector([vector.x, vector.y, vector.z], ax=ax, font_size=11)
        ax.set_title(f"qubit {vector.qubit}, length {vector.length:.2f}", fontsize=10, y=1.08)
    if title:
        figure.suptitle(title)
    plt.close(figure)
    return figure


def _drawable(source: Any) -> Any:
    circuit = as_circuit(source)
    if len(circuit.data) > DRAWN:
        raise QuantumError(f"The circuit has {len(circuit.data)} operations; up to {DRAWN} are drawn.")
    return circuit
