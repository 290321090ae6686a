"""Texts as vectors, made on this machine: to find recorded goals that say something similar in other words.

Similarity proposes candidates and is no evidence that two goals are the same task: ``delete a.csv`` and ``delete b.csv``
are as similar as texts can be. Nothing is ever replayed for it. Nothing here uses the network.
"""

from __future__ import annotations

from llmos_nb.memory.embedding.embedder import NAMES, Embedder, embed, embed_many, embedder, problem, sign_bits

__all__ = ["NAMES", "Embedder", "embed", "embed_many", "embedder", "problem", "sign_bits"]
