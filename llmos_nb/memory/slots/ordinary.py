"""English words that are seldom a value: what a goal says with them must stay in its template.

A vocabulary may hold the value ``No`` or ``in``; lifting every "no" and "in" would take the sense out of a goal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = [
    "ACRONYMS",
    "ORDINARY",
    "POSITIONS",
    "SHOUTED",
    "TITLES",
    "begins_sentence",
    "is_shouted",
    "is_title_case",
    "words",
]


def words(text: str) -> list[str]:
    """The words of ``text``, which parts them with spaces."""
    return text.split()


#: Function words, negations, scope and order words. A vocabulary value spelled like one is found only in its exact
#: capitals, and in lower case only where it is announced ("column a") or quoted.
ORDINARY: Final = frozenset(
    words("""
    a about above after again against all also am among an and another any are as at be because been before being below
    best between both but by can cannot could did do does doing done down during each either else every except few
    fewer first for from get give given had has have he her here hers him his how i if in into is it its itself just
    last least less let like many may me might more most much must my neither never new next no non none nor not now of
    off on once one only onto or other others our out over own per please previous same second shall she should show
    since so some such than that the their them then there these they this those through to too true under until up
    upon us use using very via vs was we were what when where whether which while who whom whose why will with within
    without would yes yet you your false
    """)
)

#: Words that people write in capitals without meaning a name: SQL, and emphasis.
SHOUTED: Final = ORDINARY | frozenset(
    words("""
    add alter always asc ascending average avg case column columns compute count create delete desc descending distinct
    drop end exactly exists explain file files full group having important inner insert intersect join keep left limit
    list load make max mean median min never null order outer partition plot print read remove rename replace right row
    rows run save select set sort sum table union unique update values view where write warning note todo ok
    """)
)

#: Ordinary words that are names when they alone are in capitals: the WHO, the US, the IT department, the UP region.
ACRONYMS: Final = frozenset(words("he it me up us who"))

#: What "second" must stand before to be an ordinal; "per second" and "second half" are not.
POSITIONS: Final = frozenset(
    words("""
    argument axis bit cell chapter character column day digit element entry field figure file group item joint layer
    letter level line month page panel paragraph parameter plot quarter qubit record row section sheet step table
    version week word year
    """)
)

#: Abbreviations after which a capital begins no sentence.
TITLES: Final = frozenset(
    words("approx ca cf dept dr eg etc fig figs inc jr mr mrs ms mt p pp prof ref resp sr st tab vol vs")
)

_BEFORE: Final = re.compile(r"(?P<word>[^\W\d_]*)(?P<end>[.!?:…]?)[\s\"'“‘«(\[]*\Z")
_BULLET: Final = re.compile(r"(?:\A|\n)[ \t]*(?:(?:[-*•#>]+|[0-9]{1,3}[.)])[ \t]*)?\Z")
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
#: How far back is looked for the end of the sentence before.
_WINDOW: Final = 40


def begins_sentence(goal: str, start: int) -> bool:
    """Does a sentence, a line or a list item begin at ``start``, so that a capital there says nothing?"""
    before = goal[max(0, start - _WINDOW) : start]
    if before[-1:] == " " and before[-2:-1].isalpha():
        return False  # as most words stand
    if not before.strip():
        return start <= _WINDOW or "\n" in before
    if _BULLET.search(before):
        return True
    match = _BEFORE.search(before)
    if match is None or not match["end"]:
        return False
    if match["end"] != ".":
        return True
    word = match["word"]
    return not (word.lower() in TITLES or (len(word) == 1 and word.isupper()))


@lru_cache(maxsize=8)
def is_title_case(goal: str) -> bool:
    """Are ordinary words capitalised, so that a capital tells nothing: "Plot The Mean Of Sales"?

    One longer word in lower case makes it prose, whatever else is capitalised.
    """
    later = [word for word in _LETTERS.findall(goal)[1:] if word[1:].islower()]
    if any(word[0].islower() and len(word) > 3 for word in later):
        return False
    return any(word[0].isupper() and word != "New" and word.lower() in SHOUTED for word in later)


@lru_cache(maxsize=8)
def is_shouted(goal: str) -> bool:
    """Is the whole goal in capitals, so that they tell nothing?"""
    return goal.isupper() and len(_LETTERS.findall(goal)) > 2
