"""Can these steps be run here at all? Everything that can be known before the first effect is asked before it.

Recorded steps and steps bound to new values are asked the same; of the latter also whether what the new values name,
a file, a column, a variable, is there and of the kind it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from llmos_nb.learning.columns import misfit
from llmos_nb.learning.headers import local_file
from llmos_nb.learning.needs import name_use, unmet
from llmos_nb.learning.rebound import Change, changes_in, code_of, is_bound, parsed
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.seal import is_edited
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Workbench

__all__ = ["obstacle"]


def obstacle(trace: Trace, steps: Sequence[Step], bench: Workbench) -> str:
    """Why ``steps`` of ``trace`` must not be begun, as the end of a sentence; empty when nothing is known against it.

    ``steps`` are the replayable ones, as recorded or bound to new values. Nothing is changed; files are read in part.
    """
    if is_edited(trace):
        return "it was edited since it was recorded, and nobody has agreed to it as it is now"
    if not steps:
        return "it has no step that can be repeated"
    for number, step in enumerate(steps, start=1):
        if step.tool not in TOOLS:
            return f"step {number} uses the tool {step.tool}, which cannot be repeated"
        verdict = bench.check(step.tool, step.arguments)
        if verdict.decision == "deny":  # a person is asked when it is its turn
            return f"step {number} ({step.tool}) would be refused: {verdict.reason}"
        problem = TOOLS[step.tool].problem(step.arguments)
        if problem:
            return f"step {number} cannot be run: {problem}"
    folder = trace.environment.get("folder")
    if folder and Path(str(folder)) != bench.cwd:
        return f"its steps name files in the folder {folder}, and this is another one"
    recorded = trace.replayable_steps
    bound = is_bound(recorded, steps)
    if bound is None:
        return "its steps are not those that were recorded"
    pairs = list(zip(recorded, steps, strict=True)) if bound else []
    trees = [(parsed(old), parsed(new)) for old, new in pairs]
    changes = [changes_in(old, new, both) for (old, new), both in zip(pairs, trees, strict=True)]
    return (
        _missing_file(trace, steps, changes, bench.cwd)
        or _missing_name(trace, steps, changes, bench.namespace.names)
        or (misfit(recorded, trees, changes, bench.namespace.names, bench.cwd) if bound else "")
    )


def _missing_file(trace: Trace, steps: Sequence[Step], changes: Sequence[Sequence[Change]], cwd: Path) -> str:
    """Which file that the steps read is not there: the recorded one, or the one named in its place."""
    flat = [change for some in changes for change in some if isinstance(change.old, str)]
    for name in trace.inputs:
        for path in _meant(name, steps, flat, cwd):
            if not (cwd / path).exists():
                return f"the file {path} is not there"
    return ""


def _meant(name: str, steps: Sequence[Step], changes: Sequence[Change], cwd: Path) -> list[str]:
    """The files that stand in for the recorded input ``name`` in the bound steps; itself where nothing does."""
    if not changes:
        return [name]
    instead, real = [], _real(cwd / name)
    for change in changes:
        if change.kind in ("string", "word") and _leads_to(change.old, real, cwd) and change.new not in instead:
            instead.append(str(change.new))
    if instead:
        kept = any(_mentions(step, name) for step in steps)
        return [*instead, name] if kept else instead
    for change in changes:  # a part of the name: the stem in f"{stem}.csv"
        if change.kind in ("string", "word") and len(change.old) >= 3 and change.old in name:
            other = name.replace(change.old, str(change.new))
            if not any(_mentions(step, name) for step in steps):
                return [other] if (cwd / other).exists() or not (cwd / name).exists() else [name]
    return [name]


def _leads_to(said: str, real: str, cwd: Path) -> bool:
    path = local_file(said, cwd)
    return path is not None and _real(path) == real != ""


def _real(path: Path) -> str:
    """Where a path leads; empty where it can be none."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return ""


def _mentions(step: Step, name: str) -> bool:
    spellings = {name, PurePath(name).name}
    texts = [code_of(step), *(text for text in step.arguments.values() if isinstance(text, str))]
    return any(spelling in text for text in texts for spelling in spellings)


def _missing_name(
    trace: Trace, steps: Sequence[Step], changes: Sequence[Sequence[Change]], names: Mapping[str, Any]
) -> str:
    """Which variable that the steps read is not there, or is of another type."""
    needs = trace.environment.get("needs")
    if not isinstance(needs, Mapping):
        return ""
    wanted = {str(name): str(kind) for name, kind in needs.items()}
    renamed = {c.old: c.new for some in changes for c in some if c.kind == "name" and c.old in wanted}
    renamed |= _renamed_elsewhere(wanted, steps, changes)
    if renamed:
        still = {name for step in steps if step.tool == "run_cell" for name in _read(step)}
        wanted = {
            (new if (new := renamed.get(name)) is not None and name not in still else name): kind
            for name, kind in wanted.items()
        } | {str(new): wanted[old] for old, new in renamed.items()}
    return unmet(wanted, names)


def _renamed_elsewhere(
    wanted: Mapping[str, str], steps: Sequence[Step], changes: Sequence[Sequence[Change]]
) -> dict[Any, Any]:
    """Variables that ``inspect`` is asked for by other names."""
    return {
        change.old: change.new
        for step, some in zip(steps, changes, strict=False)
        for change in some
        if step.tool == "inspect" and change.old in wanted
    }


def _read(step: Step) -> frozenset[str]:
    use = name_use(code_of(step))
    return use.first | use.inside
