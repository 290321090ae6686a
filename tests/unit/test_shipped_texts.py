"""No task of the library takes texts for what they stand for: dates and numbers kept as text are read, or refused.

Each task is asked for with columns of texts in each place that a column can have, and once more with the same table after
these columns hold what they stand for. What comes of both must be the same rows in the same order, or nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_nb.errors import TableError
from llmos_nb.memory.library import Library, task_of
from llmos_nb.tools.shipped import trace_folders
from llmos_nb.tools.tables import grounded, tables_of
from tests.starter.build import filled
from tests.starter.tasks import KINDS, TASKS, Task

LIBRARY = Library(trace_folders)
ROWS = 60
VALUES = {
    "t": "parcels", "u": "depots", "x": "weight", "y": "length", "c": "town", "d": "kind", "j": "weight", "k": "town",
    "l": "kind", "v": "Bonn", "z": "Trier", "n": 4, "a": 2, "b": 5, "w": "sent", "e": "2025-03-01", "f": "2025-05-31",
    "p": "parcels.csv", "q": "others.csv", "o": "kept.csv", "m": "cost", "g": "paid", "s": "on",
    "h": 2025, "r": "kind", "v2": "box", "w2": "arrived", "e2": "2025-01-15", "f2": "2025-02-20", "s2": "en", "r2": "kind",
    "a2": 2,
    **{f"i{number}": ["Bonn", "Trier", "Aachen", "box", "letter", "Bonn", "Bonn"][number - 1] for number in range(1, 8)},
}  # fmt: skip
#: Tasks that are about the texts, their types or how they are written, whatever they stand for.
ABOUT_TEXTS = frozenset(
    {
        "describe a column", "column types", "profile", "describe", "to text", "to numbers", "to dates", "show as markdown",
        "text contains", "text starts with", "text ends with", "unique values", "show a table", "stack",
        "to numbers with a decimal comma", "to numbers with a decimal point", "to dates, day first",
        "to dates, month first", "drop a column", "drop two columns", "rename a column", "make spellings alike", "trim",
        "lower case", "upper case", "count unique by group", "when the highest", "when the lowest", "text contains both",
        "text contains either", "text contains not", "longest text of any column", "shortest text of any column",
        "characters of texts", "mean characters of texts", "column with the characters of texts",
        "to numbers with k and M",
    }
)  # fmt: skip


def columns() -> dict[str, tuple[list[Any], Any]]:
    """Columns of texts, each with what it stands for; None where nobody can tell."""
    chance = np.random.default_rng(3)
    days = pd.Series(pd.Timestamp("2025-01-03") + pd.to_timedelta(chance.integers(0, 330, ROWS), "D"))
    timed = days + pd.to_timedelta((days.index % 2) * 5, "h")
    some = chance.integers(1, 30, ROWS)
    euros = chance.integers(5, 5000, ROWS)
    early = pd.Series(pd.Timestamp("2025-01-01") + pd.to_timedelta(chance.integers(0, 9, ROWS), "D"))
    return {
        "german": (days.dt.strftime("%d.%m.%Y").tolist(), days),
        "american": (days.dt.strftime("%m/%d/%Y").tolist(), days),
        "spelled": (days.dt.strftime("%d %b %Y").tolist(), days),
        "mixed iso": ([f"{d:%Y-%m-%d}T{d:%H:%M}" if i % 2 else f"{d:%Y-%m-%d}" for i, d in enumerate(timed)], timed),
        "unclear": (early.dt.strftime("%d/%m/%Y").tolist(), None),
        "gaps": ([f"{d:%d.%m.%Y}" if i % 7 else None for i, d in enumerate(days)], days.where(days.index % 7 != 0)),
        "count": ([str(n) for n in some], pd.Series(some)),
        "euro": ([f"{n:,}".replace(",", ".") + ",50" for n in euros], pd.Series(euros + 0.5)),
        "dollar": ([f"${n}" for n in some], pd.Series(some)),
        "percent": ([f"{n} %" for n in some], pd.Series(some)),
        "thousand": (["999" if n < 15 else f"{n}.000" for n in some], None),
    }  # fmt: skip


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table with texts, and with what they stand for."""
    chance = np.random.default_rng(5)
    plain = pd.DataFrame(
        {
            "weight": chance.integers(1, 9, ROWS).astype(float),
            "length": chance.normal(5, 2, ROWS).round(2),
            "town": chance.choice(["Bonn", "Trier", "Aachen"], ROWS),
            "kind": chance.choice(["box", "letter"], ROWS),
            "sent": pd.date_range("2025-01-01", periods=ROWS, freq="3D"),
            "paid": chance.random(ROWS) < 0.5,
            "arrived": pd.date_range("2025-01-09", periods=ROWS, freq="3D"),
        }
    )
    texts, typed = plain.copy(), plain.copy()
    for name, (written, meant) in columns().items():
        texts[name] = written
        typed[name] = np.nan if meant is None else meant.to_numpy()
    return texts, typed


def served(goal: str, tables: dict[str, Any]) -> tuple[str, str]:
    for reading in grounded(goal, tables_of(tables)):
        match, _ = LIBRARY.match(reading.goal, reading.vocabulary)
        if not reading.problem and match.steps is not None and match.trace is not None:
            return task_of(match.trace), str(match.steps[0].arguments["code"])
    return "", ""


def came(code: str, table: pd.DataFrame, depots: pd.DataFrame, meant: dict[Any, Any]) -> Any:
    """What a cell shows, as rows and numbers in their order, texts by what is ``meant``; the table itself where it shows
    nothing."""
    space: dict[str, Any] = {"parcels": table.copy(), "depots": depots}
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), space) if last is not None else space["parcels"]
    if isinstance(value, pd.DataFrame):
        own = [name for name in value.columns if name in ("weight", "length")]
        made = [str(one) for one in value["cost"].tolist()] if "cost" in value.columns else []
        same = set(value.columns) <= {*table.columns, "cost"}
        numbers, rows = (value[own], list(value.index)) if same else (value, [])
        return rows, made, np.nan_to_num(numbers.to_numpy(dtype=float), nan=-1.0).round(9).tolist()
    if isinstance(value, pd.Series):
        return ["nothing" if pd.isna(v) else str(meant.get(v, v)) for v in value.tolist()]
    return str(value)


def asked() -> Iterator[tuple[Task, str, str]]:
    """Each task with each of its places for a column, the places of one sort once."""
    for task in TASKS:
        wording = task.wordings[0]
        for part in sorted({letter for letter in KINDS if f"{{{letter}}}" in wording}):
            if KINDS[part].endswith("column") and part != "g" and "plt." not in task.code:
                yield task, wording, part


CASES = [] if not TASKS else list(asked())


@pytest.mark.parametrize("name", columns())
def test_a_column_of_texts_is_read_or_refused(name: str) -> None:
    texts, typed = frames()
    names = {"parcels": texts, "depots": pd.DataFrame({"town": ["Bonn"], "kind": ["box"], "chief": ["Kim"]})}
    depots, done, wrong = names["depots"], 0, []
    known = columns()[name][1] is not None
    meant = {text: value for text, value in zip(texts[name], typed[name], strict=True) if isinstance(text, str)}
    for task, wording, part in CASES:
        if task.name in ABOUT_TEXTS or "{u}" in wording:
            continue
        goal, code = filled(
            task, wording, VALUES | {part: name} | ({"v": texts[name].iloc[1]} if part == "k" else {})
        )
        found, made = served(goal, names)
        if not found:
            continue
        try:
            came_of_texts = came(made, texts, depots, meant)
        except TableError:
            continue
        if "{v}" in wording and part == "k":
            continue  # a text is looked for, as it is written
        done += 1
        ordered = "sort" in task.name or KINDS[part] == "date column" or "llmos_data" in code
        if ordered if not known else came_of_texts != came(made, typed, depots, {}):
            wrong.append((goal, made))
    assert not wrong, wrong
    assert done or not known
