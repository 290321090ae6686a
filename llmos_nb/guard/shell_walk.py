"""Follows a command line the way a shell would run it, and hands every simple command to the judges.

Nothing is run. Branches are all taken and their knowledge joined, loops are passed twice, functions, aliases, nested
shells and substitutions are entered. What a command would print is followed where it is plain (``echo``, ``cat``), so
that text which ends up as code is read as code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tree_sitter import Node

from llmos_nb.guard.shell_assign import Assignment, read_assignment
from llmos_nb.guard.shell_control import ControlFlow
from llmos_nb.guard.shell_judge import judge
from llmos_nb.guard.shell_parser import parsed
from llmos_nb.guard.shell_redirects import REDIRECTS, apply_redirect, with_redirects
from llmos_nb.guard.shell_scope import (
    FETCHED,
    MAX_ALTERNATIVES,
    MAX_DEPTH,
    MAX_JUDGED,
    NOTHING,
    UNKNOWN,
    Arg,
    Feed,
    Findings,
    Scope,
    unknown,
)  # fmt: skip
from llmos_nb.guard.shell_words import Expander

__all__ = ["count_commands", "run_text"]

#: Simple commands in one text. 50 is where published guards stop counting, and where attacks hide the 51st.
MAX_COMMANDS: Final = 50


def count_commands(root: Node, enough: int | None = None) -> int:
    """How many simple commands a tree holds, at any depth; counting ends beyond ``enough``."""
    count, waiting = 0, [root]
    while waiting and (enough is None or count <= enough):
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
    if not findings.readable(len(source)):
        return unknown(feed)
    root = parsed(source)
    if root is None:
        findings.left_out()
        return unknown(feed)
    if root.has_error:
        findings.unreadable(len(source))
        findings.add("shell-unparsable", code)
        if len(source) > MAX_COMMANDS * 100:
            findings.hurry(MAX_COMMANDS, MAX_JUDGED)
    if count_commands(root, MAX_COMMANDS) > MAX_COMMANDS:
        findings.add("shell-too-long", f"more than {MAX_COMMANDS} commands")
        findings.hurry(3 * MAX_COMMANDS, MAX_JUDGED)
    scope.depth += 1
    try:
        return _Walker(source, scope).walk(root, scope, feed)
    finally:
        scope.depth -= 1


class _Walker(ControlFlow):
    """Walks the tree of one source text."""

    def __init__(self, source: bytes, scope: Scope) -> None:
        self.source = source
        #: Redirections that wait for the command they belong to, by its place in the source.
        self.pending: dict[tuple[int, int], list[Node]] = {}
        self.steps: dict[str, Callable[[Node, Scope, Feed], Feed]] = {
            "command": self.walk,
            "redirected_statement": self._redirected,
            "list": self.list,
            "pipeline": self.pipeline,
            "subshell": self._subshell,
            "if_statement": self.branches,
            "case_statement": self.branches,
            "while_statement": self.loop,
            "for_statement": self.loop,
            "c_style_for_statement": self.loop,
            "function_definition": self._define,
            "variable_assignment": self._assignment,
            "variable_assignments": self.sequence,
            "declaration_command": self._declaration,
            "unset_command": self._unset,
            "test_command": self._test,
        }

    def expander(self, scope: Scope) -> Expander:
        return Expander(self.source, scope, self._substitute)

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def walk(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        scope.findings.step()
        step = self.steps.get(node.type, self.sequence)
        if node.type in ("list", "pipeline", "redirected_statement", "program"):
            return step(node, scope, feed)
        redirects = self.pending.pop((node.start_byte, node.end_byte), [])
        if node.type == "command":
            return self._command(node, scope, feed, redirects)
        if not redirects:
            return step(node, scope, feed)
        return with_redirects(
            redirects, scope, feed, self.expander(scope), self.walk, lambda inside, extra: step(node, scope, inside)
        )

    def _substitute(self, node: Node, scope: Scope) -> Feed:
        if [child.type for child in node.named_children] == ["file_redirect"]:
            return apply_redirect(node.named_children[0], scope, self.expander(scope), NOTHING, None)
        return self.sequence(node, scope.child(), NOTHING)

    def sequence(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        """Everything that is run one after the other; also any node that has no meaning of its own."""
        printed: list[Feed] = []
        if node.children and node.children[0].type == "((":
            self.expander(scope).follow(node)
            # A shell reads ((...)) as two subshells where it is no arithmetic.
            inner = scope.child()
            inner.findings = Findings(scope.findings)
            run_text(self.text(node)[2:-2], inner)
            scope.findings.verdicts += [v for v in inner.findings.verdicts if v.decision == "deny"]
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

    def _subshell(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        return self.sequence(node, scope.child(), feed)

    def _define(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            scope.functions[self.text(name)] = (body, self.source)
        return Feed("")

    def _call(self, name: str, args: tuple[Arg, ...], scope: Scope, feed: Feed) -> Feed:
        """Enter a function; its own recursion is not followed, but may be a fork bomb."""
        body, source = scope.functions[name]
        key = f"{name}:{body.start_byte}:{id(source)}"
        if key in scope.calling:
            if scope.background:
                scope.findings.add("shell-loop", f"{name} starts itself again")
            return unknown(feed)
        if len(scope.calling) >= MAX_DEPTH:
            scope.findings.add("shell-too-long", "functions nested too deep")
            return unknown(feed)
        saved = scope.params, scope.calling
        scope.params, scope.calling = (name, *(arg.text for arg in args)), (*scope.calling, key)
        try:
            return _Walker(source, scope).walk(body, scope, feed)
        finally:
            scope.params, scope.calling = saved

    def _assignment(self, node: Node, scope: Scope, feed: Feed) -> Feed:
        assignment = read_assignment(node, scope, self.expander(scope))
        if assignment is not None:
            assignment.apply(scope)
        return Feed("")

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
        """Redirections belong to the last command of a list or pipeline, although the tree has them outside."""
        body = next((child for child in node.named_children if child.type not in REDIRECTS), None)
        redirects = [child for child in node.named_children if child.type in REDIRECTS]
        if body is None:
            return with_redirects(
                redirects, scope, feed, self.expander(scope), self.walk, lambda inside, extra: Feed("")
            )
        last = body
        while last.type in ("list", "pipeline") and last.named_children:
            last = last.named_children[-1]
        self.pending[last.start_byte, last.end_byte] = redirects
        return self.walk(body, scope, feed)

    def _command(self, node: Node, scope: Scope, feed: Feed, redirects: Sequence[Node] = ()) -> Feed:
        expander = self.expander(scope)
        groups: list[list[Node]] = []
        inner: list[Node] = []
        prefix: list[Assignment] = []
        for child in node.children:
            if child.type in REDIRECTS:
                inner.append(child)
            elif child.type == "variable_assignment":
                assignment = read_assignment(child, scope, expander)
                prefix.extend([assignment] if assignment else [])
            elif groups and self._continued(groups[-1][-1], child):
                groups[-1].append(child)
            elif child.type != "comment":
                groups.append([child])
        found: list[list[Arg]] = [[]]
        for group in groups:
            choices = expander.words(group)
            if len(choices) == 1:
                for line in found:
                    line.extend(choices[0])
            else:
                found = [[*line, *choice] for line in found for choice in choices]
            if len(found) > 2 * MAX_ALTERNATIVES:
                found = [[*found[0][: len(found[0]) - len(choices[0])], Arg(UNKNOWN)]]
        lines = [tuple(line) for line in found]
        scope.findings.words(max(map(len, lines)), 0)

        def run(inside: Feed, extra: tuple[Arg, ...]) -> Feed:
            printed = [self._invoke(line + extra, scope, inside) for line in lines if line + extra]
            if not printed:
                for assignment in prefix:
                    assignment.apply(scope)
                return Feed("")
            return printed[0] if len(printed) == 1 else Feed(UNKNOWN, any(out.network for out in printed))

        return with_redirects([*inner, *redirects], scope, feed, expander, self.walk, run)

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
