"""Columns of files that code is about to load: kept while the file stays what it was, and no longer."""

from __future__ import annotations

import ast
import os
import time
from pathlib import Path

import pytest

from llmos_nb.learning import headers
from llmos_nb.learning.columns import misfit
from llmos_nb.learning.headers import header
from llmos_nb.learning.rebound import changes_in, parsed
from llmos_nb.memory import Step


def call(code: str) -> ast.Call:
    tree = ast.parse(code, mode="eval").body
    assert isinstance(tree, ast.Call)
    return tree


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,a\n")
    past = time.time_ns() - 10_000_000_000 + 1
    os.utime(path, ns=(past, past))
    return path


def test_a_header_is_read_once(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = call("pd.read_csv('a.csv')")
    assert header(load, table.parent) == {"x": "number", "y": "text"}
    monkeypatch.setattr(headers, "_read", lambda *_: pytest.fail("it was read again"))
    assert header(load, table.parent) == {"x": "number", "y": "text"}


def test_a_file_that_changed_is_read_again(table: Path) -> None:
    load, before = call("pd.read_csv('a.csv')"), table.stat()
    assert header(load, table.parent) == {"x": "number", "y": "text"}
    table.write_text("x,z\n1,a\n")  # in place, of the same size, a moment later
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert header(load, table.parent) == {"x": "number", "z": "text"}
    other = table.with_name("b.csv")
    other.write_text("u,v\n1,a\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    other.replace(table)
    assert header(load, table.parent) == {"u": "number", "v": "text"}
    table.unlink()
    assert header(load, table.parent) is None


def test_a_file_of_this_moment_is_not_kept(tmp_path: Path) -> None:
    path, load = tmp_path / "a.csv", call("pd.read_csv('a.csv')")
    path.write_text("x,y\n1,a\n")
    now = path.stat()
    assert header(load, tmp_path) == {"x": "number", "y": "text"}
    path.write_text("x,z\n1,a\n")
    os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns))  # what a clock that ticks slowly would tell
    assert header(load, tmp_path) == {"x": "number", "z": "text"}


def test_other_options_are_another_header(table: Path) -> None:
    assert header(call("pd.read_csv('a.csv')"), table.parent) == {"x": "number", "y": "text"}
    assert header(call("pd.read_csv('a.csv', sep=';')"), table.parent) == {"x,y": "text"}


def test_what_a_pack_loads_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("PLZ;preis\n01067;1,5\n50667;2\n")
    for code in ("read_table('a.csv')", "llmos_data.read_table('a.csv')", "read_table('a.csv', separator=';')"):
        assert header(call(code), tmp_path) == {"PLZ": "text", "preis": "number"}, code
    assert header(call("pd.read_table('a.csv', sep=';')"), tmp_path) == {"PLZ": "number", "preis": "text"}
    assert header(call("read_table('a.csv', separator=chosen)"), tmp_path) is None
    assert header(call("read_table('gone.csv')"), tmp_path) is None
    assert header(call("load('a.csv')"), tmp_path) is None


def test_a_column_is_missed_before_a_packs_table_is_loaded(tmp_path: Path) -> None:
    def step(column: str, file: str) -> Step:
        code = f"from llmos_nb.domains.data import read_table\nt = read_table({file!r})\nt[{column!r}].mean()"
        return Step("run_cell", {"code": code})

    def told(recorded: Step, bound: Step) -> str:
        both = parsed(recorded), parsed(bound)
        return misfit([recorded], [both], [changes_in(recorded, bound, both)], {}, tmp_path)

    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x;z\n1;2\n")
    assert "b.csv has no column y" in told(step("x", "a.csv"), step("y", "b.csv"))
    assert not told(step("x", "a.csv"), step("z", "b.csv"))
