"""Values found in a goal one after another, from left to right: at each place the longest, known values first."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from llmos_nb.memory.slots.atom import NUMERIC, Atom
from llmos_nb.memory.slots.dates import MONTHS, NAMED_DATE, read_date, read_time
from llmos_nb.memory.slots.measured import read_money, read_number, with_tail
from llmos_nb.memory.slots.numbers import NUMBER, SPELLED_FIRST, spelled, spelled_ordinal
from llmos_nb.memory.slots.ordinary import (
    ACRONYMS,
    SHOUTED,
    TITLES,
    begins_sentence,
    is_shouted,
    is_title_case,
    words,
)
from llmos_nb.memory.slots.quotes import closing
from llmos_nb.memory.slots.tokens import TOKEN
from llmos_nb.memory.slots.vocabulary import Known, Vocabulary

__all__ = ["scan"]

_NUMBER: Final = re.compile(NUMBER)
_DIGITS: Final = re.compile(r"[0-9]+")
_OPENED: Final = re.compile(r"\[[0-9,]*\Z")
_CLOSED: Final = re.compile(r"[0-9,]*\]")
_RUN: Final = re.compile(r"\w+|.", re.DOTALL)
_NAME: Final = re.compile(r"[^\W\d_]{2,}(?:[-'’][^\W\d_]{2,})*|[A-Z]['’][^\W\d_]{2,}(?:-[^\W\d_]{2,})*")
_JOINED: Final = re.compile(r"[-'’]")
#: A name that begins with one letter: "O'Hara", also where it is written "O'hara".
_CELTIC: Final = re.compile(r"[A-Z]['’][^\W\d_]{3,}")
#: What stands before a surname: a title, or a first name that begins no sentence.
_BEFORE_SURNAME: Final = re.compile(r"([^\W\d_]+)\.? \Z")
#: Parts of a word behind a hyphen that describe and name nothing: "Oslo-based", "Excel-style".
_DESCRIBES: Final = re.compile(
    r".*ed|.*ing|level|like|style|type|class|only|free|wide|specific|friendly|born|made|size|side"
)
#: What makes a word before it a contraction, not a name: "Don't", "We'll".
_CONTRACTED: Final = re.compile(r"['’](?:t|ll|re|ve|d|m)\b")
_CAPITAL_NEXT: Final = re.compile(r" [^\W\d_](?<=[A-Z])[^\W\d_]*[a-z]")
#: Dotted words that are abbreviations, not attributes of something.
_ABBREVIATIONS: Final = frozenset({"e.g", "i.e", "a.m", "p.m", "u.s", "a.k.a", "u.k", "w.r.t", "et.al"})
#: Names whose attributes look like file names: ``np.log`` is a function.
_MODULES: Final = frozenset(words("ax cls df fig math np nx os pd plt re self sns sp sys tf this torch"))
#: Words that may begin a value though they are plain words.
_SPECIAL: Final = SPELLED_FIRST | frozenset(MONTHS)


def scan(goal: str, vocabulary: Vocabulary | None) -> list[Atom]:
    """The single values in ``goal``, in order, none overlapping."""
    atoms: list[Atom] = []
    match_at, position, length = TOKEN.match, 0, len(goal)
    special, starts = _SPECIAL, vocabulary.starts if vocabulary is not None else None
    while position < length:
        token = match_at(goal, position)
        if token is None:  # pragma: no cover - the last alternative takes any character
            break
        group = token.lastgroup or ""
        if group == "space":
            position = token.end()
            continue
        if group == "word":
            word = token[0]
            if word not in special and (starts is None or not starts(word)):
                position = token.end()
                continue
        if group == "quote":
            atom = _quoted(goal, position, vocabulary)
            position = position + 1 if atom is None else atom.whole[1]
        else:
            atom = _READERS.get(group, _nothing)(goal, token)
            known = vocabulary.find(goal, position) if vocabulary is not None else None
            if known is not None and (atom is None or known.end >= atom.end):
                atom = _known(goal, position, known, atom)
            position = _after(goal, token) if atom is None else atom.end
        if atom is not None:
            atoms.append(atom)
    return atoms


def _after(goal: str, token: re.Match[str]) -> int:
    """Where to go on behind a token that is no value: behind the first word of a name that was none."""
    if token.lastgroup in ("date", "number", "version", "hex", "time", "money"):
        run = _RUN.match(goal, token.start())
        return run.end() if run else token.end()
    return token.end()


def _known(goal: str, start: int, known: Known, generic: Atom | None) -> Atom:
    """A known value; what the text alone would have been comes last among its kinds."""
    kinds, value = known.kinds, known.value
    result = Atom(kinds, start, known.end, value, known=kinds)
    if generic is not None and generic.end == known.end:
        result.alone = generic.kind
        result.kinds = (*(kind for kind in kinds if kind != generic.kind), generic.kind)
        if generic.kind in NUMERIC and str(generic.value) == value:
            result.value = generic.value
    return result


def _nothing(goal: str, token: re.Match[str]) -> Atom | None:
    return None


def _text(kind: str, goal: str, token: re.Match[str]) -> Atom | None:
    return Atom((kind,), token.start(), token.end(), token[0])


def _quoted(goal: str, start: int, vocabulary: Vocabulary | None) -> Atom | None:
    """What stands between quotes: a known value, or text; what it would be without quotes is its second kind."""
    span = closing(goal, start)
    if span is None:
        return None
    begin, end = span
    text = goal[begin:end]
    ticks = goal[start] == "`"
    outer = (start, end + (begin - start if ticks else 1))
    kind = "code" if ticks else "quoted"
    known = vocabulary.whole(text) if vocabulary is not None else None
    if known is not None:
        kinds = (*(each for each in known.kinds if each != kind), kind)
        return Atom(kinds, begin, end, known.value, outer=outer, known=known.kinds, alone=kind)
    token = TOKEN.match(text)
    inner = token.lastgroup if token is not None and token.end() == len(text) else None
    also = (inner,) if inner in ("path", "url", "email", "identifier") else ()
    return Atom((kind, *also), begin, end, text, outer=outer)


def _url(goal: str, token: re.Match[str]) -> Atom:
    text = token[0].rstrip(".,;:!?'*")
    while text.endswith((")", "]", "}")) and text.count(text[-1]) > text.count(
        {")": "(", "]": "[", "}": "{"}[text[-1]]
    ):
        text = text[:-1].rstrip(".,;:!?")
    return Atom(("url",), token.start(), token.start() + len(text), text)


def _path(goal: str, token: re.Match[str]) -> Atom | None:
    stem, dot, _ = token[0].partition(".")
    kind = "identifier" if dot and stem in _MODULES else "path"
    return Atom((kind,), token.start(), token.end(), token[0])


def _date(goal: str, token: re.Match[str]) -> Atom | None:
    read = read_date(token[0])
    if read is None:
        digits = _NUMBER.match(goal, token.start())
        return read_number(goal, token.start(), digits.end()) if digits else None
    return Atom((read[0],), token.start(), token.end(), read[1])


def _time(goal: str, token: re.Match[str]) -> Atom | None:
    value = read_time(token[0])
    return None if value is None else Atom(("time",), token.start(), token.end(), value)


def _hex(goal: str, token: re.Match[str]) -> Atom:
    return Atom(("integer",), token.start(), token.end(), int(token[0], 0))


def _plain_number(goal: str, token: re.Match[str]) -> Atom | None:
    start, end = token.span()
    if "," in token[0] and _OPENED.search(goal, max(0, start - 60), start) and _CLOSED.match(goal, end):
        # In square brackets commas part items: [100,200,300].
        first = _DIGITS.match(goal, start)
        end = first.end() if first else end
    return read_number(goal, start, end)


#: Words in capitals that name nothing.
_EMPHASIS: Final = SHOUTED - ACRONYMS


def _identifier(goal: str, token: re.Match[str]) -> Atom | None:
    text = token[0]
    if text.lower() in _ABBREVIATIONS or (text.isupper() and text.lower() in _EMPHASIS):
        return None
    if text.isalpha() and text.isupper() and is_shouted(goal):
        return None
    return Atom(("identifier",), token.start(), token.end(), text)


def _word(goal: str, token: re.Match[str]) -> Atom | None:
    """A word that may be a number, an ordinal, a month or a name."""
    start, word = token.start(), token[0]
    low = word.lower()
    if low in _SPECIAL:
        atom = _spelled(goal, start, low)
        if atom is not None:
            return atom
    return _name(goal, start, word) if word[0].isupper() else None


def _spelled(goal: str, start: int, low: str) -> Atom | None:
    if low in MONTHS:
        month = NAMED_DATE.match(goal, start)
        read = read_date(month[0]) if month is not None else None
        if month is not None and read is not None:
            return Atom((read[0],), start, month.end(), read[1])
        if len(low) > 3 or low == "may":
            word = goal[start : start + len(low)]
            if word.istitle() and not begins_sentence(goal, start):
                return Atom(("date",), start, start + len(low), f"--{MONTHS[low]:02}")
        return None
    nth = spelled_ordinal(goal, start)
    if nth is not None:
        return Atom(("ordinal",), start, nth[1], nth[0])
    found = spelled(goal, start)
    return None if found is None else with_tail(goal, start, found[1], found[0], "integer", in_words=True)


def _name(goal: str, start: int, word: str) -> Atom | None:
    """A capitalised word inside a sentence, with what hyphens and apostrophes join to it.

    That must be capitalised, too, but in surnames: "Prof. Adler-milstein", "Pat O'hara".
    """
    if start == 0:
        return None  # there a sentence begins
    match = _NAME.match(goal, start)
    if match is None or _CONTRACTED.match(goal, match.end()):
        return None
    text = match[0]
    parts = [text] if text == word and text.isalpha() else _JOINED.split(text)
    least = 2 if len(parts) > 1 and _CELTIC.match(text) else 1
    surname = len(parts) > least and not parts[-1][0].isupper() and _behind_name(goal, start)
    while len(parts) > least and not parts[-1][0].isupper() and not (surname and not _DESCRIBES.fullmatch(parts[-1])):
        text = text[: -len(parts.pop()) - 1]
    if any(part.isupper() and len(part) > 1 for part in parts) or not parts[0][0].isupper():
        return None
    low = text.lower()
    if text == "New" and _CAPITAL_NEXT.match(goal, start + 3):
        low = "new york"  # "new" alone is an ordinary word
    if low in SHOUTED or low in TITLES or begins_sentence(goal, start) or is_title_case(goal):
        return None
    return Atom(("name",), start, start + len(text), text)


def _behind_name(goal: str, start: int) -> bool:
    """Whether a title or a first name stands right before ``start``."""
    before = _BEFORE_SURNAME.search(goal, max(0, start - 40), start)
    if before is None:
        return False
    word = before[1]
    if word.lower() in TITLES:
        return True
    return word.istitle() and word.lower() not in SHOUTED and not begins_sentence(goal, before.start())


_READERS: Final[Mapping[str, Callable[[str, re.Match[str]], Atom | None]]] = {
    "word": _word,
    "letters": _word,
    "url": _url,
    "email": partial(_text, "email"),
    "path": _path,
    "date": _date,
    "time": _time,
    "money": read_money,
    "hex": _hex,
    "version": partial(_text, "identifier"),
    "uuid": partial(_text, "identifier"),
    "number": _plain_number,
    "identifier": _identifier,
}
