"""Reasons in the words that people wrote, and edited runs of goals that are like a new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.dispatch.wording import in_words, plain, spoken
from llmos_nb.memory import Match, Step, Trace, TraceStore
from llmos_nb.memory.seal import sealed


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("the new goal says 'remov', the recorded one 'beautiful', 'mak'",
         "the new goal says 'delete', the recorded one 'beautiful', 'create'"),
        ("nothing recorded explains 'remov'", "nothing recorded explains 'delete'"),
        ("'remov' is the opposite of 'mak'", "'delete' is the opposite of 'create'"),
        ("'nonsens' is only in the new goal", "'nonsens' is only in the new goal"),
        ("it has other kinds of values (path less)", "it has other kinds of values (path less)"),
        ("another's turn, 'no such thing'", "another's turn, 'no such thing'"),
    ],
)  # fmt: skip
def test_stems_are_shown_as_the_words_that_were_written(reason: str, said: str) -> None:
    assert spoken(reason, "Delete the haiku agent", "Create a haiku agent that is beautiful") == said


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("it has other kinds of values (number less)", "it has a number less than the recorded one"),
        ("it has other kinds of values (list:number more, number, path less)",
         "it has a list of numbers more than the recorded one, and a number and a path less"),
        ("it has other kinds of values (quantity:kg more, quantity:m, quantity:m less)",
         "it has an amount in kg more than the recorded one, and 2 amounts in m less"),
        ("it has other kinds of values (list:text, range:d, email, identifier more)",
         "it has a list of names or texts and a range in d and an email and an identifier more than the recorded one"),
        ("a similar goal was reached, 'Sum (all) of it', but it is not this one: nothing recorded explains 'a', 'b'",
         "a similar goal was reached, 'Sum (all) of it', but it is not this one: no recorded goal like it says 'a', 'b'"),
        ("one example alone does not show which steps follow which value; same goal",
         "it was worked out only once, and one run does not show what other values change; same goal"),
        ("a confidence of 0.913 is too little to replay ('x' is new)",
         "it is not sure enough that the same is meant ('x' is new)"),
        ("'Sort it' claims this goal as well, with other steps", "'Sort it' fits as well, and does something else"),
        ("same goal with the same values", "same goal with the same values"),
        ("", ""),
    ],
)  # fmt: skip
def test_reasons_are_told_plainly(reason: str, told: str) -> None:
    assert plain(reason) == told and plain(told) == told


def traces(folder: Path, *goals: str) -> TraceStore:
    store = TraceStore(folder)
    for goal in goals:
        step = Step(tool="run_cell", arguments={"code": f"print({goal!r})"})
        store.add(sealed(Trace(goal=goal, steps=[step], status="success", answer="Done.")))
    return store


def test_every_reason_of_a_match_is_in_words_and_nothing_else_changes(tmp_path: Path) -> None:
    with traces(tmp_path, "Create a haiku-poet agent that writes beautiful haikus") as store:
        match = store.match("Delete the haiku-poet agent")
        told = in_words(match, "Delete the haiku-poet agent")
    assert "'delete'" in told.reasons[0] and "'create'" in told.reasons[0] and "'remov'" not in told.reasons[0]
    assert "'delete'" in told.considered[0].reason
    assert (told.verdict, told.confidence, told.guides) == (match.verdict, match.confidence, match.guides)
    assert in_words(Match("none", 0.0, None), "x") == Match("none", 0.0, None)


def test_a_goal_like_that_of_an_edited_run_says_so(tmp_path: Path) -> None:
    with traces(tmp_path, "Add 4 and 5") as store:
        (row,) = store.rows()
        assert store.match("Add 6 and 7").passed_over == ""
        path = store.path(row["id"])
        path.write_text(path.read_text().replace("Done.", "Edited."))
        store.refresh()
        for goal in ("Add 6 and 7", "Add 4 and 5"):
            told = store.match(goal).passed_over
            assert row["id"] in told and "edited" in told and "%trace trust" in told, goal
        assert "like this one" in store.match("Add 6 and 7").passed_over
        assert store.match("Plot the rain").passed_over == ""
