"""Goals in the background of a real kernel: other cells run meanwhile, nothing gets mixed, and nothing is cut off."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import Kernel, until
from rig import children, one_step

from llmos_nb import LLMOS

pytestmark = pytest.mark.cli

#: Prints, draws, lets others run, and binds names.
TALK = one_step(
    "Talk",
    "run_cell",
    "import asyncio, matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\n"
    "for i in range(15):\n    print('agent', i)\n    await asyncio.sleep(0.1)\ntalked = n + 1",
)
BLOCK = one_step("Block", "run_cell", "import time\nbegun = 1\ntime.sleep(60)")
SLOW = "---\ngoal: Write slowly\ndelta_delay_s: 0.2\n---\n## Answer\n\n" + "Word after word. " * 200 + "\n"
SHELL = one_step("Wait", "run_shell", "sleep 61")


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    scripts = tmp_path / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for number, text in enumerate((TALK, BLOCK, SLOW, SHELL)):
        (scripts / f"script-{number}.md").write_text(text)
    one = Kernel(tmp_path)
    yield one
    one.close()


def test_other_cells_run_meanwhile_and_nothing_is_mixed(kernel: Kernel) -> None:
    kernel.run("n = 1")
    assert "agent" not in kernel.run("%%llmos --background --out result\nTalk")
    mine, at_work = 0, ""
    while "success" not in at_work:
        mine += 1
        code = f"n = {mine}\nprint('mine', n)\nawait asyncio.sleep(0.3)\nprint('after')\nn"
        shown = kernel.run(f"import asyncio\n{code}")
        # Below what is the cell's own, it may be told that the run has ended meanwhile.
        assert re.sub(r"(llmos · |background run b1 ended in success).*", "", shown, flags=re.S) in (
            f"mine {mine}\nafter\n{mine}",
            f"mine {mine}\nafter\n",
        )
        at_work = kernel.run("print(llmos.runs['b1'].status)")
        assert mine < 200
    assert mine > 2, "cells ran while it was at work"
    told = kernel.run("run = llmos.runs['b1']\nprint((await run) is result, result.outputs[0].mime, talked)")
    assert told.startswith("True image/png")
    assert "agent 0\nagent 1\n" in kernel.run("print(run)")
    assert "n was changed by others while this run worked with it" in kernel.run("print(result)")
    assert kernel.run("print(llmos.runs.df['state'][0], llmos.runs.df['cost_usd'][0] > 0)") == "success True\n"


def test_the_person_is_told_of_ends_that_nobody_saw_and_stops_by_id(kernel: Kernel) -> None:
    kernel.run("_ = llmos.start('Do what no script knows')\n_ = llmos.start('Write slowly')")
    kernel.run("import asyncio\nwhile not llmos.runs['b1'].done():\n    await asyncio.sleep(0.05)")
    assert re.search(r"b2 +Write slowly +running", kernel.run("%llmos_runs"))
    assert "b2: is being stopped" in kernel.run("%llmos_runs stop b2")
    assert kernel.run("print((await llmos.runs['b2']).reason)") == "stopped by a person\n"
    assert kernel.run("print(llmos.economy.reserved_usd, llmos.running)") == "0.0 {}\n"


def test_a_failure_is_told_below_the_next_cell(kernel: Kernel) -> None:
    kernel.run("_ = llmos.start('Do what no script knows')")
    shown = ""
    while "background run" not in shown:
        time.sleep(0.3)
        shown = kernel.run("2")
    assert "background run b1 ended in failed: the scripted endpoint does not know this goal" in shown


def test_an_interrupt_ends_a_persons_cell_and_not_the_run(kernel: Kernel) -> None:
    kernel.run("run = llmos.start('Write slowly')")
    kernel.run("import asyncio\nwhile run.mode != 'learner':\n    await asyncio.sleep(0.05)")
    for code in ("await asyncio.sleep(60)", "await run", "while True: pass"):
        waiting = kernel.client.execute(code)
        time.sleep(1)
        kernel.manager.interrupt_kernel()
        reply: dict[str, Any] = {}
        while reply.get("parent_header", {}).get("msg_id") != waiting:
            reply = kernel.client.get_shell_msg(timeout=10)
        assert reply["content"]["status"] == "error"
        assert kernel.run("print(run.status)") == "running\n", code
    kernel.run("run.stop(); await run")


@pytest.mark.parametrize("goal", ["Write slowly", "Block", "Wait"])
def test_shutting_the_kernel_down_settles_what_runs(kernel: Kernel, tmp_path: Path, goal: str) -> None:
    kernel.run(f"run = llmos.start({goal!r})")
    log = until(lambda: list((tmp_path / "workspace/memory/sessions").glob("*.jsonl")), "the session's log")[0]
    sign = "AgentMessage" if goal == "Write slowly" else "ToolStarted"
    until(lambda: sign in log.read_text(), "the goal at work")
    clients = children("claude", kernel.manager.provisioner.process.pid)  # type: ignore[union-attr]
    kernel.manager.shutdown_kernel()
    ended = json.loads(log.read_text().splitlines()[-1])
    assert (ended["event"], ended["status"]) == ("RunEnded", "stopped")
    until(lambda: not [pid for pid in clients if Path(f"/proc/{pid}").exists()], "the end of the client's program")
    with LLMOS(tmp_path / "workspace", endpoint="scripted") as system:
        assert system.economy.reserved_usd == 0
        assert system.sessions[0].status == "ended"
