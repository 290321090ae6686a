"""New values for a recorded program: every place is settled, or nothing is run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmos_nb.memory.programs.align import alike
from llmos_nb.memory.programs.atoms import Row, meaning
from llmos_nb.memory.programs.derive import IDENTITIES
from llmos_nb.memory.programs.pattern import Pattern, Unclear
from llmos_nb.memory.programs.places import Program, readings_of
from llmos_nb.memory.programs.reading import Literal
from llmos_nb.memory.programs.render import Unwritable
from llmos_nb.memory.programs.solution import VARIABLES, Solution, shown
from llmos_nb.memory.programs.taken import BUILTINS, POWERFUL, TABLE_NAMES
from llmos_nb.memory.programs.tame import untame
from llmos_nb.memory.slots.slot import Slot
from llmos_nb.memory.trace import Step

__all__ = ["Bound", "Unbindable", "check_names", "may_change", "new_values", "renamed", "with_comments"]

_WORDS = re.compile(r"[^\W_]+")
_ISO = re.compile(r"\d{4}-\d\d(?:-\d\d)?$|--\d\d")


@dataclass(frozen=True, slots=True)
class Bound:
    """Steps ready to replay; ``bindings`` are the parameters' plain values, ``changed`` the names of the new ones."""

    steps: tuple[Step, ...]
    bindings: Mapping[str, Any] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unbindable:
    """The values cannot be put in with certainty; ``reason`` is a sentence for people, without a full stop."""

    reason: str

    def __bool__(self) -> bool:
        return False


def may_change(parameter: int, old: Slot, new: Slot, solution: Solution, rows: Sequence[Row]) -> str:
    """Why the parameter's value must stay as it was, or an empty string."""
    if old.kind == new.kind == "date" and bool(_ISO.match(str(old.value))) != bool(_ISO.match(str(new.value))):
        return f"{new.text!r} could be two dates, or is written another way than {old.text!r}"
    if not alike(old, new):
        return f"{new.text!r} is another kind of value than {old.text!r}"
    free = solution.followed
    if not isinstance(old.value, tuple) or not isinstance(new.value, tuple) or not old.items:
        return "" if (parameter, -1) in free else _frozen(old)
    if len(new.items) != len(old.items):
        lengths = {len(slot.items) for row in rows if (slot := row[parameter]) is not None}
        return (
            "" if (parameter, -1) in free and len(lengths) > 1 else f"it has always been a list of {len(old.items)}"
        )
    for index, (before, now) in enumerate(zip(old.items, new.items, strict=True)):
        if meaning(before) != meaning(now) and not free & {(parameter, index), (parameter, -1)}:
            return _frozen(before)
    return ""


def _frozen(slot: Slot) -> str:
    return f"no two examples show what another value than {slot.text!r} would change"


def new_values(
    program: Program, solution: Solution, rows: Sequence[Row], new: Row, names: Mapping[int, str]
) -> dict[int, Literal]:
    """The value of each place that gets another one.

    Raises:
        Unclear: if a place's patterns disagree, or one makes something that must not stand there.
    """
    for index in sorted(solution.unclear):
        place = program.places[index]
        raise Unclear(f"{shown(place.value)} in step {place.step + 1} can be read in too many ways")
    values: dict[int, Literal] = {}
    settled: dict[tuple[int, str, str], Literal] = {}
    for index, patterns in solution.patterns.items():
        place = program.places[index]
        key = (id(patterns), place.role, place.context)  # places that agree in all examples share their patterns
        if key in settled:
            if settled[key] != place.value:
                values[index] = settled[key]
            continue
        made: list[tuple[Literal, Pattern]] = []
        patterns = _plainest(patterns)
        for pattern in patterns:
            try:
                made.append((pattern.apply(new), pattern))
            except Unclear as unclear:
                raise Unclear(f"{shown(place.value)} in step {place.step + 1}: {unclear}") from None
        value, first = made[0]
        for other, pattern in made[1:]:
            if other != value:
                raise Unclear(
                    f"{shown(place.value)} in step {place.step + 1} could be {_described(first, names)} or "
                    f"{_described(pattern, names)}"
                )
        if value == place.value:
            settled[key] = value
            continue
        for pattern in patterns:
            odd = untame(pattern, place, new, rows)
            if odd:
                raise Unclear(f"{shown(place.value)} in step {place.step + 1}: {odd}")
        values[index] = settled[key] = value
    return values


def _plainest(patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
    """Without functions of a number that stands there itself in every example: 0 and 1 are squares, too."""
    numbers = {p: tuple(p.terms) for p in patterns if p.kind == "number"}
    plain = {term.ref for terms in numbers.values() for term in terms if term.function in IDENTITIES}
    return tuple(
        p
        for p in patterns
        if p not in numbers
        or any(term.function in IDENTITIES for term in numbers[p])
        or not {term.ref for term in numbers[p]} <= plain
    )


def _described(pattern: Pattern, names: Mapping[int, str]) -> str:
    """A pattern in a few words."""
    if pattern.kind == "constant":
        return "fixed"
    found = []
    for term in pattern.terms:
        name = names.get(term.parameter, "a value")
        said = f"`{name}`" + (f" item {term.item + 1}" if term.item >= 0 else "")
        function = "" if term.function in ("same", "str", "number", "numbers") else f" ({term.function})"
        if said + function not in found:
            found.append(said + function)
    return "from " + " and ".join(found[:3])


def renamed(program: Program, values: Mapping[int, Literal]) -> dict[str, str]:
    """What each variable of the program is called now.

    Raises:
        Unwritable: if one variable would get two names, or two variables one.
    """
    names: dict[str, str] = {name: name for name in program.fixed}
    for index, place in enumerate(program.places):
        if place.role != "name" or place.context not in VARIABLES:
            continue
        old, new = str(place.value), str(values.get(index, place.value))
        if names.setdefault(old, new) != new:
            raise Unwritable(f"the variable {old} would be called {names[old]} and {new}")
    if len(set(names.values())) < len(names):
        twice = next(new for new in names.values() if list(names.values()).count(new) > 1)
        raise Unwritable(f"two variables would be called {twice}")
    return names


def check_names(
    program: Program, values: Mapping[int, Literal], own: frozenset[int], changed: Sequence[Slot]
) -> dict[str, str]:
    """What each variable is called now, after a look at what the new names already mean.

    Raises:
        Unwritable: if a new name means something else, or a name that stays tells of an old value.
    """
    names = renamed(program, values)
    for index, value in values.items():
        place = program.places[index]
        if place.role != "name" or not isinstance(value, str):
            continue
        if value in POWERFUL or (value.startswith("_") and not str(place.value).startswith("_")):
            raise Unwritable(f"{value!r} is not the name of data")
        if place.context in ("store", "bound", "augment") and value in BUILTINS:
            raise Unwritable(f"the variable {place.value} would hide Python's own {value}")
        if place.context == "attribute" and value in TABLE_NAMES and place.value not in TABLE_NAMES:
            raise Unwritable(f"{value!r} is a name that tables have themselves, not only a column")
    old_words = {
        word for slot in changed for word in _WORDS.findall(str(slot.value).casefold()) if not word.isdigit()
    }
    for index in own:
        words = set(_WORDS.findall(str(program.places[index].value).casefold()))
        if words & old_words:
            raise Unwritable(f"the variable {program.places[index].value} is named after the old value")
    return names


def with_comments(steps: Sequence[Step], changes: Sequence[tuple[Slot, Slot]]) -> tuple[Step, ...]:
    """``steps`` with old values in the comments of Python code replaced: a comment does nothing, but it is read."""
    if not any(reading.comments for step in steps for _, reading in readings_of(step)):
        return tuple(steps)
    replaced: dict[str, str] = {}
    for old, new in changes:
        for before, now in ((old.text, new.text), (str(old.value), str(new.value))):
            if not isinstance(old.value, tuple) and now.isprintable() and replaced.setdefault(before, now) != now:
                replaced[before] = before  # two new values for one old one: it stays
    wanted = [re.escape(text) for text in sorted(replaced, key=len, reverse=True) if text]
    if not wanted:
        return tuple(steps)
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(wanted)})(?!\w|\.\w)")
    made = []
    for step in steps:
        arguments = dict(step.arguments)
        for name, reading in readings_of(step):
            text = arguments.get(name)
            if not reading.comments or not isinstance(text, str):
                continue
            for start, end in reversed(reading.comments):
                comment = pattern.sub(lambda found: replaced[found[0]], text[start:end])
                text = text[:start] + comment + text[end:]
            arguments[name] = text
        made.append(replace(step, arguments=arguments) if arguments != dict(step.arguments) else step)
    return tuple(made)
