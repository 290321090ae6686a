"""The static display of an explorer: headed tables, the same as text, Markdown and HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.notebook.views import Table

__all__ = ["Twin", "money"]

#: Where a widget is at work in the output above, its twin makes way; where the widget's kernel is gone, so does the
#: empty place of the widget. Frontends with other outputs show both.
_TAKES_TURNS: Final = (
    "<style>.jp-OutputArea-child:has(.llmos-explorer)+.jp-OutputArea-child:has(.llmos-turns),"
    ".jp-OutputArea-child:not(:has(.llmos-explorer)):has(+.jp-OutputArea-child .llmos-turns){display:none}</style>"
)


@dataclass(frozen=True, slots=True)
class Twin:
    """A title, and under it sentences and headed tables in order."""

    title: str
    parts: tuple[str | tuple[str, Table], ...]

    def __str__(self) -> str:
        return "\n\n".join([self.title, *(part if isinstance(part, str) else _plain(*part) for part in self.parts)])

    def bundle(self, *, below_widget: bool = False) -> dict[str, str]:
        """The twin in every form that frontends show; below a widget it takes turns with it."""
        page = self.html()
        if below_widget:
            page = f'<div class="llmos-turns">{_TAKES_TURNS}{page}</div>'
        return {"text/plain": str(self), "text/markdown": self.markdown(), "text/html": page}

    def markdown(self) -> str:
        """As GitHub shows it."""
        parts = (_escaped(part) if isinstance(part, str) else _markdown(*part) for part in self.parts)
        return "\n\n".join([f"**{_escaped(self.title)}**", *parts])

    def html(self) -> str:
        """As notebooks show it."""
        parts = "".join(
            f'<div style="opacity:.8;margin:.2em 0">{html.escape(part)}</div>'
            if isinstance(part, str)
            else _html(*part)
            for part in self.parts
        )
        return f'<div class="llmos-twin"><b>{html.escape(self.title)}</b>{parts}</div>'


def money(usd: float | None, unknown: str = "unknown") -> str:
    """Dollars as everywhere else: four decimals."""
    return unknown if usd is None else f"${usd:.4f}"


def _plain(heading: str, table: Table) -> str:
    return f"{heading}\n{table}" if heading else str(table)


def _html(heading: str, table: Table) -> str:
    head = f'<div style="margin:.6em 0 .1em;font-weight:600">{html.escape(heading)}</div>' if heading else ""
    return f"{head}{table._repr_html_()}"


def _markdown(heading: str, table: Table) -> str:
    head = f"{_escaped(heading)}\n\n" if heading else ""
    if not table.rows:
        return f"{head}*{_escaped(table.empty)}*"
    lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    return head + "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(text: Any) -> str:
    """Text that Markdown shows as it is, on one line."""
    line = " ".join(str(text).split())
    for sign in "\\`*_[]<|":
        line = line.replace(sign, f"\\{sign}" if sign != "<" else "&lt;")
    return line
