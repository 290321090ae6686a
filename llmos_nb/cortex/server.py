"""The in-process MCP server that offers the kernel's tools to the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from llmos_nb.cortex.job import Job
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import Tool

__all__ = ["build_server", "shortened"]


def build_server(grant: Collection[str], current: Callable[[], Job | None], output_limit: int) -> Any:
    """An SDK MCP server named ``llmos`` with the granted tools; ``current`` tells the job a call belongs to."""
    from claude_agent_sdk import SdkMcpTool, create_sdk_mcp_server

    tools = [
        SdkMcpTool(
            name=tool.name,
            description=tool.description,
            input_schema=tool.schema,
            handler=_handler(tool, current, output_limit),
        )
        for name, tool in TOOLS.items()
        if name in grant
    ]
    return create_sdk_mcp_server("llmos", tools=tools)


def _handler(tool: Tool, current: Callable[[], Job | None], output_limit: int) -> Any:
    async def handle(arguments: dict[str, Any]) -> dict[str, Any]:
        job = current()
        if job is None:
            return _answer("There is no run that this call belongs to.", is_error=True)
        bench = job.workbench
        for hook in ("security", "budget"):
            if not bench.take_pass(tool.name, arguments, hook):
                job.end("failed", f"the {hook} hook did not see a call of {tool.name}")
                return _answer(f"The {hook} hook did not see this call, so it was not made.", is_error=True)
        try:
            call = await asyncio.wrap_future(bench.at_home(lambda: bench.call(tool.name, arguments)))
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if this is not None and this.cancelling():
                raise
            # The call alone was cancelled, by a stop. Let out, this would end the server, and with it later goals.
            return _answer("The run was stopped during this call.", is_error=True)
        if call.result is None:
            return _answer(f"The guard refused this call: {call.verdict.reason}", is_error=True)
        if call.result.interrupted:
            job.end("stopped", "interrupted while a cell ran")
        return _answer(shortened(call.result.text, output_limit) or "(no output)", is_error=bool(call.result.error))

    return handle


def _answer(text: str, *, is_error: bool) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "is_error": is_error}


def shortened(text: str, limit: int) -> str:
    """``text``, or its beginning and end when it has more than ``limit`` characters, saying how much is left out."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-limit // 3 :]
    return f"{head}\n[… {len(text) - len(head) - len(tail)} characters left out …]\n{tail}"
