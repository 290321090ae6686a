"""The pack's tools: each call is a cell that calls the pack's functions, on circuits and counts by their names.

So a step is ordinary Python: it is guarded, watched, undone, repeated with other values and made into functions as any
cell is, and a person can read and run it.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from typing import Any, Final

from llmos_nb.domains.quantum.errors import QuantumError
from llmos_nb.domains.quantum.simulate import SHOTS_LIMIT
from llmos_nb.guard import Verdict
from llmos_nb.tools import Tool, ToolContext, ToolResult

__all__ = ["TOOLS"]

#: Under a name of its own: a variable of the user may be called ``run`` or ``draw``.
_IMPORT: Final = "from llmos_nb.domains import quantum as _quantum"
#: Names that a tool must not bind, beside keywords and private ones.
_KEPT: Final = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})
_NOISY: Final = ("depolarizing_1q", "depolarizing_2q", "readout", "t1_us", "t2_us", "gate_1q_ns", "gate_2q_ns")


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text) and not text.startswith("_") and text not in _KEPT


def _variable(arguments: Mapping[str, Any], key: str, default: str = "") -> str:
    """The name of one of the user's variables."""
    name = str(arguments.get(key, default))
    if not _is_name(name):
        raise QuantumError(
            f"{key}: {name!r:.60} cannot be the name of a variable.", remedy="Use a name such as bell."
        )
    return name


def _circuit(arguments: Mapping[str, Any], key: str = "circuit") -> str:
    """The circuit that an argument gives, as an expression: a variable, or a text that is read as OpenQASM."""
    said = str(arguments[key])
    return said.strip() if _is_name(said.strip()) else f"_quantum.as_circuit({said!r})"


def _given(arguments: Mapping[str, Any], *names: str) -> str:
    """Those of the arguments that are given, as they stand in a call."""
    return "".join(f", {name}={arguments[name]!r}" for name in names if arguments.get(name) is not None)


def _noise(arguments: Mapping[str, Any]) -> str:
    """The noise that is asked for as an expression; empty where none is."""
    given = _given(arguments, *_NOISY).removeprefix(", ")
    return f"_quantum.Noise({given})" if given else ""


def _theory(arguments: Mapping[str, Any]) -> str:
    """What is expected: a variable or a circuit as it is, or the distribution of a circuit under noise."""
    expected, noise = _circuit(arguments, "expected"), _noise(arguments)
    return f"_quantum.noisy_probabilities({expected}, {noise})" if noise else expected


# -- the cells they stand for


def _build(arguments: Mapping[str, Any]) -> str:
    name = _variable(arguments, "name", "circuit")
    said = str(arguments["circuit"])
    source = said.strip() if _is_name(said.strip()) else repr(said)
    return f"{name} = _quantum.as_circuit({source})\nprint(_quantum.overview({name}))"


def _validate(arguments: Mapping[str, Any]) -> str:
    return f"print(_quantum.validate({_circuit(arguments)}))"


def _run(arguments: Mapping[str, Any]) -> str:
    name, noise = _variable(arguments, "name", "counts"), _noise(arguments)
    noisy = f", noise={noise}" if noise else ""
    called = f"_quantum.run({_circuit(arguments)}{_given(arguments, 'shots', 'seed')}{noisy})"
    return f"{name} = {called}\nprint({name}.summary)"


def _transpile(arguments: Mapping[str, Any]) -> str:
    name = _variable(arguments, "name", "compiled")
    options = _given(arguments, "basis_gates", "coupling", "level", "seed")
    made = f"{name}_report = _quantum.compile_circuit({_circuit(arguments)}{options})"
    return f"{made}\n{name} = {name}_report.circuit\nprint({name}_report)"


def _draw(arguments: Mapping[str, Any]) -> str:
    return f"_quantum.draw({_circuit(arguments)})"


def _histogram(arguments: Mapping[str, Any]) -> str:
    expected = f", {_theory(arguments)}" if arguments.get("expected") is not None else ""
    return f"_quantum.histogram({_variable(arguments, 'counts')}{expected}{_given(arguments, 'title')})"


def _state(arguments: Mapping[str, Any]) -> str:
    source = _circuit(arguments)
    lines = [f"print(_quantum.kets({source}))", f"print(*_quantum.bloch_vectors({source}), sep='\\n')"]
    return "\n".join([*lines, f"_quantum.bloch({source})"] if arguments.get("picture", True) else lines)


def _check(arguments: Mapping[str, Any]) -> str:
    called = f"{_variable(arguments, 'counts')}, {_theory(arguments)}{_given(arguments, 'false_alarm')}"
    name = _variable(arguments, "name", "check")
    return f"{name} = _quantum.check_counts({called})\nprint({name})\nprint({name}.power)"


def _allowed(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    """No argument names a file; the cell that is run is judged as any is."""
    return Verdict("allow", "circuits", "works on circuits and counts among the user's variables")


def _tool(
    name: str,
    description: str,
    cell: Callable[[Mapping[str, Any]], str],
    properties: dict[str, Any],
    required: tuple[str, ...],
) -> Tool:
    def whole(arguments: Mapping[str, Any]) -> str:
        return f"{_IMPORT}\n\n{cell(arguments)}"

    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        done = await context.namespace.run_cell(whole(arguments), show=False)
        text = "\n".join(output.text.rstrip("\n") for output in done.outputs)
        return ToolResult(
            text=(text + done.traceback).strip("\n"),
            error=done.error,
            interrupted=done.interrupted,
            outputs=done.outputs,
        )

    return Tool(
        name=name,
        description=description,
        schema={"type": "object", "properties": properties, "required": list(required)},
        cell=whole,
        run=run,
        check=_allowed,
        main=required[0],
    )


# -- what the model is told

_CIRCUIT: Final = {
    "type": "string",
    "description": "The name of a variable that holds a circuit, or an OpenQASM 2 or 3 program.",
}
_NAME: Final = {"type": "string", "description": "The variable that the result goes into."}
_SEED: Final = {
    "type": "integer",
    "minimum": 0,
    "maximum": 2**31 - 1,
    "description": "The same seed, the same counts.",
}
_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
_NOISE: Final[dict[str, Any]] = {
    "depolarizing_1q": {**_SHARE, "description": "Depolarizing probability of each one-qubit gate."},
    "depolarizing_2q": {**_SHARE, "description": "Depolarizing probability of each two-qubit gate."},
    "readout": {**_SHARE, "description": "Probability that a measured bit is read wrongly."},
    "t1_us": {"type": "number", "description": "Relaxation time T1 in microseconds."},
    "t2_us": {"type": "number", "description": "Coherence time T2 in microseconds, at most 2 T1."},
    "gate_1q_ns": {"type": "number", "description": "Duration of a one-qubit gate in nanoseconds (50)."},
    "gate_2q_ns": {"type": "number", "description": "Duration of a two-qubit gate in nanoseconds (300)."},
}
_COUNTS: Final = {"type": "string", "description": "The variable with the counts."}
_EXPECTED: Final = {
    "type": "string",
    "description": (
        "What theory says: a variable with probabilities by outcome, or the circuit as it is meant to be, whose exact "
        "distribution is then computed, with the noise parameters if they are given."
    ),
}


TOOLS: Final = (
    _tool(
        "build_circuit",
        "Put a quantum circuit into a variable, from OpenQASM 2 or 3 text or another variable, look it over "
        "(measurements, unused qubits, gates after a measurement, depth) and draw it in text.",
        _build,
        {"circuit": _CIRCUIT, "name": {**_NAME, "default": "circuit"}},
        ("circuit",),
    ),
    _tool(
        "validate_circuit",
        "Look a quantum circuit over: size, depth, measurements, what is missing, what looks like a mistake.",
        _validate,
        {"circuit": _CIRCUIT},
        ("circuit",),
    ),
    _tool(
        "run_circuit",
        "Run a measured circuit on a simulator and put the counts into a variable. Give a seed, so that it can be "
        "repeated. With any of the noise parameters the gates are rewritten to rz, sx, x, cx and are noisy.",
        _run,
        {
            "circuit": _CIRCUIT,
            "shots": {"type": "integer", "minimum": 1, "maximum": SHOTS_LIMIT, "default": 1000},
            "seed": _SEED,
            "name": {**_NAME, "default": "counts"},
            **_NOISE,
        },
        ("circuit",),
    ),
    _tool(
        "transpile_circuit",
        "Rewrite a circuit to a device's gates and wiring, into a variable; tells depth and two-qubit gates before and "
        "after, and whether it was checked to be the same circuit.",
        _transpile,
        {
            "circuit": _CIRCUIT,
            "basis_gates": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Gates as Qiskit names them.",
            },
            "coupling": {
                "type": ["string", "array"],
                "description": "'line', 'ring', 'all', or pairs of wired qubits such as [[0, 1], [1, 2]].",
            },
            "level": {
                "type": "integer",
                "minimum": 0,
                "maximum": 3,
                "description": "Optimization, 2 if not given.",
            },
            "seed": _SEED,
            "name": {**_NAME, "default": "compiled"},
        },
        ("circuit",),
    ),
    _tool("draw_circuit", "Show a circuit as a picture.", _draw, {"circuit": _CIRCUIT}, ("circuit",)),
    _tool(
        "draw_histogram",
        "Show counts as a histogram, beside the distribution that is expected.",
        _histogram,
        {"counts": _COUNTS, "expected": _EXPECTED, "title": {"type": "string"}, **_NOISE},
        ("counts",),
    ),
    _tool(
        "show_state",
        "Show the state that a circuit without mid-circuit measurement prepares: amplitudes as kets (qubit 0 rightmost, "
        "global phase taken away), each qubit's Bloch vector and its length, and Bloch spheres (up to 8 qubits).",
        _state,
        {
            "circuit": _CIRCUIT,
            "picture": {
                "type": "boolean",
                "description": "Whether the spheres are drawn, too; they are if not given.",
            },
        },
        ("circuit",),
    ),
    _tool(
        "check_counts",
        "Test counts against theory: an exact test with a stated rate of false alarms (one in a million). An outcome "
        "that theory excludes fails at once. Tells what deviation the shots could have shown.",
        _check,
        {
            "counts": _COUNTS,
            "expected": _EXPECTED,
            "false_alarm": {
                "type": "number",
                "minimum": 1e-12,
                "maximum": 0.5,
                "description": "0.000001 if not given.",
            },
            "name": {**_NAME, "default": "check"},
            **_NOISE,
        },
        ("counts", "expected"),
    ),
)
