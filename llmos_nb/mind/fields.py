"""An agent as plain data, and back: what is written is what will be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmos_nb.errors import AgentFileError
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import Agent, agent_from, printable
from llmos_nb.mind.agent_file import dump_agent, parse_agent

__all__ = ["appended", "fields_of", "text_of"]


def fields_of(agent: Agent) -> dict[str, Any]:
    """An agent's front matter as plain data."""
    return {
        "name": agent.name,
        "description": agent.description,
        "tools": agent.tools,
        "model": agent.model,
        "options": agent.options,
        "version": agent.version,
        "created_at": agent.created_at,
        "created_by": agent.created_by,
        **agent.extra,
    }


def text_of(fields: dict[str, Any], prompt: str, path: Path) -> tuple[Agent, bytes]:
    """The agent as it will be read back, and its file's bytes.

    Raises:
        AgentFileError: something given cannot be written.
    """
    where = printable(spelled(path))

    def refuse(key: str, what: str, remedy: str) -> AgentFileError:
        return AgentFileError(f"{where}:1: {what}.", remedy=remedy, field=key, line=1)

    if not isinstance(prompt, str):
        raise refuse("prompt", f"the prompt must be text, got {type(prompt).__name__}", "Give the text.")
    for value in (prompt, fields["description"], fields["created_by"]):
        if isinstance(value, str) and any("\ud800" <= c <= "\udfff" or c == "\0" for c in value):
            raise refuse("", "text with characters that UTF-8 or YAML cannot hold", "Remove them.")
    text = dump_agent(agent_from(fields, prompt, path, refuse))
    return parse_agent(text, path), text.encode("utf-8")


def appended(agent: Agent, field: str, value: Any, where: str) -> Any:
    """The value of ``field`` with ``value`` at its end.

    Raises:
        AgentFileError: it cannot be appended there; the message begins with ``where``.
    """
    if field == "tools" and isinstance(value, (list, tuple)):
        return [*agent.tools, *value]
    if field in ("description", "prompt") and isinstance(value, str):
        old = agent.description if field == "description" else agent.prompt
        value = value.replace("\r\n", "\n").strip()
        if not value or old == value or old.endswith(("\n" if field == "prompt" else " ") + value):
            return old  # said already: a change that is made again must not pile up
        return f"{old}{' ' if field == 'description' else chr(10) * 2}{value}" if old else value
    raise AgentFileError(
        f"{where}: cannot append {type(value).__name__} to {field}.",
        remedy="Append a list of names to tools, or text to description or prompt.",
    )
