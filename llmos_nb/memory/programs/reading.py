"""What reading one argument finds: the literals in it, and a text that says everything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

__all__ = ["FAR_EXPONENT", "Found", "Literal", "Reading", "opaque", "plain_number"]

#: What a place can hold; numbers are exact: an ``int`` where no point or exponent is written, else a ``Decimal``.
Literal = int | Decimal | str | tuple["Literal", ...]

#: Decimal exponents beyond this are no quantity anybody types; such literals are left alone.
FAR_EXPONENT: Final = 300

_NUMBER = re.compile(r"[+-]?(?:\d+(?P<point>\.\d*)?|(?P<bare>\.\d+))(?P<exponent>[eE][+-]?\d+)?")


class Found(NamedTuple):
    """A literal at ``start:end`` of the argument's text.

    ``context`` says where it stands, as far as that decides what may be put there; ``hint`` is a name the program
    itself gives the value; ``style`` is what the text at the span alone does not tell of how it is written.
    """

    start: int
    end: int
    role: str
    value: Literal
    context: str = ""
    hint: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """``shape`` is everything that is not a literal, ``fixed`` variable names that no place can hold, ``comments``
    the spans of comments: they are part of neither, since they do nothing."""

    shape: str
    found: tuple[Found, ...]
    fixed: frozenset[str] = frozenset()
    comments: tuple[tuple[int, int], ...] = ()


def opaque(text: str) -> Reading:
    """A text that cannot be taken apart: all of it is shape."""
    return Reading(f"opaque {text}", ())


def plain_number(text: str) -> int | Decimal | None:
    """The number that ``text`` writes, or None where it writes none or one far out of any range."""
    written = text.replace("_", "")
    match = _NUMBER.fullmatch(written)
    if match is None:
        return None
    if match["point"] is None and match["bare"] is None and match["exponent"] is None:
        return int(written) if len(written) < FAR_EXPONENT else None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if not number or abs(number.adjusted()) < FAR_EXPONENT else None
