"""The next step after a run that did not reach its goal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_nb import LLMOS
from llmos_nb.cortex.scripted.player import NOT_GRANTED
from llmos_nb.dispatch.remedy import misplaced, next_step
from llmos_nb.dispatch.result import RunResult
from llmos_nb.dispatch.run import Goal
from llmos_nb.system.goals import goal_of


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMOS]:
    monkeypatch.chdir(tmp_path)
    with LLMOS("workspace") as system:
        yield system


def goal(system: LLMOS, text: str = "Plot it", project: str | None = None) -> Goal:
    return goal_of(system, text, project=project)


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("success", "", ""),
        ("over_budget", "the run has no budget", "--budget"),
        ("timed_out", "the time limit of 600 s was reached", "time_limit_s"),
        ("stopped", "the model gave no sign of life for 180 s", "silence_limit_s"),
        (
            "stopped",
            "run_cell was called 5 times in a row with the same arguments and the same result",
            "repeat_limit",
        ),
        ("stopped", "10 turns in a row brought nothing new: tool calls failed", "idle_turns"),
        ("stopped", "900 MB of memory are held; at most 800 may be", "process_memory_mb"),
        ("stopped", "stopped by a person", "anew"),
        ("denied", "the guard refused Bash: the agent was not granted the tool Bash", "%agents show generalist"),
        ("denied", "the guard refused Write: it asks (nobody was there to approve it)", "where you can answer"),
        ("denied", "the guard refused run_shell: it deletes", "in other words|needs no such step"),
        ("failed", "the last step (run_cell) failed: KeyError: 'x'", "put right"),
        ("failed", "something else", "doctor"),
    ],
)
def test_every_end_has_a_next_step(status: str, reason: str, words: str, system: LLMOS) -> None:
    result = RunResult(run_id="r", goal="g", status=status, mode="learner", text="", reason=reason)
    said = next_step(goal(system), result)
    assert any(word in said for word in words.split("|")) and bool(said) == bool(words)


def test_who_lacks_a_tool_is_sent_to_other_agents(system: LLMOS) -> None:
    text = f"I cannot go on: the next step needs the tool `move_to`, {NOT_GRANTED} (granted: `run_cell`)."
    result = RunResult(run_id="r", goal="g", status="failed", mode="learner", text=text, reason="it could not go on")
    said = next_step(goal(system), result)
    assert "%agents" in said and "--agent" in said and "doctor" not in said


def test_the_time_limit_of_a_project_is_named_where_it_is_kept(system: LLMOS) -> None:
    system.projects.create("whales", time_limit_s=5)
    result = RunResult(
        run_id="r", goal="g", status="timed_out", mode="learner", text="", reason="the time limit of 5 s was reached"
    )
    said = next_step(goal(system, project="whales"), result)
    assert "time_limit_s = 5" in said and "project.toml" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Load songs.csv and plot it", "Did you mean input/songs.csv?"),
        ("Load input/songs.csv", ""),
        ("Load songs.csv.", "input/songs.csv?"),
        ("Compare songs.csv with depths.csv", "input/songs.csv and input/depths.csv?"),
        ("Load here.csv", ""),
        ("Write new.csv", ""),
        ("Version 3.5 of it, e.g. this", ""),
        ("Load ../songs.csv", ""),
    ],
)
def test_a_file_that_lies_in_the_projects_input_is_named(text: str, words: str, system: LLMOS) -> None:
    project = system.projects.create("whales")
    for name in ("songs.csv", "depths.csv"):
        (project.input / name).write_text("x")
    (project.folder / "here.csv").write_text("x")
    said = misplaced(goal(system, text, "whales"))
    assert words in said and bool(said) == bool(words)
    assert misplaced(goal(system, text)) == ""


def test_a_file_that_lies_beside_the_project_is_told_of_until_it_is_in_it(system: LLMOS) -> None:
    project = system.projects.create("whales")
    (project.state / "history.md").parent.mkdir(parents=True, exist_ok=True)
    (project.state / "history.md").write_text("- a run\n")  # no longer new
    Path("songs.csv").write_text("x")
    said = misplaced(goal(system, "Load songs.csv", "whales"))
    assert said.startswith("There is no songs.csv in the project whales") and str(project.input) in said
    assert misplaced(goal(system, "Load songs.csv")) == ""
    (project.folder / "songs.csv").write_text("x")
    assert misplaced(goal(system, "Load songs.csv", "whales")) == ""


def test_a_run_that_fails_for_want_of_a_file_says_where_it_lies(system: LLMOS) -> None:
    project = system.projects.create("whales")
    (project.input / "songs.csv").write_text("x")
    result = system.run("Load songs.csv", "follower", project="whales")
    assert result.remedy.startswith("There is no songs.csv in the project's folder. Did you mean input/songs.csv?")


def test_a_project_whose_name_is_nearly_anothers_is_told_of_once(system: LLMOS) -> None:
    system.projects.create("whales")
    lost = system.run("Count them", "follower", project="whale")
    assert str(lost).count("Or did you mean whales?") == 1
