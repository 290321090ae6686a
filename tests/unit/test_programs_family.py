"""Families of traces: what belongs together, lists, expectations, declared parameters."""

from __future__ import annotations

from decimal import Decimal

from program_examples import col, example, listed, n, pair, refused, slot, text_of

from llmos_nb.memory import Expectation
from llmos_nb.memory.programs import Bound, Example, Generalization, generalize


def test_a_whole_list_may_have_another_length_only_if_examples_had() -> None:
    def one(name: str, *names: str) -> Example:
        items = ", ".join(f'"{x}"' for x in names)
        return example(name, "Mean of {}", [listed(*names)], f"df[[{items}]].mean()")

    twos = generalize([one("a", "x", "y"), one("b", "u", "v")])
    assert text_of(twos.bind("a", [listed("p", "q")])) == 'df[["p", "q"]].mean()'
    assert "list of 2" in refused(twos.bind("a", [listed("p", "q", "r")]))
    assert "list of 2" in refused(twos.bind("a", [listed("p")]))
    mixed = generalize([one("a", "x", "y"), one("b", "u", "v", "w")])
    assert text_of(mixed.bind("a", [listed("p")])) == 'df[["p"]].mean()'
    assert mixed.parameters[0].type == "list[str]"


def test_items_that_nothing_follows_are_not_dropped() -> None:
    known = pair("Plot {}", "plot('%s')", [listed("x", "y")], [listed("u", "v")], fills=[("x",), ("u",)])
    assert text_of(known.bind("a", [listed("p", "y")])) == "plot('p')"
    assert refused(known.bind("a", [listed("p", "q")]))
    assert refused(known.bind("a", [listed("p", "y", "z")]))


def test_a_length_in_the_program_follows_the_list() -> None:
    code = "fig, axes = plt.subplots(1, %s)\ndf[[%s]].hist(ax=axes)"
    known = pair(
        "Plot {}", code, [listed("x", "y")], [listed("u", "v", "w")], fills=[(2, "'x', 'y'"), (3, "'u', 'v', 'w'")]
    )
    assert text_of(known.bind("a", [listed("p", "q", "r", "s")])) == code % (4, "'p', 'q', 'r', 's'")


def test_lists_beside_constants() -> None:
    code = "df[['id', %s]]"
    known = pair("Show {}", code, [listed("x", "y")], [listed("u")], fills=[("'x', 'y'",), ("'u'",)])
    assert text_of(known.bind("b", [listed("p", "q's")])) == code % "'p', 'q\\'s'"


def test_examples_that_differ_for_no_reason_are_two_families() -> None:
    def one(name: str, template: str, count: int, order: str) -> Example:
        return example(name, template, [n(count)], f"df.{order}({count})")

    known = generalize(
        [one("a", "First {}", 3, "head"), one("b", "Last {}", 4, "tail"), one("c", "The {} first", 5, "head")]
    )
    assert known.members("a") == ("a", "c") and known.members("b") == ("b",)
    assert text_of(known.bind("a", [n(9)])) == "df.head(9)"
    assert refused(known.bind("b", [n(9)]))
    assert not known.refutations


def test_an_example_that_fits_two_families_joins_neither() -> None:
    known = generalize(
        [
            example("a", "Twice {}", [n(3)], "go(6, 3)"),
            example("b", "The square of {}", [n(4)], "go(16, 4)"),
            example("c", "Something with {}", [n(2)], "go(4, 2)"),
        ]
    )
    assert all(refused(known.bind(name, [n(9)])) for name in "bc")


def test_names_that_programs_choose_for_themselves_do_not_count() -> None:
    known = pair(
        "Mean of {}",
        "%s = load()\nprint(%s['%s'].mean())",
        [col("x")],
        [col("y")],
        fills=[("df", "df", "x"), ("data", "data", "y")],
    )
    assert text_of(known.bind("b", [col("z")])) == "data = load()\nprint(data['z'].mean())"
    free = pair("Mean of {}", "print(%s['%s'].mean())", [col("x")], [col("y")], fills=[("df", "x"), ("data", "y")])
    assert refused(free.bind("a", [col("z")])) and free.refutations
    stale = pair(
        "Mean of {}",
        "%s = m('%s')\nprint(%s)",
        [col("mass_g")],
        [col("len_mm")],
        fills=[("avg_mass", "mass_g", "avg_mass"), ("ln", "len_mm", "ln")],
    )
    assert "old value" in refused(stale.bind("a", [col("wing")]))
    assert text_of(stale.bind("b", [col("wing")])) == "ln = m('wing')\nprint(ln)"
    crossed = pair(
        "Do {}",
        "%s = 1\n%s = 2\nf(%s, '%s')",
        [col("x")],
        [col("y")],
        fills=[("a", "b", "a", "x"), ("a", "b", "b", "y")],
    )
    assert refused(crossed.bind("a", [col("z")]))


def test_expectations_follow_or_are_left_open() -> None:
    def one(name: str, column: str, kind: str, table: tuple[str, ...]) -> Example:
        expect = Expectation(
            defines={f"mean_{column}": kind, "df": "DataFrame"},
            columns={"df": table, "top": ("id", column)},
            outputs=("text/plain",),
            files=("log.txt", f"out/{column}.png"),
            digest=f"digest of {column}",
        )
        code = f'mean_{column} = df["{column}"].mean()\ntop = df[["id", "{column}"]]\nsave("out/{column}.png")'
        return example(name, "Mean of {}", [col(column)], code, expect=expect)

    known = generalize([one("a", "x", "float64", ("x", "w")), one("b", "y", "float64", ("y", "w", "z"))])
    bound = known.bind("a", [col("z")])
    assert isinstance(bound, Bound)
    expect = bound.steps[0].expect
    assert expect.defines == {"mean_z": "float64", "df": "DataFrame"}
    assert expect.columns == {"top": ("id", "z")}
    assert expect.files == ("log.txt", "out/z.png")
    assert expect.outputs == ("text/plain",) and expect.digest == ""
    types = generalize([one("a", "x", "float64", ("x",)), one("b", "y", "int64", ("y",))]).bind("a", [col("z")])
    assert isinstance(types, Bound)
    assert types.steps[0].expect.defines["mean_z"] == "float64 | int64"
    assert types.steps[0].expect.columns["df"] == ("z",)


def test_a_recorded_outcome_is_never_left_open() -> None:
    failed = Expectation(status="error", error="KeyError")
    known = generalize(
        [
            example("a", "Do {}", [n(3)], "go(3)", expect=failed),
            example("b", "Do {}", [n(5)], "go(5)"),
        ]
    )
    assert refused(known.bind("a", [n(9)])) and refused(known.bind("b", [n(9)]))
    both = generalize([example(i, "Do {}", [n(v)], f"go({v})", expect=failed) for i, v in (("a", 3), ("b", 5))])
    bound = both.bind("a", [n(9)])
    assert isinstance(bound, Bound) and bound.steps[0].expect.error == "KeyError"


def test_declared_parameters_that_a_rerun_proved_need_no_second_example() -> None:
    def one(code: str, proved: list[str], values: dict[str, object]) -> Generalization:
        slots = [n(3), col("sales")]
        return generalize(
            [example("a", "Top {} of {}", slots, code, more={"parameters": values}, extra={"proved": proved})]
        )

    known = one("df['sales'].head(count)", ["count"], {"count": 3})
    bound = known.bind("a", [n(9), col("sales")])
    assert isinstance(bound, Bound) and bound.steps[0].arguments["parameters"] == {"count": 9}
    assert [(p.name, p.confirmed) for p in known.parameters if p.confirmed] == [("count", True)]
    assert refused(known.bind("a", [n(3), col("price")]))
    assert refused(one("df['sales'].head(count)", [], {"count": 3}).bind("a", [n(9), col("sales")]))
    assert refused(one("df['sales'].head(count)[:3]", ["count"], {"count": 3}).bind("a", [n(9), col("sales")]))
    assert refused(one("df['sales'].head(a, b)", ["a"], {"a": 3, "b": 3}).bind("a", [n(9), col("sales")]))
    assert refused(one("plot('top 3 of sales', n)", ["n"], {"n": 3}).bind("a", [n(9), col("sales")]))


def test_patterns_tell_where_each_place_comes_from_in_python() -> None:
    code = 'n = %s\nx = %s\ntitle = "Mean %s in {%s}"\ndf[["%s", "id"]]'
    known = pair(
        "{} of {}", code, [n(3), col("a")], [n(5), col("b")], fills=[(3, 2, "a", "A", "a"), (5, 4, "b", "B", "b")]
    )
    names = [parameter.name for parameter in known.family("a")]
    sources = [pattern.source(names) for place, pattern in known.patterns("a") if place.role != "name"]
    assert sources == ["n", "n - 1", 'f"Mean {column} in {{{column.upper()}}}"', "[column, 'id']"]
    new = [n(9), col("c")]
    values = [eval(source, {"n": 9, "column": "c"}) for source in sources]
    applied = [pattern.apply(new) for place, pattern in known.patterns("a") if place.role != "name"]
    assert values == [list(value) if isinstance(value, tuple) else value for value in applied]


def test_a_family_of_several_steps_binds_all_of_them() -> None:
    steps = ("df = load('%s')", "df.head(%s)", "df['%s'].plot()")
    made = [
        example(
            i,
            "{} rows of {}",
            [n(c), slot("path", f)],
            *(text % v for text, v in zip(steps, (f, c, "x"), strict=True)),
        )
        for i, c, f in (("a", 3, "a.csv"), ("b", 5, "b.csv"))
    ]
    bound = generalize(made).bind("b", [n(8), slot("path", "c.csv")])
    assert text_of(bound) == "df = load('c.csv')\n---\ndf.head(8)\n---\ndf['x'].plot()"


def test_unknown_traces_and_other_counts_are_refused() -> None:
    known = generalize([example("a", "Do {}", [n(3)], "go(3)")])
    assert "no trace" in refused(known.bind("x", [n(3)]))
    assert "2 values" in refused(known.bind("a", [n(3), n(4)]))
    assert generalize([]).parameters == ()


def test_the_same_meaning_written_otherwise_is_the_same_value() -> None:
    known = generalize([example("a", "Move {}", [slot("quantity", "30 cm", Decimal("0.3"), "m")], "go(0.3)")])
    assert text_of(known.bind("a", [slot("quantity", "0.30m", Decimal("0.30"), "m")])) == "go(0.3)"
    assert refused(known.bind("a", [slot("quantity", "0.3s", Decimal("0.3"), "s")]))
    assert refused(known.bind("a", [slot("percent", "0.3%", Decimal("0.3"), "%")]))
