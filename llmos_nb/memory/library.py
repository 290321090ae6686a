"""Traces that come with a pack: everyday tasks, learned elsewhere, to be asked for in any workspace.

They are read once, when a goal first needs them, and never written. Of every value of a recorded goal it is known what
it is (a table, a column of numbers, a value of a column) and which part it plays in the task; so less is left to
likelihood than among a workspace's own traces (:mod:`llmos_nb.memory.matcher`). A goal asks for a task if

* a recorded wording of the task says the same: in other words for the same, in another order, with more politeness, but
  with no word that says something less or more; and no other task's wording does so as well;
* it has values of the same kinds, each standing where some wording has it.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import TraceFileError
from llmos_nb.memory.besides import said_besides
from llmos_nb.memory.catalogue import About, Catalogue, Saying, trace_files
from llmos_nb.memory.codec import parse
from llmos_nb.memory.confidence import confidence_of
from llmos_nb.memory.embedding import embed_many
from llmos_nb.memory.forms import LITERAL, Layers, vector_of
from llmos_nb.memory.match import Considered, Match
from llmos_nb.memory.programs import Bound, Example, Generalization, generalize
from llmos_nb.memory.reading import Comparison, Evidence, Reading, compare, read_goal, slot_order
from llmos_nb.memory.seal import is_edited
from llmos_nb.memory.slots import Lifted, Slot, Vocabulary, lift
from llmos_nb.memory.trace import Trace
from llmos_nb.memory.wildcards import unknown_values

__all__ = [
    "GROUP", "KINDS", "LETTERS", "NEW", "NOTHING_SAID", "TASK", "Library", "Shipped", "index_of", "is_readable", "task_of",
]  # fmt: skip

#: Names of the task, of the heading it is listed under, and of the wordings that explain each other, in front matter.
TASK: Final = "task"
GROUP: Final = "group"
WORDINGS: Final = "wordings"
#: The kind of a value that no table tells: a new name.
NEW: Final = "new name"
#: The kind of a piece of a text, which no table tells either.
LETTERS: Final = "letters"
#: A word of a goal.
_WORD: Final = re.compile(r"[^\W\d_][\w-]*")
#: What is said of a goal that no wording comes near.
NOTHING_SAID: Final = "no task of the library is asked for in these words"
#: Kinds of values that are found by where they stand.
_NAMED: Final = frozenset((NEW, LETTERS))
#: What a value of a recorded goal can be.
KINDS: Final = (
    "table", "column", "number column", "text column", "prose column", "date column", "flag column", "value", "integer",
    "number", "date", "path", NEW, LETTERS,
)  # fmt: skip
#: The kinds of values that the words alone tell.
_PLAIN: Final = frozenset(("integer", "number", "path", "date"))
#: Words that ask and still tell: "the kinds of the columns" are not the columns, and "what if" wants nothing done.
_TELLING: Final = frozenset(
    ("kind", "sort", "why", "if", "whether", "when", "consider", "considered", "think", "such")
)
_FLAG: Final = "flag column"
#: Words that ask to see something, of which a goal without any other must have one.
_ASKING: Final = re.compile(r"\b(?:show|display|print|see|give|get|list|values?|look)\b", re.IGNORECASE)
#: What asks for one number; "count" alone may ask for one for each.
_HOW_MANY: Final = re.compile(r"\b(?:how many|number of)\b", re.IGNORECASE)
#: Relations that may all stand before a table.
_SOFT: Final = frozenset(("", "in", "of", "for", "from", "on", "at"))
#: Kinds of a word that no table knows.
_UNKNOWN: Final = frozenset(("identifier", "quoted", "code", "name"))
#: A value of a column is a text, too.
_TEXTS: Final = frozenset(("value",))
#: How the name of a file with a table ends.
_FILE: Final = re.compile(
    r"\.(?:csv|tsv|txt|tab|xlsx|xlsm|xls|parquet|json|db|sqlite|duckdb|gz|bz2|xz)$", re.IGNORECASE
)
_RANK: Final = {"template": 0, "words": 1, "meaning": 2}


def task_of(trace: Trace) -> str:
    """The task of a trace that came with a pack; empty for one that a workspace recorded."""
    found = trace.extra.get(TASK)
    return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A recorded goal of a pack, read: ``parts`` has for each of its values what part it plays (``t``, ``x``), ``kinds``
    of what kind each part is."""

    trace: Trace
    task: str
    lifted: Lifted
    reading: Reading
    parts: tuple[str, ...]
    kinds: Mapping[str, str]
    begins: str
    #: The goal with its values that no table tells taken for anything; None where it has none.
    unnamed: Lifted | None = None


@dataclass(frozen=True, slots=True)
class _Wordings:
    """Wordings of one task that explain each other."""

    task: str
    shipped: tuple[Shipped, ...]
    evidence: Evidence
    #: For each part the relations that stand before it in some wording.
    before: Mapping[str, frozenset[str]]
    #: Everything that some wording says which is neither a content word nor a value.
    small: frozenset[str]
    #: The wordings by what they say, and of which kinds of values.
    saying: Mapping[Saying, tuple[Shipped, ...]]


@dataclass(frozen=True, slots=True)
class _Claim:
    """That a goal asks for a task: the wording it was compared with, and which of its values plays which part."""

    one: Shipped
    comparison: Comparison
    parts: Mapping[str, Slot]
    doubt: str = ""

    @property
    def rank(self) -> int:
        return _RANK[self.comparison.tier]


@dataclass(slots=True)
class _Task:
    """The recorded goals of one task, read."""

    shipped: tuple[Shipped, ...]
    wordings: tuple[_Wordings, ...]
    #: What the runs say together, once that was needed.
    program: Generalization | None = None


class Library:
    """The traces in the folders of packs. Safe to use from several threads.

    ``folders`` gives these folders; it is called when they are first needed.
    """

    def __init__(self, folders: Callable[[], Iterable[Path]]) -> None:
        self._folders = folders
        self._lock = threading.RLock()
        self._tasks: dict[str, _Task] = {}

    def __len__(self) -> int:
        return len(self.shipped)

    @property
    def shipped(self) -> tuple[Shipped, ...]:
        """All recorded goals with what part each of their values plays, by task. Reads every file."""
        return tuple(one for some in self.tasks().values() for one in some)

    def tasks(self) -> dict[str, tuple[Shipped, ...]]:
        """The recorded goals by task. Reads every file."""
        with self._lock:
            found = {task: self._task(task).shipped for task in self._catalogue.files}
        return {task: shipped for task, shipped in found.items() if shipped}

    def get(self, trace_id: str) -> Trace | None:
        """The trace of this id; None where no pack has it."""
        with self._lock:
            task = self._catalogue.of.get(trace_id)
            shipped = self._task(task).shipped if task is not None else ()
        return next((one.trace for one in shipped if one.trace.id == trace_id), None)

    @property
    def words(self) -> Collection[str]:
        """Every word of the recorded goals but their values, in small letters."""
        with self._lock:
            return self._catalogue.words

    def path(self, trace_id: str) -> Path | None:
        """The file of a trace; None where no pack has it."""
        with self._lock:
            files = self._catalogue.files.get(self._catalogue.of.get(trace_id, ""), [])
        return next((path for path in files if path.stem == trace_id), None)

    @functools.cached_property
    def folders(self) -> tuple[Path, ...]:
        """The folders that the traces are in."""
        return tuple(self._folders())

    @functools.cached_property
    def _catalogue(self) -> Catalogue:
        found = Catalogue()
        for folder in self.folders:
            found.add_folder(folder, _told)
        return found

    @functools.cached_property
    def _vectors(self) -> Any:
        """The embedding of each recorded goal, in the order of the catalogue; all zero where it has no known word."""
        return embed_many(list(self._catalogue.masked.values()))

    def _task(self, task: str) -> _Task:
        """The recorded goals of a task, read when they are first needed."""
        kept = self._tasks.get(task)
        if kept is None:
            kept = self._tasks[task] = _task_in(task, self._catalogue.files[task])
        return kept

    def match(
        self,
        goal: str,
        vocabulary: Vocabulary | None,
        *,
        without: Collection[str] = (),
        reliability: Callable[[str], float] = lambda trace_id: 1.0,
    ) -> tuple[Match, dict[str, Slot]]:
        """The task that ``goal`` asks for, bound to its values, and which value plays which part.

        ``vocabulary`` knows the goal's values by the kinds of the recorded goals. Tasks ``without`` do not count;
        ``reliability`` tells for a trace what its use says of it.
        """
        with self._lock:
            match, parts = self._best(goal, vocabulary, without, reliability)
            if match.steps is not None:
                return match, parts
            naming = [some for task in self._catalogue.naming for some in self._task(task).wordings]
            if new := _new_names(goal, vocabulary, naming):
                richer = Layers(vocabulary, Vocabulary(dict.fromkeys(_NAMED, new)))
                named, theirs = self._best(goal, richer, without, reliability)
                if named.steps is not None:
                    return named, theirs
            return match, parts

    def nearest(self, goal: str, vocabulary: Vocabulary | None = None, most: int = 3) -> list[Shipped]:
        """Recorded goals of different tasks whose wording is closest to that of ``goal``."""
        asked = vector_of(read_goal(lifted_singly(goal, vocabulary)))
        found: dict[str, Shipped] = {}
        with self._lock:
            ids = list(self._catalogue.masked) if asked is not None and most > 0 else []
            for at in (-(self._vectors @ asked)).argsort(kind="stable").tolist() if ids else ():
                task = self._catalogue.of[ids[at]]
                if task in found or not self._vectors[at].any():
                    continue
                one = next((one for one in self._task(task).shipped if one.trace.id == ids[at]), None)
                if one is not None:  # else it cannot be used, whatever the index says
                    found[task] = one
                if len(found) == most:
                    break
        return list(found.values())

    def _best(
        self,
        goal: str,
        vocabulary: Vocabulary | None,
        without: Collection[str],
        reliability: Callable[[str], float],
    ) -> tuple[Match, dict[str, Slot]]:
        lifted = lifted_singly(goal, vocabulary)
        asked = read_goal(_with_texts(lifted))
        said = _said(asked)
        bare = not said[1] and len(lifted.slots) < 3 and not _ASKING.search(goal)
        claims: list[_Claim] = []
        doubts: list[_Claim] = []
        tasks = [task for task in self._catalogue.saying.get(said, ()) if task not in without]
        for some in (some for task in tasks for some in self._task(task).wordings):
            claim = _claim(asked, said, lifted, some)
            if claim is not None:
                if bare and (claim.rank or _FLAG not in claim.one.kinds.values()):
                    continue  # of "a b" nothing says what is to be done; "a that are b" are those where b is true
                (doubts if claim.doubt else claims).append(claim)
        if not claims:
            return _nothing(lifted, min(doubts, key=lambda claim: claim.rank, default=None)), {}
        best = min(claim.rank for claim in claims)
        first = min((claim for claim in claims if claim.rank == best), key=lambda claim: claim.comparison.distance)
        rivals = {
            claim.one.task: claim for claim in claims if claim.rank == best and claim.one.task != first.one.task
        }
        if rivals:
            other = next(iter(rivals.values()))
            reason = f"it may be {first.one.task!r} or {other.one.task!r}"
            return _nothing(lifted, replace(first, doubt=reason)), {}
        return self._bound(lifted, first, reliability)

    def _bound(
        self, lifted: Lifted, claim: _Claim, reliability: Callable[[str], float]
    ) -> tuple[Match, dict[str, Slot]]:
        parts = dict(claim.parts)
        one = _of_like_numbers(claim.one, parts, self._task(claim.one.task).shipped)
        names = sorted(parts)
        program = self._program(one.task)
        slots = tuple(parts[name] for name in names)
        bound = program.bind(one.trace.id, slots)
        if not isinstance(bound, Bound):
            return _nothing(lifted, replace(claim, doubt=bound.reason)), {}
        said = (
            "the same wording" if claim.rank == 0 else "the same words" if claim.rank == 1 else "other words for it"
        )
        values = ", ".join(f"{slot.text}" for slot in slots)
        confidence = confidence_of("template", None, reliability(one.trace.id)) if claim.rank == 0 else round(
            (0.97 if claim.rank == 1 else 0.96) * reliability(one.trace.id), 4
        )  # fmt: skip
        reason = f"the library's task {one.task!r}: {said}{f', for {values}' if values else ''}"
        match = Match(
            "rebind" if bound.changed else "replay",
            confidence,
            one.trace.id,
            bindings=dict(bound.bindings),
            steps=bound.steps,
            reasons=(reason,),
            trace=one.trace,
            lifted=lifted,
            slots=slots,
            considered=(
                Considered(one.trace.id, one.trace.goal, claim.comparison.tier, confidence, "rebind", reason),
            ),
            generalization=program,
        )
        return match, parts

    def _program(self, task: str) -> Generalization:
        """What the recorded runs of a task say together: the values of each in the order of their parts' names."""
        found = self._task(task)
        if found.program is None:
            found.program = generalize([_example(one) for one in found.shipped])
        return found.program


def _of_like_numbers(one: Shipped, parts: Mapping[str, Slot], others: Sequence[Shipped]) -> Shipped:
    """A run of the task whose numbers are whole where these are, and have decimals where these have."""

    def alike(run: Shipped) -> bool:
        return all(
            isinstance(parts[part].value, int) == isinstance(slot.value, int)
            for part, slot in zip(run.parts, run.lifted.slots, strict=True)
            if run.kinds[part] == "number"
        )

    def decimal(run: Shipped) -> bool:
        return not any(
            isinstance(slot.value, int)
            for part, slot in zip(run.parts, run.lifted.slots, strict=True)
            if run.kinds[part] == "number"
        )

    if alike(one):
        return one
    return next((run for run in others if alike(run)), next((run for run in others if decimal(run)), one))


def _example(one: Shipped) -> Example:
    """A recorded run as if all goals of its task had one wording, which names the parts."""
    text, slots = one.task, []
    for name, slot in sorted(zip(one.parts, one.lifted.slots, strict=True), key=lambda pair: pair[0]):
        text += f" {name} "
        slots.append(replace(slot, name=name, kind=one.kinds[name], start=len(text), end=len(text) + len(slot.text)))
        text += slot.text
    return Example(replace(one.trace, goal=text), tuple(slots))


def lifted_singly(goal: str, vocabulary: Vocabulary | None) -> Lifted:
    """The goal taken apart, with each value of a list, and both ends of a range, by itself: they play different parts.

    What ends as a file does is one, also in quotes (``"Jan 2025.csv"``) and under a library's name (``pd.csv``).
    """
    lifted = lift(goal, vocabulary)
    files = [slot.kind in _UNKNOWN and _FILE.search(slot.text) is not None for slot in lifted.slots]
    if any(files):
        both = zip(lifted.slots, files, strict=True)
        found = tuple(replace(slot, kind="path", kinds=()) if file else slot for slot, file in both)
        lifted = replace(lifted, slots=found)
    if not any(slot.items for slot in lifted.slots):
        return lifted
    slots = [item for slot in lifted.slots for item in (slot.items or (slot,))]
    slots = [replace(slot, name=f"value_{number}") for number, slot in enumerate(slots)]
    ends = [0, *(slot.end for slot in slots)]
    starts = [*(slot.start for slot in slots), len(goal)]
    pieces = tuple(goal[end:start] for end, start in zip(ends, starts, strict=True))
    template = "".join(
        piece.replace("{", "{{").replace("}", "}}") + (f"{{{slots[number].name}}}" if number < len(slots) else "")
        for number, piece in enumerate(pieces)
    )
    return Lifted(goal, template, tuple(slots), pieces)


def _with_texts(lifted: Lifted) -> Lifted:
    """The goal with values that are texts of digits taken for texts."""
    slots = tuple(
        replace(slot, kind="quoted")
        if slot.kind in _TEXTS and isinstance(slot.value, str) and slot.value.isdecimal()
        else slot
        for slot in lifted.slots
    )
    return replace(lifted, slots=slots) if slots != lifted.slots else lifted


#: Tasks that were read in this process, by their files and what these were then: several systems share them.
_tasks_read: dict[tuple[object, ...], _Task] = {}
_MOST_TASKS: Final = 2048


def _task_in(task: str, files: Sequence[Path]) -> _Task:
    """The recorded goals of a task, read once in a process while its files stay what they are."""
    try:
        key = (
            task,
            *((str(path), (found := path.stat()).st_mtime_ns, found.st_size, found.st_ino) for path in files),
        )
    except OSError:
        key = ()
    kept = _tasks_read.get(key) if key else None
    if kept is None:
        shipped = [one for path in files if (one := _read(path)) is not None]
        kept = _Task(tuple(shipped), tuple(_worded(task, shipped)))
        if key:
            if len(_tasks_read) >= _MOST_TASKS:
                _tasks_read.clear()
            _tasks_read[key] = kept
    return kept


def _read(path: Path) -> Shipped | None:
    """The recorded goal in a file; None where it can be of no use, as a broken file is."""
    try:
        return _read_text(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError):
        return None


def is_readable(text: str, name: str) -> bool:
    """Whether the text of a trace called ``name`` is one that a library can use: all values of its goal are known."""
    return _read_text(text, Path(f"{name}.md")) is not None


def _read_text(text: str, path: Path) -> Shipped | None:
    try:
        trace = parse(text, path.name)
    except TraceFileError:
        return None
    usable = trace.id == path.stem and trace.replayable and task_of(trace) and not is_edited(trace)
    return _shipped(trace) if usable else None


def index_of(folder: Path) -> str:
    """What the index beside the traces of a folder should say: by task its files and what their wordings say."""
    return json.dumps(_told(folder), indent=0, sort_keys=True) + "\n"


def _told(folder: Path) -> dict[str, About]:
    told: dict[str, About] = {}
    for path in trace_files([folder]):
        one = _read(path)
        if one is None:
            continue
        about = told.setdefault(one.task, About(files=[], masked=[], saying=[], words=[], naming=False))
        about["files"].append(path.relative_to(folder).as_posix())
        about["masked"].append(one.reading.masked)
        signature, words = _said(one.reading)
        if [signature, sorted(words)] not in about["saying"]:
            about["saying"].append([signature, sorted(words)])
        spoken = {word.lower() for piece in one.lifted.pieces for word in _WORD.findall(piece)}
        about["words"] = sorted(spoken.union(about["words"]))
        about["naming"] = about["naming"] or not _NAMED.isdisjoint(one.kinds.values())
    return told


def _worded(task: str, shipped: Sequence[Shipped]) -> Iterator[_Wordings]:
    groups: dict[str, list[Shipped]] = {}
    for one in shipped:
        groups.setdefault(str(one.trace.extra.get(WORDINGS, "")), []).append(one)
    for some in groups.values():
        yield _wordings(task, some)


def _wordings(task: str, shipped: Sequence[Shipped]) -> _Wordings:
    readings = [one.reading for one in shipped]
    before: dict[str, set[str]] = {}
    for one in shipped:
        for part, role in zip(one.parts, one.reading.roles, strict=True):
            before.setdefault(part, set()).add(role[0])
    saying: dict[Saying, list[Shipped]] = {}
    for one in shipped:
        saying.setdefault(_said(one.reading), []).append(one)
    evidence = replace(Evidence.of(readings), constants=frozenset())
    return _Wordings(
        task,
        tuple(shipped),
        evidence,
        {part: frozenset(found) for part, found in before.items()},
        frozenset().union(*(reading.small for reading in readings)),
        {key: tuple(some) for key, some in saying.items()},
    )


def _shipped(trace: Trace) -> Shipped | None:
    """A recorded goal read with what its front matter says of its values; None where these are not all in it."""
    slots = {name: slot for name, slot in trace.slots.items() if isinstance(slot, Mapping)}
    kinds = {name: str(slot.get("type", "")) for name, slot in slots.items()}
    left = {name: str(slot.get("value", "")) for name, slot in slots.items()}
    words: dict[str, list[str]] = {}
    for name, text in left.items():
        if kinds[name] not in _PLAIN:
            words.setdefault(kinds[name], []).append(text)
    lifted = lifted_singly(trace.goal, Vocabulary(words))
    parts: list[str] = []
    for slot in lifted.slots:
        part = next((name for name, text in left.items() if text in (slot.text, str(slot.value))), "")
        if not part:
            return None
        left.pop(part)
        parts.append(part)
    if left:
        return None
    begins = lifted.pieces[0].split(" ", 1)[0].casefold()
    unnamed = None
    if not _NAMED.isdisjoint(kinds.values()):
        free = (slot if _NAMED.isdisjoint(slot.kinds) else replace(slot, kind=LITERAL) for slot in lifted.slots)
        unnamed = replace(lifted, slots=tuple(free))
    return Shipped(trace, task_of(trace), lifted, read_goal(lifted), tuple(parts), kinds, begins, unnamed)


def _claim(asked: Reading, said: Saying, lifted: Lifted, some: _Wordings) -> _Claim | None:
    """The nearest of these wordings that says what is asked; ``doubt`` says why it is not enough."""
    best: _Claim | None = None
    alike = some.saying.get(said, ())
    unasked = _HOW_MANY.search(lifted.goal) and not any(_HOW_MANY.search(one.trace.goal) for one in alike)
    for one in alike:
        comparison = compare(asked, one.reading, some.evidence)
        if comparison.tier not in _RANK:
            continue
        claim = _played(asked, lifted, one, comparison, some)
        if not claim.doubt and (more := said_besides(asked.small, some.small)):
            more = f"it says {more} as well, and the task {some.task!r} is not asked for so"
            claim = replace(claim, doubt=more)
        if unasked and not claim.doubt:
            claim = replace(claim, doubt="it asks how many there are, and no wording of the task does")
        if best is None or (bool(claim.doubt), claim.rank, comparison.distance) < (
            bool(best.doubt), best.rank, best.comparison.distance
        ):  # fmt: skip
            best = claim
    return best


def _said(reading: Reading) -> Saying:
    """Of which kinds of values a wording speaks, and what it says, without what only asks."""
    return reading.signature, reading.words | reading.marks | (reading.small & _TELLING)


def _played(asked: Reading, lifted: Lifted, one: Shipped, comparison: Comparison, some: _Wordings) -> _Claim:
    """A claim with which value plays which part."""
    order = slot_order(asked, one.reading, comparison.tier)
    if order is None:
        return _Claim(one, comparison, {}, "it is not clear which value plays which part")
    parts = {part: lifted.slots[j] for part, j in zip(one.parts, order, strict=True)}
    for part, j in zip(one.parts, order, strict=True):
        role, slot = asked.roles[j][0], lifted.slots[j]
        seen = some.before[part]
        if role not in (seen | _SOFT if one.kinds[part] == "table" and seen & _SOFT else seen):
            behind = f"behind {role!r}" if role else "by itself"
            return _Claim(one, comparison, parts, f"{slot.text!r} stands {behind}, where no wording has it")
        known = set(slot.kinds)
        if one.kinds[part] in _NAMED and known <= _UNKNOWN:
            continue
        if one.kinds[part] == LETTERS and known <= _UNKNOWN | _TEXTS and isinstance(slot.value, str):
            continue
        if one.kinds[part] not in _PLAIN and one.kinds[part] not in known and "quoted" not in known:
            return _Claim(one, comparison, parts, f"{slot.text!r} is no {one.kinds[part]}")
    return _Claim(one, comparison, parts)


def _new_names(goal: str, vocabulary: Vocabulary | None, wordings: Sequence[_Wordings]) -> list[str]:
    """What stands in the goal where a recorded wording has a new name, all else being equal."""
    found: dict[str, None] = {}
    start = goal.casefold()
    for some in wordings:
        for one in some.shipped:
            if one.unnamed is not None and start.startswith(one.begins):
                found |= dict.fromkeys(unknown_values(goal, one.unnamed, LITERAL))
    known = {slot.text.casefold() for slot in lift(goal, vocabulary).slots} if found else set()
    return [text for text in found if text.casefold() not in known and " " not in text]


def _nothing(lifted: Lifted, doubt: _Claim | None) -> Match:
    reason = doubt.doubt if doubt is not None else NOTHING_SAID
    return Match("none", 0.0, None, reasons=(reason,), lifted=lifted)
