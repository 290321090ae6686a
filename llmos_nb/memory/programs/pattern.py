"""How the value at a place comes from the values of a goal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from typing import Literal as Choice

from llmos_nb.memory.programs.derive import forms_of, source_of
from llmos_nb.memory.programs.reading import Literal
from llmos_nb.memory.slots.slot import Slot

__all__ = ["Pattern", "Ref", "Term", "Unclear", "constant"]

#: A parameter, and the index of an item of its list (-1: all of it).
Ref = tuple[int, int]

#: Functions whose Python source makes a ``float`` even where the result is whole.
_FLOATING: Final = frozenset({"hundredth", "hundredfold", "rest of one", "rest of hundredth"})


class Unclear(ValueError):
    """The new value cannot be told with certainty; the message says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Term:
    """One function of one parameter, or of one item of it."""

    parameter: int
    item: int
    function: str
    kind: Choice["number", "text", "list"]

    @property
    def ref(self) -> Ref:
        return self.parameter, self.item

    def apply(self, slots: Sequence[Slot | None]) -> Literal:
        """The function's value for new slots.

        Raises:
            Unclear: if the function does not apply to them.
        """
        slot = slots[self.parameter]
        if slot is None:
            raise Unclear("a value is missing")
        if self.item >= 0:
            if self.item >= len(slot.items):
                raise Unclear(f"{slot.text!r} has fewer items")
            slot = slot.items[self.item]
        forms = forms_of(slot)
        found = {"number": forms.numbers, "text": forms.texts, "list": forms.lists}[self.kind].get(self.function)
        if found is None:
            raise Unclear(f"{slot.text!r} has no such form as the recorded value had ({self.function})")
        return found

    def source(self, names: Sequence[str]) -> str:
        """A Python expression; empty where there is none."""
        name = names[self.parameter] + (f"[{self.item}]" if self.item >= 0 else "")
        if self.kind == "list":
            if self.function in ("same", "numbers"):
                return f"list({name})"
            item = source_of({"strings": "str", "int": "number"}.get(self.function, self.function), "item")
            return f"[{item} for item in {name}]" if item else ""
        return source_of(self.function, name)


@dataclass(frozen=True, slots=True)
class Pattern:
    """``kind`` is ``constant`` (parts: the value), ``number`` (a term), ``text`` (stretches of text and, for each
    part that varies, the terms that all examples bear out, the plainest first) or ``list`` (patterns of items, and
    terms for whole lists). ``whole``: every number seen there was whole."""

    kind: Choice["constant", "number", "text", "list"]
    parts: tuple[Literal | Term | tuple[Term, ...] | Pattern, ...]
    whole: bool = True

    def apply(self, slots: Sequence[Slot | None]) -> Literal:
        """The value for ``slots``, which are in the order of the parameters.

        Raises:
            Unclear: if it cannot be told with certainty.
        """
        if self.kind == "text":
            return "".join(piece for piece, _ in self.pieces(slots))
        if self.kind == "list":
            items: list[Literal] = []
            for part in self.parts:
                if isinstance(part, Term):
                    found = part.apply(slots)
                    items += found if isinstance(found, tuple) else (found,)
                elif isinstance(part, Pattern):
                    items.append(part.apply(slots))
            return tuple(items)
        only = self.parts[0]
        return only.apply(slots) if isinstance(only, Term) else only  # type: ignore[return-value]

    def pieces(self, slots: Sequence[Slot | None]) -> Iterator[tuple[str, bool]]:
        """The stretches of a text, each with whether it comes from a slot.

        Raises:
            Unclear: if the functions that fit a part disagree about it.
        """
        for part in self.parts:
            if isinstance(part, str):
                yield part, False
                continue
            assert isinstance(part, tuple)
            made = [str(term.apply(slots)) for term in part if isinstance(term, Term)]
            if any(other != made[0] for other in made):
                other = next(other for other in made if other != made[0])
                raise Unclear(f"it could be written {made[0]!r} or {other!r}")
            yield made[0], True

    @property
    def terms(self) -> Iterator[Term]:
        """Every term in it."""
        for part in self.parts:
            if isinstance(part, Term):
                yield part
            elif isinstance(part, Pattern):
                yield from part.terms
            elif isinstance(part, tuple):
                yield from (term for term in part if isinstance(term, Term))

    @property
    def whole_text(self) -> bool:
        """Whether the slot is all there is at the place."""
        return len(self.parts) == 1

    def source(self, names: Sequence[str]) -> str:
        """A Python expression over parameters called ``names``; empty where Python has none short enough to read."""
        only = self.parts[0] if self.parts else ""
        if self.kind == "constant":
            return _literal(only)
        if self.kind == "number" and isinstance(only, Term):
            made = only.source(names)
            floating = only.function in _FLOATING or only.function.startswith("in ")
            return f"int(round({made}))" if made and floating and self.whole else made
        if self.kind == "list":
            return self._list_source(names)
        if self.whole_text and isinstance(only, tuple) and isinstance(only[0], Term):
            return only[0].source(names)
        pieces = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(_quoted(part).replace("{", "{{").replace("}", "}}"))
                continue
            term = part[0] if isinstance(part, tuple) else part
            made = term.source(names) if isinstance(term, Term) else ""
            if not made or "\\" in made or '"' in made:
                return ""
            pieces.append(f"{{{made}}}")
        return f'f"{"".join(pieces)}"'

    def _list_source(self, names: Sequence[str]) -> str:
        items = []
        for part in self.parts:
            made = part.source(names) if isinstance(part, Term | Pattern) else ""
            if not made:
                return ""
            items.append(f"*{made}" if isinstance(part, Term) else made)
        if len(items) == 1 and items[0].startswith("*"):
            return items[0][1:]
        return f"[{', '.join(items)}]"


def constant(value: Literal) -> Pattern:
    """The pattern of a value that never changes."""
    return Pattern("constant", (value,))


def _literal(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _quoted(text: str) -> str:
    """``text`` as it stands between double quotes."""
    return repr(text + "'")[1:-2].replace("\\'", "'") if '"' not in text else _escape(text)


def _escape(text: str) -> str:
    return "".join('\\"' if char == '"' else repr(char + '"')[1:-2] for char in text)
