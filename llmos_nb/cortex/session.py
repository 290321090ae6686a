"""One warm client of the SDK: an owner task connects it, serves jobs from a queue one at a time, and disconnects it.

Every job starts a conversation of its own: what a run learned must hold for the goal alone, so no earlier goal may be
in the model's context.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from llmos_nb.cortex.job import Job
from llmos_nb.cortex.reader import Reader
from llmos_nb.errors import EndpointError, LlmosError

__all__ = ["Session"]

#: Seconds to wait for the CLI to start and shake hands.
CONNECT_LIMIT_S: Final = 60.0
#: Seconds in which a warm client must have begun a new conversation, before it is replaced.
FORGET_LIMIT_S: Final = 5.0
#: Seconds in which an interrupted model must have said its last word, before its process is given up.
STOP_LIMIT_S: Final = 0.7
#: Seconds to wait for the owner of a process that was given up.
GIVE_UP_S: Final = 0.1


class Session:
    """A client with one configuration. Lives on the cortex's loop; ``options`` makes its SDK options."""

    def __init__(self, options: Callable[[Session], Any]) -> None:
        self._options = options
        self._jobs: asyncio.Queue[tuple[Job, asyncio.Future[bool]] | None] = asyncio.Queue()
        self._client: Any = None
        #: A client that is being connected or disconnected.
        self._passing: Any = None
        self._used = False
        self._seen_init = asyncio.Event()
        self._stderr: deque[str] = deque(maxlen=20)
        self.current: Job | None = None
        self.closed = False
        self._leaving = False
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

    async def serve(self, job: Job) -> bool:
        """Work on ``job`` until it has a result, a failure or an ending. Never raises for what the model's side does.

        False: this client was closed before the job's turn came, and the job is as it was.
        """
        if self.closed:
            return False
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bool] = loop.create_future()
        await self._jobs.put((job, done))
        ended = asyncio.Event()

        def notify() -> None:
            loop.call_soon_threadsafe(ended.set)

        job.on_end(notify)
        stopper = loop.create_task(self._stop_when(ended, job, done))
        try:
            return await done
        finally:
            job.on_end(None)
            stopper.cancel()

    async def _stop_when(self, ended: asyncio.Event, job: Job, done: asyncio.Future[bool]) -> None:
        """When the job is ended from outside: interrupt the model; give its process up if it does not react."""
        await ended.wait()
        if self.current is job and self._client is not None:
            with contextlib.suppress(TimeoutError, Exception):
                # An interrupt before the client's init message would be lost.
                await asyncio.wait_for(self._interrupt(), STOP_LIMIT_S / 2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(done), STOP_LIMIT_S / 2)
        if not done.done() and self.current is job:
            self.kill()
            self.close()
            with contextlib.suppress(TimeoutError):  # what was used up to here is charged first
                await asyncio.wait_for(asyncio.shield(done), GIVE_UP_S)
        _finish(done)

    async def _interrupt(self) -> None:
        await self._seen_init.wait()
        await self._client.interrupt()

    def close(self) -> None:
        """Give the client up; its process ends with it. May be called again."""
        self.closed = True
        if not self._leaving:  # a disconnect that was cancelled would leave the process behind
            self._owner.cancel()

    def kill(self) -> None:
        """End the process at once: the SDK would wait for a hanging one for ten seconds, and leave it behind when
        Python ends before that. The SDK offers no way to its process but its own attributes.
        """
        client = self._client or self._passing
        process = getattr(getattr(client, "_transport", None), "_process", None)
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

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
                except asyncio.CancelledError:
                    job.failure = job.failure or "the client was closed while it worked"
                    raise
                except Exception as error:  # noqa: BLE001 - whatever the SDK raises fails this job, not the kernel
                    self._fail(job, error)
                    self.closed = True
                finally:
                    self.current = None
                    _finish(done)
                if self.closed:
                    return
        finally:
            self.closed = self._leaving = True
            while not self._jobs.empty():
                entry = self._jobs.get_nowait()
                if entry is not None:
                    _finish(entry[1], served=False)
            await self._disconnect()

    async def _disconnect(self) -> None:
        client = self._passing = self._client
        self._client = None
        if client is not None:
            try:
                await client.disconnect()
            except Exception as error:  # noqa: BLE001 - the process is gone either way
                self.heard(f"disconnect: {error}")
            finally:
                self._passing = None

    async def _connect(self) -> None:
        # It takes seconds, in which this loop must go on: a stop has to be heard.
        sdk = await asyncio.to_thread(importlib.import_module, "claude_agent_sdk")
        client = self._passing = sdk.ClaudeSDKClient(self._options(self))
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await client.connect()
        except BaseException:
            self.kill()
            with contextlib.suppress(Exception):
                await client.disconnect()
            raise
        finally:
            self._passing = None
        self._client, self._used = client, False

    async def _work(self, job: Job) -> None:
        if self._client is not None and self._used:
            await self._forget()
        if self._client is None:
            await self._connect()
        if job.ending:
            return
        self._used = True
        self._seen_init.clear()
        await self._client.query(_goal(job.goal))
        reader = Reader(job)
        try:
            async for message in self._client.receive_response():
                self._seen_init.set()
                reader.take(message)
        finally:
            reader.close()
        if job.told is not None and job.told.error and not job.workbench.calls and not job.ending:
            self.closed = True  # a call that never arrived may be this client's fault: the next goal gets a new one
        if job.result is None and not job.ending:
            raise EndpointError(
                f"Claude's command line program ended without a result.{self._said()}",
                remedy="Run the goal again: it starts anew.",
            )

    async def _forget(self) -> None:
        """Start a new conversation on the same process; the CLI's cost counters start anew with it.

        A process that died or hangs since the last goal is replaced: nothing was asked of it yet.
        """
        ended = False
        try:
            async with asyncio.timeout(FORGET_LIMIT_S):
                await self._client.query("/clear")
                async for message in self._client.receive_response():
                    ended = type(message).__name__ == "ResultMessage"
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, a new one is connected
            self.heard(f"clear: {type(error).__name__}: {error}")
            ended = False
        if not ended:
            self.kill()
            await self._disconnect()

    def _said(self) -> str:
        said = " | ".join(line for line in self._stderr if line)[-500:]
        return f" It wrote: {said}" if said else ""

    def _fail(self, job: Job, error: Exception) -> None:
        import claude_agent_sdk as sdk

        told = self._said()
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


def _finish(done: asyncio.Future[bool], served: bool = True) -> None:
    if not done.done():
        done.set_result(served)


async def _goal(text: str) -> AsyncIterator[dict[str, Any]]:
    """The goal as a message that is delivered word for word: no file mentions, no slash commands."""
    yield {
        "type": "user",
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": None,
        "client_composed": True,
        "uuid": str(uuid.uuid4()),
    }
