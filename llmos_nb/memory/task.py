"""Recorded goals of one program, seen together: its wordings, what they show, and how they speak.

What is worked out once is kept in a :class:`Memo`: recorded goals change rarely, and new goals come all the time.
"""

from __future__ import annotations

import dataclasses
import math
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from llmos_nb.memory.programs import Program
from llmos_nb.memory.reading import Beside, Evidence, Lessons, Reading, Voice
from llmos_nb.memory.slots import Lifted
from llmos_nb.memory.trace import Trace

__all__ = ["KEPT_LISTS", "Asked", "Known", "Memo", "Task"]

#: Wordings of two programs are taken for each other from this distance down.
_PASSES: Final = 0.75
#: Wordings less alike than this are not compared for that.
_FAR: Final = 0.75
_KEPT: Final = 2048
#: The same of what is said of many recorded goals at once: each answer keeps about a hundred of them.
KEPT_LISTS: Final = 256
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A goal that is looked for. ``vector`` is the embedding of its masked text, None where there is none."""

    goal: str
    lifted: Lifted
    reading: Reading
    vector: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Known:
    """A recorded goal: its trace, how it reads, which program it has (``program`` is equal for equal skeletons)."""

    trace: Trace
    lifted: Lifted
    reading: Reading
    program: str
    shape: str
    #: What its use says of it, see :func:`llmos_nb.memory.confidence.reliability`.
    reliability: float = 1.0
    #: The embedding of its masked text, None where there is none.
    vector: Any = field(default=None, compare=False)
    #: Words that stand for something in its program, as they are spelled there.
    spelled: frozenset[str] = frozenset()
    #: For each text in its program, in lower case, the names under which it is used.
    used: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False)
    #: The values that only its own program knows to be values, each as it is written and without capitals; the word that
    #: it begins with, without capitals (empty where that is a value); and its masked text.
    tells: tuple[tuple[tuple[str, str], ...], str, str] = ((), "", "")
    #: The program itself, where it was read before.
    parsed: Program | None = field(default=None, repr=False, compare=False)


class Task:
    """The recorded goals of one program, at least one."""

    __slots__ = (
        "__weakref__", "_weighed", "contests", "evidence", "known", "lessons", "masked", "program", "readings",
        "sequences", "signatures", "vectors", "voice", "wordings",
    )  # fmt: skip

    def __init__(self, known: Sequence[Known], lessons: Lessons) -> None:
        self.known = tuple(known)
        self.program = self.known[0].program
        self.lessons = lessons
        readings = [one.reading for one in self.known]
        self.evidence = Evidence.of(readings, lessons)
        self.voice = Voice(readings, lessons)
        #: Each different one once, without what programs tell about its values: wordings that only these tell apart are
        #: in contest, since of a new value nothing is told.
        self.readings = tuple(
            dataclasses.replace(reading, columns=())
            for reading in {(reading.masked, reading.kinds): reading for reading in readings}.values()
        )
        self.signatures = {reading.signature for reading in readings}
        self.masked = frozenset(reading.masked for reading in readings)
        self.sequences = frozenset(reading.sequence for reading in readings)
        wordings: dict[tuple[str, object, object], tuple[Reading, list[int]]] = {}
        for number, reading in enumerate(readings):
            key = reading.masked, reading.kinds, reading.columns
            wordings.setdefault(key, (reading, []))[1].append(number)
        #: Each different reading with the numbers of those that are equal to it.
        self.wordings = tuple(wordings.values())
        #: How it compares with other tasks, as long as these are there.
        self.contests: weakref.WeakKeyDictionary[Task, float] = weakref.WeakKeyDictionary()
        self.vectors: Any = None
        if all(one.vector is not None for one in self.known):
            import numpy as np

            self.vectors = np.stack([one.vector for one in self.known])
        self._weighed = tuple({
            words: math.fsum(lessons.weight(word) for word in words)
            for words in (reading.words | reading.marks for reading in readings)
        }.items())  # fmt: skip

    def nearness(self, vector: Any) -> list[float]:
        """The cosine of each wording with a goal, in the order of ``known``; 0 where there are no embeddings."""
        if vector is None or self.vectors is None:
            return [0.0] * len(self.known)
        found: list[float] = (self.vectors @ vector).tolist()
        return found

    def alike(self, words: frozenset[str], weights: Mapping[str, float], weight: float) -> float:
        """The highest Jaccard index of ``words`` (their ``weights`` and the sum of them are given) and those of a
        wording, weighted."""
        best = 0.0
        for theirs, total in self._weighed:
            shared = math.fsum([weights[word] for word in words & theirs])
            either = weight + total - shared
            best = max(best, shared / either if either > 0 else 1.0)
        return best


class Memo:
    """What was worked out about recorded goals, by which ones it was; the least used is forgotten."""

    def __init__(self) -> None:
        self._kept: dict[str, OrderedDict[Hashable, tuple[Any, Any]]] = {}

    def kept(
        self, what: str, of: Sequence[object], make: Callable[[], _T], also: Hashable = (), most: int = _KEPT
    ) -> _T:
        """``make()``, or what it gave before for these very objects and for what is equal to ``also``; at most so many
        answers are kept."""
        kept = self._kept.setdefault(what, OrderedDict())
        key: Hashable = (*map(id, of), also) if also else tuple(map(id, of))
        found = kept.get(key)
        if found is None:
            found = kept[key] = (make(), tuple(of))  # the objects are kept, so that no other ones get their ids
            while len(kept) > most:
                kept.popitem(last=False)
        else:
            kept.move_to_end(key)
        result: _T = found[0]
        return result

    def tasks(self, known: Sequence[Known], lessons: Lessons) -> list[Task]:
        """The recorded goals by program."""

        def by_program() -> list[Task]:
            programs: dict[str, list[Known]] = {}
            for one in known:
                ones = programs.get(one.program)
                if ones is None:
                    programs[one.program] = [one]
                else:
                    ones.append(one)
            kept, of, found = self._kept.setdefault("task", OrderedDict()), id(lessons), []
            for ones in programs.values():
                key: Hashable = (of, *map(id, ones))
                there = kept.get(key)
                if there is None:
                    there = kept[key] = (Task(ones, lessons), (lessons, *ones))
                    while len(kept) > _KEPT:
                        kept.popitem(last=False)
                else:
                    kept.move_to_end(key)
                found.append(there[0])
            return found

        return self.kept("tasks", (lessons, *known), by_program, most=KEPT_LISTS)

    def contested(self, one: Task, other: Task) -> float:
        """The share of the wordings of two programs that are taken for the other's."""
        if one.signatures.isdisjoint(other.signatures):
            return 0.0
        found = one.contests.get(other)
        if found is None:
            found = one.contests[other] = _contested(one, other)
        return found


def _contested(one: Task, other: Task) -> float:
    if one.vectors is not None and other.vectors is not None and float((one.vectors @ other.vectors.T).max()) < _FAR:
        return 0.0
    taken = sum(_passes(reading, one) for reading in other.readings)
    taken += sum(_passes(reading, other) for reading in one.readings)
    return taken / (len(one.readings) + len(other.readings))


def _passes(reading: Reading, task: Task) -> bool:
    """Whether a wording of another program would pass for one of this."""
    beside = Beside(reading, task.evidence)
    for known in task.readings:
        found = beside.compare(known)
        if found.tier in ("template", "words", "meaning") and found.distance <= _PASSES:
            return True
    return False
