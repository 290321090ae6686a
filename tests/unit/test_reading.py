"""How goals are read: what says nothing, what decides, and what stands where."""

from __future__ import annotations

import pytest

from llmos_nb.memory.reading import SYNONYMS, Reading, read_goal, stem
from llmos_nb.memory.slots import lift

KNOWN = {"column": ["price", "units"], "city": ["Oslo", "New York"]}


def read(goal: str) -> Reading:
    return read_goal(lift(goal, KNOWN))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Show the mean price", "Could you please compute the average price?"),
        ("Plot units", "Please plot units."),
        ("How many rows are there?", "Give me the number of rows"),
        ("Colour the points", "Color the points"),
        ("Don't drop the rows", "Do not drop the rows"),
        ("Rows where price is above 5", "rows where price is greater than 5"),
        ("Copy it into 'a'", "Copy it to 'a'"),
        ("Which class is the least difficult?", "Which class is the easiest?"),
        ("Which class is done most easily?", "Which class is done easiest?"),
        ("Are price and units open right now?", "Are price and units open now?"),
        ("Which runs does price count for?", "Which runs does price qualify for?"),
        ("Flights before taking price", "Flights taking before price"),
        ("Are there mornings?", "Is there a morning?"),
    ],
)
def test_what_says_the_same_is_read_alike(one: str, other: str) -> None:
    a, b = read(one), read(other)
    assert (a.words, a.marks, a.classes) == (b.words, b.marks, b.classes)


@pytest.mark.parametrize(
    ("goal", "mark"),
    [
        ("Rows not in units", "not"),
        ("All rows but the first", "first"),
        ("Only units", "only"),
        ("Flights before 9:00", "before"),
        ("Books about 'x'", "about"),
        ("Any day but Friday", "except"),
        ("Sort units in descending order", "descending"),
        ("What is the least expensive one", "min"),
        ("Compute 5!", "_factorial"),
        ("Rows x > 3", ">"),
        ("Ratio 1:2", "_colon"),
        ("Books that are on loan now", "now"),
        ("Is it about Ada You", "capital_you"),
    ],
)
def test_what_decides_is_a_mark(goal: str, mark: str) -> None:
    assert mark in read(goal).marks


@pytest.mark.parametrize(
    ("goal", "head"),
    [
        ("Show the members who have 'Emma' on loan", "member"),
        ("Give me a list of flights from Oslo", "flight"),
        ("What is the name of the Oslo team leader?", "leader"),
        ("Name the towns near Oslo", "town"),
        ("Are there any trains to Oslo?", "train"),
        ("Which trains go to Oslo?", "train"),
        ("Plot units", ""),
    ],
)
def test_what_a_request_is_about(goal: str, head: str) -> None:
    assert read(goal).head == stem(SYNONYMS.get(head, head))


def test_out_of_is_from() -> None:
    assert read("Flights out of Oslo").parts == read("Flights from Oslo").parts != read("Flights into Oslo").parts


def test_a_question_about_is_no_subject() -> None:
    assert "about" not in read("Tell me about units").marks


@pytest.mark.parametrize(
    ("goal", "intent", "target"),
    [
        ("Who sells units?", "who", ""),
        ("When does it start?", "when", ""),
        ("Which islands have units?", "result", "island"),
        ("Is price above 5?", "yes-no", ""),
        ("Can you show units?", "result", ""),
        ("Are there any rows?", "any", ""),
    ],
)
def test_the_kind_of_answer(goal: str, intent: str, target: str) -> None:
    reading = read(goal)
    assert (reading.intent, reading.target) == (intent, target)


def test_values_have_classes_roles_and_kinds() -> None:
    reading = read("Flights from Oslo to New York under 80")
    assert reading.classes == ("text", "text", "number")
    assert reading.signature == "number text text"
    assert [role[0] for role in reading.roles] == ["from", "to", "below"]
    assert reading.kinds[0] == frozenset({"city"})
    assert ("from", "<text>") in reading.parts


def test_an_enumeration_has_places_and_glued_values_are_one_thing() -> None:
    reading = read_goal(lift("Compare EECS 280 and EECS 281"))
    assert reading.listed == (0, 0, 1, 1)
    assert reading.attached == (-1, 0, -1, 2)


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("flights", "flight"), ("classes", "class"), ("took", "tak"), ("series", "series"), ("plotted", "plot")],
)
def test_stems(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_synonyms_lead_to_one_word() -> None:
    assert all(SYNONYMS.get(to, to) == to for to in SYNONYMS.values())


def test_a_wording_is_read_once_and_its_values_each_time() -> None:
    one, other = (read_goal(lift(f"Show the flights to {city}")) for city in ("Oslo", "Rome"))
    assert one == other and one.form is other.form and one.said == ("oslo",) and other.said == ("rome",)
    told = one.of_values(one.said, (frozenset(["city"]),))
    assert told.columns and told.form is one.form and told != one and not one.columns
    assert read_goal(lift("Show the flights from Oslo")).form is not one.form
    assert read_goal(lift("Show the flights to 5")).form is not one.form


@pytest.mark.parametrize(
    ("goal", "intent"),
    [
        ("My mean price is?", "result"),
        ("Name the rows that will be left?", "result"),
        ("I need the rows of price", "result"),
        ("Do you know the number of people who bought it?", "result"),
        ("Is the person who bought it from Oslo?", "yes-no"),
        ("For Oslo, who bought it?", "who"),
        ("It was bought when?", "when"),
        ("Are all the rows clean?", "all"),
        ("Do the rows all fit?", "all"),
        ("Are the rows of the first table all clean?", "all"),
        ("Are the rows clean?", "yes-no"),
        ("I deleted the rows", "statement"),
    ],
)
def test_what_kind_of_answer_is_wanted(goal: str, intent: str) -> None:
    assert read(goal).intent == intent


def test_a_count_says_what_it_counts() -> None:
    assert read("How many rows have a price?").counted == "row"
    assert read("What is the number of different rows?").counted == "row"
    assert read("How many of the first rows?").counted == ""


def test_a_noun_is_said_of_a_value_or_asked_of_one() -> None:
    said, asked = read("What is Oslo a parent of?"), read("What are the parents of Oslo?")
    assert (said.said_of, said.asked_of) == ({"parent"}, frozenset())
    assert (asked.said_of, asked.asked_of) == (frozenset(), {"parent"})
    assert not read("How many lectures a week for Oslo?").asked_of
