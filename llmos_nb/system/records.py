"""What a person does with what goals left: facts and insights, changes to take back, traces, and code made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_nb.kernel.whose import persons_only
from llmos_nb.system.kept_code import own_code
from llmos_nb.system.parts import SystemParts

if TYPE_CHECKING:
    from llmos_nb.dispatch.background import BackgroundRun
    from llmos_nb.dispatch.result import RunResult
    from llmos_nb.dispatch.ripen import Settled
    from llmos_nb.dispatch.take import Taken
    from llmos_nb.dispatch.trusting import TracePreview
    from llmos_nb.dispatch.undone import Undoable, Undone
    from llmos_nb.dispatch.wrong import Consequences
    from llmos_nb.memory.compared import Comparison
    from llmos_nb.memory.facts import Recalled, Remembered
    from llmos_nb.memory.insights import Insight

__all__ = ["Records"]


class Records(SystemParts):
    """A system as far as it is about the past: nothing here works on a goal."""

    # -- memory

    def remember(
        self, text: str, source: str = "person", tags: Iterable[str] | str = (), project: str | None = None
    ) -> Remembered:
        """Keep a fact for goals to come; agents are given those that bear on their goal. The same text is kept once.

        With a ``project`` it is for goals in that project alone; the settings' one if None, everywhere if empty.

        Raises:
            FactError: it is empty, too long, or no plain text.
            UnknownProject: there is no such project.
            StoreError: the workspace cannot be written.
        """
        wanted = self.settings.project if project is None else project and self.projects.get(project).name
        return self.facts.remember(text, source, tags, project=wanted or "")

    def recall(self, query: str, limit: int = 8, project: str | None = None) -> list[Recalled]:
        """The remembered facts that bear most on ``query``, best first, each with its score and why.

        With a ``project`` those that goals in it are told; of all projects if None, those of none alone if empty.

        Raises:
            UnknownProject: there is no such project.
        """
        return self.facts.recall(query, limit, project=self.projects.get(project).name if project else project)

    def insights(self, project: str | None = None) -> list[Insight]:
        """What runs that went well say together: errors and what mended them, what was used for what, what was saved.

        Made from all traces of this workspace, without a model; each names the traces that it rests on and their
        projects. With a ``project`` from its traces alone, from those of no project if it is empty.

        Raises:
            UnknownProject: there is no such project.
        """
        from llmos_nb.memory.insights import insights, readable

        wanted = self.projects.get(project).name if project else project
        found = (trace for trace in readable(self.traces) if wanted is None or trace.project == wanted)
        return insights(found, self.traces.uses)

    # -- what runs changed, and made

    def undo(self, run_id: str | RunResult | BackgroundRun | None = None, *, anyway: bool = False) -> Undone:
        """Take back what a run changed: names and files are as before it. Money that was spent stays spent.

        Args:
            run_id: the run: its id, its result, or as the background calls it; the last one that was asked for if None.
                :meth:`undoable` lists them.
            anyway: take back all that can be, where something is in the way; that is then left as it is.

        What you, or a later run, changed since is never overwritten. Nothing survives a restart of the kernel.

        Raises:
            UndoRefused: it cannot be taken back whole; nothing was touched. The message says why.
            UndoFailed: something could not be written; the rest is back.
            GuardDenied: it is an agent's own code that asks.
        """
        from llmos_nb.dispatch.undo import undo

        persons_only("take runs back")
        which: Any = run_id if run_id is None or isinstance(run_id, str) else getattr(run_id, "run_id", run_id)
        if isinstance(which, str) and "runs" in self.__dict__:
            which = self.runs.run_id_of(which)
        return undo(self._undos, self.running, self._own().names, self.bus, which, anyway=anyway)

    def undoable(self) -> Undoable:
        """The runs of this kernel that changed something, the newest first, and which of them can be taken back."""
        return self._undos.undoable(self._own().names)

    def take(self, *names: str, run: RunResult | None = None, replace: bool = False) -> Taken:
        """Take what a sandboxed goal made: variables are bound, files are written into the folder it worked on.

        Args:
            names: of variables and files; everything if none is given.
            run: its result; the last goal's if None.
            replace: whether a variable or file of yours that is there already is replaced.

        :meth:`undo` of that goal takes back what was taken.

        Raises:
            SandboxFailed: there is nothing of that name, it is in the way of something of yours, or it is no value.
        """
        from llmos_nb.dispatch.take import take

        persons_only("take what a sandbox made")
        done = run or self._latest.result
        return take(done, names, self._own().names, self.workspace, history=self._undos, replace=replace)

    # -- traces, and what is made from them

    def settle(self, timeout_s: float | None = None) -> Settled:
        """Wait until no crystal is being made any more; the result tells what became of tasks that were used often.

        It is false when ``timeout_s`` seconds were not enough.
        """
        from llmos_nb.dispatch.ripen import Settled

        return made.settle(timeout_s) if (made := self._made_dispatcher) is not None else Settled(True)

    def wrong(self, trace_id: str | None = None, reason: str = "") -> Consequences:
        """Take a trace out of use because what it did is wrong: at once, in every kernel, kept for study.

        Args:
            trace_id: the trace; the one that the last run of this system made or replayed if None.
            reason: what is wrong with it, in your words.

        Returns:
            What else came from it: how often it was replayed, traces that it guided, crystals made of it.

        Raises:
            UnknownTrace: there is no such trace, or nothing ran yet.
            StoreError: its file cannot be written.
        """
        from llmos_nb.dispatch.wrong import call_wrong

        return call_wrong(self.traces, self.crystals, trace_id or self._latest.trace_id, reason)

    def code(self, which: str | RunResult | BackgroundRun = "last") -> str:
        """The code of a run as one cell of plain Python that runs without this package.

        ``which`` is a trace or a run by its id, a run's result, or ``last``.

        Raises:
            UnknownTrace: there is none, or it left no trace.
        """
        from llmos_nb.memory.export import code_of

        return code_of(*own_code(self, which))

    def to_notebook(
        self, path: str | Path, which: str | RunResult | BackgroundRun = "last", *, replace: bool = False
    ) -> Path:
        """Write the code of a run as a notebook; see :meth:`code`. One that exists is replaced with ``replace`` alone.

        Raises:
            UnknownTrace: see :meth:`code`.
            StoreError, OSError: it cannot be written, is no notebook's name, or is there already.
        """
        from llmos_nb.memory.export import write_notebook

        trace, sources = own_code(self, which)
        return write_notebook(trace, path, sources, replace=replace)

    def ship(
        self, trace_id: str, folder: str | Path, *, task: str, group: str, values: Mapping[str, tuple[str, object]]
    ) -> Path:
        """Write a trace among those of a pack: a task that is free for whoever installs it. Returns the file.

        ``values`` has for each part of the task, such as ``t``, what it is and what it was in this run's goal:
        ``{"t": ("table", "sales"), "x": ("number column", "price")}``. ``folder`` is the pack's ``traces``.

        Raises:
            UnknownTrace: there is none of that id.
            PackError: it cannot be replayed, or the values are not those of its goal.
        """
        from llmos_nb.dispatch.shipping import ship

        return ship(self.traces.get(trace_id), Path(folder), task=task, group=group, values=values)

    def preview(self, trace_id: str) -> TracePreview:
        """What a trace would do if it were replayed, before anybody trusts it: steps, the guard's word, files, hosts.

        Raises:
            UnknownTrace, TraceFileError: there is no such trace, or its file cannot be read.
        """
        from llmos_nb.dispatch.trusting import preview_of

        return preview_of(self.traces, trace_id, Path.cwd(), self.workspace.resolve())

    def trust(self, trace_id: str, shown: str | None = None) -> str | TracePreview:
        """Vouch for a trace that was not recorded here, was edited, or was called wrong: it may be replayed.

        Nobody vouches for what they have not seen: without ``shown`` this is :meth:`preview`, which says what the trace
        would do, and trusts nothing. With the ``shown`` that the preview had, if the file still is what was looked at, the
        trace is put into use.

        Returns a sentence that says so. Crystals that were taken out of use with it stay out: ``%crystals enable``.

        Raises:
            UnknownTrace: there is no such trace.
            StoreError: its file cannot be written.
        """
        from llmos_nb.dispatch.trusting import trust_as_shown

        persons_only("vouch for a trace")
        if shown is None:
            return self.preview(trace_id)
        return trust_as_shown(self.traces, trace_id, shown)

    def compare(self, left: str, right: str) -> Comparison:
        """Two traces side by side, by their ids: what is the same in goal, steps and answer, and what is not.

        Raises:
            UnknownTrace, TraceFileError: there is no such trace, or its file cannot be read.
        """
        from llmos_nb.memory.compared import compared

        return compared(self.traces.get(left), self.traces.get(right))
