"""Values that nobody knows: a goal that says all else as a recorded one does has them where that one has its own.

``rename price to eur`` is recorded, and its program holds ``eur``; then ``rename price to euros`` has the value
``euros``. Where anything around the values differs, an unknown word is a word and no value.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from llmos_nb.memory.reading import FILLERS, MARKS, RELATIONS
from llmos_nb.memory.slots import Lifted

__all__ = ["unknown_values"]

_SPACE: Final = re.compile(r"\s+")
_END: Final = " .!?…"
#: A value of up to four words, without punctuation that parts.
_VALUE: Final = r"([^\s,;:]+(?:\s[^\s,;:]+){0,3}"
#: Words that begin a part of a sentence, beside prepositions.
_JOINING: Final = frozenset(("per", "because", "via", "within", "among"))
#: Words that say something by themselves, and are no values.
_SAID: Final = frozenset(FILLERS | MARKS.keys() | RELATIONS | _JOINING)
#: A single capital is a value by itself, even A and I.
_INITIAL: Final = re.compile("[A-Z]")
_KEPT: Final = 4096


def unknown_values(goal: str, recorded: Lifted, kind: str) -> tuple[str, ...]:
    """What ``goal`` says where the recorded one has values of ``kind``; nothing unless all else is equal, in one way."""
    unknown = tuple([slot.kind == kind for slot in recorded.slots])
    if True not in unknown:
        return ()
    first, start, lazy, greedy = _patterns(recorded.pieces, unknown)
    text, folded = _plain(goal)
    if not goal.casefold().startswith(first) or folded[: len(start)] != start:
        return ()
    short, long = lazy.fullmatch(text), greedy.fullmatch(text)
    if not short or not long or short.groups() != long.groups():
        return ()
    values = tuple(value for value, wanted in zip(short.groups(), unknown, strict=True) if wanted)
    words = [word for value in values for word in value.split() if not _INITIAL.fullmatch(value)]
    return () if any(word.lower() in _SAID for word in words) else values


@functools.lru_cache(maxsize=8)
def _plain(goal: str) -> tuple[str, str]:
    """A goal with single spaces and without its end; and the same without capitals."""
    text = _SPACE.sub(" ", goal).rstrip(_END)
    return text, text.casefold()


@functools.lru_cache(maxsize=_KEPT)
def _patterns(
    pieces: tuple[str, ...], unknown: tuple[bool, ...]
) -> tuple[str, str, re.Pattern[str], re.Pattern[str]]:
    """The first word and the first piece of a recorded wording, without capitals; and the wording as two patterns, whose
    values are as short and as long as can be."""
    texts = [re.escape(_SPACE.sub(" ", piece)) for piece in pieces]
    texts[-1] = re.escape(_SPACE.sub(" ", pieces[-1]).rstrip(_END))
    made = []
    for lazy in ("?", ""):
        parts = [texts[0]]
        for piece, wanted in zip(texts[1:], unknown, strict=True):
            parts += [f"{_VALUE}{lazy})" if wanted else f"(.+{lazy})", piece]
        made.append(re.compile("".join(parts), re.IGNORECASE))
    first = pieces[0].split(" ", 1)[0].casefold()
    return first, _SPACE.sub(" ", pieces[0]).casefold(), made[0], made[1]
