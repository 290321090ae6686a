"""The guard's word on a crystal: on its text when it is loaded, and on what it would do with given arguments.

The guard sees a call such as ``report(path="x.csv")`` and cannot know what becomes of the path. So the function's body
is written out with the arguments in place of its parameters, as the recorded steps had them, and that is judged. It stays
a syntax tree: a goal with values that nobody had before waits for this.
"""

from __future__ import annotations

import ast
import functools
import math
import shlex
import types
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from llmos_nb.crystals.load import Module
from llmos_nb.guard.python import check_program, check_python
from llmos_nb.guard.verdict import Verdict, names
from llmos_nb.kernel.syntax import nodes_of, parents_of, rebuilt

__all__ = ["judge_call", "judge_text", "written_out"]

#: What may be worked out beforehand: it is quick, has no effect, and is what generated code uses on its parameters.
_FUNCTIONS: Final[Mapping[str, Any]] = {
    "Path": PurePosixPath, "abs": abs, "float": float, "format": format, "int": int, "len": len, "list": list,
    "max": max, "min": min, "round": round, "shlex": types.SimpleNamespace(quote=shlex.quote), "str": str, "sum": sum,
}  # fmt: skip
_METHODS: Final = names(
    "capitalize casefold join lower lstrip partition quote removeprefix removesuffix replace rpartition rsplit rstrip "
    "split strip title upper with_name with_suffix"
)
_ATTRIBUTES: Final = frozenset({"name", "parent", "stem", "suffix"})
_NODES: Final = (
    ast.Constant, ast.Name, ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.UnaryOp, ast.List, ast.Tuple,
    ast.Subscript, ast.Slice, ast.Call, ast.Attribute, ast.expr_context, ast.operator, ast.unaryop,
)  # fmt: skip
_OPERATORS: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)


def judge_text(module: Module, *, cwd: Path, workspace: Path) -> Verdict:
    """Whether the module may be imported: nothing in it is denied, and what an import runs is allowed."""
    whole = check_python(module.text, cwd=cwd, workspace=workspace)
    if whole.decision == "deny":
        return whole
    body = [node for node in module.tree.body if not isinstance(node, ast.FunctionDef)]
    defaults = [
        ast.Expr(value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef)
        for value in (*node.args.defaults, *(d for d in node.args.kw_defaults if d), *node.decorator_list)
    ]
    return check_python(ast.unparse(ast.Module([*body, *defaults], [])), cwd=cwd, workspace=workspace)


def judge_call(module: Module, arguments: Mapping[str, Any], *, cwd: Path, workspace: Path) -> Verdict:
    """Whether a call with these arguments may run; what depends on other values is judged as far as it is known."""
    try:
        program = written_out(module, arguments)
    except (SyntaxError, ValueError, RecursionError):
        return Verdict("deny", "crystal-unreadable", f"{module.path} cannot be judged with these arguments")
    return check_program(program, cwd=cwd, workspace=workspace)


def written_out(module: Module, arguments: Mapping[str, Any]) -> ast.Module:
    """The module with the function's body in place of the function, and the arguments in place of its parameters.

    Tables that hold nothing but data, as ``__llmos__``, are left out.
    """
    function = module.definition
    values = {name: value for name, value in {**module.defaults, **arguments}.items() if _is_plain(value)}
    parents = parents_of(function)
    rebound = {
        node.id
        for node in parents
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node.id in values
    } | {node.arg for node in nodes_of(ast.Module(function.body, [])) if isinstance(node, ast.arg)}
    first = [
        ast.fix_missing_locations(ast.Assign([ast.Name(name, ast.Store())], _literal(values[name])))
        for name in sorted(rebound & values.keys())
    ]
    known = {name: value for name, value in values.items() if name not in rebound}
    other = _otherwise_meant(module.tree)
    usual = {name: value for name, value in _FUNCTIONS.items() if name not in other}
    fold = _Fold(known, usual, _leading_to(known, parents))
    body: list[ast.stmt] = [*first, *(fold.visit(node) for node in function.body)]
    before, after = _around(module.tree, function)
    return ast.Module([*before, *body, *after], [])


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) < 10_000 and all(_is_plain(item) for item in value)
    return type(value) in (str, int, bool, type(None)) or (type(value) is float and math.isfinite(value))


def _literal(value: Any) -> ast.expr:
    return ast.parse(repr(value), mode="eval").body


def _leading_to(values: Mapping[str, Any], parents: Mapping[ast.AST, ast.AST]) -> set[ast.AST]:
    """The nodes in which one of ``values`` is named, or something is returned: no other comes out otherwise."""
    found: set[ast.AST] = set()
    for node in parents:
        if (isinstance(node, ast.Name) and node.id in values) or isinstance(node, ast.Return):
            above: ast.AST | None = node
            while above is not None and above not in found:
                found.add(above)
                above = parents.get(above)
    return found


@functools.lru_cache(maxsize=256)
def _around(tree: ast.Module, function: ast.FunctionDef) -> tuple[tuple[ast.stmt, ...], tuple[ast.stmt, ...]]:
    """The statements of a module before and after its function, without tables of data."""
    index = tree.body.index(function)
    kept = [None if _is_table(node) else node for node in tree.body]
    return tuple(filter(None, kept[:index])), tuple(filter(None, kept[index + 1 :]))


def _is_table(node: ast.stmt) -> bool:
    """Whether a statement binds one name to a dictionary of nothing but values that are written out."""
    if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
        return False
    data = (ast.Constant, ast.Dict, ast.List, ast.Tuple, ast.UnaryOp, ast.unaryop)
    return isinstance(node.value, ast.Dict) and all(isinstance(part, data) for part in nodes_of(node.value))


@functools.lru_cache(maxsize=256)
def _otherwise_meant(tree: ast.Module) -> frozenset[str]:
    """Names that mean something of its own in a module, whatever they mean elsewhere."""
    other = set()
    for node in nodes_of(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            other.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            other.add(node.name)
        elif isinstance(node, ast.arg):
            other.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            usual = {(None, "shlex"), ("pathlib", "Path")}
            other |= {(a.asname or a.name) for a in node.names if a.asname or (module, a.name) not in usual}
    return frozenset(other)


class _Fold:
    """Puts values in place of parameters, and results in place of what can be worked out from them; ``told`` are the nodes
    that can come out otherwise. Nothing is changed: what does is another node."""

    def __init__(self, values: Mapping[str, Any], functions: Mapping[str, Any], told: set[ast.AST]) -> None:
        self.values, self.functions, self.told = values, functions, told

    def visit(self, node: ast.AST) -> Any:
        if node not in self.told:
            return node
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant) and self._can(node):
            try:
                value = eval(
                    compile(ast.Expression(node), "<judged>", "eval"),
                    {"__builtins__": {}, **self.functions, **self.values},
                )
            except Exception:  # noqa: BLE001 - then it is judged as it stands
                return self._deeper(node)
            if isinstance(value, PurePosixPath):
                return self._deeper(node)
            if _is_plain(value):
                return ast.copy_location(_literal(value), node)
        return self._deeper(node)

    def _deeper(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Return):  # the body becomes statements of a cell, which cannot return
            return rebuilt(ast.copy_location(ast.Expr(node.value or ast.Constant(None)), node), self.visit)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return rebuilt(node, _FoldInside(self.values, self.functions, self.told).visit)
        return rebuilt(node, self.visit)

    def _can(self, node: ast.expr) -> bool:
        """Whether only parameters and harmless functions are in it, and a parameter at least."""
        uses = False
        for part in nodes_of(node):
            if not isinstance(part, _NODES):
                return False
            if isinstance(part, ast.BinOp) and not isinstance(part.op, _OPERATORS):
                return False
            if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult) and not self._numbers(part):
                return False  # "a" * 10**9 takes its time
            if isinstance(part, ast.Name):
                if part.id in self.values:
                    uses = True
                elif part.id not in self.functions:
                    return False
            if isinstance(part, ast.Attribute) and part.attr not in _METHODS | _ATTRIBUTES:
                return False
            if isinstance(part, ast.Call) and not isinstance(part.func, ast.Name | ast.Attribute):
                return False
        return uses

    def _numbers(self, node: ast.expr) -> bool:
        """Whether nothing but numbers is in it."""
        values = [
            self.values.get(part.id) if isinstance(part, ast.Name) else getattr(part, "value", None)
            for part in nodes_of(node)
            if isinstance(part, ast.Name | ast.Constant)
        ]
        simple = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.expr_context, ast.operator, ast.unaryop)
        return all(isinstance(v, int | float) for v in values) and all(isinstance(p, simple) for p in nodes_of(node))


class _FoldInside(_Fold):
    """The same inside another function, whose returns stay."""

    def _deeper(self, node: ast.AST) -> Any:
        return rebuilt(node, self.visit)
