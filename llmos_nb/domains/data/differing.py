"""What is different in two tables, and a table as Markdown text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_tables", "markdown_table"]

#: Rows of a Markdown table.
ROWS_LIMIT: Final = 1_000


def compare_tables(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """What is in both tables, and what in one alone: rows, columns, and for each common column its differences.

    Rows count as equal where all common columns are; how often a row occurs counts, where it stands does not.
    """
    import pandas as pd

    common = [name for name in left.columns if name in set(right.columns)]
    pairs = {name: _alike(left[name], right[name]) for name in common}
    both = 0
    if common:
        one = pd.DataFrame({name: pair[0] for name, pair in pairs.items()}).value_counts(dropna=False)
        other = pd.DataFrame({name: pair[1] for name, pair in pairs.items()}).value_counts(dropna=False)
        there = other.to_dict()
        both = sum(min(count, there.get(row, 0)) for row, count in one.items())
    only_left = [str(name) for name in left.columns if name not in common]
    only_right = [str(name) for name in right.columns if name not in common]
    return pd.DataFrame(
        [
            ("rows", len(left), len(right)),
            ("columns", len(left.columns), len(right.columns)),
            ("rows that the other has, too", both, both),
            ("rows that the other has not", len(left) - both, len(right) - both),
            ("columns that the other has not", ", ".join(only_left) or "none", ", ".join(only_right) or "none"),
        ],
        columns=["", "first", "second"],
    ).set_index("")


def _alike(left: pd.Series[Any], right: pd.Series[Any]) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Two columns as texts that are equal where the values are: 5, 5.0 and a text "5" beside numbers are one value."""
    import pandas as pd

    def texts(column: pd.Series[Any], *, dates: bool, numbers: bool) -> pd.Series[Any] | None:
        try:
            if dates:
                column = (
                    pd.to_datetime(column, format="ISO8601") if column.dtype.kind == "O" else pd.to_datetime(column)
                )
            elif numbers:
                column = pd.to_numeric(column)
        except (ValueError, TypeError):
            return None
        return column.map(lambda value: "" if pd.isna(value) else repr(value + 0.0) if numbers else str(value))

    kinds = left.dtype.kind + right.dtype.kind
    dates, numbers = "M" in kinds, any(kind in "iuf" for kind in kinds)
    if (dates or numbers) and not (dates and numbers):
        one, other = (texts(column, dates=dates, numbers=numbers) for column in (left, right))
        if one is not None and other is not None:
            return one, other
    return tuple(column.map(lambda value: "" if pd.isna(value) else str(value)) for column in (left, right))  # type: ignore[return-value]


def markdown_table(table: pd.DataFrame) -> str:
    """A table of up to 1,000 rows as Markdown, as GitHub shows it.

    Raises:
        ValueError: it has more rows.
    """
    if len(table) > ROWS_LIMIT:
        raise ValueError(f"the table has {len(table)} rows, and Markdown is for up to {ROWS_LIMIT}; filter it first")

    def cell(value: object) -> str:
        return " ".join(str(value).replace("|", "\\|").split())

    lines = [[cell(name) for name in table.columns]]
    lines.append(["---"] * len(table.columns))
    lines += [
        ["" if missing else cell(value) for value, missing in zip(row, empty, strict=True)]
        for row, empty in zip(
            table.itertuples(index=False, name=None), table.isna().itertuples(index=False, name=None), strict=True
        )
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
