"""What a crystal costs beyond calling its function, next to the replay that it takes the place of; and its making.

Two tasks, one after the other: goals with values that they came with before, and goals with other values each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from surroundings import clean, median_ms, row, timed

ROUNDS = 80


@dataclass(frozen=True)
class Task:
    """A task: its goal and its code with blanks, values of the runs that it is learned from, and of those measured."""

    what: str
    goal: str
    code: str
    learned: tuple[tuple[str, ...], ...]
    asked: Callable[[int], tuple[str, ...]]


KNOWN = Task(
    "values it had before",
    "How many penguins of `{}` are in penguins.csv, by `{}`?",
    'import pandas as pd\npenguins = pd.read_csv("penguins.csv")\n'
    'chosen = penguins[penguins["species"] == "{}"]\ncounts = chosen["{}"].value_counts()\n'
    "for value, count in counts.items():\n    print(f'{{value}}: {{count}}')\n",
    (("Adelie", "island"), ("Gentoo", "sex"), ("Chinstrap", "island"), ("Adelie", "sex"), ("Gentoo", "island")),
    lambda turn: ("Chinstrap", "sex"),
)
NEW = Task(
    "values new each time",
    "How many penguins in penguins.csv have body_mass_g above {}?",
    'import pandas as pd\npenguins = pd.read_csv("penguins.csv")\n'
    'heavy = penguins[penguins["body_mass_g"] > {}]\nprint(len(heavy))\n',
    (("4000",), ("4500",), ("5000",), ("3500",), ("5200",)),
    lambda turn: (str(3001 + turn),),
)


async def measured(task: Task, folder: Path) -> None:
    """Make the task's crystal in ``folder`` and measure it."""
    from llmos_nb.crystals import CrystalShelf
    from llmos_nb.kernel.events import EventBus
    from llmos_nb.learning.crystal_check import check_crystal
    from llmos_nb.learning.crystal_run import run_crystal
    from llmos_nb.learning.crystallize import crystallize
    from llmos_nb.learning.record import input_digests, recorded_steps
    from llmos_nb.learning.replay import replay
    from llmos_nb.memory import Trace
    from llmos_nb.memory.programs import Bound, Example, generalize
    from llmos_nb.memory.slots import lift
    from llmos_nb.memory.slots.slot import Slot
    from llmos_nb.tools.namespace import PlainNamespace
    from llmos_nb.tools.workbench import Workbench

    namespace = PlainNamespace()

    def bench() -> Workbench:
        return Workbench(
            "bench", namespace=namespace, workspace=folder / "workspace", cwd=folder, grant={"run_cell"},
            publish=EventBus().publish,
        )  # fmt: skip

    examples = []
    with contextlib.redirect_stdout(io.StringIO()):
        for number, values in enumerate(task.learned):
            place = bench()
            await place.call("run_cell", {"code": task.code.format(*values)})
            goal = task.goal.format(*values)
            trace = Trace(
                goal=goal,
                steps=recorded_steps(place.calls),
                inputs=input_digests(place.calls, folder),
                id=f"t{number}",
            )
            examples.append(Example(trace, lift(goal).slots))
    generalization = generalize(examples)

    started = time.perf_counter()
    source = crystallize(generalization, uses=5, successes=5)
    row("making the module", f"{(time.perf_counter() - started) * 1e3:.1f} ms")
    started = time.perf_counter()
    report = check_crystal(source.module(), {e.trace.id: e.trace for e in examples}, cwd=folder, names={})
    assert report.passed, report
    spent = time.perf_counter() - started
    row(f"its tests, {len(report.checks)} runs made again twice", f"{spent:.1f} s")
    crystal = CrystalShelf(folder / "workspace" / "crystals").install(source.name, source.text, report)
    await asyncio.sleep(0.2)

    like = examples[-1].trace
    slots: tuple[Slot, ...] = ()
    bound: object = None

    def ask(turn: int) -> None:
        nonlocal slots, bound
        slots = tuple(lift(task.goal.format(*task.asked(turn))).slots)
        bound = generalization.bind(like.id, slots)

    async def called() -> None:
        assert isinstance(bound, Bound)
        crystal.function(**crystal.arguments(bound.bindings))

    async def crystallized() -> None:
        assert isinstance(bound, Bound), bound
        run = await run_crystal(crystal, bound.bindings, bench(), trace=like, steps=bound.steps, slots=slots)
        assert not run.surprise, run

    async def followed() -> None:
        assert isinstance(bound, Bound)
        run = await replay(like, bound.steps, bench(), slots=slots)
        assert not run.surprise, run

    times: dict[str, list[float]] = {"called": [], "crystallized": [], "followed": []}
    turns = itertools.count()
    with contextlib.redirect_stdout(io.StringIO()):
        for round_ in range(ROUNDS + 5):
            for work in (called, crystallized, followed):  # in turn, so that a slow moment meets all
                ask(next(turns))  # so that none finds what another kept of these values
                seconds = await timed(work)
                if round_ >= 5:
                    times[work.__name__].append(seconds)
    function = median_ms(times["called"])
    row(f"the function alone, {task.what}", f"{function:.1f} ms")
    row("a goal served by it", f"{median_ms(times['crystallized']):.1f} ms")
    row("beyond the function", f"{median_ms(times['crystallized']) - function:.1f} ms", "aim <= 5 ms")
    row("the replay of the same", f"{median_ms(times['followed']):.1f} ms")

    names = crystal.shelf
    started = time.perf_counter()
    for _ in range(1_000):
        names.find(trace_id=like.id)
    row("finding it by a trace", f"{time.perf_counter() - started:.2f} ms")


async def main() -> None:
    for task in (KNOWN, NEW):
        await measured(task, clean())


asyncio.run(main())
