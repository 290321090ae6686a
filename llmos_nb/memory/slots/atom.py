"""A value found in a goal, before it has a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from llmos_nb.memory.slots.slot import Value

__all__ = ["AMOUNTS", "NUMERIC", "PLAIN", "Atom"]

#: Numbers with nothing to them.
PLAIN: Final = frozenset({"integer", "decimal"})
#: Kinds whose values say how much.
AMOUNTS: Final = PLAIN | {"percent", "money", "quantity"}
#: Kinds whose values are numbers.
NUMERIC: Final = AMOUNTS | {"ordinal"}


@dataclass(slots=True)
class Atom:
    """A span of the goal with what it means. ``outer`` is the span with the quotes around it."""

    kinds: tuple[str, ...]
    start: int
    end: int
    value: Value
    unit: str = ""
    outer: tuple[int, int] | None = None
    #: What the number before the unit was multiplied with, so that "3 to 5 cm" can pass it on to the 3.
    factor: int | Decimal = 1
    #: Whether a "k" or "million" belongs to it, of which nobody knows if it is the neighbour's too.
    scaled: bool = False
    items: list[Atom] = field(default_factory=list)
    #: The vocabulary's kinds among ``kinds``, and what the text alone would have been.
    known: tuple[str, ...] = ()
    alone: str = ""

    @property
    def kind(self) -> str:
        """The best kind."""
        return self.kinds[0]

    @property
    def generic(self) -> str:
        """The kind that the text alone tells, perhaps none."""
        return self.alone if self.known else self.kinds[-1]

    @property
    def whole(self) -> tuple[int, int]:
        """The span with quotes, if there are any."""
        return self.outer or (self.start, self.end)
