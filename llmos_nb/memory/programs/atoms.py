"""Every function of every value that varies between examples, with what it gives in each."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from llmos_nb.memory.programs.derive import forms_of
from llmos_nb.memory.programs.pattern import Ref, Term
from llmos_nb.memory.programs.reading import Literal
from llmos_nb.memory.slots.slot import Slot

__all__ = ["Atoms", "Row", "meaning"]

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,30})")
#: The slots of one example by parameter, None where it has none.
Row = Sequence[Slot | None]


def meaning(slot: Slot) -> object:
    """What two slots must share to mean the same: the value, however it is written, and its unit."""
    if isinstance(slot.value, tuple):
        items = tuple(meaning(item) for item in slot.items) if slot.items else slot.value
        return items, slot.unit, slot.kind == "range"
    value = slot.value
    if isinstance(value, str) and _WHOLE.fullmatch(value):  # only a whole number: 3.10 and 3.1 may be versions
        value = int(value)
    return value, slot.unit, slot.kind == "percent"


class Atoms:
    """Every function of every parameter that varies, with what it gives in each example.

    ``rows`` are the slots of each example by parameter, None where an example has none; ``forced`` parameters count as
    varying though they have one value.
    """

    def __init__(self, rows: Sequence[Row], forced: frozenset[int] = frozenset()) -> None:
        self.varying: set[Ref] = set()
        self.numbers: dict[tuple[object, ...], list[Term]] = {}
        self.texts: dict[tuple[str, ...], list[Term]] = {}
        self.lists: list[tuple[tuple[tuple[Literal, ...], ...], Term]] = []
        for parameter in range(len(rows[0])):
            column = [row[parameter] for row in rows]
            slots = tuple(slot for slot in column if slot is not None)
            if len(slots) < len(rows):
                continue
            self._add(parameter, -1, slots, parameter in forced)
            lengths = {len(slot.items) for slot in slots}
            if len(lengths) == 1:
                for item in range(lengths.pop()):
                    self._add(parameter, item, tuple(slot.items[item] for slot in slots), False)
        #: Functions of a varying parameter that gave one text in all examples: constants that may not be constant.
        self.steady = {key[0] for key in self.texts if len(set(key)) == 1}
        #: The same for numbers.
        self.steady_numbers = {key[0] for key in self.numbers if len(set(key)) == 1}

    def _add(self, parameter: int, item: int, slots: tuple[Slot, ...], forced: bool) -> None:
        if not forced and _agree(slots):
            return
        self.varying.add((parameter, item))
        numbers, texts, lists = _shared(slots)
        for made, name in numbers:
            self.numbers.setdefault(made, []).append(Term(parameter, item, name, "number"))
        for written, name in texts:
            self.texts.setdefault(written, []).append(Term(parameter, item, name, "text"))
        for listed, name in lists:
            self.lists.append((listed, Term(parameter, item, name, "list")))


def _agree(slots: Sequence[Slot]) -> bool:
    first = slots[0]
    if all(slot.value == first.value and slot.unit == first.unit and slot.kind == first.kind for slot in slots):
        return True
    return all(meaning(slot) == meaning(first) for slot in slots[1:])


_Shared = tuple[
    tuple[tuple[tuple[object, ...], str], ...],
    tuple[tuple[tuple[str, ...], str], ...],
    tuple[tuple[tuple[tuple[Literal, ...], ...], str], ...],
]


@functools.lru_cache(maxsize=4096)
def _shared(slots: tuple[Slot, ...]) -> _Shared:
    """The functions that apply to every one of the slots, with what they give."""
    forms = [forms_of(slot) for slot in slots]
    numbers, texts, lists = set(forms[0].numbers), set(forms[0].texts), set(forms[0].lists)
    for form in forms[1:]:
        numbers, texts, lists = numbers & form.numbers.keys(), texts & form.texts.keys(), lists & form.lists.keys()
    listed: dict[tuple[tuple[Literal, ...], ...], str] = {}
    for name in forms[0].lists:  # plainest first
        if name in lists:
            listed.setdefault(tuple(form.lists[name] for form in forms), name)
    return (
        tuple((tuple(form.numbers[name] for form in forms), name) for name in forms[0].numbers if name in numbers),
        tuple((tuple(form.texts[name] for form in forms), name) for name in forms[0].texts if name in texts),
        tuple(listed.items()),
    )
