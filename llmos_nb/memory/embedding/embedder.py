"""Which embedder there is, and what to say where one cannot be had."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from llmos_nb.errors import SettingsError
from llmos_nb.memory.embedding.minilm import MiniLM
from llmos_nb.memory.embedding.static import Static

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NAMES", "Embedder", "embed", "embed_many", "embedder", "problem", "sign_bits"]

#: ``static``: a table of word vectors in this package, 0.03 ms a goal. ``minilm``: the model that table was made
#: from, some points better and a hundred times slower; it needs ``pip install 'llmos-nb[minilm]'``.
NAMES: Final = ("static", "minilm")


class Embedder(Protocol):
    """Makes unit vectors of ``dim`` dimensions. Vectors of different ``version`` cannot be compared."""

    name: str
    version: str
    dim: int

    def embed_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text; zeros for a text without a known word.

        Raises:
            SettingsError: the embedder is not installed, or its files are not those it was made with.
        """
        ...


@functools.cache
def embedder(name: str = "static") -> Embedder:
    """The embedder of that name. It loads what it needs at the first text.

    Raises:
        SettingsError: there is none of that name.
    """
    if name == "static":
        return Static()
    if name == "minilm":
        return MiniLM()
    raise SettingsError(f"There is no embedder {name!r}.", remedy=f"Choose one of {', '.join(NAMES)}.")


def embed_many(texts: Sequence[str], name: str = "static") -> NDArray[np.float32]:
    """Unit vectors, one row a text; zeros for a text without a known word.

    Raises:
        SettingsError: the embedder cannot be used.
    """
    return embedder(name).embed_many(texts)


def embed(text: str, name: str = "static") -> NDArray[np.float32]:
    """The unit vector of one text, see :func:`embed_many`."""
    vector: Any = embed_many([text], name)[0]
    return vector  # type: ignore[no-any-return]


def sign_bits(texts: Sequence[str], name: str = "static") -> list[bytes]:
    """The signs of each text's vector, eight dimensions a byte: what the index keeps.

    Empty for a text without a known word, and for all where the embedder cannot be used (:func:`problem` says why):
    look-ups by similarity then find nothing, all others work.
    """
    try:
        vectors = embed_many(texts, name)
    except SettingsError:
        return [b""] * len(texts)
    import numpy as np

    packed = np.packbits(vectors > 0, axis=1)
    return [row.tobytes() if vector.any() else b"" for row, vector in zip(packed, vectors, strict=True)]


def problem(name: str = "static") -> str:
    """Why the embedder cannot be used, in words for a person; empty when it can. Loads it."""
    try:
        embed("a", name)
    except SettingsError as error:
        return str(error)
    return ""
