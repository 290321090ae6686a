"""Values whose inside is not kept, because they are objects of a library: a change in there cannot be taken back, but can
mostly be seen."""

from __future__ import annotations

import types
from collections import deque
from typing import Any, Final

from llmos_nb.guard.marks import Mark

__all__ = ["is_opaque", "opaque_mark"]

#: Bytes that are gone through to see whether such an object was changed, and of its arrays.
LOOK_LIMIT: Final = 1024 * 1024
ARRAYS_LIMIT: Final = 64 * 1024 * 1024

_SEEN: Final = (
    int, float, complex, str, bytes, range, type(None), list, deque, dict, set, bytearray, tuple, frozenset, type, slice,
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, type(Ellipsis),
)  # fmt: skip
#: Libraries whose objects cannot change, or that are shown rather than worked on, or that are this one.
_LEFT_OUT: Final = frozenset(
    [
        "abc",
        "builtins",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "llmos_nb",
        "matplotlib",
        "numbers",
        "pathlib",
        "re",
        "typing",
        "uuid",
        "zoneinfo",
        "IPython",
        "ipykernel",
    ]
)
#: Types of libraries that are kept or cannot change.
_KNOWN: Final = frozenset(
    {("numpy", "ndarray"), ("numpy", "dtype"), ("pandas", "DataFrame"), ("pandas", "Series"), ("pandas", "Timestamp")}
)


def is_opaque(value: Any) -> bool:
    """Whether a change inside ``value`` would neither be kept nor be impossible."""
    kind = type(value)
    top = kind.__module__.partition(".")[0]
    if isinstance(value, _SEEN) or top in _LEFT_OUT or top == "__main__":
        return False
    if (top, kind.__name__) in _KNOWN or (top == "pandas" and kind.__name__.endswith("Index")):
        return False
    return not (top == "numpy" and hasattr(value, "dtype"))  # its scalars


def opaque_mark(value: Any) -> Mark | None:
    """What tells whether the inside of an object of a library was changed; None where it is none, or cannot tell."""
    if not is_opaque(value):
        return None
    mark = Mark(value, LOOK_LIMIT, ARRAYS_LIMIT)
    return mark if mark.by_contents else None
