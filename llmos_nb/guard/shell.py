"""May this shell command run? The command is parsed and followed, and the worst thing it could do decides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from llmos_nb.guard.paths import writable_roots
from llmos_nb.guard.rules import hit
from llmos_nb.guard.shell_judge import judge
from llmos_nb.guard.shell_scope import NOTHING, UNKNOWN, Arg, Findings, Scope, TooMuch
from llmos_nb.guard.shell_walk import run_text
from llmos_nb.guard.verdict import Verdict, worst

__all__ = ["check_shell", "check_template", "check_words"]

#: Longest command that is judged, in bytes.
MAX_BYTES: Final = 10_000
#: Characters that change how a command looks but not what it does: directions, joiners, blanks without width.
_INVISIBLE: Final = frozenset(
    "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


def check_shell(command: str, *, cwd: str | os.PathLike[str], workspace: str | os.PathLike[str]) -> Verdict:
    """Judge a shell command that would run in ``cwd``, with ``workspace`` (and ``cwd``) as what it may change.

    What cannot be read, is too long or is only known at run time is ``ask``. Never raises: a fault of the guard is
    ``deny`` with the rule ``guard-error``.
    """
    try:
        if any(_hides(c) for c in command):
            return hit("shell-control", command)
        return _judge(command, Path(cwd), Path(workspace))
    except Exception as error:  # noqa: BLE001 - a guard that fails must deny, whatever failed
        return hit("guard-error", f"{type(error).__name__} while judging a shell command")


def check_template(command: str, *, cwd: Path, workspace: Path) -> Verdict:
    """The same for a command in which U+E000 stands for parts that are only known when it runs."""
    if any(_hides(c) for c in command if c != UNKNOWN):
        return hit("shell-control", command)
    return _judge(command, cwd, workspace)


def check_words(words: Sequence[str | None], *, cwd: Path, workspace: Path) -> Verdict:
    """The same for a program and its arguments, started without a shell; None is only known when it runs."""
    if any(_hides(c) for word in words for c in word or ""):
        return hit("shell-control", " ".join(word or "" for word in words))
    findings = Findings()
    try:
        judge(
            tuple(Arg(UNKNOWN if word is None else word) for word in words), _scope(cwd, workspace, findings), NOTHING
        )
    except (TooMuch, RecursionError):
        findings.add("shell-too-long", "it cannot be followed to its end")
    return _worst(findings)


def _hides(c: str) -> bool:
    """Control characters, surrogates, private use (which marks unknown parts), and marks without a width."""
    code = ord(c)
    control = (code < 32 and c not in "\t\n") or 0x7F <= code < 0xA0
    return control or 0xD800 <= code < 0xF900 or c in _INVISIBLE


def _scope(cwd: Path, workspace: Path, findings: Findings) -> Scope:
    home = Path(os.path.realpath(workspace))
    folder = os.path.realpath(home / cwd)
    return Scope(
        workspace=home, roots=writable_roots(home, folder), folders=(folder,), findings=findings, run=run_text, invoke=judge
    )  # fmt: skip


def _judge(command: str, cwd: Path, workspace: Path) -> Verdict:
    if len(command.encode()) > MAX_BYTES:
        return hit("shell-too-long", f"{len(command)} characters")
    findings = Findings()
    try:
        run_text(command, _scope(cwd, workspace, findings), NOTHING)
    except (TooMuch, RecursionError):
        findings.add("shell-too-long", "it cannot be followed to its end")
    return _worst(findings)


def _worst(findings: Findings) -> Verdict:
    if not findings.whole:
        findings.add("shell-too-long", "too much of it cannot be parsed")
    return worst(findings.verdicts)
