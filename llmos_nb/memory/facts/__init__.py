"""Facts (L4): what people and agents asked to be remembered, as Markdown files, found again by what they say."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmos_nb.memory.facts.answers import Recalled, Remembered
    from llmos_nb.memory.facts.fact import Fact
    from llmos_nb.memory.facts.store import FactStore

__all__ = ["Fact", "FactStore", "Recalled", "Remembered"]

_HOME = {"Fact": "fact", "FactStore": "store", "Recalled": "answers", "Remembered": "answers"}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: the store needs SQLAlchemy and numpy, a fact needs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
