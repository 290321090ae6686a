"""Recorded steps as the statements of one function: cells as they were written, other tools as plain Python."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmos_nb.errors import NotCrystallizable
from llmos_nb.learning.crystal_lift import Lifted, alone, lifted
from llmos_nb.learning.crystal_names import CUSTOMARY, Scope, check_statements, identifiers, scope_of
from llmos_nb.learning.crystal_text import Blank, Offsets, spliced
from llmos_nb.learning.crystal_tools import Piece, plain_python
from llmos_nb.memory import Step

__all__ = ["Body", "body_of"]

#: Calls whose value is nothing that anybody wants: a function ends in the last value it made instead.
_SAYS_NOTHING: Final = frozenset({"print", "display", "show", "savefig", "tight_layout"})


@dataclass(frozen=True, slots=True)
class Body:
    """The inside of a function. ``imports`` are the steps' own, to stand at its top, ``definitions`` their functions
    that stand in the module; ``modules`` are to be imported by the module, as ``import x`` lines; ``helpers`` names
    functions of ours that it calls. ``value`` is what it returns, ``shows`` tells whether that was shown and ``tells``
    whether it is what a tool said.
    """

    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    statements: str
    value: str
    scope: Scope
    #: Imports of the steps that stand in the module; ``modules`` has them, too.
    lifted: tuple[str, ...]
    modules: tuple[str, ...]
    helpers: tuple[str, ...]
    shows: bool
    tells: bool


def body_of(
    steps: Sequence[Step],
    blanks: Sequence[Blank],
    parameters: Mapping[str, str],
    whole: frozenset[str] = frozenset(),
) -> Body:
    """The steps as statements. ``parameters`` are names with types; ``whole`` are those that the steps bind to just their
    value: these statements go.

    Raises:
        NotCrystallizable: a step cannot be part of a function.
    """
    texts = frozenset(name for name, kind in parameters.items() if kind == "str")
    modules: dict[str, None] = {}
    helpers: dict[str, None] = {}
    pieces = []
    for index, step in enumerate(steps):
        mine = [blank for blank in blanks if blank.step == index]
        where = f"Step {index + 1} ({step.tool})" if len(steps) > 1 else f"The step ({step.tool})"
        if step.expect.error:
            raise NotCrystallizable(f"{where} failed with {step.expect.error} when it was recorded.")
        last = index == len(steps) - 1
        if step.tool == "run_cell":
            pieces.append(_cell(step, mine, where, whole))
        elif (made := plain_python(step, mine, texts, where, modules, helpers, last)) is not None:
            pieces.append(made)
    if not pieces:
        raise NotCrystallizable("No step does anything: they only look.")
    trees = [ast.parse(piece.code) for piece in pieces]
    scope = scope_of(trees)
    binds = tuple(dict.fromkeys([*scope.binds, *sorted(whole)]))
    up = lifted(trees, binds)
    definitions, value, shows = _assembled(pieces, trees, up, scope, helpers)
    for line in up.module_imports:
        modules.setdefault(line)
    if {"_show", "_show_figures"} & set(helpers):
        modules.setdefault("import sys")
    reads = []
    for name in scope.reads:
        if name == "display":
            modules.setdefault("from IPython.display import display")
        elif name in CUSTOMARY:
            modules.setdefault(_import_of(name))
        elif name not in _names_of(modules):
            reads.append(name)
    statements = "\n\n".join(piece.code.strip("\n") for piece in pieces if piece.code.strip())
    needs = tuple(name for name in reads if name not in parameters and name not in helpers)
    return Body(
        up.imports,
        tuple(definitions),
        statements,
        value,
        Scope(needs, binds),
        up.module_imports,
        tuple(sorted(modules)),
        tuple(sorted(helpers)),
        shows,
        bool(value) and not pieces[-1].cell,
    )


def _import_of(name: str) -> str:
    module = CUSTOMARY[name]
    return f"import {module}" if module == name else f"import {module} as {name}"


def _names_of(modules: dict[str, None]) -> set[str]:
    return {name for line in modules for name in identifiers(ast.parse(line))}


# -- cells


def _cell(step: Step, blanks: Sequence[Blank], where: str, whole: frozenset[str]) -> Piece:
    if set(step.arguments) - {"code"}:
        raise NotCrystallizable(f"{where} has arguments besides its code.")
    code = str(step.arguments["code"])
    if "\r" in code or "\f" in code:
        raise NotCrystallizable(f"{where} has line ends that are not ordinary ones.")
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NotCrystallizable(f"{where} is not plain Python: magics and ! commands stay in notebooks.") from error
    check_statements(tree, where)
    filled = spliced(code, blanks, where)
    try:
        filled = _without_repeats(filled, whole)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NotCrystallizable(f"{where} would not be Python with its parameters ({error}).") from error
    kinds = step.expect.outputs
    return Piece(
        where,
        _tidy(filled),
        any(kind != "stream" for kind in kinds),
        True,
        any(k.startswith("image/") for k in kinds),
    )


def _without_repeats(code: str, whole: frozenset[str]) -> str:
    """Without ``n = n``, which is what ``n = 3`` has become."""
    tree, offsets = ast.parse(code), Offsets(code)
    for position, node in reversed(list(enumerate(tree.body))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and alone(tree.body, position):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == node.value.id and target.id in whole:
                start, end, _ = _whole_lines(code, offsets, node)
                code = code[:start] + code[end:]
    return code


def _tidy(code: str) -> str:
    """Without what means nothing: a cell's empty ends."""
    return code.strip("\n") + "\n" if code.strip() else ""


def _assembled(
    pieces: Sequence[Piece], trees: Sequence[ast.Module], up: Lifted, scope: Scope, helpers: dict[str, None]
) -> tuple[list[str], str, bool]:
    """Take out what is lifted and see to the last expressions.

    Returns the definitions that go to the module, the expression that is returned, and whether it was shown.
    """
    definitions: list[str] = []
    value, shows = "", False
    for number, (piece, tree) in enumerate(zip(pieces, trees, strict=True)):
        last = number == len(pieces) - 1
        offsets = Offsets(piece.code)
        edits: list[tuple[int, int, str]] = []
        for node in tree.body:
            if node in up.moved:
                start, end, _ = _whole_lines(piece.code, offsets, node)
                edits.append((start, end, ""))
                if node in up.definitions:
                    definitions.append(piece.code[start:end].strip("\n"))
        final = tree.body[-1] if tree.body else None
        if isinstance(final, ast.Expr):
            start, end = offsets.span(final)
            quiet = ";" in piece.code[end:].partition("#")[0]
            wanted = piece.shown and not quiet and not _says_nothing(final.value)
            if last and (wanted or not piece.cell or quiet) and not _says_nothing(final.value):
                edits.append((start, start, "return "))
                value, shows = ast.unparse(final.value), wanted and piece.cell
                if quiet:
                    semicolon = piece.code.index(";", end)
                    edits.append((semicolon, semicolon + 1, ""))
            elif not last and wanted:
                helpers.setdefault("_show")
                edits += [(start, start, "_show("), (end, end, ")")]
        code = piece.code
        for start, end, new in sorted(edits, reverse=True):
            code = code[:start] + new + code[end:]
        if not last and piece.images and ".show(" not in code:
            # A notebook shows and closes a step's figures when the step ends; the next one draws anew.
            helpers.setdefault("_show_figures")
            code = code.rstrip("\n") + "\n_show_figures()\n"
        if last and not value:
            value = _last_value(trees, scope)
            code = code.rstrip("\n") + (f"\nreturn {value}\n" if value else "\n")
        piece.code = code.strip("\n") + "\n"
    return definitions, value, shows


def _whole_lines(code: str, offsets: Offsets, node: ast.stmt) -> tuple[int, int, str]:
    """The lines of a statement, its decorators among them."""
    decorators = getattr(node, "decorator_list", [])
    start = offsets.at(min([node.lineno, *(d.lineno for d in decorators)]), 0)
    stop = code.find("\n", offsets.span(node)[1])
    return start, len(code) if stop < 0 else stop + 1, ""


def _says_nothing(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    name = (
        function.id
        if isinstance(function, ast.Name)
        else function.attr
        if isinstance(function, ast.Attribute)
        else ""
    )
    return name in _SAYS_NOTHING


def _last_value(trees: Sequence[ast.Module], scope: Scope) -> str:
    """What was assigned last at the top level and is still there."""
    deleted = {
        target.id
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Delete)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for tree in reversed(trees):
        for node in reversed(tree.body):
            targets: list[Any] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
                targets = [node.target]
            for target in reversed(targets):
                parts = target.elts if isinstance(target, ast.Tuple) else [target]
                names = [part.id for part in parts if isinstance(part, ast.Name) and part.id not in deleted]
                if names and len(names) == len(parts):
                    return ", ".join(names)
    return ""
