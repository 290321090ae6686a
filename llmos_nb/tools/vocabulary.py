"""The words that mean something in the user's namespace now: variables, columns, and values of their text columns.

A goal that says ``species`` means the column, if there is one. Looking must cost next to nothing and do nothing: only
tables of pandas and of polars are looked into, by what their types promise, and a table once seen is not read again.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
import types
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["vocabulary_of"]

#: Distinct values up to which a text column is a choice among few: its values are words of the vocabulary.
DISTINCT_LIMIT: Final = 50
#: Rows of a text column that are looked at, evenly over its length; a categorical column lists its values itself.
ROWS_LIMIT: Final = 300
#: Cells (rows x columns) beyond which no values are read, and columns of one table beyond which none is a word.
CELLS_LIMIT: Final = 5_000_000
COLUMNS_LIMIT: Final = 2_000
#: Text columns that are read in one call, about 2 ms of it: tables beyond follow in the next ones.
READS_LIMIT: Final = 24
#: Letters that a value must have, and characters that it may have.
SHORTEST: Final = 2
LONGEST: Final = 80
#: Tables that are looked into.
TABLES_LIMIT: Final = 100

_SHELL_NAMES: Final = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})
_LETTERS: Final = re.compile(r"[^\W\d_]")
#: Modules whose tables are known to answer without running code of the user's.
_LIBRARIES: Final = ("pandas", "polars", "pyarrow")


@dataclass(frozen=True, slots=True)
class _Words:
    """Words of one table, and how many of its columns were read for them just now."""

    columns: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reads: int = 0


#: What was seen of a table, by its identity: a weak reference (identities are used again), its mark, the words, and
#: its columns.
_seen: dict[int, tuple[weakref.ref[Any], tuple[Any, ...], _Words, Any]] = {}


def vocabulary_of(names: Mapping[str, Any]) -> dict[str, list[str]]:
    """Known words by kind: ``variable``, ``column``, and for each text column its values, as ``species value``. Each is
    sorted and without doubles.

    Variables are the user's own names, without modules, functions, classes and private names. Never raises, never
    imports pandas, calls nothing of the user's. A value that was changed inside a table of the same shape and columns
    is noticed when the table is bound anew.
    """
    variables: list[str] = []
    columns: dict[str, None] = {}
    values: dict[str, set[str]] = {}
    reads = tables = 0
    for name, value in list(names.items()):
        if not isinstance(name, str) or name.startswith("_") or name in _SHELL_NAMES or _is_tool(value):
            continue
        variables.append(name)
        if _library(value) and tables < TABLES_LIMIT:
            tables += 1
            try:
                words = _look(value, READS_LIMIT - reads)
            except Exception:  # noqa: BLE001 - an odd table has no words; a goal is not refused for it
                continue
            reads += words.reads
            columns |= dict.fromkeys(words.columns)
            for column, found in words.values:
                values.setdefault(f"{column} value", set()).update(found)
    return {"variable": sorted(variables), "column": sorted(columns)} | {
        kind: sorted(found) for kind, found in sorted(values.items())
    }


def _is_tool(value: object) -> bool:
    """What code uses rather than what it is about; by its type alone."""
    kinds = types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type
    return issubclass(type(value), kinds) or type(value).__name__ in ("ufunc", "_ArrayFunctionDispatcher", "partial")


def _library(value: object) -> str:
    """The library a table is of; empty for everything else, subclasses of the user's among it."""
    kind = type(value)
    module = kind.__module__.partition(".")[0] if isinstance(kind.__module__, str) else ""
    return (
        module if module in _LIBRARIES and kind.__name__ in ("DataFrame", "Table") and module in sys.modules else ""
    )


def _look(table: Any, reads: int) -> _Words:
    """The words of a table: remembered ones if it is the same object with the same shape and columns."""
    mark = _mark(table)
    kept = _seen.get(id(table))
    if kept is not None and kept[0]() is table and kept[1] == mark:
        return kept[2]
    columns = tuple(itertools.islice(_columns(table), COLUMNS_LIMIT))
    texts = _text_columns(table) if mark[0] * max(1, mark[1]) <= CELLS_LIMIT else []
    if len(texts) > reads < READS_LIMIT:  # not all of them now: the next call reads them
        return _Words(columns)
    values: list[tuple[str, tuple[str, ...]]] = []
    for position, known in texts[:READS_LIMIT]:
        step = max(1, mark[0] // ROWS_LIMIT)
        column = known if known is not None else table.iloc[::step, position].tolist()
        found = tuple(text for text in _distinct(column) if _is_word(text))
        if found:
            values.append((str(table.columns[position]), found))
    identity = id(table)
    forget = functools.partial(_forget, identity)
    held = table.columns  # kept, so that no other object gets the identity that the mark goes by
    _seen[identity] = (weakref.ref(table, forget), mark, _Words(columns, tuple(values)), held)
    return _Words(columns, tuple(values), len(texts))


def _forget(identity: int, _: object) -> None:
    _seen.pop(identity, None)


def _mark(table: Any) -> tuple[Any, ...]:
    """What is different in a table of which one may think that it has other words. Cheap, whatever its size."""
    library = _library(table)
    if library == "pandas":
        return len(table.index), len(table.columns), id(table.columns)
    names = table.column_names if library == "pyarrow" else table.columns
    return table.num_rows if library == "pyarrow" else table.height, len(names), tuple(names[:COLUMNS_LIMIT])


def _columns(table: Any) -> Iterator[str]:
    names: Iterable[Any] = table.column_names if _library(table) == "pyarrow" else table.columns
    return (name for name in names if type(name) is str and name)


def _text_columns(table: Any) -> list[tuple[int, list[Any] | None]]:
    """Positions of the columns that hold text, with their values where the type itself lists them. pandas alone."""
    found: list[tuple[int, list[Any] | None]] = []
    if _library(table) != "pandas" or len(table.columns) > COLUMNS_LIMIT:
        return found
    for position, dtype in enumerate(table.dtypes.tolist()):
        categories = getattr(dtype, "categories", None)
        if categories is not None:
            found.append((position, categories.tolist() if len(categories) <= DISTINCT_LIMIT else []))
        elif getattr(dtype, "kind", "") == "O":
            found.append((position, None))
    return found


def _distinct(column: list[Any]) -> list[str]:
    """The different texts of a column; none where there are too many, or where it holds other things than texts."""
    for kind in set(map(type, column)) - {str, float, type(None)}:
        if kind.__name__ not in ("NAType", "NaTType"):
            return []  # its own class may do anything when it is compared or shown
    texts = [value for value in set(column) if type(value) is str]
    return texts if len(texts) <= DISTINCT_LIMIT else []


def _is_word(text: str) -> bool:
    return len(text) <= LONGEST and len(_LETTERS.findall(text)) >= SHORTEST
