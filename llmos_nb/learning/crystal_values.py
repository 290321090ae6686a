"""Values and types of recorded runs: what a function's parameters take, what its signature says, what it leaves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from llmos_nb.crystals.facts import written
from llmos_nb.errors import NotCrystallizable
from llmos_nb.learning.crystal_module import Given
from llmos_nb.memory import Step

__all__ = ["Named", "Run", "all_types", "annotation_of", "given_from", "plain_value", "types_after"]

_SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "list[str]": {"type": "array", "items": {"type": "string"}},
    "list[int]": {"type": "array", "items": {"type": "integer"}},
    "list[float]": {"type": "array", "items": {"type": "number"}},
}


@dataclass(frozen=True, slots=True)
class Named:
    """A parameter before it has its final name. ``kind`` is a Python type's name, ``values`` what was recorded."""

    name: str
    kind: str
    default: Any
    values: tuple[Any, ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A recorded run: the parameters' values, what it called names that the function binds, and the types of what it
    left behind, by the base's names."""

    trace_id: str
    values: Mapping[str, Any]
    names: Mapping[str, str]
    types: Mapping[str, str]


def given_from(parameter: Named, name: str) -> Given:
    listed = parameter.kind.startswith("list[")
    annotation = f"Sequence[{parameter.kind[5:-1]}]" if listed else parameter.kind
    default = plain_value(parameter.default)
    schema: dict[str, Any] = dict(_SCHEMAS.get(parameter.kind, {}))
    if not schema:
        raise NotCrystallizable(
            f"The parameter {parameter.name} is of type {parameter.kind}, which has no plain form."
        )
    if parameter.about:
        schema["description"] = parameter.about
    schema["examples"] = [default]
    shown = list(dict.fromkeys(written(plain_value(value)) for value in parameter.values))
    recorded = ", ".join(shown[:5]) + (" and others" if len(shown) > 5 else "")
    parts = [parameter.about.rstrip("."), f"Recorded: {recorded}" if recorded else ""]
    about = "".join(f"{part[:1].upper()}{part[1:]}. " for part in parts if part).strip()
    return Given(name, annotation, written(tuple(default) if listed else default), about, parameter.name, schema)


def plain_value(value: Any) -> Any:
    """A value as plain Python: what can be written down and read again."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and "." not in str(value) else float(value)
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise NotCrystallizable(f"The value {value} cannot be written down.")
    if value is None or isinstance(value, str | int | float):
        return value
    raise NotCrystallizable(f"A value of type {type(value).__name__} cannot be written down.")


def types_after(steps: Sequence[Step]) -> dict[str, str]:
    """Names that are there after the steps, with their types."""
    types: dict[str, str] = {}
    for step in steps:
        for name in step.expect.deletes:
            types.pop(name, None)
        types.update(step.expect.defines)
    return types


def all_types(runs: Sequence[Run]) -> dict[str, str]:
    """Names that every run left behind, with all types that they had: ``float64 | int64``."""
    names = [name for name in (runs[0].types if runs else {}) if all(name in run.types for run in runs)]
    return {
        name: " | ".join(sorted({kind for run in runs for kind in run.types[name].split(" | ")})) for name in names
    }


def annotation_of(value: str, types: Mapping[str, str]) -> str:
    if not value:
        return "None"
    kind = types.get(value, "")
    return kind if kind in ("bool", "bytes", "dict", "float", "int", "list", "set", "str", "tuple") else "Any"
