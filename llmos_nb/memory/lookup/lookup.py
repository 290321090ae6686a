"""Look-ups over the index of one traces folder: by an equal hash, or by the most similar sign bits.

What was merged last is mapped from a file that all kernels share; what came since is kept in memory; what is gone is
left out. All of it can be read from the database again, so a lost, torn or foreign file costs time and nothing else.
A number that is found may be gone a moment later: the index is asked for its row, and the row's file is read again
before anything is served.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import sqlalchemy as sa

from llmos_nb.memory.lookup.mapped import Mapped, load, merged, nothing, save
from llmos_nb.memory.lookup.reader import Reader, question
from llmos_nb.memory.lookup.tail import FIELDS, Columns, Row, Tail, columns_of, row_of
from llmos_nb.memory.tables import CHANGES, INDEX, TRACES

__all__ = ["FIELDS", "MAPPED_FROM", "Field", "Lookup"]

Field = Literal["key", "template", "words", "shape"]

#: Rows that a store keeps in memory before it makes a file of them.
MAPPED_FROM: Final = 2_000
#: The most rows kept in memory beside a file, however large that is; a merge of a million rows takes two seconds.
_MOST_IN_MEMORY: Final = 20_000
#: Rows read from the database at once.
_PAGE: Final = 20_000
#: Numbers given of one pattern: what differs in wording is worth more than another trace of the same.
_EACH: Final = 4

_T: Final = TRACES.c
_ROOT: Final[sa.BindParameter[Any]] = sa.bindparam("root")
_GENERATION: Final = question(sa.select(INDEX.c.value).where(INDEX.c.root == _ROOT, INDEX.c.name == "generation"))
_NEW: Final = question(
    sa.select(_T.number, *(_T[field] for field in FIELDS), _T.slots, _T.bits)
    .where(_T.root == _ROOT, _T.number > sa.bindparam("last"))
    .order_by(_T.number)
    .limit(sa.bindparam("page"))
)
_GONE: Final = question(
    sa.select(CHANGES.c.change, CHANGES.c.gone)
    .where(CHANGES.c.root == _ROOT, CHANGES.c.change > sa.bindparam("change"))
    .order_by(CHANGES.c.change)
)
_HIGHEST: Final = question(sa.select(sa.func.max(_T.number)).where(_T.root == _ROOT))


class Lookup:
    """The numbers of traces by the form of their goal. Not for several threads at once.

    ``folder`` holds the mapped file (the workspace's ``.llmos``); it is made from 2,000 rows on.
    """

    def __init__(self, folder: Path, engine: sa.Engine, root: str, *, reader: Reader | None = None) -> None:
        self.root = root
        self._reader = reader if reader is not None else Reader(engine)
        name = hashlib.sha256(root.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        self.path = folder / f"traces-{name}.lookup"
        self._version: tuple[int, int] | None = None
        self._start("")

    def _start(self, generation: str, file: Mapped | None = None) -> None:
        self._file = file or nothing(generation)
        self._tail = Tail()
        self._last, self._change = self._file.last, self._file.change
        self._gone: set[int] = set()

    def __len__(self) -> int:
        """Rows known at the last :meth:`sync`, also those that have been taken back since the last merge."""
        return self._file.count + len(self._tail.rows)

    @property
    def version(self) -> tuple[int, int] | None:
        """The version of the database at the last :meth:`sync`; None where nothing tells one from another."""
        return self._version

    @property
    def last(self) -> int:
        """The highest number known at the last :meth:`sync`."""
        return self._last

    def sync(self, version: tuple[int, int] | None = None) -> bool:
        """Take in what anybody wrote; True if there was something. A few microseconds where nobody wrote, nothing where
        ``version`` is the database's now.

        Raises:
            StoreError: the database cannot be read.
        """
        version = version or self._reader.version()
        if version is not None and version == self._version:
            return False
        before = self._last, self._change, self._file.generation
        found = self._reader.ask(_GENERATION, root=self.root)
        generation = found[0][0] if found else ""
        if generation != self._file.generation:
            self._adopt(generation)
        self._read()
        self._version = version
        return before != (self._last, self._change, self._file.generation)

    def _adopt(self, generation: str) -> None:
        """Begin with the file if there is one of this generation, else with nothing."""
        file = load(self.path, generation) if generation else None
        if file is not None and file.last > (self._reader.ask(_HIGHEST, root=self.root)[0][0] or 0):
            file = None  # an older copy of the database was put back, or the newest rows are gone: begin anew
        self._start(generation, file)

    def _read(self) -> None:
        """Read what came after the last row known: into memory if it is little, else into new arrays."""
        for change, number in self._reader.ask(_GONE, root=self.root, change=self._change):
            self._change = change
            self._gone.add(number)
        room = min(max(MAPPED_FROM, self._file.count // 8), _MOST_IN_MEMORY)
        width = self._file.width
        parts: list[Columns] = []
        while True:
            rows = [row_of(row) for row in self._reader.ask(_NEW, root=self.root, last=self._last, page=_PAGE)]
            if not parts and len(self._tail.rows) + len(rows) > room:
                newer = load(self.path, self._file.generation)
                if newer is not None and newer.last > self._file.last:  # another kernel was faster
                    self._start(newer.generation, newer)
                    self._read()
                    return
                parts.append(Columns(self._tail.rows, width or _width(self._tail.rows)))
            if rows:
                self._last = rows[-1][0]
            if parts:
                width = width or _width(self._tail.rows) or _width(rows)
                parts.append(Columns(rows, width))
            else:
                for row in rows:
                    self._tail.add(row)
            if len(rows) < _PAGE:
                break
        if parts:
            self._merge(parts, width)

    def _merge(self, parts: list[Columns], width: int) -> None:
        """Make one set of arrays of everything, and a file of it if no other kernel is at that."""
        gone = np.array(sorted(self._gone), np.int64)
        new = columns_of(parts, width)
        parts.clear()  # at a million rows that is 100 MB
        whole = merged(self._file, new, gone, self._last, self._change, width)
        with _alone(self.path.parent) as alone:
            mapped = load(self.path, whole.generation) if alone and save(whole, self.path) else None
        if mapped is not None and (mapped.last, mapped.change) != (whole.last, whole.change):
            mapped = None  # another kernel's, which may know less
        self._start(whole.generation, whole if mapped is None else mapped)

    def find(self, field: Field, value: int, limit: int = 64) -> list[int]:
        """Numbers of the rows whose ``field`` is ``value``, newest first; none for 0."""
        if not value:
            return []
        found = self._tail.find(FIELDS.index(field), value, limit, self._gone)
        if len(found) < limit:
            found += self._file.pairs[field].find(value, limit - len(found), self._gone)
        return found

    def near(self, bits: bytes, slots: int | None, k: int = 32) -> list[tuple[int, float]]:
        """At most ``k`` numbers with the slot signature ``slots`` (None: any), those of the likest texts first.

        The similarity is the cosine that the share of equal signs tells, ``cos(pi * d / n)`` where ``d`` of ``n`` bits
        differ (Charikar 2002), not below 0. Of texts that are equal but for their values up to 4 traces are named.
        At most a million patterns are compared.
        """
        total = len(bits) * 8
        nearest = (
            (number, max(0.0, math.cos(math.pi * distance / total)))
            for distance, _, numbers in self._nearest(bits, slots, k)
            for number in numbers
        )
        return list(islice(nearest, k))

    def nearest(self, bits: bytes, slots: int | None, k: int = 32) -> list[int]:
        """The numbers that :meth:`near` finds."""
        found: list[int] = []
        for _, _, numbers in self._nearest(bits, slots, k):
            found += numbers
            if len(found) >= k:
                return found[:k]
        return found

    def _nearest(self, bits: bytes, slots: int | None, k: int) -> list[tuple[int, int, list[int]]]:
        """Patterns, the likest first, with at least ``k`` numbers if there are so many."""
        if not bits or len(bits) % 8 or k < 1:
            return []
        ranked: list[tuple[int, int, list[int]]] = []
        if len(bits) == self._file.width and not self._gone:
            distances, newest, numbers = self._file.patterns.newest(bits, slots, k, _EACH)
            ranked = [
                (distance, -last, some) for distance, last, some in zip(distances, newest, numbers, strict=True)
            ]
        elif len(bits) == self._file.width:
            found, enough = 0, k + min(k, len(self._gone))
            for at, (distance, several) in enumerate(self._file.patterns.near(bits, slots, enough)):
                if (found >= k and distance > ranked[-1][0]) or (at >= enough and len(ranked) >= k):
                    break  # what comes now is farther than enough others that are left
                found += self._rank(ranked, distance, several[::-1].tolist())
        recent: list[tuple[int, int, list[int]]] = []
        found = 0
        for distance, waiting in self._tail.near(bits, slots, k + len(self._gone)):
            if found >= k and distance > recent[-1][0]:
                break
            found += self._rank(recent, distance, reversed(waiting))
        return sorted(ranked + recent) if recent or self._gone else ranked

    def _rank(self, ranked: list[tuple[int, int, list[int]]], distance: int, numbers: Iterable[int]) -> int:
        """Add one pattern's newest numbers, so that patterns sort by distance and then by age; how many they are."""
        if self._gone:
            numbers = (number for number in numbers if number not in self._gone)
        chosen = list(islice(numbers, _EACH))
        if chosen:
            ranked.append((distance, -chosen[0], chosen))
        return len(chosen)


def _width(rows: Sequence[Row]) -> int:
    """Bytes of sign bits in these rows; 0 where none has any."""
    return next((len(row[6]) for row in rows if row[6]), 0)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Hold the folder against other kernels' merges; False where one is at it. On Windows nothing is held.

    Two merges at once would do no harm, since each replaces the file whole: it is the work that is saved.
    """
    if sys.platform == "win32":
        yield True
        return
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held = False
    else:
        held = True
    try:
        yield held
    finally:
        os.close(descriptor)
