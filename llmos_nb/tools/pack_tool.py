"""A pack's tool as the system runs it: within what every tool keeps to, whatever its author thought of.

Its check can only forbid: a tool that changes something and has no check is asked about each time, paths are judged by
the guard, and what it does to files and names is watched as a cell's is. It writes in the working folder and the
workspace alone; one that says it changes nothing cannot. All this keeps accidents out: a pack is code that a person
installed, and runs in their process.
"""

from __future__ import annotations

import copy
import dataclasses
import errno
import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from llmos_nb.errors import GuardDenied
from llmos_nb.guard.effects import FileEffects, is_below, watching
from llmos_nb.guard.paths import PROJECTS, Mode, check_path
from llmos_nb.guard.python import check_python
from llmos_nb.guard.undo import Undo
from llmos_nb.guard.verdict import ALLOWED, Verdict, worst
from llmos_nb.kernel.secrets import secret_values
from llmos_nb.kernel.whose import agents_code
from llmos_nb.tools.cell import columns_of, in_folder, mentioned_names, print_of, relative, visible
from llmos_nb.tools.namespace import CellResult, Namespace, Output, Recorder, teed
from llmos_nb.tools.pack import Pack
from llmos_nb.tools.pack_check import plain
from llmos_nb.tools.schema import PATH_FORMATS
from llmos_nb.tools.stepped import stepped
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult
from llmos_nb.tools.turn import alone

__all__ = ["absent", "as_offered"]

#: Names of arguments that name a file where the schema does not say so, in a tool without a check of its own.
_PATHS: Final = ("path", "file", "file_path", "filename", "folder", "directory")


def absent(pack: Pack) -> str:
    """What has to be installed before the pack's tools can be used, as a command line; empty when all is there."""
    lines = [what for module, what in pack.requires.items() if not _is_there(module)]
    return f"pip install {' '.join(_quoted(what) for what in dict.fromkeys(lines))}" if lines else ""


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):  # the package that it is in is not there, or broken
        return False


def _quoted(what: str) -> str:
    return what if what.replace("-", "").replace("_", "").replace(".", "").isalnum() else f"'{what}'"


def as_offered(tool: Tool, pack: Pack) -> Tool:
    """The tool with everything around it; whatever its pack does to the object later changes nothing here."""
    fields = {**plain(tool), "schema": json.loads(json.dumps(tool.schema))}
    own = Tool(**fields)

    def check(context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
        return _verdict(own, pack, context, arguments)

    async def run(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
        return await _run(own, context, arguments)

    return dataclasses.replace(own, run=run, check=check)


def _verdict(tool: Tool, pack: Pack, context: ToolContext, arguments: Mapping[str, Any]) -> Verdict:
    if missing := absent(pack):
        modules = ", ".join(module for module in pack.requires if not _is_there(module))
        return Verdict("deny", "missing-module", f"{tool.name} needs {modules}, which is not installed: {missing}")
    found = [_path_verdict(path, mode, context) for path, mode in _paths(tool, arguments)]
    if tool.check is not None:
        with agents_code():  # it judges for an agent, and decides nothing that is a person's
            own = tool.check(context, copy.deepcopy(dict(arguments)))
        if not isinstance(own, Verdict):
            own = Verdict("deny", "check-failed", f"the check of {tool.name} gave no Verdict but {own!r:.60}")
        found.append(own)
    elif tool.changes:
        reason = f"{tool.name} can change things, and the pack {pack.name} brings no check of its own"
        found.append(Verdict("ask", "unchecked-tool", reason))
    return worst([*found, ALLOWED])


def _paths(tool: Tool, arguments: Mapping[str, Any]) -> Iterator[tuple[Any, Mode]]:
    """The paths among the arguments, and what may be done there."""
    for name, value in arguments.items():
        schema = tool.schema["properties"].get(name, {})
        stated = schema.get("format") or schema.get("items", {}).get("format")
        if stated not in PATH_FORMATS and (tool.check is not None or name not in _PATHS):
            continue
        mode: Mode = "write" if tool.changes and stated != "input-path" else "read"
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield one, mode


def _path_verdict(path: Any, mode: Mode, context: ToolContext) -> Verdict:
    if not isinstance(path, str):
        return Verdict("deny", "no-path", f"{path!r:.60} names no file")
    return check_path(path, mode, workspace=context.workspace, cwd=context.cwd, roots=(context.cwd,))


class _Names:
    """The namespace as a pack's tool has it: looked at only where the tool changes nothing, its cells judged."""

    def __init__(self, inner: Namespace, context: ToolContext, changes: bool) -> None:
        self._inner, self._context, self._changes = inner, context, changes

    @property
    def names(self) -> Any:
        """The user's names and values."""
        return self._inner.names if self._changes else MappingProxyType(self._inner.names)

    async def run_cell(self, code: str, *, show: bool = True) -> CellResult:
        """Run ``code``, if the guard agrees.

        Raises:
            GuardDenied: it does not.
        """
        verdict = check_python(code, cwd=self._context.cwd, workspace=self._context.workspace)
        if not self._changes:
            verdict = Verdict("deny", "tool-promise", "the tool says that it changes nothing")
        if verdict.decision != "allow":
            raise GuardDenied(
                f"The tool's code was refused: {verdict.reason}.",
                rule=verdict.rule,
                remedy="The pack's authors can mend that; or do it yourself in a cell.",
            )
        return await self._inner.run_cell(code, show=show)

    def show(self, outputs: Any) -> None:
        """Show outputs where the goal's cell shows its own."""
        self._inner.show(outputs)

    def unreadable(self, code: str) -> str:
        """Why ``code`` is no cell that could be begun; empty where it is one."""
        return self._inner.unreadable(code)


class _Confined(FileEffects):
    """Refuses a change of files outside the working folder and the workspace, or any where none was announced."""

    def __init__(self, context: ToolContext, undo: Undo, changes: bool) -> None:
        super().__init__(
            (context.cwd, context.workspace),
            undo,
            guarded=tuple(context.workspace / name for name in ("agents", "memory", "llmos.toml")),
            private=(context.workspace / ".llmos",),
            projects=context.workspace / PROJECTS,
        )
        self._context, self._changes = context, changes

    def _refuse_private(self, path: object, folder: int | None) -> None:
        # Libraries are looked through when it is asked who works on a file, and a pack is one.
        if not is_below(path, folder, self._private):
            return
        raise PermissionError(errno.EACCES, "a tool must not change the system's own files", str(path))

    def _note_change(self, path: Path) -> None:
        if not self._changes:
            raise PermissionError(errno.EACCES, "the tool says that it changes nothing", str(path))
        verdict = _path_verdict(str(path), "write", self._context)
        if verdict.decision != "allow":
            raise PermissionError(errno.EACCES, verdict.reason, str(path))
        super()._note_change(path)


async def _run(tool: Tool, context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    async with alone():
        names = context.namespace.names
        bound = dict(names)
        before = {name: print_of(value) for name, value in bound.items() if visible(name)}
        context.undo.keep_names(names, mentioned_names(json.dumps(arguments, default=str, ensure_ascii=False)))
        context.undo.keep_process()
        effects, recorder = _Confined(context, context.undo, tool.changes), Recorder()
        inside = dataclasses.replace(context, namespace=_Names(context.namespace, context, tool.changes))
        waited: list[bool] = []
        try:
            with (
                in_folder(context),
                watching(effects),
                teed(recorder, show=context.show, known=secret_values(names)),
            ):
                result = _checked(tool, await stepped(tool.run(inside, copy.deepcopy(arguments)), waited))
        except KeyboardInterrupt:
            result = ToolResult(text="KeyboardInterrupt", error="KeyboardInterrupt", interrupted=True)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - told to the model as the tool's error
            result = ToolResult(text=f"{type(error).__name__}: {error}", error=type(error).__name__)
        finally:  # also when it is cancelled
            written = effects.written()
            context.undo.keep_bindings(bound, dict(names), alone=not waited)
        if written and not tool.changes:
            told = (
                f"{tool.name} says that it changes nothing, and changed {', '.join(relative(written, context.cwd))}"
            )
            result = dataclasses.replace(result, text=told, error="PermissionError")
        if context.show and result.outputs:
            context.namespace.show(result.outputs)
        after = {name: value for name, value in names.items() if visible(name)}
        changed = {name: value for name, value in sorted(after.items()) if before.get(name) != print_of(value)}
        printed = recorder.outputs()
        read = relative((path for path in effects.read - effects.changed if path.is_file()), context.cwd)
        return dataclasses.replace(
            result,
            text=result.text or "".join(output.text for output in printed).rstrip("\n"),
            outputs=(*printed, *result.outputs),
            defines={name: type(value).__name__ for name, value in changed.items()},
            columns={name: found for name, value in changed.items() if (found := columns_of(value)) is not None},
            deletes=tuple(sorted(name for name in before if name not in after)),
            files=tuple(sorted({*relative(written, context.cwd), *result.files})),
            reads=tuple(sorted({*read, *result.reads} - set(result.files))),
        )


def _checked(tool: Tool, result: Any) -> ToolResult:
    """What the tool returned, if it is what a tool returns.

    Raises:
        TypeError: it is not; what it changed is noted all the same.
    """
    texts = ("text", "error", "diff")
    if not isinstance(result, ToolResult):
        raise TypeError(f"{tool.name} returned a {type(result).__name__}, not a ToolResult")
    for name in texts:
        if not isinstance(getattr(result, name), str):
            raise TypeError(f"{tool.name} returned a ToolResult whose {name} is {getattr(result, name)!r:.60}")
    for name, kind in (("outputs", Output), ("files", str), ("reads", str)):
        value = getattr(result, name)
        if not isinstance(value, tuple | list) or not all(isinstance(one, kind) for one in value):
            raise TypeError(f"{tool.name} returned a ToolResult whose {name} are {value!r:.60}")
    if not all(isinstance(one.data, dict) and one.data for one in result.outputs):
        raise TypeError(f"{tool.name} returned an output without data")
    return dataclasses.replace(
        result,
        outputs=tuple(result.outputs),
        files=tuple(result.files),
        reads=tuple(result.reads),
        withheld=False,
    )
