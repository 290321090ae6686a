"""Facts in memory, so that ten thousand of them are searched in a few milliseconds: words and vectors.

Words propose by what they weigh, vectors by likeness; the best of both are judged one by one
(:func:`~llmos_nb.memory.facts.relevance.relevance`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from llmos_nb.memory.embedding import embed_many, embedder
from llmos_nb.memory.facts.fact import Fact
from llmos_nb.memory.facts.relevance import reason_of, relevance
from llmos_nb.memory.facts.words import names_in, spelled, weights

__all__ = ["Search", "likeness_of", "vectors_of"]

#: Facts that are judged one by one for a question, at least.
_JUDGED: Final = 48
#: Facts whose words are kept.
_KEPT: Final = 20_000
#: What a word is worth to propose a fact, against likeness.
_WORDS: Final = 0.6


def vectors_of(texts: Sequence[str]) -> NDArray[np.float16]:
    """Unit vectors, one row a text; zeros where the embedder cannot be used or knows no word."""
    from llmos_nb.errors import SettingsError

    try:
        return embed_many(texts).astype(np.float16)
    except SettingsError:  # words alone find facts, too
        return np.zeros((len(texts), embedder().dim), np.float16)


def likeness_of(question: str, texts: Sequence[str]) -> list[float]:
    """How much each of ``texts`` bears on ``question``, 0 to 1, as facts are judged."""
    asked, names = weights(question), names_in(question)
    vectors = vectors_of([question, *texts]).astype(np.float32)
    return [
        relevance(asked, weights(text), float(like), goal_names=names, fact_names=names_in(text))
        for text, like in zip(texts, vectors[1:] @ vectors[0], strict=True)
    ]


def _read(fact: Fact) -> str:
    """What a fact is found by."""
    return f"{fact.text} {' '.join(fact.tags)}" if fact.tags else fact.text


class Search:
    """A growing table of facts. Rows are only ever added and taken out, by the file's name."""

    def __init__(self) -> None:
        self._dim = embedder().dim
        self._vectors: NDArray[np.float32] = np.zeros((64, self._dim), np.float32)
        self._there: NDArray[np.bool_] = np.zeros(64, bool)
        self._lengths: NDArray[np.float32] = np.ones(64, np.float32)
        self._facts: list[Fact | None] = []
        self._rows: dict[str, int] = {}
        self._words: dict[str, array[int]] = {}
        self._judged: dict[int, tuple[dict[str, float], frozenset[str]]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, path: str, fact: Fact, vector: NDArray[Any]) -> None:
        """Add a fact, in place of what was under this path."""
        self.drop(path)
        row = len(self._facts)
        if row == len(self._there):
            if len(self._rows) * 2 < row:
                self._tidy()
                row = len(self._facts)
            else:
                self._grow(2 * row)
        found = weights(_read(fact))
        self._facts.append(fact)
        self._rows[path] = row
        self._vectors[row] = vector
        self._there[row] = True
        self._lengths[row] = max(1.0, sum(found.values())) ** 0.5
        for word in found:
            self._words.setdefault(word, array("i")).append(row)

    def drop(self, path: str) -> None:
        """Take a fact out, if it is there."""
        row = self._rows.pop(path, None)
        if row is not None:
            self._there[row] = False
            self._facts[row] = None

    def best(self, question: str, limit: int, counts: Callable[[Fact], bool]) -> list[tuple[Fact, float, str]]:
        """The facts that bear most on ``question`` among those that count, with score and reason, best first."""
        size = len(self._facts)
        if not self._rows:
            return []
        asked, names, spelling = weights(question), names_in(question), spelled(question)
        vector = vectors_of([question])[0].astype(np.float32)
        # Not @: BLAS would share this half millisecond among threads, and on a busy machine wait for them 20 ms.
        likeness = np.einsum("ij,j->i", self._vectors[:size], vector)
        score = np.zeros(size, np.float32)
        for word, weight in asked.items():
            rows = self._words.get(word)
            if rows is not None:
                score[np.frombuffer(rows, np.int32)] += weight
        score = _WORDS * score / self._lengths[:size] + np.maximum(likeness, 0)
        score[~self._there[:size]] = -1
        wanted = max(_JUDGED, 2 * limit)
        while True:
            top = np.argpartition(score, -wanted)[-wanted:] if wanted < size else np.arange(size)
            judged = []
            for row in top.tolist():
                fact = self._facts[row]
                if fact is not None and counts(fact):
                    said, about = self._said(row, fact)
                    number = relevance(asked, said, float(likeness[row]), goal_names=names, fact_names=about)
                    judged.append((-number, fact.id, row, fact))
            if len(judged) >= min(limit, len(self._rows)) or wanted >= size:
                break
            wanted *= 8  # most of them do not count: of other projects, or superseded
        judged.sort(key=lambda one: one[:3])
        return [
            (fact, -number, reason_of(asked, self._said(row, fact)[0], float(likeness[row]), spelling))
            for number, _, row, fact in judged[:limit]
        ]

    def _said(self, row: int, fact: Fact) -> tuple[dict[str, float], frozenset[str]]:
        """The words of a fact, and the files it names; those of facts that were judged lately are kept."""
        said = self._judged.get(row)
        if said is None:
            if len(self._judged) >= _KEPT:
                self._judged.clear()
            said = self._judged[row] = weights(_read(fact)), names_in(fact.text)
        return said

    def _grow(self, size: int) -> None:
        for name in ("_vectors", "_there", "_lengths"):
            old = getattr(self, name)
            new = np.zeros((size, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def _tidy(self) -> None:
        """Begin anew without the rows that were taken out."""
        kept = [(path, self._facts[row], self._vectors[row].copy()) for path, row in self._rows.items()]
        self.__init__()  # type: ignore[misc]
        self._grow(max(64, 2 * len(kept)))
        for path, fact, vector in kept:
            if fact is not None:
                self.put(path, fact, vector)
