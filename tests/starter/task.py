# ruff: noqa: E501
"""A task of the library, and what stands for the values in its wordings and its program.

In a wording ``{t}`` and ``{u}`` stand for tables, ``{x}`` and ``{y}`` for columns of numbers, ``{c}`` and ``{d}`` for
any columns, ``{g}`` for one of yes and no,
``{j}`` for one whose values are or read as numbers, ``{k}`` and ``{l}`` for columns whose values make groups, ``{w}`` and ``{w2}`` for columns of dates,
``{v}`` and ``{z}`` for values of ``{k}``, ``{v2}`` for one of ``{l}``, ``{i1}``, ``{i2}`` … for all values of ``{k}`` in an order,
``{n}`` for a count, ``{a}`` and ``{b}`` for numbers of columns, ``{a2}`` for any number, ``{e}`` and ``{f}`` for the ends of a time, ``{e2}`` and ``{f2}`` for any two dates, ``{p}``,
``{q}`` and ``{o}`` for files, ``{p2}`` for a workbook and ``{m2}`` for a sheet of it, ``{m}`` for a new name, ``{s}`` and ``{s2}`` for letters that a text has, ``{h}`` for a year,
``{r}`` for a column of texts, ``{r2}`` for one that is called after them (a comment). In code tables stand as names and everything else as a literal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ACROSS", "ALL", "DATA", "DRAW", "KINDS", "ORDER", "PLT", "Task"]

#: What each placeholder is.
KINDS: Final = {
    "t": "table", "u": "table", "x": "number column", "y": "number column", "c": "column", "d": "column", "j": "column",
    "k": "column", "l": "column", "w": "date column", "v": "value", "z": "value", "n": "integer", "a": "number",
    "b": "number", "e": "date", "f": "date", "g": "flag column", "h": "integer", "r": "text column",
    "a2": "number", "v2": "value", "w2": "date column", "e2": "date", "f2": "date", "s2": "letters", "r2": "prose column", "p2": "path", "m2": "new name",
    **{f"i{number}": "value" for number in range(1, 8)},
    "s": "letters", "p": "path", "q": "path", "o": "path", "m": "new name",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """One everyday task; ``group`` is the heading it is listed under."""

    name: str
    group: str
    wordings: tuple[str, ...]
    code: str
    answer: str


#: Groups: all rows count, those without a group too; of categories only those that occur; in the order of what they mean.
ALL: Final = "dropna=False, observed=True"
ORDER: Final = ".sort_index(key=llmos_data.order_key)"
ACROSS: Final = ".sort_index(axis=1, key=llmos_data.order_key)"
DATA: Final = "import llmos_nb.domains.data as llmos_data\n\n"
PLT: Final = "import matplotlib.pyplot as plt\n\n"
DRAW: Final = f"import llmos_nb.domains.data as llmos_data\n{PLT}"
