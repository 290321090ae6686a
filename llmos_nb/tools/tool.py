"""What a tool is: a name the model calls, a JSON schema, a function, and how it must be treated.

The same :class:`Tool` objects serve live use (offered to the model by an in-process MCP server) and replay.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmos_nb.guard.undo import Undo
from llmos_nb.tools.namespace import Namespace, Output

__all__ = ["Tool", "ToolContext", "ToolResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What a tool may use while it works for one run."""

    namespace: Namespace
    workspace: Path
    cwd: Path
    undo: Undo
    #: Set when the run is being stopped; a tool that waits looks at it.
    stopping: threading.Event
    #: Whether output appears at once. A replay keeps its output until every step is verified.
    show: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool call did, by evidence.

    ``text`` is the whole result; the model may be given less of it. ``defines`` maps names to type names,
    ``columns`` DataFrame names to column names, ``files`` lists changed files relative to the working folder, and
    ``reads`` files that were read.
    """

    text: str
    error: str = ""
    interrupted: bool = False
    outputs: tuple[Output, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deletes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """``ok`` or ``error``."""
        return "error" if self.error else "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: ``schema`` is a JSON schema of its arguments, ``main`` the argument people want to read."""

    name: str
    description: str
    schema: dict[str, Any]
    run: Callable[[ToolContext, dict[str, Any]], Awaitable[ToolResult]]
    main: str
    #: The language of the main argument where it is code, for a fence or a highlighter.
    language: str = ""
    #: Whether a call can change anything. Calls that cannot are replayed too: their results are evidence.
    changes: bool = True

    def problem(self, arguments: Mapping[str, Any]) -> str:
        """What is wrong with ``arguments``, or an empty string. Covers the subset of JSON schema the tools use."""
        kinds = {"string": str, "integer": int, "boolean": bool, "array": list}
        properties = self.schema["properties"]
        for name in self.schema.get("required", ()):
            if name not in arguments:
                return f"{self.name} needs the argument {name!r}"
        for name, value in arguments.items():
            if name not in properties:
                return f"{self.name} has no argument {name!r}; it takes {', '.join(properties)}"
            kind = kinds[properties[name]["type"]]
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                return f"{self.name}: {name} must be of type {properties[name]['type']}, got {value!r:.80}"
        return ""
