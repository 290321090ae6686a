"""What is different in two tables, and tables as Markdown."""

from __future__ import annotations

import pandas as pd
import pytest

from llmos_nb.domains.data.differing import compare_tables, markdown_table


def test_rows_are_counted_whatever_their_order_and_types() -> None:
    left = pd.DataFrame({"a": [1, 2, 2, None], "b": ["x", "y", "y", None]})
    right = pd.DataFrame({"b": [None, "y", "z"], "a": [None, "2", "9"], "c": [1, 2, 3]})
    found = compare_tables(left, right)
    assert found.loc["rows that the other has, too"].tolist() == [2, 2]
    assert found.loc["rows that the other has not"].tolist() == [2, 1]
    assert found.loc["columns that the other has not"].tolist() == ["none", "c"]


def test_dates_are_equal_to_the_texts_that_tell_them() -> None:
    left = pd.DataFrame({"day": pd.to_datetime(["2024-01-31", None])})
    found = compare_tables(left, pd.DataFrame({"day": ["2024-01-31", None]}))
    assert found.loc["rows that the other has not"].tolist() == [0, 0]


def test_tables_without_a_common_column_have_no_common_row() -> None:
    found = compare_tables(pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}))
    assert found.loc["rows that the other has, too"].tolist() == [0, 0]


def test_markdown_keeps_bars_and_lines_in_their_cells() -> None:
    assert markdown_table(pd.DataFrame({"a|b": ["x\ny", None]})) == "| a\\|b |\n| --- |\n| x y |\n|  |"
    with pytest.raises(ValueError, match="filter it first"):
        markdown_table(pd.DataFrame({"a": range(1001)}))
