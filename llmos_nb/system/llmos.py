"""``LLMOS``: one workspace, wired up. Everything a magic does, this does too."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from llmos_nb.kernel.approvals import Approval, Extent
from llmos_nb.kernel.events import Event
from llmos_nb.kernel.listening import listen
from llmos_nb.kernel.whose import persons_only
from llmos_nb.settings import Settings, rows
from llmos_nb.system.asking import explained, would_see
from llmos_nb.system.bounds import allowance
from llmos_nb.system.configuration import configuration_of
from llmos_nb.system.conversations import came_in_before, resumable_session
from llmos_nb.system.goals import goal_of
from llmos_nb.system.policy_notice import warn_of_policy
from llmos_nb.system.records import Records
from llmos_nb.system.running import executed, finished, plan_of, resumed_plan

if TYPE_CHECKING:
    from llmos_nb.cortex.context import ContextUse
    from llmos_nb.cortex.endpoint import Endpoint
    from llmos_nb.dispatch.background import BackgroundRun
    from llmos_nb.dispatch.explain import Explanation
    from llmos_nb.dispatch.known import Known
    from llmos_nb.dispatch.orchestrator import Plan
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.dispatch.seen import Seen
    from llmos_nb.memory.sessions import LoggedSession
    from llmos_nb.teaching import Checked, ClassReport, Exercise, Lesson
    from llmos_nb.teaching.progress import Progress
    from llmos_nb.tools.namespace import Namespace

__all__ = ["LLMOS"]


class LLMOS(Records):
    """A workspace with its agents, traces, budget and endpoint.

    Making one is cheap; parts are loaded when they are first used. Inside IPython goals work in the user's own
    namespace, elsewhere in ``namespace`` (a :class:`~llmos_nb.tools.namespace.Namespace`), or one of their own.

    Args:
        workspace: the folder; ``LLMOS_WORKSPACE`` or ``workspace`` if None.
        endpoint: ``claude``, ``scripted``, an http(s) URL, or ``auto``.
        budget_usd: what the workspace may spend in all, in US dollars.
        settings: any option of :class:`~llmos_nb.settings.Settings`, such as ``preset="teaching"``.

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
        arguments = {"workspace": workspace, "endpoint": endpoint, "budget_usd": budget_usd, **settings}
        super().__init__(configuration_of(arguments), namespace)
        warn_of_policy(self)

    # -- running goals

    async def execute(
        self,
        goal: str | Plan,
        mode: str | None = None,
        agent: str | None = None,
        budget_usd: float | None = None,
        project: str | None = None,
        *,
        model: str | None = None,
        resume: str | None = None,
        propose: bool = False,
        sandbox: bool | None = None,
    ) -> RunResult:
        """Work on a goal until it ends in one of the six end states; the result says which, and why.

        Args:
            goal: what is wanted, in words; or a plan (see :meth:`plan`), which is then run as it is.
            mode: ``auto``, or the mode to use.
            agent: the agent's name; the settings' default if None.
            budget_usd: what this run may spend, in US dollars.
            project: the project it belongs to, made where there is none of that name; the settings' one if None, and
                none if empty. The run works in the project's folder, within its limits, and knows its context.
            model: the model to ask, instead of the agent's or the settings' own.
            resume: id of a run whose conversation with the model is gone on with, or ``last``. What such a run does
                may rest on what was said there, so its trace is kept for study and never replayed.
            propose: show a person every piece of code, command and file before it is run or written: what they agree to
                is done, and what they edit is done as edited. A replay shows its whole program, once.
            sandbox: whether its cells, commands and files are those of a sandbox: no network, copies of the folder's files
                and of the variables that the goal names, and nothing of yours changed. What it makes is offered:
                ``result.offered``, :meth:`take`. As the settings, the agent and the project say if None.

        Raises:
            EmptyGoal, UnknownAgent, AgentFileError, UnknownMode, SettingsError, ProjectError, StoreError,
                UnknownSession: nothing was begun.
        """
        made = goal_of(
            self, goal, mode=mode, agent=agent, budget_usd=budget_usd, project=project,
            model=model, resume=resume, propose=propose, sandbox=sandbox,
        )  # fmt: skip
        return await executed(self, made)

    def start(
        self,
        goal: str | Plan,
        mode: str | None = None,
        agent: str | None = None,
        budget_usd: float | None = None,
        project: str | None = None,
        *,
        model: str | None = None,
        resume: str | None = None,
        propose: bool = False,
        sandbox: bool | None = None,
        out: str = "",
    ) -> BackgroundRun:
        """Have a goal worked on in the background, and go on at once; ``await`` what is returned for its result.

        Arguments are those of :meth:`execute`; the result is bound to the name ``out`` in the end. See :attr:`runs`.

        Raises:
            BackgroundError: no loop runs here that it could be worked on by.
            EmptyGoal, UnknownAgent, …: see :meth:`execute`. Nothing was begun.
        """
        from llmos_nb.dispatch.background import check_out

        check_out(out)
        made = goal_of(
            self, goal, mode=mode, agent=agent, budget_usd=budget_usd, project=project,
            model=model, resume=resume, propose=propose, sandbox=sandbox,
        )  # fmt: skip
        return self.runs.start(dataclasses.replace(made, background=True), out)

    def news(self) -> list[str]:
        """What happened to goals in the background since this was asked last, where nobody saw it."""
        return self.runs.news() if "runs" in self.__dict__ else []

    @property
    def last(self) -> RunResult | None:
        """What the last goal that was asked for in a cell came to, however it ended; None before one."""
        return self._latest.result

    @property
    def goal_budget_usd(self) -> float:
        """What a goal may spend that is given no budget of its own, in US dollars: see ``%budget``."""
        return allowance(self).usd

    async def plan(
        self,
        goal: str,
        agent: str | None = None,
        budget_usd: float | None = None,
        *,
        model: str | None = None,
        new: bool = False,
        project: str | None = None,
    ) -> Plan:
        """The plan by which a goal would be reached. Nothing of it runs: look at it, edit it, and ``execute`` it.

        A goal that was reached by a plan before, and a goal that is a numbered list, have theirs already; for others,
        and with ``new``, the model is asked, which costs one call.

        Raises:
            PlanError: none came of it that can be run.
            EmptyGoal, UnknownAgent, AgentFileError, SettingsError, StoreError: nothing was begun.
        """
        made = goal_of(self, goal, agent=agent, budget_usd=budget_usd, project=project, model=model)
        return await plan_of(self, made, new=new)

    async def resume_plan(
        self,
        run_id: str | None = None,
        *,
        at: str | None = None,
        plan: Plan | None = None,
        budget_usd: float | None = None,
        model: str | None = None,
        propose: bool = False,
    ) -> RunResult:
        """Go on with a plan whose run did not end in success: what it finished, and is still there, is not run again.

        Works in a new kernel, too: nodes whose variables are gone run again, which is free where they left a trace.

        Args:
            run_id: the run; the latest one that did not end in success if None.
            at: a node to begin at: it, and what needs it, runs again even where it was finished.
            plan: the plan as it was edited meanwhile (``result.plan.edit(…)``); nodes that changed run again.

        Raises:
            PlanError: there is no such run or node, or what is kept of it cannot be used.
        """
        return await executed(self, resumed_plan(self, run_id, at, plan, budget_usd, model, propose))

    def run(self, goal: str | Plan, *args: Any, **options: Any) -> RunResult:
        """:meth:`execute` for code that does not await: in a plain script, and inside a running loop as well.

        Raises:
            KeyboardInterrupt: a person interrupted the run; it is settled and kept.
        """
        return finished(self.execute(goal, *args, **options))

    # -- asking about goals

    def explain(
        self, goal: str, mode: str | None = None, agent: str | None = None, project: str | None = None
    ) -> Explanation:
        """How a goal reads, which recorded goals were considered, what would be done, why, and at what cost.

        Runs nothing, costs nothing.

        Raises:
            EmptyGoal, UnknownAgent, UnknownMode, ModeUnavailable, ProjectError: see :meth:`execute`. A project that does
                not exist is an error here: nothing is made.
        """
        return explained(self, goal, mode, agent, project)

    def known(self, words: str = "") -> Known:
        """What can be asked for free, without a key, with goals about the DataFrames that are there now.

        With ``words`` only tasks that have each of them in their name or goal.
        """
        from llmos_nb.dispatch.known import known

        return known(self.library, self.traces, self._own().names, words)

    def context_of(
        self, goal: str = "", *, mode: str | None = None, agent: str | None = None, project: str | None = None
    ) -> Seen:
        """What the agent would see of a goal: prompt, tools, project, guidance, facts, your variables, and their tokens.

        Without a goal what it sees whatever the goal is. Runs nothing, costs nothing; ``result.seen`` has it of a run.

        Raises:
            UnknownAgent, UnknownMode, ModeUnavailable, ProjectError: see :meth:`explain`.
        """
        return would_see(self, goal, mode, agent, project)

    @property
    def last_seen(self) -> Seen | None:
        """What an agent saw in the last run that asked one, with the SDK's own count; None before one."""
        return self._latest.seen

    @property
    def context(self) -> ContextUse | None:
        """How full the context of the latest conversation with the model is, asked of the SDK now; None before one."""
        return made.context_use() if (made := self._made_dispatcher) is not None else None

    # -- listening and answering

    def on(self, kind: type[Event], deliver: Callable[[Any], None]) -> Callable[[], None]:
        """Call ``deliver(event)``, on a thread of its own, for every event of ``kind``; returns what ends it.

        Who listens to :class:`ApprovalAsked` is there to answer. When such a listener raises, a notice tells, and the
        answer is no unless somebody else is there.

        Raises:
            TypeError: ``kind`` is no type of event, or ``deliver`` cannot be called.
        """
        return listen(self.bus, self._approvals, kind, deliver)

    @property
    def approvals(self) -> list[Approval]:
        """What waits for your answer now, the oldest first."""
        return self._approvals.pending

    def approve(
        self, approval_id: str | None = None, yes: bool = True, *, text: str | None = None, extent: Extent = "once"
    ) -> Approval:
        """Answer a question that a run asks; without an id, the only one there is. Callable from any thread.

        ``extent`` is how far a yes goes: ``once``, ``run`` (what the question's ``for_run`` says) or ``always`` (its
        ``always``: a rule in llmos.toml). Where the question is ``editable``, ``text`` is what is done instead of what was
        asked about; the guard judges it.

        A question is asked only while somebody is there: in a notebook, whose buttons do the same as this, or after
        ``llmos.on(ApprovalAsked, f)``.

        Raises:
            UnknownApproval: no such question is open.
            NotEditable: ``text`` cannot be done in place of what was asked about; the question stays open.
            GuardDenied: it is an agent's own code that answers.
        """
        persons_only("approve anything")
        return self._approvals.answer(approval_id, yes, text=text, extent=extent)

    # -- options

    def use_endpoint(self, endpoint: str) -> Endpoint:
        """Send model calls somewhere else from now on: ``claude``, ``scripted``, ``auto`` or an http(s) URL.

        Raises:
            SettingsError: it is none of these.
        """
        self.configure(endpoint=endpoint)
        return self.endpoint

    def configure(self, **options: Any) -> Settings:
        """Change options from now on; None is a value here. What runs goes on as it began, the next goal is different.

        Raises:
            SettingsError: an unknown or unusable option, or one that parts of a goal at work are made with.
        """
        persons_only("change settings")
        return self._adopt(self._configuration.with_arguments(options))

    def configure_from_notebook(self, name: str, value: Any) -> Settings:
        """What ``%config`` does: as :meth:`configure`, but arguments of this system go before.

        Raises:
            SettingsError: see :meth:`configure`; also an option that this system was given as an argument.
        """
        persons_only("change settings")
        return self._adopt(self._configuration.with_config(name, value))

    def options(self) -> list[dict[str, str]]:
        """One row an option: ``name``, ``value``, ``source`` (where that came from), ``default``, ``env``, ``help``."""
        return rows(self.settings, self.sources)

    @property
    def has_schedule(self) -> bool:
        """Whether there is anything on the schedule; cheap."""
        try:
            with os.scandir(self.workspace / "schedule") as entries:
                return any(entry.name.endswith(".toml") for entry in entries)
        except OSError:
            return False

    # -- teaching

    def lesson(self, path: str | Path | None = None) -> Lesson:
        """Open a lesson, a Markdown file of exercises; the one that is open if None.

        Raises:
            LessonError: none is open, or the file is no lesson.
        """
        return self._pupil.lesson(path)

    def exercise(self, name: str) -> Exercise:
        """An exercise of the open lesson.

        Raises:
            LessonError: none is open, or it has no such exercise.
        """
        return self._pupil.exercise(name)

    def check(self, name: str) -> Checked:
        """Whether the answer to an exercise is right, as your variables, files and last goal are now, or what is wrong.

        It is noted in the workspace: see :attr:`progress`, and :meth:`report`.

        Raises:
            LessonError: see :meth:`exercise`.
            GuardDenied: an agent's code asks: exercises are for people.
        """
        return self._pupil.check(name)

    def note_try(self, name: str, said: str) -> None:
        """Note an answer to an exercise that could not be run, and what was wrong."""
        self._pupil.note_try(name, said)

    @property
    def progress(self) -> list[Progress]:
        """The exercises that were tried in this workspace: how often, and whether they were ever right."""
        from llmos_nb.teaching.progress import progress_of

        return progress_of(self.workspace)[0]

    def report(self, workspaces: str | Path | Iterable[str | Path] | None = None) -> ClassReport:
        """A teacher's view of a class: one row a workspace; of this one alone if None. Writes nothing.

        Raises:
            StoreError: there is no such folder.
        """
        from llmos_nb.teaching import report

        self.bus.flush()
        return report([self.workspace] if workspaces is None else workspaces)

    # -- sessions

    @property
    def sessions(self) -> list[LoggedSession]:
        """The sessions of this workspace, the newest first: their goals, costs, and how each of them ended."""
        from llmos_nb.memory.sessions import sessions

        self.bus.flush()
        return sessions(self._log_folder)

    def resume(self, session_id: str) -> LoggedSession:
        """Go on with an earlier session: its log and its budget go on under the same id. Returns what it has so far.

        A goal still begins a conversation of its own: ``execute(goal, resume=run_id)`` goes on with one of a run.

        Raises:
            UnknownSession: there is none of that id, another process works in it, or goals are running here.
        """
        found = resumable_session(self, session_id)
        if session_id != self.session_id:
            self.close()
            self.session_id = session_id
            came_in_before(self, session_id=session_id)
        return found

    def clear_taint(self) -> str:
        """Say that you have looked at what came in from outside: nothing asks because of it any more. Says what it was."""
        from llmos_nb.dispatch.let_in import cleared

        persons_only("say that content from outside is harmless")
        return cleared(self.taint, self.bus.publish)

    def explore(self, what: str = "traces") -> Any:
        """Look through ``traces``, ``agents``, the ``budget`` or ``crystals``, and act on what is found.

        In a notebook it can be used with mouse and keyboard; everywhere it shows itself as a table. What is selected is
        its ``selected_df``, and everything that it can do it can be told in Python, too.

        Raises:
            SettingsError: there is no such explorer.
        """
        from llmos_nb.notebook.explorers import explorer_of

        return explorer_of(self, what)

    def __enter__(self) -> LLMOS:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LLMOS(workspace={str(self.settings.workspace)!r}, endpoint={self.settings.endpoint!r})"
