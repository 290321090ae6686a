r"""The exact key of a goal: two goals with one key ask for the same thing with the same values.

What people vary without meaning anything by it is taken away: runs of space, the case of ordinary words, the
punctuation mark at the end. What could be a value or an operator stays as typed: ``x>5``, ``-2``, ``C++``,
``column A``, ``camelCase``, ``a/B.csv``, ``5 MB``, ``5!``, the indentation of lines, whatever is between quotes or
back-ticks. In doubt two goals differ: a replay that is missed costs a little money, a wrong one is the worst mistake
this package can make. Whether an ordinary word's capitals mean something after all, only the program can tell: see
:mod:`llmos_nb.memory.capitals`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

__all__ = ["goal_key"]

#: Text between quotes or back-ticks. An apostrophe opens only after a non-letter and closes only before one.
_QUOTED: Final = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"
    r'|"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»'
    r"|(?<!\w)'(?:[^']|'(?=\w))*'(?!\w)|‘(?:[^’]|’(?=\w))*’(?!\w)",
    re.DOTALL,
)
#: What one begins with: without any of these nothing is quoted.
_OPENING: Final = re.compile("[`'\"“„«‘]")
_LETTERS: Final = r"[^\W\d_]+"
#: A word of prose: letters, perhaps hyphens and apostrophes, with punctuation around it but none of an operator's.
_WORD: Final = re.compile(rf"[(\[]*(?P<word>{_LETTERS}(?:[-'’]{_LETTERS})*)(?:['’]?[)\],;:]*|['’]?)[.!?…]*")
_LETTER_RUN: Final = re.compile(_LETTERS)
_SPACE: Final = re.compile(r"\s+")
_CHUNKS: Final = re.compile(r"(\S+)")
_LINE_END: Final = re.compile(r"[\r\n]")
_MARKS: Final = (".", "!", "?", "…")
#: What may end a goal without meaning anything: ``..`` is a folder, so it is not here.
_END: Final = re.compile(r"(?<![.!?…])(?:\.|\.\.\.|…|[!?]+)$")
#: What a full stop ends a sentence after: two letters or digits, a digit, a percent sign, a bracket.
_BEFORE_STOP: Final = re.compile(r"(?:\w\w|\d|[)\]%])$")
#: What a question mark ends a question after, besides words: a file's name, a number, a bracket.
_BEFORE_QUESTION: Final = re.compile(r"(?:\w\.[A-Za-z]\w{0,5}|\s[-+]?\d[\d.,]*|[)\]%])$")
#: A number by itself; a short word after it is a unit: ``5 MB`` is not ``5 Mb``.
_NUMBER: Final = re.compile(r"[(\[]*[-+]?[$€£¥]?\d[\d.,]*")
_UNIT_LETTERS: Final = 3
#: Words of two and three letters that are no unit and no symbol.
_SHORT_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "am an and are as at be but by do for go he if in is it me my no nor not of on or so the to up us was we",
    )
)
_ORDINARY_END: Final = re.compile(rf"(?:^|[\s(\[])[(\[]*(?:{_LETTERS}[-'’])*(?P<last>{_LETTERS})$")


def goal_key(goal: str) -> str:
    """The form of ``goal`` in which equal goals are equal. A key is its own key.

    Letters are compared in Unicode's NFC. Case is kept within quotes, in words with a capital, digit or underscore
    inside, in whatever looks like a path, a file name or code, in single letters, and in units. Lines are kept where
    they are indented differently.
    """
    text = unicodedata.normalize("NFC", goal).strip()
    if not _OPENING.search(text) and not _LINE_END.search(text):
        return _fold_plain(_without_end(text, after_quote=False))
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
    margin = None
    if _LINE_END.search(text):
        margin = _margin(piece for piece, exact in zip(pieces, kept, strict=True) if not exact)
    for number, (piece, exact) in enumerate(zip(pieces, kept, strict=True)):
        touches = (number > 0, number + 1 < len(pieces))
        folded.append(piece if exact else _fold(piece, touches, margin))
    return "".join(folded)


def _without_end(text: str, *, after_quote: bool) -> str:
    """``text`` less its final punctuation, where that cannot be an operator or part of a value."""
    match = _END.search(text) if text.endswith(_MARKS) else None
    if match is None:
        return text
    mark, before = match[0], text[: match.start()]
    if not before:
        return "" if after_quote else text
    word = _ORDINARY_END.search(before)
    if word is not None and len(word["last"]) >= 2:
        # A factorial is written after a name, and names have capitals inside.
        return text if "!" in mark and _has_inner_capital(word["last"]) else before
    if mark == "?" and _BEFORE_QUESTION.search(before):
        return before
    return before if mark == "." and _BEFORE_STOP.search(before) else text


def _has_inner_capital(word: str) -> bool:
    return word[1:] != word[1:].lower()


def _fold_plain(text: str) -> str:
    """:func:`_fold` of one line in which nothing is quoted."""
    if text[-1:].isspace():
        return _fold(text, (False, False), None)
    parts = text.split()
    for index, part in enumerate(parts):
        if part != part.lower():
            after_number = index > 0 and _NUMBER.fullmatch(parts[index - 1]) is not None
            parts[index] = _fold_word(part, first=index == 0, unit=after_number)
    return " ".join(parts)


def _fold(text: str, touches: tuple[bool, bool], margin: int | None) -> str:
    """``text`` with single spaces and ordinary words in lower case; what touches a quote is not ordinary."""
    spaced = _SPACE.sub(" ", text) if margin is None else _SPACE.sub(lambda run: _folded_space(run[0], margin), text)
    parts = _CHUNKS.split(spaced)
    for index in range(1, len(parts), 2):
        if parts[index] == parts[index].lower():
            continue
        glued = (touches[0] and not any(parts[:index])) or (touches[1] and not any(parts[index + 1 :]))
        after_number = index > 1 and _NUMBER.fullmatch(parts[index - 2]) is not None
        if not glued:
            parts[index] = _fold_word(parts[index], first=index == 1 and not touches[0], unit=after_number)
    return "".join(parts)


def _folded_space(run: str, margin: int | None) -> str:
    indent = None if margin is None else _indent(run)
    return " " if indent is None or margin is None else "\n" + " " * (indent - margin)


def _margin(pieces: Iterable[str]) -> int | None:
    """How far all lines but the first are indented, where some are further than others: that is code, or a list."""
    indents = {_indent(run) for piece in pieces for run in _SPACE.findall(piece)} - {None}
    found = sorted(indent for indent in indents if indent is not None)
    return found[0] if len(found) > 1 else None


def _indent(run: str) -> int | None:
    """Columns of white space at the start of the line that begins in ``run``; None where none begins."""
    lines = _LINE_END.split(run)
    return len(lines[-1].expandtabs()) if len(lines) > 1 else None


def _fold_word(chunk: str, *, first: bool, unit: bool) -> str:
    """A word in lower case if it is an ordinary one, whose capitals only begin a sentence or raise a voice."""
    if len(chunk) > _UNIT_LETTERS and chunk.isascii() and chunk.isalpha() and chunk[1:].islower():
        return chunk.lower()  # as below, for what most capitals are in
    match = _WORD.fullmatch(chunk) if chunk != chunk.lower() else None
    if match is None:
        return chunk
    word = match["word"]
    parts = _LETTER_RUN.findall(word)
    if any(_has_inner_capital(part) and not part.isupper() for part in parts):
        return chunk  # camelCase, GHz
    if len(word) == 1 and not (first and word in "AI"):
        return chunk
    if len(word) == 2 and not first and word.lower() not in _SHORT_WORDS:
        return chunk  # MB, Mb: a unit without its number
    if any(len(part) == 1 and part.isupper() for part in parts) and len(word) > 1:
        return chunk  # B-spline, T-test: a letter that is a name
    if unit and len(word) <= _UNIT_LETTERS and word.lower() not in _SHORT_WORDS:
        return chunk
    return chunk.lower()
