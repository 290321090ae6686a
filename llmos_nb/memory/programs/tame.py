"""Whether a new value may stand inside a larger text.

A value that fills a whole literal is quoted and stays a value. Inside a text it may be read by somebody else: a query,
a file's name, a format. There its characters must be of the kinds that the examples showed at that place, or be
harmless in what the text looks like.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from llmos_nb.memory.programs.derive import IDENTITIES
from llmos_nb.memory.programs.pattern import Pattern, Term, Unclear
from llmos_nb.memory.programs.places import Place
from llmos_nb.memory.slots.slot import Slot

__all__ = ["untame"]

#: Signs of a text that is read by a program.
_CODE: Final = re.compile(
    r"['\"`;|$<>={}\\\[\]]|(?i:\b(?:select|update|delete|insert)\b.*\b(?:from|set|into)\b)", re.DOTALL
)
#: Signs of a path.
_PATH: Final = re.compile(r"[/\\]|\.\w{1,5}$|^\.\w{1,5}")
#: Harmless in prose and in file names.
_PROSE: Final = frozenset(" -,.'’&()+:%°#@!–²³")
_FILE: Final = frozenset(" -,.+()")
#: What a ``LIKE`` or ``GLOB`` reads as something else.
_WILDCARDS: Final = frozenset("%_\\*?[]")
#: What regular expressions and globs read as something else.
_PATTERN: Final = frozenset(".^$*+?{}[]\\|()")
_AFTER_OPERATOR: Final = re.compile(r"(?:^|[<>=(,:])\s*$")


def untame(pattern: Pattern, place: Place, new: Sequence[Slot | None], rows: Sequence[Sequence[Slot | None]]) -> str:
    """Why the text that ``pattern`` makes for ``new`` must not be put at ``place``, or an empty string.

    ``rows`` are the slots of the examples: what they put there is known to be fine.
    """
    if pattern.kind == "number":
        return _other_sign(pattern, new, rows)
    if pattern.kind == "list":
        inner = (
            untame(part, place, new, rows) if isinstance(part, Pattern) else _untame_items(part, place, new, rows)
            for part in pattern.parts
        )
        return next((reason for reason in inner if reason), "")
    if pattern.kind != "text" or place.role == "name":
        return ""
    if pattern.whole_text and place.context not in ("code", "sql", "pattern"):
        return ""
    made = list(pattern.pieces(new))
    around = "\0".join(text for text, from_slot in made if not from_slot)
    for index, (text, from_slot) in enumerate(made):
        if not from_slot or text.isalnum():
            continue
        before = made[index - 1][0] if index else ""
        after = made[index + 1][0] if index + 1 < len(made) else ""
        odd = _odd(text, place, before, after, around, pattern.whole_text)
        minus = text.startswith("-") and before.endswith("-")
        if not odd and not minus:
            continue
        seen = _seen(pattern, index, rows)
        if text in seen:
            continue
        if minus:
            return f"{text!r} would follow another minus"
        odd -= set("".join(seen))
        if odd:
            return f"{text!r} has {' '.join(sorted(map(repr, odd)))}, which may mean something there"
    return ""


def _other_sign(pattern: Pattern, new: Sequence[Slot | None], rows: Sequence[Sequence[Slot | None]]) -> str:
    """A derived number that is zero or negative for the first time may mean something else: ``x[-0:]`` is all of x."""
    if all(term.function in IDENTITIES | {"number"} for term in pattern.terms):
        return ""
    made = pattern.apply(new)
    seen = [pattern.apply(row) for row in rows]
    if isinstance(made, int | Decimal) and all(
        isinstance(value, int | Decimal) and (value > 0, value < 0) != (made > 0, made < 0) for value in seen
    ):
        return f"it would be {made}, which no example has shown"
    return ""


def _untame_items(
    part: object, place: Place, new: Sequence[Slot | None], rows: Sequence[Sequence[Slot | None]]
) -> str:
    """The same for the items of a whole list."""
    if not isinstance(part, Term) or place.context not in ("code", "pattern"):
        return ""
    seen = {item for row in rows for item in _items(part, row)}
    shown = set("".join(seen))
    for item in _items(part, new):
        odd = set() if item in seen else _odd(item, place, "", "", "", True) - shown
        if odd:
            return f"{item!r} has {' '.join(sorted(map(repr, odd)))}, which may mean something there"
    return ""


def _items(term: Term, row: Sequence[Slot | None]) -> list[str]:
    made = term.apply(row)
    return [item for item in made if isinstance(item, str)] if isinstance(made, tuple) else []


def _seen(pattern: Pattern, index: int, rows: Sequence[Sequence[Slot | None]]) -> list[str]:
    """What the examples had at one piece of the text."""
    seen = []
    for row in rows:
        with contextlib.suppress(Unclear):
            seen.append(list(pattern.pieces(row))[index][0])
    return seen


def _odd(text: str, place: Place, before: str, after: str, around: str, alone: bool) -> set[str]:
    """Characters of ``text`` that may mean something where it stands."""
    special = {char for char in text if not char.isalnum() and char != "_"}
    control = {char for char in special if not char.isprintable()}
    if place.context == "sql":
        return control if alone else control | {char for char in text if char in _WILDCARDS}
    if place.context == "pattern":
        return control | (special & _PATTERN)
    if alone and place.context != "code":
        return set()
    if re.fullmatch(r"-?\d+(\.\d+)?", text) and not before[-1:].isalnum() and _AFTER_OPERATOR.search(before):
        special -= set("-.")
    quote = before[-1:]
    if quote and quote in "'\"`" and after[:1] == quote:
        return {char for char in special if char in "'\"`\\{}$%" or not char.isprintable()}
    if place.context in ("code", "shell") or _CODE.search(around):
        return special
    if _PATH.search(around.replace("\0", "")) or _PATH.search(around.rpartition("\0")[2]):
        return special - _FILE | ({"."} if ".." in text else set())
    allowed = _PROSE - {"%"} if "%" in around else _PROSE  # it may be a format
    return special - allowed - ({"/"} if " " in around else set())
