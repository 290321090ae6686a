"""Traces that share a shape, sorted into families that say what each of their places follows.

What differs between two examples is explained by what differs between their goals, or the two are not one family. One
example shows nothing; two with different values confirm what both bear out; and what a template's own examples
contradict is refuted for good.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmos_nb.memory.programs.align import alignments
from llmos_nb.memory.programs.atoms import Atoms, Row, meaning
from llmos_nb.memory.programs.derive import IDENTITIES
from llmos_nb.memory.programs.explain import TooMany, explain
from llmos_nb.memory.programs.parameter import Parameter, parameters_of
from llmos_nb.memory.programs.pattern import Pattern
from llmos_nb.memory.programs.places import Program, program_of
from llmos_nb.memory.programs.solution import Contradiction, Solution, solve
from llmos_nb.memory.slots.slot import Slot
from llmos_nb.memory.trace import Trace

__all__ = ["Example", "Family", "World", "families_of", "same_values"]

#: More ways than these in which the phrasings of one family can fit together: they are kept apart.
MOST_WORLDS = 12


@dataclass(frozen=True, slots=True)
class Example:
    """A successful trace and the slots of its goal, in the order of the goal."""

    trace: Trace
    slots: tuple[Slot, ...]
    #: The program of the trace, where it was read before.
    program: Program | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class World:
    """One way to say which slot is which parameter.

    ``assigned`` has the parameter of each slot of each member (None: it has no counterpart), ``rows`` the members'
    slots by parameter.
    """

    assigned: tuple[tuple[int | None, ...], ...]
    rows: tuple[Row, ...]
    solution: Solution


@dataclass(frozen=True, slots=True)
class Family:
    """``members`` are indices of examples. With several ``worlds`` a new goal must come out the same in all."""

    members: tuple[int, ...]
    worlds: tuple[World, ...]
    #: Why nothing may change, in words.
    refuted: str = ""
    parameters: Mapping[int, Parameter] | None = None


def same_values(one: Sequence[Slot], other: Sequence[Slot]) -> bool:
    """Whether two goals of one template have the same values, however they are written."""
    return len(one) == len(other) and all(meaning(a) == meaning(b) for a, b in zip(one, other, strict=True))


def template_of(example: Example) -> tuple[str, tuple[str, ...]]:
    """The goal without its values, and their kinds: examples that share it differ in values alone."""
    goal, position, pieces = example.trace.goal, 0, []
    for slot in example.slots:
        pieces.append(goal[position : slot.start])
        position = slot.end
    pieces.append(goal[position:])
    text = "\0".join(re.sub(r"\s+", " ", piece).strip().casefold() for piece in pieces)
    return text, tuple(slot.kind for slot in example.slots)


def families_of(examples: Sequence[Example]) -> tuple[list[Program], list[Family], list[str]]:
    """The examples' programs, their families, and in words what contradicts.

    Examples of another shape than most are outliers: each makes their template need one agreeing example more.
    """
    programs = [example.program or program_of(example.trace.replayable_steps) for example in examples]
    shapes = Counter(program.shape for program in programs)
    shape = max(shapes, key=lambda shape: (shapes[shape], shape == programs[0].shape)) if shapes else ""
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    outliers: Counter[object] = Counter()
    families: list[Family] = []
    refutations: list[str] = []
    for index, example in enumerate(examples):
        template = template_of(example)
        if programs[index].shape == shape:
            groups.setdefault(template, []).append(index)
        else:
            outliers[template] += 1
            reason = "its steps are built otherwise than those of the other examples"
            families.append(Family((index,), (), reason))
            refutations.append(f"{_called(example)}: {reason}")
    merged: list[Family] = []
    for members in sorted(groups.values(), key=lambda members: (-len(members), members[0])):
        try:
            group = _group(examples, programs, members)
        except Contradiction as contradiction:
            families.append(Family(tuple(members), (), str(contradiction)))
            refutations.append(f"{_called(examples[members[0]])}: {contradiction}")
            continue
        fitting = [(family, joined) for family in merged if (joined := _joined(family, group, examples, programs))]
        if len(fitting) == 1:
            merged[merged.index(fitting[0][0])] = fitting[0][1]
        else:
            merged.append(group)
    for family in merged:
        needed = 2 + sum(outliers[template] for template in {template_of(examples[i]) for i in family.members})
        families.append(_named(family, examples, programs, needed))
    order = {family.members: position for position, family in enumerate(merged)}
    families.sort(key=lambda family: (-len(family.members) if family.worlds else 0, order.get(family.members, -1)))
    return programs, families, refutations


def _called(example: Example) -> str:
    return example.trace.id or repr(example.trace.goal[:60])


def _group(examples: Sequence[Example], programs: Sequence[Program], members: Sequence[int]) -> Family:
    """Examples of one template: their slots correspond in order."""
    rows = tuple(examples[index].slots for index in members)
    ways = tuple(tuple(range(len(row))) for row in rows)
    solution = solve([programs[index] for index in members], rows, _proofs(examples, programs, members, rows))
    return Family(tuple(members), (World(ways, rows, solution),))


def _joined(family: Family, group: Family, examples: Sequence[Example], programs: Sequence[Program]) -> Family | None:
    """Both as one family, in every way that leaves no place unexplained; None where there is none."""
    members = (*family.members, *group.members)
    mine = group.worlds[0]
    worlds: list[World] = []
    for world in family.worlds:
        samples = [
            world.rows[0][parameter] if all(row[parameter] is not None for row in world.rows) else None
            for parameter in range(len(world.rows[0]))
        ]
        ways = list(alignments(samples, [slot for slot in mine.rows[0] if slot is not None]))
        for way in ways:
            rows = tuple(_row(row, way, len(samples)) for row in mine.rows)
            try:
                if len(members) > 2 and len(ways) > 1:  # most ways fail on two examples already
                    solve([programs[family.members[0]], programs[group.members[0]]], [world.rows[0], rows[0]])
                together = (*world.rows, *rows)
                solution = solve(
                    [programs[i] for i in members], together, _proofs(examples, programs, members, together)
                )
            except Contradiction:
                continue
            worlds.append(World((*world.assigned, *(way for _ in rows)), together, solution))
            if len(worlds) > MOST_WORLDS:
                return None
    return Family(members, tuple(worlds)) if worlds else None


def _row(slots: Row, way: Sequence[int | None], count: int) -> Row:
    row: list[Slot | None] = [None] * count
    for slot, parameter in zip(slots, way, strict=True):
        if parameter is not None:
            row[parameter] = slot
    return tuple(row)


def _named(family: Family, examples: Sequence[Example], programs: Sequence[Program], needed: int) -> Family:
    """The family with its parameters; nothing is confirmed by fewer than ``needed`` different examples."""
    world = family.worlds[0]
    mine = [programs[index] for index in family.members]
    different = {tuple(place.value for place in program.places) for program in mine}
    proved = {
        term.parameter
        for pattern in _proofs(examples, programs, family.members, world.rows).values()
        for term in pattern.terms
    }
    free = {parameter for parameter, _ in world.solution.varying & world.solution.used}
    sure = free if len(different) >= needed else free & proved if needed == 2 else set()
    solution = world.solution
    if len(family.members) == 1:
        solution = _hypotheses(mine[0], world)
    refuted = ""
    if not sure:
        refuted = (
            "one example alone does not show which steps follow which value"
            if len(different) < 2
            else f"{needed - len(different)} more examples are needed after one that went otherwise"
            if len(different) < needed
            else ""
        )
    return replace(family, refuted=refuted, parameters=parameters_of(mine, world.rows, solution, sure))


def _hypotheses(program: Program, world: World) -> Solution:
    """What a single example suggests: places that say what a slot says."""
    used: dict[int, tuple[Pattern, ...]] = dict(world.solution.patterns)
    for parameter in range(len(world.rows[0])):
        atoms = Atoms(world.rows, frozenset({parameter}))
        for index, place in enumerate(program.places):
            if index not in used:
                found = _telling((place.value,), place.role, place.context, atoms)
                if found:
                    used[index] = found
    refs = frozenset(term.ref for patterns in used.values() for pattern in patterns for term in pattern.terms)
    return replace(world.solution, patterns=used, used=refs)


def _telling(values: tuple[object, ...], role: str, context: str, atoms: Atoms) -> tuple[Pattern, ...]:
    """Patterns by which a place plainly says what a slot says; too many count as one that does."""
    try:
        found = explain(values, role, context, atoms)  # type: ignore[arg-type]
    except TooMany:
        return (Pattern("constant", (values[0],)),)  # type: ignore[arg-type]
    plainly = IDENTITIES | {"number", "numbers"}
    return tuple(p for p in found if any(p.kind != "number" or term.function in plainly for term in p.terms))


def _proofs(
    examples: Sequence[Example], programs: Sequence[Program], members: Sequence[int], rows: Sequence[Row]
) -> dict[int, Pattern]:
    """Declared parameters that a re-run has proved: a value of the goal that occurs there and nowhere else.

    ``trace.extra["proved"]`` has the names of the argument ``parameters`` that were proved.
    """
    found: dict[int, Pattern] = {}
    for position, member in enumerate(members):
        proved = examples[member].trace.extra.get("proved")
        if not isinstance(proved, list | tuple):
            continue
        program, row = programs[member], rows[position]
        for parameter, slot in enumerate(row):
            if slot is None or any(r[parameter] is None for r in rows):
                continue
            if sum(other is not None and meaning(other) == meaning(slot) for other in row) > 1:
                continue
            atoms = Atoms([row], frozenset({parameter}))
            telling = {
                index: patterns
                for index, place in enumerate(program.places)
                if (patterns := _telling((place.value,), place.role, place.context, atoms))
            }
            if len(telling) != 1:
                continue
            ((index, patterns),) = telling.items()
            place = program.places[index]
            name = place.argument.removeprefix("parameters/")
            whole = [
                p
                for p in patterns
                if len(p.parts) == 1 and any(t.function in IDENTITIES | {"number"} for t in p.terms)
            ]
            if (
                place.argument == f"parameters/{name}"
                and name in proved
                and whole
                and _holds(whole[0], index, programs, members, rows)
            ):
                found[index] = whole[0]
    return found


def _holds(
    pattern: Pattern, index: int, programs: Sequence[Program], members: Sequence[int], rows: Sequence[Row]
) -> bool:
    return all(
        pattern.apply(row) == programs[member].places[index].value for member, row in zip(members, rows, strict=True)
    )
