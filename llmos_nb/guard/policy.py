"""One question for every tool call, live or replayed: may this tool do this, for an agent with this grant?

``ask`` with nobody to ask is ``deny``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.paths import Mode, check_path
from llmos_nb.guard.python import check_python
from llmos_nb.guard.shell import check_shell
from llmos_nb.guard.verdict import Verdict, worst

__all__ = ["BUILT_IN_TOOLS", "check_tool"]

#: Claude Code's own tools that an agent may be granted, by what the guard has to look at.
BUILT_IN_TOOLS: Final[dict[str, str]] = {
    "Bash": "shell",
    "Edit": "write",
    "Glob": "search",
    "Grep": "search",
    "MultiEdit": "write",
    "NotebookEdit": "write",
    "Read": "read",
    "TodoWrite": "none",
    "WebFetch": "none",
    "WebSearch": "none",
    "Write": "write",
}

_CHECKS: Final[dict[str, str]] = {
    **BUILT_IN_TOOLS,
    "run_cell": "python",
    "inspect": "none",
    "read_file": "read",
    "write_file": "write",
    "edit_file": "write",
    "run_shell": "shell",
}


#: Names of arguments that name a file.
_PATHS: Final = ("path", "file_path", "notebook_path")


def check_tool(
    tool: str,
    arguments: Mapping[str, Any],
    *,
    grant: Collection[str],
    cwd: Path,
    workspace: Path,
    ask: Callable[[Verdict], bool] | None = None,
) -> Verdict:
    """The guard's word on one tool call: ``allow`` or ``deny``, never ``ask``.

    Args:
        tool: its plain name (``run_cell``, ``Bash``).
        grant: names of the tools that the agent may use.
        ask: asks a person; without one, what would be asked is denied.
    """
    if tool not in grant:
        return Verdict("deny", "not-granted", f"the agent was not granted the tool {tool}")
    kind = _CHECKS.get(tool)
    if kind is None:
        return Verdict("deny", "unknown-tool", f"the guard knows no rule for the tool {tool}")
    verdict = _verdict(kind, arguments, cwd, workspace)
    if verdict.decision != "ask":
        return verdict
    if ask is not None and ask(verdict):
        return Verdict("allow", verdict.rule, f"approved: {verdict.reason}")
    return Verdict("deny", verdict.rule, f"{verdict.reason} (nobody was there to approve it)")


def _verdict(kind: str, arguments: Mapping[str, Any], cwd: Path, workspace: Path) -> Verdict:
    if kind == "python":
        return check_python(str(arguments.get("code", "")), cwd=cwd, workspace=workspace)
    if kind == "shell":
        return check_shell(str(arguments.get("command", "")), cwd=cwd, workspace=workspace)
    if kind == "search" and arguments.get("path") is None:
        return Verdict("allow", "harmless", "searches the working folder")
    if kind in ("read", "search", "write"):
        # All that are given: which one the tool goes by is its own affair.
        paths = [arguments[name] for name in _PATHS if arguments.get(name) is not None]
        if not paths or not all(isinstance(path, str) for path in paths):
            return Verdict("deny", "no-path", "the call names no file")
        mode: Mode = "write" if kind == "write" else "read"
        return worst(check_path(path, mode, workspace=workspace, cwd=cwd, roots=(cwd,)) for path in paths)
    return Verdict("allow", "harmless", "reads nothing outside and changes nothing")
