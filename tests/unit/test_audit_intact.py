"""What is bound anew in the guard is seen and put back, with stamps of dictionaries and where Python keeps none."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llmos_nb.guard import paths, shell_known
from llmos_nb.guard.audit import files, hook, intact, stamps
from llmos_nb.guard.audit.intact import Picture
from llmos_nb.guard.audit.stamps import Stamps, dict_of
from llmos_nb.guard.undo import Undo

TABLE = next(
    value for name, value in vars(shell_known).items() if isinstance(value, dict) and name.strip("_").isupper()
)


def other(*_: object, **__: object) -> None: ...


#: How something is changed, whether the judging rests on it, and what is said of it.
CHANGES: dict[str, tuple[Callable[[], object], bool, str]] = {
    "a function, as an attribute": (lambda: setattr(files, "zone_of", other), True, "files.zone_of"),
    "a function, in the dictionary": (lambda: vars(files).update(judge_open=other), True, "files.judge_open"),
    "a function of another part": (lambda: setattr(paths, "check_path", other), True, "paths.check_path"),
    "a name taken out": (lambda: vars(paths).pop("check_path"), True, "paths.check_path"),
    "one of Python": (lambda: setattr(os.path, "realpath", other), True, "posixpath.realpath"),
    "a method": (lambda: setattr(Undo, "put_back", other), False, "Undo.put_back"),
    "a method of what looks": (lambda: setattr(Stamps, "now", lambda self: []), False, "Stamps.now"),
    "a method, past the class": (lambda: dict_of(vars(Undo)).update(put_back=other), False, "Undo.put_back"),
    "a table": (lambda: TABLE.update({"rm": None}), False, "a table of the guard"),
    "a table made empty": (lambda: TABLE.clear(), False, "a table of the guard"),
    "a module": (
        lambda: sys.modules.update({"llmos_nb.guard.paths": types.ModuleType("llmos_nb.guard.paths")}),
        False,
        "sys.modules['llmos_nb.guard.paths']",
    ),
}


@pytest.fixture(params=["stamps", "no stamps"], autouse=True)
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both ways to know; what a failing test leaves behind is put back."""
    if request.param == "no stamps":
        monkeypatch.setattr(stamps, "_are_told", lambda: False)
    monkeypatch.setattr(intact, "_parts_now", intact._taker())
    before = Picture()
    yield
    before.put_back()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("earlier", [0, 2])
def test_what_is_changed_is_seen_and_put_back(change: str, earlier: int) -> None:
    for _ in range(earlier):  # what was looked at before must not be taken for what is
        assert Picture().put_back() == []
    made, rests, told = CHANGES[change]
    picture = Picture()
    made()
    assert bool(picture.judging()) == rests
    assert [one for one in picture.put_back() if one.endswith(told)]
    assert picture.put_back() == [] and picture.judging() == ""
    assert files.zone_of is paths.zone_of and os.path.realpath.__name__ == "realpath" and TABLE
    assert Picture().put_back() == []


def test_a_change_between_two_pictures_is_what_the_second_shows() -> None:
    was: Any = files.zone_of
    assert Picture().put_back() == []
    files.zone_of = other  # as a person may
    try:
        picture = Picture()
        assert picture.judging() == "" and picture.put_back() == []
        files.zone_of = was
        assert picture.judging().endswith("files.zone_of")
        assert picture.put_back() == ["llmos_nb.guard.audit.files.zone_of"] and files.zone_of is other
    finally:
        files.zone_of = was
    assert Picture().put_back() == [] and files.zone_of is was


def test_a_change_is_seen_behind_writing_that_changes_nothing() -> None:
    picture = Picture()
    names: dict[str, Any] = vars(hook)
    for number in range(3):
        names["_installed"], names["_written"] = names["_installed"], number
        assert picture.put_back() == []
        Picture()
    names["judged"], was = other, names["judged"]
    assert [one for one in picture.put_back() if one.endswith("hook.judged")] and names["judged"] is was
    del names["_written"]


def test_a_function_that_comes_later_is_watched_from_then_on() -> None:
    Picture()
    vars(paths)["_later"] = lambda: 1
    later = vars(paths)["_later"]
    try:
        picture = Picture()
        vars(paths)["_later"] = other
        assert picture.put_back() == ["llmos_nb.guard.paths._later"] and vars(paths)["_later"] is later
    finally:
        del vars(paths)["_later"]


def test_a_stamp_is_another_one_after_each_change() -> None:
    class Owner:
        name: Any = 0

    one: dict[str, Any] = {"name": 0}
    found = Stamps([one, dict_of(vars(Owner))])
    seen = [found.now()]
    for at in range(1, 30):
        one["name"], Owner.name = at, at
        seen.append(found.now())
    for column in zip(*seen, strict=True):
        assert len(set(column)) == len(column)


def test_stamps_are_as_they_were_where_nothing_was_written() -> None:
    found = Stamps([vars(files), dict_of(vars(Undo))])
    assert (found.now() == found.now()) == stamps._are_told()
