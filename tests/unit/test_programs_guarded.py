"""What a new value must not do: break out of its quotes, mean something else, or hide what is there."""

from __future__ import annotations

import pytest
from program_examples import col, example, listed, n, pair, refused, slot, text_of

from llmos_nb.memory.programs import generalize


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bill length", "df.%s.mean()"),
        ("size", "df.%s.mean()"),
        ("class", "df.%s.mean()"),
        ("total", "%s = 1\ntotal = 2"),
        ("sum", "%s = df.x.max()"),
        ("kept", "def f(kept):\n    return kept + %s"),
        ("gone", "def f():\n    global gone\n    %s = 1"),
    ],
)
def test_names_that_cannot_be_or_mean_something_else_are_refused(name: str, code: str) -> None:
    known = pair("Mean of {}", code, [col("sales")], [col("price")], fills=[("sales",), ("price",)])
    assert text_of(known.bind("a", [col("cost")])) == code % "cost"
    assert refused(known.bind("a", [col(name)]))


def test_f_strings_and_comments_follow() -> None:
    code = "print(f\"{{%s}} mean {df['%s'].mean():.1f} \\n of %s\")  # the mean of %s\n"
    known = pair("Mean of {}", code, [col("sales")], [col("price")], fills=[["sales"] * 4, ["price"] * 4])
    assert text_of(known.bind("a", [col("cost")])) == code % tuple(["cost"] * 4)
    assert refused(known.bind("a", [col("a'b")]))


def test_sql_with_values_of_several_words() -> None:
    query = 'SELECT NAME FROM C AS c0 WHERE c0.D = "%s" AND c0.N = %s AND c0.T LIKE "%%%s%%" LIMIT 3'
    vocabulary = [slot("department", "EECS"), slot("number", "280"), slot("topic", "machine learning")]
    other = [slot("department", "MATH"), slot("number", "550"), slot("topic", "Topology")]
    known = generalize(
        [
            example(
                "a",
                "{} {} about {}",
                vocabulary,
                query % ("EECS", 280, "machine learning"),
                tool="run_sql",
                argument="query",
            ),
            example(
                "b",
                "about {}: {} {}",
                [other[2], *other[:2]],
                query % ("MATH", 550, "Topology"),
                tool="run_sql",
                argument="query",
            ),
        ]
    )
    new = [slot("department", "BIO"), slot("number", "7"), slot("topic", "Mkt Mngmt in O'Hare")]
    assert text_of(known.bind("a", new), "query") == query % ("BIO", 7, "Mkt Mngmt in O'Hare")
    assert text_of(known.bind("b", [new[2], *new[:2]]), "query") == query % ("BIO", 7, "Mkt Mngmt in O'Hare")
    for bad in ("50% off", 'a"b\\', "x\ny"):
        assert refused(known.bind("a", [*new[:2], slot("topic", bad)]))
    assert refused(known.bind("a", [new[0], slot("number", "7 or 1=1"), new[2]]))


def test_shell_and_notes() -> None:
    command = "sort -t, -k%s %s | head -n %s > top_%s.txt"
    made = [
        example(
            i,
            "{} by {} of {}",
            [n(c), n(k), slot("path", f)],
            command % (k, f, c, c),
            tool="run_shell",
            argument="command",
        )
        for i, c, k, f in (("a", 3, 2, "a.csv"), ("b", 12, 4, "b.csv"))
    ]
    known = generalize(made)
    assert text_of(known.bind("a", [n(15), n(1), slot("path", "my file.csv")]), "command") == command % (
        1,
        "'my file.csv'",
        15,
        15,
    )
    assert refused(known.bind("a", [n(15), n(1), slot("path", "-rf.csv")]))
    assert refused(known.bind("a", [n(15), n(-1), slot("path", "c.csv")]))
    note = "# Report on %s\n\n- the %s %s rows\n"
    known = generalize(
        [
            example(
                i,
                "Write {} of {}",
                [n(c), col(f)],
                note % (f, "top", c),
                tool="write_file",
                argument="content",
                more={"path": f"{f}.md"},
            )
            for i, c, f in (("a", 3, "sales"), ("b", 5, "price"))
        ]
    )
    bound = known.bind("a", [n(9), col("cost")])
    assert text_of(bound, "content") == note % ("cost", "top", 9) and text_of(bound, "path") == "cost.md"
    assert refused(known.bind("a", [n(9), col("../cost")]))


def test_texts_that_are_programs_take_only_what_they_have_shown() -> None:
    code = "df.query(\"%s > %s and region == '%s'\")"
    known = pair(
        "{} over {} in {}",
        code,
        [col("sales"), n(3), slot("region", "North")],
        [col("price"), n(5), slot("region", "South")],
        fills=[("sales", 3, "North"), ("price", 5, "South")],
    )
    good = [col("cost"), n("-2.5"), slot("region", "New York")]
    assert text_of(known.bind("a", good)) == code % ("cost", "-2.5", "New York")
    assert refused(known.bind("a", [col("bill length"), *good[1:]]))
    assert refused(known.bind("a", [col("1 or x"), *good[1:]]))
    assert refused(known.bind("a", [*good[:2], slot("region", "x' or 'a' == 'a")]))


def test_numbers_keep_the_kind_of_their_place() -> None:
    known = pair("Top {}", "df.head(%s)\nlabel = '%s'", [n(3)], [n(5)], fills=[(3, 3), (5, 5)])
    assert "whole number" in refused(known.bind("a", [n("2.5")]))
    assert text_of(known.bind("a", [n(-4)])) == "df.head(-4)\nlabel = '-4'"
    floats = pair("Scale by {}", "go(%s)", [n(3)], [n("0.5")], fills=[("3.0",), (".5",)])
    assert text_of(floats.bind("a", [n(7)])) == "go(7.0)"


@pytest.mark.parametrize(
    ("code", "good", "bad"),
    [
        ("df.rename(columns={'%s': 'a', 'price': 'b'})", "cost", "price"),
        ("df.name.str.contains('%s')", "New York", "C++"),
        ("df.name.str.contains('in %s$')", "Berlin", "a.b"),
        ("Path().glob('%s/*')", "data", "[ab]"),
        ("subprocess.run(['ls', '%s'])", "out", "-la"),
        ("con.execute('select %s from t')", "cost", "a, b"),
        ("print('%%d%%%% of %s' %% 3)", "cost", "50% off"),
        ("print('{} of %s'.format(3))", "cost", "a {b}"),
        ("print('Mean of the %s'.upper())", "bill length (mm)", "a\nb"),
        ("open('out/%s_log.csv')", "cost", "../cost"),
        ("%s(1)", "total", "exec"),
        ("df.%s", "cost", "__class__"),
    ],
)
def test_values_that_would_mean_something_else_are_refused(code: str, good: str, bad: str) -> None:
    known = pair("Do {}", code, [slot("word", "sales")], [slot("word", "weight")], fills=[("sales",), ("weight",)])
    assert text_of(known.bind("a", [slot("word", good)])) == code % good
    assert refused(known.bind("a", [slot("word", bad)]))


def test_parameters_of_a_statement_may_hold_anything() -> None:
    code = "con.execute('select * from t where n = ?', ['%s'])"
    known = pair("Do {}", code, [slot("word", "x")], [slot("word", "y")], fills=[("x",), ("y",)])
    assert text_of(known.bind("a", [slot("word", "a; b")])) == code % "a; b"


def test_a_whole_list_is_looked_at_item_by_item() -> None:
    known = pair("Do {}", "subprocess.run([%s])", [listed("x", "y")], [listed("u")], fills=[("'x', 'y'",), ("'u'",)])
    assert text_of(known.bind("a", [listed("v", "w")])) == "subprocess.run(['v', 'w'])"
    assert refused(known.bind("a", [listed("v", "-rf")]))


def test_a_derived_number_that_is_zero_for_the_first_time_is_refused() -> None:
    known = pair("The last {}", "df[%s:]", [n(3)], [n(5)], fills=[(-3,), (-5,)])
    assert text_of(known.bind("a", [n(9)])) == "df[-9:]"
    assert "no example" in refused(known.bind("a", [n(0)]))
