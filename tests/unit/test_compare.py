"""Pairs of goals that are one task and pairs that are not, each against a single recorded goal, and against several."""

from __future__ import annotations

import pytest

from llmos_nb.memory.reading import Comparison, Evidence, Reading, compare, read_goal, slot_order
from llmos_nb.memory.slots import lift

KNOWN = {"column": ["price", "units", "region"], "city": ["Oslo", "Rome"], "person": ["Ada Lind", "Ben Roe"]}


def read(goal: str) -> Reading:
    return read_goal(lift(goal, KNOWN))


def found(recorded: str, asked: str) -> Comparison:
    return compare(read(asked), read(recorded))


@pytest.mark.parametrize(
    ("recorded", "asked", "tier"),
    [
        ("Show the mean of price", "Show the mean of units", "template"),
        ("Show the mean of price", "Please compute the average of price", "words"),
        ("Plot units by region", "Could you draw units for each region?", "words"),
        ("Delete the rows where price is above 5", "Remove all the rows where price is more than 5", "meaning"),
        ("Flights from Oslo to Rome", "Flights to Rome from Oslo", "meaning"),
        ("Don't drop the missing rows", "Do not drop missing rows", "words"),
        ("In sales.csv, sort the rows by price", "Sort the rows by price in sales.csv", "meaning"),
    ],
)
def test_the_same_task(recorded: str, asked: str, tier: str) -> None:
    assert found(recorded, asked).tier == tier


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("Show rows with price", "Show rows without price"),
        ("Rows where price is above 5", "Rows where price is below 5"),
        ("Rows where price is above 5", "Rows where price is at least 5"),
        ("Sort by price ascending", "Sort by price descending"),
        ("Show the first rows", "Show the last rows"),
        ("Delete all rows", "Delete only rows"),
        ("Delete the row", "Delete all rows"),
        ("Flights from Oslo", "Flights to Oslo"),
        ("Compute the mean of price", "Compute the median of price"),
        ("Plot price", "Delete price"),
        ("Sort by price, then by units", "Sort the mean by price, then by units"),
        ("Filter the table, then shuffle the table", "Shuffle the table, then filter the table"),
        ("Compute 5", "Compute 5!"),
        ("Who flies to Oslo?", "When does it fly to Oslo?"),
        ("Books by Ada Lind", "Books about Ada Lind"),
        ("Move 5 cm up", "Move 5 kg up"),
        ("Open the morning report", "Open the evening report"),
        ("Show the price of Oslo", "Show the price of Ada Lind"),
        ("Books about Ada", "Books about Ada You"),
        ("Make a list [1, 2]", "Make a list (1, 2)"),
        ("Which loans are open now?", "Which loans were open in the past?"),
        ("What is Oslo a parent of?", "What is the parent of Oslo?"),
        ("List the rows of price", "How many rows of price are there?"),
        ("How many rows of price are there?", "How many times is price there?"),
        ("Which rows are clean?", "Are all the rows clean?"),
        ("Show the sales of this year", "Show the sales of the year"),
        ("Show the sales of this year", "Show the sales of next year"),
    ],
)
def test_another_task(recorded: str, asked: str) -> None:
    comparison = found(recorded, asked)
    assert comparison.tier == ""
    assert comparison.veto


def test_a_word_that_nothing_explains_forbids() -> None:
    assert "explains" in found("Show the price", "Show the striking price").veto


WORDINGS = (
    "Which flights reach Oslo?",
    "Flights that land in Rome",
    "Show flights arriving in Oslo",
    "List arrivals in Oslo",
)


def test_wordings_of_one_program_explain_each_other() -> None:
    readings = [read(goal) for goal in WORDINGS]
    evidence = Evidence.of(readings)
    assert compare(read("Which flights arrive in Rome?"), readings[0], evidence).tier == "meaning"
    assert compare(read("Which planes reach Rome?"), readings[0], evidence).tier == ""  # another thing is asked for
    doubted = compare(read("Which flights will touch Rome?"), readings[0], evidence)
    assert doubted.tier == "likely"
    assert doubted.extra and doubted.veto
    for other in (
        "Which flights do not reach Rome?",
        "Which flights leave Rome?",
        "Count the flights that reach Rome",
    ):
        assert compare(read(other), readings[0], evidence).tier == ""


@pytest.mark.parametrize(
    ("recorded", "asked", "veto"),
    [
        ("Useful flights to take before Oslo", "Flights I need to take before Oslo", "what must be"),
        ("Which flights must I take before Oslo?", "Which flights should I take before Oslo?", "what would be good"),
        ("Which flights should I take to get miles?", "Which flights must I take to get miles?", "what must be"),
        ("Which flights are cheap?", "Of the flights that I must take, which are cheap?", ""),
    ],
)
def test_what_should_be_done_is_not_what_must_be_done(recorded: str, asked: str, veto: str) -> None:
    found = compare(read(asked), read(recorded))
    assert (veto in found.veto) if veto else ("would be good" not in found.veto)


def test_the_speakers_own_things_are_not_all_there_are() -> None:
    wordings = ("Show {} loans of Oslo", "Show {} Oslo loans, sorted", "Which of {} loans come from Oslo, and when?")
    everyones, own = ([read(wording.format(whose)) for wording in wordings] for whose in ("the", "my"))
    assert compare(read("List the loans of Rome"), everyones[0], Evidence.of(everyones)).tier == "words"
    for asked, of in (("Show my loans of Rome", everyones), ("List the loans of Rome", own)):
        found = compare(read(asked), of[0], Evidence.of(of))
        assert not found.tier
        assert "the speaker's own" in found.veto


@pytest.mark.parametrize(
    ("recorded", "same", "other"),
    [
        (("the EU", "the UN", "the USA"), "the UK", "the Rhineland"),
        (("the Rhineland", "the Crimea", "the Sahara"), "the Tyrol", "the UK"),
    ],
)
def test_an_abbreviation_stands_for_no_name(recorded: tuple[str, ...], same: str, other: str) -> None:
    wordings = ("Show the exports of {}", "List the exports of {}", "What does {} export?")
    readings = [read(wording.format(value)) for wording, value in zip(wordings, recorded, strict=True)]
    evidence = Evidence.of(readings)
    assert compare(read(f"Show the exports of {same}"), readings[0], evidence).tier == "template"
    refused = compare(read(f"Show the exports of {other}"), readings[0], evidence)
    assert not refused.comparable
    assert "written otherwise" in refused.veto
    mixed = Evidence.of([*readings, read(f"Export what {other} has")])
    assert compare(read(f"Show the exports of {other}"), readings[0], mixed).comparable


def test_every_wording_says_one_of_a_group() -> None:
    readings = [read(goal) for goal in ("Flights not from Oslo", "Flights without Oslo", "All flights except Oslo")]
    comparison = compare(read("All flights from Oslo"), readings[0], Evidence.of(readings))
    assert comparison.tier == ""


def test_slots_are_put_in_the_recorded_order() -> None:
    asked, recorded = read("Flights to Rome from Oslo"), read("Flights from Oslo to Rome")
    assert slot_order(asked, recorded, compare(asked, recorded).tier) == (1, 0)


def test_slots_whose_parts_are_unclear_have_no_order() -> None:
    asked, recorded = read("Is Oslo, unlike Rome, big?"), read("Is Rome big, unlike Oslo?")
    assert slot_order(asked, recorded, "meaning") is None
