"""Fenced blocks: any text inside Markdown, exactly.

A fence is longer than any run of back-ticks inside, so text may hold fences and headings of its own. Text with
characters that would not survive an editor or a diff (carriage returns, escapes, halves of characters) is written as
JSON strings, one a line, in a ``json`` block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.kernel.fenced import fenced
from llmos_nb.memory.flow import FlowError, quote, unquote

__all__ = ["Block", "is_plain", "json_block", "read_block", "text_block", "text_of"]

_OPENING: Final = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)")
_FRAGILE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the words after the fence, what is inside, and the indices of its first and last line."""

    info: tuple[str, ...]
    body: str
    first: int
    last: int


def is_plain(text: str) -> bool:
    """It can stand in a Markdown file as it is."""
    return _FRAGILE.search(text) is None


def text_block(role: str, text: str) -> str:
    """``text`` in a ``text`` block, or in a ``json`` one where it is fragile.

    Raises:
        FlowError: it holds a character in two halves.
    """
    return fenced(f"text {role}", text) if is_plain(text) else json_block(role, text)


def json_block(role: str, text: str) -> str:
    """``text`` in a ``json`` block, whatever it holds.

    Raises:
        FlowError: it holds a character in two halves.
    """
    return fenced(f"json {role}", "\n".join(quote(line) for line in text.split("\n")))


def text_of(block: Block) -> str:
    """The inverse of :func:`text_block`.

    Raises:
        FlowError: a line of a ``json`` block is not a quoted string; its ``line`` counts from the opening fence.
    """
    if block.info[:1] != ("json",):
        return block.body
    lines = []
    for number, line in enumerate(block.body.split("\n"), 1):
        try:
            lines.append(unquote(line))
        except FlowError as error:
            raise FlowError(str(error), number) from error
    return "\n".join(lines)


def read_block(lines: Sequence[str], start: int) -> Block | None:
    """The block whose opening fence is ``lines[start]``, or None where there is none.

    Raises:
        FlowError: nothing closes it.
    """
    opening = _OPENING.fullmatch(lines[start])
    if opening is None:
        return None
    fence = opening["fence"]
    for end in range(start + 1, len(lines)):
        line = lines[end]
        if fence in line and not line.strip(" \t").strip(fence[0]) and len(line) - len(line.lstrip(" ")) <= 3:
            return Block(tuple(opening["info"].split()), "\n".join(lines[start + 1 : end]), start, end)
    raise FlowError(f"the block that opens here with {fence} is never closed", start)
