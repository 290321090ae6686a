"""Which value of one phrasing is which value of another: "from A to B" and "to B from A"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from llmos_nb.memory.slots.slot import KINDS, Slot

__all__ = ["alignments", "alike"]

#: More ways than these to put two phrasings' values together: they are not compared.
MOST_ALIGNMENTS: Final = 120

_NUMBERS: Final = frozenset({"integer", "decimal", "ordinal"})
#: Kinds with a meaning of their own: these are never taken for a word.
_STRICT: Final = frozenset(
    {"percent", "money", "quantity", "range", "date", "time", "datetime", "path", "url", "email", "list"}
)


def alike(one: Slot, other: Slot) -> bool:
    """Whether both can be values of one parameter: they share a kind, or are both plain numbers, or both words."""
    if one.unit != other.unit:
        return False
    mine, theirs = {one.kind, *one.kinds}, {other.kind, *other.kinds}
    if one.kind in _STRICT or other.kind in _STRICT:
        return one.kind == other.kind or bool(mine & theirs & (_STRICT | {"identifier", "code", "quoted"}))
    if mine & theirs:
        return True
    if one.kind in _NUMBERS or other.kind in _NUMBERS:
        return one.kind in _NUMBERS and other.kind in _NUMBERS
    return one.kind in KINDS or other.kind in KINDS  # two kinds of the vocabulary are two kinds


def alignments(parameters: Sequence[Slot | None], slots: Sequence[Slot]) -> Iterator[tuple[int | None, ...]]:
    """For each slot the parameter it may be, as many as possible; None where none is left for it.

    ``parameters`` are sample slots, None where a parameter is out of the question. Yields nothing where there are more
    ways than are looked at.
    """
    choices = [
        [index for index, sample in enumerate(parameters) if sample is not None and alike(sample, slot)]
        for slot in slots
    ]
    for missing in range(len(slots) + 1):
        found: list[tuple[int | None, ...]] = []
        _extend(choices, (), missing, found)
        if found:
            yield from found if len(found) <= MOST_ALIGNMENTS else ()
            return


def _extend(
    choices: Sequence[Sequence[int]], way: tuple[int | None, ...], missing: int, found: list[tuple[int | None, ...]]
) -> None:
    """Add all ways to go on from ``way`` that leave ``missing`` more slots without a parameter."""
    if len(found) > MOST_ALIGNMENTS:
        return
    if len(way) == len(choices):
        if not missing:
            found.append(way)
        return
    for index in choices[len(way)]:
        if index not in way:
            _extend(choices, (*way, index), missing, found)
    if missing:
        _extend(choices, (*way, None), missing - 1, found)
