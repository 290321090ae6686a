"""Unified diffs as HTML: what came is green, what went is red, on any background."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["coloured", "coloured_blocks"]

_COLORS: Final = {"+": "#1a7f37", "-": "#cf222e", "@": "#8250df"}
_BLOCK: Final = re.compile(r'(<code class="language-diff">)(.*?)(</code>)', re.DOTALL)


def coloured(escaped: str) -> str:
    """A diff whose text is HTML already (``html.escape``), with its lines coloured."""
    lines = []
    for line in escaped.split("\n"):
        color = _COLORS.get(line[:1], "")
        lines.append(f'<span style="color:{color}">{line}</span>' if color else line)
    return "\n".join(lines)


def coloured_blocks(page: str) -> str:
    """HTML that was made from Markdown, with the diffs in it coloured."""
    return _BLOCK.sub(lambda found: f"{found[1]}{coloured(found[2])}{found[3]}", page)
