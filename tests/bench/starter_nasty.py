# ruff: noqa: E501
"""Three tables with values that trip people: blanks and capitals, codes with zeros, ``yes`` and ``no``, columns called as
words of tasks are, numbers that stand for nothing; and goals about them as newcomers type them.

Each reference is written by hand and knows nothing of the library. None: nothing may be served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from starter_goals import Asked, bars, hist

__all__ = ["NASTY", "nasty"]


def nasty(name: str) -> dict[str, Any]:
    """The tables of one set, by the name under which a newcomer has them."""
    chance = np.random.default_rng(23)
    if name == "kunden":
        n = 120
        seit = pd.Timestamp("2023-02-01") + pd.to_timedelta(chance.integers(0, 900, n), "D")
        kunden = pd.DataFrame(
            {
                "Nr": np.arange(1, n + 1),
                "PLZ": chance.choice(["01067", "10115", "50667"], n),
                "Ort": chance.choice(["Köln  ", "Dresden ", "Berlin "], n),
                "Status": chance.choice(["aktiv", "Aktiv ", "inaktiv", "gesperrt"], n),
                "Newsletter": chance.choice(np.array(["yes", "no", None], dtype=object), n),
                "Note": chance.choice(["A", "B", "C"], n),
                "Umsatz": np.where(chance.random(n) < 0.1, np.nan, chance.uniform(5, 900, n).round(2)),
                "Rabatt": chance.integers(0, 30, n),
                "seit": [f"{d:%d.%m.%Y}" if i % 9 else None for i, d in enumerate(seit)],
                "Kommentar": chance.choice(
                    np.array(["zu teuer", "Sehr gut!", "gut, aber langsam", None], dtype=object), n
                ),
            }
        )
        return {
            "kunden": kunden,
            "orte": pd.DataFrame({"PLZ": ["01067", "01067", "10115"], "Land": ["SN", "SX", "BE"]}),
        }
    if name == "trips":
        n = 90
        trips = pd.DataFrame(
            {
                "when": pd.date_range("2024-11-20 07:00", periods=n, freq="13h"),
                "from": chance.choice(["North", "South"], n),
                "to": chance.choice(["in", "out", "over"], n),
                "type": chance.choice(["bus", "Bus", "tram"], n),
                "total": chance.integers(1, 60, n),
                "count": chance.integers(1, 5, n),
                "mean speed": chance.uniform(10, 80, n).round(1),
                "late": chance.choice(np.array([True, False, None], dtype=object), n),
            }
        )
        return {"trips": trips}
    n = 100
    stock = pd.DataFrame(
        {
            "item id": [f"{10**16 + i // 2}" for i in range(n)],
            "size": pd.Categorical(
                chance.choice(["S", "M", "L", "XL"], n), categories=["S", "M", "L", "XL"], ordered=True
            ),
            "price": np.where(chance.random(n) < 0.15, -999.0, chance.uniform(1, 99, n).round(2)),
            "cost": chance.uniform(1, 50, n).round(2),
            "units": chance.integers(-3, 40, n),
            "colour": chance.choice(np.array(["red", " red", "blue", "Blue", "green", None], dtype=object), n),
            "brand": chance.choice(["O'Neil", "A/B", "C & D", "New York"], n),
            "added": pd.Timestamp("2025-01-31") + pd.to_timedelta(chance.integers(0, 300, n), "D"),
            "sold": (pd.Timestamp("2025-06-01") + pd.to_timedelta(chance.integers(0, 300, n), "D")).astype(str),
        }
    )
    stock.loc[::11, "cost"] = np.nan
    return {"stock": stock, "old": stock.iloc[20:60][["item id", "units", "brand"]].reset_index(drop=True)}


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y")


def _gone(x: Any) -> bool:
    return x is None or x != x


def _where(table: str, holds: Callable[[Any], bool]) -> Callable[..., Any]:
    return lambda g: g[table][[bool(holds(row)) for _, row in g[table].iterrows()]]


def _number(table: str, holds: Callable[[Any], bool]) -> Callable[..., Any]:
    return lambda g: sum(bool(holds(row)) for _, row in g[table].iterrows())


def _of(
    table: str, holds: Callable[[Any], bool], column: str, way: Callable[[list[float]], Any]
) -> Callable[..., Any]:
    def make(g: dict[str, Any]) -> float:
        return float(way([r[column] for _, r in g[table].iterrows() if holds(r) and not _gone(r[column])]))

    return make


def _by(table: str, key: Callable[[Any], Any], column: str, way: Callable[[list[float]], Any]) -> Callable[..., Any]:
    def make(g: dict[str, Any]) -> Any:
        found: dict[Any, list[float]] = {}
        for _, row in g[table].iterrows():
            found.setdefault(np.nan if _gone(key(row)) else key(row), []).append(row[column])
        order = sorted(found, key=lambda k: (k != k, k if k == k else ""))
        return pd.Series([way([v for v in found[k] if v == v]) for k in order], index=order)

    return make


def _counted(table: str, column: str) -> Callable[..., bool]:
    """A check of counts, ties aside."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        told = Counter("nothing" if _gone(one) else one for one in names[table][column])
        found = {"nothing" if _gone(key) else key: rows for key, rows in value.items()}
        return found == dict(told) and list(value) == sorted(value, reverse=True)

    return check


def _made(table: str, make: Callable[[Any], Any]) -> Callable[..., bool]:
    """A check of a table that was changed: ``make`` has a fresh one."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        fresh = next(nasty(one)[table] for one in NASTY if table in nasty(one))
        pd.testing.assert_frame_equal(names[table], make(fresh), check_dtype=False)
        return True

    return check


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


A = Asked
K, T, S = "kunden", "trips", "stock"
NASTY: dict[str, list[Asked]] = {}
NASTY[K] = [
    A("how many kunden have PLZ 01067", _number(K, lambda r: r["PLZ"] == "01067")),
    A("kunden where PLZ is 01067", _where(K, lambda r: r["PLZ"] == "01067")),
    A("kunden where PLZ is 1067", None), A("average PLZ", None), A("kunden where PLZ is above 5000", None),
    A("how many different PLZ are in kunden", lambda g: 3),
    A("count kunden by PLZ", _counted(K, "PLZ"), True),
    A("kunden where Ort is Köln", _where(K, lambda r: r["Ort"].strip() == "Köln")),
    A("kunden where Ort is köln", _where(K, lambda r: r["Ort"].strip() == "Köln")),
    A("how many kunden have Ort Berlin", _number(K, lambda r: r["Ort"].strip() == "Berlin")),
    A("average Umsatz where Ort is Dresden", _of(K, lambda r: r["Ort"].strip() == "Dresden", "Umsatz", mean)),
    A("kunden where Ort is not Köln", _where(K, lambda r: r["Ort"].strip() != "Köln")),
    A("kunden where Ort is Köln or Berlin", _where(K, lambda r: r["Ort"].strip() in ("Köln", "Berlin"))),
    A("trim Ort in kunden", _made(K, lambda t: t.assign(Ort=[o.strip() for o in t["Ort"]])), True),
    A("kunden where Status is aktiv", None), A("kunden where Status is Aktiv", None), A("kunden where Status is AKTIV", None),
    A("how many kunden have Status aktiv", None), A("average Umsatz where Status is aktiv", None), A("kunden where Status is not aktiv", None),
    A("share of kunden with Status aktiv", None), A("total Umsatz by Ort where Status is aktiv", None), A("kunden where Status is aktiv or gesperrt", None),
    A("drop the rows of kunden where Status is aktiv", None), A("keep only rows where Status is aktiv", None),
    A("kunden where Status is 'aktiv'", _where(K, lambda r: r["Status"] == "aktiv")),
    A("kunden where Status is 'Aktiv '", _where(K, lambda r: r["Status"] == "Aktiv ")),
    A("how many kunden have Status gesperrt", _number(K, lambda r: r["Status"] == "gesperrt")),
    A("kunden where Status is inaktiv", _where(K, lambda r: r["Status"] == "inaktiv")),
    A("kunden where PLZ is 10115", _where(K, lambda r: r["PLZ"] == "10115")), A("kunden where PLZ is 99999", None),
    A("rows where Ort contains Köln", _where(K, lambda r: "Köln" in r["Ort"])),
    A("replace 'Aktiv ' with aktiv in Status of kunden", _made(K, lambda t: t.assign(Status=[s.replace("Aktiv ", "aktiv") for s in t["Status"]])), True),
    A("make the spellings of Status in kunden alike", lambda v, n: set(n[K]["Status"]) == {"aktiv", "inaktiv", "gesperrt"} or set(n[K]["Status"]) == {"Aktiv", "inaktiv", "gesperrt"}, True),
    A("count of Status", _counted(K, "Status"), True),
    A("how many Status are in kunden", None),
    A("kunden where Newsletter is yes", _where(K, lambda r: r["Newsletter"] == "yes")),
    A("kunden where Newsletter is no", _where(K, lambda r: r["Newsletter"] == "no")),
    A("how many kunden have Newsletter no", _number(K, lambda r: r["Newsletter"] == "no")),
    A("which kunden have no Newsletter", None),
    A("kunden where Newsletter is not yes", _where(K, lambda r: r["Newsletter"] != "yes")),
    A("percentage of yes in Newsletter", lambda g: float(100 * sum(v == "yes" for v in g[K]["Newsletter"]) / 120)),
    A("average Umsatz where Newsletter is yes", _of(K, lambda r: r["Newsletter"] == "yes", "Umsatz", mean)),
    A("pie chart of Newsletter", lambda v, n: True, True),
    A("kunden where Note is A", _where(K, lambda r: r["Note"] == "A")),
    A("kunden where Note is a", _where(K, lambda r: r["Note"] == "A")),
    A("how many kunden have Note B", _number(K, lambda r: r["Note"] == "B")),
    A("average Umsatz by Note", _by(K, lambda r: r["Note"], "Umsatz", mean)),
    A("minimum and maximum of Umsatz by Note", lambda v, n: all(np.isclose(v.loc[k, "max"], max(u for u, o in zip(n[K]["Umsatz"], n[K]["Note"], strict=True) if o == k and u == u)) for k in "ABC"), True),
    A("standard deviation of Umsatz by Note", _by(K, lambda r: r["Note"], "Umsatz", lambda v: float(np.std(v, ddof=1)))),
    A("which Note has the highest total Umsatz", lambda v, n: (lambda s: v.to_dict().keys() == {max(s, key=s.get)})(pd.Series(n[K]["Umsatz"].to_numpy(), n[K]["Note"]).groupby(level=0).sum().to_dict()), True),
    A("missing values in Umsatz", lambda g: sum(map(_gone, g[K]["Umsatz"]))),
    A("how many missing values are there in Umsatz", lambda g: sum(map(_gone, g[K]["Umsatz"]))),
    A("which rows have no Umsatz", _where(K, lambda r: _gone(r["Umsatz"]))),
    A("how many kunden have no seit", _number(K, lambda r: _gone(r["seit"]))),
    A("kunden from 2024", _where(K, lambda r: not _gone(r["seit"]) and _day(r["seit"]).year == 2024)),
    A("kunden after 2024", _where(K, lambda r: not _gone(r["seit"]) and _day(r["seit"]).year > 2024)),
    A("kunden before 2024", _where(K, lambda r: not _gone(r["seit"]) and _day(r["seit"]).year < 2024)),
    A("how many kunden are from 2023", _number(K, lambda r: not _gone(r["seit"]) and _day(r["seit"]).year == 2023)),
    A("kunden in March 2024", _where(K, lambda r: not _gone(r["seit"]) and _day(r["seit"]).strftime("%Y-%m") == "2024-03")),
    A("show kunden between 01.02.2024 and 30.04.2024", _where(K, lambda r: not _gone(r["seit"]) and datetime(2024, 2, 1) <= _day(r["seit"]) <= datetime(2024, 4, 30))),
    A("kunden between 2024-05-01 and 2024-02-01", None),
    A("kunden from 7", None), A("kunden from 20245", None),
    A("how many kunden per month", lambda v, n: v.sum() == sum(not _gone(s) for s in n[K]["seit"]) and v.index[0].day == 1, True),
    A("kunden per quarter", lambda v, n: v.sum() == sum(not _gone(s) for s in n[K]["seit"]) and set(v.index.month) == {1, 4, 7, 10}, True),
    A("kunden per weekday", lambda v, n: v.to_dict() == Counter(f"{_day(s):%A}" for s in n[K]["seit"] if not _gone(s)) and v.index[0] == "Monday", True),
    A("total Umsatz in 2024", _of(K, lambda r: not _gone(r["seit"]) and _day(r["seit"]).year == 2024, "Umsatz", sum)),
    A("average Umsatz between 2024-01-01 and 2024-06-30", _of(K, lambda r: not _gone(r["seit"]) and datetime(2024, 1, 1) <= _day(r["seit"]) <= datetime(2024, 6, 30), "Umsatz", mean)),
    A("total Umsatz in March 2024", _of(K, lambda r: not _gone(r["seit"]) and _day(r["seit"]).strftime("%Y-%m") == "2024-03", "Umsatz", sum)),
    A("rows where Kommentar contains gut", _where(K, lambda r: not _gone(r["Kommentar"]) and "gut" in r["Kommentar"].lower())),
    A("rows where Kommentar contains langsam", _where(K, lambda r: not _gone(r["Kommentar"]) and "langsam" in r["Kommentar"])),
    A("rows where Kommentar contains 'zu teuer'", _where(K, lambda r: not _gone(r["Kommentar"]) and "zu teuer" in r["Kommentar"])),
    A("rows where Kommentar contains gut and Rabatt is above 5", None),
    A("rows where Kommentar contains gut or langsam", _where(K, lambda r: not _gone(r["Kommentar"]) and ("gut" in r["Kommentar"].lower() or "langsam" in r["Kommentar"].lower()))),
    A("join kunden and orte", None), A("join kunden and orte on PLZ", None),
    A("join kunden and orte on PLZ with all pairs", lambda v, n: len(v) == 2 * sum(p == "01067" for p in n[K]["PLZ"]) + sum(p == "10115" for p in n[K]["PLZ"]), True),
    A("which PLZ of kunden are not in orte", _where(K, lambda r: r["PLZ"] == "50667")),
    A("round Umsatz in kunden to 1 decimals", lambda v, n: np.allclose(n[K]["Umsatz"].dropna(), nasty(K)[K]["Umsatz"].dropna().round(1)), True),
    A("add a column brutto to kunden as Umsatz times 1.19", lambda v, n: np.allclose(n[K]["brutto"].dropna(), [u * 1.19 for u in n[K]["Umsatz"] if u == u]), True),
    A("add a column jahr to kunden with the year of seit", lambda v, n: [None if _gone(j) else int(j) for j in n[K]["jahr"]] == [None if _gone(s) else _day(s).year for s in n[K]["seit"]], True),
    A("the 2 most common Note", lambda v, n: v.to_dict() == dict(Counter(n[K]["Note"]).most_common(2)), True),
    A("average Umsatz of the newest kunden", None), A("kunden with the most Umsatz and Rabatt", None),
]  # fmt: skip

NASTY[T] = [
    A("sort trips by `when` descending", lambda v, n: v["when"].tolist() == sorted(n[T]["when"], reverse=True), True),
    A("sort trips by when", None),
    A("average total by type", _by(T, lambda r: r["type"], "total", mean)),
    A("total total by type", _by(T, lambda r: r["type"], "total", sum)),
    A("sum of total in trips", lambda g: float(sum(g[T]["total"]))),
    A("average total", lambda g: float(np.mean(g[T]["total"]))),
    A("average count", lambda g: float(np.mean(g[T]["count"]))),
    A("histogram of total", hist(T, "total"), True),
    A("average mean speed by type", _by(T, lambda r: r["type"], "mean speed", mean)),
    A("highest mean speed", lambda g: float(max(g[T]["mean speed"]))),
    A("rows where type is bus", None), A("how many trips have type bus", None), A("rows where type is BUS", None),
    A("rows where type is 'Bus'", _where(T, lambda r: r["type"] == "Bus")),
    A("rows where type is tram", _where(T, lambda r: r["type"] == "tram")),
    A("bar chart of type", bars(lambda g: pd.Series(Counter(g[T]["type"]))), True),
    A("rows where total is above 20 and count is below 3", _where(T, lambda r: r["total"] > 20 and r["count"] < 3)),
    A("rows where late is true", _where(T, lambda r: r["late"] is True)),
    A("rows where late is not true", _where(T, lambda r: r["late"] is not True)),
    A("trips from 2025", _where(T, lambda r: r["when"].year == 2025)),
    A("trips after 2024-12-01", _where(T, lambda r: r["when"].date().isoformat() > "2024-12-01")),
    A("how many trips per month", lambda g: pd.Series(1, g[T]["when"]).groupby(pd.Grouper(freq="MS")).sum()),
    A("average mean speed per hour of the day", lambda v, n: all(np.isclose(v[h], np.mean([s for s, w in zip(n[T]["mean speed"], n[T]["when"], strict=True) if w.hour == h])) for h in v.index), True),
    A("when was total highest", lambda v, n: v["total"].tolist() == [max(n[T]["total"])] * sum(t == max(n[T]["total"]) for t in n[T]["total"]), True),
    A("rows where to is in", None), A("rows where from is North", None), A("from North to South", None), A("total from North", None),
    A("count by type", _counted(T, "type"), True), A("how many count", None), A("total of total and count in trips", lambda g: pd.Series({"total": sum(g[T]["total"]), "count": sum(g[T]["count"])})),
    A("difference between total and count in trips", lambda g: g[T]["total"] - g[T]["count"]),
    A("list the tables", lambda v, n: v.to_dict("list") == {"rows": [90], "columns": [8]}, True),
]  # fmt: skip

NASTY[S] = [
    A("set -999 in price to missing in stock", _made(S, lambda t: t.assign(price=t["price"].where(t["price"] != -999))), True),
    A("replace -999 by missing in price in stock", _made(S, lambda t: t.assign(price=t["price"].where(t["price"] != -999))), True),
    A("delete rows where price is -999 in stock", _made(S, lambda t: t[t["price"] != -999]), True),
    A("drop rows where units is below 0 in stock", _made(S, lambda t: t[t["units"] >= 0]), True),
    A("remove the rows where cost is above 40 from stock", _made(S, lambda t: t[[not c > 40 for c in t["cost"]]]), True),
    A("stock where colour is red", None), A("how many stock have colour blue", None), A("stock where colour is ' red'", _where(S, lambda r: r["colour"] == " red")),
    A("stock where colour is green", _where(S, lambda r: r["colour"] == "green")),
    A("stock with brand O'Neil", _where(S, lambda r: r["brand"] == "O'Neil")),
    A("stock where brand is A/B", _where(S, lambda r: r["brand"] == "A/B")),
    A("stock where brand is C & D", _where(S, lambda r: r["brand"] == "C & D")),
    A("stock where brand is New York", _where(S, lambda r: r["brand"] == "New York")),
    A("how many stock have size XL", _number(S, lambda r: r["size"] == "XL")),
    A("sort stock by size", lambda v, n: v["size"].tolist() == sorted(n[S]["size"], key=["S", "M", "L", "XL"].index), True),
    A("average cost by size", lambda v, n: list(v.index) == ["S", "M", "L", "XL"] and all(np.isclose(v[k], mean([c for c, s in zip(n[S]["cost"], n[S]["size"], strict=True) if s == k and c == c])) for k in v.index), True),
    A("how many duplicate item id are in stock", lambda g: 50),
    A("keep the first row per item id in stock", _made(S, lambda t: t.iloc[::2]), True),
    A("rows with duplicate item id in stock", lambda g: g[S]),
    A("rows of stock whose item id is not in old", lambda g: g[S][[i not in set(g["old"]["item id"]) for i in g[S]["item id"]]]),
    A("join stock and old on item id", None), A("join stock and old", None),
    A("compare stock and old", lambda v, n: v.loc["rows"].tolist() == [100, 40], True),
    A("append old to stock", lambda v, n: len(n[S]) == 140, True),
    A("stock per month", None), A("total units per month", None), A("stock from 2025", None),
    A("total units per month using added in stock", lambda g: pd.Series(g[S]["units"].to_numpy(), g[S]["added"]).groupby(pd.Grouper(freq="MS")).sum()),
    A("stock from 2026 using sold", _where(S, lambda r: r["sold"][:4] == "2026")),
    A("interpolate cost in stock", lambda v, n: int(n[S]["cost"].isna().sum()) == 1, True),
    A("quartiles of cost in stock", lambda g: pd.Series(np.nanquantile(g[S]["cost"], [0.25, 0.5, 0.75]), index=[0.25, 0.5, 0.75])),
    A("percentage of missing values in stock", lambda g: pd.Series({c: 100 * sum(map(_gone, g[S][c])) / 100 for c in g[S].columns})),
    A("average price and cost in stock", lambda g: pd.Series({"price": np.mean(g[S]["price"]), "cost": np.nanmean(g[S]["cost"])})),
    A("average price where colour is green", _of(S, lambda r: r["colour"] == "green", "price", mean)),
    A("top 2 brand by total units in stock", lambda v, n: v.tolist() == sorted(pd.Series(n[S]["units"].to_numpy(), n[S]["brand"]).groupby(level=0).sum(), reverse=True)[:2], True),
    A("top 2 brand by units", None),
    A("which brand has the lowest average cost", lambda v, n: len(v) == 1 and np.isclose(v.iloc[0], min(n[S].groupby("brand")["cost"].mean())), True),
    A("number of different item id per brand in stock", lambda v, n: all(v[b] == len({i for i, o in zip(n[S]["item id"], n[S]["brand"], strict=True) if o == b}) for b in v.index), True),
    A("uppercase brand in stock", _made(S, lambda t: t.assign(brand=[b.upper() for b in t["brand"]])), True),
    A("stock where price is between 50 and 10", None),
    A("sum of item id", None), A("average size", None), A("stock where size is above M", None), A("stock where size is m", _where(S, lambda r: r["size"] == "M")),
    A("fill the missing values of cost in stock with the previous value", lambda v, n: int(n[S]["cost"].isna().sum()) == 1, True),
    A("plot the number of stock per month using added", lambda v, n: True, True),
]  # fmt: skip
