"""The watchdog's conclusions from events and time, and that it warns first and ends a run once."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from llmos_nb.kernel.events import (
    AgentMessage,
    ApprovalAsked,
    ApprovalGiven,
    Event,
    EventBus,
    ModelBusy,
    ModelCalled,
    Notice,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from llmos_nb.kernel.watch import Finding, Watch, WatchLimits
from llmos_nb.kernel.watchdog import Watchdog


def ended(watch: Watch, now: float) -> str:
    """The state in which a look ends the run, empty where it does not."""
    found = watch.look(now)
    return found.status if found is not None else ""


def asked() -> Event:
    return AgentMessage(run_id="r", role="user", text="goal")


def called() -> Event:
    return ModelCalled(
        run_id="r", model="m", input_tokens=1, output_tokens=1, cache_read_tokens=0, cache_write_tokens=0, cost_usd=0
    )


def tool(
    watch: Watch,
    step: int,
    code: str = "x",
    *,
    status: str = "ok",
    text: str = "same",
    now: float = 0,
    replayed: bool = False,
) -> Finding | None:
    """One call from its beginning to its end."""
    start = ToolStarted(run_id="r", step=step, tool="run_cell", arguments={"code": code}, replayed=replayed)
    assert watch.take(start, now) is None
    return watch.take(
        ToolFinished(
            run_id="r", step=step, tool="run_cell", status=status, text=text, duration_s=0, replayed=replayed
        ),
        now,
    )


# ---------------------------------------------------------------- time and silence


def test_the_time_limit_warns_and_then_ends_as_timed_out() -> None:
    watch = Watch(WatchLimits(time_s=100), started=0)
    assert watch.look(79) is None
    warning = watch.look(80)
    assert warning is not None and not warning.status and "at 100 s" in warning.text
    assert watch.look(90) is None
    assert watch.look(100) == Finding("the time limit of 100 s was reached", "timed_out")


def test_a_model_that_was_asked_and_says_nothing_is_silent() -> None:
    watch = Watch(WatchLimits(silence_s=10), started=0)
    assert watch.look(1000) is None  # nobody asked it: it waits for its turn, or the program is being started
    watch.take(asked(), 1000)
    warning = watch.look(1005)
    assert warning is not None and not warning.status
    assert watch.look(1009) is None
    ended = watch.look(1010)
    assert ended is not None and ended.status == "stopped"


@pytest.mark.parametrize(
    "sign", [TextDelta(run_id="r", text="a"), ModelBusy(run_id="r"), Notice(run_id="r", text="asks again")]
)
def test_every_sign_of_life_counts(sign: Event) -> None:
    watch = Watch(WatchLimits(silence_s=10), started=0)
    watch.take(asked(), 0)
    watch.take(sign, 9)
    seen = watch.look(14)
    assert seen is not None and not seen.status
    ended = watch.look(19)
    assert ended is not None and ended.status == "stopped"


def test_a_person_may_think_as_long_as_it_takes() -> None:
    watch = Watch(WatchLimits(time_s=100, silence_s=10), started=0)
    watch.take(asked(), 0)
    for number, now in ((1, 5), (2, 6)):
        question = ApprovalAsked(
            run_id="r", approval_id=f"a{number}", agent="a", tool="create_agent", reason="", text=""
        )
        assert watch.take(question, now) is None
    assert ended(watch, 5_000) == ""
    assert watch.next_look(5_000) == math.inf
    for number, now in ((1, 8_000), (2, 10_005)):
        watch.take(ApprovalGiven(run_id="r", approval_id=f"a{number}", approved=True, by="person"), now)
    assert ended(watch, 10_009) == ""
    assert ended(watch, 10_010) == "stopped", "5 s before the question, 5 s after the answer"
    watch.take(called(), 10_010)
    assert ended(watch, 10_099) == ""
    assert watch.look(10_100) == Finding("the time limit of 100 s was reached", "timed_out")


def test_its_own_warnings_are_no_sign_of_life() -> None:
    watch = Watch(WatchLimits(silence_s=10), started=0)
    watch.take(asked(), 0)
    watch.take(Notice(run_id="r", text="watchdog: no sign of life"), 9)
    ended = watch.look(10)
    assert ended is not None and ended.status == "stopped"


def test_a_running_cell_is_not_silence() -> None:
    watch = Watch(WatchLimits(silence_s=10), started=0)
    watch.take(asked(), 0)
    watch.take(called(), 1)
    watch.take(ToolStarted(run_id="r", step=1, tool="run_cell", arguments={}), 2)
    assert watch.look(5000) is None
    watch.take(ModelBusy(run_id="r"), 3)  # a subagent beside it
    assert watch.look(5000) is None
    watch.take(ToolFinished(run_id="r", step=1, tool="run_cell", status="ok", text="", duration_s=1), 5000)
    assert watch.look(5004) is None
    ended = watch.look(5010)
    assert ended is not None and ended.status == "stopped"


def test_a_call_of_a_built_in_tool_that_tells_only_at_its_end_is_not_silence() -> None:
    watch = Watch(WatchLimits(silence_s=10), started=0)
    watch.take(asked(), 0)
    watch.take(called(), 1)
    assert watch.look(5000) is None


def test_time_in_which_nothing_ran_is_not_silence() -> None:
    watch = Watch(WatchLimits(silence_s=10), started=0)
    watch.take(asked(), 0)
    watch.stood_still(5000)
    assert watch.look(5004) is None


# ---------------------------------------------------------------- going in circles


def test_equal_calls_with_equal_results_warn_and_then_end() -> None:
    watch = Watch(WatchLimits(repeats=5), started=0)
    found = [tool(watch, step) for step in range(1, 6)]
    assert [finding and finding.status for finding in found] == [None, None, "", None, "stopped"]
    assert "5 times in a row" in found[4].text  # type: ignore[union-attr]


def test_asking_until_something_changes_is_no_repetition() -> None:
    watch = Watch(WatchLimits(repeats=3), started=0)
    assert [tool(watch, step, text=f"{step} % done") for step in range(1, 50)] == [None] * 49


def test_other_arguments_between_begin_the_count_anew() -> None:
    watch = Watch(WatchLimits(repeats=3), started=0)
    for step in range(1, 20):
        assert tool(watch, step, "a" if step % 2 else "b") is None


def test_replayed_calls_are_not_the_models() -> None:
    watch = Watch(WatchLimits(repeats=2, idle_turns=1), started=0)
    assert [tool(watch, step, replayed=True) for step in range(1, 10)] == [None] * 9


def turns(watch: Watch, calls: list[dict[str, Any]]) -> list[str | None]:
    """One call a turn; what each following model call brings to light."""
    found = []
    watch.take(called(), 0)
    for step, call in enumerate(calls, start=1):
        tool(watch, step, **call)
        finding = watch.take(called(), 0)
        found.append(finding and finding.status)
    return found


def test_turns_that_only_fail_or_repeat_are_idle() -> None:
    failing = [{"code": str(n), "status": "error", "text": str(n)} for n in range(4)]
    assert turns(Watch(WatchLimits(idle_turns=4), started=0), failing) == [None, "", None, "stopped"]
    circle = [{"code": code} for code in "abababab"]
    assert (
        turns(Watch(WatchLimits(idle_turns=4), started=0), circle)
        == [None] * 3 + ["", None, "stopped"] + ["stopped"] * 2
    )


def test_turns_that_bring_something_new_are_progress() -> None:
    reading = [{"code": str(n)} for n in range(40)]
    assert turns(Watch(WatchLimits(idle_turns=2), started=0), reading) == [None] * 40
    mended = [{"code": str(n), "status": "ok" if n % 2 else "error"} for n in range(40)]
    assert "stopped" not in turns(Watch(WatchLimits(idle_turns=2), started=0), mended)


def test_several_model_calls_without_tools_are_not_idle_turns() -> None:
    watch = Watch(WatchLimits(idle_turns=1), started=0)
    assert [watch.take(called(), 0) for _ in range(10)] == [None] * 10


def test_memory_warns_and_then_ends() -> None:
    watch = Watch(WatchLimits(memory_mb=1000), started=0)
    assert watch.look(1, 500) is None
    warning = watch.look(2, 850)
    assert warning is not None and not warning.status
    ended = watch.look(3, 1001)
    assert ended is not None and ended.status == "stopped" and "1001 MB" in ended.text


def test_no_limit_is_never_reached() -> None:
    watch = Watch(WatchLimits(), started=0)
    watch.take(asked(), 0)
    assert [tool(watch, step, status="error") for step in range(1, 100)] == [None] * 99
    assert turns(watch, [{}] * 100) == [None] * 100
    assert watch.look(1e9, 1e9) is None


# ---------------------------------------------------------------- the watchdog itself


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60  # only a hang comes near it
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_it_warns_then_ends_once_and_says_why() -> None:
    bus, ends = EventBus(), []
    told: list[Event] = []
    bus.subscribe(told.append, name="test")
    dog = Watchdog(bus)
    with dog.watch("r", WatchLimits(repeats=3), lambda status, reason: ends.append((status, reason))):
        for step in range(1, 9):
            bus.publish(ToolStarted(run_id="r", step=step, tool="t", arguments={}))
            bus.publish(ToolFinished(run_id="r", step=step, tool="t", status="ok", text="", duration_s=0))
        until(lambda: ends)
        assert bus.flush(30)
    assert ends == [("stopped", "t was called 3 times in a row with the same arguments and the same result")]
    notices = [event.text for event in told if isinstance(event, Notice)]
    assert len(notices) == 2 and all(text.startswith("watchdog: ") for text in notices)
    dog.close()


def test_it_ends_each_run_by_its_own_limits() -> None:
    bus, ends = EventBus(), []
    dog = Watchdog(bus)
    with (
        dog.watch("quick", WatchLimits(time_s=0.05), lambda status, reason: ends.append(("quick", status))),
        dog.watch("slow", WatchLimits(time_s=60), lambda status, reason: ends.append(("slow", status))),
    ):
        until(lambda: ends)
        time.sleep(0.1)
    assert ends == [("quick", "timed_out")]
    dog.close()


def test_while_a_person_thinks_about_a_part_the_whole_and_its_other_parts_wait() -> None:
    bus, ends = EventBus(), []
    dog = Watchdog(bus)

    def watched(run_id: str, time_s: float, within: str = "") -> contextlib.AbstractContextManager[None]:
        return dog.watch(
            run_id, WatchLimits(time_s=time_s), lambda status, reason: ends.append(run_id), within=within
        )

    with watched("whole", 1.0), watched("one", 1.0, "whole"), watched("two", 1.0, "whole"), watched("other", 1.5):
        bus.publish(ApprovalAsked(run_id="one", approval_id="a1", agent="a", tool="t", reason="", text=""))
        until(lambda: ends)
        assert ends == ["other"], "which has nothing to do with it"
        bus.publish(ApprovalGiven(run_id="one", approval_id="a1", approved=True, by="person"))
        until(lambda: len(ends) == 4)
    dog.close()


def test_memory_is_looked_at_while_a_run_is_limited() -> None:
    bus, ends = EventBus(), []
    held = [10.0]
    dog = Watchdog(bus, memory=lambda: held[0])
    with dog.watch("r", WatchLimits(memory_mb=100), lambda status, reason: ends.append(reason)):
        time.sleep(0.05)
        assert not ends
        held[0] = 200.0
        until(lambda: ends)
    assert ends == ["200 MB of memory are held; at most 100 may be (process_memory_mb)"]
    dog.close()


def test_a_run_that_is_over_is_left_alone() -> None:
    bus, ends, others = EventBus(), [], set(threading.enumerate())
    dog = Watchdog(bus)

    def call(step: int) -> None:
        bus.publish(ToolStarted(run_id="over", step=step, tool="t", arguments={}))
        bus.publish(ToolFinished(run_id="over", step=step, tool="t", status="ok", text="", duration_s=0))

    with dog.watch("over", WatchLimits(time_s=1.0, repeats=2), lambda status, reason: ends.append("over")):
        call(1)
    call(2)
    assert bus.flush(30)
    with dog.watch("later", WatchLimits(time_s=1.2), lambda status, reason: ends.append("later")):
        until(lambda: ends)  # by then the time of the one that is over is long past
    assert ends == ["later"]
    dog.close()
    until(lambda: not [one.name for one in {*threading.enumerate()} - others if "watchdog" in one.name])


HOLDING = """
import mmap, subprocess, sys
from llmos_nb.kernel.watchdog import memory_mb

TAKE = "import mmap; m = mmap.mmap(-1, 60_000_000); [m.write(b'x' * 1_000_000) for _ in range(60)]; "
before = memory_mb()
exec(TAKE)
own = memory_mb()
child = subprocess.Popen([sys.executable, "-c", TAKE + "print(flush=True); input()"], stdin=-1, stdout=-1)
child.stdout.readline()
both = memory_mb()
child.communicate(b"\\n")
print(own - before, both - own)
"""


def test_memory_is_that_of_this_process_and_of_those_it_started() -> None:
    # In a process of its own: one that has freed much may take from that, and holds no more than before.
    done = subprocess.run([sys.executable, "-c", HOLDING], capture_output=True, text=True, check=True, timeout=120)
    own, child = map(float, done.stdout.split())
    assert 50 < own < 90
    assert 50 < child < 150
