"""What can be asked for free: the tasks that come with packs, said with the tables that are there now.

Each goal that is named with a table of the user's was matched before it is: typed as it stands, it is served.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmos_nb.dispatch.harmless import multiplies
from llmos_nb.dispatch.known_shown import as_html, as_markdown, as_text
from llmos_nb.dispatch.shipped import TEXTS_READ, held, is_level, owner, shipped_match, spoken
from llmos_nb.memory import TraceStore
from llmos_nb.memory.library import GROUP, LETTERS, Library, Shipped, task_of
from llmos_nb.tools.packs import packs
from llmos_nb.tools.points import either_told
from llmos_nb.tools.tables import COLUMN, DATE, FLAG, NUMBER, PROSE, TABLE, TEXT, VALUE, Table, is_prose, tables_of

__all__ = ["Known", "KnownTask", "is_id", "known", "sample", "table_files"]

#: Headings in the order in which they are shown; others follow.
_ORDER: Final = (
    "files", "look", "filter", "rows and columns", "statistics", "groups", "charts", "clean", "relations",
    "over time", "derive",
)  # fmt: skip
#: Tasks that tell best what there is under their headings.
_TELLING: Final = frozenset(
    ("load a file", "first n rows", "category is", "sort", "mean where", "mean by group", "scatter", "drop missing",
     "correlation of two", "sum per month", "column times column", "rank")
)  # fmt: skip
#: Names of columns that only tell rows apart.
_ID: Final = re.compile(r"(?:^|[\W_])(?:id|ids|nr|no|number|code|zip|index|key|uuid)$|[a-z]I[Dd]$", re.IGNORECASE)
#: Rows up to which a column of whole numbers is looked at for whether it counts the rows.
_COUNTED: Final = 100_000
_NUMERAL: Final = re.compile(r"-?\d+(?:\.\d+)?")
_NONE: Final[frozenset[str]] = frozenset()
#: Files that hold tables, and how many of a folder are looked at.
_FILES: Final = (".csv", ".tsv", ".xlsx", ".parquet")
_MOST_FILES: Final = 50
#: Wordings and tables that are tried for one task.
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task that is free: ``goal`` asks for it, of a table that is there if ``served``, else of any."""

    task: str
    group: str
    goal: str
    served: bool


@dataclass(frozen=True, slots=True)
class Known:
    """The tasks that are free, and the tables that their goals are said with."""

    tasks: tuple[KnownTask, ...]
    tables: tuple[str, ...]
    words: str = ""

    @property
    def goals(self) -> list[str]:
        """The goals that can be typed as they stand."""
        return [one.goal for one in self.tasks if one.served]

    @property
    def summary(self) -> str:
        """One line."""
        ready = len(self.goals)
        if not self.tasks:
            return (
                f"No task that comes with the packs has the words {self.words!r}. %llmos --known lists what there is."
            )
        if not self.tables:
            return (
                f"{len(self.tasks)} tasks can be asked for free, without a key, as soon as there is a DataFrame. "
                "In capitals stands what you name."
            )
        of = ", ".join(self.tables[:6])
        rest = len(self.tasks) - ready
        more = f" For {rest} more something is missing here: what you would name stands in capitals." if rest else ""
        return f"{ready} goals about {of} are free, without a key; so are they with other values, and said otherwise.{more}"

    def groups(self) -> dict[str, list[KnownTask]]:
        """The tasks by their heading; those that are served first."""
        found: dict[str, list[KnownTask]] = {}
        for one in sorted(self.tasks, key=lambda one: not one.served):
            found.setdefault(one.group, []).append(one)
        return {group: found[group] for group in dict.fromkeys(one.group for one in self.tasks)}

    def __str__(self) -> str:
        return as_text(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_markdown_(self) -> str:
        return as_markdown(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def known(library: Library, store: TraceStore, names: Mapping[str, Any], words: str = "") -> Known:
    """What can be asked for free now; with ``words`` only tasks that have each of them in their name or goal."""
    tables = tables_of(names)
    without = store.tasks_called_wrong()
    wanted = words.casefold().split()
    found: list[KnownTask] = []
    named = " ".join(name for table in tables for name in table.columns)
    called = re.compile("|".join([*(rf"\b{re.escape(table.name.casefold())}\b" for table in tables), "$^"]))
    for task, shipped in library.tasks().items():
        if task in without:
            continue
        group = str(shipped[0].trace.extra.get(GROUP, ""))
        said = f"{task} {group} {' '.join(one.trace.goal for one in shipped)} {named}".casefold()  # more than is said
        if not all(word in said for word in wanted):
            continue  # a goal cannot have the word either
        one = _said(task, group, shipped, tables, library, store, names)
        told = called.sub("", one.goal.casefold())  # the table's name is in every goal
        if all(word in f"{task} {group} {told}".casefold() for word in wanted):
            found.append(one)
    place = {group: number for number, group in enumerate(_ORDER)}
    found.sort(key=lambda one: (place.get(one.group, len(place)), one.group, one.task not in _TELLING))
    return Known(tuple(found), tuple(table.name for table in tables), words)


def _said(
    task: str,
    group: str,
    shipped: Sequence[Shipped],
    tables: Sequence[Table],
    library: Library,
    store: TraceStore,
    names: Mapping[str, Any],
) -> KnownTask:
    """The task with a goal that is served, or with what it needs in capitals."""
    cwd, kinds = Path.cwd(), shipped[0].kinds
    if kinds and set(kinds.values()) == {"path"}:
        there = dict(zip(sorted(kinds), table_files(cwd), strict=False))
        return KnownTask(task, group, spoken(shipped[0], there), served=len(there) == len(kinds))
    for table in tables[:_TRIES]:
        values = sample(kinds, table, tables, cwd)
        if values is None:
            continue
        for one in shipped[:_TRIES]:
            goal = spoken(one, values)
            match = shipped_match(goal, library, store, names)
            if match.steps is None or match.trace is None or task_of(match.trace) != task:
                continue
            written = any((cwd / file).exists() for step in match.steps for file in step.expect.files)
            if not written and not multiplies(goal, tables):
                return KnownTask(task, group, goal, served=True)
    about = {"t": tables[0].name} if tables and "t" in kinds else {}
    return KnownTask(task, group, spoken(shipped[0], about), served=not kinds)


def table_files(folder: Path) -> list[str]:
    """Files with tables in a folder, by their names."""
    try:
        return sorted(path.name for path in folder.iterdir() if path.suffix.lower() in _FILES)[:_MOST_FILES]
    except OSError:
        return []


def sample(
    kinds: Mapping[str, str], table: Table, tables: Sequence[Table], cwd: Path, said: Sequence[str] = ()
) -> dict[str, str] | None:
    """What plays each part, taken from ``table``, first of all what was ``said``; None where it has nothing that could.

    Files that are read are such as are in the folder ``cwd``, one that is written is not there yet.
    """

    def ranked(*wanted: str) -> list[str]:
        meant = {name for name in table.columns if name in said or not table.values.get(name, _NONE).isdisjoint(said)}
        return sorted(table.of_kind(*wanted), key=lambda name: (name not in meant, is_id(name, table)))

    numbers, texts, dates, flags = ranked(NUMBER), ranked(TEXT), ranked(DATE), ranked(FLAG)
    texts.sort(key=lambda name: is_prose(name) and name not in said)
    groups = [name for name in texts if 2 <= len(table.values.get(name, ())) <= 50 or name in said] or texts
    if levels := sum(map(is_level, kinds)):
        groups = [name for name in texts if len(table.values.get(name, ())) == levels]
    anything = [*texts, *numbers, *dates] or list(table.columns)
    found: dict[str, str] = {}
    if "u" in kinds:
        other = next(
            (one for one in tables if one.name != table.name and (set(one.columns) & set(table.columns))), None
        )
        if other is None:
            return None
        found["u"] = other.name
        anything = [name for name in table.columns if name in other.columns]
    used: set[str] = set()

    def take(names: Sequence[str]) -> str | None:
        free = next((name for name in names if name not in used), None)
        if free is not None:
            used.add(free)
        return free

    for part, kind in sorted(kinds.items(), key=lambda pair: (pair[1] != NUMBER, pair[0])):
        if part in found:
            continue
        column: str | None = ""
        if kind == TABLE:
            found[part] = table.name
        elif kind == NUMBER:
            column = take(numbers)
        elif kind == DATE:
            column = take(dates)
        elif kind == FLAG:
            column = take(flags)
        elif kind == TEXT:
            column = take(groups)
        elif kind == PROSE:
            column = take([name for name in texts if is_prose(name)])
        elif part in ("k", "l"):
            column = take(groups if VALUE in kinds.values() else [*groups, *anything])
        elif part == "j":
            column = take([*(name for name in texts if _reads_as_numbers(name, table)), *numbers])
        elif kind == COLUMN:
            column = take(anything)
        elif part == "h":
            found[part] = ""
        elif kind == "integer":
            found[part] = next((word for word in said if word.isdecimal() and int(word)), "5")
        elif kind == "new name":
            found[part] = "new_name"
        elif kind == "path":
            names = (f"{table.name}_copy{number or ''}.csv" for number in range(100))
            found[part] = next((name for name in names if not (cwd / name).exists()), "")
        elif kind == LETTERS:
            found[part] = ""
        if column is None:
            return None
        if column:
            found[part] = column
    return found if _fill(kinds, found, table, said) else None


def _reads_as_numbers(column: str, table: Table) -> bool:
    """Whether a column of texts can be converted to numbers; not asked of large tables."""
    if TEXTS_READ not in held(column, TEXT, table) or len(table.frame) > _COUNTED:
        return False
    return not any(pack.unreadable(table.frame[column], "numbers") for pack in packs() if pack.unreadable is not None)


def _plain_values(table: Table, column: str) -> list[str]:
    """Values of a column that a goal can name: written without blanks around them, and in one way only."""
    spelled: dict[str, int] = {}
    values = table.values.get(column, _NONE)
    for value in values:
        spelled[value.strip().casefold()] = spelled.get(value.strip().casefold(), 0) + 1
    return [value for value in values if value == value.strip() and spelled[value.casefold()] == 1]


def is_id(name: str, table: Table) -> bool:
    """Whether a column only tells rows apart: nobody wants the mean of it."""
    if _ID.search(name):
        return True
    column = table.frame[name]
    return (
        column.dtype.kind in "iu"
        and 2 < len(column) <= _COUNTED
        and bool(column.is_unique)
        and column.diff().iloc[1:].eq(1).all()
    )


def _numeral(number: float) -> str:
    """A number that can be read in one way only: with three digits behind the point it may be thousands."""
    text = f"{number:.4g}"
    return f"{number:.3g}" if either_told(text) else text


def _fill(kinds: Mapping[str, str], found: dict[str, str], table: Table, said: Sequence[str]) -> bool:
    """Put in values of the chosen columns, first of all what was ``said``; False where they have none."""
    for column in ("k", "l"):
        parts = sorted(part for part, kind in kinds.items() if kind == VALUE and owner(part) == column)
        values = _plain_values(table, found.get(column, "")) if parts else []
        if len(values) < len(parts):
            return False
        found.update(zip(parts, sorted(values, key=lambda value: (value not in said, value)), strict=False))
    if LETTERS in kinds.values():
        texts = sorted(table.values.get(next((found[part] for part in ("c", "k") if part in found), ""), ()))
        begun = [letters[0] for text in texts if (letters := re.match(r"[^\W\d_]{3}", text))]
        parts = sorted(part for part, kind in kinds.items() if kind == LETTERS)
        if len(set(begun)) < len(parts):
            return False
        found.update(zip(parts, dict.fromkeys(begun), strict=False))
    for part, of, share in (("a", "x", 0.25), ("b", "y" if "y" in kinds else "x", 0.75)):
        if part in kinds:
            numbers = table.frame[found[of]].dropna()
            if numbers.empty:
                return False
            told = next((word for word in said if _NUMERAL.fullmatch(word) and word not in found.values()), "")
            found[part] = told or _numeral(float(numbers.quantile(share)))
    found.update(
        {part: day for part, day in (("e2", "2024-01-31"), ("f2", "2024-12-24"), ("a2", "3")) if part in kinds}
    )
    if "e" in kinds or "h" in kinds:
        import pandas as pd

        column = table.frame[found["w"]]
        if column.dtype.kind != "M":  # no more than examples: what is asked then is read with care
            read = pd.to_datetime(column, format="ISO8601", errors="coerce")
            column = (
                read if read.notna().any() else pd.to_datetime(column, format="mixed", dayfirst=True, errors="coerce")
            )
        dates = column.dropna()
        if dates.empty:
            return False
        if "h" in kinds:
            found["h"] = f"{dates.quantile(0.5).year}"
        ends = dates.quantile([0.25, 0.75]).dt.strftime("%Y-%m-%d").tolist()
        found.update(zip(("e", "f"), ends, strict=True))
    return all(found.get(part) for part in kinds)
