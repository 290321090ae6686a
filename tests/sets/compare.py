"""Whether two runs left the same behind: names, files and what was shown. Says in words what differs."""

from __future__ import annotations

import io
import math
import sqlite3
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["different_files", "different_value", "files_of", "public"]

#: Relative and absolute difference up to which two floats are one value: the order of additions may differ.
TOLERANCE: Final = 1e-12


def public(names: Mapping[str, Any]) -> dict[str, Any]:
    """The user's names, without modules."""
    return {
        name: value
        for name, value in names.items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }


def different_value(a: Any, b: Any) -> str:
    """How ``b`` differs from ``a``, or an empty string."""
    if isinstance(a, float | int) and isinstance(b, float | int) and isinstance(a, bool) == isinstance(b, bool):
        close = a == b or (a != a and b != b) or math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        return "" if close else f"{b!r} instead of {a!r}"  # 1 and 1.0 are one number
    if type(a) is not type(b):
        return f"a {type(b).__name__} instead of a {type(a).__name__}"
    for kinds, compare in _by_type().items():
        if isinstance(a, kinds):
            return compare(a, b)
    return "" if a == b else f"{str(b)[:80]!r} instead of {str(a)[:80]!r}"


def _by_type() -> dict[Any, Callable[[Any, Any], str]]:
    import numpy as np
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    return {
        pd.DataFrame: lambda a, b: _asserted(pd.testing.assert_frame_equal, a, b),
        pd.Series: lambda a, b: _asserted(pd.testing.assert_series_equal, a, b),
        pd.Index: lambda a, b: _asserted(pd.testing.assert_index_equal, a, b),
        np.ndarray: _arrays,
        (list, tuple): _sequences,
        dict: _mappings,
        types.FunctionType: _functions,
        Figure: lambda a, b: _sequences([drawn(axes) for axes in a.axes], [drawn(axes) for axes in b.axes]),
        Axes: lambda a, b: different_value(drawn(a), drawn(b)),
        # What has no value of its own: handles, and parts of a figure that is compared as a whole.
        (Artist, io.IOBase, sqlite3.Connection, sqlite3.Cursor, np.random.Generator): lambda a, b: "",
    }


def _asserted(check: Callable[[Any, Any], None], a: Any, b: Any) -> str:
    try:
        check(a, b)
    except AssertionError as error:
        return " ".join(str(error).split())[:160]
    return ""


def _arrays(a: Any, b: Any) -> str:
    import numpy as np

    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return f"{b.dtype}{b.shape} instead of {a.dtype}{a.shape}"
    if a.dtype.kind in "fc":
        same = np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    elif a.dtype.kind == "O":
        return _sequences(list(a.flat), list(b.flat))
    else:
        same = bool((a == b).all())
    return "" if same else f"{str(b)[:80]} instead of {str(a)[:80]}"


def _sequences(a: Any, b: Any) -> str:
    if len(a) != len(b):
        return f"{len(b)} items instead of {len(a)}"
    return next(
        (f"item {i}: {d}" for i, (x, y) in enumerate(zip(a, b, strict=True)) if (d := different_value(x, y))), ""
    )


def _mappings(a: Any, b: Any) -> str:
    if list(a) != list(b):
        return f"the keys {list(b)} instead of {list(a)}"
    return next((f"{key!r}: {d}" for key in a if (d := different_value(a[key], b[key]))), "")


def _functions(a: Any, b: Any) -> str:
    same = a.__code__.co_code == b.__code__.co_code and a.__code__.co_consts == b.__code__.co_consts
    return "" if same else "another function"


def drawn(axes: Any) -> dict[str, Any]:
    """What a reader sees in one plot, as plain values."""
    legend = axes.get_legend()
    return {
        "title": axes.get_title(),
        "labels": [axes.get_xlabel(), axes.get_ylabel()],
        "limits": [*map(float, axes.get_xlim()), *map(float, axes.get_ylim())],
        "lines": [(line.get_xydata(), str(line.get_color()), line.get_label()) for line in axes.lines],
        "bars": [tuple(map(float, patch.get_bbox().bounds)) for patch in axes.patches],
        "points": [collection.get_offsets().data for collection in axes.collections],
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
        "ticks": [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())],
        "size": [*map(float, axes.figure.get_size_inches())],
    }


def files_of(folder: Path) -> dict[str, Any]:
    """Every file below ``folder`` with its content: pictures only by name, databases as SQL."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or "workspace" in path.relative_to(folder).parts:
            continue
        name = str(path.relative_to(folder))
        if path.suffix == ".png":
            found[name] = "a picture"
        elif path.suffix == ".db":
            connection = sqlite3.connect(path)
            found[name] = "\n".join(connection.iterdump())
            connection.close()
        else:
            found[name] = path.read_bytes()
    return found


def different_files(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """How the files ``b`` differ from ``a``, or an empty string."""
    for name in sorted({*a, *b}):
        if name not in b:
            return f"the file {name} is missing"
        if name not in a:
            return f"there is a file {name}"
        if a[name] != b[name]:
            return f"the file {name} has another content"
    return ""
