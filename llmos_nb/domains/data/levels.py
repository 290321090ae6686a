"""Values that have an order which nobody can read from them: low, medium, high."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llmos_nb.domains.data.profiling import named
from llmos_nb.domains.data.view import count, shown_value
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["in_order"]


def in_order(column: pd.Series[Any], levels: Sequence[Any], /) -> pd.Series[Any]:
    """The column with its values in the order of ``levels``, the lowest first: sorting, groups and charts follow it.

    Raises:
        TableError: a level is named twice or occurs nowhere, or the column has a value that is none of them.
    """
    import pandas as pd

    there = column.dropna().unique().tolist()
    called = named(column.name) if column.name is not None else "the column"
    if len(set(levels)) < len(levels):
        raise TableError(f"{called}: a level is named twice.", remedy="Name each value once.")
    if strange := [value for value in there if value not in levels]:
        told = ", ".join(map(shown_value, strange[:3]))
        raise TableError(
            f"{called} has {count(len(strange), 'value', 'values')} without a place in this order: {told}.",
            remedy="Name every value of the column.",
        )
    if absent := [level for level in levels if level not in there]:
        raise TableError(f"{called} has no {shown_value(absent[0])}.", remedy="Name values that occur.")
    made: pd.Series[Any] = column.astype(pd.CategoricalDtype(list(levels), ordered=True))
    return made
