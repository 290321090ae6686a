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
from collections.abc import Callable, Coroutine, Hashable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from llmos_nb.cortex.context import ContextUse
from llmos_nb.cortex.endpoint import Endpoint, isolated_environment
from llmos_nb.cortex.hooks import HOOKS, Hook, build_hooks
from llmos_nb.cortex.job import Job
from llmos_nb.cortex.options import build_options
from llmos_nb.cortex.scripted import ScriptedServer, knows, load_scripts
from llmos_nb.cortex.scripted.script import Script
from llmos_nb.cortex.server import build_server
from llmos_nb.cortex.session import Session
from llmos_nb.crystals import CrystalShelf
from llmos_nb.crystals.offered import crystal_tools
from llmos_nb.errors import EndpointError
from llmos_nb.guard.scripts import is_own_script
from llmos_nb.kernel.offspring import end_orphans
from llmos_nb.mind import Agent
from llmos_nb.settings import Settings
from llmos_nb.tools.cell import RUN_CELL
from llmos_nb.tools.tool import Tool

__all__ = ["Cortex"]

T = TypeVar("T")
#: Crystals that are offered to a model at once.
MOST_CRYSTALS: Final = 24


class Cortex:
    """Runs jobs on the SDK. Start is lazy; :meth:`close` ends the CLI processes and the scripted server.

    Agents that may run cells are offered the functions of ``crystals`` as tools, too.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        hooks: tuple[Hook, ...] = HOOKS,
        scripted: Any = None,
        crystals: CrystalShelf | None = None,
    ) -> None:
        self._workspace = workspace
        self._crystals = crystals
        self._hooks = hooks
        self._scripted = scripted
        self._own_server = scripted is None
        #: By configuration, the latest used last. Runs at the same time have one each.
        self._sessions: list[tuple[Hashable, Session]] = []
        #: Sessions that were closed, whose processes may not have ended yet.
        self._leaving: list[Session] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._closed = False

    async def run(
        self, job: Job, agent: Agent, settings: Settings, *, model: str | None, team: Sequence[Agent] = ()
    ) -> None:
        """Work on ``job`` from any loop until it is over; its facts are then in the job.

        ``team`` are the agents that ``agent`` may call.
        """
        if job.bill.remaining_usd <= 0 and not job.endpoint.free:
            job.end("over_budget", "the run has no budget")
            return
        waiter = asyncio.wrap_future(self._submit(lambda: self._run(job, agent, settings, model, team)))
        try:
            await asyncio.shield(waiter)
        except asyncio.CancelledError:
            job.end("stopped", "interrupted")
            await asyncio.wait({waiter}, timeout=settings.stop_grace_s)
            raise
        finally:  # the model's side may be done with a stopped job before the tool that was at work has ended
            await job.workbench.over(settings.stop_grace_s)

    def context_use(self, timeout_s: float = 10.0) -> ContextUse | None:
        """How full the context of the latest conversation is, asked of the SDK now; None where there is none.

        Raises:
            EndpointError: it does not tell.
        """
        with self._lock:
            loop = self._loop
        if loop is None:
            return None

        async def ask() -> ContextUse | None:
            for _, session in reversed(list(self._sessions)):
                if not session.closed and (use := await session.context_use()) is not None:
                    return use
            return None

        try:
            return asyncio.run_coroutine_threadsafe(ask(), loop).result(timeout_s)
        except Exception as error:
            raise EndpointError(
                f"The model's side does not tell its context ({type(error).__name__}: {error}).",
                remedy="Run a goal, then ask again.",
            ) from error

    @property
    def scripted(self) -> Any:
        """The scripted server, once a job has used it, or None."""
        return self._scripted

    def has_script(self, goal: str) -> bool:
        """Whether the scripted endpoint has a script for ``goal``; it need not have been used yet."""
        return knows(goal, self._scripts() if self._scripted is None else self._scripted.scripts)

    def _scripts(self) -> list[Script]:
        return load_scripts(self._workspace / "scripts", packs=True, own=is_own_script)

    def reload_scripts(self) -> None:
        """Play scripts as they are now, where the scripted endpoint is at work already.

        Raises:
            ScriptFileError: one of them is none.
        """
        if self._scripted is not None:
            self._scripted.scripts = tuple(self._scripts())

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
        atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        """The process ends: what is at work was stopped, it did not fail."""
        for _, session in list(self._sessions):
            if (job := session.current) is not None:
                job.end("stopped", "interrupted: the kernel was shut down")
        self.close()

    async def _close_sessions(self) -> None:
        sessions = [*(session for _, session in self._sessions), *self._leaving]
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
                threading.Thread(target=_swept, name="llmos-orphans", daemon=True).start()
                atexit.register(self._at_exit)
            return asyncio.run_coroutine_threadsafe(work(), self._loop)

    async def _run(
        self, job: Job, agent: Agent, settings: Settings, model: str | None, team: Sequence[Agent]
    ) -> None:
        while not self._closed:
            session = await self._session(job, agent, settings, model, team)
            served = await session.serve(job)
            self._keep(settings.warm_clients)
            if served:
                return
        job.failure, job.remedy = "The system was closed.", "Make a new one and run the goal again."

    async def _session(
        self, job: Job, agent: Agent, settings: Settings, model: str | None, team: Sequence[Agent]
    ) -> Session:
        url, key = self._address(job.endpoint, settings)
        offered = self._offered(agent)
        # The CLI's own lock counts in Claude's list prices, which are wrong for any other endpoint.
        limit = round(job.bill.remaining_usd, 6) if job.endpoint.kind == "claude" else None
        identity: Hashable = (
            agent.name, agent.version, agent.prompt, agent.tools, repr(sorted(agent.options.items())),
            model, url, str(job.workbench.cwd), repr(sorted(settings.sdk.items())), settings.max_turns, limit,
            settings.output_limit, settings.hook_deadline_s, repr([(tool.name, tool.schema) for tool in offered]),
            repr([(a.name, a.description, a.prompt, a.tools, a.model, sorted(a.options.items())) for a in team]),
        )  # fmt: skip
        if job.resume:  # a client of its own, which no other goal gets
            identity = job.run_id
        self._sessions = [(key_, kept) for key_, kept in self._sessions if not kept.closed]
        alike = [kept for key_, kept in self._sessions if key_ == identity]
        session = next((kept for kept in alike if kept.idle), None)
        if session is None and len(alike) < settings.parallel_goals:
            session = Session(
                lambda own: self._options(own, job, agent, settings, model, url, key, limit, offered, team),
                self._home(settings, url),
            )
        session = session or min(alike, key=lambda kept: kept.waiting)
        self._sessions = [entry for entry in self._sessions if entry[1] is not session] + [(identity, session)]
        self._keep(settings.warm_clients, session)
        return session

    def _home(self, settings: Settings, url: str | None) -> Path:
        """The CLI's folder: one of our own where no key or login of the user's is used."""
        if url is not None:
            return self._workspace / ".llmos" / "claude"
        named = (settings.sdk.get("env") or {}).get("CLAUDE_CONFIG_DIR") or os.environ.get("CLAUDE_CONFIG_DIR")
        return Path(str(named)).expanduser() if named else Path.home() / ".claude"

    def _keep(self, count: int, session: Session | None = None) -> None:
        """Close idle sessions beyond ``count``, the oldest first; ``session``, which is about to be used, is one of them.

        Those at work do not count: where several goals are worked on at once, each that ends leaves its client to the
        next.
        """
        idle = [entry for entry in self._sessions if entry[1].idle and entry[1] is not session]
        room = count - (session is not None)
        for entry in idle[: max(0, len(idle) - room)]:
            self._sessions.remove(entry)
            entry[1].close()
            self._leaving = [*(other for other in self._leaving if not other.left), entry[1]]

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
        offered: Sequence[Tool],
        team: Sequence[Agent],
    ) -> Any:
        environment: dict[str, str] = {}
        if url is not None:
            home = self._home(settings, url)
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
            server=build_server(agent.tools, session.current_job, settings.output_limit, offered),
            hooks=build_hooks(self._hooks, session.current_job, settings.hook_deadline_s),
            on_stderr=session.heard,
            more_tools=[tool.name for tool in offered],
            team=team,
            resume=job.resume,
            mark=session.mark,
        )

    def _offered(self, agent: Agent) -> list[Tool]:
        """The crystals that the agent may call: what it could do in a cell anyway. Not too many, or they drown the rest."""
        if self._crystals is None or RUN_CELL.name not in agent.tools:
            return []
        return crystal_tools(self._crystals)[:MOST_CRYSTALS]

    def _address(self, endpoint: Endpoint, settings: Settings) -> tuple[str | None, str | None]:
        """URL and key for the CLI; both None for Claude, which the CLI finds by itself."""
        if endpoint.kind == "claude":
            return None, None
        if endpoint.kind == "url":
            return endpoint.url, settings.endpoint_key
        if self._scripted is None:
            self._scripted = ScriptedServer(self._scripts())
            self._scripted.start()
        return self._scripted.url, self._scripted.api_key


class _OwnSessions(asyncio.SelectorEventLoop):
    """Starts every process in a session of its own.

    An interrupt goes to the whole process group of a kernel or terminal. It must not kill the CLI under a run that is
    being stopped in an orderly way; the SDK has no option for it.
    """

    async def subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        return await super().subprocess_exec(*arguments, **{**options, "start_new_session": True})


def _swept() -> None:
    """What kernels left behind that were killed ends when the next one works."""
    with contextlib.suppress(Exception):
        end_orphans()


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The SDK's tasks that answer a program which is gone: the run tells of that, nobody else need be told."""
    import claude_agent_sdk as sdk

    if not isinstance(context.get("exception"), sdk.ClaudeSDKError):
        loop.default_exception_handler(context)


def _started_loop() -> asyncio.AbstractEventLoop:
    """A loop running on a thread of its own (with processes, also on Windows)."""
    factory = getattr(asyncio, "ProactorEventLoop", _OwnSessions)
    loop: asyncio.AbstractEventLoop = factory()
    loop.set_exception_handler(_unheard)

    def work() -> None:
        loop.run_forever()
        loop.close()

    threading.Thread(target=work, name="llmos-cortex", daemon=True).start()
    return loop
