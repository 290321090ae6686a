"""Explorers: look through traces, agents, the budget or crystals, and act on what is found.

Each is an ordinary Python object with a table as its static display. In a notebook with a person before it, a widget
stands in front of the table, and asks the object for everything it shows or does.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any, Final

from llmos_nb.errors import SettingsError

if TYPE_CHECKING:
    from llmos_nb.notebook.explorers.explorer import Explorer

__all__ = ["EXPLORERS", "Explorer", "explorer_of"]

#: What can be explored, and the class that does it.
EXPLORERS: Final = {
    "traces": "TraceExplorer",
    "agents": "AgentExplorer",
    "budget": "BudgetExplorer",
    "crystals": "CrystalExplorer",
}


def explorer_of(system: Any, what: str = "traces") -> Explorer:
    """A new explorer of this system.

    Raises:
        SettingsError: there is none of this name.
    """
    if what not in EXPLORERS:
        near = difflib.get_close_matches(str(what), EXPLORERS, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise SettingsError(
            f"There is nothing called {what!r} to explore.", remedy=f"{hint}There are {', '.join(EXPLORERS)}."
        )
    made: Explorer = getattr(importlib.import_module(f"{__name__}.{what}"), EXPLORERS[what])(system)
    return made


def __getattr__(name: str) -> Any:
    """``Explorer`` and the four classes, each on first use."""
    if name == "Explorer":
        return importlib.import_module(f"{__name__}.explorer").Explorer
    for what, found in EXPLORERS.items():
        if name == found:
            return getattr(importlib.import_module(f"{__name__}.{what}"), found)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
