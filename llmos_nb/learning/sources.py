"""Where a value of prose may come from: a place in an output, or a value of the goal; and in which form it is said.

A place is told by its row (from the top, from the bottom, by its label, as the one with the greatest or the least
number) and its column (from the left, from the right, after a word, under a heading, as the greatest or the least of
its line): which of these is meant one run cannot tell, so each is a hypothesis of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import PurePath
from typing import Final

from llmos_nb.learning.prose import Line, Token
from llmos_nb.memory.slots.slot import Slot

__all__ = [
    "Form", "Place", "SlotPart", "forms", "numeric", "places", "read_place", "read_slot", "rendered", "slot_parts",
    "slot_texts",
]  # fmt: skip

Outputs = tuple[tuple[Line, ...], ...]
#: How a raw text becomes what is said: a name and its settings.
Form = tuple[str | int | bool, ...]

_CASES: Final = ("same", "lower", "upper", "capitalize", "title")
_NUMBER_IN: Final = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")
_EXTREMES: Final = ("greatest", "least")
#: Digits beyond which a number is text: nobody rounds it.
_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A token of an output: ``row`` and ``column`` are each a way of finding it and what that way needs."""

    output: int
    row: tuple[str, int | str]
    column: tuple[str, int | str]

    @property
    def is_extreme(self) -> bool:
        """Whether it is told by the greatest or the least number: a doubt about other places rather than a source."""
        return self.row[0] in _EXTREMES or self.column[0] in _EXTREMES


@dataclass(frozen=True, slots=True)
class SlotPart:
    """A slot's text, its value, a file's name or stem, its words apart, or (``number``) a number in its text."""

    slot: int
    part: str


# ---------------------------------------------------------------- slots


def slot_texts(slot: Slot) -> dict[str, str]:
    """The texts that stand for a slot's value, by part. The plainest come first."""
    value = str(slot.value) if isinstance(slot.value, int | str | Decimal) else ""
    texts = {"text": slot.text, "value": value}
    if slot.kind == "path" or ("." in value and "/" in value) or re.fullmatch(r"[\w-]+\.\w{1,5}", value):
        texts |= {"name": PurePath(value).name, "stem": PurePath(value).stem}
    bare = value or slot.text
    texts |= {"spaced": bare.replace("_", " "), "joined": bare.replace(" ", "_")}
    found: dict[str, str] = {}
    for part, text in texts.items():
        if text.strip() and text not in found.values():
            found[part] = text
    numbers = _NUMBER_IN.findall(slot.text)
    if len(numbers) == 1 and numbers[0] not in found.values():
        found["number"] = numbers[0]
    return found


def slot_parts(slots: Sequence[Slot]) -> Iterator[tuple[SlotPart, str]]:
    """Every part of every slot, with its text."""
    for index, slot in enumerate(slots):
        for part, text in slot_texts(slot).items():
            yield SlotPart(index, part), text


def read_slot(part: SlotPart, slots: Sequence[Slot], like: Slot) -> str | None:
    """The text of the part in other ``slots``; None where it has none, or another unit than in the slot ``like``."""
    slot = slots[part.slot]
    texts = slot_texts(slot)
    if part.part == "number" or numeric(slot_texts(like).get(part.part, "")) is not None:
        around = _NUMBER_IN.sub("#", slot.text), _NUMBER_IN.sub("#", like.text)
        if slot.unit != like.unit or around[0] != around[1]:
            return None
    if part.part in texts:
        return texts[part.part]
    return _part_anyway(part.part, slot)  # it coincides with a plainer part


def _part_anyway(part: str, slot: Slot) -> str | None:
    value = str(slot.value) if isinstance(slot.value, int | str | Decimal) else ""
    bare = value or slot.text
    if part == "number":
        numbers = _NUMBER_IN.findall(slot.text)
        return numbers[0] if len(numbers) == 1 else None
    return {
        "value": value,
        "name": PurePath(value).name,
        "stem": PurePath(value).stem,
        "spaced": bare.replace("_", " "),
        "joined": bare.replace(" ", "_"),
    }.get(part) or None


# ---------------------------------------------------------------- places


def places(outputs: Outputs, spot: tuple[int, int, int], slots: Sequence[Slot]) -> Iterator[Place]:
    """Every way of telling where the token at ``spot`` (output, line, token) is."""
    output, i, j = spot
    lines = outputs[output]
    line = lines[i]
    rows: list[tuple[str, int | str]] = [("top", i), ("bottom", len(lines) - 1 - i)]
    if j > 0 and line[0].text:
        rows += [("label", line[0].text), *(("slot", k) for k in _slots_saying(line[0].text, slots))]
    for k in range(len(line)):
        rows += [(how, k) for how in _EXTREMES if _extreme_row(lines, len(line), k, how) == i]
    columns: list[tuple[str, int | str]] = [("left", j), ("right", len(line) - 1 - j)]
    columns += [(how, 0) for how in _EXTREMES if _extreme_column(line, how) == j]
    if j > 0 and line[j - 1].kind == "word" and line[j - 1].text:
        columns += [("after", line[j - 1].text), *(("after slot", k) for k in _slots_saying(line[j - 1].text, slots))]
    heading = _heading(lines, i, j)
    if heading:
        columns += [("under", heading), *(("under slot", k) for k in _slots_saying(heading, slots))]
    for row in rows:
        for column in columns:
            yield Place(output, row, column)


def _slots_saying(text: str, slots: Sequence[Slot]) -> list[int]:
    return [k for k, slot in enumerate(slots) if text in slot_texts(slot).values()]


def _heading(lines: Sequence[Line], i: int, j: int) -> str:
    """The heading over a cell: the nearest line above with as many tokens, or one less, that has a word there."""
    right = len(lines[i]) - 1 - j
    for above in reversed(lines[:i]):
        if len(above) in (len(lines[i]), len(lines[i]) - 1) and right < len(above):
            token = above[len(above) - 1 - right]
            if token.kind == "word" and token.text and all(t.kind == "word" for t in above):
                return token.text
    return ""


def read_place(place: Place, outputs: Outputs, slots: Sequence[Slot]) -> tuple[int, int, int] | None:
    """Where the place is in other outputs, as (output, line, token); None where it is not, or not only once."""
    lines = outputs[place.output]
    how, what = place.row
    if how in ("top", "bottom"):
        i = int(what) if how == "top" else len(lines) - 1 - int(what)
        if not 0 <= i < len(lines):
            return None
    elif how in _EXTREMES:
        ends = [_extreme_row(lines, width, int(what), how) for width in {len(line) for line in lines}]
        found = [row for row in ends if row is not None]
        if len(found) != 1:
            return None
        i = found[0]
    else:
        labels = {str(what)} if how == "label" else set(slot_texts(slots[int(what)]).values())
        found = [row for row, line in enumerate(lines) if line[0].text in labels]
        if len(found) != 1:
            return None
        i = found[0]
    j = _column(place.column, lines, i, slots)
    return None if j is None or not lines[i][j].text else (place.output, i, j)


def _column(column: tuple[str, int | str], lines: Sequence[Line], i: int, slots: Sequence[Slot]) -> int | None:
    line = lines[i]
    how, what = column
    if how in ("left", "right"):
        j = int(what) if how == "left" else len(line) - 1 - int(what)
        return j if 0 <= j < len(line) else None
    if how in _EXTREMES:
        return _extreme_column(line, how)
    words = slot_texts(slots[int(what)]).values() if how.endswith("slot") else (str(what),)
    if how.startswith("after"):
        found = [j + 1 for j, token in enumerate(line[:-1]) if token.text in words]
        return found[0] if len(found) == 1 else None
    for above in reversed(lines[:i]):
        if len(above) in (len(line), len(line) - 1):
            right = [len(above) - 1 - k for k, token in enumerate(above) if token.text in words]
            if len(right) == 1:
                return len(line) - 1 - right[0]
    return None


def _extreme_row(lines: Sequence[Line], width: int, k: int, how: str) -> int | None:
    """The line, of those with ``width`` tokens, whose k-th number from the right is the greatest or the least."""
    values = [
        (value, i)
        for i, line in enumerate(lines)
        if len(line) == width and k < width and line[width - 1 - k].kind == "number"
        if (value := numeric(line[width - 1 - k].text)) is not None
    ]
    return _extreme(values, how, 2)


def _extreme_column(line: Line, how: str) -> int | None:
    """The greatest or the least number of a line that has several."""
    values = [(v, j) for j, t in enumerate(line) if t.kind == "number" and (v := numeric(t.text)) is not None]
    return _extreme(values, how, 2)


def _extreme(values: list[tuple[Decimal, int]], how: str, at_least: int) -> int | None:
    if len(values) < at_least:
        return None
    best = max(values)[0] if how == "greatest" else min(values)[0]
    found = [index for value, index in values if value == best]
    return found[0] if len(found) == 1 else None


# ---------------------------------------------------------------- forms


def numeric(text: str) -> Decimal | None:
    """The number that ``text`` says, thousands separators and all; None where it says none."""
    if len(text) > _DIGITS:
        return None
    try:
        value = Decimal(text.replace(",", "").replace("−", "-"))
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) < _DIGITS else None


def forms(said: Token, percent: bool) -> list[Form]:
    """The forms that may lead to ``said``, the plainest first; ``percent``: a percent sign or word follows."""
    if said.kind != "number" or numeric(said.text) is None:
        return [(case,) for case in _CASES]
    digits = said.text.partition(".")[2]
    found: list[Form] = [("same",), ("plain",), ("grouped",), ("trim", False), ("trim", True)]
    if "e" not in said.text.lower():
        scales = (1, 100) if percent else (1,)
        found += [("round", len(digits), scale, grouped) for scale in scales for grouped in (False, True)]
        found += [("trim percent",)] if percent else []
        found += [("round and trim", len(digits) + more) for more in (1, 2)]  # 0.5 may be 0.50 with two digits
    return found


def rendered(form: Form, raw: str, kind: str) -> tuple[str, ...]:
    """What ``raw`` (of a token's ``kind``) is in that form: nothing where it has none, two texts where it is a tie."""
    how = form[0]
    if how in _CASES:
        return (raw if how == "same" else str(getattr(raw, str(how))()),)
    value = numeric(raw)
    if value is None or kind == "date":
        return ()
    plain = raw.replace(",", "").replace("−", "-")
    if "e" in plain.lower() and not str(how).startswith("round"):
        return (plain,) if how == "plain" else ()
    if how == "plain":
        return (plain,)
    if how == "grouped":
        return (_grouped(plain),)
    if how == "trim":
        text = _trimmed(plain)
        return (_grouped(text) if form[1] else text,)
    if how == "trim percent":
        return (_trimmed(format(value * 100, "f")),)
    if how == "round and trim":
        return tuple(dict.fromkeys(_trimmed(text) for text in _rounded(value, int(form[1]), False)))
    return _rounded(value * int(form[2]), int(form[1]), bool(form[3]))


def _rounded(value: Decimal, digits: int, grouped: bool) -> tuple[str, ...]:
    """``value`` to so many decimals; both ways of a tie."""
    texts = []
    for rounding in (ROUND_HALF_UP, ROUND_HALF_DOWN):
        number = value.quantize(Decimal(1).scaleb(-digits), rounding=rounding)
        texts.append(format(number, ",f" if grouped else "f"))
    return tuple(dict.fromkeys(texts))


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _grouped(text: str) -> str:
    whole, dot, digits = text.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-') or 0):,}{dot}{digits}"
