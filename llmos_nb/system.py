"""``LLMOS``: one workspace, wired up. Everything a magic does, this does too."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from llmos_nb.errors import AgentFileError, EmptyGoal, ModeUnavailable, SettingsError, StoreError
from llmos_nb.kernel.events import Event, EventBus
from llmos_nb.settings import Settings, load_settings

if TYPE_CHECKING:
    from llmos_nb.cortex.endpoint import Endpoint
    from llmos_nb.dispatch.decide import Decision
    from llmos_nb.dispatch.dispatcher import Dispatcher
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.kernel.budget import TokenEconomy
    from llmos_nb.memory import TraceStore
    from llmos_nb.mind import Agent, AgentRegistry
    from llmos_nb.tools.namespace import Namespace

__all__ = ["LLMOS"]

#: Characters of a goal. Longer ones are files, and better named than pasted.
GOAL_LIMIT = 100_000


class LLMOS:
    """A workspace with its agents, traces, budget and endpoint.

    Making one is cheap; parts are loaded when they are first used. Inside IPython goals work in the user's own
    namespace, elsewhere in ``namespace`` (a :class:`~llmos_nb.tools.namespace.Namespace`), or one of their own.

    Args:
        workspace: the folder; ``LLMOS_WORKSPACE`` or ``workspace`` if None.
        endpoint: ``claude``, ``scripted``, an http(s) URL, or ``auto``.
        budget_usd: what the workspace may spend in all, in US dollars.
        settings: any option of :class:`~llmos_nb.settings.Settings`.

    Raises:
        SettingsError: an unknown or unusable setting.
    """

    def __init__(
        self,
        workspace: str | Path | None = None,
        endpoint: str | None = None,
        budget_usd: float | None = None,
        *,
        namespace: Namespace | None = None,
        **settings: Any,
    ) -> None:
        self.settings: Settings = load_settings(
            Path(workspace) if workspace is not None else None, endpoint=endpoint, budget_usd=budget_usd, **settings
        )
        self.session_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        self.bus = EventBus()
        self._namespace = namespace
        self._parts = contextlib.ExitStack()

    # -- running goals

    async def execute(
        self,
        goal: str,
        mode: str | None = None,
        agent: str | None = None,
        budget_usd: float | None = None,
        project: str | None = None,
        *,
        model: str | None = None,
    ) -> RunResult:
        """Work on a goal until it ends in one of the six end states; the result says which, and why.

        Args:
            goal: what is wanted, in words.
            mode: ``auto``, or the mode to use.
            agent: the agent's name; the settings' default if None.
            budget_usd: what this run may spend, in US dollars.
            model: the model to ask, instead of the agent's or the settings' own.

        Raises:
            EmptyGoal, UnknownAgent, AgentFileError, UnknownMode, SettingsError, StoreError: nothing was begun.
        """
        from llmos_nb.dispatch.decide import check_mode
        from llmos_nb.dispatch.run import Goal

        text = _checked_goal(goal)
        if project is not None:
            raise ModeUnavailable(
                "Goals cannot be run in a project: this version has none.", remedy="Leave project out."
            )
        chosen_mode = check_mode(mode or self.settings.mode)
        chosen = self.agent(agent)
        limit = self.settings.run_budget_usd if budget_usd is None else budget_usd
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit < float("inf"):
            raise SettingsError(
                f"budget_usd must be an amount in US dollars, got {limit!r}.", remedy="Give 0.5, say."
            )
        dispatcher = self._dispatcher
        return await dispatcher.execute(
            Goal(
                run_id=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
                text=text,
                mode=chosen_mode,
                agent=chosen,
                agent_asked=agent is not None,
                model=model or chosen.model or self.settings.model or self._default_model,
                budget_usd=float(limit),
                cwd=Path.cwd(),
            )
        )

    def run(self, goal: str, *args: Any, **options: Any) -> RunResult:
        """:meth:`execute` for code that does not await: in a plain script, and inside a running loop as well.

        Raises:
            KeyboardInterrupt: a person interrupted the run; it is settled and kept.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            result = asyncio.run(self.execute(goal, *args, **options))
        else:
            import nest_asyncio  # patches the loop, so only for whoever asks for it

            nest_asyncio.apply(loop)
            result = loop.run_until_complete(self.execute(goal, *args, **options))
        if result.interrupted:
            raise KeyboardInterrupt  # as any other call: what comes after it must not go on
        return result

    def explain(self, goal: str, mode: str | None = None, agent: str | None = None) -> Decision:
        """What would be done about a goal, and why. Runs nothing, costs nothing.

        Raises:
            EmptyGoal, UnknownAgent, UnknownMode, ModeUnavailable: see :meth:`execute`.
        """
        name = self.agent(agent).name if agent is not None else None
        return self._dispatcher.decision(_checked_goal(goal), mode or self.settings.mode, name, Path.cwd())

    def stop(self, run_id: str | None = None) -> list[str]:
        """Stop one run, or all of this system; returns their ids. Callable from any thread."""
        return self._dispatcher.stop(run_id) if "_dispatcher" in self.__dict__ else []

    @property
    def running(self) -> dict[str, str]:
        """Goals that are being worked on, by run id."""
        return self._dispatcher.running if "_dispatcher" in self.__dict__ else {}

    def on(self, kind: type[Event], deliver: Callable[[Any], None]) -> Callable[[], None]:
        """Call ``deliver(event)``, on a thread of its own, for every event of ``kind``; returns what ends it."""

        def filtered(event: Event) -> None:
            if isinstance(event, kind):
                deliver(event)

        return self.bus.subscribe(filtered, name=getattr(deliver, "__name__", kind.__name__))

    def use_endpoint(self, endpoint: str) -> Endpoint:
        """Send model calls somewhere else from now on: ``claude``, ``scripted``, ``auto`` or an http(s) URL.

        Raises:
            SettingsError: it is none of these.
        """
        settings = self.settings.with_(endpoint=endpoint)
        self.close()
        self.settings = settings
        self.__dict__.pop("endpoint", None)
        return self.endpoint

    # -- parts

    @property
    def workspace(self) -> Path:
        """The workspace's folder."""
        return self.settings.workspace

    @functools.cached_property
    def agents(self) -> AgentRegistry:
        """The agents of this workspace and the packaged ones."""
        from llmos_nb.mind import AgentRegistry

        return AgentRegistry(self.workspace / "agents")

    @functools.cached_property
    def endpoint(self) -> Endpoint:
        """Where model calls go."""
        from llmos_nb.cortex.endpoint import resolve_endpoint

        return resolve_endpoint(self.settings, os.environ)

    @functools.cached_property
    def economy(self) -> TokenEconomy:
        """The budget and its ledger; in play money with the scripted endpoint."""
        from llmos_nb.kernel.budget import Limits, TokenEconomy

        settings = self.settings
        limits = Limits(session_usd=settings.session_budget_usd, day_usd=settings.day_budget_usd)
        options: dict[str, Any] = {}
        if settings.budget_usd != Settings.__dataclass_fields__["budget_usd"].default:
            options["budget_usd"] = settings.budget_usd  # otherwise what %budget set kept in the database holds
        return TokenEconomy(
            engine=self._state,
            limits=limits,
            simulated=self.endpoint.simulated,
            session_id=self.session_id,
            **options,
        )

    @functools.cached_property
    def traces(self) -> TraceStore:
        """The traces of this workspace."""
        from llmos_nb.memory import TraceStore

        return self._parts.enter_context(TraceStore(self.workspace / "memory" / "traces", state=self._state))

    @functools.cached_property
    def _state(self) -> Any:
        from llmos_nb.kernel.state import open_state

        self.check_workspace()
        engine = open_state(self.settings.state_url or self.workspace / ".llmos" / "state.db")
        self._parts.callback(engine.dispose)
        return engine

    @functools.cached_property
    def _dispatcher(self) -> Dispatcher:
        from llmos_nb.cortex.cortex import Cortex
        from llmos_nb.dispatch.dispatcher import Dispatcher
        from llmos_nb.dispatch.run import Parts
        from llmos_nb.memory.session import SessionLog

        self.check_workspace()
        cortex = Cortex(self.workspace.resolve())
        parts = Parts(
            settings=self.settings,
            endpoint=self.endpoint,
            store=self.traces,
            economy=self.economy,
            cortex=cortex,
            bus=self.bus,
            namespace=self._namespace or _own_namespace(),
        )
        log = SessionLog(self.workspace / "memory" / "sessions", self.session_id)
        self._parts.callback(self.bus.subscribe(log, name="session log"))
        self._parts.callback(cortex.close)
        return Dispatcher(parts)

    @property
    def _default_model(self) -> str | None:
        return "scripted" if self.endpoint.kind == "scripted" else None

    def agent(self, name: str | None = None) -> Agent:
        """The agent called ``name``, or the default one, its grant checked against the tools there are.

        Raises:
            UnknownAgent, AgentFileError: there is none of that name, or its file cannot be used.
        """
        from llmos_nb.guard.policy import BUILT_IN_TOOLS
        from llmos_nb.tools.registry import TOOLS

        agent = self.agents.get(name or self.settings.agent)
        known = {*TOOLS, *BUILT_IN_TOOLS}
        unknown = self.agents.unknown_tools(agent, known)
        if unknown:
            raise AgentFileError(
                f"{agent.path or agent.name}: tools grants {', '.join(unknown)}, which no part of this system offers.",
                remedy=f"The tools are {', '.join(sorted(known))}.",
            )
        return agent

    def check_workspace(self) -> None:
        """Make the workspace's folder, and see that something can be written there."""
        probe = self.workspace / ".llmos"
        try:
            probe.mkdir(parents=True, exist_ok=True)
            if not os.access(probe, os.W_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise StoreError(
                f"The workspace {self.workspace} cannot be used ({error.strerror or error}).",
                remedy="Name a folder that you can write to: LLMOS_WORKSPACE, or LLMOS(workspace=...).",
            ) from error

    # -- ending

    def close(self) -> None:
        """Stop what runs, end the model's processes, close the files. Safe to call twice."""
        self.stop()
        self.bus.flush()
        self._parts.close()
        for name in ("_dispatcher", "traces", "economy", "_state"):
            self.__dict__.pop(name, None)

    def __enter__(self) -> LLMOS:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LLMOS(workspace={str(self.workspace)!r}, endpoint={self.settings.endpoint!r})"


def _checked_goal(goal: str) -> str:
    if not isinstance(goal, str) or not goal.strip():
        raise EmptyGoal("The goal is empty.", remedy="Say in words what you want, e.g. 'Plot df by species'.")
    if len(goal) > GOAL_LIMIT:
        raise EmptyGoal(
            f"The goal has {len(goal)} characters; at most {GOAL_LIMIT} are taken.",
            remedy="Put the material into a file or a variable and name that.",
        )
    return goal.strip()


def _own_namespace() -> Namespace:
    """The running shell's namespace inside IPython, else a fresh one."""
    from llmos_nb.tools.namespace import PlainNamespace
    from llmos_nb.tools.shell_namespace import ShellNamespace, running_shell

    shell = running_shell()
    return PlainNamespace() if shell is None else ShellNamespace(shell)
