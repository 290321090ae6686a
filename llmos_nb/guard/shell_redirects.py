"""Redirections: where a command's output goes, where its input comes from, and what here-documents say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tree_sitter import Node

from llmos_nb.guard.shell_files import judge_read, judge_write
from llmos_nb.guard.shell_scope import FETCHED, NOTHING, UNKNOWN, Arg, Feed, Scope
from llmos_nb.guard.shell_words import Expander

__all__ = ["REDIRECTS", "apply_redirect", "with_redirects"]

#: The syntax tree's kinds of redirection.
REDIRECTS: Final = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})


def _heredoc_text(node: Node, expander: Expander) -> str:
    """The text that a here-document feeds to its command."""
    start = next((child for child in node.named_children if child.type == "heredoc_start"), None)
    body = next((child for child in node.named_children if child.type == "heredoc_body"), None)
    if start is None or body is None:
        return ""
    quoted = any(sign in expander.text(start) for sign in "'\"\\")
    texts = [expander.text(body)] if quoted else expander.body(body)
    text = texts[0] if len(texts) == 1 else UNKNOWN
    if expander.text(node).lstrip("0123456789").startswith("<<-"):
        text = "\n".join(line.lstrip("\t") for line in text.split("\n"))
    return text


def apply_redirect(node: Node, scope: Scope, expander: Expander, feed: Feed, printed: Feed | None) -> Feed:
    """Judge one file redirection; returns the new input for ``<`` and the old one for the rest.

    ``printed`` is what the command may write to it, remembered in case the file is run later.
    """
    targets = node.children_by_field_name("destination") or node.named_children[-1:]
    if not targets:
        return feed
    raw = expander.text(node)
    sign = expander.source[node.start_byte : targets[0].start_byte].decode("utf-8", "replace")
    reads, writes = "<" in sign, ">" in sign
    duplicates = ">&" in sign or "<&" in sign
    for words in expander.words([targets[0]]):
        for word in words[:1]:
            if duplicates and (word.text.rstrip("-").isdigit() or word.text == "-" or word.unknown):
                continue
            if word.text.startswith(("/dev/tcp/", "/dev/udp/")):
                scope.findings.add("connect", raw)
                return Feed(UNKNOWN, network=True)
            if writes:
                judge_write(word, scope, raw)
                for place in scope.places(word.text):
                    if place is not None:
                        text = UNKNOWN if printed is None or printed.text is None else printed.text
                        scope.written[str(place)] = text + (FETCHED if printed and printed.network else "")
            if reads:
                judge_read(word, scope, raw)
                known = [scope.written.get(str(place), UNKNOWN) for place in scope.places(word.text)]
                feed = NOTHING if word.text == "/dev/null" else Feed(known[0], FETCHED in known[0])
    return feed


def with_redirects(
    redirects: Sequence[Node],
    scope: Scope,
    feed: Feed,
    expander: Expander,
    walk: Callable[[Node, Scope, Feed], Feed],
    run: Callable[[Feed, tuple[Arg, ...]], Feed],
) -> Feed:
    """Open the redirections, ``run`` the body, then ``walk`` what a here-document's first line goes on with.

    ``run`` gets the input and the words that stand behind a redirection's target: ``rm >log -rf x``.
    """
    extra: list[Arg] = []
    rest: list[Node] = []
    outputs: list[Node] = []
    for redirect in redirects:
        if redirect.type == "heredoc_redirect":
            feed = Feed(_heredoc_text(redirect, expander))
            for child in redirect.named_children:
                if child.type in REDIRECTS:
                    outputs.append(child)
                elif child.type in _WORDS:
                    extra.extend(_first(expander, child))
                elif not child.type.startswith(("heredoc", "file_descriptor")):
                    rest.append(child)
        elif redirect.type == "herestring_redirect":
            values = [value for child in redirect.named_children[-1:] for value in expander.values(child)]
            feed = Feed(values[0] + "\n") if len(values) == 1 else Feed(UNKNOWN)
        else:
            if ">" in expander.text(redirect)[:4]:
                outputs.append(redirect)
            else:
                feed = apply_redirect(redirect, scope, expander, feed, None)
            targets = redirect.children_by_field_name("destination")
            extra.extend(arg for target in targets[1:] for arg in _first(expander, target))
    printed = run(feed, tuple(extra))
    for redirect in outputs:
        apply_redirect(redirect, scope, expander, feed, printed)
    if any(expander.text(redirect)[:1] in ">&1" for redirect in outputs) and ">&" not in expander.text(outputs[-1]):
        printed = Feed("", printed.network)
    for node in rest:
        printed = walk(node, scope, printed)
    return printed


_WORDS: Final = frozenset(
    {"word", "string", "raw_string", "concatenation", "simple_expansion", "expansion", "number"}
)


def _first(expander: Expander, node: Node) -> tuple[Arg, ...]:
    return expander.words([node])[0]
