"""Whether a value is still as it was, without a copy of it: a checksum of its contents, or, where there can be none, the
very object."""

from __future__ import annotations

import io
import pickle
import types
import weakref
import zlib
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Mark", "checksum"]

#: Bytes of contents that are gone through one after the other, and of arrays, which are some ten times faster.
INSIDE_LIMIT: Final = 64 * 1024 * 1024
ARRAYS_LIMIT: Final = 8 * 1024 * 1024 * 1024

#: What cannot be told apart by contents, and need not be: it is the same where it is the same object.
_BY_NAME: Final = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
#: Libraries whose objects change by being shown.
_BY_LOOKING: Final = frozenset({"matplotlib"})


def checksum(value: Any, limit: int = INSIDE_LIMIT, arrays: int = ARRAYS_LIMIT) -> bytes | None:
    """A checksum of all that ``value`` holds; None where it cannot be gone through, or holds more than ``limit`` bytes,
    or ``arrays`` bytes in arrays.

    Arrays and tables are not copied for it. Functions, classes and modules count as what they are called.
    """
    total = _Total(limit, arrays)
    try:
        _Pickler(total).dump(value)
    except Exception:  # noqa: BLE001 - whatever a value raises that cannot be gone through
        return None
    return f"{type(value).__qualname__} {total.inside} {total.in_arrays} {total.sum:08x} {total.arrays:08x}".encode()


class _Total(io.RawIOBase):
    """Sums up what is written."""

    def __init__(self, limit: int, arrays: int) -> None:
        self.inside = self.in_arrays = self.sum = self.arrays = 0
        self._limit, self._arrays_limit = limit, arrays

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.inside += size
        if self.inside > self._limit:
            raise OverflowError("too much to go through")
        self.sum = zlib.crc32(data, self.sum)
        return size

    def add(self, buffer: pickle.PickleBuffer) -> None:
        raw = buffer.raw()
        self.in_arrays += raw.nbytes
        if self.in_arrays > self._arrays_limit:
            raise OverflowError("too much to go through")
        self.arrays = zlib.crc32(raw, self.arrays)


class _Pickler(pickle.Pickler):
    def __init__(self, total: _Total) -> None:
        super().__init__(total, protocol=5, buffer_callback=total.add)

    def reducer_override(self, value: Any) -> Any:
        if value is _named or not _by_name(value):
            return NotImplemented
        return _named, (getattr(value, "__module__", ""), getattr(value, "__qualname__", ""), id(value))


def _by_name(value: Any) -> bool:
    return isinstance(value, _BY_NAME) or type(value).__module__.partition(".")[0] in _BY_LOOKING


def _named(*name: object) -> None:
    """Stands for what counts as what it is called."""


class Mark:
    """What a value was at one moment. Holds neither the value nor a copy of it, where that can be helped."""

    __slots__ = ("_limits", "_same", "_sum")

    def __init__(self, value: Any, limit: int = INSIDE_LIMIT, arrays: int = ARRAYS_LIMIT) -> None:
        self._limits = limit, arrays
        self._sum = None if _by_name(value) else checksum(value, limit, arrays)
        self._same: Callable[[], Any] = lambda: None
        if self._sum is None:
            try:
                self._same = weakref.ref(value)
            except TypeError:
                self._same = lambda: value

    def fits(self, value: Any) -> bool:
        """Whether ``value`` holds what the marked one held; the same object, where that cannot be told."""
        if self._sum is None:
            return value is not None and value is self._same()
        return checksum(value, *self._limits) == self._sum

    @property
    def by_contents(self) -> bool:
        """Whether a change inside the value can be seen."""
        return self._sum is not None
