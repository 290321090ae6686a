"""A trace of the workspace ``workspace``, made by really running a cell."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from llmos_nb import LLMOS
from llmos_nb.learning.record import recorded_steps
from llmos_nb.memory import Trace
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench


def record(goal: str, code: str, answer: str = "It said hello.") -> None:
    async def work() -> list[Any]:
        bench = Workbench(
            "r", namespace=PlainNamespace(), workspace=Path("workspace"), cwd=Path.cwd(), grant=tuple(TOOLS),
            publish=lambda event: None,
        )  # fmt: skip
        await bench.call("run_cell", {"code": code})
        return bench.calls

    steps = recorded_steps(asyncio.run(work()))
    with LLMOS("workspace") as system:
        system.traces.add(Trace(goal=goal, steps=steps, answer=answer, agent="generalist"))
