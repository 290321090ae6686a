"""One warm client of the SDK: an owner task connects it, serves jobs from a queue one at a time, and disconnects it.

Every job starts a conversation of its own: what a run learned must hold for the goal alone, so no earlier goal may be
in the model's context.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import secrets
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from llmos_nb.cortex.context import ContextUse
from llmos_nb.cortex.job import Job
from llmos_nb.cortex.reader import Reader
from llmos_nb.cortex.transcript import mask_transcript
from llmos_nb.errors import EndpointError, LlmosError
from llmos_nb.kernel.events import Notice
from llmos_nb.kernel.offspring import end_offspring
from llmos_nb.kernel.secrets import secret_values

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

    def __init__(self, options: Callable[[Session], Any], home: Path | None = None) -> None:
        self._options = options
        #: The CLI's folder, which has its record of each conversation.
        self._home = home
        #: The model's name of the conversation at hand, and the job that had it.
        self._conversation = ""
        self._latest: Job | None = None
        self._jobs: asyncio.Queue[tuple[Job, asyncio.Future[bool]] | None] = asyncio.Queue()
        self._client: Any = None
        #: A client that is being connected or disconnected.
        self._passing: Any = None
        self._used = False
        #: Whether this CLI says which of our messages a message of its is about.
        self._tells = False
        self._seen_init = asyncio.Event()
        #: What the process and all that it starts have in their environment.
        self.mark: Final = secrets.token_hex(8)
        self._stderr: deque[str] = deque(maxlen=20)
        self.current: Job | None = None
        self.closed = False
        self._leaving = False
        self._owner = asyncio.get_running_loop().create_task(self._own())

    async def context_use(self) -> ContextUse | None:
        """How full the context of the conversation is that was had last; None before there was one."""
        if self._client is None or not self._used:
            return None
        return ContextUse.of(await self._client.get_context_usage())

    @property
    def idle(self) -> bool:
        """Whether no job is running or waiting."""
        return self.current is None and self._jobs.empty()

    @property
    def waiting(self) -> int:
        """How many jobs it has: the one at work and those behind it."""
        return self._jobs.qsize() + (self.current is not None)

    @property
    def left(self) -> bool:
        """Whether its client is disconnected for good."""
        return self._owner.done()

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
        """End the process at once, and what it started: the SDK would wait for a hanging one for ten seconds, and leave
        it behind when Python ends before that. The SDK offers no way to its process but its own attributes.
        """
        client = self._client or self._passing
        process = _process_of(client)
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if client is not None:
            end_offspring(self.mark)

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
                    job.end("failed", job.failure)  # a cell at work would be worked for nothing
                    self.kill()  # it may hang, or write without an end: the SDK would wait for it for ten seconds
                finally:
                    self.current = None
                    _finish(done)
                await self._mask(job)
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
            process = _process_of(client)
            try:
                await client.disconnect()
            except Exception as error:  # noqa: BLE001 - the process is gone either way
                self.heard(f"disconnect: {error}")
            finally:
                self._passing = None
                _let_go(process)
            if self._latest is not None:  # its last words may have been written late
                await self._mask(self._latest)

    async def _connect(self) -> None:
        # It takes seconds, in which this loop must go on: a stop has to be heard.
        sdk = await asyncio.to_thread(importlib.import_module, "claude_agent_sdk")
        _quiet()
        client = self._passing = sdk.ClaudeSDKClient(self._options(self))
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await client.connect()
        except BaseException:
            process = _process_of(client)
            self.kill()
            with contextlib.suppress(Exception):
                await client.disconnect()
            _let_go(process)
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
        asked = str(uuid.uuid4())
        await self._client.query(_goal(job.goal, asked))
        reader = Reader(job)
        try:
            async for message in self._answers(asked):
                self._seen_init.set()
                self._conversation = str(getattr(message, "session_id", "") or self._conversation)
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

    async def _answers(self, asked: str) -> AsyncIterator[Any]:
        """What is said about the message ``asked``, up to its result. What was said twice of an earlier one, or late, is
        passed over: a goal must never be given another one's answer."""
        began = False
        async for message in self._client.receive_messages():
            whose = _about(message)
            result = type(message).__name__ == "ResultMessage"
            self._tells = self._tells or bool(whose)
            began = began or asked in whose or (_is_init(message) and not self._tells)
            if not began or (result and whose and asked not in whose):
                continue
            yield message
            if result:
                return

    async def _forget(self) -> None:
        """Start a new conversation on the same process; the CLI's cost counters start anew with it.

        A process that died or hangs since the last goal is replaced: nothing was asked of it yet.
        """
        ended = False
        try:
            async with asyncio.timeout(FORGET_LIMIT_S):
                await self._client.query("/clear")
                began = False
                async for message in self._client.receive_messages():
                    began = began or _is_init(message)
                    if began and type(message).__name__ == "ResultMessage" and not _about(message):
                        ended = True
                        break
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, a new one is connected
            self.heard(f"clear: {type(error).__name__}: {error}")
            ended = False
        if not ended:
            self.kill()
            await self._disconnect()

    async def _mask(self, job: Job) -> None:
        """Take out of the CLI's record of a conversation what nobody should find there; what the model wrote is in it."""
        if self._home is None or not self._conversation:
            return
        self._latest = job
        known = secret_values(job.workbench.namespace.names)
        try:
            await asyncio.to_thread(mask_transcript, self._home, self._conversation, known)
        except Exception as error:  # noqa: BLE001 - the run itself is over, and as it is
            told = f"Claude's own record of this conversation could not be looked through for secrets: {error}"
            job.publish(Notice(run_id=job.run_id, text=told))

    def _said(self) -> str:
        said = " | ".join(line for line in self._stderr if line)[-500:]
        return f" It wrote: {said}" if said else ""

    def _fail(self, job: Job, error: Exception) -> None:
        import claude_agent_sdk as sdk

        told = self._said()
        if job.resume and "No conversation found" in f"{error} {told}":
            job.failure = "The conversation of that run is not there any more, or was had in another folder."
            job.remedy = "Run the goal without resume, and say what it needs to know."
        elif isinstance(error, LlmosError):
            job.failure, job.remedy = error.message, error.remedy
        elif isinstance(error, sdk.CLINotFoundError):
            job.failure = f"Claude's command line program cannot be found ({error})."
            job.remedy = "Reinstall claude-agent-sdk, which brings it; `llmos-nb doctor` tells what is missing."
        elif isinstance(error, TimeoutError):
            job.failure = f"Claude's command line program did not start within {CONNECT_LIMIT_S:g} s.{told}"
            job.remedy = "Run the goal again; `llmos-nb doctor` tells whether it starts at all."
        elif isinstance(error, sdk.ProcessError):
            job.failure = f"Claude's command line program {_end_of(error.exit_code)} while it worked.{told}"
            job.remedy = "Run the goal again: it starts anew. `llmos-nb doctor` tells whether it works."
        elif isinstance(error, sdk.CLIJSONDecodeError):
            job.failure = f"Claude's command line program said what cannot be read: {str(error)[:300]}"
            job.remedy = "Run the goal again: it starts anew."
        else:
            job.failure = f"Claude's command line program failed: {type(error).__name__}: {error}.{told}"
            job.remedy = "Run the goal again: it starts anew. `llmos-nb doctor` tells whether it works."


def _process_of(client: Any) -> Any:
    return getattr(getattr(client, "_transport", None), "_process", None)


def _let_go(process: Any) -> None:
    """Close the pipes of a process: one with unread output would keep them open."""
    transport = getattr(getattr(process, "_process", None), "_transport", None)
    if transport is not None:
        with contextlib.suppress(Exception):
            transport.close()


def _end_of(code: int | None) -> str:
    """How a process came to its end."""
    if code is None:
        return "ended"
    killed = "was killed (signal 9), as a machine does that is out of memory," if code == -9 else ""
    return killed or (f"was ended by signal {-code}" if code < 0 else f"ended with code {code}")


def _quiet() -> None:
    """What goes wrong is told by the run; without a handler the SDK's log would be printed into the cell, too."""
    log = logging.getLogger("claude_agent_sdk")
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def _finish(done: asyncio.Future[bool], served: bool = True) -> None:
    if not done.done():
        done.set_result(served)


def _is_init(message: Any) -> bool:
    return type(message).__name__ == "SystemMessage" and message.subtype == "init"


def _about(message: Any) -> tuple[str, ...]:
    """The messages of ours that a message of the CLI says it is about; of some it says none."""
    data = getattr(message, "data", None)
    told = data if isinstance(data, dict) else vars(message) if hasattr(message, "__dict__") else {}
    several = told.get("user_message_uuids")
    one = told.get("user_message_uuid")
    return (*(several if isinstance(several, list) else ()), *((one,) if isinstance(one, str) else ()))


async def _goal(text: str, name: str) -> AsyncIterator[dict[str, Any]]:
    """The goal as a message that is delivered word for word: no file mentions, no slash commands."""
    yield {
        "type": "user",
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": None,
        "client_composed": True,
        "uuid": name,
    }
