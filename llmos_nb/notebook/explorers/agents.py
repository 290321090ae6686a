"""Agents: read, edit and restore them. What is typed is kept until it is saved, whatever is wrong with it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from llmos_nb.errors import AgentFileError, SettingsError, UnknownAgent
from llmos_nb.notebook.agent_views import agents_table
from llmos_nb.notebook.explorers.explorer import Explorer
from llmos_nb.notebook.explorers.twin import Twin, money

if TYPE_CHECKING:
    import pandas as pd

    from llmos_nb.mind import Agent

__all__ = ["AgentExplorer"]

#: What can be edited one by one; a whole file has all of them.
FIELDS = ("description", "tools", "model", "prompt")


class AgentExplorer(Explorer):
    """The agents of a workspace. Everything it does is a method of ``llmos.agents``, with that one's errors."""

    what: ClassVar[str] = "agents"

    def __init__(self, system: Any) -> None:
        super().__init__(system)
        #: What was typed and not saved, by agent; a page that is loaded again finds it here.
        self.drafts: dict[str, dict[str, Any]] = {}

    def known(self, ids: Iterable[str]) -> None:
        broken = self._broken()
        for name in ids:
            if name not in broken:
                self.system.agents.get(name)

    @property
    def df(self) -> pd.DataFrame:
        from llmos_nb.frames.rows import agent_rows
        from llmos_nb.frames.schema import AGENTS
        from llmos_nb.frames.tables import frame_of

        return frame_of(AGENTS, agent_rows(self.system.workspace, lambda problem: None))  # told by twin and widget

    @property
    def selected_df(self) -> pd.DataFrame:
        every = self.df
        return every[every["name"].isin(self.selected)].reset_index(drop=True)

    # -- what can be done

    def open(self, name: str) -> dict[str, Any]:
        """An agent's fields, its file as it is on disk, its versions, and what is wrong with the file if anything is.

        Raises:
            UnknownAgent: there is none of that name.
        """
        agents = self.system.agents
        problem = agents.problem(name)
        try:
            agent = agents.get(name)
        except AgentFileError as error:
            agent, problem = None, error
        text = self._text(name, agent)
        fields = None if agent is None else _fields(agent)
        try:
            versions = agents.history(name)
        except (AgentFileError, UnknownAgent):  # broken from the beginning
            if problem is None:
                raise
            versions = []
        return {
            "name": name,
            "fields": fields,
            "file": text,
            "base": _digest(text),
            "version": agent.version if agent is not None else None,
            "problem": _problem(problem),
            "waits": self._waits(name),
            "packaged": not (agents.folder / f"{name}.md").exists(),
            "history": [
                {
                    "number": one.number,
                    "what": one.action,
                    "by": one.by,
                    "why": one.reason,
                    "when": one.at[:16].replace("T", " "),
                    "text": bool(one.blob),
                }
                for one in reversed(versions)
            ],
            "draft": self.drafts.get(name),
        }

    def save(
        self,
        name: str,
        *,
        fields: Mapping[str, Any] | None = None,
        file: str | None = None,
        base: str | None = None,
        new: bool = False,
    ) -> dict[str, Any]:
        """Write an agent from its fields or from the text of a whole file; one that is ``new`` must not be there yet.

        With ``base``, what :meth:`open` said the file was, a file that was changed meanwhile is not overwritten.

        Raises:
            AgentFileError: what is wrong, with the field and the line; nothing was written.
            StoreError: the folder cannot be written.
        """
        from llmos_nb.mind import Agent, difference, dump_agent, parse_agent

        agents = self.system.agents
        if (fields is None) == (file is None):
            raise SettingsError("Either the fields or the whole file can be given.", remedy="Leave one of them out.")
        before = self._before(name)
        if new and (before is not None or name in self._broken()):
            raise AgentFileError(f"There is an agent {name!r} already.", remedy="Choose another name.", field="name")
        if not new and base is not None and base != _digest(self._text(name, before)):
            raise AgentFileError(
                f"{name}: its file was changed meanwhile by somebody else.",
                remedy="Look at what it says now, then save yours over it, or take theirs.",
                field="base",
            )
        if file is None:
            assert fields is not None
            file = dump_agent(_with(before or Agent(str(name)), fields))
        text = _clean(file)
        if fields is None:
            parse_agent(text, agents.folder / f"{name}.md")  # a file without front matter is not taken for a prompt
        saved = agents.write(name, text)
        self.drafts.pop(name, None)
        return {"said": _said(before, saved), "diff": difference(before, saved), "agent": self.open(name)}

    def trust(self, name: str, base: str) -> dict[str, Any]:
        """Put an agent into use, or its words in force, whose file is what :meth:`open` said: ``base`` stands for that.

        Raises:
            UnknownAgent: there is none of that name.
            AgentFileError: its file is broken, or was changed since it was looked at.
        """
        if base != _digest(self._text(name, self._before(name))):
            raise AgentFileError(
                f"{name}: its file was changed since you looked at it.",
                remedy="Look at what it says now.",
                field="base",
            )
        self.system.agents.trust(name)
        return {"said": f"{name} is trusted as it stands here.", "agent": self.open(name)}

    def _waits(self, name: str) -> str:
        """Why a person has to look at an agent's file; empty where nobody has to."""
        agents = self.system.agents
        if why := agents.foreign(name):
            return f"{why}, so it is not used yet"
        return (
            "was changed outside: until you trust it, what it says is taken for a stranger's"
            if agents.unseen(name)
            else ""
        )

    # -- for the widget

    def actions(self) -> Mapping[str, Callable[..., dict[str, Any]]]:
        return {
            "list": self._list,
            "open": self.open,
            "save": self.save,
            "draft": self._draft,
            "convert": self._convert,
            "diff": self._diff,
            "restore": self._restore,
            "trust": self.trust,
        }

    def _list(self) -> dict[str, Any]:
        from llmos_nb.frames.rows import agent_uses

        uses = agent_uses(self.system.workspace)
        rows: list[dict[str, Any]] = []
        for agent in self.system.agents.list():
            used = uses.get(agent.name)
            success = "" if used is None or used.success_rate is None else f"{used.success_rate:.0%}"
            rows.append(
                {
                    "name": agent.name,
                    "description": agent.description,
                    "uses": used.uses if used is not None else 0,
                    "success": success,
                    "cost": money(used.cost_usd) if used is not None else "",
                    "problem": "",
                    "waits": self._waits(agent.name),
                }
            )
        broken = self._broken()
        for row in rows:
            row["problem"] = broken.pop(row["name"], "")
        empty = {"description": "", "uses": 0, "success": "", "cost": "", "waits": ""}
        rows += [{"name": name, **empty, "problem": told} for name, told in broken.items()]
        rows.sort(key=lambda row: str(row["name"]))
        history = self.system.agents.history_problem
        return {
            "rows": rows,
            "selected": self.selected,
            "tools": self.system.agents.offered,
            "drafts": sorted(self.drafts),
            "problems": [history] if history else [],
        }

    def _draft(self, name: str, draft: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if draft is None:
            self.drafts.pop(name, None)
        else:
            self.drafts[str(name)] = dict(draft)
        return {"drafts": sorted(self.drafts)}

    def _convert(self, name: str, fields: Mapping[str, Any] | None = None, file: str | None = None) -> dict[str, Any]:
        """The whole file that fields make, or the fields of a whole file; nothing is written."""
        from llmos_nb.mind import Agent, dump_agent, parse_agent

        if file is None:
            return {"file": dump_agent(_with(self._before(name) or Agent(str(name)), fields or {}))}
        return {"fields": _fields(parse_agent(_clean(file), self.system.agents.folder / f"{name}.md"))}

    def _diff(self, name: str, older: int | None = None, newer: int | None = None) -> dict[str, Any]:
        return {"diff": self.system.agents.diff(name, older, newer)}

    def _restore(self, name: str, version: int) -> dict[str, Any]:
        before = self._before(name)
        restored = self.system.agents.restore(name, version)
        self.drafts.pop(name, None)
        same = before is not None and before.version == restored.version
        said = f"{name} says what it said in version {version} already."
        if not same:
            said = f"{name} is as it was in version {version}; that is version {restored.version} now."
        return {"said": said, "agent": self.open(name)}

    def _before(self, name: str) -> Agent | None:
        try:
            found: Agent = self.system.agents.get(name)
        except (UnknownAgent, AgentFileError):
            return None
        return found

    def _broken(self) -> dict[str, str]:
        """Files that cannot be used, by the agent's name, with what is wrong; an older version may be in force."""
        agents = self.system.agents
        names = (path.stem for path in sorted(agents.folder.glob("*.md"))) if agents.folder.is_dir() else ()
        return {name: str(problem) for name in names if (problem := agents.problem(name)) is not None}

    def _text(self, name: str, agent: Agent | None) -> str:
        """The file as it is on disk; of an agent without a file of its own what it would be."""
        from llmos_nb.mind import dump_agent

        try:
            return (self.system.agents.folder / f"{name}.md").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return dump_agent(agent) if agent is not None else ""

    # -- without a widget

    def twin(self) -> Twin:
        table = agents_table(self.system)
        count = len(self.system.agents.list())
        return Twin(f"Agents: {count} that can be used", (("", table),))


def _fields(agent: Agent) -> dict[str, Any]:
    return {
        "description": agent.description,
        "tools": list(agent.tools),
        "model": agent.model or "",
        "prompt": agent.prompt,
    }


def _with(agent: Agent, fields: Mapping[str, Any]) -> Agent:
    """The agent with these fields, each of a kind that can be written.

    Raises:
        AgentFileError: one is of another kind, or is none.
    """
    changed: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in FIELDS:
            raise AgentFileError(f"An agent has no field {name!r:.40}.", remedy=f"Fields: {', '.join(FIELDS)}.")
        if name == "tools":
            if (
                not isinstance(value, Sequence)
                or isinstance(value, str)
                or any(not isinstance(t, str) for t in value)
            ):
                raise AgentFileError(
                    "tools must be a list of names.", field="tools", remedy="Write run_cell, inspect, say."
                )
            value = tuple(dict.fromkeys(tool.strip() for tool in value if tool.strip()))
        elif not isinstance(value, str):
            raise AgentFileError(f"the {name} must be text.", field=name, remedy="Give a str.")
        elif bad := next((c for c in value if "\ud800" <= c <= "\udfff" or c == "\0"), ""):
            raise AgentFileError(
                f"the {name} holds the character {bad!r}, which a file cannot.", remedy="Remove it.", field=name
            )
        elif name == "model":
            value = value.strip() or None
        else:
            value = value.replace("\r\n", "\n")
        changed[name] = value
    return dataclasses.replace(agent, **changed)


def _problem(error: AgentFileError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {"message": error.message, "remedy": error.remedy, "line": error.line, "field": error.field}


def _clean(file: str) -> str:
    return file.replace("\r\n", "\n").lstrip("\ufeff")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _said(before: Agent | None, saved: Agent) -> str:
    if before is None:
        return f"{saved.name} is made: version {saved.version}. It can be used at once."
    if before.version == saved.version:
        return f"{saved.name}: nothing changed."
    return f"{saved.name} is saved: version {saved.version} is in force."
