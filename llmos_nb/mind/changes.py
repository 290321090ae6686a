"""Who changes an agent, how far they may go, and what a change looks like."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection
from dataclasses import dataclass

from llmos_nb.errors import AgentFileError
from llmos_nb.mind.agent import Agent
from llmos_nb.mind.agent_file import dump_agent

__all__ = ["Change", "comparable", "difference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """On whose behalf an agent is written: ``by`` is ``user`` or ``agent:<name>``.

    ``within`` is the grant of an agent that makes the change: neither the agent as it was nor as it will be may be
    granted anything else. None, for a person, sets no bound.
    """

    by: str = "user"
    reason: str = ""
    run_id: str = ""
    within: Collection[str] | None = None

    def check(self, old: Agent | None, new: Agent, where: str) -> None:
        """Refuse a change that reaches beyond ``within``.

        Raises:
            AgentFileError: an agent would get, or already has, what the one that changes it does not have.
        """
        if self.within is None:
            return
        beyond = sorted({*new.tools, *(old.tools if old is not None else ())} - set(self.within))
        if beyond:
            raise AgentFileError(
                f"{where}: {self.by} was not granted {', '.join(beyond)}, and so must not decide about an agent that is.",
                remedy="A person can make this change.",
            )


def comparable(agent: Agent) -> str:
    """The agent's file without what every change stamps on it: version, time and author."""
    text = dump_agent(dataclasses.replace(agent, version=1, created_at="", created_by=""))
    return text.replace("\nversion: 1\n", "\n", 1)


def difference(old: Agent | None, new: Agent, older: str = "before", newer: str = "after") -> str:
    """A unified diff from ``old`` (None: there was none) to ``new``; empty where they say the same."""
    before = comparable(old).splitlines() if old is not None else []
    after = comparable(new).splitlines()
    lines = difflib.unified_diff(
        before,
        after,
        f"{new.name} ({older})" if old is not None else "/dev/null",
        f"{new.name} ({newer})",
        lineterm="",
    )
    return "\n".join(lines)
