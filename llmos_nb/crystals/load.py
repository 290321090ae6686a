"""From a module's text to functions: the one people call, and its twin that also tells every name it bound."""

from __future__ import annotations

import ast
import contextlib
import copy
import hashlib
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.crystals.facts import Facts, digest_of, facts_of
from llmos_nb.errors import CrystalError

__all__ = ["Module", "load", "read"]

_LOCALS: Final = "__llmos_locals__"


@dataclass(frozen=True, slots=True)
class Module:
    """A crystal's module as text: parsed, not run. ``definition`` is the function that the module is about."""

    path: str
    text: str
    digest: str
    tree: ast.Module
    definition: ast.FunctionDef
    facts: Facts

    @property
    def edited(self) -> bool:
        """Whether a person changed it since it was made."""
        return self.digest != self.facts.digest

    @property
    def code_digest(self) -> str:
        """A digest of what the function does: its statements, not its defaults, docstrings and provenance."""
        functions = [node for node in self.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        parts = [ast.dump(node) for function in functions for node in function.body if not _is_text(node)]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the function's parameters in order."""
        given = self.definition.args
        return tuple(a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs))

    @property
    def defaults(self) -> dict[str, Any]:
        """Defaults of the parameters that have a plain one."""
        given = self.definition.args
        positional = [*given.posonlyargs, *given.args]
        pairs: list[tuple[ast.arg, ast.expr | None]] = [
            *zip(positional[len(positional) - len(given.defaults) :], given.defaults, strict=True),
            *zip(given.kwonlyargs, given.kw_defaults, strict=True),
        ]
        found = {}
        for argument, default in pairs:
            if default is not None:
                with contextlib.suppress(ValueError, TypeError, RecursionError):
                    found[argument.arg] = ast.literal_eval(default)
        return found


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def read(text: str, path: str, name: str) -> Module:
    """Parse the module of the crystal ``name``.

    Raises:
        CrystalError: it is no Python, has no such function, or no usable ``__llmos__``.
    """
    try:
        tree = ast.parse(text, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise CrystalError(f"{path}:{line}: is no Python ({error}).", remedy="Correct the file.") from error
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found:
        raise CrystalError(
            f"{path}: defines no function {name}.", remedy="The function has to be called like the file."
        )
    if found[-1].args.vararg or found[-1].args.kwarg:
        raise CrystalError(
            f"{path}:{found[-1].lineno}: {name} takes any number of arguments.",
            remedy="Name each parameter: a goal's values are bound to them.",
        )
    return Module(path, text, digest_of(text), tree, found[-1], facts_of(tree, path))


def load(module: Module, qualified: str) -> tuple[types.ModuleType, Callable[..., Any], Callable[..., Any]]:
    """Run a module; returns it, its function, and the twin that returns ``(value, names)``.

    Raises:
        CrystalError: running the module's own statements failed.
    """
    name = module.definition.name
    loaded = types.ModuleType(qualified)
    loaded.__file__ = module.path
    sys.modules[qualified] = loaded  # where its classes and functions say they live
    try:
        exec(compile(module.text, module.path, "exec", dont_inherit=True), loaded.__dict__)
        function = loaded.__dict__[name]
        if not callable(function):
            raise TypeError(f"{name} is of type {type(function).__name__}")
        loaded.__dict__[_LOCALS] = locals  # under a name that no step binds
        twin: dict[str, Any] = {}
        tree = _Telling().twin(module.definition)
        exec(compile(tree, module.path, "exec", dont_inherit=True), loaded.__dict__, twin)
    except Exception as error:
        sys.modules.pop(qualified, None)
        raise CrystalError(
            f"{module.path}: cannot be loaded ({type(error).__name__}: {error}).", remedy="Correct the file."
        ) from error
    return loaded, function, twin[name]


class _Telling(ast.NodeTransformer):
    """``return value`` of the function itself becomes ``return (value, locals())``."""

    def twin(self, definition: ast.FunctionDef) -> ast.Module:
        function = copy.deepcopy(definition)
        function.decorator_list = []
        function.body = [self.visit(node) for node in function.body]
        function.body.append(self._returned(None))
        return ast.fix_missing_locations(ast.Module([function], []))

    def visit_Return(self, node: ast.Return) -> ast.Return:
        return ast.copy_location(self._returned(node.value), node)

    @staticmethod
    def _returned(value: ast.expr | None) -> ast.Return:
        names = ast.Call(ast.Name(_LOCALS, ast.Load()), [], [])
        return ast.Return(ast.Tuple([value or ast.Constant(None), names], ast.Load()))

    def _leave(self, node: Any) -> Any:
        return node  # what a function inside returns is its own affair

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = _leave
