"""The agents of one workspace: a folder that is looked at whenever it is asked, so that an edit counts at once.

A file that breaks is reported, and the last version that this process could read stays in use. A file that was never
good here is refused, also when a packaged agent has its name: falling back could grant tools that it withheld.
"""

from __future__ import annotations

import builtins
import contextlib
import difflib
import functools
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import AgentFileError, StoreError, UnknownAgent
from llmos_nb.kernel.files import atomic_write
from llmos_nb.mind.agent import Agent, agent_from, name_problem, printable, skeleton
from llmos_nb.mind.agent_file import dump_agent, parse_agent, read_agent
from llmos_nb.mind.folder import file_names, locked

__all__ = ["AgentRegistry", "packaged_agents"]

#: What ``modify`` may change.
FIELDS: Final = ("description", "tools", "prompt", "model")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one file: the state of the disk it was read at, its last good version, what is wrong now."""

    signature: tuple[int, ...]
    agent: Agent | None
    error: AgentFileError | None


class AgentRegistry:
    """The agents in ``folder`` and the packaged ones. Safe to use from several threads.

    The folder need not exist. Every call stats the files and reads only what changed (by time, size and inode).
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._entries: dict[str, _Entry] = {}
        self._folder_error: AgentFileError | None = None
        self._lock = threading.RLock()

    def list(self) -> list[Agent]:
        """Every agent that can be used now, by name."""
        return sorted(self._agents().values(), key=lambda agent: agent.name)

    def get(self, name: str) -> Agent:
        """The agent called ``name``.

        Raises:
            UnknownAgent: there is none; the remedy has the closest names and all known ones.
            AgentFileError: its file is broken and no version of it was ever read here.
        """
        agents = self._agents()
        if name in agents:
            return agents[name]
        broken = self._entries.get(f"{name}.md")
        if broken is not None and broken.error is not None:
            raise _again(broken.error)
        close = difflib.get_close_matches(str(name), agents, n=3, cutoff=0.6)
        hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise UnknownAgent(
            f"No agent is named {printable(repr(name))}.", remedy=f"{hint}Known agents: {', '.join(sorted(agents))}."
        )

    @property
    def errors(self) -> builtins.list[AgentFileError]:
        """What is wrong with the folder and its files now, by file name; empty when all is well."""
        with self._lock:
            self._refresh()
            found = [entry.error for _, entry in sorted(self._entries.items()) if entry.error is not None]
            return ([self._folder_error] if self._folder_error is not None else []) + found

    def create(
        self,
        name: str,
        description: str,
        tools: Sequence[str],
        prompt: str,
        *,
        model: str | None = None,
        created_by: str = "user",
    ) -> Agent:
        """Write a new agent's file, as version 1; it can be used at once.

        Raises:
            AgentFileError: the name is taken, looks like a taken one, or something given cannot be written.
            StoreError: the folder cannot be written.
        """
        if problem := name_problem(name):
            raise AgentFileError(f"{self._shown}: {problem}.", remedy="Choose another name, such as 'data-analyst'.")
        fields = {
            "name": name,
            "description": description,
            "tools": tools,
            "model": model,
            "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "created_by": created_by,
        }
        with self._writing():
            path = self.folder / f"{name}.md"
            self._refuse_look_alike(name)
            agent, data = self._text_of(fields, prompt, path)
            try:
                atomic_write(path, data, exclusive=True)
            except FileExistsError as error:
                raise AgentFileError(
                    f"{printable(str(path))}:1: this agent exists already.",
                    remedy="Change it with modify, or choose another name.",
                ) from error
            self._refresh()
        return agent

    def modify(self, name: str, field: str, value: Any, *, append: bool = False) -> Agent:
        """Change one field of an agent (``description``, ``tools``, ``prompt`` or ``model``) and raise its version.

        With ``append`` tools are added to the list, and text follows the old text (a prompt after a blank line). A
        packaged agent is copied into the folder first. Kernels that change one agent at the same time wait for each
        other (on Windows: threads of one kernel do), so no change is lost.

        Raises:
            UnknownAgent: no agent has this name.
            AgentFileError: the field or value is not usable, or the file on disk is broken and would be overwritten.
            StoreError: the folder cannot be written.
        """
        if field not in FIELDS:
            raise AgentFileError(
                f"{self._shown}: an agent has no field {printable(repr(field))} to modify.",
                remedy=f"Fields: {', '.join(FIELDS)}.",
            )
        with self._writing():
            agent = self.get(name)
            entry = self._entries.get(f"{name}.md")
            if entry is not None and entry.error is not None:
                raise _again(entry.error)
            if append:
                value = self._appended(agent, field, value)
            if field == "prompt" and not isinstance(value, str):
                raise AgentFileError(f"{self._shown}: the prompt must be text, got {type(value).__name__}.")
            fields: dict[str, Any] = {
                "name": agent.name,
                "description": agent.description,
                "tools": agent.tools,
                "model": agent.model,
                "options": agent.options,
                "version": agent.version + 1,
                "created_at": agent.created_at,
                "created_by": agent.created_by,
                **agent.extra,
            }
            if field != "prompt":
                fields[field] = value
            path = self.folder / f"{name}.md"
            changed, data = self._text_of(fields, value if field == "prompt" else agent.prompt, path)
            atomic_write(path, data)
            self._refresh()
        return changed

    @staticmethod
    def unknown_tools(agent: Agent, known: Collection[str]) -> tuple[str, ...]:
        """The tools that ``agent`` names and ``known`` does not have, in the agent's order."""
        return tuple(tool for tool in agent.tools if tool not in known)

    @property
    def _shown(self) -> str:
        return printable(str(self.folder))

    def _agents(self) -> dict[str, Agent]:
        with self._lock:
            self._refresh()
            shadowed = {name.removesuffix(".md") for name in self._entries}
            agents = {name: agent for name, agent in packaged_agents().items() if name not in shadowed}
            agents.update((e.agent.name, e.agent) for e in self._entries.values() if e.agent is not None)
            return agents

    def _refresh(self) -> None:
        """Bring the entries up to date with the folder; problems become entries, never exceptions."""
        try:
            names = file_names(self.folder)
        except AgentFileError as error:
            self._folder_error = error
            return
        self._folder_error = None

        def precedence(name: str) -> tuple[bool, bool, str]:
            """Of two look-alikes the one in use stays; else the one that is written plainly."""
            known = self._entries.get(name)
            stem = name[: -len(".md")]
            return (known is None or known.agent is None, stem != skeleton(stem), name)

        taken = {skeleton(name): f"{name}.md" for name in packaged_agents()}
        entries: dict[str, _Entry] = {}
        for name in sorted(names, key=precedence):
            first = taken.setdefault(skeleton(name[: -len(".md")]), name)
            entries[name] = self._entry(name, first if first != name else "")
        self._entries = entries

    def _entry(self, name: str, look_alike: str) -> _Entry:
        path = self.folder / name
        old = self._entries.get(name)
        agent = old.agent if old is not None else None
        signature: tuple[int, ...] = ()
        try:
            if look_alike:
                raise AgentFileError(
                    f"{printable(str(path))}:1: looks like {printable(look_alike)!r}.",
                    remedy="Rename or remove one of the two.",
                )
            if problem := name_problem(path.stem):
                raise AgentFileError(f"{printable(str(path))}:1: {problem}.", remedy="Rename the file.")
            with contextlib.suppress(OSError):  # a file that vanished is reported by read_agent
                status = os.lstat(path)
                signature = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev, status.st_mode)
            if signature and old is not None and old.signature == signature:
                return old
            agent = read_agent(path)
        except AgentFileError as error:
            return _Entry(signature, agent, error)
        return _Entry(signature, agent, None)

    def _refuse_look_alike(self, name: str) -> None:
        self._refresh()
        for other in {entry.removesuffix(".md") for entry in self._entries} | set(packaged_agents()):
            if other != name and skeleton(other) == skeleton(name):
                raise AgentFileError(
                    f"{self._shown}: {name!r} looks like {printable(other)!r}, which exists.",
                    remedy="Choose a name that nobody can mistake for it.",
                )

    def _text_of(self, fields: dict[str, Any], prompt: str, path: Path) -> tuple[Agent, bytes]:
        """The agent as it will be read back, and its file's bytes."""
        where = printable(str(path))

        def refuse(key: str, what: str, remedy: str) -> AgentFileError:
            return AgentFileError(f"{where}:1: {what}.", remedy=remedy)

        if not isinstance(prompt, str):
            raise refuse("prompt", f"the prompt must be text, got {type(prompt).__name__}", "Give the text.")
        for value in (prompt, fields["description"], fields["created_by"]):
            if isinstance(value, str) and any("\ud800" <= c <= "\udfff" or c == "\0" for c in value):
                raise refuse("", "text with characters that UTF-8 or YAML cannot hold", "Remove them.")
        text = dump_agent(agent_from(fields, prompt, path, refuse))
        return parse_agent(text, path), text.encode("utf-8")

    def _appended(self, agent: Agent, field: str, value: Any) -> Any:
        if field == "tools" and isinstance(value, (list, tuple)):
            return [*agent.tools, *value]
        if field in ("description", "prompt") and isinstance(value, str):
            old = agent.description if field == "description" else agent.prompt
            return f"{old}{' ' if field == 'description' else chr(10) * 2}{value}" if old else value
        raise AgentFileError(
            f"{self._shown}: cannot append {type(value).__name__} to {field}.",
            remedy="Append a list of names to tools, or text to description or prompt.",
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the folder against every other writer; it is made when it is not there."""
        with self._lock:
            file_names(self.folder)  # refuses a folder that is a link
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with locked(self.folder):
                    yield
            except OSError as error:
                raise StoreError(
                    f"{self._shown}: cannot be written ({error.strerror or error}).",
                    remedy="Choose a workspace folder that you can write to.",
                ) from error


@functools.cache
def packaged_agents() -> dict[str, Agent]:
    """The agents that come with the package, by name; a workspace's own file of the same name goes before."""
    agents = [read_agent(path) for path in sorted((Path(__file__).parent / "agents").glob("*.md"))]
    return {agent.name: agent for agent in agents}


def _again(error: AgentFileError) -> AgentFileError:
    """The same error, new, since an exception that is raised twice collects two tracebacks."""
    return AgentFileError(error.message, remedy=error.remedy)
