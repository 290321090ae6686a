"""What mutable values hold, copied so that it can be put back into the very same objects.

Lists, dicts, sets, deques, byte arrays, numpy arrays, pandas tables and instances of the user's own classes, with
all of these that they hold. Other objects are taken as they are: a change inside a library's object is not seen.
"""

from __future__ import annotations

import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any, Final

from llmos_nb.guard.alike import same_array, same_table, table_bytes

__all__ = ["KEEP_LIMIT", "Contents", "Kept", "Reached", "order"]

#: Bytes of one file, array or table that are kept for putting back. Larger ones are named as not restorable.
KEEP_LIMIT: Final = 256 * 1024 * 1024
#: Objects that one name's value is followed through; a larger value is named as not wholly restorable.
OBJECT_LIMIT: Final = 200_000

_ATOMS: Final = (int, float, complex, str, bytes, range, type(None))

#: Counts what is kept, whoever keeps it: of two that know an object, the one that saw it first knows how it was.
order: Final = itertools.count().__next__


@dataclass(frozen=True, slots=True)
class Kept:
    """One object as it was: ``restore`` makes it so again, ``same`` tells whether it is, ``size`` is in bytes."""

    item: Any
    restore: Callable[[], None]
    same: Callable[[], bool]
    size: int
    order: int

    @property
    def unchanged(self) -> bool:
        """Whether the object holds what it held; not where that cannot be told."""
        try:
            return self.same()
        except Exception:  # noqa: BLE001 - comparing calls what the values themselves say of equality
            return False


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found in a value: what is in the way of keeping it, the names that its functions use, the ids of the
    objects in it that are kept."""

    problem: str
    used: frozenset[str]
    kept: tuple[int, ...]


class Contents:
    """Remembers what values hold, each object once."""

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}

    @property
    def kept(self) -> Mapping[int, Kept]:
        """Every object that is remembered, by its id."""
        return self._kept

    def keep(self, value: Any, namespace: Mapping[str, Any]) -> Reached:
        """Remember ``value`` and what it holds.

        ``namespace`` itself is never entered, should a value hold it.
        """
        problem = ""
        used: set[str] = set()
        kept: list[int] = []
        waiting, seen = [value], {id(namespace)}
        while waiting:
            item = waiting.pop()
            if isinstance(item, _ATOMS) or id(item) in seen:
                continue
            seen.add(id(item))
            if len(seen) > OBJECT_LIMIT:
                return Reached(f"holds more than {OBJECT_LIMIT} objects", frozenset(used), tuple(kept))
            if isinstance(item, FunctionType):
                if item.__globals__ is namespace or item.__module__ == "__main__":
                    used |= set(_names_in(item.__code__))
                waiting += [cell.cell_contents for cell in item.__closure__ or () if _filled(cell)]
                continue
            try:
                waiting += self._keep_one(item)
            except Exception as error:  # noqa: BLE001 - a value that cannot be copied is told, whatever it raises
                problem = str(error) if isinstance(error, _TooLarge) else f"{type(error).__name__}: {error}"
            if id(item) in self._kept:
                kept.append(id(item))
        return Reached(problem, frozenset(used), tuple(kept))

    def put_back(self) -> list[str]:
        """Make every object hold again what it held; returns what could not be put back."""
        failed = []
        for kept in self._kept.values():
            try:
                kept.restore()
            except Exception as error:  # noqa: BLE001 - the others must still be put back
                failed.append(f"a {type(kept.item).__name__}: {type(error).__name__}: {error}")
        return failed

    def _keep_one(self, item: Any) -> list[Any]:
        """Remember one object; returns what it holds."""
        found: _Found | None = None
        held: list[Any] = []
        if isinstance(item, list | deque):
            found, held = _restored_sequence(item)
        elif isinstance(item, dict):
            found, held = _restored_mapping(item)
        elif isinstance(item, set):
            found = _restored_set(item)
        elif isinstance(item, bytearray):
            found = _restored_bytes(item)
        elif isinstance(item, tuple | frozenset):
            held = list(item)
        elif isinstance(item, MethodType):
            held = [item.__self__, item.__func__]
        elif isinstance(item, _class("numpy", "ndarray")):
            found = _restored_array(item)
        elif isinstance(item, _class("pandas", "DataFrame") + _class("pandas", "Series")):
            found = _restored_table(item)
        elif isinstance(item, type):
            held = list(vars(item).values()) if item.__module__ == "__main__" else []
        elif type(item).__module__ == "__main__" and hasattr(item, "__dict__"):
            found, held = _restored_mapping(vars(item))
            held.append(type(item))
        if found is not None and id(item) not in self._kept:
            self._kept[id(item)] = Kept(item, *found, order())  # holding the object keeps its id its own
        return held


#: What makes an object as it was, what tells whether it is, and the bytes that this takes.
_Found = tuple[Callable[[], None], Callable[[], bool], int]


class _TooLarge(Exception):
    def __init__(self) -> None:
        super().__init__(f"larger than {KEEP_LIMIT // 2**20} MB")


def _class(module: str, name: str) -> tuple[type, ...]:
    """A class of a library that the user has loaded; nothing where it is not loaded."""
    found = getattr(sys.modules.get(module), name, None)
    return (found,) if isinstance(found, type) else ()


def _restored_sequence(item: Any) -> tuple[_Found, list[Any]]:
    kept = list(item)

    def same() -> bool:
        return len(item) == len(kept) and all(now is old for now, old in zip(item, kept, strict=True))

    def restore() -> None:
        if not same():
            item.clear()
            item.extend(kept)

    return (restore, same, 8 * len(kept)), kept


def _restored_mapping(item: dict[Any, Any]) -> tuple[_Found, list[Any]]:
    kept = dict(item)

    def same() -> bool:
        return list(item) == list(kept) and all(
            now is old for now, old in zip(item.values(), kept.values(), strict=True)
        )

    def restore() -> None:
        if not same():
            item.clear()
            item.update(kept)

    return (restore, same, 16 * len(kept)), list(kept.values())


def _restored_set(item: set[Any]) -> _Found:
    kept = set(item)

    def same() -> bool:
        return item == kept

    def restore() -> None:
        if not same():
            item.clear()
            item.update(kept)

    return restore, same, 8 * len(kept)


def _restored_bytes(item: bytearray) -> _Found:
    kept = bytes(item)

    def restore() -> None:
        item[:] = kept

    return restore, lambda: item == kept, len(kept)


def _restored_array(item: Any) -> _Found:
    if item.nbytes > KEEP_LIMIT:
        raise _TooLarge
    kept, writeable = item.copy(), item.flags.writeable

    def restore() -> None:
        if item.shape != kept.shape:
            item.resize(kept.shape, refcheck=False)
        if item.flags.writeable or writeable:
            item.flags.writeable = True
            item[...] = kept
            item.flags.writeable = writeable

    return restore, lambda: same_array(item, kept), int(kept.nbytes)


def _restored_table(item: Any) -> _Found:
    """For a DataFrame or Series; since pandas 3 a copy shares its data until one of both is written to."""
    pandas = sys.modules["pandas"]
    shared = int(pandas.__version__.partition(".")[0]) >= 3
    size = table_bytes(item)
    if not shared and size > KEEP_LIMIT:
        raise _TooLarge
    kept, attrs = item.copy(deep=not shared), dict(item.attrs)

    def restore() -> None:
        item._update_inplace(kept.copy(deep=not shared))  # what pandas itself does for inplace=True
        item.attrs = attrs
        if kept.ndim == 1:
            item.name = kept.name

    return restore, lambda: same_table(item, kept) and item.attrs == attrs, size


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)
