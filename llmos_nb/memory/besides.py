"""What a goal says besides the words that say what is to be done: a task of a pack must be asked for so, too.

The words that :mod:`llmos_nb.memory.reading` takes for idle come and go between wordings of one recorded goal. Nothing is
known of what somebody who never saw a task means by them, and "should", "who", "it" and "not" may be half of a question.
"""

from __future__ import annotations

from typing import Final

from llmos_nb.memory.reading import FILLERS, MARKS, RELATIONS
from llmos_nb.memory.slots.ordinary import words

__all__ = ["OF_THEIR_OWN", "said_besides"]

#: Words that say nothing more: articles, politeness, what asks to be shown something, and prepositions, of which the
#: values behind them tell more. Whatever else a goal says, a wording of the task must say, too.
_IDLE: Final = frozenset(
    words("""
    a an the i i'm i'd i've i'll me my mine we us our you your am is are was were be been being do does did have has had
    having please kindly hey hi hello ok okay thanks thank well simply really actually basically
    want need like wish wondering wonder help try let's what what's which that there 's 're 've 'm 'll 'd
    give gives given tell show shows shown display displayed find compute calculate determine get return provide see
    know say look print printed value values any list in of on at for from with all using
    """)
)
#: Denials are not alike: "not" denies what is said of a row, "no" and "without" that there is something.
_DENIALS: Final = frozenset(word for word, sense in MARKS.items() if sense in ("not", "without", "except"))
#: What goes on with a condition.
_WHERE: Final = frozenset(("where", "whose"))
#: Superlatives that say of what, by themselves: "the longest" is no year.
OF_THEIR_OWN: Final = frozenset(
    words("tallest heaviest longest shortest lightest priciest cheapest costliest dearest oldest youngest")
)
_TELLING: Final = _DENIALS | OF_THEIR_OWN | FILLERS | RELATIONS


def said_besides(asked: frozenset[str], known: frozenset[str]) -> str:
    """The words of a goal, among those that are no content, which no wording of a task has, in quotes; empty if there are
    none. ``asked`` and ``known`` are the :attr:`~llmos_nb.memory.reading.Reading.small` words of both."""
    explained = known | _IDLE
    if not explained.isdisjoint(_WHERE):
        explained |= _WHERE
    return ", ".join(f"“{word}”" for word in sorted((asked - explained) & _TELLING))
