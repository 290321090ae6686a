"""The sorted arrays as one file that kernels map: written once, replaced whole, and believed only if it is intact.

A header of JSON, then the arrays one after another. Whatever is wrong with a file (torn, of another version, of
another life of the database) it is as if there were none: everything in it can be read from the database again.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from llmos_nb.memory.lookup.pairs import Ints, Pairs
from llmos_nb.memory.lookup.patterns import Patterns, Words
from llmos_nb.memory.lookup.tail import FIELDS, Columns

__all__ = ["Mapped", "load", "merged", "nothing", "save"]

_MAGIC: Final = b"llmos lookup 1\n"
_HEADER: Final = 4096
_ALIGNED: Final = 64


@dataclass(frozen=True, slots=True)
class Mapped:
    """All rows up to number ``last`` and all changes up to ``change``, of one generation of the database.

    ``width`` is the bytes of sign bits in a pattern; 0 where no row has any.
    """

    generation: str
    last: int
    change: int
    width: int
    pairs: Mapping[str, Pairs]
    patterns: Patterns

    @property
    def count(self) -> int:
        """Rows in it."""
        return max(len(pairs.numbers) for pairs in self.pairs.values())


def nothing(generation: str, width: int = 0) -> Mapped:
    """What there is before the first row."""
    none: Ints = np.zeros(0, np.int64)
    planes: Words = np.zeros((width // 8, 0), np.uint64)
    return Mapped(generation, 0, 0, width, dict.fromkeys(FIELDS, Pairs(none, none)), Patterns.of(none, planes, none))


def merged(old: Mapped, new: Columns, gone: Ints, last: int, change: int, width: int) -> Mapped:
    """``old`` with more rows and without those that are gone."""
    base = old.patterns if old.width == width else nothing("", width).patterns
    alive = ~np.isin(new.numbers, gone)
    numbers = new.numbers[alive]
    with_bits = ~np.isin(new.patterned, gone)
    pairs = {field: old.pairs[field].merged(new.hashes[field][alive], numbers, gone) for field in FIELDS}
    patterns = base.merged(new.slots[with_bits], new.planes[:, with_bits], new.patterned[with_bits], gone)
    return Mapped(old.generation, last, change, width, pairs, patterns)


def _arrays(mapped: Mapped) -> dict[str, np.ndarray[Any, Any]]:
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for field, pairs in mapped.pairs.items():
        arrays |= {f"{field}.hashes": pairs.hashes, f"{field}.numbers": pairs.numbers}
    return arrays | {
        f"patterns.{name}": getattr(mapped.patterns, name)
        for name in ("slots", "begins", "planes", "starts", "numbers")
    }


def save(mapped: Mapped, path: Path) -> bool:
    """Write ``mapped`` beside ``path`` and put it in its place. It is not synced: a torn file is no loss.

    False where that cannot be: the folder is read-only or full, or (on Windows) a kernel has the old file mapped.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}.tmp"
    try:
        with open(temporary, "xb") as file:
            places: dict[str, tuple[str, tuple[int, ...], int]] = {}
            crc, at = 0, _HEADER
            file.seek(at)
            for name, array in _arrays(mapped).items():
                data = np.ascontiguousarray(array, "<u8" if array.dtype == np.uint64 else "<i8")
                places[name] = (data.dtype.str, data.shape, at)
                view = data.reshape(-1).view(np.uint8).data if data.size else memoryview(b"")
                filler = bytes(-len(view) % _ALIGNED)
                crc = zlib.crc32(filler, zlib.crc32(view, crc))
                file.write(view)
                file.write(filler)
                at += len(view) + len(filler)
            header: dict[str, Any] = {"generation": mapped.generation, "last": mapped.last, "change": mapped.change}
            header |= {"width": mapped.width, "arrays": places, "size": at, "crc": crc}
            text = json.dumps(header).encode()
            file.seek(0)
            file.write(_MAGIC + b"%08x" % zlib.crc32(text) + text.ljust(_HEADER - len(_MAGIC) - 8))
        os.replace(temporary, path)
        return True
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def load(path: Path, generation: str) -> Mapped | None:
    """Map the file; None where there is none that is intact and of this generation."""
    try:
        with open(path, "rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        head = bytes(data[:_HEADER])
        text = head[len(_MAGIC) + 8 :].rstrip()
        if not head.startswith(_MAGIC) or head[len(_MAGIC) :][:8] != b"%08x" % zlib.crc32(text):
            return None
        header = json.loads(text)
        if header["generation"] != generation or header["size"] != len(data):
            return None
        if zlib.crc32(data[_HEADER:]) != header["crc"]:
            return None
        arrays: dict[str, Any] = {
            name: np.frombuffer(data, dtype, count=int(np.prod(shape)), offset=at).reshape(shape)
            for name, (dtype, shape, at) in header["arrays"].items()
        }
        pairs = {field: Pairs(arrays[f"{field}.hashes"], arrays[f"{field}.numbers"]) for field in FIELDS}
        names = ("slots", "begins", "planes", "starts", "numbers")
        patterns = Patterns(*(arrays[f"patterns.{name}"] for name in names))
        return Mapped(generation, header["last"], header["change"], header["width"], pairs, patterns)
    except (OSError, ValueError, KeyError, TypeError):
        return None
