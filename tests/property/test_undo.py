"""Whatever a run does to names and files, taking it back makes everything what it was; what came later stays."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmos_nb.guard.footprint import Footprint
from llmos_nb.guard.undo import Undo

NAMES = ("a", "b", "c", "d")
FILES = ("a.txt", "b.bin", "new/c.txt", "new/deep/d", "é ü.csv")

names = st.sampled_from(NAMES)
files = st.sampled_from(FILES)
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=5,
)
steps = st.one_of(
    st.tuples(st.just("bind"), names, values),
    st.tuples(st.just("alias"), names, names),
    st.tuples(st.just("delete"), names, st.none()),
    st.tuples(st.just("grow"), names, values),
    st.tuples(st.just("clear"), names, st.none()),
    st.tuples(st.just("write"), files, st.binary(max_size=8)),
    st.tuples(st.just("remove"), files, st.none()),
)


def do(step: tuple[str, str, Any], space: dict[str, Any], folder: Path) -> None:
    what, which, value = step
    if what == "bind":
        space[which] = value
    elif what == "alias" and value in space:
        space[which] = space[value]
    elif what == "delete":
        space.pop(which, None)
    elif what in ("grow", "clear"):
        item = space.get(which)
        if isinstance(item, list | dict) and what == "clear":
            item.clear()
        elif isinstance(item, list):
            item.append(value)
        elif isinstance(item, dict):
            item["grown"] = value
    elif what == "write":
        (folder / which).parent.mkdir(parents=True, exist_ok=True)
        (folder / which).write_bytes(value)
    elif what == "remove":
        (folder / which).unlink(missing_ok=True)


def run(parts: list[list[tuple[str, str, Any]]], space: dict[str, Any], folder: Path) -> Footprint:
    """The cells of one run, which may be spread over several workbenches."""
    undos = []
    for number, part in enumerate(parts):
        if number % 2 == 0:
            undos.append(Undo())
        old, bound = undos[-1], dict(space)
        old.keep_names(space, NAMES)
        for step in part:
            if step[0] in ("write", "remove"):
                old.keep_file(folder / step[1])
            do(step, space, folder)
        old.keep_bindings(bound, space)
    return Footprint.of(undos, space)


def state(space: dict[str, Any], folder: Path) -> tuple[Any, ...]:
    on_disk = {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }
    return {name: repr(value) for name, value in space.items()}, on_disk


cells = st.lists(st.lists(steps, max_size=4), max_size=4)


@settings(max_examples=60, deadline=None)
@given(before=st.lists(steps, max_size=8), parts=cells)
def test_everything_is_what_it_was(before: list[Any], parts: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, space = Path(name), dict[str, Any]()
        for step in before:
            do(step, space, folder)
        wanted, objects = state(space, folder), dict(space)
        found = run(parts, space, folder)
        assert bool(found) == (state(space, folder) != wanted) or not found.conflicts(space)
        assert found.conflicts(space) == []
        done = found.take_back(space)
        assert not done.left and not done.failed
        assert state(space, folder) == wanted
        assert all(space[key] is value or space[key] == value for key, value in objects.items())


@settings(max_examples=60, deadline=None)
@example(before=[("bind", "a", [None])], parts=[[("clear", "a", None)]], later=[("alias", "b", "a")])
@given(before=st.lists(steps, max_size=6), parts=cells, later=st.lists(steps, max_size=3))
def test_what_was_done_since_is_never_lost(before: list[Any], parts: list[Any], later: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, space = Path(name), dict[str, Any]()
        for step in before:
            do(step, space, folder)
        first = state(space, folder)
        found = run(parts, space, folder)
        left = state(space, folder)
        for step in later:
            do(step, space, folder)
        now = state(space, folder)
        done = found.take_back(space)
        after = state(space, folder)
        assert not done.failed
        for part in (0, 1):
            for key in first[part].keys() | left[part].keys() | now[part].keys():
                seen = [one[part].get(key, "absent") for one in (first, left, now, after)]
                mine = seen[2] != seen[1]  # it is not as the run left it: a person's
                assert seen[3] == seen[2] or not mine or seen[3] == seen[0] == seen[2], (key, seen, done.left)


@settings(max_examples=30, deadline=None)
@given(before=st.lists(steps, max_size=6), runs=st.lists(cells, min_size=2, max_size=3))
def test_runs_are_taken_back_one_after_the_other(before: list[Any], runs: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, space = Path(name), dict[str, Any]()
        for step in before:
            do(step, space, folder)
        states, prints = [], []
        for parts in runs:
            states.append(state(space, folder))
            prints.append(run(parts, space, folder))
        for wanted, found in zip(reversed(states), reversed(prints), strict=True):
            assert found.conflicts(space) == []
            found.take_back(space)
            assert state(space, folder) == wanted
