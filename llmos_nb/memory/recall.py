"""Recorded goals that may be the same task as a new one: found by the index, read with what is known now.

The exact key is not looked up here. What is found is handed to :mod:`llmos_nb.memory.matcher`, which decides.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmos_nb.memory.columns import columns_of, told_apart
from llmos_nb.memory.confidence import reliability
from llmos_nb.memory.forms import LITERAL, Layers, Shaped, forms_of, lift_trace, skeleton, vector_of
from llmos_nb.memory.index import TraceIndex
from llmos_nb.memory.lookup import Found
from llmos_nb.memory.match import Match
from llmos_nb.memory.matcher import Asked, Known, best_match
from llmos_nb.memory.programs import Example, Generalization, generalize
from llmos_nb.memory.reading import Lessons, Reading, lessons, read_goal
from llmos_nb.memory.repaired import gave_up
from llmos_nb.memory.seal import is_edited
from llmos_nb.memory.signature import hash63
from llmos_nb.memory.slots import Vocabulary, lift
from llmos_nb.memory.task import Memo
from llmos_nb.memory.trace import Trace
from llmos_nb.memory.wildcards import unknown_values

if TYPE_CHECKING:
    from llmos_nb.memory.lookup.lookup import Lookup

__all__ = ["Recall", "asked_for"]

#: Recorded goals that are kept read, each about 5 KB.
_KEPT: Final = 4096
#: Rows that are looked at: of equal wordings, of similar ones with values of the same classes, of similar ones with any
#: values, and other wordings of a program that was found.
_EQUAL: Final = 16
_NEAR: Final = 96
_ANYWHERE: Final = 24
#: The same where a recorded goal has this very wording: then it is only to be seen whether another one comes close.
_NEAR_ALSO: Final = 24
_ANYWHERE_ALSO: Final = 8
_WORDINGS: Final = 12
#: Runs that are generalized together when a crystal is made.
_RUNS: Final = 24
#: Recent traces whose wordings teach which words are idle.
_TAUGHT_BY: Final = 1000


def asked_for(goal: str, vocabulary: Vocabulary | None) -> Asked:
    """``goal`` taken apart and read."""
    lifted = lift(goal, vocabulary)
    reading = read_goal(lifted)
    return Asked(goal, lifted, reading, vector_of(reading))


def _mark(vocabulary: Vocabulary | None, shaped: Shaped) -> object:
    """What tells how a recorded goal is read: equal for vocabularies that know the same of its first words."""
    if vocabulary is None:
        return ()
    words = shaped.begins
    if words is None or type(vocabulary) is not Vocabulary:
        return vocabulary  # by its identity
    return vocabulary.about(words)


class Recall:
    """Finds and reads recorded goals, and keeps them read.

    Args:
        index: the rows of the traces folder.
        folder: where the mapped look-up file is kept.
        load: gives the trace of a row as its file says it now, or None.
    """

    def __init__(self, index: TraceIndex, folder: Path, load: Callable[[Found], Trace | None]) -> None:
        self._index, self._folder, self._load = index, folder, load
        self._lookup: Lookup | None = None
        self._shaped: OrderedDict[tuple[str, str], Shaped] = OrderedDict()
        self._known: OrderedDict[tuple[str, str, object], Known] = OrderedDict()
        self._prepared: tuple[dict[str, tuple[str, ...]], Vocabulary] | None = None
        self._taught: tuple[int, Lessons] = (0, Lessons())
        #: For each text in these traces' programs the names under which it is used.
        self._columns: dict[str, frozenset[str]] = {}
        self._memo = Memo()
        #: Rows of the index, as they were when the database had this version.
        self._rows: dict[int, Found] = {}
        self._version: tuple[int, int] | None = None
        #: Those of them that were read, with which vocabulary, by their numbers.
        self._ready: dict[int, Known] = {}
        self._ready_with: Vocabulary | None = None
        #: The newest rows of each shape that was asked for, and the wordings that they have.
        self._shapes: dict[int, tuple[dict[int, Found], frozenset[int]]] = {}
        #: And the numbers nearest to each wording that was asked for.
        self._nearest: dict[tuple[bytes, int | None, int], list[int]] = {}

    def best(
        self,
        goal: str,
        vocabulary: Mapping[str, Iterable[str]] | Vocabulary | None,
        agent: str | None,
        only: Callable[[Trace], bool] | None = None,
        *,
        version: tuple[int, int] | None = None,
    ) -> Match:
        """The best use that can be made of what was recorded for ``goal``; see :mod:`llmos_nb.memory.matcher`.

        Of a trace that ``only`` says no to nothing is made. ``version`` is the database's now, where that is known.
        """
        version = version or self._index.reader.version()
        values, learned = self.prepared(vocabulary), self._lessons(version)
        asked = self._asked(goal, values)
        rows = self._found(asked, self._unknowing(asked), version)
        if agent is not None:
            rows = [row for row in rows if row.agent == agent]
        recorded = self._recorded(rows, values)
        if only is not None:
            recorded = tuple(one for one in recorded if only(one.trace))
        more = self._more_values(asked, recorded)
        match = None
        if more:
            told = Vocabulary({LITERAL: more})
            richer = self._asked(goal, told if values is None else Layers(values, told))
            match = best_match(richer, recorded, learned, self._memo)
        if match is None or match.steps is None:  # what is a value to one program may be an ordinary word to another
            plain = best_match(asked, recorded, learned, self._memo)
            match = plain if match is None or plain.steps is not None else match
        if match.trace is None or match.steps is None:
            return match
        row = next(row for row in rows if row.id == match.trace_id)
        if self._load(row) == match.trace:
            return match
        self._forget(row)  # its file says something else than a moment ago
        return self.best(goal, values, agent, only)

    def _asked(self, goal: str, vocabulary: Vocabulary | None) -> Asked:
        """``goal`` read, with what recorded programs tell about its values."""
        lifted = lift(goal, vocabulary)
        reading = read_goal(lifted, columns_of(lifted.slots, self._columns))
        return Asked(goal, lifted, reading, vector_of(reading))

    def generalization(self, trace: Trace, vocabulary: Vocabulary | None) -> Generalization:
        """What the runs of the program of ``trace`` say together."""
        lookup = self._synced()
        shaped = Shaped(trace)
        template = hash63(read_goal(lift_trace(shaped)).masked)
        numbers = dict.fromkeys(lookup.find("shape", hash63(shaped.program.shape), _RUNS))
        numbers |= dict.fromkeys(lookup.find("template", template, _RUNS))
        rows = [row for row in self._index.candidates_at(list(numbers)) if row.replayable and not row.wrong]
        known = [one for row in rows if row.id != trace.id and (one := self.known(row, vocabulary)) is not None]
        own = Example(trace, lift_trace(shaped, vocabulary).slots)
        return generalize([own, *(Example(one.trace, one.lifted.slots) for one in known)])

    def _forget(self, row: Found) -> None:
        self._rows.clear()
        self._ready.clear()
        self._shapes.clear()
        self._shaped.pop((row.path, row.digest), None)
        for key in [key for key in self._known if key[:2] == (row.path, row.digest)]:
            del self._known[key]

    def _unknowing(self, asked: Asked) -> Asked | None:
        """The goal as it reads without a vocabulary, where that makes a difference: this is how goals are recorded."""
        if not any(asked.reading.kinds):
            return None
        plain = asked_for(asked.goal, None)
        return plain if plain.reading.signature != asked.reading.signature else None

    def _found(self, asked: Asked, plain: Asked | None = None, version: tuple[int, int] | None = None) -> list[Found]:
        """The rows of recorded goals that come close, and of the other wordings of their programs, oldest first.

        Of each program the same rows are looked at as far as possible, whatever is asked: what is worked out about them
        is kept.
        """
        lookup = self._synced(version)
        forms = forms_of(asked.reading, asked.vector)
        equal = lookup.find("template", forms["template"], _EQUAL)
        equal += lookup.find("words", forms["words"], _EQUAL)
        near, anywhere = (_NEAR_ALSO, _ANYWHERE_ALSO) if equal else (_NEAR, _ANYWHERE)
        numbers = dict.fromkeys(equal)
        numbers |= dict.fromkeys(self._near(lookup, forms["bits"], forms["slots"], near))
        numbers |= dict.fromkeys(self._near(lookup, forms["bits"], None, anywhere))
        if plain is not None:
            forms = forms_of(plain.reading, plain.vector)
            numbers |= dict.fromkeys(lookup.find("template", forms["template"], _EQUAL))
            numbers |= dict.fromkeys(self._near(lookup, forms["bits"], forms["slots"], _NEAR_ALSO))
        rows: dict[int, Found] = {}
        heard: dict[int, frozenset[int]] = {}
        for row in self._rows_at(list(numbers)):
            wordings = heard.get(row.shape)
            if wordings is None:
                newest, wordings = self._wordings(lookup, row.shape)
                heard[row.shape] = wordings
                rows.update(newest)
            if row.template not in wordings and _usable(row):
                rows[row.number] = row
        return [rows[number] for number in sorted(rows)]

    def _wordings(self, lookup: Lookup, shape: int) -> tuple[dict[int, Found], frozenset[int]]:
        """The newest rows of a shape, those of them that can be used by number, and the wordings that they have."""
        found = self._shapes.get(shape)
        if found is None:
            rows = self._rows_at(lookup.find("shape", shape, _WORDINGS))
            usable = {row.number: row for row in rows if _usable(row)}
            found = self._shapes[shape] = usable, frozenset(row.template for row in rows)
        return found

    def _near(self, lookup: Lookup, bits: bytes, slots: int | None, k: int) -> list[int]:
        """The numbers of the nearest wordings; of a wording that was looked for before as they were found then."""
        key = bits, slots, k
        found = self._nearest.get(key)
        if found is None:
            found = self._nearest[key] = lookup.nearest(bits, slots, k)
        return found

    def _rows_at(self, numbers: list[int]) -> list[Found]:
        """The rows with these numbers; kept until anybody writes to the database."""
        version = None if self._lookup is None else self._lookup.version
        if version is None or version != self._version or len(self._rows) > _KEPT:
            self._rows.clear()
            self._ready.clear()
            self._shapes.clear()
            self._version = version
        kept = self._rows
        missing = [number for number in numbers if number not in kept]
        if not missing:
            return [kept[number] for number in numbers]
        kept.update((row.number, row) for row in self._index.candidates_at(missing))
        return [kept[number] for number in numbers if number in kept]

    def _synced(self, version: tuple[int, int] | None = None) -> Lookup:
        if self._lookup is None:
            from llmos_nb.memory.lookup.lookup import Lookup

            self._lookup = Lookup(self._folder, self._index.engine, self._index.root, reader=self._index.reader)
        if self._lookup.sync(version) or max(len(self._shapes), len(self._nearest)) > _KEPT:
            self._shapes.clear()
            self._nearest.clear()
        return self._lookup

    def _lessons(self, version: tuple[int, int] | None) -> Lessons:
        """What the wordings of recent traces teach; learned anew when there is a fifth more of them."""
        count = self._index.count(version)
        if not self._taught[0] <= count <= self._taught[0] * 1.2:
            programs: dict[str, list[Reading]] = {}
            used: list[Mapping[str, frozenset[str]]] = []
            last = self._synced().last
            for row in self._index.candidates_at(range(last, max(0, last - _TAUGHT_BY), -1)):
                one = self.known(row, None) if row.replayable else None
                if one is not None:
                    programs.setdefault(one.program, []).append(one.reading)
                    used.append(one.used)
            self._taught, self._columns = (count, lessons(programs.values())), told_apart(used)
        return self._taught[1]

    def prepared(self, vocabulary: Mapping[str, Iterable[str]] | Vocabulary | None) -> Vocabulary | None:
        """``vocabulary`` prepared for use; the last one is kept, so that asking again with an equal one costs little."""
        if vocabulary is None or isinstance(vocabulary, Vocabulary):
            return vocabulary
        values = {kind: tuple(members) for kind, members in vocabulary.items()}
        if self._prepared is None or self._prepared[0] != values:
            self._prepared = (values, Vocabulary(values))
        return self._prepared[1]

    def _more_values(self, asked: Asked, known: tuple[Known, ...]) -> list[str]:
        """Values in the goal that only recorded programs tell: what they hold, and what stands where such a one does."""
        goal = asked.goal.casefold()
        found: dict[str, None] = {}
        tried: set[str] = set()
        for one in known:
            literals, begins, masked = one.tells
            for text, folded in literals:
                if folded in goal:
                    found[text] = None
            if masked not in tried:
                tried.add(masked)
                if literals and goal.startswith(begins):
                    for value in unknown_values(asked.goal, one.lifted, LITERAL):
                        if not _of_several(value, asked):
                            found[value] = None
        lifted = {slot.text.casefold() for slot in asked.lifted.slots} if found else ()
        return [text for text in found if text.casefold() not in lifted]

    def _recorded(self, rows: Sequence[Found], vocabulary: Vocabulary | None) -> tuple[Known, ...]:
        """:meth:`known` of these rows, where there is something to know."""
        if vocabulary is not self._ready_with:
            self._ready.clear()
            self._ready_with = vocabulary
        found: list[Known] = []
        ready = self._ready
        for row in rows:
            one = ready.get(row.number)
            if one is None:
                one = self.known(row, vocabulary)
                if one is None:
                    continue
                ready[row.number] = one
            found.append(one)
        return tuple(found)

    def known(self, row: Found, vocabulary: Vocabulary | None) -> Known | None:
        """The recorded goal of ``row``, read with ``vocabulary``; None when its file is gone or says something else."""
        shaped = self._shape(row)
        if shaped is None:
            return None
        key = (row.path, row.digest, _mark(vocabulary, shaped))
        one = self._known.get(key)
        trusted = reliability(row.uses - row.failures, row.failures)
        if one is not None and one.reliability != trusted:
            one = self._known[key] = dataclasses.replace(one, reliability=trusted)
        if one is None:
            lifted = lift_trace(shaped, vocabulary)
            reading = read_goal(lifted, columns_of(lifted.slots, shaped.used))
            one = Known(
                trace=shaped.trace,
                lifted=lifted,
                reading=reading,
                program=sys.intern(skeleton(shaped.program, lifted.slots)),  # one object: they are compared often
                shape=sys.intern(shaped.program.shape),
                reliability=trusted,
                vector=vector_of(reading),
                spelled=shaped.spelled,
                used=shaped.used,
                parsed=shaped.program,
                tells=(
                    tuple((s.text, s.text.casefold()) for s in lifted.slots if s.kind == LITERAL),
                    lifted.pieces[0].split(" ", 1)[0].casefold(),
                    reading.masked,
                ),
            )
            self._known[key] = one
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return one

    def _shape(self, row: Found) -> Shaped | None:
        key = (row.path, row.digest)
        shaped = self._shaped.get(key)
        if shaped is None:
            trace = self._load(row)
            if trace is None or not trace.replayable or is_edited(trace) or gave_up(trace):
                return None
            shaped = self._shaped[key] = Shaped(trace)
            while len(self._shaped) > _KEPT:
                self._shaped.popitem(last=False)
        return shaped


def _usable(row: Found) -> bool:
    """Whether a row is of a run that can be replayed, and that nobody called wrong."""
    return row.replayable and not row.wrong


def _of_several(text: str, asked: Asked) -> bool:
    """Whether a text of the goal holds several of its values, and so is none itself."""
    start = asked.goal.casefold().find(text.casefold())
    return sum(start <= slot.start and slot.end <= start + len(text) for slot in asked.lifted.slots) > 1
