"""The Markdown Mind: agents as files that a person, or the system itself, can write and change while it runs."""

from __future__ import annotations

from llmos_nb.mind.agent import Agent
from llmos_nb.mind.agent_file import dump_agent, parse_agent
from llmos_nb.mind.changes import Change, difference
from llmos_nb.mind.history import Version
from llmos_nb.mind.registry import AgentRegistry

__all__ = ["Agent", "AgentRegistry", "Change", "Version", "difference", "dump_agent", "parse_agent"]
