"""A circuit from what people have: a ``QuantumCircuit``, or its text in OpenQASM 2 or 3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.domains.quantum.errors import QuantumError, need

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["QUBIT_LIMIT", "TEXT_LIMIT", "as_circuit", "from_qasm", "to_qasm"]

#: Characters of an OpenQASM program that is read, and qubits or bits that it may declare.
TEXT_LIMIT: Final = 1_000_000
QUBIT_LIMIT: Final = 1_000

_VERSION: Final = re.compile(r"^\s*(?:(?://[^\n]*\n|/\*.*?\*/)\s*)*OPENQASM\s+(\d+)(?:\.\d+)?\s*;", re.DOTALL)
_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_SIZE: Final = re.compile(r"\b(?:qreg|creg)\s+\w+\s*\[\s*(\d+)\s*\]|\b(?:qubit|bit)\s*\[\s*(\d+)\s*\]")
_INCLUDE: Final = re.compile(r"\binclude\s*\"([^\"]*)\"")
_KNOWN_INCLUDES: Final = frozenset({"qelib1.inc", "stdgates.inc"})


def as_circuit(source: Any) -> QuantumCircuit:
    """``source`` as a circuit: itself, or read from OpenQASM text.

    Raises:
        QuantumError: it is neither, or the text is no program.
        MissingQuantumPackage: Qiskit is not installed.
    """
    need("qiskit")
    from qiskit import QuantumCircuit

    if isinstance(source, QuantumCircuit):
        return source
    if isinstance(source, str):
        return from_qasm(source)
    raise QuantumError(
        f"A circuit must be a QuantumCircuit or OpenQASM text, got {type(source).__name__}.",
        remedy="Build one with QuantumCircuit(n), or give a program that starts with 'OPENQASM 2.0;' or 'OPENQASM 3.0;'.",
    )


def from_qasm(text: str) -> QuantumCircuit:
    """The circuit of an OpenQASM 2 or 3 program. Only the standard includes are known; no file is read.

    Raises:
        QuantumError: no program, a syntax error (with its place), an unknown include, or too many qubits.
        MissingQuantumPackage: Qiskit, or its importer of OpenQASM 3, is not installed.
    """
    need("qiskit")
    if len(text) > TEXT_LIMIT:
        raise QuantumError(f"The program has {len(text)} characters; up to {TEXT_LIMIT} are read.")
    version = _VERSION.match(text)
    if version is None:
        raise QuantumError(
            "This is no OpenQASM program: it does not begin with its version.",
            remedy="Begin it with 'OPENQASM 2.0;' or 'OPENQASM 3.0;'.",
        )
    if version[1] not in ("2", "3"):
        raise QuantumError(f"OpenQASM {version[1]} is not known; versions 2 and 3 are.")
    plain = _COMMENT.sub(" ", text)
    for name in _INCLUDE.findall(plain):
        if name not in _KNOWN_INCLUDES:
            raise QuantumError(f"The program includes {name!r}; only {', '.join(sorted(_KNOWN_INCLUDES))} are known.")
    declared = sum(int(one or other) for one, other in _SIZE.findall(plain))
    if declared > QUBIT_LIMIT:
        raise QuantumError(f"The program declares {declared} qubits and bits; up to {QUBIT_LIMIT} are read.")
    return _read(text, int(version[1]))


def _read(text: str, version: int) -> QuantumCircuit:
    if version == 2:
        from qiskit import qasm2

        try:
            return qasm2.loads(text, include_path=(), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
        except qasm2.QASM2ParseError as error:
            raise QuantumError(f"The OpenQASM 2 program cannot be read: {_first(error)}") from error
    need("qiskit_qasm3_import")
    from qiskit import qasm3

    try:
        return qasm3.loads(text)
    except Exception as error:
        # The importer raises errors of its own, of its parser and of Python, whatever is wrong with the text.
        raise QuantumError(f"The OpenQASM 3 program cannot be read: {_first(error)}") from error


def to_qasm(circuit: QuantumCircuit, version: int = 3) -> str:
    """The circuit as an OpenQASM program.

    Raises:
        QuantumError: the version cannot say it: OpenQASM 2 has no feed-forward with else, for example.
    """
    from qiskit import qasm2, qasm3

    if version not in (2, 3):
        raise QuantumError(f"OpenQASM {version} is not known; versions 2 and 3 are.")
    try:
        return str(qasm2.dumps(circuit) if version == 2 else qasm3.dumps(circuit))
    except (qasm2.QASM2ExportError, qasm3.QASM3ExporterError) as error:
        raise QuantumError(f"OpenQASM {version} cannot say this circuit: {_first(error)}") from error


def _first(error: Exception) -> str:
    said = str(getattr(error, "message", "") or error).strip().strip('"')
    return " ".join(said.split())[:300] or type(error).__name__
