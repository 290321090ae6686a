"""Code as coloured HTML whose text is escaped; without a lexer for the language it is plain."""

from __future__ import annotations

import html

__all__ = ["colored"]

#: Characters that are coloured; more is shown plain, so that a huge output does not hold up the kernel.
COLORED = 60_000


def colored(code: str, language: str = "python") -> str:
    """Spans with Pygments' short classes, inside no block of their own."""
    if not language or language == "text" or len(code) > COLORED:
        return html.escape(code)
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return html.escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))
