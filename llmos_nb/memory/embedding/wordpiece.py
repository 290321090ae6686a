"""BERT's word pieces in lower case, as plain Python: goals are short, and a goal takes 20 microseconds."""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path
from typing import Final

__all__ = ["DATA", "pieces", "vocabulary"]

DATA: Final = Path(__file__).parent / "data"

#: A Chinese or Japanese character stands alone, and so does punctuation; letters and digits stay together.
_PIECES: Final = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[^\w\s]|_"
)
#: Letters of the longest word that is taken apart.
_LONGEST: Final = 100
#: What texts longer than this have at their end is not read; a goal is rarely longer than 500 characters.
_LETTERS: Final = 8_000


@functools.cache
def vocabulary() -> dict[str, int]:
    """Every piece with its number; pieces inside a word begin with ``##``."""
    lines = (DATA / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    return {piece: number for number, piece in enumerate(lines)}


def pieces(text: str) -> list[int]:
    """The numbers of the known pieces of ``text``, in order; words that no pieces make up are left out."""
    known = vocabulary()
    text = text[:_LETTERS].lower()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    found: list[int] = []
    for word in _PIECES.findall(text):
        number = known.get(word)
        if number is not None:
            found.append(number)
        else:
            found += _parts(word, known)
    return found


def _parts(word: str, known: dict[str, int]) -> list[int]:
    """The longest known beginning, then the longest known continuation, and so on; nothing where one is missing."""
    if len(word) > _LONGEST:
        return []
    found = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            number = known.get(prefix + word[start:end])
            if number is not None:
                found.append(number)
                start = end
                break
        else:
            return []
    return found
