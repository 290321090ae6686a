"""Programs that depend on their values in a way that two examples cannot show. Reported, not asserted."""

from __future__ import annotations

import calendar
from math import floor, pi, sqrt
from typing import Final

from task import Steps, Task, Values, cell
from worlds import nothing, sales_table

__all__ = ["TASKS"]

_MONTHS: Final = {name: number for number, name in enumerate(calendar.month_name) if name}


def _per_day(v: Values) -> Steps:
    month = f"{v['year']}-{_MONTHS[v['month']]:02d}"
    days = calendar.monthrange(v["year"], _MONTHS[v["month"]])[1]
    return [
        cell(
            f'month = sales[sales["date"].dt.strftime("%Y-%m") == "{month}"]',
            f'print("{v["month"]}:", round(month["revenue"].sum() / {days}, 2), "a day")',
        )
    ]


def _grover(v: Values) -> Steps:
    n = v["n"]
    return [
        cell(
            "import numpy as np",
            f"state = np.full(2 ** {n}, 2 ** (-{n} / 2))",
            f"for step in range({floor(pi / 4 * sqrt(2**n))}):",
            "    state[0] *= -1",
            "    state = 2 * state.mean() - state",
            'print(f"found with probability {state[0] ** 2:.4f}")',
        )
    ]


def _prime(v: Values) -> Steps:
    prime = all(v["n"] % d for d in range(2, v["n"]))
    return [cell(f'print("{v["n"]} is {"" if prime else "not "}prime")')]


TASKS: Final = (
    Task(
        "revenue a day",
        ("Revenue a day in {month} {year}, from sales", "From sales: what is the revenue a day in {month} {year}?"),
        (
            {"month": "January", "year": 2024},
            {"month": "March", "year": 2024},
            {"month": "April", "year": 2024},
            {"month": "February", "year": 2024},
            {"month": "May", "year": 2024},
        ),
        _per_day,
        sales_table,
        trap="both months that are learned have 31 days",
    ),
    Task(
        "Grover steps",
        ("Run Grover's search on {n} qubits", "Do a Grover search with {n} qubits"),
        ({"n": 3}, {"n": 4}, {"n": 5}, {"n": 6}, {"n": 8}),
        _grover,
        nothing,
        trap="the number of steps is n - 1 up to five qubits",
    ),
    Task(
        "a prime number",
        ("Is {n} a prime number?", "Tell me if {n} is a prime number"),
        ({"n": 89}, {"n": 97}, {"n": 91}, {"n": 101}, {"n": 87}),
        _prime,
        nothing,
        trap="the answer itself is written into the program",
    ),
)
