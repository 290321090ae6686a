"""Writing agents: one at a time, checked against what its author may grant, and never over what somebody just saved."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import AgentFileError
from llmos_nb.kernel.files import atomic_write
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import Agent, name_problem, printable, skeleton
from llmos_nb.mind.changes import Change, difference
from llmos_nb.mind.chronicle import Chronicle
from llmos_nb.mind.fields import fields_of, text_of
from llmos_nb.mind.hold import Hold
from llmos_nb.mind.known import KnownAgents, again
from llmos_nb.mind.provenance import Provenance

__all__ = ["AgentWriter", "check_name"]

#: How often a change is made anew when somebody saves the file at the same moment.
TRIES: Final = 5


class AgentWriter:
    """Writes files of agents. ``offered`` tells which tools there are; nothing that is written grants another one anew."""

    def __init__(
        self,
        known: KnownAgents,
        chronicle: Chronicle,
        hold: Hold,
        offered: Callable[[], Collection[str]] | None,
        provenance: Provenance,
    ) -> None:
        self._known, self._chronicle, self._hold, self._offered = known, chronicle, hold, offered
        self._provenance = provenance

    def put(
        self,
        name: str,
        fields: Mapping[str, Any],
        prompt: str,
        action: str,
        change: Change,
        *,
        remedy: str = "Try again.",
    ) -> Agent:
        """Write an agent that is not there.

        Raises:
            AgentFileError: it is there (``remedy`` says what then), looks like another, or cannot be written as it is.
            StoreError: the folder cannot be written.
        """
        with self._hold.to_write():
            path = self._known.folder / f"{name}.md"
            self._refuse_look_alike(name)
            self._chronicle.keep_packaged(name)
            # The numbers of an agent that was removed go on, so that every version has one of its own.
            made = {
                **fields,
                "created_at": fields.get("created_at") or _now(),
                "created_by": fields.get("created_by") or change.by,
                "name": name,
                "version": self._chronicle.last_number(name) + 1,
            }
            made.pop("prompt", None)
            agent, data = text_of(made, prompt, path)
            self._check(change, self._known.packaged().get(name), agent, path)
            try:
                atomic_write(path, data, exclusive=True)
            except FileExistsError as error:
                raise AgentFileError(
                    f"{printable(spelled(path))}:1: this agent exists already.", remedy=remedy
                ) from error
            self._chronicle.written(name, data, action, change)
            if action != "restored" or self._provenance.covers(name, agent.tools):
                self._seal(agent)
        return agent

    def _seal(self, agent: Agent) -> None:
        """Note that it was written here."""
        entry = self._known.look(agent.name)
        if entry is not None and entry.agent == agent:
            self._provenance.seal(agent.name, entry.digest, agent.tools)

    def change(
        self,
        name: str,
        fields: Callable[[Agent], dict[str, Any]],
        action: str,
        change: Change,
        *,
        broken: bool = False,
    ) -> Agent:
        """Put the agent with ``fields(agent as it is on disk)``; with ``broken`` a file that cannot be read is replaced.

        Raises:
            UnknownAgent: no agent has this name.
            AgentFileError: the file on disk is broken and would be overwritten, or what it would be cannot be written.
            StoreError: the folder cannot be written.
        """
        check_name(name, self._known.shown)
        for _ in range(TRIES):
            with self._hold.to_write():
                entry = self._known.look(name, anew=True)
                if entry is not None and entry.error is not None and not broken:
                    raise again(entry.error)
                old = entry.agent if entry is not None and entry.agent is not None else None
                if old is None and not (entry is not None and broken):
                    old = self._known.get(name)
                if entry is None or not self._chronicle.last_number(name):
                    self._chronicle.keep_packaged(name)
                self._chronicle.keep_before(name)
                base = old or Agent(name, created_at=_now(), created_by=change.by)
                wanted = dict(fields(base))
                prompt = wanted.pop("prompt", base.prompt)
                found = entry.signature if entry is not None else ()
                version = max(base.version, self._chronicle.last_number(name)) + 1
                made = {**fields_of(base), **wanted, "version": version}
                if (done := self._replaced(name, old, made, prompt, action, change, found)) is not None:
                    return done
        raise AgentFileError(
            f"{spelled(self._known.folder / name)}.md:1: somebody else changes this file all the time.",
            remedy="Try again later.",
        )

    def _replaced(
        self,
        name: str,
        old: Agent | None,
        fields: dict[str, Any],
        prompt: str,
        action: str,
        change: Change,
        found: tuple[int, ...],
    ) -> Agent | None:
        """The agent as written; None when the file is not as it was ``found`` any more."""
        path = self._known.folder / f"{name}.md"
        agent, data = text_of(fields, prompt, path)
        self._check(change, old, agent, path)
        entry = self._known.look(name)
        good = entry is None or entry.error is None
        if old is not None and good and not difference(old, agent):
            return old
        now = self._known.look(name)
        if (now.signature if now is not None else ()) != found:
            return None
        foreign = self._provenance.foreign(name)
        atomic_write(path, data)
        self._chronicle.written(name, data, action, change)
        if not foreign:  # a change of somebody else's words makes them nobody's own
            self._seal(agent)
        return agent

    def _check(self, change: Change, old: Agent | None, agent: Agent, path: Path) -> None:
        where = printable(spelled(path))
        change.check(old, agent, where)
        if self._offered is None:
            return
        offered = self._offered()
        before = old.tools if old is not None else ()
        unknown = [tool for tool in agent.tools if tool not in offered and tool not in before]
        if unknown:
            close = [near for tool in unknown for near in difflib.get_close_matches(tool, offered, n=1, cutoff=0.6)]
            hint = f"Did you mean {' and '.join(map(repr, close))}? " if close else ""
            raise AgentFileError(
                f"{where}: no tool is called {', '.join(printable(repr(tool)) for tool in unknown)}.",
                remedy=f"{hint}The tools are {', '.join(sorted(offered))}.",
                field="tools",
            )

    def _refuse_look_alike(self, name: str) -> None:
        for other in self._known.files() | set(self._known.packaged()):
            if other != name and skeleton(other) == skeleton(name):
                raise AgentFileError(
                    f"{self._known.shown}: {name!r} looks like {printable(other)!r}, which exists.",
                    remedy="Choose a name that nobody can mistake for it.",
                    field="name",
                )


def check_name(name: str, where: str) -> None:
    """Refuse what cannot be an agent's name.

    Raises:
        AgentFileError: it cannot; the message begins with ``where``.
    """
    if problem := name_problem(name):
        raise AgentFileError(
            f"{where}: {problem}.", remedy="Choose another name, such as 'data-analyst'.", field="name"
        )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
