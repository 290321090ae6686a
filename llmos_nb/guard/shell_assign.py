"""Assignments: what a variable, an array or an element becomes."""

from __future__ import annotations

from dataclasses import dataclass

from tree_sitter import Node

from llmos_nb.guard.shell_builtins import judge_assignment
from llmos_nb.guard.shell_scope import UNKNOWN, Scope
from llmos_nb.guard.shell_words import Expander

__all__ = ["Assignment", "read_assignment"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A name and its possible values; ``items`` for an array."""

    name: str
    values: tuple[str, ...]
    items: tuple[str, ...] | None = None

    def apply(self, scope: Scope) -> None:
        """Make it known in ``scope``."""
        scope.assign(self.name, self.values)
        if self.items is not None:
            scope.arrays[self.name] = self.items


def read_assignment(node: Node, scope: Scope, expander: Expander) -> Assignment | None:
    """Read a ``variable_assignment``; objects to variables that run code."""
    name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name_node is None:
        return None
    name = expander.text(name_node)
    if name_node.type == "subscript":
        expander.follow(name_node)
        return Assignment(name.partition("[")[0], (UNKNOWN,))
    if value is None:
        return Assignment(name, ("",))
    if value.type == "array":
        items = tuple(arg.text for child in value.named_children for arg in expander.words([child])[0])
        return Assignment(name, items[:1] or ("",), items)
    values = expander.values(value)
    if expander.source[name_node.end_byte : value.start_byte] == b"+=":
        values = [old + new for old in scope.value(name) for new in values]
    for text in values:
        judge_assignment(name, text, scope)
    return Assignment(name, tuple(values))
