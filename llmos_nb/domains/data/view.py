"""How results of this pack look: the same words as text, Markdown and HTML, with small pictures in the last."""

from __future__ import annotations

import base64
import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Cell", "Grid", "Shown", "bars", "count", "shown_value"]

_LEFT: Final = 'style="text-align:left;vertical-align:top"'
#: Colours of bars: values, and what is missing. They read on light and dark pages.
BLUE: Final = "#0969da"
GREY: Final = "#8c959f"


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a grid; ``picture`` is SVG that stands beside it where there are pictures."""

    text: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows under column names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def _texts(self) -> list[tuple[str, ...]]:
        """Names and rows; a column without a name holds pictures alone."""
        named = [i for i, name in enumerate(self.columns) if name]
        rows = [self.columns, *(tuple(cell.text for cell in row) for row in self.rows)]
        return [tuple(row[i] for i in named) for row in rows]

    def text(self) -> str:
        """Aligned by what letters take on a screen; long cells are cut."""
        table = self._texts()
        table = [tuple(_cut(" ".join(text.split()), 60) for text in row) for row in table]
        widths = [max(_width(row[i]) for row in table) for i in range(len(table[0]))]
        return "\n".join(
            "  ".join(text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        )

    def markdown(self) -> str:
        """A pipe table."""
        head, *rows = self._texts()
        lines = [head, ("---",) * len(head), *rows]
        return "\n".join(f"| {' | '.join(_piped(text) for text in row)} |" for row in lines)

    def html(self) -> str:
        """A table; pictures are images, which stay where a notebook is not trusted."""
        head = "".join(f"<th {_LEFT}>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td {_LEFT}>{html.escape(c.text)}{_image(c)}</td>" for c in row) + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True, slots=True)
class Shown:
    """A heading, sentences and grids, shown as text, Markdown or HTML."""

    heading: str
    sentences: Sequence[str] = ()
    grids: Sequence[Grid] = field(default_factory=tuple)

    def text(self) -> str:
        """For a terminal, an agent, and the expectation of a step."""
        parts = [self.heading, *(grid.text() for grid in self.grids if grid.rows)]
        parts += ["\n".join(f"- {sentence}" for sentence in self.sentences)] if self.sentences else []
        return "\n\n".join(parts)

    def markdown(self) -> str:
        """For a report."""
        parts = [f"**{_plain(self.heading)}**", *(grid.markdown() for grid in self.grids if grid.rows)]
        parts += ["\n".join(f"- {_plain(sentence)}" for sentence in self.sentences)] if self.sentences else []
        return "\n\n".join(parts)

    def bundle(self) -> dict[str, Any]:
        """All forms by MIME type."""
        listed = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.sentences)
        page = f"<p><b>{html.escape(self.heading)}</b></p>"
        page += "".join(grid.html() for grid in self.grids if grid.rows) + (f"<ul>{listed}</ul>" if listed else "")
        return {"text/plain": self.text(), "text/html": f"<div>{page}</div>"}


def count(number: int, one: str, many: str = "") -> str:
    """``1 row``, ``1,234 rows``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shown_value(value: object) -> str:
    """A value as a report names it: short, on one line, text in quotes."""
    if isinstance(value, str):
        return repr(value if len(value) <= 30 else value[:29] + "…")
    return f"{value:g}" if isinstance(value, float) else _cut(" ".join(str(value).split()), 30)


def bars(heights: Sequence[float], missing: float = 0.0, *, label: str) -> str:
    """A small bar chart as SVG: shares of the highest bar; the grey foot is the share of missing values."""
    wide, high = max(len(heights) * 7, 7), 22
    top = max(heights, default=0) or 1
    parts = [
        f'<rect x="{i * 7}" y="{high - max(1, round(high * h / top)) if h else high}" width="6" '
        f'height="{max(1, round(high * h / top)) if h else 0}" fill="{BLUE}"/>'
        for i, h in enumerate(heights)
    ]
    foot = f'<rect y="{high + 2}" width="{wide}" height="3" fill="{GREY}" fill-opacity=".25"/>'
    foot += f'<rect y="{high + 2}" width="{round(wide * missing, 1)}" height="3" fill="#cf222e"/>' if missing else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(label)}" width="{wide}" '
        f'height="{high + 5}">{"".join(parts)}{foot}</svg>'
    )


def _image(cell: Cell) -> str:
    if not cell.picture:
        return ""
    data = base64.b64encode(cell.picture.encode()).decode()
    return f'<img alt="" src="data:image/svg+xml;base64,{data}"/>'


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _piped(text: str) -> str:
    return _plain(text).replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("<", "&lt;").replace("*", "\\*").replace("`", "\\`")
