"""The watchdog on real runs: a hanging stream, a model that goes in circles, cells that take long or much memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rig import Rig, one_step

from llmos_nb.cortex.scripted import FaultPlan
from llmos_nb.kernel.events import Notice, RunEnded

pytestmark = pytest.mark.cli

ADD = one_step("add it up", "run_cell", "print(1 + 2)")
LONG = one_step("compute for long", "run_cell", "import time\ntime.sleep(6.5)\nprint('there')")
HOLD = one_step("hold much", "run_cell", "import time\nblock = bytearray(400_000_000)\ntime.sleep(30)")
BLOCK = one_step("block", "run_cell", "import time\ntime.sleep(30)")


def turns(goal: str, cells: list[str]) -> str:
    """A script with one cell a turn."""
    calls = "".join(
        f"## Turn {n}\n\nI do it.\n\n### run_cell\n\n```\n{code}\n```\n\n" for n, code in enumerate(cells, start=1)
    )
    return f"---\ngoal: {goal}\n---\n{calls}## Answer\n\nDone.\n"


CIRCLE = turns("go in circles", ["print('again')"] * 9)
TO_AND_FRO = turns("go to and fro", ["print('to')", "print('fro')"] * 5)
POLL = turns("look until it is there", ["count = globals().get('count', 0) + 1\nprint(count)"] * 9)


def warnings(rig: Rig) -> list[str]:
    return [event.text for event in rig.of(Notice) if event.text.startswith("watchdog: ")]


async def works_afterwards(rig: Rig) -> None:
    rig.with_settings(repeat_limit=5, idle_turns=10, silence_limit_s=60.0, process_memory_mb=None, time_limit_s=60.0)
    assert (await rig.run("add it up")).status == "success"


async def test_a_stream_that_hangs_is_silence(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ADD, faults=FaultPlan({1: "hang"}), silence_limit_s=2.0)
    result = await rig.run("add it up")
    assert (result.status, result.reason) == ("stopped", "the model gave no sign of life for 2 s")
    first, last = warnings(rig)
    assert "at 2 s the run is stopped" in first
    assert last == "watchdog: the run is ended: the model gave no sign of life for 2 s"
    assert rig.of(RunEnded)[-1].status == "stopped"
    await works_afterwards(rig)


async def test_a_model_that_goes_in_circles_is_stopped(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(CIRCLE, TO_AND_FRO, POLL, LONG, ADD, repeat_limit=4, idle_turns=5)
    result = await rig.run("go in circles")
    assert result.status == "stopped"
    assert result.reason == "run_cell was called 4 times in a row with the same arguments and the same result"
    assert len(result.steps) < 9
    result = await rig.run("go to and fro")
    assert result.status == "stopped"
    assert result.reason == "5 turns in a row brought nothing new: tool calls failed or were repeated"
    result = await rig.run("look until it is there")
    assert result.status == "success", result
    rig.with_settings(silence_limit_s=5.0)
    result = await rig.run("compute for long")
    assert result.status == "success", "a running cell is not silence"
    await works_afterwards(rig)


@pytest.mark.parametrize(
    ("goal", "limits", "status", "why"),
    [
        ("block", {"time_limit_s": 3.0}, "timed_out", "the time limit of 3 s was reached"),
        ("hold much", {"process_memory_mb": 700.0}, "stopped", "(process_memory_mb)"),
    ],
)
async def test_a_cell_that_takes_too_much_is_interrupted(
    make_rig: Callable[..., Rig], goal: str, limits: dict[str, Any], status: str, why: str
) -> None:
    rig = make_rig(BLOCK, HOLD, ADD)
    assert (await rig.run("add it up")).status == "success"
    rig.with_settings(**limits)
    result = await rig.run(goal)
    assert result.status == status
    assert result.reason.endswith(why)
    assert warnings(rig)[-1].startswith("watchdog: the run is ended")
    rig.namespace.names.pop("block", None)
    await works_afterwards(rig)
