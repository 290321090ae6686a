"""The rows written since the mapped arrays were made: few, and kept in dictionaries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from typing import Any, Final

import numpy as np

from llmos_nb.memory.lookup.pairs import Ints
from llmos_nb.memory.lookup.patterns import Words, distances, words_of

__all__ = ["FIELDS", "Columns", "Row", "Tail", "columns_of"]

#: What can be looked up by an equal hash, in the order of a row.
FIELDS: Final = ("key", "template", "words", "shape")

#: ``(number, key, template, words, shape, slots, bits)``
Row = tuple[int, int, int, int, int, int, bytes]


class Columns:
    """Rows as arrays. ``planes``, ``slots`` and ``patterned`` (their numbers) are of the rows with bits alone."""

    def __init__(self, rows: Sequence[Row], width: int) -> None:
        table: Ints = np.array([row[:6] for row in rows], np.int64).reshape(-1, 6)
        self.numbers: Ints = table[:, 0]
        self.hashes: dict[str, Ints] = {field: table[:, 1 + at] for at, field in enumerate(FIELDS)}
        with_bits = np.array([width > 0 and len(row[6]) == width for row in rows], np.bool_)
        self.slots: Ints = table[with_bits, 5]
        self.patterned: Ints = table[with_bits, 0]
        chosen = [row[6] for row, has in zip(rows, with_bits, strict=True) if has]
        self.planes: Words = words_of(chosen, width)


def columns_of(parts: Sequence[Columns], width: int) -> Columns:
    """Several as one, with patterns of ``width`` bytes; a part made before the width was known has none."""
    whole = Columns((), width)
    whole.numbers = np.concatenate([part.numbers for part in parts])
    whole.hashes = {field: np.concatenate([part.hashes[field] for part in parts]) for field in FIELDS}
    whole.slots = np.concatenate([part.slots for part in parts])
    whole.patterned = np.concatenate([part.patterned for part in parts])
    planes = [part.planes for part in parts if part.planes.shape[0] == width // 8]
    whole.planes = np.concatenate([whole.planes, *planes], axis=1)
    return whole


class Tail:
    """Rows in the order of their numbers, and where to find them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._fields: tuple[dict[int, list[int]], ...] = tuple(defaultdict(list) for _ in FIELDS)
        self._buckets: dict[int, dict[bytes, list[int]]] = defaultdict(dict)
        #: For each bucket asked for and each width: its patterns of that width as words, and the patterns themselves.
        self._planes: dict[int | None, dict[int, tuple[Words, list[tuple[bytes, list[int]]]]]] = {}
        #: Every pattern with its numbers, in the order they came.
        self._patterns: list[tuple[bytes, list[int]]] = []

    def add(self, row: Row) -> None:
        """One more row; its number is the highest yet."""
        self.rows.append(row)
        for found, value in zip(self._fields, row[1:5], strict=True):
            if value:
                found[value].append(row[0])
        if row[6]:
            bucket = self._buckets[row[5]]
            if row[6] not in bucket:
                bucket[row[6]] = []
                self._patterns.append((row[6], bucket[row[6]]))
                self._planes.pop(row[5], None)
                self._planes.pop(None, None)
            bucket[row[6]].append(row[0])

    def find(self, field: int, hash: int, limit: int, gone: Container[int]) -> list[int]:
        """The numbers of ``hash`` in the ``field``-th of :data:`FIELDS`, newest first."""
        found = self._fields[field].get(hash, ())
        return [number for number in reversed(found) if number not in gone][:limit]

    def near(self, bits: bytes, slots: int | None, k: int) -> Iterator[tuple[int, list[int]]]:
        """The ``k`` patterns of the bucket that differ in the fewest bits, and these with as few; each with its numbers.

        All buckets for None. The nearest come first.
        """
        kept = self._planes.setdefault(slots, {}) if slots is None or slots in self._buckets else {}
        if len(bits) not in kept:
            patterns = self._patterns if slots is None else self._buckets.get(slots, {}).items()
            same = [pattern for pattern in patterns if len(pattern[0]) == len(bits)]
            if not same:
                return
            kept[len(bits)] = words_of([pattern for pattern, _ in same], len(bits)), same
        planes, same = kept[len(bits)]
        found = distances(planes, bits)
        places = found.argsort()
        if len(same) > k:
            places = places[: found[places].searchsorted(found[places[k - 1]], "right")]
        for distance, place in zip(found[places].tolist(), places.tolist(), strict=True):
            yield distance, same[place][1]


def row_of(values: Sequence[Any]) -> Row:
    """One row as the database gives it."""
    number, key, template, words, shape, slots, bits = values
    return number, key, template, words, shape, slots, bytes(bits)
