"""A goal read with the tables that are in the namespace: which table it means, which columns, which of their values.

A newcomer types "sort by body mass" where one DataFrame has a column ``body_mass_g``. What is meant is worked out here,
or it is said why it cannot be: nothing is guessed where two tables, or two columns, could be meant.
"""

from __future__ import annotations

import re
import sys
import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from llmos_nb.memory.slots import Vocabulary
from llmos_nb.memory.slots.ordinary import ORDINARY, words
from llmos_nb.tools.points import either_told, plainly_pointed
from llmos_nb.tools.referring import pointing, second_question, unfinished

__all__ = [
    "COLUMN", "DATE", "FLAG", "NUMBER", "PROSE", "TABLE", "TEXT", "VALUE", "Grounded", "Table", "columns_apart",
    "date_columns", "grounded", "is_prose", "over_dates", "tables_of",
]  # fmt: skip

#: Kinds of words. A column has two: what it holds, and that it is one.
TABLE: Final = "table"
COLUMN: Final = "column"
NUMBER: Final = "number column"
TEXT: Final = "text column"
DATE: Final = "date column"
FLAG: Final = "flag column"
VALUE: Final = "value"
#: A text column whose name says that it holds what somebody wrote: the longest comment is a text, the longest river none.
PROSE: Final = "prose column"

#: Tables that are looked into, columns of one, rows of a text column that are read, its different values.
TABLES_LIMIT: Final = 50
COLUMNS_LIMIT: Final = 500
ROWS_LIMIT: Final = 20_000
DISTINCT_LIMIT: Final = 20_000
LONGEST: Final = 80

_PARTS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_a-zA-Z]+")
#: What a column's name may end in without its being said.
_UNITS: Final = frozenset(
    words("""
    name mm cm m km g kg mg t lb lbs oz usd eur gbp dollars euros pct percent perc c f k s sec secs seconds ms mins
    minutes h hr hrs hours days yrs l ml mph kmh ha sqft sqm m2 km2 hz kw kwh w v a pa hpa mb gb ppm
    """)
)
#: Words of tasks: a column may be called so, but is not meant by their plural ("missing values").
_OF_TASKS: Final = frozenset(
    words("""
    value type column row table record line bin bar size dimension statistic duplicate outlier date day week month year
    number mean average median total sum count rank group share percentage correlation name score summary time
    """)
)
_PROSE: Final = frozenset(
    words("""
    abstract body caption comment content description headline message name note question quote remark review sentence
    subject summary text title tweet word
    """)
)
#: A name in which one of these stands is not what it says without a part of it.
_NOT_ALONE: Final = frozenset(words("per of to from by no non not un without minus vs"))
_SELF: Final = re.compile(
    r"\b(?:the|this|my|our|that) (?:data ?frame|data ?set|table|data|spreadsheet|df)\b(?! types?\b)", re.IGNORECASE
)
_PERIOD: Final = re.compile(
    r"\b(?:per|by|each|every) (?:hour|day|week|month|quarter|year|weekday|calendar month)\b"
    r"|\b\d+[- ]days? (?:moving|rolling|running)\b"
    r"|\b(?:hour|dai|week|month|quarter|year)ly\b|\bover time\b|\bwhen (?:is|was)\b"
    r"|\b(?:latest|newest|earliest|oldest|most recent|first row)\b"
    r"|\b(?:after|before|on|in|from|of|between|since|until) [^,;]*\b\d{4}\b",
    re.IGNORECASE,
)
#: Texts that a pack may read as dates, whatever their order: whether each is one is told when they are read.
_DATED: Final = re.compile(
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./]\d{1,2}[./]\d{1,2}"
    r"|\d{1,2}\.?[ -][A-Za-z]{3,9}\.?,?[ -]\d{4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})"
    r"(?: \d{1,2}:\d{2}(?::\d{2})?(?: ?[AP]M)?)?",
    re.IGNORECASE,
)
#: What a person takes for dates as well, though it cannot be read as such.
_TWO_DIGITS: Final = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2}(?: \d{1,2}:\d{2}.*)?|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2}"
)
_OF_A_SHEET: Final = re.compile(r"\bsheet\b.*\.xlsx\b", re.IGNORECASE)
#: Values of a column that show whether it is one of dates.
_FEW: Final = 200
#: Behind a value that stands without quotes nothing follows that could go on with it.
_ENDS: Final = r"(?=[ .?!]*$| in [\w`]+[ .?!]*$| (?:and|or) )"
#: One word that is looked for in texts, or two.
_LOOKED_FOR: Final = re.compile(
    r"(\b(?:contains?|starts with|ends with) )(?!not\b)([^\W\d_][\w-]*)(?=[ .?!]*$| in [\w`]+[ .?!]*$)", re.IGNORECASE
)
_TWO_LOOKED_FOR: Final = re.compile(
    r"(\bcontains (?:both |either )?)(?!not\b)([^\W\d_][\w-]*) (and|or) (?!not\b)([^\W\d_][\w-]*)"
    r"(?=[ .?!]*$| in [\w`]+[ .?!]*$)",
    re.IGNORECASE,
)
_LETTERS: Final = re.compile(
    r"\b(?:contains?|starts with|ends with) (?:both |either )?['\"]([^'\"]+)['\"](?: (?:and|or) ['\"]([^'\"]+)['\"])?",
    re.IGNORECASE,
)
#: Where values are put in order, one may stand before this, and behind that.
_LEVEL_BEFORE: Final = r"(\b(?:in the order|order of|with|as|to|then|and) |[<,] ?)"
_LEVEL_BEHIND: Final = r"(?= ?[<,]| then\b| and\b|[ .?!]*$| in [\w`]+[ .?!]*$)"
_ORDERED: Final = re.compile(r"\border(?:ed)?\b.*[<,]|\border(?:ed)?\b.* then\b|<.*<", re.IGNORECASE)
_LIKE_NUMBER: Final = re.compile(r"^0+(?=\d)|[.,]0+$")
#: A date with points has the day first.
_POINTED: Final = re.compile(r"(?<![\w./`'\"-])(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.(\d{4})(?![\w`'\"/-]|\.\w)")
#: Kinds of files and of dates, which are no names however they are written.
_FORMATS: Final = ("excel", "csv", "parquet", "european", "american")
_FORMAT: Final = re.compile(rf"(?<![\w./`'\"])(?:{'|'.join(_FORMATS)})(?![\w./`'\"])", re.IGNORECASE)
#: What letters behind numbers stand for, whatever their case.
_SHORT: Final = re.compile(r"\bnumbers with k(?: as (?:a )?thousand)? and m(?: as (?:a )?million)?\b", re.IGNORECASE)
_FILE: Final = re.compile(r"[\w./\\-]*\w\.[A-Za-z]\w{1,7}\b")
_NOTHING: Final = frozenset(words("- -- ? n/a na nan null #n/a n.a. missing"))
_ISO: Final = re.compile(r"\d{4}-\d\d(?:-\d\d)?(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?Z?")


@dataclass(frozen=True, slots=True)
class Table:
    """A DataFrame in the namespace: its columns by name with their kinds, and values of its text columns."""

    name: str
    frame: Any = field(repr=False)
    columns: Mapping[str, str]
    values: Mapping[str, frozenset[str]] = field(repr=False)

    def of_kind(self, *kinds: str) -> list[str]:
        """The columns of these kinds, in the table's order."""
        return [name for name, kind in self.columns.items() if kind in kinds]

    def said(self) -> Iterator[str]:
        """Its name, the names of its columns and the values that are known of them."""
        yield self.name
        yield from self.columns
        for texts in self.values.values():
            yield from texts


@dataclass(frozen=True, slots=True)
class Grounded:
    """A goal as it is meant: in words that name the table and the columns as they are spelled.

    ``problem`` says why it is not clear what is meant; ``reading`` is empty where the goal was taken word for word.
    """

    goal: str
    tables: tuple[Table, ...] = ()
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    problem: str = ""
    reading: str = ""
    words: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    #: Values that stand in quotes here, and did not in the goal.
    quoted: frozenset[str] = frozenset()

    def without(self, columns: Collection[str]) -> Vocabulary:
        """The vocabulary as if there were no such columns."""
        return Vocabulary(
            {
                kind: [word for word in words if not kind.endswith(COLUMN) or word not in columns]
                for kind, words in self.words.items()
            }
        )

    def table(self, name: str) -> Table | None:
        """The table of this name, if the goal means it."""
        return next((table for table in self.tables if table.name == name), None)


#: What was seen of a table, by its identity, with what tells that it is still so.
_seen: dict[int, tuple[weakref.ref[Any], tuple[Any, ...], Mapping[str, str], Mapping[str, frozenset[str]], Any]] = {}


def tables_of(names: Mapping[str, Any]) -> list[Table]:
    """The DataFrames of pandas under the user's own names. Never imports pandas, never raises."""
    if "pandas" not in sys.modules:
        return []
    found: list[Table] = []
    for name, value in list(names.items()):
        if not isinstance(name, str) or name.startswith("_") or not name.isidentifier() or len(found) >= TABLES_LIMIT:
            continue
        kind = type(value)
        if kind.__name__ != "DataFrame" or kind.__module__.partition(".")[0] != "pandas":
            continue
        try:
            columns, values = _look(value)
        except Exception:  # noqa: BLE001 - an odd table is none that a goal can be about
            continue
        found.append(Table(name, value, columns, values))
    return found


def _look(frame: Any) -> tuple[Mapping[str, str], Mapping[str, frozenset[str]]]:
    mark = len(frame.index), len(frame.columns), id(frame.columns), tuple(map(str, frame.dtypes.tolist()))
    kept = _seen.get(id(frame))
    if kept is not None and kept[0]() is frame and kept[1] == mark:
        return kept[2], kept[3]
    columns: dict[str, str] = {}
    values: dict[str, frozenset[str]] = {}
    names = frame.columns.tolist()
    for position, name in enumerate(names[:COLUMNS_LIMIT]):
        if type(name) is not str or not name.strip() or names.count(name) > 1:
            continue
        kind, found = _kind(frame.iloc[:, position])
        if kind:
            columns[name] = kind
        if found:
            values[name] = found
    identity = id(frame)
    forget = weakref.ref(frame, lambda _: _seen.pop(identity, None))
    _seen[identity] = forget, mark, columns, values, frame.columns
    return columns, values


def _kind(column: Any) -> tuple[str, frozenset[str]]:
    """What a column holds, and the different texts in it."""
    dtype = column.dtype
    kind = getattr(dtype, "kind", "")
    if getattr(dtype, "categories", None) is not None:
        texts = [value for value in dtype.categories.tolist()[:DISTINCT_LIMIT] if type(value) is str]
        return TEXT if texts else COLUMN, frozenset(texts)
    if kind == "b":
        return FLAG, frozenset()
    if kind in "iuf":
        return NUMBER, frozenset()
    if kind == "M":
        return DATE, frozenset()
    if kind != "O":
        return COLUMN, frozenset()
    step = max(1, len(column) // ROWS_LIMIT)
    seen = column.iloc[::step].dropna().tolist()
    if seen and all(type(value) is bool for value in seen):
        return FLAG, frozenset()
    if not seen or any(type(value) is not str for value in seen):
        return COLUMN, frozenset()
    found: frozenset[str] = frozenset(seen)
    told = [text for value in found if (text := value.strip()) and text.lower() not in _NOTHING]
    if told and all(_ISO.fullmatch(text) or _DATED.fullmatch(text) for text in told):
        return DATE, frozenset()
    few = found if len(found) <= DISTINCT_LIMIT else frozenset()
    return TEXT, frozenset(text for text in few if text.strip() and len(text) <= LONGEST)


def grounded(goal: str, tables: Sequence[Table]) -> Iterator[Grounded]:
    """The ways to read ``goal``, the plainest first; the last one may name a table that the goal does not."""
    asked, goal = goal, plainly_pointed(goal)
    if told := either_told(goal, (name for table in tables for name in table.said())):
        yield Grounded(goal, problem=told)
        return
    names = frozenset(name for table in tables for name in table.said())
    if word := unfinished(goal, names):
        yield Grounded(goal, problem=f"the goal breaks off: nothing stands behind “{word}”")
        return
    if (at := second_question(goal)) >= 0:
        both = f"“{goal[:at].strip(' ,;')}” is one, “{goal[at:].strip(' ,;')}” another"
        yield Grounded(goal, problem=f"it asks two things at once: {both}")
        return
    if _OF_A_SHEET.search(goal):
        yield Grounded(goal)  # a sheet may be called as a table is that was loaded from it
    named = [table for table in tables if _says(goal, table.name)]
    if not named:
        named = [table for table in tables if len(table.name) > 2 and _says(goal.lower(), table.name.lower())]
    word = pointing(goal, [*(table.name for table in named), *_FILE.findall(goal)])
    if word and word not in names:
        yield Grounded(
            goal, problem=f"“{word}” points at something before this goal, and each goal is read by itself"
        )
        return
    if named:
        yield from _with_dates(_with_columns(goal, named, asked), goal)
        return
    if not tables:
        yield Grounded(goal)
        return
    itself = _SELF.search(goal)
    yield Grounded(goal)  # it may be about files alone
    meant = _meant(goal, tables)
    if isinstance(meant, str):
        yield Grounded(goal, problem=meant)
    elif itself:
        yield from _with_dates(_with_columns(_SELF.sub(meant.name, goal), [meant], asked), goal)
    else:
        yield from _with_dates(_with_columns(f"{goal.rstrip(' .?!')} in {meant.name}", [meant], asked), goal)


def _with_dates(reading: Grounded, asked: str) -> Iterator[Grounded]:
    """The reading; and with the column of dates, where a goal about periods names none and the table has one only."""
    yield reading
    with_one = over_dates(reading, asked)
    if len(with_one) == 1:
        yield with_one[0]


def over_dates(reading: Grounded, asked: str) -> list[Grounded]:
    """A reading of a goal about periods, which names no column of dates, with each of those that the table has."""
    if reading.problem or len(reading.tables) != 1 or not _PERIOD.search(asked):
        return []
    dates = date_columns(reading.tables[0])
    if any(re.search(_said(date.lower()), reading.goal.lower()) for date in dates):
        return []
    found = []
    for date in dates:
        text, kinds = f"{reading.goal.rstrip(' .?!')} using {date}", reading.words
        if date.lower() in ORDINARY:  # only in back-ticks is it a column
            text = f"{text.removesuffix(date)}`{date}`"
            kinds = {**kinds, **{kind: [*kinds.get(kind, ()), date] for kind in (COLUMN, DATE)}}
        words = Vocabulary(kinds) if kinds is not reading.words else reading.vocabulary
        found.append(replace(reading, goal=text, reading=text, vocabulary=words, words=kinds))
    return found


def date_columns(table: Table) -> list[str]:
    """The columns that a goal about periods may mean: those of dates, and texts most of which look like dates."""
    return [name for name, kind in table.columns.items() if kind == DATE or (kind == TEXT and _dated(table, name))]


def _dated(table: Table, column: str) -> bool:
    first = [text for text in table.frame[column].dropna().head(_FEW).tolist() if isinstance(text, str)]
    seen = [
        bool(_ISO.fullmatch(one) or _DATED.fullmatch(one) or _TWO_DIGITS.fullmatch(one))
        for one in map(str.strip, first)
    ]
    return sum(seen) > len(seen) / 2


def _meant(goal: str, tables: Sequence[Table]) -> Table | str:
    """The table that a goal is about which names none; in words why that is not clear."""
    if len(tables) == 1:
        return tables[0]
    said = {table.name: frozenset(_columns_said(goal, table).values()) for table in tables}
    most = max(map(len, said.values()))
    best = [table for table in tables if most and len(said[table.name]) == most]
    if len(best) == 1:
        mine = {_loose(column) for column in said[best[0].name]}
        if all({_loose(column) for column in columns} <= mine for columns in said.values()):
            return best[0]
    if apart := columns_apart(goal, tables):
        told = ", ".join(f"{' and '.join(sorted(columns))} in {name}" for name, columns in apart.items())
        return f"no table has all of these columns: {told}"
    if best:
        shared = ", ".join(sorted(said[best[0].name]))
        return f"{_listed([table.name for table in best])} could be meant ({shared} is in each): name the table"
    named = [table.name for table in tables]
    named = named if len(named) <= 6 else [*named[:5], f"one of {len(named) - 5} more"]
    return f"it names no table, and there are {len(tables)}: {_listed(named)}"


def columns_apart(goal: str, tables: Sequence[Table]) -> dict[str, frozenset[str]]:
    """The tables whose columns a goal names, each of which lacks some of them; empty where one table has them all."""
    said = {table.name: frozenset(_columns_said(goal, table).values()) for table in tables}
    known = {name: frozenset(map(_loose, columns)) for name, columns in said.items()}
    together = frozenset().union(*known.values())
    if any(columns == together for columns in known.values()):
        return {}
    # a table that says nothing the others do not is not needed
    return {
        name: columns
        for name, columns in said.items()
        if columns and not any(known[name] < other for other in known.values())
    }


def _with_columns(goal: str, tables: Sequence[Table], asked: str) -> Grounded:
    """The goal with its columns spelled as they are, and the words that mean something in these tables."""
    said: dict[str, set[str]] = {}
    for table in tables:
        for phrase, column in _columns_said(goal, table).items():
            if not any(phrase == other.name for other in tables):
                said.setdefault(phrase, set()).add(column)
    text = goal
    if not any(column.lower() in _FORMATS for table in tables for column in table.columns):
        text = _FORMAT.sub(lambda match: match[0].lower(), text)
    text = _SHORT.sub(lambda match: match[0].lower(), text)
    text = _POINTED.sub(lambda match: f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}", text)
    for phrase in sorted(said, key=len, reverse=True):
        columns = said[phrase]
        if len(columns) > 1:
            return Grounded(goal, problem=f"{phrase!r} could be {_listed(sorted(columns))}")
        (column,) = columns
        text = re.sub(rf"(?<![\w`'\"]){re.escape(phrase)}(?![\w`'\"])", column.replace("\\", r"\\"), text)
    text, quoted = _with_quotes(text, tables)
    low = " ".join(goal.lower().split())
    kinds: dict[str, list[str]] = {TABLE: [table.name for table in tables], VALUE: []}
    for table in tables:
        for column, kind in table.columns.items():
            if column.lower() in ORDINARY and not re.search(rf"[`'\"]{re.escape(column)}[`'\"]", goal):
                continue
            kinds.setdefault(COLUMN, []).append(column)
            if kind != COLUMN:
                kinds.setdefault(kind, []).append(column)
            if kind == TEXT and is_prose(column, asked):
                kinds.setdefault(PROSE, []).append(column)
        for texts in table.values.values():
            said_of_it = [one for one in texts if " ".join(one.lower().split()) in low]
            kinds[VALUE] += [*said_of_it, *_otherwise_spelled(goal, said_of_it)]
    if letters := {
        piece.lower() for match in _LETTERS.finditer(text) for piece in match.groups() if piece
    }:  # a piece of a value, though it is one, too
        kinds[VALUE] = [one for one in kinds[VALUE] if one.strip().lower() not in letters]
    return Grounded(
        text, tuple(tables), Vocabulary(kinds), reading="" if text == asked else text, words=kinds, quoted=quoted
    )


def _with_quotes(goal: str, tables: Sequence[Table]) -> tuple[str, frozenset[str]]:
    """The goal with quotes around what nobody quotes and is a value by where it stands: ``paid is yes``, ``contains slow``.

    Also returns what was put in quotes.
    """
    quoted: set[str] = set()

    def marked(match: re.Match[str]) -> str:
        quoted.add(match[2])
        return f"{match[1]}'{match[2]}'"

    for table in tables:
        for column, texts in table.values.items():
            if len(column) > LONGEST or column not in goal:
                continue
            name = re.escape(column)
            for value in sorted(one for one in texts if one.lower() in goal.lower() and _needs_quotes(one, texts)):
                behind = rf"({name}[`'\"]?(?: is not| isn['’]t| is| equals| =)? )({re.escape(value)}){_ENDS}"
                before = rf"(\b(?:of|replace|change) )({re.escape(value)})(?= (?:in {name}|with|by|to)\b)"
                goal = re.sub(behind, marked, goal, flags=re.IGNORECASE)
                goal = re.sub(before, marked, goal, flags=re.IGNORECASE) if len(tables) == 1 else goal
                if _ORDERED.search(goal):
                    level = rf"{_LEVEL_BEFORE}({re.escape(value)}){_LEVEL_BEHIND}"
                    goal = re.sub(level, marked, goal, flags=re.IGNORECASE)
    columns = {column.lower() for table in tables for column in table.columns}

    def both(match: re.Match[str]) -> str:
        if columns & {match[2].lower(), match[4].lower()}:
            return match[0]
        quoted.update((match[2], match[4]))
        return f"{match[1]}'{match[2]}' {match[3]} '{match[4]}'"

    return _TWO_LOOKED_FOR.sub(both, _LOOKED_FOR.sub(marked, goal)), frozenset(quoted)


def _needs_quotes(value: str, values: Collection[str]) -> bool:
    """Whether a value would be taken for an ordinary word, a letter or a number where it has no quotes."""
    if value.isdecimal():  # a text; but 3, 03 and 3.0 may be meant as one number
        return sum(_LIKE_NUMBER.sub("", one.strip()) == _LIKE_NUMBER.sub("", value) for one in values) == 1
    return value.lower() in ORDINARY or (len(value) == 1 and value.isalpha())


def _otherwise_spelled(goal: str, values: Sequence[str]) -> list[str]:
    """What the goal says where there are several values that are so but for capitals and blanks, and none as it says."""
    folded: dict[str, list[str]] = {}
    for value in values:
        folded.setdefault(" ".join(value.lower().split()), []).append(value)
    found = []
    for plain, several in folded.items():
        match = re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", goal, re.IGNORECASE) if len(several) > 1 else None
        if match is not None and match[0] not in (value.strip() for value in several):
            found.append(match[0])
    return found


def _columns_said(goal: str, table: Table) -> dict[str, str]:
    """Words of the goal that mean a column, with the column; only words that are not its very name.

    ``body mass`` is ``body_mass_g`` where no other column could be called so.
    """
    low = " ".join(goal.lower().split())
    found: dict[str, str] = {}
    called: dict[str, set[str]] = {}
    for column in table.columns:
        for name in _called(column):
            called.setdefault(name, set()).add(column)
    for name, columns in called.items():
        spelled = re.search(rf"(?<![\w`'\"]){re.escape(name)}(?![\w`'\"-])", low) is not None
        for match in re.finditer(_said(name), low):
            if match[0] != name and (spelled or match[0] in called):
                continue  # "convert date to dates": the plural is another word, or another column
            if len(columns) == 1:
                (column,) = columns
                found[goal_text(goal, match[0])] = column
            elif name in {column.lower() for column in columns}:
                exact = [column for column in columns if column.lower() == name]
                if len(exact) == 1 and match[0] == name:
                    found[goal_text(goal, name)] = exact[0]
    # A shorter name inside a longer one that is said is none: "bill" in "bill length".
    return {
        phrase: column
        for phrase, column in found.items()
        if not any(phrase != other and re.search(rf"\b{re.escape(phrase)}\b", other) for other in found)
    }


def goal_text(goal: str, folded: str) -> str:
    """The words of the goal that read ``folded`` without capitals."""
    match = re.search(re.escape(folded).replace(r"\ ", r"\s+"), goal, re.IGNORECASE)
    return match[0] if match else folded


def _called(column: str) -> Iterator[str]:
    """What a column may be called: its name, its words, and these without a unit at the end; in lower case."""
    yield column.lower()
    parts = [word.lower() for word in _PARTS.findall(column)]
    if not parts:
        return
    yield " ".join(parts)
    if len(parts) > 1 and parts[-1] in _UNITS and not set(parts) & _NOT_ALONE:
        yield " ".join(parts[:-1])
        yield "_".join(parts[:-1])


def _said(name: str) -> str:
    """A pattern that finds ``name`` by itself, also in the plural."""
    if name in _OF_TASKS:
        return rf"(?<![\w`'\"]){re.escape(name)}(?![\w`'\"-])"
    plural = f"|{re.escape(name[:-1])}ies" if name.endswith("y") else ""
    return rf"(?<![\w`'\"])(?:{re.escape(name)}(?:s|es)?{plural})(?![\w`'\"-])"


def _says(goal: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?![\w]|\.\w)", goal) is not None


def is_prose(column: str, goal: str = "") -> bool:
    """Whether a column of texts is called after what is written in it, in a word that ``goal`` says, too."""
    last = (_PARTS.findall(column) or [""])[-1].lower()
    said = next((word for word in (last, last.removesuffix("s")) if word in _PROSE), "")
    return bool(said) and (
        not goal or re.search(rf"(?<![^\W_]){said}(?:s|es)?(?![^\W_])", goal, re.IGNORECASE) is not None
    )


def _loose(column: str) -> str:
    return " ".join(word.lower() for word in _PARTS.findall(column)) or column


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} or {names[-1]}"
