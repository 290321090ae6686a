"""The parameters of a family of traces: which values may change, and what to call them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from llmos_nb.memory.programs.atoms import Row
from llmos_nb.memory.programs.derive import IDENTITIES
from llmos_nb.memory.programs.pattern import Pattern, Term
from llmos_nb.memory.programs.places import Program
from llmos_nb.memory.programs.solution import VARIABLES, Solution
from llmos_nb.memory.programs.taken import BUILTINS
from llmos_nb.memory.slots.slot import KINDS, Slot

__all__ = ["Parameter", "parameters_of", "plain"]

#: What a value is called where neither the program nor the vocabulary has a name for it.
_CALLED: Final = {
    "integer": "number", "decimal": "number", "percent": "percent", "money": "amount", "ordinal": "position",
    "quantity": "size", "range": "limits", "date": "date", "time": "time", "datetime": "moment", "quoted": "text",
    "code": "name", "identifier": "name", "path": "file", "url": "url", "email": "email", "name": "name", "list": "items",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that the traces of a family have been seen to follow.

    ``name`` is a Python identifier, unique in its family; ``type`` is ``int``, ``float``, ``str`` or ``list`` with what
    is in it (``list[str]``); ``values`` are plain values seen, in order. A quantity is a number of base units, which
    ``unit`` names. Only a ``confirmed`` parameter may get a new value.
    """

    name: str
    kind: str
    unit: str
    type: str
    values: tuple[Any, ...]
    confirmed: bool


def plain(slot: Slot) -> Any:
    """A slot's value as Python and JSON know values: ``int``, ``float``, ``str``, ``list``."""
    return _plain(slot.value)


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def parameters_of(
    programs: Sequence[Program], rows: Sequence[Row], solution: Solution, confirmed: Iterable[int]
) -> dict[int, Parameter]:
    """The parameters among the columns of ``rows``: those that some place may follow."""
    sure = frozenset(confirmed)
    candidates = sorted({parameter for parameter, _ in solution.used} | sure)
    taken = {
        str(p.value) for program in programs for p in program.places if p.role == "name" and p.context in VARIABLES
    }
    taken |= {name for program in programs for name in program.fixed}
    names: set[str] = set()
    made: dict[int, Parameter] = {}
    for index in candidates:
        slots = [slot for row in rows if (slot := row[index]) is not None]
        if not slots:
            continue
        kinds = [slot.kind for slot in slots]
        kind = max(kinds, key=lambda kind: (kinds.count(kind), -kinds.index(kind)))
        name = _name(index, kind, programs[0], solution, taken, names)
        names.add(name)
        values = [plain(slot) for slot in slots]
        seen = tuple(value for i, value in enumerate(values) if value not in values[:i])
        made[index] = Parameter(name, kind, slots[0].unit, _type(seen), seen, index in sure)
    return made


def _name(index: int, kind: str, program: Program, solution: Solution, taken: set[str], names: set[str]) -> str:
    """From the program where it names the value, else from the kind; numbered where it is not the only one."""
    wanted = []
    for place_index, patterns in solution.patterns.items():
        hint = program.places[place_index].hint
        if hint and any(_is_all(pattern, index) for pattern in patterns):
            assigned = hint.endswith(" =")
            name = hint.removesuffix(" =")
            if _usable(name) and name not in names and (assigned or name not in taken):
                wanted.append((not assigned, place_index, name))
    if wanted:
        return min(wanted)[2]
    called = _CALLED[kind] if kind in KINDS else re.sub(r"\W+", "_", kind).strip("_").lower()
    called = called if _usable(called) else f"{called}_value" if f"{called}_value".isidentifier() else "value"
    name, number = called, 2
    while name in names or name in taken:
        name, number = f"{called}_{number}", number + 1
    return name


def _is_all(pattern: Pattern, index: int) -> bool:
    """Whether the pattern is the parameter, unchanged and whole."""
    only = pattern.parts[0]
    term = only[0] if isinstance(only, tuple) and only else only
    return (
        len(pattern.parts) == 1
        and isinstance(term, Term)
        and term.ref == (index, -1)
        and (pattern.kind == "list" or term.function in IDENTITIES | {"number"})
    )


def _usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in BUILTINS and not name.startswith("_")


def _type(values: Sequence[Any]) -> str:
    if values and isinstance(values[0], list):
        inner = {_type([item]) for value in values if isinstance(value, list) for item in value}
        return f"list[{_joined(inner)}]"
    return _joined({type(value).__name__ for value in values})


def _joined(types: set[str]) -> str:
    if types <= {"int", "float"} and types:
        return "float" if "float" in types else "int"
    return types.pop() if len(types) == 1 else "str"
