"""The pages that people read, as data: README, ``docs/`` and what they lead to; their code, links and headings.

``python -m tests.pages`` writes the tables that are made from the code into the pages that hold them.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from llmos_nb.frames.schema import FRAMES
from llmos_nb.presets import PRESETS, PURPOSES
from llmos_nb.settings import Settings, describe

ROOT: Final = Path(__file__).resolve().parents[1]
#: What is to be read as a whole, in this order.
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
#: What they lead to, whose links count as well.
OTHERS: Final = (ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", ROOT / "notebooks" / "README.md")

_FILE = re.compile(r"`([\w./-]+)`$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, the line that it begins at, and the file that it stands for, if any."""

    language: str
    text: str
    line: int
    file: str


def _tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt().enable("table").parse(text):
        yield token
        yield from token.children or ()


def blocks(page: Path) -> list[Block]:
    """A page's fenced blocks; one below a line that is nothing but a name in backticks is the text of that file."""
    text = page.read_text(encoding="utf-8")
    lines, found = text.splitlines(), []
    for token in _tokens(text):
        if token.type == "fence" and token.map:
            start = token.map[0]
            named = _FILE.fullmatch(lines[start - 1]) if start else None
            found.append(Block(token.info.strip(), token.content, start + 1, named[1] if named else ""))
    return found


def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead, as they are written."""
    found = []
    for token in _tokens(page.read_text(encoding="utf-8")):
        target = token.attrGet("href") or token.attrGet("src")
        if isinstance(target, str):
            found.append(unquote(target))
        if token.type in ("html_block", "html_inline"):
            found += re.findall(r'(?:src|srcset|href)="([^"]+)"', token.content)
    return list(dict.fromkeys(found))


def anchors(page: Path) -> list[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: list[str] = []
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            words = "".join(child.content for child in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def options() -> str:
    """Every option as a table: name, default, what it is."""
    rows = ["| option | default | what it is |", "|---|---|---|"]
    for row in describe():
        default = f"`{row['default']}`" if row["default"] else ""
        rows.append(f"| `{row['name']}` | {default} | {_cell(row['help'])} |")
    return "\n".join(rows)


def presets() -> str:
    """The presets as a table: name, what it is for, what it sets."""
    rows = ["| preset | for | sets |", "|---|---|---|"]
    for name, values in PRESETS.items():
        words = {
            option: json.dumps(Settings.__dataclass_fields__[option].metadata["none"] if value is None else value)
            for option, value in values.items()
        }
        sets = ", ".join(f"`{option} = {value}`" for option, value in words.items()) or "nothing"
        rows.append(f"| `{name}` | {_cell(PURPOSES[name])} | {_cell(sets)} |")
    return "\n".join(rows)


def columns() -> str:
    """The columns of every DataFrame: a heading and a table for each."""
    parts = []
    for function, schema in FRAMES.items():
        rows = [f"| `{column.name}` | {column.dtype} | {_cell(column.meaning)} |" for column in schema]
        parts.append("\n".join([f"### {function}", "", "| column | type | what it is |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


#: What is made from the code, by the name in the comments around it.
MADE: Final = {"columns": columns, "options": options, "presets": presets}


def filled(text: str) -> str:
    """A page's text with what stands between ``<!-- made: NAME -->`` and ``<!-- /made -->``, and numbers of tasks, anew."""
    index = ROOT / "llmos_nb" / "domains" / "data" / "traces" / "index.json"
    tasks = len(json.loads(index.read_text(encoding="utf-8")))
    text = re.sub(r"\b\d+ everyday tasks", f"{tasks} everyday tasks", text)
    return re.sub(
        r"(<!-- made: (\w+) -->\n).*?(<!-- /made -->)",
        lambda found: f"{found[1]}{MADE[found[2]]()}\n{found[3]}",
        text,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
