"""Titles above the names, names that are missing or one too few, totals below: no column is lost, and all is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llmos_nb.domains.data import read_table, source_of
from llmos_nb.errors import TableError


def read(path: Path, **options: Any) -> tuple[pd.DataFrame, str]:
    frame = read_table(path, **options)
    return frame, "\n".join(source_of(frame).notes)


def put(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        ("Report Q1 2025\n\n", 1),
        ("Report Q1 2025\n", 1),
        ("# made by hand\n# in May\n", 2),
        ("Sales, EMEA, Q1, 2025\n", 1),
        ("Report,,\nMade: 2025-01-02,by me,\n,,\n", 2),
        ('"Report\nof two lines"\n\n', 1),
        ("", 0),
    ],
)
def test_titles_above_the_names_cost_no_column(tmp_path: Path, above: str, lines: int) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        frame, said = read(put(tmp_path, above + "name,value,kind\nx,1,a\ny,2,b\nz,3,a\n", encoding))
        assert frame.to_dict("list") == {"name": ["x", "y", "z"], "value": [1, 2, 3], "kind": ["a", "b", "a"]}
        assert ("left out" in said) == bool(lines)
        if lines:
            assert said.split("\n")[1].startswith(f"{lines} line")


def test_a_title_with_other_separators_does_not_choose_the_separator(tmp_path: Path) -> None:
    frame, said = read(put(tmp_path, "Umsatz, Köln, 2025\n\nOrt;Preis\nA;1.234,5\nB;2,5\n"))
    assert frame["Preis"].tolist() == [1234.5, 2.5]
    assert "separator semicolon" in said and "Umsatz, Köln, 2025" in said


def test_rows_with_a_name_that_the_header_has_not(tmp_path: Path) -> None:
    frame, said = read(put(tmp_path, "mpg\tcyl\nMazda\t21.5\t6\nFiat\t32\t4\n"))
    assert frame.to_dict("list") == {"row": ["Mazda", "Fiat"], "mpg": [21.5, 32], "cyl": [6, 4]}
    assert "the first one is called 'row'" in said


@pytest.mark.parametrize("text", ["a,b\n1,2,3,4\n5,6,7,8\n", "a,b\n1,2,3\n4,5\n"])
def test_values_without_a_name_are_not_dropped_silently(tmp_path: Path, text: str) -> None:
    with pytest.raises(TableError, match="more values than there are names"):
        read(put(tmp_path, text))


def test_an_empty_column_without_a_name_is_left_out_and_told(tmp_path: Path) -> None:
    frame, said = read(put(tmp_path, "a,b,\n1,2,\n3,4,\n"))
    assert list(frame.columns) == ["a", "b"] and "1 column without a name and without a value left out" in said
    frame, said = read(put(tmp_path, ",name\n0,x\n1,y\n"))
    assert list(frame.columns) == ["Unnamed: 0", "name"] and "1 column has no name" in said


def test_values_where_the_names_should_be_are_told(tmp_path: Path) -> None:
    path = put(tmp_path, "2024-01-05,Anna,3\n2024-01-06,Ben,4\n")
    assert "look like values ('2024-01-05', '3')" in read(path)[1]
    frame, said = read(path, header=0)
    assert frame["column_2"].tolist() == ["Anna", "Ben"] and "look like values" not in said
    assert "look like" not in read(put(tmp_path, "country,2019,2020\nDE,1,2\nFR,3,4\n"))[1]


def test_the_line_of_the_names_can_be_said(tmp_path: Path) -> None:
    path = put(tmp_path, "junk,x\n\nname,value\nx,1\ny,2\n")
    assert read(path, header=3)[0].to_dict("list") == {"name": ["x", "y"], "value": [1, 2]}
    for wrong in (2, 99, -1, "1"):
        with pytest.raises(TableError):
            read(path, header=wrong)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("region,n\nN,1\nS,2\nTotal,3\n", "the last row may be a total: 'Total' in region"),
        ("Ort;n\nN;1\nS;2\nSumme:;3\n", "the last row may be a total: 'Summe:' in Ort"),
        ("region,n,m\nN,1,2\nS,2,3\nE,2,4\nWorld,5,9\n", "the last row may be a total: 'World' in region"),
        ("region,n,m\nN,1,2\nS,2,3\nSource: me\n", "the last row has one value only: 'Source: me' in region"),
        ("region,n,m\nN,1,2\n,,\nS,2,3\n", "1 row has no value at all"),
        ("region,n,m\nN,1,2\nS,2,3\nE,2,4\n", ""),
    ],
)
def test_what_stands_below_a_table_is_told(tmp_path: Path, text: str, told: str) -> None:
    frame, said = read(put(tmp_path, text))
    assert told in said and len(frame) == len(text.strip().split("\n")) - 1
    assert bool(told) == ("row" in said)


def test_a_sheet_with_titles_an_empty_column_and_a_total(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    rows = [
        [None, "Budget 2025", None, None], [None, None, None, None], [None, "Team", "Since", "Q1"],
        [None, "A", pd.Timestamp("2024-01-05"), 10], [None, "B", pd.Timestamp("2024-02-05"), 5],
        [None, "Total", None, 15],
    ]  # fmt: skip
    pd.DataFrame(rows).to_excel(path, index=False, header=False)
    frame, said = read(path)
    assert list(frame.columns) == ["Team", "Since", "Q1"] and frame["Q1"].tolist() == [10, 5, 15]
    assert frame["Since"].dtype.kind == "M"
    assert "1 line above the names is left out: 'Budget 2025'" in said and "may be a total: 'Total'" in said
    assert list(read(path, header=3)[0]["Team"]) == ["A", "B", "Total"]
    assert read_table(path, header=0).shape[1] == 4


# -- texts that mean missing


def test_texts_that_are_read_as_missing_are_told(tmp_path: Path) -> None:
    frame, said = read(put(tmp_path, "name,n\nNA,1\nNone,NA\nnull,3\nNamibia,4\n,5\n"))
    assert frame["name"].isna().sum() == 4
    assert "'NA' is read as missing in name (1), n (1)" in said
    assert "'None' is read as missing in name (1)" in said and "'null' is read as missing" in said
    assert "missing" not in read(put(tmp_path, "name,n\nAnna,1\nNATO,\n"))[1]


def test_a_code_of_two_letters_is_no_missing_value(tmp_path: Path) -> None:
    frame, said = read(put(tmp_path, "cc,n\nNA,1\nUS,2\nDE,\n,4\n"))
    assert frame["cc"].tolist()[:3] == ["NA", "US", "DE"] and frame["cc"].isna().tolist() == [False] * 3 + [True]
    assert "cc: 'NA' is kept as text" in said
    path = tmp_path / "a.xlsx"
    pd.DataFrame({"cc": ["NA", "US", "DE"], "n": ["x", "NA", "y"]}).to_excel(path, index=False)
    frame, said = read(path)
    assert frame["cc"].tolist() == ["NA", "US", "DE"] and frame["n"].isna().sum() == 1
    assert "'NA' is read as missing in n (1)" in said
