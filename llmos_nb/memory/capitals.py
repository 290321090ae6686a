"""Do the capitals in a goal mean anything to a trace?

The key of a goal leaves the case of ordinary words out: ``Add 4 And 5`` is ``add 4 and 5``. But ``column Name`` need
not be ``column name``. What tells them apart is the program: where a word stands in its texts, or names something that
was there before it ran, the word is a value, and its capitals count.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator

from llmos_nb.memory.trace import Step, Trace

__all__ = ["capitals_that_matter"]

_WORDS = re.compile(r"[^\W\d_]+")


def capitals_that_matter(goal: str, trace: Trace) -> tuple[tuple[str, str], ...]:
    """Pairs of words, as recorded and as ``goal`` has them, that differ in case and are values to the trace's steps.

    The two goals must have one key, so that they are the same words in the same order.
    """
    recorded, typed = _split(trace.goal), _split(goal)
    # Only the case of its first letter may differ in the first word: that is where a sentence begins.
    pairs = [
        (a, b)
        for position, (a, b) in enumerate(zip(recorded, typed, strict=False))
        if a != b and a.casefold() == b.casefold() and not (position == 0 and a[1:] == b[1:])
    ]
    if not pairs:
        return ()
    values = {word for step in trace.replayable_steps for word in _values(step)}
    return tuple((a, b) for a, b in pairs if a in values or b in values)


def _split(goal: str) -> list[str]:
    return _WORDS.findall(unicodedata.normalize("NFC", goal))


def _values(step: Step) -> Iterator[str]:
    """Words in a step's arguments that stand for something: in texts, or as names that the step does not make."""
    for argument in step.arguments.values():
        texts = [argument] if isinstance(argument, str) else [str(argument)]
        if step.tool == "run_cell" and isinstance(argument, str):
            texts = list(_python(argument))
        for text in texts:
            yield from _WORDS.findall(unicodedata.normalize("NFC", text))


def _python(code: str) -> Iterator[str]:
    """The texts in a piece of Python, and the names it uses without making them; all of it when it cannot be read."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        yield code
        return
    nodes = list(ast.walk(tree))
    made = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name) and node.id not in made:
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
