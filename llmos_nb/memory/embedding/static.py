"""A vector for every word piece, and the mean of them for a text: a model of one look-up table.

The table was distilled from all-MiniLM-L6-v2 (Apache-2.0) by :mod:`llmos_nb.memory.embedding.distil`: 256 dimensions,
8 bits each with a scale a row, 7.8 MB that are mapped and not read whole.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from llmos_nb.errors import SettingsError
from llmos_nb.memory.embedding.wordpiece import DATA, pieces, vocabulary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["VERSION", "Static"]

#: Names the table: the first letters of the SHA-256 of its two files.
VERSION: Final = "static-6e3fe5f1"


class Static:
    """The embedder that is always there."""

    name = "static"
    version = VERSION
    dim = 256

    @functools.cached_property
    def _table(self) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        try:
            import numpy as np

            vocabulary()
            table = np.load(DATA / "table.npy", mmap_mode="r")
            # As a plain array: to take rows out of a memmap costs ten times as much.
            return table.view(np.ndarray), np.load(DATA / "scales.npy").astype(np.float32)
        except (OSError, ValueError, ImportError) as error:
            raise SettingsError(
                f"{DATA}: the table of word vectors cannot be read ({error}).",
                remedy="Install llmos-nb again. Until then goals in other words are not found.",
            ) from error

    def embed_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit vector a text, see :class:`~llmos_nb.memory.embedding.embedder.Embedder`."""
        table, scales = self._table
        import numpy as np

        found = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            numbers = pieces(text)
            if numbers:
                total = scales.take(numbers) @ table.take(numbers, axis=0).astype(np.float32)
                length = float(np.sqrt(total @ total))
                if length > 0:
                    found[row] = total / length
        return found
