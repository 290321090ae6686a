"""What a set of examples says about each place, once it is settled which slot is which parameter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.memory.programs.atoms import Atoms, Row
from llmos_nb.memory.programs.explain import TooMany, explain
from llmos_nb.memory.programs.pattern import Pattern, Ref
from llmos_nb.memory.programs.places import Place, Program
from llmos_nb.memory.programs.reading import Literal

__all__ = ["VARIABLES", "Contradiction", "Solution", "shown", "solve"]

#: Contexts of names that are variables: these can be renamed, all together.
VARIABLES: Final = frozenset({"load", "store", "del", "augment", "bound", "import"})
#: Contexts of names that a program can choose for itself.
OWN: Final = VARIABLES - {"import"}


class Contradiction(ValueError):
    """A place varies between the examples and nothing explains how; the message says where, in words."""


@dataclass(frozen=True, slots=True)
class Solution:
    """``patterns`` are all that survive, for each place that is no plain constant."""

    patterns: Mapping[int, tuple[Pattern, ...]]
    #: Places that hold a variable's name which each example chose for itself; a trace keeps its own.
    own: frozenset[int]
    #: Places that can be read in too many ways.
    unclear: frozenset[int]
    #: What differs between the examples, and what of that a place follows.
    varying: frozenset[Ref]
    used: frozenset[Ref]
    #: What a place follows in more than its length: only this may change.
    followed: frozenset[Ref]


def solve(programs: Sequence[Program], rows: Sequence[Row], proofs: Mapping[int, Pattern] | None = None) -> Solution:
    """All patterns that every example bears out. ``proofs``: places whose pattern a re-run has proved.

    Raises:
        Contradiction: if a place varies and no pattern explains it.
    """
    atoms = Atoms(rows)
    proved = proofs or {}
    patterns: dict[int, tuple[Pattern, ...]] = {index: (pattern,) for index, pattern in proved.items()}
    unclear: set[int] = set()
    unexplained: list[int] = []
    known: dict[tuple[object, ...], tuple[Pattern, ...] | None] = {}
    suspect = bool(atoms.steady or atoms.steady_numbers or atoms.lists)
    columns = list(zip(*([place.value for place in program.places] for program in programs), strict=True))
    for index, place in enumerate(programs[0].places):
        values = columns[index]
        if index in proved:
            continue
        if values.count(values[0]) == len(values) and not suspect:
            continue
        key = (place.role, place.context, values, *map(type, values))
        if key not in known:
            try:
                known[key] = explain(values, place.role, place.context, atoms)
            except TooMany:
                known[key] = None
        found = known[key]
        if found is None:
            unclear.add(index)
        elif not found:
            if place.role != "name" or place.context not in OWN:
                raise Contradiction(_differs(place, values))
            unexplained.append(index)
        elif len(found) > 1 or found[0].kind != "constant":
            patterns[index] = found
    own = _own_names(programs, columns, unexplained)
    used = frozenset(term.ref for found in patterns.values() for pattern in found for term in pattern.terms)
    proved_refs = {term.ref for pattern in proved.values() for term in pattern.terms}
    varying = frozenset(atoms.varying | proved_refs)
    return Solution(patterns, own, frozenset(unclear), varying, used, followed_by(patterns.values()) & varying)


def followed_by(found: Iterable[Sequence[Pattern]]) -> frozenset[Ref]:
    """The parameters, and items of them, that patterns follow; a list's length alone is not the list."""
    return frozenset(
        term.ref
        for patterns in found
        for pattern in patterns
        for term in pattern.terms
        if not term.function.startswith("length")
    )


def _own_names(
    programs: Sequence[Program], columns: Sequence[tuple[Literal, ...]], unexplained: Sequence[int]
) -> frozenset[int]:
    """The unexplained places, which hold variables, if the programs make these themselves and rename them consistently.

    Raises:
        Contradiction: if one is anything else.
    """
    if not unexplained:
        return frozenset()
    places = programs[0].places
    made = [_made(program) for program in programs]
    meant: dict[str, tuple[Literal, ...]] = {}
    for index, place in enumerate(places):
        if (
            place.role == "name"
            and place.context in VARIABLES
            and meant.setdefault(str(place.value), columns[index]) != columns[index]
        ):
            raise Contradiction(_differs(place, columns[index]))
    for position in range(len(programs)):
        if len({column[position] for column in meant.values()}) < len(meant):
            raise Contradiction("two names in one example are one name in another")
    for index in unexplained:
        if any(str(value) not in names for value, names in zip(columns[index], made, strict=True)):
            raise Contradiction(_differs(places[index], columns[index]))
    return frozenset(unexplained)


def _made(program: Program) -> set[str]:
    """Variables that a program binds before it uses them."""
    made: set[str] = set()
    used: set[str] = set()
    for place in program.places:
        if place.role != "name":
            continue
        name = str(place.value)
        if place.context in ("store", "bound") and name not in used:
            made.add(name)
        elif place.context in ("load", "del", "augment") and name not in made:
            used.add(name)
    return made


def _differs(place: Place, values: Sequence[object]) -> str:
    different = list(_distinct(values))[:2]
    seen = " in one example and ".join(map(shown, different))
    return f"step {place.step + 1} has {seen} in another, and no value of the goal says why"


def _distinct(values: Sequence[object]) -> Iterator[object]:
    for index, value in enumerate(values):
        if value not in values[:index]:
            yield value


def shown(value: object) -> str:
    """A value as people would write it in a sentence."""
    if isinstance(value, tuple):
        text = f"[{', '.join(map(shown, value))}]"
    else:
        text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]} …"
