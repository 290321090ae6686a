"""One warm client of the SDK: an owner task connects it, serves jobs from a queue one at a time, and disconnects it.

Every job starts a conversation of its own: what a run learned must hold for the goal alone, so no earlier goal may be
in the model's context.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from llmos_nb.cortex.job import Job, Usage
from llmos_nb.errors import LlmosError
from llmos_nb.kernel.events import AgentMessage, Notice, TextDelta

__all__ = ["Session"]

#: Seconds to wait for the CLI to start and shake hands.
CONNECT_LIMIT_S: Final = 60.0
#: Seconds in which an interrupted model must have said its last word, before its process is given up.
STOP_LIMIT_S: Final = 0.7


class Session:
    """A client with one configuration. Lives on the cortex's loop; ``options`` makes its SDK options."""

    def __init__(self, options: Callable[[Session], Any]) -> None:
        self._options = options
        self._jobs: asyncio.Queue[tuple[Job, asyncio.Future[None]] | None] = asyncio.Queue()
        self._client: Any = None
        self._used = False
        self._seen_init = asyncio.Event()
        self._stderr: deque[str] = deque(maxlen=20)
        self.current: Job | None = None
        self.closed = False
        self._owner = asyncio.get_running_loop().create_task(self._own())

    @property
    def idle(self) -> bool:
        """Whether no job is running or waiting."""
        return self.current is None and self._jobs.empty()

    def current_job(self) -> Job | None:
        """The job being served: what hooks and tools work for."""
        return self.current

    def heard(self, line: str) -> None:
        """Keep what the CLI wrote to its error stream: it explains a death."""
        self._stderr.append(line.rstrip())

    async def serve(self, job: Job) -> None:
        """Work on ``job`` until it has a result, a failure or an ending. Never raises for what the model's side does."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.closed:
            job.failure, job.remedy = "the client is closed", "Run the goal again."
            return
        await self._jobs.put((job, done))
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        job.on_end(lambda: loop.call_soon_threadsafe(ended.set))
        stopper = loop.create_task(self._stop_when(ended, job, done))
        try:
            await done
        finally:
            job.on_end(None)
            stopper.cancel()

    async def _stop_when(self, ended: asyncio.Event, job: Job, done: asyncio.Future[None]) -> None:
        """When the job is ended from outside: interrupt the model; give its process up if it does not react."""
        await ended.wait()
        if self.current is job and self._client is not None:
            with contextlib.suppress(TimeoutError, Exception):
                # An interrupt before the client's init message would be lost.
                await asyncio.wait_for(self._interrupt(), STOP_LIMIT_S / 2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(done), STOP_LIMIT_S / 2)
        if not done.done():
            if self.current is job:
                self.close()
            _finish(done)

    async def _interrupt(self) -> None:
        await self._seen_init.wait()
        await self._client.interrupt()

    def close(self) -> None:
        """Give the client up; its process ends with it."""
        self.closed = True
        self._owner.cancel()

    async def wait_closed(self) -> None:
        """Until the owner task has disconnected."""
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._owner

    async def _own(self) -> None:
        try:
            while (entry := await self._jobs.get()) is not None:
                job, done = entry
                if done.done() or job.ending:
                    _finish(done)
                    continue
                self.current = job
                try:
                    await self._work(job)
                except Exception as error:  # noqa: BLE001 - whatever the SDK raises fails this job, not the kernel
                    self._fail(job, error)
                    self.closed = True
                finally:
                    self.current = None
                    _finish(done)
                if self.closed:
                    return
        finally:
            self.closed = True
            await self._disconnect()
            while not self._jobs.empty():
                entry = self._jobs.get_nowait()
                if entry is not None:
                    entry[0].failure = entry[0].failure or "the client was closed before the goal's turn came"
                    _finish(entry[1])

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.disconnect()
            except Exception as error:  # noqa: BLE001 - the process is gone either way
                self.heard(f"disconnect: {error}")

    async def _connect(self) -> None:
        import claude_agent_sdk as sdk

        client = sdk.ClaudeSDKClient(self._options(self))
        await asyncio.wait_for(client.connect(), CONNECT_LIMIT_S)
        self._client = client

    async def _work(self, job: Job) -> None:
        if self._client is None:
            await self._connect()
        elif self._used:
            await self._forget()
        if job.ending:
            return
        self._used = True
        self._seen_init.clear()
        await self._client.query(_goal(job.goal))
        reader = _Reader(job)
        async for message in self._client.receive_response():
            self._seen_init.set()
            reader.take(message)
        reader.close()

    async def _forget(self) -> None:
        """Start a new conversation on the same process; the CLI's cost counters start anew with it."""
        await self._client.query("/clear")
        async for _ in self._client.receive_response():
            pass

    def _fail(self, job: Job, error: Exception) -> None:
        import claude_agent_sdk as sdk

        said = " | ".join(line for line in self._stderr if line)[-500:]
        told = f" It wrote: {said}" if said else ""
        if isinstance(error, LlmosError):
            job.failure, job.remedy = error.message, error.remedy
        elif isinstance(error, sdk.CLINotFoundError):
            job.failure = f"Claude's command line program cannot be found ({error})."
            job.remedy = "Reinstall claude-agent-sdk, which brings it; `llmos-nb doctor` tells what is missing."
        elif isinstance(error, TimeoutError):
            job.failure = f"Claude's command line program did not start within {CONNECT_LIMIT_S:g} s.{told}"
            job.remedy = "Run the goal again; `llmos-nb doctor` tells whether it starts at all."
        else:
            job.failure = f"Claude's command line program failed: {type(error).__name__}: {error}.{told}"
            job.remedy = "Run the goal again: it starts anew. `llmos-nb doctor` tells whether it works."


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


async def _goal(text: str) -> AsyncIterator[dict[str, Any]]:
    """The goal as a message that is delivered word for word: no file mentions, no slash commands."""
    yield {
        "type": "user",
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": None,
        "client_composed": True,
        "uuid": str(uuid.uuid4()),
    }


class _Reader:
    """Turns the SDK's messages into events, charges, and the job's result."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._open: dict[str | None, Usage] = {}
        job.publish(AgentMessage(run_id=job.run_id, role="user", text=job.goal))

    def take(self, message: Any) -> None:
        """Take one message of the SDK."""
        match type(message).__name__:
            case "StreamEvent":
                self._stream(message.event, message.parent_tool_use_id)
            case "AssistantMessage":
                self._assistant(message)
            case "ResultMessage":
                self._job.result = message
            case "SystemMessage" if message.subtype == "api_retry":
                data = message.data
                self._notice(
                    f"the endpoint answered {data.get('error_status') or data.get('error') or 'an error'}; "
                    f"attempt {data.get('attempt', '?')} of {data.get('max_retries', '?')}"
                )
            case "SystemMessage" if message.subtype == "init":
                self._check_tools(message.data)

    def _notice(self, text: str) -> None:
        self._job.publish(Notice(run_id=self._job.run_id, text=text))

    def _stream(self, event: dict[str, Any], parent: str | None) -> None:
        kind = event.get("type")
        if kind == "message_start":
            self._charge(parent)
            usage = Usage(model=str(event["message"].get("model", "")))
            usage.take(event["message"].get("usage") or {})
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
        if usage is None:
            return
        self._job.usage.append(usage)
        self._job.charge(usage)
        if self._job.bill.exceeded:
            self._job.end("over_budget", "the run used up its budget")

    def _assistant(self, message: Any) -> None:
        text = "".join(block.text for block in message.content if type(block).__name__ == "TextBlock")
        if not text:
            return
        if message.parent_tool_use_id is None:
            self._job.text = text
        self._job.publish(AgentMessage(run_id=self._job.run_id, role="assistant", text=text, agent=self._job.agent))

    def _check_tools(self, data: dict[str, Any]) -> None:
        """A client whose tools did not arrive cannot work on anything."""
        servers = {server.get("name"): server.get("status") for server in data.get("mcp_servers", ())}
        if servers.get("llmos") not in ("connected", None):
            self._job.end("failed", f"the tools could not be attached (server {servers.get('llmos')})")

    def close(self) -> None:
        """Charge calls that began and were cut off, and what the CLI billed without streaming it."""
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
                self._job.usage.append(rest)
                self._job.charge(rest)
