"""The parts of a system: each is made when it is first used, from the settings as they are then, and closed together."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_nb.errors import AgentFileError, SettingsError, StoreError
from llmos_nb.kernel.approvals import Approvals
from llmos_nb.kernel.events import EventBus
from llmos_nb.kernel.files import make_folder
from llmos_nb.kernel.spelled import spelled
from llmos_nb.kernel.trust import Trust
from llmos_nb.settings import Settings, known_option
from llmos_nb.system.configuration import Configuration
from llmos_nb.system.latest import Latest
from llmos_nb.system.running import background_runs, schedule_of
from llmos_nb.system.wiring import dispatcher_of

if TYPE_CHECKING:
    from llmos_nb.cortex.endpoint import Endpoint
    from llmos_nb.crystals import CrystalShelf
    from llmos_nb.dispatch.background import BackgroundRun, BackgroundRuns
    from llmos_nb.dispatch.dispatcher import Dispatcher
    from llmos_nb.dispatch.pack_list import PackList
    from llmos_nb.dispatch.presented import Present
    from llmos_nb.dispatch.undo_history import UndoHistory
    from llmos_nb.guard.desk import GuardDesk
    from llmos_nb.guard.taint import Taint
    from llmos_nb.kernel.budget import TokenEconomy
    from llmos_nb.kernel.scheduler import Scheduler
    from llmos_nb.memory import TraceStore
    from llmos_nb.memory.facts import FactStore
    from llmos_nb.memory.library import Library
    from llmos_nb.mind import Agent, AgentRegistry
    from llmos_nb.projects import ProjectShelf
    from llmos_nb.teaching.pupil import Pupil
    from llmos_nb.tools.namespace import Namespace

__all__ = ["SystemParts"]


class SystemParts:
    """What a system consists of. Names with an underscore are for the modules beside this one."""

    def __init__(self, configuration: Configuration, namespace: Namespace | None) -> None:
        self._configuration = configuration
        self.session_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        self.bus = EventBus()
        self._approvals = Approvals(self.bus.publish)
        self._namespace = namespace
        self._latest = Latest()
        self._closing = contextlib.ExitStack()
        #: Shows a run in the background where a page can be updated; None where there is none.
        self.present_run: Callable[[BackgroundRun], None] | None = None
        #: Shows a goal that code awaits in the same way.
        self.present_goal: Present | None = None
        #: What of llmos.toml is not in force, as a goal told it last.
        self.policy_told = ""

    # -- the configuration

    @property
    def settings(self) -> Settings:
        """The options as they are now; :meth:`configure` changes them."""
        return self._configuration.settings

    @property
    def sources(self) -> dict[str, str]:
        """For each option, where its value came from."""
        return self._configuration.sources

    @property
    def workspace(self) -> Path:
        """The workspace's folder: an absolute path, wherever cells go. ``settings.workspace`` is it as it was given."""
        return self._configuration.workspace

    def check_workspace(self) -> None:
        """Make the workspace's folder, and see that something can be written there."""
        probe = self.workspace / ".llmos"
        try:
            make_folder(probe)
            if not os.access(probe, os.W_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise StoreError(
                f"The workspace {self.settings.workspace} cannot be used ({error.strerror or error}).",
                remedy="Name a folder that you can write to: LLMOS_WORKSPACE, or LLMOS(workspace=...).",
            ) from error

    def _adopt(self, new: Configuration) -> Settings:
        """Change to another configuration: parts that were made with what it changes are made anew.

        Raises:
            SettingsError: goals are at work with such a part.
        """
        changed = new.changes(self._configuration)
        if any(known_option(name, "").metadata["built_in"] for name in changed):
            if self.running or self.working:
                raise SettingsError(
                    f"{', '.join(sorted(changed))}: cannot be changed while a goal is worked on.",
                    remedy="Wait for it, or llmos.stop(), and say it again.",
                )
            self._close_parts()
            for name in ("endpoint", "agents", "projects"):
                self.__dict__.pop(name, None)
            if "workspace" in changed:
                self._close_schedule()
        elif (made := self._made_dispatcher) is not None:
            made.configure(dataclasses.replace(new.settings, workspace=self.workspace))
        self._configuration = new
        return new.settings

    # -- who works, and where

    @functools.cached_property
    def agents(self) -> AgentRegistry:
        """The agents of this workspace and the packaged ones."""
        from llmos_nb.mind import AgentRegistry
        from llmos_nb.tools.pack_agents import pack_agents

        return AgentRegistry(self.workspace / "agents", offered=_offered_tools, more=pack_agents)

    def agent(self, name: str | None = None) -> Agent:
        """The agent called ``name``, or the default one, its grant checked against the tools there are.

        Raises:
            UnknownAgent, AgentFileError: there is none of that name, or its file cannot be used.
            PackError: it is a pack's, and what that needs is not installed.
        """
        from llmos_nb.tools.pack_agents import check_installed

        agent = self.agents.get(name or self.settings.agent)
        known = _offered_tools()
        unknown = self.agents.unknown_tools(agent, known)
        if unknown:
            where = spelled(agent.path) if agent.path is not None else agent.name
            raise AgentFileError(
                f"{where}: tools grants {', '.join(unknown)}, which no part of this system offers.",
                remedy=f"The tools are {', '.join(sorted(known))}.",
            )
        check_installed(agent)
        return self.agents.usable(agent.name)

    @property
    def packs(self) -> PackList:
        """The packs that are installed: what each offers, what is missing, and what is wrong with others.

        Looks anew, so that a pack that was installed a moment ago is found.
        """
        from llmos_nb.dispatch.pack_list import pack_list

        return pack_list()

    @functools.cached_property
    def projects(self) -> ProjectShelf:
        """The projects of this workspace."""
        from llmos_nb.projects import ProjectShelf

        return ProjectShelf(self.workspace / "projects", lambda: self._own().names, _offered_tools())

    @functools.cached_property
    def endpoint(self) -> Endpoint:
        """Where model calls go."""
        from llmos_nb.cortex.endpoint import resolve_endpoint

        return resolve_endpoint(self.settings, os.environ)

    def _own(self) -> Namespace:
        """Where cells run: the running shell's namespace inside IPython, else a fresh one, if none was given."""
        if self._namespace is None:
            from llmos_nb.tools.namespace import PlainNamespace
            from llmos_nb.tools.shell_namespace import ShellNamespace, running_shell

            shell = running_shell()
            self._namespace = PlainNamespace() if shell is None else ShellNamespace(shell)
        return self._namespace

    # -- what is kept

    @functools.cached_property
    def _state(self) -> Any:
        from llmos_nb.kernel.leftovers import sweep_workspace
        from llmos_nb.kernel.state import open_state

        self.check_workspace()
        sweep_workspace(self.workspace)
        engine = open_state(self.settings.state_url or self.workspace / ".llmos" / "state.db")
        self._closing.callback(engine.dispose)
        return engine

    @functools.cached_property
    def economy(self) -> TokenEconomy:
        """The budget and its ledger; in play money with the scripted endpoint."""
        from llmos_nb.kernel.budget import Limits, TokenEconomy

        settings = self.settings
        limits = Limits(session_usd=settings.session_budget_usd, day_usd=settings.day_budget_usd)
        options: dict[str, Any] = {}
        if self.sources["budget_usd"] != "default":
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

        folder = self.workspace / "memory" / "traces"
        return self._closing.enter_context(
            TraceStore(folder, state=self._state, library=self.library, trust=self._trust)
        )

    @functools.cached_property
    def _trust(self) -> Trust:
        return Trust.here(self.workspace / ".llmos")

    @functools.cached_property
    def library(self) -> Library:
        """The tasks that come with packs: what can be asked for free in any workspace. See :meth:`known`."""
        from llmos_nb.memory.library import Library
        from llmos_nb.tools.shipped import trace_folders

        return Library(trace_folders)

    @functools.cached_property
    def facts(self) -> FactStore:
        """What is remembered in this workspace: Markdown files in ``memory/facts``."""
        from llmos_nb.memory.facts import FactStore

        return self._closing.enter_context(FactStore(self.workspace / "memory" / "facts", state=self._state))

    @functools.cached_property
    def crystals(self) -> CrystalShelf:
        """The functions made of what was used often; importable from ``llmos_nb.crystals``."""
        from llmos_nb.crystals import CrystalShelf, use

        return use(CrystalShelf(self.workspace / "crystals", tester=self._retested, trust=self._trust))

    def _retested(self, module: Any) -> Any:
        from llmos_nb.dispatch.ripen import retested

        namespace = made.namespace if (made := self._made_dispatcher) is not None else self._namespace
        names = namespace.names if namespace is not None else {}
        return retested(module, self.traces, self.workspace / "projects", Path.cwd(), names)

    @property
    def _log_folder(self) -> Path:
        return self.workspace / "memory" / "sessions"

    @functools.cached_property
    def _undos(self) -> UndoHistory:
        from llmos_nb.dispatch.undo_history import UndoHistory

        return UndoHistory(self.settings.undo_runs, self.settings.undo_mb)

    # -- what holds

    @property
    def guard(self) -> GuardDesk:
        """The guard's rules, what it would say to a command, and your decisions on its rules."""
        from llmos_nb.guard.desk import GuardDesk

        told = self.sources["preset"]
        preset = "development" if told.startswith("llmos.toml") else self.settings.preset
        return GuardDesk(self.workspace, preset, self._trusted_more)

    def _trusted_more(self) -> None:
        """Take up what a person has just trusted of settings and scripts."""
        self._adopt(self._configuration.with_arguments({}))
        if self._made_dispatcher is not None:
            self._made_dispatcher.reload_scripts()

    @functools.cached_property
    def taint(self) -> Taint:
        """What this session read that you did not write, and since when: ``llmos.taint.marks``."""
        from llmos_nb.guard.taint import Taint

        return Taint()

    # -- what is at work

    @functools.cached_property
    def _dispatcher(self) -> Dispatcher:
        return dispatcher_of(self)

    @property
    def _made_dispatcher(self) -> Dispatcher | None:
        """The dispatcher, if anything was worked on yet."""
        made: Dispatcher | None = self.__dict__.get("_dispatcher")
        return made

    @functools.cached_property
    def runs(self) -> BackgroundRuns:
        """The goals in the background: ``llmos.runs["b1"]``, ``.stop("b1")``, ``.rows()``, ``.df``."""
        return background_runs(self)

    @property
    def working(self) -> bool:
        """Whether a goal in the background is at work or waits for its turn."""
        return "runs" in self.__dict__ and bool(self.runs.open)

    @property
    def running(self) -> dict[str, str]:
        """Goals that are being worked on, by run id."""
        return made.running if (made := self._made_dispatcher) is not None else {}

    def stop(self, run_id: str | None = None) -> list[str]:
        """Stop one run, or all of this system; returns their ids. Callable from any thread."""
        if run_id is None and "runs" in self.__dict__:
            self.runs.stop()  # those that wait for their turn, too
        return made.stop(run_id) if (made := self._made_dispatcher) is not None else []

    @functools.cached_property
    def schedule(self) -> Scheduler:
        """Goals that are due later: ``llmos.schedule(goal, at="18:00")``, ``every="1 hour"`` or ``cron="0 7 * * 1-5"``.

        In a notebook they run by themselves between cells, in a script while ``serve()`` or ``run_pending()`` does, each
        as a run of its own with its own budget, and only while a process is there that runs the schedule.
        """
        return schedule_of(self)

    @functools.cached_property
    def _pupil(self) -> Pupil:
        from llmos_nb.teaching.pupil import Pupil

        return Pupil(lambda: self.workspace, lambda: self._own().names, lambda: self._latest.result)

    # -- ending

    def close(self) -> None:
        """Stop what runs, end the model's processes, close the files. Safe to call twice."""
        self._close_schedule()
        if "runs" in self.__dict__:
            self.runs.close()
        self._close_parts()

    def _close_parts(self) -> None:
        """Close what is made when it is first used; it can be made again."""
        self.stop()
        self.bus.flush()
        self._closing.close()
        for name in ("_dispatcher", "crystals", "traces", "facts", "economy", "_state"):
            self.__dict__.pop(name, None)

    def _close_schedule(self) -> None:
        schedule = self.__dict__.pop("schedule", None)
        if schedule is not None:
            schedule.close()


def _offered_tools() -> set[str]:
    """The tools that an agent can be granted."""
    from llmos_nb.guard.policy import BUILT_IN_TOOLS
    from llmos_nb.tools.registry import TOOLS

    return {*TOOLS, *BUILT_IN_TOOLS}
