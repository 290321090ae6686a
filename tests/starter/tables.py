# ruff: noqa: E501
"""The tables that the library is learned on, and the values that its wordings are filled with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

__all__ = ["EXAMPLES", "FILES", "LEVELS", "MORE", "tables"]

_PENGUINS: Final = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


_GRADES: Final = ("poor", "fair", "good", "great", "superb", "perfect", "stunning")
_SIZES: Final = ("tiny", "small", "medium", "wide", "huge", "giant", "vast")
#: The parts of values that are all that a column has.
LEVELS: Final = frozenset(f"i{number}" for number in range(1, 8))


def tables() -> dict[str, Any]:
    """Fresh tables by name."""
    chance = np.random.default_rng(7)
    days = pd.date_range("2024-01-01", periods=200, freq="3D")
    units = chance.integers(1, 90, 200).astype(float)
    units[::17] = np.nan
    sales = pd.DataFrame(
        {
            "ordered": days,
            "region": chance.choice(["North", "South", "East"], 200),
            "product": chance.choice(["lamp", "chair", "desk"], 200),
            "units": units,
            "price": chance.uniform(5, 80, 200).round(2),
            "discount": chance.choice(["0", "5", "10"], 200),
            "paid": chance.random(200) < 0.5,
        }
    )
    weather = pd.DataFrame(
        {
            "observed": days.strftime("%Y-%m-%d"),
            "city": chance.choice(["Oslo", "Lima", "Cairo"], 200),
            "sky": chance.choice(["clear", "cloudy"], 200),
            "temp": chance.normal(15, 8, 200).round(1),
            "rain": chance.gamma(1.0, 4.0, 200).round(1),
            "station": chance.choice(["1", "2", "3"], 200),
            "windy": chance.random(200) < 0.3,
        }
    )
    count = {many: np.arange(60) % many for many in range(2, 8)}
    asked = pd.date_range("2024-02-01", periods=60, freq="2D")
    survey = pd.DataFrame(
        {
            "asked": asked,
            "answered": asked + pd.to_timedelta(chance.integers(1, 20, 60), unit="D"),
            "comment": chance.choice(
                ["a warm room", "cold, but a large room", "friendly people", "Large and warm"], 60
            ),
            "score": chance.integers(1, 11, 60),
            "team": chance.choice(["red", "blue", "green"], 60),
            "site": chance.choice(["Rome", "Bern"], 60),
            **{f"grade{many}": np.array(_GRADES[:many])[count[many]] for many in count},
        }
    )
    tickets = pd.DataFrame(
        {
            "opened": asked.strftime("%Y-%m-%d"),
            "closed": (asked + pd.Timedelta(days=9)).strftime("%Y-%m-%d"),
            "title": chance.choice(
                ["printer broken", "new screen and keyboard", "screen is broken", "keyboard lost"], 60
            ),
            "hours": chance.gamma(2.0, 1.5, 60).round(1),
            "state": chance.choice(["done", "waiting"], 60),
            "desk": chance.choice(["office", "field", "night"], 60),
            **{f"class{many}": np.array(_SIZES[:many])[count[many]] for many in count},
        }
    )
    return {
        "survey": survey,
        "tickets": tickets,
        "penguins": pd.read_csv(_PENGUINS),
        "sales": sales,
        "weather": weather,
        "targets": pd.DataFrame({"region": ["North", "South", "West"], "target": [900, 800, 700]}),
        "colonies": pd.DataFrame({"island": ["Biscoe", "Dream"], "area": [5.5, 8.0]}),
        "towns": pd.DataFrame({"city": ["Oslo", "Lima"], "height": [23, 154]}),
    }


def _book(path: Path, sheets: Mapping[str, str]) -> None:
    """Write a workbook of these tables."""
    with pd.ExcelWriter(path) as book:
        for sheet, table in sheets.items():
            tables()[table].to_excel(book, sheet_name=sheet, index=False)


EXAMPLES: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "t": "penguins", "a2": 3, "u": "colonies", "x": "body_mass_g", "y": "bill_length_mm", "c": "island", "d": "sex",
        "k": "species", "l": "island", "v": "Adelie", "z": "Gentoo", "n": 7, "a": 4000, "b": 4500, "m": "place", "j": "flipper_length_mm", "o": "backup.csv",
        "p": "penguins.csv", "p2": "notes.xlsx", "m2": "Places", "q": "birds.csv", "s": "rea", "r": "sex",
    },
    {
        "t": "sales", "a2": 2, "u": "targets", "x": "units", "y": "price", "c": "region", "d": "discount", "k": "region",
        "l": "product", "v": "North", "z": "East", "n": 12, "a": 20, "b": 60, "m": "area", "j": "discount", "o": "copy.xlsx", "w": "ordered",
        "e": "2024-03-01", "f": "2024-06-30", "p": "sales.csv", "p2": "shops.xlsx", "m2": "goals", "q": "orders.xlsx", "g": "paid", "s": "ort", "h": 2024, "r": "product",
    },
    {
        "t": "weather", "a2": 2.5, "u": "towns", "x": "temp", "y": "rain", "c": "city", "d": "station", "k": "city", "l": "sky",
        "v": "Lima", "z": "Oslo", "n": 4, "a": 15.5, "b": 18.25, "m": "town", "j": "station", "o": "out.parquet", "w": "observed",
        "e": "2024-05-05", "f": "2024-08-20", "p": "weather.parquet", "p2": "Stations.xlsx", "m2": "Town_2", "q": "climate.parquet", "g": "windy", "s": "im", "h": 2025, "r": "sky",
    },
    {"p": "in/2024-Rain.v2.csv", "named": "data_2024_Rain_v2"},  # no name of a table as it stands
)  # fmt: skip

#: For tasks that need what these have not; those with levels have each as many as its column.
MORE: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "t": "survey", "x": "score", "c": "comment", "k": "team", "l": "site", "v": "red", "v2": "Rome", "n": 7, "m": "gap",
        "w": "asked", "w2": "answered", "e2": "2024-01-15", "f2": "2024-09-02", "s": "war", "s2": "lar", "r": "comment", "r2": "comment",
    },
    {
        "t": "tickets", "x": "hours", "c": "title", "k": "desk", "l": "state", "v": "field", "v2": "waiting", "n": 4, "m": "span",
        "w": "opened", "w2": "closed", "e2": "2023-11-30", "f2": "2024-02-29", "s": "bro", "s2": "scr", "r": "title", "r2": "title",
    },
    *(
        {"t": table, "k": f"{column}{many}", **{f"i{number}": words[number - 1] for number in range(1, many + 1)}}
        for many in range(2, 8)
        for table, column, words in (("survey", "grade", _GRADES), ("tickets", "class", _SIZES))
    ),
)  # fmt: skip

#: Files beside the tables, each with what writes it.
FILES: Final[Mapping[str, Callable[[Path], Any]]] = {
    "penguins.csv": lambda path: tables()["penguins"].to_csv(path, index=False),
    "birds.csv": lambda path: tables()["penguins"].iloc[5:].to_csv(path, index=False),
    "sales.csv": lambda path: tables()["sales"].to_csv(path, index=False),
    "orders.xlsx": lambda path: tables()["sales"].iloc[:150].to_excel(path, index=False),
    "notes.xlsx": lambda path: _book(path, {"island": "colonies", "Places": "penguins"}),
    "shops.xlsx": lambda path: _book(path, {"area": "sales", "goals": "targets"}),
    "Stations.xlsx": lambda path: _book(path, {"sky": "weather", "Town_2": "towns"}),
    "weather.parquet": lambda path: tables()["weather"].to_parquet(path, index=False),
    "in/2024-Rain.v2.csv": lambda path: tables()["weather"].to_csv(path, index=False),
    "climate.parquet": lambda path: tables()["weather"].iloc[3:].to_parquet(path, index=False),
}
