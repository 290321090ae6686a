"""Tables whose columns and values are called as tasks are: a goal is read as it is meant, or not served."""

from __future__ import annotations

import ast
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_nb.dispatch.shipped import shipped_match
from llmos_nb.memory import TraceStore
from llmos_nb.memory.library import Library, task_of
from llmos_nb.tools.shipped import trace_folders
from tests.starter.build import filled, parts_of
from tests.starter.tasks import TASKS

COLUMNS = [
    "mean", "count", "sum", "rows", "column", "table", "sort", "top", "date", "per month", "a", "x y", "it's", 'say "hi"',
    "naïve", "größe", "価格", "2020", "1st", "by", "of", "where", "not", "and", "highest", "average price", "number",
    "value", "values", "name", "type", "index", "total", "share", "percentage", "missing", "unique", "month", "year", "day",
    "week", "Sales ($)", "price/unit", "C++", "first", "last", "bins", "over", "is", "in", "bar chart", "Total_Amount",
    "totalAmount", "price", "prices", "x", "y", "X", "max", "min",
]  # fmt: skip
VALUES = [
    "North",
    "no",
    "Yes",
    "mean",
    "top",
    "first",
    "New York",
    "O'Brien",
    "a b",
    "価格",
    "10",
    "by",
    "all",
    "St. Louis",
]
TABLES = ["df", "data", "table", "t", "houses", "sort", "mean", "sales_2024", "Übersicht", "rows", "x1"]
LIBRARY = Library(trace_folders)


@pytest.fixture(scope="module")
def store() -> Iterator[TraceStore]:
    with tempfile.TemporaryDirectory() as folder, TraceStore(Path(folder), library=LIBRARY) as made:
        yield made


@settings(
    max_examples=12, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10**6))
def test_what_is_served_is_what_was_meant(store: TraceStore, seed: int) -> None:
    chance = random.Random(seed)
    columns, (one, other), values = chance.sample(COLUMNS, 7), chance.sample(TABLES, 2), chance.sample(VALUES, 4)
    frame = pd.DataFrame(
        {
            columns[0]: np.arange(20) * 1.5,
            columns[1]: np.arange(20) % 7,
            columns[2]: [values[number % 3] for number in range(20)],
            columns[3]: ["p", "q"] * 10,
            columns[4]: pd.date_range("2020-01-01", periods=20),
            columns[5]: [None] * 20,
            columns[6]: [True, False] * 10,
        }
    )
    names = {one: frame, other: pd.DataFrame({columns[2]: values[:2], "other_col": [1, 2]})}
    said = {
        "t": one, "u": other, "x": columns[0], "y": columns[1], "c": columns[2], "d": columns[3], "j": columns[0],
        "k": columns[2], "l": columns[3], "v": values[0], "z": values[1], "n": chance.choice([1, 12]),
        "a": chance.choice([2, 3.5, -1, 1000000]), "b": chance.choice([7, 99.25]), "w": columns[4], "e": "2020-01-05",
        "f": "2020-01-09", "p": "a.csv", "q": "b.csv", "o": "o.csv",
        "a2": 3, "v2": "p", "w2": columns[4], "e2": "2024-02-03", "f2": "2024-03-01", "s2": values[1][:2].strip(),
        "r2": columns[2], "p2": "book.xlsx", "m2": "Places", "i1": values[0], "i2": values[1], "i3": values[2],
        "g": columns[6], "s": values[0][:2].strip(), "h": 2020, "r": columns[3],
        "m": chance.choice(["fresh", "new_col", "Neu"]),
    }  # fmt: skip
    sayable = [task for task in TASKS if parts_of(task) <= said.keys()]
    assert len(sayable) > 0.95 * len(TASKS)  # all but those of more values than there are
    for task in chance.sample(sayable, 40):
        goal, code = filled(task, chance.choice(task.wordings), said)
        match = shipped_match(goal, LIBRARY, store, names)
        if match.steps is not None and match.trace is not None:
            served = str(match.steps[0].arguments["code"])
            assert (task_of(match.trace), ast.dump(ast.parse(served))) == (task.name, ast.dump(ast.parse(code))), goal
