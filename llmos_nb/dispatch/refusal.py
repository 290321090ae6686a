"""A goal that nobody can work on without a key: in one or two sentences what stopped it, and what is free instead.

What stopped it is found by trying: where the goal is served once one of its words is replaced by a column or a value that
there is, that word was the reason. Each goal that is named instead was matched before it is: typed as it stands, it is
served; and it changes nothing, unless it is the very goal with a name or a value put right.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from llmos_nb.dispatch.denied import denied
from llmos_nb.dispatch.harmless import changes, is_another, is_opposed, multiplies
from llmos_nb.dispatch.known import is_id, sample, table_files
from llmos_nb.dispatch.rephrased import no_such_table, rephrased
from llmos_nb.dispatch.shipped import (
    DIFFERING,
    SAYING_LITTLE,
    TEXTS_READ,
    beyond,
    held,
    misfit,
    shipped_match,
    spellings,
    spoken,
)
from llmos_nb.memory import TraceStore
from llmos_nb.memory.besides import OF_THEIR_OWN
from llmos_nb.memory.library import NOTHING_SAID, Library, lifted_singly
from llmos_nb.memory.reading import MARKS
from llmos_nb.memory.slots import Lifted, Slot
from llmos_nb.memory.slots.ordinary import ORDINARY
from llmos_nb.tools.packs import packs
from llmos_nb.tools.points import either_number
from llmos_nb.tools.tables import (
    COLUMN,
    DATE,
    FLAG,
    NUMBER,
    TEXT,
    VALUE,
    Grounded,
    Table,
    columns_apart,
    date_columns,
    grounded,
    over_dates,
    tables_of,
)  # fmt: skip

__all__ = ["WITH_A_KEY", "Refusal", "refusal"]

WITH_A_KEY: Final = "With a key (%llmos_endpoint claude) Claude works it out once, and it is free from then on."
#: Goals that are named instead; nearest recorded goals that are tried for them; words that are tried as wrong.
NAMED: Final = 3
TRIED: Final = 8
SPANS: Final = 3
#: Characters of a goal that is named instead.
LONGEST: Final = 120
#: Names and values of one kind that are put in a word's place.
OTHERS: Final = 2
_GENERAL: Final = "nothing that is free without a key is asked for in these words"
#: Behind these stands what makes groups.
_GROUPING: Final = re.compile(r"\b(?:by|per|each|every) $", re.IGNORECASE)
#: What is asked of time, and of what is true or false.
_TIMELY: Final = re.compile(
    r"\b(?:per|by|each|every|(?:hour|dai|week|month|quarter|year)(?:ly)?|using|time|dates?|day|trend|develop\w*|over|after|before"
    r"|since|until|between|earliest|latest|newest|when)\b",
    re.IGNORECASE,
)
_FLAGGED: Final = re.compile(r"\b(?:true|false)\b", re.IGNORECASE)
_ANY: Final = re.compile("")
_DRAWS: Final = re.compile(r"\b(?:plot|draw|chart|graph|visuali[sz]e)\b", re.IGNORECASE)
_FILE: Final = re.compile(r"[\w./\\-]+\.(?:csv|tsv|txt|xlsx|xls|parquet|json|db|sqlite|duckdb)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a goal is not free, empty where there is nothing that it could be about; and goals that are, and come near."""

    reason: str
    instead: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """What can be asked instead, and what a key would add."""
        told = "; ".join(f"“{goal}”" for goal in self.instead)
        free = f"Free instead: {told}. " if told else ""
        return f"{free}{WITH_A_KEY} %llmos --known lists all that is free."


def refusal(goal: str, library: Library, store: TraceStore, names: Mapping[str, Any], cwd: Path) -> Refusal:
    """Why ``goal`` is not served, as far as that can be told, and what is."""
    found = _refusal(goal, library, store, names, cwd)
    own = shipped_match(goal, library, store, names).steps

    def leads_on(one: str) -> bool:
        return own is None or shipped_match(one, library, store, names).steps != own

    return replace(found, instead=tuple(one for one in found.instead if is_another(goal, one) and leads_on(one)))


def _refusal(goal: str, library: Library, store: TraceStore, names: Mapping[str, Any], cwd: Path) -> Refusal:
    tables = tables_of(names)
    there = table_files(cwd)
    absent = next((name for name in _FILE.findall(goal) if not (cwd / name).is_file()), "")
    if absent and not re.search(rf"\b(?:to|as|into|in) (?:the file )?{re.escape(absent)}", goal):
        near = difflib.get_close_matches(absent, there, n=1, cutoff=0.4) or there[:1]
        said = f"; {near[0]} is" if near else ""
        loading = _served([f"load {_quoted_file(name)}" for name in near], library, store, names)
        return Refusal(f"the file {absent} is not there{said}", tuple(loading))
    if not tables:
        return _without_tables(goal, [f"load {_quoted_file(name)}" for name in there], library, store, names)
    readings = list(grounded(goal, tables))
    problem = next((one.problem for one in readings if one.problem), "")
    either = either_number(goal, (name for table in tables for name in table.said()))
    if either is not None:
        start, end, ways = either
        written = [f"{goal[:start]}{way}{goal[end:]}" for way in ways]
        return Refusal(problem, tuple(_served(written, library, store, names)))
    usable = [one for one in readings if one.tables and not one.problem]
    if problem and not usable and (apart := columns_apart(goal, tables)):
        joined = [f"join {one} and {other}" for one, other in itertools.combinations(apart, 2)]
        return Refusal(problem, tuple(itertools.islice(_served(joined, library, store, names), NAMED)))
    if free := _distinct(rephrased(goal, tables), library, store, names):
        return Refusal(problem or _GENERAL, tuple(free[:NAMED]))
    if problem and not usable:
        named = [f"{goal.rstrip(' .?!')} in {table.name}" for table in tables]
        if free := list(itertools.islice(_served(named, library, store, names), NAMED)):
            return Refusal(problem, tuple(free))
    told = (
        _there_already(goal, library, store, names, cwd)
        or _which_dates(goal, usable, library, store, names)
        or _converted_otherwise(usable, library, store, names)
        or _ordinary_word(goal, tables, library, store, names)
        or _by_which(goal, usable, library, store, names)
        or _either_way(goal, usable, library, store, names)
    )
    if told:
        return told
    for reading in usable:
        found = _of_the_values(goal, reading, library, store, names) or _unknown_word(reading, library, store, names)
        if found is not None:
            return found
    gone, strange = _table_gone(goal, tables, library, store, names), beyond(goal, library, tables)
    if gone is not None and (gone.instead or not strange or _misspelt(goal, tables)):
        return gone
    main = usable[0].tables[0] if usable else tables[0]
    reading = usable[0] if usable else Grounded(goal, tuple(tables))
    if not problem:
        doubts = (library.match(one.goal, one.vocabulary)[0].reasons for one in usable)
        problem = next((said[0] for said in doubts if said and said[0] != NOTHING_SAID), "")
    return Refusal(strange or problem or _GENERAL, tuple(_near(reading, main, library, store, names, tables, cwd)))


def _distinct(goals: Iterable[str], library: Library, store: TraceStore, names: Mapping[str, Any]) -> list[str]:
    """Those of the goals that are free and change nothing, one for each thing that they do."""
    found: dict[str, str] = {}
    for goal in _served(list(goals), library, store, names, looking=True):
        steps = shipped_match(goal, library, store, names).steps or ()
        found.setdefault(repr([step.arguments for step in steps]), goal)
    return list(found.values())


def _quoted_file(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _without_tables(
    goal: str, loading: Sequence[str], library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal:
    """No table is there: so it is told where the goal speaks of what one does with tables."""
    doubt = library.match(goal, None)[0].reasons
    known = next((one for one in doubt if one != NOTHING_SAID), "")
    said = {word.lower() for word in re.findall(r"[^\W\d_]+", goal)} - SAYING_LITTLE
    about = not said.isdisjoint(library.words)
    why = known or ("no table is loaded yet" if about else "")
    free = itertools.islice(_served(loading, library, store, names), NAMED - 1)
    return Refusal(why, (*free, "What can you do?"))


def _table_gone(
    goal: str, tables: Sequence[Table], library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """The goal would be free of a table that there is, and names one that there is not."""
    found: list[str] = []
    said = ""
    for word, instead in no_such_table(goal, tables):
        known = {one.casefold() for table in tables for one in table.said()}
        if word.casefold() in known or word.casefold() in SAYING_LITTLE or word.casefold() in library.words:
            return None
        said = word
        found += _served([instead], library, store, names, looking=True)
    if not said:
        return None
    return Refusal(
        f"nothing here is called {said!r}: there is {_some([table.name for table in tables])}", tuple(found[:NAMED])
    )


def _misspelt(goal: str, tables: Sequence[Table]) -> bool:
    """Whether a word of the goal is nearly the name of a table."""
    names = [table.name.lower() for table in tables]
    return any(difflib.get_close_matches(word.lower(), names) for word in re.findall(r"\w+", goal))


def _either_way(
    goal: str, usable: Sequence[Grounded], library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """The goal is about what is so or not, and does not say which in words that are known."""
    for reading in usable:
        table = reading.tables[0]
        for column in table.of_kind(FLAG):
            if re.search(rf"\b(?:un|in|non-?)?{re.escape(column)}\b", reading.goal, re.IGNORECASE) is None:
                continue
            ways = [
                f"{table.name} that are {column}",
                f"{table.name} not {column}",
                f"{table.name} where {column} is missing",
            ]
            if free := list(_served(ways, library, store, names)):
                return Refusal(reading.problem or denied(reading) or _GENERAL, tuple(free))
        if told := denied(reading):
            column = next(name for name in table.columns if told.startswith(f"{name} "))
            values = sorted(table.values.get(column, ())) or ["0"]
            ways = [f"{table.name} where {column} is {value}" for value in (*values, "missing")]
            ways.insert(1, f"{table.name} where {column} = 0")
            return Refusal(told, tuple(_served(ways, library, store, names)))
    return None


def _by_which(
    goal: str, usable: Sequence[Grounded], library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """The goal has a superlative that says of what by itself, "longest", and no column that is meant."""
    found = next((word for word in re.findall(r"[^\W\d_]+", goal.lower()) if word in OF_THEIR_OWN), "")
    if not found or not usable:
        return None
    table = usable[0].tables[0]
    end = "lowest" if MARKS.get(found, "min") == "min" else "highest"
    columns = [name for name in table.of_kind(NUMBER) if not is_id(name, table)]
    asked = [f"which row of {table.name} has the {end} {column}" for column in columns]
    free = itertools.islice(_served(asked, library, store, names), NAMED)
    return Refusal(f"{found!r} does not say by which column of {table.name}", tuple(free))


def _there_already(
    goal: str, library: Library, store: TraceStore, names: Mapping[str, Any], cwd: Path
) -> Refusal | None:
    """The goal is free but for the file that it would write, which is there: it can be called otherwise."""
    match = shipped_match(goal, library, store, names)
    file = next((file for step in match.steps or () for file in step.expect.files if (cwd / file).exists()), "")
    table = next((str(slot.value) for slot in match.slots if slot.value in names), "")
    if not file or not table:
        return None
    path = Path(file)
    free = next(one for n in range(2, 1000) if not (cwd / (one := f"{path.stem}_{n}{path.suffix}")).exists())
    return Refusal(f"{file} is there already", tuple(_served([f"save {table} to {free}"], library, store, names)))


def _which_dates(
    goal: str, usable: Sequence[Grounded], library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """The goal is about periods, and the table has several columns of dates: which one is meant must be said."""
    for reading in usable:
        over = over_dates(reading, goal)
        if len(over) < 2:
            continue
        table = reading.tables[0]
        free = list(_served([one.goal for one in over[:NAMED]], library, store, names))
        if free:
            dates = _some(date_columns(table))
            return Refusal(
                f"{table.name} has several columns of dates ({dates}): say which one is meant", tuple(free)
            )
        if (found := _of_the_values(over[0].goal, over[0], library, store, names)) is not None:
            return found
    return None


def _converted_otherwise(
    usable: Sequence[Grounded], library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """The goal converts a column that cannot be read so; it may be in another way."""
    for reading in usable:
        match, parts = library.match(reading.goal, reading.vocabulary)
        part = next((part for part in ("j", "w") if part in parts), "")
        if match.steps is None or not part or parts.keys() != {"t", part} or not changes(match.steps):
            continue
        table = reading.table(str(parts["t"].value))
        column = str(parts[part].value)
        if table is not None and column in table.columns:
            goals, why = _conversions(column, table, NUMBER if part == "j" else DATE)
            if why:
                return Refusal(why, tuple(_served(goals, library, store, names)))
    return None


def _ordinary_word(
    goal: str, tables: Sequence[Table], library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """The goal is free once a word that is a column's name, too, is marked as such."""
    for table in tables:
        for column in (name for name in table.columns if name.lower() in ORDINARY):
            said = re.compile(rf"(?<![\w`'\"]){re.escape(column)}(?![\w`'\"])")
            marked = [said.sub(f"`{column}`", goal)] if said.search(goal) else []
            found = list(_served(marked, library, store, names))
            if found:
                why = f"{column!r} is a column of {table.name} and an ordinary word: in back-ticks it is the column"
                return Refusal(why, tuple(found))
    return None


def _conversions(column: str, table: Table, kind: str) -> tuple[list[str], str]:
    """Goals that convert a column of texts to numbers or dates and will not fail; why there are none."""
    readers = [pack.unreadable for pack in packs() if pack.unreadable is not None]
    ways = ("numbers", "numbers with a decimal comma", "numbers with a decimal point")
    ways = ways if kind == NUMBER else ("dates", "european dates", "american dates")
    why = ""
    for way in ways:
        doubt = next((told for reader in readers if (told := reader(table.frame[column], way))), "")
        why = why or doubt
        if not doubt and way == ways[0]:
            return [f"convert {column} in {table.name} to {way}"], ""
    fine = [way for way in ways[1:] if not any(reader(table.frame[column], way) for reader in readers)]
    return [f"convert {column} in {table.name} to {way}" for way in fine], why


def _of_the_values(
    goal: str, reading: Grounded, library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """The wording is a task's, and its values are not what the task works on; also where a column is taken for one of
    another kind."""
    problem = _unfit(reading, library, store)
    if problem:
        return Refusal(problem, tuple(_served(list(_spelled(reading, library, problem)), library, store, names)))
    said = [str(slot.value) for slot in lifted_singly(reading.goal, reading.vocabulary).slots]
    for table in reading.tables:
        for column in (name for name in dict.fromkeys(said) if name in table.columns):
            holds = table.columns[column]
            for kind in (one for one in (NUMBER, DATE, FLAG, TEXT) if one != holds and _could_need(one, goal)):
                taken = replace(table, columns={**table.columns, column: kind})
                for other in grounded(goal, [taken, *(one for one in reading.tables if one.name != table.name)]):
                    if other.problem or not other.tables or _unfit(other, library, store) != "":
                        continue
                    needed = "column of numbers" if kind == NUMBER else "column of dates" if kind == DATE else kind
                    why = f"{column} in {table.name} {held(column, holds, table)}, and a {needed} is needed"
                    instead, doubt = _conversions(column, table, NUMBER) if TEXTS_READ in why else ([], "")
                    why += f"; {doubt}" if doubt else ""
                    fitting = [name for name in table.of_kind(kind) if name not in said and not is_id(name, table)]
                    spelled = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)")
                    others = [spelled.sub(_safe(name), reading.goal) for name in fitting[:OTHERS]]
                    looking = list(_served(others, library, store, names, looking=True))
                    if (
                        kind == TEXT and holds == NUMBER and _DRAWS.search(goal)
                    ):  # what can be drawn of this very column goes first
                        own = (
                            f"{chart} of {column} in {table.name}"
                            for chart in ("histogram", "line chart", "box plot")
                        )
                        looking = [*_served(list(own), library, store, names, looking=True), *looking]
                    return Refusal(why, (*_served(instead, library, store, names), *looking[:NAMED]))
    return None


def _could_need(kind: str, goal: str) -> bool:
    """Whether the goal may be one that needs a column of this kind: of dates and flags only one that says so does."""
    return {DATE: _TIMELY, FLAG: _FLAGGED}.get(kind, _ANY).search(goal) is not None


def _spelled(reading: Grounded, library: Library, problem: str) -> Iterator[str]:
    """Where a value is there in several spellings: the goal with each of them in quotes, and what makes them one."""
    if DIFFERING not in problem:
        return
    _, parts = library.match(reading.goal, reading.vocabulary)
    slot, column = next(((parts[part], parts["k"]) for part in ("v", "z") if part in parts), (None, None))
    if slot is None or column is None:
        return
    yield f"make the spellings of {column.value} in {reading.tables[0].name} alike"
    bare = slice(slot.start - _quoted(reading.goal, slot), slot.end + _quoted(reading.goal, slot))
    for one in spellings(reading.tables[0].frame[str(column.value)], str(slot.value))[:OTHERS]:
        quote = '"' if "'" in one else "'"
        yield f"{reading.goal[: bare.start]}{quote}{one}{quote}{reading.goal[bare.stop :]}"


def _quoted(goal: str, slot: Slot) -> bool:
    return goal[slot.start - 1 : slot.start] in tuple("'\"`“‘")


def _unfit(reading: Grounded, library: Library, store: TraceStore) -> str | None:
    """Why the task that is asked for cannot be done on these values, empty where it can; None where no task is."""
    match, parts = library.match(reading.goal, reading.vocabulary, without=store.tasks_called_wrong())
    if match.steps is None or match.trace is None:
        return None
    return misfit({name: str(slot["type"]) for name, slot in match.trace.slots.items()}, parts, reading)


def _unknown_word(reading: Grounded, library: Library, store: TraceStore, names: Mapping[str, Any]) -> Refusal | None:
    """One word stands where a column or a value should, and is none."""
    lifted = lifted_singly(reading.goal, reading.vocabulary)
    for table in reading.tables:
        for start, end in _spans(lifted, reading, library):
            said = reading.goal[start:end]
            found: dict[str, str] = {}
            reason = ""
            for kind, other in _candidates(said, reading.goal[:start], lifted, table):
                tried = f"{reading.goal[:start]}{other}{reading.goal[end:]}"
                match = shipped_match(tried, library, store, names)
                if match.steps is None or match.trace is None:
                    continue
                reason = reason or _absent(said, kind, lifted, table)
                if changes(match.steps) and not _like(said.strip("`'\""), [other]):
                    continue
                found.setdefault(tried, kind)
                if len(found) == NAMED - 1:
                    break
            if reason:
                return Refusal(reason, tuple(found))
        if (both := _two_words(reading, lifted, table, library, store, names)) is not None:
            return both
    return None


def _two_words(
    reading: Grounded, lifted: Lifted, table: Table, library: Library, store: TraceStore, names: Mapping[str, Any]
) -> Refusal | None:
    """Two words stand where columns should, and are none."""
    spans, goal = sorted(_spans(lifted, reading, library)), reading.goal
    if len(spans) != 2:
        return None
    (start, end), (next_start, next_end) = spans
    one, two = goal[start:end], goal[next_start:next_end]
    choices = [
        [pair for pair in _candidates(said, goal[:at], lifted, table) if pair[0] == COLUMN][: OTHERS + 1]
        for said, at in ((one, start), (two, next_start))
    ]
    for (_, first), (_, second) in itertools.product(*choices):
        tried = f"{goal[:start]}{first}{goal[end:next_start]}{second}{goal[next_end:]}"
        steps = shipped_match(tried, library, store, names).steps
        if first != second and steps is not None:
            has = _some(list(table.columns))
            meant = not changes(steps) or (_like(one, [first]) and _like(two, [second]))
            told = f"{table.name} has neither a column {one!r} nor {two!r}: it has {has}"
            return Refusal(told, (tried,) if meant else ())
    return None


def _spans(lifted: Lifted, reading: Grounded, library: Library) -> list[tuple[int, int]]:
    """Where the goal has words that no recorded goal has and nothing here is called: the longest first."""
    taken = [
        (slot.start, slot.end)
        for slot in lifted.slots
        if {"table", COLUMN, VALUE} & set(slot.kinds) or slot.kind in ("integer", "decimal", "date", "path")
    ]
    free: list[tuple[int, int]] = []
    for match in re.finditer(r"(?<![\w.])(?:\"[^\"]+\"|'[^']+'|`[^`]+`|[^\W\d_][\w-]*)", reading.goal):
        inside = any(start < match.end() and match.start() < end for start, end in taken)
        word = match[0].lower()
        if inside or word in SAYING_LITTLE or word in library.words:
            continue
        if free and reading.goal[free[-1][1] : match.start()] == " ":
            free[-1] = (free[-1][0], match.end())
        else:
            free.append((match.start(), match.end()))
    return sorted(free, key=lambda span: span[0] - span[1])[:SPANS]


def _candidates(said: str, before: str, lifted: Lifted, table: Table) -> Iterator[tuple[str, str]]:
    """What could stand in the place of a word: columns that are called nearly so, columns of each kind, and values of the
    columns that the goal names."""
    bare = said.strip("`'\"")
    used = {str(slot.value) for slot in lifted.slots}
    free = [name for name in table.columns if name not in used]
    near = _like(bare, free)
    yield from ((COLUMN, name) for name in near)
    for column in (name for name in table.columns if name in used and table.values.get(name)):
        values = sorted(table.values[column])
        yield from ((VALUE, value) for value in (_like(bare, values) or values)[:OTHERS])
    for kind in (TEXT, NUMBER, DATE) if _GROUPING.search(before) else (NUMBER, TEXT, DATE):
        fitting = sorted((name for name in table.of_kind(kind) if name in free), key=lambda name: is_id(name, table))
        yield from ((COLUMN, name) for name in fitting[: OTHERS + 1] if name not in near)


def _like(said: str, names: Sequence[str]) -> list[str]:
    """Names that are spelled nearly so, or have a word in common; the nearest first."""
    words = set(re.findall(r"[^\W_]+", said.lower()))
    shared = [name for name in names if words & set(re.findall(r"[^\W_]+", name.lower()))]
    low = {name.lower(): name for name in names}
    close = [low[name] for name in difflib.get_close_matches(said.lower(), low, n=OTHERS, cutoff=0.6)]
    return list(dict.fromkeys([*close, *shared]))[:OTHERS]


def _absent(said: str, kind: str, lifted: Lifted, table: Table) -> str:
    bare = said.strip("`'\"")
    if kind == VALUE:
        column = next(str(s.value) for s in lifted.slots if table.values.get(str(s.value)))
        values = sorted(table.values[column])
        near = _like(bare, values)
        told = f"did you mean {near[0]!r}?" if near else f"it has {_some(values)}"
        return f"{column} in {table.name} has no value {bare!r}: {told}"
    near = _like(bare, list(table.columns))
    told = f"did you mean {near[0]}?" if near else f"it has {_some(list(table.columns))}"
    return f"{table.name} has no column {bare!r}: {told}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _near(
    reading: Grounded,
    table: Table,
    library: Library,
    store: TraceStore,
    names: Mapping[str, Any],
    tables: Sequence[Table],
    cwd: Path,
) -> Iterator[str]:
    """Goals near to this one, said with what it names and what is there, that are served."""
    said = [str(slot.value) for slot in lifted_singly(reading.goal, reading.vocabulary).slots]
    own = [one for one in said if one not in {other.name for other in tables}]
    number = 0
    for one in library.nearest(reading.goal, reading.vocabulary, TRIED):
        values = sample(one.kinds, table, tables, cwd, said)
        if values is None or number == NAMED:
            continue
        found = next(_served([spoken(one, values)], library, store, names, looking=True), "")
        if found and is_another(reading.goal, found) and not is_opposed(reading.goal, found, own, table.columns):
            number += 1
            yield found


def _served(
    goals: Sequence[str], library: Library, store: TraceStore, names: Mapping[str, Any], *, looking: bool = False
) -> Iterator[str]:
    """Those of the goals that are free as they stand; when ``looking``, only those that change nothing."""
    for goal in (one for one in dict.fromkeys(goals) if len(one) <= LONGEST):
        steps = shipped_match(goal, library, store, names).steps
        if steps is not None and not (looking and (changes(steps) or multiplies(goal, tables_of(names)))):
            yield goal


def _safe(text: str) -> str:
    return text.replace("\\", r"\\")
