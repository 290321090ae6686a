"""The emergency stop: whoever presses it, whatever else goes on, it holds; and a person's hand alone lets the arm go on."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import contextvars
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hand import by_hand
from jupyter_client.manager import start_new_kernel

from llmos_nb.domains.robotics import EmergencyStopped, MoveRefused, robot
from llmos_nb.domains.robotics.actuator import Actuator
from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.controller import ArmController
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.messages import REQUEST
from llmos_nb.domains.robotics.scene import SCENE
from llmos_nb.domains.robotics.world import bare_world
from llmos_nb.errors import GuardDenied
from llmos_nb.kernel.whose import agents_code

ROOT = Path(__file__).parents[2]
LEFT = (0.6, *ARM.home[1:])


@pytest.fixture(scope="module")
def arm() -> Iterator[ArmController]:
    with ArmController(pace=0) as made:
        made.status()
        yield made


WAYS: dict[str, Callable[[Callable[[], Any]], Any]] = {
    "a function": lambda reset: reset(),
    "a fresh context": lambda reset: contextvars.Context().run(reset),
    "a thread": lambda reset: _joined(threading.Thread(target=reset)),
    "a bare thread": lambda reset: (_thread.start_new_thread(reset, ()), time.sleep(0.3)),
    "a timer": lambda reset: _joined(threading.Timer(0.01, reset)),
    "a pool": lambda reset: ThreadPoolExecutor(1).submit(reset).result(),
    "a callback": lambda reset: asyncio.run(_called_later(reset)),
}


def _joined(thread: threading.Thread) -> None:
    thread.start()
    thread.join()
    time.sleep(0.1)


async def _called_later(call: Callable[[], Any]) -> None:
    asyncio.get_running_loop().call_later(0.01, call, context=contextvars.Context())
    await asyncio.sleep(0.1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("whose", ["agent", "person"])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_but_a_persons_cell_resets_it(arm: ArmController, way: str, whose: str) -> None:
    arm.stop("a test")
    process = arm._process
    assert process is not None
    for reset in (arm.reset, lambda: process.release("reset", stops=arm._ask("status")["stops"]).result()):
        with contextlib.suppress(GuardDenied), agents_code() if whose == "agent" else contextlib.nullcontext():
            WAYS[way](reset)
        assert arm.status().stopped == "a test"
    by_hand("arm.reset()", arm=arm)
    assert not arm.status().stopped


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_cell_resets_it_only_where_it_says_so(arm: ArmController) -> None:
    arm.stop("a test")
    for cell in (
        "def f():\n    arm.reset()\nf()",
        "again = arm.reset\nagain and getattr(arm, 're' + 'set')()",
        "exec('arm.reset()')",
        "[arm.reset() for _ in range(1)]" if sys.version_info < (3, 12) else "(lambda: arm.reset())()",
        "get_ipython().run_cell('arm.reset()').raise_error()",
        "import threading\nt = threading.Thread(target=arm.reset); t.start(); t.join()\nassert arm.status().stopped == ''",
    ):
        with pytest.raises((GuardDenied, AssertionError)):
            by_hand(cell, arm=arm)
        assert arm.status().stopped == "a test", cell
    arm.look = arm.reset  # type: ignore[attr-defined]
    with pytest.raises(GuardDenied, match="by hand") as denied:
        by_hand("arm.look()", arm=arm)
    assert "robot().reset_estop()" in denied.value.remedy
    with agents_code(), pytest.raises(GuardDenied):
        by_hand("arm.reset()", arm=arm)
    by_hand("import asyncio\nawait asyncio.sleep(0)\narm.reset()", arm=arm)
    assert not arm.status().stopped


CELLS = """
import asyncio, contextvars, _thread, threading, time
from llmos_nb.domains.robotics import robot
from llmos_nb.kernel.whose import agents_code
from llmos_nb.tools.shell_namespace import ShellNamespace
arm, names = robot(pace=0), ShellNamespace(get_ipython())
arm.stop("kernel")
async def agent(code):
    with agents_code():
        return await names.run_cell(code)
#%%
said = [(await agent(code)).error for code in (
    "arm.reset_estop()",
    "contextvars.Context().run(arm.reset_estop)",
    "_thread.start_new_thread(arm.reset_estop, ()); time.sleep(.2)",
    "contextvars.Context().run(get_ipython().run_cell, 'arm.reset_estop()').raise_error()",
    "asyncio.get_running_loop().call_later(.01, get_ipython().run_cell, 'arm.reset_estop()', "
    "context=contextvars.Context())",
    "later = asyncio.get_running_loop().call_later(.6, get_ipython().run_cell, 'arm.reset_estop()', "
    "context=contextvars.Context())",
    "get_ipython().events.register('pre_run_cell', lambda info: arm.reset_estop())",
    "arm.look = arm.reset_estop",
    "arm._controller._process.release('reset', stops=1)",
    "arm._controller._process.ask('reset', stops=1, key='').result(5)",
    "arm._controller._reset(('x', {'do': 'reset'}))",
)]
await asyncio.sleep(.1)
print(said, "|", arm.status().emergency_stop)
#%%
print(arm.status().emergency_stop)
#%%
arm.look()
#%%
time.sleep(1); await asyncio.sleep(.1); print(arm.status().emergency_stop)
#%%
get_ipython().events.callbacks['pre_run_cell'].clear()
#%%
arm.reset_estop()
#%%
contextvars.Context().run(asyncio.get_running_loop().call_later, .05, get_ipython().run_cell, 'arm.reset_estop()')
arm.stop("again")
#%%
arm.reset_estop(); arm.stop("third")
#%%
print(arm.status().emergency_stop)
"""


def test_in_a_real_kernel_it_is_the_cell_that_the_page_sent(tmp_path: Path) -> None:
    manager, client = start_new_kernel(cwd=str(tmp_path), env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    said: list[tuple[str, str]] = []
    try:
        for cell in CELLS.strip().split("\n#%%\n"):
            texts: list[str] = []

            def heard(message: Any, texts: list[str] = texts) -> None:
                content = message["content"]
                texts.append(str(content.get("text") or content.get("data", {}).get("text/plain") or ""))

            done = client.execute_interactive(cell, output_hook=heard, timeout=60)
            time.sleep(0.2)
            said.append((done["content"].get("ename", ""), "".join(texts)))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    errors, still = [name for name, _ in said], [text for _, text in said]
    assert errors == ["", "", "", "GuardDenied", "", "", "", "", "", ""], said
    denied = (
        "['GuardDenied', 'GuardDenied', '', 'GuardDenied', '', '', '', '', 'GuardDenied', 'ArmError', 'GuardDenied']"
    )
    assert denied in still[1] and still[1].endswith("| kernel\n"), said
    assert still[2].endswith("kernel\n") and still[4].endswith("kernel\n"), said
    assert "EMERGENCY" not in still[6], "a person's own cell does it"
    assert still[9].endswith("third\n"), said


SCRIPT = """
from llmos_nb.domains.robotics import robot
arm = robot(pace=0)
arm.stop("a script")
def reset():
    arm.reset_estop()
try:
    reset()
except Exception as error:
    print(type(error).__name__)
print(arm.reset_estop().emergency_stop == "")
"""


@pytest.mark.parametrize("how", ["file", "-c"])
def test_a_script_resets_it_at_its_top_level(tmp_path: Path, how: str) -> None:
    script = tmp_path / "work.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *([str(script)] if how == "file" else ["-c", SCRIPT])],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = done.stdout.split()
    assert said == (["GuardDenied", "True"] if how == "file" else ["GuardDenied"]), done.stderr[-500:]


def test_a_stop_of_an_arm_that_was_replaced_stops_the_one_that_moves() -> None:
    old = robot("numpy", pace=1)
    with pytest.raises(ArmError, match="no world 'nosuch'"):
        robot("nosuch")
    with pytest.raises(ArmError, match="from 0 to 100, got -1"):
        robot(pace=-1)
    assert robot() is old and not old.closed, "a world that there is not takes the arm's place"
    new = robot("numpy", pace=1)
    new.go_home()
    threading.Timer(0.5, lambda: old.stop("from the old handle")).start()
    with pytest.raises(EmergencyStopped, match="from the old handle"):
        new.move_relative(left="30cm", speed=0.3)
    assert 0.0 < new.status().position[1] < 0.29
    by_hand("new.reset_estop()", new=new)
    new.close()


def test_switching_the_arm_off_and_on_is_no_reset() -> None:
    arm = robot("numpy", pace=0)
    arm.stop("somebody came near")
    contextvars.Context().run(arm.close)
    again = robot()
    assert again is not arm and again.status().emergency_stop == "somebody came near"
    with pytest.raises(EmergencyStopped):
        again.move_relative(left="1cm")
    with pytest.raises(EmergencyStopped, match="It stays in its place"):
        robot("numpy")
    by_hand("again.reset_estop()", again=again)
    again.close()
    assert not robot("numpy", pace=0).status().emergency_stop, "what was reset is not remembered"
    robot().close()


def test_restarting_is_no_reset() -> None:
    with ArmController(pace=0) as arm:
        arm.move([LEFT])
        arm.stop("a test")
        arm.restart()
        assert arm.status().stopped == "a test"
        assert arm.status().state.q == ARM.home


def test_a_stop_during_a_reset_is_never_lost(arm: ArmController) -> None:
    """At any moment: before the reset asks, while it waits, and after it was answered."""
    refused = 0
    for number in range(60):
        arm.stop("first")
        begun, before = threading.Event(), arm._stops

        def press(number: int = number, begun: threading.Event = begun) -> None:
            begun.wait(5)
            time.sleep(0.0003 * (number % 10))
            arm.stop("second")

        thread = threading.Thread(target=press)
        thread.start()
        seen: list[int] = []
        try:
            by_hand("begun.set(); seen.append(arm._stops); arm.reset()", arm=arm, begun=begun, seen=seen)
        except ArmError as error:
            assert "stopped again" in error.message
            refused += 1
        thread.join()
        if seen == [before]:  # the second stop came later than the reset began
            assert arm.status().stopped, f"the stop of round {number} was lost"
    assert refused
    by_hand("arm.reset()", arm=arm)


def test_the_actuator_resets_the_stops_that_were_known_alone() -> None:
    actuator = Actuator(ARM, SCENE, bare_world(ARM, SCENE, None, {}), pace=0)
    actuator.stop("one")
    known = actuator.stops
    actuator.stop("two")
    for stops in (known, None, True, "2", known - 1):
        with pytest.raises(ArmError, match="stopped again"):
            actuator.reset(stops)  # type: ignore[arg-type]
        assert actuator.stopped == "one"
    actuator.reset(actuator.stops)
    assert not actuator.stopped


def test_a_request_that_is_too_long_is_refused_before_it_is_written_out(arm: ArmController) -> None:
    process = arm._process
    assert process is not None and process._process.stdin is not None
    began = time.process_time()
    for given in ([[0.0] * 6] * 400_000, "x" * 10_000_000, [["1" * 100_000] * 6] * 50):
        with pytest.raises(ArmError, match="too long"):
            process.ask("check", waypoints=given)
    assert time.process_time() - began < 0.5, "nobody waits for ten megabytes to be written"
    process._process.stdin.write(
        b"[" * (3 * REQUEST) + b"\n"
    )  # by hand: it is let go, and the next one is understood
    arm.stop("after it")
    assert arm.status().stopped == "after it"
    by_hand("arm.reset()", arm=arm)


def test_a_stop_does_not_wait_for_motions_that_are_judged() -> None:
    with ArmController(pace=1) as arm:
        arm.status()
        process = arm._process
        assert process is not None
        way = [LEFT, ARM.home] * 50
        asked = [process.ask("check", waypoints=way) for _ in range(7)]
        moving = threading.Thread(target=lambda: _moved(arm))
        moving.start()
        time.sleep(0.5)
        asked += [process.ask("check", waypoints=way) for _ in range(7)]
        arm.stop("at once")
        moving.join(3)
        assert not moving.is_alive()
        assert arm.status().stopped == "at once"
        for one in asked:
            with contextlib.suppress(ArmError):
                one.result(30)


def _moved(arm: ArmController) -> None:
    with contextlib.suppress(MoveRefused):
        arm.move([LEFT], speed=0.05)
