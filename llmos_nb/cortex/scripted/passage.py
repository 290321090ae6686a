r"""A piece of a script's text with ``{{...}}`` in it: the goal's values, and what the tools really returned.

``{{file}}`` is a value of the goal, ``{{result}}`` the last tool result, ``{{result 1}}`` the first of the goal,
``{{error}}`` the error that a turn ran into, ``{{memory}}`` the remembered facts that came with the goal, one a line.
Filters follow after ``|`` and read from left to right; :data:`FILTERS`
lists them. ``\{{`` is a plain ``{{``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from llmos_nb.cortex.scripted.problem import ScriptProblem
from llmos_nb.cortex.scripted.template import RESERVED

__all__ = ["FILTERS", "Passage", "Quote", "Scope", "Value"]

#: What a filled placeholder is: text, or a number where it stands alone in a tool's argument.
Value = str | int | float

#: Longest tool result, in characters, that is quoted whole.
QUOTE_LIMIT: Final = 8_000

_NUMBER: Final = re.compile(r"(?<![\w.])[+-]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_CONTENT: Final = re.compile(r"\s*([a-z][a-z0-9_]*)(?:\s+(\d{1,3}))?\s*(?:\|(.*))?")
_CLOSE: Final = re.compile(r"\}\}(?!\})")


@dataclass(frozen=True, slots=True)
class Scope:
    """What placeholders can be filled from: the goal's values, the tool results so far, the last
    error, the remembered facts that came with the goal."""

    values: Mapping[str, str] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    error: str | None = None
    memory: str | None = None


def _to_int(text: str) -> Value | None:
    text = text.strip().replace(",", "")
    return int(text) if re.fullmatch(r"[+-]?\d{1,400}", text) else None


def _to_number(text: str) -> Value | None:
    whole = _to_int(text)
    if whole is not None:
        return whole
    try:
        number = float(text.strip().replace(",", ""))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _leaf(text: str) -> PurePosixPath | PureWindowsPath:
    return PureWindowsPath(text) if "\\" in text else PurePosixPath(text)


def _line(text: str, number: int) -> str | None:
    lines = text.strip("\n").split("\n")
    return lines[number - 1] if 1 <= number <= len(lines) and lines[number - 1].strip() else None


def _last_line(text: str) -> str | None:
    return next((line for line in reversed(text.split("\n")) if line.strip()), None)


def _nth_number(text: str, number: int) -> str | None:
    found = _NUMBER.findall(text)
    return found[number - 1] if 1 <= number <= len(found) else None


#: The filters without an argument. ``quoted`` is a Python (and JSON) string literal, ``shell`` a shell word.
_PLAIN: Final[dict[str, Callable[[str], Value | None]]] = {
    "quoted": lambda text: json.dumps(text, ensure_ascii=False),
    "shell": shlex.quote,
    "int": _to_int,
    "number": _to_number,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "name": lambda text: _leaf(text).name or None,
    "stem": lambda text: _leaf(text).stem or None,
    "last line": _last_line,
}
_COUNTED: Final[dict[str, Callable[[str, int], str | None]]] = {"line": _line, "number": _nth_number}

#: Every filter as it is written.
FILTERS: Final = (*_PLAIN, "line N", "number N", "match: REGEX WITH A GROUP")


@dataclass(frozen=True, slots=True)
class Quote:
    """One placeholder. ``filters`` are the filters' names; ``line`` is where it stands in the script."""

    source: str
    name: str
    number: int | None
    filters: tuple[str, ...]
    line: int
    steps: tuple[Callable[[str], Value | None], ...] = field(compare=False, repr=False)

    def read(self, scope: Scope) -> Value | None:
        """What it stands for, or None when that cannot be found."""
        value: Value | None
        if self.name == "result":
            index = len(scope.results) if self.number is None else self.number
            value = scope.results[index - 1] if 1 <= index <= len(scope.results) else None
        elif self.name == "error":
            value = scope.error
        elif self.name == "memory":
            value = scope.memory
        else:
            value = scope.values.get(self.name)
        for step in self.steps:
            if value is None:
                return None
            value = step(str(value))
        if self.name in RESERVED and not self.steps and isinstance(value, str):
            return _shortened(value.strip("\n"))
        return value


def _shortened(text: str) -> str:
    if len(text) <= QUOTE_LIMIT:
        return text
    return f"{text[:QUOTE_LIMIT]}\n… ({len(text) - QUOTE_LIMIT} more characters)"


@dataclass(frozen=True, slots=True)
class Passage:
    """Text and placeholders in order."""

    parts: tuple[str | Quote, ...]

    @classmethod
    def parse(cls, text: str, line: int = 0) -> Passage:
        """Read ``text``, whose first line is line ``line`` of the script.

        Raises:
            ScriptProblem: a placeholder that is not closed, or has an unknown filter or a bad regex.
        """
        parts: list[str | Quote] = []
        plain, at = "", 0
        while (start := text.find("{{", at)) >= 0:
            here = line + text.count("\n", 0, start)
            if text[:start].endswith("\\"):
                plain, at = plain + text[at : start - 1] + "{{", start + 2
                continue
            end = _CLOSE.search(text, start)
            if end is None or "\n" in text[start : end.start()]:
                raise ScriptProblem(r"a {{ that is not closed; write \{{ for a plain one", here)
            if plain or start > at:
                parts.append(plain + text[at:start])
            parts.append(_parse_quote(text[start + 2 : end.start()], here))
            plain, at = "", end.end()
        if plain or text[at:]:
            parts.append(plain + text[at:])
        return cls(tuple(parts))

    @property
    def quotes(self) -> tuple[Quote, ...]:
        return tuple(part for part in self.parts if isinstance(part, Quote))

    def fill(self, scope: Scope) -> tuple[str, tuple[str, ...]]:
        """The text, with ``(not found)`` for what cannot be quoted, and the placeholders so missing."""
        missing: list[str] = []
        text = ""
        for part in self.parts:
            value = part if isinstance(part, str) else part.read(scope)
            if value is None and isinstance(part, Quote):
                missing.append(part.source)
            text += "(not found)" if value is None else str(value)
        return text, tuple(missing)

    def value(self, scope: Scope) -> tuple[Value, tuple[str, ...]]:
        """As :meth:`fill`, but a placeholder that stands alone keeps its type: ``{{n|int}}`` is a number."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Quote):
            alone = self.parts[0].read(scope)
            return ("(not found)", (self.parts[0].source,)) if alone is None else (alone, ())
        return self.fill(scope)


def _parse_quote(content: str, line: int) -> Quote:
    source = content.strip()
    found = _CONTENT.fullmatch(content)
    if found is None:
        raise ScriptProblem(rf"{{{{{source}}}}} is no placeholder; write \{{{{ for a plain {{{{", line)
    name, number, rest = found.groups()
    if number is not None and (name != "result" or int(number) == 0):
        raise ScriptProblem(f"{{{{{source}}}}}: only results have numbers, and they start at 1", line)
    names: list[str] = []
    steps: list[Callable[[str], Value | None]] = []
    while rest is not None:
        if rest.strip().startswith("match:"):
            written, rest = rest.strip(), None
        else:
            written, bar, after = rest.partition("|")
            rest = after if bar else None
        written = " ".join(written.split()) if not written.startswith("match:") else written
        name_of_filter, step = _parse_filter(written, source, line)
        names.append(name_of_filter)
        steps.append(step)
    return Quote(source, name, None if number is None else int(number), tuple(names), line, tuple(steps))


def _parse_filter(written: str, source: str, line: int) -> tuple[str, Callable[[str], Value | None]]:
    if written in _PLAIN:
        return written, _PLAIN[written]
    if written.startswith("match:"):
        try:
            regex = re.compile(written.removeprefix("match:").strip(), re.MULTILINE)
        except re.error as error:
            raise ScriptProblem(f"{{{{{source}}}}}: bad regex ({error})", line) from error
        if regex.groups < 1:
            raise ScriptProblem(f"{{{{{source}}}}}: the regex needs a group (...) to say what is quoted", line)
        return "match", lambda text: found[1] if (found := regex.search(text)) else None
    word, _, count = written.partition(" ")
    if word in _COUNTED and re.fullmatch(r"[1-9]\d{0,5}", count):
        counted = _COUNTED[word]
        return f"{word} N", lambda text: counted(text, int(count))
    raise ScriptProblem(f"{{{{{source}}}}}: unknown filter {written!r}; there are {', '.join(FILTERS)}", line)
