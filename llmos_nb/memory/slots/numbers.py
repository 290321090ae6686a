"""Numbers as people write them, read exactly: ``1,234.5``, ``1e-3``, ``0x1F``, twenty-five, a dozen, 3rd, third."""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, Overflow
from typing import Final

from llmos_nb.memory.slots.ordinary import ORDINARY, POSITIONS, words

__all__ = ["NUMBER", "SPELLED_FIRST", "kind_of", "number", "plain", "product", "spelled", "spelled_ordinal"]

#: An unsigned number, as a regular expression. Digits are ASCII: other scripts' stay words.
NUMBER: Final = (
    r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,12}+(?![0-9]|,[0-9])|[0-9]++(?:_[0-9]{3}){0,12}+)"
    r"(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]{1,3}(?![0-9]))?+"
    r"|(?<![\w.)\]])\.[0-9]++(?:[eE][-+]?[0-9]{1,3}(?![0-9]))?+"
)
#: Longer digit strings are codes.
_LONGEST: Final = 60
#: Sums of a number's digits, its exponent and a unit's: nothing that :data:`NUMBER` matches is ever rounded.
_EXACT: Final = Context(prec=2_500, Emax=9_999, Emin=-9_999, traps=[Inexact, Overflow])

_DIGITS: Final = {
    word: value
    for value, word in enumerate(
        words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(words("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_NTHS: Final = {
    word: value
    for value, word in enumerate(
        words(
            "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
            "sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        start=3,
    )
}
#: Words that may begin a number or an ordinal in words.
SPELLED_FIRST: Final = frozenset({*_DIGITS, *_TENS, *_NTHS, "a", "half", "second"})

_ONES = "|".join(word for word, value in _DIGITS.items() if 1 <= value <= 9)
_BELOW_100 = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{_ONES})\b)?|(?:{'|'.join(sorted(_DIGITS, key=len, reverse=True))}))"
)
_BELOW_1000 = rf"(?:(?:a|{_ONES}) hundred(?: (?:and )?{_BELOW_100}\b)?|{_BELOW_100})"
_SCALE = "|".join(_SCALES)
_SPELLED: Final = re.compile(
    rf"(?:(?P<half>half a dozen)|(?P<dozens>a|{_BELOW_100}) dozen|a (?:{_SCALE})|{_BELOW_1000}"
    rf"(?: (?:{_SCALE})\b(?: (?:and )?{_BELOW_1000}\b)?)*)(?!\w|['’]\w)",
    re.IGNORECASE,
)
_NTH: Final = re.compile(
    rf"(?:(?P<tens>{'|'.join(_TENS)})-(?P<small>first|second|{'|'.join(list(_NTHS)[:7])})"
    rf"|(?P<nth>second|{'|'.join(_NTHS)})) (?P<noun>[a-z]+)\b",
    re.IGNORECASE,
)
_WORD_BEFORE: Final = re.compile(r"(?P<word>\w+)[-\s]+\Z")
_NEXT_WORD: Final = re.compile(r" (?P<word>[a-z]+)\b(?!['’])")
#: "this one", "the red one", "no one": there it is a pronoun.
_BEFORE_PRONOUN: Final = frozenset(
    words(
        "this that these those which the each every any another other some such no next only first last new right"
        " wrong old same every"
    )
)
#: Before these "third" is no position, or "one" counts nothing.
_NOT_COUNTED: Final = ORDINARY | frozenset(words("another by has was gets hot party person world works"))


def number(text: str) -> int | Decimal | None:
    """The exact value of what :data:`NUMBER` matches, perhaps with a minus before it; None for a mere string of digits.

    A number with a leading zero (``007``, ``00``) is one of those: it is a code, and ``00`` is not ``000``.
    """
    digits = text.replace(",", "").replace("_", "").replace("−", "-")
    unsigned = digits.lstrip("-")
    if len(digits) > _LONGEST or (len(unsigned) > 1 and unsigned[0] == "0" and unsigned[1] in "0123456789"):
        return None
    return int(digits) if unsigned.isdecimal() else plain(Decimal(digits))


def kind_of(text: str) -> str:
    """``integer`` or ``decimal``, by how a number is written: 5.0 and 1e3 are decimals."""
    return "decimal" if any(mark in text for mark in ".eE") else "integer"


def plain(value: Decimal) -> Decimal:
    """``value`` without an exponent, equal to it and readable: 0.001, 100000."""
    exponent = value.as_tuple().exponent
    return value if isinstance(exponent, int) and -6 <= exponent <= 0 else Decimal(format(value, "f"))


def product(value: int | Decimal, factor: int | Decimal) -> int | Decimal:
    """``value * factor`` to the last digit, an ``int`` where it is whole, else without trailing zeros."""
    exact = _EXACT.multiply(Decimal(value), Decimal(factor))
    if exact == exact.to_integral_value(context=_EXACT):
        return int(exact)
    return plain(_EXACT.normalize(exact))


def spelled(goal: str, start: int) -> tuple[int, int] | None:
    """The number in words at ``start`` and where it ends. ``one`` counts only where it cannot be a pronoun."""
    match = _SPELLED.match(goal, start)
    if match is None:
        return None
    said = match[0].lower()
    if match["half"]:
        return 6, match.end()
    if match["dozens"]:
        few = match["dozens"].lower()
        return 12 * (1 if few == "a" else _value(re.findall(r"[a-z]+", few))), match.end()
    if said == "one" and not _counts(goal, start, match.end()):
        return None
    before = goal[start - 1 : start]
    if said == "zero" and (before == "-" or goal[match.end() : match.end() + 1] == "-"):
        return None  # non-zero, zero-shot
    return _value(re.findall(r"[a-z]+", said)), match.end()


def _counts(goal: str, start: int, end: int) -> bool:
    following = _NEXT_WORD.match(goal, end)
    if following is None or following["word"] in _NOT_COUNTED:
        return False
    before = _WORD_BEFORE.search(goal[max(0, start - 30) : start])
    return before is None or before["word"].lower() not in _BEFORE_PRONOUN


def _value(parts: list[str]) -> int:
    total = current = 0
    for word in parts:
        if word == "hundred":
            current *= 100
        elif word in _SCALES:
            total, current = total + current * _SCALES[word], 0
        elif word == "a":
            current = 1
        elif word != "and":
            current += _DIGITS.get(word, 0) or _TENS.get(word, 0)
    return total + current


def spelled_ordinal(goal: str, start: int) -> tuple[int, int] | None:
    """The ordinal in words at ``start``, where a noun follows it: "third column", "twenty-first row".

    "first" and "last" are never ordinals: they say how much of something is meant. "second" is one only before a noun
    of :data:`POSITIONS`. "a third", "two thirds" are fractions.
    """
    match = _NTH.match(goal, start)
    if match is None or match["noun"].lower() in _NOT_COUNTED:
        return None
    before = _WORD_BEFORE.search(goal[max(0, start - 30) : start])
    word = before["word"].lower() if before else ""
    if match["nth"] is None:
        small = match["small"].lower()
        units = {"first": 1, "second": 2}.get(small) or _NTHS[small]
        return _TENS[match["tens"].lower()] + units, match.end("small")
    nth = match["nth"].lower()
    if word in {"a", "per", "each"} or word in _DIGITS or word.isdigit():
        return None
    if nth == "second":
        return (2, match.end("nth")) if match["noun"].lower() in POSITIONS else None
    return _NTHS[nth], match.end("nth")
