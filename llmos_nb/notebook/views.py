"""Static displays of traces and the budget: the same in every frontend."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmos_nb.dispatch.prose import PROSE

if TYPE_CHECKING:
    from llmos_nb.system import LLMOS

__all__ = ["Page", "Table", "budget_page", "trace_page", "traces_table"]


@dataclass(frozen=True, slots=True)
class Page:
    """Text that is shown as it is: a file, a sentence."""

    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text)

    def _repr_html_(self) -> str:
        return f'<pre style="{PROSE}">{html.escape(self.text)}</pre>'


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


def traces_table(system: LLMOS, words: str = "") -> Table:
    """The traces, newest first; with ``words`` those that have each of them in what the table shows of them."""
    system.traces.refresh()  # a file that was edited by hand may have become unreadable
    strangers = system.traces.strangers()
    told = [{**row, "stranger": row["id"] in strangers} for row in system.traces.rows()]
    rows: Sequence[dict[str, Any]] = [row for row in told if _has(row, words.casefold().split())]
    named = ("project",) if any(row["project"] for row in rows) else ()
    columns = ("id", "goal", "status", "mode", "agent", *named, "cost")
    broken = tuple(
        ("(cannot be read)", problem, *("" for _ in columns[2:])) for problem in system.traces.problems.values()
    )
    return Table(
        columns,
        tuple(
            (
                row["id"],
                " ".join(row["goal"].split())[:80],
                _state(row),
                row["mode"],
                row["agent"],
                *(row[name] for name in named),
                _dollars(row["cost_usd"]),
            )
            for row in rows
        )
        + (() if words else broken),
        empty=f"no trace has {words!r}: %traces lists all" if words else "no traces yet: run a goal",
    )


def _has(row: Mapping[str, Any], words: Sequence[str]) -> bool:
    told = " ".join(
        (*(str(row[name]) for name in ("id", "goal", "mode", "agent", "project")), _state(row))
    ).casefold()
    return all(word in told for word in words)


def _state(row: Mapping[str, Any]) -> str:
    """How a run ended, and what keeps it from being replayed although it went well."""
    marks = (
        ("wrong", "called wrong"),
        ("edited", "edited: %trace trust ID shows it"),
        ("stranger", "not recorded here: %trace trust ID shows it"),
    )
    mark = next((said for name, said in marks if row.get(name)), "")
    return f"{row['status']} ({mark})" if mark else str(row["status"])


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
    return Table(
        (f"limit ({money})", "may spend", "spent"),
        (
            ("one goal", _dollars(system.goal_budget_usd), ""),
            *rows,
            ("saved by replays", "", _dollars(economy.saved_usd)),
        ),
    )


def _dollars(amount: float | None, unknown: str = "unknown") -> str:
    return unknown if amount is None else f"${amount:.4f}"
