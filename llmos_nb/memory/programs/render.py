"""Writing a value where another one stood, so that it cannot become anything but that value.

Each writer makes the text of one place in that place's own style. What it cannot write with certainty it refuses, and
:func:`rebuilt` reads the result again: a text that now has another shape, or another value anywhere, is refused, too.
"""

from __future__ import annotations

import ast
import keyword
import re
import shlex
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from llmos_nb.memory.programs.places import Place, Program, language_of, program_of, values_of
from llmos_nb.memory.programs.reading import Literal
from llmos_nb.memory.programs.text_places import SQL_KEYWORDS
from llmos_nb.memory.trace import Step

__all__ = ["Unwritable", "number_text", "rebuilt", "written"]

_PREFIX: Final = re.compile(r"([A-Za-z]{0,2})(\"\"\"|'''|\"|')")


class Unwritable(ValueError):
    """The value cannot stand at that place; the message says why, in words for people."""


def rebuilt(steps: Sequence[Step], values: Mapping[int, Literal], program: Program | None = None) -> tuple[Step, ...]:
    """``steps`` with ``values`` (by index into the places of their program) put in; every other byte stays.

    Raises:
        Unwritable: if a value cannot be written at its place without changing what the program is.
    """
    program = program or program_of(steps)
    if not values:
        return tuple(steps)
    edits: dict[tuple[int, str], list[tuple[Place, Literal]]] = {}
    for index, value in values.items():
        place = program.places[index]
        edits.setdefault((place.step, place.argument), []).append((place, value))
    changed: dict[int, dict[str, Any]] = {}
    for (index, argument), wanted in edits.items():
        arguments = changed.setdefault(index, dict(steps[index].arguments))
        if wanted[0][0].start < 0:
            _put(arguments, argument, wanted[0][0], wanted[0][1])
        else:
            text = str(arguments[argument])
            language = language_of(steps[index].tool, argument, text, steps[index].arguments)
            arguments[argument] = _edited(text, language, wanted)
    made = tuple(replace(step, arguments=changed[i]) if i in changed else step for i, step in enumerate(steps))
    shape, again = values_of(made)
    if shape != program.shape or len(again) != len(program.places):
        raise Unwritable("the new values would change more than themselves")
    for index, (value, before) in enumerate(zip(again, program.places, strict=True)):
        if value != values.get(index, before.value):
            raise Unwritable(
                f"{_shown(values.get(index, before.value))} cannot be written where {_shown(before.value)} is"
            )
    return made


def _edited(text: str, language: str, wanted: list[tuple[Place, Literal]]) -> str:
    pieces, position = [], 0
    for place, value in sorted(wanted, key=lambda pair: pair[0].start):
        if place.start < position:
            raise Unwritable("two values would be written over each other")
        pieces += [text[position : place.start], written(place, text[place.start : place.end], value, language)]
        position = place.end
    return "".join([*pieces, text[position:]])


def _put(arguments: dict[str, Any], path: str, place: Place, value: Literal) -> None:
    """Set a value inside an argument that is no text; what is on the way is copied."""
    if place.role == "number" and isinstance(value, str | tuple):
        raise Unwritable(f"{_shown(value)} is not a number")
    names = [name.replace("~1", "/") for name in path.split("/")]
    holder: Any = arguments
    for name in names[:-1]:
        key = int(name) if isinstance(holder, list) else name
        inner = holder[key]
        holder[key] = inner = dict(inner) if isinstance(inner, Mapping) else list(inner)
        holder = inner
    old = holder[int(names[-1])] if isinstance(holder, list) else holder[names[-1]]
    holder[int(names[-1]) if isinstance(holder, list) else names[-1]] = _plain(value, old)


def _plain(value: Literal, old: Any) -> Any:
    if isinstance(value, tuple):
        olds = list(old) if isinstance(old, list | tuple) and len(old) == len(value) else [None] * len(value)
        return [_plain(item, before) for item, before in zip(value, olds, strict=True)]
    if isinstance(value, str):
        return value
    if isinstance(old, float):
        return float(value)
    if value != int(value):
        if isinstance(old, int):
            raise Unwritable(f"{_shown(value)} is not a whole number")
        return float(value)
    return int(value)


def written(place: Place, old: str, value: Literal, language: str) -> str:
    """The text for ``value`` at ``place``, which reads ``old`` now.

    Raises:
        Unwritable: if it cannot stand there.
    """
    if value == place.value:
        return old
    if place.role == "number":
        return number_text(value, old)
    if place.role == "list":
        return _list(value, old, place.value)
    if not isinstance(value, str):
        raise Unwritable(f"{_shown(value)} is not a text")
    if language == "python":
        return _name(value) if place.role == "name" else _python_text(value, old, place.style)
    if language == "sql":
        return _sql_name(value) if place.role == "name" else _sql_text(value, old)
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in value):
        raise Unwritable(f"{_shown(value)} has a character that cannot be shown")
    if language == "shell":
        return _shell_word(value, str(place.value), old)
    return value


def number_text(value: Literal, old: str) -> str:
    """``value`` as a literal in the style of ``old``: a whole number stays one, a number with a point keeps it."""
    if isinstance(value, str | tuple):
        raise Unwritable(f"{_shown(value)} is not a number")
    whole = re.fullmatch(r"-?\s*(?:\d[\d_]*|0[xXoObB][\da-fA-F_]+)", old) is not None
    if whole:
        if value != int(value):
            raise Unwritable(f"{_shown(value)} is not a whole number, and the program has {old} there")
        return str(int(value))
    exact = Decimal(value)
    shown = format(exact.normalize(), "f") if exact else "0"
    return shown if "." in shown else f"{shown}.0"


def _name(value: str) -> str:
    if not value.isidentifier() or keyword.iskeyword(value) or unicodedata.normalize("NFKC", value) != value:
        raise Unwritable(f"{_shown(value)} is not a name that Python allows")
    return value


def _python_text(value: str, old: str, style: str) -> str:
    match = _PREFIX.fullmatch(style) if style else _PREFIX.match(old)
    if match is None:
        raise Unwritable(f"{_shown(value)} cannot be quoted there")
    prefix, quote = match[1], match[2]
    raw = "r" in prefix.lower()
    single_literal = bool(style) or (old.endswith(quote) and _is_one_literal(old, prefix, quote))
    if raw:
        bad = "\\" in value or quote[0] in value or not value.isprintable()
        if bad:
            raise Unwritable(f"{_shown(value)} cannot be written in a raw text")
        text = value
    else:
        text = _escaped(value, quote)
    if "f" in prefix.lower() and style:
        text = text.replace("{", "{{").replace("}", "}}")
    if style:
        return text
    return f"{prefix}{quote}{text}{quote}" if single_literal else f"{quote}{text}{quote}"


def _is_one_literal(old: str, prefix: str, quote: str) -> bool:
    """Whether ``old`` is one literal, not several side by side."""
    inner = old[len(prefix) + len(quote) : -len(quote)]
    return quote not in re.sub(r"\\.", "", inner, flags=re.DOTALL)


def _escaped(value: str, quote: str) -> str:
    """``value`` inside of ``quote``: what Python's own repr escapes, and the quote's character."""
    pieces = []
    for char in value:
        if char == "\\" or char == quote[0]:
            pieces.append(f"\\{char}")
        elif (char == "\n" and len(quote) == 3) or char.isprintable():
            pieces.append(char)
        else:
            pieces.append(repr(char)[1:-1])
    return "".join(pieces)


def _list(value: Literal, old: str, before: Literal) -> str:
    """A list in the style of ``old``: items keep their text where there are as many, else are written like the first."""
    if not isinstance(value, tuple) or not isinstance(before, tuple) or not value:
        raise Unwritable(f"{_shown(value)} is not a list")
    lines = old.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    raw = old.encode()
    tree = ast.parse(f"({old})", mode="eval").body
    if not isinstance(tree, ast.List | ast.Tuple | ast.Set):
        raise Unwritable(f"{_shown(value)} cannot be written as a list there")
    spans = []
    for item in tree.elts:
        shift = [0 if line > 1 else 1 for line in (item.lineno, item.end_lineno or 1)]  # the bracket put before it
        spans.append((starts[item.lineno - 1] + item.col_offset - shift[0],
                      starts[(item.end_lineno or 1) - 1] + (item.end_col_offset or 0) - shift[1]))  # fmt: skip
    texts = [raw[start:end].decode() for start, end in spans]
    if len(value) == len(texts):
        pieces, position = [], 0
        for (start, end), text, now, was in zip(spans, texts, value, before, strict=True):
            pieces += [raw[position:start].decode(), _item(now, text, was)]
            position = end
        return "".join([*pieces, raw[position:].decode()])
    items = [_item(item, _model(texts, before, item), None) for item in value]
    separator = raw[spans[0][1] : spans[1][0]].decode() if len(spans) > 1 else ", "
    closing = raw[spans[-1][1] :].decode()
    if len(spans) == 1 and isinstance(tree, ast.Tuple):
        closing = closing.replace(",", "", 1)
    if "#" in old or separator.strip() != ",":
        separator, closing = ", ", old[-1]
    if len(items) == 1 and isinstance(tree, ast.Tuple) and "," not in closing:
        closing = "," + closing
    return raw[: spans[0][0]].decode() + separator.join(items) + closing


def _model(texts: Sequence[str], before: Sequence[Literal], item: Literal) -> str:
    """The text of an item of the same kind as ``item``."""
    for text, old in zip(texts, before, strict=True):
        if isinstance(old, str) == isinstance(item, str):
            return text
    return '""' if isinstance(item, str) else "0"


def _item(item: Literal, old: str, before: Literal | None) -> str:
    if item == before:
        return old
    if isinstance(item, str) != ((before is None and _PREFIX.match(old) is not None) or isinstance(before, str)):
        raise Unwritable(f"{_shown(item)} is of another kind than the list's other items")
    return _python_text(item, old, "") if isinstance(item, str) else number_text(item, old)


def _sql_name(value: str) -> str:
    if not re.fullmatch(r"[^\W\d][\w$]*", value) or value.lower() in SQL_KEYWORDS:
        raise Unwritable(f"{_shown(value)} is not a name that SQL allows without quotes")
    return value


def _sql_text(value: str, old: str) -> str:
    quote = old[0]
    if "\\" in value or not value.isprintable() or (quote == "`" and "`" in value):
        raise Unwritable(f"{_shown(value)} has a character that SQL dialects read differently")
    return f"{quote}{value.replace(quote, quote * 2) if quote != '`' else value}{quote}"


def _shell_word(value: str, before: str, old: str) -> str:
    if value.startswith("-") and not before.startswith("-"):
        raise Unwritable(f"{_shown(value)} would be read as an option")
    if not value:
        raise Unwritable("an empty text cannot be written there")
    if old[0] == old[-1] == "'" and "'" not in value:
        return f"'{value}'"
    if old[0] == old[-1] == '"' and not re.search(r'["$`\\!]', value):
        return f'"{value}"'
    return shlex.quote(value)


def _shown(value: object) -> str:
    """A value as people would write it in a sentence."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:56]} …"
