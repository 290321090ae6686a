"""``%agents`` and ``%%agent``: the agents of this workspace, their versions, and one written from a cell."""

from __future__ import annotations

import shlex
from typing import Any, ClassVar, Final

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.agent_views import Diff, agent_page, agents_table, history_table, trusted_page
from llmos_nb.notebook.arguments import Option, not_understood, suggestion
from llmos_nb.notebook.completion import Grammar
from llmos_nb.notebook.views import Page, Table

__all__ = ["AgentMagics"]

_WORDS: Final = {
    "list": (), "show": ("agent",), "history": ("agent",), "diff": ("agent",), "restore": ("agent",),
    "reload": ("agent",), "trust": ("agent",),
}  # fmt: skip
OPTIONS: Final = (
    Option("description", "TEXT", "what it is for, in quotes"),
    Option("tools", "a,b", "what it is granted"),
    Option("model", "MODEL", "the model that it asks"),
)
_OPTIONS: Final = tuple(option.name for option in OPTIONS)
_USAGE: Final = (
    "Use %agents, %agents show NAME, or history, diff, restore, reload, trust in its place; %agents? explains."
)


@magics_class
class AgentMagics(Magics):
    """The agents of one system, which keeps them as ``system.agents``."""

    grammars: ClassVar[dict[str, Grammar]] = {
        "agents": Grammar(_WORDS),
        "agent": Grammar(first="agent", options=OPTIONS),
    }

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system

    @no_var_expand
    @line_magic
    def agents(self, line: str) -> Table | Page | Diff:
        """The agents of this workspace, and every version of them.

        %agents                      list them, with how often they were used, how well, and what it cost
        %agents show NAME            an agent's file
        %agents history NAME         its versions: what was done, by whom, why
        %agents diff NAME [A [B]]    what changed from version A to B; without them, by the last change
        %agents restore NAME A       make version A the newest one; the versions in between stay
        %agents trust NAME …         show agents that came from elsewhere, and put them into use as shown
        %agents reload NAME          read its file again and say what is in force (edits count by themselves)

        To write one: %%agent NAME. In Python: llmos.agents.list(), .get(name), .create(…), .modify(…), .write(…),
        .history(name), .diff(name, a, b), .restore(name, a), .trust(name); runs by agent: agents_df(llmos).
        """
        words = line.split()
        if not words or words == ["list"]:
            return agents_table(self.system)
        what, *rest = words
        most = {"diff": 3, "restore": 2, "trust": 100}.get(what, 1)
        if what not in _WORDS or not 1 <= len(rest) <= most or (what == "restore" and len(rest) != 2):
            raise not_understood("%agents", line, _WORDS, _USAGE)
        agents, name = self.system.agents, rest[0]
        if what == "trust":
            return trusted_page(self.system, rest)
        numbers = [_number(word) for word in rest[1:]]
        if what == "show":
            return agent_page(self.system, name)
        if what == "history":
            return history_table(agents.history(name))
        if what == "diff":
            return Diff(agents.diff(name, *numbers))
        if what == "restore":
            before = agents.history(name)[-1:]
            restored = agents.restore(name, numbers[0])
            if before and before[0].number == restored.version:
                return Page(f"{name} says what it said in version {numbers[0]} already.")
            return Page(f"{name} is as it was in version {numbers[0]}; that is version {restored.version} now.")
        agent = agents.reload(name)
        return Page(f"{name}: version {agent.version} is in force.")

    @no_var_expand
    @cell_magic
    def agent(self, line: str, cell: str) -> Page | Diff:
        """Write an agent from a cell, or change it; it can be used in the next line.

        %%agent NAME [--description TEXT] [--tools a,b] [--model MODEL]
        You are …

        The cell is the agent's prompt, or a whole file that begins with ---. Options that are left out stay as they
        are; a new agent without --tools is granted nothing. In Python: llmos.agents.write(name, text, tools=[…], …).
        """
        name, options = _parsed(line)
        if not cell.strip() and not options:
            raise SettingsError(
                "%%agent: the cell is empty.", remedy="Write the agent's prompt below the first line."
            )
        tools = options.get("tools")
        before = self._before(name)
        made = self.system.agents.write(
            name,
            cell if cell.strip() else None,
            description=options.get("description"),
            tools=None if tools is None else tools.replace(",", " ").split(),
            model=options.get("model"),
        )
        granted = ", ".join(made.tools) or "nothing"
        if before is None:
            return Page(f"Created {name}, which is granted {granted}.")
        if before == made:
            return Page(f"{name} said so already; nothing was changed.")
        from llmos_nb.mind import difference

        return Diff(difference(before, made), f"{name} is version {made.version} now, and granted {granted}.")

    def _before(self, name: str) -> Any:
        from llmos_nb.errors import AgentFileError, UnknownAgent

        try:
            return self.system.agents.get(name)
        except (UnknownAgent, AgentFileError):
            return None


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        raise SettingsError(
            f"{word}: not a version.", remedy="Versions are numbers; %agents history NAME lists them."
        )
    return int(word)


def _parsed(line: str) -> tuple[str, dict[str, str]]:
    """The agent's name and the options of ``%%agent``; quotes keep words together."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SettingsError(f"%%agent {line.strip()}: {error}.", remedy="Close the quotes.") from None
    names: list[str] = []
    options: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            names.append(word)
            continue
        option, given, value = word[2:].partition("=")
        if option not in _OPTIONS:
            raise SettingsError(
                f"%%agent has no option --{option}.",
                remedy=f"{suggestion(option, _OPTIONS, '--')}It has --{', --'.join(_OPTIONS)}.",
            )
        if not given:
            if not words:
                raise SettingsError(f"--{option} needs a value.", remedy=f"Write --{option} VALUE.")
            value = words.pop(0)
        options[option] = value
    if len(names) != 1:
        said = "which agent?" if not names else f"{' '.join(names)!r} is more than one name."
        raise SettingsError(
            f"%%agent: {said}", remedy='Write %%agent NAME [--description "…"] [--tools a,b] [--model M].'
        )
    return names[0], options
