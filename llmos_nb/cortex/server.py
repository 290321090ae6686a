"""The in-process MCP server that offers the kernel's tools to the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any

from llmos_nb.cortex.job import Job
from llmos_nb.tools.asking import PROPOSED, edited_remark
from llmos_nb.tools.registry import TOOLS
from llmos_nb.tools.tool import Tool
from llmos_nb.tools.withheld import REMARK

__all__ = ["build_server", "shortened"]


def build_server(
    grant: Collection[str], current: Callable[[], Job | None], output_limit: int, more: Iterable[Tool] = ()
) -> Any:
    """An SDK MCP server named ``llmos`` with the granted tools and ``more``; ``current`` tells the job a call is for."""
    from claude_agent_sdk import SdkMcpTool, create_sdk_mcp_server

    tools = [
        SdkMcpTool(
            name=tool.name,
            description=tool.description,
            input_schema=tool.schema,
            handler=_handler(tool, current, output_limit),
        )
        for tool in [*(tool for name, tool in TOOLS.items() if name in grant), *more]
    ]
    return create_sdk_mcp_server("llmos", tools=tools)


def _handler(tool: Tool, current: Callable[[], Job | None], output_limit: int) -> Any:
    async def handle(arguments: dict[str, Any]) -> dict[str, Any]:
        job = current()
        if job is None:
            return _answer("There is no run that this call belongs to.", is_error=True)
        bench = job.workbench
        callers = []
        for hook in ("security", "budget"):
            caller = bench.take_pass(tool.name, arguments, hook)
            if caller is None:
                job.end("failed", f"the {hook} hook did not see a call of {tool.name}")
                return _answer(f"The {hook} hook did not see this call, so it was not made.", is_error=True)
            callers.append(caller)
        if tool.at_once is not None:  # the notebook's thread may be at work on a cell
            await asyncio.to_thread(bench.at_once, tool.name, arguments, callers[0])
        try:
            call = await asyncio.wrap_future(
                bench.at_home(lambda: bench.call(tool.name, arguments, caller=callers[0]))
            )
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if this is not None and this.cancelling():
                raise
            # The call alone was cancelled, by a stop. Let out, this would end the server, and with it later goals.
            return _answer("The run was stopped during this call.", is_error=True)
        if call.result is None:
            if call.verdict.rule == PROPOSED:
                told = f"A person was shown this call before it ran, and it was not made: {call.verdict.reason}"
                return _answer(f"{told}. Try something else, or say what you would need.", is_error=True)
            return _answer(f"The guard refused this call: {call.verdict.reason}", is_error=True)
        if call.result.interrupted:
            job.end("stopped", "interrupted while a cell ran")
        remark = shortened(edited_remark(call.tool, call.arguments), output_limit) if call.edited else ""
        if call.result.withheld:
            remark = f"{remark}\n{REMARK}".strip()
        text = shortened(call.result.text, output_limit) or "(no output)"
        return _answer(text, is_error=bool(call.result.error), remark=remark)

    return handle


def _answer(text: str, *, is_error: bool, remark: str = "") -> dict[str, Any]:
    """What the model is told; a remark is not the tool's, and stands in a block of its own."""
    told = [text, *([f"<system-reminder>\n{remark}\n</system-reminder>"] if remark else [])]
    return {"content": [{"type": "text", "text": one} for one in told], "is_error": is_error}


def shortened(text: str, limit: int) -> str:
    """``text``, or its beginning and end when it has more than ``limit`` characters, saying how much is left out."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-limit // 3 :]
    return f"{head}\n[… {len(text) - len(head) - len(tail)} characters left out …]\n{tail}"
