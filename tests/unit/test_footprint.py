"""What a run left changed can be taken back, and nothing else is touched."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_nb.guard import contents, undo
from llmos_nb.guard.effects import FileEffects, watching
from llmos_nb.guard.footprint import Footprint
from llmos_nb.guard.looks import look
from llmos_nb.guard.marks import Mark, checksum
from llmos_nb.guard.snapshot import Snapshot
from llmos_nb.guard.undo import Undo
from llmos_nb.tools.cell import mentioned_names
from llmos_nb.tools.namespace import PlainNamespace


def cell(names: dict[str, Any], code: str, old: Undo | None = None, folder: Path | None = None) -> Undo:
    """Run ``code`` as a run's cell does, with everything kept before."""
    old = old or Undo()
    space, bound = PlainNamespace(names), dict(names)
    old.keep_names(names, mentioned_names(code))
    old.keep_process()
    effects = FileEffects((folder,) if folder else (), old)
    with watching(effects):
        done = asyncio.run(space.run_cell(code, show=False))
    effects.written()
    old.keep_bindings(bound, names)
    assert not done.error, done.traceback
    return old


def changed(names: dict[str, Any], code: str, folder: Path | None = None) -> Footprint:
    return Footprint.of([cell(names, code, folder=folder)], names)


def kinds(found: Footprint) -> dict[str, tuple[str, str]]:
    return {name.name: (name.before, name.after) for name in found.names}


def shown(names: dict[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in names.items() if name != "__builtins__"}


# ---------------------------------------------------------------- what was changed


def test_only_what_was_changed_is_in_it_with_looks_before_and_after() -> None:
    names: dict[str, Any] = {"df": pd.DataFrame({"a": [1, 2]}), "n": 1, "gone": [1], "read": [5], "other": 3}
    found = changed(names, "df['b'] = sum(read) + other; n = 'x'; del gone; new = {'k': 1}")
    assert kinds(found) == {
        "df": ("DataFrame, 2 rows x 1 column", "DataFrame, 2 rows x 2 columns"),
        "n": ("int", "str"),
        "gone": ("list, 1 item", ""),
        "new": ("", "dict, 1 item"),
    }


def test_what_is_bound_to_what_it_was_is_no_change() -> None:
    names: dict[str, Any] = {"n": 1000, "text": "ab", "items": [1]}
    found = changed(names, "n = 1000; text = 'a' + 'b'; items.append(2); items.pop()")
    assert not found


def test_all_cells_of_a_run_count_together() -> None:
    names: dict[str, Any] = {"x": 1}
    old = cell(names, "x = 2; y = 1")
    again = cell(names, "x = 3; z = 4; del y")
    found = Footprint.of([old, again], names)
    assert kinds(found) == {"x": ("int", "int"), "z": ("", "int")}
    found.take_back(names)
    assert names["x"] == 1 and "y" not in names and "z" not in names


def test_what_ipython_keeps_for_itself_is_left_out() -> None:
    names: dict[str, Any] = {"_": 1, "_oh": {}}
    old = Undo()
    old.keep_bindings(dict(names), {**names, "_": 2, "_i3": "x", "__": 3, "_mine": 4})
    names.update({"_": 2, "_i3": "x", "__": 3, "_mine": 4})
    assert kinds(Footprint.of([old], names)) == {"_mine": ("", "int")}


def test_what_a_person_bound_between_the_cells_of_a_run_is_not_the_runs() -> None:
    names: dict[str, Any] = {"x": 1}
    old = cell(names, "y = x")
    names["z"] = names["x"] = 5  # a person's
    cell(names, "y = z", old)
    found = Footprint.of([old], names)
    assert kinds(found) == {"y": ("", "int")}
    names["y"] = 7
    assert Footprint.of([old], names).lost == {"y": "you changed it while the run worked"}


def test_what_a_persons_cell_worked_with_meanwhile_may_be_theirs() -> None:
    names: dict[str, Any] = {"items": [1], "other": [2]}
    names["alias"] = names["items"]
    old = cell(names, "total = sum(items) + sum(other); other.append(total)")
    names["alias"].append("mine")
    found = Footprint.of([old], names, {"alias", "print"})
    assert list(found.lost) == ["items"] and "may be yours" in found.lost["items"]
    found.take_back(names)
    assert names == {"items": [1, "mine"], "alias": [1, "mine"], "other": [2], "__builtins__": names["__builtins__"]}


def test_names_that_a_cell_never_mentioned_are_not_its_own_where_it_waited() -> None:
    names: dict[str, Any] = {"x": 1}
    old = Undo()
    old.keep_names(names, {"y"})
    old.keep_bindings({"x": 1}, {"x": 2, "y": 3, "mine": 4}, alone=False)
    names.update({"x": 2, "y": 3, "mine": 4})
    assert kinds(Footprint.of([old], names)) == {"y": ("", "int")}


# ---------------------------------------------------------------- taking it back


@pytest.mark.parametrize(
    "code",
    [
        "df['b'] = 2; df.loc[0, 'a'] = 9",
        "df = df.dropna(); df2 = df.copy(); df2['c'] = 1",
        "items.append(3); alias = items; items[0] = 'changed'",
        "table['k'].append(1); table['new'] = 2",
        "x[:] = 0; y = x + 1",
        "import math; value = math.pi; items = None",
        "del items; del df",
        "s.iloc[0] = 9; s.name = 'other'",
        "f()",
        "account.total = 5; account.items.append(1)",
    ],
)
def test_names_are_what_they_were(code: str) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "class Account:\n    def __init__(self): self.total = 1; self.items = [1]\n"
        "log = []\ndef f(): log.append(1)\naccount = Account()",
        names,
    )
    names |= {
        "df": pd.DataFrame({"a": [1.0, None]}), "items": [1, 2], "table": {"k": [0]}, "x": np.arange(4.0),
        "s": pd.Series([1, 2], name="s"),
    }  # fmt: skip
    objects, before = dict(names), shown(names)
    held = repr(vars(names["account"]))
    found = changed(names, code)
    assert found
    assert found.conflicts(names) == []
    done = found.take_back(names)
    assert not done.left and not done.failed
    assert shown(names) == before
    assert all(names[name] is value for name, value in objects.items())
    assert repr(vars(names["account"])) == held


@pytest.mark.parametrize(
    ("code", "later", "told"),
    [
        ("new = 1", "new = 2", "the variable new was changed since"),
        ("items = 2", "del items", "the variable items was deleted since"),
        ("new = [1]", "new.append(2)", "the variable new was changed since"),
        ("new = {'k': [1]}", "new['k'].append(2)", "the variable new was changed since"),
        ("new = df * 2", "new.loc[0, 'a'] = 99", "the variable new was changed since"),
        ("df['b'] = 1", "df['c'] = 1", "what df holds was changed since"),
        ("df['b'] = 1", "df = 3", "the variable df was changed since"),
        ("x[0] = 7", "x[1] = 7", "what x holds was changed since"),
        ("items.append(2)", "alias.append(3)", "what items holds was changed since"),
        ("del items", "items = 'mine'", "the variable items was changed since"),
        ("m = __import__('numpy').arange(3)", "m[0] = 5", "the variable m was changed since"),
    ],
)
def test_what_was_changed_since_is_told_and_left_alone(code: str, later: str, told: str) -> None:
    names: dict[str, Any] = {"df": pd.DataFrame({"a": [1.0, 2.0]}), "x": np.arange(4.0), "items": [1]}
    names["alias"] = names["items"]
    found = changed(names, f"{code}; also = 1")
    exec(later, names)
    mine = shown({name: value for name, value in names.items() if name != "also"})
    assert found.conflicts(names) == [told]
    done = found.take_back(names)
    assert done.left == (told,)
    assert "also" not in names, "all else is put back"
    assert shown(names) == mine


def test_what_is_as_before_already_is_in_nobodys_way() -> None:
    names: dict[str, Any] = {"items": [1], "n": 1}
    before = dict(names)
    found = changed(names, "items.append(2); n = 2; new = 1")
    names["items"].pop()
    names["n"] = before["n"]
    del names["new"]
    assert found.conflicts(names) == []
    found.take_back(names)
    assert shown(names) == shown(before)


def test_the_values_that_names_had_are_handed_over() -> None:
    names: dict[str, Any] = {"n": 1}
    found = changed(names, "n = 2; model = object()")
    model = names["model"]
    assert found.take_back(names).values == {"n": 2, "model": model}


def test_a_change_inside_an_object_of_a_library_is_told() -> None:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import URL

    class Model:
        __module__ = "somewhere"

        def __init__(self) -> None:
            self.fitted = 0

    names: dict[str, Any] = {"model": Model(), "url": URL.create("sqlite"), "lock": __import__("threading").Lock()}
    names["meta"] = MetaData()
    found = changed(names, "model.fitted = 1; url.database; lock; meta")
    assert dict(found.lost) == {"model": "changed inside, and what a Model holds is not kept"}


def test_a_large_array_that_was_only_read_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "KEEP_LIMIT", 100)
    names: dict[str, Any] = {"big": np.zeros(1000), "n": 1}
    assert not changed(names, "n + big.sum()").lost
    found = changed(names, "big[3] = 1")
    assert found.lost == {"big": "changed in place, and not kept: larger than 0 MB"}


def test_marks_hold_no_value() -> None:
    frame = pd.DataFrame({"a": range(1000), "b": ["x"] * 1000})
    mark = Mark(frame)
    assert mark.by_contents and mark.fits(frame) and mark.fits(frame.copy())
    import weakref

    gone = weakref.ref(frame)
    del frame
    assert gone() is None


def test_checksums_see_every_kind_of_change() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "s": list("abcd")})
    sums = {checksum(frame)}
    for change in ("frame['a'] = -frame['a']", "frame.loc[0, 's'] = 'z'", "frame.columns = ['c', 's']",
                   "frame.index = list('wxyz')", "frame['c'] = list(frame['c'])[::-1]"):  # fmt: skip
        exec(change, {"frame": frame})
        sums.add(checksum(frame))
    assert len(sums) == 6
    assert checksum(lambda: 1) != checksum(lambda: 2)
    assert checksum(i for i in range(3)) is None
    assert checksum([0] * 1000, limit=100) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (pd.DataFrame({"a": [1]}), "DataFrame, 1 row x 1 column"),
        (pd.Series([1, 2]), "Series, 2 rows"),
        (np.zeros((2, 3)), "ndarray, 2 x 3"),
        ([1], "list, 1 item"),
        ({}, "dict, 0 items"),
        ("secret", "str"),
        (np, "module numpy"),
        (int, "class"),
        (len, "builtin_function_or_method"),
    ],
)
def test_looks_tell_types_and_shapes_and_no_contents(value: Any, said: str) -> None:
    assert look(value) == said


# ---------------------------------------------------------------- files


def test_files_are_what_they_were_and_new_folders_go(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    (tmp_path / "gone.bin").write_bytes(b"\0\1")
    (tmp_path / "run.sh").write_text("x")
    folder = repr(str(tmp_path))
    found = changed(
        {},
        f"import os, pathlib\np = pathlib.Path({folder})\n(p / 'a.txt').write_text('new')\nos.remove(p / 'gone.bin')\n"
        "os.makedirs(p / 'out' / 'deep')\n(p / 'out' / 'deep' / 'ü.csv').write_text('1')\nos.chmod(p / 'run.sh', 0o700)\n"
        "(p / 'passing').write_text('1'); os.remove(p / 'passing')",
        tmp_path,
    )
    assert sorted(file.path.name for file in found.files) == ["a.txt", "deep", "gone.bin", "out", "run.sh", "ü.csv"]
    names: dict[str, Any] = {}
    assert found.conflicts(names) == []
    found.take_back(names)
    assert (tmp_path / "a.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert (tmp_path / "gone.bin").read_bytes() == b"\0\1"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (lambda path: path.write_text("mine"), "changed"),
        (lambda path: path.unlink(), "deleted"),
        (lambda path: path.chmod(0o600), "changed"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/hosts")), "changed"),
        (lambda path: (path.unlink(), path.mkdir()), "changed"),
    ],
)
def test_a_file_that_was_changed_since_stays(tmp_path: Path, later: Any, told: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    found = changed(
        {}, f"open({str(path)!r}, 'w').write('new')\nopen({str(tmp_path / 'b')!r}, 'w').write('b')", tmp_path
    )
    later(path)
    assert found.conflicts({}) == [f"the file {path} was {told} since"]
    found.take_back({})
    assert not path.is_file() or path.is_symlink() or path.read_text() != "old"
    assert not (tmp_path / "b").exists()


def test_a_new_folder_with_a_persons_file_stays_with_it(tmp_path: Path) -> None:
    found = changed({}, f"import os\nos.mkdir({str(tmp_path / 'out')!r})", tmp_path)
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert found.conflicts({}) == []
    found.take_back({})
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_files_too_large_to_keep_count_only_if_they_were_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "KEEP_LIMIT", 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    path = str(tmp_path / "large")
    assert not changed({}, f"open({path!r}, 'r+').close()", tmp_path)
    found = changed({}, f"open({path!r}, 'a').write('y')", tmp_path)
    assert dict(found.lost) == {path: "larger than 0 MB"}


def test_files_together_are_kept_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "FILES_LIMIT", 10)
    for name in "ab":
        (tmp_path / name).write_text("123456")
    found = changed({}, "".join(f"open({str(tmp_path / n)!r}, 'w').write('new')\n" for n in "ab"), tmp_path)
    assert dict(found.lost) == {str(tmp_path / "b"): "more than 0 MB of files together"}


def test_what_a_program_did_in_a_hidden_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_text("1")
    old, before = Undo(), Snapshot.of((tmp_path,))
    (tmp_path / ".git" / "index").write_text("22")
    before.changes(old)
    lost = Footprint.of([old], {}).lost
    assert dict(lost) == {str(tmp_path / ".git"): "changed by a program; hidden folders are not kept"}


def test_a_notebook_that_is_saved_meanwhile_is_not_the_programs_doing(tmp_path: Path) -> None:
    for name in ("open.ipynb", "made.ipynb"):
        (tmp_path / name).write_text("{}")
    old, before = Undo(), Snapshot.of((tmp_path,))
    for name in ("open.ipynb", "made.ipynb"):
        (tmp_path / name).write_text("{ }")
    assert [path.name for path in before.changes(old, "jupyter nbconvert --inplace made.ipynb")] == ["made.ipynb"]


def test_what_the_system_writes_while_a_program_runs_is_not_the_programs_doing(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    old, before = Undo(), Snapshot.of((tmp_path,), (tmp_path / "memory",))
    (tmp_path / "memory" / "log.jsonl").write_text("x")
    subprocess.run(["touch", tmp_path / "made"], check=True)
    assert [path.name for path in before.changes(old)] == ["made"]


# ---------------------------------------------------------------- the process


def test_environment_and_working_folder_are_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.delenv("MADE", raising=False)
    before = os.getcwd()
    found = changed({}, f"import os\nos.environ['MADE'] = '1'; os.environ['KEPT'] = '2'; os.chdir({str(tmp_path)!r})")
    try:
        assert set(found.environment) == {"MADE", "KEPT", ""}
        monkeypatch.setenv("KEPT", "mine")
        assert found.conflicts({}) == ["the environment variable KEPT was changed since"]
        found.take_back({})
        assert os.getcwd() == before and "MADE" not in os.environ and os.environ["KEPT"] == "mine"
    finally:
        os.chdir(before)


def test_settings_of_libraries_are_put_back_unless_a_person_changed_them_since() -> None:
    import warnings

    import matplotlib
    import matplotlib.pyplot as plt

    silence = (
        "import warnings, numpy as np, pandas as pd, matplotlib.pyplot as plt\n"
        "pd.set_option('display.max_rows', 7); pd.set_option('display.precision', 2)\n"
        "np.set_printoptions(precision=3); np.seterr(all='ignore'); plt.rcParams['axes.facecolor'] = 'red'\n"
        "warnings.simplefilter('ignore'); warnings.filterwarnings('ignore', module='mine')"
    )
    with (
        warnings.catch_warnings(),
        pd.option_context("display.max_rows", 60),
        np.errstate(all="warn"),
        plt.rc_context(),
    ):
        warnings.simplefilter("default")
        before = pd.get_option("display.precision"), np.get_printoptions()["precision"]
        names: dict[str, Any] = {}
        found = changed(names, silence)
        # numpy keeps its own in the context of whoever sets them: those of a cell are gone with it
        assert set(found.environment) - {"numpy's options"} == {
            "pandas' options", "matplotlib's style", "warnings' filters",
        }  # fmt: skip
        assert found and not found.conflicts(names)
        plt.rcParams["axes.facecolor"] = "blue"
        assert found.conflicts(names) == ["matplotlib's style was changed since"]
        found.take_back(names)
        assert pd.get_option("display.max_rows") == 60 and np.geterr()["divide"] == "warn"
        assert before == (pd.get_option("display.precision"), np.get_printoptions()["precision"])
        assert warnings.filters[0][0] == "default" and any(one[3] is not None for one in warnings.filters)
        assert matplotlib.rcParams["axes.facecolor"] == "blue", "a person's"
        assert not changed(
            {}, "import numpy as np, pandas as pd\nnp.random.seed(1); pd.DataFrame({'a': [1]}).plot()"
        ).environment
        plt.close("all")


def test_looking_at_large_tables_that_did_not_change_takes_no_time() -> None:
    names: dict[str, Any] = {"df": pd.DataFrame(np.zeros((2_000_000, 10)))}
    old = Undo()
    old.keep_names(names, {"df"})
    started = time.perf_counter()
    assert not Footprint.of([old], names)
    looked = time.perf_counter() - started
    started = time.perf_counter()
    names["df"].equals(names["df"].copy(deep=True))
    assert looked < time.perf_counter() - started, "its values were gone through"
