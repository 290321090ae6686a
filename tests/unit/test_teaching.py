"""Lessons whose checks say what is wrong, what is kept of them, and a teacher's view of a class."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmos_nb
from llmos_nb.errors import GuardDenied, LessonError, StoreError
from llmos_nb.kernel.whose import agents_code
from llmos_nb.system import LLMOS
from llmos_nb.teaching import Checked, Exercise, Expecting, Lesson, read_lesson, report
from llmos_nb.teaching.checked import checked
from llmos_nb.teaching.progress import keep, progress_of
from llmos_nb.tools.namespace import PlainNamespace

LESSON = """# First steps

What this is about.

## mean-mass: The mean body mass

Compute the mean of `mass` as `answer`.

```python
df["mass"].mean()
```

```python check
expect("answer").a("number").close_to(4201.75, within=0.01, unless={4207.06: "That drops too many rows."})
```

```text hint
mean() leaves out what is missing.
```

```text hint
df["mass"].mean()
```

```text solved
Right: what is missing counts for nothing.
```

## again
```python check
assert last is not None, "No goal was run yet."
assert last.mode == "follower"
```
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    (tmp_path / "first-steps.md").write_text(LESSON, encoding="utf-8")
    return read_lesson(tmp_path / "first-steps.md")


def look(lesson: Lesson, name: str, failures: int = 0, **names: Any) -> Checked:
    return checked(lesson, lesson.exercise(name), names, lesson.path.parent, failures)


# ---------------------------------------------------------------- lessons


def test_a_lesson_is_read(lesson: Lesson, tmp_path: Path) -> None:
    assert (lesson.name, lesson.title) == ("first-steps", "First steps")
    first, second = lesson.exercises
    assert (first.name, first.title) == ("mean-mass", "The mean body mass") and second.title == ""
    assert "Compute the mean" in first.text and 'df["mass"].mean()' in first.text and "expect(" not in first.text
    assert first.hints == ("mean() leaves out what is missing.", 'df["mass"].mean()')
    assert read_lesson(str(tmp_path / "first-steps")) == lesson, "the ending may be left out"
    (tmp_path / "windows.md").write_bytes(b"\xef\xbb\xbf" + LESSON.replace("\n", "\r\n").encode())
    assert read_lesson(tmp_path / "windows.md").exercises == lesson.exercises
    assert "mean-mass" in str(lesson) and "**mean-mass**" in lesson._repr_markdown_()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: the first line is no title"),
        ("# T\n", ":1: it has 0 exercises"),
        ("# T\n## Bad Name\n```python check\n1\n```\n", ":2: 'Bad Name' cannot be"),
        ("# T\n## a\n", ":2: the exercise a has 0 checks"),
        ("# T\n## a\n```python check\n1\n```\n```python check\n1\n```\n", ":2: the exercise a has 2 checks"),
        ("# T\n## a\n```python check\n1\nx ==\n```\n", ":5: the check of a is no Python"),
        ("# T\n## a\n```python check\n1\n", ":3: a fenced block is not closed"),
        ("# T\n## a\n```python check\n1\n```\n## a\n```python check\n1\n```\n", ":6: there is another exercise 'a'"),
    ],
)
def test_what_is_no_lesson_is_told_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "one.md"
    path.write_text(text)
    with pytest.raises(LessonError) as caught:
        read_lesson(path)
    assert f"{path}{said}" in caught.value.message and caught.value.remedy


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_bytes(b"# T\n\xff")
    with pytest.raises(LessonError, match=r"there\.md:2: not UTF-8"):
        read_lesson(tmp_path / "there.md")
    with pytest.raises(LessonError, match=r"holds there\.md"):
        read_lesson(tmp_path / "missing.md")
    (tmp_path / "Bad_Name.md").write_text(LESSON)
    with pytest.raises(LessonError, match="cannot be a lesson's name"):
        read_lesson(tmp_path / "Bad_Name.md")
    (tmp_path / "large.md").write_text("# T\n" + "x" * 300_000)
    with pytest.raises(LessonError, match="larger than"):
        read_lesson(tmp_path / "large.md")


@given(st.text(max_size=400))
def test_no_text_makes_reading_fail_otherwise(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("lessons") / "one.md"
    path.write_bytes(f"# T\n{text}".encode("utf-8", "surrogatepass"))
    try:
        read_lesson(path)
    except LessonError as error:
        assert error.remedy


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({}, "There is no variable answer yet. Assign"),
        ({"Answer": 4201.75}, "You have Answer"),
        ({"answer": "4201.75"}, "stands in quotation marks"),
        ({"answer": None}, "must be a number"),
        ({"answer": True}, "must be a number"),
        ({"answer": lambda: 4201.75}, "wants to be called"),
        ({"answer": 4207.06}, "That drops too many rows"),
        ({"answer": -4201.75}, "wrong sign"),
        ({"answer": 4.20175}, "factor of 1000"),
        ({"answer": 420175.0}, "factor of 100"),
        ({"answer": float("nan")}, "missing went into it"),
        ({"answer": 4202.9}, "close, but too large"),
        ({"answer": 3.0}, "too small"),
        ({"answer": pd.Series([4201.75])}, "must be a number"),
    ],
)
def test_what_is_wrong_is_said(names: dict[str, Any], said: str, lesson: Lesson) -> None:
    found = look(lesson, "mean-mass", **names)
    assert not found and said in found.said and "4201.75" not in found.said.replace("'4201.75'", "")


def test_what_is_right_is_said_and_hints_follow_each_other(lesson: Lesson) -> None:
    right = look(lesson, "mean-mass", answer=4201.7549)
    assert right and right.said.startswith("Right: what is missing") and not right.hint
    hints = [look(lesson, "mean-mass", failures, answer=1).hint for failures in range(4)]
    assert hints == ["mean() leaves out what is missing.", *['df["mass"].mean()'] * 3]
    assert "Hint" in str(look(lesson, "mean-mass")) and "✘" in look(lesson, "mean-mass")._repr_html_()


def test_assertions_names_and_other_errors_of_a_check(lesson: Lesson) -> None:
    class Last:
        mode = "learner"

    assert look(lesson, "again", last=None).said == "No goal was run yet."
    assert 'last.mode == "follower"' in look(lesson, "again", last=Last()).said
    assert "no variable last yet" in look(lesson, "again").said
    assert "AttributeError" in look(lesson, "again", last=5).said


def test_a_check_binds_nothing(lesson: Lesson) -> None:
    exercise = Exercise("x", "", "", "answer = 7\nother = 1", 1)
    names = {"answer": 5}
    assert checked(lesson, exercise, names, Path(), 0) and names == {"answer": 5}


def test_what_can_be_expected(tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("# Penguins\n")
    table = pd.DataFrame({"species": ["a", "b"], "mass": [1, 2]})
    names = {"table": table, "word": "Gentoo", "items": [1, 2], "column": table["mass"], "f": len}
    expect = Expecting(names, tmp_path)
    expect("table").a("table").has_columns("species").has_rows(2)
    expect("word").a("text").equals("Gentoo").contains("too")
    expect("items").a("list").a(list).equals([1, 2]).that(lambda items: sum(items) == 3, "no")
    expect("f").a("function")
    expect("column").equals(pd.Series([1, 2]))
    expect.file("report.md").contains("Penguins")
    expect.value(3, "the count").close_to(3)
    for wrong, said in (
        (lambda: expect("table").has_columns("species", "year"), "has no column year; it has species, mass"),
        (lambda: expect("table").has_rows(1), "2 rows, 1 more than it should"),
        (lambda: expect("table").has_rows(1, unless={2: "Drop one."}), "Drop one."),
        (lambda: expect("column").a("table"), "Series is one column"),
        (lambda: expect("word").equals("gentoo"), "capital letters"),
        (lambda: expect("word").equals("Adelie", unless={"Gentoo": "The other one."}), "The other one."),
        (lambda: expect("word").contains("x", "It lacks x."), "It lacks x."),
        (lambda: expect("items").contains("x"), "does not have 'x' in it"),
        (lambda: expect.value(5, "it").contains("x"), "does not have"),
        (lambda: expect.file("missing.md"), "no file missing.md"),
        (lambda: expect("items").that(lambda items: False, "Sort them."), "Sort them."),
        (lambda: expect.value(1, "it").equals(True), "not right"),
    ):
        with pytest.raises(Exception, match=said):
            wrong()


# ---------------------------------------------------------------- what is kept


def test_tries_are_kept_and_what_was_solved_stays_solved(tmp_path: Path) -> None:
    for passed in (False, False, True, False):
        keep(tmp_path, "l", "one", passed, "x" * 1000)
    keep(tmp_path, "l", "two", False, "wrong – é")
    path = tmp_path / "memory" / "lessons.jsonl"
    path.write_bytes(path.read_bytes() + b'{"torn": ')
    keep(tmp_path, "l", "two", True, "right")
    one, two = progress_of(tmp_path)[0]
    assert (one.tries, one.solved, len(one.last_said)) == (4, True, 300) and (two.tries, two.solved) == (2, True)
    assert progress_of(tmp_path)[1] == ["lessons.jsonl:6: no line of an exercise"]
    assert progress_of(tmp_path / "missing") == ([], [])


def test_a_person_does_exercises_and_agents_do_not(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    space = PlainNamespace()
    with LLMOS(workspace="workspace", endpoint="scripted", namespace=space) as system:
        with pytest.raises(LessonError, match="No lesson is open"):
            system.check("mean-mass")
        system.lesson("first-steps")
        with pytest.raises(LessonError, match="It has mean-mass, again"):
            system.check("mean-mas")
        assert system.check("mean-mass").hint.startswith("mean()")
        assert system.check("mean-mass").hint.startswith("df")
        space.names["answer"] = 4201.75
        with agents_code(), pytest.raises(GuardDenied):
            system.check("mean-mass")
        assert system.check("mean-mass").passed
        asyncio.run(space.run_cell("last = 5"))
        assert system.check("again").said == "No goal was run yet.", (
            "last is the last goal, whatever it is called here"
        )
        assert [(one.exercise, one.tries, one.solved) for one in system.progress] == [
            ("mean-mass", 3, True), ("again", 1, False),
        ]  # fmt: skip
        row = system.report().df.iloc[0]
        assert (row.exercises, row.tried, row.solved) == (1, 2, "first-steps/mean-mass")
        assert row.stuck_on.startswith("again (1 try): No goal")


# ---------------------------------------------------------------- a class


def student(folder: Path, goals: int = 0, solved: int = 0, **more: Any) -> Path:
    """A workspace with runs in its session log, and a ledger."""
    workspace = folder / "workspace"
    (workspace / "memory" / "sessions").mkdir(parents=True)
    (workspace / "agents").mkdir()
    (workspace / "agents" / "mine.md").write_text("---\nname: mine\ntools: []\n---\nYou.\n")
    lines = []
    for number in range(goals):
        run, mode = f"r{number}", "learner" if number == 0 else "follower"
        base = {"run_id": run, "session_id": "s", "at": 1_700_000_000 + number}
        lines += [
            {**base, "event": "RunStarted", "goal": "g", "agent": "generalist", "endpoint": "scripted"},
            {**base, "event": "RunEnded", "status": "success", "mode": mode, "cost_usd": 0.01, "saved_usd": 0.0,
             "duration_s": 1.0, "reason": "", "trace_id": "t"},
        ]  # fmt: skip
    log = workspace / "memory" / "sessions" / "20261123-000000-aaaa.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for number in range(solved):
        keep(workspace, "lesson", f"e{number}", True, "right")
    if more.get("ledger", True):
        with LLMOS(workspace=workspace, endpoint=more.get("endpoint", "scripted")) as system:
            system.economy.deduct(0.25, "a goal")
    return workspace


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_class_is_one_table_and_nothing_is_written(tmp_path: Path) -> None:
    student(tmp_path / "class" / "ada", goals=3, solved=2)
    student(tmp_path / "class" / "ben", goals=1, endpoint="claude")
    student(tmp_path / "class" / "chloé", ledger=False)
    (tmp_path / "class" / "zoe").mkdir()
    student(tmp_path / "class" / ".hidden", goals=1)
    before = everything(tmp_path)
    found = llmos_nb.report(tmp_path / "class")
    assert found.without == ("zoe",)
    for shown in (str(found), found._repr_html_()):
        assert "No workspace yet in: zoe" in shown
    assert everything(tmp_path) == before
    df = found.df.set_index("student")
    assert list(df.index) == ["ada", "ben", "chloé"] and len(found) == 3 and not found.problems
    ada, ben = df.loc["ada"], df.loc["ben"]
    assert (ada.goals, ada.successes, ada.learner, ada.follower, ada.exercises, ada.agents) == (3, 3, 1, 2, 2, 1)
    assert (ada.spent_usd, ada.play_usd) == (0, 0.25) and (ben.spent_usd, ben.play_usd) == (0.25, 0)
    assert ada.solved == "lesson/e0, lesson/e1" and str(df.dtypes["goals"]) == "Int64"
    assert ada.last_activity.year >= 2023 and pd.isna(df.loc["chloé"].last_activity)
    for shown in (str(found), found._repr_html_()):
        assert "ada" in shown and "chloé" in shown and "$0.2500" in shown
    axes = found.plot()
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["ada", "ben", "chloé"]


def test_the_ledger_of_a_kernel_at_work_is_read_with_its_newest_rows(tmp_path: Path) -> None:
    workspace = student(tmp_path / "ada", goals=1)
    with LLMOS(workspace=workspace, endpoint="scripted") as system:
        system.economy.deduct(1.0, "another")
        assert (workspace / ".llmos" / "state.db-wal").exists()
        assert report(tmp_path).df["play_usd"].tolist() == [1.25]


def test_what_is_damaged_is_told_and_the_rest_counted(tmp_path: Path) -> None:
    for name in ("ada", "ben", "cleo", "dan"):
        student(tmp_path / name, goals=2, solved=1)
    (tmp_path / "ada/workspace/.llmos/state.db").write_bytes(b"no database" * 100)
    log = next((tmp_path / "ben/workspace/memory/sessions").glob("*.jsonl"))
    log.write_bytes(b"rubbish\n" + log.read_bytes())
    (tmp_path / "cleo/workspace/memory/lessons.jsonl").write_bytes(b"\xff\n[]\n")
    with sqlite3.connect(tmp_path / "dan/workspace/.llmos/state.db") as connection:
        connection.execute("DROP TABLE ledger")
    found = report(tmp_path)
    df = found.df.set_index("student")
    assert list(df["goals"]) == [2, 2, 2, 2] and len(found.problems) == 4
    assert pd.isna(df.loc["ada"].play_usd) and "state.db" in df.loc["ada"].problems
    assert "unknown" in str(found) and "Could not be read" in found._repr_html_()


def test_money_is_counted_from_the_copy_where_the_database_is_missing_and_is_unknown_without_both(
    tmp_path: Path,
) -> None:
    called = {"event": "ModelCalled", "run_id": "r0", "session_id": "s", "at": 1_700_000_000, "cost_usd": 0.25}
    for name in ("ada", "ben", "eve"):
        student(tmp_path / name, goals=1)
        log = next((tmp_path / name / "workspace/memory/sessions").glob("*.jsonl"))
        log.write_text(log.read_text() + json.dumps(called) + "\n")
    for file in [*tmp_path.glob("ada/workspace/.llmos/state.db*"), *tmp_path.glob("ben/workspace/.llmos/state.*")]:
        file.unlink()
    shutil.rmtree(tmp_path / "eve/workspace/.llmos")
    before = everything(tmp_path)
    df = report(tmp_path).df.set_index("student")
    assert everything(tmp_path) == before
    assert (df.loc["ada"].play_usd, df.loc["ada"].spent_usd, df.loc["ada"].problems) == (0.25, 0, "")
    for name in ("ben", "eve"):
        assert pd.isna(df.loc[name].play_usd) and "not known" in df.loc[name].problems


def test_which_folders_are_workspaces(tmp_path: Path) -> None:
    one = student(tmp_path / "a" / "b" / "ada")
    two = student(tmp_path / "c" / "ada", goals=1)
    assert list(report(tmp_path).df["student"]) == ["b/ada", "c/ada"], "two of one name are told apart"
    assert list(report(one).df["student"]) == ["ada"] == list(report([two]).df["student"])
    assert len(report([one, one.parent, tmp_path])) == 2, "each once"
    listed = report([one, tmp_path / "missing"])
    assert listed.problems == ["missing: there is no such folder"]
    with pytest.raises(StoreError, match="no such folder"):
        report(tmp_path / "missing")
    (tmp_path / "a" / "b" / "eve" / "workspace").mkdir(parents=True)
    begun = report(tmp_path / "a" / "b")
    assert list(begun.df["student"]) == ["ada", "eve"] and list(begun.df["goals"])[1] == 0 and not begun.problems
    (tmp_path / "a" / "b" / "eve" / "workspace").rmdir()
    (tmp_path / "nothing").mkdir()
    assert len(report(tmp_path / "nothing")) == 0
    assert str(report(tmp_path / "nothing")).startswith("No workspace was found. Name the folder")
    assert report(tmp_path / "nothing").df.dtypes["goals"] == "Int64"
    loop = tmp_path / "c" / "loop"
    loop.symlink_to(tmp_path, target_is_directory=True)
    assert len(report(tmp_path)) == 2


def test_a_class_of_a_thousand_is_drawn_in_part(tmp_path: Path) -> None:
    for number in range(120):
        keep(tmp_path / f"s{number:03}", "l", "e", number % 2 == 0, "x")
    found = report(tmp_path)
    assert len(found) == 120 and int(found.df["exercises"].sum()) == 60
    assert "first 60 of 120" in found.plot()[0].get_xlabel()
