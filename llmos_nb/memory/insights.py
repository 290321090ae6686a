"""What traces of runs that went well say together, without a model: errors and what mended them, which packages and
files serve which goals, and what replays saved.

Every insight names the traces that it rests on. Nothing is an insight that one run alone did, but for a mended error:
that one is worth to be known the next time.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import TraceFileError, UnknownTrace
from llmos_nb.memory.repaired import mended_by
from llmos_nb.memory.seal import is_edited
from llmos_nb.memory.trace import Step, Trace

if TYPE_CHECKING:
    from llmos_nb.memory.store import TraceStore

__all__ = ["MENDED", "Insight", "Lessons", "insights", "lessons", "readable"]

#: Why an agent is told a repair.
MENDED: Final = "mended on a goal like this one"
#: Traces whose goals are looked through for what may be told to an agent.
_NEWEST: Final = 500
#: Traces that are read for one goal.
_READ: Final = 20
#: Characters of code that an insight shows.
_SHOWN: Final = 300
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\b\d[\d.,]*\b|0x[0-9a-f]+")
_MAGIC_LINES: Final = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_FILES: Final = re.compile(r"[\w./-]+\.(?:csv|json|parquet|xlsx|txt|db|sqlite|md)\b")


@dataclass(frozen=True, slots=True)
class Insight:
    """One thing that traces say: ``kind`` is ``repair``, ``use`` or ``saving``; ``traces`` are their ids, newest first.

    ``goals`` are goals that it comes from, ``projects`` the projects that those belong to; ``saved_usd`` is what replays
    of them saved, in US dollars.
    """

    kind: str
    text: str
    traces: tuple[str, ...]
    goals: tuple[str, ...] = ()
    saved_usd: float = 0.0
    projects: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" in {', '.join(self.projects)}" if self.projects else ""
        return f"{self.text}  ({self.kind}{where}, from {', '.join(self.traces[:3])})"


def insights(traces: Iterable[Trace], uses: Callable[[str], Any] | None = None) -> list[Insight]:
    """The insights of these traces: repairs first, then uses, then what was saved; each kind by the number of traces.

    Traces that ended otherwise than in success, were called wrong or edited, do not count. ``uses(trace_id)`` gives the
    use record of a trace.
    """
    good = [trace for trace in traces if trace.status == "success" and not trace.wrong and not is_edited(trace)]
    good.sort(key=lambda trace: (trace.created_at, trace.id), reverse=True)
    return [*_repairs(good), *_used(good), *_saved(good, uses)]


def lessons(traces: Iterable[Trace]) -> list[Insight]:
    """The repairs alone: what an agent may be told beside a goal like those that they come from."""
    return [one for one in insights(traces) if one.kind == "repair"]


class Lessons:
    """The repairs of a store's traces that may help with a goal. Each question reads the files anew: a trace that was
    called wrong, edited or deleted since teaches nothing any more."""

    def __init__(self, store: TraceStore) -> None:
        self._store = store

    def about(self, goal: str) -> list[Insight]:
        """What runs that went well had to mend on the goals most like this one, of the 500 newest."""
        from llmos_nb.memory.facts.search import likeness_of

        newest = [row for row in self._store.rows(_NEWEST, status="success") if not row["wrong"]]
        goals = list(dict.fromkeys(row["goal"] for row in newest))
        alike = dict(zip(goals, likeness_of(goal, goals), strict=True)) if goals else {}
        nearest = sorted(newest, key=lambda row: -alike[row["goal"]])[:_READ]
        found = []
        for row in nearest:
            with contextlib.suppress(UnknownTrace, TraceFileError):
                found.append(self._store.get(row["id"]))
        return lessons(trace for trace in found if self._store.is_own(trace))


def readable(store: TraceStore, newest: int | None = None) -> Iterator[Trace]:
    """The successful traces of a store, the newest first; those that cannot be read are left out."""
    for row in store.rows()[:newest]:
        if row["status"] == "success":
            with contextlib.suppress(UnknownTrace, TraceFileError):
                yield store.get(row["id"])


def _repairs(traces: list[Trace]) -> list[Insight]:
    found: dict[tuple[str, str], list[tuple[Trace, Step, Step]]] = defaultdict(list)
    for trace in traces:
        for failed, mended in mended_by(trace):
            said = (failed.output.strip().splitlines() or [""])[-1][:200]
            found[failed.expect.error, _VALUES.sub("…", said)].append((trace, failed, mended))
    made = []
    for (error, _), cases in found.items():
        trace, failed, mended = cases[0]
        said = (failed.output.strip().splitlines() or [""])[-1][:200]
        why = said if said.startswith(error) else f"{error}: {said}" if said else error
        text = f"{failed.tool} failed with {why!r} and was mended: {_change(failed, mended)}"
        made.append(_insight("repair", text, [case[0] for case in cases]))
    return sorted(made, key=lambda one: -len(one.traces))


def _change(failed: Step, mended: Step) -> str:
    """What is otherwise in the step that worked, in lines."""
    before, after = (_main(step).splitlines() for step in (failed, mended))
    lines = [
        f"{line[0]} {line[2:].strip()}"
        for line in difflib.ndiff(before, after)
        if line[:1] in "+-" and line[2:].strip()
    ]
    told = "; ".join(lines) or "the same again worked"
    return told if len(told) <= _SHOWN else f"{told[: _SHOWN - 1]}…"


def _main(step: Step) -> str:
    for name in ("code", "command", "content", "path"):
        if isinstance(step.arguments.get(name), str):
            return str(step.arguments[name])
    return repr(dict(step.arguments))


def _used(traces: list[Trace]) -> list[Insight]:
    """Which packages went with which files."""
    found: dict[str, list[tuple[Trace, tuple[str, ...]]]] = defaultdict(list)
    for trace in traces:
        packages = tuple(sorted(_packages(trace)))
        for file in {*trace.inputs, *_FILES.findall(trace.goal)}:
            found[file].append((trace, packages))
    made = []
    for file, cases in found.items():
        if len(cases) < 2:
            continue
        names = [name for _, packages in cases for name in packages]
        common = sorted({name for name in names if names.count(name) * 2 > len(cases)})
        with_what = f", mostly with {', '.join(common)}" if common else ""
        text = f"{len(cases)} goals worked on {file}{with_what}"
        made.append(_insight("use", text, [case[0] for case in cases]))
    return sorted(made, key=lambda one: (-len(one.traces), one.text))


def _packages(trace: Trace) -> set[str]:
    found: set[str] = set()
    for step in trace.steps:
        if step.tool != "run_cell" or step.expect.status != "ok":
            continue
        try:
            tree = ast.parse(_MAGIC_LINES.sub("", _main(step)))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def _saved(traces: list[Trace], uses: Callable[[str], Any] | None) -> list[Insight]:
    made = []
    for trace in traces:
        record = uses(trace.id) if uses is not None else None
        if record is not None and record.successes:
            saved = round((trace.cost_usd or 0.0) * record.successes, 9)
            play = " play money" if trace.simulated_cost else ""
            times = "once" if record.successes == 1 else f"{record.successes} times"
            text = f"{trace.goal[:100]!r} was replayed {times} and saved ${saved:.4f}{play}"
            made.append(_insight("saving", text, [trace], saved))
    return sorted(made, key=lambda one: (-one.saved_usd, one.text))


def _insight(kind: str, text: str, traces: list[Trace], saved_usd: float = 0.0) -> Insight:
    ids, goals = (tuple(dict.fromkeys(getattr(trace, what) for trace in traces)) for what in ("id", "goal"))
    projects = tuple(sorted({trace.project for trace in traces} - {""}))
    return Insight(kind, text, ids, goals, saved_usd, projects)
