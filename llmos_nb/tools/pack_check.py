"""Is this a pack, and are these tools? Asked of every pack that is found, before anything of it is offered."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.tools.pack import Pack
from llmos_nb.tools.schema import schema_problem
from llmos_nb.tools.tool import Tool

__all__ = ["pack_problem", "plain", "tool_problem"]

_PACK_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{1,39}")
_TOOL_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,59}")
#: What the names of other tools begin with.
_TAKEN: Final = ("crystal_", "mcp_")
#: Characters of a description: it is part of every request to the model.
LONGEST: Final = 4_000
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\[\],<>=!~ -]{0,119}")


def pack_problem(pack: Any, taken: Collection[str] = ()) -> tuple[str, str]:
    """What is wrong with a pack as a whole, and what to do; two empty texts when nothing is. ``taken`` are names."""
    if not isinstance(pack, Pack):
        return f"is no Pack but {_a(pack)}", "Let the entry point name a Pack: 'module:PACK'."
    if not isinstance(pack.name, str) or not _PACK_NAME.fullmatch(pack.name):
        return f"{pack.name!r:.60} cannot be a pack's name", "Use 2 to 40 of a-z, 0-9, _ and -, a letter first."
    if pack.name in taken:
        return f"another pack is called {pack.name!r}", "Give it another name, or uninstall one of the two."
    if not _is_text(pack.description):
        return "its description is no text", f"Say in 1 to {LONGEST} characters what it is for."
    if not isinstance(pack.tools, tuple | list):
        return f"its tools are {_a(pack.tools)}", "Give a tuple of Tool."
    if pack.folder is not None and not (isinstance(pack.folder, Path) and pack.folder.is_dir()):
        return f"its folder {pack.folder!s:.120} is no folder", "Give folder=Path(__file__).parent."
    if not isinstance(pack.requires, Mapping) or not all(
        isinstance(module, str)
        and isinstance(what, str)
        and _MODULE.fullmatch(module)
        and _REQUIREMENT.fullmatch(what)
        for module, what in pack.requires.items()
    ):
        return "its requires cannot be used", "Map modules to what pip installs: {'qiskit': 'qiskit>=2'}."
    if pack.unreadable is not None and not callable(pack.unreadable):
        return (
            f"its unreadable is {_a(pack.unreadable)}",
            "Give a function of a column and of what it is converted to.",
        )
    if not isinstance(pack.loaders, Mapping) or not all(
        isinstance(name, str) and name.isidentifier() and callable(load) for name, load in pack.loaders.items()
    ):
        return (
            "its loaders cannot be used",
            "Map names of functions to what loads a table: {'read_table': read_table}.",
        )
    return "", ""


def tool_problem(tool: Any, taken: Mapping[str, str]) -> tuple[str, str]:
    """What is wrong with one tool of a pack, and what to do. ``taken`` maps names to whose they are."""
    if not isinstance(tool, Tool):
        return f"one of its tools is {_a(tool)}", "Make each a Tool(name=…, …)."
    name = tool.name
    if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name) or name.startswith(_TAKEN):
        return f"{name!r:.60} cannot be a tool's name", "Use 2 to 60 of a-z, 0-9 and _, a letter first."
    if name in taken:
        return f"the tool {name} is left out: {taken[name]} has one of that name", "Give it another name."
    if not _is_text(tool.description):
        return f"the tool {name} has no description", "Tell the model what it does, and when to use it."
    if found := schema_problem(tool.schema):
        return f"the tool {name} is left out: {found}", "See llmos_nb.tools.schema for what can be described."
    if not isinstance(tool.main, str) or (tool.main and tool.main not in tool.schema["properties"]):
        return f"the tool {name}: main names no argument of it", "Name the argument people want to read, or ''."
    if not (inspect.iscoroutinefunction(tool.run) or inspect.iscoroutinefunction(type(tool.run).__call__)):
        return f"the tool {name}: run is no async function", "Write 'async def run(context, arguments)'."
    for field in ("check", "preview", "cell", "at_once"):
        value = getattr(tool, field)
        if value is not None and not callable(value):
            takes = "(arguments)" if field == "cell" else "(context, arguments)"
            return f"the tool {name}: {field} cannot be called", f"Give a function of {takes}, or None."
    if (
        not isinstance(tool.changes, bool)
        or not isinstance(tool.same_again, bool)
        or not isinstance(tool.language, str)
    ):
        return f"the tool {name}: changes and same_again must be bool, language a str", "Correct it."
    return "", ""


def plain(tool: Tool) -> dict[str, Any]:
    """The fields of a tool, apart from the object: what its pack does to that later changes nothing here."""
    return {field.name: getattr(tool, field.name) for field in dataclasses.fields(Tool)}


def _is_text(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and len(text) <= LONGEST


def _a(value: object) -> str:
    return f"a {type(value).__name__}" if not isinstance(value, type) else f"the class {value.__name__}"
