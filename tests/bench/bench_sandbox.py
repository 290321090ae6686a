"""How long a sandbox takes: cold for a print, warm with numpy; a goal's sandbox to its first answer and to its end.

Aim: 80 ms cold, 25 ms warm with numpy, 1 s to stop. All in one run, in turns, so that what else the machine does meets all
alike; beside what starting bubblewrap and Python takes by itself. The least is nearest to what a quiet machine takes.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from llmos_nb.guard.sandbox import Fence, Limits, Place, Sandbox, fences, run
from llmos_nb.guard.undo import Undo
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.sandboxed import Sandboxed
from llmos_nb.tools.tool import ToolContext

ROUNDS, GOALS = 30, 5
BARE = [sys.executable, "-I", "-S", "-c", "print(1)"]


def ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def told(name: str, took: list[float]) -> None:
    p95 = quantiles(took, n=20)[-1] if len(took) > 2 else max(took)
    print(f"{name:40} least {min(took):6.1f} ms   median {median(took):6.1f} ms   p95 {p95:6.1f} ms")


async def goal(fence: Fence, figures: dict[str, list[float]]) -> None:
    """A goal's sandbox: begun, asked, and stopped while it computes."""
    with tempfile.TemporaryDirectory() as folder:
        one = Sandboxed(PlainNamespace(), Path(folder), Path(folder, "workspace"), "", fence)
        context = ToolContext(
            namespace=one.namespace, workspace=Path(folder, "workspace"), cwd=Path(folder), undo=Undo(),
            stopping=threading.Event(), show=False,
        )  # fmt: skip
        for name in ("goal: first cell", "goal: next cell"):
            started = time.perf_counter()
            await one.call("run_cell", context, {"code": "1 + 1"})
            figures.setdefault(f"{fence.name}, {name}", []).append((time.perf_counter() - started) * 1e3)
        going = asyncio.create_task(one.call("run_cell", context, {"code": "while True: pass"}))
        await asyncio.sleep(0.2)
        context.stopping.set()
        started = time.perf_counter()
        one.stop()
        await going
        await one.end()
        figures.setdefault(f"{fence.name}, goal: stopped", []).append((time.perf_counter() - started) * 1e3)


def turn(fence: Fence, warm: Sandbox, figures: dict[str, list[float]]) -> None:
    """Each figure of a fence, once."""
    launch = fence.launch(Place(), Limits(), Path())
    if launch.command:
        alone = [*launch.command, "true"]
        figures.setdefault(f"{fence.name} by itself", []).append(ms(lambda: subprocess.run(alone, check=True)))
    figures.setdefault(f"{fence.name}, cold", []).append(ms(lambda: run("print(1)", fence=fence)))
    warm.wait_warm()
    code = "import numpy; print(numpy.ones(3).sum())"
    figures.setdefault(f"{fence.name}, warm with numpy", []).append(ms(lambda: warm.run(code)))


working = [fence for fence in fences() if not fence.problem]
for fence in fences():
    if fence.problem:
        print(f"{fence.name}: {fence.problem}")
figures: dict[str, list[float]] = {"Python by itself": []}
warm = {fence.name: Sandbox(fence=fence, warm=1) for fence in working}
for _ in range(ROUNDS):
    figures["Python by itself"].append(ms(lambda: subprocess.run(BARE, capture_output=True, check=True)))
    for fence in working:
        turn(fence, warm[fence.name], figures)
for one in warm.values():
    one.close()
for fence in working:
    for _ in range(GOALS):
        asyncio.run(goal(fence, figures))
for name, took in figures.items():
    told(name, took)
