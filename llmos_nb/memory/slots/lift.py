"""A goal taken apart: its values with names of their own, and the template that is left."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Final

from llmos_nb.memory.slots.atom import Atom
from llmos_nb.memory.slots.compose import merged_names, with_ranges
from llmos_nb.memory.slots.listing import with_lists
from llmos_nb.memory.slots.scan import scan
from llmos_nb.memory.slots.slot import Lifted, Slot
from llmos_nb.memory.slots.vocabulary import Vocabulary

__all__ = ["lift"]

_NOT_IN_NAMES: Final = re.compile(r"\W+")


def lift(goal: str, vocabulary: Mapping[str, Iterable[object]] | Vocabulary | None = None) -> Lifted:
    """The values in ``goal`` and the template around them; ``lift(goal).fill() == goal`` for any text.

    Args:
        goal: what is asked for.
        vocabulary: the values known to exist by kind, such as the columns of a DataFrame. Prepare a
            :class:`Vocabulary` when it serves more than one goal.

    What is lifted, and what is left:

    - What a slot holds never includes an operator: ``x>5`` is ``x>{integer}``. A minus sign is part of the number
      unless it stands behind a word, a number or a bracket; a plus stays outside.
    - A number in a word is a value where a hyphen or an x parts them: ``3-qubit`` is ``{integer}-qubit``, ``2x2`` is
      ``{integer}x{integer_2}``. Numbers that letters touch otherwise (``3d``) stay in the template, and letters with
      digits (``x1``, ``Q3``, ``sha256``) are identifiers. Digits behind a zero (``007``) are an identifier, too.
    - "first" and "last" say how much is meant and stay; "second" is an ordinal only before a noun of position, "third"
      before any noun; "one" is a number only where it cannot be a pronoun.
    - Quotes and back-ticks stay outside a slot; in a list they are inside, since they part its items.
    - Capitalised words inside a sentence are names. A sentence's first word, and a goal In Title Case, tell nothing.
    - Values of one kind joined by commas, "and", "or" or "&" are a ``list``, whose ``unit`` begins with ``or`` where
      that joins them; but names are not, nor two bare numbers that only a comma joins.
    - A range keeps the order of its ends; with a hyphen it must ascend, since ``10-2`` is a subtraction.
    - A known value wins over what its text alone would be, unless that is longer. It has the vocabulary's spelling
      for its value, or the number that this spells.
    """
    known = (
        Vocabulary(vocabulary) if vocabulary is not None and not isinstance(vocabulary, Vocabulary) else vocabulary
    )
    slots: list[Slot] = []
    pieces: list[str] = []
    template: list[str] = []
    names: dict[str, int] = {}
    end = 0
    for atom in _composed(goal, scan(goal, known)):
        slot = _slot(goal, atom, _named(atom.kind, names))
        piece = goal[end : slot.start]
        slots.append(slot)
        pieces.append(piece)
        template.append(f"{_escaped(piece)}{{{slot.name}}}")
        end = slot.end
    pieces.append(goal[end:])
    template.append(_escaped(goal[end:]))
    return Lifted(goal, "".join(template), tuple(slots), tuple(pieces))


def _composed(goal: str, atoms: list[Atom]) -> list[Atom]:
    return with_lists(goal, with_ranges(goal, merged_names(goal, atoms))) if len(atoms) > 1 else atoms


def _slot(goal: str, atom: Atom, name: str) -> Slot:
    """``atom`` as a slot; the items of a list are named by their place in it."""
    items = tuple(_slot(goal, item, f"{name}_{place}") for place, item in enumerate(atom.items, start=1))
    text = goal[atom.start : atom.end]
    return Slot(name, atom.kinds[0], text, atom.start, atom.end, atom.value, atom.unit, atom.kinds, items)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _named(kind: str, names: dict[str, int]) -> str:
    """A Python identifier from ``kind``, numbered from the second on; ``names`` counts those given."""
    base = kind
    if not base.isidentifier() or keyword.iskeyword(base):
        base = _NOT_IN_NAMES.sub("_", kind).strip("_").lower() or "value"
        if keyword.iskeyword(base):
            base = f"{base}_"
        elif not base.isidentifier():  # a digit first, or a sign such as a superscript that is a letter nowhere else
            base = f"value_{base}" if f"value_{base}".isidentifier() else "value"
    count = names.get(base, 0) + 1
    name = base if count == 1 else f"{base}_{count}"
    while name in names and count > 1:
        count += 1
        name = f"{base}_{count}"
    names[base] = count
    names.setdefault(name, 1)
    return name
