"""One question for every tool call, live or replayed: may this tool do this, for an agent with this grant?

``ask`` with nobody to ask is ``deny``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.judging import judging
from llmos_nb.guard.overrides import Judged
from llmos_nb.guard.paths import Mode, check_path
from llmos_nb.guard.policy_file import PolicyFile, policy_of
from llmos_nb.guard.python import check_python
from llmos_nb.guard.shell import check_shell
from llmos_nb.guard.verdict import Verdict, worst

__all__ = ["BUILT_IN_TOOLS", "WEB_TOOLS", "check_tool", "judge_tool", "kind_of"]

#: Claude Code's own tools that an agent may be granted, by what the guard has to look at.
BUILT_IN_TOOLS: Final[dict[str, str]] = {
    "Agent": "none",  # whom it may call is asked where the agent's delegates are known
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

#: Those of them that reach the web.
WEB_TOOLS: Final = ("WebFetch", "WebSearch")

_CHECKS: Final[dict[str, str]] = {
    **BUILT_IN_TOOLS,
    "run_cell": "python",
    "inspect": "none",
    "read_file": "read",
    "write_file": "write",
    "edit_file": "write",
    "run_shell": "shell",
    "remember": "none",
    "recall": "none",
    "create_agent": "none",
    "modify_agent": "none",
    "list_agents": "none",
    "reload_agent": "none",
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
    more: Iterable[Callable[[], Verdict]] = (),
    checked: bool = False,
) -> Verdict:
    """The guard's word on one tool call: ``allow`` or ``deny``, never ``ask``.

    Args:
        tool: its plain name (``run_cell``, ``Bash``).
        grant: names of the tools that the agent may use.
        ask: asks a person; without one, what would be asked is denied.
        more: further questions that the call has to pass; the worst answer counts, and one that raises denies.
        checked: whether ``more`` has a check that judges the whole call; else a tool that the guard knows no rule for is
            denied.
    """
    verdict = judge_tool(tool, arguments, grant=grant, cwd=cwd, workspace=workspace, more=more, checked=checked)
    if verdict.decision != "ask":
        return verdict
    if ask is not None and ask(verdict):
        return Verdict("allow", verdict.rule, f"approved: {verdict.reason}")
    return Verdict("deny", verdict.rule, f"{verdict.reason} (nobody was there to approve it)")


def kind_of(tool: str) -> str:
    """What the guard looks at in a tool's calls: ``python``, ``shell``, ``read``, ``search``, ``write`` or ``none``."""
    return _CHECKS.get(tool, "none")


def judge_tool(
    tool: str,
    arguments: Mapping[str, Any],
    *,
    grant: Collection[str],
    cwd: Path,
    workspace: Path,
    more: Iterable[Callable[[], Verdict]] = (),
    checked: bool = False,
) -> Verdict:
    """:func:`check_tool` without asking: what a person would have to decide is ``ask``."""
    if tool not in grant:
        return Verdict("deny", "not-granted", f"the agent was not granted the tool {tool}")
    more = tuple(more)
    kind = _CHECKS.get(tool, "none" if checked and more else None)
    if kind is None:
        return Verdict("deny", "unknown-tool", f"the guard knows no rule for the tool {tool}")
    file = policy_of(workspace)
    with judging(_words(file, kind, arguments, cwd)):
        verdict = _verdict(kind, arguments, cwd, file.workspace)
    if file.problem and verdict.severity:
        verdict = Verdict(verdict.decision, verdict.rule, f"{verdict.reason} [{file.problem}]")
    return worst([verdict, *(_answered(question) for question in more)])


def _words(file: PolicyFile, kind: str, arguments: Mapping[str, Any], cwd: Path) -> Judged | None:
    """A person's decisions, for the judgement of one call; None where there are none."""
    overrides = file.overrides
    if not overrides:
        return None
    folder = file.workspace / cwd
    text = str(arguments.get({"shell": "command", "python": "code"}.get(kind, ""), ""))
    return Judged(overrides, file.workspace, text, folder)


def _answered(question: Callable[[], Verdict]) -> Verdict:
    try:
        verdict = question()
        return (
            verdict if isinstance(verdict, Verdict) else Verdict("deny", "check-failed", "the check gave no Verdict")
        )
    except Exception as error:  # noqa: BLE001 - a check that fails must not let anything through
        return Verdict("deny", "check-failed", f"the check failed: {type(error).__name__}: {error}")


def _verdict(kind: str, arguments: Mapping[str, Any], cwd: Path, workspace: Path) -> Verdict:
    if kind == "python":
        return check_python(str(arguments.get("code", "")), cwd=cwd, workspace=workspace, watched=True)
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
