"""The agents that come with the package."""

from __future__ import annotations

import functools
from pathlib import Path

from llmos_nb.mind.agent import Agent
from llmos_nb.mind.agent_file import read_agent

__all__ = ["packaged_agents"]


@functools.cache
def packaged_agents() -> dict[str, Agent]:
    """The agents that come with the package, by name; a workspace's own file of the same name goes before."""
    agents = [read_agent(path) for path in sorted((Path(__file__).parent / "agents").glob("*.md"))]
    return {agent.name: agent for agent in agents}
