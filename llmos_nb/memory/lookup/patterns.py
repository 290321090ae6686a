"""Sign bits, each pattern once, grouped by slot signature; and the search for those most like another.

Many traces have one pattern: the same template with other values. So patterns are compared, not traces, and the
answer holds a few traces of each instead of many of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llmos_nb.memory.lookup.pairs import Ints

__all__ = ["SCAN_LIMIT", "Patterns", "Words", "distances", "words_of"]

Words = NDArray[np.uint64]

#: Patterns that one search compares at most, the newest of a bucket: 15 ms on one core of 2020.
SCAN_LIMIT: Final = 1 << 20
#: Patterns compared in one go: small enough that what is computed stays in the processor's cache.
_PIECE: Final = 1 << 14
#: Patterns so few that it is the calls that take time.
_FEW: Final = 1 << 11
#: And so few that it is quicker without numpy.
_SMALL: Final = 256

_BITWISE_COUNT: Final = getattr(np, "bitwise_count", None)  # numpy 2
_COUNTS: Final = np.array([n.bit_count() for n in range(1 << 16)], np.uint8)


def words_of(bits: Sequence[bytes], width: int) -> Words:
    """Sign bits as ``width // 8`` rows of 64-bit words, one column a pattern."""
    words = np.frombuffer(b"".join(bits), "<u8").reshape(len(bits), width // 8)
    return np.ascontiguousarray(words.T, np.uint64)


def distances(planes: Words, bits: bytes) -> NDArray[np.uint16]:
    """In how many bits each pattern differs from ``bits``."""
    query = np.frombuffer(bits, "<u8").astype(np.uint64)
    count = planes.shape[1]
    if count <= _FEW and _BITWISE_COUNT is not None:
        few: NDArray[np.uint16] = _BITWISE_COUNT(planes ^ query[:, None]).sum(axis=0, dtype=np.uint16)
        return few
    found = np.empty(count, np.uint16)
    for start in range(0, count, _PIECE):
        end = min(start + _PIECE, count)
        total = np.zeros(end - start, np.uint16)
        for plane, word in zip(planes, query, strict=True):
            differs = plane[start:end] ^ word
            if _BITWISE_COUNT is not None:
                total += _BITWISE_COUNT(differs)
            else:
                total += _COUNTS[differs.view(np.uint16).reshape(-1, 4)].sum(axis=1, dtype=np.uint16)
        found[start:end] = total
    return found


@dataclass(frozen=True, slots=True)
class Patterns:
    """Buckets of patterns. Bucket ``i`` (signature ``slots[i]``) has the patterns ``begins[i]:begins[i + 1]``, pattern
    ``p`` is column ``p`` of ``planes`` and has the numbers ``starts[p]:starts[p + 1]``, lowest first. In a bucket the
    pattern with the newest number is last.
    """

    slots: Ints
    begins: Ints
    planes: Words
    starts: Ints
    numbers: Ints
    #: Small buckets that were asked for, by where they begin and end: the patterns, each as a number; and of each its
    #: newest number (negative) and its newest numbers.
    _small: dict[tuple[int, int], tuple[list[int], list[tuple[int, list[int]]]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, slots: Ints, planes: Words, numbers: Ints) -> Patterns:
        """Grouped from one column of ``planes``, one slot signature and one number a row."""
        count = len(numbers)
        if not count:
            none = np.zeros(0, np.int64)
            return cls(none, np.zeros(1, np.int64), planes, np.zeros(1, np.int64), none)
        order = np.lexsort((numbers, *planes[::-1], slots))
        slots, planes, numbers = slots[order], planes[:, order], numbers[order]
        new = np.ones(count, np.bool_)
        new[1:] = (slots[1:] != slots[:-1]) | (planes[:, 1:] != planes[:, :-1]).any(axis=0)
        firsts = np.flatnonzero(new)
        sizes = np.diff(np.append(firsts, count))
        newest = numbers[firsts + sizes - 1]
        groups = np.lexsort((newest, slots[firsts]))
        firsts, sizes = firsts[groups], sizes[groups]
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        places = np.repeat(firsts - starts[:-1], sizes) + np.arange(count)
        buckets, begins = np.unique(slots[firsts], return_index=True)
        return cls(buckets, np.append(begins, len(firsts)), planes[:, firsts], starts, numbers[places])

    def merged(self, slots: Ints, planes: Words, numbers: Ints, gone: Ints) -> Patterns:
        """With these rows added, and without the numbers that are ``gone``."""
        sizes = np.diff(self.starts)
        kept = ~np.isin(self.numbers, gone)
        mine = np.repeat(np.repeat(self.slots, np.diff(self.begins)), sizes)[kept]
        own = np.repeat(np.arange(len(sizes)), sizes)[kept]
        together = np.concatenate([self.planes[:, own], planes], axis=1)
        return Patterns.of(np.concatenate([mine, slots]), together, np.concatenate([self.numbers[kept], numbers]))

    def _bucket(self, slots: int | None) -> tuple[int, int]:
        """Where the patterns that one search compares begin and end."""
        start, end = 0, self.planes.shape[1]
        if slots is not None:
            at = int(self.slots.searchsorted(np.int64(slots)))
            if at == len(self.slots) or self.slots[at] != slots:
                return 0, 0
            start, end = int(self.begins[at]), int(self.begins[at + 1])
        return max(start, end - SCAN_LIMIT), end

    def newest(
        self, bits: bytes, slots: int | None, k: int, each: int
    ) -> tuple[list[int], list[int], list[list[int]]]:
        """The patterns that differ in the fewest bits from ``bits``, in order of these and then the newest first, as many
        as have ``k`` numbers: the bits in which each differs, its newest number, and its ``each`` newest."""
        start, end = self._bucket(slots)
        if start == end:
            return [], [], []
        if end - start <= _SMALL:
            return self._of_small(start, end, int.from_bytes(bits, "little"), k, each)
        found = distances(self.planes[:, start:end], bits)
        # Of those that are as far as the last one all, so that it is the newest of them that are taken.
        best = (
            np.arange(len(found)) if len(found) <= k else np.flatnonzero(found <= np.partition(found, k - 1)[k - 1])
        )
        near, places = found[best], start + best
        ends = self.starts[places + 1]
        last = self.numbers[ends - 1]
        order = np.lexsort((-last, near))
        counts = np.minimum(ends - self.starts[places], each)[order]
        order = order[: int(counts.cumsum().searchsorted(k)) + 1]
        several = self.numbers[np.maximum((ends[order, None] - np.arange(1, each + 1)), 0)].tolist()
        numbers = [
            row if count == each else row[:count] for row, count in zip(several, counts.tolist(), strict=False)
        ]
        return near[order].tolist(), last[order].tolist(), numbers

    def _of_small(
        self, start: int, end: int, query: int, k: int, each: int
    ) -> tuple[list[int], list[int], list[list[int]]]:
        small = self._small.get((start, end))
        if small is None:
            width = 8 * len(self.planes)
            raw = np.ascontiguousarray(self.planes[:, start:end].T, "<u8").tobytes()
            patterns = [int.from_bytes(raw[at * width : (at + 1) * width], "little") for at in range(end - start)]
            newest = []
            for at in range(start, end):
                last = int(self.starts[at + 1])
                several = self.numbers[max(last - each, int(self.starts[at])) : last][::-1].tolist()
                newest.append((-several[0], several))
            small = self._small[start, end] = patterns, newest
        patterns, newest = small
        far = [(pattern ^ query).bit_count() for pattern in patterns]
        # The farthest that can be among as many as are wanted: what is farther need not be put in order.
        limit = sorted(far)[k - 1] if len(far) > k else max(far)
        ranked = sorted([(bits, *newest[at]) for at, bits in enumerate(far) if bits <= limit])
        found = 0
        for at, (_, _, numbers) in enumerate(ranked):
            found += len(numbers)
            if found >= k:
                del ranked[at + 1 :]
                break
        return [d for d, _, _ in ranked], [-last for _, last, _ in ranked], [numbers for _, _, numbers in ranked]

    def near(self, bits: bytes, slots: int | None, k: int) -> Iterator[tuple[int, Ints]]:
        """The patterns by the bits in which they differ from ``bits``, the nearest first, each with its numbers.

        The first ``k`` are cheap; who goes on asking has all of them put in order.
        """
        start, end = self._bucket(slots)
        if start == end:
            return
        found = distances(self.planes[:, start:end], bits)
        best = np.arange(len(found)) if len(found) <= k else np.argpartition(found, k - 1)[:k]
        yield from self._at(start, best[found[best].argsort(kind="stable")], found)
        if len(best) < len(found):
            others = found.argsort(kind="stable")
            others = others[~np.isin(others, best)]
            for begin in range(0, len(others), _PIECE):
                yield from self._at(start, others[begin : begin + _PIECE], found)

    def _at(self, start: int, places: Ints, found: NDArray[np.uint16]) -> Iterator[tuple[int, Ints]]:
        """The distances and the numbers of the patterns at these places, counted from ``start``."""
        begins, ends = self.starts[start + places].tolist(), self.starts[start + places + 1].tolist()
        for distance, begin, end in zip(found[places].tolist(), begins, ends, strict=True):
            yield distance, self.numbers[begin:end]
