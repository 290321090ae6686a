"""Walking Python's syntax trees: the order of :func:`ast.walk` in a third of its time.

Every goal's code is judged, followed and compared before it runs, so walks are most of what a short cell waits for.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from typing import Any, Final

__all__ = ["nodes_of", "parents_of", "rebuilt"]

#: Fields of nodes that never hold a node worth a look: a text, a number, or how a name is used.
_LEAVES: Final = frozenset({"arg", "attr", "ctx", "id", "kind", "level", "type_comment"})
#: For each type of node the fields that may hold others.
_fields: dict[type[ast.AST], tuple[str, ...]] = {}


def _fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    found = _fields.get(kind)
    if found is None:
        found = _fields[kind] = tuple(name for name in kind._fields if name not in _LEAVES)
    return found


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """Every node of ``tree`` in the order of :func:`ast.walk`, but for ``Load``, ``Store`` and ``Del``."""
    return _walked(tree)[0]


def parents_of(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """For every node below ``tree`` the one that holds it, in the order of :func:`nodes_of`."""
    nodes, holding = _walked(tree)
    return dict(zip(nodes[1:], holding, strict=True))


def rebuilt(node: ast.AST, other: Callable[[Any], Any]) -> ast.AST:
    """``node`` with what ``other`` gives for each node right below it; the very same where that is what is there already.

    Nothing is changed: a node that comes out otherwise is a copy.
    """
    changed: dict[str, Any] = {}
    for name in _fields.get(type(node)) or _fields_of(type(node)):
        old = getattr(node, name, None)
        if isinstance(old, list):
            items = [other(item) if isinstance(item, ast.AST) else item for item in old]
            if any(new is not was for new, was in zip(items, old, strict=True)):
                changed[name] = items
        elif isinstance(old, ast.AST) and (new := other(old)) is not old:
            changed[name] = new
    if not changed:
        return node
    copied = copy.copy(node)
    vars(copied).update(changed)
    return copied


def _walked(tree: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """The nodes, and for each but the first the one that holds it."""
    found, holding = [tree], []
    for node in found:  # grows while it is walked
        for name in _fields.get(type(node)) or _fields_of(type(node)):
            value = getattr(node, name, None)
            if isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        found.append(item)
                        holding.append(node)
            elif isinstance(value, ast.AST):
                found.append(value)
                holding.append(node)
    return found, holding
