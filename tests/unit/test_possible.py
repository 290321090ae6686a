"""What stops steps that are bound to new values before anything is run, and what does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_replay import Asked, Place, everything

from llmos_nb.memory import Step, Trace

PENGUINS = "species,year,mass,flipper\nAdelie,2007,3700,190\nGentoo,2008,5000,210\n"
LOAD = "import pandas as pd\ndf = pd.read_csv('data.csv')"


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(PENGUINS)
    (tmp_path / "other.csv").write_text(PENGUINS.replace("mass", "weight"))
    return tmp_path


def rebound(steps: Sequence[Step], change: Callable[[str], str]) -> list[Step]:
    """The steps with ``change`` made to every text in arguments and expectations, as a bound match has them."""

    def changed(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list | tuple):
            return type(value)(changed(item) for item in value)
        if isinstance(value, dict):
            return {name: changed(item) for name, item in value.items()}
        return value

    bound = []
    for step in steps:
        expect = step.expect
        expect = dataclasses.replace(
            expect, files=changed(expect.files), columns={}, digest="",
            defines={change(name): kind for name, kind in expect.defines.items()},
        )  # fmt: skip
        bound.append(dataclasses.replace(step, arguments=changed(dict(step.arguments)), expect=expect))
    return bound


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def refused(place: Place, trace: Trace, *swaps: Callable[[str], str]) -> str:
    """Why a bound replay was refused; asserts that then nothing was begun and all is as before."""
    steps: Sequence[Step] = trace.replayable_steps
    for change in swaps:
        steps = rebound(steps, change)
    names, files = place.names, everything(place.cwd)
    done = place.replay(trace, steps)
    if done.surprise:
        assert place.calls_begun() == 0
        assert place.names == names and everything(place.cwd) == files
    return done.surprise


# ---------------------------------------------------------------- files


def test_the_new_file_must_be_there_and_the_recorded_one_need_not(cwd: Path) -> None:
    trace = Place(cwd).record("text = open('data.csv').read()")
    assert refused(Place(cwd), trace, swap("data.csv", "missing.csv")) == "the file missing.csv is not there"
    (cwd / "data.csv").unlink()
    assert refused(Place(cwd), trace, swap("data.csv", "other.csv")) == ""


@pytest.mark.parametrize(
    "asked",
    [
        ("run_shell", {"command": "wc -l data.csv"}),
        ("read_file", {"path": "data.csv"}),
        "text = open('data.csv').read()",
        "name = 'data'\ntext = open(f'{name}.csv').read()",
        "from pathlib import Path\ntext = (Path('.') / 'data.csv').read_text()",
    ],
)
def test_every_way_to_name_a_file_is_seen(asked: Asked, cwd: Path) -> None:
    place = Place(cwd)
    trace = dataclasses.replace(place.record(asked), inputs={"data.csv": ""}, extra={})
    (cwd / "data.csv").unlink()
    assert "data.csv is not there" in refused(Place(cwd), trace)
    assert "missing.csv is not there" in refused(Place(cwd), trace, swap("data", "missing"))
    assert refused(Place(cwd), trace, swap("data", "other")) == ""


def test_a_file_that_is_read_under_both_names_must_be_there_under_both(cwd: Path) -> None:
    trace = Place(cwd).record("one = open('data.csv').read()", "two = open('data.csv').read()")
    first, second = trace.replayable_steps
    (cwd / "data.csv").unlink()
    done = Place(cwd).replay(trace, [*rebound([first], swap("data.csv", "other.csv")), second])
    assert done.surprise == "the file data.csv is not there"


def test_a_literal_that_happens_to_be_part_of_a_file_name_stops_nothing(cwd: Path) -> None:
    trace = Place(cwd).record("title = 'data'\ntext = open('data.csv').read()")
    first = rebound(trace.replayable_steps, swap("title = 'data'", "title = 'things'"))
    assert Place(cwd).replay(trace, first).surprise == ""


# ---------------------------------------------------------------- columns


def test_a_column_of_a_table_at_hand_must_be_there(cwd: Path) -> None:
    df = pd.read_csv(cwd / "data.csv")
    trace = Place(cwd, df=df).record("m = df['mass'].mean()")
    why = refused(Place(cwd, df=df), trace, swap("mass", "weight"))
    assert why == "df has no column weight (it has species, year, mass, flipper)"
    assert refused(Place(cwd, df=df), trace, swap("mass", "flipper")) == ""


def test_a_column_with_a_name_of_its_own_must_be_there_however_often_it_is_asked(cwd: Path) -> None:
    df = pd.read_csv(cwd / "data.csv")
    trace = Place(cwd, df=df).record("column = 'mass'\nm = [df[column].mean() for _ in range(2)]")
    for _ in range(2):
        why = refused(Place(cwd, df=df), trace, swap("mass", "weight"))
        assert why == "df has no column weight (it has species, year, mass, flipper)"
        assert refused(Place(cwd, df=df), trace, swap("mass", "flipper")) == ""


@pytest.mark.parametrize(
    "code",
    [
        "m = df['mass'].mean()",
        "m = df.mass.mean()",
        "m = df.loc[df['mass'] > 1, 'mass'].mean()",
        "clean = df.dropna()\nm = clean['mass'].mean()",
        "m = df.groupby('species')['mass'].mean()",
        "m = df[['year', 'mass']].mean()",
    ],
)
def test_columns_of_a_loaded_file_are_looked_up_before_anything_runs(code: str, cwd: Path) -> None:
    trace = Place(cwd).record(LOAD, code)
    assert "has no column weight" in refused(Place(cwd), trace, swap("mass", "weight"))
    assert "data.csv" in refused(Place(cwd), trace, swap("mass", "weight"))
    assert refused(Place(cwd), trace, swap("mass", "flipper")) == ""
    assert refused(Place(cwd), trace, swap("mass", "weight"), swap("data.csv", "other.csv")) == ""


def test_the_steps_of_one_cell_are_followed_too(cwd: Path) -> None:
    trace = Place(cwd).record(f"{LOAD}\nsmall = df[df['year'] > 1]\nm = small['mass'].mean()")
    assert "data.csv has no column weight" in refused(Place(cwd), trace, swap("mass", "weight"))


@pytest.mark.parametrize(("was", "now"), [("mass", "species"), ("year", "species")])
def test_a_text_column_in_place_of_a_numeric_one_is_refused(was: str, now: str, cwd: Path) -> None:
    words = f"{now} is text, and the recorded column {was} was numeric"
    df = pd.read_csv(cwd / "data.csv")
    at_hand = Place(cwd, df=df).record(f"m = df['{was}'].mean()")
    assert refused(Place(cwd, df=df), at_hand, swap(was, now)) == words
    loaded = Place(cwd).record(LOAD, f"m = df['{was}'].mean()")
    assert refused(Place(cwd), loaded, swap(was, now)) == words


@pytest.mark.parametrize(
    "code",
    [
        "m = df.groupby('year').size()",
        "m = df['year'].value_counts()",
        "m = df.sort_values(by='year')",
        "m = df['year'].nunique()",
        "m = df.drop_duplicates(subset=['year'])",
    ],
)
def test_where_any_kind_of_column_will_do_text_is_no_obstacle(code: str, cwd: Path) -> None:
    df = pd.read_csv(cwd / "data.csv")
    trace = Place(cwd, df=df).record(code)
    assert refused(Place(cwd, df=df), trace, swap("year", "species")) == ""


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("df['ratio'] = df['mass'] / df['flipper']\nm = df['ratio'].mean()", "ratio", "quotient"),
        ("t = df.rename(columns={'mass': 'm1'})\nm = t['m1'].mean()", "m1", "m2"),
        ("t = df.assign(ratio=df['mass'])\nm = t['ratio'].mean()", "ratio", "quotient"),
        ("t = df.groupby('species').agg(top=('mass', 'max'))\nm = t['top']", "top", "best"),
        ("m = df[df['species'] == 'Adelie'].shape[0]", "Adelie", "Gentoo"),
        ("title = 'mean mass'", "mean mass", "other words"),
    ],
)
def test_new_columns_values_and_labels_are_not_looked_for(code: str, old: str, new: str, cwd: Path) -> None:
    first = Place(cwd, df=pd.read_csv(cwd / "data.csv"))
    trace = first.record(code)
    place = Place(cwd, df=first.names["df"])  # a table that has the recorded new column by now
    assert refused(place, trace, swap(old, new)) == ""


def test_values_given_as_parameters_or_names_are_followed_to_where_they_are_used(cwd: Path) -> None:
    code = "import pandas as pd\ndf = pd.read_csv(file)\nm = df[column].mean()"
    declared = ("run_cell", {"code": code, "parameters": {"file": "data.csv", "column": "mass"}})
    for trace in (
        Place(cwd).record(declared),
        Place(cwd).record(f"file = 'data.csv'\ncolumn = 'mass'\n{code}"),
        Place(cwd).record("file = 'data.csv'\ncolumn = 'mass'", code),
    ):
        assert "data.csv has no column weight" in refused(Place(cwd), trace, swap("mass", "weight"))
        assert "species is text" in refused(Place(cwd), trace, swap("mass", "species"))
        assert "missing.csv is not there" in refused(Place(cwd), trace, swap("data.csv", "missing.csv"))
        assert refused(Place(cwd), trace, swap("mass", "flipper")) == ""
        assert refused(Place(cwd), trace, swap("mass", "weight"), swap("data.csv", "other.csv")) == ""
        assert trace.environment["needs"] == {}


def test_a_name_that_is_bound_again_is_no_constant(cwd: Path) -> None:
    code = "column = 'mass'\ncolumn = df.columns[3]\nm = df[column].mean()"
    df = pd.read_csv(cwd / "data.csv")
    trace = Place(cwd, df=df).record(code)
    assert refused(Place(cwd, df=df), trace, swap("'mass'", "'weight'")) == ""


def test_other_kinds_of_files_are_asked_for_their_columns(cwd: Path) -> None:
    df = pd.read_csv(cwd / "data.csv")
    df.to_json(cwd / "data.jsonl", orient="records", lines=True)
    df.to_csv(cwd / "data.tsv", sep="\t", index=False)
    for call in ("read_json('data.jsonl', lines=True)", "read_csv('data.tsv', sep='\\t')", "read_table('data.tsv')"):
        trace = Place(cwd).record(f"import pandas as pd\ndf = pd.{call}", "m = df['mass'].mean()")
        assert "has no column weight" in refused(Place(cwd), trace, swap("mass", "weight")), call
        assert refused(Place(cwd), trace, swap("mass", "flipper")) == "", call


def test_a_file_that_is_not_plainly_loaded_is_left_to_the_run(cwd: Path) -> None:
    trace = Place(cwd).record(
        "import pandas as pd\nrows = 1\ndf = pd.read_csv('data.csv', skiprows=rows, header=None)"
    )
    assert refused(Place(cwd), trace, swap("rows = 1", "rows = 0")) == ""


# ---------------------------------------------------------------- names


def test_a_variable_that_is_needed_must_be_there_with_its_type(cwd: Path) -> None:
    trace = Place(cwd, numbers=[1, 2]).record("total = sum(numbers)")
    assert trace.environment["needs"] == {"numbers": "list"}
    assert refused(Place(cwd), trace) == "it needs the variable numbers (list), which is not there"
    assert refused(Place(cwd, numbers="12"), trace) == "it needs numbers to be of type list, and it is of type str"
    assert refused(Place(cwd, numbers=[3]), trace) == ""


def test_a_whole_number_stands_in_for_a_decimal(cwd: Path) -> None:
    trace = Place(cwd, limit=5).record("ok = limit > 3")
    assert refused(Place(cwd, limit=5.5), trace) == ""


def test_a_variable_that_is_bound_to_another_is_asked_for_by_the_new_name(cwd: Path) -> None:
    trace = Place(cwd, first=[1], second=[2]).record("total = sum(first)", ("inspect", {"names": ["first"]}))
    bound = swap("first", "second")
    assert refused(Place(cwd, second=[5]), trace, bound) == ""
    assert "variable second (list), which is not there" in refused(Place(cwd, first=[5]), trace, bound)
    assert "second to be of type list" in refused(Place(cwd, second={}), trace, bound)


# ---------------------------------------------------------------- steps


def test_arguments_that_a_tool_does_not_take_stop_it(cwd: Path) -> None:
    trace = Place(cwd).record("x = 1")
    (step,) = trace.replayable_steps
    for arguments in ({"code": 5}, {"command": "x = 1"}, {"code": "x = 1", "more": "y"}):
        place = Place(cwd)
        done = place.replay(trace, [dataclasses.replace(step, arguments=arguments)])
        assert "step 1" in done.surprise and place.calls_begun() == 0


def test_steps_that_are_not_the_recorded_ones_are_not_run(cwd: Path) -> None:
    trace = Place(cwd).record("x = 1", "y = 2")
    for steps in (trace.steps[:1], [*trace.steps, trace.steps[0]], [Step("inspect", {}), trace.steps[1]]):
        place = Place(cwd)
        assert "not those that were recorded" in place.replay(trace, steps).surprise
        assert place.calls_begun() == 0


def test_new_values_pass_the_same_guard(cwd: Path) -> None:
    trace = Place(cwd).record(("write_file", {"path": "out.txt", "content": "x"}))
    assert "would be refused" in refused(Place(cwd), trace, swap("out.txt", "../out.txt"))
