"""The pack's tools on a workbench, its agents, and its scripts: what they say, refuse, and would notice."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")
from qiskit import QuantumCircuit

from llmos_nb.cortex.scripted.library import pack_scripts
from llmos_nb.cortex.scripted.passage import Scope
from llmos_nb.domains.quantum import PACK, QuantumError, check_counts, from_qasm, measured, run, try_removals
from llmos_nb.guard.policy import BUILT_IN_TOOLS
from llmos_nb.mind.agent_file import read_agent
from llmos_nb.tools.cell import with_parameters
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.packs import installed_packs
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call, Workbench

BELL = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c[0] = measure q[0]; '
    "c[1] = measure q[1];"
)
NAMES = [tool.name for tool in PACK.tools]


class Bench:
    """A workbench whose variables stay."""

    def __init__(self, cwd: Path) -> None:
        self.namespace = PlainNamespace()
        self.names = self.namespace.names
        self.cwd = cwd

    def made(self, tool: str, **arguments: Any) -> Call:
        async def work() -> Call:
            bench = Workbench(
                "run-1",
                workspace=self.cwd / "workspace",
                cwd=self.cwd,
                namespace=self.namespace,
                grant=tuple(TOOLS),
                publish=lambda _: None,
            )
            return await bench.call(tool, arguments)

        return asyncio.run(work())

    def call(self, tool: str, **arguments: Any) -> ToolResult:
        result = self.made(tool, **arguments).result
        assert result is not None
        return result


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path)


def test_the_pack_is_offered_with_nothing_wrong() -> None:
    found = installed_packs(anew=True)
    assert [str(problem) for problem in found.problems if "quantum" in str(problem)] == []
    assert set(NAMES) <= set(found.tools)
    assert [str(problem) for problem in pack_scripts()[1] if "quantum" in str(problem)] == []


@pytest.mark.parametrize("name", ["quantum-architect", "quantum-tutor"])
def test_its_agents_are_granted_tools_that_exist(name: str) -> None:
    assert PACK.folder is not None
    agent = read_agent(PACK.folder / "agents" / f"{name}.md")
    assert set(agent.tools) <= {*TOOLS, *BUILT_IN_TOOLS}


def test_from_a_program_to_a_tested_histogram(bench: Bench) -> None:
    built = bench.call("build_circuit", circuit=BELL, name="bell")
    assert "ready to run" in built.text and "q_0: ┤ H ├" in built.text
    assert built.defines == {"bell": "QuantumCircuit"}
    counted = bench.call("run_circuit", circuit="bell", shots=1000, seed=3)
    assert counted.defines == {"counts": "Counts"}
    assert "1000 shots, no noise" in counted.text
    assert bench.names["counts"] == run(bench.names["bell"], 1000, 3)
    bench.names["theory"] = {"00": 0.5, "11": 0.5}
    for expected in ("theory", "bell", BELL):
        checked = bench.call("check_counts", counts="counts", expected=expected)
        assert checked.text.startswith("agrees with theory") and "99 times in 100" in checked.text
    drawn = bench.call("draw_histogram", counts="counts", expected="theory", title="Bell")
    assert drawn.text.startswith("<Figure")  # in a notebook it is shown
    assert bench.call("draw_circuit", circuit="bell").text.startswith("<Figure")
    made = bench.call("transpile_circuit", circuit="bell", coupling=[[0, 1]], level=1)
    assert "two-qubit gates" in made.text and made.defines["compiled"] == "QuantumCircuit"
    bare = "OPENQASM 2.0; qreg q[1]; U(0, 0, 0) q[0];"
    assert "problem: nothing is measured" in bench.call("validate_circuit", circuit=bare).text


def test_noise_in_a_call(bench: Bench) -> None:
    bench.call("build_circuit", circuit=BELL, name="bell")
    noise = {"depolarizing_2q": 0.05, "readout": 0.02}
    noisy = bench.call("run_circuit", circuit="bell", shots=2000, seed=3, name="noisy", **noise)
    assert "depolarizing 0.05 a two-qubit gate; read-out errors" in noisy.text
    assert "DOES NOT AGREE" in bench.call("check_counts", counts="noisy", expected="bell").text
    assert bench.call("check_counts", counts="noisy", expected="bell", **noise).text.startswith("agrees")


def test_a_state_with_its_spheres(bench: Bench) -> None:
    shown = bench.call(
        "show_state", circuit='OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
    )
    assert "|q1 q0>" in shown.text and "length 0.000" in shown.text
    assert [output.mime for output in shown.outputs] == ["stream", "text/plain"]
    bench.names["plus"] = QuantumCircuit(1)
    assert [o.mime for o in bench.call("show_state", circuit="plus", picture=False).outputs] == ["stream"]


def test_a_call_stands_for_a_cell_that_a_person_can_run(bench: Bench) -> None:
    tool = TOOLS["run_circuit"]
    assert tool.cell is not None
    assert tool.cell({"circuit": "bell", "shots": 100, "seed": 1, "readout": 0.1, "name": "noisy"}) == (
        "from llmos_nb.domains import quantum as _quantum\n\n"
        "noisy = _quantum.run(bell, shots=100, seed=1, noise=_quantum.Noise(readout=0.1))\nprint(noisy.summary)"
    )
    assert tool.cell({"circuit": BELL}).count(repr(BELL)) == 1


@pytest.mark.parametrize("tool", NAMES)
@pytest.mark.parametrize("text", ["'); import os; os.remove('x') #", '"""\n', "a\nb", "x; y", "f'{x}'", "\\"])
def test_no_argument_is_code(tool: str, text: str) -> None:
    """Whatever the arguments say, the cell is the same calls: what is not a name is a text in them."""
    import ast

    found = TOOLS[tool]
    arguments: dict[str, Any] = {
        key: text for key in ("circuit", "expected", "title") if key in found.schema["properties"]
    }
    if "counts" in found.schema["properties"]:
        arguments["counts"] = "counts"
    assert found.cell is not None
    calls = [ast.unparse(n.func) for n in ast.walk(ast.parse(found.cell(arguments))) if isinstance(n, ast.Call)]
    assert all(call.startswith("_quantum.") or call == "print" for call in calls)
    if "counts" in arguments:
        with pytest.raises(QuantumError, match="cannot be the name of a variable"):
            found.cell({**arguments, "counts": text})


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("build_circuit", {"circuit": "gone"}, "name 'gone' is not defined"),
        ("build_circuit", {"circuit": "h q;"}, "does not begin with its version"),
        ("build_circuit", {"circuit": "number"}, "must be a QuantumCircuit or OpenQASM text, got int"),
        ("run_circuit", {"circuit": "bare"}, "nothing is measured"),
        ("run_circuit", {"circuit": BELL, "t2_us": 5}, "t2_us needs t1_us"),
        ("check_counts", {"counts": "gone", "expected": BELL}, "name 'gone' is not defined"),
        (
            "check_counts",
            {"counts": "number", "expected": BELL},
            "counts is a mapping of outcomes to numbers, got int",
        ),
        ("draw_histogram", {"counts": "number"}, "counts is a mapping of outcomes to numbers, got int"),
        ("transpile_circuit", {"circuit": BELL, "coupling": "star"}, "coupling is 'line'"),
        ("transpile_circuit", {"circuit": BELL, "coupling": [[0]]}, "two different qubits"),
    ],
)
def test_what_goes_wrong_is_told(bench: Bench, tool: str, arguments: dict[str, Any], said: str) -> None:
    bench.names["number"], bench.names["bare"] = 3, QuantumCircuit(1)
    before = dict(bench.names)
    result = bench.call(tool, **arguments)
    assert result.error == ("NameError" if "not defined" in said else "QuantumError") and said in result.text
    assert {name: value for name, value in bench.names.items() if name in before} == before


@pytest.mark.parametrize("name", ["1st", "class", "_hidden", "get_ipython", "a b", ""])
def test_names_that_are_none_are_refused(bench: Bench, name: str) -> None:
    before = dict(bench.names)
    assert "cannot be the name of a variable" in bench.call("build_circuit", circuit=BELL, name=name).text
    assert bench.names == before


@pytest.mark.parametrize(
    "arguments", [{"shots": 0}, {"shots": 10**9}, {"seed": -1}, {"readout": 1.5}, {"shots": "many"}]
)
def test_numbers_out_of_range_never_get_to_the_tool(bench: Bench, arguments: dict[str, Any]) -> None:
    assert TOOLS["run_circuit"].problem({"circuit": BELL, **arguments})


def test_without_qiskit_the_tools_say_what_to_install(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from llmos_nb.tools import pack_tool

    real = importlib.util.find_spec
    monkeypatch.setattr(pack_tool, "find_spec", lambda name, *rest: None if name == "qiskit" else real(name))
    call = bench.made("run_circuit", circuit=BELL)
    assert call.result is None and "pip install 'llmos-nb[quantum]'" in call.verdict.reason


# ---------------------------------------------------------------- the circuits of the scripts


def played(name: str, **values: Any) -> dict[str, Any]:
    """The names that a script's code leaves, run with these values as its parameters."""
    script = next(script for script in pack_scripts()[0] if script.name == name)
    names: dict[str, Any] = {}
    for turn in script.turns:
        for call in turn.calls:
            if call.tool == "run_cell":
                code, _ = call.arguments["code"].fill(Scope())  # type: ignore[union-attr]
                declared = values if "parameters" in call.arguments else {}
                exec(with_parameters(code, declared), names)
    return names


def bell() -> QuantumCircuit:
    script = next(script for script in pack_scripts()[0] if script.name == "bell-circuit")
    return from_qasm(script.turns[0].calls[0].arguments["circuit"].fill(Scope())[0])  # type: ignore[union-attr]


@functools.cache
def circuits() -> dict[str, tuple[QuantumCircuit, dict[str, Any]]]:
    """Every circuit that the scripts make, and how it has to be looked at."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        vqe = played("h2-vqe")
        return {
            "bell": (bell(), {}),
            "ghz": (played("ghz-state", n=3)["circuit"], {}),
            "ghz of five": (played("ghz-state", n=5)["circuit"], {}),
            "w": (played("w-state", n=4)["w_circuit"], {}),
            "grover": (played("grover", marked="110")["search"], {}),
            "grover of four": (played("grover", marked="0010")["search"], {}),
            "teleportation": (
                played("teleportation", theta=1.1, phi=0.7)["teleport"],
                {"bases": "ZXY", "qubits": [2], "shots": 1500},
            ),
            "teleportation elsewhere": (
                played("teleportation", theta=2.5, phi=-0.4)["teleport"],
                {"bases": "ZXY", "qubits": [2], "shots": 3000},
            ),
            "hydrogen": (vqe["trial"](vqe["best"]), {"bases": "ZX"}),
        }


@pytest.mark.parametrize(
    "name",
    [
        "bell",
        "ghz",
        "ghz of five",
        "w",
        "grover",
        "grover of four",
        "teleportation",
        "teleportation elsewhere",
        "hydrogen",
    ],
)
def test_the_test_fails_without_any_one_operation(name: str) -> None:
    """At one false alarm in a million, whichever gate, measurement or correction is taken out."""
    circuit, options = circuits()[name]
    tried = try_removals(circuit, false_alarm=1e-6, **options)
    listed = "\n".join(f"{removal.removed}: {removal.seen_in or 'NOT SEEN'}" for removal in tried)
    assert tried and all(removal.seen for removal in tried), listed


@pytest.mark.parametrize("marked", ["00", "11", "000", "110", "0010", "11111"])
def test_grover_has_the_known_probability_and_no_better_number(marked: str) -> None:
    import contextlib
    import io
    import math

    from llmos_nb.domains.quantum import probabilities

    with contextlib.redirect_stdout(io.StringIO()):
        names = played("grover", marked=marked)
    n, k = len(marked), names["iterations"]
    theta = math.asin(1 / math.sqrt(2**n))
    assert probabilities(names["search"])[marked] == pytest.approx(math.sin((2 * k + 1) * theta) ** 2)
    first = math.ceil(math.pi / (2 * theta))
    assert max(range(first), key=lambda i: math.sin((2 * i + 1) * theta) ** 2) == k


@pytest.mark.parametrize("n", [2, 3, 6])
def test_ghz_and_w_states_are_what_they_are_called(n: int) -> None:
    import contextlib
    import io

    import numpy as np

    from llmos_nb.domains.quantum import fidelity, probabilities, statevector

    with contextlib.redirect_stdout(io.StringIO()):
        ghz, w = played("ghz-state", n=n)["circuit"], played("w-state", n=n)["w_circuit"]
    wanted = np.zeros(2**n)
    wanted[[0, -1]] = 1 / np.sqrt(2)
    assert fidelity(statevector(ghz), wanted) == pytest.approx(1)
    one = np.zeros(2**n)
    one[[2**i for i in range(n)]] = 1 / np.sqrt(n)
    assert fidelity(statevector(w), one) == pytest.approx(1)
    bare = ghz.remove_final_measurements(inplace=False)
    even = probabilities(measured(bare, "X"))
    assert all(key.count("1") % 2 == 0 for key in even) and len(even) == 2 ** (n - 1)


@pytest.mark.parametrize(("script", "n"), [("ghz-state", n) for n in (-2, 0, 1, 25, 200)] + [("ghz-noise", 11)])
def test_numbers_of_qubits_that_cannot_be_are_turned_down(script: str, n: int) -> None:
    with pytest.raises(QuantumError, match="cannot be made here"):
        played(script, n=n)


def test_a_mixture_is_no_ghz_state() -> None:
    """Counts of one basis cannot tell a GHZ state from a coin that decides between 000 and 111; those in X can."""
    coin = QuantumCircuit(3)
    coin.h(0)
    for qubit in range(2):
        coin.cx(qubit, qubit + 1)
    mixed = coin.copy()
    mixed.add_register(from_qasm("OPENQASM 2.0; creg lost[1]; qreg a[1];").cregs[0])
    mixed.measure(0, 0)
    theory = {f"{key} {bit}": 0.5 for key, bit in (("000", 0), ("111", 1))}
    assert check_counts(run(measured(mixed), 2000, 1), theory)
    parity = {"0": 0, "1": 0}
    for key, count in run(measured(mixed, "X"), 2000, 1).items():
        parity[str(key.split()[0].count("1") % 2)] += count
    assert not check_counts(parity, {"0": 1.0}) and check_counts(parity, {"0": 0.5, "1": 0.5})
