"""What is being judged right now, for the rules to know a person's own word on it: set around one judgement, read by it."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from llmos_nb.guard.verdict import Decision

__all__ = ["Words", "judging", "word_on"]


class Words(Protocol):
    """A person's words on rules, for one judgement."""

    def on(self, rule: str, place: Path | None, own: Decision) -> tuple[Decision, str] | None:
        """What a person decided about a rule, and where that is written; None where they did not, and ``own`` holds."""


_words: contextvars.ContextVar[Words | None] = contextvars.ContextVar("llmos_guard_words", default=None)


@contextmanager
def judging(words: Words | None) -> Iterator[None]:
    """Within the block rules decide as ``words`` say, where they say anything."""
    token = _words.set(words)
    try:
        yield
    finally:
        _words.reset(token)


def word_on(rule: str, place: Path | None, own: Decision) -> tuple[Decision, str] | None:
    """What a person decided about ``rule``, which by itself says ``own``, where the current judgement hits it."""
    words = _words.get()
    return None if words is None else words.on(rule, place, own)
