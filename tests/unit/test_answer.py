"""The answer over new outputs: every value read again where it came from, or no answer at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from llmos_nb.learning.answer import rederive
from llmos_nb.learning.claims import CLAIMS, NEUTRAL, RESTATED, is_claim, is_question, selects
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.slots.slot import Slot

Run = tuple[Trace, tuple[Slot, ...]]


def slots_of(goal: str, **values: Any) -> tuple[Slot, ...]:
    """Slots for values that stand in the goal, in order."""
    found, end = [], 0
    for name, value in values.items():
        start = goal.index(str(value), end)
        end = start + len(str(value))
        kind = "integer" if isinstance(value, int) else "path" if "." in value else "value"
        found.append(Slot(name, kind, str(value), start, end, value))
    return tuple(found)


def run(goal: str, answer: str, outputs: Sequence[str], code: str = "df = load()", **values: Any) -> Run:
    filled = goal.format(**values)
    steps = [Step("run_cell", {"code": code}, Expectation(digest="x"), output) for output in outputs]
    return Trace(goal=filled, steps=steps, answer=answer.format(**values)), slots_of(filled, **values)


def asked(goal: str, **values: Any) -> tuple[Slot, ...]:
    return slots_of(goal.format(**values), **values)


MEAN = "Mean mass of {species} penguins in {file}"
MEAN_ANSWER = "The mean mass of {species} penguins in `{file}` is **%s g**, from %s penguins."
ADELIE = run(
    MEAN, MEAN_ANSWER % ("3700.7", "151"), ["mean mass: 3700.7 g from 151 penguins"], species="adelie", file="a.csv"
)
GENTOO = run(
    MEAN, MEAN_ANSWER % ("5076.0", "123"), ["mean mass: 5076.0 g from 123 penguins"], species="gentoo", file="b.csv"
)


# ---------------------------------------------------------------- several runs


def test_values_of_the_goal_and_of_outputs_are_read_again() -> None:
    slots = asked(MEAN, species="chinstrap", file="c.csv")
    answer = rederive([ADELIE, GENTOO], slots, ["mean mass: 3733.1 g from 68 penguins"])
    assert answer == "The mean mass of chinstrap penguins in `c.csv` is **3733.1 g**, from 68 penguins."


def test_a_value_that_two_places_explain_differently_is_not_told() -> None:
    one = run("Sum {n}", "The total sum is 120.", ["sum: 120", "check: 120"], n=11)
    two = run("Sum {n}", "The total sum is 350.", ["sum: 350", "check: 350"], n=12)
    slots = asked("Sum {n}", n=13)
    assert rederive([one, two], slots, ["sum: 410", "check: 410"]) == "The total sum is 410."
    assert rederive([one, two], slots, ["sum: 410", "check: 411"]) is None
    three = run("Sum {n}", "The total sum is 777.", ["sum: 777", "check: 778"], n=15)
    assert rederive([one, two, three], slots, ["sum: 410", "check: 411"]) == "The total sum is 410."


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (("4201.754386", "3733.088235", "5076.016260"), ("4,201.75", "3,733.09", "5,076.02")),
        (("4201.754386", "3733.088235", "5076.016260"), ("4202", "3733", "5076")),
        (("1234567", "7654321", "9999999"), ("1,234,567", "7,654,321", "9,999,999")),
        (("0.4537", "0.1294", "0.7711"), ("45.4%", "12.9%", "77.1%")),
        (("2026-11-22", "2025-01-31", "2024-02-29"), ("2026-11-22", "2025-01-31", "2024-02-29")),
        (("-12.5", "-7.25", "-3.5"), ("-12.5", "-7.25", "-3.5")),
        (("Biscoe", "Dream", "Torgersen"), ("biscoe", "dream", "torgersen")),
        (("1e-05", "2.5e-07", "3e-09"), ("1e-05", "2.5e-07", "3e-09")),
    ],
)
def test_a_value_keeps_the_form_it_was_said_in(raw: tuple[str, ...], said: tuple[str, ...]) -> None:
    pairs = enumerate(zip(raw, said, strict=True), start=20)
    known = [run("Do {n}", f"The result is {text}.", [f"value: {number}"], n=n) for n, (number, text) in pairs]
    answer = rederive(known[:2], asked("Do {n}", n=30), [f"value: {raw[2]}"])
    assert answer == f"The result is {said[2]}."


TABLE = "         mass  len\nAdelie   {}  {}\nGentoo   {}  {}"


def test_cells_are_found_by_their_row_and_heading() -> None:
    told = "Gentoo has a mass of %d and Adelie of %d."
    known = [
        run("Table of {f}", told % (5076, 3700), [TABLE.format(3700, 190, 5076, 217)], f="a.csv"),
        run("Table of {f}", told % (5001, 3650), [TABLE.format(3650, 191, 5001, 216)], f="b.csv"),
    ]
    slots = asked("Table of {f}", f="c.csv")
    new = TABLE.format(3811, 192, 5112, 218)
    assert rederive(known, slots, [new]) == "Gentoo has a mass of 5112 and Adelie of 3811."
    swapped = "\n".join(new.splitlines()[i] for i in (0, 2, 1))
    assert rederive(known, slots, [swapped]) is None, "by place or by name? nobody knows"
    third = run("Table of {f}", "Gentoo has a mass of 4999 and Adelie of 3601.",
                ["\n".join(TABLE.format(3601, 1, 4999, 2).splitlines()[i] for i in (0, 2, 1))], f="d.csv")  # fmt: skip
    assert rederive([*known, third], slots, [swapped]) == "Gentoo has a mass of 5112 and Adelie of 3811."


def test_a_list_is_told_again_only_if_it_is_as_long() -> None:
    known = [
        run("Columns of {f}", "The columns are a1, b1 and c1.", ["columns: a1, b1, c1"], f="a.csv"),
        run("Columns of {f}", "The columns are x, y and z.", ["columns: x, y, z"], f="b.csv"),
    ]
    slots = asked("Columns of {f}", f="c.csv")
    assert rederive(known, slots, ["columns: k, l, m"]) == "The columns are k, l and m."
    assert rederive(known, slots, ["columns: k, l, m, n"]) is None
    assert rederive(known, slots, ["columns: k, l"]) is None


def test_a_further_line_of_output_may_say_anything() -> None:
    slots = asked(MEAN, species="chinstrap", file="c.csv")
    assert (
        rederive([ADELIE, GENTOO], slots, ["mean mass: 3733.1 g from 68 penguins\nwarning: 3 rows left out"]) is None
    )


def test_a_value_that_no_source_explains_is_not_told() -> None:
    one = run("Split {n}", "The parts differ by 37.", ["parts: 150 113"], n=11)
    two = run("Split {n}", "The parts come to 263.", ["parts: 150 113"], n=12)
    slots = asked("Split {n}", n=13)
    assert rederive([one, one], slots, ["parts: 160 113"]) is None
    assert rederive([two, two], slots, ["parts: 160 113"]) is None


def test_a_small_number_is_no_evidence() -> None:
    one = run("Groups in {f}", "There are 3 groups.", ["3 a\n5 b"], f="a.csv")
    two = run("Groups in {f}", "There are 4 groups.", ["4 a\n5 b"], f="b.csv")
    assert rederive([one, two], asked("Groups in {f}", f="c.csv"), ["7 a\n5 b"]) is None


def test_a_number_of_the_program_stays_and_another_constant_does_not() -> None:
    code = "check(alpha=0.05)"
    known = [
        run("Test {f}", "At alpha 0.05 the statistic is 4.512.", ["statistic: 4.512"], code, f="a.csv"),
        run("Test {f}", "At alpha 0.05 the statistic is 3.871.", ["statistic: 3.871"], code, f="b.csv"),
    ]
    slots = asked("Test {f}", f="c.csv")
    assert rederive(known, slots, ["statistic: 9.125"]) == "At alpha 0.05 the statistic is 9.125."
    other = [(dataclasses.replace(t, steps=[dataclasses.replace(t.steps[0], arguments={})]), own) for t, own in known]
    assert rederive(other, slots, ["statistic: 9.125"]) is None


def test_a_unit_that_changed_is_not_glued_to_the_recorded_one() -> None:
    def own(text: str, unit: str, value: int) -> tuple[Slot, ...]:
        return (Slot("q", "quantity", text, 5, 5 + len(text), value, unit),)

    def known(text: str, number: int) -> Run:
        return Trace(goal=f"Move {text}", steps=[Step("run_cell", {"code": "go()"}, Expectation(digest="x"), "ok")],
                     answer=f"Moved by {number}, in cm."), own(text, "m", number)  # fmt: skip

    both = [known("300 cm", 300), known("450 cm", 450)]
    assert rederive(both, own("720 cm", "m", 720), ["ok"]) == "Moved by 720, in cm."
    assert rederive(both, own("720 in", "m", 720), ["ok"]) is None


# ---------------------------------------------------------------- claims

HEAVIEST = "Which island has the heaviest penguins in {f}?"


def test_a_choice_that_the_program_made_is_told_and_one_made_by_eye_is_not() -> None:
    def known(f: str, name: str, shown: str) -> Run:
        return run(HEAVIEST, f"The heaviest penguins in `{{f}}` live on **{name}**.", [shown], f=f)

    printed = [known("a.csv", "Biscoe", "heaviest: Biscoe"), known("b.csv", "Dream", "heaviest: Dream")]
    slots = asked(HEAVIEST, f="c.csv")
    assert (
        rederive(printed, slots, ["heaviest: Torgersen"]) == "The heaviest penguins in `c.csv` live on **Torgersen**."
    )
    listed = [
        known("a.csv", "Biscoe", "Biscoe: 4716\nDream: 3712"),
        known("b.csv", "Dream", "Dream: 4000\nBiscoe: 3716"),
    ]
    assert rederive(listed, slots, ["Torgersen: 2912\nBiscoe: 3716"]) is None


@pytest.mark.parametrize(
    "claim",
    [
        "Sales are rising to {}.", "The total is {}, more than before.", "Only {} rows are left.",
        "There were no errors in {} rows.", "The total of {} is a strong result.", "All {} rows are complete.",
        "It doubled to {}.", "The three groups come to {}.", "Most of the {} rows match.",
        "A significant total of {}.", "Mass correlates with length: {}.", "It isn't {}.", "It can't be {}.",
    ],
)  # fmt: skip
def test_claims_are_not_repeated_even_if_every_run_made_them(claim: str) -> None:
    one = run("Total of {f}", claim.format(5120), ["total: 5120"], f="a.csv")
    two = run("Total of {f}", claim.format(6230), ["total: 6230"], f="b.csv")
    slots = asked("Total of {f}", f="c.csv")
    assert rederive([one, two], slots, ["total: 7340"]) is None
    assert rederive([one], one[1], ["total: 7340"]) is None


def test_a_condition_of_the_goal_may_be_said_again_unless_it_is_the_question() -> None:
    goal, answer = "Count the rows above {n} in {f}", "{f} has %d rows above {n}."
    known = [
        run(goal, answer % 512, ["count: 512"], n=100, f="a.csv"),
        run(goal, answer % 623, ["count: 623"], n=200, f="b.csv"),
    ]
    assert rederive(known, asked(goal, n=300, f="c.csv"), ["count: 734"]) == "c.csv has 734 rows above 300."
    question, told = "Is the mean above {n} in {f}?", "The mean of {f} is %d, above {n}."
    known = [
        run(question, told % 512, ["mean: 512"], n=100, f="a.csv"),
        run(question, told % 623, ["mean: 623"], n=200, f="b.csv"),
    ]
    assert rederive(known, asked(question, n=900, f="c.csv"), ["mean: 734"]) is None


def test_a_word_that_is_gone_from_the_outputs_is_not_said_again() -> None:
    known = [
        run("Groups of {f}", "Gentoo is among them: 512.", ["Gentoo 512"], f="a.csv"),
        run("Groups of {f}", "Gentoo is among them: 623.", ["Gentoo 623"], f="b.csv"),
    ]
    assert rederive(known, asked("Groups of {f}", f="c.csv"), ["Adelie 734"]) is None


def test_the_lists_of_words_are_apart() -> None:
    assert not CLAIMS & NEUTRAL and RESTATED <= CLAIMS
    assert (
        is_claim("Heaviest")
        and is_claim("prettier")
        and is_claim("wasn")
        and not is_claim("mean")
        and not is_claim("bill_length")
    )
    assert (
        is_question("Is it above 3?")
        and is_question("Say whether it fits")
        and not is_question("Count the rows above 3")
    )
    assert selects("Which island is it?") and selects("The tallest tower") and not selects("Mean mass by species")


# ---------------------------------------------------------------- one run


def test_one_run_is_enough_where_everything_is_plain() -> None:
    trace, slots = run("Mean mass in {f}", "The mean mass in `{f}` is 4,201.75 g from 342 rows.",
                       ["mean mass: 4201.754386\nrows: 342"], f="a.csv")  # fmt: skip
    new = ["mean mass: 4100.5\nrows: 300"]
    assert rederive([(trace, slots)], slots, new) == "The mean mass in `a.csv` is 4,100.50 g from 300 rows."
    other = asked("Mean mass in {f}", f="data/b.csv")
    assert rederive([(trace, slots)], other, new) == "The mean mass in `data/b.csv` is 4,100.50 g from 300 rows."


@pytest.mark.parametrize(
    ("answer", "outputs", "new"),
    [
        ("There are 7 columns.", ["columns: 7"], ["columns: 9"]),  # too short
        ("The total is 512.", ["total: 512"], ["sum: 734"]),  # another shape
        ("The total is 512.", ["total: 512"], ["total: 734\nnote: x"]),
        ("The total is 512.", ["total: 512 g"], ["total: 734 kg"]),
        ("The total is 512.", ["a: 512\nb: 512"], ["a: 734\nb: 735"]),  # two sources
        ("The elephants are 512.", ["total: 512"], ["total: 734"]),  # a word that nothing explains
        ("The total is 512.7.", ["total: 512"], ["total: 734"]),  # no source
        ("The total is 513.", ["total: 512.6"], ["total: 734.5"]),  # a tie, rounded nobody knows how
    ],
)
def test_one_run_is_not_enough_where_anything_is_in_doubt(answer: str, outputs: list[str], new: list[str]) -> None:
    trace, _ = run("Do it", answer, outputs)
    assert rederive([(trace, ())], (), new) is None


def test_a_plain_word_may_be_the_value_or_just_a_word() -> None:
    trace, slots = run("Mean by {g}", "The mean by {g} is 4201.", ["mean: 4201"], g="species")
    new = asked("Mean by {g}", g="island")
    assert rederive([(trace, slots)], new, ["mean: 4300"]) is None
    marked, slots = run("Mean by {g}", "The mean by `{g}` is 4201.", ["mean: 4201"], g="species")
    assert rederive([(marked, slots)], new, ["mean: 4300"]) == "The mean by `island` is 4300."


def test_a_word_made_from_a_value_is_noticed() -> None:
    trace, slots = run("Load {f}", "Loaded the penguins of `{f}`: 4201 rows.", ["rows: 4201"], f="penguins.csv")
    assert rederive([(trace, slots)], asked("Load {f}", f="towers.csv"), ["rows: 4300"]) is None


def test_prose_without_any_value_is_said_again() -> None:
    trace, _ = run("Show the table", "The table is shown above; it is in the variable `df`.", ["a 1"])
    assert rederive([(trace, ())], (), ["a 2"]) is None, "above is a claim elsewhere"
    trace, _ = run("Show the table", "Done. The table is in the variable `df`.", ["a 1"])
    assert rederive([(trace, ())], (), ["a 2"]) == "Done. The table is in the variable `df`."


# ---------------------------------------------------------------- odd input


def test_nothing_to_go_by_is_no_answer() -> None:
    trace, slots = run("Load {f}", "", ["x"], f="a.csv")
    assert rederive([], (), []) is None and rederive([(trace, slots)], slots, ["x"]) is None
    full, slots = run("Load {f}", "Loaded `{f}`.", ["x"], f="a.csv")
    assert rederive([(full, slots)], slots, []) is None
    assert rederive([(full, slots)], (), ["x"]) is None
    assert rederive([(full, slots)], slots, ["x " * 5000]) is None


@pytest.mark.parametrize(
    "odd", ["", "\n\n", "…" * 50, "−5 1e999 NaN 10" + "0" * 400, "\ud800", "1,2,3 1.2.3 ::: --", "`" * 9]
)
def test_odd_texts_raise_nothing(odd: str) -> None:
    one = run("Do {n}", f"It is {odd} 512.", [odd, "512"], n=11)
    two = run("Do {n}", f"It is {odd} 623.", [odd, "623"], n=12)
    rederive([one, two], asked("Do {n}", n=13), [odd, "734"])
    rederive([one], one[1], ["512", odd])
