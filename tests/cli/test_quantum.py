"""A GHZ circuit, learned through the real agent software and replayed for other sizes, or not."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")

from llmos_nb import LLMOS
from llmos_nb.domains.quantum import check_counts
from llmos_nb.tools.namespace import PlainNamespace

pytestmark = pytest.mark.cli

GOAL = "Create a {n}-qubit GHZ state circuit"


async def test_learned_with_three_qubits_and_replayed_with_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    space = PlainNamespace()
    names = space.names
    with LLMOS(workspace=tmp_path / "workspace", endpoint="scripted", namespace=space) as llmos:

        async def counted(n: int, mode: str) -> None:
            result = await llmos.execute(GOAL.format(n=n))
            assert (result.status, result.mode) == ("success", mode), result.reason
            assert (result.cost_usd == 0) == (mode == "follower")
            assert names["circuit"].num_qubits == n
            assert check_counts(names["counts"], {"0" * n: 0.5, "1" * n: 0.5})
            assert "agrees with theory" in result.text

        await counted(3, "learner")
        await counted(5, "follower")
        before = names["circuit"], names["counts"], names["n"]
        for n in (0, 1, -2, 200):
            refused = await llmos.execute(GOAL.format(n=n), mode="follower")
            assert refused.status == "failed" and "cannot be made here: 2 to 24 qubits can" in refused.reason
        for other in (
            "Create a 3-qubit W state circuit",
            "Create a 3-qubit GHZ state circuit with noise",
            "Create a 3-qubit GHZ state circuit without measurements",
        ):
            assert (await llmos.execute(other, mode="follower")).status == "failed"
        assert (names["circuit"], names["counts"], names["n"]) == before
        for n in (4, 6, 10):  # values that were turned down are no stain on the trace
            await counted(n, "follower")

        asked = await llmos.execute(GOAL.format(n=0))  # where an agent may be asked, it says so, too
        assert asked.status == "failed" and "A GHZ state on 0 qubits cannot be made here" in asked.text
        await counted(7, "follower")


async def test_the_agents_and_tools_of_the_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    goal = "Build a Bell circuit and run it {n} times"
    space = PlainNamespace()
    with LLMOS(workspace=tmp_path / "workspace", endpoint="scripted", namespace=space) as llmos:
        modes = []
        for n in (2000, 1000, 3000):
            result = await llmos.execute(goal.format(n=n), agent="quantum-architect")
            assert result.status == "success", result.reason
            modes.append(result.mode)
            assert space.names["bell_counts"].shots == n
        assert modes == ["learner", "mixed", "follower"]
        code = str(llmos.code(result.run_id))
        assert "_quantum.run(bell, shots=3000" in code
        shown = await llmos.execute(
            "Show what happens to the Bloch vector of a qubit that becomes entangled", agent="quantum-tutor"
        )
        assert "has length 1.000" in shown.text and "length 0.000" in shown.text
