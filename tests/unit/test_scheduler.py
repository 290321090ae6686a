"""The schedule of a workspace: what is run, what is missed, who runs it, and files that people edit."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.errors import LlmosError, ScheduleError, UnknownAgent
from llmos_nb.kernel.events import EventBus
from llmos_nb.kernel.schedule import Lease, ScheduledJob, Timing, dump_job, parse_job
from llmos_nb.kernel.scheduled import SCHEDULED
from llmos_nb.kernel.scheduler import Scheduler

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class World:
    """A workspace whose clock is the test's, and the jobs that were run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, START
        self.ran: list[tuple[str, datetime]] = []
        self.work: Callable[[ScheduledJob], Any] = lambda job: None
        self.made: list[Scheduler] = []

    def scheduler(self, **options: Any) -> Scheduler:
        async def execute(job: ScheduledJob) -> Any:
            assert SCHEDULED.get() == job.name
            self.ran.append((job.name, self.now))
            self.work(job)
            return SimpleNamespace(status="success", reason="done", run_id=f"run-{len(self.ran)}")

        def check(job: ScheduledJob) -> None:
            if job.agent == "nobody":
                raise UnknownAgent("There is no agent nobody.", remedy="%agents")

        options = {"execute": execute, "check": check, "bus": EventBus(), "clock": lambda: self.now, **options}
        self.made.append(Scheduler(self.folder, **options))
        return self.made[-1]

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    @property
    def jobs(self) -> Path:
        return self.folder / "schedule"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for scheduler in made.made:
        scheduler.close()


def row(scheduler: Scheduler, name: str) -> dict[str, Any]:
    return next(row for row in scheduler.rows() if row["name"] == name)


# ---------------------------------------------------------------- what is run, and what is missed


def test_each_occurrence_is_run_once(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count the rows", every="1 hour", name="count", budget_usd=0.2, timezone="UTC")
    assert scheduler.run_pending() == []
    for _ in range(3):
        world.later(hours=1)
        assert [result.status for result in scheduler.run_pending()] == ["success"]
        assert scheduler.run_pending() == []
    assert len(world.ran) == 3
    seen = row(scheduler, "count")
    assert (seen["state"], seen["next"], seen["last_status"], seen["last_run_id"]) == (
        "scheduled", START + timedelta(hours=4), "success", "run-3",
    )  # fmt: skip
    assert seen["missed"] == 0 and scheduler.news() == []
    assert scheduler.last("count").run_id == "run-3"


def test_what_was_due_while_nobody_was_there_is_missed_and_told(world: World) -> None:
    first = world.scheduler()
    first("Count", every="1 hour", name="count", timezone="UTC")
    first("Sum", every="1 hour", name="sum", timezone="UTC", catch_up=True)
    first("Once", at=START + timedelta(hours=1), name="once")
    first.run_pending()
    first.close()
    world.later(hours=5, minutes=20)
    second = world.scheduler()
    assert len(second.run_pending()) == 1
    assert [name for name, _ in world.ran] == ["sum"]
    assert (row(second, "count")["missed"], row(second, "count")["last_missed"]) == (5, START + timedelta(hours=5))
    assert (row(second, "once")["state"], row(second, "once")["missed"]) == ("missed", 1)
    assert sorted(second.news()) == [
        "the scheduled job count was missed 5 times: nobody was there",
        "the scheduled job once was missed once: nobody was there",
        "the scheduled job sum was missed 5 times: nobody was there; it is made up for now",
    ]
    assert second.run_pending() == []
    assert second.news() == []


def test_what_came_due_in_a_script_between_two_calls_is_run_once_and_the_rest_missed(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    scheduler.run_pending()
    world.later(hours=3, minutes=30)
    assert len(scheduler.run_pending()) == 1
    assert scheduler.news() == ["the scheduled job count was missed 2 times: nobody was there"]


def test_an_occurrence_during_the_run_before_is_missed_not_queued(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    scheduler.run_pending()
    world.later(hours=1)

    def long_work(job: ScheduledJob) -> None:
        world.later(hours=2, minutes=1)
        scheduler._look(alive=True)

    world.work = long_work
    assert len(scheduler.run_pending()) == 1
    assert scheduler.news() == [
        "the scheduled job count was missed 2 times: the one before was still waiting or at work"
    ]


def test_a_run_that_raises_is_told_and_the_others_go_on(world: World) -> None:
    scheduler = world.scheduler()
    for name in ("bad", "good", "refused"):
        scheduler(f"Do {name}", every="1 hour", name=name, timezone="UTC")
    scheduler.run_pending()

    def work(job: ScheduledJob) -> None:
        if job.name == "bad":
            raise ZeroDivisionError("oops")
        if job.name == "refused":
            raise LlmosError("No key.", remedy="Set one.")

    world.work = work
    world.later(hours=1)
    assert len(scheduler.run_pending()) == 1
    assert row(scheduler, "good")["last_status"] == "success"
    assert row(scheduler, "bad")["last_reason"] == "ZeroDivisionError: oops"
    assert sorted(scheduler.news()) == [
        "the scheduled job bad ended in failed: ZeroDivisionError: oops",
        "the scheduled job refused ended in failed: No key. Set one.",
    ]


def test_a_run_that_was_cut_off_is_told_and_not_begun_again(world: World) -> None:
    first = world.scheduler()
    first("Count", every="1 hour", name="count", timezone="UTC")
    first.run_pending()
    world.later(hours=1)

    def die(job: ScheduledJob) -> None:
        kept = world.folder / ".llmos" / "schedule" / "count.json"
        world.cut = kept.read_bytes()  # type: ignore[attr-defined]

    world.work = die
    first.run_pending()
    first.close()
    (world.folder / ".llmos" / "schedule" / "count.json").write_bytes(world.cut)  # type: ignore[attr-defined]
    second = world.scheduler()
    assert second.run_pending() == []
    assert second.news() == [
        "the scheduled job count ended in stopped: the kernel that ran it ended before it was done"
    ]
    assert row(second, "count")["last_status"] == "stopped"
    assert len(world.ran) == 1


def test_a_job_that_rests_misses_nothing(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    scheduler.pause("count")
    world.later(hours=5)
    assert scheduler.run_pending() == [] and row(scheduler, "count")["state"] == "paused"
    scheduler.close()
    other = world.scheduler()
    other.resume("count")
    assert other.run_pending() == []
    world.later(hours=1)
    assert len(other.run_pending()) == 1 and other.news() == []


def test_a_job_that_takes_longer_than_its_period_lets_go(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    scheduler("Sum", every="1 hour", name="sum", timezone="UTC")
    scheduler.run_pending()
    world.later(hours=1)
    world.work = lambda job: world.later(hours=1, minutes=1)
    for _ in range(2):
        assert len(scheduler.run_pending()) == 2, "each once; what is due again by then waits"


def test_a_one_off_runs_once_and_is_done(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Once", at=START + timedelta(minutes=5), name="once")
    scheduler.run_pending()
    world.later(minutes=5)
    assert len(scheduler.run_pending()) == 1
    world.later(days=400)
    assert scheduler.run_pending() == [] and row(scheduler, "once")["state"] == "done"


def test_a_disk_that_is_full_makes_nothing_run_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.errors import StoreError
    from llmos_nb.kernel.schedule import shelf

    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    scheduler.run_pending()
    world.later(hours=1)

    def full(path: Path, record: Any) -> None:
        raise StoreError(f"{path}: no space left.", remedy="Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(shelf, "write_record", full)
        for _ in range(3):
            with pytest.raises(StoreError):
                scheduler.run_pending()
    assert world.ran == []
    assert len(scheduler.run_pending()) == 1


# ---------------------------------------------------------------- by itself, between cells


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def until_soon(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_on_a_loop_it_runs_by_itself_but_not_while_a_cell_does(world: World) -> None:
    scheduler = world.scheduler(clock=lambda: datetime.now(UTC))

    async def notebook() -> None:
        scheduler.busy()
        scheduler.start(asyncio.get_running_loop())
        scheduler("Tick", every=1, name="tick")
        await until_soon(lambda: row(scheduler, "tick")["state"] == "waiting")
        assert world.ran == []
        scheduler.idle()
        await until_soon(lambda: len(world.ran) >= 2)
        scheduler.remove("tick")
        await until_soon(lambda: not scheduler._running)
        count = len(world.ran)
        await asyncio.sleep(1.2)
        assert len(world.ran) == count

    asyncio.run(notebook())


def test_in_a_loop_it_is_not_told_to_run(world: World) -> None:
    async def cell() -> None:
        with pytest.raises(ScheduleError, match="runs by itself"):
            world.scheduler().run_pending()

    asyncio.run(cell())


# ---------------------------------------------------------------- one process at a time


def test_two_schedulers_of_one_process_do_not_both_run(world: World) -> None:
    first, second = world.scheduler(), world.scheduler()
    first("Count", every="1 hour", name="count", timezone="UTC")
    first.run_pending()
    world.later(hours=1)
    with pytest.raises(ScheduleError, match="takes over when that ends"):
        second.run_pending()
    assert len(first.run_pending()) == 1
    first.close()
    assert second.run_pending() == []
    world.later(hours=1)
    assert len(second.run_pending()) == 1
    assert second.news() == []


def test_what_the_one_before_ran_is_not_run_again(world: World) -> None:
    """The other looked at the list before, and must not go by what it saw then."""
    first, second = world.scheduler(), world.scheduler()
    first("Count", every="1 hour", name="count", timezone="UTC")
    first.run_pending()
    second.rows()
    world.later(hours=1)
    first.run_pending()
    first.close()
    assert second.run_pending() == []
    assert len(world.ran) == 1


HOLD = """
import sys, time
from pathlib import Path
from llmos_nb.kernel.schedule import Lease
assert Lease(Path(sys.argv[1]), "child").acquire()
print(flush=True)
time.sleep(600)
"""


def test_a_process_that_is_killed_gives_the_lease_back(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None and child.stdout.readline()
        lease = Lease(tmp_path, "here")
        assert not lease.acquire()
        holder = lease.holder()
        assert holder is not None and (holder.pid, holder.session) == (child.pid, "child")
        child.send_signal(signal.SIGSTOP)
        assert not lease.acquire()  # it lives
        child.kill()
        child.wait()
        assert lease.acquire() and lease.held
        lease.release()
    finally:
        child.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_not_hold_the_lease(tmp_path: Path) -> None:
    lease = Lease(tmp_path, "here")
    assert lease.acquire()
    child = os.fork()
    if child == 0:
        os._exit(1 if lease.held else 0)
    assert os.waitpid(child, 0)[1] == 0
    assert lease.held
    lease.release()


def test_a_lease_whose_file_was_deleted_is_taken_anew(tmp_path: Path) -> None:
    lease, other = Lease(tmp_path, "here"), Lease(tmp_path, "other")
    assert lease.acquire()
    (tmp_path / "schedule.lock").unlink()
    assert lease.acquire() and (tmp_path / "schedule.lock").exists()
    assert not other.acquire()
    lease.release()
    assert other.acquire()
    other.release()


# ---------------------------------------------------------------- the files


def test_a_file_that_nobody_vouched_for_waits(world: World) -> None:
    world.jobs.mkdir()
    (world.jobs / "came.toml").write_bytes(b'goal = "Count"\r\nevery = "1 hour"\r\ntimezone = "UTC"\r\n')
    scheduler = world.scheduler()
    scheduler.run_pending()
    world.later(hours=3)
    assert scheduler.run_pending() == [] and row(scheduler, "came")["state"] == "not vouched for"
    scheduler.resume("came")
    world.later(hours=1)
    assert len(scheduler.run_pending()) == 1 and scheduler.news() == []
    (world.jobs / "came.toml").write_text('goal = "Delete everything"\nevery = "1 hour"\ntimezone = "UTC"\n')
    world.later(hours=1)
    assert scheduler.run_pending() == [] and row(scheduler, "came")["state"] == "not vouched for"


def test_an_edit_by_hand_keeps_its_comments_through_a_pause(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    path = world.jobs / "count.toml"
    path.write_text("# mine\n" + path.read_text())
    scheduler.resume("count")
    scheduler.pause("count")
    scheduler.resume("count")
    assert path.read_text().count("# mine") == 1 and row(scheduler, "count")["state"] == "scheduled"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"goal = ", "is not TOML"),
        (b'goal = "x"', "exactly one of"),
        (b'goal = ""\nevery = 5', "goal must be text"),
        (b'goal = 5\nevery = 5', "goal must be text"),
        (b'goal = "x"\nevery = 5\ncommand = "rm"', "no key 'command'"),
        (b'goal = "x"\ncron = "nonsense"', "not five"),
        (b'goal = "x"\nevery = 5\nbudget_usd = -1', "budget_usd"),
        (b'goal = "x"\nevery = 5\nbudget_usd = nan', "budget_usd"),
        (b'goal = "x"\nevery = 5\ncatch_up = "yes"', "catch_up must be true or false"),
        (b'goal = "x"\nevery = 5\nsandbox = "always"', "sandbox must be true or false"),
        (b'goal = "x"\nevery = 5\nstart = "then"', "start must be a date"),
        (b"\xff\xfe", "cannot be read"),
        (b"a = " + b"[" * 5000, "TOML"),
        (b"#" * 70_000, "more than"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_told_and_harms_no_other(world: World, text: bytes, words: str) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    (world.jobs / "bad.toml").write_bytes(text)
    scheduler.run_pending()
    bad = row(scheduler, "bad")
    assert bad["state"] == "cannot be used" and words in bad["problem"] and "bad.toml" in bad["problem"]
    world.later(hours=1)
    assert len(scheduler.run_pending()) == 1
    with pytest.raises(ScheduleError, match=r"bad\.toml"):
        scheduler.resume("bad")
    scheduler.remove("bad")
    assert [row["name"] for row in scheduler.rows()] == ["count"]


@pytest.mark.parametrize("name", ["Bad Name", "../up", "", "-x", "a" * 64, "con/..", "ä", 5])
def test_names_that_cannot_be(world: World, name: Any) -> None:
    with pytest.raises(ScheduleError, match="cannot be a job's name"):
        world.scheduler()("x", every=5, name=name)
    with pytest.raises(ScheduleError):
        world.scheduler().remove(name)


def test_what_is_wrong_is_said_when_it_is_added(world: World) -> None:
    scheduler = world.scheduler()
    with pytest.raises(UnknownAgent):
        scheduler("x", every=5, agent="nobody")
    with pytest.raises(ScheduleError, match="has passed"):
        scheduler("x", at=START)
    with pytest.raises(ScheduleError, match="goal must be text"):
        scheduler("  ", every=5)
    with pytest.raises(ScheduleError, match="budget_usd"):
        scheduler("x", every=5, budget_usd=-1)
    assert scheduler.rows() == []
    assert [scheduler("Zähle die Zeilen!", every=5).name for _ in range(2)] == [
        "zahle-die-zeilen", "zahle-die-zeilen-2",
    ]  # fmt: skip
    with pytest.raises(ScheduleError, match="There is a scheduled job"):
        scheduler("x", every=5, name="zahle-die-zeilen")
    with pytest.raises(ScheduleError, match=r"There is no scheduled job 'x'\. Jobs: zahle"):
        scheduler.pause("x")


def test_a_record_that_cannot_be_read_begins_anew(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    kept = world.folder / ".llmos" / "schedule" / "count.json"
    for broken in (b"", b"{}", b"\xff", b"[1]", json.dumps({"accounted": 5}).encode()):
        kept.write_bytes(broken)
        assert scheduler.run_pending() == []
    world.later(hours=1)
    assert len(scheduler.run_pending()) == 1


def test_a_clock_that_was_put_back_far_is_not_waited_for(world: World) -> None:
    scheduler = world.scheduler()
    scheduler("Count", every="1 hour", name="count", timezone="UTC")
    world.later(days=300)
    scheduler.run_pending()
    world.later(days=-299)
    scheduler.run_pending()
    world.ran.clear()
    world.later(hours=1)
    assert len(scheduler.run_pending()) == 1


def test_files_that_did_not_change_are_not_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_nb.kernel.schedule import shelf

    scheduler = world.scheduler()
    for number in range(30):
        scheduler(f"Job {number}", cron="0 7 * * *", name=f"job-{number}", timezone="UTC")
    scheduler.run_pending()
    for reads in ("parse_job", "read_record", "write_record"):
        monkeypatch.delattr(shelf, reads)
    scheduler.run_pending()
    assert len(scheduler.rows()) == 30


TEXT = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=60).filter(str.strip)


@given(
    goal=TEXT,
    timing=st.one_of(
        st.builds(
            Timing,
            zone=st.just("Europe/Berlin"),
            every_s=st.floats(1, 1e8),
            start=st.just(START),
        ),
        st.builds(Timing, zone=st.just("UTC"), cron=st.sampled_from(["0 7 * * 1-5", "*/5 * * * *"])),
        st.builds(Timing, zone=st.just("UTC"), at=st.just(START)),
    ),
    budget_usd=st.none() | st.floats(0, 1e6),
    agent=st.just("") | TEXT,
    catch_up=st.booleans(),
    paused=st.booleans(),
    sandbox=st.booleans(),
)
def test_a_jobs_file_reads_back_as_it_was(goal: str, timing: Timing, **facts: Any) -> None:
    job = ScheduledJob(name="job", goal=goal.strip(), timing=timing, **facts)
    text = dump_job(job)
    again = parse_job(text, "job", "job.toml", START)
    assert dump_job(again) == text
    assert (again.timing.every_s, again.timing.cron, again.timing.at) == (timing.every_s, timing.cron, timing.at)
    assert (again.goal, again.budget_usd, again.agent, again.paused, again.sandbox) == (
        job.goal, job.budget_usd, job.agent, job.paused, job.sandbox,
    )  # fmt: skip


SERVE = """
import json, os, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from llmos_nb.kernel import scheduler
from llmos_nb.kernel.events import EventBus

scheduler.PERIOD_S = 0.2
folder = Path(sys.argv[1])

async def execute(job):
    kept = json.loads((folder / ".llmos" / "schedule" / f"{job.name}.json").read_text())
    line = f"{job.name} {kept['begun']} {os.getpid()}\\n".encode()
    log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, line)
    os.close(log)
    time.sleep(0.2)
    return SimpleNamespace(status="success", reason="done", run_id="r")

serving = scheduler.Scheduler(folder, execute=execute, check=lambda job: None, bus=EventBus())
print(flush=True)
serving.serve(datetime.now(UTC) + timedelta(seconds=300))
"""


def test_processes_that_are_killed_while_they_serve_run_nothing_twice(tmp_path: Path) -> None:
    adding = Scheduler(tmp_path, execute=None, check=lambda job: None, bus=EventBus())  # type: ignore[arg-type]
    for name in ("one", "two"):
        adding(f"Do {name}", every=1, name=name, timezone="UTC")
    log = tmp_path / "log"

    def seen() -> list[list[str]]:
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []

    def serve() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE)

    serving = {child.pid: child for child in (serve() for _ in range(3))}
    try:
        workers = []
        for _ in range(3):
            before = len(seen())
            until(lambda count=before: len(seen()) >= count + 3)  # type: ignore[misc]
            worker = int(seen()[-1][2])
            workers.append(worker)
            if len(workers) < 3:
                serving[worker].kill()  # in the middle of a run, as likely as not
                serving[worker].wait()
        assert len(set(workers)) == 3  # another one took over each time
    finally:
        for child in serving.values():
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
    begun = [(name, due) for name, due, _ in seen()]
    assert len(begun) == len(set(begun))
    adding.close()
