"""How a page breaks a text that it shows as it is."""

from __future__ import annotations

from typing import Final

__all__ = ["PROSE"]

#: Style of a ``<pre>``: between words, where the page would break anywhere.
PROSE: Final = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
