"""What a line at the ``llmos>`` prompt is: a goal in words, or Python.

A magic, a ``!`` command and what follows ``>>>`` is Python's. So is what reads as Python and uses only names that exist:
``df.head()`` is, where there is a ``df``; ``mean(sales)`` without such names, and ``pass the salt``, are goals.
"""

from __future__ import annotations

import ast
import builtins
import codeop
import importlib.util
import re
import textwrap
import warnings
from collections.abc import Container
from typing import Final

__all__ = ["as_cell", "is_goal"]

_ESCAPED: Final = re.compile(r"\s*(?:[%!/,;]|>>>|\.\.\.|In \[\d+\]:|\?\??[\w.*]+\s*$)")
_ASSIGNED_MAGIC: Final = re.compile(r"\s*[\w.,\s]+=\s*[%!]\S")
#: What can only be the beginning of Python, so that more lines are to come.
_OPENS: Final = re.compile(
    r"\s*(?:@\w|(?:async\s+def|def|class)\s+\w+|(?:for|while|if|with|try|async|match)\b.*:\s*(?:#.*)?$)"
)
#: Import lines that are wrong, but no sentence: ``import numpy as``, ``from math import``.
_IMPORTS: Final = re.compile(r"\s*(?:import\s+[\w.]+(?:\s+as|\s*,)?|from\s+[\w.]+\s+import[\s(,]*)\s*\Z")
#: A call or an item of something, written as nobody writes prose; and what is called.
_CALLS: Final = re.compile(r"\s*([A-Za-z_]\w*)(?:\.\w+)*[(\[](?!s\))")
_OPEN_VALUE: Final = re.compile(r"\s*([A-Za-z_]\w*)[\w.]*\s*(=(?!=)|\()")
_HELP: Final = re.compile(r"\s*([A-Za-z_]\w*)[\w.]*\?{1,2}\s*")


def is_goal(text: str, names: Container[str]) -> bool:
    """Whether ``text`` is a goal; ``names`` are those that exist."""
    if not text.strip() or _ESCAPED.match(text) or _ASSIGNED_MAGIC.match(text):
        return False
    first = text.strip().split("\n")[0]
    if (asked := _HELP.fullmatch(text)) is not None:
        return not _known(asked[1], names)
    try:
        tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        if _OPENS.match(first) or _IMPORTS.match(text):
            return False
        called = _CALLS.match(first)  # a slip of the pen costs nothing: Python says what is wrong with it
        if called is not None and _known(called[1], names):
            return False
        value = _OPEN_VALUE.match(first)
        if value is None or not _unfinished(text):
            return True
        return value[2] == "(" and not _known(value[1], names)
    if not tree.body:
        return False  # a comment
    return not all(_is_python(statement, names) for statement in tree.body)


def _is_python(statement: ast.stmt, names: Container[str]) -> bool:
    match statement:
        case ast.Assign() | ast.AugAssign() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.AnnAssign():
            return statement.value is not None  # "Note: hello" is an annotation, too
        case ast.Import():
            return all(_module(alias.name) for alias in statement.names)
        case ast.ImportFrom():
            return statement.level > 0 or _module(statement.module or "")
        case ast.Global() | ast.Nonlocal() | ast.Return() | ast.Pass():
            return False
    nodes = list(ast.walk(statement))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    stored |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    used = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}
    return all(name in stored or _known(name, names) for name in used)


def _known(name: str, names: Container[str]) -> bool:
    return name in names or hasattr(builtins, name)


def _module(name: str) -> bool:
    try:
        return bool(name) and importlib.util.find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def _unfinished(text: str) -> bool:
    """Whether Python's only complaint is that it ends too soon."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of words that look like wrong escapes
            return codeop.compile_command(text, symbol="exec") is None
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False


def as_cell(goal: str) -> str:
    """The cell that a goal at the prompt stands for; options may lead it."""
    goal = goal.strip()
    if not goal.startswith("--"):
        return f"%%llmos\n{goal}\n"
    return f"%%llmos {goal}\n" if "\n" in goal else f"%llmos {goal}\n"
