"""Capitals of ordinary words do not count, unless the trace's program shows that the word is a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.memory import Step, Trace, TraceStore

SERVED = ("replay", "rebind")


def verdict(folder: Path, recorded: str, typed: str, tool: str = "run_cell", **arguments: str) -> str:
    with TraceStore(folder) as store:
        store.add(Trace(goal=recorded, steps=[Step(tool=tool, arguments=arguments)]))
        return store.match(typed).verdict


@pytest.mark.parametrize("typed", ["ADD 4 AND 5", "add 4 And 5", "Add 4 and 5."])
def test_capitals_of_words_that_the_program_does_not_know_do_not_count(tmp_path: Path, typed: str) -> None:
    assert verdict(tmp_path, "Add 4 and 5", typed, code="total = 4 + 5\nprint(total)") == "replay"


@pytest.mark.parametrize(
    ("recorded", "typed", "code"),
    [
        ("Show the column Name", "Show the column name", "print(df['Name'])"),
        ("Show the column name", "Show the column Name", "print(df['name'])"),
        ("Show the column name", "SHOW THE COLUMN NAME", "print(df.name)"),
        ("Delete the folder Data", "Delete the folder data", "import shutil\nshutil.rmtree('out/Data')"),
        ("Print Hello World", "Print hello world", "print('Hello World')"),
        ("Plot Sales by month", "Plot sales by month", "Sales.plot()"),
        ("Say Hi there", "Say hi there", "print(f'{name}: Hi')"),
        ("Show the column Name", "Show the column name", "not python: Name"),
    ],
)
def test_capitals_of_values_count(tmp_path: Path, recorded: str, typed: str, code: str) -> None:
    assert verdict(tmp_path, recorded, typed, code=code) not in SERVED
    assert verdict(tmp_path, recorded, recorded, code=code) == "replay"


def test_a_name_that_the_program_makes_itself_is_no_value(tmp_path: Path) -> None:
    code = "total = 4 + 5\nprint(total)"
    assert verdict(tmp_path, "Compute the total of 4 and 5", "Compute the Total of 4 and 5", code=code) == "replay"


def test_other_tools_are_read_word_for_word(tmp_path: Path) -> None:
    query = "SELECT * FROM Orders"
    assert verdict(tmp_path, "Show all Orders", "Show all orders", tool="run_sql", query=query) not in SERVED


def test_the_reason_names_the_word(tmp_path: Path) -> None:
    with TraceStore(tmp_path) as store:
        store.add(Trace(goal="Show column Name", steps=[Step(tool="run_cell", arguments={"code": "df['Name']"})]))
        reasons = "; ".join(store.match("Show column name").reasons)
    assert "name is Name there" in reasons
