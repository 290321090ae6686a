"""The tests of crystals: every recorded run made again, and what makes one fail."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.crystals import CrystalShelf
from llmos_nb.crystals.facts import sealed
from llmos_nb.crystals.load import Module, read
from llmos_nb.learning.crystal_check import check_crystal, retest
from llmos_nb.learning.crystal_make import make_crystal
from llmos_nb.learning.crystallize import CrystalSource, crystallize
from llmos_nb.learning.record import input_digests, recorded_steps
from llmos_nb.memory import Trace, TraceStore
from llmos_nb.memory.programs import Example, generalize
from llmos_nb.memory.slots import lift
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.txt").write_text("1\n2\n3\n")
    (tmp_path / "two.txt").write_text("4\n5\n6\n7\n")
    return tmp_path


def record(cwd: Path, goal: str, *cells: str, **names: Any) -> Example:
    async def work() -> Trace:
        space = PlainNamespace()
        space.names.update(names)
        bench = Workbench(
            "run", namespace=space, workspace=cwd / "workspace", cwd=cwd, grant=tuple(TOOLS),
            publish=lambda event: None,
        )  # fmt: skip
        for code in cells:
            call = await bench.call("run_cell", {"code": code})
            assert call.status == "ok", call.result
        return Trace(goal=goal, steps=recorded_steps(bench.calls), inputs=input_digests(bench.calls, cwd))

    trace = asyncio.run(work())
    with TraceStore(cwd / "workspace" / "traces") as store:
        trace = store.add(trace)
    return Example(trace, lift(goal).slots)


def learned(cwd: Path) -> tuple[CrystalSource, dict[str, Trace]]:
    examples = [
        record(
            cwd,
            f"Sum the first {n} numbers of {name}",
            f"numbers = [int(line) for line in open('{name}')]\ntotal = sum(numbers[:{n}])",
            "open('total.txt', 'w').write(str(total))\nprint(total)",
        )
        for name, n in (("one.txt", 2), ("two.txt", 3))
    ]
    source = crystallize(generalize(examples), uses=5, successes=5)
    return source, {example.trace.id: example.trace for example in examples}


def edited(source: CrystalSource, old: str, new: str) -> Module:
    assert old in source.text
    return read(source.text.replace(old, new), f"{source.name}.py", source.name)


def test_every_recorded_run_is_made_again(cwd: Path) -> None:
    source, traces = learned(cwd)
    assert len(source.parameters) == 2
    (cwd / "one.txt").write_text("10\n20\n30\n")  # both do what they do with the file as it is now
    report = check_crystal(source.module(), traces, cwd=cwd, names={})
    assert report.passed and report.digest == source.digest, report
    assert {check.trace_id for check in report.checks} == set(traces)
    assert (cwd / "total.txt").read_text() == "15"  # as the recorded run left it


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("total = sum(numbers[:", "total = sum(numbers[1:", "total has another value"),
        ("total = sum(", "total = 1.0 * sum(", "type float instead of int"),
        ("print(total)", "print(-total)", "it showed"),
        ("total.txt", "sum.txt", "did not write total.txt"),
        ("write(str(total))", "write(str(total) + '!')", "something else into total.txt"),
        ("    print(total)", "    extra = 1\n    print(total)", "defined extra, too"),
        ("numbers = [", "wanted = [", "NameError"),
        ("    print(total)", "    while True: pass", "took more than"),
    ],
)
def test_what_an_edit_changed_is_told(cwd: Path, old: str, new: str, reason: str) -> None:
    source, traces = learned(cwd)
    report = check_crystal(edited(source, old, new), traces, cwd=cwd, names={}, time_limit_s=3)
    assert not report.passed and reason in report.reason


def test_an_edit_that_changes_nothing_passes(cwd: Path) -> None:
    source, traces = learned(cwd)
    module = edited(source, "print(total)", "print(f'{total}')  # the same")
    assert module.edited
    assert check_crystal(module, traces, cwd=cwd, names={}).passed


def test_chance_does_not_count(cwd: Path) -> None:
    examples = [
        record(
            cwd,
            f"Draw {n} random numbers",
            f"import random, time\ndrawn = [random.random() for _ in range({n})]\ndrawn",
        )
        for n in (2, 3)
    ]
    source = crystallize(generalize(examples), uses=5, successes=5)
    traces = {example.trace.id: example.trace for example in examples}
    assert check_crystal(source.module(), traces, cwd=cwd, names={}).passed
    for wrong in ("str(random.random())", "0", "random.random() for _ in 'ab'"):
        report = check_crystal(edited(source, "random.random()", wrong), traces, cwd=cwd, names={})
        assert "of another size or kind" in report.reason


def test_variables_of_the_user_go_along_or_it_is_not_tested(cwd: Path) -> None:
    examples = [record(cwd, f"Take {n} of my items", f"few = items[:{n}]\nfew", items=[1, 2, 3, 4]) for n in (2, 3)]
    source = crystallize(generalize(examples), uses=5, successes=5)
    traces = {example.trace.id: example.trace for example in examples}
    assert check_crystal(source.module(), traces, cwd=cwd, names={"items": [5, 6, 7, 8]}).passed
    assert "not there any more" in check_crystal(source.module(), traces, cwd=cwd, names={}).reason
    stuck = check_crystal(source.module(), traces, cwd=cwd, names={"items": (x for x in [1])})
    assert "cannot be handed to another process" in stuck.reason


def test_a_trace_that_is_gone_or_a_file_fails_its_check(cwd: Path) -> None:
    source, traces = learned(cwd)
    first, _ = sorted(traces)
    report = check_crystal(source.module(), {first: traces[first]}, cwd=cwd, names={})
    assert [check.passed for check in report.checks] == [True, False] and "trace is gone" in report.reason
    (cwd / "two.txt").unlink()
    assert "two.txt is not there any more" in check_crystal(source.module(), traces, cwd=cwd, names={}).reason
    named = {name: dataclasses.replace(trace, environment={"folder": "/x"}) for name, trace in traces.items()}
    assert "the folder /x" in check_crystal(source.module(), named, cwd=cwd, names={}).reason


def test_a_shelf_tests_what_a_person_edited(cwd: Path) -> None:
    source, traces = learned(cwd)
    with TraceStore(cwd / "workspace" / "traces") as store:
        shelf = CrystalShelf(
            cwd / "workspace" / "crystals", tester=lambda module: retest(module, store, cwd=cwd, names={})
        )
        crystal = shelf.install(source.name, source.text, check_crystal(source.module(), traces, cwd=cwd, names={}))
        crystal.path.write_text(source.text.replace("print(total)", "print(total, end='\\n')"))
        assert shelf.due(source.name)
        assert shelf.test(source.name).passed and crystal.status == "ready"
        crystal.path.write_text(sealed(source.text.replace("sum(numbers", "max(numbers")))
        assert not shelf.test(source.name).passed
        assert "total has another value" in crystal.status


def test_runs_that_named_their_variables_otherwise_count(cwd: Path) -> None:
    def cells(name: str, n: int) -> Sequence[str]:
        return [f"{name} = list(range({n}))\n{name}"]

    examples = [
        record(cwd, f"Count up to {n} please", *cells(name, n)) for name, n in (("numbers", 3), ("counted", 4))
    ]
    source = crystallize(generalize(examples), uses=5, successes=5)
    traces = {example.trace.id: example.trace for example in examples}
    assert len(source.facts.examples) == 2
    report = check_crystal(source.module(), traces, cwd=cwd, names={})
    assert report.passed, report


def test_a_family_becomes_a_crystal_once(cwd: Path) -> None:
    source, traces = learned(cwd)
    generalization = generalize([Example(trace, lift(trace.goal).slots) for trace in traces.values()])
    shelf = CrystalShelf(cwd / "workspace" / "crystals")
    made = make_crystal(generalization, shelf, uses=5, successes=5, cwd=cwd, names={})
    assert made.crystal is not None and made.crystal.status == "ready", made
    assert made.report is not None and made.report.passed
    again = make_crystal(generalization, shelf, uses=9, successes=9, cwd=cwd, names={})
    assert again.crystal is None and again.reason == f"there is {source.name} already: ready"
    shelf.remove(source.name)
    gone = make_crystal(generalization, shelf, uses=9, successes=9, cwd=cwd, names={})
    assert gone.crystal is None and "removed" in gone.reason


def test_what_fails_its_tests_is_not_installed(cwd: Path) -> None:
    _, traces = learned(cwd)
    generalization = generalize([Example(trace, lift(trace.goal).slots) for trace in traces.values()])
    (cwd / "one.txt").unlink()
    shelf = CrystalShelf(cwd / "workspace" / "crystals")
    made = make_crystal(generalization, shelf, uses=5, successes=5, cwd=cwd, names={})
    assert made.crystal is None and "one.txt is not there" in made.reason and shelf.names() == []


def test_a_module_of_the_users_own_is_found(cwd: Path) -> None:
    (cwd / "helpers_of_mine.py").write_text("def twice(n):\n    return 2 * n\n")
    sys.path.insert(0, str(cwd))
    try:
        examples = [
            record(cwd, f"Twice {n} by my helper", f"from helpers_of_mine import twice\nresult = twice({n})\nresult")
            for n in (3, 4)
        ]
    finally:
        sys.path.remove(str(cwd))
        sys.modules.pop("helpers_of_mine")
    source = crystallize(generalize(examples), uses=5, successes=5)
    traces = {example.trace.id: example.trace for example in examples}
    report = check_crystal(source.module(), traces, cwd=cwd, names={})
    assert report.passed, report
