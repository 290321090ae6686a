"""Views of runs that ended while no page was there, kept for one that comes back; and what is told of them meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llmos_nb.notebook.run_view.view import RunView
    from llmos_nb.system import LLMOS

__all__ = ["UNSEEN", "untold"]

#: The oldest first.
UNSEEN: Final[list[RunView]] = []


def untold(system: LLMOS) -> list[str]:
    """What is to be told of goals that ended while no page was there to see it; each is told once."""
    return [line for view in tuple(UNSEEN) if (line := view.told_once(system))]
