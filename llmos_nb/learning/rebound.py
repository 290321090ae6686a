"""What differs between a step as it was recorded and as it is bound to new values, place by place.

Both have the same shape, so their code is walked side by side, and other texts are cut into words of the same number.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.memory import Step
from llmos_nb.tools.cell import with_parameters

__all__ = ["Change", "changes_between", "changes_in", "code_of", "is_bound", "parsed"]

_MAGIC_LINE: Final = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
_WORDS: Final = re.compile(r"[^\s\"'`,;|&<>()=\[\]{}]+")
#: Fields of syntax nodes that hold a name, and what a change of it is.
_NAMED: Final = {(ast.Name, "id"): "name", (ast.Attribute, "attr"): "attribute", (ast.keyword, "arg"): "keyword"}
_ABSENT: Final = object()
#: Characters of code up to which its tree, which takes a hundred times as much room, is kept.
_SHORT: Final = 4_000


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a step where the bound value is not the recorded one.

    ``kind`` is ``string`` (a literal of code), ``number``, ``name``, ``attribute``, ``keyword``, ``word`` (of another
    text) or ``other``; ``node`` is the syntax node in the bound code.
    """

    kind: str
    old: Any
    new: Any
    node: ast.AST | None = None


def is_bound(recorded: Sequence[Step], steps: Sequence[Step]) -> bool | None:
    """Whether ``steps`` are the recorded ones with other values in their arguments; None where they are other steps."""
    if [step.tool for step in recorded] != [step.tool for step in steps]:
        return None
    pairs = zip(recorded, steps, strict=True)
    return any(dict(old.arguments) != dict(new.arguments) for old, new in pairs)


def code_of(step: Step) -> str:
    """The code of a cell with the values of its parameters before it; empty for other tools."""
    code, parameters = step.arguments.get("code"), step.arguments.get("parameters")
    if step.tool != "run_cell" or not isinstance(code, str):
        return ""
    return with_parameters(code, parameters) if isinstance(parameters, Mapping) else code


def parsed(step: Step) -> ast.Module | None:
    """The code of a step, its magics left out; None where it has none, or none that can be read. Nobody changes it: what
    was recorded is read again with every goal that it serves, and short code is kept as it was read."""
    code = code_of(step)
    if not code or code.lstrip().startswith("%%"):
        return None
    return _tree(code) if len(code) <= _SHORT else _tree.__wrapped__(code)


@functools.lru_cache(maxsize=64)
def _tree(code: str) -> ast.Module | None:
    try:
        return ast.parse(_MAGIC_LINE.sub(r"\1pass", code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def changes_in(recorded: Step, bound: Step, trees: tuple[ast.Module | None, ast.Module | None]) -> tuple[Change, ...]:
    """Where the arguments of two steps differ; ``trees`` is what :func:`parsed` makes of each."""
    if dict(recorded.arguments) == dict(bound.arguments):
        return ()
    before, after = trees
    both = before is not None and after is not None
    found = changes_between(before, after) if both else []
    for name in sorted(recorded.arguments.keys() | bound.arguments.keys()):
        old, new = recorded.arguments.get(name), bound.arguments.get(name)
        if old != new and not (both and name in ("code", "parameters")):
            found += _between_values(old, new)
    return tuple(found)


def _between_values(old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, str) and isinstance(new, str):
        words, others = _WORDS.findall(old), _WORDS.findall(new)
        if len(words) == len(others):
            yield from (Change("word", a, b) for a, b in zip(words, others, strict=True) if a != b)
        else:
            yield Change("other", old, new)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for a, b in zip(old, new, strict=True):
            if a != b:
                yield from _between_values(a, b)
    else:
        yield Change("other", old, new)


def changes_between(old: Any, new: Any) -> list[Change]:
    """Changes between two pieces of syntax, in the order of the code."""
    found: list[Change] = []
    _compare(old, new, found)
    return found


def _compare(old: Any, new: Any, found: list[Change]) -> None:
    kind = type(old)
    if kind is ast.Constant and type(new) is ast.Constant:
        a, b = old.value, new.value
        if type(a) is not type(b) or a != b:
            found.append(Change("string" if isinstance(a, str) and isinstance(b, str) else "number", a, b, new))
        return
    if not isinstance(old, ast.AST) or kind is not type(new):
        if old != new:
            found.append(Change("other", None, None, new if isinstance(new, ast.AST) else None))
        return
    for field in kind._fields:
        a, b = getattr(old, field, _ABSENT), getattr(new, field, None)
        if a is _ABSENT or field == "ctx":  # how it is used, its place says
            continue
        if isinstance(a, ast.AST) or isinstance(b, ast.AST):
            _compare(a, b, found)
        elif isinstance(a, list) and isinstance(b, list):
            _compare_lists(a, b, found)
        elif a != b:
            named = _NAMED.get((kind, field))  # these are texts
            if named:
                found.append(Change(named, a, b, new))
            elif field not in ("type_comment", "kind"):
                found.append(Change("other", a, b, new))


def _compare_lists(old: list[Any], new: list[Any], found: list[Change]) -> None:
    """A list that grew pairs its new items with its last old one."""
    if not old or not new:
        if old or new:
            found.append(Change("other", None, None))
        return
    for a, b in itertools.zip_longest(old, new):
        if b is not None:
            _compare(a if a is not None else old[-1], b, found)
