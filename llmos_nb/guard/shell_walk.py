"""Follows a command line the way a shell would run it, and hands every simple command to the judges.

Nothing is run. Branches are all taken and their knowledge joined, loops are passed twice, functions, aliases, nested
shells and substitutions are entered. What a command would print is followed where it is plain (``echo``, ``cat``), so
that text which ends up as code is read as code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from llmos_nb.guard.shell_builtins import judge_assignment
from llmos_nb.guard.shell_judge import judge
from llmos_nb.guard.shell_redirects import apply_redirect, heredoc_text
from llmos_nb.guard.shell_scope import FETCHED, MAX_DEPTH, NOTHING, UNKNOWN, Arg, Feed, Scope, unknown
from llmos_nb.guard.shell_words import Expander

__all__ = ["count_commands", "run_text"]

LANGUAGE: Final = Language(tree_sitter_bash.language())
#: Simple commands in one text. 50 is where published guards stop counting, and where attacks hide the 51st.
MAX_COMMANDS: Final = 50

_REDIRECTS: Final = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_SUBSTITUTIONS: Final = frozenset({"command_substitution", "process_substitution"})


def count_commands(root: Node) -> int:
    """How many simple commands a tree holds, at any depth."""
    count, waiting = 0, [root]
    while waiting:
        node = waiting.pop()
        count += node.type in ("command", "declaration_command", "test_command", "variable_assignment")
        waiting.extend(node.named_children)
    return count


def run_text(code: str, scope: Scope, feed: Feed = NOTHING) -> Feed:
    """Follow ``code`` in ``scope``; objections go to its findings. Returns what it may print."""
    findings = scope.findings
    if FETCHED in code:
        findings.add("download-run", code)
    if scope.depth >= MAX_DEPTH:
        findings.add("shell-too-long", "nested too deep")
        return unknown(feed)
    if code.replace(FETCHED, "").strip() == UNKNOWN:
        findings.add("shell-unknown-code", "the code is a variable or the output of a program")
        return unknown(feed)
    source = code.replace(FETCHED, "").encode("utf-8", "replace")
    root = Parser(LANGUAGE).parse(source).root_node
    if root.has_error:
        findings.add("shell-unparsable", code)
    if count_commands(root) > MAX_COMMANDS:
        findings.add("shell-too-long", f"more than {MAX_COMMANDS} commands")
    scope.depth += 1
    try:
        return _Walker(source, scope).walk(root, scope, feed)
    finally:
        scope.depth -= 1


class _Walker:
    """Walks the tree of one source text."""

    def __init__(self, source: bytes, scope: Scope) -> None:
        self.source = source
        self.steps: dict[str, Callable[[Node, Scope, Feed], Feed]] = {
            "command": self._command,
            "redirected_statement": self._redirected,
            "list": self._list,
            "pipeline": self._pipeline,
            "subshell": self._subshell,
            "if_statement": self._branches,
            "case_statement": self._branches,
            "while_statement": self._loop,
            "for_statement": self._loop,
            "c_style_for_statement": self._loop,
            "function_definition": self._define,
            "variable_assignment": self._assignment,
            "variable_assignments": self._sequence,
            "declaration_command": self._declaration,
            "unset_command": self._unset,
            "test_command": self._test,
        }

    def expander(self, scope: Scope) -> Expander:
        return Expander(self.source, scope, self._substitute)

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def walk(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        return self.steps.get(node.type, self._sequence)(node, scope, feed)

    def _substitute(self, node: Node, scope: Scope) -> Feed:
        if [child.type for child in node.named_children] == ["file_redirect"]:
            return apply_redirect(node.named_children[0], scope, self.expander(scope), NOTHING, None)
        return self._sequence(node, scope.child(), NOTHING)

    def _sequence(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        """Everything that is run one after the other; also any node that has no meaning of its own."""
        printed: list[Feed] = []
        if node.children and node.children[0].type == "((":
            self.expander(scope).follow(node)
            return unknown()
        for child in node.named_children:
            after = child.next_sibling
            background = after is not None and after.type == "&"
            if child.type in self.steps or child.type not in ("word", "string", "raw_string", "comment"):
                where = scope.child() if background else scope
                where.background = scope.background or background
                printed.append(self.walk(child, where, feed))
            elif child.type == "string":
                self.expander(scope).follow(child)
        texts = [out.text for out in printed if out.text is not None]
        return Feed("".join(texts) if texts else None, any(out.network for out in printed))

    def _list(self, node: Node, scope: Scope, feed: Feed) -> Feed:
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
        states = []
        printed = []
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

    def _pipeline(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        for child in node.named_children:
            inner = scope.child()
            inner.background = scope.background or len(node.named_children) > 1
            feed = self.walk(child, inner, feed)
        return feed

    def _subshell(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        return self._sequence(node, scope.child(), feed)

    def _branches(self, node: Node, scope: Scope, feed: Feed) -> Feed:
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
                self._sequence(child, scope, feed)
            states.append(scope.save())
        scope.restore(states)
        return unknown(feed)

    def _loop(self, node: Node, scope: Scope, feed: Feed) -> Feed:
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
        head = " ".join(self.text(child) for child in node.children_by_field_name("condition"))
        if background and node.type == "while_statement" and head in ("true", ":", "false", "[ 1 ]", "((1))"):
            scope.findings.add("shell-loop", self.text(node))
        for _ in range(2):
            for child in node.children_by_field_name("condition"):
                if node.type == "while_statement" and child.is_named:
                    self.walk(child, scope, feed)
            if body is not None:
                self._sequence(body, scope, feed)
            after = scope.save()
            if after == before:
                break
            scope.restore([before, after])
        return unknown(feed)

    def _define(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            scope.functions[self.text(name)] = (body, self.source)
        return Feed("")

    def _call(self, name: str, args: tuple[Arg, ...], scope: Scope, feed: Feed) -> Feed:
        """Enter a function; its own recursion is not followed, but may be a fork bomb."""
        if name in scope.calling:
            if scope.background:
                scope.findings.add("shell-loop", f"{name} starts itself again")
            return unknown(feed)
        if len(scope.calling) >= MAX_DEPTH:
            scope.findings.add("shell-too-long", "functions nested too deep")
            return unknown(feed)
        body, source = scope.functions[name]
        saved = scope.params, scope.calling
        scope.params, scope.calling = (name, *(arg.text for arg in args)), (*scope.calling, name)
        try:
            return _Walker(source, scope).walk(body, scope, feed)
        finally:
            scope.params, scope.calling = saved

    def _assignment(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        for name, values, items in self._assigned(node, scope):
            scope.assign(name, values)
            if items is not None:
                scope.arrays[name] = items
        return Feed("")

    def _assigned(self, node: Node, scope: Scope) -> list[tuple[str, list[str], tuple[str, ...] | None]]:
        name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name_node is None:
            return []
        expander = self.expander(scope)
        name = self.text(name_node)
        if name_node.type == "subscript":
            expander.follow(name_node)
            return [(name.partition("[")[0], [UNKNOWN], None)]
        if value is None:
            return [(name, [""], None)]
        if value.type == "array":
            items = [arg.text for child in value.named_children for arg in expander.words([child])[0]]
            return [(name, items[:1] or [""], tuple(items))]
        values = expander.values(value)
        between = self.source[name_node.end_byte : value.start_byte]
        if between == b"+=":
            values = [old + new for old in scope.value(name) for new in values]
        for text in values:
            judge_assignment(name, text, scope)
        return [(name, values, None)]

    def _declaration(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        expander = self.expander(scope)
        words: list[Arg] = []
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._assignment(child, scope, feed)
                words.append(Arg(self.text(child).partition("=")[0]))
            else:
                words.extend(arg for choice in expander.words([child])[:1] for arg in choice)
        return judge((Arg(self.text(node.children[0])), *words), scope, feed)

    def _unset(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        for child in node.named_children:
            for words in self.expander(scope).words([child]):
                for arg in words:
                    scope.assign(arg.text, [""])
                    scope.functions.pop(arg.text, None)
        return Feed("")

    def _test(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        self.expander(scope).follow(node)
        self._quoted_code(node, scope)
        return Feed("")

    def _quoted_code(self, node: Node, scope: Scope) -> None:
        for child in node.named_children:
            if child.type in ("raw_string", "ansi_c_string") and any(s in self.text(child) for s in ("$(", "`")):
                scope.findings.add("shell-hidden-code", self.text(child))
            self._quoted_code(child, scope)

    def _redirected(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        body = [child for child in node.named_children if child.type not in _REDIRECTS]
        redirects = [child for child in node.named_children if child.type in _REDIRECTS]
        if len(body) == 1 and body[0].type == "command":
            return self._command(body[0], scope, feed, redirects)
        return self._with_redirects(
            redirects, scope, feed, lambda inner, extra: self.walk(body[0], scope, inner) if body else Feed("")
        )

    def _with_redirects(
        self, redirects: Sequence[Node], scope: Scope, feed: Feed, run: Callable[[Feed, tuple[Arg, ...]], Feed]
    ) -> Feed:
        """Open the redirections, run the body, then what a here-document's first line goes on with."""
        expander = self.expander(scope)
        extra: list[Arg] = []
        rest: list[Node] = []
        outputs: list[Node] = []
        for redirect in redirects:
            if redirect.type == "heredoc_redirect":
                feed = Feed(heredoc_text(redirect, expander))
                for child in redirect.named_children:
                    if child.type in _REDIRECTS:
                        outputs.append(child)
                    elif child.type in self.steps:
                        rest.append(child)
                    elif not child.type.startswith(("heredoc", "file_descriptor")):
                        extra.extend(arg for choice in expander.words([child])[:1] for arg in choice)
            elif redirect.type == "herestring_redirect":
                values = [v for child in redirect.named_children[-1:] for v in expander.values(child)]
                feed = Feed(values[0] + "\n" if len(values) == 1 else UNKNOWN)
            elif ">" in self.text(redirect)[:4]:
                outputs.append(redirect)
                extra.extend(self._trailing(redirect, expander))
            else:
                feed = apply_redirect(redirect, scope, expander, feed, None)
                extra.extend(self._trailing(redirect, expander))
        printed = run(feed, tuple(extra))
        for redirect in outputs:
            apply_redirect(redirect, scope, expander, feed, printed)
        to_file = any(self.text(redirect)[:1] in ">&1" for redirect in outputs)
        printed = Feed("", printed.network) if to_file and ">&" not in self.text(outputs[-1]) else printed
        for node in rest:
            printed = self.walk(node, scope, printed)
        return printed

    @staticmethod
    def _trailing(redirect: Node, expander: Expander) -> list[Arg]:
        """Words after a redirection's target belong to the command: ``rm >log -rf x``."""
        targets = redirect.children_by_field_name("destination")
        return [arg for node in targets[1:] for choice in expander.words([node])[:1] for arg in choice]

    def _command(self, node: Node, scope: Scope, feed: Feed, redirects: Sequence[Node] = ()) -> Feed:
        expander = self.expander(scope)
        groups: list[list[Node]] = []
        inner: list[Node] = []
        prefix: list[tuple[str, list[str], tuple[str, ...] | None]] = []
        for child in node.children:
            if child.type in _REDIRECTS:
                inner.append(child)
            elif child.type == "variable_assignment":
                prefix.extend(self._assigned(child, scope))
            elif groups and self._continued(groups[-1][-1], child):
                groups[-1].append(child)
            elif child.type not in ("comment",):
                groups.append([child])
        lines: list[tuple[Arg, ...]] = [()]
        for group in groups:
            choices = expander.words(group)
            lines = [line + choice for line in lines for choice in choices]
            if len(lines) > 24:
                lines = [(*lines[0][: len(lines[0]) - len(choices[0])], Arg(UNKNOWN))]

        def run(inside: Feed, extra: tuple[Arg, ...]) -> Feed:
            printed = [self._invoke(line + extra, scope, inside) for line in lines if line + extra]
            if not printed:
                for name, values, items in prefix:
                    scope.assign(name, values)
                    if items is not None:
                        scope.arrays[name] = items
                return Feed("")
            return printed[0] if len(printed) == 1 else Feed(UNKNOWN, any(out.network for out in printed))

        return self._with_redirects([*inner, *redirects], scope, feed, run)

    def _continued(self, left: Node, right: Node) -> bool:
        """Whether only a backslash and a line break stand between two nodes: then they are one word."""
        gap = self.source[left.end_byte : right.start_byte]
        return bool(gap) and not gap.replace(b"\\\n", b"")

    def _invoke(self, argv: tuple[Arg, ...], scope: Scope, feed: Feed) -> Feed:
        name = argv[0].text
        if name in scope.functions:
            return self._call(name, argv[1:], scope, feed)
        if name in scope.aliases and name not in scope.calling:
            saved = scope.calling
            scope.calling = (*scope.calling, name)
            try:
                return run_text(" ".join((scope.aliases[name], *(arg.text for arg in argv[1:]))), scope, feed)
            finally:
                scope.calling = saved
        return judge(argv, scope, feed)
