"""What goes wrong with circuits, and what is missing to work on them."""

from __future__ import annotations

import importlib.util

from llmos_nb.errors import LlmosError

__all__ = ["MissingQuantumPackage", "QuantumError", "need"]

_INSTALL = 'Install it with: pip install "llmos-nb[quantum]"'


class QuantumError(LlmosError, ValueError):
    """A circuit, a number of qubits or shots, a noise or a distribution that cannot be used; the message says why."""

    __str__ = LlmosError.__str__


class MissingQuantumPackage(LlmosError, ImportError):
    """Qiskit, Aer or another package that circuits need is not installed."""

    __str__ = LlmosError.__str__


def need(*modules: str) -> None:
    """Make sure that packages are installed, without importing them.

    Raises:
        MissingQuantumPackage: one is not; the remedy says how to install it.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            name = {"qiskit": "Qiskit", "qiskit_aer": "Qiskit Aer"}.get(module, module)
            raise MissingQuantumPackage(f"{name} is not installed.", remedy=_INSTALL)
