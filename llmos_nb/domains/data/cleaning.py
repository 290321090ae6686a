"""``clean``: named steps, each of which reports every change it makes; what cannot be done safely is left, and told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from llmos_nb.domains.data.profiling import duplicated, named
from llmos_nb.domains.data.values import (
    Reading,
    hardly,
    is_text,
    markers_among,
    read_booleans,
    read_dates,
    read_numbers,
    texts_of,
)
from llmos_nb.domains.data.view import Cell, Grid, Shown, count, shown_value
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STEPS", "Change", "CleanReport", "Cleaned", "clean"]

#: The steps by name, in the order in which they are taken, with what each does.
STEPS: Final[Mapping[str, str]] = {
    "strip": "blanks around texts and names of columns go",
    "missing": "texts that mark a missing value become missing",
    "spelling": "texts that differ in case or blanks alone become the most frequent of them",
    "types": "columns of texts that are all numbers, or all yes or no, become that",
    "dates": "columns of texts that are all dates become dates",
    "empty": "rows and columns without any value go",
    "duplicates": "rows that are a copy of an earlier one go",
}
#: Taken where none are named: all but the one that picks a spelling.
USUAL: Final = tuple(step for step in STEPS if step != "spelling")


@dataclass(frozen=True, slots=True)
class Change:
    """``count`` cells of a column, or rows where ``column`` is empty, were changed as ``what`` says."""

    step: str
    column: str
    what: str
    count: int


@dataclass(frozen=True, repr=False)
class CleanReport:
    """What a cleaning changed, and what it left alone although it looks wrong.

    ``dropped`` has the rows that went, under their labels: nothing is lost. ``became_missing`` counts, by the position of
    the column, the cells that held something.
    """

    rows_in: int
    rows_out: int
    changes: tuple[Change, ...]
    left: tuple[str, ...]
    dropped: pd.DataFrame
    became_missing: Mapping[int, int] = field(default_factory=dict)

    @property
    def df(self) -> pd.DataFrame:
        """A row for each change."""
        import pandas as pd

        rows = [(c.step, c.column, c.what, c.count) for c in self.changes]
        return pd.DataFrame(rows, columns=["step", "column", "what", "count"])

    def __str__(self) -> str:
        return self._shown().text()

    __repr__ = __str__

    def to_markdown(self) -> str:
        """For a report."""
        return self._shown().markdown()

    def _shown(self) -> Shown:
        rows = tuple((Cell(c.step), Cell(c.column), Cell(c.what), Cell(f"{c.count:,}")) for c in self.changes)
        gone = self.rows_in - self.rows_out
        heading = f"Cleaned: {self.rows_out:,} of {count(self.rows_in, 'row')} kept" if gone else ""
        heading = heading or f"Cleaned: all {count(self.rows_in, 'row')} kept"
        heading += f", {count(len(self.changes), 'change')}" if self.changes else ", nothing to change"
        left = [f"left as it is: {sentence}" for sentence in self.left]
        return Shown(heading, left, (Grid(("step", "column", "what", "count"), rows),))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown().bundle()


class Cleaned(NamedTuple):
    """``table, report = clean(…)``."""

    table: pd.DataFrame
    report: CleanReport


def clean(
    table: pd.DataFrame,
    steps: Sequence[str] | None = None,
    *,
    markers: Iterable[object] = (),
    force: Iterable[object] = (),
    day_first: bool | None = None,
    key: Sequence[object] = (),
) -> Cleaned:
    """A cleaned copy of a table, and a report of every change with its count.

    A column changes its type only where *every* text in it can be read, in one way; else it is left, and the report says
    why. Row labels stay, so that rows can be found again; rows that went are in ``report.dropped``.

    Args:
        steps: names out of ``STEPS``; all but ``spelling`` if None. They are taken in the order of ``STEPS``.
        markers: further values that stand for "missing", such as ``"unknown"`` or ``-999``.
        force: columns whose unreadable texts become missing, counted, so that the rest can become numbers or dates.
        day_first: whether ``3/4/2020`` is in April; None where only other values of the column may decide.
        key: columns that say which row is which; rows with the key of an earlier one count as duplicates.

    Raises:
        TableError: there is no such step or column.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        raise TableError(f"clean takes a DataFrame, got {type(table).__name__}.", remedy="read_table makes one.")
    chosen = _steps(steps)
    work = _Work(table, _positions(table, force), tuple(markers), day_first)
    for step in STEPS:
        if step in chosen and step in _CELLS:
            for position in range(len(work.columns)):
                _CELLS[step](work, position)
        elif step in chosen and step == "empty":
            work.drop_empty()
        elif step in chosen:
            work.drop_duplicates(_positions(table, key))
    return work.done()


def _steps(steps: Sequence[str] | None) -> tuple[str, ...]:
    if steps is None:
        return USUAL
    wanted = [steps] if isinstance(steps, str) else list(steps)
    unknown = [str(step) for step in wanted if step not in STEPS]
    if unknown:
        raise TableError(
            f"There is no step {', '.join(unknown)} of cleaning.", remedy=f"There are {', '.join(STEPS)}."
        )
    return tuple(wanted)


def _positions(table: pd.DataFrame, columns: Iterable[object]) -> list[int]:
    names = list(table.columns)
    wanted = [columns] if isinstance(columns, str) else list(columns)
    gone = [str(column) for column in wanted if column not in names]
    if gone:
        there = ", ".join(map(named, names[:20]))
        raise TableError(f"The table has no column {', '.join(gone)}.", remedy=f"It has {there}.")
    return [position for position, name in enumerate(names) if name in wanted]


class _Work:
    """A table on its way, column by column: names may occur twice."""

    def __init__(
        self, table: pd.DataFrame, force: Sequence[int], markers: tuple[object, ...], day_first: bool | None
    ) -> None:
        self.table = table
        self.columns = [table.iloc[:, position] for position in range(len(table.columns))]
        self.names = list(table.columns)
        self.force, self.markers, self.day_first = frozenset(force), markers, day_first
        self.changes: list[Change] = []
        self.left: list[str] = []
        self.missing: dict[int, int] = {}
        self.kept = [True] * len(table)
        self.gone: list[int] = []
        self._stripped_names = False
        self._known: dict[int, tuple[Any, Mapping[str, int]]] = {}

    def note(self, step: str, position: int | None, what: str, number: int) -> None:
        """Report a change."""
        self.changes.append(Change(step, "" if position is None else named(self.names[position]), what, number))

    def lose(self, position: int, number: int) -> None:
        """Count cells that held something and are missing now."""
        self.missing[position] = self.missing.get(position, 0) + number

    # -- rows and columns

    def drop_empty(self) -> None:
        """Rows and columns that hold nothing."""
        import pandas as pd

        gone = [i for i, column in enumerate(self.columns) if len(column) and column.isna().all()]
        for position in gone:
            self.note("empty", position, "a column without any value went", len(self.table))
        self.gone = gone
        rest = [column.isna().to_numpy() for i, column in enumerate(self.columns) if i not in gone]
        if rest:
            import numpy as np

            self._drop(pd.Series(np.logical_and.reduce(rest)), "empty", "rows without any value went")

    def drop_duplicates(self, key: list[int]) -> None:
        """Rows that are copies, or that have the key of an earlier one."""
        frame = self.frame()
        if not self.names:
            return
        kept = [position for position in range(len(self.names)) if position not in self.gone]
        again = duplicated(frame, [kept.index(p) for p in key if p in kept] or None) if kept else None
        if again is None:
            return
        full = self._spread(again)
        if key:
            copies = self._spread(duplicated(frame))
            self._drop(full & copies, "duplicates", "rows that are a copy of an earlier one went")
            names = ", ".join(named(self.names[p]) for p in key)
            self._drop(
                full & ~copies, "duplicates", f"rows with the {names} of an earlier one, but other values, went"
            )
            return
        self._drop(full, "duplicates", "rows that are a copy of an earlier one went")

    def _spread(self, flags: pd.Series[bool]) -> pd.Series[bool]:
        """Flags of the rows that are left, as flags of all rows."""
        import pandas as pd

        full = pd.Series(False, index=range(len(self.table)))
        full[[i for i, kept in enumerate(self.kept) if kept]] = flags.to_numpy()
        return full

    def _drop(self, flags: pd.Series[Any], step: str, what: str) -> None:
        places = [i for i in flags[flags].index if self.kept[i]]
        if places:
            self.note(step, None, what, len(places))
            for place in places:
                self.kept[place] = False

    # -- the end

    def frame(self) -> pd.DataFrame:
        """The rows and columns that are left."""
        import pandas as pd

        inner = [i for i in range(len(self.columns)) if i not in self.gone]
        columns = [self.columns[i].reset_index(drop=True) for i in inner]
        made = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(len(self.table)))
        made.index = self.table.index
        made.columns = self._labels(inner)
        return made if all(self.kept) else made[pd.Series(self.kept, index=made.index).to_numpy()]

    def _labels(self, inner: list[int]) -> pd.Index[Any]:
        import pandas as pd

        if isinstance(self.table.columns, pd.MultiIndex) or not self._stripped_names:
            return self.table.columns[inner]
        return pd.Index([self.names[i] for i in inner], name=self.table.columns.name)

    def done(self) -> Cleaned:
        """The cleaned table and the report."""
        import numpy as np

        made = self.frame()
        made.attrs = dict(self.table.attrs)
        dropped = self.table[~np.array(self.kept, dtype=bool)] if len(self.table) else self.table
        report = CleanReport(
            len(self.table),
            len(made),
            tuple(self.changes),
            tuple(dict.fromkeys(self.left)),
            dropped,
            dict(self.missing),
        )
        return Cleaned(made, report)

    def strip_names(self) -> None:
        """Blanks around names go where that makes no two alike."""
        stripped = [name.strip() if isinstance(name, str) else name for name in self.names]
        changed = [name for name, new in zip(self.names, stripped, strict=True) if name != new]
        if not changed or isinstance(self.names[0], tuple):
            return
        if len(set(map(str, stripped))) < len(set(map(str, self.names))):
            self.left.append("names of columns with blanks around them: two would be called the same")
            return
        self.names, self._stripped_names = stripped, True
        self.note(
            "strip", None, f"blanks around names of columns went: {', '.join(map(repr, changed[:5]))}", len(changed)
        )

    def vocabulary(self, position: int) -> Mapping[str, int]:
        """The distinct texts of a column with how often each occurs; none for columns that hold no texts."""
        column, (known, found) = self.columns[position], self._known.get(position, (None, {}))
        if known is not column:
            found = texts_of(column) if is_text(column) else {}
            self._known[position] = column, found
        return found

    def distinct(self, position: int) -> int:
        """How many distinct texts a column holds, and one more where it holds anything else."""
        vocabulary = self.vocabulary(position)
        return len(vocabulary) + (int(self.columns[position].count()) > sum(vocabulary.values()))

    def replace(self, position: int, mapping: Mapping[str, Any], *, dtype: Any = None) -> int:
        """Put other values in the place of texts; returns how many cells that were."""
        import numpy as np
        import pandas as pd

        column = self.columns[position]
        kind = column.dtype
        if not mapping:
            return 0
        held = column.astype(object).to_numpy(copy=True)
        found = np.fromiter((isinstance(v, str) and v in mapping for v in held), dtype=bool, count=len(held))
        if not found.any():
            return 0
        new = np.empty(int(found.sum()), dtype=object)
        new[:] = [mapping[value] for value in held[found]]
        held[found] = new
        values = pd.Series(held, index=column.index, name=column.name, dtype=object)
        if isinstance(kind, pd.CategoricalDtype):
            self.columns[position] = values.astype("category")
        elif dtype is not None:
            self.columns[position] = values.astype(dtype)
        elif isinstance(kind, pd.StringDtype):
            self.columns[position] = values.astype(kind)
        else:
            self.columns[position] = values
        return int(found.sum())


def _strip(work: _Work, position: int) -> None:
    if position == 0:
        work.strip_names()
    vocabulary = work.vocabulary(position)
    mapping = {text: text.strip() for text in vocabulary if text != text.strip()}
    if number := work.replace(position, mapping):
        work.note("strip", position, "blanks around texts went", number)


def _missing(work: _Work, position: int) -> None:
    counts = work.vocabulary(position)
    for mark in sorted(markers_among(counts, work.markers)):
        number = work.replace(position, {mark: None})
        work.note("missing", position, f"{shown_value(mark)} became missing", number)
        work.lose(position, number)
    _missing_numbers(work, position)


def _missing_numbers(work: _Work, position: int) -> None:
    import pandas as pd

    column = work.columns[position]
    marks = [m for m in work.markers if isinstance(m, int | float) and not isinstance(m, bool)]
    for said in work.markers:
        if isinstance(said, str) and read_numbers([said]).whole:
            marks += read_numbers([said]).values.values()
    if not marks or not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return
    for mark in dict.fromkeys(marks):
        found = (column == mark).fillna(False).to_numpy(dtype=bool)
        if found.any():
            column = column.mask(found)
            work.note("missing", position, f"{shown_value(mark)} became missing", int(found.sum()))
            work.lose(position, int(found.sum()))
    work.columns[position] = column


def _spelling(work: _Work, position: int) -> None:
    counts = work.vocabulary(position)
    alike: dict[str, list[str]] = {}
    for text in counts:
        alike.setdefault(" ".join(text.split()).casefold(), []).append(text)
    for spellings in alike.values():
        if len(spellings) > 1:
            usual = min(spellings, key=lambda text: (-counts[text], text.isupper(), text.islower(), text))
            others = sorted(text for text in spellings if text != usual)
            number = work.replace(position, dict.fromkeys(others, usual))
            told = ", ".join(map(shown_value, others[:4]))
            work.note("spelling", position, f"{told} became {shown_value(usual)}", number)


def _types(work: _Work, position: int) -> None:
    counts = work.vocabulary(position)
    if not counts or len(counts) < work.distinct(position):
        return
    booleans = read_booleans(counts)
    if booleans.whole and len(counts) > 1:
        number = work.replace(position, booleans.values, dtype=object)
        column = work.columns[position]
        work.columns[position] = column.astype("boolean" if column.isna().any() else bool)
        work.note("types", position, "text became yes or no", number)
        return
    if position in work.force or not hardly(counts, read_numbers):
        _become(work, position, counts, read_numbers(counts), "types", "numbers")


def _dates(work: _Work, position: int) -> None:
    counts = work.vocabulary(position)
    if (
        counts
        and len(counts) == work.distinct(position)
        and (position in work.force or not hardly(counts, read_dates))
    ):
        _become(work, position, counts, read_dates(counts, day_first=work.day_first), "dates", "dates")


def _become(work: _Work, position: int, counts: Mapping[str, int], reading: Reading, step: str, what: str) -> None:
    """Turn a column of texts into what they stand for, if all of them do, or it is forced."""
    import pandas as pd

    name = named(work.names[position])
    total, read = sum(counts.values()), sum(counts[text] for text in reading.values)
    if reading.reason:
        if sum(reading.forms.values()) >= 0.5 * len(counts):
            work.left.append(f"{name}: {reading.reason}")
        return
    if not reading.values:
        return
    if reading.others and position not in work.force:
        if read >= 0.5 * total:
            told = ", ".join(map(shown_value, sorted(reading.others, key=lambda t: -counts[t])[:3]))
            work.left.append(f"{name}: {count(total - read, 'text is', 'texts are')} no {what}: {told}")
        return
    if reading.others:
        lost = work.replace(position, dict.fromkeys(reading.others))
        told = ", ".join(map(shown_value, reading.others[:3]))
        work.note(step, position, f"{told}, no {what}, became missing, as forced", lost)
        work.lose(position, lost)
    number = work.replace(position, dict(reading.values), dtype=object)
    column = work.columns[position].astype(object)
    unit = f", unit {reading.unit!r} taken off" if reading.unit else ""
    if what == "numbers":
        whole = all(isinstance(value, int) for value in reading.values.values()) and not column.isna().any()
        work.columns[position] = column.astype("int64" if whole else "float64")
        forms = [form for form in reading.forms if form != "plain"]
        told = f" ({', '.join(forms)})" if forms else ""
        work.note(step, position, f"text became numbers{unit}{told}", number)
    else:
        work.columns[position] = pd.to_datetime(column)
        forms = list(reading.forms)
        work.note(step, position, f"text became dates, written like {' and '.join(forms)}", number)


_CELLS: Final = {"strip": _strip, "missing": _missing, "spelling": _spelling, "types": _types, "dates": _dates}
