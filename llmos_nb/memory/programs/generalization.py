"""What several traces of one shape say together, and how a new goal's values are put into one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmos_nb.memory.programs.atoms import Row, meaning
from llmos_nb.memory.programs.bound import (
    Bound,
    Unbindable,
    check_names,
    may_change,
    new_values,
    with_comments,
)
from llmos_nb.memory.programs.expected import bound_expectation
from llmos_nb.memory.programs.family import Example, Family, World, families_of, same_values
from llmos_nb.memory.programs.parameter import Parameter, plain
from llmos_nb.memory.programs.pattern import Pattern, Unclear, constant
from llmos_nb.memory.programs.places import Place, Program
from llmos_nb.memory.programs.reading import Literal
from llmos_nb.memory.programs.render import Unwritable, rebuilt
from llmos_nb.memory.programs.solution import VARIABLES
from llmos_nb.memory.slots.slot import Slot
from llmos_nb.memory.trace import Step

__all__ = ["Generalization", "generalize"]


def generalize(examples: Sequence[Example]) -> Generalization:
    """What ``examples`` of one shape say about each other. Deterministic; nothing is run.

    Examples of another shape than most are taken for outliers, each of which asks for one agreeing example more.
    """
    programs, families, refutations = families_of(examples)
    return Generalization(tuple(examples), tuple(programs), tuple(families), tuple(refutations))


@dataclass(frozen=True, slots=True)
class Generalization:
    """Examples sorted into families. ``refutations`` say in words what contradicts."""

    examples: tuple[Example, ...]
    programs: tuple[Program, ...]
    families: tuple[Family, ...]
    refutations: tuple[str, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters of all families, the largest family's first; names are unique within a family."""
        return tuple(parameter for family in self.families for parameter in (family.parameters or {}).values())

    def family(self, example: int | str) -> tuple[Parameter, ...]:
        """The parameters of the family that a trace, or the example of an index, belongs to."""
        family, _ = self._family(self._index(example))
        return tuple((family.parameters or {}).values())

    def members(self, example: int | str) -> tuple[str, ...]:
        """The ids of the traces in one family with this one, itself among them."""
        family, _ = self._family(self._index(example))
        return tuple(self.examples[index].trace.id for index in family.members)

    def order(self, example: int | str) -> tuple[int | None, ...]:
        """For each slot of an example the index of its parameter in :attr:`parameters`; None for a frozen slot.

        A frozen slot must have the very value that it has in the trace which is replayed.
        """
        index = self._index(example)
        family, position = self._family(index)
        if not family.worlds or not family.parameters:
            return (None,) * len(self.examples[index].slots)
        offset = 0
        for other in self.families:
            if other is family:
                break
            offset += len(other.parameters or {})
        numbers = {column: offset + number for number, column in enumerate(family.parameters)}
        return tuple(
            numbers[column]
            if column is not None and column in numbers and family.parameters[column].confirmed
            else None
            for column in family.worlds[0].assigned[position]
        )

    def patterns(self, example: int | str) -> tuple[tuple[Place, Pattern], ...]:
        """Each place of an example's program with its plainest pattern, whose parameters count as in :meth:`family`."""
        index = self._index(example)
        family, _ = self._family(index)
        places = self.programs[index].places
        if not family.worlds or not family.parameters:
            return tuple((place, constant(place.value)) for place in places)
        numbers = {column: number for number, column in enumerate(family.parameters)}
        sure = {column for column, parameter in family.parameters.items() if parameter.confirmed}
        found = family.worlds[0].solution.patterns
        made = []
        for position, place in enumerate(places):
            pattern = next(
                (
                    p
                    for p in found.get(position, ())
                    if p.kind != "constant" and {t.parameter for t in p.terms} <= sure
                ),
                None,
            )
            made.append((place, constant(place.value) if pattern is None else _numbered(pattern, numbers)))
        return tuple(made)

    def bind(self, like: str | int, slots: Sequence[Slot]) -> Bound | Unbindable:
        """The steps of trace ``like`` for a goal with other values.

        ``slots`` are the goal's, in the order of the slots of ``like``. With the same values these are the trace's own
        steps; otherwise each value that differs must be confirmed, and every place must come out in one way.
        """
        try:
            index = self._index(like)
        except KeyError:
            return Unbindable(f"there is no trace {like}")
        example = self.examples[index]
        family, position = self._family(index)
        steps = tuple(example.trace.replayable_steps)
        if len(slots) != len(example.slots):
            return Unbindable(f"the goal has {len(slots)} values, and the recorded one has {len(example.slots)}")
        if same_values(example.slots, slots):
            return Bound(steps, self._bindings(family, position, example.slots))
        if family.refuted or not family.worlds:
            return Unbindable(family.refuted or "nothing is known of other values")
        try:
            outcomes = [self._in_world(family, world, index, position, slots) for world in family.worlds]
            edits = outcomes[0][0]
            if any(other != edits for other, _ in outcomes[1:]):
                return Unbindable("the values of the examples can be matched with each other in more than one way")
            made = rebuilt(steps, edits, self.programs[index])
            changes = [
                (old, new) for old, new in zip(example.slots, slots, strict=True) if meaning(old) != meaning(new)
            ]
            own = frozenset().union(*(world.solution.own for world in family.worlds))
            rename = check_names(self.programs[index], edits, own, [old for old, _ in changes])
        except (Unclear, Unwritable) as error:
            return Unbindable(str(error))
        names = any(step.expect.defines or step.expect.columns for step in steps)
        renames = [self._renames(index, member) if names else {} for member in family.members]
        expected = self._expected(family, family.worlds[0], made, index, renames, rename, outcomes[0][1])
        for world, (_, row) in zip(family.worlds[1:], outcomes[1:], strict=True):
            if self._expected(family, world, made, index, renames, rename, row) != expected:
                return Unbindable("what the steps should do cannot be told in one way")
        bindings = self._bindings(family, position, slots)
        before = self._bindings(family, position, example.slots)
        changed = tuple(name for name, value in bindings.items() if before.get(name) != value)
        return Bound(with_comments(expected, changes), bindings, changed)

    # The steps of binding ------------------------------------------------------------------------------------------

    def _in_world(
        self, family: Family, world: World, index: int, position: int, slots: Sequence[Slot]
    ) -> tuple[dict[int, Literal], Row]:
        example = self.examples[index]
        row: list[Slot | None] = list(world.rows[position])
        for old, new, column in zip(example.slots, slots, world.assigned[position], strict=True):
            if column is not None:
                row[column] = new
            if meaning(old) == meaning(new):
                continue
            if column is None:
                raise Unclear(f"{old.text!r} has no counterpart in the other examples")
            reason = may_change(column, old, new, world.solution, world.rows)
            if reason:
                raise Unclear(reason)
        names = {column: parameter.name for column, parameter in (family.parameters or {}).items()}
        return new_values(self.programs[index], world.solution, world.rows, row, names), row

    def _renames(self, index: int, member: int) -> dict[str, str]:
        """What the variables of one example are called in another."""
        return {
            str(place.value): str(other.value)
            for place, other in zip(self.programs[index].places, self.programs[member].places, strict=True)
            if place.role == "name" and place.context in VARIABLES
        }

    def _expected(
        self,
        family: Family,
        world: World,
        steps: Sequence[Step],
        index: int,
        renames: Sequence[dict[str, str]],
        rename: dict[str, str],
        row: Row,
    ) -> tuple[Step, ...]:
        recorded = [tuple(self.examples[member].trace.replayable_steps) for member in family.members]
        made = []
        for number, step in enumerate(steps):
            others = [steps[number].expect for steps in recorded]
            expect = bound_expectation(step.expect, others, renames, rename, world.rows, row)
            made.append(replace(step, expect=expect, output="", duration_s=None))
        return tuple(made)

    def _bindings(self, family: Family, position: int, slots: Sequence[Slot]) -> dict[str, Any]:
        if not family.worlds or not family.parameters:
            return {}
        assigned = family.worlds[0].assigned[position]
        return {
            family.parameters[column].name: plain(slot)
            for column, slot in zip(assigned, slots, strict=True)
            if column is not None and column in family.parameters
        }

    # Finding -------------------------------------------------------------------------------------------------------

    def _index(self, example: int | str) -> int:
        if isinstance(example, int):
            return range(len(self.examples))[example]
        for index, known in enumerate(self.examples):
            if known.trace.id == example:
                return index
        raise KeyError(example)

    def _family(self, index: int) -> tuple[Family, int]:
        for family in self.families:
            if index in family.members:
                return family, family.members.index(index)
        raise KeyError(index)


def _numbered(pattern: Pattern, numbers: dict[int, int]) -> Pattern:
    """The pattern with the parameters' numbers in their family."""

    def part(value: Any) -> Any:
        if isinstance(value, Pattern):
            return _numbered(value, numbers)
        if isinstance(value, tuple):
            return tuple(part(item) for item in value)
        return replace(value, parameter=numbers[value.parameter]) if hasattr(value, "parameter") else value

    return pattern if pattern.kind == "constant" else replace(pattern, parts=tuple(map(part, pattern.parts)))
