"""Profile, clean, join and plot: what they see, what they change and tell, and tables that are odd."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_nb.domains.data import (
    STEPS,
    alike,
    clean,
    join,
    joined_rows,
    plot,
    profile,
    read_table,
    tables_among,
    trimmed,
)
from llmos_nb.domains.data.values import read_dates, read_numbers
from llmos_nb.errors import TableError

PENGUINS = read_table(Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv")


def findings(**columns: Any) -> str:
    return str(profile(pd.DataFrame(columns)))


# -- profile


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1", "2", "30", "x"] + ["4"] * 9, "12 numbers stored as text; 1 is none: 'x'"),
        (["1,5", "2,5", "3"], "3 numbers stored as text"),
        (["3750 g", "3800 g"], "2 numbers stored as text, unit 'g'"),
        (["1 kg", "2 g"], "several units: g, kg"),
        (["1,234", "5,678"], "no other value decides"),
        (["2020-01-02", "3.4.2020", "5 May 2021"], "3 dates stored as text in 3 forms"),
        (["3/4/2020", "5/6/2020"], "say day_first"),
        (["13/4/2020", "5/16/2020"], "some have the day first"),
        (["2020-01-01T00:00Z", "2020-01-01"], "some have a time zone"),
        (["yes", "no", "yes"], "yes and no stored as text"),
        (["a", "n/a", "-", ""], "3 texts mark a missing value: '', '-', 'n/a'"),
        (["a", " a", "b"], "1 text has blanks around it"),
        (["Oslo", "OSLO", "Rome"], "1 value is spelled in several ways: 'OSLO' = 'Oslo'"),
        (["KÃ¶ln", "Ulm"], "garbled letters"),
        ([1, "x", 2.5, None], "several types in one column: 1 float, 1 int, 1 str"),
        (["a", "a"], "has one value only"),
        ([None, None], "has no value at all"),
        ([1.0, 2, 3, 4, 5, 6, 7, 8, 9, -999, -999], "-999 occurs 2 times"),
        ([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 512], "1 value lies far out: 512"),
        ([1.0, np.inf, 2], "1 value is infinite"),
    ],
)
def test_what_looks_wrong_is_found(values: list[Any], said: str) -> None:
    assert said in findings(x=values)


def test_codes_with_leading_zeros_and_long_numbers_are_no_numbers() -> None:
    assert "stored as text" not in findings(zip=["00123", "04109"], account=["12345678901234567890"] * 2)


def test_a_good_table_has_no_findings_and_looks_the_same_each_time() -> None:
    seen = profile(PENGUINS, "penguins")
    assert "nothing looks wrong" in str(seen)
    assert seen.df["missing"].tolist() == PENGUINS.isna().sum().tolist()
    bundle = seen._repr_mimebundle_()
    assert bundle == profile(PENGUINS, "penguins")._repr_mimebundle_()
    assert bundle["text/html"].count("data:image/svg+xml") == 8 and "<svg" not in bundle["text/html"]


def test_names_and_values_cannot_become_html() -> None:
    table = pd.DataFrame({"<script>x</script>": ["<b>1</b>", "|`*"], "ok": [1, 2]})
    for shown in (profile(table, "<i>"), clean(table).report):
        assert "<script" not in shown._repr_mimebundle_()["text/html"].replace("&lt;", "")
        assert "<script" not in shown.to_markdown()


ODD_TABLES = {
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"a": [], "b": pd.Series([], dtype=str)}),
    "no columns": pd.DataFrame(index=range(3)),
    "names twice": pd.DataFrame([[1, "x", " y"], [1, "x", " y"]], columns=["a", "a", "a"]),
    "levels": pd.DataFrame([[1, " 2"], [1, " 2"]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
    "row levels": pd.DataFrame({"a": [" 1", "2"]}, index=pd.MultiIndex.from_tuples([("k", 1), ("k", 1)])),
    "lists": pd.DataFrame({"a": [[1], [1], {"x": 1}], "b": ["1", "1", "2"]}),
    "zones": pd.DataFrame({"t": pd.to_datetime(["2020-01-01", None]).tz_localize("Asia/Tokyo")}),
    "categories": pd.DataFrame({"c": pd.Categorical([" a", "a", "-"])}),
    "nullable": pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}),
    "durations": pd.DataFrame({"d": pd.to_timedelta([1, 2], unit="h"), "z": [1 + 2j, 3]}),
    "bytes": pd.DataFrame({"b": [b"x", b"y"]}),
    "numbers for names": pd.DataFrame([[" 1", "2"]], columns=[0, 1]),
    "decimals": pd.DataFrame({"d": [pd.Timestamp("2020-01-01").date(), None]}),
}


@pytest.mark.parametrize("table", ODD_TABLES.values(), ids=ODD_TABLES)
def test_odd_tables_are_profiled_and_cleaned(table: pd.DataFrame) -> None:
    before = table.copy(deep=True)
    seen = profile(table)
    assert len(seen.columns) == len(table.columns) and str(seen) and seen._repr_mimebundle_()
    made, report = clean(table, list(STEPS))
    pd.testing.assert_frame_equal(table, before)
    assert report.rows_in == len(table) == len(made) + len(report.dropped)
    assert str(report) and clean(made, list(STEPS)).report.rows_out == len(made)


@pytest.mark.parametrize("what", [profile, clean, plot])
def test_what_is_no_table_is_refused(what: Any) -> None:
    with pytest.raises(TableError, match="takes a DataFrame, got list"):
        what([1, 2])


# -- clean


MESSY = pd.DataFrame(
    {
        "species ": ["Adelie", " adelie", "ADELIE", "Gentoo", "Adelie", None],
        "mass": ["3,750 g", "3800.5 g", "n/a", "5000 g", "3,750 g", None],
        "day": ["2020-01-31", "31.01.2020", "1 Feb 2020", "-", "2020-01-31", None],
        "tagged": ["yes", "no", "Yes", "no", "yes", None],
        "empty": [None] * 6,
    }
)


def test_every_change_is_reported_with_its_count() -> None:
    made, report = clean(MESSY, list(STEPS))
    assert made.to_dict("list") == {
        "species": ["Adelie", "Adelie", "Adelie", "Gentoo"],
        "mass": [3750.0, 3800.5, pytest.approx(np.nan, nan_ok=True), 5000.0],
        "day": [pd.Timestamp(2020, 1, 31), pd.Timestamp(2020, 1, 31), pd.Timestamp(2020, 2, 1), pd.NaT],
        "tagged": [True, False, True, False],
    }
    assert [(c.step, c.column, c.count) for c in report.changes] == [
        ("strip", "", 1),
        ("strip", "species", 1),
        ("missing", "mass", 1),
        ("missing", "day", 1),
        ("spelling", "species", 2),
        ("spelling", "tagged", 1),
        ("types", "mass", 4),
        ("types", "tagged", 5),
        ("dates", "day", 4),
        ("empty", "empty", 6),
        ("empty", "", 1),
        ("duplicates", "", 1),
    ]
    assert report.dropped.index.tolist() == [4, 5] and report.dropped.loc[4, "mass"] == "3,750 g"
    assert report.became_missing == {1: 1, 2: 1}
    assert report.df["count"].sum() == sum(c.count for c in report.changes)


def test_only_the_steps_that_are_asked_for_are_taken() -> None:
    made, report = clean(MESSY, ["missing"])
    assert {change.step for change in report.changes} == {"missing"} and len(made) == 6
    assert list(clean(MESSY, []).table.columns) == list(MESSY.columns)
    with pytest.raises(TableError, match="no step tidy") as raised:
        clean(MESSY, ["tidy"])
    assert "spelling" in raised.value.remedy


def test_what_is_not_all_numbers_is_left_and_told_or_forced_and_counted() -> None:
    table = pd.DataFrame({"n": ["1", "2", "x", "4"], "k": list("abcd")})
    made, report = clean(table)
    assert made["n"].tolist() == ["1", "2", "x", "4"] and "'x'" in str(report.left)
    made, report = clean(table, force=["n"])
    assert made["n"].isna().tolist() == [False, False, True, False] and report.became_missing == {0: 1}
    assert [(c.count, "forced" in c.what) for c in report.changes] == [(1, True), (3, False)]


def test_further_markers_as_text_and_as_number() -> None:
    table = pd.DataFrame({"a": [1, -999, 3], "b": ["x", "Unknown", "y"], "k": [1, 2, 3]})
    made, report = clean(table, markers=["-999", "unknown"])
    assert made.isna().sum().tolist() == [1, 1, 0] and report.became_missing == {0: 1, 1: 1}


def test_days_or_months_first_is_never_guessed() -> None:
    table = pd.DataFrame({"d": ["3/4/2020", "5/6/2020"]})
    assert "day_first" in clean(table).report.left[0]
    assert clean(table, day_first=True).table["d"].dt.month.tolist() == [4, 6]
    assert clean(table, day_first=False).table["d"].dt.month.tolist() == [3, 5]
    assert clean(pd.DataFrame({"d": ["3/4/2020", "25/6/2020"]})).table["d"].dt.month.tolist() == [4, 6]
    assert clean(pd.DataFrame({"d": ["31.02.2020", "1.2.2020"]})).report.left == (
        "d: 1 text is no dates: '31.02.2020'",
    )


def test_rows_with_a_key_that_was_there_count_apart() -> None:
    table = pd.DataFrame({"id": [1, 1, 1, 2], "v": ["a", "a", "b", "c"]})
    made, report = clean(table, key=["id"])
    assert made["id"].tolist() == [1, 2] and [c.count for c in report.changes] == [1, 1]
    assert "other values" in report.changes[1].what and report.dropped["v"].tolist() == ["a", "b"]
    with pytest.raises(TableError, match="no column nr"):
        clean(table, key=["nr"])


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "-2.5", "+3", "1e3", ".5"], [1, -2.5, 3, 1000.0, 0.5]),
        (["1.234,5", "2,5"], [1234.5, 2.5]),
        (["1,234.5", "12,345"], [1234.5, 12345]),
        (["1 234,5", "1\u00a0000"], [1234.5, 1000]),
        (["1'234.5"], [1234.5]),
        (["$5", "$1,200.50"], [5, 1200.5]),
        (["12 %", "7.5 %"], [12, 7.5]),
    ],
)
def test_numbers_however_they_are_written(texts: list[str], values: list[float]) -> None:
    reading = read_numbers(texts)
    assert reading.whole and [reading.values[text] for text in texts] == values


@pytest.mark.parametrize(
    "text", ["", "x", "1,2,3", "1.2.3", "00123", "1 2", "1e", "12abcdefghi", "--1", "10A", "5 % g"]
)
def test_what_is_no_number(text: str) -> None:
    assert not read_numbers([text]).whole


def test_dates_with_zones() -> None:
    reading = read_dates(["2020-01-01T12:00:00+02:00", "2020-06-01T12:00Z"])
    assert [str(value) for value in reading.values.values()] == [
        "2020-01-01 10:00:00+00:00",
        "2020-06-01 12:00:00+00:00",
    ]


# -- join


LEFT = pd.DataFrame({"id": [1, 2, 2, 3, None], "v": list("abcde")})
RIGHT = pd.DataFrame({"id": [2, 3, 4, 5], "v": list("wxyz")})


@pytest.mark.parametrize("how", ["left", "inner", "outer", "right"])
def test_a_join_is_what_pandas_merges_with_the_rest_told(how: Any) -> None:
    made, report = join(LEFT, RIGHT, on="id", how=how)
    pd.testing.assert_frame_equal(made, LEFT.merge(RIGHT, on="id", how=how, suffixes=("_left", "_right")))
    assert (len(report.left_only), len(report.right_only), report.kind) == (2, 2, "many-to-one")
    assert "matched nothing" in str(report) and "missing" in str(report) and f"make {len(made)} rows" in str(report)


def test_rows_are_not_multiplied_unless_it_is_meant() -> None:
    twice = pd.DataFrame({"id": [2, 2, 2], "w": [1, 2, 3]})
    with pytest.raises(TableError, match="would make 6 pairs") as raised:
        join(LEFT, twice, on="id")
    assert "many_to_many" in raised.value.remedy
    assert len(join(LEFT, twice, on="id", how="inner", many_to_many=True).table) == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"on": "nr"}, "left table has no column nr"),
        ({"left_on": "id"}, "left_on and right_on"),
        ({"left_on": ["id", "v"], "right_on": ["id"]}, "same number of keys"),
        ({"on": "id", "how": "cross"}, "no join 'cross'"),
        ({"left_on": "id", "right_on": "v"}, "numbers on the left, and v holds text"),
    ],
)
def test_a_join_that_makes_no_sense_says_why(options: dict[str, Any], said: str) -> None:
    with pytest.raises(TableError, match=said):
        join(LEFT, RIGHT, **options)


def test_keys_that_nearly_match_are_told() -> None:
    one, other = pd.DataFrame({"k": ["Oslo ", "Rome"]}), pd.DataFrame({"k": ["oslo", "Rome"], "x": [1, 2]})
    assert "but for blanks and capitals" in str(join(one, other).report)
    with pytest.raises(TableError, match="no column in common"):
        join(one, pd.DataFrame({"z": [1]}))
    with pytest.raises(TableError, match="several columns called"):
        join(pd.DataFrame([[1, 2]], columns=["k", "k"]), other)


# -- plot


DATED = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=40, tz="UTC"), "v": range(40), "g": list("ab") * 20})


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (PENGUINS, {"x": "body_mass_g"}, "histogram of body_mass_g, 342 rows; 2 rows of 344 not shown"),
        (PENGUINS, {"x": "species"}, "bar of species, 344 rows"),
        (
            PENGUINS,
            {"x": "bill_depth_mm", "y": "bill_length_mm", "by": "species"},
            "scatter of bill_length_mm and bill",
        ),
        (
            PENGUINS,
            {"x": "species", "y": "body_mass_g", "by": "sex"},
            "box of body_mass_g and species by sex, 333 rows",
        ),
        (PENGUINS, {"x": "species", "y": "island"}, "heatmap of island and species"),
        (PENGUINS, {"x": "species", "y": "body_mass_g", "kind": "bar"}, "bar of body_mass_g"),
        (PENGUINS, {}, "overview of 8 columns, 344 rows"),
        (DATED, {"x": "day", "y": "v", "by": "g"}, "line of v and day by g, 40 rows"),
        (DATED, {"x": "day"}, "histogram of day"),
        (pd.DataFrame({"n": [str(i) for i in range(100)]}), {"x": "n"}, "80 rarer values are counted together"),
        (pd.DataFrame({"a": [1.0, np.inf, 3]}), {"x": "a", "kind": "histogram"}, "1 infinite value not shown"),
        (pd.DataFrame({"a": [5] * 3}), {"x": "a", "kind": "histogram"}, "histogram of a, 3 rows"),
        (pd.DataFrame({"a": range(30_000), "b": range(30_000)}), {"x": "a", "y": "b"}, "how many rows lie where"),
    ],
)
def test_what_is_drawn_follows_from_the_columns(table: pd.DataFrame, options: dict[str, Any], said: str) -> None:
    drawn = plot(table, **options)
    assert said in str(drawn)
    picture = drawn._repr_mimebundle_()["image/png"]
    assert picture[:4] == b"\x89PNG" or base64.b64decode(picture)[:4] == b"\x89PNG"
    if options.get("x"):
        assert drawn.ax.get_xlabel() == options["x"] and drawn.ax.get_ylabel()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"x": "wings"}, "no column 'wings'"),
        ({"x": "species", "kind": "pie"}, "no plot 'pie'"),
        ({"x": "species", "y": "body_mass_g", "kind": "scatter"}, "needs numbers, and species holds text"),
        ({"x": "species", "kind": "box"}, "needs a second column"),
        ({"x": "species", "y": "sex", "kind": "bar"}, "holds none"),
    ],
)
def test_what_cannot_be_drawn_says_why(options: dict[str, Any], said: str) -> None:
    with pytest.raises(TableError, match=said):
        plot(PENGUINS, **options)


def test_nothing_to_draw() -> None:
    with pytest.raises(TableError, match="nothing to draw"):
        plot(pd.DataFrame({"a": [None, 1], "b": [1, None]}), "a", "b")
    with pytest.raises(TableError, match="nothing to draw"):
        plot(pd.DataFrame())


def test_a_picture_is_saved_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.png", "a.svg", "a.pdf"):
        plot(PENGUINS, "species").save(tmp_path / name)
        first = (tmp_path / name).read_bytes()
        plot(PENGUINS, "species").save(tmp_path / name)
        assert (tmp_path / name).read_bytes() == first
    with pytest.raises(TableError, match=r"\.png, \.svg or \.pdf"):
        plot(PENGUINS, "species").save(tmp_path / "a.bmp")


# -- what everyday tasks are made of


def test_joined_rows_tells_how_many_rows_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    left, right = pd.DataFrame({"k": [1, 1, 2], "a": [1, 2, 3]}), pd.DataFrame({"k": [1, 3], "b": [4, 5]})
    assert joined_rows(left, right)["b"].tolist() == [4, 4]
    said = capsys.readouterr().out
    assert "3 and 2 rows make 2 rows" in said
    assert "1 row of the left table matched nothing (2); they are not in the result" in said


def test_joined_rows_multiplies_nothing_that_is_not_asked_for() -> None:
    left, right = pd.DataFrame({"k": [1, 1], "a": [1, 2]}), pd.DataFrame({"k": [1, 1], "b": [4, 5]})
    with pytest.raises(TableError, match="several times on both sides") as told:
        joined_rows(left, right, "k")
    assert "with all pairs" in told.value.remedy
    assert len(joined_rows(left, right, "k", all_pairs=True)) == 4
    with pytest.raises(TableError, match="no column in common"):
        joined_rows(left, right.rename(columns={"k": "other"}))
    with pytest.raises(TableError, match="Both tables have k, a: it is not clear"):
        joined_rows(left, left)


def test_spellings_become_the_most_frequent_one() -> None:
    column = pd.Series(["ja", "Ja", "Ja ", None, "nein", " NEIN", "nein", 3], name="x", dtype=object)
    assert alike(column).tolist() == ["Ja", "Ja", "Ja", None, "nein", "nein", "nein", 3]
    assert trimmed(column).tolist() == ["ja", "Ja", "Ja", None, "nein", "NEIN", "nein", 3]
    assert alike(pd.Series(["a", "A ", "b"], dtype="category")).tolist() == ["A", "A", "b"]


def test_tables_among_variables() -> None:
    found = tables_among({"a": pd.DataFrame({"x": [1]}), "_b": pd.DataFrame(), "c": 3})
    assert found.to_dict("index") == {"a": {"rows": 1, "columns": 1}}
