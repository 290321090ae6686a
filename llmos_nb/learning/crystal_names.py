"""Which names recorded steps read from the user and which they bind, so that they can become a function's."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.errors import NotCrystallizable
from llmos_nb.learning.scopes import names_of

__all__ = ["CUSTOMARY", "Scope", "check_statements", "free_name", "identifiers", "scope_of"]

#: Modules under the names that everybody gives them: a user who has them imported need not hand them on.
CUSTOMARY: Final = {
    "alt": "altair", "np": "numpy", "pd": "pandas", "pl": "polars", "plt": "matplotlib.pyplot",
    "px": "plotly.express", "sns": "seaborn",
    **{name: name for name in ("math", "json", "os", "re", "random", "statistics", "datetime", "itertools",
                               "collections", "pathlib", "csv", "sqlite3", "time", "numpy", "pandas", "scipy")},
}  # fmt: skip
#: Functions that look at the names around them, which are others inside a function.
_LOOKING: Final = frozenset({"dir", "eval", "exec", "globals", "locals", "vars"})
#: Names that IPython or the interpreter gives a cell.
_OF_CELLS: Final = frozenset({"In", "Out", "__file__", "__name__", "_", "__", "___", "get_ipython"})


@dataclass(frozen=True, slots=True)
class Scope:
    """``reads`` are names that must be there before the steps run, in the order of their first use; ``binds`` what the
    steps bind."""

    reads: tuple[str, ...]
    binds: tuple[str, ...]


def check_statements(tree: ast.Module, where: str) -> None:
    """Refuse what means something else, or nothing, inside a function.

    Raises:
        NotCrystallizable: with the reason.
    """
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} & {"_", "__"}
    for node in _outside_functions(tree):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) or (
            isinstance(node, ast.comprehension) and node.is_async
        ):
            raise NotCrystallizable(f"{where} awaits something at the top level.")
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            raise NotCrystallizable(f"{where}, line {line}: imports * from {node.module}, which a function cannot.")
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            raise NotCrystallizable(f"{where}, line {line}: imports from __future__.")
        if isinstance(node, ast.ImportFrom) and node.level:
            raise NotCrystallizable(f"{where}, line {line}: imports relative to a package.")
        if isinstance(node, ast.Global):
            raise NotCrystallizable(f"{where}, line {line}: a function of it changes the global {node.names[0]}.")
        if isinstance(node, ast.Name) and node.id in _OF_CELLS - bound:
            raise NotCrystallizable(f"{where}, line {line}: uses {node.id}, which only a cell has.")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LOOKING:
            looks_here = node.func.id in ("eval", "exec") or not node.args
            if looks_here:
                raise NotCrystallizable(f"{where}, line {line}: {node.func.id}() looks at the names around it.")
        if isinstance(node, ast.Name) and node.id.startswith("__llmos"):
            raise NotCrystallizable(f"{where}, line {line}: uses the reserved name {node.id}.")


def _outside_functions(tree: ast.AST) -> Iterable[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _outside_functions(node)


def identifiers(tree: ast.AST) -> set[str]:
    """Every name that occurs in a tree, whatever it stands for: a new one must be none of these."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
        elif isinstance(node, ast.Nonlocal):
            found |= set(node.names)
    return found


def scope_of(trees: Sequence[ast.Module]) -> Scope:
    """The names of steps that run one after the other.

    Where only some branch binds a name, it counts as bound after it: a run that took the other branch is for the tests
    to show.
    """
    walk = _Walk()
    for tree in trees:
        walk.statements(tree.body)
    late = [name for name in walk.deferred if name not in walk.bound]
    known = set(dir(builtins))
    reads = [name for name in dict.fromkeys([*walk.reads, *late]) if name not in known]
    return Scope(tuple(reads), tuple(walk.bound))


class _Walk:
    """Follows statements in order and notes what is read before it is bound."""

    def __init__(self) -> None:
        self.bound: dict[str, None] = {}
        self.reads: dict[str, None] = {}
        #: What functions read, which run later.
        self.deferred: dict[str, None] = {}

    def statements(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._code(node)
            self._bind(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                self._bind((alias.asname or alias.name).partition(".")[0] if not alias.asname else alias.asname)
        elif isinstance(node, ast.For):
            self._expressions(node.iter)
            self._target(node.target)
            self.statements([*node.body, *node.orelse])
        elif isinstance(node, ast.While | ast.If):
            self._expressions(node.test)
            self._branches(node.body, node.orelse)
        elif isinstance(node, ast.With):
            for item in node.items:
                self._expressions(item.context_expr)
                if item.optional_vars is not None:
                    self._target(item.optional_vars)
            self.statements(node.body)
        elif isinstance(node, ast.Try | ast.TryStar):
            self.statements(node.body)
            for handler in node.handlers:
                if handler.type is not None:
                    self._expressions(handler.type)
                if handler.name:
                    self._bind(handler.name)
                self.statements(handler.body)
            self.statements([*node.orelse, *node.finalbody])
        elif isinstance(node, ast.Match):
            self._expressions(node.subject)
            for case in node.cases:
                for name in identifiers(case.pattern) - _loads(case.pattern):
                    self._bind(name)
                self.statements(case.body)
        elif isinstance(node, ast.Assign):
            self._expressions(node.value)
            for target in node.targets:
                self._target(target)
        elif isinstance(node, ast.AugAssign):
            self._expressions(node.value)
            self._read_target(node.target)
            self._target(node.target)
        elif isinstance(node, ast.AnnAssign):
            self._expressions(node.annotation, *([node.value] if node.value else []))
            if node.value is not None:
                self._target(node.target)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._read_target(target)
        else:
            self._code(node)

    def _branches(self, *bodies: Sequence[ast.stmt]) -> None:
        before, after = dict(self.bound), dict(self.bound)
        for body in bodies:
            self.bound = dict(before)
            self.statements(body)
            after.update(self.bound)
        self.bound = after

    def _target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._bind(node.id)
        elif isinstance(node, ast.Tuple | ast.List):
            for item in node.elts:
                self._target(item)
        elif isinstance(node, ast.Starred):
            self._target(node.value)
        else:  # df["x"] = …: df is read
            self._read_target(node)

    def _read_target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._read(node.id)
        elif isinstance(node, ast.Tuple | ast.List):
            for item in node.elts:
                self._read_target(item)
        else:
            self._expressions(*[child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def _expressions(self, *nodes: ast.expr) -> None:
        for node in nodes:
            self._code(ast.Expr(node))

    def _code(self, node: ast.stmt) -> None:
        """Everything that a statement reads, and what ``:=`` in it binds, by Python's own symbol table."""
        table = names_of(node)
        for symbol in table.get_symbols():
            if symbol.is_referenced() and not (symbol.is_namespace() and symbol.is_assigned()):
                self._read(symbol.get_name())
        for child in table.get_children():
            self._inside(child, deferred=False)
        for symbol in table.get_symbols():
            if symbol.is_assigned() and not symbol.is_namespace():
                self._bind(symbol.get_name())

    def _inside(self, table: Any, *, deferred: bool) -> None:
        later = deferred or (table.get_type() == "function" and table.get_name() != "genexpr")
        for symbol in table.get_symbols():
            if symbol.is_referenced() and symbol.is_global():
                name = symbol.get_name()
                if later:
                    self.deferred.setdefault(name)
                else:
                    self._read(name)
        for child in table.get_children():
            self._inside(child, deferred=later)

    def _read(self, name: str) -> None:
        if name not in self.bound:
            self.reads.setdefault(name)

    def _bind(self, name: str) -> None:
        self.bound.setdefault(name)


def _loads(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted``, or a name made from it that Python and ``taken`` leave free."""
    used = {*taken, *dir(builtins), *keyword.kwlist, *keyword.softkwlist}
    if wanted not in used:
        return wanted
    for number in range(1, 10_000):
        name = f"{wanted}_value" if number == 1 else f"{wanted}_{number}"
        if name not in used:
            return name
    raise NotCrystallizable(f"no name is left for the parameter {wanted}.")
