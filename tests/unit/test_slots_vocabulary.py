"""Values that are known to exist: columns, variables, categories, people, course numbers."""

from __future__ import annotations

from typing import Any

import pytest

from llmos_nb.memory.slots import Slot, Vocabulary, lift

KNOWN = Vocabulary(
    {
        "column": ["bill_length_mm", "species", "flipper length", "Name", "name", "a", "in", "count"],
        "species": ["Adelie", "Gentoo", "Chinstrap"],
        "department": ["EECS", "CS-LSA", ""],
        "number": ["550", "281"],
        "credit": ["3", "550"],
        "area": ["machine learning", "machine learning theory"],
        "grade": ["A", "B", "C+", "C"],
        "answer": ["No", "Yes"],
        "state": ["OR", "IN", "ME"],
        "variable": ["df", "x", "i"],
        "topic": [".NET", "R&D", "O'Brien's Law", "Is this a Test"],
    }
)


def slots(goal: str) -> list[tuple[str, str, Any]]:
    found = [item for slot in lift(goal, KNOWN).slots for item in slot.items or (slot,)]
    return [(slot.kind, slot.text, slot.value) for slot in found]


def known(goal: str) -> list[tuple[str, Any]]:
    return [(kind, value) for kind, _, value in slots(goal) if kind in KNOWN.kinds]


def only(goal: str, vocabulary: Any = KNOWN) -> Slot:
    (slot,) = lift(goal, vocabulary).slots
    return slot


CASES = [
    ("Is EECS 281 hard?", [("department", "EECS"), ("number", 281)]),
    ("is eecs hard", [("department", "EECS")]),
    ("courses on Machine  learning\nTheory", [("area", "machine learning theory")]),
    ("courses on machine learning", [("area", "machine learning")]),
    ("courses on machine learnings", []),
    ("mean of BILL_LENGTH_MM", [("column", "bill_length_mm")]),
    # underscores and spaces stand for each other
    ("mean of bill length mm", [("column", "bill_length_mm")]),
    ("mean of flipper_length", [("column", "flipper length")]),
    ("mean of bill length", []),
    # not inside other words, paths and numbers
    ("load df.csv and my_df and dfx", []),
    ("take -550, 550%, 5500, 0.550 and 550 cm", []),
    ("df.species", []),
    ("df['species']", [("variable", "df"), ("column", "species")]),
    ("550-fold", [("credit", 550)]),
    ("non-Adelie or Adelie's", [("species", "Adelie"), ("species", "Adelie")]),
    ("5x", []),
    # values that differ in case alone
    ("by Name", [("column", "Name")]),
    ("by name", [("column", "name")]),
    ("by NAME", []),
    # ordinary words
    ("load a file in a folder", []),
    ("the column a", [("column", "a")]),
    ("the a column", [("column", "a")]),
    ("columns: in", [("column", "in")]),
    ('plot "in" by `a`', [("column", "in"), ("column", "a")]),
    ("there are no rows, is that so", []),
    ("the answer No", [("answer", "No")]),
    ("Answer it. No rows. Yes", []),
    ("i think so and I know", []),
    ("the variable i", [("variable", "i")]),
    ("tell me in OR", [("state", "OR")]),
    # single letters
    ("get a B or b", [("grade", "B")]),
    ("plot x-axis, C++, C# and B's", []),
    ("y of x+1 and x.", [("variable", "x"), ("variable", "x")]),
    ("a C+ or C grade", [("grade", "C+"), ("grade", "C")]),
    ("A student", []),
    # punctuation
    ("about .net and r&d", [("topic", ".NET"), ("topic", "R&D")]),
    ("about o'brien's law", [("topic", "O'Brien's Law")]),
    ("is THIS a test?", [("topic", "Is this a Test")]),
    # the longest wins, from the left
    ("EECS-281", []),
    ("the CS-LSA program", [("department", "CS-LSA")]),
    ("show Adelie Penguins", [("species", "Adelie")]),
    # the first word of a sentence
    ("Adelie is what", [("species", "Adelie")]),
]


@pytest.mark.parametrize(("goal", "expected"), CASES)
def test_known_values(goal: str, expected: list[tuple[str, Any]]) -> None:
    assert known(goal) == expected
    assert lift(goal, KNOWN).fill() == goal


def test_kinds_are_all_kinds_that_have_the_value_and_last_what_the_text_is() -> None:
    assert only("take 550").kinds == ("credit", "number", "integer")
    assert only("take EECS").kinds == ("department", "identifier")
    assert only("take Adelie").kinds == ("species", "name")
    assert only("take species").kinds == ("column",)
    assert only("take `species`").kinds == ("column", "code")
    assert only('take "machine learning"').kinds == ("area", "quoted")


def test_a_value_that_spells_a_number_is_that_number() -> None:
    vocabulary = {"code": ["550", "0550", "1e3", "0.50"]}
    assert only("take 550", vocabulary).value == 550
    assert only("take 0550", vocabulary).value == "0550"
    assert only("take 1e3", vocabulary).value == "1e3"
    assert str(only("take 0.50", vocabulary).value) == "0.50"


def test_quotes_stay_in_the_pieces_of_a_known_value() -> None:
    lifted = lift("plot 'Species' now", KNOWN)
    assert lifted.template == "plot '{column}' now"
    assert (lifted.slots[0].text, lifted.slots[0].value) == ("Species", "species")


def test_quotes_must_hold_the_whole_value() -> None:
    assert only('say "Adelie penguins"').kinds == ("quoted",)
    assert only('say "NAME"').kind == "quoted"


def test_lists_and_ranges_of_known_values() -> None:
    either = only("for Adelie or gentoo")
    assert (either.kind, either.unit, either.value) == ("list", "or", ("Adelie", "Gentoo"))
    assert [item.kind for item in either.items] == ["species", "species"]
    between = only("between 281 and 550")
    assert (between.kind, between.value) == ("range", (281, 550))
    assert only("take 550 and 281").items[0].kind == "number"  # 550 is a credit, too; 281 is not
    assert [slot.kind for slot in lift("species and Adelie", KNOWN).slots] == ["column", "species"]


def test_underscores_for_spaces_only_where_one_value_is_meant() -> None:
    both = {"column": ["net_sales", "net sales"]}
    assert only("sum net_sales", both).value == "net_sales"
    assert only("sum net sales", both).value == "net sales"
    assert only("sum Net sales", {"column": ["net_sales"]}).value == "net_sales"
    assert lift("sum net  _sales", both).fill() == "sum net  _sales"


def test_kinds_become_names() -> None:
    vocabulary = {
        "class": ["q1"],
        "bill type": ["net"],
        "1st": ["won"],
        "": ["odd"],
        "column_2": ["c"],
        "column": ["d", "e"],
    }
    lifted = lift("q1 net won odd d c e", vocabulary)
    assert [slot.name for slot in lifted.slots] == [
        "class_",
        "bill_type",
        "value_1st",
        "value",
        "column",
        "column_2",
        "column_3",
    ]
    assert lifted.slots[0].kind == "class"


def test_a_kind_may_be_called_what_the_text_alone_is_called() -> None:
    people = {"name": ["Ann", "Bob"], "integer": ["loads", "7"], "quoted": ["so"]}
    assert [slot.kinds for slot in lift("ask Ann", people).slots] == [("name",)]
    assert only("ask Ann and Bob", people).value == ("Ann", "Bob")
    assert [slot.text for slot in lift("ask Ann Arbor", people).slots] == ["Ann", "Arbor"]
    assert only("use 7", people).kinds == ("integer",)
    assert only("use 3 to 7", people).value == (3, 7)
    assert only("say 'so'", people).kinds == ("quoted",)
    assert only("use loads", people).value == "loads"


def test_a_mapping_does_as_well_as_a_vocabulary() -> None:
    values = {"species": (name for name in ["Adelie"]), "year": [2007, 2008]}
    assert lift("Adelie in 2008", {**values, "species": ["Adelie"]}) == lift("Adelie in 2008", Vocabulary(values))
    assert [slot.kinds for slot in lift("Adelie in 2008", values | {"species": ["Adelie"]}).slots] == [
        ("species",),
        ("year", "integer"),
    ]


def test_an_empty_vocabulary_changes_nothing() -> None:
    goal = "plot 3 columns of a.csv for Boston"
    assert lift(goal, {}) == lift(goal, Vocabulary()) == lift(goal, {"column": ["", "  "]}) == lift(goal)
    assert len(Vocabulary({"column": ["", " ", "a", "b"]})) == 2


def test_letters_whose_lower_case_is_longer() -> None:
    assert only("fly to İstanbul", {"city": ["İstanbul"]}).value == "İstanbul"
    assert only("fly to STRASSE", {"street": ["Strasse"]}).value == "Strasse"


def test_many_values_with_one_first_word() -> None:
    columns = Vocabulary({"column": [f"col_{n}" for n in range(2_000)]})
    assert [slot.value for slot in lift("sum col_7 by col 1999 of col_2000", columns).slots] == [
        "col_7",
        "col_1999",
        "col_2000",
    ]
    assert columns.kinds == ("column",)


def test_blanks_around_a_value_are_not_said_but_in_quotes() -> None:
    known = {"value": ["Bonn  ", "Lampe", "lampe ", "New  York"]}
    assert only("rows where it is Bonn", known).value == "Bonn  "
    assert only("rows where it is bonn", known).value == "Bonn  "
    assert only("rows where it is New York", known).value == "New  York"
    assert only("rows where it is Lampe", known).value == "Lampe"
    assert only("rows where it is 'lampe '", known).value == "lampe "
    assert only("rows where it is 'Bonn  '", known).value == "Bonn  "
    both = {"value": ["Bonn", "Bonn "]}
    assert only("rows where it is Bonn", both).value == "Bonn"
    assert only("rows where it is 'Bonn '", both).value == "Bonn "
