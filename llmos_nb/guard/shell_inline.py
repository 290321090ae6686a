"""Python that is given on a command line, seen as a tree: whether it can destroy anything, and the texts in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from llmos_nb.guard.verdict import names

__all__ = ["breaks_out", "destroys", "texts_in"]

#: Functions of os, shutil, subprocess and pathlib that delete, move or start something.
_DESTROYS: Final = names(
    "rmtree unlink rmdir removedirs system popen check_call check_output getoutput getstatusoutput Popen spawn "
    "spawnl spawnv "
    "spawnlp spawnvp execl execv execvp execlp execve posix_spawn truncate ftruncate fork forkpty kill killpg"
)
_BY_MODULE: Final = {
    "os": names("remove rename replace renames chmod chown link symlink"),
    "shutil": names("move copytree chown"),
    "subprocess": names("run call"),
    "pty": names("spawn"),
    "code": names("interact"),
    "runpy": names("run_path run_module"),
}


_BREAKS_OUT: Final = names("pty code codeop pdb runpy socketserver http.server xmlrpc.server pyftpdlib rlcompleter")


def _tree(program: str) -> ast.AST | None:
    try:
        return ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def breaks_out(program: str) -> bool:
    """Whether it imports what hands control to something that nobody judges: a shell, a debugger, a server."""
    tree = _tree(program)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import) and any(alias.name in _BREAKS_OUT for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module in _BREAKS_OUT:
            return True
    return False


def destroys(program: str) -> bool:
    """Whether a call in it, or a name that it imports, deletes, moves or starts something; True if it cannot be read."""
    tree = _tree(program)
    if tree is None:
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in _DESTROYS or node.attr in _BY_MODULE.get(owner, ()):
                return True
        elif isinstance(node, ast.ImportFrom):
            module = _BY_MODULE.get(node.module or "", frozenset())
            if any(alias.name in _DESTROYS or alias.name in module or alias.name == "*" for alias in node.names):
                return True
    return False


def texts_in(program: str) -> Iterator[str]:
    """Every text in it that could name a file."""
    tree = _tree(program)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 500:
            yield node.value
