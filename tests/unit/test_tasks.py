"""End to end: tasks that are learned from two value sets and asked for with others; and that the sets are fair."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sets"))

from compare import different_value
from harness import Find, different, fresh, outcomes
from pairs import near_misses, paraphrases
from task import Steps, Task, Values
from tasks import LIMITS, TASKS

from llmos_nb.memory import Match, TraceStore
from llmos_nb.memory.trace import as_record, from_record

ALL = [task for tasks in TASKS.values() for task in tasks]
#: Goals with new values that are served right at least: what was measured, so that it cannot get less.
SERVED = {
    "mean by group": 12,
    "top rows": 9,
    "rows above a limit": 4,
    "count rows": 6,
    "fill gaps": 3,
    "rolling mean": 9,
    "rename a column": 3,
    "between dates": 9,
    "share of a city": 9,
    "first rows to a file": 9,
    "back up": 6,
    "settings file": 3,
    "lines with a word": 3,
    "to JSON": 3,
    "head of a log": 6,
    "histogram": 9,
    "scatter": 9,
    "bars": 9,
    "line with a title": 3,
    "below each other": 3,
    "loans of a member": 6,
    "books of some years": 9,
    "add a book": 6,
    "set copies": 6,
    "rotation": 9,
    "sampling": 9,
    "two links": 6,
    "raise": 9,
    "controller": 3,
    "difference of groups": 9,
    "percentile": 9,
    "outliers": 5,
    "polynomial": 6,
    "common words": 7,
    "replace a word": 6,
    "occurrences": 6,
    "multiplication table": 7,
}


@pytest.fixture(autouse=True)
def _no_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")  # in these tests only: kernels that others start draw inline


@pytest.mark.parametrize("task", ALL, ids=[task.name for task in ALL])
def test_what_is_served_equals_a_fresh_run(task: Task, tmp_path: Path) -> None:
    found = outcomes(task, tmp_path)
    wrong = [f"{o.goal!r} ({o.lesson}): {o.reason}" for o in found if o.end == "wrong"]
    assert not wrong, "\n".join(wrong)
    again = [o for o in found if o.values in (0, 1)]
    assert [o.end for o in again] == ["right"] * 4, [o.reason for o in again]
    assert sum(o.end == "right" for o in found if o.values > 1) >= SERVED.get(task.name, 0)


@pytest.mark.parametrize("task", [*ALL, *LIMITS], ids=lambda task: task.name)
def test_a_task_can_tell_right_from_wrong(task: Task, tmp_path: Path) -> None:
    """Its truth comes out the same each time, and no value set has the outcome of another."""
    assert len(task.values) == 5 and len(task.phrasings) >= 2
    truths = [fresh(task, v, tmp_path / f"{i}", steps=task.truth(v)) for i, v in enumerate(task.values)]
    for index, (values, truth) in enumerate(zip(task.values, truths, strict=True)):
        if truth.error:
            assert index > 1 and (index in task.refuse or task.reference), truth.error
            continue
        again = fresh(task, values, tmp_path / f"again-{index}", steps=task.truth(values))
        assert different(task.probe, values, truth, again) == ""
        for other in truths[:index]:
            assert other.error or different(task.probe, values, other, truth)


@pytest.mark.parametrize("task", [task for task in ALL if task.refuse], ids=lambda task: task.name)
def test_putting_new_values_into_the_text_is_wrong_where_it_should_be_refused(task: Task, tmp_path: Path) -> None:
    """What makes the traps traps: the learned program with its values replaced does not do what is right."""
    for index in sorted(task.refuse):
        values = task.values[index]
        truth = fresh(task, values, tmp_path / f"truth-{index}", steps=task.truth(values))
        for learned in (0, 1):
            steps = replaced(task, task.values[learned], values)
            run = fresh(task, values, tmp_path / f"{learned}-{index}", steps=steps)
            assert run.error or different(task.probe, values, truth, run)


def replaced(task: Task, old: Values, new: Values) -> Steps:
    """The program for ``old`` with every value replaced, as a careless template would."""
    texts = {text: other for name in old for text, other in zip(said(old[name]), said(new[name]), strict=False)}
    found = re.compile("|".join(sorted(map(re.escape, texts), key=len, reverse=True)))
    return [
        {**step, "arguments": {k: found.sub(lambda m: texts[m[0]], v) for k, v in step["arguments"].items()}}
        for step in task.program(old)
    ]


def careless(task: Task) -> Find:
    """A matcher that takes the newest trace and replaces the values in its text, whatever that may mean."""
    values_of = {task.goal(values, p): values for values in task.values for p in range(len(task.phrasings))}

    def find(store: TraceStore, goal: str, known: Mapping[str, list[str]]) -> Match:
        stored = store.get(store.rows()[0]["id"])
        old, new = values_of[stored.goal], values_of[goal]
        texts = {text: other for name in old for text, other in zip(said(old[name]), said(new[name]), strict=False)}
        found = re.compile("|".join(sorted(map(re.escape, texts), key=len, reverse=True)))
        trace = from_record(put(as_record(stored), lambda text: found.sub(lambda m: texts[m[0]], text)))
        return Match("rebind", 1.0, stored.id, steps=trace.replayable_steps, trace=trace)

    return find


def put(record: Any, change: Callable[[str], str], names: bool = False) -> Any:
    """The record with every text changed, and the names of variables and files."""
    if isinstance(record, Mapping):
        inner = ("defines", "columns", "inputs")
        return {change(k) if names else k: put(v, change, k in inner) for k, v in record.items()}
    if isinstance(record, list | tuple):
        return [put(item, change) for item in record]
    return change(record) if isinstance(record, str) else record


def ends(task: str, tmp_path: Path, index: int) -> set[str]:
    [found] = [one for one in ALL if one.name == task]
    return {o.end for o in outcomes(found, tmp_path, find=careless(found)) if o.values == index}


@pytest.mark.parametrize(
    ("task", "index", "end"),
    [
        ("mean by group", 3, "right"),
        ("rename a column", 3, "stopped"),
        ("scatter", 3, "right"),
        ("back up", 2, "wrong"),
        ("books of some years", 3, "right"),
        ("between dates", 3, "wrong"),
        ("number the letters", 2, "wrong"),
        ("forget a member's loans", 4, "stopped"),
        ("below each other", 2, "wrong"),
        ("count rows", 3, "stopped"),
        ("set copies", 4, "stopped"),
    ],
)
def test_the_harness_sees_what_a_careless_matcher_does(task: str, index: int, end: str, tmp_path: Path) -> None:
    assert ends(task, tmp_path, index) == {end}


def said(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, tuple) else [str(value)]


def test_there_are_enough_tasks_of_every_field() -> None:
    assert len(ALL) >= 36 and len({task.name for task in ALL}) == len(ALL)
    assert min(map(len, TASKS.values())) >= 5
    assert sum(bool(task.refuse) for task in ALL) >= 8
    goals = [task.goal(values, p) for task in ALL for values in task.values for p in range(len(task.phrasings))]
    assert len(set(goals)) == len(goals)


@pytest.mark.parametrize(
    ("a", "b"),
    [(1, 2), (1, 1.5), (0.1, 0.1001), ([1], [1, 2]), ({"a": 1}, {"b": 1}), ("x", "y"), (True, 1), (None, 0)],
)
def test_values_that_differ_are_told_apart(a: object, b: object) -> None:
    assert different_value(a, b) and different_value(b, a)
    assert different_value(a, a) == different_value(b, b) == ""


def test_a_whole_number_is_one_value_however_it_is_written() -> None:
    assert different_value(1, 1.0) == different_value(1.0, 1) == ""


def test_tables_and_figures_that_differ_are_told_apart() -> None:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

    def figure(title: str, end: int) -> Figure:
        made = Figure()
        axes = made.subplots()
        axes.plot(np.arange(end))
        axes.set_title(title)
        return made

    table = pd.DataFrame({"a": [1.0, 2.0]})
    assert different_value(table, table.copy()) == ""
    assert different_value(table, table.rename(columns={"a": "b"})) and different_value(table, table.head(1))
    assert different_value(table["a"], table["a"] + 1)
    assert different_value(np.zeros(2), np.ones(2)) and different_value(np.zeros(2), np.zeros(3))
    assert different_value(figure("a", 3), figure("a", 3)) == ""
    assert different_value(figure("a", 3), figure("b", 3)) and different_value(figure("a", 3), figure("a", 4))


def test_the_pairs_are_many_halved_and_different() -> None:
    misses, same = near_misses(), paraphrases()
    assert len(misses) >= 260 and len(same) >= 160
    assert min(Counter(pair.kind for pair in misses).values()) >= 15
    assert not any(pair.same for pair in misses) and all(pair.same for pair in same)
    for pairs in (misses, same):
        assert all(pair.stored != pair.asked and pair.program for pair in pairs)
        assert abs(Counter(pair.split for pair in pairs)["tune"] - len(pairs) / 2) <= 1
        halves = [{pair.stored for pair in (*misses, *same) if pair.split == split} for split in ("tune", "held")]
        assert not halves[0] & halves[1]
