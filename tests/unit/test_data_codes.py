"""Columns of digits that are no numbers keep their zeros and their last digits, and it is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from llmos_nb.domains.data import read_table, source_of


@pytest.mark.parametrize(
    ("text", "encoding", "kept"),
    [
        ("PLZ,n\n01067,1\n50667,2\n", "utf-8", "PLZ"),
        ("PLZ;n\r\n50667;1,5\r\n01067;2,5\r\n", "utf-8", "PLZ"),
        ('n\tPLZ\n1\t"01067"\n2\t\n', "utf-16", "PLZ"),
        ("n, PLZ\n1, 01067\n2, 50667\n", "utf-8", "PLZ"),
        ("n,konto\n1,12345678901234567\n2,\n", "utf-8", "konto"),
        ("n,x\n1,0.5\n2,10\n", "utf-8", ""),
        ("n,x\n1,0\n2,00\n", "utf-8", "x"),
        ("n,x\n1,007\n2,-3\n", "utf-8", ""),
        ("n,x\n1,12345678901234567\n2,3\n", "utf-8", ""),
        ("0123,x\n1,2\n", "utf-8", ""),
    ],
)
def test_digits_that_are_no_number_stay_text(tmp_path: Path, text: str, encoding: str, kept: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    frame = read_table(path)
    texts = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
    assert texts == ([kept] if kept else [])
    said = str(source_of(frame))
    assert (f"{kept} is kept as text" in said) == bool(kept)
    if kept:
        whole = {"PLZ": "01067", "konto": "12345678901234567", "x": "00"}[kept]
        assert whole in frame[kept].tolist()
        assert int(frame[kept].isna().sum()) == text.count("\t\n") + text.count(",\n")


def test_a_workbook_keeps_them_too(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    pd.DataFrame({"PLZ": ["01067", "50667"], "n": ["1", "2"], "k": [1, 2]}).to_excel(path, index=False)
    frame = read_table(path)
    assert frame["PLZ"].tolist() == ["01067", "50667"]
    assert frame["n"].tolist() == [1, 2]
    assert "PLZ is kept as text: some of its values begin with a zero ('01067')" in str(source_of(frame))


def test_a_code_far_down_in_the_file_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,PLZ\n" + "1,50667\n" * 600_000 + "1,01067\n")
    assert read_table(path)["PLZ"].iloc[-1] == "01067"
