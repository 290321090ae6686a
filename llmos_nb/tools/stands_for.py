"""Tools whose calls stand for a cell: the cell is what is guarded, run, shown and recorded.

So a step of such a tool is ordinary Python, which is repeated with other values, exported and made into functions as
any cell is, and which a person can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmos_nb.tools.cell import RUN_CELL
from llmos_nb.tools.registry import TOOLS

__all__ = ["cell_of"]


def cell_of(tool: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The call of ``run_cell`` that a call stands for.

    None where it stands for itself: also where its arguments are wrong, which the tool then says by itself.
    """
    found = TOOLS.get(tool)
    if found is None or found.cell is None or found.problem(arguments):
        return None
    try:
        return RUN_CELL.name, {"code": str(found.cell(dict(arguments)))}
    except Exception:  # noqa: BLE001 - a pack's own function: the tool raises it again when it is run
        return None
