"""The words of a text and how much each of them says, the same for facts and for goals.

Weights do not depend on the other facts: whether a fact bears on a goal must not change because another one came.
They come from a word's place in BERT's vocabulary, which is ordered by frequency, and from its form.
"""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from typing import Final

from llmos_nb.memory.embedding.wordpiece import vocabulary

__all__ = ["names_in", "spelled", "weights"]

#: Letters of a text that are read.
_LETTERS: Final = 8_000
#: Names of files, columns and versions stay whole; a Chinese or Japanese character stands alone.
_WORDS: Final = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff]|[^\W_]+(?:[._-][^\W_]+)+|[^\W]+(?<!_)"
)
_PARTS: Final = re.compile(r"[^\W\d_]+|\d+")
#: Names of files: a stem and a suffix of letters.
_FILE: Final = re.compile(r"[\w-]+\.(?:[a-z][a-z0-9]{0,5})")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _list(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Words that say nothing about what a text is about.
_EMPTY: Final = _list(
    "a an the this that these those it its he she they them his her their my your our we you i me us of in on at to "
    "from for with without by as into onto over under about and or but not no nor so if then than when while where "
    "which who whom whose what why how is are was were be been being am do does did done has have had having can could "
    "may might must shall should will would there here all any each every some many much more most few less least "
    "other others another same such only also just very too again still yet now please let lets s t d ll re ve m"
)
#: Words of almost every goal in a notebook: what is done and to what, hardly ever what it is about.
_TASK: Final = _list(
    "plot draw chart graph histogram figure show display print list tell give get make create build write read load "
    "open save store compute calculate work find count number sum total mean average median maximum minimum max min "
    "largest smallest highest lowest first last sort group filter select drop keep remove add use using used compare "
    "fit run table data dataset frame dataframe file csv json txt xlsx parquet py md column row value values result "
    "results line lines name names called new one two three remember remembered recall know known fact facts note "
    "always never want need needs like"
)
#: Where BERT's vocabulary begins to hold words, and how long its list is.
_FIRST: Final = 1_990
_SIZE: Final = 30_522


@functools.lru_cache(maxsize=20_000)
def _weight(word: str) -> float:
    """How much a word says: 0 for an empty one, about 1 for a rare one, more for a name."""
    if word in _EMPTY:
        return 0.0
    if word in _TASK or word.removesuffix("s") in _TASK:
        return 0.15
    if any(sign in word for sign in "._-"):
        return 1.5
    if word.isdigit():
        return 0.3 if len(word) < 3 else 0.8
    place = vocabulary().get(word)
    if place is None:
        return 1.1
    if not word.isascii():
        return 0.7
    return max(0.15, math.log(max(2, place - _FIRST)) / math.log(_SIZE - _FIRST)) ** 2


def _stem(word: str) -> str:
    """The word without the commonest English endings: rows, row; measured, measure, measuring."""
    if len(word) < 4 or not word.isascii() or word in _EMPTY or word in _TASK:
        return word
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + instead
            break
    return word.removesuffix("e") if len(word) > 4 else word


def weights(text: str) -> dict[str, float]:
    """Every word of ``text`` by its stem, with how much it says; words that say nothing are left out."""
    found: dict[str, float] = {}
    for word in _WORDS.findall(unicodedata.normalize("NFKC", text[:_LETTERS])):
        for stem, weight in _stems(word):
            if weight > found.get(stem, 0.0):
                found[stem] = weight
    return found


@functools.lru_cache(maxsize=20_000)
def _stems(word: str) -> tuple[tuple[str, float], ...]:
    """The stems of one word and of its parts, with how much each says."""
    parts = [word]
    if not word.isalpha():
        parts += _PARTS.findall(word)
    elif not word.islower() and not word.isupper():
        parts += _CAMEL.split(word)[1:] and _CAMEL.split(word)
    whole = word.lower()
    found = []
    for part in dict.fromkeys(part.lower() for part in parts):
        weight = _weight(part)
        if part != whole:
            weight *= 0.6  # a part of a name says less than the word by itself
        elif len(part) == 1 and part.isascii():
            weight *= 0.5
        if weight > 0.0:
            found.append((_stem(part), weight))
    return tuple(found)


def spelled(text: str) -> dict[str, str]:
    """The stems of :func:`weights` as ``text`` spells them, whole words alone."""
    words = _WORDS.findall(unicodedata.normalize("NFKC", text[:_LETTERS]))
    return {_stem(word.lower()): word for word in reversed(words)}


def names_in(text: str) -> frozenset[str]:
    """Names of files in a text, in lower case: two texts that name different ones are about different things."""
    return frozenset(match[0] for match in _FILE.finditer(text[:_LETTERS].lower()) if not match[0][0].isdigit())
