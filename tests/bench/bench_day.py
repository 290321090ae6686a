"""A day in a few minutes: a schedule under a driven clock, a million events, a busy ledger. Nothing is lost, and what is
kept in memory does not grow with it.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
from surroundings import clean, row

EVENTS = 1_000_000
CALLS = 3_000
START = datetime(2026, 3, 2, tzinfo=UTC)
WRONG: list[str] = []


def checked(what: str, found: object, wanted: object) -> None:
    """A row that must be so."""
    right = found == wanted
    row(what, str(found), "as it must be" if right else f"WRONG, not {wanted}")
    if not right:
        WRONG.append(what)


def held_mb() -> float:
    """What Python holds, or, where that is not traced, the process."""
    gc.collect()
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0] / 1e6
    return psutil.Process().memory_info().rss / 1e6


def grows(what: str, before: float, after: float, most_mb: float) -> None:
    row(what, f"{after - before:+.2f} MB", f"aim <= {most_mb:g}" + ("" if after - before <= most_mb else " WRONG"))
    if after - before > most_mb:
        WRONG.append(what)


def schedule(folder: Path) -> None:
    """Every minute, every five, every hour by a cron line, a day long; then a night that nobody was there."""
    from llmos_nb.kernel.events import EventBus
    from llmos_nb.kernel.scheduler import Scheduler

    now, ran = START, Counter[str]()

    def scheduler() -> Scheduler:
        async def execute(job: Any) -> Any:
            ran[job.name] += 1
            return SimpleNamespace(status="success", reason="done", run_id=f"run-{ran.total()}")

        return Scheduler(folder, execute=execute, check=lambda job: None, bus=EventBus(), clock=lambda: now)

    one = scheduler()
    one("Count", every="1 minute", name="minute", timezone="UTC")
    one("Sum", every="5 minutes", name="five", timezone="UTC")
    one("Report", cron="30 * * * *", name="hour", timezone="UTC")
    one.run_pending()
    began, before = time.perf_counter(), 0.0
    for minute in range(24 * 60):
        now += timedelta(minutes=1)
        one.run_pending()
        if minute % 240 == 120:
            assert one.run_pending() == []
            before = before or held_mb()
    took = time.perf_counter() - began
    grows("what the schedule holds more after a day than after two hours", before, held_mb(), 1)
    checked(
        "occurrences of a day that were run", dict(sorted(ran.items())), {"five": 288, "hour": 24, "minute": 1440}
    )
    row("an occurrence", f"{took / ran.total() * 1e3:.2f} ms")
    one.close()
    now += timedelta(hours=9)
    two, before_ran = scheduler(), Counter(ran)
    two.run_pending()
    # What is due this very minute is in time.
    missed = {entry["name"]: entry["missed"] + (ran - before_ran)[entry["name"]] for entry in two.rows()}
    checked("missed in nine hours without a kernel", missed, {"five": 108, "hour": 9, "minute": 540})
    two.close()
    files = [path for path in folder.rglob("*") if path.is_file()]
    row("files of the schedule", f"{len(files)}", f"{sum(path.stat().st_size for path in files)} bytes")


def events(folder: Path) -> None:
    """A million of them through the bus, to the session log, a watchdog and one that only counts."""
    from llmos_nb.kernel.events import (
        EventBus,
        ModelCalled,
        RunEnded,
        RunStarted,
        TextDelta,
        ToolFinished,
        ToolStarted,
    )
    from llmos_nb.kernel.watchdog import Watchdog, WatchLimits
    from llmos_nb.memory.session import SessionLog, read_events

    bus, counted = EventBus(), Counter[str]()
    log = SessionLog(folder / "sessions")
    bus.subscribe(log, name="log")
    bus.subscribe(lambda event: counted.update((type(event).__name__,)), name="count")
    watchdog = Watchdog(bus, memory=lambda: 1.0)
    limits = WatchLimits(time_s=None, silence_s=None, repeats=None, idle_turns=None)
    began, published, kept = time.perf_counter(), 0, 0
    before = held_mb()
    peak = 0.0
    with watchdog.watch("long", limits, lambda status, reason: None):
        for run in range(EVENTS // 100):
            name = "long" if run % 2 else f"run-{run}"
            told: list[Any] = [RunStarted(run_id=name, goal="Count", agent="generalist", endpoint="scripted")]
            for step in range(8):
                told.append(
                    ToolStarted(run_id=name, step=step, tool="run_cell", arguments={"code": f"{run} + {step}"})
                )
                told.append(
                    ToolFinished(
                        run_id=name, step=step, tool="run_cell", status="ok", text=f"{run + step}", duration_s=0.1
                    )
                )
                told.append(
                    ModelCalled(
                        run_id=name,
                        model="m",
                        input_tokens=9,
                        output_tokens=9,
                        cache_read_tokens=0,
                        cache_write_tokens=0,
                        cost_usd=0.0,
                    )
                )
            told += [TextDelta(run_id=name, text="word ") for _ in range(74)]
            told.append(
                RunEnded(
                    run_id=name,
                    status="success",
                    mode="learner",
                    reason="",
                    text="",
                    cost_usd=0.0,
                    saved_usd=0.0,
                    duration_s=1.0,
                )
            )
            for event in told:
                bus.publish(event)
            published += len(told)
            kept += len(told) - 74
            if run % 50 == 0:
                bus.flush(30)
            if run % 2000 == 0:
                peak = max(peak, held_mb() - before)
        bus.flush(60)
        held = held_mb()
    took = time.perf_counter() - began
    row(
        "events through the bus",
        f"{published}",
        f"{took:.0f} s, {published / took:,.0f} a second with three who listen",
    )
    checked("events that each of them saw", counted.total(), published)
    checked("subscribers that were let go", bus.lost, {})
    grows("what bus, log and watchdog hold after them", before, held, 30)
    row("the most they held at a look", f"{peak:.1f} MB")
    size = log.path.stat().st_size
    row("the session log", f"{size / 1e6:.0f} MB", f"{size / kept:.0f} bytes an event; streamed pieces are not in it")
    watchdog.close()
    log.close()
    before = held_mb()
    found = sum(1 for _ in read_events(folder / "sessions"))
    checked("events that the log has", found, kept)
    grows("what reading the log holds", before, held_mb(), 10)


def ledger(folder: Path) -> None:
    """A day's worth of model calls, a tenth of them left to the lease, and the clock set back once."""
    from llmos_nb.kernel.budget import ModelCall, TokenEconomy, Tokens
    from llmos_nb.kernel.state import open_state

    clock = [1_800_000_000.0]
    economy = TokenEconomy(10_000, engine=open_state(folder / "state.db"), clock=lambda: clock[0])
    call = ModelCall(model="m", tokens=Tokens(100, 10), cost_usd=0.0001)
    before, first, last = held_mb(), 0.0, 0.0
    left: list[Any] = []
    for number in range(CALLS):
        began = time.perf_counter()
        reservation = economy.reserve(0.01, "A call", run_id=f"run-{number}")
        reservation.charge(call)
        if number % 10:
            reservation.settle()
        else:
            left = [*left[-20:], reservation]  # its kernel forgot it
        took = time.perf_counter() - began
        first += took if number < 500 else 0.0
        last += took if number >= CALLS - 500 else 0.0
        clock[0] += 86400 / CALLS if number != CALLS // 2 else -3600
    row("reserve, charge and settle, of the first and last 500", f"{first * 2:.1f} -> {last * 2:.1f} ms")
    clock[0] += 86400
    checked("dollars spent", round(economy.spent_usd(), 9), round(CALLS * 0.0001, 9))
    checked("dollars reserved when all leases are over", economy.reserved_usd, 0.0)
    checked("the last of those left can still be charged and settled", _late(left[-1], call, economy), True)
    grows("what the ledger holds in memory", before, held_mb(), 10)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    row("the state database and its copy", f"{size / 1e6:.1f} MB", f"{size / CALLS:.0f} bytes a call")


def _late(reservation: Any, call: Any, economy: Any) -> bool:
    before = economy.spent_usd()
    reservation.charge(call)
    reservation.settle()
    return bool(round(economy.spent_usd() - before, 9) == 0.0001 and economy.reserved_usd == 0)


if __name__ == "__main__":
    clean()
    os.nice(5)
    tracemalloc.start()
    place = Path(tempfile.mkdtemp(prefix="llmos-day-"))
    for part in (schedule, events, ledger):
        folder = place / part.__name__
        folder.mkdir()
        if part is events:
            tracemalloc.stop()  # it would take most of the time
        part(folder)
    raise SystemExit(1 if WRONG else 0)
