"""Decimal signs, groups of thousands, dates beside them: read in the one way they have, or kept as text and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from llmos_nb.domains.data import read_table, source_of


def read(tmp_path: Path, text: str, encoding: str = "utf-8", **options: Any) -> tuple[pd.DataFrame, str]:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    frame = read_table(path, **options)
    return frame, "\n".join(source_of(frame).notes)


def test_dates_with_points_stay_dates_beside_thousands_with_points(tmp_path: Path) -> None:
    frame, said = read(tmp_path, "Datum;Preis\n01.02.2024;1.234,50\n05.11.2024;12,00\n")
    assert frame["Datum"].tolist() == ["01.02.2024", "05.11.2024"]
    assert frame["Preis"].tolist() == [1234.5, 12.0]
    assert "'.' groups thousands in Preis" in said and "Datum" not in said


def test_only_columns_of_numbers_have_thousands(tmp_path: Path) -> None:
    text = "Konto;IP;Version;Tel;Preis\n12.345.678;192.168.1.1;1.2.3;030.1234;1.234,50\n9.876;10.0.0.1;1.10.0;0221.555;2\n"
    frame, _ = read(tmp_path, text)
    assert frame["Konto"].tolist() == [12345678, 9876]
    assert frame["IP"].tolist() == ["192.168.1.1", "10.0.0.1"]
    assert frame["Version"].tolist() == ["1.2.3", "1.10.0"] and frame["Tel"].tolist() == ["030.1234", "0221.555"]


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("a\tb\nx\t1.200\ny\t980\n", [1.2, 980], [1200, 980]),
        ("a\tb\tc\nx\t1.200\t1.100\ny\t980\t2.200\n", [1.2, 980], [1200, 980]),
        ("a;b\nx;1.234\ny;2.500\n", [1.234, 2.5], [1234, 2500]),
    ],
)
def test_what_nothing_decides_stays_text_until_it_is_said(
    tmp_path: Path, text: str, point: list[float], comma: list[int]
) -> None:
    frame, said = read(tmp_path, text)
    for column in frame.columns[1:]:
        assert frame[column].map(type).eq(str).all()
        assert f"{column} is kept as text" in said
    assert "decimal='.'" in said and "decimal=','" in said
    assert said.count("b is kept as text") == 1
    assert read(tmp_path, text, decimal=".")[0]["b"].tolist() == point
    assert read(tmp_path, text, decimal=",")[0]["b"].tolist() == comma


def test_measurements_of_three_digits_are_numbers_and_it_is_told(tmp_path: Path) -> None:
    frame, said = read(tmp_path, "a,b\nx,1.234\ny,2.500\n")
    assert frame["b"].tolist() == [1.234, 2.5]
    assert "b: 1.234 is read with a decimal point, as nothing says otherwise" in said
    frame, said = read(tmp_path, "a,b,c\nx,1.234,0.5\ny,2.500,12.25\n")
    assert frame["b"].tolist() == [1.234, 2.5] and "decimal point" not in said


def test_a_column_may_show_its_own_sign(tmp_path: Path) -> None:
    frame, said = read(tmp_path, "a;b\n1,5;2.5\n2,25;3.75\n")
    assert frame["a"].tolist() == [1.5, 2.25] and frame["b"].tolist() == [2.5, 3.75]
    assert "',' is the decimal sign in a" in said
    frame, said = read(tmp_path, "a;b\n1,5;2\n2.5;3\n")
    assert frame["a"].tolist() == ["1,5", "2.5"] and "some have a decimal comma, some a decimal point" in said


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ('p,q\n"1.234,50",x\n"12,00",y\n', [1234.5, 12.0], "decimal ','"),
        ('p,q\n"1,2",x\n"3,4",y\n', ["1,2", "3,4"], "p is text"),
        ('p,q\n"1,234,567",x\n"12",y\n', [1234567, 12], "',' groups thousands"),
        ('p,q\n"1,234",x\n"12",y\n', ["1,234", "12"], "1,234 may be 1.234 or 1234"),
        ("p;q\n1 234,5;x\n12,0;y\n", ["1 234,5", "12,0"], "“convert p to numbers” reads them"),
        ("p;q\n1'234.50;x\n12.00;y\n", ["1'234.50", "12.00"], "“convert p to numbers” reads them"),
        ("p,q\n12 %,x\n3.5 %,y\n", ["12 %", "3.5 %"], "numbers with %"),
        ('p,q\n"$1,234.50",x\n£2.00,y\n', ["$1,234.50", "£2.00"], "several units: $, £"),
        ("p,q\nkg,m\n1.5,3\n2.5,4\n", ["kg", "1.5", "2.5"], "p is text: most values look like numbers, but 1 is not: 'kg'"),
        ("p,q\n12.2024,x\n10.2024,y\n", ["12.2024", "10.2024"], "'12.2024' is rather a month than a number"),
        ("p,q\n08.30,x\n12.15,y\n", ["08.30", "12.15"], "some of its values begin with a zero"),
        ("p,q\n1E5,x\n2E7,y\n", ["1E5", "2E7"], "'1E5' may be a code, or a number with a power of ten"),
        ("p,q\n1e-05,x\n2.5e+07,y\n", [1e-05, 2.5e7], ""),
        ("p,q\n+491701234567,x\n+441701234567,y\n", ["+491701234567", "+441701234567"], "begin with a plus"),
        ("p,q\n12345678901234567890,x\n2,y\n", [12345678901234567890, 2], ""),
        ("p;q\n01.02.24;1,5\n05.11.24;2,5\n", ["01.02.24", "05.11.24"], "decimal ','"),
        ("p;q\n12.2024;1,5\n01.2024;2,5\n", ["12.2024", "01.2024"], "decimal ','"),
        ("p,q\n0.5,x\n10,y\n", [0.5, 10], ""),
    ],
)  # fmt: skip
def test_numbers_of_all_kinds_are_right_or_text(tmp_path: Path, text: str, values: list[Any], said: str) -> None:
    frame, notes = read(tmp_path, text)
    assert frame["p"].tolist() == values
    assert said in notes


def test_what_only_the_last_row_shows_counts(tmp_path: Path) -> None:
    frame, said = read(tmp_path, "a\tb\n" + "x\t1.200\n" * 5000 + "y\t980\n")
    assert frame["b"].map(type).eq(str).all() and "1.200 may be 1.2 or 1200" in said
    frame, said = read(tmp_path, "a;b;c\n" + "x;1.200;1,5\n" * 5000 + "y;04.05.2024;2\n")
    assert frame["b"].iloc[-1] == "04.05.2024" and frame["c"].iloc[0] == 1.5
