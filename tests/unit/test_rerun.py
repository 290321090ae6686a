"""Runs in a process of their own: what they say, what they are kept from, and that they end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from llmos_nb.guard.sandbox.fence import Bubblewrap
from llmos_nb.learning.rerun import Apart, Outcome, differences, handed_on
from llmos_nb.learning.rerun_child import value_digest


def cell(code: str) -> tuple[str, dict[str, Any]]:
    return "run_cell", {"code": code}


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Any:
    cwd = tmp_path_factory.mktemp("place")
    (cwd / "data.csv").write_text("a,b\n1,2\n")
    (cwd / "deep").mkdir()
    (cwd / "deep" / "more.txt").write_text("more")
    with Apart(cwd, time_limit_s=60) as place:
        yield place


def test_it_says_what_was_bound_shown_and_written(apart: Apart) -> None:
    outcome = apart.run(
        [
            cell("x = 1\nprint('said')\nwords = open('data.csv').read().split(',')\nwords"),
            ("write_file", {"path": "out/note.md", "content": "hello"}),
            ("run_shell", {"command": "cat deep/more.txt"}),
        ],
        inputs=["data.csv", "deep/more.txt"],
    )
    assert outcome.problem == outcome.error == ""
    assert outcome.types == {"x": "int", "words": "list"}
    assert outcome.shown == "said\n['a', 'b\\n1', '2\\n']\n"
    assert outcome.told == "more"
    assert list(outcome.files) == ["out/note.md"]
    assert not (apart.cwd / "out").exists()


def test_two_runs_of_the_same_are_the_same(apart: Apart) -> None:
    code = "s = {'b', 'a', 'c'}\nclass P:\n    def __init__(self): self.v = [1, {'k': s}]\np = P()\nprint(s, p)\nhash('a')"
    first, second = (apart.run([cell(code)]) for _ in range(2))
    assert first.shown and list(differences(first, second, list(first.types))) == []


def test_what_differs_is_told(apart: Apart) -> None:
    first = apart.run([cell("x = 1\ny = [1]\nprint('a')\nopen('f.txt', 'w').write('1')")])
    second = apart.run([cell("x = 1.0\ny = [2]\nprint('b')\nopen('f.txt', 'w').write('2')")])
    said = dict(differences(first, second, ["x", "y"]))
    assert said["name x"] == "x is of type float instead of int"
    assert set(said) == {"name x", "value y", "shown", "content f.txt"}


def test_an_error_is_told_and_ends_the_run(apart: Apart) -> None:
    outcome = apart.run([cell("x = 1\nx.nothing"), cell("y = 2")])
    assert "AttributeError" in outcome.error and outcome.problem == ""
    assert "y" not in outcome.types


def test_nothing_of_the_surroundings_gets_there(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_TEST_VALUE", "CLAUDE_TEST_VALUE", "LLMOS_TEST_VALUE", "SECRET_TOKEN", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "x")
    outcome = apart.run(
        [cell("import os\nfound = sorted(n for n in dict(**os.environ) if 'TEST' in n or 'TOKEN' in n)\nfound")]
    )
    if outcome.problem:  # the guard may refuse to list variables at all
        assert "refused" in outcome.problem
    else:
        assert outcome.shown == "[]\n"
    home = apart.run(
        [cell("from pathlib import Path\nhome = str(Path.home())\nhere = str(Path.cwd())\nprint(home, here)")]
    )
    said = home.shown.split()
    assert str(Path.home()) not in said and str(apart.cwd) not in said


@pytest.mark.skipif(bool(Bubblewrap.here().problem), reason="bubblewrap does not work here")
def test_a_fence_keeps_in_what_the_guard_does_not_see(apart: Apart, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("other")
    known, unknown = [
        apart.run([cell(f"print(open({str(tmp_path / 'other.txt')!r}).read())")], inputs=inputs)
        for inputs in ([str(tmp_path / "other.txt")], [])
    ]
    assert known.shown == "other\n" and known.error == ""
    assert "FileNotFoundError" in unknown.error
    code = "getattr(__import__('socket'), 'create_' + 'connection')(('127.0.0.1', 9), 2)"
    assert "unreachable" in apart.run([cell(code)]).error or "refused" in apart.run([cell(code)]).problem


def test_the_guard_is_there_too(apart: Apart, tmp_path: Path) -> None:
    outcome = apart.run([("write_file", {"path": str(tmp_path / "outside.txt"), "content": "x"})])
    assert "was refused" in outcome.problem
    assert not (tmp_path / "outside.txt").exists()


def test_a_run_that_does_not_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    code = f"import subprocess\nsubprocess.Popen(['sleep', '600.{os.getpid()}'])\nwhile True: pass"
    started = time.monotonic()
    with Apart(tmp_path, time_limit_s=4) as apart:
        outcome = apart.run([cell(code)])
    assert outcome.problem == "it took more than 4 s"
    assert time.monotonic() - started < 30
    running = [p for p in Path("/proc").glob("[0-9]*/cmdline") if f"600.{os.getpid()}".encode() in _read(p)]
    assert running == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(
    "code", ["import os\nos.abort()", "import ctypes\nctypes.string_at(0)", "raise SystemExit(3)"]
)
def test_a_run_that_kills_itself_is_told(apart: Apart, code: str) -> None:
    outcome = apart.run([cell(code)])
    assert outcome.problem or outcome.error


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits are those of POSIX")
def test_memory_is_limited(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmos_nb.learning.rerun.MEMORY_LIMIT", 2 * 1024**3)
    outcome = apart.run([cell("x = bytearray(4 * 1024**3)")])
    assert "MemoryError" in outcome.error


def test_missing_and_odd_inputs_are_told(apart: Apart) -> None:
    assert apart.run([cell("1")], inputs=["nothing.csv"]).problem == "the file nothing.csv is not there any more"
    assert "outside" in apart.run([cell("1")], inputs=["../x.csv"]).problem


def test_variables_are_handed_on_where_they_can_be() -> None:
    import math

    given, problem = handed_on({"a": [1], "math": math}, ["a", "math"])
    assert problem == "" and given["math"] == ("module", "math")
    assert handed_on({}, ["a"])[1] == "the variable a is not there any more"
    assert "cannot be handed" in handed_on({"f": lambda: 1}, ["f"])[1]


def test_variables_arrive(apart: Apart) -> None:
    given, _ = handed_on({"a": {"k": [1, 2]}}, ["a"])
    outcome = apart.run([cell("b = a['k'] * 2\na['k'].append(3)")], names=given)
    assert outcome.types == {"a": "dict", "b": "list"}
    assert outcome.values["a"] == value_digest({"k": [1, 2, 3]})


def test_a_variable_too_large_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmos_nb.learning.rerun.VALUE_LIMIT", 1000)
    assert "larger than" in handed_on({"a": "x" * 2000}, ["a"])[1]


def test_equal_values_have_equal_digests_and_others_have_not() -> None:
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    values = [
        1, 1.0, True, "1", None, [1], (1,), {1}, {"a": 1}, {"a": 2}, b"1", np.array([1]), np.array([1.0]), table,
        table.rename(columns={"a": "c"}), table.assign(a=[1, 3]), table["a"], table.set_index("a"),
        pd.Timestamp("2024-01-01"), range(3), object, len, Path("a"), Path("b"),
    ]  # fmt: skip
    digests = [value_digest(value) for value in values]
    assert len(set(digests)) == len(values)
    assert value_digest(table.copy()) == value_digest(table)
    assert value_digest({"a", "b", "c"}) == value_digest({"c", "b", "a"})
    knot: list[Any] = [1]
    knot.append(knot)
    assert value_digest(knot)


def test_a_run_with_a_problem_differs_from_one_without() -> None:
    assert list(differences(Outcome(), Outcome(problem="it took more than 1 s"), []))
