"""What real runs changed is in their results, and is taken back: learned, replayed, planned, by built-in tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rig import Rig, one_step

from llmos_nb.dispatch.orchestrator.plan import plan_from
from llmos_nb.dispatch.run import Goal
from llmos_nb.dispatch.undo import undo
from llmos_nb.errors import UndoRefused
from llmos_nb.kernel.events import RunUndone
from llmos_nb.mind import Agent

pytestmark = pytest.mark.cli

CODE = """import pathlib
total = sum(numbers)
numbers.append(total)
note = pathlib.Path("note.txt")
note.write_text(f"the sum is {total}\\n")
print(total)"""
BUILT_IN = """---
goal: Change the note with other tools
---
## Turn 1

### Write

```yaml arguments
file_path: {folder}/note.txt
content: written
```

## Turn 2

### Bash

```bash
rm old.txt; echo made > made.txt
```

## Answer

Done.
"""
PLANNED = """---
goal: {goal}
---
## Turn 1

### run_cell

```python
{code}
```

## Answer

{answer}
"""


def shown(names: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in names.items() if not name.startswith("__")}


async def test_what_was_learned_and_replayed_is_taken_back(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig(one_step("Sum the numbers", "run_cell", CODE))
    monkeypatch.chdir(rig.folder)
    names, note = rig.namespace.names, rig.folder / "note.txt"
    numbers = names["numbers"] = [1, 2]
    note.write_text("nothing yet\n")
    for mode in ("learner", "follower"):
        result = await rig.run("Sum the numbers", mode="auto")
        assert (result.status, result.mode) == ("success", mode)
        assert [(one.name, one.kind) for one in result.changes.names] == [
            ("note", "created"), ("numbers", "changed"), ("pathlib", "created"), ("total", "created"),
        ]  # fmt: skip
        assert [(file.path, file.diff.splitlines()[-2:]) for file in result.changes.files] == [
            ("note.txt", ["-nothing yet", "+the sum is 3"])
        ]
        assert numbers == [1, 2, 3]
        done = undo(rig.parts.undos, rig.dispatcher.running, names, rig.bus)
        assert done.ok and done.run_id == result.run_id
        assert names["numbers"] is numbers and numbers == [1, 2] and "total" not in names
        assert note.read_text() == "nothing yet\n"
    rig.bus.flush()
    assert [event.files for event in rig.of(RunUndone)] == [("note.txt",)] * 2


async def test_a_failed_run_is_taken_back_and_later_work_is_kept(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig(one_step("Sum the numbers", "run_cell", CODE + "\n1 / 0"))
    monkeypatch.chdir(rig.folder)
    names = rig.namespace.names
    names["numbers"] = [1]
    result = await rig.run("Sum the numbers")
    assert result.changes.summary == "4 variables, 1 file"
    (rig.folder / "note.txt").write_text("mine")
    with pytest.raises(UndoRefused, match=r"the file note\.txt was changed since"):
        undo(rig.parts.undos, {}, names, rig.bus)
    assert names["numbers"] == [1, 1]
    undo(rig.parts.undos, {}, names, rig.bus, anyway=True)
    assert names["numbers"] == [1] and (rig.folder / "note.txt").read_text() == "mine"


async def test_what_built_in_tools_and_programs_did_is_taken_back(
    make_rig: Callable[..., Rig], playground: Path
) -> None:
    folder = playground.resolve() / "rig-0"
    rig = make_rig(BUILT_IN.format(folder=folder))
    (folder / "old.txt").write_text("old")
    agent = Agent("writer", tools=("Write", "Bash"), prompt="You write.")
    result = await rig.run("Change the note with other tools", agent=agent)
    assert [(one.path, one.kind) for one in result.changes.files] == [
        ("made.txt", "created"), ("note.txt", "created"), ("old.txt", "deleted"),
    ]  # fmt: skip
    assert undo(rig.parts.undos, {}, rig.namespace.names, rig.bus).ok
    assert sorted(path.name for path in folder.glob("*.txt")) == ["old.txt"]


async def test_a_plan_is_taken_back_as_one(make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    rig = make_rig(
        PLANNED.format(goal="Make the list", code="made = [1, 2]", answer="Made."),
        PLANNED.format(
            goal="Double the list", code="made += made\nopen('made.txt', 'w').write(str(made))", answer="Ok."
        ),
    )
    monkeypatch.chdir(rig.folder)
    names = rig.namespace.names
    before = shown(names)
    nodes = [
        {"id": "make", "goal": "Make the list", "produces": [{"kind": "variable", "name": "made"}]},
        {"id": "double", "goal": "Double the list", "needs": ["make"]},
    ]
    result = await rig.dispatcher.execute(
        Goal(
            run_id="whole", text="Make and double it", mode="orchestrator", agent=rig.agents.get("generalist"),
            agent_asked=False, model="scripted", budget_usd=0.5, cwd=rig.folder,
            plan=plan_from({"nodes": nodes}, "Make and double it", "person"),
        )
    )  # fmt: skip
    assert (result.status, result.mode) == ("success", "orchestrator"), result
    assert {"made"} <= {one.name for one in result.changes.names}
    assert [one.path for one in result.changes.files] == ["made.txt"]
    assert len(rig.parts.undos.undoable(names)) == 1, "its goals are part of it"
    assert undo(rig.parts.undos, {}, names, rig.bus).ok
    assert shown(names) == before
    assert not (rig.folder / "made.txt").exists()
