"""The Markdown Mind: agents as files that a person, or the system itself, can write and change while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmos_nb.lazily import lazily

if TYPE_CHECKING:
    from llmos_nb.mind.agent import Agent
    from llmos_nb.mind.agent_file import dump_agent, parse_agent
    from llmos_nb.mind.changes import Change, difference
    from llmos_nb.mind.history import Version
    from llmos_nb.mind.registry import AgentRegistry

__all__ = ["Agent", "AgentRegistry", "Change", "Version", "difference", "dump_agent", "parse_agent"]

# Who asks what an agent is called, or whom it may call, does not wait for files, versions and YAML.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "Agent": "agent",
        "AgentRegistry": "registry",
        "Version": "history",
        **dict.fromkeys(("Change", "difference"), "changes"),
        **dict.fromkeys(("dump_agent", "parse_agent"), "agent_file"),
    },
    __all__,
)
