"""The shell's control flow: all branches are taken and what is known after them is joined, loops are passed twice."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tree_sitter import Node

from llmos_nb.guard.shell_scope import UNKNOWN, Feed, Scope, State, unknown
from llmos_nb.guard.shell_words import Expander

__all__ = ["ControlFlow"]


class ControlFlow(ABC):
    """Lists, pipelines, branches and loops for a walker that knows the rest."""

    @abstractmethod
    def walk(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        """Follow any node."""

    @abstractmethod
    def sequence(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        """Follow a node's children one after the other."""

    @abstractmethod
    def expander(self, scope: Scope) -> Expander:
        """The words of this source in ``scope``."""

    @abstractmethod
    def text(self, node: Node) -> str:
        """A node's own source text."""

    def list(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        """``a && b || c``: an ``&&`` goes on with what is known, an ``||`` may start after any part before it."""
        parts: list[tuple[str, Node]] = []

        def flatten(item: Node, operator: str) -> None:
            if item.type == "list":
                kids = [child for child in item.children if child.is_named]
                signs = [child.type for child in item.children if child.type in ("&&", "||")]
                flatten(kids[0], operator)
                for sign, kid in zip(signs, kids[1:], strict=False):
                    flatten(kid, sign)
            else:
                parts.append((operator, item))

        flatten(node, "")
        states: list[State] = []
        printed: list[Feed] = []
        known: bool | None = None
        for operator, part in parts:
            if (operator == "&&" and known is False) or (operator == "||" and known is True):
                continue
            if operator == "||":
                scope.restore(states)
            printed.append(self.walk(part, scope, feed))
            states.append(scope.save())
            shadowed = scope.functions or scope.aliases
            known = (
                None
                if shadowed or operator == "||"
                else {"true": True, ":": True, "false": False}.get(self.text(part))
            )
        scope.restore(states)
        texts = [out.text for out in printed if out.text is not None]
        return Feed("".join(texts) if texts else None, any(out.network for out in printed))

    def pipeline(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        for child in node.named_children:
            inner = scope.child()
            inner.background = scope.background or len(node.named_children) > 1
            feed = self.walk(child, inner, feed)
        return feed

    def branches(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        """``if`` and ``case``: the head runs, then any one of the branches, or none."""
        expander = self.expander(scope)
        bodies: list[list[Node]] = [[]]
        for child in node.named_children:
            if child.type in ("elif_clause", "else_clause", "case_item"):
                bodies.append([child])
            elif node.type == "if_statement":
                bodies[0].append(child)
            else:
                expander.values(child)
        for child in bodies[0]:
            self.walk(child, scope, feed)
        states = [scope.save()]
        for body in bodies[1:]:
            scope.restore(states[:1])
            for child in body:
                self.sequence(child, scope, feed)
            states.append(scope.save())
        scope.restore(states)
        return unknown(feed)

    def loop(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        expander = self.expander(scope)
        body = node.child_by_field_name("body")
        if node.type == "for_statement":
            variable = node.child_by_field_name("variable")
            values: list[str] = []
            for child in node.children_by_field_name("value"):
                values.extend(arg.text for words in expander.words([child]) for arg in words)
            if not values:
                values = list(scope.params[1:]) if scope.params else [UNKNOWN]
            if variable is not None:
                scope.assign(self.text(variable), values)
        elif node.type == "c_style_for_statement":
            expander.follow(node)
        before = scope.save()
        background = any(child.type == "&" for child in body.children) if body is not None else False
        head = "".join(self.text(child) for child in node.children_by_field_name("condition")).rstrip("; \n")
        endless = head in ("true", ":", "false", "[ 1 ]", "[[ 1 ]]", "((1))", "")
        if background and endless and node.type != "for_statement":
            scope.findings.add("shell-loop", self.text(node))
        for _ in range(2):
            for child in node.children_by_field_name("condition"):
                if node.type == "while_statement" and child.is_named:
                    self.walk(child, scope, feed)
            if body is not None:
                self.sequence(body, scope, feed)
            after = scope.save()
            if after == before:
                break
            scope.restore([before, after])
        return unknown(feed)
