"""May this Python run in the user's kernel? Rules on the syntax tree, made so that ordinary notebook code passes.

This reduces accidents; it is no boundary. Whatever could be spelled so that no rule sees it belongs in a sandbox.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llmos_nb.guard.python_cells import parse, read_cell
from llmos_nb.guard.python_judge import PythonJudge
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import Verdict, worst

__all__ = ["check_python"]

#: Longest code that is judged, in characters: far above a cell, below what the parser takes long for.
MAX_CHARACTERS: Final = 200_000


def check_python(
    code: str, *, cwd: str | os.PathLike[str] | None = None, workspace: str | os.PathLike[str] | None = None
) -> Verdict:
    """Judge code before it runs in a notebook kernel; IPython's own syntax is understood.

    ``cwd`` is where relative paths start and ``workspace`` what may be changed; each stands in for the other, and the
    process's folder for both. Code that is no Python is ``allow``: it cannot run. Never raises.
    """
    try:
        return _check(code, cwd, workspace)
    except Exception as error:  # noqa: BLE001 - a guard that fails must deny, whatever failed
        return hit("guard-error", f"{type(error).__name__} while judging Python code")


def _check(
    code: str,
    cwd: str | os.PathLike[str] | None,
    workspace: str | os.PathLike[str] | None,
    depth: int = 0,
) -> Verdict:
    if "\0" in code:
        return hit("py-control", code[:60])
    if len(code) > MAX_CHARACTERS:
        return hit("py-unreadable", f"{len(code)} characters")
    base = Path(cwd if cwd is not None else workspace if workspace is not None else ".").absolute()
    home = Path(workspace if workspace is not None else base).absolute()
    return worst(_judge_cell(code, base, home, depth))


def _judge_cell(code: str, cwd: Path, workspace: Path, depth: int) -> Iterator[Verdict]:
    cell = read_cell(code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trees = [(text, parse(text)) for text in cell.python if text.strip()]
    judge = PythonJudge(cwd, workspace, depth, lambda text: _check(text, cwd, workspace, depth + 1))
    for command in cell.shell:
        yield from judge.interpolated(command)
    for program, body in cell.foreign:
        yield judge.shell(f"{program} <<'__END_OF_CELL__'\n{body}\n__END_OF_CELL__")
    for path in cell.writes:
        yield from judge.path(path, "write", path)
    for path in cell.reads:
        yield from judge.path(path, "read", path)
    if cell.environ:
        yield hit("py-environ", "%env")
    if cell.suspicious:
        yield hit("py-unreadable", code[:100])
    for _, tree in trees:
        if tree is not None:
            yield from judge.tree(tree)
