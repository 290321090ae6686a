"""Markdown in a terminal: the same words, with headings, code and diffs in colour."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["styled"]

_FENCE: Final = re.compile(r"\s*(`{3,}|~{3,})\s*(\w*)")
_BOLD: Final = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_CODE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_DIFF: Final = {"+": "32", "-": "31", "@": "36"}
_RESET: Final = "\x1b[0m"


def styled(markdown: str) -> str:
    """``markdown`` with escape sequences for colours; what stood in it as one is shown, not obeyed."""
    lines, fence, language = [], "", ""
    for line in markdown.replace("\x1b", "␛").split("\n"):
        found = _FENCE.match(line)
        if found and (not fence or (found[1].startswith(fence) and not found[2])):
            fence, language = ("", "") if fence else (found[1], found[2])
            lines.append(f"\x1b[2m{line}{_RESET}")
        elif fence:
            style = _DIFF.get(line[:1], "") if language == "diff" else "36"
            lines.append(f"\x1b[{style}m{line}{_RESET}" if style and line else line)
        elif line.startswith("#") and line.lstrip("#").startswith(" "):
            lines.append(f"\x1b[1m{line}{_RESET}")
        else:
            lines.append(_CODE.sub("\x1b[36m\\1\x1b[0m", _BOLD.sub("\x1b[1m\\1\x1b[0m", line)))
    return "\n".join(lines)
