"""The agents that can be used now: a folder's files as they are at this moment, and the packaged ones behind them."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import Agent, printable
from llmos_nb.mind.loaded import Entry, LoadedFolder
from llmos_nb.mind.packaged import packaged_agents

__all__ = ["KnownAgents", "again"]

#: Names that a message lists.
LISTED: Final = 30


class KnownAgents:
    """What can be read of the agents in ``folder``; ``more`` gives packaged ones from elsewhere. Safe for threads."""

    def __init__(self, folder: Path, more: Callable[[], Mapping[str, Agent]] | None) -> None:
        self.folder = folder
        self._more = more
        self.loaded = LoadedFolder(folder, self.packaged())
        #: Held for a look at what is loaded, never for longer: whoever asks for an agent does not wait for writers.
        self._lock = threading.RLock()

    @property
    def shown(self) -> str:
        """The folder as messages name it."""
        return printable(spelled(self.folder))

    def packaged(self) -> Mapping[str, Agent]:
        """The agents that files of the folder go before: of the package, then of others."""
        own, more = packaged_agents(), self._more() if self._more is not None else {}
        return {**more, **own} if more else own

    def all(self) -> dict[str, Agent]:
        """Every agent that can be used, by name."""
        with self._lock:
            self.loaded.refresh()
            entries = self.loaded.entries
            shadowed = {name.removesuffix(".md") for name in entries}
            agents = {name: agent for name, agent in self.packaged().items() if name not in shadowed}
            agents.update((e.agent.name, e.agent) for e in entries.values() if e.agent is not None)
            return agents

    def get(self, name: str) -> Agent:
        """The agent called ``name``, as its file is at this moment.

        Raises:
            UnknownAgent: there is none; the remedy has the closest names and all known ones.
            AgentFileError: its file is broken and no version of it was ever read here.
        """
        with self._lock:
            entry = self.loaded.refresh_one(f"{name}.md") if isinstance(name, str) else None
            if entry is not None:
                if entry.agent is not None:
                    return entry.agent
                assert entry.error is not None
                raise again(entry.error)
            if isinstance(name, str) and name in (packaged := self.packaged()):
                return packaged[name]
            agents = self.all()
        close = difflib.get_close_matches(str(name), agents, n=3, cutoff=0.6)
        hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise UnknownAgent(
            f"No agent is named {printable(repr(name))}.", remedy=f"{hint}Known agents: {_listed(agents)}."
        )

    def errors(self) -> list[AgentFileError]:
        """What is wrong with the folder and its files now, by file name; empty when all is well."""
        with self._lock:
            self.loaded.refresh()
            entries = self.loaded.entries
            found = [entry.error for _, entry in sorted(entries.items()) if entry.error is not None]
            return ([self.loaded.error] if self.loaded.error is not None else []) + found

    def problem(self, name: str) -> AgentFileError | None:
        """What is wrong with the file of the agent called ``name`` now, though an earlier version may be in use."""
        with self._lock:
            entry = self.loaded.refresh_one(f"{name}.md")
            return entry.error if entry is not None else self.loaded.error

    def look(self, name: str, *, anew: bool = False) -> Entry | None:
        """The file of the agent called ``name``, up to date; None where there is none. ``anew`` reads it in any case."""
        with self._lock:
            return self.loaded.refresh_one(f"{name}.md", anew=anew)

    def files(self) -> set[str]:
        """The names of all files, whether they can be used or not."""
        with self._lock:
            self.loaded.refresh()
            return {entry.removesuffix(".md") for entry in self.loaded.entries}


def again(error: AgentFileError) -> AgentFileError:
    """The same error, new, since an exception that is raised twice collects two tracebacks."""
    return AgentFileError(error.message, remedy=error.remedy, field=error.field, line=error.line)


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:LISTED]) + (f" and {len(found) - LISTED} more" if len(found) > LISTED else "")
