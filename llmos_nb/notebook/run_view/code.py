"""Code and calls as HTML that is safe to show: highlighted by Pygments, cut where it is long."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

__all__ = ["cut", "first_line", "highlighted", "shown_arguments"]

#: Characters of a call's code, and of what it told, that are shown: what a notebook shows of 500 calls stays small.
SHOWN: Final = 4_000
#: Characters of a call's first line.
LINE: Final = 110
#: Where the argument worth reading lies, by name, for tools that are not the kernel's own.
_MAIN: Final = ("code", "command", "content", "new_string", "text", "prompt", "query", "pattern", "path", "file_path")
_LANGUAGES: Final = {"command": "bash", "code": "python"}


def cut(text: str, limit: int = SHOWN) -> str:
    """The text, its end left out where it is longer than ``limit`` characters."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… and {len(text) - limit:,} characters more"


def highlighted(code: str, language: str) -> str:
    """Code as the inside of a ``<pre>``: spans with Pygments' class names, or escaped text in an unknown language."""
    from pygments import highlight  # type: ignore[import-untyped, unused-ignore]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped, unused-ignore]
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped, unused-ignore]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped, unused-ignore]

    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return html.escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True))).removesuffix("\n")


def first_line(arguments: Mapping[str, Any], tool: str = "") -> str:
    """The first line worth reading of a call's arguments, and how many more there are."""
    where = arguments.get("path") or arguments.get("file_path")
    text = str(where) if isinstance(where, str) and where.strip() else _main(arguments, tool)[0]
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    more = f"  (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
    return f"{lines[0].strip()[:LINE]}{more}"


def shown_arguments(arguments: Mapping[str, Any], tool: str) -> tuple[str, str]:
    """What people read of a call, and its language: the main argument, and the others where there are any."""
    main, language, name = _main_of(arguments, tool)
    others = {key: value for key, value in arguments.items() if key != name and value not in (None, "", [], {})}
    if name and not language:
        for key in ("path", "file_path"):
            if isinstance(others.get(key), str):
                language = _by_suffix(str(others[key]))
    told = "\n".join(f"{key}: {value}" for key, value in others.items())
    if not main:
        return cut(told), ""
    if language and told:
        return cut(f"{main}"), language
    return cut(f"{told}\n\n{main}" if told else main), language


def _main(arguments: Mapping[str, Any], tool: str) -> tuple[str, str]:
    text, language, _ = _main_of(arguments, tool)
    return text, language


def _main_of(arguments: Mapping[str, Any], tool: str) -> tuple[str, str, str]:
    """The argument people want to read, its language, and its name; empty where there is none."""
    from llmos_nb.tools.registry import TOOLS  # with the tools: a run is on the page before them

    known = TOOLS.get(tool)
    names = ((known.main,) if known is not None else ()) + _MAIN
    for name in names:
        value = arguments.get(name)
        if isinstance(value, str) and value.strip():
            language = known.language if known is not None and name == known.main else _LANGUAGES.get(name, "")
            return value.strip("\n"), language, name
    return "", "", ""


def _by_suffix(path: str) -> str:
    suffixes = {".py": "python", ".md": "markdown", ".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml",
                ".sh": "bash", ".sql": "sql", ".html": "html", ".js": "javascript", ".css": "css"}  # fmt: skip
    return suffixes.get(PurePath(path).suffix.lower(), "")
