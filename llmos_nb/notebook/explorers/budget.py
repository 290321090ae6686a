"""The budget: what may be spent, what is spent and saved, row by row and over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.explorers.explorer import Explorer
from llmos_nb.notebook.explorers.query import Query
from llmos_nb.notebook.explorers.twin import Twin, money
from llmos_nb.notebook.views import Table, budget_page

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BudgetExplorer"]

PAGE: Final = 25
PAGE_LIMIT: Final = 500
TWIN_ROWS: Final = 15
#: Points of the curve over time; a ledger of any length becomes at most so many.
POINTS: Final = 200
FILTERS: Final = ("kind", "agent", "model", "project")

Row = dict[str, Any]


class BudgetExplorer(Explorer):
    """The ledger of a workspace, the newest row first; real and play money never mix."""

    what: ClassVar[str] = "budget"

    def __init__(self, system: Any) -> None:
        super().__init__(system)
        self._query = Query("The ledger", FILTERS, 'filter("penguins", kind="saving")')

    def filter(self, text: str = "", **equal: str) -> BudgetExplorer:
        """Show only rows with all words of ``text`` and these values of ``kind``, ``agent``, ``model``, ``project``.

        Raises:
            SettingsError: there is nothing called so to filter by.
        """
        self._query.ask(text, equal)
        return self

    @property
    def rows(self) -> list[Row]:
        """The rows of the ledger that pass the filter, the newest first."""
        return self._passing(self.system.economy.ledger())

    def _passing(self, rows: list[Row]) -> list[Row]:
        return self._query.passing(
            [(f"{row['description']}\n{row['run_id']}\n{row['agent']}".casefold(), row) for row in rows]
        )

    def known(self, ids: Iterable[str]) -> None:
        there = {str(row["id"]) for row in self.system.economy.ledger()}
        missing = [id for id in ids if id not in there]
        if missing:
            raise SettingsError(f"The ledger has no row {', '.join(missing)}.", remedy="explorer.df lists them.")

    @property
    def df(self) -> pd.DataFrame:
        return _frame(self.rows)

    @property
    def selected_df(self) -> pd.DataFrame:
        by_id = {str(row["id"]): row for row in self.system.economy.ledger()}
        return _frame([by_id[id] for id in self.selected if id in by_id])

    @property
    def money(self) -> str:
        """What is counted: ``US dollars``, or ``play money``."""
        return "play money" if self.system.economy.simulated else "US dollars"

    # -- for the widget

    def actions(self) -> Mapping[str, Callable[..., dict[str, Any]]]:
        return {"page": self._page, "overview": self._overview}

    def _overview(self) -> dict[str, Any]:
        economy = self.system.economy
        limits = economy.limits
        meters = []
        for scope, name in (("workspace", "this workspace"), ("day", "today"), ("session", "this session")):
            limit, spent = getattr(limits, f"{scope}_usd"), economy.spent_usd(scope)
            meters.append(
                {
                    "name": name,
                    "spent": spent,
                    "limit": limit,
                    "told": f"{money(spent)} of {money(limit)}" if limit is not None else f"{money(spent)}, no limit",
                }
            )
        return {
            "meters": meters,
            "money": self.money,
            "goal": money(self.system.goal_budget_usd),
            "saved": money(economy.saved_usd),
            "reserved": money(economy.reserved_usd) if economy.reserved_usd else "",
            "curve": _curve(list(reversed(economy.ledger()))),
        }

    def _page(self, query: Mapping[str, str] | None = None, offset: int = 0, limit: int = PAGE) -> dict[str, Any]:
        if query is not None:
            self.filter(**query)
        every = self.system.economy.ledger()
        rows = self._passing(every)
        limit = max(1, min(int(limit), PAGE_LIMIT))
        offset = max(0, min(int(offset), max(0, len(rows) - 1) // limit * limit))
        return {
            "rows": [_listed(row) for row in rows[offset : offset + limit]],
            "offset": offset,
            "limit": limit,
            "total": len(rows),
            "all": len(every),
            "spent": money(sum(row["cost_usd"] or 0.0 for row in rows)),
            "saved": money(sum(row["saved_usd"] for row in rows)),
            "values": {name: sorted({row[name] for row in every if row[name]}) for name in FILTERS},
            "query": self._query.asked,
            "selected": self.selected,
        }

    # -- without a widget

    def twin(self) -> Twin:
        every = self.system.economy.ledger()
        rows = self._passing(every)
        ledger = Table(
            ("what for", "kind", "agent", "model", "cost", "saved"),
            tuple(
                (
                    " ".join(row["description"].split())[:100],
                    row["kind"],
                    row["agent"],
                    row["model"],
                    money(row["cost_usd"]),
                    money(row["saved_usd"]) if row["saved_usd"] else "",
                )
                for row in rows[:TWIN_ROWS]
            ),
            empty=self._query.nothing(every, "nothing yet: run a goal"),
        )
        parts: list[str | tuple[str, Table]] = [("", budget_page(self.system))]
        if len(days := _days(rows)) > 1:
            parts.append(("By day (UTC)", Table(("day", "spent", "saved"), tuple(days[-TWIN_ROWS:]))))
        words = str(self._query)
        parts.append((f"Ledger, the newest first{f', with {words}' if words else ''}", ledger))
        if len(rows) > TWIN_ROWS:
            parts.append(f"… and {len(rows) - TWIN_ROWS:,} older rows: explorer.df has them all.")
        return Twin(f"Budget in {self.money}", tuple(parts))


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    from llmos_nb.frames.schema import LEDGER
    from llmos_nb.frames.tables import frame_of

    return frame_of(LEDGER, rows)


def _listed(row: Row) -> Row:
    return {
        "id": str(row["id"]),
        "when": f"{datetime.fromtimestamp(row['at'], UTC):%Y-%m-%d %H:%M}",
        "what": " ".join(row["description"].split())[:200],
        "kind": row["kind"].replace("_", " "),
        "agent": row["agent"],
        "model": row["model"],
        "cost": money(row["cost_usd"]),
        "saved": money(row["saved_usd"]) if row["saved_usd"] else "",
        "tokens": row["input_tokens"] + row["output_tokens"],
    }


def _curve(rows: Sequence[Row]) -> list[tuple[float, float, float]]:
    """Time, and what was spent and saved in all until then; the last point is the sum of everything."""
    spent = saved = 0.0
    points = []
    for row in rows:
        spent, saved = spent + (row["cost_usd"] or 0.0), saved + row["saved_usd"]
        points.append((row["at"], round(spent, 6), round(saved, 6)))
    step = max(1, -(-len(points) // POINTS))
    return points[:-1:step] + points[-1:] if points else []


def _days(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    found: dict[str, tuple[float, float]] = {}
    for row in rows:
        day = f"{datetime.fromtimestamp(row['at'], UTC):%Y-%m-%d}"
        spent, saved = found.get(day, (0.0, 0.0))
        found[day] = spent + (row["cost_usd"] or 0.0), saved + row["saved_usd"]
    return [(day, money(spent), money(saved)) for day, (spent, saved) in sorted(found.items())]
