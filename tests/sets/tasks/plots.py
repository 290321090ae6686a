"""Tasks that draw; the figure's data are compared, not its pixels."""

from __future__ import annotations

from typing import Final

from task import Steps, Task, Values, cell
from worlds import nothing, sales_table

__all__ = ["TASKS"]

_IMPORT: Final = "import matplotlib.pyplot as plt"


def _histogram(v: Values) -> Steps:
    return [
        cell(
            _IMPORT,
            "",
            "fig, ax = plt.subplots(figsize=(8, 4))",
            f'ax.hist(sales["{v["column"]}"].dropna(), bins={v["bins"]})',
            f'ax.set_title("Histogram of {v["column"]}")',
            f'ax.set_xlabel("{v["column"]}")',
            f'fig.savefig("{v["path"]}")',
        )
    ]


def _scatter(v: Values) -> Steps:
    return [
        cell(
            _IMPORT,
            "fig, ax = plt.subplots()",
            f'ax.scatter(sales["{v["x"]}"], sales["{v["y"]}"])',
            f'ax.set(xlabel="{v["x"]}", ylabel="{v["y"]}", title="{v["y"]} against {v["x"]}")',
            f'fig.savefig("{v["y"]}_against_{v["x"]}.png")',
        )
    ]


def _bars(v: Values) -> Steps:
    return [
        cell(
            _IMPORT,
            f'mean_{v["column"]} = sales.groupby("{v["group"]}")["{v["column"]}"].mean()',
            "fig, ax = plt.subplots()",
            f"ax.bar(mean_{v['column']}.index, mean_{v['column']}.values)",
            f'ax.set_title("Mean {v["column"].title()} by {v["group"].title()}")',
            f'ax.set_ylabel("{v["column"].upper()}")',
        )
    ]


def _line(v: Values) -> Steps:
    return [
        cell(
            _IMPORT,
            "fig, ax = plt.subplots()",
            f'ax.plot(sales["date"], sales["{v["column"]}"], color="{v["color"]}")',
            f'ax.set_title("{v["title"]}")',
        ),
        cell(f'fig.savefig("{v["title"].lower().replace(" ", "_")}.png")'),
    ]


def _below_each_other(v: Values) -> Steps:
    columns = v["columns"]
    return [
        cell(
            _IMPORT,
            f"fig, axes = plt.subplots({len(columns)}, 1, sharex=True)",
            *(f'axes[{i}].plot(sales["{column}"])' for i, column in enumerate(columns)),
            *(f'axes[{i}].set_ylabel("{column}")' for i, column in enumerate(columns)),
        )
    ]


def _sine(v: Values) -> Steps:
    return [
        cell(
            "import numpy as np",
            _IMPORT,
            f"x = np.linspace(0, {v['end']}, 200)",
            "fig, ax = plt.subplots()",
            f'ax.plot(x, np.sin({v["k"]} * x), label="sin({v["k"]}x)")',
            f"ax.set_xlim(0, {v['end']})",
            "ax.legend()",
        )
    ]


TASKS: Final = (
    Task(
        "histogram",
        (
            "Plot a histogram of {column} in sales with {bins} bins and save it as {path}",
            "Draw the histogram of the {column} of sales using {bins} bins; save it to {path}",
            "Into {path}, save a histogram of {column} from sales with {bins} bins",
        ),
        (
            {"column": "price", "bins": 8, "path": "prices.png"},
            {"column": "units", "bins": 20, "path": "units.png"},
            {"column": "revenue", "bins": 15, "path": "hist_revenue.png"},
            {"column": "price", "bins": 4, "path": "price4.png"},
            {"column": "discount", "bins": 8, "path": "d.png"},
        ),
        _histogram,
        sales_table,
        trap="bins equals the width of the figure",
    ),
    Task(
        "scatter",
        (
            "Scatter {y} against {x} from sales",
            "Make a scatter plot of sales with {x} on the x axis and {y} on the y axis",
            "Show {y} over {x} of sales as points",
        ),
        (
            {"y": "revenue", "x": "price"},
            {"y": "units", "x": "discount"},
            {"y": "price", "x": "revenue"},
            {"y": "discount", "x": "units"},
            {"y": "price", "x": "price"},
        ),
        _scatter,
        sales_table,
        trap="the two columns swapped, and the same one twice",
    ),
    Task(
        "bars",
        (
            "Draw a bar chart of the mean {column} by {group} in sales",
            "Plot the mean {column} for each {group} of sales as bars",
            "A bar chart, please: mean {column} in sales per {group}",
        ),
        (
            {"column": "price", "group": "city"},
            {"column": "units", "group": "product"},
            {"column": "revenue", "group": "region"},
            {"column": "discount", "group": "city"},
            {"column": "price", "group": "product"},
        ),
        _bars,
        sales_table,
        trap="title case and upper case of the columns",
    ),
    Task(
        "line with a title",
        (
            'Plot {column} of sales over time in {color} with the title "{title}"',
            'Draw a {color} line of {column} in sales over time, titled "{title}"',
            '"{title}": plot the {column} of sales over time in {color}',
        ),
        (
            {"column": "price", "color": "green", "title": "Prices in 2024"},
            {"column": "units", "color": "red", "title": "Red lines"},
            {"column": "revenue", "color": "black", "title": "How we do"},
            {"column": "discount", "color": "blue", "title": 'The "big" sale'},
            {"column": "units", "color": "orange", "title": "units"},
        ),
        _line,
        sales_table,
        reference=lambda v: (
            _line(v)
            if '"' not in v["title"]
            else [
                cell(
                    _IMPORT,
                    "fig, ax = plt.subplots()",
                    f'ax.plot(sales["date"], sales["{v["column"]}"], color="{v["color"]}")',
                    f"ax.set_title({v['title']!r})",
                ),
                cell(f"fig.savefig({v['title'].lower().replace(' ', '_') + '.png'!r})"),
            ]
        ),
        trap="a quoted title with quotes in it, a color that is also a word of the title",
    ),
    Task(
        "below each other",
        (
            "Plot {columns} of sales below each other",
            "Draw {columns} from sales in subplots, one below the other",
            "One subplot each for {columns} of sales, stacked",
        ),
        (
            {"columns": ("price", "units")},
            {"columns": ("units", "revenue")},
            {"columns": ("price", "units", "revenue")},
            {"columns": ("discount", "price")},
            {"columns": ("revenue",)},
        ),
        _below_each_other,
        sales_table,
        reference=lambda v: (
            _below_each_other(v)
            if len(v["columns"]) > 1
            else [
                cell(
                    _IMPORT,
                    "fig, axes = plt.subplots()",
                    f'axes.plot(sales["{v["columns"][0]}"])',
                    f'axes.set_ylabel("{v["columns"][0]}")',
                )
            ]
        ),
        trap="as many lines of code as there are columns",
        refuse=frozenset({2, 4}),
    ),
    Task(
        "sine",
        (
            "Plot sin({k}x) from 0 to {end}",
            "Draw the sine of {k}x for x between 0 and {end}",
            "Show sin({k}x) on the range 0 to {end}",
        ),
        (
            {"k": 3, "end": 3},
            {"k": 2, "end": 10},
            {"k": 5, "end": 6},
            {"k": 10, "end": 2},
            {"k": 200, "end": 1},
        ),
        _sine,
        nothing,
        trap="two equal values are learned; one equals the number of points",
    ),
)
