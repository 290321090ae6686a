"""A walk through a syntax tree that leaves literals and names open and writes down all else."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, Final

from llmos_nb.memory.programs.fstring import FieldPart, TextPart, parts_of
from llmos_nb.memory.programs.python_source import PythonSource
from llmos_nb.memory.programs.reading import Found, Literal

__all__ = ["CODE_CALLS", "PATTERN_CALLS", "PythonTree"]

#: Functions that read a text as a regular expression or a glob.
PATTERN_CALLS: Final = frozenset({
    "contains", "match", "fullmatch", "search", "finditer", "findall", "extract", "extractall", "sub", "subn", "split",
    "rsplit", "replace", "count", "filter", "glob", "iglob", "rglob", "fnmatch",
})  # fmt: skip
#: Functions whose texts are themselves programs: only characters that cannot end a word are put into these.
CODE_CALLS: Final = frozenset({
    "system", "popen", "Popen", "run", "call", "check_call", "check_output", "getoutput", "run_line_magic",
    "run_cell_magic", "eval", "exec", "query", "execute", "executemany", "read_sql", "read_sql_query", "sql",
    "compile",
})  # fmt: skip
_DEFINED: Final = re.compile(r"(?:async\s+)?(?:def|class)\s+")

#: Values that may be named by what they are assigned to.
_HINTED: Final = (ast.Constant, ast.UnaryOp, ast.List, ast.Tuple, ast.Set, ast.JoinedStr)


class PythonTree(PythonSource):
    """Walks a syntax tree once, in the order in which Python would run it as far as the tree tells."""

    def visit_all(self, nodes: list[Any]) -> None:
        self.shape.append("[")
        for node in nodes:
            self.visit(node)
        self.shape.append("]")

    def visit(self, node: Any) -> None:
        visitor = _VISITORS.get(type(node))
        if visitor is None:
            self.generic(node)
        else:
            visitor(self, node)

    def generic(self, node: Any, skip: tuple[str, ...] = ()) -> None:
        shape = self.shape
        shape.append(type(node).__name__)
        for name in node._fields:
            if name in skip:
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                shape.append("[")
                for item in value:
                    if isinstance(item, ast.AST):
                        self.visit(item)
                    else:
                        self.constant_name(item)
                shape.append("]")
            elif isinstance(value, ast.AST):
                self.visit(value)
            else:
                self.constant_name(value)

    def name_node(self, node: ast.Name) -> None:
        context = type(node.ctx).__name__.lower()
        self.shape.append(context)
        if self.scopes and any(node.id in names for names in self.scopes):
            context = "bound"
        self.name(self.at(node.lineno, node.col_offset), node.id, context)

    def attribute(self, node: ast.Attribute, context: str = "attribute") -> None:
        self.shape.append("Attribute" + type(node.ctx).__name__)
        self.visit(node.value)
        end = self.at(node.end_lineno or 1, node.end_col_offset or 0)
        self.name(end - len(node.attr), node.attr, context)

    def call(self, node: ast.Call) -> None:
        self.shape.append("Call")
        function = node.func
        callee = ""
        if isinstance(function, ast.Attribute):
            callee = function.attr
            self.attribute(function, "method")
        else:
            callee = function.id if isinstance(function, ast.Name) else ""
            self.visit(function)
        before = self.context
        self.context = "code" if callee in CODE_CALLS else "pattern" if callee in PATTERN_CALLS else before
        self.visit_all(node.args[:1])
        if callee in CODE_CALLS:  # what follows a statement are its values
            self.context = before
        self.visit_all(node.args[1:])
        self.context = "code" if callee in CODE_CALLS else self.context
        self.shape.append("k")
        for keyword in node.keywords:
            if keyword.arg is None:
                self.shape.append("**")
            else:
                self.name(self.at(keyword.lineno, keyword.col_offset), keyword.arg, "keyword")
            self.visit_hinted(keyword.value, keyword.arg or "")
        self.shape.append(")")
        self.context = before

    def assign(self, node: ast.Assign) -> None:
        self.shape.append("Assign")
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self.visit_hinted(node.value, f"{node.targets[0].id} =")
        else:
            self.visit(node.value)
        self.visit_all(node.targets)

    def visit_hinted(self, node: ast.expr, hint: str) -> None:
        """Visit a value that the program calls ``hint``."""
        self.hint = hint if isinstance(node, _HINTED) else ""
        self.visit(node)
        self.hint = ""

    def value_first(self, node: Any) -> None:
        """An assignment of another form: what is assigned is read before the name is bound."""
        self.shape.append(type(node).__name__)
        if node.value is not None:
            self.visit(node.value)
        if isinstance(node, ast.AugAssign):
            self.shape.append(type(node.op).__name__)
            if isinstance(node.target, ast.Name):
                self.name(self.at(node.target.lineno, node.target.col_offset), node.target.id, "augment")
                return
        self.visit(node.target)
        if isinstance(node, ast.AnnAssign):
            self.visit(node.annotation)

    def dictionary(self, node: ast.Dict) -> None:
        """A dictionary: that its keys differ is part of the shape, since of two equal ones Python keeps one."""
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        self.shape.append("unique" if len(set(keys)) == len(keys) else "repeated")
        self.generic(node)

    def scope(self, node: Any) -> None:
        """A comprehension or a lambda: its variables are bound inside of it alone."""
        if isinstance(node, ast.Lambda):
            names = {inner.arg for inner in ast.walk(node.args) if isinstance(inner, ast.arg)}
            fields: tuple[str, ...] = ("args", "body")
        else:
            names = {
                inner.id
                for generator in node.generators
                for inner in ast.walk(generator.target)
                if isinstance(inner, ast.Name)
            }
            fields = ("generators", "key", "value", "elt")
        self.shape.append(type(node).__name__)
        self.scopes.append(names)
        for name in fields:
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                self.visit_all(inner)
            elif inner is not None:
                self.visit(inner)
        self.scopes.pop()

    def definition(self, node: Any) -> None:
        start = self.at(node.lineno, node.col_offset)
        match = _DEFINED.match(self.code, start)
        if match is None:
            self.constant_name(node.name)
        else:
            self.name(match.end(), node.name, "store")
        arguments = getattr(node, "args", None)
        self.scopes.append(
            {inner.arg for inner in ast.walk(arguments) if isinstance(inner, ast.arg)} if arguments else set()
        )
        self.generic(node, skip=("name",))
        self.scopes.pop()

    def argument(self, node: ast.arg) -> None:
        self.shape.append("arg")
        self.name(self.at(node.lineno, node.col_offset), node.arg, "bound")
        if node.annotation is not None:
            self.visit(node.annotation)

    def alias(self, node: ast.alias) -> None:
        start, end = self.span(node)
        self.shape.append("alias")
        if node.name.isidentifier():
            self.name(start, node.name, "import")
        else:
            self.shape.append(node.name)
            self.fixed.add(node.name.partition(".")[0])
        if node.asname is not None:
            self.shape.append("as")
            self.name(end - len(node.asname), node.asname, "store")

    def constant(self, node: ast.Constant) -> None:
        hint, self.hint = self.hint, ""
        value = node.value
        if isinstance(value, str):
            start, end = self.span(node)
            self.texts.append((start, end))
            if self.code[end - 1 : end] not in ("'", '"'):  # a part of something newer than this module
                raise ValueError("a text without quotes")
            self.shape.append("S")
            self.found.append(Found(start, end, "string", value, self.context, hint))
            return
        number = self.number(node)
        if number is not None:
            start, end = self.span(node)
            self.shape.append("N")
            self.found.append(Found(start, end, "number", number, self.context, hint))
            return
        if isinstance(value, bytes):
            self.texts.append(self.span(node))
        self.shape.append(repr(value))

    def unary(self, node: ast.UnaryOp) -> None:
        number = self.number(node)
        if number is None:
            self.generic(node)
            return
        start, end = self.span(node)
        self.shape.append("N")
        self.found.append(Found(start, end, "number", number, self.context, self.hint))
        self.hint = ""

    def sequence(self, node: Any) -> None:
        hint, self.hint = self.hint, ""
        if node.elts and not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            start, end = self.span(node)
            if self.code[start] in "[({" and self.code[end - 1] in "])}":
                values = [self.item(item) for item in node.elts]
                if None not in values:
                    for item in node.elts:
                        if isinstance(item, ast.Constant) and isinstance(item.value, str):
                            self.texts.append(self.span(item))
                    self.shape.append(type(node).__name__ + "L")
                    literals: tuple[Literal, ...] = tuple(values)  # type: ignore[arg-type]
                    self.found.append(Found(start, end, "list", literals, self.context, hint))
                    return
        self.generic(node)

    def formatted(self, node: ast.JoinedStr) -> None:
        hint, self.hint = self.hint, ""
        start, end = self.span(node)
        self.texts.append((start, end))
        self.shape.append("f(")
        self._parts(parts_of(self.code, start, end), hint)
        self.shape.append(")")

    def _parts(self, parts: tuple[TextPart | FieldPart, ...], hint: str = "") -> None:
        for part in parts:
            if isinstance(part, TextPart):
                self.shape.append("T")
                self.found.append(Found(part.start, part.end, "string", part.value, self.context, hint, part.style))
                continue
            self.shape.append(f"{{{part.conversion}")
            self._expression(part.start, part.end)
            self.shape.append(":")
            self._parts(part.spec)
            self.shape.append("}")

    def _expression(self, start: int, end: int) -> None:
        """The expression of a replacement field, read by itself: not every Python knows where it stands."""
        inner = PythonTree(f"({self.code[start:end]})")
        inner.context, inner.scopes = self.context, self.scopes
        inner.visit(ast.parse(inner.code, mode="eval").body)
        self.shape += inner.shape
        self.fixed |= inner.fixed
        shift = start - 1
        self.found += [found._replace(start=found.start + shift, end=found.end + shift) for found in inner.found]


_VISITORS: Final[dict[type[ast.AST], Callable[[PythonTree, Any], None]]] = {
    ast.Name: PythonTree.name_node,
    ast.Attribute: PythonTree.attribute,
    ast.Call: PythonTree.call,
    ast.Assign: PythonTree.assign,
    ast.Dict: PythonTree.dictionary,
    ast.AugAssign: PythonTree.value_first,
    ast.AnnAssign: PythonTree.value_first,
    ast.NamedExpr: PythonTree.value_first,
    ast.Lambda: PythonTree.scope,
    ast.ListComp: PythonTree.scope,
    ast.SetComp: PythonTree.scope,
    ast.DictComp: PythonTree.scope,
    ast.GeneratorExp: PythonTree.scope,
    ast.FunctionDef: PythonTree.definition,
    ast.AsyncFunctionDef: PythonTree.definition,
    ast.ClassDef: PythonTree.definition,
    ast.arg: PythonTree.argument,
    ast.alias: PythonTree.alias,
    ast.Constant: PythonTree.constant,
    ast.UnaryOp: PythonTree.unary,
    ast.List: PythonTree.sequence,
    ast.Tuple: PythonTree.sequence,
    ast.Set: PythonTree.sequence,
    ast.JoinedStr: PythonTree.formatted,
}
