"""The searchable form of a recorded goal: its values lifted, its wording read, its program reduced to a skeleton."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from llmos_nb.errors import SettingsError
from llmos_nb.memory.columns import used_as
from llmos_nb.memory.embedding import embed, embedder
from llmos_nb.memory.key import goal_key
from llmos_nb.memory.programs import Program, program_of
from llmos_nb.memory.reading import (
    FILLERS,
    MARKS,
    OPERATIONS,
    RELATIONS,
    SYNONYMS,
    Reading,
    class_of,
    read_goal,
    stem,
)
from llmos_nb.memory.signature import Signature, hash63
from llmos_nb.memory.slots import KINDS, Lifted, Slot, Vocabulary, lift
from llmos_nb.memory.slots.vocabulary import Known, first_words
from llmos_nb.memory.trace import Trace

__all__ = [
    "LITERAL",
    "Layers",
    "Shaped",
    "forms_of",
    "known_values",
    "lift_trace",
    "maker",
    "signature_of",
    "skeleton",
    "spelled",
    "vector_of",
    "without_texts",
]

#: The version of these rules: an index made with other ones is made anew.
RULES: Final = 6

#: The kind of a value that is known only because a recorded program holds it.
LITERAL: Final = "literal"
#: Words of a literal up to which it is taken for a value when the goal says it.
_LONGEST: Final = 6
_EDGES: Final = re.compile(r"^[\W_]+|[\W_]+$")
_WORDS: Final = re.compile(r"[^\W_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
#: File names, paths, numbers, times and dates.
_PLAINLY: Final = re.compile(r"[\w./~\\-]*[\w-]\.[A-Za-z]\w{1,4}|[-+]?\d[\d.,:/-]*")


def maker() -> str:
    """What makes the signatures, so that those of two makers are never compared."""
    return f"forms {RULES}, {embedder().version}"


class Layers(Vocabulary):
    """Several vocabularies as one: the longest value wins, and among equals that of the first vocabulary."""

    __slots__ = ("layers",)

    def __init__(self, *layers: Vocabulary | None) -> None:
        super().__init__()
        self.layers = tuple(layer for layer in layers if layer is not None)

    def starts(self, word: str) -> bool:
        """May a value begin with ``word``?"""
        return any(layer.starts(word) for layer in self.layers)

    def find(self, goal: str, start: int) -> Known | None:
        """The longest known value at ``start``."""
        found = [known for layer in self.layers if (known := layer.find(goal, start)) is not None]
        return max(found, key=lambda known: known.end, default=None)

    def whole(self, text: str) -> Known | None:
        """The known value that ``text`` is."""
        return next((known for layer in self.layers if (known := layer.whole(text)) is not None), None)


def known_values(trace: Trace, program: Program) -> Vocabulary:
    """What the trace itself knows to be values in its goal: its recorded slots, and texts that its program holds."""
    values: dict[str, list[str]] = {}
    for name, slot in trace.slots.items():
        if isinstance(slot, dict) and isinstance(slot.get("type"), str) and slot["type"] not in KINDS:
            text = slot.get("text", slot.get("value", name))
            if isinstance(text, str):
                values.setdefault(slot["type"], []).append(text)
    goal = trace.goal.casefold()
    said = [text for text in dict.fromkeys(_texts(program)) if text.casefold() in goal and _is_value(text)]
    values[LITERAL] = [text for text in said if not _composed(text, said)]
    return Vocabulary(values)


def _texts(program: Program) -> Iterator[str]:
    """The texts in a program's places, without the wild cards and punctuation around them."""
    for place in program.places:
        items = place.value if isinstance(place.value, tuple) else (place.value,)
        for item in items:
            if isinstance(item, str) and (place.role in ("string", "list", "token") or place.context == "attribute"):
                yield _EDGES.sub("", item)


def _composed(text: str, texts: Sequence[str]) -> bool:
    """Whether a text is put together from values with words of the language: "revenue against price"."""
    words = _WORDS.findall(text.lower())
    if not any(word in FILLERS or word in MARKS or word in RELATIONS for word in words):
        return False
    inside = f" {' '.join(words)} "
    return any(other != text and f" {' '.join(_WORDS.findall(other.lower()))} " in inside for other in texts)


def _is_measure(text: str) -> bool:
    """Whether a text is an amount of something and nothing else: ``30 cm``. What unit it has must not get lost."""
    if not text[:1].isdigit() and text[:1] not in "-−.":
        return False
    slots = lift(text).slots
    return len(slots) == 1 and bool(slots[0].unit) and slots[0].text == text


def _is_value(text: str) -> bool:
    """Whether a text of the program, where the goal says it, is a value and no ordinary word of the request.

    What is a value by itself, such as a file's name, needs nobody to know it.
    """
    if _is_measure(text) or _PLAINLY.fullmatch(text):
        return False
    words = _WORDS.findall(text.lower())
    if not words or text in ("a", "i", "I", "A") or len(words) > _LONGEST:
        return False
    ordinary = [
        w in FILLERS or w in MARKS or w in RELATIONS or SYNONYMS.get(stem(w), "") in OPERATIONS for w in words
    ]
    return not all(ordinary) and not (len(words) > 3 and any(w in FILLERS or w in RELATIONS for w in words))


def skeleton(program: Program, slots: Sequence[Slot]) -> str:
    """A program with the values of its goal masked: equal for two runs that differ in nothing else."""
    numbers: dict[Decimal, str] = {}
    texts: dict[str, str] = {}
    for slot in slots:
        for one in (slot, *slot.items):
            name = class_of(one)
            if isinstance(one.value, int | Decimal):
                numbers[Decimal(one.value)] = "number"
            for text in (one.text, one.value):
                if isinstance(text, str) and len(text) > 1:
                    texts[text.casefold()] = "text" if name != "path" else "path"
                    if text.isdecimal():
                        numbers[Decimal(text)] = "number"
    longest = tuple(sorted(texts, key=len, reverse=True))
    parts = [program.shape]
    for place in program.places:
        parts.append(_masked(place.value, numbers, longest))
    return "\x1f".join(parts)


def _masked(value: Any, numbers: dict[Decimal, str], texts: tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return "(" + ",".join(_masked(item, numbers, texts) for item in value) + ")"
    if isinstance(value, str):
        if value.isdecimal() and Decimal(value) in numbers:
            return "<number>"
        return without_texts(value, texts) if texts else value
    return "<number>" if Decimal(value) in numbers else f"{value!r}"


def without_texts(value: str, texts: tuple[str, ...]) -> str:
    """``value`` with ``<text>`` for each of these texts, in whatever case, that is no part of a longer word.

    The texts are in lower case, the longest first, none of them empty.
    """
    if not value.isascii() or not all(text.isascii() for text in texts):
        return _any_of(texts).sub("<text>", value)
    low, end = value.lower(), 0  # to make the pattern takes a hundred times as long
    parts: list[str] = []
    while True:
        found = [(at, number) for number, text in enumerate(texts) if (at := _stands(low, text, end)) >= 0]
        if not found:
            return "".join((*parts, value[end:]))
        at, number = min(found)
        parts += [value[end:at], "<text>"]
        end = at + len(texts[number])


def _stands(low: str, text: str, start: int) -> int:
    """Where ``text`` stands by itself, from ``start`` on; -1 where it does not."""
    at = low.find(text, start)
    while at >= 0:
        end = at + len(text)
        if not low[max(0, at - 1) : at].isalnum() and not low[end : end + 1].isalnum():
            break
        at = low.find(text, at + 1)
    return at


@functools.lru_cache(maxsize=256)
def _any_of(texts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, texts))})(?![^\W_])", re.IGNORECASE)


def spelled(program: Program) -> frozenset[str]:
    """Words in a program that stand for something, as they are spelled there: texts, and names it did not make."""
    found: set[str] = set()
    for place in program.places:
        if place.role in ("string", "list") or place.context in ("attribute", "load", "keyword"):
            items = place.value if isinstance(place.value, tuple) else (place.value,)
            for item in items:
                if isinstance(item, str):
                    found.update(_LETTERS.findall(item))
    made = {
        str(place.value) for place in program.places if place.role == "name" and place.context in ("store", "bound")
    }
    return frozenset(found - made)


class Shaped:
    """A trace with what can be said of it without a goal: its program, and the values it knows of itself."""

    __slots__ = ("__dict__", "program", "spelled", "trace", "used", "values")

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.program = program_of(trace.replayable_steps)
        self.values = known_values(trace, self.program)
        self.spelled = spelled(self.program)
        self.used = used_as(self.program)

    @functools.cached_property
    def begins(self) -> frozenset[str] | None:
        """The words of its goal that known values may begin with."""
        return first_words(self.trace.goal)


def lift_trace(shaped: Shaped, vocabulary: Vocabulary | None = None) -> Lifted:
    """The recorded goal taken apart, with what is known now and what its own program tells."""
    return lift(shaped.trace.goal, Layers(vocabulary, shaped.values))


def signature_of(trace: Trace) -> Signature:
    """What the index keeps of a trace to find it by. Only a trace that can be replayed is found by more than its key."""
    key = hash63(goal_key(trace.goal))
    if not trace.replayable:
        return Signature(key=key)
    shaped = Shaped(trace)
    reading = read_goal(lift_trace(shaped))
    return Signature(key=key, shape=hash63(shaped.program.shape), **forms_of(reading, vector_of(reading)))


def vector_of(reading: Reading) -> Any:
    """The embedding of a masked text; None where there is none."""
    try:
        return _vector(reading.masked)
    except SettingsError:
        return None


@functools.lru_cache(maxsize=2048)
def _vector(masked: str) -> Any:
    vector = embed(masked)
    vector.setflags(write=False)
    return vector if vector.any() else None


def forms_of(reading: Reading, vector: Any) -> dict[str, Any]:
    """The searchable forms of a wording: hashes of template, words and slots, the masked text and its sign bits."""
    return {
        "template": hash63(reading.masked),
        "words": hash63(" ".join(reading.sequence)),
        "slots": hash63(reading.signature),
        "bits": b"" if vector is None else _bits(vector),
        "text": reading.masked,
    }


def _bits(vector: Any) -> bytes:
    import numpy as np

    packed: bytes = np.packbits(vector > 0).tobytes()
    return packed
