"""``%lesson``, ``%%check``, ``%report`` and ``%packs`` in a real shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from cells import run
from IPython.core.pylabtools import select_figure_formats

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


@pytest.fixture
def first_goals(shell: Any) -> Any:
    """The first lesson of the course, open in a shell with its table."""
    course = Path(__file__).parents[2] / "notebooks"
    shell.user_ns["penguins"] = pd.read_csv(course / "data" / "penguins.csv")
    run(shell, f"%lesson '{course / 'lessons' / 'first-goals.md'}'")
    return shell


@pytest.mark.parametrize(
    ("masses", "said"),
    [
        ('pd.DataFrame({"species": ["A", "A", "A"], "body_mass_g": [1, 2, 5076.0163]})', "the species in masses"),
        ('penguins.groupby("species", as_index=False)["body_mass_g"].median()', "the mean mass of Adelie"),
        ('penguins.dropna().groupby("species", as_index=False)["body_mass_g"].mean()', "the mean mass of Adelie"),
        ('penguins.groupby("species", as_index=False)["body_mass_g"].mean()', ""),
        ('penguins.groupby("species")["body_mass_g"].mean().sort_values().reset_index()', ""),
    ],
)
def test_every_row_of_a_table_that_a_lesson_asks_for_is_looked_at(masses: str, said: str, first_goals: Any) -> None:
    found = run(first_goals, f"%%check by-species\nimport pandas as pd\nmasses = {masses}")
    assert bool(found) is not bool(said) and said in found.said


def test_a_picture_that_a_lesson_asks_for_must_have_been_drawn(first_goals: Any) -> None:
    run(first_goals, "await llmos.execute('average body_mass_g by species in penguins')")
    for exercise in ("ask", "free"):
        assert "drew no picture" in run(first_goals, f"%check {exercise}").said
    before = plt.get_backend()
    try:
        plt.switch_backend("module://matplotlib_inline.backend_inline")  # as %matplotlib inline does in a kernel
        select_figure_formats(first_goals, {"png"})
        run(first_goals, "await llmos.execute('bar chart of the mean body_mass_g by species in penguins')")
        assert run(first_goals, "%check ask").passed
    finally:
        plt.close("all")
        plt.switch_backend(before)
        plt.ioff()


def test_which_exercise_is_asked_where_none_is_named(shell: Any) -> None:
    run(shell, "%lesson one")
    with pytest.raises(LessonError, match=r"Which exercise .* It has sum"):
        run(shell, "%check")
    assert run(shell, "%%check sum\ntotal = 5").passed


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
