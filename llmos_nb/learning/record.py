"""From the calls of a run to the steps of a trace."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from llmos_nb.learning.verify import expectation
from llmos_nb.memory import Expectation, Step, Trace
from llmos_nb.memory.trace import EDITED
from llmos_nb.mind.delegates import DELEGATE
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.workbench import Call

__all__ = [
    "edited_by_hand",
    "environment_of",
    "folder_named",
    "input_digests",
    "inputs_unchanged",
    "output_kept",
    "recorded_steps",
    "repeating",
]

#: Claude Code's own tools that a tool of ours can repeat, with the names of their arguments.
_REPEATABLE: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "Bash": ("run_shell", {"command": "command"}),
    "Edit": ("edit_file", {"file_path": "path", "old_string": "old", "new_string": "new"}),
    "Read": ("read_file", {"file_path": "path", "offset": "first_line", "limit": "lines"}),
    "Write": ("write_file", {"file_path": "path", "content": "content"}),
}
#: Arguments of theirs that ours have no counterpart for.
_BEYOND: Final = ("replace_all", "run_in_background", "pages")
#: Tools that neither change anything nor tell anything an answer could rest on.
_SILENT: Final = frozenset({"TodoWrite"})
#: Lines of a cell that are not Python.
_MAGIC_LINES: Final = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
#: Bytes of an input file up to which its digest is taken.
DIGEST_LIMIT: Final = 64 * 1024 * 1024
#: Characters of a step's output that are written down: it is there to be read, verified is the digest of all of it.
OUTPUT_KEPT: Final = 100_000


def repeating(tools: Iterable[str]) -> frozenset[str]:
    """The tools of ours that repeat what the built-in ones among ``tools`` did: who is granted these has those."""
    return frozenset(_REPEATABLE[tool][0] for tool in tools if tool in _REPEATABLE)


def recorded_steps(calls: Sequence[Call]) -> tuple[Step, ...]:
    """The calls as steps. A step is marked for replay when it worked, or failed after it had changed something.

    Where a call cannot be repeated (a web search, a tool of someone else's server), nothing is marked: an answer that
    rests on it cannot be verified later.
    """
    # What was really run with a secret in it is written down nowhere.
    repeatable = not any(call.withheld for call in calls) and all(
        call.tool in TOOLS
        or call.tool in _SILENT
        or call.result is None
        or _has_counterpart(call)
        or _is_accounted_for(call, calls)
        for call in calls
    )
    return tuple(_step(call, repeatable) for call in calls)


def edited_by_hand(calls: Sequence[Call]) -> dict[str, list[int]]:
    """The front matter that tells of calls which a person edited; empty where there are none."""
    found = [number for number, call in enumerate(calls, start=1) if call.edited]
    return {EDITED: found} if found else {}


def _is_accounted_for(call: Call, calls: Sequence[Call]) -> bool:
    """Whether a call of another agent is one whose own calls are there: they are what is repeated.

    One that reported without having done anything said what nothing can verify.
    """
    if call.tool != DELEGATE or not call.delegation:
        return False
    return any(c.agent and c.delegation == call.delegation and c.result is not None for c in calls)


def _has_counterpart(call: Call) -> bool:
    """Whether a tool of ours can do what one of Claude Code's own did, all of it."""
    return call.tool in _REPEATABLE and not any(call.arguments.get(name) for name in _BEYOND)


def _step(call: Call, repeatable: bool) -> Step:
    return dataclasses.replace(_as_step(call, repeatable), agent=call.agent)


def _as_step(call: Call, repeatable: bool) -> Step:
    tool, arguments = call.tool, dict(call.arguments)
    if call.result is None:
        denied = Expectation(status="error", error="denied", replay=False)
        return Step(tool, arguments, denied, call.verdict.reason, round(call.duration_s, 4))
    result = call.result
    text = output_kept(result.text)
    changed = bool(result.defines or result.files or result.deletes)
    if tool not in TOOLS:
        if tool in _REPEATABLE and repeatable:
            ours, names = _REPEATABLE[tool]
            return Step(
                ours,
                {new: arguments[old] for old, new in names.items() if old in arguments},
                Expectation(status=result.status, error=result.error, replay=not result.error),
                text,
            )
        return Step(tool, arguments, expectation(result, replay=False), text)
    replay = repeatable and (not result.error or changed)
    return Step(tool, arguments, expectation(result, replay=replay), text, round(call.duration_s, 4))


def output_kept(text: str) -> str:
    """What is written down of an output: ``text``, or its beginning and end where it is longer than 100,000."""
    if len(text) <= OUTPUT_KEPT:
        return text
    half = OUTPUT_KEPT // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def input_digests(calls: Iterable[Call], cwd: Path) -> dict[str, str]:
    """Files that the calls read but no call changed, with a prefix of their SHA-256 (empty for very large ones)."""
    made = {name for call in calls if call.result for name in call.result.files}
    read = {name for call in calls if call.result for name in call.result.reads}
    found = {}
    for name in sorted(read - made):
        path = cwd / name
        if path.is_file():
            found[name] = file_digest(path)
    return found


def inputs_unchanged(trace: Trace, cwd: Path) -> bool:
    """Whether every file that the trace read is in ``cwd`` as it was; files without a digest only have to be there."""
    return all(
        (cwd / name).is_file() and digest in ("", file_digest(cwd / name)) for name, digest in trace.inputs.items()
    )


def file_digest(path: Path) -> str:
    """A prefix of a file's SHA-256; empty when the file is larger than 64 MB or cannot be read."""
    try:
        if path.stat().st_size > DIGEST_LIMIT:
            return ""
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


def folder_named(goal: str, calls: Iterable[Call], answer: str, cwd: Path) -> dict[str, str]:
    """``{"folder": cwd}`` where the calls or the answer name the working folder in full and the goal does not.

    Such steps go to that folder's files wherever they are repeated, and so mean something else in another folder.
    """
    spellings = {str(cwd), cwd.as_posix(), str(cwd.resolve())}
    if cwd.is_relative_to(Path.home()) and cwd != Path.home():
        spellings.add(f"~/{cwd.relative_to(Path.home()).as_posix()}")
    named = re.compile("|".join(rf"(?<![\w.]){re.escape(spelling)}(?![\w.-])" for spelling in sorted(spellings)))
    said = [answer, *(text for call in calls for text in call.arguments.values() if isinstance(text, str))]
    return {"folder": str(cwd)} if not named.search(goal) and any(map(named.search, said)) else {}


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    """Which distributions bring a module: sklearn comes with scikit-learn."""
    return metadata.packages_distributions()


@functools.cache
def _version(distribution: str) -> str:
    """Its version when it was first asked for: what is loaded stays what it is, whatever is installed later."""
    return metadata.version(distribution)


def environment_of(calls: Iterable[Call]) -> dict[str, Any]:
    """Python's version, ours, and those of the packages that the calls' code imports."""
    modules: set[str] = set()
    for call in calls:
        try:
            tree = ast.parse(_MAGIC_LINES.sub("", str(call.arguments.get("code", ""))))
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.partition(".")[0])
    packages = {}
    for module in sorted(modules - set(sys.stdlib_module_names)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[module] = _version(_distributions().get(module, [module])[0])
    return {"python": platform.python_version(), "llmos_nb": _version("llmos-nb"), "packages": packages}
