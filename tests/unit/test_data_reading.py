"""Reading and writing tables: what is found out about a file, what is told, and what a bad one says."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from llmos_nb.domains.data import read_table, source_of, tables_in, write_table
from llmos_nb.errors import TableError

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def put(name: str, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = Path(name)
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def test_a_plain_csv_is_what_pandas_reads() -> None:
    pd.testing.assert_frame_equal(read_table(PENGUINS), pd.read_csv(PENGUINS), check_flags=False)
    assert "344 rows, 8 columns" in str(source_of(read_table(PENGUINS)))
    assert read_table(PENGUINS, rows=3, columns=["year", "sex"]).shape == (3, 2)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_separator_is_found_out(separator: str, ends: str) -> None:
    rows = [("name", "note", "n"), *((f"a{i}", '"x, y; z | t\nnext"', str(i)) for i in range(30))]
    put("a.csv", ends.join(separator.join(row) for row in rows))
    frame = read_table("a.csv")
    assert list(frame.columns) == ["name", "note", "n"]
    assert frame["n"].tolist() == list(range(30))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Stadt,Höhe\nKöln,53\n北京,43\n"),
        ("utf-8-sig", "Stadt,Höhe\nKöln,53\n北京,43\n"),
        ("utf-16", "Stadt,Höhe\nKöln,53\n北京,43\n"),
        ("utf-16-le", "Stadt,Höhe\nKöln,53\nUlm,43\n"),
        ("cp1252", "Stadt,Höhe\nKöln,53\n5 €,43\n"),
    ],
)
def test_the_encoding_is_found_out_and_a_guess_is_called_one(encoding: str, text: str) -> None:
    put("a.csv", text, encoding)
    frame = read_table("a.csv")
    assert list(frame.columns) == ["Stadt", "Höhe"] and frame["Stadt"][0] == "Köln"
    assert ("guess" in str(source_of(frame))) == (encoding == "cp1252")


def test_a_letter_far_behind_the_beginning_decides_the_encoding() -> None:
    put("a.csv", b"name,n\n" + b"abc,1\n" * 300_000 + "Größe,2\n".encode("cp1252"))
    assert read_table("a.csv")["name"].iloc[-1] == "Größe"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a;b\n1,5;2\n2,25;3\n", [1.5, 2.25]),
        ("a;b\n1.234,5;2\n7,25;3\n", [1234.5, 7.25]),
        ("a;b\n1.5;2\n2.25;3\n", [1.5, 2.25]),
        ('a,b\n"1,234.5",2\n2.25,3\n', [1234.5, 2.25]),
    ],
)
def test_decimal_sign_and_thousands_are_found_out(text: str, values: list[float]) -> None:
    put("a.csv", text)
    assert read_table("a.csv")["a"].tolist() == values


def test_what_may_be_either_stays_text() -> None:
    put("a.csv", "a;b\n1,234;2\n5,678;3\n")
    assert read_table("a.csv")["a"].tolist() == ["1,234", "5,678"]


def test_blanks_are_part_of_a_value_unless_they_follow_each_separator() -> None:
    put("a.csv", "a,b\nx, y\n x,y\n")
    assert read_table("a.csv").to_dict("list") == {"a": ["x", " x"], "b": [" y", "y"]}
    put("b.csv", 'a, b\nx, "y, z"\n')
    assert read_table("b.csv").to_dict("list") == {"a": ["x"], "b": ["y, z"]}
    assert "blank follows" in str(source_of(read_table("b.csv")))


def test_names_that_occur_twice_or_not_at_all_are_told() -> None:
    put("a.csv", "id,x,x,\n1,2,3,4\n")
    frame = read_table("a.csv")
    assert list(frame.columns) == ["id", "x", "x.1", "Unnamed: 3"]
    assert "2 columns are called 'x'" in str(source_of(frame)) and "no name" in str(source_of(frame))


def test_what_excel_writes_first_is_no_header() -> None:
    put("a.csv", "sep=;\r\na;b\r\n1;2\r\n")
    assert read_table("a.csv").to_dict("list") == {"a": [1], "b": [2]}


def test_a_huge_field_and_a_packed_file() -> None:
    put("a.csv.gz", gzip.compress(("id,text\n1," + "x" * 3_000_000 + "\n").encode()))
    frame = read_table("a.csv.gz")
    assert len(frame["text"][0]) == 3_000_000 and "gzip" in str(source_of(frame))


def test_missing_marks_can_be_chosen() -> None:
    put("a.csv", "country,n\nNA,1\nDE,x\n")
    assert read_table("a.csv")["country"].isna().sum() == 1
    assert read_table("a.csv", missing=["x"])["country"].tolist() == ["NA", "DE"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.csv", None, "there is no such file"),
        ("empty.csv", b"", "the file is empty"),
        ("blank.csv", b"\n\n  \n", "blank lines"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        ("binary.csv", bytes(range(256)) * 20, "binary data"),
        ("torn.csv", b'a,b\n1,2\n1,2,3,4,5\n', "line 3"),
        ("bad.parquet", b"PAR1" + b"x" * 100, "damaged Parquet"),
        ("bad.xlsx", b"PK\x03\x04" + b"x" * 100, "no Excel file"),
        ("bad.db", b"SQLite format 3\0" + b"x" * 2000, "damaged SQLite"),
        ("bad.duckdb", b"12345678DUCK" + b"x" * 5000, "bad.duckdb"),
        ("bad.csv.gz", b"\x1f\x8b" + b"x" * 100, "cannot be unpacked"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "old kind"),
    ],
)  # fmt: skip
def test_a_bad_file_says_what_and_what_to_do(name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        put(name, content)
    with pytest.raises(TableError, match=said) as raised:
        read_table(name)
    assert name in raised.value.message and raised.value.remedy


def test_a_file_that_is_absent_tells_what_is_there() -> None:
    put("sales.csv", "a\n1\n")
    with pytest.raises(TableError) as raised:
        read_table("sale.csv")
    assert "sales.csv" in raised.value.remedy


@pytest.mark.parametrize(
    "options", [{"table": "x"}, {"sheet": "x"}, {"query": "select 1"}, {"separator": ",,"}, {"rows": -1}]
)
def test_options_that_mean_nothing_are_refused(options: dict[str, object]) -> None:
    put("a.csv", "a\n1\n")
    with pytest.raises(TableError):
        read_table("a.csv", **options)  # type: ignore[arg-type]


def test_a_folder_an_address_and_a_column_that_is_not_there() -> None:
    put("a.csv", "a\n1\n")
    for source, options in ((".", {}), ("https://x.org/a.csv", {}), ("a.csv", {"columns": ["b"]})):
        with pytest.raises(TableError):
            read_table(source, **options)  # type: ignore[arg-type]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read() -> None:
    put("a.csv", "a\n1\n").chmod(0)
    with pytest.raises(TableError, match="cannot be read"):
        read_table("a.csv")


def test_excel_sheets() -> None:
    with pd.ExcelWriter("a.xlsx") as writer:
        pd.DataFrame({"a": [1]}).to_excel(writer, sheet_name="first", index=False)
        pd.DataFrame({"b": [2.5, 3]}).to_excel(writer, sheet_name="zwei – 2", index=False)
    assert tables_in("a.xlsx") == ["first", "zwei – 2"]
    assert list(read_table("a.xlsx").columns) == ["a"] and "zwei" in str(source_of(read_table("a.xlsx")))
    assert read_table("a.xlsx", sheet="Zwei – 2 ")["b"].tolist() == [2.5, 3]
    assert "“load sheet first of a.xlsx” loads another" in str(source_of(read_table("a.xlsx", sheet=1)))
    assert read_table("a.xlsx", sheet=1, rows=1)["b"].tolist() == [2.5]
    with pytest.raises(TableError, match="no sheet 'third'"):
        read_table("a.xlsx", sheet="third")


def test_what_a_file_is_says_its_content() -> None:
    pd.DataFrame({"a": [1]}).to_parquet("a.csv")
    assert read_table("a.csv")["a"].tolist() == [1]


# -- databases


ODD = ["plain", 'with "quotes"', "drop table x; --", "Ümläut tablé", "select"]


@pytest.fixture
def database(folder: Path) -> Path:
    path = folder / "a #1?.db"
    with sqlite3.connect(path) as made:
        for number, name in enumerate(ODD):
            quoted = name.replace('"', '""')
            made.execute(f'create table "{quoted}" (id integer, "odd ""name" text)')
            made.executemany(f'insert into "{quoted}" values (?, ?)', [(number, "x"), (number, None)])
    made.close()
    return path


@pytest.mark.parametrize("table", ODD)
def test_tables_with_odd_names(database: Path, table: str) -> None:
    frame = read_table(database, table)
    assert frame["id"].tolist() == [ODD.index(table)] * 2 and list(frame.columns)[1] == 'odd "name'


def test_a_database_says_which_tables_it_has(database: Path) -> None:
    assert tables_in(database) == sorted(ODD)
    with pytest.raises(TableError, match="has 5 tables"):
        read_table(database)
    with pytest.raises(TableError, match="no table 'sales'"):
        read_table(database, "sales")
    assert read_table(database, query="select count(*) as n from plain;")["n"].tolist() == [2]
    assert len(read_table(database, "plain", rows=1)) == 1


@pytest.mark.parametrize(
    "query",
    [
        "delete from plain",
        "with x as (select 1) delete from plain",
        "select load_extension('x')",
        "pragma writable_schema = 1",
        "attach 'other.db' as o",
        "select 1; drop table plain",
    ],
)
def test_a_database_is_only_read(database: Path, query: str) -> None:
    before = database.read_bytes()
    with pytest.raises(TableError):
        read_table(database, query=query)
    assert database.read_bytes() == before and not Path("other.db").exists()


def test_a_locked_database_says_so(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmos_nb.domains.data.databases.PATIENCE_S", 0.05)
    with sqlite3.connect(database, isolation_level=None) as other:
        other.execute("begin exclusive")
        with pytest.raises(TableError, match="locked"):
            read_table(database, "plain")
    other.close()


def test_a_database_that_is_written_at_the_same_time(database: Path) -> None:
    with sqlite3.connect(database) as other:
        other.execute("pragma journal_mode = wal")
        other.execute("insert into plain values (7, 'new')")
        other.commit()
        assert 7 in read_table(database, "plain")["id"].tolist()
    other.close()


def test_duckdb_is_only_read() -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect("a.duckdb") as made:
        made.execute('create table "odd ""name" as select range as n, \'x\' as t from range(5)')
    assert tables_in("a.duckdb") == ['odd "name']
    assert read_table("a.duckdb")["n"].tolist() == [0, 1, 2, 3, 4]
    assert read_table("a.duckdb", query='select sum(n) as s from "odd ""name"')["s"].tolist() == [10]
    put("secret.csv", "a\n1\n")
    for query in (
        "select * from 'secret.csv'",
        "copy (select 1) to 'out.csv'",
        "with x as (select 1) insert into y values (1)",
    ):
        with pytest.raises(TableError):
            read_table("a.duckdb", query=query)
    assert not Path("out.csv").exists()


def test_duckdb_that_another_process_writes() -> None:
    pytest.importorskip("duckdb")
    code = (
        "import duckdb, sys; c = duckdb.connect('a.duckdb'); c.execute('create table t as select 1 a')\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
        with pytest.raises(TableError, match="locked"):
            read_table("a.duckdb")
        other.communicate("")
    assert len(read_table("a.duckdb")) == 1


# -- writing


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.parquet", "a.xlsx"])
def test_what_is_written_is_read_again(name: str) -> None:
    frame = pd.DataFrame({"名": ["a", "=1+1", 'x;y\n"z"', None], "n": [1, 2, 3, 4], "v": [1.5, None, 3, -0.25]})
    told = write_table(frame, name)
    assert "4 rows, 3 columns" in str(told)
    again = read_table(name)
    plain = [table.astype(object).fillna("-").to_numpy().tolist() for table in (again, frame)]
    assert plain[0] == plain[1] and list(again.columns) == list(frame.columns)
    data = Path(name).read_bytes()
    write_table(frame, name)
    assert Path(name).read_bytes() == data or name.endswith("xlsx")
    assert [path.name for path in Path().iterdir()] == [name]


def test_names_of_rows_levels_and_zones_are_kept_and_told() -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None])
    frame = pd.DataFrame(
        [[1, 2], [3, 4]], index=index, columns=pd.MultiIndex.from_tuples([("x", "min"), ("x", "max")])
    )
    assert "row labels" in str(write_table(frame, "a.csv"))
    assert list(read_table("a.csv").columns) == ["k", "index_1", "x / min", "x / max"]
    zoned = pd.DataFrame({"t": pd.to_datetime(["2020-01-01T12:00:00+02:00", None])})
    assert "no time zones" in str(write_table(zoned, "a.xlsx"))
    assert read_table("a.xlsx")["t"][0] == "2020-01-01T12:00:00+02:00"
    write_table(zoned, "a.parquet")
    assert read_table("a.parquet")["t"].equals(zoned["t"])


@pytest.mark.parametrize("name", ["a.db", "a.sqlite", "a.duckdb", "a.doc", "a", "folder", "a.xlsx.gz"])
def test_what_cannot_be_written_says_so_and_leaves_no_file(name: str) -> None:
    Path("folder").mkdir()
    with pytest.raises(TableError) as raised:
        write_table(pd.DataFrame({"a": [1]}), name)
    assert raised.value.remedy and [path.name for path in Path().iterdir()] == ["folder"]


def test_a_failed_write_leaves_the_old_file() -> None:
    write_table(pd.DataFrame({"a": [1]}), "a.csv", encoding="ascii")
    with pytest.raises(TableError, match="ascii"):
        write_table(pd.DataFrame({"a": ["ü"]}), "a.csv", encoding="ascii")
    with pytest.raises(TableError, match="two columns called"):
        write_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), "a.parquet")
    with pytest.raises(TableError):
        write_table(pd.DataFrame({"a": ["\x00\x01"]}), "a.xlsx")
    assert [path.name for path in Path().iterdir()] == ["a.csv"] and read_table("a.csv")["a"].tolist() == [1]


def test_mixed_columns_are_written_and_told() -> None:
    frame = pd.DataFrame({"a": [1, "x", None]}, dtype=object)
    assert "written as text" in str(write_table(frame, "a.parquet"))
    assert read_table("a.parquet")["a"].tolist()[:2] == ["1", "x"]
