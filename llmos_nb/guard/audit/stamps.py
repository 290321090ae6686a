"""Whether a dictionary was written to, told without a look at what is in it.

CPython up to 3.13 keeps a number in each dictionary that is another one, never used before, after every change (PEP 509;
gone in 3.14, PEP 699). Thousands of names are known to be bound as they were by reading some hundreds of such numbers,
in a tenth of the time that looking each name up takes. Where there is no such number each reading differs from all
others, and whoever compares looks at the names themselves.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import itertools
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

__all__ = ["Stamps", "dict_of"]

#: Where the number is: after what each object begins with, and the count of the keys.
_OFFSET: Final = object.__basicsize__ + ctypes.sizeof(ctypes.c_ssize_t)
_never_again: Final = itertools.count(-1, -1)


def dict_of(place: Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary itself, also where ``place`` only shows it, as ``vars`` does of a class."""
    if isinstance(place, dict):
        return place
    (found,) = gc.get_referents(place)
    assert isinstance(found, dict)
    return found


class Stamps:
    """The numbers of some dictionaries, which live as long as this does."""

    __slots__ = ("_numbers", "_of")

    def __init__(self, of: Sequence[dict[str, Any]]) -> None:
        self._of = tuple(of)
        self._numbers = [_number(one) for one in self._of] if _are_told() else None

    def now(self) -> list[int]:
        """One for each dictionary. One that is what it was says that nothing was bound, bound anew or taken out."""
        if self._numbers is None:
            return [next(_never_again) for _ in self._of]
        return [number.value for number in self._numbers]


def _number(of: dict[str, Any]) -> ctypes.c_uint64:
    return ctypes.c_uint64.from_address(id(of) + _OFFSET)


@functools.cache
def _are_told() -> bool:
    """Whether this Python keeps the numbers: where it should, each way to write to a dictionary is tried."""
    if sys.implementation.name != "cpython" or sys.version_info >= (3, 14):
        return False
    module, kind = types.ModuleType("tried"), type("Tried", (), {"there": None})
    names, inside = vars(module), dict_of(vars(kind))
    names["there"] = None

    def to_module(at: int) -> None:
        module.there = at  # type: ignore[attr-defined]

    ways: tuple[Callable[[int], object], ...] = (
        to_module,
        lambda at: setattr(kind, "there", at),
        lambda at: names.__setitem__("there", -at),
        lambda at: names.update(there=at),
        lambda at: names.__ior__({"there": -at}),
        lambda at: names.pop("there") if at % 2 else names.setdefault("there", at),
        lambda at: names.clear() if at % 2 else names.update(there=at),
    )
    return all(_tells(names, inside, way) for way in ways)


def _tells(names: dict[str, Any], inside: dict[str, Any], way: Callable[[int], object]) -> bool:
    """Whether one of the two numbers is another one each time something is written; often, since Python learns."""
    numbers = _number(names), _number(inside)
    for at in range(1, 41):
        before = [number.value for number in numbers]
        if before != [number.value for number in numbers] or len({*before}) < 2:
            return False
        way(at)
        if before == [number.value for number in numbers]:
            return False
    return True
