"""f-strings taken apart by their own text, since Python 3.11 does not say where their parts stand."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final, NamedTuple

__all__ = ["FieldPart", "TextPart", "TornString", "parts_of"]

_OPENING: Final = re.compile(r"([A-Za-z]{0,2})(\"\"\"|'''|\"|')")
_BETWEEN: Final = re.compile(r"(?:\s|\\\n|#[^\n]*)*")
_CONVERSION: Final = re.compile(r"\s*(=?)\s*(?:!\s*([rsa]))?\s*(?=[:}])")
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}


class TornString(ValueError):
    """The text is not an f-string that this module can take apart."""


class TextPart(NamedTuple):
    """A stretch of literal text, ``value`` with escapes resolved; ``style`` is prefix and quote."""

    start: int
    end: int
    value: str
    style: str


class FieldPart(NamedTuple):
    """A replacement field: ``start:end`` is its expression, ``conversion`` has ``=`` and ``!r``."""

    start: int
    end: int
    conversion: str
    spec: tuple[TextPart | FieldPart, ...]


def parts_of(code: str, start: int, end: int) -> tuple[TextPart | FieldPart, ...]:
    """The parts of the f-string at ``start:end``, which may be several literals side by side.

    Raises:
        TornString: for what cannot be taken apart with certainty.
    """
    parts: list[TextPart | FieldPart] = []
    position = start
    while position < end:
        opening = _OPENING.match(code, position)
        if opening is None:
            raise TornString("no quote where a literal should begin")
        prefix, quote = opening[1].lower(), opening[2]
        if "b" in prefix or "t" in prefix:
            raise TornString("not a text")
        position = _literal(code, opening.end(), end, prefix, quote, parts)
        between = _BETWEEN.match(code, position, end)
        position = between.end() if between else position
    if position != end:
        raise TornString("the literal ends elsewhere")
    return tuple(parts)


def _literal(
    code: str,
    position: int,
    end: int,
    prefix: str,
    quote: str,
    parts: list[TextPart | FieldPart],
    in_spec: bool = False,
) -> int:
    """Read on to the closing quote (in a format spec: to its brace) and say where that was passed."""
    begin = position
    fields = "f" in prefix

    def text_ends(at: int) -> None:
        if at > begin:
            parts.append(TextPart(begin, at, _decoded(code[begin:at], prefix, quote), f"{prefix}{quote}"))

    while position < end:
        char = code[position]
        if in_spec and char == "}":
            text_ends(position)
            return position
        if code.startswith(quote, position) and not in_spec:
            text_ends(position)
            return position + len(quote)
        if char == "\\" and "r" not in prefix:
            if code[position + 1 : position + 2] in "N{}":
                raise TornString("a character by its name, or an escaped brace")
            position += 2
        elif char == "\\":
            position += 1 if code[position + 1 : position + 2] in "{}" else 2
        elif fields and code[position : position + 2] in ("{{", "}}") and not in_spec:
            position += 2
        elif fields and char == "{":
            text_ends(position)
            position = begin = _field(code, position + 1, end, prefix, quote, parts)
        elif fields and char == "}":
            raise TornString("a brace alone")
        else:
            position += 1
    raise TornString("the literal does not end")


def _field(code: str, position: int, end: int, prefix: str, quote: str, parts: list[TextPart | FieldPart]) -> int:
    start = position
    position = _expression_end(code, position, end)
    stop = position
    conversion = _CONVERSION.match(code, position)
    if conversion is None:
        raise TornString("a field that does not end")
    position = conversion.end()
    spec: list[TextPart | FieldPart] = []
    if code[position] == ":":
        position = _literal(code, position + 1, end, prefix, quote, spec, in_spec=True)
    if code[position : position + 1] != "}":
        raise TornString("a field that does not end")
    shown = f"={code[start:stop]}" if conversion[1] else ""
    parts.append(FieldPart(start, stop, f"{shown}!{conversion[2] or ''}", tuple(spec)))
    return position + 1


def _expression_end(code: str, position: int, end: int) -> int:
    """Where the expression ends: at ``!r``, ``:``, ``=`` or ``}`` outside of all brackets and strings."""
    open_brackets: list[str] = []
    while position < end:
        char = code[position]
        if char in "\"'":
            opening = _OPENING.match(code, position)
            if opening is None:
                raise TornString("a quote that opens nothing")
            position = _skip_string(code, opening.end(), end, opening[2])
            continue
        if char in _CLOSERS:
            open_brackets.append(_CLOSERS[char])
        elif open_brackets and char == open_brackets[-1]:
            open_brackets.pop()
        elif not open_brackets:
            if char in ":}":
                return position
            if char == "!" and code[position + 1 : position + 2] != "=":
                return position
            if char == "=" and code[position + 1 : position + 2] != "=" and code[position - 1] not in "=!<>":
                return position
            if char in "])#\\":
                raise TornString("a bracket alone")
        position += 1
    raise TornString("a field that does not end")


def _skip_string(code: str, position: int, end: int, quote: str) -> int:
    while position < end:
        if code[position] == "\\":
            position += 2
        elif code.startswith(quote, position):
            return position + len(quote)
        else:
            position += 1
    raise TornString("a string that does not end")


def _decoded(text: str, prefix: str, quote: str) -> str:
    if "f" in prefix:
        text = text.replace("{{", "{").replace("}}", "}")
    if "\\" not in text or "r" in prefix:
        return text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = ast.literal_eval(f"{quote}{text}{quote}")
    if not isinstance(value, str):
        raise TornString("not a text")
    return value
