"""Where the nodes of a syntax tree stand in their source, and what of it is a literal."""

from __future__ import annotations

import ast
from typing import Any

from llmos_nb.memory.programs.reading import Found, Literal, Reading, plain_number

__all__ = ["PythonSource"]


class PythonSource:
    """A piece of code and what was found in it so far; :class:`ast` nodes are looked up by their positions."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.ascii = code.isascii()
        self.starts = [0]
        for line in code.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.lines = [] if self.ascii else [line.encode() for line in code.split("\n")]
        self.shape: list[str] = []
        self.found: list[Found] = []
        self.fixed: set[str] = set()
        self.texts: list[tuple[int, int]] = []
        self.context = ""
        self.hint = ""
        self.scopes: list[set[str]] = []

    def reading(self, magics: str) -> Reading:
        if magics:
            self.shape.append(f"magics {magics}")
        return Reading("\x1f".join(self.shape), tuple(self.found), frozenset(self.fixed), self._comments())

    def _comments(self) -> tuple[tuple[int, int], ...]:
        if "#" not in self.code:
            return ()
        spans, position = [], 0
        texts = sorted(self.texts)
        while (position := self.code.find("#", position)) >= 0:
            inside = next((end for start, end in texts if start <= position < end), 0)
            if inside:
                position = inside
                continue
            end = self.code.find("\n", position)
            spans.append((position, len(self.code) if end < 0 else end))
            position = spans[-1][1]
        return tuple(spans)

    def at(self, line: int, column: int) -> int:
        if not self.ascii:
            column = len(self.lines[line - 1][:column].decode())
        return self.starts[line - 1] + column

    def span(self, node: Any) -> tuple[int, int]:
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def constant_name(self, value: Any) -> None:
        """A name that the tree has no position for (``global x``, ``except E as x``): part of the shape."""
        self.shape.append(repr(value))
        if isinstance(value, str):
            self.fixed.add(value)

    def name(self, start: int, value: str, context: str, hint: str = "") -> None:
        end = start + len(value)
        if self.code[start:end] == value:
            self.found.append(Found(start, end, "name", value, context, hint))
            self.shape.append("n")
        else:  # written otherwise than it reads, as identifiers with ligatures are
            self.constant_name(value)

    def number(self, node: ast.expr) -> Any:
        """The exact value of a number literal, also a negative one, or None."""
        sign = ""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, node = "-", node.operand
        if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
            return None
        if isinstance(node.value, int):
            return -node.value if sign else node.value
        start, end = self.span(node)
        return plain_number(sign + self.code[start:end])

    def item(self, node: ast.expr) -> Literal | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        number: Literal | None = self.number(node)
        return number
