"""Goals in the background: begun by a cell that does not wait for them, listed and stopped while they work.

They share the loop of whoever began them. Each is a run like any other, with the same guard and budget; what its cells
show is kept for its result. Nothing of it is lost: a run that fails says so in its result, and in :meth:`news`.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import itertools
import keyword
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.dispatch.result import STOPPED, RunResult
from llmos_nb.dispatch.run import Goal, Run
from llmos_nb.errors import BackgroundError, LlmosError, SettingsError, UnknownBackgroundRun

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BackgroundRun", "BackgroundRuns", "check_out"]

#: Runs that are over and still listed.
KEPT: Final = 200
#: Seconds that runs get to end when the system is closed.
CLOSE_S: Final = 3.0
#: The states of a run that is not over.
OPEN: Final = ("waiting", "running", "stopping")


class BackgroundRun:
    """A goal that is worked on in the background. ``await run`` gives its result, however it ended."""

    def __init__(self, id: str, goal: Goal, runs: BackgroundRuns, out: str) -> None:
        #: A short name of its own: ``b1``, ``b2`` …
        self.id = id
        #: The name that its result is bound to when it is over; empty for none.
        self.out = out
        self.run_id = goal.run_id
        self.goal = goal.text
        self.agent = goal.agent.name
        self.budget_usd = goal.budget_usd
        self.asked_at = datetime.now(UTC)
        #: When it began; None while it waits for its turn.
        self.started_at: datetime | None = None
        #: What it came to; None until it is over.
        self.result: RunResult | None = None
        #: What went wrong in the system itself, if that is how it ended.
        self.error: BaseException | None = None
        #: Whether its end was seen: by who awaits it, or where it is shown.
        self.seen = False
        self._runs, self._goal = runs, goal
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Event()
        self._over = asyncio.Event()
        self._ended: list[Callable[[], None]] = []

    @property
    def status(self) -> str:
        """``waiting``, ``running``, ``stopping``, or one of the six end states."""
        if self.result is not None:
            return self.result.status
        work = self._runs.at_work(self.run_id)
        if self._stopping or (work is not None and work.ending):  # by llmos.stop, the watchdog or an interrupt, too
            return "stopping"
        return "running" if self.started_at else "waiting"

    @property
    def cost_usd(self) -> float | None:
        """What it cost up to now, in US dollars; None where the price is unknown."""
        if self.result is not None:
            return self.result.cost_usd
        work = self._runs.at_work(self.run_id)
        return work.spent_usd if work is not None else 0.0

    @property
    def mode(self) -> str:
        """The mode it is worked on in; empty before that is decided."""
        if self.result is not None:
            return self.result.mode
        work = self._runs.at_work(self.run_id)
        return work.mode if work is not None else ""

    def done(self) -> bool:
        """Whether it is over."""
        return self.result is not None

    def stop(self) -> bool:
        """Stop it; false if it is over, or being stopped already. Callable from any thread."""
        return self._runs._stop(self)

    def when_done(self, call: Callable[[], None]) -> None:
        """Call ``call`` on the loop that it works on when it is over; at once if it is."""
        if self.done():
            call()
        else:
            self._ended.append(call)

    async def wait(self) -> RunResult:
        """Its result, once it is over. Who is cancelled while waiting leaves it at work."""
        if self._loop is not asyncio.get_running_loop():
            over = asyncio.run_coroutine_threadsafe(self._over.wait(), self._loop)
            await asyncio.wrap_future(over)
        else:
            await self._over.wait()
        assert self.result is not None
        self.seen = True
        return self.result

    def __await__(self) -> Generator[Any, None, RunResult]:
        return self.wait().__await__()

    def __str__(self) -> str:
        if self.result is not None:
            shown = "".join(_lines(output.text) for output in self.result.outputs)
            return f"{self.line}\n\n{shown}{self.result}"
        return f"{self.line}\n{_first_line(self.goal)}"

    @property
    def line(self) -> str:
        """The run in one line."""
        bound = f" as {self.out}" if self.out and self.done() else ""
        return f"llmos · background run {self.id} · {self.status}{bound}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        self.seen = self.seen or self.done()
        if self.result is None:
            return {"text/plain": str(self), "text/html": f"<div>{html.escape(str(self))}</div>"}
        shown = "".join(_picture(output.data, output.text) for output in self.result.outputs)
        rest = self.result._repr_mimebundle_()
        text = "".join(_lines(output.text) for output in self.result.outputs)
        fence = f"```text\n{text}```\n\n" if text and "```" not in text else ""
        return {
            "text/plain": str(self),
            "text/markdown": f"{self.line}\n\n{fence}{rest['text/markdown']}",
            "text/html": f'<div style="opacity:.75;font-size:90%">{html.escape(self.line)}</div>{shown}{rest["text/html"]}',
        }

    def _ipython_display_(self) -> None:
        """Where a page can be updated it shows how far the run is, and what it came to."""
        present = self._runs.presenter()
        if present is None:
            raise NotImplementedError  # then it is shown as it is now
        present(self)

    def __repr__(self) -> str:
        return f"BackgroundRun({self.id!r}, {self.status!r}, {_first_line(self.goal)!r})"


class BackgroundRuns:
    """The runs in the background of one system, the latest last.

    Args:
        execute: works on a goal to its end.
        stop: stops the run of this id, from any thread.
        at_work: the run of this id, while it is going on.
        limit: how many may be worked on at the same time.
        names: the namespace that results are bound in.
        presenter: what shows a run where a page can be updated; None where there is none.
    """

    def __init__(
        self,
        execute: Callable[[Goal], Coroutine[Any, Any, RunResult]],
        stop: Callable[[str], object],
        at_work: Callable[[str], Run | None],
        limit: Callable[[], int],
        names: Callable[[], MutableMapping[str, Any]],
        presenter: Callable[[], Callable[[BackgroundRun], None] | None] = lambda: None,
    ) -> None:
        self._execute, self._stop_run, self._limit, self._names = execute, stop, limit, names
        self.at_work = at_work
        self.presenter = presenter
        self._numbers = itertools.count(1)
        self._runs: dict[str, BackgroundRun] = {}
        self._waiting: deque[BackgroundRun] = deque()
        self._working: set[BackgroundRun] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news: deque[str | BackgroundRun] = deque(maxlen=KEPT)
        self._lock = threading.RLock()

    def start(self, goal: Goal, out: str = "") -> BackgroundRun:
        """Have ``goal`` worked on; the result is bound to ``out`` in the end.

        Raises:
            BackgroundError: no loop runs here that it could be worked on by.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise BackgroundError(
                "Nothing runs here that a goal in the background could be worked on by.",
                remedy="Start it in a notebook, or within async code; llmos.run(goal) waits for its end.",
            ) from None
        with self._lock:
            run = BackgroundRun(f"b{next(self._numbers)}", goal, self, out)
            self._runs[run.id] = run
            self._waiting.append(run)
            task = loop.create_task(self._work(run), name=f"llmos background {run.id}")
            self._tasks.add(task)
        task.add_done_callback(lambda done: self._let_go(run, done))
        self._begin_next()
        return run

    async def _work(self, run: BackgroundRun) -> None:
        before = self._names().get(run.out, _NOTHING) if run.out else _NOTHING
        try:
            await run._turn.wait()
            with self._lock:
                if not run._stopping:
                    run.started_at = datetime.now(UTC)
            if run.started_at is None:
                result = _unbegun(run, "stopped", f"{STOPPED} before it began")
            else:
                result = await self._execute(run._goal)
        except asyncio.CancelledError:
            self._end(run, _unbegun(run, "stopped", "interrupted: what it worked in was ended"), before)
            raise
        except KeyboardInterrupt:  # meant for this run: on a notebook's loop it must not end the kernel
            result = _unbegun(run, "stopped", "interrupted")
        except LlmosError as error:
            run.error, result = error, _unbegun(run, "failed", error.message, error.remedy)
        except Exception as error:  # noqa: BLE001 - told in its result, where a person finds it
            run.error, result = error, _unbegun(run, "failed", f"{type(error).__name__}: {error}")
        self._end(run, result, before)

    def _end(self, run: BackgroundRun, result: RunResult, before: Any) -> None:
        with self._lock:
            run.result = result
            self._news.append(run)
            if run.out:
                self._bind(run, result, before)
            over = [one for one in self._runs.values() if one.done()]
            for old in over[: max(0, len(over) - KEPT)]:
                del self._runs[old.id]

    def _bind(self, run: BackgroundRun, result: RunResult, before: Any) -> None:
        names = self._names()
        if names.get(run.out, _NOTHING) is before:
            names[run.out] = result
            return
        where = f"llmos.runs[{run.id!r}].result"
        self._news.append(f"{run.out} was given another value meanwhile: the result of {run.id} is {where}")
        run.out = ""

    def _let_go(self, run: BackgroundRun, task: asyncio.Task[None]) -> None:
        """The task of a run is over; on its loop."""
        with self._lock:
            self._tasks.discard(task)
            self._working.discard(run)
            if run in self._waiting:
                self._waiting.remove(run)
        if run.result is None:  # cancelled before its first step
            self._end(run, _unbegun(run, "stopped", "interrupted: what it worked in was ended"), _NOTHING)
        if not task.cancelled():
            run.error = run.error or task.exception()
        run._over.set()
        for call in run._ended:
            try:
                call()
            except Exception as error:  # noqa: BLE001 - a display that is gone takes nothing with it
                self._news.append(f"{run.id} cannot be shown ({type(error).__name__}: {error})")
        self._begin_next()

    def _begin_next(self) -> None:
        with self._lock:
            while self._waiting and len(self._working) < self._limit():
                run = self._waiting.popleft()
                self._working.add(run)
                try:
                    run._loop.call_soon_threadsafe(run._turn.set)
                except RuntimeError:  # its loop was closed
                    self._working.discard(run)
                    run.result = _unbegun(run, "stopped", "interrupted: what it worked in was ended")

    def _stop(self, run: BackgroundRun) -> bool:
        with self._lock:
            if run.done() or run._stopping:
                return False
            run._stopping = True
            begun = run.started_at is not None
            if run in self._waiting:
                self._waiting.remove(run)
                self._begin_unbegun(run)
        if begun:
            self._stop_run(run.run_id)
            with contextlib.suppress(RuntimeError):  # again on its loop: it may have been about to begin
                run._loop.call_soon_threadsafe(self._stop_run, run.run_id)
        return True

    def _begin_unbegun(self, run: BackgroundRun) -> None:
        """Let a run that is stopped while it waits come to its end."""
        try:
            run._loop.call_soon_threadsafe(run._turn.set)
        except RuntimeError:
            run.result = _unbegun(run, "stopped", "interrupted: what it worked in was ended")

    # -- what a person does

    @property
    def open(self) -> list[BackgroundRun]:
        """Those that are not over."""
        with self._lock:
            return [run for run in self._runs.values() if not run.done()]

    def stop(self, id: str | None = None) -> list[str]:
        """Stop the run of this id, or all; returns the ids of those that were stopped. Callable from any thread.

        Raises:
            UnknownBackgroundRun: there is none of that id.
        """
        chosen = self.open if id is None else [self[id]]
        return [run.id for run in chosen if run.stop()]

    def __getitem__(self, id: str) -> BackgroundRun:
        """The run of this id: its own, or that of the run as other tables have it.

        Raises:
            UnknownBackgroundRun: there is none.
        """
        with self._lock:
            found = self._runs.get(id) or next((run for run in self._runs.values() if run.run_id == id), None)
            known = ", ".join(list(self._runs)[-10:]) or "none"
        if found is None:
            raise UnknownBackgroundRun(f"There is no background run {id!r}.", remedy=f"There are: {known}.")
        return found

    def run_id_of(self, id: str) -> str:
        """The id that other tables have for the background run ``id``; ``id`` itself where there is none."""
        with self._lock:
            found = self._runs.get(id)
        return id if found is None else found.run_id

    def __iter__(self) -> Iterator[BackgroundRun]:
        with self._lock:
            return iter(list(self._runs.values()))

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, id: object) -> bool:
        return id in self._runs

    def rows(self) -> list[dict[str, Any]]:
        """One row a run: ``id``, ``goal``, ``state``, ``mode``, ``started`` (None while it waits), ``cost_usd`` (None
        where unknown), ``reason``, ``out``, ``run_id``."""
        return [
            {
                "id": run.id,
                "goal": run.goal,
                "state": run.status,
                "mode": run.mode,
                "started": run.started_at,
                "cost_usd": run.cost_usd,
                "reason": run.result.reason if run.result is not None else "",
                "out": run.out,
                "run_id": run.run_id,
            }
            for run in self
        ]

    @property
    def df(self) -> pd.DataFrame:
        """:meth:`rows` as a DataFrame; joins with ``runs_df()`` on ``run_id``."""
        import pandas as pd

        columns = ("id", "goal", "state", "mode", "started", "cost_usd", "reason", "out", "run_id")
        rows = self.rows()
        frame = pd.DataFrame({name: [row[name] for row in rows] for name in columns})
        types = dict.fromkeys(columns, "string") | {"started": "datetime64[ns, UTC]", "cost_usd": "Float64"}
        return frame.astype(types)

    def news(self) -> list[str]:
        """What is to be told since this was asked last: runs that ended and nobody saw, and every failure."""
        with self._lock:
            told, self._news = list(self._news), deque(maxlen=KEPT)
        lines = []
        for one in told:
            if isinstance(one, str):
                lines.append(one)
            elif one.result is not None and not one.seen:
                why = "" if one.result.ok else f": {one.result.reason}"
                where = one.out or f"llmos.runs[{one.id!r}].result"
                lines.append(
                    f"background run {one.id} ended in {one.status}{why}  ({where}: {_first_line(one.goal)})"
                )
        return lines

    def __str__(self) -> str:
        table = [_COLUMNS, *(self._cells(row) for row in self.rows())]
        if len(table) == 1:
            return _EMPTY
        widths = [max(len(row[i]) for row in table) for i in range(len(_COLUMNS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        return "\n".join(line.rstrip() for line in lines)

    def _cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        cost = "unknown" if row["cost_usd"] is None else f"${row['cost_usd']:.4f}"
        began = f"{row['started'].astimezone():%H:%M:%S}" if row["started"] else ""
        return row["id"], _first_line(row["goal"]), row["state"], row["mode"], began, cost, row["out"]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        rows = self.rows()
        if not rows:
            return f"<em>{html.escape(_EMPTY)}</em>"
        left = 'style="text-align:left;vertical-align:top"'
        head = "".join(f'<th scope="col" {left}>{name}</th>' for name in _COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in self._cells(row)) + "</tr>"
            for row in rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    # -- ending

    def close(self) -> None:
        """Stop all, and wait until they are settled."""
        self.stop()
        with self._lock:
            tasks = list(self._tasks)
        for loop in {task.get_loop() for task in tasks}:
            mine = [task for task in tasks if task.get_loop() is loop and not task.done()]
            if mine and not loop.is_closed():
                _finish(loop, mine)


def check_out(name: str) -> None:
    """Refuse what cannot be a variable's name.

    Raises:
        SettingsError: it cannot.
    """
    if not isinstance(name, str) or (name and (not name.isidentifier() or keyword.iskeyword(name))):
        raise SettingsError(f"out {name!r}: not a variable's name.", remedy="Use letters, digits and _.")


_NOTHING: Final = object()
_COLUMNS: Final = ("id", "goal", "state", "mode", "began", "cost", "result")
_EMPTY: Final = "no background runs: %%llmos --background begins one"


def _finish(loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for tasks from outside of their loop, or from within it."""

    async def ended() -> None:
        await asyncio.wait(tasks, timeout=CLOSE_S)

    try:
        here = asyncio.get_running_loop()
    except RuntimeError:
        here = None
    if here is loop:
        import nest_asyncio  # patches the loop: only where it is closed while runs are at work on it

        nest_asyncio.apply(loop)
        loop.run_until_complete(ended())
    elif loop.is_running():
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(ended(), loop).result(CLOSE_S + 1)
    elif here is None:
        loop.run_until_complete(ended())


def _unbegun(run: BackgroundRun, status: str, reason: str, remedy: str = "") -> RunResult:
    """The result of a run that the dispatcher has none of."""
    goal = run._goal
    return RunResult(
        run_id=goal.run_id, goal=goal.text, status=status, mode="", text="", reason=reason, remedy=remedy,
        agent=goal.agent.name, project=goal.project.name if goal.project is not None else "",
    )  # fmt: skip


def _first_line(goal: str) -> str:
    line = " ".join(goal.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def _lines(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _picture(data: dict[str, Any], text: str) -> str:
    """One output as HTML: a picture, the display's own HTML, or its text."""
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            source = html.escape(f"data:{mime};base64,{str(data[mime]).strip()}", quote=True)
            return f'<img alt="{html.escape(text, quote=True)}" src="{source}" style="max-width:100%">'
    for mime in ("image/svg+xml", "text/html"):
        if mime in data:
            return f"<div>{data[mime]}</div>"
    return f'<pre style="white-space:pre-wrap;margin:.3em 0;padding:0">{html.escape(text)}</pre>'
