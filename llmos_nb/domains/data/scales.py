"""Numbers that are written short: ``4k``, ``3.5M``, ``$1.2bn``.

A letter behind a number may be a unit as well: 300K is a temperature, 5m a length. It is read as a thousand or a million
only where the column decides: ``k`` and ``bn`` are nothing else, and of a column that has ``K`` and ``M`` both are clear;
``m`` is clear nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

__all__ = ["SCALES", "UNCLEAR", "is_scaled", "scaled", "unscaled"]

#: How the reason ends where nobody can tell what a letter is.
UNCLEAR: Final = "or have a unit: no other value says which"
#: What each letter stands for, and those that are nothing else.
SCALES: Final[Mapping[str, int]] = {
    "k": 10**3, "K": 10**3, "m": 10**6, "M": 10**6, "mn": 10**6, "mln": 10**6, "mio": 10**6, "Mio": 10**6, "b": 10**9,
    "B": 10**9, "bn": 10**9, "Mrd": 10**9,
}  # fmt: skip
_CLEAR: Final = frozenset(("k", "mn", "mln", "mio", "Mio", "bn", "Mrd"))
_LETTERS: Final = "|".join(sorted(SCALES, key=len, reverse=True))
_SCALED: Final = re.compile(
    rf"(?P<number>[€$£¥]?\s*[+-]?(?!0\d)[\d.,]*\d)\s*(?P<scale>{_LETTERS})\.?(?P<unit>\s*[€$£¥])?"
)


def is_scaled(text: str) -> bool:
    """Whether a text is a number with such a letter behind it."""
    return _SCALED.fullmatch(text.strip()) is not None


def unscaled(texts: Iterable[str], *, sure: bool = False) -> tuple[dict[str, tuple[str, int]], str]:
    """Each text that ends in such a letter without it, with its factor; and why they are left alone, if they are.

    Args:
        sure: somebody said that the letters are thousands and millions.
    """
    found = {text: match for text in texts if (match := _SCALED.fullmatch(text.strip()))}
    letters = {match["scale"] for match in found.values()}
    if not found or (letters == {"m"} and not sure):  # metres, unless somebody says millions
        return {}, ""
    unclear = "m" in letters or not (letters & _CLEAR or len({letter.upper() for letter in letters}) > 1)
    if unclear and not sure:
        text = next((text for text, match in found.items() if match["scale"] == "m"), next(iter(found)))
        return {}, f"{text!r} may be {_named(found[text]['scale'].upper())} {UNCLEAR}"
    parted = {
        text: (f"{match['number']}{match['unit'] or ''}", SCALES[match["scale"]]) for text, match in found.items()
    }
    return parted, ""


def scaled(value: int | float, factor: int) -> int | float:
    """The number times the factor, as it would be written: 4.1 thousand are 4100.0."""
    return value * factor if isinstance(value, int) else float(Decimal(repr(value)) * factor)


def _named(letter: str) -> str:
    return {"K": "thousands", "M": "millions"}.get(letter, "billions")
