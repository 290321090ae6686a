"""What a run needed of the namespace it began in: read from its code, and never more than that."""

from __future__ import annotations

import types
from typing import Any

import pytest

from llmos_nb.guard.verdict import ALLOWED
from llmos_nb.learning.needs import name_use, needs_of, types_of, unmet
from llmos_nb.tools.tool import ToolResult
from llmos_nb.tools.workbench import Call

BEFORE = {"df": "DataFrame", "n": "int", "i": "int", "helper": "function", "pd": "module"}


def cell(code: str, **did: Any) -> Call:
    return Call(1, "run_cell", {"code": code}, ALLOWED, ToolResult(text="", **did), 0.0)


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("df.head()", {"df"}),
        ("df = df.dropna()", {"df"}),
        ("n += 1", {"n"}),
        ("del n", {"n"}),
        ("x = [helper(v) for v in df]", {"df", "helper"}),
        ("def f():\n    return df\nf()", {"df"}),
        ("class A:\n    size = n", {"n"}),
        ("await helper(n)", {"helper", "n"}),
        ("%time\ndf.sum()", {"df"}),
        ("import pandas as pd\npd.read_csv('x')", set()),
        ("for i in range(3):\n    print(i)", set()),
        ("with open('f') as n:\n    n.read()", set()),
        ("n = 1\nprint(n)", set()),
        ("def f(df):\n    return df.sum()", set()),
        ("def f():\n    return n\nn = 2\nf()", set()),
        ("[i for i in (1, 2)]", set()),
        ("print('df')", set()),
        ("try:\n    n\nexcept NameError:\n    n = 1", set()),
        ("'n' in globals() and n", set()),
        ("from x import *\ndf.head()", set()),
        ("%%bash\necho df", set()),
        ("df = ", set()),
        ("unknown + 1", set()),
    ],
)
def test_a_need_is_what_is_read_before_it_is_bound(code: str, needed: set[str]) -> None:
    assert set(needs_of([cell(code)], BEFORE)) == needed


def test_what_an_earlier_or_later_call_binds_is_no_need() -> None:
    assert needs_of([cell("df = load()"), cell("df.head()")], BEFORE) == {}
    assert needs_of([cell("%load it", defines={"df": "DataFrame"}), cell("df.head()")], BEFORE) == {}
    assert needs_of([cell("def f():\n    return n"), cell("n = 1"), cell("f()")], BEFORE) == {}


def test_calls_that_did_nothing_need_nothing() -> None:
    denied = Call(1, "run_cell", {"code": "df"}, ALLOWED, None, 0.0)
    assert needs_of([denied, cell("df.nothing", error="AttributeError")], BEFORE) == {}
    assert needs_of([cell("x = 1\ndf.nothing", error="AttributeError", defines={"x": "int"})], BEFORE) == {
        "df": "DataFrame"
    }


def test_what_is_inspected_is_needed() -> None:
    call = Call(1, "inspect", {"names": ["df", "later"]}, ALLOWED, ToolResult(text=""), 0.0)
    assert needs_of([call], BEFORE) == {"df": "DataFrame"}


def test_only_the_users_own_names_count() -> None:
    names = {"a": 1, "_b": 2, "In": [], "open": open, "pd": types}
    assert types_of(names) == {"a": "int", "pd": "module"}


def test_unmet_needs_are_told() -> None:
    assert unmet({"a": "int"}, {"a": 3}) == "" and unmet({}, {}) == ""
    assert unmet({"a": "int"}, {"a": 3.5}) == "", "a number is a number"
    assert "variable a (int), which is not there" in unmet({"a": "int"}, {})
    assert "a to be of type int, and it is of type str" in unmet({"a": "int"}, {"a": "3"})
    assert "bool" in unmet({"a": "int"}, {"a": True})


def test_how_names_are_used() -> None:
    use = name_use("y = x\ndef f():\n    global z\n    z = w")
    assert use.first == {"x"} and use.inside == {"w"} and use.binds == {"y", "f", "z"}
