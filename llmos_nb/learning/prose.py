"""Prose and outputs cut into tokens: what is said (words, numbers, dates) and what stands between.

Lossless for prose: the text before each token, the tokens and the tail are the prose again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

__all__ = ["Cut", "Line", "Token", "cut", "joined", "lines_of", "squeezed"]

_DATE: Final = (
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?|\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?|\d+(?:\.\d+){2,}"
)
_NUMBER: Final = r"(?:(?<![\w)\]])[-−])?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\w)"
#: Letters, and digits that run into letters (30cm, 3rd): nothing is computed with these.
_WORD: Final = r"[^\W\d]\w*(?:\.\w+)*|\d\w+(?:\.\w+)*"
_TOKEN: Final = re.compile(rf"(?P<date>{_DATE})(?!\w)|(?P<number>{_NUMBER})|(?P<word>{_WORD})")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or date; ``before`` is what stands between it and the token before."""

    text: str
    kind: Literal["word", "number", "date"]
    before: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A text as its tokens and what comes after the last."""

    tokens: tuple[Token, ...]
    tail: str

    def after(self, index: int) -> str:
        """What stands between a token and the next."""
        return self.tokens[index + 1].before if index + 1 < len(self.tokens) else self.tail


Line = tuple[Token, ...]


def cut(text: str, phrases: Iterable[str] = ()) -> Cut:
    """``text`` in tokens; each of ``phrases`` (values of several words) is one token where it occurs, in any case."""
    pattern = _pattern(tuple(sorted({p for p in phrases if p}, key=lambda p: (-len(p), p))))
    found: list[Token] = []
    end = 0
    for match in pattern.finditer(text):
        kind = match.lastgroup or "word"
        found.append(Token(match.group(), "word" if kind == "phrase" else kind, text[end : match.start()]))  # type: ignore[arg-type]
        end = match.end()
    return Cut(tuple(found), text[end:])


@lru_cache(maxsize=64)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    if not phrases:
        return _TOKEN
    said = "|".join(re.escape(phrase) for phrase in phrases)
    return re.compile(rf"(?P<phrase>(?<!\w)(?i:{said})(?!\w))|{_TOKEN.pattern}")


def joined(pieces: Sequence[str], original: Cut) -> str:
    """The text with other tokens in the same places."""
    return "".join(t.before + piece for t, piece in zip(original.tokens, pieces, strict=True)) + original.tail


def lines_of(text: str, phrases: Iterable[str] = ()) -> tuple[Line, ...]:
    """An output as lines of tokens; lines without any are left out."""
    phrases = tuple(phrases)
    return tuple(tokens for line in text.splitlines() if (tokens := _line(line, phrases)))


def _line(line: str, phrases: tuple[str, ...]) -> Line:
    whole = cut(line.strip(), phrases)
    if whole.tokens and whole.tail.strip():  # what ends the line belongs to its shape
        return (*whole.tokens, Token("", "word", whole.tail))
    return whole.tokens


def squeezed(text: str) -> str:
    """``text`` with every run of white space as one space: how wide a table is padded says nothing."""
    return re.sub(r"\s+", " ", text)
