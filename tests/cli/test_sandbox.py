"""``%%llmos --sandbox`` with the real SDK: worked out there, replayed there, taken by hand, stopped."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pandas
import psutil
import pytest
from rig import SOON_S, one_step

from llmos_nb import LLMOS
from llmos_nb.errors import ModeUnavailable
from llmos_nb.guard.sandbox import fences
from llmos_nb.tools.namespace import PlainNamespace

pytestmark = pytest.mark.skipif(all(fence.problem for fence in fences()), reason="no sandbox works on this machine")
CODE = "import pandas as pd\ntotal = df.sum()\ndf['z'] = 1\ndf.to_csv('copy.csv')\nprint(total.to_dict())"
GOAL = "Sum the columns of df"


def running(seconds: str) -> bool:
    """Whether a sleep of so many seconds is going on."""
    return any(process.info["cmdline"] == ["sleep", seconds] for process in psutil.process_iter(["cmdline"]))


def system(folder: Path, **scripts: str) -> LLMOS:
    (folder / "workspace" / "scripts").mkdir(parents=True)
    for name, text in scripts.items():
        (folder / "workspace" / "scripts" / f"{name}.md").write_text(text)
    namespace = PlainNamespace()
    namespace.names["df"] = pandas.DataFrame({"a": [1, 2]})
    return LLMOS(workspace=folder / "workspace", endpoint="scripted", namespace=namespace)


async def test_a_goal_is_learned_replayed_and_taken(playground: Path) -> None:
    bad = one_step("Remember the answer", "remember", "the answer is 42")
    llmos = system(playground, sum=one_step(GOAL, "run_cell", CODE), keep=bad)
    names = llmos._own().names
    with llmos:
        first = await llmos.execute(GOAL, sandbox=True)
        assert (first.status, first.mode) == ("success", "learner") and first.sandbox, first
        assert llmos.traces.get(first.trace_id).extra["sandbox"] == first.sandbox
        again = await llmos.execute(GOAL, sandbox=True)
        assert (again.status, again.mode, again.cost_usd) == ("success", "follower", 0.0), again
        assert "copy.csv: file" in str(again) and set(again.offered.values) == {"total", "df"}
        assert list(names["df"].columns) == ["a"] and not (playground / "copy.csv").exists() and "total" not in names
        assert str(llmos.take("total")) == "Bound total." and names["total"].to_dict() == {"a": 3}
        assert "total" in str(llmos.undo()) and "total" not in names, "what was taken is taken back"
        assert str(llmos.take("total", "copy.csv")) == "Bound total. Wrote copy.csv."
        assert llmos.undo(again.run_id).ok and "total" not in names and not (playground / "copy.csv").exists()
        plain = await llmos.execute(GOAL)  # the same trace in the kernel
        assert (plain.mode, plain.sandbox) == ("follower", "") and (playground / "copy.csv").exists()
        with pytest.raises(ModeUnavailable, match="plan does not run in a sandbox"):
            await llmos.execute(GOAL, sandbox=True, mode="orchestrator")
        lasting = await llmos.execute("Remember the answer", sandbox=True)
        assert lasting.steps[0].status == "denied"


async def test_a_stopped_goal_leaves_nothing(playground: Path) -> None:
    code = "import subprocess, time\nsubprocess.Popen(['sleep', '54327'], start_new_session=True)\ntime.sleep(300)"
    llmos = system(playground, wait=one_step("Wait", "run_cell", code))
    with llmos:
        going = asyncio.create_task(llmos.execute("Wait", sandbox=True))
        deadline = time.monotonic() + SOON_S
        while not running("54327"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        begun = time.monotonic()
        llmos.stop()
        result = await going
        assert result.status == "stopped" and time.monotonic() - begun < 10
        while running("54327"):
            assert time.monotonic() < deadline + SOON_S
            await asyncio.sleep(0.05)


async def test_other_ways_of_running_a_goal_stay_in_the_sandbox(playground: Path) -> None:
    code = "made = {{a|int}} * {{b|int}}\nopen('made.txt', 'w').write(str(made))\nprint(made)"
    llmos = system(playground, multiply=one_step("Multiply {a:int} by {b:int}", "run_cell", code, "{{result}}"))
    with llmos:
        behind = await llmos.start("Multiply 3 by 4", sandbox=True)
        llmos.configure(sandbox="always")
        guided = await llmos.execute("Multiply 9 by 8", mode="mixed")
        for result, value in ((behind, 12), (guided, 72)):
            assert (result.status, result.offered["made"]) == ("success", value) and result.sandbox, result
        with pytest.raises(ModeUnavailable, match="crystal does not run in a sandbox"):
            await llmos.execute("Multiply 9 by 8", mode="crystallized")
        proposed = await llmos.execute("Multiply 5 by 6", mode="learner", propose=True)
        assert proposed.status == "denied" and not proposed.steps, "nobody is there to approve"
        assert "made" not in llmos._own().names and not (playground / "made.txt").exists()


def test_a_scheduled_goal_works_in_a_sandbox(playground: Path) -> None:
    llmos = system(playground, sum=one_step(GOAL, "run_cell", CODE))
    with llmos:
        llmos.schedule(GOAL, every="1s", name="sum", sandbox=True)
        assert llmos.schedule.rows()[0]["sandbox"] is True
        deadline, results = time.monotonic() + SOON_S, list[Any]()
        while not results:
            assert time.monotonic() < deadline
            results = llmos.schedule.run_pending()
        llmos.schedule.remove("sum")
        assert results[0].status == "success" and results[0].sandbox, results[0]
        assert not (playground / "copy.csv").exists() and "total" not in llmos._own().names
        assert str(llmos.take("total", run=results[0])) == "Bound total."
