"""A recorded run made into a trace that a pack brings along: a task that is free for whoever installs the pack.

What it keeps of the run are the steps, the answer, and which values of the goal are what (:mod:`llmos_nb.memory.library`
says how a goal is matched with it). Ids, times, costs, folders, versions and outputs stay behind.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from llmos_nb.errors import PackError
from llmos_nb.kernel.files import atomic_write, make_folder
from llmos_nb.learning.shows import SHOWS, kind_shown
from llmos_nb.memory import Trace
from llmos_nb.memory.catalogue import INDEX
from llmos_nb.memory.codec import dump, parse
from llmos_nb.memory.library import GROUP, KINDS, TASK, index_of, is_readable
from llmos_nb.memory.seal import sealed

__all__ = ["as_shipped", "ship", "slug"]

#: Libraries say when their format was made, not when they were built: building again changes nothing.
_CREATED: Final = "2026-11-23T00:00:00Z"


def as_shipped(trace: Trace, *, id: str, task: str, group: str, values: Mapping[str, tuple[str, object]]) -> Trace:
    """A trace as a pack brings it: ``values`` has for each part of the task, such as ``t`` or ``w2``, what it is and what
    it was here.

    Raises:
        PackError: nothing of the trace can be replayed.
    """
    steps = [
        dataclasses.replace(
            step,
            expect=dataclasses.replace(step.expect, columns={}, outputs=()),
            output="",
            duration_s=None,
        )
        for step in trace.replayable_steps
    ]
    if not steps:
        raise PackError(f"{trace.goal!r}: nothing of it can be replayed.", remedy="%trace shows why; record it anew.")
    needs = trace.environment.get("needs")
    shown = kind_shown(str(steps[-1].arguments.get("code", "")), trace.replayable_steps[-1].expect.outputs)
    slim = Trace(
        goal=trace.goal,
        steps=steps,
        status=trace.status,
        id=id,
        created_at=_CREATED,
        slots={part: {"type": kind, "value": value} for part, (kind, value) in sorted(values.items())},
        inputs=dict.fromkeys(trace.inputs, ""),
        answer=trace.answer,
        environment={"needs": needs} if needs else {},
        extra={TASK: task, GROUP: group, SHOWS: shown},
    )
    return sealed(slim)


def ship(trace: Trace, folder: Path, *, task: str, group: str, values: Mapping[str, tuple[str, object]]) -> Path:
    """Write a trace among those of a pack, in ``folder``, and the index beside them; returns the file.

    The same goal of the same task is written anew.

    Raises:
        PackError: the trace cannot be replayed, a kind is none, or a value does not stand in the goal.
        StoreError: the folder cannot be written.
    """
    for part, (kind, _) in values.items():
        if kind not in KINDS or not re.fullmatch(r"[a-z]\d?", part):
            known = ", ".join(KINDS)
            raise PackError(
                f"{part}: {kind!r} is no kind of a value.",
                remedy=f"A part is a letter, or one and a digit; kinds: {known}.",
            )
    number, name = 1, f"{slug(task)}-1"
    place = folder / slug(group)
    while (place / f"{name}.md").exists() and not _same_goal(place / f"{name}.md", trace.goal):
        number += 1
        name = f"{slug(task)}-{number}"
    made = dump(as_shipped(trace, id=name, task=task, group=group, values=values))
    path = place / f"{name}.md"
    if not is_readable(made, name):
        told = ", ".join(f"{part} ({value!r})" for part, (_, value) in values.items())
        raise PackError(
            f"{trace.goal!r}: its values are not {told}, each once and no other.",
            remedy="Name every value of the goal: a table, a column, a number, a file.",
        )
    make_folder(place)
    atomic_write(path, made.encode())
    atomic_write(folder / INDEX, index_of(folder).encode())
    return path


def slug(text: str) -> str:
    """A text as a part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _same_goal(path: Path, goal: str) -> bool:
    return parse(path.read_text(encoding="utf-8"), path.name).goal == goal
