"""Do two goals ask for the same task? Compared by their words and by what decides; values are compared elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations
from typing import Final, Literal

from llmos_nb.memory.reading.lexicon import DIRECTED, GROUPS, OPPOSITES, REVERSED
from llmos_nb.memory.reading.reading import Reading
from llmos_nb.memory.reading.synonyms import ANTONYMS, OPERATIONS
from llmos_nb.memory.reading.wordings import Lessons

__all__ = ["Beside", "Comparison", "Evidence", "Tier", "compare", "slot_order", "speaker_differs"]

#: How two goals were found to be one task, cheapest first; empty when they were not.
Tier = Literal["template", "words", "meaning", "likely", ""]
_Kinds = tuple[frozenset[str], ...]
#: Nouns of which "who" asks as well as "which".
_PERSONS: Final = frozenset(
    ["teacher", "student", "person", "author", "customer", "user", "client", "player", "patient", "employe", "member"]
)
#: Share of the words that are not idle, which two goals must have in common.
_SHARED: Final = 0.5
#: Share of the wordings that name an operation from which a goal must name it, too.
_MOSTLY: Final = 0.75
#: Wordings of one program from which the order of its words is known to be free.
_ORDERS: Final = 3


def _partners(pairs: Iterable[Collection[str]]) -> dict[str, frozenset[str]]:
    """For each word the words that it is paired with."""
    found: dict[str, set[str]] = {}
    for one, other in map(sorted, pairs):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


#: What each mark and each word is the contrary of, and all that is the contrary of something.
_OPPOSITE_OF: Final = _partners(OPPOSITES)
_CONTRARY_TO: Final = _partners(ANTONYMS)
_OPPOSED: Final = frozenset(_OPPOSITE_OF)
_CONTRARY: Final = frozenset(_CONTRARY_TO)
#: Slots of one class up to which all orders are tried.
_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What several wordings of one program show: the words that come and go without changing what is to be done.

    ``union`` and ``marks`` occur in some wording, ``core`` and ``core_marks`` in every one; ``lessons`` are those of
    other programs.
    """

    union: frozenset[str]
    core: frozenset[str]
    marks: frozenset[str]
    core_marks: frozenset[str]
    intents: frozenset[str]
    targets: frozenset[str]
    parts: frozenset[tuple[str, str]]
    #: Nouns that some wording has in the plural, and the pairs of values that stand together in some wording.
    plurals: frozenset[str] = frozenset()
    glued: frozenset[tuple[str, ...]] = frozenset()
    #: Groups of marks of which every wording has one.
    groups: tuple[frozenset[str], ...] = ()
    #: Nouns that some wording says of a value, and those that some wording asks of one.
    said_of: frozenset[str] = frozenset()
    asked_of: frozenset[str] = frozenset()
    #: What some wording, and every one, says of what would be good, what must be, and whose it is.
    stances: frozenset[str] = frozenset()
    core_stances: frozenset[str] = frozenset()
    #: How many values of a goal are abbreviations; empty where too few different values tell.
    codes: frozenset[int] = frozenset()
    #: Some wording says what is counted.
    counts: bool = False
    #: Operations that most of several wordings name.
    operations: frozenset[str] = frozenset()
    #: Values that every one of several wordings has: they are part of the task.
    constants: frozenset[str] = frozenset()
    #: How many wordings these are.
    count: int = 1
    lessons: Lessons = field(default_factory=Lessons)

    @classmethod
    def of(cls, readings: Collection[Reading], lessons: Lessons | None = None) -> Evidence:
        """The evidence of ``readings``, at least one."""
        return cls(
            union=frozenset().union(*(r.words for r in readings)),
            core=frozenset.intersection(*(r.words for r in readings)),
            marks=frozenset().union(*(r.marks for r in readings)),
            core_marks=frozenset.intersection(*(r.marks for r in readings)),
            intents=frozenset(r.intent for r in readings),
            targets=frozenset(r.target for r in readings),
            parts=frozenset(part for r in readings for part in r.parts),
            plurals=frozenset().union(*(r.plurals for r in readings)),
            glued=frozenset(r.glued for r in readings),
            groups=tuple(group for group in GROUPS if all(r.marks & group for r in readings)),
            said_of=frozenset().union(*(r.said_of for r in readings)),
            asked_of=frozenset().union(*(r.asked_of for r in readings)),
            stances=frozenset().union(*(r.stance for r in readings)),
            core_stances=frozenset.intersection(*(r.stance for r in readings)),
            codes=_codes(readings),
            counts=any(r.counted for r in readings),
            operations=_operations(readings),
            constants=_constants(readings),
            count=len({r.sequence for r in readings}),
            lessons=lessons or Lessons(),
        )


def _operations(readings: Collection[Reading]) -> frozenset[str]:
    """What most wordings say is to be done, where there are enough of them."""
    wordings = {reading.sequence: reading.words for reading in readings}
    named = Counter(word for words in wordings.values() for word in words & OPERATIONS)
    return frozenset(w for w, n in named.items() if n >= _MOSTLY * len(wordings) and len(wordings) >= _ORDERS)


def _constants(readings: Collection[Reading]) -> frozenset[str]:
    """Values that all goals of a program have, where enough of them have other ones beside."""
    if len({reading.said for reading in readings}) < _ORDERS:
        return frozenset()
    return frozenset.intersection(*(frozenset(reading.said) for reading in readings))


def _codes(readings: Collection[Reading]) -> frozenset[int]:
    """How many abbreviations goals of a program have, where enough of them have other values."""
    if len({reading.said for reading in readings}) < _ORDERS:
        return frozenset()
    found = [reading.codes for reading in readings]
    return frozenset(range(min(found), max(found) + 1))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a goal compares with a recorded one. ``veto`` says in words why they are not the same task.

    ``distance`` counts the words that differ without a veto, each by how much it says.
    """

    tier: Tier
    distance: float = 0.0
    veto: str = ""
    #: The two have values of the same kinds, so that the wording decides.
    comparable: bool = True
    #: How many words nothing explains, for ``likely``.
    extra: int = 0


def compare(asked: Reading, known: Reading, evidence: Evidence | None = None) -> Comparison:
    """Compare a goal with a recorded one, whose other wordings are ``evidence``.

    Tiers, each with how many of what was served from a confidence of 0.92 on were wrong. The first number is of
    ``tests/bench/bench_match_quality.py`` (11,000 goals to stores in which a quarter of the kinds of question, and some
    that are easily taken for them, were never recorded; of 307 near misses against a single trace none was served), the
    second of ten draws of the public text-to-SQL set "advising", with a vocabulary: others than those that the rules were
    made on, of the same questions:

    * ``template``, 0 of 3,600, 2 of 25: equal wording around values of equal classes;
    * ``words``, 0 of 584, 1.9 % of 1,644: equal content words, marks and directed relations, in equal order;
    * ``meaning``, 0 of 1,250, 2.2 % of 3,379: in any order; words that differ must be explained by other wordings of
      the same program;
    * ``likely``, 0 of 223, 3.4 % of 384: the goal says a word more than any wording; but
      the program has three wordings or more that show how freely it is asked for, and none of the words that all have is
      missing. No other kind of answer is wanted, and no other thing asked for. Whether that is enough is for
      :mod:`llmos_nb.memory.confidence` to say; ``veto`` says what is not explained.

    The difference is programs that are asked for in each other's words, which ``tests/sets`` has few of: nothing in a
    goal tells them apart. In those ten draws 2.3 % of what was served was wrong (0.6 % to 3.4 % in single draws; 58.7 %
    of the known goals were served right). Of the 127, 47 were between two queries that share a wording in the set, and 11
    ask for the same in another order or notation; of the other 69 most are of a kind of question that was not recorded.

    Negation, scope, comparison, direction, operations and contraries are never a matter of likelihood.
    """
    if asked.signature != known.signature:
        return _of_other_values(asked, known)
    return Beside(asked, evidence or Evidence.of((known,))).compare(known)


class Beside:
    """A goal beside the wordings of one program: what does not depend on which of them it is compared with is found once.

    Each ``None`` below has not been found yet.
    """

    __slots__ = (
        "_columns", "_contrary", "_intent", "_kinds", "_mark", "_opposed", "_said", "_together", "_turned", "_writing",
        "asked", "facts",
    )  # fmt: skip

    def __init__(self, asked: Reading, facts: Evidence) -> None:
        self.asked, self.facts = asked, facts
        self._kinds, self._columns = any(asked.kinds), any(asked.columns)
        self._writing = _in_other_writing(asked, facts)
        self._opposed = not _OPPOSED.isdisjoint(asked.marks)
        self._contrary: str | None = None
        self._mark: str | frozenset[str] | None = None
        self._together: str | None = None
        self._turned: str | None = None
        self._said: str | None = None
        self._intent: str | None = None

    def compare(self, known: Reading) -> Comparison:
        """See :func:`compare`; ``known`` is one of the wordings."""
        asked, facts = self.asked, self.facts
        if asked.signature != known.signature:
            return _of_other_values(asked, known)
        strangers = _strangers(asked.classes, asked.kinds, known.classes, known.kinds) if self._kinds else ""
        if not strangers and known.columns and self._columns:
            strangers = _of_other_columns(asked, known)
        strangers = strangers or self._writing
        if strangers:
            return Comparison("", veto=strangers, comparable=False)
        if asked.masked == known.masked:
            return _TEMPLATE
        if asked.sequence == known.sequence and asked.intent == known.intent and asked.glued == known.glued:
            stance = _of_other_stance(asked, facts)
            return _refused(stance) if stance else _WORDS
        veto = self._vetoed(known)
        if veto:
            return _refused(veto)
        strange = self._intent
        if strange is None:
            strange = self._intent = _other_intent(asked, facts)
        doubt = (
            _unexplained_word(asked, known, facts)
            or strange
            or _little_shared(asked, known, facts)
            or _reordered(asked, known, facts)
        )
        if not doubt:
            return Comparison("meaning", _distance(asked, known, facts))
        if facts.count < _ORDERS or strange:
            return _refused(doubt)
        idle = facts.lessons.idle
        extra = asked.words - facts.union - idle
        missing = {
            w for w in facts.core - asked.words - idle if not _twin(w, asked.words - known.words, facts.lessons)
        }
        other = bool(asked.target) and asked.target not in facts.targets | facts.union | idle
        if not extra or other or missing or extra & {asked.head, asked.counted, *OPERATIONS}:
            return _refused(doubt)
        return Comparison("likely", _distance(asked, known, facts), doubt, extra=len(extra))

    def _vetoed(self, known: Reading) -> str:
        """What forbids that the two are one task, in words; empty if nothing does."""
        asked, facts = self.asked, self.facts
        if self._opposed and known.marks and (veto := _opposite(asked, known)):
            return veto
        contrary = self._contrary
        if contrary is None:
            contrary = self._contrary = _contrary(asked, facts)
        if contrary:
            return contrary
        if facts.count < _ORDERS:
            mark = _unexplained_mark(asked, known, facts)
        else:  # many wordings show which marks come and go, whichever of them this is
            found = self._mark
            if found is None:
                found = self._mark = _unexplained_marks(asked, facts)
            mark = found if isinstance(found, str) else f"{_quoted(known.marks & found)} is only in the recorded goal"
        if mark:
            return mark
        together = self._together
        if together is None:
            together = self._together = _together(asked, facts)
        if together:
            return together
        if asked.parts:
            turned = self._turned
            if turned is None:
                turned = self._turned = _turned_around(asked, facts)
            turned = turned or _turned_from(asked, known)
            if turned:
                return turned
        said = self._said
        if said is None:
            said = self._said = _said_the_other_way(asked, facts) or _of_other_stance(asked, facts)
        return said or (_undone(asked, known, facts) if facts.operations else "")


_TEMPLATE: Final = Comparison("template")
_WORDS: Final = Comparison("words", 0.1)


@lru_cache(maxsize=1024)
def _refused(veto: str) -> Comparison:
    return Comparison("", veto=veto)


def _of_other_values(asked: Reading, known: Reading) -> Comparison:
    return Comparison("", veto=_other_values(asked.classes, known.classes), comparable=False)


@lru_cache(maxsize=4096)
def _other_values(asked: tuple[str, ...], known: tuple[str, ...]) -> str:
    ours, theirs = Counter(asked), Counter(known)
    extra, missing = ours - theirs, theirs - ours
    parts = [
        f"{_listed(extra.elements())} more" if extra else "",
        f"{_listed(missing.elements())} less" if missing else "",
    ]
    return f"it has other kinds of values ({', '.join(part for part in parts if part)})"


@lru_cache(maxsize=4096)
def _strangers(asked: tuple[str, ...], of: _Kinds, known: tuple[str, ...], there: _Kinds) -> str:
    """A value of the new goal whose kind no value of the recorded goal has, where a vocabulary knows both.

    Given are the classes and the kinds of both goals' values.
    """
    for name, ours in zip(asked, of, strict=True):
        if ours:
            theirs = [kinds for other, kinds in zip(known, there, strict=True) if other == name]
            for kinds in theirs:
                if not kinds or kinds & ours:
                    break
            else:
                return f"a {_words(ours)} is no {_words(theirs[0])}"
    return ""


def _of_other_columns(asked: Reading, known: Reading) -> str:
    """A value of the new goal that no program uses as this one uses any of its values."""
    for j, (name, used) in enumerate(zip(asked.classes, asked.columns, strict=True)):
        if used and not asked.kinds[j]:
            there = [i for i, other in enumerate(known.classes) if other == name]
            if not any(_used_alike(asked, known, j, i) for i in there):
                return f"its {asked.said[j]!r} is no {_words(known.columns[there[0]])}"
    return ""


def _words(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds))


def _together(asked: Reading, facts: Evidence) -> str:
    if asked.glued not in facts.glued:
        return "values stand together in one of the two goals, and apart in the other"
    return ""


def _opposite(asked: Reading, known: Reading) -> str:
    for a in sorted((asked.marks - known.marks) & _OPPOSED):
        for b in sorted(_OPPOSITE_OF[a] & known.marks - asked.marks):
            return f"{a!r} is the opposite of {b!r}"
    return ""


def _contrary(asked: Reading, facts: Evidence) -> str:
    for a in sorted((asked.words - facts.union) & _CONTRARY):
        for b in sorted(_CONTRARY_TO[a] & facts.union - asked.words):
            return f"{a!r} is the opposite of {b!r}"
    return ""


#: Marks that come and go with the wording, as several wordings of a program may show.
_WEAK: Final = frozenset(("all", "some", "both"))


def _unexplained_mark(asked: Reading, known: Reading, facts: Evidence) -> str:
    extra, missing = asked.marks - facts.marks, known.marks - asked.marks
    if len(extra | missing) == 1:
        if extra == {"all"} and asked.whole and asked.whole <= facts.plurals:
            extra = frozenset()  # "all the rows" are the rows
        elif missing == {"all"} and known.whole and known.whole <= asked.plurals:
            missing = frozenset()
    if extra:
        return f"{_quoted(extra)} is only in the new goal"
    for group in facts.groups:
        if not asked.marks & group:
            return f"{_quoted(known.marks & group)} is only in the recorded goal"
    return f"{_quoted(missing)} is only in the recorded goal" if missing else ""


def _unexplained_marks(asked: Reading, facts: Evidence) -> str | frozenset[str]:
    """The same beside several wordings: why in words, or the marks of which the goal has none and each of these has one."""
    extra, missing = asked.marks - facts.marks, facts.core_marks - asked.marks
    if len(extra | missing) == 1:
        extra, missing = extra - _WEAK, missing - _WEAK
    if extra:
        return f"{_quoted(extra)} is only in the new goal"
    for group in facts.groups:
        if not asked.marks & group:
            return group
    return f"{_quoted(missing)} is only in the recorded goal" if missing else ""


def _unexplained_word(asked: Reading, known: Reading, facts: Evidence) -> str:
    extra = asked.words - facts.union - facts.lessons.idle
    # Two wordings do not yet show which words may be left out.
    core = facts.core if facts.count >= _ORDERS else known.words
    missing = core - asked.words - facts.lessons.idle
    for word in sorted(extra):
        twin = _twin(word, (facts.core | known.words) - asked.words, facts.lessons)
        if twin:
            extra, missing = extra - {word}, missing - {twin}
    for word in sorted(missing):
        if _twin(word, asked.words - known.words, facts.lessons):
            missing -= {word}
    if extra and missing:
        return f"the new goal says {_quoted(extra)}, the recorded one {_quoted(missing)}"
    if extra:
        return f"nothing recorded explains {_quoted(extra)}"
    return f"the new goal lacks {_quoted(missing)}" if missing else ""


def _twin(word: str, others: frozenset[str], learned: Lessons) -> str:
    """The word among ``others`` that says the same as ``word``, as far as recorded wordings show."""
    twins = learned.twins.get(word)
    return min(twins & others, default="") if twins else ""


def _other_intent(asked: Reading, facts: Evidence) -> str:
    intents = facts.intents | {"who"} if facts.targets & _PERSONS else facts.intents
    if intents & {"result", "yes-no"}:
        intents = intents | {"any"}  # "are there any?" is answered by showing them, or by saying so
    if asked.intent not in intents and not (asked.target in _PERSONS and "who" in intents):
        return f"it asks for another kind of answer ({asked.intent})"
    if asked.counted and facts.counts and asked.counted not in facts.union:
        return f"it counts {asked.counted!r}"
    if asked.target and asked.target not in facts.targets | facts.lessons.idle and "" not in facts.targets:
        return f"it asks for {asked.target!r}, not for {_quoted(facts.targets)}"
    return ""


def _turned_around(asked: Reading, facts: Evidence) -> str:
    """A relation that tells parts apart must stand before the same thing as in every wording."""
    seen = {relation for relation, _ in facts.parts}
    for relation, item in asked.parts:
        if relation in seen and (relation, item) not in facts.parts and (relation != "to" or item.startswith("<")):
            return f"{relation!r} stands before something else"
    for relation, item in asked.parts:
        if item.startswith("<") and (relation, item) not in facts.parts:
            for other in sorted(REVERSED.get(relation, ())):
                if (other, item) in facts.parts:
                    return f"it says {relation!r} where the recorded goal says {other!r}"
    return ""


def _turned_from(asked: Reading, known: Reading) -> str:
    """And the same thing as in this wording."""
    if asked.parts != known.parts:
        ours, theirs = _by_relation(_directions(asked.parts)), _by_relation(_directions(known.parts))
        for relation in sorted(ours.keys() & theirs.keys()):
            if ours[relation] != theirs[relation]:
                return f"{relation!r} stands before something else"
    at = {item: relation for relation, item in asked.parts}
    for relation, item in known.parts:
        mine = at.get(item)
        if mine is not None and mine != relation and {mine, relation} <= DIRECTED and not item.startswith("<"):
            return f"{item!r} is {mine!r} instead of {relation!r}"
    return ""


def _said_the_other_way(asked: Reading, facts: Evidence) -> str:
    """ "What is X a parent of" and "the parent of X" have the same words, and are each other turned around."""
    said = (asked.said_of & facts.asked_of) - facts.said_of
    sought = (asked.asked_of & facts.said_of) - facts.asked_of
    if said:
        return f"{_quoted(said)} is said of a value, where the recorded goal asks for it"
    return f"{_quoted(sought)} is asked of a value, where the recorded goal says it of one" if sought else ""


def _of_other_stance(asked: Reading, facts: Evidence) -> str:
    """What should be done is not what must be done, and the speaker's own things are not all there are."""
    said, mine = facts.stances, asked.stance
    if mine == said:
        return ""
    if "duty" in mine and "advice" not in mine and "advice" in said and "duty" not in said:
        return "it asks what must be, the recorded goal what would be good"
    if "advice" in mine and "duty" not in mine and "duty" in said and "advice" not in said:
        return "it asks what would be good, the recorded goal what must be"
    if facts.count >= _ORDERS:
        if "own" in mine and "own" not in said:
            return "it asks for what is the speaker's own"
        if "own" in facts.core_stances and "own" not in mine:
            return "the recorded goal asks for what is the speaker's own"
    return ""


def speaker_differs(asked: Reading, facts: Evidence) -> str:
    """Whether the recorded goals are all about what the speaker did and the new one is not, or the other way round, in
    words; where there are enough of them, also whether they are all about what concerns the speaker and it is not.

    That makes no other task of a wording: what is not said may be meant. It is a reason not to serve it.
    """
    if "done" in asked.stance and "done" not in facts.stances:
        return "it asks for what the speaker has done"
    if "done" in facts.core_stances and "done" not in asked.stance:
        return "the recorded goals ask for what the speaker has done"
    if facts.count >= _ORDERS and "self" in facts.core_stances and "speaker" not in asked.stance:
        return "the recorded goals ask for what concerns the speaker"
    return ""


def _in_other_writing(asked: Reading, facts: Evidence) -> str:
    """Where all recorded values are abbreviations, what is none has another kind, and the other way round."""
    if facts.codes and asked.codes not in facts.codes:
        return "its values are written otherwise than all recorded ones"
    return ""


def _undone(asked: Reading, known: Reading, facts: Evidence) -> str:
    """What as good as every wording does ("how many") a goal must do, though one wording does not name it."""
    undone = facts.operations - asked.words
    left = undone and {word for word in undone if not _twin(word, asked.words - known.words, facts.lessons)}
    return f"the new goal lacks {_quoted(frozenset(left))}" if left else ""


def _little_shared(asked: Reading, known: Reading, facts: Evidence) -> str:
    """What is not idle in one goal must be, in good part, in the other, too; what says nothing but values, beside what
    says nothing else."""
    if known.words and not asked.words:
        return f"the new goal says nothing of {_quoted(known.words)}"
    ours, theirs = (asked.words | asked.marks) - facts.lessons.idle, (known.words | known.marks) - facts.lessons.idle
    shared = len(ours & theirs)
    if not ours and not theirs and asked.words == known.words and (asked.words or asked.chunks == known.chunks):
        return ""
    if not shared or shared < _SHARED * max(len(ours), len(theirs)):
        return "the two goals share few words"
    return ""


def _reordered(asked: Reading, known: Reading, facts: Evidence) -> str:
    """Parts of a wording may change places; where words do, one goal can be the other turned around.

    Several wordings of a program, each in its own order, show that the order does not decide there.
    """
    if facts.count >= _ORDERS:
        return ""
    if asked.words == known.words and asked.marks == known.marks and asked.chunks != known.chunks:
        return "the same words stand in another order"
    for label in sorted({chunk[0] for chunk in known.steps}):
        ours = [word for chunk in asked.steps if chunk[0] == label for word in chunk[1:]]
        theirs = [word for chunk in known.steps if chunk[0] == label for word in chunk[1:]]
        if ours != theirs and Counter(ours) == Counter(theirs) and len(known.steps) > 1:
            return "the same parts stand in another order"
    return ""


@lru_cache(maxsize=4096)
def _directions(parts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Without "to do": only before a value does "to" say where."""
    return tuple((relation, item) for relation, item in parts if relation != "to" or item.startswith("<"))


@lru_cache(maxsize=4096)
def _by_relation(parts: tuple[tuple[str, str], ...]) -> dict[str, Counter[str]]:
    """For each relation how often it stands before what."""
    found: dict[str, Counter[str]] = {}
    for relation, item in parts:
        found.setdefault(relation, Counter())[item] += 1
    return found


def _distance(asked: Reading, known: Reading, facts: Evidence) -> float:
    """Words that differ count by how much they say: least the idle ones, most those of every wording."""
    new, gone = asked.words - known.words, known.words - asked.words
    total = sum(0.5 if word in facts.lessons.idle else 0.3 if word in facts.union else 1.0 for word in new)
    total += sum(0.2 if word in facts.lessons.idle else 0.7 if word in facts.core else 0.3 for word in gone)
    total += 0.3 * len(asked.marks ^ known.marks)
    total += 0.3 * (asked.intent != known.intent) + 0.3 * (asked.target != known.target)
    return round(total + 0.02 * len(asked.small ^ known.small), 3)


def slot_order(
    asked: Reading, known: Reading, tier: Tier, constants: frozenset[str] = frozenset()
) -> tuple[int, ...] | None:
    """For each slot of the recorded goal, which slot of the new goal plays its part; None where that is not clear.

    A value of ``constants``, which every recorded goal has, plays its own part.
    """
    count = len(known.classes)
    if tier in ("template", "words"):
        same = tuple(range(count))
        if all(_kinds_fit(known.kinds[i], asked.kinds[i]) for i in same) and not _misused(asked, known, same, same):
            return same
    order = [-1] * count
    for name in dict.fromkeys(known.classes):
        theirs = [i for i in range(count) if known.classes[i] == name]
        ours = [j for j in range(count) if asked.classes[j] == name]
        found = _paired(asked, known, ours, theirs, order, constants)
        if found is None:
            return None
        for i, j in zip(theirs, found, strict=True):
            order[i] = j
    return tuple(order)


def _paired(
    asked: Reading,
    known: Reading,
    ours: Sequence[int],
    theirs: Sequence[int],
    order: Sequence[int],
    constants: frozenset[str],
) -> tuple[int, ...] | None:
    """The one order of ``ours`` in which each plays the part of its counterpart in ``theirs``."""
    if len(theirs) == 1:
        return tuple(ours)
    if len(theirs) > _MOST:
        return None
    fitting = [
        candidate
        for candidate in permutations(ours)
        if all(_kinds_fit(known.kinds[i], asked.kinds[j]) for i, j in zip(theirs, candidate, strict=True))
    ]
    for value in sorted(constants):
        count = min(sum(asked.said[j] == value for j in ours), sum(known.said[i] == value for i in theirs))
        if count:
            fitting = [
                candidate
                for candidate in fitting
                if sum(known.said[i] == value == asked.said[j] for i, j in zip(theirs, candidate, strict=True))
                == count
            ]
    found = fitting[0] if len(fitting) == 1 else _playing(asked, known, fitting, theirs, order)
    if found is not None and not _misused(asked, known, found, theirs):
        return found
    used = [candidate for candidate in fitting if not _misused(asked, known, candidate, theirs)]
    return used[0] if len(used) == 1 else _playing(asked, known, used, theirs, order)


def _playing(
    asked: Reading, known: Reading, fitting: Sequence[tuple[int, ...]], theirs: Sequence[int], order: Sequence[int]
) -> tuple[int, ...] | None:
    """The one of ``fitting`` in which all slots stand where their counterparts do."""
    for alike in (_attached_alike, _role_alike, _relation_alike, _place_alike):
        best = [
            candidate
            for candidate in fitting
            if all(alike(asked, known, j, i, order) for i, j in zip(theirs, candidate, strict=True))
        ]
        if len(best) == 1:
            return best[0]
    return None


def _misused(asked: Reading, known: Reading, ours: Sequence[int], theirs: Sequence[int]) -> bool:
    """Whether a value would stand for one of another kind, as programs use them, and no relation says that it does."""
    return any(
        not _used_alike(asked, known, j, i)
        and not (asked.roles[j][0] in DIRECTED and asked.roles[j][0] == known.roles[i][0])
        for i, j in zip(theirs, ours, strict=True)
    )


def _used_alike(asked: Reading, known: Reading, j: int, i: int) -> bool:
    """Whether programs use the value ``j`` of the goal under a name under which ``i`` is used, as far as is known."""
    if not asked.columns or not known.columns or (asked.kinds[j] and known.kinds[i]):
        return True
    return _kinds_fit(known.columns[i], asked.columns[j])


def _kinds_fit(theirs: frozenset[str], ours: frozenset[str]) -> bool:
    """Values that a vocabulary knows by kind stand only for values of a shared kind."""
    return not ours or not theirs or bool(ours & theirs)


def _attached_alike(asked: Reading, known: Reading, j: int, i: int, order: Sequence[int]) -> bool:
    behind = known.attached[i]
    return behind >= 0 and order[behind] >= 0 and asked.attached[j] == order[behind]


def _role_alike(asked: Reading, known: Reading, j: int, i: int, order: Sequence[int]) -> bool:
    return asked.roles[j] == known.roles[i]


def _relation_alike(asked: Reading, known: Reading, j: int, i: int, order: Sequence[int]) -> bool:
    return _directed(asked.roles[j][0]) == _directed(known.roles[i][0])


def _place_alike(asked: Reading, known: Reading, j: int, i: int, order: Sequence[int]) -> bool:
    """Parts of an enumeration ("a and b") keep their places."""
    return asked.listed[j] == known.listed[i] >= 0


def _directed(relation: str) -> str:
    return relation if relation in DIRECTED else ""


@lru_cache(maxsize=4096)
def _quoted(words: frozenset[str]) -> str:
    return ", ".join(repr(word) for word in sorted(words)[:3])


def _listed(items: Iterator[str]) -> str:
    return ", ".join(sorted(items))
