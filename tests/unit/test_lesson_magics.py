"""``%lesson``, ``%%check``, ``%report`` and ``%packs`` in a real shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cells import run

from llmos_nb.errors import LessonError, SettingsError, StoreError

LESSON = "# One\n\n## sum: A sum\n\n```python check\nexpect('total').equals(5)\n```\n"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ipython: Any) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    Path("one.md").write_text(LESSON)
    ipython.run_line_magic("load_ext", "llmos_nb")
    yield ipython
    ipython.run_line_magic("unload_ext", "llmos_nb")


def test_a_cell_is_run_and_looked_at(shell: Any) -> None:
    assert str(run(shell, "%lesson 'one.md'")) == "One\nsum: A sum"
    wrong = run(shell, "%%check sum\ntotal = 2 + 2")
    assert not wrong and wrong.said == "total is 4, which is not right." and shell.user_ns["total"] == 4
    assert run(shell, "%%check sum\nparts = [2, 3]\ntotal = sum(parts)").passed
    assert run(shell, "%check sum").passed
    assert str(run(shell, "%lesson progress")).splitlines()[1].split() == ["one", "sum", "3", "yes"]
    assert run(shell, "%report").df["solved"].tolist() == ["one/sum"]


def test_an_answer_that_cannot_be_run_is_a_try(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(shell, "%lesson one")
    assert run(shell, "%%check sum\ntotal = nothing") is None
    assert run(shell, "%%check sum\ntotal = = 3") is None
    shown = capsys.readouterr().out
    assert "NameError" in shown and "SyntaxError" in shown
    (one,) = shell.user_ns["llmos"].progress
    assert (one.tries, one.solved) == (2, False) and one.last_said.startswith("SyntaxError")


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("%lesson missing.md", LessonError),
        ("%lesson", LessonError),
        ("%check sum", LessonError),
        ("%packs all", SettingsError),
        ("%report nowhere", StoreError),
    ],
)
def test_what_cannot_be_is_told(cell: str, error: type[Exception], shell: Any) -> None:
    with pytest.raises(error):
        run(shell, cell)


def test_a_misspelt_exercise_and_a_goal_are_told_before_anything_runs(shell: Any) -> None:
    run(shell, "%lesson one")
    for cell in ("%%check summ\ntotal = 5", "%%check sum\ntotal = 5\n%llmos Say hello", "%%check sum\nawait x"):
        with pytest.raises(LessonError):
            run(shell, cell)
    assert "total" not in shell.user_ns


def test_packs_are_shown(shell: Any) -> None:
    found = run(shell, "%packs")
    assert {"data", "quantum", "robotics"} <= {row.name for row in found}
    assert "quantum" in str(found) and "<table>" in found._repr_html_()
