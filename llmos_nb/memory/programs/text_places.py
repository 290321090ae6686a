"""Texts of other languages than Python as shapes with places: SQL and plain lines."""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.memory.programs.reading import Found, Reading, opaque, plain_number

__all__ = ["SQL_KEYWORDS", "read_lines", "read_sql"]

_KEYWORDS: Final = """
add all alter analyze and any as asc attach begin between by case cast check collate column commit constraint
create cross current_date current_time current_timestamp database default delete desc detach distinct drop else end
escape except exists explain false fetch filter first following for foreign from full glob group groups having if
ilike in index inner insert intersect interval into is isnull join key last lateral left like limit natural next
not notnull null nulls offset on only or order outer over partition pragma preceding primary range recursive
references regexp rename replace returning right rlike rollback row rows select set similar some table temp
temporary then to transaction trigger true truncate unbounded union unique update using vacuum values view when
where window with without
"""
#: Words of SQL that are part of a statement's shape; every other word is a name.
SQL_KEYWORDS: Final = frozenset(_KEYWORDS.split())
_SQL_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    |(?P<word>[^\W\d][\w$]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
#: What a column is compared with: its name is a good name for the value.
_COMPARED: Final = frozenset({"=", "<", ">", "!", "like", "is", "in", "(", "ilike", "glob"})


def read_sql(text: str) -> Reading:
    """A statement: quoted texts, numbers and names are places; keywords and operators are the shape.

    A text between quotes is one place, whatever is in it.
    """
    if re.search(r"\\['\"`]", text):  # quoting differs between dialects
        return opaque(text)
    shape: list[str] = ["sql"]
    found: list[Found] = []
    before = ""
    column = ""
    for token in _SQL_TOKEN.finditer(text):
        kind, written, (start, end) = token.lastgroup, token.group(), token.span()
        if kind == "space":
            continue
        if kind == "comment":
            shape.append(written)
            continue
        if kind == "text":
            quote = written[0]
            value = written[1:-1] if quote == "`" else written[1:-1].replace(quote * 2, quote)
            found.append(Found(start, end, "string", value, "sql", column))
            shape.append("S")
        elif kind == "number":
            signed = bool(found or shape) and text[start - 1 : start] == "-" and before == "sign"
            number = plain_number(("-" if signed else "") + written)
            if number is None:
                return opaque(text)
            if signed:
                shape.pop()
                start -= 1
            found.append(Found(start, end, "number", number, "sql", column))
            shape.append("N")
        elif kind == "word" and written.lower() not in SQL_KEYWORDS:
            found.append(Found(start, end, "name", written, "sql"))
            shape.append("n")
            column = written.lower()
        else:
            if written in "'\"`":
                return opaque(text)
            shape.append(written.lower())
        sign = kind == "other" and written == "-" and before in ("", "operator", "keyword")
        before = "sign" if sign else _kind_before(kind, written)
        if kind == "word" and before == "keyword" and written.lower() not in _COMPARED:
            column = ""
    return Reading("\x1f".join(shape), tuple(found))


def _kind_before(kind: str | None, written: str) -> str:
    """Whether a minus after this token is a sign (after an operator or a keyword) or a subtraction."""
    if kind == "word":
        return "keyword" if written.lower() in SQL_KEYWORDS else "operand"
    return "operator" if kind == "other" and written not in ")]" else "operand"


def read_lines(text: str, context: str = "") -> Reading:
    """Prose, Markdown, a path: each line that is not blank is one place; where the lines stand is the shape."""
    shape, found, position = ["lines"], [], 0
    for line in text.split("\n"):
        value = line.strip()
        if value:
            start = position + line.index(value)
            found.append(Found(start, start + len(value), "token", value, context))
            shape.append(f"{line[: start - position]}S{line[start - position + len(value) :]}")
        else:
            shape.append(line)
        position += len(line) + 1
    return Reading("\x1f".join(shape), tuple(found))
