"""Whom an agent may hand work to: agents that its file names, never with more power than its own.

An agent that is granted the tool ``Agent`` names them in its front matter, ``delegates: [data-analyst, writer]``. A
delegate works under its own name and its own grant, which has to lie within the grant of the agent that calls it: what
a run may do can be read in one file. A delegate does not delegate further.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from llmos_nb.errors import AgentFileError, UnknownAgent
from llmos_nb.kernel.spelled import spelled
from llmos_nb.mind.agent import Agent, name_problem, printable

__all__ = ["DELEGATE", "delegate_names", "team_of"]

#: The tool by which an agent hands work to another.
DELEGATE: Final = "Agent"
#: Options of an agent that hold when it is called by another one.
OPTIONS: Final = ("max_turns", "effort")
#: Delegates of one agent: each of them is described to the model in every call.
MOST: Final = 24


def delegate_names(agent: Agent) -> tuple[str, ...]:
    """The names under ``delegates`` in the agent's front matter.

    Raises:
        AgentFileError: they are no list of agents' names, or the agent may call none.
    """
    given = agent.extra.get("delegates", ())
    where = _where(agent)
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        raise AgentFileError(
            f"{where}: delegates must be a list of agents' names, got {printable(repr(given))[:60]}.",
            remedy="Write 'delegates: [data-analyst, writer]'.",
        )
    names = tuple(dict.fromkeys(given))
    for name in names:
        if problem := name_problem(name):
            raise AgentFileError(f"{where}: delegates: {problem}.", remedy="Name agents that exist.")
    if len(names) > MOST:
        raise AgentFileError(f"{where}: {len(names)} delegates, more than {MOST}.", remedy="Name those it needs.")
    if names and DELEGATE not in agent.tools:
        raise AgentFileError(
            f"{where}: delegates names {', '.join(names)}, but the agent is not granted the tool {DELEGATE}.",
            remedy=f"Add {DELEGATE} to its tools, or remove delegates.",
        )
    if not names and DELEGATE in agent.tools:
        raise AgentFileError(
            f"{where}: grants the tool {DELEGATE}, but names nobody to call.",
            remedy="Add a line such as 'delegates: [data-analyst]', or remove the tool.",
        )
    return names


def team_of(agent: Agent, find: Callable[[str], Agent]) -> tuple[Agent, ...]:
    """The agents that ``agent`` may call, each found by ``find``; none for an agent without delegates.

    Raises:
        UnknownAgent: a delegate does not exist.
        AgentFileError: the list or a delegate cannot be used, or a delegate would have more power than the agent.
    """
    where = _where(agent)
    team = []
    for name in delegate_names(agent):
        if name == agent.name:
            raise AgentFileError(f"{where}: delegates: it names itself.", remedy="Name other agents.")
        try:
            delegate = find(name)
        except UnknownAgent as error:
            raise UnknownAgent(f"{where}: delegates: {error.message}", remedy=error.remedy) from error
        except AgentFileError as error:
            raise AgentFileError(
                f"{where}: its delegate {name} cannot be used: {error.message}", remedy=error.remedy
            ) from error
        if DELEGATE in delegate.tools:
            raise AgentFileError(
                f"{where}: its delegate {name} is granted {DELEGATE}: a delegate does not delegate further.",
                remedy=f"Remove {DELEGATE} from the tools of {name}, or call {name} itself.",
            )
        more = [tool for tool in delegate.tools if tool not in agent.tools]
        if more:
            raise AgentFileError(
                f"{where}: its delegate {name} may use {', '.join(more)}, which {agent.name} itself may not.",
                remedy=f"Grant {agent.name} the same, or take it from {name}: delegation never widens what may be done.",
            )
        others = [option for option in delegate.options if option not in OPTIONS]
        if others:
            raise AgentFileError(
                f"{where}: the options {', '.join(others)} of its delegate {name} cannot hold inside another run.",
                remedy=f"A delegate can have {', '.join(OPTIONS)}; remove the others, or call {name} itself.",
            )
        team.append(delegate)
    return tuple(team)


def _where(agent: Agent) -> str:
    return printable(spelled(agent.path)) if agent.path is not None else agent.name
