"""How the schedule is shown: a table of its jobs under a line that says who runs them."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from llmos_nb.notebook.views import Page, Table

if TYPE_CHECKING:
    from llmos_nb.kernel.scheduler import Scheduler

__all__ = ["Listing", "job_page", "schedule_listing"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A table and a line below it."""

    table: Table
    note: str

    def __len__(self) -> int:
        return len(self.table)

    def __str__(self) -> str:
        return f"{self.table}\n\n{self.note}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return f"{self.table._repr_html_()}<div>{html.escape(self.note)}</div>"


def schedule_listing(schedule: Scheduler) -> Listing:
    """Every job of the schedule, and who runs them."""
    rows = tuple(
        (
            row["name"],
            row["problem"] or _short(row["goal"]),
            row["when"],
            row["state"],
            _moment(row["next"]),
            row["last_status"],
            str(row["missed"] or ""),
        )
        for row in schedule.rows()
    )
    holder = schedule.holder
    return Listing(
        Table(
            ("name", "goal", "when", "state", "next", "last run", "missed"),
            rows,
            empty="nothing is scheduled: %schedule add --every 1h GOAL",
        ),
        f"{holder[:1].upper()}{holder[1:]}.",
    )


def job_page(row: dict[str, Any]) -> Page:
    """What is known of one job."""
    last = (
        f"{row['last_status']}, due at {_moment(row['last_at'])}: {row['last_reason']}" if row["last_status"] else ""
    )
    missed = f"{row['missed']}, the last one due at {_moment(row['last_missed'])}" if row["missed"] else ""
    facts = {
        "goal": row["goal"],
        "when": row["when"],
        "sandbox": "on copies" if row["sandbox"] else "",
        "state": row["state"],
        "problem": row["problem"],
        "next": _moment(row["next"]),
        "last run": last,
        "missed": missed,
    }
    return Page("\n".join([row["name"], *(f"  {name}: {value}" for name, value in facts.items() if value)]))


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def _short(goal: str) -> str:
    line = " ".join(goal.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
