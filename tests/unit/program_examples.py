"""Recorded programs in a line each: values, traces that have them, and what binding other values gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.programs import Bound, Example, Generalization, Unbindable, generalize
from llmos_nb.memory.slots.slot import Slot


def slot(kind: str, text: str, value: Any = None, unit: str = "", items: Sequence[Slot] = ()) -> Slot:
    """A value of a goal; :func:`example` says where it stands."""
    if value is None:
        value = tuple(item.value for item in items) if items else text
    return Slot(kind, kind, text, 0, len(text), value, unit, (kind,), tuple(items))


def n(value: int | str) -> Slot:
    return slot("decimal", value, Decimal(value)) if isinstance(value, str) else slot("integer", str(value), value)


def col(name: str) -> Slot:
    return slot("column", name)


def listed(*names: str) -> Slot:
    return slot("list", ", ".join(names), items=[col(name) for name in names])


def example(
    name: str,
    template: str,
    slots: Sequence[Slot],
    *texts: str,
    tool: str = "run_cell",
    argument: str = "code",
    expect: Expectation | None = None,
    more: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Example:
    """A trace whose goal is ``template`` with the slots at its ``{}``."""
    pieces = template.split("{}")
    goal, placed = pieces[0], []
    for one, piece in zip(slots, pieces[1:], strict=True):
        placed.append(replace(one, start=len(goal), end=len(goal) + len(one.text)))
        goal += one.text + piece
    steps = [Step(tool, {argument: text, **(more or {})}, expect or Expectation(), "shown", 0.1) for text in texts]
    return Example(Trace(goal, steps, id=name, extra=extra or {}), tuple(placed))


def text_of(outcome: Bound | Unbindable, argument: str = "code") -> str:
    assert isinstance(outcome, Bound), outcome
    return "\n---\n".join(str(step.arguments[argument]) for step in outcome.steps)


def refused(outcome: Bound | Unbindable) -> str:
    """Why it was refused."""
    assert isinstance(outcome, Unbindable), outcome.steps[0].arguments
    return outcome.reason


def pair(
    template: str, code: str, one: Sequence[Slot], two: Sequence[Slot], *, fills: Sequence[Sequence[object]]
) -> Generalization:
    """Two examples of one template; ``code`` has ``%s`` where each gets its own text."""
    made = [
        example(name, template, slots, code % tuple(fill))
        for name, slots, fill in zip("ab", (one, two), fills, strict=True)
    ]
    return generalize(made)
