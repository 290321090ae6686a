"""What a replay costs beyond running its steps' code, with 10,000 traces in the store."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time

from surroundings import clean, median_ms, row, timed

ROUNDS = 60
STORED = 10_000
GOAL = "How many penguins of each species are in penguins.csv?"
CODE = (
    'import pandas as pd\npenguins = pd.read_csv("penguins.csv")\ncounts = penguins["species"].value_counts()\n'
    "for species, count in counts.items():\n    print(f'{species}: {count}')\n"
)


async def main() -> None:
    folder = clean()
    from llmos_nb import LLMOS
    from llmos_nb.kernel.events import EventBus
    from llmos_nb.learning.record import input_digests, recorded_steps
    from llmos_nb.memory import Step, Trace
    from llmos_nb.tools.namespace import PlainNamespace
    from llmos_nb.tools.workbench import Workbench

    namespace = PlainNamespace()
    system = LLMOS("workspace", endpoint="scripted", namespace=namespace)
    bench = Workbench(
        "bench", namespace=namespace, workspace=folder / "workspace", cwd=folder, grant={"run_cell"},
        publish=EventBus().publish,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        await bench.call("run_cell", {"code": CODE})
        system.traces.add(
            Trace(
                goal=GOAL,
                steps=recorded_steps(bench.calls),
                inputs=input_digests(bench.calls, folder),
                agent="generalist",
                answer="counted",
            )
        )
    started = time.perf_counter()
    for number in range(STORED - 1):
        step = Step(tool="run_cell", arguments={"code": f"value = {number}\nprint(value)"})
        system.traces.add(Trace(goal=f"Print the number {number} and keep it", steps=[step]))
    row(f"storing {STORED} traces", f"{time.perf_counter() - started:.0f} s")

    async def bare() -> None:
        await namespace.run_cell(CODE)

    async def follow() -> None:
        result = await system.execute(GOAL)
        assert result.mode == "follower" and result.ok and not result.stale, result

    plain, replayed = [], []
    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(5):
            await bare()
            await follow()
        for _ in range(ROUNDS):  # in turn, so that a slow moment of the machine meets both
            plain.append(await timed(bare))
            replayed.append(await timed(follow))
    row("the steps' code alone", f"{median_ms(plain):.1f} ms")
    row("the whole replay", f"{median_ms(replayed):.1f} ms")
    row("a replay beyond its code", f"{median_ms(replayed) - median_ms(plain):.1f} ms", "aim <= 30 ms")
    system.close()


asyncio.run(main())
