"""A value in a few words: its type and its shape, never what it holds."""

from __future__ import annotations

import types
from typing import Any

__all__ = ["look"]


def look(value: Any) -> str:
    """``DataFrame, 344 rows x 7 columns``, ``list, 5 items``, ``int``: the same for values that look alike."""
    kind = type(value).__name__
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, type):
        return "class"
    if isinstance(value, list | tuple | set | frozenset | dict | bytes | bytearray):
        count = len(value)
        return f"{kind}, {count} item{'' if count == 1 else 's'}"
    try:
        shape = getattr(value, "shape", None)
    except Exception:  # noqa: BLE001 - a property of the user's own class may raise anything
        return kind
    if not isinstance(shape, tuple) or not all(isinstance(size, int) for size in shape) or not shape:
        return kind
    if kind == "DataFrame" and len(shape) == 2:
        return f"DataFrame, {_counted(shape[0], 'row')} x {_counted(shape[1], 'column')}"
    if kind == "Series" and len(shape) == 1:
        return f"Series, {_counted(shape[0], 'row')}"
    return f"{kind}, {' x '.join(str(size) for size in shape)}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
