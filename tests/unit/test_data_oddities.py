"""What is odd in a file and could be read wrongly in silence: each is read right, refused, or told in the notes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from llmos_nb.domains.data import dates, numbers, read_table, source_of
from llmos_nb.errors import TableError


def read(path: Path) -> tuple[pd.DataFrame, str]:
    frame = read_table(path)
    return frame, "\n".join(source_of(frame).notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,c\n1,2,3\n4,5\n", "1 row has fewer values than there are names"),
        ("date,v\n45292,1\n45293,2\n", "45292 may be the day 2024-01-01, as Excel counts them"),
        ("lieferung,v\n20240131,1\n20240201,2\n", "20240131 may be the day 2024-01-31"),
        ("createdTime,v\n1704067200,1\n1704153600,2\n", "1704067200 may be the moment 2024-01-01 00:00:00 UTC"),
        ("amount,v\n45292,1\n45293,2\n", ""),
        ("id,v\n20249931,1\n20240201,2\n", ""),
        ("a,b\n1,\n2,\n", "b has no value"),
        ("Export; Kunden\nName,Ort\nA,B\nC,D\n", "Kunden has no value"),
        ("a,b\n1,2\n3,4\n", ""),
    ],
)
def test_odd_columns_of_a_text_file_are_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    notes = read(path)[1]
    assert said in notes and (said or "\n" not in notes)


def test_one_column_with_decimal_commas_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("value\n1,5\n2,25\n")
    assert read(path)[0].to_dict("list") == {"value": [1.5, 2.25]}
    path.write_text("value\n1,500\n2,250\n")
    frame, said = read(path)
    assert frame["value"].tolist() == ["1,500", "2,250"] and "value is kept as text" in said


@pytest.mark.parametrize(
    ("text", "kind"), [("<!DOCTYPE html><p>", "HTML"), ('[{"a": 1}, {"a": 2}]', "JSON"), ('{"a": [1, 2]}', "JSON")]
)
def test_text_that_is_no_table_is_refused(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=f"holds {kind}"):
        read_table(path)


def _merged(book: Workbook, sheet: Any) -> None:
    for row in (["region", "n"], ["N", 1], [None, 2]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")


def _titled(book: Workbook, sheet: Any) -> None:
    for row in (["Title", None], ["region", "n"], ["N", 1], ["S", 2]):
        sheet.append(row)
    sheet.merge_cells("A1:B1")


def _formula(book: Workbook, sheet: Any) -> None:
    for row in (["a", "b"], [1, "=A2*2"], [2, "=A3*2"]):
        sheet.append(row)


def _error(book: Workbook, sheet: Any) -> None:
    for row in (["a", "b"], [1, "#DIV/0!"], [2, 3]):
        sheet.append(row)


def _mixed(book: Workbook, sheet: Any) -> None:
    for row in (["d", "n"], [datetime.datetime(2024, 1, 5), 1], ["31.12.2024", 2], [45292, 3]):
        sheet.append(row)


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (_merged, "some cells are merged over several rows"),
        (_titled, "1 line above the names is left out: 'Title'"),
        (_formula, "formulas without a stored value are read as missing"),
        (_error, "cells with an error, such as #DIV/0!, are read as missing"),
        (_mixed, "d has values of several kinds: datetime, int, str"),
    ],
)
def test_odd_cells_of_a_workbook_are_told(tmp_path: Path, fill: Callable[[Workbook, Any], None], said: str) -> None:
    path, book = tmp_path / "a.xlsx", Workbook()
    fill(book, book.active)
    book.save(path)
    notes = read(path)[1]
    assert said in notes and ("merged" in notes) == (fill is _merged)


def test_dates_with_a_time_of_day_and_in_several_forms_are_read() -> None:
    texts = ["31.12.2024 08:30", "2024-12-31", "12/31/2024 9:05 PM", "31 Dec 2024, 10:00:30", "5.1.2025"]
    read = dates(pd.Series(texts))
    assert [str(one) for one in read] == [
        "2024-12-31 08:30:00", "2024-12-31 00:00:00", "2024-12-31 21:05:00", "2024-12-31 10:00:30", "2025-01-05 00:00:00",
    ]  # fmt: skip
    with pytest.raises(TableError, match="no other value decides"):
        dates(pd.Series(["3/4/2024 08:00", "5/6/2024"]))
    assert [one.month for one in dates(pd.Series(["13/4/2024 08:00", "5/6/2024"]))] == [4, 6]
    with pytest.raises(TableError, match="1 text is no date"):
        dates(pd.Series(["31.12.2024 25:30", "31.12.2024 08:30"]))


def test_a_currency_may_stand_before_a_number_and_a_minus_may_be_a_long_one() -> None:
    assert numbers(pd.Series(["CHF 1'234.50", "CHF 2.00"])).tolist() == [1234.5, 2.0]
    assert numbers(pd.Series(["\u22125", "3"])).tolist() == [-5, 3]
    for texts in (["CHF 5", "EUR 6"], ["ABC 5", "ABC 6"]):
        with pytest.raises(TableError):
            numbers(pd.Series(texts))
