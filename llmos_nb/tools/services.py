"""What the tools of a run may reach beyond files and cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmos_nb.guard.taint import Taint
    from llmos_nb.kernel.approvals import Approvals
    from llmos_nb.memory.facts import FactStore
    from llmos_nb.mind import AgentRegistry

__all__ = ["Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Parts of the system that tools work on; None where a run has none, as in the test of a crystal."""

    agents: AgentRegistry | None = None
    facts: FactStore | None = None
    #: The project that the run belongs to; empty where it belongs to none.
    project: str = ""
    #: What becomes of an agent's wish to create or change agents: ``allow``, ``ask`` or ``deny``.
    agent_changes: str = "allow"
    #: What becomes of its wish to remember something, the same way.
    agent_facts: str = "allow"
    #: What the session read that its person did not write; None where nothing goes on after the run.
    taint: Taint | None = None
    #: Where a person is asked; None where nobody can be.
    approvals: Approvals | None = None
