"""The schedule of a workspace: goals that are due once, every so often, or by a cron line.

Jobs are files in ``workspace/schedule/``; what became of them is kept in ``workspace/.llmos/schedule/``. One process at a
time runs them, the one that holds the lease, and only as long as it lives. What was due while nobody was there is
missed: it is told, and made up for at most once where the job says ``catch_up``.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import LlmosError, ScheduleError, StoreError
from llmos_nb.kernel.events import SCHEDULE, EventBus, Notice
from llmos_nb.kernel.schedule.job import ScheduledJob
from llmos_nb.kernel.schedule.lease import Lease
from llmos_nb.kernel.schedule.record import JobRecord
from llmos_nb.kernel.schedule.shelf import JobShelf
from llmos_nb.kernel.schedule.timing import read_timing
from llmos_nb.kernel.scheduled import SCHEDULED
from llmos_nb.kernel.whose import persons_only

__all__ = ["Scheduler"]

#: Seconds by which something may be late and still be on time: nobody looked for longer, so nobody was there.
LATE_S: Final = 30.0
#: Seconds between two looks at the files, the clock and the lease.
PERIOD_S: Final = 5.0
#: Things to tell that are kept until somebody asks for them.
NEWS_LIMIT: Final = 100

#: Runs a job's goal; its result has ``status``, ``reason`` and ``run_id``.
Execute = Callable[[ScheduledJob], Awaitable[Any]]


class Scheduler:
    """The schedule of one workspace, seen from one process.

    Args:
        workspace: the workspace's folder.
        execute: runs the goal of a job.
        check: raises what is wrong with a job's agent, mode or project.
        project: the project of jobs that are added and name none; empty for none.
        bus: where missed occurrences are told.
        session: how this process names itself as the lease's holder.
        clock: the time now, with a zone.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        execute: Execute,
        check: Callable[[ScheduledJob], None],
        project: Callable[[], str] = str,
        bus: EventBus,
        session: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        workspace = workspace.resolve()  # a notebook may change its folder
        self._shelf = JobShelf(workspace / "schedule", workspace / ".llmos" / "schedule", clock)
        self._lease = Lease(workspace / ".llmos", session)
        self._execute, self._check, self._bus, self._clock = execute, check, bus, clock
        self._project = project
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._held_since: datetime | None = None
        #: Jobs that are due and wait until nobody else works, with the moment they were due at.
        self._queue: dict[str, datetime] = {}
        self._running: dict[str, datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: dict[str, Any] = {}
        self._busy = False
        self._said = ""
        self._news: deque[str] = deque(maxlen=NEWS_LIMIT)

    def __repr__(self) -> str:
        jobs, problems = self._shelf.load()
        return f"Scheduler({', '.join(sorted({*jobs, *problems})) or 'nothing scheduled'}; %schedule shows more)"

    # -- what a person does

    def add(
        self,
        goal: str,
        *,
        at: Any = None,
        every: Any = None,
        cron: str | None = None,
        name: str | None = None,
        budget_usd: float | None = None,
        agent: str | None = None,
        mode: str | None = None,
        project: str | None = None,
        catch_up: bool = False,
        timezone: str | None = None,
        sandbox: bool = False,
    ) -> ScheduledJob:
        """Have a goal worked on at a moment, every so often, or by a cron line; see ``read_timing`` for what these take.

        Args:
            goal: what is wanted, in words.
            name: the job's name; made of the goal's first words if None.
            budget_usd, agent, mode, project: as for any goal. The project is the one in use now if None.
            catch_up: make up, once, for occurrences that were missed because nobody was there.
            timezone: of ``at`` and ``cron``; the machine's own if None.
            sandbox: work in a sandbox, on copies; ``llmos.take(run=llmos.schedule.last(name))`` takes what it made.

        Raises:
            ScheduleError: the time makes no sense or has passed, or the name is taken or unusable.
            LlmosError: the agent, mode or project is unusable, or there is no sandbox on this machine.
        """
        persons_only("schedule goals")
        now = self._clock()
        timing = read_timing(at=at, every=every, cron=cron, timezone=timezone, start=now.replace(microsecond=0))
        if timing.at is not None and timing.at <= now:
            raise ScheduleError(f"at {at!r}: has passed.", remedy="Name a moment to come, or run the goal now.")
        job = self._shelf.make(
            goal,
            timing,
            name=name,
            budget_usd=budget_usd,
            agent=agent or "",
            mode=mode or "",
            project=self._project() if project is None else project,
            catch_up=catch_up,
            sandbox=sandbox,
        )
        self._check(job)
        self._shelf.add(job)
        self._wake()
        return job

    def __call__(self, goal: str, **options: Any) -> ScheduledJob:
        """:meth:`add`."""
        return self.add(goal, **options)

    def remove(self, name: str) -> None:
        """Take a job off the schedule; what runs of it goes on.

        Raises:
            ScheduleError: there is no such job.
        """
        self._shelf.remove(name)
        with self._changed:
            self._queue.pop(name, None)
            self._results.pop(name, None)
        self._wake()

    def pause(self, name: str) -> None:
        """Let a job rest; what is due meanwhile is neither run nor missed.

        Raises:
            ScheduleError: there is no such job.
        """
        self._shelf.pause(name, True)
        with self._changed:
            self._queue.pop(name, None)
        self._wake()

    def resume(self, name: str) -> None:
        """Let a job go on; also one whose file was written or changed by hand or came from elsewhere.

        Raises:
            ScheduleError: there is no such job, or its file cannot be used.
        """
        persons_only("vouch for a scheduled goal")
        self._shelf.pause(name, False)
        self._wake()

    def last(self, name: str) -> Any:
        """The result of the job's last run in this process, as any goal has one; None if there was none here.

        Raises:
            ScheduleError: there is no such job.
        """
        self._shelf.check(name)
        return self._results.get(name)

    def rows(self) -> list[dict[str, Any]]:
        """One row a job: ``name``, ``goal``, ``when``, ``state``, ``next``, ``last_status``, ``last_reason``, ``last_at``,
        ``missed``, ``last_missed``, ``problem``, ``sandbox``. Moments are datetimes in the job's zone, or None.
        """
        now, rows = self._clock(), []
        jobs, problems = self._shelf.load()
        for name, job in jobs.items():
            record = self._shelf.record(name)
            due = job.timing.next_after(now)
            with self._changed:
                state = "running" if name in self._running else "waiting" if name in self._queue else ""
            if not state:
                trusted = self._shelf.trusted(name)
                state = "paused" if job.paused else "scheduled" if trusted else "not vouched for"
                if due is None and state == "scheduled":
                    state = "done" if record.last_status else "missed" if record.missed else "over"
            rows.append(
                {
                    "name": name,
                    "goal": job.goal,
                    "when": str(job.timing),
                    "state": state,
                    "next": due if state in ("scheduled", "running", "waiting") else None,
                    "last_status": record.last_status,
                    "last_reason": record.last_reason,
                    "last_run_id": record.last_run_id,
                    "last_at": record.last_at,
                    "missed": record.missed,
                    "last_missed": record.last_missed,
                    "problem": "",
                    "sandbox": job.sandbox,
                }
            )
        for name, problem in problems.items():
            empty = dict.fromkeys(("when", "last_status", "last_reason", "last_run_id"), "")
            times = dict.fromkeys(("next", "last_at", "last_missed"))
            rows.append(
                {
                    "name": name,
                    "goal": "",
                    "state": "cannot be used",
                    "missed": 0,
                    "problem": problem,
                    "sandbox": False,
                    **empty,
                    **times,
                }
            )
        return rows

    def news(self) -> list[str]:
        """What was told of the schedule since this was asked last: what was missed, and what could not be run."""
        with self._changed:
            told = list(self._news)
            self._news.clear()
        return told

    @property
    def holder(self) -> str:
        """Who runs the schedule now, in words."""
        started = self._thread is not None
        if self._lease.acquire():
            if started or self._held_since is not None:
                how = ", between cells," if started else ""
                return f"this kernel runs the schedule{how} as long as it lives"
            self._lease.release()
            return "nobody runs the schedule now; a notebook's kernel does, or llmos.schedule.serve() in a script"
        other = self._lease.holder()
        who = f"another kernel (process {other.pid} on {other.host})" if other else "another kernel"
        return f"{who} runs the schedule; this one takes over when that ends"

    # -- running by itself, on a loop that a notebook's kernel has anyway

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run what is due on ``loop`` from now on, whenever :meth:`idle` was said last. Harmless when called again."""
        with self._changed:
            self._loop = loop
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="llmos-schedule", daemon=True)
                self._thread.start()

    def busy(self) -> None:
        """A person's cell begins: nothing of the schedule is begun until :meth:`idle`."""
        with self._changed:
            self._busy = True

    def idle(self) -> None:
        """The person's cell is over."""
        with self._changed:
            self._busy = False
            if self._queue:
                self._changed.notify_all()

    def close(self) -> None:
        """Begin nothing more, and let another process have the lease."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2)
        self._lease.release()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _work(self) -> None:
        while not self._closed:
            try:
                next_due = self._look(alive=False)
            except Exception as error:  # noqa: BLE001 - told; it is tried again
                self._tell_once(f"the schedule cannot be run: {type(error).__name__}: {error}")
                next_due = None
            self._begin_next()
            with self._changed:
                if self._closed:
                    return
                left = PERIOD_S if next_due is None else (next_due - self._clock()).total_seconds()
                self._changed.wait(min(PERIOD_S, max(0.005, left)))

    def _begin_next(self) -> None:
        """Hand the job that waits longest to the loop, if nobody works."""
        with self._changed:
            loop = self._loop
            if self._busy or self._running or not self._queue or loop is None or self._closed:
                return
            name = min(self._queue, key=lambda waiting: self._queue[waiting])
            due = self._queue.pop(name)
            self._running[name] = due
        try:
            loop.call_soon_threadsafe(self._begin, name, due)
        except RuntimeError:  # the loop is closed
            with self._changed:
                self._running.pop(name, None)
                self._loop = None

    def _begin(self, name: str, due: datetime) -> None:
        """On the loop: a cell may have begun since it was asked."""
        with self._changed:
            if self._busy:
                self._running.pop(name, None)
                self._queue[name] = due
                return
        task = asyncio.get_running_loop().create_task(self._run(name, due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- running when told to, in a plain script

    def run_pending(self) -> list[Any]:
        """Run what is due now, one after the other, each once, and return the results; what came due since the lease
        was taken counts as due, however late it is.

        Raises:
            ScheduleError: another process runs the schedule, or a loop runs here: there it runs by itself.
        """
        _no_loop()
        return asyncio.run(self._run_pending())

    def serve(self, until: datetime | None = None) -> None:
        """Run the schedule until ``until``, or until a person interrupts; where another process does, when that ends.

        Raises:
            ScheduleError: a loop runs here: there it runs by itself.
        """
        _no_loop()
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve(until))

    async def _serve(self, until: datetime | None) -> None:
        while not self._closed and (until is None or self._clock() < until):
            next_due = self._look(alive=True)
            if self._lease.held:
                await self._run_queue()
            else:
                self._tell_once(self.holder)
            now = self._clock()
            left = PERIOD_S if next_due is None else min(PERIOD_S, (next_due - now).total_seconds())
            if until is not None:
                left = min(left, (until - now).total_seconds())
            await asyncio.sleep(max(0.005, left))

    async def _run_pending(self) -> list[Any]:
        self._look(alive=True)
        if not self._lease.held:
            raise ScheduleError(f"{self.holder}.", remedy="End that one, or let it do the work.")
        return await self._run_queue()

    async def _run_queue(self) -> list[Any]:
        """Run what waits now, the longest waiting first. A job that is due again by then waits for the next time: one
        that takes longer than its period would never let go."""
        results = []
        for name in sorted(self._queue, key=lambda waiting: self._queue[waiting]):
            with self._changed:
                due = self._queue.pop(name, None)
                if due is None or self._closed:
                    continue
                self._running[name] = due
            result = await self._run(name, due)
            if result is not None:
                results.append(result)
        return results

    # -- what is due

    def _look(self, *, alive: bool) -> datetime | None:
        """Queue what is due, note what was missed; returns when something is due next. Nothing without the lease.

        ``alive``: everything that came due since the lease was taken is on time.
        """
        if not self._lease.acquire():
            self._held_since = None
            return None
        now = self._clock()
        jobs, _ = self._shelf.load()
        if self._held_since is None:
            self._held_since = now
            self._take_over(jobs)
        next_due = None
        for name, job in jobs.items():
            if job.paused or not self._shelf.trusted(name):
                self._shelf.skip(name, now)
                continue
            self._look_at(job, now, alive)
            due = job.timing.next_after(now)
            if due is not None and (next_due is None or due < next_due):
                next_due = due
        return next_due

    def _take_over(self, jobs: Mapping[str, ScheduledJob]) -> None:
        """Tell of runs that were cut off with the process that had the lease before: they are not begun again."""
        for name in jobs:
            record = self._shelf.record(name)
            if record.begun is not None and name not in self._running:
                reason = "the kernel that ran it ended before it was done"
                self._shelf.keep(
                    name,
                    replace(record, begun=None, last_at=record.begun, last_status="stopped", last_reason=reason),
                )
                self._tell(f"the scheduled job {name} ended in stopped: {reason}")

    def _look_at(self, job: ScheduledJob, now: datetime, alive: bool) -> None:
        record = self._shelf.record(job.name)
        count, last = job.timing.between(record.accounted, now)
        if not count or last is None:
            return
        assert self._held_since is not None
        on_time = now - last <= timedelta(seconds=LATE_S) or (alive and last >= self._held_since)
        with self._changed:
            occupied = job.name in self._running or job.name in self._queue
        begin = not occupied and (on_time or job.catch_up)
        missed = count - 1 if on_time and not occupied else count
        record = replace(record, accounted=last)
        if missed:
            record = replace(record, missed=record.missed + missed, last_missed=last)
        self._shelf.keep(job.name, record)  # first: what cannot be accounted for is not begun, or it would be again
        if begin:
            with self._changed:
                self._queue[job.name] = last
        if missed:
            why = "the one before was still waiting or at work" if occupied else "nobody was there"
            made_up = "; it is made up for now" if begin and not on_time else ""
            times = f"{missed} times" if missed > 1 else "once"
            self._tell(f"the scheduled job {job.name} was missed {times}: {why}{made_up}")

    async def _run(self, name: str, due: datetime) -> Any:
        """Work on the goal of a job that is due, and keep what became of it; the result, if it came to one."""
        token = SCHEDULED.set(name)
        status, reason, run_id, begun, result = "failed", "", "", False, None
        try:
            jobs, _ = self._shelf.load()
            job = jobs.get(name)
            if job is None or job.paused or not self._shelf.trusted(name):
                return None  # removed, paused or edited while it waited
            self._shelf.keep(name, replace(self._shelf.record(name), begun=due))
            begun = True
            result = await self._execute(job)
            status, reason, run_id = result.status, result.reason, result.run_id
            with self._changed:
                self._results[name] = result
        except LlmosError as error:
            begun, reason = True, str(error)
        except (asyncio.CancelledError, KeyboardInterrupt) as error:
            status, reason = "stopped", "interrupted"
            if self._thread is None or isinstance(error, asyncio.CancelledError):
                raise  # on a notebook's loop an interrupt must not end the kernel
        except Exception as error:  # noqa: BLE001 - told; the kernel and the other jobs go on
            reason = f"{type(error).__name__}: {error}"
        finally:
            SCHEDULED.reset(token)
            with self._changed:
                self._running.pop(name, None)
                self._changed.notify_all()
            if begun:
                self._note(name, due, status, reason, run_id)
        return result

    def _note(self, name: str, due: datetime, status: str, reason: str, run_id: str) -> None:
        record: JobRecord = replace(
            self._shelf.record(name),
            begun=None,
            last_status=status,
            last_reason=reason,
            last_run_id=run_id,
            last_at=due,
        )
        try:
            self._shelf.keep(name, record)
        except StoreError as error:
            self._tell(f"what became of the scheduled job {name} ({status}) cannot be kept: {error}")
        if status != "success":
            self._tell(f"the scheduled job {name} ended in {status}: {reason}")

    def _tell_once(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._tell(text)

    def _tell(self, text: str) -> None:
        with self._changed:
            self._news.append(text)
        self._bus.publish(Notice(run_id=SCHEDULE, text=text))


def _no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise ScheduleError(
        "An event loop runs here, as in a notebook: the schedule runs by itself, between cells.",
        remedy="llmos.schedule.add(...) or %schedule is all it takes.",
    )
