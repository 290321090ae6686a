"""Goal templates: what matches, what must not, what is bound."""

from __future__ import annotations

import pytest

from llmos_nb.cortex.scripted.problem import ScriptProblem
from llmos_nb.cortex.scripted.template import GOAL_LIMIT, Template


@pytest.mark.parametrize(
    ("template", "goal", "values"),
    [
        ("Load {file:path} and count the rows", "load  penguins.csv and\n count the ROWS.", {"file": "penguins.csv"}),
        ("Load {file:path} and count", "Load data/a-b_c.v2.csv and count", {"file": "data/a-b_c.v2.csv"}),
        ("Load {file:path} and count", r"Load C:\data\a.csv and count", {"file": r"C:\data\a.csv"}),
        ("Load {file:path} and count", 'Load "my data.csv" and count', {"file": "my data.csv"}),
        ("Load {file:path} and count", "Load `data` and count", {"file": "data"}),
        ("Open {file:path}", "Open penguins.csv.", {"file": "penguins.csv"}),
        ("Open {file:path}", "Open data/", {"file": "data/"}),
        ("Load {file:path}, then stop", "Load a.csv, then stop", {"file": "a.csv"}),
        ("Mean of {s:word} here", "mean of Adelie here", {"s": "Adelie"}),
        ("Mean of {s:word} here", "mean of 'bill_length_mm' here", {"s": "bill_length_mm"}),
        ("Add {a:number} and {b:number}", "Add -2.5 and +1e3", {"a": "-2.5", "b": "+1e3"}),
        ("What is {a:number} + {b:number}?", "what is 2+3", {"a": "2", "b": "3"}),
        ("What is {a:number} + {b:number}?", "What is 2 + -3 ?", {"a": "2", "b": "-3"}),
        ("First {n:int} primes", "First 12 primes!", {"n": "12"}),
        ("Say {what:quoted} twice", 'Say "a {b} c" twice', {"what": "a {b} c"}),
        ("Write about {topic:text} to {out:path}", "Write about a b to a.md", {"topic": "a b", "out": "a.md"}),
        ("Explain {topic}", "Explain the bill, please", {"topic": "the bill, please"}),
        ("Hello", " hello! ", {}),
    ],
)  # fmt: skip
def test_binds(template: str, goal: str, values: dict[str, str]) -> None:
    assert Template.parse(template).bind(goal) == values


@pytest.mark.parametrize(
    ("template", "goal"),
    [
        ("Load {file:path} and count", "Load it and count"),
        ("Load {file:path} and count", "Load a.csv b.csv and count"),
        ("Load {file:path} and count", "Please load a.csv and count"),
        ("Load {file:path} and count", "Load a.csv and count 5"),
        ("What is {a:number} + {b:number}?", "What is 2 - 3?"),
        ("What is {a:number} + {b:number}?", "What is 2 3?"),
        ("First {n:int} primes", "First 2.5 primes"),
        ("First {n:int} primes", "First x2 primes"),
        ("First {n:int} primes", "First 1,000 primes"),
        ("Is {a:number} > {b:number}?", "Is 2 < 3?"),
        ("Compute {n:int}", "Compute 5!"),
        ("Mean of {s:word} here", "mean of two words here"),
        ("Say {what:quoted}", "Say hello"),
        ("Explain {topic:text}", "Explain " + "x" * GOAL_LIMIT),
        ("Hello", ""),
    ],
)
def test_does_not_match(template: str, goal: str) -> None:
    assert Template.parse(template).bind(goal) is None


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("Load {file:folder}", "'folder' is no type"),
        ("Load {file:path} and {file:path}", "binds 'file' twice"),
        ("Load {File:path}", "cannot name a value"),
        ("Load {result:path}", "cannot name a value"),
        ("Load {file:path", "a brace that is no value"),
        ("{goal:text}", "at least one literal word"),
        ("Load {a:word}{b:word}", "nothing between them"),
        ("a {a:text} b {b:text} c {c:text}", "more than 2 text values"),
    ],
)
def test_refuses(template: str, reason: str) -> None:
    with pytest.raises(ScriptProblem, match=reason):
        Template.parse(template)


def test_key_is_equal_for_templates_that_claim_the_same_goals() -> None:
    one, two = Template.parse("Load {file:path} now."), Template.parse("load  {other:path} NOW")
    assert one.key == two.key
    assert one.key != Template.parse("Load {file:word} now").key
