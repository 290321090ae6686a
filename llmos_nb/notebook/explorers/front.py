"""The widget in front of an explorer: an ES module and a style sheet beside this file, without a build step.

It keeps no state of its own, so that a saved notebook holds none: what it shows it asks for, message by message.
"""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmos_nb.notebook.explorers.explorer import Explorer

__all__ = ["front_of"]

_FOLDER = Path(__file__).parent


@functools.cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def front_of(explorer: Explorer) -> Any:
    """A new widget that asks this explorer."""
    return _front_class(explorer.what)(explorer)


@functools.cache
def _front_class(what: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anywidget

    class Front(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        _esm = f"{_text('front.js')}\n{_text(f'{what}.js')}"
        _css = _text("front.css")

        def __init__(self, explorer: Explorer) -> None:
            super().__init__()
            self.on_msg(lambda widget, content, buffers: explorer.take(content, self.send))

    return Front
