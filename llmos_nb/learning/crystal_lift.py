"""What of recorded cells belongs at the top of a module: imports, and functions and classes that stand on their own.

A function that a cell defined looked its names up among the user's. Inside another function it would hold on to that
function's own variables instead, which shows as soon as somebody changes one. So it moves to the module where it needs
only imports, and where it needs more the steps do not become a function at all.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.errors import NotCrystallizable
from llmos_nb.learning.crystal_names import CUSTOMARY, identifiers
from llmos_nb.learning.scopes import names_of

__all__ = ["Lifted", "alone", "lifted"]

#: Lines that change how later imports turn out: imports after them stay where they are.
_ORDER_MATTERS: Final = re.compile(
    r"environ|putenv|chdir|sys\.path|sys\.modules|\.use\(|filterwarnings|simplefilter|importlib|set_start_method|\.py\b"
)
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: Decorators that may run when the module is imported: they only look at what they decorate.
_DECORATORS: Final = frozenset({"dataclass", "dataclasses.dataclass", "staticmethod", "classmethod", "property"})


@dataclass(frozen=True, slots=True)
class Lifted:
    """``imports`` go to the top of the function, ``module_imports`` to the module's, where ``definitions`` (statements
    of the trees, in order) need them. ``moved`` are all statements that stand where they were no more."""

    imports: tuple[str, ...]
    module_imports: tuple[str, ...]
    definitions: tuple[ast.stmt, ...]
    moved: frozenset[ast.stmt]


def lifted(trees: Sequence[ast.Module], bound: Sequence[str]) -> Lifted:
    """What can be lifted out of the cells. ``bound`` are the names that all of them bind.

    A definition that needs a parameter stays where it is: that value is one that nobody changes.

    Raises:
        NotCrystallizable: a function or class that stays for the user needs what a run of the steps computes.
    """
    imports = dict(_imports(trees))
    importable = {name: line for node, line in imports.items() for name in identifiers(node)}
    definitions = _alone_standing(trees, importable)
    names = {node.name for node in definitions if isinstance(node, _DEFINITIONS)}
    needed = {importable[name] for node in definitions for name in _free(node) if name in importable}
    for tree in trees:
        for node in tree.body:
            if node in definitions:
                continue
            made, what = _made(node)
            used = set(_free(what)) & (set(bound) - names) if what is not None else set()
            if used - {made}:
                raise NotCrystallizable(
                    f"The steps define {made}, which looks up {', '.join(sorted(used - {made}))} among your variables."
                )
    inside = dict.fromkeys(line for line in imports.values() if line not in needed)
    outside = dict.fromkeys(line for line in imports.values() if line in needed)
    return Lifted(tuple(inside), tuple(outside), tuple(definitions), frozenset([*imports, *definitions]))


def alone(body: Sequence[ast.stmt], position: int) -> bool:
    """Whether a statement shares its lines with no other."""
    node = body[position]
    before = body[position - 1].end_lineno if position else 0
    after = body[position + 1].lineno if position + 1 < len(body) else None
    return (before or 0) < node.lineno and (after is None or after > (node.end_lineno or node.lineno))


def _imports(trees: Sequence[ast.Module]) -> Iterator[tuple[ast.stmt, str]]:
    """Import statements that mean the same wherever they stand, as they are written at the top."""
    bindings = _bindings(trees)
    for tree in trees:
        for position, node in enumerate(tree.body):
            line = ast.unparse(node)
            if isinstance(node, ast.Import | ast.ImportFrom):
                if alone(tree.body, position) and all(bindings[name] == {line} for name in identifiers(node)):
                    yield node, line
            elif _ORDER_MATTERS.search(line):
                return


def _bindings(trees: Sequence[ast.Module]) -> dict[str, set[str]]:
    """For every name, the import statements that bind it; with an empty text for each other statement that does."""
    found: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name in identifiers(node):
                    found.setdefault(name, set()).add(ast.unparse(node))
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.setdefault(node.id, set()).add("")
            elif isinstance(node, _DEFINITIONS):
                found.setdefault(node.name, set()).add(f"def {node.lineno}")
    return found


def _alone_standing(trees: Sequence[ast.Module], importable: Mapping[str, str]) -> list[ast.stmt]:
    """Definitions at the top level that need nothing but imports, built-ins and each other."""
    bindings = _bindings(trees)
    found: dict[str, ast.stmt] = {
        node.name: node
        for tree in trees
        for position, node in enumerate(tree.body)
        if isinstance(node, _DEFINITIONS)
        and alone(tree.body, position)
        and len(bindings[node.name]) == 1
        and _is_quiet(node)
    }
    known = {*dir(builtins), *importable, *CUSTOMARY}
    while True:
        kept = {name: node for name, node in found.items() if set(_free(node)) <= known | set(found)}
        if len(kept) == len(found):
            return list(kept.values())
        found = kept


def _is_quiet(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether defining it runs nothing that anybody could notice."""
    if any(ast.unparse(d).partition("(")[0] not in _DECORATORS for d in node.decorator_list):
        return False
    if isinstance(node, ast.ClassDef):
        fields = (ast.AnnAssign, ast.Assign, ast.Pass, ast.Expr)
        return all(
            _is_quiet(inner) if isinstance(inner, _DEFINITIONS) else isinstance(inner, fields) and _is_plain(inner)
            for inner in node.body
        )
    return all(_is_plain(default) for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d)))


def _is_plain(node: ast.AST) -> bool:
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call | ast.Await | ast.Yield | ast.NamedExpr)]
    return all(
        isinstance(call, ast.Call) and ast.unparse(call.func) in ("field", "dataclasses.field") for call in calls
    )


def _made(node: ast.stmt) -> tuple[str, ast.stmt | None]:
    """The name that a statement gives to a function or class, and what holds its body; None where it makes none."""
    if isinstance(node, _DEFINITIONS):
        return node.name, node
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        return ast.unparse(node.targets[0]), ast.Expr(node.value)
    return "", None


def _free(node: ast.stmt | None) -> Iterator[str]:
    """Names that a definition looks up around it, now or later."""
    if node is None:
        return
    table = names_of(node)
    own = getattr(node, "name", "")
    for symbol in table.get_symbols():
        if symbol.is_referenced() and symbol.get_name() != own:
            yield symbol.get_name()
    for child in table.get_children():
        yield from (name for name in _globals_of(child) if name != own)


def _globals_of(table: Any) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and symbol.is_global():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_of(child)
