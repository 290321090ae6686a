"""``run_shell``: a shell command in a process group of its own, with a time limit, that a stop really ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from llmos_nb.tools.cell import relative
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["RUN_SHELL"]

#: Seconds a command may take when none are given.
DEFAULT_TIMEOUT_S: Final = 120
#: Files of the working folder that are looked at for changes; a larger folder is not watched, and says so.
WATCH_LIMIT: Final = 5_000
#: Bytes of output that are kept.
OUTPUT_LIMIT: Final = 10_000_000


def _files(cwd: Path) -> dict[Path, tuple[int, int]] | None:
    """Size and time of every file below ``cwd``, hidden folders aside; None where there are too many."""
    found: dict[Path, tuple[int, int]] = {}
    for folder, folders, names in os.walk(cwd):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                status = path.lstat()
                found[path] = (status.st_mtime_ns, status.st_size)
        if len(found) > WATCH_LIMIT:
            return None
    return found


def _execute(command: str, cwd: Path, timeout_s: float, context: ToolContext) -> tuple[int, str, str]:
    """Run the command to its end; returns exit code, output, and why it was ended (empty: it ended by itself)."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=_environment(os.environ),
    )
    deadline = time.monotonic() + timeout_s
    chunks: list[bytes] = []
    why = ""
    while True:
        try:
            output, _ = process.communicate(timeout=0.05)
            chunks.append(output[:OUTPUT_LIMIT])
            break
        except subprocess.TimeoutExpired:
            if not why and context.stopping.is_set():
                why = "stopped"
            elif not why and time.monotonic() > deadline:
                why = f"timed out after {timeout_s:g} s"
            if why:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, b"".join(chunks).decode("utf-8", "replace"), why


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The surroundings without the model's keys: no command needs them."""
    return {k: v for k, v in environ.items() if not k.startswith(("ANTHROPIC_", "CLAUDE_", "LLMOS_ENDPOINT_KEY"))}


async def _run_shell(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    command = str(arguments["command"])
    before = _files(context.cwd)
    timeout_s = float(arguments.get("timeout_s", DEFAULT_TIMEOUT_S))
    code, output, why = await asyncio.to_thread(_execute, command, context.cwd, timeout_s, context)
    after = _files(context.cwd) if before is not None else None
    changed = [path for path, stamp in after.items() if before and before.get(path) != stamp] if after else []
    if after and not before:
        changed = list(after)
    error = ""
    if why or code:
        error = why or f"exit code {code}"
        output = f"{output.rstrip()}\n[{error}]".lstrip()
    return ToolResult(
        text=output.rstrip("\n"), error=error, interrupted=why == "stopped", files=relative(changed, context.cwd)
    )


RUN_SHELL: Final = Tool(
    name="run_shell",
    description=(
        "Run a bash command in the working folder and return its output. It has no input and a time limit; "
        "prefer run_cell for anything about data."
    ),
    schema={
        "type": "object",
        "properties": {
            "command": {"type": "string", "description": "The command line."},
            "timeout_s": {"type": "integer", "description": f"Seconds it may take (default {DEFAULT_TIMEOUT_S})."},
        },
        "required": ["command"],
    },
    run=_run_shell,
    main="command",
)
