"""Charts of a column over time, of groups and of shares: what is drawn, named and told below."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
import pytest

from llmos_nb.domains.data import draw_bars, draw_boxes, draw_line, draw_pie
from llmos_nb.errors import TableError

matplotlib.use("agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def drawn(line: int = 0) -> list[float]:
    return [float(value) for value in plt.gca().lines[line].get_ydata()]


def below() -> str:
    return "".join(text.get_text() for text in plt.gcf().texts)


def test_a_line_is_in_the_order_of_time_and_marks_few_points() -> None:
    draw_line(pd.Series([3, 1, 2], name="x"), pd.Series(["03.02.2025", "01.01.2025", "15.01.2025"], name="day"))
    assert drawn() == [1, 2, 3]
    assert plt.gca().lines[0].get_marker() == "o"
    assert (plt.gca().get_xlabel(), plt.gca().get_ylabel(), below()) == ("day", "x", "")


def test_several_values_of_one_moment_are_their_mean_and_named_so() -> None:
    draw_line(pd.Series([1.0, 3.0, 8.0], name="x"), pd.Series(["2025-01-02", "2025-01-02", "2025-01-01"], name="day"))
    assert drawn() == [8, 2]
    assert plt.gca().get_ylabel() == "mean of x"


def test_a_line_has_gaps_where_values_are_missing_or_steps_left_out() -> None:
    days = pd.Series(pd.date_range("2025-01-01", periods=30), name="day").drop(range(10, 15))
    values = pd.Series(np.arange(30.0), name="x").mask(lambda x: x == 20).drop(range(10, 15))
    draw_line(values, days)
    assert sum(value != value for value in drawn()) == 2
    assert below() == "1 value missing: gaps in the line"


def test_uneven_steps_are_no_gaps_and_rows_without_a_date_are_told() -> None:
    days = pd.Series(["2025-01-01", "2025-01-02", "2025-01-09", "2025-03-01", None], name="day")
    draw_line(pd.Series([1.0, 2, 3, 4, 5], name="x"), days)
    assert drawn() == [1, 2, 3, 4]
    assert below() == "1 row without day not shown"


def test_a_point_that_stands_alone_has_a_mark() -> None:
    draw_line(pd.Series([1.0, None] * 60 + [2.0, 3.0], name="x"))
    marked = plt.gca().lines[0].get_markevery()
    assert marked[:3] == [0, 2, 4] and 120 not in marked


def test_each_group_has_a_line() -> None:
    days = pd.Series(pd.date_range("2025-01-01", periods=6), name="day")
    draw_line(pd.Series(range(6), name="x"), days, pd.Series(["b", "a", None] * 2, name="of"))
    assert [line.get_label() for line in plt.gca().lines] == ["a", "b"]
    assert drawn(0) == [1, 4]
    assert "2 rows without day or of" in below()


def test_a_resampled_series_is_drawn_over_its_own_dates() -> None:
    series = pd.Series([1.0, 2], index=pd.DatetimeIndex(["2025-01-01", "2025-02-01"], name="day"))
    draw_line(series, label="sum of x")
    assert (plt.gca().get_xlabel(), plt.gca().get_ylabel()) == ("day", "sum of x")


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(TableError, match="nothing to draw"):
        draw_line(pd.Series([None, None], name="x", dtype=float))
    with pytest.raises(TableError, match="no rows"):
        draw_pie(pd.Series([], name="x", dtype=object))
    with pytest.raises(TableError, match="both values"):
        draw_boxes(pd.Series([1.0], name="x"), pd.Series([None], name="k", dtype=object))
    with pytest.raises(TableError, match="no groups"):
        draw_bars(pd.Series([], dtype=float), "rows")


def test_bars_have_their_groups_and_what_they_are() -> None:
    draw_bars(pd.Series({"a": 2.0, np.nan: 1.0}), "mean of x")
    assert [label.get_text() for label in plt.gca().get_xticklabels()] == ["a", "missing"]
    assert plt.gca().get_ylabel() == "mean of x"
    draw_bars(pd.Series(range(100), index=[f"group {n}" for n in range(100)]), "rows")
    assert len(plt.gca().patches) == 40
    assert below() == "the 40 largest of 100 groups"


def test_a_pie_joins_the_rarest_and_keeps_what_is_missing() -> None:
    draw_pie(pd.Series([*"aaabbcdefghijk", None], name="x"))
    told = [text.get_text() for text in plt.gca().get_legend().get_texts()]
    assert told[0] == "a: 3 rows, 20.0%"
    assert told[-2:] == ["4 others: 4 rows, 26.7%", "missing: 1 row, 6.7%"]


def test_boxes_are_in_the_order_of_their_groups_and_tell_what_is_left_out() -> None:
    groups = pd.Series(["10", "9", "10", "9", None], name="k")
    draw_boxes(pd.Series([1.0, 2, 3, None, 5], name="x"), groups)
    assert [label.get_text() for label in plt.gca().get_xticklabels()] == ["9", "10"]
    assert below() == "2 rows without a value or a group not shown"
