"""What many recorded goals tell about one: which words come and go, and which program a wording speaks for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from llmos_nb.memory.reading.reading import Reading
from llmos_nb.memory.reading.synonyms import OPERATIONS

__all__ = ["Lessons", "Voice", "features", "lessons"]

#: Programs in whose wordings a word must come or go by itself before it counts as idle, and their share of those that
#: say the word at all.
_IDLE_PROGRAMS: Final = 3
_IDLE_SHARE: Final = 0.1
#: Programs in whose wordings two words must replace each other before they count as saying the same.
_SWAP_PROGRAMS: Final = 2
#: Wordings of one program that are paired.
_PAIRED: Final = 12
#: Weight of the background against one wording, in counts (additive smoothing).
_SMOOTHING: Final = 0.7
_CEILING: Final = 0.97


@dataclass(frozen=True, slots=True)
class Lessons:
    """What wordings of one and the same program teach about words, beyond that program.

    ``idle`` words come and go without changing what is to be done; no operation is one. ``swaps`` are pairs that replace
    each other. ``said`` has how many of ``wordings`` have a feature, ``spread`` in how many of ``programs`` a word occurs.
    """

    idle: frozenset[str] = frozenset()
    swaps: frozenset[frozenset[str]] = frozenset()
    said: Mapping[Hashable, int] = field(default_factory=dict)
    wordings: int = 0
    spread: Mapping[str, int] = field(default_factory=dict)
    programs: int = 0
    #: The words that each word replaces.
    twins: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, set[str]] = {}
        for one, other in map(sorted, self.swaps):
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
        object.__setattr__(self, "twins", {word: frozenset(others) for word, others in found.items()})

    def rate(self, feature: Hashable) -> float:
        """The share of all wordings that have ``feature``, never 0."""
        return (self.said.get(feature, 0) + 0.3) / (self.wordings + 1)

    def weight(self, word: str) -> float:
        """How much a word says: the fewer programs have it, the more (inverse document frequency, at least 0.1)."""
        return max(0.1, math.log((self.programs + 1) / (self.spread.get(word, 0) + 0.5)))


def lessons(programs: Iterable[Collection[Reading]]) -> Lessons:
    """Learn from pairs of wordings of one program that differ in a single word, or in one word for another."""
    dropped: Counter[str] = Counter()
    swapped: Counter[frozenset[str]] = Counter()
    paired: Counter[str] = Counter()
    said: Counter[Hashable] = Counter()
    spread: Counter[str] = Counter()
    count = total = 0
    for readings in programs:
        count += 1
        total += len(readings)
        spread.update(frozenset().union(*(reading.words | reading.marks for reading in readings)))
        for reading in readings:
            said.update(features(reading))
        wordings = sorted({reading.words for reading in readings}, key=sorted)[:_PAIRED]
        if len(wordings) < 2:
            continue
        paired.update(frozenset().union(*wordings))
        alone: set[str] = set()
        pairs: set[frozenset[str]] = set()
        for one, other in combinations(wordings, 2):
            differ = one ^ other
            if len(differ) == 1:
                alone |= differ
            elif len(differ) == 2 and len(one) == len(other):
                pairs.add(differ)
        dropped.update(alone)
        swapped.update(pairs)
    idle = (w for w, n in dropped.items() if n >= _IDLE_PROGRAMS and n >= _IDLE_SHARE * paired[w])
    return Lessons(
        frozenset(idle) - OPERATIONS,
        frozenset(pair for pair, n in swapped.items() if n >= _SWAP_PROGRAMS),
        said,
        total,
        spread,
        count,
    )


def features(reading: Reading) -> frozenset[Hashable]:
    """What a wording says, down to its prepositions: too little to accept a goal by, enough to doubt one."""
    found: set[Hashable] = {*reading.words, *reading.marks, *reading.small, ("intent", reading.intent)}
    found |= {("role", role[0]) for role in reading.roles}
    if reading.target:
        found.add(("target", reading.target))
    return frozenset(found)


class Voice:
    """How the wordings of one program speak, to tell how well they explain another wording.

    Bernoulli naive Bayes over :func:`features`, smoothed with the rates of all wordings (Jelinek-Mercer).
    """

    __slots__ = ("_base", "_gains", "_unsaid")

    def __init__(self, readings: Sequence[Reading], lessons: Lessons) -> None:
        counts = Counter(feature for reading in readings for feature in features(reading))
        total = len(readings) + _SMOOTHING
        # What a feature costs that no wording has; then what the features cost that a wording leaves out.
        self._unsaid = math.log(_SMOOTHING / total)
        costs: list[float] = []
        self._gains: dict[Hashable, float] = {}
        for feature, count in counts.items():
            rate = lessons.rate(feature)
            here = (count + _SMOOTHING * rate) / total
            silent = math.log(1 - min(here, _CEILING)) - math.log(1 - min(rate, _CEILING))
            costs.append(silent)
            self._gains[feature] = math.log(here) - math.log(rate) - silent - self._unsaid
        self._base = math.fsum(costs)  # the same in whatever order a set gives the features

    def explains(self, said: Collection[Hashable]) -> float:
        """How much better these wordings explain one with these features than wordings at large, as a logarithm."""
        gains = self._gains
        return (
            self._base + len(said) * self._unsaid + math.fsum(gains[feature] for feature in said if feature in gains)
        )
