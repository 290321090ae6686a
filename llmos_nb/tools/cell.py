"""``run_cell`` and ``inspect``: Python in the user's namespace, and a description of what is in it."""

from __future__ import annotations

import contextlib
import keyword
import math
import os
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.audit import Watch, judged
from llmos_nb.guard.effects import FileEffects, watching
from llmos_nb.guard.overrides import Judged
from llmos_nb.guard.paths import PROJECTS
from llmos_nb.guard.policy_file import policy_of
from llmos_nb.kernel.secrets import is_secret_name
from llmos_nb.tools.namespace import CellResult
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult
from llmos_nb.tools.turn import alone

__all__ = [
    "INSPECT",
    "RUN_CELL",
    "columns_of",
    "describe",
    "in_folder",
    "is_plain",
    "mentioned_names",
    "print_of",
    "relative",
    "visible",
    "with_parameters",
]

#: Names that IPython keeps for itself.
_SHELL_NAMES: Final = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})


#: What lets a person's cells run while this one waits.
_AWAITS: Final = re.compile(r"\b(?:await|async)\b")


def visible(name: str) -> bool:
    """Whether a name is one of the user's, not the shell's own or a private one."""
    return not name.startswith("_") and name not in _SHELL_NAMES


def columns_of(value: Any) -> tuple[str, ...] | None:
    """Column names of a DataFrame, or None for anything else."""
    if type(value).__name__ != "DataFrame" or not hasattr(value, "columns"):
        return None
    labels = value.columns
    kept: Any = getattr(labels, "array", None)
    if type(kept).__name__ == "ArrowStringArray":
        texts = kept.__arrow_array__().to_pylist()  # a hundredth of the time that walking the labels takes
        if None not in texts:
            return tuple(texts)
    return tuple(str(column) for column in labels)


def print_of(value: Any) -> tuple[Any, ...]:
    """What changes when a name is bound anew or its value grows: cheap, never compares contents."""
    shape = getattr(value, "shape", None)
    size = len(value) if isinstance(value, list | dict | set) else None
    return id(value), shape if isinstance(shape, tuple) else None, size, columns_of(value)


def mentioned_names(code: str) -> set[str]:
    """Every word in a piece of code that could be a name: magics and code in strings count, too."""
    return set(re.findall(r"[^\W\d]\w*", code)) - _SHELL_NAMES


def relative(paths: Iterable[Path], cwd: Path) -> tuple[str, ...]:
    """Paths as a trace names them: relative to the working folder where they lie below it."""
    found = {Path(os.path.realpath(path)) for path in paths}
    if not found:
        return ()
    root = Path(os.path.realpath(cwd))
    return tuple(sorted(str(p.relative_to(root)) if p.is_relative_to(root) else str(p) for p in found))


async def _run_cell(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    parameters = arguments.get("parameters", {})
    for name, value in parameters.items():
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_") or name in _SHELL_NAMES:
            return ToolResult(text=f"run_cell: {name!r} cannot be the name of a parameter.", error="ValueError")
        if not is_plain(value):
            return ToolResult(text=f"run_cell: the parameter {name} must be a plain value.", error="ValueError")
    code = with_parameters(str(arguments["code"]), parameters)
    async with alone():
        return await _run_alone(context, code)


def with_parameters(code: str, parameters: Mapping[str, Any]) -> str:
    """``code`` with the parameters' values assigned to their names before it."""
    return "".join([*(f"{name} = {value!r}\n" for name, value in parameters.items()), code])


def is_plain(value: Any) -> bool:
    """A value whose ``repr`` is Python for it: text, a finite number, a truth value, None, lists of these."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, str | int)


async def _run_alone(context: ToolContext, code: str) -> ToolResult:
    names = context.namespace.names
    bound = dict(names)
    before = {name: print_of(value) for name, value in bound.items() if visible(name)}
    context.undo.keep_names(names, mentioned_names(code))
    context.undo.keep_process()
    guarded = tuple(context.workspace / name for name in ("agents", "memory", "llmos.toml"))
    roots, projects = (context.cwd, context.workspace), context.workspace / PROJECTS
    private = (context.workspace / ".llmos",)
    effects = FileEffects(roots, context.undo, guarded=guarded, private=private, projects=projects, said=code)
    overrides = policy_of(context.workspace).overrides
    words = Judged(overrides, context.workspace, code, context.cwd) if overrides else None
    watch = Watch(context.workspace, context.cwd, context.approved, words)
    try:
        with in_folder(context), watching(effects), judged(watch):
            result = await context.namespace.run_cell(code, show=context.show)
    finally:  # also when it is cancelled
        written = effects.written()
        context.undo.keep_bindings(bound, dict(names), alone=_AWAITS.search(code) is None)
    after = {name: value for name, value in names.items() if visible(name)}
    changed = {name: value for name, value in after.items() if before.get(name) != print_of(value)}
    text = "".join(_lines(output.text) for output in result.outputs)
    if result.error:
        text += result.traceback
    text += _refused(watch, text)
    return ToolResult(
        text=text.rstrip("\n") if text.strip() else "",
        error=result.error,
        interrupted=result.interrupted,
        outputs=result.outputs,
        defines={name: type(value).__name__ for name, value in sorted(changed.items())},
        columns={name: found for name, value in sorted(changed.items()) if (found := columns_of(value)) is not None},
        deletes=tuple(sorted(name for name in before if name not in after)),
        refused=_failed_by(watch, result),
        files=relative(written, context.cwd),
        reads=relative((path for path in effects.read - effects.changed if path.is_file()), context.cwd),
    )


def _failed_by(watch: Watch, result: CellResult) -> str:
    """What the guard refused, where the cell ended by that and not for another reason."""
    told = [one for one in watch.refused if result.error and one.reason in result.traceback]
    return f"{told[-1].reason} (rule {told[-1].rule})" if told else ""


def _refused(watch: Watch, text: str) -> str:
    """What the guard refused and the code did not tell of."""
    quiet = {(one.rule, one.reason) for one in watch.refused if one.reason not in text}
    return "".join(f"\n[refused by the guard ({rule}): {reason}]" for rule, reason in sorted(quiet))


@contextlib.contextmanager
def in_folder(context: ToolContext) -> Iterator[None]:
    """Work in the run's folder while a cell runs, where the run has one of its own."""
    if not context.in_folder:
        yield
        return
    before = os.getcwd()
    os.chdir(context.cwd)
    try:
        yield
    finally:
        os.chdir(before)


def _lines(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def describe(name: str, value: Any) -> str:
    """One line about a variable: its type, its size, and for tables their columns. Never its contents."""
    kind = type(value).__name__
    if is_secret_name(name) and not isinstance(value, types.ModuleType | type) and not callable(value):
        return f"{name}: {kind}, withheld (its name is that of a secret)"
    columns = columns_of(value)
    if columns is not None:
        dtypes = ", ".join(f"{column}: {dtype}" for column, dtype in zip(columns, value.dtypes, strict=False))
        return f"{name}: DataFrame, {value.shape[0]} rows x {value.shape[1]} columns ({dtypes})"
    if isinstance(value, types.ModuleType):
        return f"{name}: module {value.__name__}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{name}: {kind}, shape {shape}, dtype {getattr(value, 'dtype', 'unknown')}"
    if isinstance(value, list | tuple | set | dict | str | bytes):
        return f"{name}: {kind}, length {len(value)}"
    if isinstance(value, bool | int | float | complex | type(None)):
        return f"{name}: {kind} = {value!r}"[:200]
    return f"{name}: {kind}"


async def _inspect(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    names: Mapping[str, Any] = context.namespace.names
    wanted = arguments.get("names") or sorted(
        name for name, value in names.items() if visible(name) and not isinstance(value, types.ModuleType)
    )
    unknown = [str(name) for name in wanted if name not in names]
    if unknown:
        return ToolResult(text=f"There is no variable named {', '.join(unknown)}.", error="NameError")
    lines = [describe(str(name), names[name]) for name in wanted]
    return ToolResult(text="\n".join(lines) or f"No variables yet. Python {sys.version.split()[0]}.")


RUN_CELL: Final = Tool(
    name="run_cell",
    description=(
        "Run Python code in the user's own notebook kernel, among the user's variables, as a cell: the value of the "
        "last expression and plots are shown, print works, top-level await works, magics work. Returns what was "
        "printed or shown, or the traceback. Variables stay for later cells and for the user."
    ),
    schema={
        "type": "object",
        "properties": {
            "code": {"type": "string", "description": "The code of one cell."},
            "parameters": {
                "type": "object",
                "description": (
                    'Optional: values of the goal that the code uses by name, such as {"n": 5}. They are assigned '
                    "before the code runs; use the names in the code instead of writing the values out, and the goal "
                    "can later be repeated with other values."
                ),
            },
        },
        "required": ["code"],
    },
    run=_run_cell,
    main="code",
    language="python",
)

INSPECT: Final = Tool(
    name="inspect",
    description=(
        "Describe the user's variables: names, types, shapes, columns. Without names, all of them. "
        "Contents are not shown: use run_cell to look at values."
    ),
    schema={
        "type": "object",
        "properties": {
            "names": {"type": "array", "items": {"type": "string"}, "description": "Variables to describe."}
        },
    },
    run=_inspect,
    main="names",
    changes=False,
)
