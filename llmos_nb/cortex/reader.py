"""From the SDK's messages to a job's events, charges and evidence."""

from __future__ import annotations

import time
from typing import Any, Final

from llmos_nb.cortex.hooks import is_frame, plain_name
from llmos_nb.cortex.job import Job, Told, Usage
from llmos_nb.kernel.events import AgentMessage, ModelBusy, Notice, TextDelta
from llmos_nb.kernel.secrets import redacted
from llmos_nb.mind.delegates import DELEGATE

__all__ = ["Reader"]

#: What the CLI's bill calls the counts of a message.
_BILLED: Final = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_input_tokens": "cacheReadInputTokens",
    "cache_creation_input_tokens": "cacheCreationInputTokens",
}
#: Characters of one answer beyond which it is taken for one without an end: some hundred times what models write.
MOST_CHARACTERS: Final = 8_000_000
#: Characters of an answer after which is looked anew whether it can be paid.
LOOK_EVERY: Final = 16_000
#: Seconds between two signs of life of a stream that brings nothing to show.
BUSY_PERIOD_S: Final = 1.0


class Reader:
    """Takes the messages of one job in order; :meth:`close` ends it, however the job went."""

    def __init__(self, job: Job) -> None:
        self._job = job
        #: Calls that stream now, by the tool call they belong to (None: the agent itself).
        self._open: dict[str | None, Usage] = {}
        #: Ids of the messages that streamed.
        self._streamed: set[str] = set()
        self._tools: dict[str, str] = {}
        #: Subagents by the call that began their work.
        self._delegates: dict[str, str] = {}
        self._busy_at = 0.0
        #: Whose request is with the endpoint, which has not begun to answer: the agent's own (None), or a subagent's.
        self._waiting: set[str | None] = set()
        #: Characters of the answers that stream now, and which of them came as far as to tell their usage.
        self._characters: dict[str | None, int] = {}
        self._told_end: set[str | None] = set()
        #: When the agent's latest message came that calls tools.
        self._called_at = 0.0
        job.publish(AgentMessage(run_id=job.run_id, role="user", text=job.goal))
        job.begin(Usage())

    def take(self, message: Any) -> None:
        """Take one message of the SDK."""
        match type(message).__name__:
            case "StreamEvent":
                self._stream(message.event, message.parent_tool_use_id)
            case "AssistantMessage":
                self._assistant(message)
            case "UserMessage" if message.parent_tool_use_id is None and isinstance(message.content, list):
                self._reported(message)
                self._told(message.content)
                self._waiting = {None}
                self._job.begin(Usage())  # with the results the model is asked again
            case "UserMessage" if isinstance(message.content, list):
                self._waiting.add(message.parent_tool_use_id)
                self._asked(message)
            case "ResultMessage":
                self._job.result = message
            case "SystemMessage" if message.subtype == "api_retry":
                self._retried(message.data)
            case "SystemMessage" if message.subtype == "init":
                self._check_tools(message.data)
                self._waiting.add(None)

    def close(self) -> None:
        """Charge calls that began and were cut off, and what the CLI billed without showing it.

        A call whose answer nobody is left to hear is paid all the same: its input is then a guess, and noted as one.
        """
        for parent in list(self._open):
            self._charge(parent)
        if self._called_at and any(call.ended > self._called_at for call in self._job.workbench.calls):
            self._waiting.add(None)  # what it called was done, so it was asked again
        for parent in self._waiting if self._job.result is None else ():
            self._guess(parent)
        billed = getattr(self._job.result, "model_usage", None)
        for model, counts in billed.items() if isinstance(billed, dict) else ():
            rest = self._unseen(str(model), counts)
            if rest is not None:
                self._book(rest)

    def _guess(self, parent: str | None) -> None:
        job = self._job
        told = len(job.goal + job.guidance + job.memory + job.namespace) // 4 + 1
        usage = Usage(
            model=next((usage.model for usage in reversed(job.usage) if usage.model), ""),
            input_tokens=job.context_tokens if parent is None and job.context_tokens else told,
            agent=self._who(parent),
            slot=parent or "",
            note="its answer did not arrive; its input is a guess",
        )
        self._book(usage)

    def _unseen(self, model: str, counts: Any) -> Usage | None:
        """What the CLI billed for a model beyond what was seen; None where that is nothing, or no bill."""
        if not isinstance(counts, dict):
            return None
        who = ", ".join(dict.fromkeys(self._delegates.values()))  # what streamed was counted to the token
        whole = Usage(model=model, agent=who)
        whole.take({key: counts.get(name) for key, name in _BILLED.items()})
        seen = [usage for usage in self._job.usage if usage.model == model]
        if whole.absurd:
            return None if any(usage.absurd for usage in seen) else Usage(model=model, agent=who, absurd=whole.absurd)
        rest = {name: count - sum(usage.counts()[name] for usage in seen) for name, count in whole.counts().items()}
        if min(rest.values()) < 0 or not any(rest.values()):
            return None
        left = Usage(model=model, agent=who)
        for name, count in rest.items():
            setattr(left, name, count)
        return left

    def _stream(self, event: Any, parent: str | None) -> None:
        if not isinstance(event, dict):
            return
        kind = event.get("type")
        self._busy()
        if kind == "message_start":
            self._charge(parent)
            self._waiting.discard(parent)
            self._called_at = self._called_at if parent is not None else 0.0
            message = _mapping(event.get("message"))
            self._characters[parent] = 0
            self._told_end.discard(parent)
            self._streamed.add(str(message.get("id", "")))
            usage = Usage(model=str(message.get("model", "")), agent=self._who(parent), slot=parent or "")
            usage.take(message.get("usage"))
            self._open[parent] = usage
            self._job.begin(usage)
        elif kind == "message_delta" and parent in self._open:
            self._told_end.add(parent)
            self._open[parent].take(event.get("usage"))
        elif kind == "message_stop":
            self._charge(parent)
        elif kind == "content_block_delta":
            delta = _mapping(event.get("delta"))
            text = delta.get("text")
            self._measure(parent, text or delta.get("partial_json") or delta.get("thinking"))
            if isinstance(text, str) and text and parent is None:
                self._job.publish(TextDelta(run_id=self._job.run_id, text=text))

    def _measure(self, parent: str | None, piece: Any) -> None:
        """An endpoint that never comes to an end is not listened to for ever."""
        length = self._characters.get(parent, 0) + (len(piece) if isinstance(piece, str) else 0)
        before, self._characters[parent] = self._characters.get(parent, 0), length
        if before // LOOK_EVERY != length // LOOK_EVERY and self._too_dear(parent, length):
            self._job.end("over_budget", "the run used up its budget")
        if length > MOST_CHARACTERS:
            self._job.end(
                "failed", f"the endpoint's answer has no end: it is longer than {MOST_CHARACTERS:,} characters"
            )

    def _too_dear(self, parent: str | None, length: int) -> bool:
        """Whether an answer that goes on and on costs more by now than is left, at the fewest tokens that it can be."""
        usage = self._open.get(parent)
        if usage is None:
            return False
        counts = {**usage.counts(), "output_tokens": length // 6}
        cost = self._job.endpoint.cost_usd(usage.model, counts)
        return cost is not None and cost > self._job.bill.remaining_usd

    def _busy(self) -> None:
        now = time.monotonic()
        if now - self._busy_at >= BUSY_PERIOD_S:
            self._busy_at = now
            self._job.publish(ModelBusy(run_id=self._job.run_id))

    def _charge(self, parent: str | None) -> None:
        usage = self._open.pop(parent, None)
        if usage is not None:
            cut_off = self._characters.get(parent, 0) // 4
            if parent not in self._told_end and cut_off > usage.output_tokens:
                usage.output_tokens, usage.note = cut_off, "its answer broke off; its output is a guess"
            if parent is None:
                self._job.context_tokens = sum(usage.counts().values())
            self._book(usage)

    def _book(self, usage: Usage) -> None:
        self._job.usage.append(usage)
        self._job.charge(usage)
        if usage.absurd:
            self._job.end("failed", f"the endpoint says that a call took {usage.absurd}: what it cost is not known")
        if self._job.bill.exceeded:
            self._job.end("over_budget", "the run used up its budget")

    def _assistant(self, message: Any) -> None:
        self._unstreamed(message)
        for block in message.content:
            if type(block).__name__ == "ToolUseBlock":
                self._tools[block.id] = plain_name(block.name)
                if message.parent_tool_use_id is None:
                    self._called_at = time.monotonic()
                if block.name == DELEGATE and isinstance(block.input, dict):
                    self._delegates[block.id] = str(block.input.get("subagent_type", ""))
        text = "".join(block.text for block in message.content if type(block).__name__ == "TextBlock")
        if not text:
            return
        if message.parent_tool_use_id is None:
            self._job.text = text
        who = self._who(message.parent_tool_use_id) or self._job.agent
        self._job.publish(AgentMessage(run_id=self._job.run_id, role="assistant", text=redacted(text), agent=who))

    def _who(self, parent: str | None) -> str:
        """The subagent whose messages belong to the call ``parent``; empty for the run's own agent."""
        return "" if parent is None else self._delegates.get(parent, "a subagent")

    def _asked(self, message: Any) -> None:
        """What a subagent was told to do."""
        text = "".join(block.text for block in message.content if type(block).__name__ == "TextBlock")
        if text:
            who = self._who(message.parent_tool_use_id)
            self._job.publish(AgentMessage(run_id=self._job.run_id, role="user", text=text, agent=who))

    def _reported(self, message: Any) -> None:
        """A subagent's last message comes as the result of the call that began its work, and so does its usage."""
        report = getattr(message, "tool_use_result", None)
        block = next((b for b in message.content if getattr(b, "tool_use_id", "") in self._delegates), None)
        if block is None or not isinstance(report, dict):
            return
        who = self._delegates[block.tool_use_id]
        usage = Usage(model=str(report.get("resolvedModel") or ""), agent=who, slot=block.tool_use_id)
        if isinstance(report.get("usage"), dict):
            usage.take(report["usage"])
        if usage.absurd or any(usage.counts().values()):
            self._book(usage)
        parts = [part for part in report.get("content") or () if not is_frame(part)]
        text = _text(parts)
        if text:
            self._job.publish(AgentMessage(run_id=self._job.run_id, role="assistant", text=redacted(text), agent=who))

    def _unstreamed(self, message: Any) -> None:
        """Charge an answer that came whole: the CLI asks again like that when a stream breaks."""
        if not message.message_id or message.message_id in self._streamed or not message.usage:
            return
        self._streamed.add(message.message_id)
        self._charge(message.parent_tool_use_id)
        parent = message.parent_tool_use_id
        usage = Usage(model=message.model, agent=self._who(parent), slot=parent or "")
        usage.take(message.usage)
        if usage.absurd or any(usage.counts().values()):
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


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    """A tool result's content as text."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
