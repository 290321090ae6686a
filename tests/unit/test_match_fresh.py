"""What another process does to the traces is seen by the next match, whatever an earlier one has kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_nb.memory import Step, Trace, TraceStore

GOALS = {
    "Plot revenue by city": 'sales.groupby("city")["revenue"].sum().plot()',
    "Plot revenue by month": 'sales.groupby("month")["revenue"].sum().plot()',
    "Plot price by region": 'sales.groupby("region")["price"].sum().plot()',
}
VOCABULARY = {"column": ["revenue", "price", "units", "city", "month", "region", "product"]}
ASKED = "Plot units by product"
BOUND = 'sales.groupby("product")["units"].sum().plot()'

_BEGIN = """
import dataclasses, sys
from llmos_nb.memory import Step, Trace, TraceStore
with TraceStore(sys.argv[1]) as store:
    ids = [row["id"] for row in store.rows()]
"""


def elsewhere(folder: Path, *lines: str) -> None:
    """Run these lines in another process that has the store open."""
    code = _BEGIN + "".join(f"    {line}\n" for line in lines)
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, timeout=60)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    with TraceStore(tmp_path) as store:
        for goal, code in GOALS.items():
            store.add(Trace(goal, [Step("run_python", {"code": code})]))
        yield store


def served(store: TraceStore, goal: str = ASKED) -> str | None:
    match = store.match(goal, vocabulary=VOCABULARY)
    return match.steps[0].arguments["code"] if match.steps else None


def test_a_match_that_changed_nothing_is_the_same_again(store: TraceStore) -> None:
    first = store.match(ASKED, vocabulary=VOCABULARY)
    assert first.verdict == "rebind" and first.steps is not None and first.steps[0].arguments["code"] == BOUND
    assert store.match(ASKED, vocabulary=VOCABULARY) == first


def test_a_trace_that_another_process_adds_is_found(store: TraceStore, tmp_path: Path) -> None:
    assert served(store) == BOUND
    elsewhere(tmp_path, f"store.add(Trace({ASKED!r}, [Step('run_python', {{'code': 'special()'}})]))")
    assert served(store) == "special()"


def test_a_goal_nothing_was_known_of_is_found_once_another_process_records_it(
    store: TraceStore, tmp_path: Path
) -> None:
    goal = "Simulate the pendulum"
    assert store.match(goal).verdict == "none"
    elsewhere(tmp_path, f"store.add(Trace({goal!r}, [Step('run_python', {{'code': 'swing()'}})]))")
    assert served(store, goal) == "swing()"


def test_traces_that_another_process_calls_wrong_are_out_of_use(store: TraceStore, tmp_path: Path) -> None:
    assert served(store) == BOUND and served(store, "Plot revenue by city") is not None
    elsewhere(
        tmp_path,
        "for id in ids:",
        "    store.replace(dataclasses.replace(store.get(id), wrong='2026-11-22T10:00:00Z not what I asked for'))",
    )
    assert served(store) is None
    match = store.match("Plot revenue by city", vocabulary=VOCABULARY)
    assert match.steps is None and "called wrong" in match.reasons[0]


def test_a_program_that_another_process_replaces_is_served_as_it_is_now(store: TraceStore, tmp_path: Path) -> None:
    assert served(store) == BOUND
    elsewhere(
        tmp_path,
        "for id in ids:",
        "    old = store.get(id)",
        "    code = old.steps[0].arguments['code'].replace('sum', 'mean')",
        "    store.replace(dataclasses.replace(old, steps=[Step('run_python', {'code': code})]))",
    )
    assert served(store) == BOUND.replace("sum", "mean")


@pytest.mark.parametrize("changed", ["written into", "put in its place"])
def test_an_edited_file_is_not_served_as_it_was(store: TraceStore, changed: str) -> None:
    assert served(store) == BOUND
    for row in store.rows():
        path = store.path(row["id"])
        text = path.read_text(encoding="utf-8").replace(".sum()", ".max()")
        if changed == "written into":
            path.write_text(text, encoding="utf-8")
        else:
            other = path.with_suffix(".tmp")
            other.write_text(text, encoding="utf-8")
            other.replace(path)
    now = BOUND.replace("sum", "max")
    # Writing into a file shows when it is read: until all were, the runs contradict each other and nothing is served.
    assert served(store) in ((now, None) if changed == "written into" else (now,))
    store.refresh()
    assert served(store) == now


def test_files_that_another_process_deletes_are_not_served(store: TraceStore, tmp_path: Path) -> None:
    assert served(store) == BOUND
    elsewhere(tmp_path, "for id in ids:", "    store.path(id).unlink()")
    assert served(store) is None


def test_failed_uses_counted_elsewhere_lower_the_confidence(store: TraceStore, tmp_path: Path) -> None:
    before = store.match(ASKED, vocabulary=VOCABULARY).confidence
    elsewhere(tmp_path, "for id in ids:", "    for _ in range(3):", "        store.record_use(id, success=False)")
    after = store.match(ASKED, vocabulary=VOCABULARY).confidence
    assert after < before


def test_a_value_that_a_vocabulary_learns_is_read_as_one(store: TraceStore) -> None:
    store.add(Trace("Plot revenue by shop", [Step("run_python", {"code": "plain()"})]))
    goal = "Plot revenue by store"
    known = {"column": [*VOCABULARY["column"], "shop", "store"]}
    without = store.match(goal, vocabulary=VOCABULARY)
    with_it = store.match(goal, vocabulary=known)
    assert [slot.text for slot in (without.lifted.slots if without.lifted else ())] == ["revenue"]
    assert [slot.text for slot in (with_it.lifted.slots if with_it.lifted else ())] == ["revenue", "store"]
    for vocabulary, expected in ((VOCABULARY, without), (known, with_it)):
        with TraceStore(store.folder) as fresh:
            assert fresh.match(goal, vocabulary=vocabulary) == expected
        assert store.match(goal, vocabulary=vocabulary) == expected


def test_what_one_vocabulary_tells_is_not_told_to_another(store: TraceStore, tmp_path: Path) -> None:
    vocabularies: list[dict[str, list[str]] | None] = [VOCABULARY, {"city": ["units"], "month": ["revenue"]}, None]
    alone = []
    for vocabulary in vocabularies:
        with TraceStore(tmp_path) as fresh:
            alone.append(fresh.match(ASKED, vocabulary=vocabulary))
    assert len({match.verdict for match in alone}) > 1
    for _ in range(2):
        assert [store.match(ASKED, vocabulary=vocabulary) for vocabulary in vocabularies] == alone
