"""Any text inside Markdown, between fences that it cannot close."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["fenced"]

_TICKS: Final = re.compile(r"`{3,}")


def fenced(info: str, body: str) -> str:
    """``body`` between fences; no final newline. An empty body has no line of its own."""
    ticks = "`" * max([3, *(len(run) + 1 for run in _TICKS.findall(body))])
    return f"{ticks}{info}\n{body}\n{ticks}" if body else f"{ticks}{info}\n{ticks}"
