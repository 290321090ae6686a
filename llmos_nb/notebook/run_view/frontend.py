"""What the page before the kernel is able to show, as far as a kernel can know.

A kernel is told nothing of its frontend. Two give themselves away: Colab, by the module that it loads into each kernel,
and VS Code, by the environment of those that it starts.
"""

from __future__ import annotations

import os
import sys
from typing import Final

__all__ = ["keeps_spares", "shows_widgets"]

_COLAB: Final = "google.colab"


def shows_widgets() -> bool:
    """Whether a widget may be shown at all. Colab shows an error in its place, unless its user had custom widgets
    enabled: ``from google.colab import output; output.enable_custom_widget_manager()``."""
    if _COLAB not in sys.modules:
        return True
    return bool(getattr(sys.modules.get(f"{_COLAB}.output._widgets"), "_installed_url", None))


def keeps_spares() -> bool:
    """Whether a page makes a widget ready that it does not show yet: Jupyter's own do, whatever is open of the notebook.

    Colab and VS Code load a widget's code into the place where it is shown. A kernel before ipykernel 7.4 hears what a
    page says of it only between cells.
    """
    version = getattr(sys.modules.get("ipykernel"), "version_info", ())
    return (
        version[:2] >= (7, 4)
        and _COLAB not in sys.modules
        and not any(name in os.environ for name in ("VSCODE_PID", "VSCODE_CWD"))
    )
