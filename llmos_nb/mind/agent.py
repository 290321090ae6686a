"""What an agent is: a name, a grant of tools and a prompt, checked the same way wherever they come from.

An agent may have been written by a model, so a definition can only ever narrow what the system allows: keys that
would switch the guard off are refused, whoever wrote them.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.errors import AgentFileError

__all__ = ["Agent", "agent_from", "name_problem", "printable", "skeleton"]

#: What a refusal is raised with: the key it is about, what is wrong, and what to do.
Refuse = Callable[[str, str, str], AgentFileError]

NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,63}")
TOOL: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")
#: A model's name is handed to a command line program; it must not look like an option.
MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]{0,127}")

#: Names that Windows keeps for devices, and words that other YAML readers take for something that is not text.
RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", "true", "false", "yes", "no", "on", "off", "null"}
    | {f"{device}{n}" for device in ("com", "lpt") for n in range(10)}
)

#: Front matter keys, in any spelling, that would take the guard's decisions into the file.
PRIVILEGED_KEYS: Final = frozenset({"permissionmode", "hooks", "mcpservers"})
#: SDK options that would widen what an agent may do or reach, in any spelling. They belong to the person who starts
#: the system.
PRIVILEGED_OPTIONS: Final = frozenset(
    {
        *("permissionmode", "permissionprompttoolname", "canusetool", "bypasspermissions"),
        *("dangerouslyskippermissions", "allowdangerouslyskippermissions", "hooks", "sandbox", "maxbudgetusd"),
        *("tools", "allowedtools", "disallowedtools", "mcpservers", "strictmcpconfig", "plugins", "skills", "agents"),
        *("settings", "settingsources", "managedsettings", "adddirs", "cwd", "env", "extraargs", "clipath", "user"),
        *("systemprompt", "resume", "continueconversation", "forksession", "sessionid", "sessionstore"),
    }
)

#: The keys with a meaning of their own, in the order in which they are written.
KEYS: Final = (
    "name", "description", "tools", "model", "options", "version", "created_at", "created_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent. ``prompt`` is the file's body; ``tools`` is a grant, and an empty one grants nothing.

    ``options`` are further options for the SDK; ``extra`` holds the front matter keys that mean nothing here, so that
    they survive a change. ``created_at`` is ISO 8601 in UTC, or empty; ``path`` is None for an agent without a file.
    ``str(agent)`` is the text of its file.
    """

    name: str
    description: str = ""
    tools: tuple[str, ...] = ()
    prompt: str = ""
    model: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    created_at: str = ""
    created_by: str = ""
    path: Path | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        granted = ", ".join(self.tools) or "nothing"
        told = f"{self.description!r}, granted {granted}, version {self.version}"
        return f"<agent {self.name}: {told}; print shows the whole>"

    def __str__(self) -> str:
        from llmos_nb.mind.agent_file import dump_agent

        return dump_agent(self).rstrip()


def printable(text: str) -> str:
    """``text`` with control characters and lone surrogates escaped, fit for a message in a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def name_problem(name: object) -> str:
    """Why ``name`` cannot name an agent, or an empty string."""
    if not isinstance(name, str):
        return f"the name must be text, got {_seen(name)}"
    if NAME.fullmatch(name) is None:
        return f"{_seen(name)} is not an agent name (2 to 64 of a-z, 0-9 and '-', a letter first)"
    if name in RESERVED:
        return f"{name!r} cannot be an agent's name, since Windows or YAML gives the word another meaning"
    return ""


@functools.lru_cache(maxsize=8192)
def skeleton(name: str) -> str:
    """What is left of ``name`` for an eye in a hurry: two names with the same skeleton are look-alikes.

    Covers case, compatibility characters, doubled hyphens and the pairs that most fonts draw alike.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    folded = re.sub(r"-+", "-", folded).rstrip("-")
    for drawn, meant in (("0", "o"), ("1", "l"), ("rn", "m"), ("vv", "w")):
        folded = folded.replace(drawn, meant)
    return folded


def agent_from(fields: Mapping[str, Any], prompt: str, path: Path | None, refuse: Refuse) -> Agent:
    """The agent that front matter ``fields`` and a body define.

    Raises:
        AgentFileError: made by ``refuse(key, what, remedy)``, for the first thing that is wrong.
    """
    for key in fields:
        if _folded(key) in PRIVILEGED_KEYS:
            raise refuse(
                key, f"{printable(key)} is not for an agent file to decide", "Remove it; the guard stays in force."
            )
        # Unknown keys are kept, but a misspelt one would silently mean nothing.
        if key not in KEYS and (near := difflib.get_close_matches(key, KEYS, n=1, cutoff=0.85)):
            raise refuse(key, f"unknown key {printable(key)!r}", f"Did you mean {near[0]!r}?")
    if "name" not in fields:
        raise refuse("", "the front matter has no name", "Add a line 'name: …', equal to the file's name.")
    name = fields["name"]
    if problem := name_problem(name):
        raise refuse("name", problem, "Choose another name, such as 'data-analyst'.")
    if path is not None and path.stem != name:
        raise refuse(
            "name", f"the name is {name!r}, but the file is {printable(path.name)!r}", "Make the two the same."
        )
    model = fields.get("model")
    if model is not None and (not isinstance(model, str) or MODEL.fullmatch(model) is None):
        raise refuse("model", f"the model must be a model's name, got {_seen(model)}", "Remove it, or name a model.")
    version = fields.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version < 10**9:
        raise refuse("version", f"the version must be a whole number from 1, got {_seen(version)}", "Write 1.")
    return Agent(
        name=name,
        description=_text(fields, "description", refuse),
        tools=_tools(fields.get("tools", ()), refuse),
        prompt=prompt.replace("\r\n", "\n").strip(),
        model=model,
        options=_options(fields.get("options", {}), refuse),
        version=version,
        created_at=_text(fields, "created_at", refuse),
        created_by=_text(fields, "created_by", refuse),
        path=path,
        extra={key: value for key, value in fields.items() if key not in KEYS},
    )


def _text(fields: Mapping[str, Any], key: str, refuse: Refuse) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise refuse(key, f"the {key} must be text, got {_seen(value)}", "Put it in quotes.")
    return value


def _tools(value: object, refuse: Refuse) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise refuse("tools", f"tools must be a list, got {_seen(value)}", "Write 'tools: [run_cell, inspect]'.")
    for tool in value:
        if not isinstance(tool, str) or TOOL.fullmatch(tool) is None:
            raise refuse(
                "tools", f"tools must be a list of tool names, got {_seen(tool)}", "Name each tool that is granted."
            )
    return tuple(dict.fromkeys(value))


def _options(value: object, refuse: Refuse) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise refuse("options", f"options must be a mapping, got {_seen(value)}", "Write 'options: {max_turns: 20}'.")
    for key in value:
        if not isinstance(key, str) or _folded(key) in PRIVILEGED_OPTIONS:
            raise refuse(
                "options",
                f"the option {_seen(key)} is not for an agent file to decide",
                "Remove it; what the whole system may do is set in llmos.toml, under [sdk].",
            )
    return dict(value)


def _folded(key: str) -> str:
    return unicodedata.normalize("NFKC", key).casefold().replace("_", "").replace("-", "").replace(" ", "")


def _seen(value: object) -> str:
    """A short picture of a value that was not expected."""
    shown = printable(repr(value))
    return shown if len(shown) <= 60 else shown[:57] + "…"
