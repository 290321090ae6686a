"""Static displays of crystals: the same in every frontend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmos_nb.errors import LlmosError
from llmos_nb.notebook.views import Page, Table

if TYPE_CHECKING:
    from llmos_nb.crystals.report import Report
    from llmos_nb.crystals.shelf import CrystalShelf

__all__ = ["crystal_page", "crystals_table", "report_table"]


def crystals_table(shelf: CrystalShelf) -> Table:
    """Every crystal with how it is called, how often its goal was, and whether goals use it."""
    return Table(
        ("name", "goal", "parameters", "uses", "success", "status"),
        tuple(
            (entry.name, entry.template, entry.signature, str(entry.uses), f"{entry.success:.0%}", entry.status)
            for entry in shelf.list()
        ),
        empty="no crystals yet: a goal that is used often becomes one",
    )


def crystal_page(shelf: CrystalShelf, name: str) -> Page:
    """A crystal's file as it is on disk, and below it how its tests went.

    Raises:
        UnknownCrystal: there is none of that name.
    """
    crystal = shelf.get(name)
    try:
        status = crystal.status
        report = shelf.report(name)
    except LlmosError as error:
        status, report = error.message, None
    tests = f"\n# {report}".replace("\n", "\n# ") if report is not None else ""
    return Page(f"{crystal.path.read_text(encoding='utf-8', errors='replace').rstrip()}\n\n# {status}{tests}")


def report_table(name: str, report: Report) -> Table:
    """One row a recorded run that was made again."""
    return Table(
        ("recorded run", f"{name} made it again"),
        tuple((check.trace_id, "yes" if check.passed else f"no: {check.reason}") for check in report.checks),
        empty="there is no recorded run to make again",
    )
