"""What a run left behind, as plain values: a trace is a goal and the steps that reached it.

Values only: how they look in a file is :mod:`llmos_nb.memory.codec`, where the files live is
:mod:`llmos_nb.memory.store`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["EDITED", "STATUSES", "Expectation", "Step", "Trace", "as_record", "from_record"]

#: The end states of a run. Only traces with the first one are ever replayed or used as guidance.
STATUSES: Final = ("success", "failed", "stopped", "timed_out", "denied", "over_budget")

#: The front matter of a trace that has the numbers of steps which a person edited before they ran.
EDITED: Final = "edited_steps"


def _no_tokens() -> dict[str, int]:
    return {"input": 0, "output": 0, "cache_read": 0, "cache_write": 0}


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a step did when it was recorded, and so what a replay of it must do again."""

    #: ``ok`` or ``error``.
    status: str = "ok"
    #: Class name of the exception, when ``status`` is ``error``.
    error: str = ""
    #: Names the step bound, each with its type's name.
    defines: Mapping[str, str] = field(default_factory=dict)
    #: For names bound to a DataFrame: the column names in order.
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Names the step removed.
    deletes: tuple[str, ...] = ()
    #: Kinds of output in order: a MIME type, or ``stream``.
    outputs: tuple[str, ...] = ()
    #: Files written, relative to the workspace.
    files: tuple[str, ...] = ()
    #: Digest of the outputs that can be compared; its maker alone knows how it is made.
    digest: str = ""
    #: False: kept for study, skipped on replay.
    replay: bool = True

    def __post_init__(self) -> None:
        for name in ("deletes", "outputs", "files"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.columns:
            object.__setattr__(self, "columns", {name: tuple(columns) for name, columns in self.columns.items()})


@dataclass(frozen=True, slots=True)
class Step:
    """One tool call: what was asked for, and what came of it. ``duration_s`` is in seconds, None where unknown."""

    tool: str
    #: What the tool was called with; only what JSON can hold.
    arguments: Mapping[str, Any]
    expect: Expectation = Expectation()
    #: What was shown, as text.
    output: str = ""
    duration_s: float | None = None
    #: The subagent that did it; empty for the trace's own agent.
    agent: str = ""

    def __post_init__(self) -> None:
        if self.duration_s is not None:
            object.__setattr__(self, "duration_s", float(self.duration_s))


@dataclass(frozen=True, slots=True)
class Trace:
    """How one goal went. Durations are seconds, costs US dollars (None where no price is known).

    ``str(trace)`` is the text of its file.
    """

    goal: str
    steps: Sequence[Step]
    #: One of :data:`STATUSES`.
    status: str = "success"
    cost_usd: float | None = 0.0
    #: Name of the trace and of its file; the store fills it in.
    id: str = ""
    #: The goal with its values lifted out, and those values.
    template: str = ""
    slots: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "learner"
    agent: str = ""
    model: str = ""
    endpoint: str = ""
    #: The cost is what a paid endpoint would have asked, not what was paid.
    simulated_cost: bool = False
    #: ISO 8601 in UTC, ``2026-11-22T07:41:03Z``; the store fills it in.
    created_at: str = ""
    duration_s: float = 0.0
    #: ``input``, ``output``, ``cache_read``, ``cache_write``.
    tokens: Mapping[str, int] = field(default_factory=_no_tokens)
    #: Versions the run depended on.
    environment: Mapping[str, Any] = field(default_factory=dict)
    #: Paths that were read, each with a prefix of its SHA-256.
    inputs: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    #: Why it failed, or why a replay was refused.
    reason: str = ""
    #: Traces that the agent was shown as guidance.
    guided_by: tuple[str, ...] = ()
    #: When and why a person called it wrong; such a trace is kept for study and out of use.
    wrong: str = ""
    #: Front matter that this version does not know; kept as it is.
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "guided_by", tuple(self.guided_by))
        object.__setattr__(self, "duration_s", float(self.duration_s))
        if self.cost_usd is not None:
            object.__setattr__(self, "cost_usd", float(self.cost_usd))

    def __repr__(self) -> str:
        counted = f"{len(self.steps)} step{'' if len(self.steps) == 1 else 's'}"
        return f"<trace {self.id or '(not stored)'}: {self.goal!r}, {self.status}, {counted}; print shows the whole>"

    def __str__(self) -> str:
        from llmos_nb.memory.codec import dump

        return dump(self).rstrip()

    @property
    def project(self) -> str:
        """The project it was made in; empty: in none."""
        found = self.extra.get("project")
        return found if isinstance(found, str) else ""

    @property
    def edited_steps(self) -> tuple[int, ...]:
        """The numbers of steps that a person edited before they ran: they do what that person wrote."""
        found = self.extra.get(EDITED)
        return tuple(n for n in found if isinstance(n, int)) if isinstance(found, list | tuple) else ()

    def to_code(self) -> str:
        """Its program as one cell of plain Python, which runs without this package."""
        from llmos_nb.memory.export import code_of

        return code_of(self)

    def to_notebook(self, path: Path | str, *, replace: bool = False) -> Path:
        """Write it as a notebook: the goal, a cell a step, the answer. One that exists is replaced with ``replace`` alone.

        Raises:
            StoreError, OSError: it cannot be written, is no notebook's name, or is there already.
        """
        from llmos_nb.memory.export import write_notebook

        return write_notebook(self, path, replace=replace)

    @property
    def replayable_steps(self) -> tuple[Step, ...]:
        """The steps that a replay runs, in order."""
        return tuple(step for step in self.steps if step.expect.replay)

    @property
    def replayable(self) -> bool:
        """It ended in success, nobody called it wrong, and there is a step to run."""
        return self.status == "success" and not self.wrong and any(step.expect.replay for step in self.steps)


def _optional(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """The fields that have a default, with it."""
    return tuple(
        (f.name, f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default)
        for f in dataclasses.fields(kind)
        if f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
    )


_TRACE_FIELDS: Final = _optional(Trace)
_STEP_FIELDS: Final = tuple(pair for pair in _optional(Step) if pair[0] != "expect")
_EXPECT_FIELDS: Final = _optional(Expectation)


def _filled(value: Any, declared: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    return {name: item for name, default in declared if (item := getattr(value, name)) != default}


def as_record(trace: Trace) -> dict[str, Any]:
    """The trace as plain data that ``json.dumps`` takes; fields at their default are left out."""
    steps = []
    for step in trace.steps:
        record = {"tool": step.tool, "arguments": step.arguments, **_filled(step, _STEP_FIELDS)}
        expect = _filled(step.expect, _EXPECT_FIELDS)
        steps.append({**record, "expect": expect} if expect else record)
    return {"goal": trace.goal, "steps": steps, **_filled(trace, _TRACE_FIELDS)}


def from_record(record: Mapping[str, Any]) -> Trace:
    """The inverse of :func:`as_record`, also after a trip through JSON."""
    steps = [
        Step(**{**step, "expect": Expectation(**step["expect"])}) if "expect" in step else Step(**step)
        for step in record["steps"]
    ]
    return Trace(**{**record, "steps": steps})
