"""Traces: how a goal was reached, kept as Markdown files, found again by what the goal says."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmos_nb.memory.match import Match
    from llmos_nb.memory.store import TraceStore
    from llmos_nb.memory.trace import Expectation, Step, Trace

__all__ = ["Expectation", "Match", "Step", "Trace", "TraceStore"]

_HOME = {"Expectation": "trace", "Match": "match", "Step": "trace", "Trace": "trace", "TraceStore": "store"}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: the store needs SQLAlchemy, the data types need nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
