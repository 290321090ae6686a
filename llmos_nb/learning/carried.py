"""Values that an agent read off one step and wrote into a later one.

"The mean is 15.0", says a step, and the next one says ``fillna(15.0)``. That literal is neither the goal's nor the
program's own: it is what the data were then. A replay over other data must not go on with it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from llmos_nb.memory import Step

__all__ = ["carried_over", "no_longer_shown"]

_NUMBER: Final = re.compile(r"(?<![\w.])[-+]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")
_PART: Final = re.compile(r"[^\W_]+")
_WORD: Final = re.compile(r"[^\W_][\w.-]*[^\W_]|[^\W_]")
#: Whole numbers below this are too common to come from anywhere in particular.
_TELLING: Final = 100
_LONG: Final = 3


def carried_over(goal: str, earlier: Sequence[Step], step: Step) -> tuple[float | str, ...]:
    """What ``step`` says that earlier steps had shown, and that neither the goal nor their own arguments say.

    In code these are telling literals, and what its longer texts say; in other arguments, such as the content of a
    file, all numbers and words.
    """
    shown = "\n".join(other.output for other in earlier)
    if not shown.strip():
        return ()
    said = "\n".join([goal, *(str(value) for other in earlier for value in other.arguments.values())])
    numbers, words = _numbers(shown), set(_WORD.findall(shown))
    own_numbers = _numbers(said)
    own_words = {word.casefold() for pattern in (_WORD, _PART) for word in pattern.findall(said)}
    found: list[float | str] = []
    for literal in dict.fromkeys(_literals(step)):
        if isinstance(literal, str):
            if literal in words and literal.casefold() not in own_words:
                found.append(literal)
        elif _is_shown(literal, numbers) and not _is_shown(literal, own_numbers):
            found.append(literal)
    return tuple(found)


def no_longer_shown(literal: float | str, outputs: Sequence[str]) -> bool:
    """Whether fresh outputs no longer show what a later step's literal was read from."""
    text = "\n".join(outputs)
    return (
        literal not in set(_WORD.findall(text))
        if isinstance(literal, str)
        else not _is_shown(literal, _numbers(text))
    )


def _literals(step: Step) -> Iterator[float | str]:
    for name, value in step.arguments.items():
        if isinstance(value, str):
            yield from _literals_of_code(value) if name == "code" else _said(value)


def _literals_of_code(code: str) -> Iterator[float | str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        yield from _said(code)  # a magic or a command among it
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, str):
                if _WORD.fullmatch(value):
                    yield from (value,) if len(value) >= _LONG else ()
                else:
                    yield from _said(value)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                if (isinstance(value, float) and not value.is_integer()) or abs(value) >= _TELLING:
                    yield float(value)
                elif isinstance(value, float) and value:
                    yield value


def _said(text: str) -> Iterator[float | str]:
    """The numbers and words of a text that somebody reads."""
    yield from _numbers(text)
    yield from (word for word in _WORD.findall(text) if len(word) >= _LONG and not _NUMBER.fullmatch(word))


def _numbers(text: str) -> tuple[float, ...]:
    found = []
    for match in _NUMBER.finditer(text):
        try:
            found.append(float(match[0].replace(",", "").replace("_", "")))
        except ValueError:
            continue
    return tuple(found)


def _is_shown(literal: float, numbers: Sequence[float]) -> bool:
    """Whether a number is among those shown, as it is or rounded as the literal is."""
    digits = len(repr(literal).partition(".")[2]) if "e" not in repr(literal) else 15
    return any(number == literal or round(number, digits) == literal for number in numbers)
