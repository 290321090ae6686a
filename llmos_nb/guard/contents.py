"""What mutable values hold, copied so that it can be put back into the very same objects.

Lists, dicts, sets, deques, byte arrays, numpy arrays, pandas tables and instances of the user's own classes, with
all of these that they hold. Other objects are taken as they are: a change inside a library's object is not seen.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any, Final

__all__ = ["KEEP_LIMIT", "Contents"]

#: Bytes of one file, array or table that are kept for putting back. Larger ones are named as not restorable.
KEEP_LIMIT: Final = 256 * 1024 * 1024
#: Objects that one name's value is followed through; a larger value is named as not wholly restorable.
OBJECT_LIMIT: Final = 200_000

_ATOMS: Final = (int, float, complex, str, bytes, range, type(None))


class Contents:
    """Remembers what values hold, each object once."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Any, Callable[[], None]]] = {}

    def keep(self, value: Any, namespace: Mapping[str, Any]) -> tuple[str, set[str]]:
        """Remember ``value`` and what it holds; returns what is in the way, and the names that its functions use.

        ``namespace`` itself is never entered, should a value hold it.
        """
        problem = ""
        used: set[str] = set()
        waiting, seen = [value], {id(namespace)}
        while waiting:
            item = waiting.pop()
            if isinstance(item, _ATOMS) or id(item) in seen:
                continue
            seen.add(id(item))
            if len(seen) > OBJECT_LIMIT:
                return f"holds more than {OBJECT_LIMIT} objects", used
            if isinstance(item, FunctionType):
                if item.__globals__ is namespace or item.__module__ == "__main__":
                    used |= set(_names_in(item.__code__))
                waiting += [cell.cell_contents for cell in item.__closure__ or () if _filled(cell)]
                continue
            try:
                waiting += self._keep_one(item)
            except Exception as error:  # noqa: BLE001 - a value that cannot be copied is told, whatever it raises
                problem = str(error) if isinstance(error, _TooLarge) else f"{type(error).__name__}: {error}"
        return problem, used

    def put_back(self) -> list[str]:
        """Make every object hold again what it held; returns what could not be put back."""
        failed = []
        for item, restore in self._kept.values():
            try:
                restore()
            except Exception as error:  # noqa: BLE001 - the others must still be put back
                failed.append(f"a {type(item).__name__}: {type(error).__name__}: {error}")
        return failed

    def _keep_one(self, item: Any) -> list[Any]:
        """Remember one object; returns what it holds."""
        restore: Callable[[], None] | None = None
        held: list[Any] = []
        if isinstance(item, list | deque):
            restore, held = _restored_sequence(item)
        elif isinstance(item, dict):
            restore, held = _restored_mapping(item)
        elif isinstance(item, set):
            restore = _restored_set(item)
        elif isinstance(item, bytearray):
            restore = _restored_bytes(item)
        elif isinstance(item, tuple | frozenset):
            held = list(item)
        elif isinstance(item, MethodType):
            held = [item.__self__, item.__func__]
        elif isinstance(item, _class("numpy", "ndarray")):
            restore = _restored_array(item)
        elif isinstance(item, _class("pandas", "DataFrame") + _class("pandas", "Series")):
            restore = _restored_table(item)
        elif isinstance(item, type):
            held = list(vars(item).values()) if item.__module__ == "__main__" else []
        elif type(item).__module__ == "__main__" and hasattr(item, "__dict__"):
            restore, held = _restored_mapping(vars(item))
            held.append(type(item))
        if restore is not None and id(item) not in self._kept:
            self._kept[id(item)] = item, restore  # holding the object keeps its id its own
        return held


class _TooLarge(Exception):
    def __init__(self) -> None:
        super().__init__(f"larger than {KEEP_LIMIT // 2**20} MB")


def _class(module: str, name: str) -> tuple[type, ...]:
    """A class of a library that the user has loaded; nothing where it is not loaded."""
    found = getattr(sys.modules.get(module), name, None)
    return (found,) if isinstance(found, type) else ()


def _restored_sequence(item: Any) -> tuple[Callable[[], None], list[Any]]:
    kept = list(item)

    def restore() -> None:
        if len(item) != len(kept) or any(now is not old for now, old in zip(item, kept, strict=True)):
            item.clear()
            item.extend(kept)

    return restore, kept


def _restored_mapping(item: dict[Any, Any]) -> tuple[Callable[[], None], list[Any]]:
    kept = dict(item)

    def restore() -> None:
        same = list(item) == list(kept) and all(
            now is old for now, old in zip(item.values(), kept.values(), strict=True)
        )
        if not same:
            item.clear()
            item.update(kept)

    return restore, list(kept.values())


def _restored_set(item: set[Any]) -> Callable[[], None]:
    kept = set(item)

    def restore() -> None:
        if item != kept:
            item.clear()
            item.update(kept)

    return restore


def _restored_bytes(item: bytearray) -> Callable[[], None]:
    kept = bytes(item)

    def restore() -> None:
        item[:] = kept

    return restore


def _restored_array(item: Any) -> Callable[[], None]:
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

    return restore


def _restored_table(item: Any) -> Callable[[], None]:
    """For a DataFrame or Series; since pandas 3 a copy shares its data until one of both is written to."""
    pandas = sys.modules["pandas"]
    shared = int(pandas.__version__.partition(".")[0]) >= 3
    if (
        not shared
        and int(item.memory_usage(index=False) if item.ndim == 1 else item.memory_usage().sum()) > KEEP_LIMIT
    ):
        raise _TooLarge
    kept, attrs = item.copy(deep=not shared), dict(item.attrs)

    def restore() -> None:
        item._update_inplace(kept.copy(deep=not shared))  # what pandas itself does for inplace=True
        item.attrs = attrs
        if kept.ndim == 1:
            item.name = kept.name

    return restore


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
