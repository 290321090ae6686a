"""Tables: read them from any file or database, profile, clean, join, plot and write them.

>>> from llmos_nb.domains.data import read_table, profile, clean
>>> table, report = clean(read_table("messy.csv"))
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_nb.domains.data.tools import TOOLS
from llmos_nb.tools import Pack

if TYPE_CHECKING:
    from llmos_nb.domains.data.charts import draw_bars, draw_boxes, draw_line, draw_pie
    from llmos_nb.domains.data.cleaning import STEPS, clean
    from llmos_nb.domains.data.joining import join, joined_rows
    from llmos_nb.domains.data.levels import in_order
    from llmos_nb.domains.data.plotting import plot
    from llmos_nb.domains.data.profiling import profile, tables_among
    from llmos_nb.domains.data.reading import read_table, source_of, tables_in
    from llmos_nb.domains.data.texts import after, alike, before, between, dates, numbers, order_key, trimmed
    from llmos_nb.domains.data.writing import write_table

_HOME = {
    **dict.fromkeys(("STEPS", "clean"), "cleaning"),
    **dict.fromkeys(("read_table", "source_of", "tables_in"), "reading"),
    **dict.fromkeys(("after", "alike", "before", "between", "dates", "numbers", "order_key", "trimmed"), "texts"),
    **dict.fromkeys(("draw_bars", "draw_boxes", "draw_line", "draw_pie"), "charts"),
    **dict.fromkeys(("join", "joined_rows"), "joining"),
    **dict.fromkeys(("profile", "tables_among"), "profiling"),
    "in_order": "levels", "plot": "plotting", "write_table": "writing",
}  # fmt: skip
__all__ = [
    "PACK", "STEPS", "after", "alike", "before", "between", "clean", "dates", "draw_bars", "draw_boxes", "draw_line",
    "draw_pie", "in_order", "join", "joined_rows", "numbers", "order_key", "plot", "profile", "read_table", "source_of",
    "tables_among", "tables_in", "trimmed", "write_table",
]  # fmt: skip


def _unreadable(column: Any, what: str) -> str:
    """Why a column cannot be converted to that; empty where it can."""
    from llmos_nb.domains.data.texts import unreadable

    return unreadable(column, what)


def _load(path: Any, **options: Any) -> Any:
    from llmos_nb.domains.data.reading import read_table

    return read_table(path, **options)


PACK = Pack(
    name="data",
    description="Tables: profile, clean, join and plot them, whatever file or database they come from.",
    tools=TOOLS,
    folder=Path(__file__).parent,
    unreadable=_unreadable,
    loaders={"read_table": _load},
)


def __getattr__(name: str) -> Any:
    """Load a function on first use, so that the pack is quick to import."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
