"""``join``: two tables by keys, with what did not match, and no rows multiplied that nobody asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from llmos_nb.domains.data.profiling import named
from llmos_nb.domains.data.view import Shown, count, shown_value
from llmos_nb.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HOWS", "JoinReport", "Joined", "join", "joined_rows"]

#: Which rows stay: those of the left table, of the right, of both where they match, or all.
HOWS: Final = ("left", "inner", "outer", "right")


@dataclass(frozen=True, repr=False)
class JoinReport:
    """What a join did. ``left_only`` and ``right_only`` have the rows that matched nothing, whether they stayed or not."""

    on: tuple[str, ...]
    how: str
    kind: str
    rows_left: int
    rows_right: int
    rows: int
    left_only: pd.DataFrame
    right_only: pd.DataFrame
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return self._shown().text()

    __repr__ = __str__

    def to_markdown(self) -> str:
        """For a report."""
        return self._shown().markdown()

    def _shown(self) -> Shown:
        heading = (
            f"Joined on {', '.join(self.on)} ({self.how}, {self.kind}): {self.rows_left:,} and "
            f"{count(self.rows_right, 'row')} make {count(self.rows, 'row')}"
        )
        return Shown(heading, self.notes)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown().bundle()


class Joined(NamedTuple):
    """``table, report = join(…)``."""

    table: pd.DataFrame
    report: JoinReport


def join(
    left: pd.DataFrame,
    right: pd.DataFrame,
    on: str | Sequence[str] | None = None,
    *,
    left_on: str | Sequence[str] | None = None,
    right_on: str | Sequence[str] | None = None,
    how: str = "left",
    many_to_many: bool = False,
) -> Joined:
    """Join two tables by keys, with a report on what matched and what did not. The rows are those of ``pandas.merge``.

    Columns that both have, beside the keys, end in ``_left`` and ``_right``. Where a key occurs several times on *both*
    sides, each of the rows would be paired with each: that is refused unless ``many_to_many`` says that it is meant.

    Args:
        on: the key columns; all columns that both tables have if None.
        left_on, right_on: the key columns, where they are called otherwise on either side.
        how: ``left`` keeps all rows of the left table, ``right`` of the right, ``inner`` those that match, ``outer`` all.

    Raises:
        TableError: a key is missing, or of another type on the other side, or the join would multiply rows.
    """
    import pandas as pd

    for side, table in (("left", left), ("right", right)):
        if not isinstance(table, pd.DataFrame):
            raise TableError(
                f"join takes DataFrames, got {type(table).__name__} on the {side}.", remedy="read_table makes one."
            )
        if not table.columns.is_unique:
            again = ", ".join(dict.fromkeys(map(named, table.columns[table.columns.duplicated()])))
            raise TableError(f"The {side} table has several columns called {again}.", remedy="Rename them first.")
    if how not in HOWS:
        raise TableError(f"There is no join {how!r}.", remedy=f"There are {', '.join(HOWS)}.")
    keys = _keys(left, right, on, left_on, right_on)
    for one, other in zip(*keys, strict=True):
        _check_types(left[one], right[other], one, other)
    try:
        return _joined(left, right, keys, how, many_to_many)
    except ValueError as error:  # pandas will not compare such keys
        said = " ".join(str(error).split())[:200]
        raise TableError(
            f"The keys {', '.join(map(named, keys[0]))} cannot be compared ({said}).",
            remedy="Make them the same type first: clean(table) reads numbers and dates from text.",
        ) from error


def joined_rows(
    left: pd.DataFrame,
    right: pd.DataFrame,
    on: str | None = None,
    *,
    how: str = "inner",
    all_pairs: bool = False,
) -> pd.DataFrame:
    """The rows of :func:`join`; prints how many of each side came to how many, and what matched nothing.

    Args:
        on: the key; None where the tables have one column in common.
        all_pairs: whether rows may be multiplied, where a key occurs several times on both sides.

    Raises:
        TableError: as :func:`join`; or several columns are in both tables and none of them is named.
    """
    if on is None:
        common = [str(column) for column in left.columns if column in right.columns]
        if not common:
            raise TableError(
                "The tables have no column in common.", remedy="Rename what belongs together to the same name first."
            )
        if len(common) > 1:
            raise TableError(
                f"Both tables have {', '.join(common[:6])}: it is not clear which belongs together.",
                remedy=f"Name it: join … on {common[0]}.",
            )
    try:
        table, report = join(left, right, on, how=how, many_to_many=all_pairs)
    except TableError as error:
        if "several times on both sides" not in error.message:
            raise
        remedy = "Drop the duplicates of that column on one side, or join with all pairs if that is meant."
        raise TableError(error.message, remedy=remedy) from error
    print(report)  # noqa: T201 - beside the table, which is the value
    return table


def _joined(
    left: pd.DataFrame, right: pd.DataFrame, keys: tuple[list[Any], list[Any]], how: str, many_to_many: bool
) -> Joined:
    counts = [_counted(table, key) for table, key in zip((left, right), keys, strict=True)]
    repeated = [bool((sizes["rows"] > 1).any()) for sizes in counts]
    kind = f"{'many' if repeated[0] else 'one'}-to-{'many' if repeated[1] else 'one'}"
    both = counts[0].merge(counts[1], on=list(range(len(keys[0]))), suffixes=("", "_other"))
    several = both[(both["rows"] > 1) & (both["rows_other"] > 1)]
    if len(several):
        pairs = int((both["rows"] * both["rows_other"]).sum())
        told = ", ".join(
            _told(key) for key in several.drop(columns=["rows", "rows_other"]).head(3).itertuples(index=False)
        )
        if not many_to_many:
            raise TableError(
                f"{count(len(several), 'key occurs', 'keys occur')} several times on both sides ({told}): joined, "
                f"{len(left):,} and {count(len(right), 'row')} would make {count(pairs, 'pair')}.",
                remedy="Drop duplicates on one side, join on more columns, or say many_to_many=True if it is meant.",
            )
    table = left.merge(right, left_on=keys[0], right_on=keys[1], how=_HOW[how], suffixes=("_left", "_right"))
    table.attrs = {}
    if not table.columns.is_unique:
        again = ", ".join(dict.fromkeys(map(named, table.columns[table.columns.duplicated()])))
        raise TableError(f"The result would have several columns called {again}.", remedy="Rename them first.")
    left_only, right_only = (
        _without(mine, key, others) for mine, key, others in ((left, keys[0], counts[1]), (right, keys[1], counts[0]))
    )
    shown = tuple(
        a if a == b else f"{a} = {b}" for a, b in zip(map(named, keys[0]), map(named, keys[1]), strict=True)
    )
    notes = _notes(left, right, keys, how, counts, left_only, right_only)
    return Joined(
        table,
        JoinReport(shown, how, kind, len(left), len(right), len(table), left_only, right_only, tuple(notes)),
    )


_HOW: Final[dict[str, Any]] = {how: how for how in HOWS}


def _keys(
    left: pd.DataFrame,
    right: pd.DataFrame,
    on: str | Sequence[str] | None,
    left_on: str | Sequence[str] | None,
    right_on: str | Sequence[str] | None,
) -> tuple[list[Any], list[Any]]:
    if (left_on is None) != (right_on is None) or (on is not None and left_on is not None):
        raise TableError("Give the keys as on, or as left_on and right_on.", remedy="join(a, b, on='id')")
    if on is None and left_on is None:
        on = [column for column in left.columns if column in right.columns]
        if not on:
            raise TableError(
                "The tables have no column in common.", remedy="Say which belong together: left_on=…, right_on=…."
            )
    listed = [
        [key] if isinstance(key, str | tuple) else list(key or ())
        for key in ((on, on) if on is not None else (left_on, right_on))
    ]
    if not listed[0] or len(listed[0]) != len(listed[1]):
        raise TableError("Both sides need the same number of keys, at least one.", remedy="join(a, b, on=['id'])")
    for side, table, keys in (("left", left, listed[0]), ("right", right, listed[1])):
        gone = [named(key) for key in keys if key not in table.columns]
        if gone:
            there = ", ".join(map(named, table.columns[:20]))
            raise TableError(f"The {side} table has no column {', '.join(gone)}.", remedy=f"It has {there}.")
    return listed[0], listed[1]


def _check_types(one: pd.Series[Any], other: pd.Series[Any], left: object, right: object) -> None:
    kinds = _kind(one), _kind(other)
    if kinds[0] != kinds[1] and "mixed" not in kinds and "empty" not in kinds:
        raise TableError(
            f"The key {named(left)} holds {kinds[0]} on the left, and {named(right)} holds {kinds[1]} on the right: "
            "nothing would match.",
            remedy="Make them the same first: clean(table) reads numbers and dates from text.",
        )


def _kind(column: pd.Series[Any]) -> str:
    import pandas as pd

    kind = column.dtype
    if column.isna().all():
        return "empty"
    if isinstance(kind, pd.CategoricalDtype):
        return _kind(kind.categories.to_series())
    if isinstance(kind, pd.DatetimeTZDtype):
        return "dates with a time zone"
    if pd.api.types.is_datetime64_any_dtype(kind):
        return "dates"
    if pd.api.types.is_numeric_dtype(kind):
        return "numbers"
    found = pd.api.types.infer_dtype(column, skipna=True)
    return {"string": "text", "integer": "numbers", "floating": "numbers"}.get(found, "mixed")


def _counted(table: pd.DataFrame, keys: list[Any]) -> pd.DataFrame:
    """How often each key occurs, in columns 0, 1 … and ``rows``; missing values are one, as pandas joins them."""
    plain = table[keys].set_axis(range(len(keys)), axis=1)
    try:
        counted = plain.groupby(list(plain.columns), dropna=False, observed=True, sort=False).size()
        return counted.reset_index(name="rows").astype(plain.dtypes.to_dict())
    except TypeError as error:
        raise TableError(
            f"The key {named(keys[0])} holds values that cannot be compared ({error}).",
            remedy="Join on another column.",
        ) from error


def _without(table: pd.DataFrame, keys: list[Any], others: pd.DataFrame) -> pd.DataFrame:
    """Rows whose key the other table has not."""
    plain = table[keys].set_axis(range(len(keys)), axis=1)
    found = plain.merge(others, on=list(plain.columns), how="left", indicator="matched")
    return table[(found["matched"] == "left_only").to_numpy()]


def _notes(
    left: pd.DataFrame,
    right: pd.DataFrame,
    keys: tuple[list[Any], list[Any]],
    how: str,
    counts: Sequence[pd.DataFrame],
    left_only: pd.DataFrame,
    right_only: pd.DataFrame,
) -> list[str]:
    notes = []
    for side, only, key, stay in (
        ("left", left_only, keys[0], how in ("left", "outer")),
        ("right", right_only, keys[1], how in ("right", "outer")),
    ):
        if len(only):
            values = only[key].drop_duplicates().head(3).itertuples(index=False)
            told = ", ".join(_told(tuple(value)) for value in values)
            fate = "they stay, without values of the other" if stay else "they are not in the result"
            notes.append(f"{count(len(only), 'row')} of the {side} table matched nothing ({told}); {fate}")
    for side, table, key, sizes in (("left", left, keys[0], counts[0]), ("right", right, keys[1], counts[1])):
        missing = int(table[key].isna().any(axis=1).sum())
        if missing:
            notes.append(
                f"{count(missing, 'key')} of the {side} table {'is' if missing == 1 else 'are'} missing; pandas matches "
                "missing keys with each other"
            )
        again = int((sizes["rows"] > 1).sum())
        if again:
            notes.append(f"{count(again, 'key occurs', 'keys occur')} several times in the {side} table")
    near = _near(left_only, right_only, keys)
    if near:
        notes.append(
            f"{count(near, 'key')} without a match would have one but for blanks and capitals: clean both tables first"
        )
    same = sorted(named(c) for c in set(left.columns) & set(right.columns) - (set(keys[0]) & set(keys[1])))
    if same:
        notes.append(f"both tables have {', '.join(same[:5])}: they end in _left and _right")
    return notes


def _near(left: pd.DataFrame, right: pd.DataFrame, keys: tuple[list[Any], list[Any]]) -> int:
    plain = [
        {
            tuple(" ".join(str(v).split()).casefold() for v in row)
            for row in side[key].head(100_000).itertuples(index=False)
        }
        for side, key in ((left, keys[0]), (right, keys[1]))
    ]
    return len(plain[0] & plain[1])


def _told(key: object) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return " / ".join(shown_value(part) for part in parts)
