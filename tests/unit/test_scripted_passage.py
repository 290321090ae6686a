"""Placeholders and filters."""

from __future__ import annotations

import pytest

from llmos_nb.cortex.scripted.passage import QUOTE_LIMIT, Passage, Scope
from llmos_nb.cortex.scripted.problem import ScriptProblem

SCOPE = Scope(
    {"file": "data/my penguins.csv", "n": "007", "x": "2.50", "word": "Adelie"},
    ("rows=344\nmean: 1,234.5 g\n", "first\n\nthird -2 and 2026-11-22\n"),
    "Traceback\nKeyError: 'a'\n\n",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{file}}", "data/my penguins.csv"),
        ("{{ file | quoted }}", '"data/my penguins.csv"'),
        ("{{file|shell}}", "'data/my penguins.csv'"),
        ("{{file|name}} {{file|stem|upper}}", "my penguins.csv MY PENGUINS"),
        ("{{n|int}} {{x|number}}", "7 2.5"),
        ("{{word|lower}} {{word|title}}", "adelie Adelie"),
        ("{{result}}", "first\n\nthird -2 and 2026-11-22"),
        ("{{result 1|line 1}}", "rows=344"),
        ("{{result|last line}}", "third -2 and 2026-11-22"),
        ("{{result 1|number 2}}", "1,234.5"),
        ("{{result 1|number 2|number}}", "1234.5"),
        ("{{result 2|number 1}}", "-2"),
        ("{{result 2|number 3}}", "11"),
        (r"{{result 1|match: rows=(\d+)}}", "344"),
        (r"{{result 1|match: (rows|lines)=(?:\d{3})}}", "rows"),
        ("{{error|last line}}", "KeyError: 'a'"),
        (r"f'\{{x}}' and {'a': {'b': 1}}", "f'{{x}}' and {'a': {'b': 1}}"),
        (r"\{{a}} {{n}} \{{b}}", "{{a}} 007 {{b}}"),
        ("no placeholder", "no placeholder"),
    ],
)
def test_fills(text: str, expected: str) -> None:
    assert Passage.parse(text).fill(SCOPE) == (expected, ())


@pytest.mark.parametrize(
    "source",
    [
        "result 3",
        "result|line 2",
        "result|line 9",
        "result|number 9",
        "result|match: (no)",
        "result|int",
        "word|number",
    ],
)
def test_what_cannot_be_found_is_said_and_named(source: str) -> None:
    text, missing = Passage.parse(f"it is {{{{{source}}}}}.").fill(SCOPE)
    assert text == "it is (not found)."
    assert missing == (source,)


def test_error_is_missing_where_nothing_failed() -> None:
    assert Passage.parse("{{error}}").fill(Scope())[1] == ("error",)


def test_a_placeholder_alone_keeps_its_type() -> None:
    assert Passage.parse("{{n|int}}").value(SCOPE) == (7, ())
    assert Passage.parse("{{x|number}}").value(SCOPE) == (2.5, ())
    assert Passage.parse("n={{n|int}}").value(SCOPE) == ("n=7", ())


def test_a_long_result_is_shortened_and_says_so() -> None:
    text, _ = Passage.parse("{{result}}").fill(Scope(results=("x" * (QUOTE_LIMIT + 5),)))
    assert text.endswith("(5 more characters)")


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("a\n{{file", "not closed", 11),
        ("{{file\n}}", "not closed", 10),
        ("{{a.b}}", "no placeholder", 10),
        ("a\n\n{{file|nope}}", "unknown filter 'nope'", 12),
        ("{{file 2}}", "only results have numbers", 10),
        ("{{result 0}}", "start at 1", 10),
        ("{{result|line 0}}", "unknown filter", 10),
        ("{{result|match: (}}", "bad regex", 10),
        ("{{result|match: a}}", "needs a group", 10),
    ],
)
def test_refuses_with_the_line(text: str, reason: str, line: int) -> None:
    with pytest.raises(ScriptProblem, match=reason) as caught:
        Passage.parse(text, 10)
    assert caught.value.line == line
