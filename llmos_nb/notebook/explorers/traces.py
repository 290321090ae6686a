"""Traces: search and filter them, open one, replay it, call it wrong, and put two side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from llmos_nb.dispatch.presented import shown_already
from llmos_nb.errors import SettingsError, UnknownTrace
from llmos_nb.notebook.explorers.explorer import Explorer, Tell
from llmos_nb.notebook.explorers.query import Query
from llmos_nb.notebook.explorers.twin import Twin, money
from llmos_nb.notebook.views import Table

if TYPE_CHECKING:
    import pandas as pd

    from llmos_nb.memory.compared import Comparison
    from llmos_nb.memory.trace import Step

__all__ = ["TraceExplorer"]

#: Rows of a page, and the most that can be asked for at once.
PAGE: Final = 50
PAGE_LIMIT: Final = 500
#: Rows of the static table; more belong into a DataFrame.
TWIN_ROWS: Final = 25
#: Characters of a step's code or output that are shown; the file has the rest.
SHOWN: Final = 20_000
#: By which columns one can filter.
FILTERS: Final = ("mode", "agent", "status", "project")
_SORTS: Final = ("created_at", "goal", "cost_usd", "duration_s", "agent", "status", "mode")
#: What a status is called that is more than how the run ended.
WRONG: Final = "called wrong"

Row = dict[str, Any]


class TraceExplorer(Explorer):
    """The traces of a workspace, the newest first. ``filter`` narrows what is shown; ``df`` is that, as a frame."""

    what: ClassVar[str] = "traces"

    def __init__(self, system: Any) -> None:
        super().__init__(system)
        self._query = Query("Traces", FILTERS, 'filter("penguins", mode="follower")')
        self._listed: tuple[Any, list[tuple[str, Row]]] = (None, [])
        #: The values that there are to filter by, of what is listed.
        self._values: dict[str, list[str]] = {}

    # -- what there is

    def filter(self, text: str = "", **equal: str) -> TraceExplorer:
        """Show only traces with all words of ``text`` (in goal, id, agent or model) and these values.

        Args:
            text: words, in any order and case.
            equal: ``mode``, ``agent``, ``status`` (also ``called wrong``) and ``project``; empty for any.

        Raises:
            SettingsError: there is nothing called so to filter by.
        """
        self._query.ask(text, equal)
        return self

    @property
    def rows(self) -> list[Row]:
        """What the index says of the traces that pass the filter, the newest first."""
        return self._query.passing(self._all())

    def _all(self) -> list[tuple[str, Row]]:
        """Every trace with the text that is searched; read again only after the index was written."""
        store = self.system.traces
        version = store.version, id(store)
        if version[0] is None or version != self._listed[0]:
            found = []
            for row in store.rows():
                shown = {**row, "status": WRONG if row["wrong"] else row["status"]}
                text = "\n".join((row["goal"], row["id"], row["agent"], row["model"])).casefold()
                found.append((text, shown))
            self._listed = version, found
            self._values = {name: sorted({row[name] for _, row in found if row[name]}) for name in FILTERS}
        return self._listed[1]

    def known(self, ids: Iterable[str]) -> None:
        there = {row["id"] for _, row in self._all()}
        for id in ids:
            if id not in there:
                self.system.traces.path(id)  # tells of ids that come close
                raise UnknownTrace(f"The trace {id!r} cannot be read.", remedy="%trace shows its file.")

    @property
    def df(self) -> pd.DataFrame:
        return _frame(self.rows)

    @property
    def selected_df(self) -> pd.DataFrame:
        by_id = {row["id"]: row for _, row in self._all()}
        return _frame([by_id[id] for id in self.selected if id in by_id])

    # -- what can be done

    def open(self, id: str) -> dict[str, Any]:
        """Everything about one trace as plain data.

        Raises:
            UnknownTrace, TraceFileError: there is no such trace, or its file cannot be read.
        """
        from llmos_nb.dispatch.trusting import shown_of
        from llmos_nb.memory.seal import is_edited

        trace = self.system.traces.get(id)
        in_use = self.system.traces.is_own(trace) and not is_edited(trace)
        uses = self.system.traces.uses(id)
        about = {
            "mode": trace.mode,
            "agent": trace.agent,
            "model": trace.model,
            "project": trace.project,
            "recorded": trace.created_at.replace("T", " ").removesuffix("Z"),
            "cost": money(trace.cost_usd) + (" play money" if trace.simulated_cost and trace.cost_usd else ""),
            "took": f"{trace.duration_s:.1f} s",
            "replayed": _used(uses.uses, uses.failures),
            "guided by": ", ".join(trace.guided_by),
            "file": str(self.system.traces.path(id)),
        }
        return {
            "id": id,
            "goal": trace.goal,
            "status": trace.status,
            "reason": trace.reason,
            "wrong": trace.wrong,
            "edited": is_edited(trace),
            "foreign": not self.system.traces.is_own(trace),
            "replayable": trace.replayable and in_use,
            "shown": shown_of(trace),
            "about": {name: value for name, value in about.items() if value},
            "steps": [_step(number, step) for number, step in enumerate(trace.steps, 1)],
            "answer": trace.answer,
            "called_wrong": WRONG,
        }

    def compare(self, left: str, right: str) -> Comparison:
        """Two traces side by side. See :meth:`LLMOS.compare`."""
        found: Comparison = self.system.compare(left, right)
        return found

    def mark_wrong(self, id: str, reason: str = "") -> str:
        """Take a trace out of use, and say what else came from it. See :meth:`LLMOS.wrong`."""
        return str(self.system.wrong(id, reason))

    def trust(self, id: str, shown: str | None = None) -> str:
        """Put a trace into use as it was ``shown`` (of :meth:`open`), or say what it would do. See :meth:`LLMOS.trust`."""
        return str(self.system.trust(id, shown))

    async def replay(self, id: str, tell: Tell = lambda text: None) -> Any:
        """Reach the trace's goal again by replaying a recorded run; the result is that of ``execute``.

        Raises:
            UnknownTrace: there is no such trace.
            ModeUnavailable: nothing recorded can be replayed for its goal.
        """
        from llmos_nb.kernel.events import ModeDecided, ToolFinished, ToolStarted

        trace = self.system.traces.get(id)
        loop = asyncio.get_running_loop()
        runs: set[str] = set()

        def heard(event: Any) -> None:
            if isinstance(event, ModeDecided) and event.trace_id == id:
                runs.add(event.run_id)
            elif event.run_id in runs and isinstance(event, ToolStarted):
                loop.call_soon_threadsafe(tell, f"step {event.step} of {len(trace.steps)}: {event.tool}")
            elif event.run_id in runs and isinstance(event, ToolFinished) and event.status != "ok":
                loop.call_soon_threadsafe(tell, f"step {event.step}: {event.status}")

        tell("looking for the recorded run")
        end = self.system.bus.subscribe(heard, name="trace explorer")
        try:
            with shown_already():
                result = await self.system.execute(trace.goal, mode="follower", project=trace.project)
            await asyncio.to_thread(self.system.bus.flush)
            await asyncio.sleep(0)  # what was heard is told before the result is
            return result
        finally:
            end()

    # -- for the widget

    def actions(self) -> Mapping[str, Callable[..., dict[str, Any]]]:
        return {
            "page": self._page,
            "open": self.open,
            "compare": self._compared,
            "wrong": lambda id, reason="": {"said": self.mark_wrong(id, reason), "trace": self.open(id)},
            "trust": lambda id, shown: {"said": self.trust(id, shown), "trace": self.open(id)},
        }

    def long_actions(self) -> Mapping[str, Callable[..., Awaitable[dict[str, Any]]]]:
        return {"replay": self._replayed}

    def _page(
        self,
        query: Mapping[str, str] | None = None,
        offset: int = 0,
        limit: int = PAGE,
        sort: str = "created_at",
        descending: bool = True,
    ) -> dict[str, Any]:
        """One page of what passes the filter, and the values that one can filter by."""
        if query is not None:
            self.filter(**query)
        if sort not in _SORTS:
            raise SettingsError(f"Traces cannot be sorted by {sort!r}.", remedy=f"Use {', '.join(_SORTS)}.")
        rows = self.rows
        if (sort, descending) != ("created_at", True):
            # What is not known comes last either way.
            known = [row for row in rows if row[sort] is not None]
            known.sort(key=lambda row: row[sort], reverse=bool(descending))
            rows = known + [row for row in rows if row[sort] is None]
        limit = max(1, min(int(limit), PAGE_LIMIT))
        offset = max(0, min(int(offset), max(0, len(rows) - 1) // limit * limit))
        every = self._all()
        return {
            "rows": [
                {**_listed(row), "foreign": self.system.traces.is_strangers(row)}
                for row in rows[offset : offset + limit]
            ],
            "offset": offset,
            "limit": limit,
            "total": len(rows),
            "all": len(every),
            "values": self._values,
            "query": self._query.asked,
            "selected": self.selected,
            "problems": [f"{path}: {told}" for path, told in self.system.traces.problems.items()][:20],
        }

    def _compared(self, left: str, right: str) -> dict[str, Any]:
        comparison = self.compare(left, right)
        sections = [
            {"name": one.name, "same": one.same, "lines": [list(line) for line in one.lines]}
            for one in comparison.sections
        ]
        return {"left": left, "right": right, "summary": comparison.summary, "sections": sections}

    async def _replayed(self, tell: Tell, id: str) -> dict[str, Any]:
        result = await self.replay(id, tell)
        other = result.trace_id is not None and result.trace_id != id
        note = f"The newest fitting run was taken: {result.trace_id}." if other else ""
        return {
            "ok": result.ok,
            "said": " · ".join(part for part in (result.summary, "" if result.ok else result.reason, note) if part),
            "text": result.text,
            "remedy": result.remedy,
            "trace": self.open(id),
        }

    # -- without a widget

    def twin(self) -> Twin:
        self.system.traces.refresh()  # a file that was edited by hand may have become unreadable
        self._listed = (None, [])
        rows, every = self.rows, len(self._all())
        words = str(self._query)
        title = f"{every:,} trace{'' if every == 1 else 's'}"
        if words:
            title = f"{len(rows):,} of {title} with {words}"
        named = ("project",) if any(row["project"] for row in rows) else ()
        table = Table(
            ("goal", "status", "mode", "agent", *named, "cost", "id"),
            tuple(
                (
                    " ".join(row["goal"].split())[:100],
                    f"{_state(row)} (not recorded here)" if self.system.traces.is_strangers(row) else _state(row),
                    row["mode"],
                    row["agent"],
                    *(row[name] for name in named),
                    money(row["cost_usd"]),
                    row["id"],
                )
                for row in rows[:TWIN_ROWS]
            ),
            empty=self._query.nothing([row for _, row in self._all()], "no traces yet: run a goal"),
        )
        parts: list[str | tuple[str, Table]] = [("", table)]
        if len(rows) > TWIN_ROWS:
            parts.append(f"… and {len(rows) - TWIN_ROWS:,} older ones: explorer.df has them all.")
        parts += [f"Cannot be read: {told}" for told in self.system.traces.problems.values()]
        return Twin(title, tuple(parts))


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    from llmos_nb.frames.schema import TRACES
    from llmos_nb.frames.tables import frame_of

    return frame_of(TRACES, rows)


def _used(uses: int, failures: int) -> str:
    if not uses:
        return "never"
    times = "once" if uses == 1 else f"{uses} times"
    return f"{times}, {failures} of them failed" if failures else times


def _state(row: Row) -> str:
    return f"{row['status']} (edited)" if row["edited"] and row["status"] != WRONG else str(row["status"])


def _listed(row: Row) -> Row:
    names = ("id", "status", "mode", "agent", "project", "edited", "replayable")
    return {
        **{name: row[name] for name in names},
        "goal": " ".join(row["goal"].split())[:200],
        "cost": money(row["cost_usd"]),
        "when": row["created_at"][:16].replace("T", " "),
    }


def _step(number: int, step: Step) -> dict[str, Any]:
    from llmos_nb.memory.compared import step_text
    from llmos_nb.notebook.explorers.code import colored

    text, output = step_text(step), step.output
    language = {"run_cell": "python", "run_shell": "bash", "Bash": "bash"}.get(step.tool, "text")
    cut = len(text) > SHOWN or len(output) > SHOWN
    return {
        "number": number,
        "tool": step.tool,
        "agent": step.agent,
        "status": step.expect.status,
        "error": step.expect.error,
        "replayed": step.expect.replay,
        "took": "" if step.duration_s is None else f"{step.duration_s:.2f} s",
        "code": colored(text[:SHOWN], language),
        "output": output[:SHOWN],
        "cut": cut,
    }
