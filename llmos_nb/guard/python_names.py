"""What a name or an expression in a program certainly is: the dotted name behind an import, a literal text."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from llmos_nb.guard.verdict import names
from llmos_nb.kernel.syntax import nodes_of

__all__ = ["Names"]

#: Longest text that is put together, in characters.
LONGEST: Final = 100_000

_PATH_CALLS = names(
    "pathlib.Path pathlib.PosixPath pathlib.PurePath os.fspath str os.path.abspath os.path.realpath os.path.normpath "
    "os.path.expanduser"
)
#: What holds the names of the cell, or of Python itself.
_NAMESPACES = names("__builtins__ globals() vars() locals() __builtins__.__dict__ get_ipython().user_ns")
#: Nodes that bind a name, or import one.
_BINDING: Final = (
    ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.comprehension, ast.AugAssign,
    ast.arg, ast.With,
)  # fmt: skip
#: What a name can stand for that has a name itself.
_NAMED: Final = (ast.Attribute, ast.Name, ast.Call)


class Names:
    """Imports and constants of one program; ``nodes`` are those of ``tree`` where they are at hand already."""

    def __init__(self, tree: ast.AST, nodes: Iterable[ast.AST] | None = None) -> None:
        self.modules: dict[str, str] = {}
        self.constants: dict[str, ast.expr | None] = {}
        #: What the values of names were found to be; None and empty while that is being found out.
        self._literals: dict[str, str | None] = {}
        self._dotted: dict[str, str] = {}
        stars: list[str] = []
        for node in nodes_of(tree) if nodes is None else nodes:
            if not isinstance(node, _BINDING):
                continue
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.modules[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    self.modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    if alias.name == "*":
                        stars.append(node.module)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                self._assign(node.target, node.value)
            elif isinstance(node, ast.For | ast.comprehension | ast.AugAssign):
                self._assign(node.target, None)
            elif isinstance(node, ast.arg):
                self.constants[node.arg] = None
            elif isinstance(node, ast.With):
                for item in node.items:
                    if item.optional_vars is not None:
                        self._assign(
                            item.optional_vars,
                            item.context_expr if isinstance(item.optional_vars, ast.Name) else None,
                        )
        # A star import may bring any name of these.
        for module in stars:
            for name in _STAR.get(module, ()):
                self.modules.setdefault(name, f"{module}.{name}")

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self.constants[target.id] = None if target.id in self.constants else value
        elif isinstance(target, ast.Tuple | ast.List):
            values = (
                value.elts
                if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
                else None
            )
            for i, item in enumerate(target.elts):
                self._assign(item, values[i] if values else None)

    def dotted(self, node: ast.expr, depth: int = 0) -> str:
        """``os.path.join`` for whatever stands for it; an empty text if that is not certain."""
        if depth > 12:
            return ""
        if isinstance(node, ast.Name):
            if node.id in self.modules:
                return self.modules[node.id]
            value = self.constants.get(node.id)
            if isinstance(value, _NAMED):
                if node.id not in self._dotted:
                    self._dotted[node.id] = ""
                    self._dotted[node.id] = self.dotted(value, depth + 1)[:LONGEST]
                return self._dotted[node.id] or node.id
            return node.id
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value, depth + 1)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Call):
            name = self.dotted(node.func, depth + 1)
            first = self.literal(node.args[0], depth + 1) if node.args else None
            if name in ("__import__", "importlib.import_module", "builtins.__import__") and first:
                return first
            if name in ("getattr", "builtins.getattr") and len(node.args) > 1:
                base, attribute = self.dotted(node.args[0], depth + 1), self.literal(node.args[1], depth + 1)
                return f"{base}.{attribute}" if base and attribute else ""
            return f"{name}()" if name else ""
        if isinstance(node, ast.Subscript):
            base, key = self.dotted(node.value, depth + 1), self.literal(node.slice, depth + 1)
            if base == "sys.modules" and key:
                return key
            if base in _NAMESPACES and key:
                return self.modules.get(key, key)
            if base.endswith(".__dict__") and key:
                return f"{base.removesuffix('.__dict__')}.{key}"
        return ""

    def literal(self, node: ast.expr | None, depth: int = 0) -> str | None:
        """The text that an expression certainly is, paths included; None if it is only known when it runs."""
        if node is None or depth > 12:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            if node.id not in self._literals:
                self._literals[node.id] = None
                found = self.literal(self.constants.get(node.id), depth + 1)
                self._literals[node.id] = None if found is not None and len(found) > LONGEST else found
            return self._literals[node.id]
        if isinstance(node, ast.JoinedStr):
            parts = [
                self.literal(p.value if isinstance(p, ast.FormattedValue) else p, depth + 1) for p in node.values
            ]
            return None if any(part is None for part in parts) else "".join(part or "" for part in parts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Div):
            left, right = self.literal(node.left, depth + 1), self.literal(node.right, depth + 1)
            if left is None or right is None:
                return None
            return left + right if isinstance(node.op, ast.Add) else os.path.join(left, right)
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            inner = self.literal(node.value, depth + 1)
            return None if inner is None else os.path.join(inner, "..")
        if isinstance(node, ast.Call):
            return self._called(node, depth)
        return None

    def _called(self, node: ast.Call, depth: int) -> str | None:
        name = self.dotted(node.func, depth + 1)
        if name in ("pathlib.Path.home", "Path.home"):
            return str(Path.home())
        if name in ("pathlib.Path.cwd", "os.getcwd"):
            return "."
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("expanduser", "resolve", "absolute")
            and not node.args
        ):
            return self.literal(node.func.value, depth + 1)
        texts = [self.literal(arg, depth + 1) for arg in node.args]
        if any(text is None for text in texts):
            return None
        known = [text or "" for text in texts]
        if name in _PATH_CALLS or name in ("os.path.join", "Path"):
            return os.path.join(*known) if known else "."
        return None


_STAR = {
    "os": (
        "system",
        "popen",
        "remove",
        "unlink",
        "rmdir",
        "kill",
        "_exit",
        "environ",
        "execv",
        "execvp",
        "rename",
        "chmod",
    ),
    "subprocess": ("run", "call", "Popen", "check_call", "check_output", "getoutput", "getstatusoutput"),
    "shutil": ("rmtree", "move", "copy", "copyfile", "copytree"),
    "pathlib": ("Path",),
}
