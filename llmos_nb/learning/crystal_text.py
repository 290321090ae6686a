"""Putting expressions into recorded text: into code where a literal stood, into other arguments as an f-string.

The recorded text is kept as it is, comments and layout and all, but for the places that became parameters.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.errors import NotCrystallizable
from llmos_nb.memory.programs.fstring import FieldPart, TextPart, TornString, parts_of

__all__ = ["Blank", "Offsets", "indented", "joined", "spliced", "text_expression"]

#: Expressions that can stand anywhere without brackets.
_ATOMS: Final = (
    ast.Name, ast.Constant, ast.JoinedStr, ast.Call, ast.Subscript, ast.Attribute, ast.List, ast.ListComp, ast.Dict,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Blank:
    """A place that is filled from parameters: ``source`` is a Python expression over their names."""

    step: int
    argument: str
    start: int
    end: int
    role: str
    source: str
    #: Where a name stands, as :class:`~llmos_nb.memory.programs.Place` says it.
    context: str = ""


class Offsets:
    """Positions of syntax nodes as offsets into the code; the tree counts bytes of UTF-8 within a line."""

    def __init__(self, code: str) -> None:
        self._lines = code.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """The offset of a line, counting from 1, and a column in bytes."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        return self._starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode()))

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """Where a node begins and ends."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)


def spliced(code: str, blanks: Sequence[Blank], where: str) -> str:
    """``code`` with expressions where its literals were.

    Raises:
        NotCrystallizable: a name of a variable or method would have to come from a parameter, or an f-string cannot
            take the expression.
    """
    if not blanks:
        return code
    tree, offsets = ast.parse(code), Offsets(code)
    strings = [offsets.span(node) for node in _outermost_fstrings(tree)]
    edits: list[tuple[int, int, str]] = []
    for blank in blanks:
        string = next(((s, e) for s, e in strings if s <= blank.start and blank.end <= e), None)
        if blank.role == "name":
            edits += _renamed(code, tree, offsets, blank, where)
        elif string is not None and string != (blank.start, blank.end):
            edits.append(_in_fstring(code, string, blank, where))
        else:
            edits.append((blank.start, blank.end, _spaced(code, blank, _atom(blank.source))))
    return _applied(code, edits, where)


def _applied(text: str, edits: Iterable[tuple[int, int, str]], where: str) -> str:
    end = len(text)
    for start, stop, new in sorted(edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
        if stop > end:
            raise NotCrystallizable(f"{where}: places that became parameters overlap.")
        text, end = text[:start] + new + text[stop:], start
    return text


def _outermost_fstrings(node: ast.AST) -> Iterable[ast.JoinedStr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr):
            yield child
        else:
            yield from _outermost_fstrings(child)


def _atom(source: str) -> str:
    return source if isinstance(ast.parse(source, mode="eval").body, _ATOMS) else f"({source})"


def _spaced(code: str, blank: Blank, new: str) -> str:
    """``return"x"`` is Python, ``returnname`` is something else."""
    before, after = code[: blank.start][-1:], code[blank.end :][:1]
    left = " " if (before.isidentifier() or before.isdigit()) and (new[0].isidentifier() or new[0] in "\"'") else ""
    right = " " if (after.isidentifier() or after.isdigit()) and (new[-1].isidentifier() or new[-1].isdigit()) else ""
    return left + new + right


def _renamed(
    code: str, tree: ast.Module, offsets: Offsets, blank: Blank, where: str
) -> Iterable[tuple[int, int, str]]:
    """``df.sales`` and ``sales=…`` can be said with a name that is a value; a variable or a method cannot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            start, end = offsets.span(node)
            if (end - len(node.attr), end) == (blank.start, blank.end):
                inner = code[start : offsets.span(node.value)[1]]
                if _is_called(tree, node) or "\n" in code[offsets.span(node.value)[1] : end]:
                    break
                # Two edits around the object, so that a place inside it can be filled as well.
                at = offsets.span(node.value)[1]
                return [(start, start, "getattr("), (at, end, f", {blank.source})")] if inner else []
        elif isinstance(node, ast.keyword) and node.arg is not None:
            start, end = offsets.span(node)
            if (start, start + len(node.arg)) == (blank.start, blank.end):
                value = offsets.span(node.value)[0]
                if code[start + len(node.arg) : value].strip() == "=":
                    return [(start, value, f"**{{{blank.source}: "), (end, end, "}")]
    raise NotCrystallizable(f"{where}: the name {code[blank.start : blank.end]} would have to come from a parameter.")


def _is_called(tree: ast.AST, attribute: ast.Attribute) -> bool:
    return any(isinstance(node, ast.Call) and node.func is attribute for node in ast.walk(tree))


def _in_fstring(code: str, string: tuple[int, int], blank: Blank, where: str) -> tuple[int, int, str]:
    try:
        text = code[string[0] : string[1]]
        part = _part_at(parts_of(text, 0, len(text)), blank.start - string[0], blank.end - string[0])
    except TornString:
        part = None
    if isinstance(part, TextPart):
        prefix = part.style.rstrip("\"'")
        quote = part.style[len(prefix) :]
        if "f" not in prefix.lower():
            raise NotCrystallizable(f"{where}: a plain part of an f-string would have to take a parameter.")
        return blank.start, blank.end, _as_fstring_text(blank.source, prefix, quote, where)
    if isinstance(part, FieldPart):
        quote = code[string[0] :].lstrip("rRfFuU")[:1]
        source = _in_other_quotes(blank.source, quote)
        _check_in_field(source, quote, where)
        return blank.start, blank.end, _atom(source)
    raise NotCrystallizable(
        f"{where}: an f-string cannot take a parameter where {code[blank.start : blank.end]!r} is."
    )


def _part_at(parts: Iterable[TextPart | FieldPart], start: int, end: int) -> TextPart | FieldPart | None:
    for part in parts:
        if isinstance(part, TextPart):
            if (part.start, part.end) == (start, end):
                return part
        elif part.start <= start and end <= part.end:
            return part
        elif (found := _part_at(part.spec, start, end)) is not None:
            return found
    return None


def _check_in_field(source: str, quote: str, where: str) -> None:
    if quote in source or "\\" in source or "#" in source or "\n" in source:  # Python before 3.12 cannot read it
        raise NotCrystallizable(f"{where}: an f-string cannot hold the expression {source}.")


def _as_fstring_text(source: str, prefix: str, quote: str, where: str) -> str:
    """The expression as it is written inside an f-string with this prefix and quote."""
    node = ast.parse(source, mode="eval").body
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    parts = []
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            parts.append(_escaped(value.value, prefix, quote, where))
            continue
        spec = ""
        if isinstance(value, ast.FormattedValue):
            spec = f"!{chr(value.conversion)}" if value.conversion >= 0 else ""
            if value.format_spec is not None:
                spec += ":" + ast.unparse(value.format_spec)[2:-1]
            value = value.value
        shown = _in_other_quotes(ast.unparse(value), quote[0])
        _check_in_field(shown + spec, quote[0], where)
        parts.append(f"{{{' ' if shown.startswith('{') else ''}{shown}{spec}}}")
    return "".join(parts)


def _in_other_quotes(source: str, quote: str) -> str:
    """``source`` without ``quote``, where the other quotes say the same: Python before 3.12 cannot nest equal ones."""
    if quote not in source:
        return source
    other = source.replace(quote, "'" if quote == '"' else '"')
    try:
        same = ast.dump(ast.parse(other, mode="eval")) == ast.dump(ast.parse(source, mode="eval"))
    except SyntaxError:
        return source
    return other if same else source


def _escaped(text: str, prefix: str, quote: str, where: str) -> str:
    text = text.replace("{", "{{").replace("}", "}}")
    if "r" in prefix.lower():
        if "\\" in text or quote[0] in text or "\n" in text:
            raise NotCrystallizable(f"{where}: a raw f-string cannot hold {text!r}.")
        return text
    text = text.replace("\\", "\\\\").replace(quote[0], f"\\{quote[0]}")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def text_expression(text: str, blanks: Sequence[Blank], texts: frozenset[str], where: str) -> str:
    """A Python expression for an argument that is no code, with expressions where its values were.

    ``texts`` are the names of parameters that are text anyway.
    """
    if len(blanks) == 1 and (blanks[0].start, blanks[0].end) == (0, len(text)):
        source = blanks[0].source
        return source if source in texts or source.startswith(("f'", 'f"')) else joined([("value", source)], where)
    parts, end = [], 0
    for blank in sorted(blanks, key=lambda blank: blank.start):
        if blank.start < end:
            raise NotCrystallizable(f"{where}: places that became parameters overlap.")
        parts += [("text", text[end : blank.start]), ("value", blank.source)]
        end = blank.end
    return joined([*parts, ("text", text[end:])], where)


def joined(parts: Sequence[tuple[str, str]], where: str) -> str:
    """A literal or f-string from pieces of text and expressions; of several lines, one literal a line in brackets."""
    try:
        return _as_one_fstring(parts, where)
    except NotCrystallizable:  # an expression that an f-string cannot hold
        pieces = [
            _as_one_fstring([part], where) if part[0] == "text" else _text_of(part[1]) for part in parts if part[1]
        ]
        return " + ".join(pieces)


def _text_of(source: str) -> str:
    """The expression as text, whatever its value is."""
    node = ast.parse(source, mode="eval").body
    is_text = isinstance(node, ast.JoinedStr) or source.startswith("shlex.quote(")
    return source if is_text else f"str({source})"


def _as_one_fstring(parts: Sequence[tuple[str, str]], where: str) -> str:
    lines: list[tuple[str, bool]] = [("", False)]
    for kind, piece in parts:
        if kind == "value":
            written = _as_fstring_text(piece, "f", '"', where)
            if lines[-1][0].endswith("\\n"):
                lines.append(("", False))
            lines[-1] = (lines[-1][0] + written, True)
            continue
        for number, line in enumerate(piece.splitlines(keepends=True)):
            if number or (lines[-1][0].endswith("\\n") and line):
                lines.append(("", False))
            lines[-1] = (lines[-1][0] + _escaped(line, "f", '"', where), lines[-1][1])
    literals = [
        f'f"{text}"' if has else '"' + text.replace("{{", "{").replace("}}", "}") + '"' for text, has in lines
    ]
    if len(literals) == 1:
        return literals[0]
    return "(\n" + "".join(f"    {literal}\n" for literal in literals) + ")"


def indented(code: str, by: str = "    ") -> str:
    """``code`` one level in. Lines inside a text keep their beginning: it belongs to the value."""
    keep: set[int] = set()
    depth = 0
    start = 0
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        name = tokenize.tok_name[token.type]
        if name == "STRING":
            keep |= set(range(token.start[0] + 1, token.end[0] + 1))
        elif name in ("FSTRING_START", "TSTRING_START"):
            start, depth = token.start[0] if not depth else start, depth + 1
        elif name in ("FSTRING_END", "TSTRING_END"):
            depth -= 1
            if not depth:
                keep |= set(range(start + 1, token.end[0] + 1))
    lines = code.split("\n")
    return "\n".join(
        line if number in keep or not line.strip() else by + line for number, line in enumerate(lines, start=1)
    )
