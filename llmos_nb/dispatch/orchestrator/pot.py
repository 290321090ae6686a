"""The money of a whole plan, from which its nodes take their parts."""

from __future__ import annotations

import threading
from typing import Any

from llmos_nb.kernel.budget import Reservation, TokenEconomy

__all__ = ["Pot"]


class Pot:
    """``usd`` dollars for a run and the runs of its nodes, reserved when the first of it is needed.

    Until then nothing is held, so that a plan whose nodes are all known runs with an empty budget. Safe to use from any
    thread.
    """

    def __init__(
        self,
        economy: TokenEconomy,
        usd: float,
        description: str,
        *,
        run_id: str,
        project: str = "",
        project_usd: float | None = None,
    ) -> None:
        self._project: dict[str, Any] = {"project": project, "project_usd": project_usd}
        self._economy, self._usd, self._description, self._run_id = economy, usd, description, run_id
        self._whole: Reservation | None = None
        #: What runs may take that have taken nothing yet, by run id.
        self._promised: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def left_usd(self) -> float:
        """What neither was spent, nor is held by a part, nor promised, in dollars."""
        left = self._usd if self._whole is None else self._whole.remaining_usd
        return max(0.0, left - sum(self._promised.values()))

    def promise(self, usd: float, *, run_id: str) -> None:
        """Keep ``usd`` for a run, should it need money; :meth:`forget` or its part ends that."""
        self._promised[run_id] = usd

    def forget(self, run_id: str) -> None:
        """The run that was promised something needs it no more."""
        self._promised.pop(run_id, None)

    def part(self, usd: float, description: str, *, run_id: str) -> Reservation:
        """Hold ``usd`` of it for one run.

        Raises:
            BudgetExceeded: it is not there.
        """
        with self._lock:
            if self._whole is None:
                self._whole = self._economy.reserve(
                    self._usd, self._description, run_id=self._run_id, **self._project
                )
            self._promised.pop(run_id, None)
        return self._whole.part(usd, description, run_id=run_id)

    def settle(self) -> None:
        """Give back what was not spent."""
        if self._whole is not None:
            self._whole.settle()
