"""What counts as a number for a machine that moves: finite, real, and not a truth value or a text."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["finite", "finites"]


def finite(value: object) -> float | None:
    """The number as a float; None for NaN, infinities, integers past a float's range, bools, texts and all else."""
    kind = type(value)
    if kind is float or kind is int:
        plain = value
    elif kind.__module__ == "numpy" and kind.__name__.startswith(("float", "int", "uint")):
        plain = value.item()  # type: ignore[attr-defined]
    else:
        return None
    try:
        number = float(plain)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def finites(values: object, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite numbers from a list, a tuple or a row of an array; None if it is anything else."""
    if type(values).__module__ == "numpy" and hasattr(values, "tolist"):
        values = values.tolist()
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)) or len(values) != count:
        return None
    numbers = [finite(value) for value in values]
    return None if None in numbers else tuple(number for number in numbers if number is not None)
