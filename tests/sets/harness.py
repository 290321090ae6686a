"""Learn a task from two value sets, ask for it with others, and compare what is served with a fresh run.

Everything is real: the steps run on a workbench and are recorded as a run records them, the store finds the trace, a
replay runs its bound steps in a fresh namespace, and the reference program runs in another one. Only the agent is
played: its program for some values is what the task says.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from compare import different_files, different_value, files_of, public
from task import Probe, Steps, Task, Values

from llmos_nb.learning.record import environment_of, input_digests, recorded_steps
from llmos_nb.learning.replay import replay
from llmos_nb.memory import Match, Trace, TraceStore
from llmos_nb.tools.namespace import PlainNamespace
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

__all__ = ["LESSONS", "Find", "Outcome", "Run", "different", "fresh", "learn", "outcomes", "vocabulary"]

#: Which phrasing each of the two learned value sets came with.
LESSONS: Final[Mapping[str, tuple[int, int]]] = {"one phrasing": (0, 0), "two phrasings": (0, 1)}

#: How a goal is matched: with a store and the vocabulary.
Find = Callable[[TraceStore, str, Mapping[str, list[str]]], Match]
#: Where an object lies in memory, which is another place in each run.
_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one goal.

    ``end`` is ``right`` or ``wrong`` where something was served, ``passed`` where nothing was offered, ``stopped``
    where the replay found out by itself and put everything back. ``reason`` says why, or what differs.
    """

    task: str
    lesson: str
    #: Index of the value set, and of the phrasing it was asked with.
    values: int
    phrasing: int
    goal: str
    end: Literal["right", "wrong", "passed", "stopped"]
    reason: str = ""
    confidence: float = 0.0
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of some steps left behind."""

    names: Mapping[str, Any]
    files: Mapping[str, Any]
    output: str
    error: str = ""
    trace: Trace | None = None


def vocabulary(names: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a notebook knows of its variables: their names, columns, and the texts in their columns."""
    try:
        from llmos_nb.tools.vocabulary import vocabulary_of
    except ImportError:
        columns: dict[str, list[str]] = {"variable": sorted(public(names)), "column": [], "value": []}
        for table in public(names).values():
            if type(table).__name__ == "DataFrame":
                columns["column"] += map(str, table.columns)
                for column in table.columns:
                    if table[column].dtype.kind not in "biufcmM":
                        columns["value"] += sorted(map(str, table[column].dropna().unique()))[:100]
        return columns
    return {kind: list(values) for kind, values in vocabulary_of(names).items()}


@contextlib.contextmanager
def _quietly_in(folder: Path) -> Iterator[None]:
    """With a new folder as the working folder; nothing is shown, and figures are let go."""
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        try:
            yield
        finally:
            plt.close("all")


def _bench(task: Task, folder: Path) -> Workbench:
    """A workbench where nothing has happened yet."""
    space = PlainNamespace()
    space.names.update(task.setup(folder))
    return Workbench(
        "run",
        namespace=space,
        workspace=folder / "workspace",
        cwd=folder,
        grant=tuple(TOOLS),
        publish=lambda event: None,
    )


def _left_by(bench: Workbench, error: str = "") -> Run:
    texts = [call.result.text.strip() for call in bench.calls if call.result]
    output = _ADDRESS.sub(" at 0x", "\n".join(text for text in texts if text))
    return Run(public(bench.namespace.names), files_of(bench.cwd), output, error)


def _answer(task: Task, values: Values, output: str) -> str:
    return task.answer.format(**values, last=(output.splitlines() or [""])[-1])


def fresh(task: Task, values: Values, folder: Path, *, steps: Steps | None = None) -> Run:
    """A real run of the task's program (or of ``steps``) for these values, from the start; with the trace it leaves."""

    async def work() -> Run:
        bench = _bench(task, folder)
        for step in task.program(values) if steps is None else steps:
            call = await bench.call(step["tool"], step["arguments"])
            if call.status != "ok":
                why = call.result.text if call.result else call.verdict.reason
                return _left_by(bench, error=why.strip().splitlines()[-1])
        run = _left_by(bench)
        trace = Trace(
            goal=task.name,
            steps=recorded_steps(bench.calls),
            inputs=input_digests(bench.calls, folder),
            environment=environment_of(bench.calls),
            answer=_answer(task, values, run.output),
        )
        return dataclasses.replace(run, trace=trace)

    with _quietly_in(folder):
        return asyncio.run(work())


def learn(task: Task, lesson: str, traces: Mapping[int, Trace], store: TraceStore) -> None:
    """Store what was recorded for the first two value sets, with the phrasings of the lesson."""
    for index, phrasing in enumerate(LESSONS[lesson]):
        goal = task.goal(task.values[index], phrasing)
        store.add(dataclasses.replace(traces[index], goal=goal))


def different(probe: Probe, values: Values, truth: Run, run: Run) -> str:
    """How a run differs from the true one in what the task looks at; empty if it does not."""
    if truth.error:
        return f"a fresh run ends in {truth.error}"
    if probe.names is None:
        if truth.names.keys() != run.names.keys():
            return f"the names {sorted(run.names)} instead of {sorted(truth.names)}"
        names = sorted(truth.names)
    else:
        names = [name.format(**values) for name in probe.names]
    for name in names:
        if name not in run.names:
            return f"{name} is not there"
        if unlike := different_value(truth.names[name], run.names[name]):
            return f"{name}: {unlike}"
    if probe.files and (unlike := different_files(truth.files, run.files)):
        return unlike
    if probe.output and truth.output != run.output:
        return f"it showed {run.output[-80:]!r} instead of {truth.output[-80:]!r}"
    return ""


def _serve(task: Task, values: Values, match: Match, folder: Path, truth: Run) -> tuple[str, str]:
    """Replay a match from the start; how it ended, and why."""

    async def work() -> tuple[str, str]:
        bench = _bench(task, folder)
        before = _left_by(bench)
        assert match.trace is not None and match.steps is not None
        done = await replay(match.trace, match.steps, bench)
        after = _left_by(bench)
        if done.surprise:
            changed = different(Probe(output=False), values, before, after)
            return ("wrong", f"not put back: {changed}") if changed else ("stopped", done.surprise)
        if unlike := different(task.probe, values, truth, after):
            return "wrong", unlike
        if not done.stale and done.answer != _answer(task, values, truth.output):
            return "wrong", f"the answer was {done.answer[:80]!r}"
        return "right", "fresh outputs instead of prose" if done.stale else ""

    with _quietly_in(folder):
        return asyncio.run(work())


def _of_store(store: TraceStore, goal: str, known: Mapping[str, list[str]]) -> Match:
    return store.match(goal, vocabulary=known)


def outcomes(task: Task, root: Path, *, find: Find = _of_store) -> list[Outcome]:
    """Everything that is asked of a task, in a new folder ``root``: the learned goals again, then the other values.

    ``find`` gives the match; without it the store's own.
    """
    runs = {index: fresh(task, task.values[index], root / f"learn-{index}") for index in (0, 1)}
    traces = {index: run.trace for index, run in runs.items() if run.trace is not None}
    if len(traces) != 2:
        raise AssertionError(f"{task.name}: {[run.error for run in runs.values()]}")
    truths = {
        index: fresh(task, values, root / f"truth-{index}", steps=task.truth(values))
        for index, values in enumerate(task.values)
    }
    with _quietly_in(root / "start"):
        known = vocabulary(task.setup(root / "start"))
    found = []
    for lesson, phrasings in LESSONS.items():
        folder = root / lesson
        with TraceStore(folder / "traces") as store:
            learn(task, lesson, traces, store)
            asked = [*enumerate(phrasings), *((i, p) for i in (2, 3, 4) for p in range(len(task.phrasings)))]
            for index, phrasing in asked:
                values = task.values[index]
                goal = task.goal(values, phrasing)
                match = find(store, goal, known)
                if match.verdict in ("replay", "rebind"):
                    place = folder / f"served-{index}-{phrasing}"
                    end, reason = _serve(task, values, match, place, truths[index])
                else:
                    end, reason = "passed", match.reasons[0] if match.reasons else ""
                found.append(
                    Outcome(task.name, lesson, index, phrasing, goal, end, reason, match.confidence, match.verdict)
                )
    return found
