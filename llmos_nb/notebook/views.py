"""Static displays of agents, traces and the budget: the same in every frontend."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmos_nb.system import LLMOS

__all__ = ["Page", "Table", "agent_page", "agents_table", "budget_page", "trace_page", "traces_table"]


@dataclass(frozen=True, slots=True)
class Page:
    """Text that is shown as it is: a file, a sentence."""

    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text)

    def _repr_html_(self) -> str:
        return f'<pre style="white-space:pre-wrap">{html.escape(self.text)}</pre>'


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under column names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "nothing yet"

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        if not self.rows:
            return self.empty
        table = [self.columns, *self.rows]
        widths = [min(110, max(len(row[i]) for row in table)) for i in range(len(self.columns))]
        lines = [
            "  ".join(cell[:width].ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table
        ]
        return "\n".join(line.rstrip() for line in lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<em>{html.escape(self.empty)}</em>"
        left = 'style="text-align:left;vertical-align:top"'
        head = "".join(f"<th {left}>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def agents_table(system: LLMOS) -> Table:
    """The agents that can be used; files that cannot are listed with what is wrong."""
    rows = [
        (agent.name, agent.description, ", ".join(agent.tools), agent.model or "", str(agent.version))
        for agent in system.agents.list()
    ]
    rows += [("(cannot be used)", str(error), "", "", "") for error in system.agents.errors]
    return Table(("name", "description", "tools", "model", "version"), tuple(rows))


def agent_page(system: LLMOS, name: str) -> Page:
    """An agent's file.

    Raises:
        UnknownAgent: there is none of that name.
    """
    from llmos_nb.mind import dump_agent

    return Page(dump_agent(system.agents.get(name)).rstrip())


def traces_table(system: LLMOS) -> Table:
    """Every trace, newest first."""
    system.traces.refresh()  # a file that was edited by hand may have become unreadable
    rows: Sequence[dict[str, Any]] = system.traces.rows()
    broken = tuple(("(cannot be read)", problem, "", "", "", "") for problem in system.traces.problems.values())
    return Table(
        ("id", "goal", "status", "mode", "agent", "cost"),
        tuple(
            (row["id"], row["goal"][:80], row["status"], row["mode"], row["agent"], _dollars(row["cost_usd"]))
            for row in rows
        )
        + broken,
        empty="no traces yet: run a goal",
    )


def trace_page(system: LLMOS, trace_id: str) -> Page:
    """A trace's file, as it is on disk.

    Raises:
        UnknownTrace: there is none of that id.
    """
    return Page(system.traces.path(trace_id).read_text(encoding="utf-8").rstrip())


def budget_page(system: LLMOS) -> Table:
    """What may be spent, what is spent, and what was saved."""
    economy = system.economy
    limits = economy.limits
    money = "play money" if economy.simulated else "US dollars"
    rows = [
        (scope, _dollars(getattr(limits, f"{scope}_usd"), "no limit"), _dollars(economy.spent_usd(scope)))
        for scope in ("session", "day", "workspace")
    ]
    run = limits.run_usd if limits.run_usd is not None else system.settings.run_budget_usd
    return Table(
        (f"limit ({money})", "may spend", "spent"),
        (("one goal", _dollars(run), ""), *rows, ("saved by replays", "", _dollars(economy.saved_usd))),
    )


def _dollars(amount: float | None, unknown: str = "unknown") -> str:
    return unknown if amount is None else f"${amount:.4f}"
