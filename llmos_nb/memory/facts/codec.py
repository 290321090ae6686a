"""A fact as Markdown, and back: front matter for the machine, the body is the fact.

What :func:`dump` writes :func:`parse` reads, to the byte. The front matter is read with the caps on size, depth,
aliases and tags that traces have.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import FactError, FactFileError
from llmos_nb.memory.facts.fact import STATUSES, Fact, checked_text
from llmos_nb.memory.flow import FlowError, dump_mapping, load_mapping

__all__ = ["ID", "SIZE_LIMIT", "dump", "parse", "parse_bytes", "read"]

#: Bytes of a fact's file: the longest text in four-byte characters, and its front matter.
SIZE_LIMIT: Final = 64 * 1024
ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

_KEYS: Final = ("id", "date", "source", "tags", "project", "supersedes", "superseded_by", "status")
#: Links are not followed, a pipe does not block, and Windows leaves line ends alone.
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


def dump(fact: Fact) -> str:
    """The text of the fact's file.

    Raises:
        FactFileError: the fact holds what a file cannot.
    """
    front: dict[str, Any] = {"id": fact.id, "date": fact.date, "source": fact.source}
    front |= {
        name: list(value) if name == "tags" else value
        for name in ("tags", "project", "supersedes", "superseded_by")
        if (value := getattr(fact, name))
    }
    front["status"] = fact.status
    try:
        header = dump_mapping({**front, **{k: v for k, v in fact.extra.items() if k not in _KEYS}})
    except FlowError as error:
        raise FactFileError(
            f"{fact.id or 'new fact'}: cannot be written: {error}.", remedy="Give plain text, numbers and lists."
        ) from error
    return f"---\n{header}\n---\n{fact.text}\n"


def parse(text: str, path: Path | str = "fact.md") -> Fact:
    """The fact that a file's text says; ``path`` gives the id of one that names none.

    Raises:
        FactFileError: the text is not a fact; the message starts with ``path:line``.
    """
    stem = Path(path).stem

    def refuse(line: int, what: str, remedy: str) -> FactFileError:
        return FactFileError(f"{path}:{line}: {what}.", remedy=remedy)

    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        raise refuse(1, "a fact's file starts with a line '---'", "Put its front matter between two such lines.")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), 0)
    if not end:
        raise refuse(1, "the front matter never ends", "Close it with a line '---'.")
    try:
        front = load_mapping("\n".join(lines[1:end]))
    except FlowError as error:
        raise refuse(error.line + 2, str(error), "Correct the line.") from error

    def at(key: str) -> int:
        """The line of a key in the front matter."""
        return next((n for n, line in enumerate(lines[1:end], 2) if line.lstrip().startswith(key)), 1)

    fields: dict[str, Any] = {}
    for key in _KEYS:
        value = front.pop(key, None)
        if value is None:
            continue
        if key == "tags":
            if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
                raise refuse(
                    at(key), f"tags must be a list of words, got {value!r:.60}", "Write 'tags: [data, units]'."
                )
            fields[key] = tuple(value)
        elif not isinstance(value, str):
            raise refuse(at(key), f"{key} must be text, got {value!r:.60}", "Put it in quotes.")
        else:
            fields[key] = value
    if fields.get("status", "active") not in STATUSES:
        raise refuse(at("status"), f"status is {fields['status']!r:.60}", f"It must be one of {', '.join(STATUSES)}.")
    if fields.get("id", stem) != stem:
        raise refuse(at("id"), f"its id is {fields['id']!r:.60}", "Give the file the name of its fact.")
    if fields.get("supersedes") == stem:
        raise refuse(at("supersedes"), "it supersedes itself", "Name the fact that it takes the place of.")
    try:
        body = checked_text("\n".join(lines[end + 1 :]))
    except FactError as error:
        raise refuse(end + 2, error.message.rstrip("."), error.remedy) from error
    return Fact(body, **{**fields, "id": stem, "source": fields.get("source") or "unknown"}, extra=front)


def parse_bytes(data: bytes, path: Path | str) -> Fact:
    """:func:`parse` of a file's bytes.

    Raises:
        FactFileError: too large, not UTF-8, or not a fact.
    """
    if len(data) > SIZE_LIMIT:
        raise FactFileError(f"{path}:1: more than {SIZE_LIMIT} bytes.", remedy="Shorten the fact.")
    if not ID.fullmatch(Path(path).stem):
        raise FactFileError(f"{path}:1: no name for a fact.", remedy="Use letters, digits, '-', '_' and '.'.")
    try:
        return parse(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FactFileError(f"{path}:{line}: not UTF-8 text.", remedy="Save the file as UTF-8.") from error


def read(path: Path) -> bytes | None:
    """The content of a file, one byte more than allowed of a larger one; None if it is not there to be read."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        with os.fdopen(descriptor, "rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError:  # a folder that is called like a fact
        return None
