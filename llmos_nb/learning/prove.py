"""Parameters that an agent declared, proved: the steps are made again apart, and do what they did.

An agent that writes ``n`` in its code and gives ``parameters={"n": 5}`` says which value may vary. That its code really
goes by the name, and does the same from a clean start, is seen by making the steps again in a process of their own.
Whether the value occurs anywhere else in the program is for :mod:`llmos_nb.memory.programs` to look at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from llmos_nb.learning.rerun import Apart, Outcome, folders_of
from llmos_nb.memory import Trace
from llmos_nb.memory.seal import sealed
from llmos_nb.tools.registry import TOOLS

__all__ = ["declared", "proved"]

#: Name of the proved parameters in a trace's front matter.
PROVED = "proved"
#: Seconds that making the steps again may take: a person waits for the end of the run.
TIME_LIMIT_S = 20.0


def declared(trace: Trace) -> tuple[str, ...]:
    """Names of the parameters that the steps of a trace declare."""
    names: dict[str, None] = {}
    for step in trace.replayable_steps:
        given = step.arguments.get("parameters")
        if isinstance(given, dict):
            names |= dict.fromkeys(map(str, given))
    return tuple(names)


def proved(
    trace: Trace, cwd: Path, *, time_limit_s: float = TIME_LIMIT_S, stopped: Callable[[], bool] = lambda: False
) -> tuple[Trace, str]:
    """``trace`` with its declared parameters marked as proved, or as it is and why they are not.

    ``stopped`` is asked again and again: once it is true no more is tried.
    The steps start from nothing but the input files; a run that needed variables of the user's is not made again.
    """
    names = declared(trace)
    steps = trace.replayable_steps
    if not trace.replayable or not names:
        return trace, "nothing was declared"
    if trace.environment.get("needs"):
        return trace, f"the steps need {', '.join(trace.environment['needs'])} of yours"
    if any(step.tool not in TOOLS or step.expect.status != "ok" for step in steps):
        return trace, "not every step can be made again"
    with Apart(cwd, time_limit_s=time_limit_s, stopped=stopped) as apart:
        made = [(step.tool, step.arguments) for step in steps]
        outcome = apart.run(made, inputs=list(trace.inputs))
        # Steps may make the folders that they write into.
        if outcome.error and not stopped() and (folders := folders_of(trace)):
            outcome = apart.run(made, inputs=list(trace.inputs), folders=folders)
    different = _difference(trace, outcome)
    if different:
        return trace, different
    return sealed(dataclasses.replace(trace, extra={**trace.extra, PROVED: list(names)})), ""


def _difference(trace: Trace, outcome: Outcome) -> str:
    """What the steps did otherwise than they did when they were recorded; empty where that is nothing."""
    if outcome.problem or outcome.error:
        return outcome.problem or outcome.error
    types: dict[str, str] = {}
    columns: dict[str, tuple[str, ...]] = {}
    files: set[str] = set()
    shown: list[str] = []
    for step in trace.replayable_steps:
        for name in step.expect.deletes:
            types.pop(name, None)
            columns.pop(name, None)
        types |= step.expect.defines
        columns |= step.expect.columns
        files |= set(step.expect.files)
        if step.tool == "run_cell":
            shown += step.output.split()
    for name, kind in types.items():
        if outcome.types.get(name) != kind:
            return f"{name} came out as {outcome.types.get(name, 'nothing')} instead of {kind}"
    for name, expected in columns.items():
        if tuple(outcome.columns.get(name, ())) != tuple(expected):
            return f"{name} came out with other columns"
    if set(outcome.files) != files:
        return f"other files were written: {', '.join(sorted(set(outcome.files) ^ files))}"
    if outcome.shown.split() != shown:
        return "other output was shown"
    return ""
