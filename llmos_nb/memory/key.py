r"""The exact key of a goal: two goals with one key ask for the same thing with the same values.

What people vary without meaning anything by it is taken away: runs of space, the case of ordinary words, the full
stop at the end. What could be a value or an operator stays as typed: ``x>5``, ``-2``, ``C++``, ``column A``,
``a/B.csv``, ``5!``, whatever is between quotes or back-ticks. In doubt two goals differ: a replay that is missed
costs a little money, a wrong one is the worst mistake this package can make.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["goal_key"]

#: Text between quotes or back-ticks. An apostrophe opens only after a non-letter and closes only before one.
_QUOTED: Final = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"
    r'|"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»'
    r"|(?<!\w)'(?:[^']|'(?=\w))*'(?!\w)|‘(?:[^’]|’(?=\w))*’(?!\w)",
    re.DOTALL,
)
_LETTERS: Final = r"[^\W\d_]+"
#: A word of prose: letters, perhaps hyphens and apostrophes, with punctuation around it but none of an operator's.
_WORD: Final = re.compile(rf"[(\[]*(?P<word>{_LETTERS}(?:[-'’]{_LETTERS})*)(?:['’]?[)\],;:]*|['’]?)[.!?…]*")
_LETTER_RUN: Final = re.compile(_LETTERS)
_NUMBER: Final = re.compile(r"[(\[]*[-+]?[$€£¥]?\d[\d.,]*[)\],;:]*")
#: What may end a goal without meaning anything: ``..`` is a folder, so it is not here.
_END: Final = re.compile(r"(?<![.!?…])(?:\.|\.\.\.|…|[!?]+)$")
#: What a full stop ends a sentence after: two letters or digits, a digit, a percent sign, a bracket.
_BEFORE_STOP: Final = re.compile(r"(?:\w\w|\d|[)\]%])$")
_ORDINARY_END: Final = re.compile(rf"(?:^|[\s(\[])[(\[]*(?:{_LETTERS}[-'’])*(?P<last>{_LETTERS})$")
#: Letters of a unit that stands after its number: ``5 MB`` is not ``5 Mb``.
_UNIT_LETTERS: Final = 3


def goal_key(goal: str) -> str:
    """The form of ``goal`` in which equal goals are equal. A key is its own key.

    Letters are compared in Unicode's NFC. Case is kept within quotes, in words with a capital, digit or underscore
    inside, in whatever looks like a path, a file name or code, in single letters, and in units (up to three letters
    after a number).
    """
    text = unicodedata.normalize("NFC", goal).strip()
    pieces: list[str] = []
    kept: list[bool] = []
    end = 0
    for match in _QUOTED.finditer(text):
        pieces += [text[end : match.start()], match[0]]
        kept += [False, True]
        end = match.end()
    pieces.append(text[end:])
    kept.append(False)
    if len(pieces) > 1 and not pieces[-1]:
        pieces.pop()
        kept.pop()
    if not kept[-1]:
        pieces[-1] = _without_end(pieces[-1], after_quote=len(pieces) > 1)
    folded = []
    for number, (piece, exact) in enumerate(zip(pieces, kept, strict=True)):
        touches = (number > 0, number + 1 < len(pieces))
        folded.append(piece if exact else _fold(piece, touches))
    return "".join(folded)


def _without_end(text: str, *, after_quote: bool) -> str:
    """``text`` less its final punctuation, where that cannot be an operator or part of a value."""
    match = _END.search(text)
    if match is None:
        return text
    mark, before = match[0], text[: match.start()]
    if not before:
        return "" if after_quote else text
    word = _ORDINARY_END.search(before)
    if word is not None and len(word["last"]) >= 2:
        # A factorial is written after a name, and names have capitals inside.
        return text if "!" in mark and _has_inner_capital(word["last"]) else before
    return before if mark == "." and _BEFORE_STOP.search(before) else text


def _has_inner_capital(word: str) -> bool:
    return word[1:] != word[1:].lower()


def _fold(text: str, touches: tuple[bool, bool]) -> str:
    """``text`` with single spaces and ordinary words in lower case; what touches a quote is not ordinary."""
    chunks = text.split()
    if not chunks:
        return " " if text else ""
    spaced = (text[0].isspace(), text[-1].isspace())
    folded = []
    for number, chunk in enumerate(chunks):
        glued = (number == 0 and touches[0] and not spaced[0]) or (
            number == len(chunks) - 1 and touches[1] and not spaced[1]
        )
        first = number == 0 and not touches[0]
        unit = number > 0 and _NUMBER.fullmatch(chunks[number - 1]) is not None
        folded.append(chunk if glued else _fold_word(chunk, first=first, unit=unit))
    return (" " if spaced[0] else "") + " ".join(folded) + (" " if spaced[1] else "")


def _fold_word(chunk: str, *, first: bool, unit: bool) -> str:
    match = _WORD.fullmatch(chunk) if chunk != chunk.lower() else None
    if match is None:
        return chunk
    word = match["word"]
    if unit and len(word) <= _UNIT_LETTERS:
        return chunk
    for part in _LETTER_RUN.findall(word):
        if _has_inner_capital(part):
            return chunk
    if len(word) == 1 and not (first and word in "AI"):
        return chunk
    if any(len(part) == 1 and part.isupper() for part in _LETTER_RUN.findall(word)) and len(word) > 1:
        return chunk  # B-spline, T-test: a letter that is a name
    return chunk.lower()
