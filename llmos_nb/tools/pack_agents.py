"""The agents that packs bring: packaged ones, which a workspace's own file of the same name goes before."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from llmos_nb.errors import AgentFileError, PackError
from llmos_nb.guard.policy import BUILT_IN_TOOLS
from llmos_nb.mind.agent import Agent, skeleton
from llmos_nb.mind.agent_file import read_agent
from llmos_nb.mind.packaged import packaged_agents
from llmos_nb.tools.pack_tool import absent
from llmos_nb.tools.packs import InstalledPacks, PackProblem, installed_packs

__all__ = ["check_installed", "lacking", "pack_agents", "pack_agents_of"]

#: Agents of one pack.
MOST: Final = 200


def pack_agents() -> Mapping[str, Agent]:
    """The agents of all packs that can be used, by name."""
    return _read(installed_packs())[0]


def pack_agents_of(found: InstalledPacks) -> tuple[Mapping[str, Agent], tuple[PackProblem, ...]]:
    """The agents of these packs, and what is wrong with what else is in their folders."""
    return _read(found)


def lacking(agent: Agent) -> str:
    """What has to be installed before a pack's own agent can work, as a command line; empty when all is there."""
    for one in installed_packs().packs:
        if agent.path is not None and one.pack.folder is not None and one.pack.folder in agent.path.parents:
            return absent(one.pack)
    return ""


def check_installed(agent: Agent) -> None:
    """See, before a goal begins, that a pack's own agent has what the pack's tools need.

    Raises:
        PackError: it has not; the remedy is the command that installs it.
    """
    if line := lacking(agent):
        raise PackError(
            f"The agent {agent.name} comes with a pack whose tools need what is not installed.",
            remedy=f"Say {line}, and restart the kernel.",
        )


_last: tuple[InstalledPacks, Mapping[str, Agent], tuple[PackProblem, ...]] | None = None


def _read(found: InstalledPacks) -> tuple[Mapping[str, Agent], tuple[PackProblem, ...]]:
    """Read once for what was found: the files of an installed pack do not change."""
    global _last
    if _last is not None and _last[0] is found:
        return _last[1], _last[2]
    agents: dict[str, Agent] = {}
    problems: list[PackProblem] = []
    taken = {skeleton(name): "the kernel" for name in packaged_agents()}
    known = {*found.tools, *BUILT_IN_TOOLS, *_kernel()}
    for one in found.packs:
        folder = one.pack.folder
        for path in sorted(folder.glob("agents/*.md"))[:MOST] if folder is not None else ():
            try:
                agent = read_agent(path)
            except (AgentFileError, OSError) as error:
                remedy = getattr(error, "remedy", "") or "Correct the file."
                problems.append(PackProblem(one.distribution, str(getattr(error, "message", error)), remedy))
                continue
            unknown = [tool for tool in agent.tools if tool not in known]
            whose = taken.get(skeleton(agent.name))
            if unknown:
                what = f"the agent {agent.name} is left out: no tool is called {', '.join(unknown)}"
                problems.append(PackProblem(one.distribution, what, f"Correct {path.name}."))
            elif whose is not None:
                what = f"the agent {agent.name} is left out: {whose} has one of that name"
                problems.append(PackProblem(one.distribution, what, "Give it another name."))
            else:
                taken[skeleton(agent.name)] = f"the pack {one.pack.name}"
                agents[agent.name] = agent
    _last = found, MappingProxyType(agents), tuple(problems)
    return _last[1], _last[2]


def _kernel() -> tuple[str, ...]:
    from llmos_nb.tools.registry import KERNEL_TOOLS

    return tuple(KERNEL_TOOLS)
