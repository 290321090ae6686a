"""Keep-out zones: boxes, spheres, capsules and cylinders, thin as a sheet of 1 mm or as large as a room.

Zones travel between processes as plain mappings: :func:`zone` makes one from such a mapping, :func:`as_mapping` is its
inverse, and what is not a proper zone is refused with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, get_args

from llmos_nb.domains.robotics.arm import Vector
from llmos_nb.domains.robotics.errors import ZoneError
from llmos_nb.domains.robotics.finite import finite

__all__ = ["MAX_ZONES", "Box", "CapsuleZone", "Cylinder", "Sphere", "Zone", "as_mapping", "zone", "zones_of"]

#: More zones than this are refused, so that a check has a bound on its time.
MAX_ZONES: Final = 64
#: Sizes and distances in metres that make sense for an arm on a desk.
SMALLEST: Final = 1e-4
LARGEST: Final = 10.0


@dataclass(frozen=True, slots=True)
class Box:
    """A box with its middle at ``center`` and edges ``size``; turned by ``yaw`` (rad) about its vertical axis."""

    name: str
    center: Vector
    size: Vector
    yaw: float = 0.0
    touch: bool = False


@dataclass(frozen=True, slots=True)
class Sphere:
    """A ball."""

    name: str
    center: Vector
    radius: float
    touch: bool = False


@dataclass(frozen=True, slots=True)
class CapsuleZone:
    """All points within ``radius`` of the segment from ``start`` to ``end``: a rod with round ends."""

    name: str
    start: Vector
    end: Vector
    radius: float
    touch: bool = False


@dataclass(frozen=True, slots=True)
class Cylinder:
    """An upright cylinder with flat ends, its middle at ``center``."""

    name: str
    center: Vector
    radius: float
    height: float
    touch: bool = False


#: ``touch`` says that what the hand holds may touch it: so a table is, on which things are put down.
Zone = Box | Sphere | CapsuleZone | Cylinder
_KINDS: Final[dict[str, Any]] = {"box": Box, "sphere": Sphere, "capsule": CapsuleZone, "cylinder": Cylinder}
_NAMES: Final = {made: kind for kind, made in _KINDS.items()}


def as_mapping(zone: Zone) -> dict[str, Any]:
    """A zone as plain data: ``kind`` and its fields."""
    return {"kind": _NAMES[type(zone)], **asdict(zone)}


def zone(given: Zone | Mapping[str, Any]) -> Zone:
    """A proper zone from plain data, or from a zone whose fields are looked at again.

    Raises:
        ZoneError: it is none; the message says which field is wrong.
    """
    if isinstance(given, get_args(Zone)):
        given = as_mapping(given)
    if not isinstance(given, Mapping):
        raise ZoneError(f"A zone is a mapping with kind, name and sizes, got {given!r:.80}.")
    fields = dict(given)
    kind = fields.pop("kind", None)
    made = _KINDS.get(kind) if isinstance(kind, str) else None
    if made is None:
        raise ZoneError(f"A zone's kind is one of {', '.join(_KINDS)}, got {kind!r:.80}.")
    names = made.__dataclass_fields__
    if unknown := fields.keys() - names.keys():
        raise ZoneError(f"A {kind} has no {sorted(map(str, unknown))[0]!r:.80}; it has {', '.join(names)}.")
    if missing := {"name", *list(names)[1:-1]} - fields.keys() - {"yaw"}:
        raise ZoneError(f"A {kind} needs {', '.join(sorted(missing))}.")
    name = fields["name"]
    if not isinstance(name, str) or not name.strip() or len(name) > 80:
        raise ZoneError(f"A zone's name is a text of 1 to 80 characters, got {name!r:.100}.")
    where = f"Zone {name!r}: "
    for key, value in fields.items():
        if key in ("center", "start", "end"):
            fields[key] = _vector(value, f"{where}{key}", -LARGEST, LARGEST)
        elif key == "size":
            fields[key] = _vector(value, f"{where}{key}", SMALLEST, LARGEST)
        elif key in ("radius", "height"):
            fields[key] = _number(value, f"{where}{key}", SMALLEST, LARGEST)
        elif key == "yaw":
            fields[key] = _number(value, f"{where}{key}", -2 * math.pi, 2 * math.pi)
        elif key == "touch" and not isinstance(value, bool):
            raise ZoneError(f"{where}touch is true or false, got {value!r:.80}.")
    made_zone: Zone = made(**fields)
    return made_zone


def zones_of(given: object) -> tuple[Zone, ...]:
    """A list of zones, looked at one by one.

    Raises:
        ZoneError: it is no list, has too many, two of the same name, or one is no proper zone.
    """
    if not isinstance(given, (list, tuple)):
        raise ZoneError(f"Zones are given as a list, got {given!r:.80}.")
    if len(given) > MAX_ZONES:
        raise ZoneError(
            f"{len(given)} zones are too many; at most {MAX_ZONES} can be kept.",
            remedy="Put one larger zone around several small ones.",
        )
    zones = tuple(zone(one) for one in given)
    names = [one.name for one in zones]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ZoneError(f"Two zones have the name {twice[0]!r}.")
    return zones


def _number(value: object, what: str, low: float, high: float) -> float:
    number = finite(value)
    if number is None or not low <= number <= high:
        raise ZoneError(f"{what} is a number from {low:g} to {high:g} (metres, radians), got {value!r:.80}.")
    return number


def _vector(value: object, what: str, low: float, high: float) -> Vector:
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise ZoneError(f"{what} has three numbers, got {value!r:.80}.")
    x, y, z = (_number(one, what, low, high) for one in value)
    return x, y, z
