"""``read_file``, ``write_file`` and ``edit_file``: text files, confined by the guard and kept for undo."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any, Final

from llmos_nb.guard.confine import confined, read_judged, write_judged
from llmos_nb.guard.judging import judging
from llmos_nb.guard.overrides import Judged
from llmos_nb.guard.paths import Mode
from llmos_nb.guard.policy_file import policy_of
from llmos_nb.tools.cell import relative
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["EDIT_FILE", "READ_FILE", "WRITE_FILE"]

#: Bytes of a file that read_file returns at the most.
READ_LIMIT: Final = 2_000_000


def _path(context: ToolContext, arguments: dict[str, Any], mode: Mode) -> Path:
    """The file that is meant, links resolved: a link is written through, not replaced. It is judged where it leads now.

    Raises:
        GuardDenied: that is elsewhere than when the call was judged.
    """
    overrides = policy_of(context.workspace).overrides
    with judging(Judged(overrides, context.workspace, "", context.cwd) if overrides else None):
        return confined(
            str(arguments["path"]), mode, workspace=context.workspace, cwd=context.cwd, approved=context.approved
        )


def _missing(path: Path) -> ToolResult:
    near = (
        sorted(other.name for other in path.parent.glob("*") if other.is_file())[:20] if path.parent.is_dir() else []
    )
    hint = f" The folder holds: {', '.join(near)}." if near else ""
    return ToolResult(text=f"{path.name}: there is no such file.{hint}", error="FileNotFoundError")


async def _read_file(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    path = _path(context, arguments, "read")
    if not path.is_file():
        return _missing(path)
    data = read_judged(path, READ_LIMIT + 1)
    try:  # a letter that the limit cuts in two is left out
        text = codecs.getincrementaldecoder("utf-8")().decode(data[:READ_LIMIT], final=len(data) <= READ_LIMIT)
    except UnicodeDecodeError:
        return ToolResult(text=f"{path.name} is not UTF-8 text; read it with run_cell.", error="UnicodeDecodeError")
    lines = text.splitlines(keepends=True)
    first = int(arguments.get("first_line", 1))
    count = int(arguments.get("lines", len(lines)))
    if first < 1 or count < 0:
        return ToolResult(text="first_line counts from 1 and lines from 0.", error="ValueError")
    note = f"\n[cut after {READ_LIMIT} bytes]" if len(data) > READ_LIMIT else ""
    return ToolResult(text="".join(lines[first - 1 : first - 1 + count]) + note, reads=relative([path], context.cwd))


async def _write_file(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    path = _path(context, arguments, "write")
    if path.is_dir():
        return ToolResult(text=f"{path.name} is a folder.", error="IsADirectoryError")
    context.undo.keep_file(path)
    data = str(arguments["content"]).encode("utf-8")
    write_judged(path, data)
    return ToolResult(  # the same words whether the file was there: a replay finds it there
        text=f"Wrote {arguments['path']} ({len(data)} bytes).",
        files=relative([path], context.cwd),
    )


async def _edit_file(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    path = _path(context, arguments, "write")
    if not path.is_file():
        return _missing(path)
    old, new = str(arguments["old"]), str(arguments["new"])
    try:
        text = read_judged(path, -1).decode("utf-8")  # line ends stay as they are
    except UnicodeDecodeError:
        return ToolResult(text=f"{path.name} is not UTF-8 text; edit it with run_cell.", error="UnicodeDecodeError")
    if "\r\n" in text and "\r" not in old:
        old, new = old.replace("\n", "\r\n"), new.replace("\r\n", "\n").replace("\n", "\r\n")
    found = text.count(old) if old else 0
    if found != 1:
        return ToolResult(
            text=f"The old text occurs {found} times in {path.name}; it must occur exactly once.", error="ValueError"
        )
    context.undo.keep_file(path)
    write_judged(path, text.replace(old, new).encode("utf-8"))
    return ToolResult(text=f"Edited {arguments['path']}.", files=relative([path], context.cwd))


_PATH: Final = {"type": "string", "description": "Path of the file, relative to the working folder."}

READ_FILE: Final = Tool(
    name="read_file",
    description="Read a text file (UTF-8), whole or some lines of it.",
    schema={
        "type": "object",
        "properties": {
            "path": _PATH,
            "first_line": {"type": "integer", "description": "First line to return, counting from 1."},
            "lines": {"type": "integer", "description": "How many lines to return."},
        },
        "required": ["path"],
    },
    run=_read_file,
    main="path",
    changes=False,
)

WRITE_FILE: Final = Tool(
    name="write_file",
    description="Write a text file (UTF-8), replacing it if it exists. Folders are made as needed.",
    schema={
        "type": "object",
        "properties": {"path": _PATH, "content": {"type": "string", "description": "The whole new text."}},
        "required": ["path", "content"],
    },
    run=_write_file,
    main="content",
)

EDIT_FILE: Final = Tool(
    name="edit_file",
    description="Replace one piece of a text file. The old text must occur exactly once.",
    schema={
        "type": "object",
        "properties": {
            "path": _PATH,
            "old": {"type": "string", "description": "Text that is there now."},
            "new": {"type": "string", "description": "Text to put in its place."},
        },
        "required": ["path", "old", "new"],
    },
    run=_edit_file,
    main="new",
)
