"""May this Python run in the user's kernel? Rules on the syntax tree, made so that ordinary notebook code passes.

This reduces accidents; it is no boundary. Whatever could be spelled so that no rule sees it belongs in a sandbox.
"""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from llmos_nb.guard.python_cells import parse, read_cell
from llmos_nb.guard.python_judge import PythonJudge
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import ALLOWED, Verdict, worst
from llmos_nb.kernel.syntax import parents_of
from llmos_nb.kernel.whose import agents_turn

__all__ = ["check_program", "check_python"]

#: Longest code that is judged, in characters: far above a cell, below what the parser takes long for.
MAX_CHARACTERS: Final = 200_000
#: Different commands for the shell in one cell, as in one command line.
MAX_COMMANDS: Final = 50
#: Cells that are kept which no rule objects to, and the characters up to which one is.
KEPT: Final = 256
KEPT_CHARACTERS: Final = 4_000


def check_python(
    code: str,
    *,
    cwd: str | os.PathLike[str] | None = None,
    workspace: str | os.PathLike[str] | None = None,
    watched: bool = False,
) -> Verdict:
    """Judge code before it runs in a notebook kernel; IPython's own syntax is understood.

    ``watched`` says that every deletion will be judged again when it happens: then one of a path that is only known then
    is not asked about now.

    ``cwd`` is where relative paths start and ``workspace`` what may be changed; each stands in for the other, and the
    process's folder for both. Code that is no Python is ``allow``: it cannot run. Never raises.
    """
    return _answered(lambda: _check(code, cwd, workspace, watched=watched))


def check_program(tree: ast.Module, *, cwd: str | os.PathLike[str], workspace: str | os.PathLike[str]) -> Verdict:
    """:func:`check_python` of plain Python that was read already; the tree is left as it is."""
    return _answered(lambda: _check_program(tree, Path(cwd).absolute(), Path(workspace).absolute()))


def _check_program(tree: ast.Module, cwd: Path, workspace: Path) -> Verdict:
    parents = parents_of(tree)
    texts = (node.value for node in parents if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    if len(parents) + sum(map(len, texts)) > MAX_CHARACTERS // 20:  # then it is as long as what it comes to as a text
        return _check(ast.unparse(tree), cwd, workspace)
    return worst(_judge(cwd, workspace, 0, False).tree(tree, parents))


def _answered(judged: Callable[[], Verdict]) -> Verdict:
    try:
        return judged()
    except RecursionError:
        return hit("py-unreadable", "nested too deep")
    except Exception as error:  # noqa: BLE001 - a guard that fails must deny, whatever failed
        return hit("guard-error", f"{type(error).__name__} while judging Python code")


def _check(
    code: str,
    cwd: str | os.PathLike[str] | None,
    workspace: str | os.PathLike[str] | None,
    depth: int = 0,
    *,
    watched: bool = False,
) -> Verdict:
    if "\0" in code:
        return hit("py-control", code[:60])
    if len(code) > MAX_CHARACTERS:
        return hit("py-unreadable", f"{len(code)} characters")
    base = Path(cwd if cwd is not None else workspace if workspace is not None else ".").absolute()
    home = Path(workspace if workspace is not None else base).absolute()
    about = code, watched, os.path.expanduser("~")
    kept = _paths_of(about) if not depth else None
    if kept is not None:
        judge = _judge(base, home, depth, watched)
        if not any(True for text, effect in kept for _ in judge.path(text, effect, text)):
            return ALLOWED
    judge = _judge(base, home, depth, watched)
    found = list(_judge_cell(code, judge))
    if not found and not depth:
        _paths_of(about, tuple(judge.asked))
    return worst(found)


def _remembering() -> Callable[..., tuple[tuple[str, str], ...] | None]:
    """What keeps, of code that no rule objects to, the paths that it names: where they lead is asked each time anew, and
    all else that is judged follows from its text. Nobody else gets at what is kept."""
    known: dict[tuple[str, bool, str], tuple[tuple[str, str], ...]] = {}

    def paths_of(
        about: tuple[str, bool, str], paths: tuple[tuple[str, str], ...] | None = None
    ) -> tuple[tuple[str, str], ...] | None:
        if paths is not None and len(about[0]) <= KEPT_CHARACTERS and not agents_turn():  # it may have changed a rule
            if len(known) >= KEPT:
                known.clear()  # at one go: others may be judging on threads of their own
            known[about] = paths
        return known.get(about)

    return paths_of


_paths_of: Final = _remembering()


def _judge_cell(code: str, judge: PythonJudge) -> Iterator[Verdict]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cell = read_cell(code)
        trees = [cell.trees.get(text) or parse(text) for text in cell.python if text.strip()]
    commands = list(dict.fromkeys(cell.shell))
    for command in commands[:MAX_COMMANDS]:
        yield from judge.interpolated(command)
    if len(commands) > MAX_COMMANDS:
        yield hit("shell-too-long", f"more than {MAX_COMMANDS} commands in one cell")
    for program, body in cell.foreign:
        yield judge.shell(f"{program} <<'__END_OF_CELL__'\n{body}\n__END_OF_CELL__")
    for path in cell.writes:
        yield from judge.path(path, "write", path)
    for path in cell.reads:
        yield from judge.path(path, "read", path)
    for magic in cell.deciding:
        yield hit("py-system", magic)
    if cell.environ:
        yield hit("py-environ", "%env")
    if cell.suspicious:
        yield hit("py-unreadable", code[:100])
    for tree in trees:
        if tree is not None:
            yield from judge.tree(tree)


def _judge(cwd: Path, workspace: Path, depth: int, watched: bool) -> PythonJudge:
    return PythonJudge(
        cwd, workspace, depth, lambda text: _check(text, cwd, workspace, depth + 1, watched=watched), watched=watched
    )
