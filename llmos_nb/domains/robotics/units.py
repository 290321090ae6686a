"""Lengths and angles as people write them: ``30cm``, ``-5 mm``, ``0.3`` (metres), ``45deg``, ``90°``, ``1.2 rad``."""

from __future__ import annotations

import math
import re
from typing import Final

from llmos_nb.domains.robotics.errors import UnitError
from llmos_nb.domains.robotics.finite import finite

__all__ = ["angle", "length", "share"]

#: No length or angle that anybody means is longer than this (m, rad).
_LONGEST: Final = 1000.0

_LENGTHS: Final = {
    "m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0,
    "cm": 0.01, "centimetre": 0.01, "centimetres": 0.01, "centimeter": 0.01, "centimeters": 0.01,
    "km": 1000.0, "kilometre": 1000.0, "kilometres": 1000.0, "kilometer": 1000.0, "kilometers": 1000.0,
    "dm": 0.1, "decimetre": 0.1, "decimetres": 0.1, "decimeter": 0.1, "decimeters": 0.1,
    "mm": 0.001, "millimetre": 0.001, "millimetres": 0.001, "millimeter": 0.001, "millimeters": 0.001,
    "in": 0.0254, "inch": 0.0254, "inches": 0.0254, "ft": 0.3048, "foot": 0.3048, "feet": 0.3048,
    "yd": 0.9144, "yard": 0.9144, "yards": 0.9144, "mi": 1609.344, "mile": 1609.344, "miles": 1609.344,
}  # fmt: skip
_ANGLES: Final = {
    "rad": 1.0, "radian": 1.0, "radians": 1.0,
    "deg": math.pi / 180, "degree": math.pi / 180, "degrees": math.pi / 180, "°": math.pi / 180,
}  # fmt: skip
_WRITTEN: Final = re.compile(r"\s*([+\-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+\-]?\d{1,3})?)\s*([a-zA-Z°]*)\s*", re.ASCII)


def length(given: object) -> float:
    """Metres. A bare number is in metres.

    Raises:
        UnitError: it is no finite number, has no known unit, or several lengths are meant.
    """
    return _read(given, _LENGTHS, "m", "a length such as 0.3, '30cm' or '5 mm'")


def angle(given: object) -> float:
    """Radians. A bare number is in radians.

    Raises:
        UnitError: it is no finite number, has no known unit, or several angles are meant.
    """
    return _read(given, _ANGLES, "rad", "an angle such as 0.5, '45deg' or '1.2 rad'")


def share(given: object) -> float:
    """A speed, as a share of full speed from 0.01 to 1.

    Raises:
        UnitError: it is none.
    """
    number = finite(given)
    if number is None or not 0.01 <= number <= 1.0:
        raise UnitError(
            f"The speed is a share of the arm's full speed, a number from 0.01 to 1, not {given!r:.60}.",
            remedy="Say speed=0.5 for half, or leave it out.",
        )
    return number


def _read(given: object, units: dict[str, float], bare: str, wanted: str) -> float:
    number, unit = finite(given), bare
    if isinstance(given, str) and len(given) <= 60 and (written := _WRITTEN.fullmatch(given)):
        number, unit = finite(float(written[1].replace("−", "-"))), written[2] or bare
    if number is None or unit.lower() not in units:
        known = ", ".join(name for name in units if len(name) < 4)
        raise UnitError(f"{given!r:.80} is not {wanted}.", remedy=f"Units are {known}.")
    found = number * units[unit.lower()]
    if abs(found) > _LONGEST:
        raise UnitError(f"{given!r:.80} is more than {_LONGEST:g} {bare}.", remedy="Give what the arm can reach.")
    return found
