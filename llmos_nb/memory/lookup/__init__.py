"""Finding traces by the form of their goal: exact hashes and similar sign bits, in memory-mapped sorted arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmos_nb.memory.lookup.found import Found
from llmos_nb.memory.lookup.reader import Question, Reader, question

if TYPE_CHECKING:
    from llmos_nb.memory.lookup.lookup import FIELDS, Lookup

__all__ = ["FIELDS", "Found", "Lookup", "Question", "Reader", "question"]


def __getattr__(name: str) -> Any:
    """Load what needs numpy on first use: a look-up by exact key alone does without."""
    if name not in ("FIELDS", "Lookup"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from llmos_nb.memory.lookup import lookup

    return getattr(lookup, name)
