"""The words of the namespace: what is there, cheaply, and without ever running anything of the user's."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_nb.tools.vocabulary import COLUMNS_LIMIT, DISTINCT_LIMIT, READS_LIMIT, vocabulary_of


def words(**names: Any) -> dict[str, list[str]]:
    return vocabulary_of(names)


def test_variables_are_the_users_own_values() -> None:
    names = {
        "total": 1, "name": "x", "_private": 1, "__name__": "m", "In": [], "Out": {}, "pd": pd, "f": lambda: 1,
        "Kind": type("Kind", (), {}), "len": len, "sin": np.sin, "method": [].append, "array": np.zeros(2), 5: "odd",
    }  # fmt: skip
    assert vocabulary_of(names)["variable"] == ["array", "name", "total"]  # type: ignore[arg-type]


def values(found: dict[str, list[str]]) -> list[str]:
    """The values of all columns."""
    return sorted({value for kind, words in found.items() if kind.endswith(" value") for value in words})


def test_columns_and_values_of_text_columns() -> None:
    df = pd.DataFrame({"species": ["Adelie", "Gentoo", None], "mass": [1.5, 2, 3], 7: [1, 2, 3]})
    df["island"] = pd.Categorical(["Dream", "Dream", "Biscoe"])
    found = words(penguins=df)
    assert found == {
        "variable": ["penguins"], "column": ["island", "mass", "species"],
        "island value": ["Biscoe", "Dream"], "species value": ["Adelie", "Gentoo"],
    }  # fmt: skip


def test_values_that_are_no_words_are_left_out() -> None:
    df = pd.DataFrame({"a": ["x", "12", "ab", "y" * 200, ""]})
    assert values(words(df=df)) == ["ab"]


def test_columns_with_many_values_or_with_other_things_have_none() -> None:
    many = pd.DataFrame({"id": [f"name{i}" for i in range(DISTINCT_LIMIT + 1)]})
    mixed = pd.DataFrame({"m": pd.Series(["one", 2], dtype=object)})
    assert values(words(a=many, b=mixed)) == []
    assert values(words(a=many.head(DISTINCT_LIMIT))) != []


def test_values_at_the_end_of_a_long_sorted_column_are_seen() -> None:
    df = pd.DataFrame({"kind": ["first"] * 50_000 + ["second"] * 30_000 + ["third"] * 20_000})
    assert values(words(df=df)) == ["first", "second", "third"]


def test_a_huge_table_has_columns_and_no_values() -> None:
    df = pd.DataFrame({"n": np.zeros(6_000_000, dtype="int8"), "kind": pd.Categorical(["aa"]).take([0] * 6_000_000)})
    assert values(words(df=df)["column"] == ["kind", "n"] and words(df=df)) == []
    wide = pd.DataFrame(np.zeros((1, COLUMNS_LIMIT + 5)), columns=[f"c{i}" for i in range(COLUMNS_LIMIT + 5)])
    assert len(words(df=wide)["column"]) == COLUMNS_LIMIT


def test_a_changed_table_is_looked_at_again() -> None:
    df = pd.DataFrame({"a": ["one", "two"]})
    assert values(words(df=df)) == ["one", "two"]
    df["b"] = ["three", "four"]
    assert words(df=df) == {
        "variable": ["df"], "column": ["a", "b"], "a value": ["one", "two"], "b value": ["four", "three"]
    }  # fmt: skip
    df.columns = ["x", "y"]
    assert words(df=df)["column"] == ["x", "y"]
    df.loc[2] = ["five", "six"]
    assert "five" in values(words(df=df))
    for i in range(50):  # identities of tables that are gone are used again
        assert values(words(df=pd.DataFrame({f"c{i}": [f"word{'x' * i}"]}))) == [f"word{'x' * i}"]


def test_more_text_columns_than_one_call_reads_follow_in_the_next() -> None:
    names = {f"t{i}": pd.DataFrame({f"c{i}": [f"value {chr(97 + i % 26)}{i}"]}) for i in range(READS_LIMIT + 5)}
    assert len(values(vocabulary_of(names))) == READS_LIMIT
    assert len(values(vocabulary_of(names))) == READS_LIMIT + 5
    wide = pd.DataFrame({f"w{i}": [f"word {'x' * i}"] for i in range(READS_LIMIT + 5)})
    assert len(values(words(df=wide))) == READS_LIMIT == len(values(words(df=wide)))


class Hostile:
    """Says it is everything, and acts when it is asked anything."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __bool__(self) -> bool:
        raise AssertionError("asked for its truth")

    __hash__ = None  # type: ignore[assignment]


class DataFrame:
    """A class of the user's with a known name."""

    @property
    def columns(self) -> list[str]:
        raise AssertionError("the user's property was run")


class Mine(pd.DataFrame):
    @property
    def columns(self) -> Any:  # type: ignore[override]
        raise AssertionError("the user's property was run")


def test_nothing_of_the_users_is_run() -> None:
    inside = pd.DataFrame({"a": pd.Series([Hostile(), "word"], dtype=object)})
    found = words(h=Hostile(), d=DataFrame(), m=object.__new__(Mine), t=inside)
    assert found == {"variable": ["d", "h", "m", "t"], "column": ["a"]}


@pytest.mark.parametrize(
    "odd",
    [
        pd.DataFrame(), pd.DataFrame([[1, 2]]), pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({("x", "y"): ["one"]}), pd.DataFrame({"a": [["list"], {"k": 1}]}), pd.Series(["x"]),
        pd.DataFrame({"a": pd.array(["one", None], dtype="string")}),
        pd.DataFrame({"a": pd.Categorical([1, 2])}), pd.DataFrame({"t": pd.to_datetime(["2026-01-01"])}),
        pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), pd.DataFrame({"a": [b"bytes"]}),
    ],
)  # fmt: skip
def test_odd_tables_raise_nothing(odd: Any) -> None:
    assert words(odd=odd)["variable"] == ["odd"]


def test_pandas_is_not_imported_for_it() -> None:
    code = (
        "import sys\nfrom llmos_nb.tools.vocabulary import vocabulary_of\n"
        "found = vocabulary_of({'a': 1})\nassert found['variable'] == ['a']\nassert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
