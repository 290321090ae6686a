"""Small data that the tasks work on: always the same, with something to find in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["library", "logs", "measurements", "nothing", "sales_files", "sales_table", "texts"]

CITIES = ("Berlin", "Lyon", "Oslo", "Porto")
PRODUCTS = ("lamp", "desk", "chair")
REGIONS = ("North", "South")


def nothing(folder: Path) -> Mapping[str, Any]:
    """An empty folder and no names."""
    return {}


def sales(seed: int = 1, rows: int = 48) -> pd.DataFrame:
    """Sales by date, city and product."""
    rng = np.random.default_rng(seed)
    price = rng.integers(5, 90, rows) + rng.integers(0, 4, rows) * 0.25
    units = rng.integers(1, 30, rows)
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-03", periods=rows, freq="4D"),
            "city": [CITIES[i] for i in rng.integers(0, 4, rows)],
            "product": [PRODUCTS[i] for i in rng.integers(0, 3, rows)],
            "region": [REGIONS[i] for i in rng.integers(0, 2, rows)],
            "price": price,
            "units": units,
            "revenue": price * units,
            "discount": rng.integers(0, 5, rows) / 20,
        }
    )


def sales_table(folder: Path) -> Mapping[str, Any]:
    """The variable ``sales``, with gaps in ``price``, ``units`` and ``city``."""
    table = sales()
    table["units"] = table["units"].astype(float)
    for step, column in ((7, "price"), (5, "units"), (9, "city")):
        table.loc[::step, column] = None
    return {"sales": table}


def sales_files(folder: Path) -> Mapping[str, Any]:
    """Sales as files, in two folders."""
    (folder / "data").mkdir()
    for seed, name in enumerate(
        ("orders.csv", "returns.csv", "shop.csv", "data/north.csv", "data/south.csv"), start=2
    ):
        table = sales(seed, 20 + 3 * seed)
        table["code"] = [f"K{number:03d}" for number in range(len(table))]
        table.to_csv(folder / name, index=False)
    return {}


def measurements(folder: Path) -> Mapping[str, Any]:
    """The variable ``samples``: two groups, three sizes."""
    rng = np.random.default_rng(11)
    height = rng.normal(170, 9, 60).round(1)
    weight = (height * 0.6 - 35 + rng.normal(0, 6, 60)).round(1)
    pulse = rng.normal(66, 8, 60).round(0)
    group = [("control", "drug", "placebo")[i] for i in rng.integers(0, 3, 60)]
    return {"samples": pd.DataFrame({"group": group, "height": height, "weight": weight, "pulse": pulse})}


def library(folder: Path) -> Mapping[str, Any]:
    """``library.db``: books, members and loans."""
    books = [
        ("Emma", "Jane Austen", "novel", 1815, 4), ("Persuasion", "Jane Austen", "novel", 1817, 2),
        ("Dracula", "Bram Stoker", "horror", 1897, 3), ("Carmilla", "Sheridan Le Fanu", "horror", 1872, 1),
        ("Ariel", "Sylvia Plath", "poetry", 1965, 2), ("North", "Seamus Heaney", "poetry", 1975, 2),
        ("Ulysses", "James Joyce", "novel", 1922, 5), ("Dubliners", "James Joyce", "stories", 1914, 3),
        ("Beloved", "Toni Morrison", "novel", 1987, 4), ("Jazz", "Toni Morrison", "novel", 1992, 1),
        ("Kindred", "Octavia Butler", "novel", 1979, 2), ("Bloodchild", "Octavia Butler", "stories", 1995, 2),
    ]  # fmt: skip
    members = [("Ada", "Leeds"), ("Ben", "York"), ("Cleo", "Leeds"), ("O'Brien", "Hull"), ("Eve", "York")]
    connection = sqlite3.connect(folder / "library.db")
    connection.executescript(
        "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author TEXT, genre TEXT, year INTEGER, copies INTEGER);"
        "CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, city TEXT);"
        "CREATE TABLE loans (id INTEGER PRIMARY KEY, book_id INTEGER, member_id INTEGER, year INTEGER, days INTEGER);"
    )
    connection.executemany("INSERT INTO books (title, author, genre, year, copies) VALUES (?, ?, ?, ?, ?)", books)
    connection.executemany("INSERT INTO members (name, city) VALUES (?, ?)", members)
    rng = np.random.default_rng(5)
    loans = [
        tuple(int(number) for number in row)
        for row in np.column_stack(
            [rng.integers(1, 13, 70), rng.integers(1, 6, 70), rng.integers(2021, 2025, 70), rng.integers(3, 40, 70)]
        )
    ]
    connection.executemany("INSERT INTO loans (book_id, member_id, year, days) VALUES (?, ?, ?, ?)", loans)
    connection.commit()
    connection.close()
    return {}


def texts(folder: Path) -> Mapping[str, Any]:
    """Three short texts."""
    (folder / "garden.txt").write_text(
        "Reread the rules before you replant the roses. Python once slept under the roses, e.g. near the eggs.\n"
        "Unless rain returns, the unhappy tulips and the roses need water. Edges matter; unlit eggs do not.\n"
    )
    (folder / "course.txt").write_text(
        "Python is a language. Learn Python and C++ and data; data is everywhere, and DATA never sleeps.\n"
        "Students unlearn habits, relearn Python, rewrite code, and return home. Don't panic.\n"
    )
    (folder / "trip.txt").write_text(
        'The train returns at noon. We reserve seats, unpack, rest, and say "hi" to Rome, Rome, Rome.\n'
        "Don't forget the map; the map shows data about Rome and the river. C++ is not spoken here.\n"
    )
    return {}


def logs(folder: Path) -> Mapping[str, Any]:
    """Log files and three folders of letters; the third folder holds one letter more than the others."""
    for name, offset in (("app.log", 0), ("web.log", 1), ("job.log", 2)):
        kinds = ((4 + offset, "ERROR no route"), (3 + offset, "WARN slow disk"), (2 + offset, "INFO retry later"))
        told = [next((text for every, text in kinds if day % every == 0), "DEBUG tick") for day in range(1, 29)]
        lines = [f"2024-05-{day:02d} {text}" for day, text in enumerate(told, start=1)]
        (folder / name).write_text("\n".join(lines) + "\n")
    for box, letters in (("inbox", "ab"), ("outbox", "ab"), ("drafts", "abc"), ("sent", "ab"), ("spam", "bd")):
        (folder / box).mkdir()
        for letter in letters:
            (folder / box / f"{letter}.txt").write_text(f"{box} {letter}\n")
    return {}
