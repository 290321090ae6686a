# ruff: noqa: E501
"""Goals as newcomers type them, each with what it should give, computed with pandas and not as the library does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["ADVERSARIAL", "GOALS", "Asked"]


@dataclass(frozen=True)
class Asked:
    """A goal, and from the tables by name what it should give; None where nothing should be served.

    With ``checks`` it is called with the value and the names after the cell, and tells whether they are right.
    """

    goal: str
    wanted: Callable[..., Any] | None
    checks: bool = False


def _figure() -> Any:
    import matplotlib.pyplot as plt

    return plt.gcf().axes[0]


def hist(table: str, column: str, bins: int = 30) -> Callable[..., bool]:
    """A check of a histogram."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        ax = _figure()
        counts, edges = np.histogram(names[table][column].dropna(), bins=bins)
        drawn = [patch.get_height() for patch in ax.patches]
        return drawn == counts.tolist() and np.isclose(ax.patches[0].get_x(), edges[0])

    return check


def points(table: str, x: str, y: str) -> Callable[..., bool]:
    """A check of a scatter plot: all rows, and what is on which axis."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        ax, rows = _figure(), names[table][[x, y]].dropna()
        drawn = np.concatenate([np.ma.filled(part.get_offsets(), np.nan) for part in ax.collections])
        drawn = drawn[~np.isnan(drawn).any(axis=1)]
        return (
            ax.get_xlabel() == x
            and ax.get_ylabel() == y
            and sorted(map(tuple, drawn)) == sorted(map(tuple, rows.to_numpy(dtype=float)))
        )

    return check


def bars(make: Callable[[dict[str, Any]], Any]) -> Callable[..., bool]:
    """A check of a bar chart: its heights and labels."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        ax, wanted = _figure(), make(names)
        labels = [label.get_text() for label in ax.get_xticklabels()]
        drawn = dict(zip(labels, (patch.get_height() for patch in ax.patches), strict=True))
        said = {"missing" if k != k or k == "nan" else str(k): v for k, v in wanted.items()}
        return drawn.keys() == said.keys() and all(np.isclose(drawn[k], v) for k, v in said.items())

    return check


def boxes(table: str, x: str, k: str = "") -> Callable[..., bool]:
    """A check of a box plot: the medians."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        ax, frame = _figure(), names[table].dropna(subset=[x])
        wanted = frame.groupby(k)[x].median().tolist() if k else [frame[x].median()]
        flat = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 2]
        found = {float(y[0]) for y in flat if y[0] == y[1]}
        return all(any(np.isclose(one, other) for other in found) for one in wanted)

    return check


def line(table: str, x: str, w: str = "") -> Callable[..., bool]:
    """A check of a line: its values in order."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        frame = names[table]
        drawn = np.ma.filled(np.ma.asarray(_figure().lines[0].get_ydata(), dtype=float), np.nan)
        if not w:
            return bool(np.allclose(drawn, frame[x].to_numpy(dtype=float), equal_nan=True))
        moments: dict[Any, list[float]] = {}
        for when, value in zip(pd.to_datetime(frame[w]), frame[x].astype(float), strict=True):
            moments.setdefault(when, []).append(value)
        means = [np.nanmean(moments[when]) for when in sorted(moments)]
        several = len(means) < len(frame)
        return bool(np.allclose(drawn[~np.isnan(drawn)], [v for v in means if v == v])) and several == (
            _figure().get_ylabel() == f"mean of {x}"
        )

    return check


def after(table: str, make: Callable[[Any], Any]) -> Callable[..., bool]:
    """A check of a table that was changed."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        pd.testing.assert_frame_equal(names[table], make(table), check_dtype=False)
        return True

    return check


def changed(goal: str, table: str, make: Callable[[dict[str, Any]], Any]) -> Asked:
    """A goal that changes a table."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        from bench_starter import tables_for

        for source in GOALS:
            try:
                before = tables_for(source)
            except KeyError:
                continue
            if table in before:
                pd.testing.assert_frame_equal(names[table], make(before), check_dtype=False)
                return True
        return False

    return Asked(goal, check, checks=True)


def _head(n: int, t: str = "cars") -> Callable[..., Any]:
    return lambda g: g[t].iloc[:n]


def _top(frame: Any, column: str, n: int, *, low: bool = False) -> Any:
    values = frame[column].dropna()
    order = np.argsort(values.to_numpy() if low else -values.to_numpy(), kind="stable")[:n]
    return frame.loc[values.index[order]]


def _outside(frame: Any, column: str) -> Any:
    q1, q3 = np.nanpercentile(frame[column], [25, 75])
    keep = [not (q1 - 1.5 * (q3 - q1) <= v <= q3 + 1.5 * (q3 - q1)) and v == v for v in frame[column]]
    return frame[keep]


GOALS: dict[str, list[Asked]] = {}

A = Asked
GOALS["cars"] = [
    A("show the first rows of cars", _head(5)),
    A("What does cars look like?", _head(5)),
    A("show me the first 12 rows of cars", _head(12)),
    A("First 3 rows of cars please", _head(3)),
    A("show the last rows of cars", lambda g: g["cars"].iloc[-5:]),
    A("the last 7 rows of cars", lambda g: g["cars"].iloc[-7:]),
    A("How many rows does cars have?", lambda g: 406),
    A("how many rows are there in cars", lambda g: 406),
    A("what are the dimensions of cars?", lambda g: (406, 9)),
    A("which columns does cars have?", lambda g: list(g["cars"])),
    A("describe cars", lambda g: g["cars"].describe()),
    A("Show me summary statistics for cars", lambda g: g["cars"].describe()),
    A("describe Horsepower in cars", lambda g: g["cars"]["Horsepower"].describe()),
    A("sort cars by horsepower", lambda g: g["cars"].sort_values("Horsepower")),
    A("sort cars by miles per gallon in descending order", lambda g: g["cars"].sort_values("Miles_per_Gallon", ascending=False)),
    A("sort cars by weight, heaviest first", None),
    A("order cars by Origin and Cylinders", lambda g: g["cars"].sort_values(["Origin", "Cylinders"])),
    A("top 5 cars by horsepower", lambda g: _top(g["cars"], "Horsepower", 5)),
    A("show the 10 rows with the lowest acceleration in cars", lambda g: _top(g["cars"], "Acceleration", 10, low=True)),
    A("show the 3 rows of cars with the highest weight in lbs", lambda g: _top(g["cars"], "Weight_in_lbs", 3)),
    A("show the rows of cars where Origin is Japan", lambda g: g["cars"][[o == "Japan" for o in g["cars"]["Origin"]]]),
    A("filter cars where origin is Europe", lambda g: g["cars"].query("Origin == 'Europe'")),
    A("only cars with Origin USA", lambda g: g["cars"].query("Origin == 'USA'")),
    A("rows of cars where origin is not USA", lambda g: g["cars"].query("Origin != 'USA'")),
    A("show cars where horsepower is greater than 200", lambda g: g["cars"].query("Horsepower > 200")),
    A("cars with more than 200 horsepower", lambda g: g["cars"].query("Horsepower > 200")),
    A("filter cars where Acceleration < 9.5", lambda g: g["cars"].query("Acceleration < 9.5")),
    A("show cars where horsepower is at least 150", lambda g: g["cars"].query("Horsepower >= 150")),
    A("rows of cars with cylinders at most 4", lambda g: g["cars"].query("Cylinders <= 4")),
    A("filter cars where cylinders is 6", lambda g: g["cars"].query("Cylinders == 6")),
    A("show the rows of cars where origin is Japan and horsepower is above 100", lambda g: g["cars"].query("Origin == 'Japan' and Horsepower > 100")),
    A("show cars where acceleration is between 10 and 12", lambda g: g["cars"].query("10 <= Acceleration <= 12")),
    A("rows of cars where origin is Japan or Europe", lambda g: g["cars"].query("Origin in ('Japan', 'Europe')")),
    A("average horsepower by origin in cars", lambda g: pd.Series({o: np.nanmean(g["cars"].loc[g["cars"]["Origin"] == o, "Horsepower"]) for o in ("Europe", "Japan", "USA")})),
    A("What is the mean miles per gallon per origin in cars?", lambda g: pd.Series({o: np.nanmean(g["cars"].loc[g["cars"]["Origin"] == o, "Miles_per_Gallon"]) for o in ("Europe", "Japan", "USA")})),
    A("median weight in lbs for each number of cylinders in cars", lambda g: pd.Series({c: float(np.median(g["cars"].loc[g["cars"]["Cylinders"] == c, "Weight_in_lbs"])) for c in (3, 4, 5, 6, 8)})),
    A("median Weight_in_lbs for each Cylinders in cars", lambda g: pd.Series({c: float(np.median(g["cars"].loc[g["cars"]["Cylinders"] == c, "Weight_in_lbs"])) for c in (3, 4, 5, 6, 8)})),
    A("maximum horsepower per origin of cars", lambda g: pd.Series({o: np.nanmax(g["cars"].loc[g["cars"]["Origin"] == o, "Horsepower"]) for o in ("Europe", "Japan", "USA")})),
    A("how many cars per origin are in cars", lambda g: pd.Series({"USA": 254, "Japan": 79, "Europe": 73})),
    A("count the rows of cars by origin", lambda g: pd.Series({"USA": 254, "Japan": 79, "Europe": 73})),
    A("count by origin", lambda g: pd.Series({"USA": 254, "Japan": 79, "Europe": 73})),
    A("what percentage of cars has origin Japan", lambda g: 79 / 406 * 100),
    A("how many different cylinders are in cars", lambda g: 5),
    A("unique values of Origin", lambda g: ["USA", "Europe", "Japan"]),
    A("how many values are missing in cars?", lambda g: pd.Series({c: sum(v != v or v is pd.NaT for v in g["cars"][c]) for c in g["cars"]})),
    A("how many values of horsepower are missing in cars", lambda g: 6),
    A("are there duplicate rows in cars?", lambda g: len(g["cars"]) - len(set(map(tuple, g["cars"].astype(str).to_numpy())))),
    A("correlation between horsepower and acceleration in cars", lambda g: float(np.corrcoef(g["cars"][["Horsepower", "Acceleration"]].dropna().to_numpy().T)[0, 1])),
    A("show the correlation matrix", lambda g: g["cars"].select_dtypes("number").corr()),
    A("histogram of horsepower", hist("cars", "Horsepower"), True),
    A("plot a histogram of Acceleration in cars with 10 bins", hist("cars", "Acceleration", 10), True),
    A("how is miles per gallon distributed", hist("cars", "Miles_per_Gallon"), True),
    A("plot miles per gallon against horsepower in cars", points("cars", "Horsepower", "Miles_per_Gallon"), True),
    A("scatter plot of acceleration vs horsepower", points("cars", "Horsepower", "Acceleration"), True),
    A("plot acceleration against horsepower by origin in cars", points("cars", "Horsepower", "Acceleration"), True),
    A("box plot of horsepower by origin", boxes("cars", "Horsepower", "Origin"), True),
    A("boxplot of Acceleration in cars", boxes("cars", "Acceleration"), True),
    A("bar chart of origin", bars(lambda g: g["cars"]["Origin"].value_counts()), True),
    A("bar chart of the average horsepower by cylinders", bars(lambda g: g["cars"].groupby("Cylinders")["Horsepower"].mean()), True),
    A("find the outliers of acceleration in cars", lambda g: _outside(g["cars"], "Acceleration")),
    A("pivot cars with Origin as rows, Cylinders as columns and the mean of Horsepower", lambda g: g["cars"].groupby(["Origin", "Cylinders"])["Horsepower"].mean().unstack()),
    A("crosstab of origin and cylinders in cars", lambda g: pd.DataFrame({c: {o: int(((g["cars"]["Origin"] == o) & (g["cars"]["Cylinders"] == c)).sum()) for o in ("Europe", "Japan", "USA")} for c in (3, 4, 5, 6, 8)})),
    changed("drop the column Name from cars", "cars", lambda g: g["cars"][[c for c in g["cars"] if c != "Name"]]),
    changed("rename Miles_per_Gallon to mpg in cars", "cars", lambda g: g["cars"].set_axis(["mpg" if c == "Miles_per_Gallon" else c for c in g["cars"]], axis=1)),
    changed("drop the rows of cars with missing values", "cars", lambda g: g["cars"][[not any(v != v for v in row) for row in g["cars"].drop(columns=["Name", "Origin", "Year"]).to_numpy()]]),
    changed("remove duplicates from cars", "cars", lambda g: g["cars"][~g["cars"].astype(str).duplicated()]),
    changed("fill the missing values of horsepower in cars with the median", "cars", lambda g: g["cars"].assign(Horsepower=[v if v == v else np.nanmedian(g["cars"]["Horsepower"]) for v in g["cars"]["Horsepower"]])),
]  # fmt: skip

GOALS["cars"] += [
    A("show the most common origin in cars", lambda g: pd.Series({"USA": 254})),
    A("show the columns of cars with missing values", lambda g: pd.Series({"Miles_per_Gallon": 8, "Horsepower": 6})),
    A("average horsepower of cars whose origin is Japan", lambda g: float(np.nanmean([h for h, o in zip(g["cars"]["Horsepower"], g["cars"]["Origin"], strict=True) if o == "Japan"]))),
    A("what is the total horsepower of cars where Origin is Japan", lambda g: float(np.nansum([h for h, o in zip(g["cars"]["Horsepower"], g["cars"]["Origin"], strict=True) if o == "Japan"]))),
    A("show the rows of cars where Origin starts with J", lambda g: g["cars"][[o[0] == "J" for o in g["cars"]["Origin"]]]),
]  # fmt: skip

GOALS["weather"] = [
    A("show the first rows", _head(5, "df")),
    A("show the first 5 rows of the table", _head(5, "df")),
    A("how many rows does the data have", lambda g: 1461),
    A("what is the average wind", lambda g: float(np.mean(g["df"]["wind"]))),
    A("what is the highest temp max?", lambda g: float(max(g["df"]["temp_max"]))),
    A("what is the maximum of temp_max in df", lambda g: float(max(g["df"]["temp_max"]))),
    A("total precipitation in df", lambda g: float(g["df"]["precipitation"].sum())),
    A("total precipitation per month of date in df", lambda g: g["df"].groupby(g["df"]["date"].dt.to_period("M"))["precipitation"].sum().to_timestamp()),
    A("monthly total precipitation by date", lambda g: g["df"].groupby(g["df"]["date"].dt.to_period("M"))["precipitation"].sum().to_timestamp()),
    A("monthly average temp_max", lambda g: g["df"].groupby(g["df"]["date"].dt.to_period("M"))["temp_max"].mean().to_timestamp()),
    A("average wind per year of date in df", lambda g: g["df"].groupby(g["df"]["date"].dt.to_period("Y"))["wind"].mean().to_timestamp()),
    A("weekly mean of wind by date in df", lambda g: pd.Series(g["df"]["wind"].to_numpy(), g["df"]["date"]).resample("W").mean()),
    A("how many rows per month of date are in df", lambda g: g["df"].groupby(g["df"]["date"].dt.to_period("M")).size().to_timestamp()),
    A("date range of date in df", None),
    A("first and last date in df", lambda g: pd.Series({"min": g["df"]["date"].min(), "max": g["df"]["date"].max()})),
    A("rolling mean of wind in df over 7 rows", lambda g: pd.Series(np.concatenate([[np.nan] * 6, np.convolve(g["df"]["wind"], np.ones(7) / 7, "valid")]))),
    A("7 row moving average of temp_max in df", lambda g: pd.Series(np.concatenate([[np.nan] * 6, np.convolve(g["df"]["temp_max"], np.ones(7) / 7, "valid")]))),
    A("cumulative sum of precipitation", lambda g: pd.Series(np.cumsum(g["df"]["precipitation"].to_numpy()))),
    A("plot temp_max over date", line("df", "temp_max", "date"), True),
    A("line chart of wind over date in df", line("df", "wind", "date"), True),
    A("show the trend of wind over date", line("df", "wind", "date"), True),
    A("show the rows of df where date is after 2015-12-25", lambda g: g["df"][g["df"]["date"].dt.strftime("%Y-%m-%d") > "2015-12-25"]),
    A("rows of df with date between 2013-02-01 and 2013-02-10", lambda g: g["df"][g["df"]["date"].dt.strftime("%Y-%m-%d").between("2013-02-01", "2013-02-10")]),
    A("show df where weather is snow", lambda g: g["df"].query("weather == 'snow'")),
    A("how many rows of df have weather fog", lambda g: int(sum(g["df"]["weather"] == "fog"))),
    A("in how many rows of df is wind above 8", lambda g: int(sum(g["df"]["wind"] > 8))),
    A("percentage of each weather", lambda g: g["df"]["weather"].value_counts() / 1461 * 100),
    A("what percentage of df has weather rain", lambda g: float(sum(g["df"]["weather"] == "rain") / 1461 * 100)),
    A("share of each weather in df", lambda g: g["df"]["weather"].value_counts() / 1461 * 100),
    A("standardize wind in df", lambda g: (g["df"]["wind"] - np.mean(g["df"]["wind"])) / np.std(g["df"]["wind"], ddof=1)),
    A("normalize wind", lambda g: (g["df"]["wind"] - min(g["df"]["wind"])) / (max(g["df"]["wind"]) - min(g["df"]["wind"]))),
    A("cut wind of df into 4 bins", lambda g: pd.cut(g["df"]["wind"], 4).value_counts().sort_index()),
    A("standard deviation of wind in df", lambda g: float(np.std(g["df"]["wind"], ddof=1))),
    A("which row of df has the highest precipitation", lambda g: g["df"][g["df"]["precipitation"] == 55.9]),
    A("correlation of temp_max and temp_min", lambda g: float(np.corrcoef(g["df"]["temp_max"], g["df"]["temp_min"])[0, 1])),
    A("bar chart of weather", bars(lambda g: g["df"]["weather"].value_counts()), True),
    A("histogram of the wind", hist("df", "wind"), True),
    A("box plot of wind by weather", boxes("df", "wind", "weather"), True),
    A("check the data for missing values", lambda g: pd.Series(dict.fromkeys(g["df"], 0))),
    A("is wind higher in winter?", None),
]  # fmt: skip

GOALS["barley"] = [
    A("profile harvest", lambda g: pd.DataFrame({"type": [str(t) for t in g["harvest"].dtypes], "missing": 0, "distinct": [len(set(g["harvest"][c])) for c in g["harvest"]]}, index=list(g["harvest"]))),
    A("give me an overview of harvest", lambda g: pd.DataFrame({"type": [str(t) for t in g["harvest"].dtypes], "missing": 0, "distinct": [len(set(g["harvest"][c])) for c in g["harvest"]]}, index=list(g["harvest"]))),
    A("mean of yield by site in harvest", lambda g: g["harvest"].groupby("site")["yield"].mean()),
    A("what is the average yield per variety", lambda g: g["harvest"].groupby("variety")["yield"].mean()),
    A("average yield by site and year", lambda g: g["harvest"].groupby(["site", "year"])["yield"].mean()),
    A("sum of yield for each site", lambda g: g["harvest"].groupby("site")["yield"].sum()),
    A("total yield by year", lambda g: g["harvest"].groupby("year")["yield"].sum()),
    A("lowest yield per site in harvest", lambda g: g["harvest"].groupby("site")["yield"].min()),
    A("show the rows of harvest where site is University Farm", lambda g: g["harvest"].query("site == 'University Farm'")),
    A("rows with variety 'No. 462' in harvest", lambda g: g["harvest"].query("variety == 'No. 462'")),
    A("show the rows of harvest where variety is Trebi and yield is greater than 50", lambda g: g["harvest"].query("variety == 'Trebi' and `yield` > 50")),
    A("filter harvest where year is 1932", lambda g: g["harvest"].query("year == 1932")),
    A("show the 4 rows of harvest with the highest yield", lambda g: _top(g["harvest"], "yield", 4)),
    A("top 4 by yield", lambda g: _top(g["harvest"], "yield", 4)),
    A("bottom 4 rows of harvest by yield", lambda g: _top(g["harvest"], "yield", 4, low=True)),
    A("which row has the lowest yield", lambda g: g["harvest"][g["harvest"]["yield"] == min(g["harvest"]["yield"])]),
    A("what are the distinct values of site in harvest", lambda g: list(dict.fromkeys(g["harvest"]["site"]))),
    A("how many different varieties are there", lambda g: 10),
    A("how many unique values does variety have in harvest", lambda g: 10),
    A("number of rows per site in harvest", lambda g: g["harvest"]["site"].value_counts()),
    A("make a pivot table of the mean of yield with site as rows and year as columns in harvest", lambda g: g["harvest"].groupby(["site", "year"])["yield"].mean().unstack()),
    A("pivot table with variety as rows and year as columns of the total yield in harvest", lambda g: g["harvest"].groupby(["variety", "year"])["yield"].sum().unstack()),
    A("box plot of yield for each site", boxes("harvest", "yield", "site"), True),
    A("bar chart of the total yield by site", bars(lambda g: g["harvest"].groupby("site")["yield"].sum()), True),
    A("plot the mean yield by variety in harvest", bars(lambda g: g["harvest"].groupby("variety")["yield"].mean()), True),
    A("select site and yield from harvest", lambda g: g["harvest"][["site", "yield"]]),
    A("show the column yield of harvest", lambda g: g["harvest"]["yield"]),
    A("show 6 random rows of harvest", lambda g: g["harvest"].sample(6, random_state=0)),
    A("rank harvest by yield", lambda g: g["harvest"]["yield"].rank(ascending=False)),
    A("what type does each column of harvest have", lambda g: g["harvest"].dtypes),
    A("column types of harvest", lambda g: g["harvest"].dtypes),
    changed("convert year in harvest to text", "harvest", lambda g: g["harvest"].assign(year=[str(y) for y in g["harvest"]["year"]])),
    changed("drop the columns year and site from harvest", "harvest", lambda g: g["harvest"][["yield", "variety"]]),
]  # fmt: skip

GOALS["world"] = [
    A("how many rows are in world", lambda g: 1704),
    A("show the rows of world where country is France", lambda g: g["world"].query("country == 'France'")),
    A("filter world by country Norway", lambda g: g["world"].query("country == 'Norway'")),
    A("show world where year is 2007", lambda g: g["world"].query("year == 2007")),
    A("average life exp by continent in world", lambda g: g["world"].groupby("continent")["lifeExp"].mean()),
    A("average lifeExp per continent", lambda g: g["world"].groupby("continent")["lifeExp"].mean()),
    A("median gdpPercap by continent", lambda g: g["world"].groupby("continent")["gdpPercap"].median()),
    A("sum of pop by year in world", lambda g: g["world"].groupby("year")["pop"].sum()),
    A("mean of lifeExp by continent and year in world", lambda g: g["world"].groupby(["continent", "year"])["lifeExp"].mean()),
    A("top 10 rows of world by gdpPercap", lambda g: _top(g["world"], "gdpPercap", 10)),
    A("the 5 rows with the biggest pop in world", lambda g: _top(g["world"], "pop", 5)),
    A("plot lifeExp against gdpPercap in world", points("world", "gdpPercap", "lifeExp"), True),
    A("scatter lifeExp against gdpPercap colored by continent in world", points("world", "gdpPercap", "lifeExp"), True),
    A("histogram of lifeExp with 20 bins", hist("world", "lifeExp", 20), True),
    A("bar chart of the mean of lifeExp by continent", bars(lambda g: g["world"].groupby("continent")["lifeExp"].mean()), True),
    A("how many different countries are in world", lambda g: 142),
    A("how many unique country are in world", lambda g: 142),
    A("how many rows of world have continent Asia", lambda g: 396),
    A("show the rows of world where continent is Oceania or Europe", lambda g: g["world"].query("continent in ('Oceania', 'Europe')")),
    A("show the rows of world where continent is Africa and lifeExp is less than 35", lambda g: g["world"].query("continent == 'Africa' and lifeExp < 35")),
    A("correlation between lifeExp and gdpPercap", lambda g: float(np.corrcoef(g["world"]["lifeExp"], g["world"]["gdpPercap"])[0, 1])),
    A("heat map of the correlations of world", lambda v, n: len(_figure().images) == 1 and np.allclose(_figure().images[0].get_array(), n["world"].select_dtypes("number").corr()), True),
    A("show the outliers in gdpPercap of world", lambda g: _outside(g["world"], "gdpPercap")),
    A("describe pop", lambda g: g["world"]["pop"].describe()),
    A("standard deviation of lifeExp in world", lambda g: float(np.std(g["world"]["lifeExp"], ddof=1))),
    A("percent change of pop in world", lambda g: g["world"]["pop"].diff() / g["world"]["pop"].shift() * 100),
    A("sort world by continent and then by country", lambda g: g["world"].sort_values(["continent", "country"])),
    A("lowest lifeExp for each continent", lambda g: g["world"].groupby("continent")["lifeExp"].min()),
    A("average life expectancy by continent", None),
    changed("rename the column lifeExp of world to life_expectancy", "world", lambda g: g["world"].set_axis(["life_expectancy" if c == "lifeExp" else c for c in g["world"]], axis=1)),
]  # fmt: skip

GOALS["riots"] = [
    A("how many rows does deaths have", lambda g: 63),
    A("average age by gender in deaths", lambda g: g["deaths"].groupby("gender")["age"].mean()),
    A("average age by race", lambda g: g["deaths"].groupby("race")["age"].mean()),
    A("count deaths by race", lambda g: g["deaths"]["race"].value_counts()),
    A("how many values of age are missing in deaths", lambda g: int(g["deaths"]["age"].isna().sum())),
    A("show the rows of deaths where gender is Female", lambda g: g["deaths"].query("gender == 'Female'")),
    A("show the rows of deaths where age is less than 18", lambda g: g["deaths"].query("age < 18")),
    A("histogram of age", hist("deaths", "age"), True),
    A("how many airports per state", lambda g: g["airports"]["state"].value_counts(dropna=False)),
    A("count the rows of airports by state", lambda g: g["airports"]["state"].value_counts(dropna=False)),
    A("show the rows of airports where city is Livingston", lambda g: g["airports"].query("city == 'Livingston'")),
    A("show the rows of airports with missing values", lambda g: g["airports"][[any(v != v for v in row) for row in g["airports"].astype(object).to_numpy()]]),
    A("average latitude by state in airports", lambda g: g["airports"].groupby("state", dropna=False)["latitude"].mean()),
    A("average latitude", None),
    A("unique values of race", lambda g: list(dict.fromkeys(g["deaths"]["race"].dropna()))),
    A("first and last death_date in deaths", lambda g: pd.Series({"min": g["deaths"]["death_date"].min(), "max": g["deaths"]["death_date"].max()})),
    A("how many rows per day of death date are in deaths", lambda g: pd.Series(1, g["deaths"]["death_date"]).resample("D").size()),
    A("bar chart of gender", bars(lambda g: g["deaths"]["gender"].value_counts()), True),
]  # fmt: skip

GOALS["flights"] = [
    A("how many rows does flights have", lambda g: 1_000_000),
    A("average dep delay by carrier in flights", lambda g: g["flights"].groupby("carrier")["dep_delay"].mean()),
    A("mean of arr_delay by origin", lambda g: g["flights"].groupby("origin")["arr_delay"].mean()),
    A("show the rows of flights where carrier is UA and dep_delay is greater than 300", lambda g: g["flights"].query("carrier == 'UA' and dep_delay > 300")),
    A("count the rows of flights by dest", lambda g: g["flights"]["dest"].value_counts()),
    A("top 10 rows of flights by air_time", lambda g: _top(g["flights"], "air_time", 10)),
    A("show the rows of flights where tailnum is N14228", lambda g: g["flights"].query("tailnum == 'N14228'")),
    A("histogram of distance in flights", hist("flights", "distance"), True),
    A("missing values per column of flights", lambda g: pd.Series({c: int(g["flights"][c].isna().sum()) for c in g["flights"]})),
    A("join flights and airlines on carrier", lambda g: g["flights"].assign(name=g["flights"]["carrier"].map(dict(g["airlines"].to_numpy())))),
    A("sort flights by distance descending", lambda g: g["flights"].sort_values("distance", ascending=False)),
    A("correlation between distance and air_time in flights", lambda g: float(np.corrcoef(g["flights"][["distance", "air_time"]].dropna().to_numpy().T)[0, 1])),
    A("what percentage of rows has each origin in flights", lambda g: g["flights"]["origin"].value_counts() / 1e6 * 100),
    A("average distance per month in flights", lambda g: g["flights"].groupby("month")["distance"].mean()),
    A("how many different dest are in flights", lambda g: int(g["flights"]["dest"].drop_duplicates().count())),
]  # fmt: skip

GOALS["german"] = [
    A("how many rows are there", lambda g: 300),
    A("average wind by weather", lambda g: g["wetter"].groupby("weather")["wind"].mean()),
    A("what is the maximum of temp_max", lambda g: float(max(g["wetter"]["temp_max"]))),
    A("total precipitation per month", lambda g: pd.Series(g["wetter"]["precipitation"].to_numpy(), pd.to_datetime(g["wetter"]["date"])).groupby(pd.Grouper(freq="MS")).sum()),
    A("plot temp_max over date", line("wetter", "temp_max", "date"), True),
    A("show the rows where weather is snow", lambda g: g["wetter"].query("weather == 'snow'")),
    A("rows where wind > 8.5", lambda g: g["wetter"].query("wind > 8.5")),
    A("top 3 rows by wind", lambda g: _top(g["wetter"], "wind", 3)),
    A("sort the table by temp_min descending", lambda g: g["wetter"].sort_values("temp_min", ascending=False)),
    A("what types do the columns have", lambda g: g["wetter"].dtypes),
    A("column types of the table", lambda g: g["wetter"].dtypes),
    A("show the table as markdown", lambda v, n: v is None, True),
    changed("convert date to dates", "wetter", lambda g: g["wetter"].assign(date=pd.to_datetime(g["wetter"]["date"]))),
    changed("convert date in wetter to dates", "wetter", lambda g: g["wetter"].assign(date=pd.to_datetime(g["wetter"]["date"]))),
]  # fmt: skip

#: Goals that look like tasks there are. None: nothing must be served.
GOALS["cars"] += [
    A(
        "average of horsepower and acceleration in cars",
        lambda g: pd.Series({c: g["cars"][c].sum() / g["cars"][c].count() for c in ("Horsepower", "Acceleration")}),
    ),
    A("rows of cars where Year is after 1975", lambda g: g["cars"][[d.year > 1975 for d in g["cars"]["Year"]]]),
    A(
        "percentage of missing values in cars",
        lambda g: pd.Series({c: 100 * sum(pd.isna(v) for v in g["cars"][c]) / 406 for c in g["cars"].columns}),
    ),
    changed(
        "drop rows of cars where horsepower is below 100",
        "cars",
        lambda g: g["cars"][[not v < 100 for v in g["cars"]["Horsepower"]]],
    ),
]
ADVERSARIAL: dict[str, list[Asked]] = {
    "cars": [
        A(goal, None)
        for goal in (
            "sort cars by colour", "sort cars by weight", "average price by origin in cars", "histogram of Origin in cars",
            "mean of Name in cars", "average Name by Origin in cars", "top 5 lowest horsepower in cars",
            "top 5 cars by Origin", "show cars where origin is not Japan and horsepower is above 100",
            "show the rows of cars where origin is Mars", "show the rows of cars where Cylinders is Japan",
            "show the rows of cars where Name is Japan", "average horsepower by origin without Japan in cars",
            "average horsepower by origin excluding USA", "average horsepower in cars of Japan",
            "average horsepower of the 10 heaviest cars", "sort cars by horsepower and drop the first 5 rows",
            "show the first rows of cars sorted by horsepower", "how many rows does cars have after removing duplicates",
            "mean of Origin by Horsepower in cars", "plot the histogram of the logarithm of horsepower in cars",
            "mean horsepower per cylinder count above 4 in cars", "sort cars by horsepower, then acceleration descending",
            "drop every column of cars except Name", "do not drop the column Name from cars",
            "why does cars have missing values", "show the rows of trucks where Origin is Japan",
            "rows of cars where horsepower is at least 150 and at most 200",
            "show cars where Origin is Japan or horsepower is above 200", "weighted average of horsepower by origin in cars",

            "rename Horsepower to Acceleration in cars", "rename Power to hp in cars", "histogram of horsepower by origin in cars",
            "correlation between horsepower and origin in cars", "correlation between horsepower and horsepower in cars",
            "show -3 random rows of cars", "show the first 2.5 rows of cars", "cut horsepower of cars into 0 bins",
            "fill the missing values of Origin in cars with the mean", "show the rows of cars where horsepower is high",
            "second highest horsepower in cars",
            "box plot of Origin by horsepower in cars", "join cars and planes on Origin", "join cars on Origin",
            "predict horsepower from acceleration in cars", "delete cars", "drop the table cars", "undo sorting cars by horsepower",
            "sort cars by horsepower but keep the old order", "count the rows of cars where origin is Japan by cylinders",
            "monthly mean of horsepower in cars by Origin",
            "what is the mean of horsepower in cars for Japan and for Europe", "least squares of horsepower in cars",
            "show all cars that are not from Japan",
            "export cars", "save cars to", "compare cars", "plot horsepower", "sum of the squares of horsepower in cars",
            "how many rows of cars have Origin Japan or Europe", "show the rows of cars with no missing values",
            "how many columns of cars have missing values",  "sort the columns of cars by name",
            "show the first column of cars", "show the first 3 columns of cars", "drop the first 3 rows of cars",
            "drop the last row of cars", "mean of every column in cars", "maximum of each column of cars",
            "how many missing values does each row of cars have", "unique rows of cars", "shuffle cars",
            "what if I drop the column Name from cars", "how do I drop the column Name from cars",
            "should I drop the column Name from cars?", "I dropped the column Name from cars",
            "what happens when I drop duplicates from cars?", "never drop duplicates from cars",
            "sort cars by horsepower within Origin", "count the missing values by Origin in cars",
            "share of each Origin by Cylinders in cars",
            "how often does Japan occur in cars", "rows of cars where Origin is Japan and Europe",
            "show cars where horsepower is 150 or more", "sample 5 rows from each Origin in cars",
            "bottom 3 Origin by horsepower in cars", "histogram of horsepower in cars with log scale",
            "mean of horsepower in cars ignoring zeros", "correlation between horsepower and acceleration by origin in cars",
            "rename the columns of cars to lower case", "fill the missing values of cars with 0",
            "replace Japan by JP in cars", "plot horsepower against acceleration in cars with a trend line",
            "first 10 rows of cars in reverse order", "top 5 rows of cars by horsepower ascending",
            "sort cars by horsepower in descending order and show the first 5",
            "mean of horsepower in cars rounded to 2 decimals", "is the mean of horsepower in cars above 100?",
            "compare horsepower and acceleration in cars", "cumulative share of Origin in cars",
            "show the last 5 rows of cars where Origin is Japan",
            "standard error of horsepower in cars", "mean of horsepower in cars before 1975",
            "how many rows of cars have horsepower between 100 and 150",
            "join cars with itself on Origin", "the first and last rows of cars", "mean or median of horsepower in cars",
            "show cars with Origin Japan sorted by horsepower", "horsepower", "cars", "Origin in cars", "show cars by Origin", "cars by Origin", "show me horsepower by Origin in cars", "mean", "histogram",
            "plot cars", "group cars by Origin", "group cars by Origin and show the mean", "average by origin in cars",
            "set missing horsepower in cars to missing", "convert Origin in cars to numbers", "parse Name in cars as dates",
        )
    ],
    "riots": [
        A(goal, None)
        for goal in (
            "histogram of longitude", "sort by longitude", "count by city and race",
            "average age by state", "show the first rows", "how many rows are there", "join deaths and airports on longitude and latitude",
            "show the rows where type is Homicide and state is TX", "plot latitude against longitude",
        )
    ],
    "weather": [
        A(goal, None)
        for goal in (
            "total precipitation per month of weather in df", "average temperature in df", "histogram of temp",
            "average wind in January in df", "wind on 2013-02-01 in df", "average wind per month in 2013 in df",
            "monthly total of weather by date in df", "plot wind over date since 2014 in df",
            "rolling mean of wind in df over 7 days", "rolling sum of wind in df over 7 rows",
            "show df where weather is snow or wind is above 8", "show the trend of weather over date",
        )
    ],
}  # fmt: skip
