"""Whether an array or a table holds what another one holds; where both still share their memory, without a look at it."""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["same_array", "same_table", "table_bytes"]

#: Where the arrays of pandas' own types keep their values.
_INSIDE: Final = ("_ndarray", "_pa_array", "_data", "_mask")


def same_array(one: Any, two: Any) -> bool:
    """Whether two numpy arrays have one shape, one type and equal values; NaN equals NaN."""
    numpy = sys.modules["numpy"]
    if one.shape != two.shape or one.dtype != two.dtype:
        return False
    if _one_place(one, two):
        return True
    if one.dtype.kind == "O":
        return all(now is old for now, old in zip(one.flat, two.flat, strict=True))
    return bool(numpy.array_equal(one, two, equal_nan=one.dtype.kind in "fcmM"))


def same_table(one: Any, two: Any) -> bool:
    """Whether two DataFrames or two Series have the same labels, types and values."""
    if type(one) is not type(two) or one.shape != two.shape or not all(map(_same_labels, one.axes, two.axes)):
        return False
    if one.ndim == 1 and (one.name != two.name or one.dtype != two.dtype):
        return False
    return _one_memory(one, two) or bool(one.equals(two))


def table_bytes(table: Any) -> int:
    """About how many bytes the values of a DataFrame or Series take."""
    try:
        return sum(int(block.values.nbytes) for block in table._mgr.blocks)
    except AttributeError:  # another pandas
        found = table.memory_usage(index=False)
        return int(found if table.ndim == 1 else found.sum())


def _same_labels(one: Any, two: Any) -> bool:
    return bool(one.is_(two) or one.identical(two))


def _one_memory(one: Any, two: Any) -> bool:
    """Whether two tables share all of their values: what pandas writes to it copies first, so they are the same."""
    numpy = sys.modules["numpy"]
    try:
        pairs = list(zip(one._mgr.blocks, two._mgr.blocks, strict=True))
        return all(
            numpy.array_equal(a.mgr_locs.as_array, b.mgr_locs.as_array) and _one_place(a.values, b.values)
            for a, b in pairs
        )
    except (AttributeError, TypeError, ValueError):  # another pandas: then every value is looked at
        return False


def _one_place(one: Any, two: Any) -> bool:
    """Whether two arrays of one kind are the same memory, read in the same way."""
    if one is two:
        return True
    if type(one) is not type(two) or one.dtype != two.dtype:
        return False
    if isinstance(one, sys.modules["numpy"].ndarray):
        a, b = one.__array_interface__, two.__array_interface__
        return bool(a["data"][0] == b["data"][0] and one.shape == two.shape and one.strides == two.strides)
    inside = [name for name in _INSIDE if hasattr(one, name)]
    return bool(inside) and all(_one_place(getattr(one, name), getattr(two, name)) for name in inside)
