"""Stopping: whatever a run is doing, it ends within a second, is settled, and the next goal works."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from phases import PHASES, SCRIPTS, Phase, left_over, stopped
from rig import Rig, children, one_step, soon, until

from llmos_nb import LLMOS, runs_df
from llmos_nb.kernel.events import TextDelta, ToolStarted

pytestmark = pytest.mark.cli

#: Seconds in which a stopped run must have ended. The bench measures the one second that is promised; a machine that
#: runs other tests beside this one is slower.
LIMIT_S = 5.0

ADD = one_step("add it up", "run_cell", "print(1 + 2)")
SLOW = "---\ngoal: talk slowly\ndelta_delay_s: 0.2\n---\n## Answer\n\n" + "Word after word. " * 100 + "\n"
BLOCK = one_step("block", "run_cell", "import time\nbegun = 1\ntime.sleep(30)\nended = 1")
AWAIT = one_step("await", "run_cell", "import asyncio\nbegun = 1\nawait asyncio.sleep(30)\nended = 1")
SHELL = one_step("shell", "run_shell", "sleep 31; touch ended.txt")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    # One client, so that goals really wait for each other.
    made = Rig(tmp_path_factory.mktemp("stop"), [ADD, SLOW, BLOCK, AWAIT, SHELL], parallel_goals=1)
    yield made
    made.close()


def at_work(rig: Rig, goal: str) -> Callable[[], bool]:
    """Whether ``goal``, begun after this call, streams, or waits in a cell or a command."""
    seen = len(rig.events)
    if goal == "talk slowly":
        return lambda: sum(isinstance(event, TextDelta) for event in rig.events[seen:]) > 2
    if goal == "shell":
        return lambda: any(isinstance(event, ToolStarted) for event in rig.events[seen:]) and bool(children("bash"))
    return lambda: "begun" in rig.namespace.names


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> None:
    if "rig" in request.fixturenames:
        for name in ("begun", "ended"):
            request.getfixturevalue("rig").namespace.names.pop(name, None)


@pytest.mark.parametrize("way", ["stop", "interrupt"])
@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
async def test_every_phase_each_way(make_rig: Callable[..., Rig], phase: Phase, way: str) -> None:
    rig = make_rig(*SCRIPTS, **phase.options)
    took, result = await stopped(phase, rig, way)
    assert took < LIMIT_S
    assert result is None or result.status == "stopped" or result.reason == "the agent finished"
    assert left_over(rig) == ""
    if not phase.options:  # the endpoint that is at fault is so for the next goal, too
        assert (await rig.run("add it up")).status == "success"


async def check_afterwards(rig: Rig) -> None:
    """Nothing of the stopped run goes on, and the next goal works."""
    assert "ended" not in rig.namespace.names
    assert not (rig.folder / "ended.txt").exists()
    await until(lambda: not children("bash"), "the end of the command")
    assert rig.economy.reserved_usd == 0
    assert (await rig.run("add it up")).status == "success"


async def test_stop_while_connecting(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ADD)
    stopped_at: list[float] = []
    before = set(children())  # those of the module's own rig
    soon(lambda: set(children()) - before, lambda: (stopped_at.append(time.monotonic()), rig.dispatcher.stop()))
    result = await rig.run("add it up")
    assert result.status == "stopped"
    assert time.monotonic() - stopped_at[0] < LIMIT_S
    assert rig.server.requests.kinds.get("message", 0) == 0
    await check_afterwards(rig)


async def test_stop_of_a_run_that_waits_for_its_turn(rig: Rig) -> None:
    """Stopping one run ends that one alone; the other, on the same client, goes on to its end."""
    first = asyncio.create_task(rig.run("await"))
    await until(at_work(rig, "await"), "the first goal at work")
    second = asyncio.create_task(rig.run("talk slowly"))
    third = asyncio.create_task(rig.run("add it up"))
    await until(lambda: len(rig.dispatcher.running) == 3, "three goals")
    waiting = next(run for run, goal in rig.dispatcher.running.items() if goal == "talk slowly")
    assert rig.dispatcher.stop(waiting) == [waiting]
    assert (await asyncio.wait_for(second, LIMIT_S)).status == "stopped"
    assert not first.done()
    rig.dispatcher.stop(next(run for run, goal in rig.dispatcher.running.items() if goal == "await"))
    assert (await asyncio.wait_for(first, LIMIT_S)).status == "stopped"
    assert (await third).status == "success"


async def test_run_that_waits_outlives_a_client_that_was_given_up(rig: Rig) -> None:
    first = asyncio.create_task(rig.run("talk slowly"))
    await until(at_work(rig, "talk slowly"), "the first goal at work")
    second = asyncio.create_task(rig.run("add it up"))
    await until(lambda: len(rig.dispatcher.running) == 2, "two goals")
    for process in children():
        os.kill(process, signal.SIGSTOP)  # it cannot react to the interrupt
    rig.dispatcher.stop(next(run for run, goal in rig.dispatcher.running.items() if goal == "talk slowly"))
    assert (await asyncio.wait_for(first, LIMIT_S)).status == "stopped"
    assert (await second).status == "success"


async def test_closing_leaves_no_process_behind(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ADD)
    assert (await rig.run("add it up")).status == "success"
    before = set(children())
    newest = max(before)
    os.kill(newest, signal.SIGSTOP)  # it reacts to nothing
    rig.close()
    assert newest not in children()
    assert (await rig.run("add it up")).reason.startswith("The system was closed")


async def test_closing_ends_what_runs(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(ADD, SLOW)
    soon(at_work(rig, "talk slowly"), rig.cortex.close)
    result = await rig.run("talk slowly")
    assert (result.status, result.reason) == ("failed", "the client was closed while it worked")


async def test_interrupt_of_a_cell_that_blocks(rig: Rig) -> None:
    """Ctrl-C while agent code holds the main thread."""
    soon(at_work(rig, "block"), lambda: signal.pthread_kill(_main(), signal.SIGINT))
    result = await rig.run("block")
    assert (result.status, result.reason) == ("stopped", "interrupted while a cell ran")
    await check_afterwards(rig)


def _main() -> int:
    import threading

    assert threading.main_thread().ident is not None
    return threading.main_thread().ident


FIRST = """
import threading, time
from llmos_nb import LLMOS

with LLMOS("workspace", endpoint="scripted") as system:
    stopped_at = []
    def stop():
        while not system.running:
            time.sleep(0.01)
        time.sleep(0.5)
        stopped_at.append(time.monotonic())
        system.stop()
    threading.Thread(target=stop, daemon=True).start()
    result = system.run("Add 2 and 3")
    print(result.status, time.monotonic() - stopped_at[0], system.economy.reserved_usd)
    print(system.run("Add 2 and 3").status)
"""


def test_stop_while_the_sdk_is_loaded_for_the_first_time(playground: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    status, took, reserved = next(line for line in lines if "stopped" in line).split()
    assert (status, float(reserved)) == ("stopped", 0.0)
    assert float(took) < LIMIT_S
    assert lines[-1] == "success"


PROGRAM = """
import sys
from llmos_nb import LLMOS

with LLMOS("workspace", endpoint="scripted", mode="learner") as system:
    system.on(__import__("llmos_nb.kernel.events", fromlist=["Event"]).Event, lambda event: print(
        type(event).__name__, file=sys.stderr, flush=True))
    print(system.run("add it up").status, flush=True)
    result = system.run(sys.argv[1])
    print("ended", result.status, flush=True)
"""


@pytest.mark.parametrize("goal", ["talk slowly", "await", "block"])
def test_ctrl_c_in_a_script(playground: Path, goal: str) -> None:
    """As a terminal and a notebook send it: to the script and to every process that it started."""
    scripts = playground / "workspace" / "scripts"
    scripts.mkdir(parents=True)
    for number, text in enumerate((ADD, SLOW, BLOCK, AWAIT)):
        (scripts / f"test-{number}.md").write_text(text.replace("begun = 1", "print('at work', flush=True)"))
    Path("program.py").write_text(PROGRAM)
    log = Path("log.txt")
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "program.py", goal],
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A shell's background jobs ignore interrupts, and hand that down to the tests they run.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        asyncio.run(until(lambda: log.read_text().count("RunStarted") == 2, "the second goal"))
        sign = "at work" if goal != "talk slowly" else "TextDelta"
        before = log.read_text().rpartition("RunStarted")[0].count(sign)
        asyncio.run(until(lambda: log.read_text().count(sign) > before, "the second goal at work"))
        asyncio.run(until(lambda: _children_of(process.pid), "the program of the client"))
        clients = _children_of(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(timeout=15)
    finally:
        process.kill()
    said = log.read_text()
    assert code in (1, 130, -signal.SIGINT), said[-1500:]
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert "ended" not in said, "what comes after an interrupted goal must not go on"
    assert list(runs_df("workspace")["status"]) == ["success", "stopped"]
    asyncio.run(until(lambda: not [pid for pid in clients if _alive(pid)], "the end of the client's program"))
    with LLMOS("workspace", endpoint="scripted") as system:
        assert system.economy.reserved_usd == 0


def _children_of(parent: int) -> list[int]:
    return children("claude", parent)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
