"""Tasks that come with the packs, asked for in the user's own words and about the user's own tables.

Served is what is certain: the words are those of a recorded task, the tables and columns are there and of the kind that
the task works on, the values occur. Anything else is left to the agent, with the reason.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from llmos_nb.dispatch.denied import denied
from llmos_nb.memory import Match, Trace, TraceStore
from llmos_nb.memory.confidence import reliability
from llmos_nb.memory.library import GROUP, Library, Shipped
from llmos_nb.memory.reading import FILLERS, MARKS, RELATIONS
from llmos_nb.memory.slots import Slot
from llmos_nb.memory.slots.ordinary import ORDINARY
from llmos_nb.tools.tables import COLUMN, PROSE, TABLE, TEXT, VALUE, Grounded, Table, grounded, is_prose, tables_of

__all__ = [
    "DIFFERING", "SAYING_LITTLE", "TEXTS_READ", "beyond", "held", "is_level", "misfit", "owner", "shipped_match",
    "spellings", "spoken",
]  # fmt: skip

#: Kinds of parts that are columns end so.
_COLUMN: Final = "column"
_NEW: Final = "new name"
#: What texts are that could be read as numbers.
TEXTS_READ: Final = "texts that look like numbers"
_NUMERIC: Final = re.compile(r"[^\w\s.,+-]{0,3}\s*[+-]?[\d.,]*\d(?:[eE][+-]?\d+)?\s*[^\W\d_]{0,4}[^\w\s]{0,2}")
_DAY: Final = re.compile(r"\d{4}-\d\d(?:-\d\d)?")
_ONE_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
#: Values that a person takes for one.
DIFFERING: Final = "values that differ in capitals or blanks alone"
#: Texts of a column that are looked at for that.
_LOOKED_AT: Final = 200
#: Words that do not tell what a goal is about.
SAYING_LITTLE: Final = frozenset(ORDINARY).union(FILLERS, MARKS, RELATIONS)


def shipped_match(goal: str, library: Library, store: TraceStore, names: Mapping[str, Any]) -> Match:
    """What a pack's library makes of ``goal``, bound and ready to run, or why it serves nothing."""
    without = store.tasks_called_wrong()
    refused: Match | None = None
    tables = tables_of(names)
    for reading in grounded(goal, tables):
        if reading.problem:
            why = beyond(goal, library, tables) or reading.problem
            refused = Match("none", 0.0, None, reasons=(why,))
            continue
        match, parts = library.match(
            reading.goal, reading.vocabulary, without=without, reliability=lambda id: _trusted(store, id)
        )
        if match.steps is None or match.trace is None:
            refused = match
            continue
        kinds = {name: str(slot["type"]) for name, slot in match.trace.slots.items()}
        problem = (
            misfit(kinds, parts, reading)
            or denied(reading)
            or _overlooked(match, reading)
            or _other_reading(match, parts, kinds, reading, library)
        )
        if problem:
            return dataclasses.replace(
                match, verdict="none", steps=None, trace_id=None, trace=None, confidence=0.0, reasons=(problem,)
            )
        if reading.reading:
            match = dataclasses.replace(match, reasons=(f"{match.reasons[0]}, read as {reading.reading!r}",))
        return dataclasses.replace(match, notes=tuple(_notes(match.trace, parts, kinds, reading)))
    return refused or Match("none", 0.0, None)


def beyond(goal: str, library: Library, tables: Sequence[Table]) -> str:
    """Why a goal is none for the library, where half of its words or more are neither of its tasks nor of the tables: what
    else may be unclear about it does not matter then. Empty for other goals."""
    said = {word.lower(): word for word in re.findall(r"[^\W\d_]+", goal) if word.lower() not in SAYING_LITTLE}
    here = {word.lower() for table in tables for name in table.said() for word in re.findall(r"[^\W\d_]+", name)}
    strange = [word for low, word in said.items() if low not in library.words and low not in here]
    if not strange or 2 * len(strange) < len(said):
        return ""
    return f"nothing that is free without a key is about {', '.join(f'“{word}”' for word in strange[:4])}"


def _trusted(store: TraceStore, trace_id: str) -> float:
    record = store.uses(trace_id)
    return reliability(record.successes, record.failures)


def misfit(kinds: Mapping[str, str], parts: Mapping[str, Slot], reading: Grounded) -> str:
    """Why a task cannot be done on what plays its parts; empty where it can."""
    tables: list[Table] = []
    for name, slot in parts.items():
        if kinds[name] == TABLE:
            table = reading.table(str(slot.value))
            if table is None:
                return f"{slot.text!r} is no table"
            tables.append(table)
    if len({table.name for table in tables}) < len(tables):
        return f"{tables[0].name} is named twice"
    columns: dict[str, str] = {}
    for name, slot in parts.items():
        if not kinds[name].endswith(_COLUMN):
            continue
        column = str(slot.value)
        for table in tables:
            holds = table.columns.get(column)
            if holds is None:
                return f"{table.name} has no column {column!r}"
            if kinds[name] == PROSE and holds == TEXT and is_prose(column):
                continue
            if kinds[name] not in (COLUMN, holds):
                return f"{column} in {table.name} {held(column, holds, table)}, and a {kinds[name]} is needed"
        if column in columns.values():
            return f"the column {column!r} is named twice"
        columns[name] = column
    for name, slot in parts.items():
        problem = _of_value(kinds[name], name, slot, tables, columns, reading)
        if problem:
            return problem
    return _of_levels(parts, tables, columns) or _of_ends(kinds, parts)


def owner(part: str) -> str:
    """The column's part that a value's part belongs to: ``v2`` is a value of ``l``, every other one of ``k``."""
    return "l" if part == "v2" else "k"


def is_level(part: str) -> bool:
    """Whether a value plays the part of one of all that a column has, in the order that is meant (``i1``, ``i2`` …)."""
    return re.fullmatch(r"i\d", part) is not None


def _of_levels(parts: Mapping[str, Slot], tables: list[Table], columns: Mapping[str, str]) -> str:
    """That values which are put in order are not all that the column has; empty where they are."""
    levels = [str(slot.value) for part, slot in parts.items() if is_level(part)]
    if not levels or not tables:
        return ""
    if len(set(levels)) < len(levels):
        return f"{next(one for one in levels if levels.count(one) > 1)!r} is named twice"
    rest = sorted(set(tables[0].frame[columns["k"]].dropna().unique().tolist()) - set(levels), key=str)
    return f"{columns['k']} in {tables[0].name} has {_listed(rest[:3])}, too: name each value" if rest else ""


def _of_ends(kinds: Mapping[str, str], parts: Mapping[str, Slot]) -> str:
    """That a range of one column ends before it begins, so that nothing is in it; empty where it does not."""
    for one, other in (("a", "b"), ("e", "f")):
        if one not in parts or other not in parts or (one == "a" and "y" in parts):
            continue
        first, last = parts[one].value, parts[other].value
        numbers = isinstance(first, int | Decimal) and isinstance(last, int | Decimal) and first > last
        days = isinstance(first, str) and isinstance(last, str) and _DAY.fullmatch(first) and _DAY.fullmatch(last)
        if numbers or (days and str(first) > str(last)):
            return f"nothing is between {first} and {last}: the first is the {'higher' if numbers else 'later'} one"
    return ""


def _notes(
    trace: Trace | None, parts: Mapping[str, Slot], kinds: Mapping[str, str], reading: Grounded
) -> Iterator[str]:
    """What is to be known of the groups that a task makes: values that look alike are groups of their own."""
    if trace is None or VALUE in kinds.values():
        return
    groups = "klc" if trace.extra.get(GROUP) in ("groups", "charts") else "kl"
    table = reading.table(str(parts["t"].value)) if "t" in parts else None
    for column in (str(slot.value) for part, slot in sorted(parts.items()) if part in groups):
        if table is None or table.columns.get(column) != TEXT:
            continue
        alike: dict[str, list[str]] = {}
        for text in (one for one in table.frame[column].dropna().unique().tolist() if isinstance(one, str)):
            alike.setdefault(_plain(text), []).append(text)
        several = [sorted(texts) for texts in alike.values() if len(texts) > 1]
        if several:
            told = f"{column} has {DIFFERING}, each counted by itself: {_listed(several[0])}"
            more = f" and {len(several) - 1} more" if len(several) > 1 else ""
            yield f"{told}{more}; “make the spellings of {column} in {table.name} alike” joins them"


def spellings(column: Any, value: str) -> list[str]:
    """The texts of a column that are ``value`` but for capitals and blanks."""
    plain = _plain(value)
    return sorted(one for one in column.dropna().unique().tolist() if isinstance(one, str) and _plain(one) == plain)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()


def _is_quoted(slot: Slot, reading: Grounded) -> bool:
    """Whether the goal has the very value in quotes: then no other spelling of it is meant."""
    around = reading.goal[slot.start - 1 : slot.start] + reading.goal[slot.end : slot.end + 1]
    return slot.text == slot.value and slot.text not in reading.quoted and around in ("''", '""', "``", "“”", "‘’")


def held(column: str, holds: str, table: Table) -> str:
    """What a column holds, said of one that is not of the kind that is needed."""
    if holds != TEXT:
        return f"is a {holds}"
    texts = sorted(table.values.get(column, ()))[:_LOOKED_AT]
    told = f"({texts[0]!r})" if texts else ""
    numeric = sum(bool(_NUMERIC.fullmatch(text.strip())) for text in texts)
    if texts and numeric > len(texts) / 2:
        return f"holds {TEXTS_READ} {told}"
    return f"holds texts {told}".rstrip()


def _overlooked(match: Match, reading: Grounded) -> str:
    """That a word of the goal, which was taken for an ordinary one, is a column's name as well; empty if none is."""
    lifted = match.lifted
    said = " ".join(lifted.pieces).lower() if lifted is not None else ""
    for table in reading.tables:
        for column in table.columns:
            if column.lower() in ORDINARY and re.search(rf"\b{re.escape(column.lower())}\b", said):
                return f"{column!r} is a column of {table.name}, too: put it in back-ticks where you mean it"
    return ""


def _other_reading(
    match: Match, parts: Mapping[str, Slot], kinds: Mapping[str, str], reading: Grounded, library: Library
) -> str:
    """That the goal asks for something else where a column's name is taken for an ordinary word; empty if it does not."""
    named = [slot for name, slot in parts.items() if kinds[name].endswith(_COLUMN)]
    columns = [str(slot.value) for slot in named]
    for slot in named:  # one that is a table, too, is a name however it is taken: nothing shows whether it is a word
        word = str(slot.value).casefold()
        if reading.table(str(slot.value)) is not None and word in library.words and not _is_quoted(slot, reading):
            return f"{slot.text!r} is a column, a table and a word: put it in back-ticks where you mean the column"
    for some in {frozenset((column,)) for column in columns} | {frozenset(columns)}:
        other, _ = library.match(reading.goal, reading.without(some)) if some else (match, {})
        if other.steps is not None and other.steps != match.steps:
            return f"{_listed(sorted(some))} may be meant as a column or not: put it in back-ticks where you mean it"
    return ""


def _listed(names: list[Any]) -> str:
    return " and ".join(repr(name) for name in names)


def _of_value(
    kind: str, name: str, slot: Slot, tables: list[Table], columns: Mapping[str, str], reading: Grounded
) -> str:
    """Why a value does not fit; empty where it does."""
    if kind == VALUE:
        column = columns.get(owner(name))
        if column is None or not tables:
            return f"it is not clear of which column {slot.text!r} is a value"
        spelled = spellings(tables[0].frame[column], str(slot.value))
        if slot.value not in spelled and len(spelled) < 2:
            return f"no row of {tables[0].name} has {slot.text!r} in {column}"
        if len(spelled) > 1 and not _is_quoted(slot, reading):
            return f"{column} in {tables[0].name} has {DIFFERING}: {_listed(spelled)}"
    elif kind == "integer" and name == "n":
        if not isinstance(slot.value, int) or slot.value < 1:
            return f"{slot.text!r} is no count"
    elif kind == "integer" and name == "h":
        if not isinstance(slot.value, int) or not 1000 <= slot.value < 3000 or not slot.text.isdecimal():
            return f"{slot.text!r} is no year"
    elif kind == "date" and name in ("e2", "f2") and not _ONE_DAY.fullmatch(str(slot.value)):
        return f"{slot.text!r} is no day: write it as 2024-03-31"
    elif kind == _NEW and tables and slot.value in tables[0].frame.columns:
        return f"{tables[0].name} has a column {slot.text!r} already"
    return ""


def spoken(one: Shipped, said: Mapping[str, str] | None = None) -> str:
    """A recorded wording with other words for its parts; with what they are where none is given."""
    words = {
        "table": "TABLE", "column": "COLUMN", "number column": "NUMBERS", "date column": "DATES", "value": "VALUE",
        "text column": "TEXTS", "prose column": "TEXTS",
        "integer": "5", "number": "5", "path": "file.csv", "date": "2024-01-31", _NEW: "NAME",
        "flag column": "FLAG", "letters": "LETTERS",
    }  # fmt: skip
    given = said or {}
    pieces = [one.lifted.pieces[0]]
    for part, slot, piece in zip(one.parts, one.lifted.slots, one.lifted.pieces[1:], strict=True):
        word = given.get(part, words.get(one.kinds[part], part.upper()))
        pieces += [f"{word} {slot.text.split()[-1]}" if slot.unit and word.isdecimal() else word, piece]
    return "".join(pieces)
