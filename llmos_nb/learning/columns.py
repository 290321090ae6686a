"""Are the columns there that newly bound steps ask for, and of the kind they were? Asked before anything is run.

A table is followed from where it comes from, a DataFrame in the namespace now or a file that the steps load, through
the assignments of the steps to where a changed literal is used on it. Only a literal that *was* a column of such a
table is judged; everything else is left to the run itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.kernel.syntax import nodes_of, parents_of, rebuilt
from llmos_nb.learning.headers import header, kinds_of, loads_table
from llmos_nb.learning.rebound import Change, changes_between
from llmos_nb.memory import Step

__all__ = ["misfit"]

#: Methods for which it does not matter whether a column holds numbers, on the column or with it as argument.
_ANY_KIND: Final = frozenset(
    {
        "astype", "count", "drop", "drop_duplicates", "dropna", "duplicated", "fillna", "get", "groupby", "isin",
        "isna", "isnull", "mode", "notna", "notnull", "nunique", "set_index", "sort_values", "unique", "value_counts",
    }
)  # fmt: skip
#: Keyword arguments that take a column of any kind.
_ANY_KIND_ARGUMENTS: Final = frozenset(
    {"by", "columns", "hue", "id_vars", "index", "keys", "on", "subset", "usecols"}
)


@dataclass(slots=True)
class _Table:
    """Columns and their kinds (``number``, ``text``, ``date``): as they are now, and in the table of the recording.

    ``before`` has None for a kind that nobody knows any more.
    """

    label: str
    now: Mapping[str, str]
    before: Mapping[str, str | None] = field(default_factory=dict)


def misfit(
    recorded: Sequence[Step],
    trees: Sequence[tuple[ast.Module | None, ast.Module | None]],
    changes: Sequence[Sequence[Change]],
    names: Mapping[str, Any],
    cwd: Path,
) -> str:
    """Why the bound columns do not fit the tables, as a sentence; empty where nothing speaks against them.

    ``trees`` has for each of the ``recorded`` steps its code and that of the step bound to other values, ``changes`` where
    these differ. Files are only read in part: see :mod:`llmos_nb.learning.headers`.
    """
    if all(change.kind == "number" for some in changes for change in some):
        return ""  # a number names no column, wherever it is put in
    tables: dict[str, list[_Table]] = {}
    made: set[str] = set()
    known: dict[str, ast.Constant] = {}
    was_known: dict[str, ast.Constant] = {}
    for old, (before, after), some in zip(recorded, trees, changes, strict=True):
        if before is None or after is None:
            continue
        earlier = _inlined(before, was_known)
        statements = _inlined(after, known)
        if len(earlier) != len(statements):
            continue
        as_written = earlier == before.body and statements == after.body
        changed = _by_node(some) if as_written else {}
        for was, statement in zip(earlier, statements, strict=True):
            nodes = nodes_of(statement)
            here = changed if as_written else _by_node(changes_between(was, statement))
            found = [change for node in nodes if (change := here.get(node)) is not None] if here else []
            made |= set(_made_columns(nodes))
            used = _used(nodes, was, tables, names, old, cwd)
            parents = parents_of(statement) if found and used else {}
            for change in found if parents else ():
                if change.new not in made:
                    problem = _problem(change, used, parents)
                    if problem:
                        return problem
            for target in _bound_names(nodes):
                tables[target] = used
    return ""


def _by_node(changes: Iterable[Change]) -> dict[ast.AST, Change]:
    """Changes of what may name a column."""
    return {c.node: c for c in changes if c.node is not None and c.kind in ("string", "attribute")}


def _with_values(node: Any, known: Mapping[str, ast.Constant]) -> Any:
    """The node with known constants in the place of the names they were given: ``column = "mass"`` is a value where it is
    used. What has no such name is the same object, and nothing is changed."""
    if isinstance(node, ast.Name):
        value = known.get(node.id) if isinstance(node.ctx, ast.Load) else None
        return node if value is None else ast.Constant(value.value)
    return rebuilt(node, lambda below: _with_values(below, known))


def _inlined(tree: ast.Module, known: dict[str, ast.Constant]) -> list[ast.stmt]:
    """The statements with constants in the place of names; ``known`` is what is known before, and then after them."""
    statements = []
    for statement in tree.body:
        if known:
            for name in _bound_names(nodes_of(statement)):
                known.pop(name, None)
        statements.append(_with_values(statement, known) if known else statement)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            known |= {target.id: statement.value for target in statement.targets if isinstance(target, ast.Name)}
    return statements


def _problem(change: Change, used: Iterable[_Table], parents: Mapping[ast.AST, ast.AST]) -> str:
    old, new = change.old, change.new
    source = [table for table in used if old in table.before]
    if not source:
        return ""
    having = [table for table in used if new in table.now]
    if not having:
        table = source[0]
        columns = ", ".join(list(table.now)[:12]) + (" …" if len(table.now) > 12 else "")
        return f"{table.label} has no column {new} (it has {columns or 'none'})"
    was, kind = source[0].before[old], having[0].now[new]
    if was == "number" and kind != "number" and not _of_any_kind(change.node, parents):
        return f"{new} is {'text' if kind == 'text' else f'a {kind}'}, and the recorded column {old} was numeric"
    return ""


def _of_any_kind(node: ast.AST | None, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether what is done with this column can be done with one that holds no numbers."""
    while node is not None:
        above = parents.get(node)
        if isinstance(above, ast.keyword) and above.arg in _ANY_KIND_ARGUMENTS:
            return True
        if isinstance(above, ast.Call) and node in above.args:
            return isinstance(above.func, ast.Attribute) and above.func.attr in _ANY_KIND
        if isinstance(above, ast.Attribute) and above.value is node:
            return above.attr in _ANY_KIND
        if isinstance(above, ast.Subscript | ast.List | ast.Tuple):
            node = above
            continue
        return False
    return False


def _used(
    statement: Sequence[ast.AST],
    was: ast.stmt,
    tables: Mapping[str, list[_Table]],
    names: Mapping[str, Any],
    recorded: Step,
    cwd: Path,
) -> list[_Table]:
    """The tables that a statement, given by its nodes, works on: those it names and those it loads."""
    found: list[_Table] = []
    for node in statement:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id in tables:
                found += [table for table in tables[node.id] if table not in found]
            elif (table := _in_namespace(node.id, names)) is not None:
                found.append(table)
    loads = list(_loads(statement))
    earlier = list(_loads(nodes_of(was))) if loads else []
    for number, call in enumerate(loads):
        kinds = header(call, cwd)
        if kinds is None:
            continue
        before: Mapping[str, str | None] | None = None
        if number < len(earlier):
            before = kinds if ast.dump(earlier[number]) == ast.dump(call) else header(earlier[number], cwd)
        if before is None:  # the recorded file is gone: what the step made of it is still known
            targets = set(_bound_names(statement))
            before = {c: None for name in targets for c in recorded.expect.columns.get(name, ())}
        found.append(_Table(_file_of(call), kinds, before))
    return found


def _in_namespace(name: str, names: Mapping[str, Any]) -> _Table | None:
    value = names.get(name)
    if type(value).__name__ != "DataFrame" or not type(value).__module__.startswith("pandas"):
        return None
    kinds = kinds_of(value)
    return _Table(name, kinds, kinds)


def _loads(statement: Iterable[ast.AST]) -> Iterator[ast.Call]:
    for node in statement:
        if isinstance(node, ast.Call) and loads_table(node):
            yield node


def _file_of(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    return str(first.value) if isinstance(first, ast.Constant) else "the file"


def _bound_names(statement: Iterable[ast.AST]) -> Iterator[str]:
    for node in statement:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _made_columns(statement: Iterable[ast.AST]) -> Iterator[str]:
    """Columns that a statement makes: ``df["x"] = ...``, ``df.assign(x=...)``, ``rename(columns={"a": "x"})``."""
    for node in statement:
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from (part.value for part in nodes_of(node.slice) if _is_text(part))  # type: ignore[attr-defined]
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in ("columns", "names", "name", "value_name", "var_name", "new"):
                    parts = keyword.value.values if isinstance(keyword.value, ast.Dict) else [keyword.value]
                    if keyword.arg != "columns" or isinstance(keyword.value, ast.Dict):
                        yield from (p.value for part in parts for p in nodes_of(part) if _is_text(p))  # type: ignore[attr-defined]
                elif keyword.arg:
                    yield from (keyword.arg,) if _makes_columns(node) else ()


def _makes_columns(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("assign", "agg", "aggregate", "with_columns")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
