"""A run that gave up at a step teaches nothing; one that mended its step does."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.memory import Expectation, Step, Trace, TraceStore
from llmos_nb.memory.repaired import gave_up

LOAD = Step("run_cell", {"code": "import pandas as pd\ntable = pd.read_csv('a.csv')"})
FAILED = Expectation(status="error", error="KeyError", replay=False)


def cell(code: str, expect: Expectation = Expectation()) -> Step:  # noqa: B008 - frozen
    return Step("run_cell", {"code": code}, expect)


MEANS = "means = table.groupby('kind')['wing'].mean()\nprint(means)"


@pytest.mark.parametrize(
    ("steps", "gave"),
    [
        ([LOAD, cell(MEANS)], False),
        ([LOAD, cell(MEANS, FAILED), cell(MEANS.replace("wing", "wings"))], False),
        ([LOAD, cell(MEANS, FAILED), cell("print(', '.join(table.columns))")], True),
        ([LOAD, cell(MEANS, FAILED)], True),
        ([LOAD, cell(MEANS, FAILED), Step("run_shell", {"command": MEANS})], True),
        ([LOAD, cell(MEANS, Expectation(status="error", error="denied", replay=False)), cell("1 + 1")], False),
    ],
)
def test_whether_a_run_gave_up(steps: list[Step], gave: bool) -> None:
    assert gave_up(Trace("Means of wing by kind", steps)) is gave


def test_such_a_run_is_no_example_and_contests_nothing(tmp_path: Path) -> None:
    code = "import pandas as pd\ntable = pd.read_csv({!r})\nprint(table[{!r}].mean())"
    with TraceStore(tmp_path) as store:
        for file, column in (("a.csv", "wing_span"), ("b.csv", "leg_length")):
            store.add(Trace(f"Mean of {column} in {file}", [cell(code.format(file, column))]))
        typo = [cell(code.format("a.csv", "wing_spam"), FAILED), cell("print(table.columns)")]
        store.add(Trace("Mean of wing_spam in a.csv", typo))
        match = store.match("Mean of tail_length in c.csv")
        assert match.verdict == "rebind" and match.steps is not None
        assert match.steps[0].arguments["code"] == code.format("c.csv", "tail_length")
