"""Values known to exist, by kind: names of columns and variables, values of categorical columns, people, places.

A goal's words are looked up one by one in a table of first words; only behind a known one is the longest known value
sought. Making a vocabulary of 20,000 values takes a few hundredths of a second, and each entry is prepared when a goal
first says its first word; so make one :class:`Vocabulary` and use it for many goals.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from llmos_nb.memory.slots.ordinary import ORDINARY, begins_sentence

__all__ = ["Known", "Vocabulary", "first_words"]

#: A word, or one character of punctuation. An underscore parts words, as a space does.
_PART: Final = re.compile(r"[^\W_]+|[^\w\s]|_")
_SPACES: Final = re.compile(r"\s+")
_WORD_BEFORE: Final = re.compile(r"(\w+)[\s:]+\Z")
_WORD_AFTER: Final = re.compile(r"\s+(\w+)")
#: Behind a single letter these make another name of it: C++, C#, x-axis, it's.
_NOT_A_LETTER: Final = re.compile(r"\+\+|#|[-'’&][^\W\d_]")


@dataclass(frozen=True, slots=True)
class Known:
    """A known value in a goal: where it ends, its own spelling, and the kinds it is of, in alphabetical order."""

    end: int
    value: str
    kinds: tuple[str, ...]


class Vocabulary:
    """Known values, prepared for finding them in goals.

    Args:
        values: the values of each kind, such as ``{"column": ["bill_length_mm"], "species": ["Adelie", "Gentoo"]}``.
            Numbers are taken as they print. Empty values are left out.

    Values are found in any case, with these exceptions, which are found only as they are spelled: two values that
    differ in case alone; single letters; ordinary short words (:data:`~llmos_nb.memory.slots.ordinary.ORDINARY`), and
    of these and ``a`` and ``i`` the lower-case ones only in quotes, back-ticks or beside the name of their kind
    ("column a"). ``bill_length`` and ``bill length`` find each other where only one of them is known. Blanks around a
    value are not said: ``Bonn`` finds ``"Bonn "`` where there is no ``"Bonn"``; in quotes they count.
    """

    __slots__ = ("_firsts", "_marks", "_ready", "kinds")

    def __init__(self, values: Mapping[str, Iterable[object]] | None = None) -> None:
        #: The names of the kinds, sorted.
        self.kinds: tuple[str, ...] = tuple(sorted(values or ()))
        self._firsts: dict[str, list[tuple[str, str]]] = {}
        self._ready: dict[str, _Entries] = {}
        self._marks: dict[str, tuple[str, bytes]] = {}
        firsts, part = self._firsts, _PART.search
        for kind, members in (values or {}).items():
            for member in members:
                value = member if member.__class__ is str else str(member)
                first = value.lower()
                if len(first) != len(value):
                    first = fold(value)
                if not first.isalnum():
                    found = part(first)
                    if found is None:
                        continue
                    first = found[0]
                if first in firsts:
                    firsts[first].append((value, kind))
                else:
                    firsts[first] = [(value, kind)]

    def __len__(self) -> int:
        """How many values it was given, a value of two kinds twice."""
        return sum(map(len, self._firsts.values()))

    def starts(self, word: str) -> bool:
        """May a value begin with ``word``, in lower case?"""
        return word in self._firsts

    def about(self, words: frozenset[str]) -> tuple[tuple[str, bytes], ...]:
        """A mark of the values that begin with one of ``words``: two vocabularies with equal marks find the same values
        in a goal of these :func:`first_words`."""
        firsts, marks = self._firsts, self._marks
        found = []
        for word in sorted(words & firsts.keys()):
            mark = marks.get(word)
            if mark is None:
                text = repr(firsts[word]).encode("utf-8", "surrogatepass")
                mark = marks[word] = word, hashlib.blake2b(text, digest_size=16).digest()
            found.append(mark)
        return tuple(found)

    def find(self, goal: str, start: int) -> Known | None:
        """The longest known value at ``start``; none inside a word."""
        begin = _PART.match(goal, start)
        if begin is None:
            return None
        first = fold(begin[0])
        entries = self._entries(first)
        if entries is None:
            return None
        keys, ends = [first], [begin.end()]
        if entries.longest > 1:
            for part in _PART.finditer(goal, begin.end()):
                keys.append(fold(part[0]))
                ends.append(part.end())
                # Underscores count for nothing in a key, so there may be twice as many parts as words.
                if len(keys) >= 2 * entries.longest:
                    break
        words = sum(key != "_" for key in keys)
        for count in range(len(keys), 0, -1):
            # Only where a value has as many words: making each key of a long text takes longer than reading it.
            spellings = entries.values.get(_key(keys[:count])) if words in entries.sizes else None
            words -= keys[count - 1] != "_"
            end = ends[count - 1]
            if spellings is None or not _bounded(goal, start, end):
                continue
            said = _SPACES.sub(" ", goal[start:end])
            for value, kinds in _fitting(said, spellings):
                if not _needs_announcing(value) or _announced(goal, start, end, kinds):
                    return Known(end, entries.given.get(value, value), kinds)
        return None

    def whole(self, text: str) -> Known | None:
        """The known value that ``text``, which stood in quotes or back-ticks, is: no word is too ordinary there."""
        keys = _PART.findall(fold(text))
        entries = self._entries(keys[0]) if keys else None
        spellings = entries.values.get(_key(keys)) if entries else None
        if not spellings:
            return None
        said = _SPACES.sub(" ", text).strip()
        if said != text and (exact := sorted({kind for value, kind in self._firsts[keys[0]] if value == text})):
            return Known(len(text), text, tuple(exact))
        given = entries.given if entries else {}
        for value, kinds in _fitting(said, spellings):
            return Known(len(text), given.get(value, value), kinds)
        if len(spellings) == 1 and fold(said) == fold(next(iter(spellings))):
            ((value, kinds),) = spellings.items()
            return Known(len(text), given.get(value, value), kinds)
        return None

    def _entries(self, first: str) -> _Entries | None:
        ready = self._ready.get(first)
        if ready is None and first in self._firsts:
            ready = self._ready[first] = _prepared(self._firsts[first])
        return ready


def first_words(goal: str) -> frozenset[str] | None:
    """The words that a known value in ``goal`` may begin with; None where only a look at its letters tells."""
    if not goal.isascii() and any(letter in goal for letter in "Σσς"):
        return None  # its lower case depends on the letters around it
    parts = [part[0] for part in _PART.finditer(goal)]
    return frozenset(fold(part[start:]) for part in parts for start in range(len(part)))


@dataclass(frozen=True, slots=True)
class _Entries:
    """Values with one first word: by their words, each spelling with its kinds."""

    values: Mapping[str, Mapping[str, tuple[str, ...]]]
    longest: int
    #: How many words they have; 0 for underscores alone.
    sizes: frozenset[int]
    #: For a spelling that is no value itself the value: one with blanks before, behind or twice within it.
    given: Mapping[str, str]


def fold(text: str) -> str:
    """``text`` in lower case, as long as it was: a letter whose lower case is two letters stays."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def _key(parts: list[str]) -> str:
    return " ".join([part for part in parts if part != "_"]) or "_"


def _prepared(members: list[tuple[str, str]]) -> _Entries:
    values: dict[str, dict[str, set[str]]] = {}
    sizes: set[int] = set()
    given: dict[str, str] = {}
    longest = 1
    for value, kind in members:
        spelling = _SPACES.sub(" ", value).strip()
        given[spelling] = value if spelling not in given else min(value, given[spelling], key=_blanks_last)
        parts = _PART.findall(fold(spelling))
        longest = max(longest, len(parts))
        sizes.add(sum(part != "_" for part in parts))
        values.setdefault(_key(parts), {}).setdefault(spelling, set()).add(kind)
    return _Entries(
        {key: {name: tuple(sorted(kinds)) for name, kinds in found.items()} for key, found in values.items()},
        longest,
        frozenset(sizes),
        {spelling: value for spelling, value in given.items() if spelling != value},
    )


def _blanks_last(value: str) -> tuple[int, str]:
    return len(value), value


def _fitting(said: str, spellings: Mapping[str, tuple[str, ...]]) -> list[tuple[str, tuple[str, ...]]]:
    """The value that ``said`` spells, at most one: exactly, in another case, or with spaces for underscores."""
    exact = spellings.get(said)
    if exact is not None:
        return [(said, exact)]
    folded = fold(said)
    same = [value for value in spellings if fold(value) == folded]
    if not same:
        # "A +" must not be taken for "A+": but for underscores the two are spelled alike.
        loose = folded.replace("_", " ")
        same = [value for value in spellings if fold(value).replace("_", " ") == loose]
    if len(same) != 1 or _exact_only(same[0]):
        return []
    return [(same[0], spellings[same[0]])]


def _exact_only(value: str) -> bool:
    return (len(value) == 1 and value.isalpha()) or value.lower() in ORDINARY


def _needs_announcing(value: str) -> bool:
    return value in ORDINARY or value.lower() in ORDINARY or value == "a"


def _announced(goal: str, start: int, end: int, kinds: tuple[str, ...]) -> bool:
    """Does the goal say what the word is ("column a"), or have its capitals told ("in the OR")?"""
    text = goal[start:end]
    before, after = _WORD_BEFORE.search(goal[max(0, start - _LONGEST_KIND) : start]), _WORD_AFTER.match(goal, end)
    near = {match[1].lower() for match in (before, after) if match}
    if near & {form for kind in kinds for form in (kind.lower(), f"{kind.lower()}s")}:
        return True
    return text != "I" and text != text.lower() and not begins_sentence(goal, start)


#: How far back from a word its kind's name is looked for, in characters.
_LONGEST_KIND: Final = 40


def _bounded(goal: str, start: int, end: int) -> bool:
    """Does the text at ``start:end`` stand by itself: no part of a longer word, of ``C++`` or ``x-axis``?"""
    if start and goal[start].isalnum() and (goal[start - 1].isalnum() or goal[start - 1] == "_"):
        return False
    last, following = goal[end - 1], goal[end : end + 1]
    if last.isalnum() or last == "_":
        if following.isalnum() or following == "_":
            return False
    elif following and (following == last or (last in "+-*/#" and (following.isalnum() or following in "+-"))):
        return False
    return not (end - start == 1 and last.isalpha() and _NOT_A_LETTER.match(goal, end))
