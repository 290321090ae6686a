"""--propose on the real SDK and CLI: an agent's code is edited before it runs, a replay is agreed to as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmos_nb import LLMOS
from llmos_nb.kernel.events import ApprovalAsked

pytestmark = pytest.mark.cli

#: Says what it was told; tries it otherwise when it may not.
DOUBLE = """---
goal: Double {n:int}
---
## Turn 1

### run_cell

```python
print("double:", 2 * {{n}})
```

## On error

### run_cell

```python
print("sum:", {{n}} + {{n}})
```

## Answer

Told: {{result}}
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LLMOS]:
    scripts, before = tmp_path / "workspace" / "scripts", Path.cwd()
    scripts.mkdir(parents=True)
    (scripts / "double.md").write_text(DOUBLE)
    os.chdir(tmp_path)
    with LLMOS(workspace="workspace", endpoint="scripted") as made:
        yield made
    os.chdir(before)


def answering(system: LLMOS, *answers: bool | str) -> tuple[list[ApprovalAsked], Callable[[], None]]:
    """Answer questions one after the other: yes, no, or yes to another text."""
    asked: list[ApprovalAsked] = []

    def answer(event: ApprovalAsked) -> None:
        said = answers[len(asked)]
        asked.append(event)
        system.approve(event.approval_id, bool(said), text=said if isinstance(said, str) else None)

    return asked, system.on(ApprovalAsked, answer)


def test_an_edit_runs_is_recorded_and_is_what_a_replay_runs(system: LLMOS) -> None:
    asked, end = answering(system, "print('double:', 2 * 21, 'exactly')", True, False)
    first = system.run("Double 21", propose=True)
    assert first.ok and "double: 42 exactly" in first.text and first.steps[0].text.endswith("'exactly')")
    assert first.trace_id is not None
    assert system.traces.get(first.trace_id).steps[0].arguments["code"] == "print('double:', 2 * 21, 'exactly')"

    again = system.run("Double 21", propose=True)
    assert (again.mode, again.ok, again.cost_usd) == ("follower", True, 0.0) and "exactly" in again.text
    assert not first.notices and any("edited by a person" in told for told in again.notices), "a replay says so"
    assert "(a person had edited step 1)" in asked[1].reason
    denied = system.run("Double 21", propose=True)
    end()
    assert denied.status == "denied" and "--mode learner" in denied.remedy and not denied.steps
    assert [event.editable for event in asked] == [True, False, False]
    assert "# Step 1 of 1: run_cell\nprint('double:', 2 * 21, 'exactly')" in asked[1].text


def test_a_no_is_told_to_the_agent_which_tries_otherwise(system: LLMOS) -> None:
    asked, end = answering(system, False, True)
    result = system.run("Double 4", propose=True)
    end()
    assert result.ok and "sum: 8" in result.text and [step.status for step in result.steps] == ["denied", "ok"]
    assert [event.text.split("(")[1][:5] for event in asked] == ['"doub', '"sum:']


def test_a_last_no_ends_the_run_as_denied(system: LLMOS) -> None:
    _, end = answering(system, False, False)
    result = system.run("Double 5", propose=True)
    end()
    assert result.status == "denied" and "run_cell was not made" in result.reason and "edit" in result.remedy


def test_with_nobody_there_nothing_is_begun_and_nothing_paid(system: LLMOS) -> None:
    result = system.run("Double 6", propose=True)
    assert result.status == "denied" and "nobody is there" in result.reason and "ApprovalAsked" in result.remedy
    assert result.cost_usd == 0 and system.economy.spent_usd() == 0 and not result.steps
