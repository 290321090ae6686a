"""What was changed can be put back: files of every kind, names, and what mutable values hold."""

from __future__ import annotations

import asyncio
import os
import stat
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_nb.guard import contents, undo
from llmos_nb.guard.effects import FileEffects, watching
from llmos_nb.guard.footprint import Footprint
from llmos_nb.guard.undo import Undo
from llmos_nb.tools.namespace import PlainNamespace


def changed_and_back(names: dict[str, Any], code: str, kept: str) -> list[str]:
    """Keep ``kept``, run ``code`` among ``names``, put back."""
    old = Undo()
    old.keep_names(names, kept.split())
    exec(code, names)
    return old.put_back(names)


# ---------------------------------------------------------------- files


def test_a_changed_file_gets_its_bytes_and_mode_back(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"\x00old\xff")
    file.chmod(0o640)
    old = Undo()
    old.keep_file(file)
    file.write_text("new")
    file.chmod(0o600)

    assert old.put_back({}) == []
    assert file.read_bytes() == b"\x00old\xff"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_mode_bits_alone_are_put_back(tmp_path: Path) -> None:
    file = tmp_path / "run.sh"
    file.write_text("x")
    file.chmod(0o755)
    old = Undo()
    old.keep_file(file)
    file.chmod(0o400)

    assert old.put_back({}) == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o755


def test_a_new_file_and_its_new_folders_go_and_a_deleted_file_comes_back(tmp_path: Path) -> None:
    gone = tmp_path / "kept" / "gone.txt"
    gone.parent.mkdir()
    gone.write_text("text")
    new = tmp_path / "deep" / "er" / "new.txt"
    old = Undo()
    for path in (gone, new):
        old.keep_file(path)
    gone.unlink()
    gone.parent.rmdir()
    new.parent.mkdir(parents=True)
    new.write_text("new")

    assert old.put_back({}) == []
    assert gone.read_text() == "text"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


def test_a_new_folder_that_holds_the_users_file_stays(tmp_path: Path) -> None:
    old = Undo()
    old.keep_file(tmp_path / "out" / "a.txt")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("agent's")
    (tmp_path / "out" / "b.txt").write_text("user's")

    assert old.put_back({}) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.txt"]


def test_links_stay_links_and_their_targets_are_put_back(tmp_path: Path) -> None:
    target, link, other = tmp_path / "target.txt", tmp_path / "link.txt", tmp_path / "other"
    target.write_text("old")
    link.symlink_to("target.txt")
    other.symlink_to("target.txt")
    old = Undo()
    old.keep_file(link)
    old.keep_file(other)
    link.write_text("through the link")
    other.unlink()
    other.write_text("a file now")

    assert old.put_back({}) == []
    assert target.read_text() == "old"
    assert os.readlink(link) == os.readlink(other) == "target.txt"


def test_an_unchanged_file_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("same")
    before = file.stat()
    old = Undo()
    old.keep_file(file)

    assert old.put_back({}) == []
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_relative_name_means_the_file_that_it_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "a").write_text("old")
    (tmp_path / "other" / "a").write_text("another one")
    monkeypatch.chdir(tmp_path)
    old = Undo()
    old.keep_file(Path("a"))
    (tmp_path / "a").write_text("new")
    monkeypatch.chdir(tmp_path / "other")
    assert old.put_back({}) == []
    assert (tmp_path / "a").read_text() == "old" and Path("a").read_text() == "another one"


def test_what_is_remembered_is_the_first_state(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("first")
    old = Undo()
    old.keep_file(file)
    file.write_text("second")
    old.keep_file(file)
    file.write_text("third")
    old.put_back({})
    assert file.read_text() == "first"


def test_what_cannot_be_kept_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "KEEP_LIMIT", 10)
    large, pipe = tmp_path / "large.bin", tmp_path / "pipe"
    large.write_bytes(b"x" * 11)
    os.mkfifo(pipe)
    old = Undo()
    for path in (large, pipe):
        old.keep_file(path)  # must not wait for someone to write into the pipe
    large.write_bytes(b"y")

    failed = old.put_back({})
    assert len(failed) == 2
    assert any(str(large) in line and "larger than" in line for line in failed)
    assert any(str(pipe) in line and "ordinary" in line for line in failed)
    assert large.read_bytes() == b"y"


def test_one_failure_does_not_keep_the_others_from_being_put_back(tmp_path: Path) -> None:
    blocked, fine = tmp_path / "blocked", tmp_path / "fine"
    blocked.write_text("old")
    fine.write_text("old")
    old = Undo()
    for path in (fine, blocked):
        old.keep_file(path)
    blocked.unlink()
    blocked.mkdir()
    (blocked / "inside").write_text("in the way")
    fine.write_text("new")

    failed = old.put_back({})
    assert len(failed) == 1 and str(blocked) in failed[0]
    assert fine.read_text() == "old"


def test_a_whole_folder_can_be_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    (folder / "empty").mkdir(mode=0o750)
    old = Undo()
    old.keep_tree(folder)
    os.rename(folder, tmp_path / "moved")

    old.put_back({})
    assert (folder / "sub" / "a.txt").read_text() == "a"
    assert stat.S_IMODE((folder / "empty").stat().st_mode) == 0o750


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1, [2]], "x[1].append(3); x.append(4)"),
        ({"a": {"b": 1}, "c": 2}, "x['a']['b'] = 9; del x['c']; x['new'] = 1"),
        ({1, 2}, "x.add(3)"),
        (bytearray(b"ab"), "x[0] = 0; x.append(1)"),
        (deque([1, 2], maxlen=3), "x.append(9); x.append(9)"),
        (defaultdict(list, a=[1]), "x['a'].append(2); x['b'].append(3)"),
        (OrderedDict(a=1, b=2), "x.move_to_end('a')"),
        (Counter("aab"), "x.update('zz')"),
        (([1], {"k": [2]}), "x[0].append(5); x[1]['k'].clear()"),
        ([3, 1, 2], "x.sort()"),
    ],
)
def test_containers_are_put_back_in_place(value: Any, change: str) -> None:
    expected = repr(value)
    names = {"x": value}
    assert changed_and_back(names, change, "x") == []
    assert names["x"] is value
    assert repr(value) == expected


def test_rebinding_new_names_and_deletion_are_undone() -> None:
    a, b = object(), [1]
    names: dict[str, Any] = {"a": a, "b": b}
    assert changed_and_back(names, "a = 1; c = 2; del b", "a b c") == []
    assert names["a"] is a and names["b"] is b and "c" not in names


def test_aliases_stay_aliases_even_within_containers_that_nobody_mentioned() -> None:
    shared = [1, 2]
    names: dict[str, Any] = {"x": shared, "alias": shared, "holder": {"inside": shared}}
    assert changed_and_back(names, "x.append(3)", "x") == []
    assert shared == [1, 2]
    assert names["x"] is names["alias"] is names["holder"]["inside"] is shared


def test_a_value_that_holds_itself_and_the_namespace_is_no_problem() -> None:
    x: list[Any] = [1]
    x.append(x)
    names: dict[str, Any] = {"x": x}
    names["everything"] = names
    assert changed_and_back(names, "x.append(2); y = 1", "x everything y") == []
    assert len(x) == 2 and x[1] is x and "y" not in names


def test_numpy_arrays_are_put_back_in_place_and_views_with_them() -> None:
    x = np.arange(6.0)
    x[0] = np.nan
    view = x[:2]
    names: dict[str, Any] = {"x": x}
    assert changed_and_back(names, "x[:] = 7", "x") == []
    assert names["x"] is x and view.base is x
    np.testing.assert_array_equal(x, [np.nan, 1, 2, 3, 4, 5])


def test_a_read_only_array_is_left_alone() -> None:
    x = np.arange(3)
    x.flags.writeable = False
    names: dict[str, Any] = {"x": x}
    assert changed_and_back(names, "y = x + 1", "x y") == []
    assert not x.flags.writeable and "y" not in names


def test_tables_are_put_back_in_place() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["r", "s"])
    series = pd.Series([1.0, 2.0], name="s")
    frame.attrs["source"] = "test"
    names: dict[str, Any] = {"df": frame, "s": series, "all": [frame]}
    before, series_before = frame.copy(deep=True), series.copy(deep=True)
    code = "df['c'] = 1; df.loc['r', 'a'] = 99; df.pop('b'); df.attrs.clear()\ns.iloc[0] = -1; s.name = 'other'"
    assert changed_and_back(names, code, "df s") == []
    assert names["df"] is names["all"][0] is frame and names["s"] is series
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_series_equal(series, series_before)
    assert frame.attrs == {"source": "test"}


def test_the_users_own_objects_get_their_attributes_back() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "class Account:\n    log = []\n    def __init__(self): self.total = 1; self.items = [1]\na = Account()", names
    )
    account = names["a"]
    assert changed_and_back(names, "a.total = 5; a.items.append(2); a.extra = 1; Account.log.append('x')", "a") == []
    assert names["a"] is account
    assert vars(account) == {"total": 1, "items": [1]}
    assert names["Account"].log == []


def test_what_the_users_functions_change_is_put_back() -> None:
    names: dict[str, Any] = {"__name__": "__main__", "log": [], "count": 0}
    exec("def inner():\n    global count\n    count += 1\n    log.append(count)\ndef outer(): inner()", names)
    assert changed_and_back(names, "outer()", "outer") == []
    assert names["log"] == [] and names["count"] == 0


def test_bindings_that_code_never_mentioned_are_put_back() -> None:
    a = [1]
    names: dict[str, Any] = {"a": a, "b": 2}
    before = dict(names)
    names["a"], names["c"] = 5, 6
    del names["b"]
    old = Undo()
    old.keep_bindings(before, names)
    assert old.put_back(names) == []
    assert names == {"a": [1], "b": 2} and names["a"] is a


def test_too_large_values_are_named_and_the_rest_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "KEEP_LIMIT", 100)
    monkeypatch.setattr(contents, "OBJECT_LIMIT", 50)
    names: dict[str, Any] = {"array": np.zeros(1000), "many": [[i] for i in range(100)], "small": [1]}
    failed = changed_and_back(names, "array[0] = 1; many.clear(); small.clear()", "array many small")
    assert [line.partition(":")[0] for line in sorted(failed)] == ["array", "many"]
    assert names["small"] == [1]


def test_a_value_that_cannot_be_copied_is_named() -> None:
    class Stubborn(dict):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            raise RuntimeError("no")

        keys = __iter__

    names: dict[str, Any] = {"x": Stubborn(a=1), "y": [1]}
    failed = changed_and_back(names, "y.append(2)", "x y")
    assert names["y"] == [1]
    assert failed == ["x: RuntimeError: no"]


def test_names_of_a_real_cell_are_put_back() -> None:
    space = PlainNamespace()
    asyncio.run(space.run_cell("import math\nx = [1]\ndef f(): x.append(2)"))
    old = Undo()
    old.keep_names(space.names, {"f"})
    asyncio.run(space.run_cell("f()"))
    assert space.names["x"] == [1, 2]
    assert old.put_back(space.names) == []
    assert space.names["x"] == [1]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_nothing_is_put_back_through_a_link_that_came_later(there: bool, whole: bool, tmp_path: Path) -> None:
    """A run moved its folder away and left a link to somebody else's in its place."""
    folder, theirs = tmp_path / "nb", tmp_path / "theirs"
    (folder / "d").mkdir(parents=True) if there else folder.mkdir()
    if there:
        (folder / "d/a.txt").write_text("mine")
    theirs.mkdir()
    (theirs / "a.txt").write_text("theirs")
    undo = Undo()
    with watching(FileEffects((folder,), undo)):
        (folder / "d").mkdir(exist_ok=True)
        (folder / "d/a.txt").write_text("new")
        os.rename(folder / "d", folder / "d2")
        os.symlink(theirs, folder / "d")
    if whole:
        footprint = Footprint.of([undo], {})
        assert not footprint.take_back({}).failed
    else:
        assert undo.put_back({}) == []
    assert (theirs / "a.txt").read_text() == "theirs"
    assert sorted(path.name for path in folder.rglob("*")) == (["a.txt", "d"] if there else [])
    assert not there or (folder / "d/a.txt").read_text() == "mine"
