"""The robot arm reached in every way that a goal can reach it: none of them moves it unsafely."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

SCRIPTS = {
    "nod": """---
goal: Nod {n:int} times with the robot hand
---

## Turn 1

### run_cell

```python
from llmos_nb.domains.robotics import robot

for _ in range({{n|int}}):
    robot().move_relative(down="5 cm")
    robot().move_relative(up="5 cm")
print("nodded")
```

## Answer

It nodded.
""",
    "push": """---
goal: Push the robot through the glass in a thread
---

## Turn 1

### run_cell

```python
import threading

from llmos_nb.domains.robotics import robot

ended = []


def push():
    for what in (
        lambda: robot().move_relative(right="60 cm"),
        lambda: robot().move_joints([float("nan")] * 6),
        lambda: robot().move_to("inf", 0, 0),
        lambda: robot().reset_estop(),
        lambda: robot(pace=0),
    ):
        try:
            what()
            ended.append("done")
        except Exception as error:
            ended.append(type(error).__name__)


push()
worker = threading.Thread(target=push)
worker.start()
worker.join()
print(*ended)
```

## Answer

{{result}}
""",
}

SESSION = """
import asyncio, json
from llmos_nb import LLMOS
from llmos_nb.domains.robotics import robot

seen = {}
arm = robot(pace=0)
llmos = LLMOS(workspace="workspace", endpoint="scripted")

async def goal(name, text, agent="operator"):
    result = await llmos.execute(text, agent=agent)
    now = arm.status()
    place = [round(number, 3) + 0.0 for number in now.position]
    seen[name] = [result.status, result.mode, place, now.emergency_stop, result.text]

async def main():
    await goal("learned", "Move the robot arm 30cm to the right")
    arm.go_home()
    await goal("second", "Move the robot arm 20 cm to the right")
    arm.go_home()
    await goal("rebound", "Move the robot arm 0.1 m to the right")
    arm.move_to(0.35, 0.25, 0.25)
    await goal("elsewhere", "Move the robot arm 15 cm to the right")
    await goal("left", "Move the robot arm 15 cm to the left")
    arm.go_home()
    arm.move_relative(right="22 cm")
    await goal("refused", "Move the robot arm 30cm to the right")
    await goal("thread", "Push the robot through the glass in a thread", None)
    arm.go_home()
    for number in range(7):
        await goal(f"nod {number}", f"Nod {2 + number % 3} times with the robot hand", None)
    seen["settled"] = str(llmos.settle())
    await goal("crystal", "Nod 3 times with the robot hand", None)
    arm.move_to(0.45, 0.0, 0.03)
    await goal("crystal near the table", "Nod 3 times with the robot hand", None)
    arm.go_home()
    await goal(
        "officer",
        "A visitor is reaching over the desk. Have the safety officer look, then move the arm 10 cm to the left",
    )
    await goal("replay after stop", "Move the robot arm 0.1 m to the right")
    await goal("crystal after stop", "Nod 3 times with the robot hand", None)
    await goal("reset by an agent", "Reset the emergency stop of the robot arm", None)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
arm.reset_estop()
loop.run_until_complete(goal("after reset", "Move the robot arm 0.1 m to the right"))
llmos.close()
print("\\n" + json.dumps(seen))
"""


@pytest.mark.cli
def test_no_way_to_the_arm_is_a_way_around_the_gate(tmp_path: Path) -> None:
    scripts = tmp_path / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for name, text in SCRIPTS.items():
        (scripts / f"{name}.md").write_text(text, encoding="utf-8")
    session = tmp_path / "session.py"
    session.write_text(SESSION, encoding="utf-8")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "CLAUDE_", "LLMOS_"))
    }
    done = subprocess.run(
        [sys.executable, str(session)],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    home = [0.45, 0.0, 0.3]

    def of(name: str) -> tuple[str, str, list[float], str]:
        status, mode, place, stopped, _ = seen[name]
        return status, mode, place, stopped

    assert of("learned") == ("success", "learner", [0.45, -0.3, 0.3], "")
    assert of("second") == ("success", "mixed", [0.45, -0.2, 0.3], "")
    assert of("rebound") == ("success", "follower", [0.45, -0.1, 0.3], "")
    assert of("elsewhere") == ("success", "follower", [0.35, 0.1, 0.25], "")
    assert of("left")[0] == "success" and of("left")[1] in ("learner", "mixed"), "right is never replayed for left"
    assert of("left")[2] == [0.35, 0.25, 0.25]
    assert of("refused") == ("failed", "mixed", [0.45, -0.22, 0.3], "")
    assert "glass pane" in seen["refused"][4]
    assert of("thread")[2] == [0.45, -0.22, 0.3]
    told = "MoveRefused UnitError UnitError GuardDenied GuardDenied"
    assert f"{told} {told}" in seen["thread"][4], seen["thread"][4]
    assert "is a function now" in seen["settled"], seen["settled"]
    assert of("crystal") == ("success", "crystallized", home, "")
    assert of("crystal near the table")[0] == "failed" and of("crystal near the table")[2] == [0.45, 0.0, 0.03]
    stop = "safety-officer: a person reaches over the desk"
    for name in ("officer", "replay after stop", "crystal after stop", "reset by an agent"):
        assert of(name)[0] == "failed" and of(name)[2:] == (home, stop), (name, seen[name])
    assert of("after reset")[0] == "success" and of("after reset")[2] == [0.45, -0.1, 0.3]
