"""From the SDK's messages to a job's events, charges and evidence."""

from __future__ import annotations

from typing import Any

from llmos_nb.cortex.hooks import plain_name
from llmos_nb.cortex.job import Job, Told, Usage
from llmos_nb.kernel.events import AgentMessage, Notice, TextDelta

__all__ = ["Reader"]


class Reader:
    """Takes the messages of one job in order; :meth:`close` ends it, however the job went."""

    def __init__(self, job: Job) -> None:
        self._job = job
        #: Calls that stream now, by the tool call they belong to (None: the agent itself).
        self._open: dict[str | None, Usage] = {}
        #: Ids of the messages that streamed.
        self._streamed: set[str] = set()
        self._tools: dict[str, str] = {}
        job.publish(AgentMessage(run_id=job.run_id, role="user", text=job.goal))

    def take(self, message: Any) -> None:
        """Take one message of the SDK."""
        match type(message).__name__:
            case "StreamEvent":
                self._stream(message.event, message.parent_tool_use_id)
            case "AssistantMessage":
                self._assistant(message)
            case "UserMessage" if message.parent_tool_use_id is None and isinstance(message.content, list):
                self._told(message.content)
            case "ResultMessage":
                self._job.result = message
            case "SystemMessage" if message.subtype == "api_retry":
                self._retried(message.data)
            case "SystemMessage" if message.subtype == "init":
                self._check_tools(message.data)

    def close(self) -> None:
        """Charge calls that began and were cut off, and what the CLI billed without showing it."""
        for parent in list(self._open):
            self._charge(parent)
        billed = getattr(self._job.result, "model_usage", None) or {}
        for model, counts in billed.items():
            seen = [usage for usage in self._job.usage if usage.model == model]
            rest = Usage(
                model=model,
                input_tokens=counts.get("inputTokens", 0) - sum(u.input_tokens for u in seen),
                output_tokens=counts.get("outputTokens", 0) - sum(u.output_tokens for u in seen),
                cache_read=counts.get("cacheReadInputTokens", 0) - sum(u.cache_read for u in seen),
                cache_write=counts.get("cacheCreationInputTokens", 0) - sum(u.cache_write for u in seen),
            )
            if all(count >= 0 for count in rest.counts().values()) and any(rest.counts().values()):
                self._book(rest)

    def _stream(self, event: dict[str, Any], parent: str | None) -> None:
        kind = event.get("type")
        if kind == "message_start":
            self._charge(parent)
            message = event["message"]
            self._streamed.add(str(message.get("id", "")))
            usage = Usage(model=str(message.get("model", "")))
            usage.take(message.get("usage") or {})
            self._open[parent] = usage
        elif kind == "message_delta" and parent in self._open:
            self._open[parent].take(event.get("usage") or {})
        elif kind == "message_stop":
            self._charge(parent)
        elif kind == "content_block_delta" and parent is None:
            text = event.get("delta", {}).get("text")
            if isinstance(text, str) and text:
                self._job.publish(TextDelta(run_id=self._job.run_id, text=text))

    def _charge(self, parent: str | None) -> None:
        usage = self._open.pop(parent, None)
        if usage is not None:
            self._book(usage)

    def _book(self, usage: Usage) -> None:
        self._job.usage.append(usage)
        self._job.charge(usage)
        if self._job.bill.exceeded:
            self._job.end("over_budget", "the run used up its budget")

    def _assistant(self, message: Any) -> None:
        self._unstreamed(message)
        for block in message.content:
            if type(block).__name__ == "ToolUseBlock":
                self._tools[block.id] = plain_name(block.name)
        text = "".join(block.text for block in message.content if type(block).__name__ == "TextBlock")
        if not text:
            return
        if message.parent_tool_use_id is None:
            self._job.text = text
        self._job.publish(AgentMessage(run_id=self._job.run_id, role="assistant", text=text, agent=self._job.agent))

    def _unstreamed(self, message: Any) -> None:
        """Charge an answer that came whole: the CLI asks again like that when a stream breaks."""
        if not message.message_id or message.message_id in self._streamed or not message.usage:
            return
        self._streamed.add(message.message_id)
        self._charge(message.parent_tool_use_id)
        usage = Usage(model=message.model)
        usage.take(message.usage)
        if any(usage.counts().values()):
            self._book(usage)

    def _told(self, content: list[Any]) -> None:
        """Note how the latest tool call ended; describing variables is no step."""
        for block in content:
            tool = self._tools.get(getattr(block, "tool_use_id", ""), "")
            if tool and tool != "inspect":
                error = _text(block.content) or "no reason given" if block.is_error else ""
                self._job.told = Told(tool, block.tool_use_id, error)

    def _retried(self, data: dict[str, Any]) -> None:
        status = data.get("error_status")
        what = f"the endpoint answered {status}" if status else "the endpoint's answer did not arrive whole"
        attempt = f"attempt {data.get('attempt', '?')} of {data.get('max_retries', '?')}"
        self._job.publish(Notice(run_id=self._job.run_id, text=f"{what}; {attempt} to ask again"))

    def _check_tools(self, data: dict[str, Any]) -> None:
        """A client whose tools did not arrive cannot work on anything."""
        servers = {server.get("name"): server.get("status") for server in data.get("mcp_servers", ())}
        if servers.get("llmos") not in ("connected", None):
            self._job.end("failed", f"the tools could not be attached (server {servers.get('llmos')})")


def _text(content: Any) -> str:
    """A tool result's content as text."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
