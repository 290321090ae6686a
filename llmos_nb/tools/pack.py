"""What a pack is: tools, agents, scripts and traces of one field of work, which a package offers by an entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmos_nb.tools.tool import Tool

__all__ = ["ENTRY_POINTS", "Pack"]

#: The group of entry points that packs are found by; each names a :class:`Pack`.
ENTRY_POINTS = "llmos_nb.tools"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A field of work: made as a module's constant, which must be quick to import.

    ``folder`` may hold ``agents/*.md``, ``scripts/*.md``, ``traces/*.md`` and ``crystals/*.py``. ``requires`` maps
    modules that its tools import to what installs them (``{"qiskit": "llmos-nb[quantum]"}``): while one is absent, the
    tools are refused with that line, and the pack's own agents do not begin. ``unreadable`` says of a table's column why
    it cannot be converted to ``numbers`` or ``dates`` (and otherwise: ``numbers with a decimal comma``), empty where it
    can: then its traces convert it. ``loaders`` maps functions of its that load a table from a file (``read_table``) to
    themselves: they take a path and ``rows``, and tell the columns of a file before a replayed step loads it.

    What a pack says is looked at when it is found; what is wrong is told by ``%packs`` and left out.
    """

    name: str
    description: str
    tools: tuple[Tool, ...] = ()
    folder: Path | None = None
    requires: Mapping[str, str] = field(default_factory=dict)
    unreadable: Callable[[Any, str], str] | None = None
    loaders: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
