"""A goal with its values lifted out, as plain values: what is left is the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

__all__ = ["KINDS", "Lifted", "Slot", "Value"]

#: What a slot can hold. Numbers are exact; a list holds the values of its items; a date is ISO 8601 text.
Value = int | Decimal | str | tuple["Value", ...]

#: The kinds of value that the words alone tell; a vocabulary adds its own (``column``, ``variable``, ``department``).
KINDS: Final = (
    "integer", "decimal", "percent", "money", "ordinal", "quantity", "range", "date", "time", "datetime",
    "quoted", "code", "identifier", "path", "url", "email", "name", "list",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """One value in a goal.

    ``kind`` is one of :data:`KINDS` or a kind of the vocabulary; ``kinds`` are all that fit (a word can be a column and
    a value of another): those of the vocabulary in alphabetical order, and last what the text alone would be. ``text``
    is what the goal says at ``start:end``, without the quotes around it; ``value`` what it means, a quantity in its base
    unit, which ``unit`` names. Of money ``unit`` is the currency, of a percentage ``%``. ``items`` are the slots of a
    list or the two ends of a range, in whose ``text`` quotes and joining words stay. A list's ``unit`` begins with
    ``or`` where that word joins it: "a or b" is not "a and b".
    """

    name: str
    kind: str
    text: str
    start: int
    end: int
    value: Value
    unit: str = ""
    kinds: tuple[str, ...] = ()
    items: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifted:
    """A goal taken apart. ``template`` has ``{name}`` where a value was; braces of the goal itself are doubled.

    ``pieces`` is the text between the slots: one more than there are slots.
    """

    goal: str
    template: str
    slots: tuple[Slot, ...]
    pieces: tuple[str, ...]

    def fill(self, texts: Mapping[str, str] | None = None) -> str:
        """The goal again, with other texts where ``texts`` has some: ``lift(goal).fill() == goal``."""
        given = texts or {}
        parts = [self.pieces[0]]
        for slot, piece in zip(self.slots, self.pieces[1:], strict=True):
            parts += [given.get(slot.name, slot.text), piece]
        return "".join(parts)
