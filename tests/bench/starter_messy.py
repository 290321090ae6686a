# ruff: noqa: E501
"""Three tables as people have them: dates and prices kept as text, gaps, flags, names with blanks; and goals about them.

Each reference is written by hand, row by row where it can be, and knows nothing of the library.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from starter_goals import Asked, bars, hist, line, points

__all__ = ["MESSY", "messy"]


def messy(name: str) -> dict[str, Any]:
    """The tables of one set, by the name under which a newcomer has them."""
    chance = np.random.default_rng(11)
    if name == "orders":
        n = 150
        days = pd.Timestamp("2025-01-03") + pd.to_timedelta(chance.integers(0, 350, n), "D")
        orders = pd.DataFrame(
            {
                "Order ID": np.arange(1001, 1001 + n),
                "Order Date": days.strftime("%d.%m.%Y"),
                "Customer Name": chance.choice(["Anna", "Bert", "Carla", "Dirk"], n),
                "Ship City": chance.choice(["Bonn", "Köln", "Aachen"], n),
                "Unit Price": chance.uniform(2, 90, n).round(2),
                "Qty": chance.integers(1, 12, n),
                "Discount %": chance.choice([0, 5, 10, np.nan], n),
                "Payment": chance.choice(np.array(["card", "cash", "invoice", None], dtype=object), n),
                "Fee": [f"${v}" for v in chance.integers(1, 30, n)],
                "Rate": [f"{v} %" for v in chance.integers(1, 30, n)],
            }
        )
        return {
            "orders": orders,
            "cities": pd.DataFrame({"Ship City": ["Bonn", "Köln", "Mainz"], "manager": ["U", "M", "T"]}),
        }
    if name == "sensors":
        t = pd.date_range("2026-03-01", periods=400, freq="20min")
        sensors = pd.DataFrame(
            {
                "timestamp": t.strftime("%Y-%m-%d %H:%M:%S"),
                "sensor": chance.choice(["s1", "s2", "s3"], 400),
                "temp_c": (20 + 5 * np.sin(np.arange(400) / 40) + chance.normal(0, 1, 400)).round(2),
                "humidity": chance.uniform(30, 80, 400).round(1),
                "error": chance.random(400) < 0.1,
            }
        )
        sensors.loc[chance.choice(400, 25, replace=False), "humidity"] = np.nan
        return {"sensors": pd.concat([sensors, sensors.iloc[:4]], ignore_index=True)}
    n = 90
    staff = pd.DataFrame(
        {
            "Mitarbeiter": [f"Person {i}" for i in range(n)],
            "Abteilung": chance.choice(np.array(["Vertrieb", "Einkauf", "Lager", None], dtype=object), n),
            "Eintritt": [
                f"{d:%d/%m/%Y}"
                for d in pd.Timestamp("2015-02-01") + pd.to_timedelta(chance.integers(0, 3000, n), "D")
            ],
            "Gehalt": [f"{v:,}".replace(",", ".") + ",50" for v in chance.integers(900, 9000, n)],
            "Stufe": [str(v) for v in chance.integers(1, 15, n)],
            "aktiv": chance.random(n) < 0.8,
        }
    )
    return {"staff": staff}


def _day(text: str, form: str = "%d.%m.%Y") -> datetime:
    return datetime.strptime(text, form)


def _by(frame: Any, key: Callable[[Any], Any], *, low: bool = True) -> Any:
    """The rows in an order, ties aside: only where the keys are all different the order of rows is told."""
    keys = [key(row) for _, row in frame.iterrows()]
    return [keys[i] for i in sorted(range(len(keys)), key=keys.__getitem__, reverse=not low)]


def sorted_by(table: str, key: Callable[[Any], Any], *, low: bool = True) -> Callable[..., bool]:
    """A check that rows are in the order of a key, and all there."""

    def check(value: Any, names: dict[str, Any]) -> bool:
        found = [key(row) for _, row in value.iterrows()]
        return sorted(value.index) == sorted(names[table].index) and found == _by(names[table], key, low=low)

    return check


def _where(table: str, holds: Callable[[Any], bool]) -> Callable[..., Any]:
    return lambda g: g[table][[bool(holds(row)) for _, row in g[table].iterrows()]]


def _groups(
    table: str, key: Callable[[Any], Any], value: Callable[[Any], float], way: Callable[[list[float]], float]
) -> Callable[..., Any]:
    def make(g: dict[str, Any]) -> Any:
        found: dict[Any, list[float]] = {}
        for _, row in g[table].iterrows():
            of = key(row)
            found.setdefault(np.nan if of is None or of != of else of, []).append(value(row))
        order = sorted(found, key=lambda k: (k != k, k if k == k else ""))
        return pd.Series([way([v for v in found[k] if v == v]) for k in order], index=order)

    return make


def _gone(x: Any) -> bool:
    return x is None or x != x


A = Asked
R, S, T = "orders", "sensors", "staff"
MESSY: dict[str, list[Asked]] = {}
MESSY["orders"] = [
    A("sort orders by Order Date", sorted_by(R, lambda r: _day(r["Order Date"])), True),
    A("sort orders by order date descending", sorted_by(R, lambda r: _day(r["Order Date"]), low=False), True),
    A("sort orders by Fee", sorted_by(R, lambda r: int(r["Fee"][1:])), True),
    A("sort orders by Rate descending", sorted_by(R, lambda r: int(r["Rate"][:-2]), low=False), True),
    A("sort orders by Ship City", sorted_by(R, lambda r: r["Ship City"].replace("ö", "o").lower()), True),
    A("show the first 7 orders", lambda g: g[R].iloc[:7]),
    A("last 3 orders", lambda g: g[R].iloc[-3:]),
    A("how many orders per customer", lambda g: pd.Series(dict(Counter(g[R]["Customer Name"]).most_common()))),
    A("number of different customers", lambda g: 4),
    A("rows of orders where Ship City is Bonn", _where(R, lambda r: r["Ship City"] == "Bonn")),
    A("orders with Qty at most 2", _where(R, lambda r: r["Qty"] <= 2)),
    A("orders with Qty above 9", _where(R, lambda r: r["Qty"] > 9)),
    A("orders with Qty no more than 3", _where(R, lambda r: r["Qty"] <= 3)),
    A("show orders where Unit Price is above 50 and Qty is below 3", _where(R, lambda r: r["Unit Price"] > 50 and r["Qty"] < 3)),
    A("show orders where Qty is below 3 and Unit Price is above 50", _where(R, lambda r: r["Unit Price"] > 50 and r["Qty"] < 3)),
    A("rows where Unit Price > 50 and Qty < 3", _where(R, lambda r: r["Unit Price"] > 50 and r["Qty"] < 3)),
    A("show orders where Unit Price is below 20 and Qty is above 8", _where(R, lambda r: r["Unit Price"] < 20 and r["Qty"] > 8)),
    A("orders where Payment is missing", _where(R, lambda r: _gone(r["Payment"]))),
    A("orders where Discount is not missing", _where(R, lambda r: not _gone(r["Discount %"]))),
    A("rows with missing discount", _where(R, lambda r: _gone(r["Discount %"]))),
    A("which columns of orders have missing values", lambda g: pd.Series({c: sum(map(_gone, g[R][c])) for c in ("Discount %", "Payment")})),
    A("most common payment", lambda g: pd.Series(dict([Counter(p for p in g[R]["Payment"] if not _gone(p)).most_common(1)[0]]))),
    A("count the orders by payment", lambda g: pd.Series(Counter(np.nan if _gone(p) else p for p in g[R]["Payment"])).sort_values(ascending=False, kind="stable")),
    A("percentage of orders by Ship City", lambda g: pd.Series(Counter(g[R]["Ship City"])).sort_values(ascending=False, kind="stable") / 150 * 100),
    A("total Qty by Payment", _groups(R, lambda r: r["Payment"], lambda r: r["Qty"], sum)),
    A("average unit price by ship city", _groups(R, lambda r: r["Ship City"], lambda r: r["Unit Price"], lambda v: sum(v) / len(v))),
    A("average unit price where Ship City is Bonn", lambda g: float(np.mean([p for p, c in zip(g[R]["Unit Price"], g[R]["Ship City"], strict=True) if c == "Bonn"]))),
    A("what is the total Qty of orders where Payment is cash", lambda g: float(sum(q for q, p in zip(g[R]["Qty"], g[R]["Payment"], strict=True) if p == "cash"))),
    A("average Qty where Unit Price is above 40", lambda g: float(np.mean([q for q, p in zip(g[R]["Qty"], g[R]["Unit Price"], strict=True) if p > 40]))),
    A("total Qty by Customer Name where Ship City is Bonn", lambda g: _groups(R, lambda r: r["Customer Name"], lambda r: r["Qty"], sum)({R: g[R].query("`Ship City` == 'Bonn'")})),
    A("total qty per month", lambda g: pd.Series(g[R]["Qty"].to_numpy(), [_day(d) for d in g[R]["Order Date"]]).groupby(pd.Grouper(freq="MS")).sum()),
    A("how many rows per month are in orders", lambda g: pd.Series(1, [_day(d) for d in g[R]["Order Date"]]).groupby(pd.Grouper(freq="MS")).sum()),
    A("first and last Order Date in orders", lambda g: pd.Series({"min": min(map(_day, g[R]["Order Date"])), "max": max(map(_day, g[R]["Order Date"]))})),
    A("latest Order Date", lambda g: pd.Timestamp(max(map(_day, g[R]["Order Date"])))),
    A("earliest Order Date in orders", lambda g: pd.Timestamp(min(map(_day, g[R]["Order Date"])))),
    A("show the rows of orders where Order Date is after 03.10.2025", _where(R, lambda r: _day(r["Order Date"]) > datetime(2025, 10, 3))),
    A("orders after 1 July 2025", _where(R, lambda r: _day(r["Order Date"]) > datetime(2025, 7, 1))),
    A("orders in March 2025", _where(R, lambda r: _day(r["Order Date"]).strftime("%Y-%m") == "2025-03")),
    A("rows with Order Date between 2025-02-01 and 2025-03-31 in orders", _where(R, lambda r: datetime(2025, 2, 1) <= _day(r["Order Date"]) <= datetime(2025, 3, 31))),
    A("rows where Customer Name starts with A", _where(R, lambda r: r["Customer Name"][0] == "A")),
    A("rows of orders where Ship City contains n", _where(R, lambda r: "n" in r["Ship City"].lower())),
    A("rows where Customer Name ends with 'a'", _where(R, lambda r: r["Customer Name"].lower().endswith("a"))),
    A("add a column revenue as unit price times qty", lambda v, n: np.allclose(n[R]["revenue"], [p * q for p, q in zip(n[R]["Unit Price"], n[R]["Qty"], strict=True)]), True),
    A("add a column ratio to orders as Unit Price divided by Qty", lambda v, n: np.allclose(n[R]["ratio"], [p / q for p, q in zip(n[R]["Unit Price"], n[R]["Qty"], strict=True)]), True),
    A("convert Fee in orders to numbers", lambda v, n: n[R]["Fee"].tolist() == [int(f[1:]) for f in messy(R)[R]["Fee"]], True),
    A("convert Order Date to dates", lambda v, n: n[R]["Order Date"].tolist() == [pd.Timestamp(_day(d)) for d in messy(R)[R]["Order Date"]], True),
    A("left join orders and cities on Ship City", lambda v, n: len(v) == 150 and v["manager"].isna().sum() == sum(c == "Aachen" for c in n[R]["Ship City"]), True),
    A("outer join orders and cities on Ship City", lambda v, n: len(v) == 151, True),
    A("minimum and maximum of unit price in orders", lambda g: pd.Series({"min": min(g[R]["Unit Price"]), "max": max(g[R]["Unit Price"])})),
    A("bar chart of Payment", bars(lambda g: pd.Series(Counter("nan" if _gone(p) else p for p in g[R]["Payment"]))), True),
    A("scatter plot of qty against unit price", points(R, "Unit Price", "Qty"), True),
    A("how many orders have Qty above 5", lambda g: sum(q > 5 for q in g[R]["Qty"])),
    A("number of rows where Qty is at least 5", lambda g: sum(q >= 5 for q in g[R]["Qty"])),
    A("average Fee", None), A("total Rate by Ship City", None), A("orders where Fee is above 10", None), A("top 3 orders by Fee", None),
    A("average price by region", None), A("rows where Ship City is Mainz", None), A("orders where Qty is not at least 10", None),
    A("orders with Qty of less than 3 or more than 10", None), A("rows where Unit Price is below 50 and Qty", None),
    A("average unit price by Ship City without Bonn", None), A("average unit price where Ship City is not Bonn", None),
    A("show orders where Unit Price is above 50 or Qty is below 3", None), A("first 7 orders by Unit Price", None),
    A("sort orders by Order Date and drop the first 5", None), A("orders not after 1 July 2025", None), A("orders after 03/08/2025", None),
    A("most common payment by Ship City", None), A("export orders to excel without Qty", None), A("latest Order Date by Customer Name", None),
]  # fmt: skip

MESSY["sensors"] = [
    A("rows where error is True", _where(S, lambda r: r["error"])),
    A("rows where error is false", _where(S, lambda r: not r["error"])),
    A("rows where error is not true", _where(S, lambda r: not r["error"])),
    A("how many rows have error true", lambda g: int(sum(g[S]["error"]))),
    A("hourly average temp_c", lambda g: pd.Series(g[S]["temp_c"].to_numpy(), pd.to_datetime(g[S]["timestamp"])).groupby(pd.Grouper(freq="h")).mean()),
    A("daily maximum of temp_c", lambda g: pd.Series(g[S]["temp_c"].to_numpy(), pd.to_datetime(g[S]["timestamp"])).groupby(pd.Grouper(freq="D")).max()),
    A("lowest temp_c per day", lambda g: pd.Series(g[S]["temp_c"].to_numpy(), pd.to_datetime(g[S]["timestamp"])).groupby(pd.Grouper(freq="D")).min()),
    A("plot temp_c over time", line(S, "temp_c", "timestamp"), True),
    A("line chart of temp_c by timestamp", line(S, "temp_c", "timestamp"), True),
    A("rows with missing humidity", _where(S, lambda r: _gone(r["humidity"]))),
    A("rows where temp is above 25 and humidity below 40", _where(S, lambda r: r["temp_c"] > 25 and r["humidity"] < 40)),
    A("sensors after 2026-03-03", _where(S, lambda r: r["timestamp"][:10] > "2026-03-03")),
    A("sensors before 2026-03-02", _where(S, lambda r: r["timestamp"][:10] < "2026-03-02")),
    A("rows on 2 March 2026", _where(S, lambda r: r["timestamp"][:10] == "2026-03-02")),
    A("rows of sensors with timestamp between 2026-03-02 and 2026-03-03", _where(S, lambda r: "2026-03-02" <= r["timestamp"][:10] <= "2026-03-03")),
    A("average temp_c where sensor is s1", lambda g: float(np.mean([t for t, s in zip(g[S]["temp_c"], g[S]["sensor"], strict=True) if s == "s1"]))),
    A("how many rows have humidity of more than 50", lambda g: int(sum(h > 50 for h in g[S]["humidity"]))),
    A("number of duplicate rows in sensors", lambda g: len(g[S]) - len(set(map(str, g[S].to_numpy().tolist())))),
    A("histogram of humidity", hist(S, "humidity"), True),
    A("latest 5 rows", lambda v, n: sorted(v["timestamp"], reverse=True) == sorted(n[S]["timestamp"], reverse=True)[:5], True),
    A("sort by timestamp descending", sorted_by(S, lambda r: r["timestamp"], low=False), True),
    A("average temp_c by sensor and error", lambda v, n: all(np.isclose(v[k], np.mean([t for t, s, e in zip(n[S]["temp_c"], n[S]["sensor"], n[S]["error"], strict=True) if (s, e) == k])) for k in v.index) and len(v) == 6, True),
    A("average temp_c of errors", None), A("rows where error", _where(S, lambda r: r["error"])), A("hourly average of sensor", None), A("daily median of temp_c", None),
    A("rows before noon", None), A("rows where temp_c is not above 20", None), A("plot sensor over time", None),
]  # fmt: skip

MESSY["staff"] = [
    A("sort staff by Eintritt", sorted_by(T, lambda r: _day(r["Eintritt"], "%d/%m/%Y")), True),
    A("sort staff by Stufe", sorted_by(T, lambda r: int(r["Stufe"])), True),
    A("sort staff by Gehalt descending", sorted_by(T, lambda r: float(r["Gehalt"].replace(".", "").replace(",", ".")), low=False), True),
    A("sort staff by Mitarbeiter", sorted_by(T, lambda r: r["Mitarbeiter"]), True),
    A("convert Gehalt in staff to numbers", lambda v, n: np.allclose(n[T]["Gehalt"], [float(x.replace(".", "").replace(",", ".")) for x in messy(T)[T]["Gehalt"]]), True),
    A("convert Eintritt to dates", lambda v, n: n[T]["Eintritt"].tolist() == [pd.Timestamp(_day(d, "%d/%m/%Y")) for d in messy(T)[T]["Eintritt"]], True),
    A("first and last Eintritt in staff", lambda g: pd.Series({"min": min(_day(d, "%d/%m/%Y") for d in g[T]["Eintritt"]), "max": max(_day(d, "%d/%m/%Y") for d in g[T]["Eintritt"])})),
    A("how many rows per year of Eintritt are in staff", lambda g: pd.Series(1, [_day(d, "%d/%m/%Y") for d in g[T]["Eintritt"]]).groupby(pd.Grouper(freq="YS")).sum()),
    A("share of each Abteilung", lambda g: pd.Series(Counter(np.nan if _gone(a) else a for a in g[T]["Abteilung"])).sort_values(ascending=False, kind="stable") / 90 * 100),
    A("rows where aktiv is false", _where(T, lambda r: not r["aktiv"])),
    A("rows where Abteilung is Lager", _where(T, lambda r: r["Abteilung"] == "Lager")),
    A("rows of staff where Abteilung is not Lager", _where(T, lambda r: r["Abteilung"] != "Lager")),
    A("rows without Abteilung in staff", _where(T, lambda r: _gone(r["Abteilung"]))),
    A("most common Abteilung", lambda g: pd.Series(dict([Counter(a for a in g[T]["Abteilung"] if not _gone(a)).most_common(1)[0]]))),
    A("average Gehalt by Abteilung", None), A("staff where Gehalt is above 3000", None), A("highest Gehalt", None), A("top 5 staff by Gehalt", None),
    A("cumulative sum of Gehalt", None), A("histogram of Stufe", None), A("correlation between Gehalt and Stufe", None), A("rank Gehalt in staff", None),
    A("average Stufe per year of Eintritt in staff", None), A("Gehalt plus Stufe", None),
]  # fmt: skip
