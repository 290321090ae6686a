"""The shell's syntax tree of texts that make some sense: over those that make none a parser sits for too long."""

from __future__ import annotations

import re
from typing import Final

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

__all__ = ["parsed"]

LANGUAGE: Final = Language(tree_sitter_bash.language())
#: Longest text that is parsed, in bytes.
MAX_BYTES: Final = 60_000
#: Signs that join, nest or redirect, in what is neither quoted nor a here-document. The parser takes the square of their
#: number where they make no sense, 0.3 s for 3,000; a command line of 50 commands has a tenth of this.
MAX_SIGNS: Final = 600
#: What is quoted, and all that follows on the line of a here-document.
_PLAIN: Final = re.compile(rb"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|<<-?[ \t]*['\"]?\w.*\n.*", re.DOTALL)
_SIGN: Final = re.compile(rb"[(<>|&`{\[]")


def parsed(source: bytes) -> Node | None:
    """The tree's root; None where that would take too long."""
    if len(source) > MAX_BYTES or len(_SIGN.findall(_PLAIN.sub(b"", source))) > MAX_SIGNS:
        return None
    return Parser(LANGUAGE).parse(source).root_node
