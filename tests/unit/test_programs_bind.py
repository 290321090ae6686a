"""New values in recorded programs: put in where two examples prove it, refused everywhere else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from program_examples import col, example, n, pair, refused, slot, text_of

from llmos_nb.memory.programs import Bound, Example, generalize
from llmos_nb.memory.slots.slot import Slot


def test_one_example_proves_nothing_but_replays_itself() -> None:
    both = [example("a", "First {} of {}", [n(3), col("sales")], "df.sales.head(3)")]
    known = generalize(both)
    same = known.bind("a", [n(3), col("sales")])
    assert isinstance(same, Bound) and same.steps == both[0].trace.replayable_steps and same.changed == ()
    assert "one example" in refused(known.bind("a", [n(5), col("sales")]))
    assert [(p.name, p.confirmed) for p in known.parameters] == [("number", False), ("column", False)]
    assert known.order("a") == (None, None)


def test_two_examples_confirm_what_both_bear_out() -> None:
    code = 'n = %s\nmean_%s = df["%s"].mean()\ndf.%s.plot(title="Mean %s of %s", figsize=(3, 4))'
    known = pair(
        "Mean of {} for {}",
        code,
        [col("sales"), n(3)],
        [col("price"), n(5)],
        fills=[(3, *["sales"] * 4, 3), (5, *["price"] * 4, 5)],
    )
    bound = known.bind("a", [col("body_mass"), n(12)])
    assert text_of(bound) == code % (12, *["body_mass"] * 4, 12)
    assert isinstance(bound, Bound)
    assert bound.bindings == {"column": "body_mass", "n": 12} and bound.changed == ("column", "n")
    assert bound.steps[0].output == "" and bound.steps[0].expect.digest == ""
    assert [(p.name, p.type, p.values, p.confirmed) for p in known.parameters] == [
        ("column", "str", ("sales", "price"), True),
        ("n", "int", (3, 5), True),
    ]
    assert known.order("a") == known.order(1) == (0, 1)


def test_a_value_that_never_varied_or_that_nothing_follows_is_frozen() -> None:
    code = "df.head(%s)"
    never = pair("{} rows of {}", code, [n(3), col("a")], [n(5), col("a")], fills=[(3,), (5,)])
    assert text_of(never.bind("a", [n(9), col("a")])) == "df.head(9)"
    assert "'a'" in refused(never.bind("a", [n(9), col("b")]))
    unused = pair("{} rows of {}", code, [n(3), col("a")], [n(5), col("b")], fills=[(3,), (5,)])
    assert refused(unused.bind("a", [n(3), col("b")])) and refused(unused.bind("a", [n(3), col("c")]))
    assert unused.order("a") == (0, None)


@pytest.mark.parametrize(
    ("seen", "new", "made"),
    [
        ([(3, 2), (5, 4)], 9, 8),
        ([(3, 4), (5, 6)], 9, 10),
        ([(3, 6), (5, 10)], 9, 18),
        ([(3, 9), (5, 25)], 9, 81),
        ([(3, 8), (5, 32)], 4, 16),
        ([(4, 2), (10, 5)], 8, 4),
        ([(3, -3), (5, -5)], 9, -9),
    ],
)
def test_simple_functions_are_found(seen: list[tuple[int, int]], new: int, made: int) -> None:
    known = pair("Do {}", "go(%s)", [n(seen[0][0])], [n(seen[1][0])], fills=[(seen[0][1],), (seen[1][1],)])
    assert text_of(known.bind("a", [n(new)])) == f"go({made})"


def test_two_functions_that_fit_must_agree() -> None:
    known = pair("Do {}", "go(%s)", [n(0)], [n(2)], fills=[(0,), (4,)])  # twice, or the square
    assert "could be" in refused(known.bind("a", [n(3)]))


@pytest.mark.parametrize(("one", "two"), [(7, 7), (3, 4), (2, 40)])
def test_what_no_function_explains_is_refuted_for_good(one: int, two: int) -> None:
    examples = [
        example("a", "Do {}", [n(3)], f"go({one}, 3)"),
        example("b", "Do {}", [n(5)], f"go({two}, 5)"),
        example("c", "Do {}", [n(6)], "go(6, 6)"),
    ]
    known = generalize(examples)
    if one == two:
        examples.pop()
        assert text_of(generalize(examples).bind("a", [n(9)])) == f"go({one}, 9)"
    assert known.refutations and refused(known.bind("a", [n(9)])) and refused(known.bind("c", [n(9)]))
    assert text_of(known.bind("c", [n(6)])) == "go(6, 6)"


def test_a_loop_written_out_is_another_shape_and_asks_for_one_example_more() -> None:
    def one(name: str, count: int) -> Example:
        return example(name, "Print {} times", [n(count)], f"for i in range({count}):\n    print(i)")

    unrolled = example("u", "Print {} times", [n(2)], "print(0)\nprint(1)")
    two = generalize([one("a", 3), unrolled, one("b", 5)])
    assert two.refutations and "1 more" in refused(two.bind("a", [n(9)]))
    assert refused(two.bind("u", [n(9)]))
    assert text_of(two.bind("u", [n(2)])) == "print(0)\nprint(1)"
    three = generalize([one("a", 3), unrolled, one("b", 5), one("c", 6)])
    assert "range(9)" in text_of(three.bind("a", [n(9)]))


def test_equal_values_are_told_apart_by_another_example_or_not_at_all() -> None:
    def one(name: str, a: int, b: int) -> Example:
        return example(name, "From {} to {}", [n(a), n(b)], f"go({a}, {b})")

    unclear = generalize([one("a", 3, 3), one("b", 5, 5)])
    assert "could be" in refused(unclear.bind("a", [n(5), n(7)]))
    assert text_of(unclear.bind("a", [n(7), n(7)])) == "go(7, 7)"
    clear = generalize([one("a", 3, 3), one("b", 5, 6)])
    assert text_of(clear.bind("a", [n(1), n(2)])) == "go(1, 2)"


def test_values_in_another_order_are_matched_through_the_program() -> None:
    known = generalize(
        [
            example("a", "From {} to {}", [col("x"), col("y")], "df.plot('x', 'y')"),
            example("b", "To {} from {}", [col("u"), col("v")], "df.plot('v', 'u')"),
        ]
    )
    assert text_of(known.bind("a", [col("p"), col("q")])) == "df.plot('p', 'q')"
    assert text_of(known.bind("b", [col("p"), col("q")])) == "df.plot('q', 'p')"
    assert known.order("a") == (0, 1) and known.order("b") == (1, 0)
    # From 3 to 4 and back again: both readings fit, and they disagree.
    torn = generalize(
        [
            example("a", "From {} to {}", [n(3), n(3)], "go(3, 3)"),
            example("b", "To {} from {}", [n(5), n(5)], "go(5, 5)"),
        ]
    )
    assert refused(torn.bind("a", [n(1), n(2)]))


def test_a_constant_that_equals_a_value_by_chance_stays() -> None:
    known = pair("Top {}", "df.head(%s).plot(figsize=(3, 4), lw=3)", [n(3)], [n(4)], fills=[(3,), (4,)])
    assert text_of(known.bind("a", [n(8)])) == "df.head(8).plot(figsize=(3, 4), lw=3)"


def test_derived_texts() -> None:
    code = 'fig.savefig("out/%s_hist.png")\nplt.title("%s")\nx = "%s"'
    known = pair(
        "Plot {} of {}",
        code,
        [col("body_mass"), slot("path", "data/birds.csv")],
        [col("bill_length"), slot("path", "data/fish.csv")],
        fills=[("body_mass", "Body Mass", "birds"), ("bill_length", "Bill Length", "fish")],
    )
    assert text_of(known.bind("a", [col("wing_span"), slot("path", "data/bats.csv")])) == code % (
        "wing_span",
        "Wing Span",
        "bats",
    )


def test_parts_of_a_path_that_never_varied_stop_a_new_one() -> None:
    known = pair(
        "Load {}",
        'df = pd.read_csv("%s")',
        [slot("path", "data/a.csv")],
        [slot("path", "data/b.csv")],
        fills=[("data/a.csv",), ("data/b.csv",)],
    )
    assert text_of(known.bind("a", [slot("path", "data/c.csv")])) == 'df = pd.read_csv("data/c.csv")'
    assert "read_csv" in refused(known.bind("a", [slot("path", "data/c.parquet")]))


def test_dates_units_and_percentages() -> None:
    day = [slot("date", "22 Nov 2026", "2026-11-22"), slot("date", "5 March 2025", "2025-03-05")]
    code = 'a = pd.Timestamp(%s)\nb = "%s"'
    known = pair(
        "On {}", code, day[:1], day[1:], fills=[("2026, 11, 22", "2026-11-22"), ("2025, 3, 5", "2025-03-05")]
    )
    assert text_of(known.bind("a", [slot("date", "1 Jan 2024", "2024-01-01")])) == code % ("2024, 1, 1", "2024-01-01")

    def length(text: str, metres: str) -> Slot:
        return slot("quantity", text, Decimal(metres), "m")

    known = pair("Move {}", "go(%s)", [length("30 cm", "0.3")], [length("50 cm", "0.5")], fills=[(30,), (50,)])
    assert text_of(known.bind("a", [length("70cm", "0.7")])) == "go(70)"
    assert "could be" in refused(known.bind("a", [length("2 m", "2")]))
    known = pair("Move {}", "go(%s)", [length("30 cm", "0.3")], [length("2 m", "2")], fills=[("0.3",), ("2.0",)])
    assert text_of(known.bind("b", [length("70cm", "0.7")])) == "go(0.7)"
    assert refused(known.bind("b", [slot("quantity", "3 s", Decimal(3), "s")]))

    def percent(value: int) -> Slot:
        return slot("percent", f"{value}%", value, "%")

    known = pair(
        "Test on {}",
        "split(test=%s, train=%s)",
        [percent(20)],
        [percent(25)],
        fills=[("0.2", "0.8"), ("0.25", "0.75")],
    )
    assert text_of(known.bind("a", [percent(5)])) == "split(test=0.05, train=0.95)"
