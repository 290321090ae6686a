"""The tests of a crystal: every recorded run made again by it in a separate process, against the recorded steps."""

from __future__ import annotations

import ast
import dataclasses
import datetime
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from llmos_nb.crystals.load import Module
from llmos_nb.crystals.offered import call_code
from llmos_nb.crystals.report import Check, Report
from llmos_nb.errors import LlmosError
from llmos_nb.learning.crystal_names import CUSTOMARY, scope_of
from llmos_nb.learning.rerun import TIME_LIMIT_S, Apart, Outcome, differences, folders_of, handed_on
from llmos_nb.memory import Trace, TraceStore
from llmos_nb.memory.seal import is_edited

__all__ = ["check_crystal", "retest"]

#: What may be a file's name in code, a command or a text.
_PATH_WORDS: Final = re.compile(r"[\w./@+-]+")


def check_crystal(
    module: Module,
    traces: Mapping[str, Trace],
    *,
    cwd: Path | Callable[[Trace], Path],
    names: Mapping[str, Any],
    time_limit_s: float = TIME_LIMIT_S,
) -> Report:
    """Make every recorded run again, once with the recorded steps and once with the crystal, and compare by value.

    The steps run anew because input files change; what both do with the files as they are now has to be the same. What
    differs between two runs of the steps themselves (a time, a random number) does not count.

    Args:
        traces: the recorded runs by id; one that is missing fails its check.
        cwd: where input files are taken from; a function tells it for each trace.
        names: the user's variables; those that the steps read are handed on where they can be.
    """
    checks = []
    with Apart(Path.cwd(), time_limit_s=time_limit_s) as apart:
        for example in module.facts.examples:
            started = time.monotonic()
            trace = traces.get(str(example["trace"]))
            reason = "its trace is gone"
            if trace is not None:
                place = cwd(trace) if callable(cwd) else cwd
                reason = _different(apart, module, trace, example, names, place)
            checks.append(Check(str(example["trace"]), not reason, reason, round(time.monotonic() - started, 3)))
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Report(module.digest, tuple(checks), now)


def retest(
    module: Module, store: TraceStore, *, cwd: Path | Callable[[Trace], Path], names: Mapping[str, Any]
) -> Report:
    """The tests of a crystal that is there already, its runs taken from the store: what ``CrystalShelf.test`` calls."""
    traces = {}
    for trace_id in module.facts.traces:
        try:
            traces[trace_id] = store.get(trace_id)
        except LlmosError:
            continue  # its check fails and says so
    return check_crystal(module, traces, cwd=cwd, names=names)


def _different(
    apart: Apart, module: Module, trace: Trace, example: Mapping[str, Any], names: Mapping[str, Any], cwd: Path
) -> str:
    """How the crystal's run differs from one of the recorded steps, in words; empty if it does not."""
    if is_edited(trace):
        return "its trace was edited since it was recorded, and nobody has agreed to it as it is now"
    steps = [(step.tool, step.arguments) for step in trace.replayable_steps]
    if not steps:
        return "it has no step that can be repeated"
    folder = trace.environment.get("folder")
    if folder:
        return f"its steps name files in the folder {folder}"
    arguments = example["arguments"]
    needs = [str(arguments.get(need, need)) for need in module.facts.needs]
    given, problem = _given(steps, needs, names)
    if problem:
        return problem
    inputs = list(trace.inputs)
    there: dict[str, Any] = {"names": given, "cwd": cwd}
    name = module.definition.name
    call = [("run_cell", {"code": call_code(name, arguments, module.facts.needs)})]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(apart.run, steps, inputs=inputs, **there)
        second = pool.submit(
            apart.run, call, inputs=inputs, crystals={name: module.text}, told_by=f"_{name}", **there
        )
        expected, found = first.result(), second.result()
    more, folders = _mentioned(steps, cwd) - set(inputs) if expected.error else set(), folders_of(trace)
    if expected.error and (more or folders):
        inputs = [*inputs, *sorted(more)]  # what commands and databases read is not among a trace's inputs
        there["folders"] = folders  # nor are folders, and steps may make those that they write into
        expected = apart.run(steps, inputs=inputs, **there)
        found = apart.run(call, inputs=inputs, crystals={name: module.text}, told_by=f"_{name}", **there)
    if expected.problem or expected.error:
        return f"the recorded steps cannot be made again: {expected.problem or expected.error}"
    stale = _not_as_recorded(trace, expected)
    if stale:
        return f"the recorded steps did otherwise than when they were recorded: {stale}"
    found = _as_called(found, example["names"])
    differing = _all_differences(expected, found)
    if not differing:
        return ""
    again = apart.run(steps, inputs=inputs, **there)
    chance = {spot for spot, _ in _all_differences(expected, again)}
    return "; ".join(words for spot, words in differing if spot not in chance)[:500]


def _mentioned(steps: Sequence[tuple[str, Mapping[str, Any]]], cwd: Path) -> set[str]:
    """Files in the working folder that the steps name."""
    texts = [value for _, arguments in steps for value in arguments.values() if isinstance(value, str)]
    words = {word.strip("./") for text in texts for word in _PATH_WORDS.findall(text)}
    words |= {f"{word}.py" for word in words if word.isidentifier()}  # a module of the user's own
    return {word for word in words if word and ".." not in word and (cwd / word).is_file()}


def _as_called(outcome: Outcome, names: Mapping[str, str]) -> Outcome:
    """The outcome with the names that the recorded run chose for itself."""

    def called(values: Mapping[str, Any]) -> dict[str, Any]:
        return {names.get(name, name): value for name, value in values.items()}

    return dataclasses.replace(
        outcome,
        types=called(outcome.types),
        columns=called(outcome.columns),
        values=called(outcome.values),
        kinds=called(outcome.kinds),
    )


def _all_differences(expected: Outcome, found: Outcome) -> list[tuple[str, str]]:
    more = [(f"name {name}", f"it defined {name}, too") for name in found.types if name not in expected.types]
    return [*differences(expected, found, list(expected.types)), *(more if not found.error else [])]


def _not_as_recorded(trace: Trace, outcome: Outcome) -> str:
    """What the trace expects and a fresh run of its own steps does not bear out."""
    types: dict[str, str] = {}
    columns: dict[str, Sequence[str]] = {}
    files: set[str] = set()
    for step in trace.replayable_steps:
        for name in step.expect.deletes:
            types.pop(name, None)
            columns.pop(name, None)
        types.update(step.expect.defines)
        columns.update(step.expect.columns)
        files |= set(step.expect.files)
    for name, kind in types.items():
        if outcome.types.get(name, kind) != kind:
            return f"{name} is of type {outcome.types[name]} instead of {kind}"
    for name, expected in columns.items():
        if list(outcome.columns.get(name, expected)) != list(expected):
            return f"{name} has other columns"
    missing = sorted(name for name in files - set(outcome.files) if not Path(name).is_absolute())
    return f"it did not write {missing[0]}" if missing else ""


def _given(
    steps: Sequence[tuple[str, Mapping[str, Any]]], wanted: Sequence[str], names: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """What the steps, and the crystal's call, read from the user, for another process."""
    try:
        trees = [ast.parse(str(arguments["code"])) for tool, arguments in steps if tool == "run_cell"]
    except (SyntaxError, ValueError, RecursionError):
        return {}, "a step is not plain Python"
    reads = list(dict.fromkeys([*scope_of(trees).reads, *wanted]))
    modules = {name: ("module", CUSTOMARY[name]) for name in reads if name in CUSTOMARY and name not in wanted}
    given, problem = handed_on(names, [name for name in reads if name not in modules and name != "display"])
    return {**given, **modules}, problem
