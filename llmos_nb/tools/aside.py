"""A namespace for a run in the background: nothing appears, and it is noted which names others changed meanwhile."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, MutableMapping
from types import ModuleType
from typing import Any, Final

from llmos_nb.tools.cell import mentioned_names, visible
from llmos_nb.tools.namespace import CellResult, Namespace
from llmos_nb.tools.quiet import QuietNamespace

__all__ = ["AsideNamespace"]

#: Names that are told at most: a person who restarted their analysis meanwhile changed them all.
TOLD: Final = 8


class AsideNamespace(QuietNamespace):
    """Runs cells among the same names as ``inner``; between them a person's cells, and other runs, go on.

    The run's cells and those of others take turns, so whatever changed since its last cell is the work of others.
    """

    def __init__(self, inner: Namespace) -> None:
        super().__init__(inner, "")
        self._seen = self._bindings()
        self._bound: dict[str, None] = {}
        self._read: set[str] = set()
        #: Names that others changed, each with whether that was the last that happened to it.
        self._changed: dict[str, bool] = {}

    @property
    def names(self) -> MutableMapping[str, Any]:
        """The user's names and values, live. What is written through this mapping is the run's own work."""
        return _Own(self._inner.names, self._noted)

    async def run_cell(self, code: str, *, show: bool = True) -> CellResult:
        """Run ``code``; what it would show is kept."""
        self._look()
        self._read |= mentioned_names(code)
        try:
            return await super().run_cell(code, show=show)
        finally:
            written = _written(code)
            for name in self._differences():
                if written is not None and name not in written:
                    self._changed[name] = True  # others went on while the cell awaited something
                    continue
                self._bound[name] = None
                if name in self._changed:
                    self._changed[name] = False

    def clashes(self) -> list[str]:
        """Names that the run bound or used, and that others changed while it worked: what stands now."""
        self._look()
        told = []
        for name, last in self._changed.items():
            if name in self._bound:
                stands = "the other value stands" if last else "this run's value stands"
                told.append(f"{name} was changed by others while this run worked, which bound it, too: {stands}")
            elif name in self._read:
                told.append(f"{name} was changed by others while this run worked with it")
        left = len(told) - TOLD
        return told if left <= 0 else [*told[:TOLD], f"{left} more names were changed by others meanwhile"]

    def _noted(self, name: str) -> None:
        """Take over what the run itself just did to a name."""
        names = self._inner.names
        if name in names:
            self._seen[name] = id(names[name])
        else:
            self._seen.pop(name, None)

    def _look(self) -> None:
        """Note what others changed since the run's last cell."""
        for name in self._differences():
            self._changed[name] = True

    def _differences(self) -> list[str]:
        """Names that were bound, rebound or deleted since this was asked last."""
        before, self._seen = self._seen, self._bindings()
        return [
            *(name for name, value in self._seen.items() if before.get(name) != value),
            *(name for name in before if name not in self._seen),
        ]

    def _bindings(self) -> dict[str, int]:
        return {name: id(value) for name, value in dict(self._inner.names).items() if _counts(name, value)}


def _written(code: str) -> set[str] | None:
    """Names that a cell binds or deletes by itself; None where others cannot have come in between, or nobody can tell."""
    try:
        tree = compile(code, "<cell>", "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found: set[str] = set()
    awaits = False
    for node in ast.walk(tree):
        match node:
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                awaits = True
            case ast.Name(ctx=ast.Store() | ast.Del()):
                found.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
    return found if awaits else None


def _counts(name: str, value: object) -> bool:
    """Whether it says anything that a name is bound anew: a module is the same whoever imports it."""
    return visible(name) and not isinstance(value, ModuleType)


class _Own(MutableMapping[str, Any]):
    """A namespace's names; ``noted`` is told of each that is written or deleted here."""

    def __init__(self, names: MutableMapping[str, Any], noted: Callable[[str], None]) -> None:
        self._names, self._noted = names, noted

    def __getitem__(self, name: str) -> Any:
        return self._names[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._names[name] = value
        self._noted(name)

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._noted(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
