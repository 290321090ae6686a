"""Redirections: where a command's output goes, where its input comes from, and what here-documents say."""

from __future__ import annotations

from tree_sitter import Node

from llmos_nb.guard.shell_files import judge_read, judge_write
from llmos_nb.guard.shell_scope import NOTHING, UNKNOWN, Feed, Scope
from llmos_nb.guard.shell_words import Expander

__all__ = ["apply_redirect", "heredoc_text"]


def heredoc_text(node: Node, expander: Expander) -> str:
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
    reads = "<" in raw.split(expander.text(targets[0]))[0]
    writes = ">" in raw.split(expander.text(targets[0]))[0]
    duplicates = ">&" in raw or "<&" in raw
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
                        scope.written[str(place)] = text + ("\ue001" if printed and printed.network else "")
            if reads:
                judge_read(word, scope, raw)
                known = [scope.written.get(str(place), UNKNOWN) for place in scope.places(word.text)]
                feed = NOTHING if word.text == "/dev/null" else Feed(known[0], "\ue001" in known[0])
    return feed
