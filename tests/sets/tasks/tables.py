"""Tasks on tables."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from task import Steps, Task, Values, cell
from worlds import sales_files, sales_table

__all__ = ["TASKS"]


def _mean_by_group(v: Values) -> Steps:
    name = f"mean_{v['column']}_by_{v['group']}"
    return [
        cell(
            f'{name} = sales.groupby("{v["group"]}")["{v["column"]}"].mean().round(2)',
            f'print("Mean {v["column"]} by {v["group"]}")',
            name,
        )
    ]


def _top_rows(v: Values) -> Steps:
    return [
        cell(
            "import pandas as pd",
            f'orders = pd.read_csv("{v["path"]}").round(2)',
            f'top = orders.nlargest({v["n"]}, "revenue")[["city", "product", "revenue"]]',
            f'print(f"The top {v["n"]} rows have {{top.revenue.sum():.2f}} of {{orders.revenue.sum():.2f}}")',
            "top",
        )
    ]


def _rows_above(v: Values) -> Steps:
    return [
        cell(
            "import pandas as pd",
            "",
            'shop = pd.read_csv("shop.csv")',
            f'above = shop[shop["{v["column"]}"] > {v["limit"]}]',
            f'print(len(above), "rows with {v["column"]} > {v["limit"]}")',
        )
    ]


def _count_rows(v: Values) -> Steps:
    return [
        cell("import pandas as pd", f'table = pd.read_csv("{v["path"]}")'),
        cell("rows, columns = table.shape", f'print(f"{v["path"]}: {{rows}} rows, {{columns}} columns")'),
    ]


def _fill_gaps(v: Values) -> Steps:
    if v["column"] in ("city", "product", "region"):
        return [
            cell(
                f'most_common = sales["{v["column"]}"].mode()[0]',
                f'sales["{v["column"]}"] = sales["{v["column"]}"].fillna(most_common)',
                'print("filled with", most_common)',
            )
        ]
    return [
        cell(
            f'median = sales["{v["column"]}"].median()',
            f'sales["{v["column"]}"] = sales["{v["column"]}"].fillna(median)',
            'print("filled with", median)',
        )
    ]


def _pivot(v: Values) -> Steps:
    return [
        cell(
            "pivot = sales.pivot_table(",
            f'    index="{v["rows"]}", columns="{v["columns"]}", values="{v["value"]}", aggfunc="{v["how"]}"',
            ").round(1)",
            f'pivot.to_csv("{v["value"]}_{v["how"]}.csv")',
            "pivot",
        )
    ]


def _rolling(v: Values) -> Steps:
    new = f"{v['column']}_{v['n']}_rows"
    return [
        cell(
            f'sales["{new}"] = sales["{v["column"]}"].rolling({v["n"]}, min_periods=1).mean()',
            f'sales[["date", "{v["column"]}", "{new}"]].tail(3)',
        )
    ]


def _rename(v: Values) -> Steps:
    return [
        cell(
            f'sales = sales.rename(columns={{"{v["old"]}": "{v["new"]}"}})',
            f'print("{v["old"]} is now {v["new"]}:", list(sales.columns))',
        )
    ]


def _between(v: Values) -> Steps:
    after = date.fromisoformat(v["end"]) + timedelta(days=1)
    return [
        cell(
            f'period = sales[(sales["date"] >= "{v["start"]}") & (sales["date"] < "{after}")]',
            'print(len(period), "sales,", period["revenue"].sum())',
        )
    ]


def _city_share(v: Values) -> Steps:
    return [
        cell(
            f'{v["city"].lower()} = sales[sales["city"] == "{v["city"]}"]',
            f'share = {v["city"].lower()}["revenue"].sum() / sales["revenue"].sum()',
            f'print(f"{v["city"]}: {{share:.1%}}")',
        )
    ]


TASKS: Final = (
    Task(
        "mean by group",
        (
            "Show the mean {column} by {group} in sales",
            "What is the mean {column} of sales for each {group}?",
            "Group sales by {group} and average the {column}",
        ),
        (
            {"column": "price", "group": "city"},
            {"column": "units", "group": "product"},
            {"column": "discount", "group": "product"},
            {"column": "revenue", "group": "region"},
            {"column": "units", "group": "city"},
        ),
        _mean_by_group,
        sales_table,
        answer="Here is the mean {column} by {group}.",
    ),
    Task(
        "top rows",
        (
            "Show the top {n} rows of {path} by revenue",
            "Which {n} rows of {path} have the highest revenue?",
            "From {path}, show the {n} rows with the largest revenue",
        ),
        (
            {"n": 2, "path": "orders.csv"},
            {"n": 5, "path": "returns.csv"},
            {"n": 3, "path": "shop.csv"},
            {"n": 10, "path": "data/north.csv"},
            {"n": 2, "path": "data/south.csv"},
        ),
        _top_rows,
        sales_files,
        trap="n equals the digits that are rounded to",
        answer="{last}.",
    ),
    Task(
        "rows above a limit",
        (
            "Count the rows of shop.csv where {column} is above {limit}",
            "How many rows of shop.csv have a {column} of more than {limit}?",
            "In shop.csv, count rows with {column} > {limit}",
        ),
        (
            {"column": "price", "limit": 40},
            {"column": "units", "limit": 12},
            {"column": "revenue", "limit": 612.5},
            {"column": "code", "limit": 10},
            {"column": "units", "limit": -3},
        ),
        _rows_above,
        sales_files,
        trap="a column of text",
        refuse=frozenset({3}),
        answer="There are {last}.",
    ),
    Task(
        "count rows",
        (
            "Load {path} as table and count its rows",
            "Read {path} into table and tell me how many rows it has",
            "How many rows are in {path}? Keep it as table",
        ),
        (
            {"path": "orders.csv"},
            {"path": "data/north.csv"},
            {"path": "returns.csv"},
            {"path": "data/west.csv"},
            {"path": "shop.csv"},
        ),
        _count_rows,
        sales_files,
        trap="a missing file",
        refuse=frozenset({3}),
        answer="`{path}` was loaded: {last}.",
    ),
    Task(
        "fill gaps",
        (
            "Fill the gaps in the column {column} of sales with its typical value",
            "Replace missing values of {column} in sales by the typical value",
            "In sales, fill missing {column} with what is typical",
        ),
        ({"column": "price"}, {"column": "units"}, {"column": "city"}, {"column": "discount"}, {"column": "region"}),
        _fill_gaps,
        sales_table,
        trap="a column of text has no median",
        refuse=frozenset({2, 4}),
    ),
    Task(
        "pivot",
        (
            "Pivot sales: {how} of {value} with {rows} as rows and {columns} as columns",
            "Make a pivot table of sales with {rows} in rows, {columns} in columns and the {how} of {value}",
            "Show the {how} of {value} in sales by {rows} (rows) and {columns} (columns)",
        ),
        (
            {"how": "mean", "value": "price", "rows": "city", "columns": "product"},
            {"how": "sum", "value": "units", "rows": "product", "columns": "region"},
            {"how": "max", "value": "revenue", "rows": "region", "columns": "product"},
            {"how": "sum", "value": "price", "rows": "product", "columns": "city"},
            {"how": "mean", "value": "discount", "rows": "city", "columns": "region"},
        ),
        _pivot,
        sales_table,
    ),
    Task(
        "rolling mean",
        (
            "Add the rolling mean of {column} over {n} rows to sales",
            "Add a column to sales with the mean of {column} over the last {n} rows",
            "sales needs a rolling mean over {n} rows of {column}",
        ),
        (
            {"column": "price", "n": 1},
            {"column": "units", "n": 7},
            {"column": "revenue", "n": 3},
            {"column": "price", "n": 14},
            {"column": "discount", "n": 1},
        ),
        _rolling,
        sales_table,
        trap="n equals min_periods",
    ),
    Task(
        "rename a column",
        (
            "Rename the column {old} of sales to {new}",
            "In sales, call the column {old} {new} from now on",
            "Give the column {old} of sales the new name {new}",
        ),
        (
            {"old": "price", "new": "eur"},
            {"old": "units", "new": "pieces"},
            {"old": "city", "new": "town"},
            {"old": "revenue", "new": "turnover"},
            {"old": "weight", "new": "mass"},
        ),
        _rename,
        sales_table,
        trap="a column that is not there is renamed to nothing, silently",
        answer="The column `{old}` of `sales` is called `{new}` now.",
    ),
    Task(
        "between dates",
        (
            "Count the sales from {start} to {end}, both included, as period",
            "How many sales were there between {start} and {end} inclusive? Keep them as period",
            "Put the sales of {start} up to and including {end} into period and count them",
        ),
        (
            {"start": "2024-01-07", "end": "2024-01-31"},
            {"start": "2024-02-04", "end": "2024-02-20"},
            {"start": "2024-03-03", "end": "2024-04-28"},
            {"start": "2024-02-12", "end": "2024-02-28"},
            {"start": "2024-05-02", "end": "2024-05-22"},
        ),
        _between,
        sales_table,
        trap="the code has the day after the end",
    ),
    Task(
        "share of a city",
        (
            "Which share of the revenue in sales is from {city}?",
            "Compute the share of {city} in the revenue of sales",
            "How much of the revenue of sales comes from {city}, as a share?",
        ),
        ({"city": "Berlin"}, {"city": "Lyon"}, {"city": "Oslo"}, {"city": "Porto"}, {"city": "Atlantis"}),
        _city_share,
        sales_table,
        trap="a variable named after the value in lower case",
        answer="{last} of the revenue.",
    ),
)
