"""Numbers that are written short, codes of digits, and an order that somebody says."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from llmos_nb.domains.data import in_order, numbers, order_key
from llmos_nb.errors import TableError


@pytest.mark.parametrize(
    ("texts", "short", "read"),
    [
        (["4k", "3.5M", "120"], False, [4000, 3_500_000, 120]),
        (["4.1k", "0.7k"], False, [4100, 700]),
        (["$4k", "$3,500.50", "$1.2M"], False, [4000, 3500.5, 1_200_000]),
        (["2 bn", "900 Mio"], False, [2e9, 9e8]),
        (["3,5M", "1,25k"], False, [3_500_000, 1250]),
        (["300K", "2M"], False, [300_000, 2_000_000]),
        (["300K", "280K"], True, [300_000, 280_000]),
        (["5m", "6m"], False, [5, 6]),  # metres, as before
        (["5m", "6m"], True, [5_000_000, 6_000_000]),
        (["01067", "00001", "10115"], False, [1067, 1, 10115]),
        (["000"], False, [0]),
    ],
)
def test_what_can_be_meant_in_one_way_is_read(texts: list[str], short: bool, read: list[float]) -> None:
    assert numbers(pd.Series(texts), short=short).tolist() == read


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["300K", "280K"], "'300K' may be thousands or have a unit"),
        (["3.5M"], "may be millions or have a unit"),
        (["5k", "10k", "800m"], "'800m' may be millions or have a unit"),
        (["12B", "13A"], "2 texts are no numbers|1 text is no number|billions"),
        (["1,200k", "3k"], "1,234 may be 1.234 or 1234"),
        (["00123", "12.5"], "'00123'"),
        (["1" * 19], "no number"),
    ],
)
def test_what_can_be_meant_otherwise_is_refused(texts: list[str], told: str) -> None:
    with pytest.raises(TableError, match=told):
        numbers(pd.Series(texts, name="x"))


def test_the_remedy_says_which_letters_are_meant() -> None:
    with pytest.raises(TableError, match="Convert heat to numbers with K as thousand and M as million"):
        numbers(pd.Series(["300K"], name="heat"))


def test_sorting_puts_thousands_below_millions_and_codes_by_their_digits() -> None:
    short = pd.Series(["3.5M", "120", "4k"])
    assert short.sort_values(key=order_key).tolist() == ["120", "4k", "3.5M"]
    codes = pd.Series(["10115", "01067"])
    assert codes.sort_values(key=order_key).tolist() == ["01067", "10115"]


def test_an_order_needs_a_place_for_each_value() -> None:
    column = pd.Series(["low", None, "high", "medium"], name="risk")
    ordered = in_order(column, ["low", "medium", "high"])
    assert ordered.sort_values().tolist()[:3] == ["low", "medium", "high"]
    assert ordered.max() == "high" and ordered.isna().sum() == 1
    wrong: list[tuple[list[Any], str]] = [
        (["low", "high"], "1 value without a place in this order: 'medium'"),
        (["low", "medium", "high", "top"], "has no 'top'"),
        (["low", "low", "medium", "high"], "named twice"),
    ]
    for levels, told in wrong:
        with pytest.raises(TableError, match=told):
            in_order(column, levels)
