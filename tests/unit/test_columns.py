"""What recorded programs tell about values: a value of one column is none of another, and constants keep their part."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_nb.memory import Step, Trace, TraceStore
from llmos_nb.memory.columns import told_apart, used_as
from llmos_nb.memory.programs import program_of
from llmos_nb.memory.reading import Evidence
from llmos_nb.memory.reading.compare import slot_order
from llmos_nb.memory.recall import asked_for


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    with TraceStore(tmp_path / "traces") as opened:
        yield opened


def add(store: TraceStore, goal: str, query: str) -> None:
    store.add(Trace(goal=goal, steps=[Step("run_sql", {"query": query})], cost_usd=0.05))


def used(query: str) -> dict[str, frozenset[str]]:
    return used_as(program_of([Step("run_sql", {"query": query})]))


def test_a_program_tells_the_names_of_its_values() -> None:
    found = used("SELECT name FROM course WHERE semester = 'Fall' AND department LIKE '%EECS%'")
    assert found["fall"] == {"semester"} and found["eecs"] == {"department"}


def test_names_that_share_values_have_values_of_one_kind() -> None:
    cities, days = ("Boston", "Denver", "Dallas", "Oslo"), ("Monday", "Tuesday", "Friday")
    programs = [used(f"SELECT id FROM flight WHERE origin = '{one}'") for one in cities]
    programs += [used(f"SELECT id FROM flight WHERE destination = '{one}'") for one in cities[1:]]
    programs += [used(f"SELECT id FROM flight WHERE day = '{one}'") for one in days]
    programs += [used("SELECT id FROM flight WHERE meal = 'lunch'")]
    told = told_apart(programs)
    assert told["boston"] == told["oslo"] == {"origin", "destination", "meal"}
    assert told["monday"] == {"day", "meal"}
    assert "lunch" not in told  # one value of a name tells nothing
    assert told_apart([]) == {}


def test_a_value_of_another_column_is_not_put_in(store: TraceStore) -> None:
    for term in ("Fall", "Spring", "Winter", "Summer"):
        add(
            store,
            f'How many courses are there in "{term}"?',
            f"SELECT count(*) FROM course WHERE semester = '{term}'",
        )
    for name in ("EECS", "Physics", "History", "Biology"):
        add(store, f'Who leads "{name}" now?', f"SELECT head FROM department WHERE name = '{name}'")
    served = store.match('How many courses are there in "Winter"?')
    assert served.steps is not None and "Winter" in served.steps[0].arguments["query"]
    new = store.match('How many courses are there in "Autumn"?')
    assert new.steps is not None and new.steps[0].arguments["query"].endswith("semester = 'Autumn'")
    other = store.match('How many courses are there in "History"?')
    assert other.steps is None
    assert any("its 'history' is no semester" in one.reason for one in other.considered)


def test_a_value_that_every_goal_has_keeps_its_part() -> None:
    asked = asked_for('Show "Boston" flights, "Rome"', None).reading
    known = asked_for('Show "Denver" flights, "Boston"', None).reading
    assert slot_order(asked, known, "meaning") == (0, 1)
    assert slot_order(asked, known, "meaning", frozenset(["boston"])) == (1, 0)
    assert Evidence.of([known]).constants == frozenset()  # one goal does not show what stays
    other = (f'Show "{city}" flights, "Boston"' for city in ("Denver", "Dallas", "Oslo"))
    assert Evidence.of([asked_for(goal, None).reading for goal in other]).constants == {"boston"}


_SUMS = """
from llmos_nb.memory.recall import asked_for
from llmos_nb.memory.reading import Voice, features, lessons
said = ["Which airlines fly out of Boston early in the morning, and how often do they land in Denver before noon?",
        "Name the carriers that usually serve Dallas in the morning and what their cheapest ticket costs on a Monday",
        "Please list every late arrival of last week by airline with its delay, the gate and the reason that was given",
        "How many books about rivers did each branch of the library lend to students, sorted by the date of return?"]
readings = [asked_for(goal, None).reading for goal in said]
learned = lessons([[one] for one in readings])
voice = Voice(readings[:2], learned)
print([voice.explains(features(one)) for one in readings])
"""


def test_sums_over_words_are_the_same_in_every_process() -> None:
    """Sets are in another order in each, and sums of fractions in another order differ in the last digit."""
    said = {
        subprocess.run(
            [sys.executable, "-c", _SUMS],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(said) == 1 and said != {""}
