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
from llmos_nb.guard.verdict import Verdict
from llmos_nb.tools.namespace import Namespace, Output
from llmos_nb.tools.schema import value_problem
from llmos_nb.tools.services import Services

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
    #: Whether cells work in ``cwd``, wherever the process itself is: so it is in a project.
    in_folder: bool = False
    #: Whether a person agreed to what the guard asks about in this call.
    approved: bool = False
    #: The run, the agent it works for, and the tools that agent was granted.
    run_id: str = ""
    agent: str = ""
    grant: frozenset[str] = frozenset()
    services: Services = field(default_factory=Services)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool call did, by evidence.

    ``text`` is the whole result; the model may be given less of it. ``defines`` maps names to type names,
    ``columns`` DataFrame names to column names, ``files`` lists changed files relative to the working folder, and
    ``reads`` files that were read. ``error`` is empty, or the name of an exception.

    A pack's tool returns what is to be shown in ``outputs`` and does not show it itself: it is shown at once, or, in a
    replay, when every step is verified. Names that it binds, and files that Python writes for it, are seen without it.
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
    #: A unified diff of what was changed, where that is what a person wants to see.
    diff: str = ""
    #: Whether a secret was taken out of it.
    withheld: bool = False
    #: What the guard refused while it ran, where it failed by that: the rule's own words.
    refused: str = ""

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
    #: Whether a replay may only go on where a call tells just what it told: later steps may rest on every word of it.
    same_again: bool = False
    #: What this tool's calls must pass beside the guard's own rules, which look at files, commands and code alone.
    check: Callable[[ToolContext, Mapping[str, Any]], Verdict] | None = None
    #: The cell that a call stands for, where it is one: then that cell is guarded, run, shown and recorded, so that a step
    #: is repeated, exported and made into a function as any other. Raises LlmosError for arguments that make no cell.
    cell: Callable[[Mapping[str, Any]], str] | None = None
    #: What of a call cannot wait for its turn, as an emergency stop cannot: done from another thread as soon as the guard
    #: allows the call, whatever is at work. The call follows in its turn, and is what is told and recorded.
    at_once: Callable[[ToolContext, Mapping[str, Any]], None] | None = None
    #: What a call would do, for a person who is asked about it; the main argument if None.
    preview: Callable[[ToolContext, Mapping[str, Any]], str] | None = None

    def problem(self, arguments: Mapping[str, Any]) -> str:
        """What is wrong with ``arguments``, or an empty string. Covers the subset of JSON schema the tools use."""
        properties = self.schema["properties"]
        for name in self.schema.get("required", ()):
            if name not in arguments:
                return f"{self.name} needs the argument {name!r}"
        for name, value in arguments.items():
            if name not in properties:
                return f"{self.name} has no argument {name!r}; it takes {', '.join(properties) or 'none'}"
            found = value_problem(value, properties[name])
            if found:
                return f"{self.name}: {name} {found}"
        return ""
