"""The agents of one workspace: files that are looked at when they are asked for, so that an edit counts at once.

A file that breaks is reported, and the last version that this process could read stays in use. A file that was never
good here is refused, also when a packaged agent has its name: falling back could grant tools that it withheld.
"""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.kernel.whose import persons_only
from llmos_nb.mind.agent import Agent, name_problem, printable
from llmos_nb.mind.agent_file import agent_of, parse_agent
from llmos_nb.mind.changes import Change, difference
from llmos_nb.mind.chronicle import Chronicle
from llmos_nb.mind.fields import appended, fields_of
from llmos_nb.mind.history import AgentHistory, Version
from llmos_nb.mind.hold import Hold
from llmos_nb.mind.known import KnownAgents, again
from llmos_nb.mind.provenance import Provenance
from llmos_nb.mind.watch import FolderWatch
from llmos_nb.mind.writer import AgentWriter, check_name

__all__ = ["FIELDS", "AgentRegistry"]

#: What ``modify`` may change.
FIELDS: Final = ("description", "tools", "prompt", "model")
_PERSON: Final = Change()


class AgentRegistry:
    """The agents in ``folder`` and the packaged ones, ``more`` of them from elsewhere. Safe to use from several threads.

    The folder need not exist. ``get`` looks at the folder and at one file, which takes microseconds, and reads it when
    it changed; ``list`` looks at all. Versions are kept in ``history``: ``.llmos/agents.git`` beside the folder if None.
    ``offered`` tells which tools there are; nothing that is written grants another one anew.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        history: Path | str | None = None,
        offered: Callable[[], Collection[str]] | None = None,
        more: Callable[[], Mapping[str, Agent]] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._history = AgentHistory(Path(history) if history else self.folder.parent / ".llmos" / "agents.git")
        self._known = KnownAgents(self.folder, more)
        hold = Hold(self.folder)
        self._chronicle = Chronicle(self._known, self._history, hold)
        self._offered = offered
        self._provenance = Provenance(self._known, self.folder.parent / ".llmos" / "agents")
        self._writer = AgentWriter(self._known, self._chronicle, hold, offered, self._provenance)

    def __repr__(self) -> str:
        return f"AgentRegistry({', '.join(agent.name for agent in self.list())}; %agents shows more)"

    def list(self) -> list[Agent]:
        """Every agent that can be used now, by name."""
        return sorted(self._known.all().values(), key=lambda agent: agent.name)

    def get(self, name: str) -> Agent:
        """The agent called ``name``, as its file is at this moment.

        Raises:
            UnknownAgent: there is none; the remedy has the closest names and all known ones.
            AgentFileError: its file is broken and no version of it was ever read here.
        """
        return self._known.get(name)

    def usable(self, name: str) -> Agent:
        """The agent called ``name``, to work with: only if it is from here (see :meth:`foreign`).

        Raises:
            UnknownAgent, AgentFileError: see :meth:`get`; also one that nobody here has written or seen.
        """
        agent = self.get(name)
        if why := self._provenance.foreign(name):
            raise self._provenance.refusal(name, why)
        return agent

    def foreign(self, name: str) -> str:
        """Why an agent is listed and not used: its file came with git or an archive, and :meth:`trust` was not said.

        Empty for what was written here, by a person or the system, came with the package, or is not there. What
        changes the file of an agent from here counts at once, unless it grants more.
        """
        return self._provenance.foreign(name)

    def edited(self, name: str) -> bool:
        """Whether somebody has changed the file by hand since it was used or written last; tells of a change once."""
        return self._provenance.edited(name)

    def unseen(self, name: str) -> bool:
        """Whether its file was changed by hand, or by a pull, and nobody said :meth:`trust` since: it is used, and its
        words are taken for content from outside.
        """
        return self._provenance.unseen(name)

    def trust(self, name: str) -> Agent:
        """Put an agent from elsewhere into use as it is now; read it first: ``%agents trust NAME`` shows it.

        Raises:
            UnknownAgent, AgentFileError: there is none, or its file is broken.
            GuardDenied: it is an agent's own code that asks.
        """
        persons_only("vouch for an agent")
        return self._provenance.trust(name)

    @property
    def errors(self) -> builtins.list[AgentFileError]:
        """What is wrong with the folder and its files now, by file name; empty when all is well."""
        return self._known.errors()

    @property
    def offered(self) -> tuple[str, ...]:
        """The tools that an agent can be granted, by name; none where nobody tells."""
        return tuple(sorted(self._offered())) if self._offered is not None else ()

    def problem(self, name: str) -> AgentFileError | None:
        """What is wrong with the file of the agent called ``name`` now, though an earlier version may be in use."""
        return self._known.problem(name)

    def reload(self, name: str) -> Agent:
        """Read the file of one agent again whatever its time stamps say; returns the agent as it is in force now.

        Raises:
            UnknownAgent: there is none of that name.
            AgentFileError: its file is broken; the last good version, if there is one, stays in use.
        """
        entry = self._known.look(name, anew=True) if isinstance(name, str) else None
        if entry is not None and entry.error is not None:
            raise again(entry.error)
        return self.get(name)

    # -- writing

    def create(
        self,
        name: str,
        description: str,
        tools: Sequence[str],
        prompt: str,
        *,
        model: str | None = None,
        created_by: str = "user",
        change: Change | None = None,
    ) -> Agent:
        """Write a new agent's file; it can be used at once.

        ``change`` says on whose behalf, and why; it goes before ``created_by``.

        Raises:
            AgentFileError: the name is taken, looks like a taken one, or something given cannot be written.
            StoreError: the folder cannot be written.
        """
        check_name(name, self._known.shown)
        fields = {"description": description, "tools": tools, "model": model}
        remedy = "Change it with modify, or choose another name."
        return self._writer.put(name, fields, prompt, "created", change or Change(by=created_by), remedy=remedy)

    def modify(
        self, name: str, field: str, value: Any, *, append: bool = False, change: Change | None = None
    ) -> Agent:
        """Change one field of an agent (``description``, ``tools``, ``prompt`` or ``model``) and raise its version.

        With ``append`` tools are added to the list, and text follows the old text (a prompt after a blank line). A
        value that is there already changes nothing. A packaged agent is copied into the folder first. Kernels that
        change one agent at the same time wait for each other (on Windows: threads of one kernel do), and what a
        person saved meanwhile is what is changed, so no change is lost.

        Raises:
            UnknownAgent: no agent has this name.
            AgentFileError: the field or value is not usable, or the file on disk is broken and would be overwritten.
            StoreError: the folder cannot be written.
        """
        if field not in FIELDS:
            raise AgentFileError(
                f"{self._known.shown}: an agent has no field {printable(repr(field))} to modify.",
                remedy=f"Fields: {', '.join(FIELDS)}.",
            )

        def changed(agent: Agent) -> dict[str, Any]:
            new = appended(agent, field, value, self._known.shown) if append else value
            if field == "prompt" and not isinstance(new, str):
                raise AgentFileError(
                    f"{self._known.shown}: the prompt must be text, got {type(new).__name__}.", remedy="Give a str."
                )
            return {field: new}

        return self._writer.change(name, changed, "changed", change or _PERSON)

    def write(
        self,
        name: str,
        text: str | None = None,
        *,
        description: str | None = None,
        tools: Sequence[str] | None = None,
        model: str | None = None,
        change: Change | None = None,
    ) -> Agent:
        """Make an agent, or change it, in one go: ``text`` is the prompt, or a whole file that begins with ``---``.

        What is None stays as it is; a new agent is granted nothing unless ``tools`` says so. A file that is broken
        is replaced; its text is kept in the history.

        Raises:
            AgentFileError: the name or something else given cannot be written.
            StoreError: the folder cannot be written.
        """
        change = change or _PERSON
        check_name(name, self._known.shown)
        given: dict[str, Any] = {"description": description, "tools": tools, "model": model, "prompt": text}
        wanted = {key: value for key, value in given.items() if value is not None}
        if isinstance(text, str) and text.lstrip("\ufeff\n\r \t").startswith("---"):
            whole = parse_agent(text.lstrip("\ufeff\n\r \t"), self.folder / f"{name}.md")
            wanted = {
                **fields_of(whole),
                "prompt": whole.prompt,
                **{k: v for k, v in wanted.items() if k != "prompt"},
            }
            for stamp in ("version", "created_at", "created_by"):
                wanted.pop(stamp)
            if whole.model is None and model is None:
                wanted["model"] = None
        try:
            self.get(name)
        except UnknownAgent:
            if not wanted.get("prompt") and not wanted.get("description"):
                raise
            made = {"description": "", "tools": (), "model": None, "options": {}, **wanted}
            return self._writer.put(name, made, str(made.pop("prompt", "")), "created", change)
        except AgentFileError:
            pass
        return self._writer.change(name, lambda agent: wanted, "changed", change, broken=True)

    def restore(self, name: str, version: int, *, change: Change | None = None) -> Agent:
        """Make an old version the newest one. Nothing is rewritten: the versions in between stay.

        Raises:
            AgentFileError: there is no such version, or it cannot be used (it was broken, say).
            StoreError: the folder cannot be written.
        """
        check_name(name, self._known.shown)
        path = self.folder / f"{name}.md"
        if isinstance(version, bool) or not isinstance(version, int):
            raise AgentFileError(
                f"{name}: a version is a number, got {printable(repr(version))}.", remedy=f"See {name}'s history."
            )
        self._chronicle.note_all_of(name)
        old = agent_of(self._history.text(name, version), path)
        change = dataclasses.replace(change or _PERSON, reason=f"restored version {version}")
        fields = {**fields_of(old), "prompt": old.prompt}
        try:
            self.get(name)
        except UnknownAgent:
            return self._writer.put(name, fields, old.prompt, "restored", change)
        except AgentFileError:
            pass
        for stamp in ("version", "created_at", "created_by"):
            fields.pop(stamp)
        return self._writer.change(name, lambda agent: fields, "restored", change, broken=True)

    # -- history

    def history(self, name: str) -> builtins.list[Version]:
        """Every version of the agent that is known, the oldest first. What was edited outside is noted first.

        That of a packaged agent begins with the file that came with the package.

        Raises:
            UnknownAgent, AgentFileError: there is no such agent, and never was, or the name cannot be one's.
        """
        check_name(name, self._known.shown)
        self._chronicle.note_all_of(name)
        versions = self._history.versions(name)
        if not versions:
            self.get(name)
        return versions

    def diff(self, name: str, older: int | None = None, newer: int | None = None) -> str:
        """A unified diff between two versions; ``older`` is the one before ``newer`` if None, ``newer`` the agent now.

        Raises:
            UnknownAgent, AgentFileError: there is no such agent or version.
        """
        versions = self.history(name)
        numbers = [version.number for version in versions if version.blob]
        if newer is None:
            new, said = self.get(name), "now"
        else:
            new, said = self._version(name, newer), f"version {newer}"
        if older is None:
            before = [n for n in numbers if n < (newer if newer is not None else (numbers or [0])[-1])]
            if not before:
                untouched = newer is None and new.path == getattr(self._known.packaged().get(name), "path", "")
                return "" if untouched else difference(None, new, newer=said)
            older = before[-1]
        return difference(self._version(name, older), new, f"version {older}", said)

    @property
    def history_problem(self) -> str:
        """What is wrong with the history; empty when all is well."""
        return self._history.problem

    def note(self, names: Iterable[str] | None = None) -> None:
        """Keep what a person, git or another program wrote as versions of their own; ``names``: of these agents only.

        A kernel that is writing is waited for, so that its change is kept under its own name. Never raises.
        """
        self._chronicle.note(names)

    def watch(self) -> Callable[[], None]:
        """Read and note what others change as soon as they do, on a thread of its own; returns what ends that."""

        def changed(names: frozenset[str]) -> None:
            stems = [name[: -len(".md")] for name in names if name.endswith(".md") and not name.startswith(".")]
            for stem in stems:  # one after the other: whoever asks for an agent does not wait for all of them
                self._known.look(stem)
            self.note([stem for stem in stems if not name_problem(stem)])

        return FolderWatch(self.folder, changed, self.note).close

    @staticmethod
    def unknown_tools(agent: Agent, known: Collection[str]) -> tuple[str, ...]:
        """The tools that ``agent`` names and ``known`` does not have, in the agent's order."""
        return tuple(tool for tool in agent.tools if tool not in known)

    def _version(self, name: str, number: int) -> Agent:
        return agent_of(self._history.text(name, number), self.folder / f"{name}.md")
