"""Which goals may be named in place of another: such as change nothing, and ask for nothing that is the opposite."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from typing import Final

from llmos_nb.memory.trace import Step
from llmos_nb.tools.tables import Table

__all__ = ["changes", "is_another", "is_opposed", "multiplies"]

_WRITERS: Final = re.compile(
    r"write\w*|save\w*|to_(?:csv|excel|parquet|json|sql|pickle|feather|hdf)|unlink|remove|drop_table"
)
_BINDING: Final = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Delete, ast.For, ast.While)
_UP: Final = (
    r"at least|(?:no|not) (?:less|fewer|lower|below|under|smaller|before)|above|over|more|greater|higher|larger|bigger"
    r"|exceed\w*|after|since|highest|largest|biggest|most|top|max\w*|descending|latest|newest"
)
_DOWN: Final = (
    r"at most|(?:no|not) (?:more|greater|higher|above|over|larger|bigger|after)|below|under|less|fewer|lower|smaller"
    r"|before|until|lowest|smallest|least|bottom|min|minimum|ascending|earliest|oldest"
)
_WAYS: Final = re.compile(rf"(?P<up>\b(?:{_UP})\b|>)|(?P<down>\b(?:{_DOWN})\b|<)", re.IGNORECASE)
_NOT: Final = re.compile(r"\b(?:not|without|except|excluding|exclude|other than)\b|n['’]t\b|!=", re.IGNORECASE)
_MINUS: Final = re.compile(r"\b(?:minus|negative) (?=\d)", re.IGNORECASE)
_NUMERAL: Final = re.compile(r"(?<![\w.,-])-?\d+(?:[.,]\d+)*(?!\w|[.,]\d)")
_JOINS: Final = re.compile(r"\b(?:join|merge)\b", re.IGNORECASE)
_ALL_PAIRS: Final = re.compile(r"\ball pairs\b", re.IGNORECASE)
_FILE: Final = re.compile(r"[\w./\\-]+\.[a-z]\w{1,7}\b", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[\s.?!]+")


def changes(steps: Iterable[Step]) -> bool:
    """Whether running ``steps`` may bind, change or save anything; so it is where that cannot be told."""
    for step in steps:
        if step.tool != "run_cell":
            return True
        try:
            tree = ast.parse(str(step.arguments.get("code", "")))
        except SyntaxError:
            return True
        if any(isinstance(node, _BINDING) or _writes(node) for node in ast.walk(tree)):
            return True
    return False


def _writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return bool(_WRITERS.fullmatch(called)) or any(one.arg == "inplace" for one in node.keywords)


def multiplies(goal: str, tables: Sequence[Table]) -> bool:
    """Whether a goal joins tables by what occurs several times in both, or does not say by what: that would be refused."""
    if not _JOINS.search(goal) or _ALL_PAIRS.search(goal):
        return False
    one, other = (
        [
            *sorted((table for table in tables if _at(table.name, goal) >= 0), key=lambda t: _at(t.name, goal)),
            None,
            None,
        ]
    )[:2]
    if one is None or other is None:
        return False
    common = [name for name in one.columns if name in other.columns]
    keys = [name for name in common if _at(name, goal) >= 0] or common
    if len(keys) != 1:
        return True
    again = [set(column[column.duplicated()].tolist()) for column in (one.frame[keys[0]], other.frame[keys[0]])]
    return not again[0].isdisjoint(again[1])


def is_another(goal: str, instead: str) -> bool:
    """Whether ``instead`` is not ``goal`` itself, nor names one file twice."""
    files = _FILE.findall(instead)
    return _bare(goal) != _bare(instead) and len(files) == len(set(files))


def is_opposed(goal: str, instead: str, said: Sequence[str], columns: Iterable[str]) -> bool:
    """Whether ``instead`` turns what ``goal`` asks for round: compares the other way, denies what it does not, or has the
    words that both say, ``said``, in another order; ``columns`` are all that the table has."""
    asked, offered = _ways(goal), _ways(instead)
    mine, other = _numbers(goal), _numbers(instead)
    if mine and not other <= mine:
        return True  # advice never changes a number
    if mine & other:
        strange = any(_at(name, instead) >= 0 for name in columns if name not in said)
        if asked != offered or strange:
            return True
    elif {one.lstrip("-") for one in mine} & {one.lstrip("-") for one in other}:
        return True
    if asked and not offered <= asked:
        return True
    if bool(_NOT.search(goal)) != bool(_NOT.search(instead)):
        return True
    both = [place for place in (_at(one, instead) for one in dict.fromkeys(said)) if place >= 0]
    return both != sorted(both)


def _ways(goal: str) -> set[str]:
    return {str(match.lastgroup) for match in _WAYS.finditer(goal)}


def _numbers(goal: str) -> set[str]:
    return set(_NUMERAL.findall(_MINUS.sub("-", goal)))


def _at(said: str, goal: str) -> int:
    match = re.search(rf"(?<![\w-]){re.escape(said)}(?!\w)", goal)
    return match.start() if match else -1


def _bare(goal: str) -> str:
    return _BLANKS.sub(" ", goal.lower()).strip()
