"""Recorded steps and the places in them, as generated code takes them: cells alone, and expressions for places."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from llmos_nb.crystals.facts import written
from llmos_nb.errors import NotCrystallizable
from llmos_nb.learning.crystal_text import Blank
from llmos_nb.learning.crystal_values import plain_value
from llmos_nb.memory import Step
from llmos_nb.memory.programs import Parameter, Pattern, Place

__all__ = ["blank_for", "plain_steps"]


def plain_steps(steps: Sequence[Step]) -> tuple[list[Step], dict[tuple[int, str], int]]:
    """The steps with what a cell was given as ``parameters`` written before its code, and where each value went."""
    made, shifts = [], {}
    for index, step in enumerate(steps):
        given = step.arguments.get("parameters") if step.tool == "run_cell" else None
        if not given:
            made.append(step if given is None else dataclasses.replace(step, arguments=_without(step.arguments)))
            continue
        head = ""
        for name, value in given.items():
            head += f"{name} = "
            shifts[index, f"parameters/{name}"] = len(head)
            head += f"{written(plain_value(value))}\n"
        shifts[index, "code"] = len(head)
        code = head + str(step.arguments["code"])
        made.append(dataclasses.replace(step, arguments={**_without(step.arguments), "code": code}))
    return made, shifts


def _without(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "parameters"}


def blank_for(
    place: Place,
    pattern: Pattern,
    names: Sequence[str],
    family: Sequence[Parameter],
    shifts: Mapping[tuple[int, str], int],
) -> Blank:
    source = pattern.source(names)
    if not source:
        raise NotCrystallizable(
            f"Step {place.step + 1}: no short expression makes {str(place.value)[:60]!r} from the goal."
        )
    if place.role == "number":
        kinds = {family[term.parameter].type for term in pattern.terms}
        if isinstance(place.value, Decimal) and kinds == {"int"}:
            source = f"float({source})"  # the recorded literal has a point
    shift = shifts.get((place.step, place.argument), 0)
    if place.start >= 0:
        return Blank(
            place.step, place.argument, place.start + shift, place.end + shift, place.role, source, place.context
        )
    if not shift:
        return Blank(place.step, place.argument, -1, -1, place.role, source, place.context)
    value = float(place.value) if isinstance(place.value, Decimal) else place.value
    length = len(written(plain_value(value)))
    return Blank(place.step, "code", shift, shift + length, place.role, source, place.context)
