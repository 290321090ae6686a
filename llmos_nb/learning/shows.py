"""What a task of a pack shows in the end, as a kind: how a table or a figure is displayed differs from place to place."""

from __future__ import annotations

import sys
from typing import Final

from llmos_nb.tools.tool import ToolResult

__all__ = ["SHOWS", "kind_shown", "shows_otherwise"]

#: Name of the kind in a trace's front matter.
SHOWS: Final = "shows"


def kind_shown(code: str, result_kinds: tuple[str, ...]) -> str:
    """``figure``, ``value`` (a table among them), ``text`` or ``nothing``: what a cell showed when it was recorded."""
    if "plt.show()" in code:
        return "figure"
    if not result_kinds:
        return "nothing"
    return "text" if result_kinds[-1] == "stream" else "value"


def shows_otherwise(expected: str, result: ToolResult) -> str:
    """How what is shown is of another kind than ``expected``; empty where it is not."""
    kinds = [output.mime for output in result.outputs]
    if expected == "figure":
        missing = _inline() and not any(kind.startswith("image/") for kind in kinds)
        return "it showed no figure" if missing else ""
    if expected == "nothing":
        return f"it showed {', '.join(kinds)} where nothing is to be shown" if kinds else ""
    wanted = {"text": ("stream",), "value": ("text/plain", "text/html", "text/markdown")}.get(expected, ())
    if wanted and (not kinds or kinds[-1] not in wanted):
        return f"it showed {', '.join(kinds) or 'nothing'} instead of a {expected}"
    return ""


def _inline() -> bool:
    """Whether figures are shown as images in the cell."""
    matplotlib = sys.modules.get("matplotlib")
    return matplotlib is not None and "inline" in str(matplotlib.get_backend())
