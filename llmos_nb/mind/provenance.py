"""Whether an agent's file is from here: written by this person or their system, or seen by them before it was used.

Files of agents come with folders: by git, in an archive. Their words would steer whoever is asked to work, and a file
called ``generalist`` would work on every goal. So what is written here gets a mark with the person's own key
(:mod:`llmos_nb.kernel.trust`), for the name, the words and the tools that it was granted. A file without one is listed,
and not used until the person has looked at it. What changes a file that has one counts at once, as long as it is granted
nothing more: most often it was the person, with an editor. But nobody can tell that from a pull, so until they have
looked, its words are taken for content from outside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from llmos_nb.errors import AgentFileError, StoreError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.spelled import spelled
from llmos_nb.kernel.trust import Trust
from llmos_nb.kernel.whose import own_work
from llmos_nb.mind.agent import Agent, name_problem, printable
from llmos_nb.mind.fields import fields_of
from llmos_nb.mind.known import KnownAgents

__all__ = ["Provenance"]

_LIMIT: Final = 100_000
#: Front matter that says nothing of what an agent may do or is told.
_STAMPS: Final = ("version", "created_at", "created_by")


class Provenance:
    """Marks of the agents that are from here; in ``place``, one file an agent, so that no two kernels meet."""

    def __init__(self, known: KnownAgents, place: Path) -> None:
        self._known, self._place = known, place
        #: By name, where a mark could be kept nowhere: the tools.
        self._unkept: dict[str, frozenset[str]] = {}

    def seal(self, name: str, digest: bytes, tools: Collection[str]) -> None:
        """Mark an agent as from here, with what it is granted.

        Raises:
            GuardDenied: it is an agent's own code that asks.
        """
        granted = sorted(tools)
        told = {"digest": digest.hex(), "tools": granted}
        try:
            told["mark"] = Trust.here().sign("agent", name, _content(digest.hex(), granted))
            with own_work():
                atomic_write(self._file(name), (json.dumps(told) + "\n").encode("utf-8"))
        except StoreError:  # no key, or no place for it: it holds in this process
            self._unkept[name] = frozenset(granted)

    def foreign(self, name: str) -> str:
        """Why the agent called ``name`` is not to be used yet; empty where it is from here, packaged, or not there."""
        entry = self._known.look(name)
        if entry is None or entry.agent is None or self._packaged(entry.agent):
            return ""
        sealed = self._sealed(name)
        if sealed is None:
            return "was not written here"
        more = [tool for tool in entry.agent.tools if tool not in sealed[1]]
        return f"was changed outside, and is granted {', '.join(map(printable, more))} now" if more else ""

    def unseen(self, name: str) -> bool:
        """Whether the file of an agent from here says something else than was written here or looked at."""
        entry, sealed = self._known.look(name), self._sealed(name)
        if entry is None or entry.agent is None or entry.error is not None or sealed is None or not sealed[0]:
            return False
        return entry.digest.hex() != sealed[0] and not self.foreign(name) and not self._packaged(entry.agent)

    def edited(self, name: str) -> bool:
        """Whether the file of an agent from here is :meth:`unseen`, and another than when this was asked the last time."""
        entry = self._known.look(name)
        if entry is None or not self.unseen(name):
            return False
        digest = entry.digest.hex()
        try:
            told = json.loads(self._file(name).read_bytes())
            if told.get("told") == digest:
                return False
            with own_work():
                atomic_write(self._file(name), (json.dumps({**told, "told": digest}) + "\n").encode("utf-8"))
        except (OSError, ValueError, StoreError):  # it is told once more
            pass
        return True

    def covers(self, name: str, tools: Collection[str]) -> bool:
        """Whether an agent of this name, with these tools, is from here."""
        sealed = self._sealed(name)
        return sealed is not None and set(tools) <= sealed[1]

    def trust(self, name: str) -> Agent:
        """Mark an agent as it is now; the caller has shown it to the person.

        Raises:
            UnknownAgent: there is none of that name.
            AgentFileError: its file is broken.
            GuardDenied: it is an agent's own code that asks.
        """
        agent = self._known.get(name)
        entry = self._known.look(name, anew=True)
        if entry is not None and entry.agent is not None:
            if entry.error is not None:
                raise AgentFileError(entry.error.message, remedy=entry.error.remedy)
            agent = entry.agent
            self.seal(name, entry.digest, agent.tools)
        return agent

    def refusal(self, name: str, why: str) -> AgentFileError:
        """The error for an agent that is not to be used yet."""
        where = printable(spelled(self._known.folder / f"{name}.md"))
        return AgentFileError(
            f"{where}: {why}, so this agent is not used yet.",
            remedy=f"%agents trust {name} (llmos.agents.trust({name!r})) shows it and puts it into use.",
        )

    def _packaged(self, agent: Agent) -> bool:
        """Whether it says what the packaged agent of its name says."""
        packaged = self._known.packaged().get(agent.name)
        return packaged is not None and _words(packaged) == _words(agent)

    def _file(self, name: str) -> Path:
        return self._place / f"{name}.json"

    def _sealed(self, name: str) -> tuple[str, frozenset[str]] | None:
        """The digest and the tools of the mark that an agent has."""
        if name in self._unkept:
            return "", self._unkept[name]
        if name_problem(name):
            return None
        path = self._file(name)
        try:
            if os.stat(path).st_size > _LIMIT:
                return None
            told = json.loads(path.read_bytes())
            digest, tools = str(told["digest"]), [str(tool) for tool in told["tools"]]
            good = Trust.here().knows("agent", name, _content(digest, tools), told["mark"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError, StoreError):
            return None
        return (digest, frozenset(tools)) if good else None


def _content(digest: str, tools: Collection[str]) -> str:
    return json.dumps([digest, sorted(tools)])


def _words(agent: Agent) -> dict[str, object]:
    told = {key: value for key, value in fields_of(agent).items() if key not in _STAMPS}
    return {**told, "prompt": agent.prompt}
