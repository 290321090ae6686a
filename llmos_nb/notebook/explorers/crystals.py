"""Crystals: look at their code, test them, take them out of use, put them back, remove them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from llmos_nb.errors import LlmosError
from llmos_nb.notebook.crystal_views import crystals_table
from llmos_nb.notebook.explorers.code import colored
from llmos_nb.notebook.explorers.explorer import Explorer, Tell
from llmos_nb.notebook.explorers.twin import Twin

if TYPE_CHECKING:
    import pandas as pd

    from llmos_nb.crystals.report import Report
    from llmos_nb.crystals.shelf import Entry

__all__ = ["CrystalExplorer"]


class CrystalExplorer(Explorer):
    """The crystals of a workspace. Everything it does is a method of ``llmos.crystals``."""

    what: ClassVar[str] = "crystals"

    @property
    def entries(self) -> list[Entry]:
        """Every crystal, by name."""
        found: list[Entry] = self.system.crystals.list()
        return found

    def known(self, ids: Iterable[str]) -> None:
        for name in ids:
            self.system.crystals.get(name)

    @property
    def df(self) -> pd.DataFrame:
        return _frame(self.entries)

    @property
    def selected_df(self) -> pd.DataFrame:
        by_name = {entry.name: entry for entry in self.entries}
        return _frame([by_name[name] for name in self.selected if name in by_name])

    def open(self, name: str) -> dict[str, Any]:
        """A crystal's file, whether goals use it, and how its tests went.

        Raises:
            UnknownCrystal: there is none of that name.
        """
        shelf = self.system.crystals
        crystal = shelf.get(name)
        text = crystal.path.read_text(encoding="utf-8", errors="replace")
        found = {
            "name": name,
            "source": colored(text),
            "status": shelf.refusal(name) or "ready",
            "file": crystal.path,
        }
        try:
            facts, report = crystal.facts, shelf.report(name)
        except LlmosError as error:  # its file cannot be used, and is shown all the same
            return {**found, "file": str(crystal.path), "about": {}, "report": None, "problem": str(error)}
        about = {
            "goals like": facts.template,
            "to call it": f"from llmos_nb.crystals import {name}",
            "uses before it was made": str(facts.uses),
            "made from": ", ".join(facts.traces),
        }
        told = _reported(report) if report is not None else None
        return {**found, "file": str(crystal.path), "about": about, "report": told, "problem": ""}

    # -- for the widget

    def actions(self) -> Mapping[str, Callable[..., dict[str, Any]]]:
        return {
            "list": self._list,
            "open": self.open,
            "disable": self._disable,
            "enable": self._enable,
            "remove": self._remove,
        }

    def long_actions(self) -> Mapping[str, Callable[..., Awaitable[dict[str, Any]]]]:
        return {"test": self._test}

    def _list(self) -> dict[str, Any]:
        rows = [
            {
                "name": entry.name,
                "goal": entry.template,
                "parameters": entry.signature,
                "uses": str(entry.uses),
                "success": f"{entry.success:.0%}",
                "status": entry.status,
            }
            for entry in self.entries
        ]
        return {"rows": rows, "selected": self.selected}

    async def _test(self, tell: Tell, name: str) -> dict[str, Any]:
        shelf = self.system.crystals
        shelf.get(name)
        tell("its recorded runs are made again, in a separate process")
        report = await asyncio.to_thread(shelf.test, name)
        good = sum(check.passed for check in report.checks)
        return {"said": f"{good} of {len(report.checks)} recorded runs came out the same.", **self._now(name)}

    def _disable(self, name: str, reason: str = "") -> dict[str, Any]:
        self.system.crystals.disable(name, reason)
        return {"said": f"{name} is disabled: goals and agents do not use it.", **self._now(name)}

    def _enable(self, name: str) -> dict[str, Any]:
        refusal = self.system.crystals.enable(name)
        said = f"{name} is enabled, but not in use yet: {refusal}." if refusal else f"{name} is in use."
        return {"said": said, **self._now(name)}

    def _remove(self, name: str) -> dict[str, Any]:
        self.system.crystals.remove(name)
        self.selected = [other for other in self.selected if other != name]
        return {"said": f"{name} is removed; the same function is not made again by itself."}

    def _now(self, name: str) -> dict[str, Any]:
        return {"crystal": self.open(name)}

    # -- without a widget

    def twin(self) -> Twin:
        table = crystals_table(self.system.crystals)
        count = len(table)
        return Twin(f"Crystals: {count} function{'' if count == 1 else 's'} made from goals", (("", table),))


def _reported(report: Report) -> dict[str, Any]:
    good = sum(check.passed for check in report.checks)
    return {
        "summary": f"{good} of {len(report.checks)} recorded runs came out the same",
        "passed": report.passed,
        "checks": [
            {"trace": check.trace_id, "passed": check.passed, "reason": check.reason} for check in report.checks
        ],
    }


def _frame(entries: Iterable[Entry]) -> pd.DataFrame:
    from llmos_nb.frames.schema import CRYSTALS
    from llmos_nb.frames.tables import frame_of

    names = [column.name for column in CRYSTALS]
    return frame_of(CRYSTALS, ({name: getattr(entry, name) for name in names} for entry in entries))
