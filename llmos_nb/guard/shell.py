"""May this shell command run? The command is parsed and followed, and the worst thing it could do decides."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from llmos_nb.guard.paths import writable_roots
from llmos_nb.guard.rules import hit
from llmos_nb.guard.shell_judge import judge
from llmos_nb.guard.shell_scope import NOTHING, Findings, Scope
from llmos_nb.guard.shell_walk import run_text
from llmos_nb.guard.verdict import Verdict, worst

__all__ = ["check_shell"]

#: Longest command that is judged, in bytes.
MAX_BYTES: Final = 10_000


def check_shell(command: str, *, cwd: str | os.PathLike[str], workspace: str | os.PathLike[str]) -> Verdict:
    """Judge a shell command that would run in ``cwd``, with ``workspace`` (and ``cwd``) as what it may change.

    What cannot be read, is too long or is only known at run time is ``ask``. Never raises: a fault of the guard is
    ``deny`` with the rule ``guard-error``.
    """
    try:
        return _check(command, Path(cwd), Path(workspace))
    except Exception as error:  # noqa: BLE001 - a guard that fails must deny, whatever failed
        return hit("guard-error", f"{type(error).__name__} while judging a shell command")


def _check(command: str, cwd: Path, workspace: Path) -> Verdict:
    if any((ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xF900 or c in _INVISIBLE for c in command):
        return hit("shell-control", command)
    if len(command.encode()) > MAX_BYTES:
        return hit("shell-too-long", f"{len(command)} characters")
    findings = Findings()
    home = Path(os.path.realpath(workspace))
    scope = Scope(
        workspace=home, roots=writable_roots(home, cwd), folders=(os.path.realpath(home / cwd),), findings=findings,
        run=run_text, invoke=judge,
    )  # fmt: skip
    run_text(command, scope, NOTHING)
    return worst(findings.verdicts)


#: Characters that change how a command looks but not what it does: directions, joiners, blanks without width.
_INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
