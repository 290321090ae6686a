"""Goals in projects: their own folder, memory and limits, and never another project's answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_nb import LLMOS, ledger_df, runs_df
from llmos_nb.errors import ProjectError, UnknownProject
from llmos_nb.kernel.events import Notice
from llmos_nb.projects import Project

pytestmark = pytest.mark.cli

ROOT = Path(__file__).parents[2]

COUNT = """---
goal: Count the rows of the survey
---
## Turn 1

### run_cell

```python
rows = len(open("input/survey.csv").read().split()) - 1
with open("output/rows.txt", "w") as file:
    file.write(str(rows))
print("rows:", rows)
```

## Answer

There are {{result|match: rows: (\\d+)}} rows.
"""
SECRET = """---
goal: Who leads it?
---
## Turn 1

### run_cell

```python
print("leader 1 is known")
```

## Answer

Number {{result|match: (\\d+)}}.
"""
SLOW = """---
goal: Compute the long sum
---
## Turn 1

### run_cell

```python
import os, time
if not os.path.exists("output/waiting"):
    open("output/waiting", "w").close()
    time.sleep(30)
```

## Answer

Done.
"""
SHELL = """---
goal: List by the shell
---
## Turn 1

### run_shell

```bash
echo 3 files
```

## Answer

{{result|match: (\\d+)}}
"""
TOTAL = """---
goal: Save the total of {file:path}
---
## Turn 1

### run_cell

```python
name = {{file|quoted}}
total = sum(int(line) for line in open(name).read().split())
with open("output/total.txt", "w") as file:
    file.write(str(total))
print("total:", total)
```

## Answer

The total is {{result|match: total: (\\d+)}}.
"""
KEEP = """---
goal: Keep in mind that {fact:text}
---
## Turn 1

### remember

```text
{{fact}}
```

## Answer

Kept.
"""
KNOWN = """---
goal: In which year and season was the survey made?
---
## Answer

{{memory}}
"""
HAND = """---
goal: Have it listed
---
## Turn 1

### Agent

```yaml arguments
description: a part of it
prompt: List by the shell
subagent_type: lister
```

## Answer

{{result|match: (\\d+)}}
"""
#: A goal that is its own plan.
MORE = {"total": TOTAL, "keep": KEEP, "known": KNOWN}
STEPS = "1. Count the rows of the survey\n2. List by the shell"


@pytest.fixture
def system(playground: Path) -> Iterator[LLMOS]:
    scripts = playground / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for name, text in (("count", COUNT), ("secret", SECRET), ("slow", SLOW), ("shell", SHELL), *MORE.items()):
        (scripts / f"{name}.md").write_text(text)
    with LLMOS(playground / "workspace") as made:
        yield made


def survey(system: LLMOS, name: str, rows: int) -> None:
    project = system.projects.create(name)
    (project.input / "survey.csv").write_text("\n".join(["id", *map(str, range(rows))]))


async def test_the_same_goal_in_two_projects_is_two_answers(system: LLMOS, playground: Path) -> None:
    survey(system, "whales", 3)
    survey(system, "birds", 5)
    goal = "Count the rows of the survey"
    whales = await system.execute(goal, project="whales")
    assert (whales.status, whales.mode, whales.text) == ("success", "learner", "There are 3 rows.")
    plan = system.explain(goal, project="birds")
    assert plan.mode == "mixed" and "survey.csv" in plan.reason
    birds = await system.execute(goal, project="birds")
    assert (birds.status, birds.mode, birds.text) == ("success", "mixed", "There are 5 rows.")
    assert "survey.csv" in birds.mode_reason
    for name, rows in (("whales", 3), ("birds", 5), ("whales", 3)):
        (system.projects.get(name).output / "rows.txt").unlink()
        again = await system.execute(goal, project=name)
        assert (again.mode, again.cost_usd, again.text, again.project) == (
            "follower", 0.0, f"There are {rows} rows.", name
        )  # fmt: skip
        assert (system.projects.get(name).output / "rows.txt").read_text() == str(rows)
    outside = await system.execute(goal)
    assert outside.status != "success", "there is no survey in the notebook's own folder"
    assert Path.cwd() == playground and not (playground / "output").exists()

    assert list(runs_df(system.workspace).project) == ["whales", "birds", "whales", "birds", "whales", ""]
    spent = ledger_df(system.workspace)
    assert set(spent[spent.kind == "model_call"].project) == {"whales", "birds", ""}
    assert system.economy.project_spent_usd("whales") == whales.cost_usd
    history = system.projects.get("whales").history()
    assert [(run.mode, run.status, run.goal) for run in history] == [
        ("learner", "success", goal), ("follower", "success", goal), ("follower", "success", goal)
    ]  # fmt: skip


async def test_a_new_kernel_sees_and_has_back_what_runs_defined(system: LLMOS) -> None:
    survey(system, "whales", 3)
    await system.execute("Count the rows of the survey", project="whales")
    with LLMOS(system.workspace) as later:
        project = later.projects.get("whales")
        assert project.variables()["rows"] == {"type": "int", "value": 3}
        restored = project.restore_variables()
        assert "rows" in restored.names and "file" in restored.left_out
        assert later._own().names["rows"] == 3


async def test_what_was_told_then_is_part_of_what_may_be_repeated(system: LLMOS) -> None:
    notes: list[str] = []
    system.on(Notice, lambda notice: notes.append(notice.text))
    whales = system.projects.create("whales", context="The leader has the number 1.")
    first = await system.execute("Who leads it?", project="whales")
    assert first.mode == "learner" and any("characters of guidance" in note for note in notes)
    assert (await system.execute("Who leads it?", project="whales")).mode == "follower"
    elsewhere = await system.execute("Who leads it?", project="birds")
    assert elsewhere.mode == "mixed" and "told otherwise" in elsewhere.mode_reason
    whales.write_context("The leader has the number 2.")
    changed = await system.execute("Who leads it?", project="whales")
    assert changed.mode == "mixed" and "not what it told then" in changed.mode_reason
    assert (await system.execute("Who leads it?", project="whales")).mode == "follower"


async def test_limits_of_a_project_hold(system: LLMOS) -> None:
    system.projects.create("tiny", total_budget_usd=0.0001)
    first = await system.execute("List by the shell", project="tiny")
    assert first.status == "over_budget" and (first.cost_usd or 0) > 0
    again = await system.execute("List by the shell", project="tiny")
    assert again.status == "over_budget" and "project limit" in again.reason and "project.toml" in again.remedy
    system.projects.create("cheap", run_budget_usd=0.000001)
    cheap = await system.execute("List by the shell", project="cheap")
    assert (
        cheap.status == "over_budget" and "run_budget_usd = 1e-06" in cheap.remedy and "project.toml" in cheap.remedy
    )

    system.projects.create("quick", time_limit_s=1.5)
    slow = await system.execute("Compute the long sum", project="quick")
    assert slow.status == "timed_out" and "1.5 s" in slow.reason

    system.projects.create("narrow", tools=["run_cell"])
    narrow = await system.execute("List by the shell", project="narrow")
    assert narrow.status == "failed" and "run_shell" in narrow.text
    assert "has run_shell, but not in the project narrow" in narrow.remedy
    free = await system.execute("List by the shell")
    assert free.status == "success"
    again = await system.execute("List by the shell", project="narrow")
    assert again.status == "failed", "what was learned where the shell is allowed is not repeated where it is not"

    left = (first.cost_usd or 0) + 0.1
    (system.projects.get("tiny").folder / "project.toml").write_text(f"total_budget_usd = {left}")
    enough = await system.execute("List by the shell", project="tiny", mode="learner")
    assert enough.ok and enough.cost_usd, "what is left is enough, though it is less than a goal may spend"


async def test_limits_hold_for_an_agent_that_an_agent_calls(system: LLMOS) -> None:
    (system.workspace / "scripts" / "hand.md").write_text(HAND)
    system.agents.create("lister", "Lists", ["run_shell", "run_cell"], "You list.")
    lead = "---\nname: lead\ndescription: Leads\ntools: [Agent, run_shell, run_cell]\ndelegates: [lister]\n---\nYou lead.\n"
    (system.workspace / "agents" / "lead.md").write_text(lead)
    system.agents.trust("lead")
    system.projects.create("narrow", tools=["Agent", "run_cell"])
    refused = await system.execute("Have it listed", agent="lead", project="narrow")
    assert refused.status in ("failed", "denied") and not any(
        s.tool == "run_shell" and s.status == "ok" for s in refused.steps
    )
    free = await system.execute("Have it listed", agent="lead")
    assert free.status == "success", free.reason
    assert (await system.execute("Have it listed", agent="lead", project="narrow")).status in ("failed", "denied")
    system.projects.create("alone", tools=["run_cell"])
    assert (await system.execute("Have it listed", agent="lead", project="alone")).status in ("failed", "denied")


async def test_what_is_wrong_with_a_project_is_told_before_anything_begins(system: LLMOS) -> None:
    with pytest.raises(ProjectError):
        await system.execute("List by the shell", project="../up")
    with pytest.raises(UnknownProject):
        system.explain("List by the shell", project="whales")
    broken = system.projects.create("broken")
    (broken.folder / "project.toml").write_text("total_budgt_usd = 1")
    with pytest.raises(ProjectError, match="total_budgt_usd"):
        await system.execute("List by the shell", project="broken")
    system.projects.create("local", endpoint="http://127.0.0.1:9")
    with pytest.raises(ProjectError, match="allows model calls to"):
        await system.execute("List by the shell", project="local")
    assert not system.traces.rows() and runs_df(system.workspace).empty


async def test_the_settings_can_name_the_project(playground: Path, system: LLMOS) -> None:
    with LLMOS(playground / "workspace", project="whales") as there:
        assert (await there.execute("List by the shell")).project == "whales"
        assert (await there.execute("List by the shell", project="")).project == ""


async def test_a_fact_of_a_project_is_told_in_it_alone(system: LLMOS) -> None:
    survey(system, "whales", 3)
    survey(system, "birds", 5)
    system.remember("The survey is of the year 2001", project="birds")
    system.remember("Every survey is made in spring")
    kept = await system.execute("Keep in mind that the survey is of the year 2026", project="whales")
    assert kept.status == "success"
    assert {fact.text: fact.project for fact in system.facts.all()} == {
        "The survey is of the year 2001": "birds",
        "Every survey is made in spring": "",
        "the survey is of the year 2026": "whales",
    }
    told = [
        (await system.execute("In which year and season was the survey made?", project=name, mode="learner")).text
        for name in ("whales", "birds", "")
    ]
    assert ["2026" in text for text in told] == [True, False, False], told
    assert ["2001" in text for text in told] == [False, True, False], told
    assert all("spring" in text for text in told)
    assert [one.fact.project for one in system.recall("year of the survey", project="birds")] == ["birds", ""]
    with pytest.raises(UnknownProject):
        system.remember("x", project="cats")


async def test_a_plan_runs_in_the_project_and_is_kept_there(system: LLMOS, playground: Path) -> None:
    survey(system, "whales", 4)
    done = await system.execute(STEPS, project="whales", mode="orchestrator")
    assert (done.status, done.project, len(done.nodes)) == ("success", "whales", 2), done.reason
    project = system.projects.get("whales")
    assert "Count the rows of the survey" in project.plan and "List by the shell" in project.plan
    assert (project.output / "rows.txt").read_text() == "4" and not (playground / "output").exists()
    assert [(run.mode, run.goal) for run in project.history()] == [("orchestrator", " ".join(STEPS.split()))]
    assert set(runs_df(system.workspace).project) == {"whales"} and len(runs_df(system.workspace)) == 3
    assert {row["project"] for row in system.traces.rows()} == {"whales"}
    assert system.economy.project_spent_usd("whales") == pytest.approx(sum(node.cost_usd for node in done.nodes))

    system.projects.create("narrow", tools=["run_cell"])
    survey_of_whales = (project.input / "survey.csv").read_bytes()
    (system.projects.get("narrow").input / "survey.csv").write_bytes(survey_of_whales)
    refused = await system.execute(STEPS, project="narrow", mode="orchestrator")
    assert [node.status for node in refused.nodes] == ["success", "failed"], "limits hold in every node"


async def test_a_plan_that_is_only_shown_is_kept_too(system: LLMOS) -> None:
    plan = await system.plan(STEPS, project="whales")
    assert "List by the shell" in system.projects.get("whales").plan and len(plan.nodes) == 2


async def test_a_crystal_may_come_from_several_projects(system: LLMOS) -> None:
    for name, file, numbers in (("whales", "a.txt", "1 2"), ("birds", "b.txt", "3 4")):
        (system.projects.create(name).input / file).write_text(numbers)
    first = await system.execute("Save the total of input/a.txt", project="whales")
    other = await system.execute("Save the total of input/b.txt", project="birds", mode="learner")
    assert (first.text, other.text) == ("The total is 3.", "The total is 7.")
    (system.projects.get("whales").input / "c.txt").write_text("5 6")
    for _ in range(4):
        used = await system.execute("Save the total of input/c.txt", project="whales")
        assert (used.mode, used.text) == ("follower", "The total is 11.")
    assert (await system.execute("Save the total of input/b.txt", project="birds")).mode == "follower"
    settled = system.settle(120)
    assert system.crystals.names(), settled
    served = await system.execute("Save the total of input/c.txt", project="whales")
    assert (served.mode, served.text) == ("crystallized", "The total is 11.")
    assert (system.projects.get("whales").output / "total.txt").read_text() == "11"
    assert system.crystals.test(system.crystals.names()[0]).passed


async def test_insights_say_which_projects_they_come_from(system: LLMOS) -> None:
    survey(system, "whales", 3)
    survey(system, "birds", 5)
    for name in ("whales", "birds", "whales"):
        await system.execute("Count the rows of the survey", project=name)
    found = {one.kind: one for one in system.insights()}
    assert found["use"].projects == ("birds", "whales") and "input/survey.csv" in found["use"].text
    assert found["saving"].projects == ("whales",)
    assert [one.kind for one in system.insights("birds")] == []
    with pytest.raises(UnknownProject):
        system.insights("cats")


async def test_a_new_project_says_where_its_files_belong(system: LLMOS) -> None:
    system.projects.create("whales")
    notes: list[str] = []
    system.on(Notice, lambda notice: notes.append(notice.text))
    lost = await system.execute("Count the rows of the survey", project="whale")
    system.bus.flush()
    assert lost.status == "failed" and "Or did you mean whales?" in lost.remedy and "input" in lost.remedy
    assert any("is new and empty" in note for note in notes) and "project whale" in str(lost)
    survey(system, "birds", 5)
    notes.clear()
    assert (await system.execute("Count the rows of the survey", project="birds")).ok
    system.bus.flush()
    assert not any("is new and empty" in note for note in notes)


KERNEL = """
import asyncio, os, sys
from llmos_nb import LLMOS

async def main():
    with LLMOS("workspace", endpoint="scripted") as system:
        for goal in sys.argv[2:]:
            print("goal:", goal, flush=True)
            mode = "orchestrator" if goal.startswith("1.") else "auto"
            result = await system.execute(goal, mode, project=sys.argv[1])
            print("end:", result.status, flush=True)

asyncio.run(main())
"""


def kernel(project: str, *goals: str) -> subprocess.Popen[str]:
    """A process of its own that works on goals in a project."""
    return subprocess.Popen(
        [sys.executable, "-c", KERNEL, project, *goals],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip


def killed_in_the_middle(process: subprocess.Popen[str], project: Project) -> None:
    """Kill a process while a cell of its goal sleeps."""
    while not (project.output / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


async def test_a_killed_kernel_leaves_a_project_that_can_be_used(system: LLMOS) -> None:
    survey(system, "whales", 3)
    assert (await system.execute("Count the rows of the survey", project="whales")).ok
    project = system.projects.get("whales")
    before = project.history(), project.variables()
    killed_in_the_middle(kernel("whales", "Compute the long sum"), project)
    assert (project.history(), project.variables()) == before
    assert sorted(path.name for path in project.state.iterdir() if not path.name.startswith(".")) == [
        "history.md", "variables.json"
    ]  # fmt: skip
    again = await system.execute("Count the rows of the survey", project="whales")
    assert again.mode == "follower" and len(project.history()) == 2


async def test_a_plan_of_a_killed_kernel_is_gone_on_with_in_its_project(system: LLMOS, playground: Path) -> None:
    survey(system, "whales", 3)
    project = system.projects.get("whales")
    killed_in_the_middle(kernel("whales", "1. Count the rows of the survey\n2. Compute the long sum"), project)
    assert (
        "Compute the long sum" in project.plan
        and project.history() == ()
        and project.variables()["rows"]["value"] == 3
    )
    done = await system.resume_plan()
    assert (done.status, done.project) == ("success", "whales"), done.reason
    assert [(run.mode, run.status) for run in project.history()] == [("orchestrator", "success")]
    assert not (playground / "output").exists()


def test_two_kernels_in_one_project_lose_nothing(system: LLMOS) -> None:
    survey(system, "whales", 3)
    files = system.projects.get("whales").input
    for name in "abcd":
        (files / f"{name}.txt").write_text("1 2")
    goals = [f"Save the total of input/{name}.txt" for name in "abcd"]
    both = [
        kernel("whales", *goals[:2], "Count the rows of the survey"),
        kernel("whales", *goals[2:], "List by the shell"),
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [text.count("end: success") for text in said] == [3, 3], said
    project = system.projects.get("whales")
    assert sorted(run.goal for run in project.history()) == sorted(
        [*goals, "Count the rows of the survey", "List by the shell"]
    )
    assert {"rows", "total", "name"} <= set(project.variables())
    frame = ledger_df(system.workspace)
    spent = frame[frame.project == "whales"].cost_usd.sum()
    assert system.economy.project_spent_usd("whales") == pytest.approx(spent) and spent > 0
