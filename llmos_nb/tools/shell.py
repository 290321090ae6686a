"""``run_shell``: a shell command in a session of its own, with a time limit, that a stop really ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from llmos_nb.guard.cut_off import cut_off
from llmos_nb.guard.exits import outward_text
from llmos_nb.guard.gate import current_gate
from llmos_nb.guard.snapshot import Snapshot, apart
from llmos_nb.kernel.offspring import KERNEL, kernel_mark
from llmos_nb.tools.cell import relative
from llmos_nb.tools.tool import Tool, ToolContext, ToolResult

__all__ = ["RUN_SHELL"]

#: Seconds a command may take when none are given.
DEFAULT_TIMEOUT_S: Final = 120
#: How often is looked for processes that are left: one may start another while it is being ended.
KILL_ROUNDS: Final = 20
#: Bytes of output that are kept.
OUTPUT_LIMIT: Final = 10_000_000


def _execute(
    command: str, cwd: Path, timeout_s: float, stopped: Callable[[], bool], before: Sequence[str] = ()
) -> tuple[int, str, str]:
    """Run the command to its end; returns exit code, output, and why it was ended (empty: it ended by itself).

    Whatever it left running in the background ends with it.
    """
    mark = f"_LLMOS_COMMAND={secrets.token_hex(8)}"
    process = subprocess.Popen(
        [*before, "bash", "-c", command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**_environment(os.environ), **dict([mark.split("=")]), KERNEL: kernel_mark()},
    )
    assert process.stdout is not None
    output = bytearray()
    reader = threading.Thread(target=_read, args=(process.stdout, output), daemon=True)
    reader.start()
    deadline = time.monotonic() + timeout_s
    why = ""
    while not why and not _is_over(process):
        if stopped():
            why = "stopped"
        elif time.monotonic() > deadline:
            why = f"timed out after {timeout_s:g} s"
        reader.join(0.02)  # a pause that ends early when the output does
        if not reader.is_alive():
            time.sleep(0.002)
    _kill(process.pid, mark.encode())
    process.wait()
    reader.join()
    process.stdout.close()
    cut = f"\n[cut after {OUTPUT_LIMIT} bytes]" if len(output) > OUTPUT_LIMIT else ""
    return process.returncode, bytes(output[:OUTPUT_LIMIT]).decode("utf-8", "replace") + cut, why


def _is_over(process: subprocess.Popen[bytes]) -> bool:
    """Whether the command has ended. It is not reaped, so that nothing else is given its number meanwhile."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None  # macOS before Python 3.13 cannot look without reaping


def _read(stream: IO[bytes], output: bytearray) -> None:
    """Read to the end, so that the command never waits for its reader; keep only what is returned."""
    while chunk := stream.read1(65_536):  # type: ignore[attr-defined]
        output += chunk[: max(0, OUTPUT_LIMIT + 1 - len(output))]


def _kill(group: int, mark: bytes) -> None:
    """End the process group, and what left it (as ``timeout`` and ``setsid`` do) but carries our mark (on Linux)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for _ in range(KILL_ROUNDS):
        found = [int(entry.parent.name) for entry in Path("/proc").glob("[0-9]*/environ") if mark in _bytes(entry)]
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        if not found:
            return


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # another user's, or gone by now
        return b""


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The surroundings without the model's keys: no command needs them."""
    return {k: v for k, v in environ.items() if not k.startswith(("ANTHROPIC_", "CLAUDE_", "LLMOS_ENDPOINT_KEY"))}


async def _run_shell(context: ToolContext, arguments: dict[str, Any]) -> ToolResult:
    command = str(arguments["command"])
    timeout_s = float(arguments.get("timeout_s", DEFAULT_TIMEOUT_S))
    if timeout_s <= 0:
        return ToolResult(text="timeout_s must be above 0.", error="ValueError")
    before = Snapshot.of((context.cwd, context.workspace), apart(context.workspace))
    cancelled = threading.Event()
    gate = current_gate()
    alone = cut_off() if gate is not None and gate.shut and outward_text(command) else ()
    work = asyncio.get_running_loop().run_in_executor(
        None,
        _execute,
        command,
        context.cwd,
        timeout_s,
        lambda: cancelled.is_set() or context.stopping.is_set(),
        alone,
    )
    try:
        code, output, why = await asyncio.shield(work)
    except asyncio.CancelledError:
        cancelled.set()
        await asyncio.wait({work})  # nothing is put back while the command still runs
        raise
    finally:
        changed = before.changes(context.undo, command)
    error = ""
    if why or code:
        error = why or f"exit code {code}"
        output = f"{output.rstrip()}\n[{error}]".lstrip()
    if alone:
        output = f"{output.rstrip()}\n[it had no network: this session has read content from outside]".lstrip()
    if not before.complete:
        output = f"{output.rstrip()}\n[the folder holds too many files to see which ones changed]".lstrip()
    return ToolResult(
        text=output.rstrip("\n"), error=error, interrupted=why == "stopped", files=relative(changed, context.cwd)
    )


RUN_SHELL: Final = Tool(
    name="run_shell",
    description=(
        "Run a bash command in the working folder and return its output. It has no input and a time limit, and "
        "what it starts in the background ends with it; prefer run_cell for anything about data."
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
    language="bash",
)
