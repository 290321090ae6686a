"""One agent as one Markdown file: front matter for the machine, the body as the prompt.

``parse_agent(dump_agent(agent), agent.path) == agent`` for every agent that can be written.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

import frontmatter

from llmos_nb.errors import AgentFileError
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import KEYS, Agent, agent_from, printable
from llmos_nb.mind.front_matter import CappedYAML

__all__ = ["SIZE_LIMIT", "agent_of", "dump_agent", "parse_agent", "read_agent", "read_bytes"]

#: Bytes of an agent file; the longest prompts in use are a quarter of it.
SIZE_LIMIT: Final = 64 * 1024


def parse_agent(text: str, path: Path | None = None) -> Agent:
    """The agent that ``text`` defines. With ``path`` its name must be the file's stem; nothing is read from there.

    A byte order mark and CRLF line ends are accepted. Without ``tools`` nothing is granted.

    Raises:
        AgentFileError: ``path:line: what``, for the first thing that is wrong.
    """
    where = printable(spelled(path)) if path is not None else "agent"

    def refuse(line: int, what: str, remedy: str, field: str = "") -> AgentFileError:
        return AgentFileError(f"{where}:{line}: {what}.", remedy=remedy, line=line, field=field)

    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise refuse(line, "not valid UTF-8", "Save the file as UTF-8.") from error
    if size > SIZE_LIMIT:
        raise refuse(1, f"{size} bytes, more than {SIZE_LIMIT}", "Shorten the prompt.")
    if (at := text.find("\0")) >= 0:
        raise refuse(text.count("\n", 0, at) + 1, "holds a NUL character", "Remove it.")
    handler = CappedYAML(refuse)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not text.startswith("---"):
        # python-frontmatter would skip blank lines, and every line number after them would be wrong
        raise refuse(1, "has no front matter", "Start the file with a line '---', the keys, and another line '---'.")
    fields, prompt = frontmatter.parse(text, handler=handler)
    return agent_from(
        fields, prompt, path, lambda key, what, remedy: refuse(handler.lines.get(key, 1), what, remedy, key)
    )


def dump_agent(agent: Agent) -> str:
    """The text of the agent's file. Keys without a value are left out; unknown keys come last."""
    fields: dict[str, Any] = {
        "name": agent.name,
        "description": agent.description,
        "tools": list(agent.tools),
        "model": agent.model,
        "options": dict(agent.options) or None,
        "version": agent.version,
        "created_at": agent.created_at or None,
        "created_by": agent.created_by or None,
    }
    kept = {key: value for key, value in fields.items() if value is not None}
    extra = {key: value for key, value in agent.extra.items() if key not in KEYS}
    handler = CappedYAML(lambda line, what, remedy: AgentFileError(f"agent:{line}: {what}.", remedy=remedy))
    header = handler.export({**kept, **extra})
    return f"---\n{header}\n---\n{agent.prompt}\n" if agent.prompt else f"---\n{header}\n---\n"


def read_agent(path: Path) -> Agent:
    """The agent in the file at ``path``, which must be a regular file and not a link to one.

    Raises:
        AgentFileError: it cannot be read, is too large, or does not define an agent.
    """
    return agent_of(read_bytes(path), path)


def agent_of(data: bytes, path: Path) -> Agent:
    """The agent that the bytes of the file at ``path`` define.

    Raises:
        AgentFileError: they define none.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = printable(spelled(path))
        raise AgentFileError(f"{where}:{line}: not valid UTF-8.", remedy="Save the file as UTF-8.") from error
    return parse_agent(text, path)


def read_bytes(path: Path) -> bytes:
    """What the file at ``path`` holds, which must be a regular file of a sane size and not a link to one.

    Raises:
        AgentFileError: it is something else, or cannot be read.
    """
    where = printable(spelled(path))
    try:
        # O_NOFOLLOW closes the gap between a check and the opening; O_NONBLOCK keeps a named pipe from hanging us
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        before = os.lstat(path)
        if stat.S_ISLNK(before.st_mode):
            raise AgentFileError(f"{where}:1: is a symbolic link.", remedy="Put the file itself there.")
        if not stat.S_ISREG(before.st_mode):
            raise AgentFileError(f"{where}:1: is not a regular file.", remedy="Move it out of the agents folder.")
        with os.fdopen(os.open(path, flags), "rb") as file:
            opened = os.fstat(file.fileno())
            if not stat.S_ISREG(opened.st_mode) or (opened.st_dev, opened.st_ino) != (before.st_dev, before.st_ino):
                raise AgentFileError(f"{where}:1: was exchanged while it was opened.", remedy="Try again.")
            if opened.st_size > SIZE_LIMIT:
                raise AgentFileError(
                    f"{where}:1: {opened.st_size} bytes, more than {SIZE_LIMIT}.", remedy="Shorten the prompt."
                )
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise AgentFileError(
            f"{where}:1: cannot be read ({error.strerror or error}).",
            remedy="Check that it is there, is not a link, and may be read.",
        ) from error
    return data
