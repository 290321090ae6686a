"""How the arm's process and the kernel talk: one JSON object a line, no pickle, nothing that could carry code."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import Any, Final, NoReturn

from llmos_nb.domains.robotics.gate import Ruling
from llmos_nb.domains.robotics.state import Held, State

__all__ = ["LONGEST", "REQUEST", "decode", "encode", "ruling_of", "state_as", "state_of"]

#: Bytes that one message may have.
LONGEST: Final = 16_000_000
#: Bytes that a request may have. Reading one takes so long at most, and a stop that comes after it no longer.
REQUEST: Final = 262_144
_PARTS: Final = REQUEST // 8


def encode(message: dict[str, Any], longest: int = LONGEST) -> bytes:
    """A message as a line of at most ``longest`` bytes.

    Raises:
        ValueError: it is not plain data, a number in it is not finite, or it is too long.
    """
    if longest < LONGEST and _parts(message, _PARTS) < 0:
        raise ValueError(_TOO_LONG)  # before it is written out, which keeps every other thread waiting
    try:
        line = json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (TypeError, RecursionError) as error:
        raise ValueError(f"this is not plain data: {error}") from error
    except ValueError as error:
        raise ValueError("a number in it is not finite") from error
    if len(line) > longest:
        raise ValueError(_TOO_LONG)
    return line


def _parts(value: Any, left: int) -> int:
    """How many more parts than ``value`` has may follow; below 0 where it has too many."""
    if isinstance(value, str):
        return left - 1 - len(value) // 8
    left -= 1
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for one in inner:
        if left < 0:
            break
        left = _parts(one, left)
    return left


def decode(line: bytes, longest: int = LONGEST) -> dict[str, Any]:
    """The message in a line.

    Raises:
        ValueError: it is none.
    """
    if len(line) > longest:
        raise ValueError(_TOO_LONG)
    try:
        message = json.loads(line, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("the message is nested too deeply") from error
    if not isinstance(message, dict):
        raise ValueError("a message is an object")
    return message


_TOO_LONG: Final = "it is too long"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a finite number")


def state_as(state: State) -> dict[str, Any]:
    """A state as plain data; what is not finite, as None."""
    data = asdict(replace(state, things=()))
    del data["things"]  # they are seen when they are asked for
    for key in ("q", "qd"):
        data[key] = [number if math.isfinite(number) else None for number in data[key]]
    return data


def state_of(data: dict[str, Any]) -> State:
    """The state that :func:`state_as` wrote."""
    held = data.get("held")
    q, qd = (tuple(math.nan if number is None else float(number) for number in data[key]) for key in ("q", "qd"))
    return State(q, qd, float(data["opening"]), Held.of(held) if held else None)


def ruling_of(data: dict[str, Any]) -> Ruling:
    """The ruling whose fields these are."""
    point, q = data.get("point"), data.get("q")
    return Ruling(**{**data, "point": tuple(point) if point else None, "q": tuple(q) if q else None})
