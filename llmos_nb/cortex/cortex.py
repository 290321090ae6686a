"""The Claude side: a thread with an event loop of its own that holds warm sessions and serves jobs.

The model's stream keeps flowing there while a cell computes, and nothing that patches or blocks the notebook's loop
reaches it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Hashable
from pathlib import Path
from typing import Any, TypeVar

from llmos_nb.cortex.endpoint import Endpoint, isolated_environment
from llmos_nb.cortex.hooks import HOOKS, Hook, build_hooks
from llmos_nb.cortex.job import Job
from llmos_nb.cortex.options import build_options
from llmos_nb.cortex.scripted import ScriptedServer, load_scripts
from llmos_nb.cortex.server import build_server
from llmos_nb.cortex.session import Session
from llmos_nb.errors import EndpointError
from llmos_nb.mind import Agent
from llmos_nb.settings import Settings

__all__ = ["Cortex"]

T = TypeVar("T")


class Cortex:
    """Runs jobs on the SDK. Start is lazy; :meth:`close` ends the CLI processes and the scripted server."""

    def __init__(self, workspace: Path, *, hooks: tuple[Hook, ...] = HOOKS, scripted: Any = None) -> None:
        self._workspace = workspace
        self._hooks = hooks
        self._scripted = scripted
        self._own_server = scripted is None
        self._sessions: dict[Hashable, Session] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._closed = False

    async def run(self, job: Job, agent: Agent, settings: Settings, *, model: str | None) -> None:
        """Work on ``job`` from any loop until it is over; its facts are then in the job."""
        if job.bill.remaining_usd <= 0 and not job.endpoint.free:
            job.end("over_budget", "the run has no budget")
            return
        waiter = asyncio.wrap_future(self._submit(lambda: self._run(job, agent, settings, model)))
        try:
            await asyncio.shield(waiter)
        except asyncio.CancelledError:
            job.end("stopped", "interrupted")
            await asyncio.wait({waiter}, timeout=settings.stop_grace_s)
            raise

    @property
    def scripted(self) -> Any:
        """The scripted server, once a job has used it, or None."""
        return self._scripted

    def close(self) -> None:
        """End every session and the server. Safe to call twice."""
        with self._lock:
            self._closed, loop, self._loop = True, self._loop, None
        if loop is not None:
            done = asyncio.run_coroutine_threadsafe(self._close_sessions(), loop)
            with contextlib.suppress(Exception):
                done.result(timeout=5)
            loop.call_soon_threadsafe(loop.stop)
        if self._own_server and self._scripted is not None:
            self._scripted.close()
            self._scripted = None
        atexit.unregister(self.close)

    async def _close_sessions(self) -> None:
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            session.close()
        ending = {asyncio.ensure_future(session.wait_closed()): session for session in sessions}
        for grace_s in (2.0, 1.0):
            if ending:
                _, left = await asyncio.wait(ending, timeout=grace_s)
                for task in left:
                    ending[task].kill()
        # Pipes of a process that ended are closed in the loop's next turns; left open they would complain at exit.
        await asyncio.sleep(0.02)

    def _submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Any:
        with self._lock:
            if self._closed:
                raise EndpointError("The system was closed.", remedy="Make a new one and run the goal again.")
            if self._loop is None:
                self._loop = _started_loop()
                atexit.register(self.close)
            return asyncio.run_coroutine_threadsafe(work(), self._loop)

    async def _run(self, job: Job, agent: Agent, settings: Settings, model: str | None) -> None:
        while not self._closed:
            session = await self._session(job, agent, settings, model)
            if await session.serve(job):
                return
        job.failure, job.remedy = "The system was closed.", "Make a new one and run the goal again."

    async def _session(self, job: Job, agent: Agent, settings: Settings, model: str | None) -> Session:
        url, key = self._address(job.endpoint, settings)
        # The CLI's own lock counts in Claude's list prices, which are wrong for any other endpoint.
        limit = round(job.bill.remaining_usd, 6) if job.endpoint.kind == "claude" else None
        identity: Hashable = (
            agent.name, agent.version, agent.prompt, agent.tools, repr(sorted(agent.options.items())),
            model, url, str(job.workbench.cwd), repr(sorted(settings.sdk.items())), settings.max_turns, limit,
            settings.output_limit, settings.hook_deadline_s,
        )  # fmt: skip
        session = self._sessions.pop(identity, None)
        if session is None or session.closed:
            session = Session(lambda own: self._options(own, job, agent, settings, model, url, key, limit))
        self._sessions[identity] = session  # the newest last
        for old in [i for i, s in self._sessions.items() if s.idle and s is not session]:
            if len(self._sessions) > settings.warm_clients:
                self._sessions.pop(old).close()
        return session

    def _options(
        self,
        session: Session,
        job: Job,
        agent: Agent,
        settings: Settings,
        model: str | None,
        url: str | None,
        key: str | None,
        limit: float | None,
    ) -> Any:
        environment: dict[str, str] = {}
        if url is not None:
            home = self._workspace / ".llmos" / "claude"
            try:
                home.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise EndpointError(
                    f"{home}: cannot be created ({error.strerror or error}).",
                    remedy="Choose a workspace folder that you can write to.",
                ) from error
            environment = isolated_environment(os.environ, url=url, key=key or "none", home=home)
            if job.endpoint.kind == "scripted":
                environment["HOME"] = str(home)
        return build_options(
            agent,
            settings_sdk=settings.sdk,
            model=model,
            max_turns=settings.max_turns,
            max_budget_usd=limit,
            cwd=job.workbench.cwd,
            environment=environment,
            server=build_server(agent.tools, session.current_job, settings.output_limit),
            hooks=build_hooks(self._hooks, session.current_job, settings.hook_deadline_s),
            on_stderr=session.heard,
        )

    def _address(self, endpoint: Endpoint, settings: Settings) -> tuple[str | None, str | None]:
        """URL and key for the CLI; both None for Claude, which the CLI finds by itself."""
        if endpoint.kind == "claude":
            return None, None
        if endpoint.kind == "url":
            return endpoint.url, settings.endpoint_key
        if self._scripted is None:
            self._scripted = ScriptedServer(load_scripts(self._workspace / "scripts"))
            self._scripted.start()
        return self._scripted.url, self._scripted.api_key


class _OwnSessions(asyncio.SelectorEventLoop):
    """Starts every process in a session of its own.

    An interrupt goes to the whole process group of a kernel or terminal. It must not kill the CLI under a run that is
    being stopped in an orderly way; the SDK has no option for it.
    """

    async def subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        return await super().subprocess_exec(*arguments, **{**options, "start_new_session": True})


def _started_loop() -> asyncio.AbstractEventLoop:
    """A loop running on a thread of its own (with processes, also on Windows)."""
    factory = getattr(asyncio, "ProactorEventLoop", _OwnSessions)
    loop: asyncio.AbstractEventLoop = factory()

    def work() -> None:
        loop.run_forever()
        loop.close()

    threading.Thread(target=work, name="llmos-cortex", daemon=True).start()
    return loop
