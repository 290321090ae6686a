"""A trace's steps as a fixed shape with places in it: what stays, and what another goal might put there."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from llmos_nb.memory.programs.python_places import read_python
from llmos_nb.memory.programs.reading import Found, Literal, Reading, opaque, plain_number
from llmos_nb.memory.programs.shell_places import read_shell
from llmos_nb.memory.programs.text_places import read_lines, read_sql
from llmos_nb.memory.trace import Step

__all__ = ["Place", "Program", "language_of", "program_of", "readings_of", "values_of"]

_SQL: Final = re.compile(r"\s*(?:select|insert|update|delete|with|create|replace|drop|alter)\b", re.IGNORECASE)
_SQL_ARGUMENTS: Final = frozenset({"query", "sql", "statement"})
_SHELL_ARGUMENTS: Final = frozenset({"command", "cmd"})
_BY_SUFFIX: Final = {".py": "python", ".sql": "sql", ".sh": "shell", ".bash": "shell"}
#: Files in which any word may stand anywhere; in all others a word that is put in must look like the one it replaces.
_PROSE_SUFFIXES: Final = frozenset({"", ".md", ".txt", ".rst", ".markdown"})
#: A longer argument is not worth the time to look into: it is compared as one piece.
_LONGEST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Place:
    """A literal or a name in one argument of one step.

    ``step`` is an index into the steps, ``start:end`` the span in the text of ``argument``; arguments that are not
    text have the span ``-1:-1``, and parts of them a path: ``parameters/n``. ``role`` is ``number`` (``value`` an
    ``int`` or an exact ``Decimal``), ``string``, ``name``, ``list`` (a tuple) or ``token``.
    """

    step: int
    argument: str
    start: int
    end: int
    role: str
    value: Literal
    #: Where it stands: for a name ``load``, ``store``, ``bound`` (inside a function or comprehension), ``import``,
    #: ``attribute``, ``method``, ``keyword``; for a text ``sql``, ``shell``, ``json``, ``code`` if it is a program
    #: or ``pattern`` if it is a regular expression.
    context: str = ""
    #: A name that the program gives the value: ``n =`` for ``n = 3``, ``bins`` for ``bins=20``, ``dept`` for
    #: ``WHERE dept = "EECS"``.
    hint: str = ""
    #: How it is written, where its text alone does not tell.
    style: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """``shape`` is a digest of everything that is not a place; ``fixed`` are variable names that no place holds."""

    shape: str
    places: tuple[Place, ...]
    fixed: frozenset[str] = frozenset()


def program_of(steps: Sequence[Step]) -> Program:
    """The shape and the places of ``steps``, in an order that equal shapes share.

    Part of the shape are tools, names of arguments, and whether each step succeeded (an expected error by its class).
    """
    shape, readings = _shaped(steps)
    places = tuple(
        Place(index, argument, start, end, role, value, context, hint, style)
        for index, argument, reading in readings
        for start, end, role, value, context, hint, style in reading.found
    )
    return Program(shape, places, frozenset().union(*(reading.fixed for _, _, reading in readings)))


def values_of(steps: Sequence[Step]) -> tuple[str, list[Literal]]:
    """The shape of ``steps`` and the values of their places, without the places."""
    shape, readings = _shaped(steps)
    return shape, [found.value for _, _, reading in readings for found in reading.found]


def _shaped(steps: Sequence[Step]) -> tuple[str, list[tuple[int, str, Reading]]]:
    """The digest of what is no place, and what is read in each argument."""
    shape: list[str] = []
    readings: list[tuple[int, str, Reading]] = []
    for index, step in enumerate(steps):
        shape.append(f"{step.tool} {step.expect.status} {step.expect.error}")
        for argument, reading in readings_of(step):
            shape += (argument, reading.shape)
            readings.append((index, argument, reading))
    digest = blake2b("\x1e".join(shape).encode("utf-8", "surrogatepass"), digest_size=16)
    return digest.hexdigest(), readings


def readings_of(step: Step) -> Iterator[tuple[str, Reading]]:
    """Each argument of ``step`` in a fixed order, with what is found in it."""
    for name in sorted(step.arguments):
        value = step.arguments[name]
        if isinstance(value, str):
            yield name, _read(language_of(step.tool, name, value, step.arguments), value)
        else:
            yield from _read_plain(name.replace("/", "~1"), value)


def language_of(tool: str, name: str, text: str, arguments: Mapping[str, Any]) -> str:
    """``python``, ``sql``, ``shell``, ``prose`` or ``data``: how the text of an argument is to be read."""
    if name == "code":
        return "python" if tool == "run_cell" or not _SQL.match(text) else "sql"
    if name in _SQL_ARGUMENTS:
        return "sql"
    if name in _SHELL_ARGUMENTS:
        return "shell"
    if name in ("content", "old", "new"):
        path = str(arguments.get("path", ""))
        dot = path.rfind(".")
        suffix = path[dot:].lower() if dot > max(path.rfind("/"), path.rfind("\\")) else ""
        return _BY_SUFFIX.get(suffix, "prose" if suffix in _PROSE_SUFFIXES else "data")
    return (
        "sql"
        if _SQL.match(text) and " " in text.strip() and re.search(r"\b(?i:from|into|set|table)\b", text)
        else "prose"
    )


@functools.lru_cache(maxsize=4096)
def _read(language: str, text: str) -> Reading:
    if len(text) > _LONGEST:
        return opaque(text)
    if language == "python":
        return read_python(text)
    if language == "sql":
        return read_sql(text)
    if language == "shell":
        return read_shell(text)
    return read_lines(text, "code" if language == "data" else "")


def _read_plain(path: str, value: Any) -> Iterator[tuple[str, Reading]]:
    """Numbers, lists and objects of JSON."""
    literal = _literal(value)
    if literal is not None:
        role = "list" if isinstance(literal, tuple) else "string" if isinstance(literal, str) else "number"
        name = path.rpartition("/")[2]
        hint = f"{name} =" if path.startswith("parameters/") else name  # declared parameters are names in the code
        yield path, Reading(role, (Found(-1, -1, role, literal, "json", hint),))
    elif isinstance(value, Mapping):
        yield path, Reading(f"object {sorted(map(str, value))}", ())
        for name in sorted(value, key=str):
            yield from _read_plain(f"{path}/{str(name).replace('/', '~1')}", value[name])
    elif isinstance(value, list | tuple):
        yield path, Reading(f"array {len(value)}", ())
        for index, item in enumerate(value):
            yield from _read_plain(f"{path}/{index}", item)
    else:
        yield path, Reading(f"constant {value!r}", ())


def _literal(value: Any) -> Literal | None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    if isinstance(value, float | Decimal):
        return plain_number(str(value))
    if isinstance(value, list | tuple) and value:
        items = [_literal(item) for item in value]
        if all(item is not None and not isinstance(item, tuple) for item in items):
            return tuple(item for item in items if item is not None)
    return None
