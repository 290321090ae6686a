"""Hash to row numbers, as two sorted arrays: in memory, or on disk and mapped."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ints", "Pairs"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """``hashes`` in order, and beside each the ``numbers`` it belongs to; of one hash the highest number first."""

    hashes: Ints
    numbers: Ints

    @classmethod
    def of(cls, hashes: Ints, numbers: Ints) -> Pairs:
        """The pairs in order; those with hash 0 are left out."""
        there = hashes != 0
        hashes, numbers = hashes[there], numbers[there]
        order = np.lexsort((-numbers, hashes))
        return cls(hashes[order], numbers[order])

    def merged(self, hashes: Ints, numbers: Ints, gone: Ints) -> Pairs:
        """With these pairs added, and without the numbers that are ``gone``."""
        kept = ~np.isin(self.numbers, gone)
        return Pairs.of(np.concatenate([self.hashes[kept], hashes]), np.concatenate([self.numbers[kept], numbers]))

    def find(self, hash: int, limit: int, gone: Container[int] = ()) -> list[int]:
        """The numbers of ``hash``, newest first, at most ``limit``."""
        wanted = np.int64(hash)
        start = int(self.hashes.searchsorted(wanted))
        if start == len(self.hashes) or self.hashes[start] != wanted:
            return []
        end = int(self.hashes.searchsorted(wanted, "right"))
        if not gone:
            return list(map(int, self.numbers[start : min(end, start + limit)].tolist()))
        pieces = (self.numbers[at : min(at + limit, end)].tolist() for at in range(start, end, limit))
        return list(islice((number for piece in pieces for number in piece if number not in gone), limit))
