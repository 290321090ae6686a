"""Static displays of agents, their versions and what was changed."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmos_nb.dispatch.diffs import coloured
from llmos_nb.errors import LlmosError
from llmos_nb.notebook.views import Page, Table

if TYPE_CHECKING:
    from llmos_nb.mind import Version
    from llmos_nb.system import LLMOS

__all__ = ["Diff", "agent_page", "agents_table", "history_table", "trusted_page"]


def agents_table(system: LLMOS) -> Table:
    """The agents that can be used and how they fared; files that cannot are listed with what is wrong."""
    from llmos_nb.frames.rows import agent_uses

    uses = agent_uses(system.workspace)
    rows: list[tuple[str, ...]] = []
    for agent in system.agents.list():
        used = uses.get(agent.name)
        success = "" if used is None or used.success_rate is None else f"{used.success_rate:.0%}"
        cost = "" if used is None else ("unknown" if used.cost_usd is None else f"${used.cost_usd:.4f}")
        rows.append(
            (
                agent.name,
                f"(not used until %agents trust {agent.name}) {agent.description}"
                if system.agents.foreign(agent.name)
                else agent.description,
                ", ".join(agent.tools),
                agent.model or "",
                str(agent.version),
                str(used.uses) if used is not None else "0",
                success,
                cost,
            )
        )
    rows += [("(cannot be used)", str(error), *[""] * 6) for error in system.agents.errors]
    if problem := system.agents.history_problem:
        rows.append(("(history)", problem, *[""] * 6))
    return Table(("name", "description", "tools", "model", "version", "uses", "success", "cost"), tuple(rows))


def agent_page(system: LLMOS, name: str) -> Page:
    """An agent's file.

    Raises:
        UnknownAgent: there is none of that name.
    """
    from llmos_nb.mind import dump_agent

    return Page(dump_agent(system.agents.get(name)).rstrip())


def trusted_page(system: LLMOS, names: Sequence[str]) -> Page:
    """The files of agents that are put into use with this, as they are shown.

    Raises:
        UnknownAgent, AgentFileError: there is none of a name, or its file is broken; none is put into use then.
    """
    from llmos_nb.mind import dump_agent

    for name in names:
        if (problem := system.agents.problem(name)) is not None and system.agents.get(name):
            raise problem
    told = []
    for name in names:
        why = system.agents.foreign(name)
        agent = system.agents.trust(name)
        granted = ", ".join(agent.tools) or "nothing"
        said = f"{name} {why}. From now on it is used as it stands here, granted {granted}." if why else (
            f"{name} is used already, granted {granted}."
        )  # fmt: skip
        try:
            system.agent(name)
        except LlmosError as error:
            said += f"\nIt cannot work yet. {error}"
        told.append(f"{said}\n\n{dump_agent(agent).rstrip()}")
    return Page("\n\n".join(told))


def history_table(versions: Sequence[Version]) -> Table:
    """Every version of an agent, the oldest first; when is left out, so that a notebook can be run again."""
    rows = tuple((str(v.number), v.action, v.by, v.reason) for v in versions)
    empty = "nothing yet: it came with the package, and nobody changed it"
    return Table(("version", "what", "by", "why"), rows, empty=empty)


@dataclass(frozen=True, slots=True)
class Diff:
    """A unified diff, below a sentence perhaps; the same in every kind of display."""

    diff: str
    said: str = ""

    def __str__(self) -> str:
        return "\n\n".join(part for part in (self.said, self.diff) if part) or "no difference"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        said = f'<div style="margin-bottom:.5em">{html.escape(self.said)}</div>' if self.said else ""
        style = (
            "margin:.2em 0;white-space:pre-wrap;word-break:normal;overflow-wrap:break-word;font-family:monospace;"
            "line-height:1.4"
        )
        diff = coloured(html.escape(self.diff)) if self.diff else "no difference"
        return {"text/plain": str(self), "text/html": f'{said}<pre style="{style}">{diff}</pre>'}
