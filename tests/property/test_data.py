"""Lossless reports: rows in are rows out and rows reported; a join's rows are pandas'; what is written is read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_nb.domains.data import STEPS, clean, join, profile, read_table, write_table
from llmos_nb.domains.data.values import read_dates, read_numbers
from llmos_nb.errors import TableError

_FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_SAID = st.sampled_from(
    [
        "",
        " ",
        "-",
        "n/a",
        "1",
        "1,5",
        "1.234,5",
        "2.5",
        "3 g",
        "a",
        "A ",
        "a ",
        "yes",
        "No",
        "2020-01-31",
        "3/4/2020",
        "25/1/2020",
    ]
)
_CELLS = st.one_of(
    _SAID, st.none(), st.integers(-999, 3), st.floats(allow_nan=True), st.text(max_size=3), st.booleans()
)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 8))
    names = draw(st.lists(st.sampled_from(["a", "b", " a", "ü", "a"]), max_size=4))
    columns = []
    for _ in names:
        kind = draw(st.sampled_from([_SAID, _SAID, _CELLS, st.integers(0, 2)]))
        columns.append(pd.Series(draw(st.lists(kind, min_size=rows, max_size=rows)), dtype=object))
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(rows))
    table.columns = pd.Index(names, dtype=object)
    return draw(st.sampled_from([table, table.infer_objects()]))


@_FEW
@given(tables(), st.lists(st.sampled_from(list(STEPS)), unique=True), st.sampled_from([(), ("a",), (-999, "yes")]))
def test_a_cleaning_loses_nothing_silently(table: pd.DataFrame, steps: list[str], markers: tuple[Any, ...]) -> None:
    before = table.copy(deep=True)
    made, report = clean(table, steps, markers=markers)
    pd.testing.assert_frame_equal(table, before)
    assert report.rows_in == len(table) == len(made) + len(report.dropped) and report.rows_out == len(made)
    assert sum(c.count for c in report.changes if not c.column and c.step in ("empty", "duplicates")) == len(
        report.dropped
    )
    assert set(made.index) | set(report.dropped.index) == set(table.index)
    gone = sum("a column without" in change.what for change in report.changes)
    assert len(made.columns) == len(table.columns) - gone
    kept = table.loc[made.index]
    if gone == 0:  # every cell that holds nothing now, held nothing before or is counted
        for position in range(len(table.columns)):
            now, then = made.iloc[:, position].isna(), kept.iloc[:, position].isna()
            assert not (then & ~now).any()
            assert int((now & ~then).sum()) <= report.became_missing.get(position, 0)
    changed = {change.column for change in report.changes if change.column}
    for position, name in enumerate(table.columns) if gone == 0 and "strip" not in steps else ():
        if str(name) not in changed:
            now, then = (side.iloc[:, position].astype(object).fillna("-").tolist() for side in (made, kept))
            assert now == then


@_FEW
@given(tables())
def test_a_profile_counts_as_pandas_does(table: pd.DataFrame) -> None:
    seen = profile(table)
    assert [column.missing for column in seen.columns] == table.isna().sum().tolist()
    assert str(seen) and seen.to_markdown() and seen._repr_mimebundle_()["text/html"]


@_FEW
@given(tables())
def test_cleaning_twice_changes_nothing_more(table: pd.DataFrame) -> None:
    steps = ["strip", "missing", "types", "dates", "empty", "duplicates"]
    once = clean(table, steps).table
    again = clean(once, steps)
    assert len(again.table) == len(once)


_KEYS = st.one_of(st.integers(0, 3), st.none(), st.sampled_from(["a", "b "]))


@_FEW
@given(
    st.lists(st.tuples(_KEYS, st.integers(0, 2)), max_size=8),
    st.lists(st.tuples(_KEYS, st.integers(0, 2)), max_size=8),
    st.sampled_from([["k"], ["k", "n"]]),
    st.sampled_from(["left", "right", "inner", "outer"]),
)
def test_a_join_has_the_rows_that_pandas_merges(left: Any, right: Any, on: list[str], how: Any) -> None:
    one, other = (pd.DataFrame(rows, columns=["k", "n"], dtype=object) for rows in (left, right))
    try:
        expected = one.merge(other, on=on, how=how)
    except ValueError:
        return
    pairs = one.merge(other, on=on, how="inner")
    try:
        made, report = join(one, other, on=on, how=how)
    except TableError as error:
        assert any(said in error.message for said in ("would make", "nothing would match", "cannot be compared"))
        made, report = (
            join(one, other, on=on, how=how, many_to_many=True) if "pairs" in error.message else (None, None)
        )
        if made is None:
            return
        assert len(pairs) > max(len(one), len(other)) // 2
    assert len(made) == len(expected) == report.rows
    marked = one.merge(other.drop_duplicates(on), on=on, how="left", indicator=True)
    assert len(report.left_only) == int((marked["_merge"] == "left_only").sum())


@_FEW
@given(tables(), st.sampled_from([".csv", ".tsv", ".parquet", ".xlsx"]))
def test_what_is_written_has_the_same_size_when_read(tmp_path: Path, table: pd.DataFrame, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.unlink(missing_ok=True)
    try:
        write_table(table, path)
    except TableError:
        assert not path.exists()
        return
    if len(table.columns) < 2 or not len(table):
        return  # a line with one empty field is a blank line to every reader of text
    blank = table.isna().all(axis=1) | (table.astype(object).map(lambda v: str(v).strip() == "")).all(axis=1)
    if not blank.any():
        assert read_table(path).shape == table.shape


@given(st.lists(st.text(max_size=12) | _SAID, max_size=6))
def test_reading_texts_never_fails_and_never_claims_too_much(texts: list[str]) -> None:
    for reading in (read_numbers(texts), read_dates(texts)):
        assert set(reading.values) | set(reading.others) == set(texts) or reading.reason
        assert not set(reading.values) & set(reading.others)


@pytest.mark.parametrize("form", ["{:.2f}", "{:,.2f}", "{:+.1f}", "{:.3e}"])
@given(st.floats(-1e9, 1e9))
def test_numbers_read_are_the_numbers_written(form: str, value: float) -> None:
    text = form.format(value)
    assert read_numbers([text, "0.5"]).values[text] == pytest.approx(float(text.replace(",", "")))
