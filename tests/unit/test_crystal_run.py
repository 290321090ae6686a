"""A goal served by a crystal: the same as a replay leaves, verified; one failure and it is out of use."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.crystals import Check, Crystal, CrystalShelf, Report, use
from llmos_nb.crystals.facts import sealed
from llmos_nb.crystals.offered import as_cell
from llmos_nb.learning.crystal_run import CrystalRun, run_crystal
from llmos_nb.learning.crystallize import crystallize
from llmos_nb.learning.record import input_digests, recorded_steps
from llmos_nb.learning.replay import Replay, replay
from llmos_nb.memory import Trace
from llmos_nb.memory.programs import Bound, Example, generalize
from llmos_nb.memory.slots import lift
from llmos_nb.tools.namespace import Namespace, PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.shell_namespace import ShellNamespace
from llmos_nb.tools.workbench import Workbench

Asked = str | tuple[str, dict[str, Any]]


class Place:
    """Goals recorded, made a function of, and asked for again, each time in a namespace of its own."""

    def __init__(self, cwd: Path, space: Callable[[], Namespace] = PlainNamespace) -> None:
        self.cwd, self.space = cwd, space
        self.examples: list[Example] = []
        self.answers: list[str] = []
        self.bench: Workbench | None = None
        self.grant: tuple[str, ...] = tuple(TOOLS)
        self.shelf = CrystalShelf(cwd / "workspace" / "crystals")

    def make_bench(self, **names: Any) -> Workbench:
        space = self.space()
        space.names.update(names)
        self.bench = Workbench(
            "run", namespace=space, workspace=self.cwd / "workspace", cwd=self.cwd, grant=self.grant,
            publish=lambda event: None,
        )  # fmt: skip
        return self.bench

    @property
    def names(self) -> dict[str, Any]:
        assert self.bench is not None
        return {name: value for name, value in self.bench.namespace.names.items() if not name.startswith("_")}

    def record(self, goal: str, *asked: Asked, answer: str = "Recorded.", **names: Any) -> None:
        async def work() -> None:
            bench = self.make_bench(**names)
            for step in asked:
                tool, arguments = ("run_cell", {"code": step}) if isinstance(step, str) else step
                assert (await bench.call(tool, arguments)).status == "ok"
            trace = Trace(
                goal=goal, steps=recorded_steps(bench.calls), inputs=input_digests(bench.calls, self.cwd),
                id=f"run-{len(self.examples)}", created_at=f"2026-01-0{len(self.examples) + 1}T00:00:00Z", answer=answer,
            )  # fmt: skip
            self.examples.append(Example(trace, lift(goal).slots))

        asyncio.run(work())

    def crystal(self) -> Crystal:
        source = crystallize(generalize(self.examples), uses=5, successes=5)
        return self.shelf.install(source.name, source.text, Report(source.digest, (Check("all", True),)))

    def bound(self, goal: str) -> tuple[Bound, Trace]:
        trace = self.examples[-1].trace
        bound = generalize(self.examples).bind(trace.id, lift(goal).slots)
        assert isinstance(bound, Bound), bound
        return bound, trace

    def serve(self, crystal: Crystal, goal: str, *, bare: bool = False, **names: Any) -> CrystalRun:
        bound, trace = self.bound(goal)
        slots = lift(goal).slots
        recorded = [(example.trace, example.slots) for example in reversed(self.examples)]

        async def work() -> CrystalRun:
            bench = self.make_bench(**names)
            if bare:
                return await run_crystal(crystal, bound.bindings, bench)
            return await run_crystal(
                crystal, bound.bindings, bench, trace=trace, steps=bound.steps, slots=slots, recorded=recorded
            )

        return asyncio.run(work())

    def replay(self, goal: str, **names: Any) -> Replay:
        bound, trace = self.bound(goal)

        async def work() -> Replay:
            return await replay(trace, bound.steps, self.make_bench(**names))

        return asyncio.run(work())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.chdir(tmp_path)
    for name, numbers in (("one", (1, 2, 3)), ("two", (4, 5)), ("three", (7, 8, 9, 10))):
        (tmp_path / f"{name}.txt").write_text("".join(f"{number}\n" for number in numbers))
    yield Place(tmp_path)
    use(None)


def learn(place: Place) -> Crystal:
    for name, n in (("one.txt", 3), ("two.txt", 2)):
        place.record(
            f"Write the largest of the first {n} numbers of {name} down",
            f"numbers = [int(line) for line in open('{name}')][:{n}]\nlargest = max(numbers)\nnumbers",
            "open('largest.txt', 'w').write(f'{largest}')\nprint('largest:', largest)",
        )
    return place.crystal()


GOAL = "Write the largest of the first {n} numbers of {name} down"


def goal(name: str, n: int) -> str:
    return GOAL.format(name=name, n=n)


@pytest.mark.parametrize("bare", [False, True])
def test_it_leaves_what_a_replay_leaves(place: Place, bare: bool, capsys: pytest.CaptureFixture[str]) -> None:
    crystal = learn(place)
    asked = goal("three.txt", 2)
    assert place.replay(asked).surprise == ""
    replayed, written = place.names, (place.cwd / "largest.txt").read_text()
    (place.cwd / "largest.txt").unlink()
    capsys.readouterr()
    run = place.serve(crystal, asked, bare=bare)
    assert run.surprise == "" and not run.demoted
    assert place.names == replayed and replayed["largest"] == 8
    assert (place.cwd / "largest.txt").read_text() == written == "8"
    assert capsys.readouterr().out == "[7, 8]\nlargest: 8\n"
    assert run.basis == "rederived" if not bare else run.stale and "largest: 8" in run.answer


def test_the_recorded_values_have_the_recorded_answer(place: Place) -> None:
    for n in (3, 4):
        place.record(
            f"Add up {n} ones", f"total = sum([1] * {n})\nprint('total', total)", answer=f"The total is {n}."
        )
    crystal = place.crystal()
    run = place.serve(crystal, "Add up 4 ones")
    assert (run.answer, run.basis) == ("The total is 4.", "recorded")
    run = place.serve(crystal, "Add up 6 ones")
    assert run.basis in ("rederived", "outputs")
    assert "4" not in run.answer and "6" in run.answer


def test_one_failure_puts_everything_back_and_ends_its_use(place: Place) -> None:
    crystal = learn(place)
    edit(crystal, "print('largest:', largest)", "raise RuntimeError('broken')")
    (place.cwd / "largest.txt").write_text("old")
    run = place.serve(crystal, goal("one.txt", 2), largest="mine")
    assert "RuntimeError: broken" in run.surprise and run.demoted and not run.not_restored
    assert place.names["largest"] == "mine" and (place.cwd / "largest.txt").read_text() == "old"
    other_kernel = CrystalShelf(place.shelf.folder)
    assert "RuntimeError" in other_kernel.refusal(crystal.name)
    again = place.serve(crystal, goal("one.txt", 2))
    assert "not in use" in again.surprise and again.call is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("largest = max(numbers)", "largest = float(max(numbers))", "float instead of int"),
        ("    numbers = [", "    counted = numbers = [", ""),  # more names are no harm
        ("f'{largest}')", "f'{largest}')\n    open('more.txt', 'w').close()", "more.txt"),
        ("print('largest:', largest)", "print('largest:', largest)\n    _show(None)", ""),
        ("    _show(numbers)", "    print(numbers)", ""),  # text is text
        ("open('largest.txt'", "open('smallest.txt'", "smallest.txt"),
    ],
)
def test_what_comes_out_otherwise_is_put_back(place: Place, old: str, new: str, reason: str) -> None:
    crystal = learn(place)
    edit(crystal, old, new)
    run = place.serve(crystal, goal("three.txt", 3))
    assert (reason in run.surprise) if reason else run.surprise == ""
    assert run.demoted == bool(reason)
    if reason:
        assert "largest" not in place.names
        assert not (place.cwd / "more.txt").exists() and not (place.cwd / "smallest.txt").exists()
        assert (place.cwd / "largest.txt").read_text() == "5"  # as the last recorded run left it


def test_a_file_that_is_missing_stops_it_before_it_begins(place: Place) -> None:
    crystal = learn(place)
    run = place.serve(crystal, goal("four.txt", 2))
    assert run.surprise == "the file four.txt is not there"
    assert not run.demoted and run.call is None and crystal.status == "ready"


def test_values_that_do_not_fit_do_not_speak_against_it(place: Place) -> None:
    (place.cwd / "table.csv").write_text("city,price,weight\na,1,2\nb,3,4\n")
    for column in ("price", "weight"):
        place.record(
            f"Mean of `{column}` in the table",
            f"import pandas as pd\ntable = pd.read_csv('table.csv')\nmean = table['{column}'].mean()\nprint(mean)",
        )
    crystal = place.crystal()
    run = place.serve(crystal, "Mean of `size` in the table")
    assert "size" in run.surprise and not run.demoted and crystal.status == "ready"
    assert "table" not in place.names
    assert place.serve(crystal, "Mean of `weight` in the table").surprise == ""


def test_what_the_guard_refuses_is_not_begun(place: Place) -> None:
    for name in ("a.txt", "b.txt"):
        place.record(f"Put a word into {name} for me", f"open('{name}', 'w').write('word')\nprint('done')")
    crystal = place.crystal()
    outside = place.cwd.parent / "outside.txt"

    async def work() -> CrystalRun:
        parameter = str(crystal.facts.parameters[0]["from"])
        return await run_crystal(crystal, {parameter: str(outside)}, place.make_bench())

    run = asyncio.run(work())
    assert "GuardDenied" in run.surprise and not run.demoted
    assert not outside.exists() and crystal.status == "ready"


def test_without_the_grant_of_cells_it_is_refused(place: Place) -> None:
    crystal = learn(place)
    bench_grant: list[CrystalRun] = []

    async def work() -> None:
        place.grant = ("read_file",)
        bench = place.make_bench()
        bench_grant.append(await run_crystal(crystal, place.bound(goal("one.txt", 2))[0].bindings, bench))

    asyncio.run(work())
    assert "was refused" in bench_grant[0].surprise and not bench_grant[0].demoted


def test_a_stop_puts_everything_back(place: Place) -> None:
    crystal = learn(place)

    async def work() -> CrystalRun:
        bench = place.make_bench(largest="mine")
        bench.stopping.set()
        return await run_crystal(crystal, place.bound(goal("one.txt", 2))[0].bindings, bench)

    run = asyncio.run(work())
    assert run.surprise and not run.demoted
    assert place.names["largest"] == "mine" and "numbers" not in place.names


def test_variables_it_needs_are_kept_for_undo(place: Place) -> None:
    for n in (2, 3):
        place.record(
            f"Take {n} of the items out", f"out = [items.pop() for _ in range({n})]\nout", items=list("abcdef")
        )
    crystal = place.crystal()
    items = list("abcdef")
    assert place.serve(crystal, "Take 4 of the items out", items=items).surprise == ""
    assert place.names["out"] == list("fedc") and items == ["a", "b"]
    edit(crystal, "    return out", "    raise ValueError")
    items = list("abcdef")
    run = place.serve(crystal, "Take 4 of the items out", items=items)
    assert run.demoted and items == list("abcdef")
    place.shelf.enable(crystal.name)
    missing = place.serve(crystal, "Take 4 of the items out")
    assert "items" in missing.surprise and not missing.demoted


def test_bindings_of_another_generalization_are_refused(place: Place) -> None:
    crystal = learn(place)

    async def work() -> CrystalRun:
        return await run_crystal(crystal, {"nonsense": 1}, place.make_bench())

    assert "nonsense" in asyncio.run(work()).surprise and crystal.status == "ready"


def test_in_a_notebook_displays_are_those_of_cells(place: Place, ipython: Any) -> None:
    ipython.user_ns.pop("table", None)
    place.space = lambda: ShellNamespace(ipython)
    for n in (2, 3):
        place.record(
            f"Show a table of {n} rows twice",
            f"import pandas as pd\ntable = pd.DataFrame({{'a': range({n})}})\ntable",
            "print('and again')\ntable.T",
        )
    kinds = [step.expect.outputs for step in place.examples[-1].trace.steps]
    assert kinds == [("text/html",), ("stream", "text/html")]
    crystal = place.crystal()
    run = place.serve(crystal, "Show a table of 4 rows twice")
    assert run.surprise == "" and run.call is not None and run.call.result is not None
    assert [output.mime for output in run.call.result.outputs] == ["text/html", "stream", "text/html"]
    edit(crystal, "    return table.T", "    table.T")
    run = place.serve(crystal, "Show a table of 4 rows twice")
    assert "instead of text/html, stream, text/html" in run.surprise and run.demoted


def edit(crystal: Crystal, old: str, new: str) -> None:
    """Change the function as if it had always been so, its tests passed."""
    text = crystal.source
    assert old in text
    changed = sealed(text.replace(old, new))
    crystal.path.write_text(changed)
    module = crystal.shelf.module(crystal.name)
    crystal.shelf.keep_report(crystal.name, Report(module.digest, (Check("all", True),)))


def test_a_result_is_a_value() -> None:
    assert dataclasses.replace(CrystalRun(), basis="outputs").stale and not CrystalRun().stale


def test_what_an_agent_did_with_a_crystal_is_replayed(place: Place) -> None:
    crystal = learn(place)
    use(place.shelf)
    names = {str(p["from"]): str(p["name"]) for p in crystal.facts.parameters}
    path, n = (next(name for name in names.values() if crystal.schema["properties"][name]["type"] == kind)
               for kind in ("string", "integer"))  # fmt: skip

    async def live() -> Trace:
        bench = place.make_bench()
        call = await bench.call(*as_cell(place.shelf, f"crystal_{crystal.name}", {path: "three.txt", n: 2}))
        assert call.status == "ok", call.result
        return Trace(
            goal="with a tool", steps=recorded_steps(bench.calls), inputs=input_digests(bench.calls, place.cwd)
        )

    trace = asyncio.run(live())
    assert trace.steps[0].tool == "run_cell" and trace.replayable
    (place.cwd / "largest.txt").unlink()

    async def again() -> Replay:
        return await replay(trace, trace.steps, place.make_bench())

    assert asyncio.run(again()).surprise == ""
    assert place.names["largest"] == 8 and (place.cwd / "largest.txt").read_text() == "8"
    place.shelf.demote(crystal.name, "it went wrong")
    assert "not in use" in asyncio.run(again()).surprise
    assert "largest" not in place.names


def test_each_step_has_its_own_figure(place: Place, ipython: Any) -> None:
    mpl = pytest.importorskip("matplotlib")
    import matplotlib.pyplot as plt
    from IPython.core.pylabtools import select_figure_formats

    before = mpl.get_backend()
    plt.close("all")  # a figure that somebody left open would be drawn into
    ipython.display_pub.publish = lambda data, metadata=None, **options: None
    place.space = lambda: ShellNamespace(ipython)
    try:
        plt.switch_backend("module://matplotlib_inline.backend_inline")  # as %matplotlib inline does in a kernel
        plt.ion()
        select_figure_formats(ipython, {"png"})
        for n in (2, 3):
            place.record(
                f"Plot {n} points and their squares",
                f"import matplotlib.pyplot as plt\nxs = list(range({n}))\nlines = plt.plot(xs)",
                "more = plt.plot([x**2 for x in xs])\nfigures = len(plt.gca().lines)",
            )
        assert [step.expect.outputs for step in place.examples[-1].trace.steps] == [("image/png",), ("image/png",)]
        crystal = place.crystal()
        run = place.serve(crystal, "Plot 4 points and their squares")
        assert run.surprise == "" and place.names["figures"] == 1
    finally:
        plt.close("all")
        plt.ioff()
        plt.switch_backend(before)
