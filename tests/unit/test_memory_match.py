"""Exact matching: the same goal with the same values is replayed, and nothing else is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_nb.errors import EmptyGoal
from llmos_nb.memory import Expectation, Step, Trace, TraceStore
from llmos_nb.memory.codec import dump

RUN = Step("run_sql", {"query": "select 1"})
STUDY = Step("run_sql", {"query": "select 2"}, Expectation(status="error", error="OperationalError", replay=False))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    with TraceStore(tmp_path) as store:
        yield store


def test_the_same_goal_is_replayed(store: TraceStore) -> None:
    added = store.add(Trace(goal="Delete a.csv", steps=[STUDY, RUN], status="success", cost_usd=0.05))
    match = store.match("  delete   a.csv.", vocabulary={"file": ["a.csv", "b.csv"]})
    assert (match.verdict, match.confidence, match.trace_id, match.trace) == ("replay", 1.0, added.id, added)
    assert match.steps == (RUN,)
    assert match.bindings == {}
    assert match.reasons


def test_other_values_are_not_but_a_close_goal_guides(store: TraceStore) -> None:
    added = store.add(Trace("Delete a.csv", [RUN]))
    match = store.match("Delete b.csv")
    assert (match.verdict, match.steps, match.trace_id) == ("guide", None, added.id)
    assert match.confidence <= 0.9
    assert [trace.id for trace in match.guides] == [added.id]
    assert store.match("Water the plants").verdict == "none"


@pytest.mark.parametrize("status", ["failed", "stopped", "timed_out", "denied", "over_budget"])
def test_failures_are_kept_but_never_matched(store: TraceStore, status: str) -> None:
    failed = store.add(Trace("Count rows", [RUN], status=status, reason="disk full"))
    assert store.get(failed.id).reason == "disk full"
    match = store.match("Count rows")
    assert (match.verdict, match.trace) == ("none", None)
    assert status in match.reasons[0]


def test_a_trace_with_nothing_to_run_is_not_matched(store: TraceStore) -> None:
    store.add(Trace("Count rows", [STUDY], answer="7"))
    match = store.match("Count rows")
    assert match.verdict == "none"
    assert "no step to replay" in match.reasons[0]


def test_the_newest_of_equals_is_taken(store: TraceStore) -> None:
    for day in ("02", "03", "01"):
        store.add(Trace("Count rows", [RUN], id=f"t{day}", created_at=f"2026-11-{day}T00:00:00Z"))
    match = store.match("Count rows")
    assert match.trace_id == "t03"
    assert any("newest" in reason for reason in match.reasons)


def test_the_one_with_fewer_failures_is_taken(store: TraceStore) -> None:
    for day in ("01", "02"):
        store.add(Trace("Count rows", [RUN], id=f"t{day}", created_at=f"2026-11-{day}T00:00:00Z"))
    store.record_use("t02", False)
    assert store.match("Count rows").trace_id == "t01"
    store.record_use("t01", False)
    store.record_use("t01", True)
    match = store.match("Count rows")
    assert match.trace_id == "t02"
    assert any("failed in 1 of 1" in reason for reason in match.reasons)


def test_only_the_agent_that_was_asked_for(store: TraceStore) -> None:
    store.add(Trace("Count rows", [RUN], id="by-a", agent="a"))
    assert store.match("Count rows", agent="a").trace_id == "by-a"
    match = store.match("Count rows", agent="b")
    assert match.verdict == "none"
    assert "by a, not b" in match.reasons[0]
    assert store.match("Count rows").trace_id == "by-a"


def test_an_edited_file_is_served_as_it_is_now(store: TraceStore) -> None:
    added = store.add(Trace("Count rows", [RUN]))
    edited = dataclasses.replace(added, steps=[Step("run_sql", {"query": "select 9"})])
    store.path(added.id).write_text(dump(edited), encoding="utf-8")
    assert store.match("Count rows").steps == edited.steps
    store.path(added.id).write_text(dump(dataclasses.replace(added, status="failed")), encoding="utf-8")
    assert store.match("Count rows").verdict == "none"


def test_a_deleted_file_is_not_served_and_the_next_best_is(store: TraceStore) -> None:
    for day in ("01", "02"):
        store.add(Trace("Count rows", [RUN], id=f"t{day}", created_at=f"2026-11-{day}T00:00:00Z"))
    store.path("t02").unlink()
    assert store.match("Count rows").trace_id == "t01"
    store.path("t01").unlink()
    assert store.match("Count rows").verdict == "none"


def test_a_goal_without_words_is_an_error(store: TraceStore) -> None:
    with pytest.raises(EmptyGoal):
        store.match("  ")


def test_goals_with_odd_characters_match_themselves_alone(store: TraceStore) -> None:
    goals = ["say \udc80 twice", "say \\udc80 twice", "say \x00 twice", "say \\x00 twice", "say 😀 twice"]
    ids = [store.add(Trace(goal, [RUN])).id for goal in goals]
    assert [store.match(goal).trace_id for goal in goals] == ids
    assert len(store.rows()) == len(goals)


def test_a_measure_that_a_program_holds_as_text_keeps_its_unit(store: TraceStore) -> None:
    """``right: 30cm`` in a step makes no text of the goal's 30cm: other lengths are bound, in whatever unit."""
    for said in ("30cm", "20 cm"):
        store.add(Trace(f"Move the robot arm {said} to the right", [Step("move_relative", {"right": said})]))
    for said in ("25 cm", "0.1 m"):
        match = store.match(f"Move the robot arm {said} to the right")
        assert match.verdict == "rebind" and match.steps is not None
        assert match.steps[0].arguments == {"right": said}
    assert store.match("Move the robot arm 25 cm to the left").verdict == "guide"
    assert store.match("Move the robot arm 25 kg to the right").verdict != "rebind"
