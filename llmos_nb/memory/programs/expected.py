"""What a step with new values must do: the recorded expectation, as far as all examples bear it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from llmos_nb.memory.programs.atoms import Atoms, Row
from llmos_nb.memory.programs.explain import TooMany, explain
from llmos_nb.memory.programs.pattern import Unclear
from llmos_nb.memory.programs.reading import Literal
from llmos_nb.memory.trace import Expectation

__all__ = ["bound_expectation"]

#: Success, and nothing else that could be expected.
_LITTLE: Final = Expectation()


def bound_expectation(
    like: Expectation,
    others: Sequence[Expectation],
    renames: Sequence[Mapping[str, str]],
    rename: Mapping[str, str],
    rows: Sequence[Row],
    new: Row,
) -> Expectation:
    """``like`` for new values.

    ``others`` are the same step's expectations in all examples, in the order of ``rows``, the slots of each; ``renames``
    say what a name of ``like`` is called in each, ``rename`` what it is called now. What differs between the examples
    without a reason is left open, but for status, error and types: of a name that had several types all are named,
    ``float64 | int64``.
    """
    if like == _LITTLE and all(other == _LITTLE for other in others):
        return like
    atoms = Atoms(rows) if like.columns or like.files else None
    defines: dict[str, str] = {}
    for name in like.defines:
        types = [other.defines.get(names.get(name, name)) for other, names in zip(others, renames, strict=True)]
        if all(kind is not None for kind in types):
            defines[rename.get(name, name)] = " | ".join(sorted({kind for kind in types if kind is not None}))
    columns: dict[str, tuple[str, ...]] = {}
    for name in like.columns:
        tables = [other.columns.get(names.get(name, name)) for other, names in zip(others, renames, strict=True)]
        made = _made(tuple(table for table in tables if table), "list", atoms, new, len(others))
        if isinstance(made, tuple):
            columns[rename.get(name, name)] = tuple(map(str, made))
    return replace(
        like,
        defines=defines,
        columns=columns,
        deletes=tuple(rename.get(name, name) for name in like.deletes),
        outputs=like.outputs if all(other.outputs == like.outputs for other in others) else (),
        files=_files(like, others, atoms, new),
        digest="",
    )


def _made(values: tuple[Literal, ...], role: str, atoms: Atoms | None, new: Row, count: int) -> Literal | None:
    """The value now, or None where it cannot be told."""
    if atoms is None or len(values) < count:
        return None
    try:
        made = [pattern.apply(new) for pattern in explain(values, role, "", atoms)]
    except (TooMany, Unclear):
        return None
    return made[0] if made and all(value == made[0] for value in made[1:]) else None


def _files(like: Expectation, others: Sequence[Expectation], atoms: Atoms | None, new: Row) -> tuple[str, ...]:
    if any(len(other.files) != len(like.files) for other in others):
        return ()
    found = []
    for index, file in enumerate(like.files):
        suffix = file.rpartition(".")[2]
        same_place = tuple(other.files[index] for other in others)
        alike = [[name for name in other.files if name.rpartition(".")[2] == suffix] for other in others]
        same_suffix = tuple(names[0] for names in alike if len(names) == 1)
        made = _made(same_place, "string", atoms, new, len(others))
        if made is None:
            made = _made(same_suffix, "string", atoms, new, len(others))
        if not isinstance(made, str):
            return ()
        found.append(made)
    return tuple(sorted(found)) if len(set(found)) == len(found) else ()
