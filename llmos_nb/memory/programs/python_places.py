"""Python code as a shape with places: its syntax tree, in which literals and names are left open.

White space, comments, quotes and brackets that mean nothing are not part of the shape: two cells that Python reads
alike have one shape.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final

from llmos_nb.memory.programs.fstring import TornString
from llmos_nb.memory.programs.python_tree import PythonTree
from llmos_nb.memory.programs.reading import Reading, opaque

__all__ = ["read_python"]

#: Lines of a cell that are IPython's, not Python's.
_MAGIC: Final = re.compile(r"^([ \t]*)([%!][^\n]*)$", re.MULTILINE)


def read_python(code: str) -> Reading:
    """``code`` as shape and places; a text that is no Python is one opaque piece."""
    magics = ""
    text = code
    if "\r" in code or "\f" in code:  # columns could not be trusted
        return opaque(code)
    try:
        try:
            tree = _parse(text)
        except SyntaxError:
            if '"""' in code or "'''" in code or not _MAGIC.search(code):
                return opaque(code)
            magics = "\n".join(found[2] for found in _MAGIC.finditer(code))
            text = _MAGIC.sub(lambda found: found[1] + "pass".ljust(len(found[2]))[: max(4, len(found[2]))], code)
            if len(text) != len(code):
                return opaque(code)
            tree = _parse(text)
        reader = PythonTree(text)
        reader.visit_all(tree.body)
        return reader.reading(magics)
    except (SyntaxError, ValueError, RecursionError, MemoryError, TornString):
        return opaque(code)


def _parse(code: str) -> ast.Module:
    if "\\" not in code:
        return ast.parse(code)
    with warnings.catch_warnings():  # an odd escape is the author's affair
        warnings.simplefilter("ignore")
        return ast.parse(code)
