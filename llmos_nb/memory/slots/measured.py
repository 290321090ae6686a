"""A number and what makes it more than a number: a unit, a percent sign, a currency, ``k``, ``th``, ``pm``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from llmos_nb.memory.slots.atom import Atom
from llmos_nb.memory.slots.dates import clock
from llmos_nb.memory.slots.numbers import kind_of, number, product
from llmos_nb.memory.slots.units import CODES, SCALES, SIGNS, measure

__all__ = ["read_money", "read_number", "with_tail"]

_TAIL: Final = re.compile(
    rf"""
    (?P<ordinal>(?:st|nd|rd|th)(?!\w))
  | (?P<percent>%(?![\w(])|[ ]%(?=\s+[a-z]{{2}}|\s*(?:\Z|[,.;:!?)\]]))|[ -]?(?i:percent|pct)(?!\w)|[ ](?i:per[ ]cent)(?!\w))
  | (?P<clock>[ ]?(?:(?P<half>[aApP])[mM](?!\w)|(?P<dotted>[ap])\.m\.))
  | (?P<scale>(?:[kKM]|bn)(?!\w)|[ ](?:thousand|million|billion|trillion)(?!\w))
  | (?P<currency>[ ]?(?:[€£¥₹]|\$(?!\w)|(?:{"|".join(CODES)})(?!\w))|[ -](?i:dollars?|euros?)(?!\w))
    """,
    re.VERBOSE,
)
#: What may follow a number that nothing of the above follows: no letter, except the x of ``2x2`` and ``5x``.
_BARE: Final = re.compile(r"(?!\w)|(?=[x×](?:[0-9]|\b))")
_MULTIPLIER: Final = re.compile(r"[ ]?(?:k|K|M|B|bn|mn|m|(?i:thousand|million|billion|trillion))(?!\w)")
_DECADE: Final = re.compile(r"(?:1[5-9]|20)[0-9]0")
_MONEY_SCALES: Final = {**SCALES, "B": 10**9, "mn": 10**6, "m": 10**6}


def read_number(goal: str, start: int, end: int) -> Atom | None:
    """The value whose number stands at ``start:end``; None where it is part of a word, such as ``3d``.

    A string of digits that is a code (``007``) becomes an ``identifier`` with its text.
    """
    text = goal[start:end]
    value = number(text)
    if value is None:
        return Atom(("identifier",), start, end, text) if _BARE.match(goal, end) else None
    return with_tail(goal, start, end, value, kind_of(text))


def with_tail(
    goal: str, start: int, end: int, value: int | Decimal, kind: str, *, in_words: bool = False
) -> Atom | None:
    """``value``, whose text stands at ``start:end``, with what follows it. ``in_words``: the text is number words."""
    match = _TAIL.match(goal, end)
    role = match.lastgroup if match is not None else None
    if match is not None and role is not None:
        if match["percent"]:
            return Atom(("percent",), start, match.end(), value, "%")
        if match["currency"]:
            return Atom(("money",), start, match.end(), value, _currency(match["currency"]))
        whole = kind == "integer" and not in_words and isinstance(value, int)
        if match["ordinal"] and whole:
            return Atom(("ordinal",), start, match.end(), value)
        if match["clock"] and whole and isinstance(value, int):
            time = clock(value, "00", None, match["half"] or match["dotted"]) if value > 0 else None
            if time is not None:
                return Atom(("time",), start, match.end(), time)
        if match["scale"]:
            return _scaled(goal, start, match.end(), value, SCALES[match["scale"].strip()], kind)
    unit = measure(goal, end, in_words=in_words)
    if unit is not None and not (unit[0] == "s" and _is_decade(goal, start, end)):
        base, factor, stop = unit
        return Atom(("quantity",), start, stop, product(value, factor), base, factor=factor)
    return Atom((kind,), start, end, value) if _BARE.match(goal, end) else None


def _is_decade(goal: str, start: int, end: int) -> bool:
    """``1990s``, ``the 90s``: years, not seconds."""
    if goal[end : end + 1] != "s" or goal[end - 1] != "0":
        return False
    return bool(_DECADE.fullmatch(goal, start, end)) or goal[max(0, start - 4) : start].lower() == "the "


def _scaled(goal: str, start: int, end: int, value: int | Decimal, scale: int, kind: str) -> Atom:
    total = product(value, scale)
    currency = _TAIL.match(goal, end)
    if currency is not None and currency["currency"]:
        return Atom(("money",), start, currency.end(), total, _currency(currency["currency"]), scaled=True)
    unit = measure(goal, end)
    if unit is not None:
        base, factor, stop = unit
        both = product(scale, factor)
        return Atom(("quantity",), start, stop, product(value, both), base, factor=both, scaled=True)
    return Atom(("integer" if isinstance(total, int) else kind,), start, end, total, scaled=True)


def read_money(goal: str, match: re.Match[str]) -> Atom | None:
    """The amount that :data:`~llmos_nb.memory.slots.tokens.TOKEN` found behind a currency: ``-$1.5M``, ``EUR 20``."""
    value = number(match["amount"])
    if value is None:
        return None
    if match[0][0] in "-−":
        value = -value
    end, factor = match.end(), 1
    scale = _MULTIPLIER.match(goal, end)
    if scale is not None:
        factor, end = (
            _MONEY_SCALES[scale[0].strip() if len(scale[0].strip()) <= 2 else scale[0].strip().lower()],
            scale.end(),
        )
    elif not _BARE.match(goal, end):
        return None
    return Atom(("money",), match.start(), end, product(value, factor), _currency(match["sign"]), scaled=factor != 1)


def _currency(text: str) -> str:
    sign = text.strip(" -")
    return SIGNS.get(sign) or SIGNS.get(sign.lower()) or sign
