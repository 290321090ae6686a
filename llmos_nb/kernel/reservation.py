"""Money held for one run: charged call by call, and what is left of it given back at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import sqlalchemy as sa

from llmos_nb.errors import BudgetExceeded, SettingsError, StoreError
from llmos_nb.kernel.ledger import HOLDS, ModelCall, hold, record, to_nano, to_usd
from llmos_nb.kernel.state import writing

__all__ = ["Reservation"]


class Reservation:
    """Dollars held for one run, made by :meth:`TokenEconomy.reserve`.

    Safe to use from any thread. As a context manager it settles at the end.
    """

    def __init__(
        self,
        hold_id: str,
        amount: int,
        description: str,
        *,
        run_id: str,
        session_id: str,
        simulated: bool,
        lease_s: float,
        engine: sa.Engine,
        clock: Callable[[], float],
        require: Callable[[sa.Connection, int], None],
    ) -> None:
        self.run_id: Final = run_id
        self.description: Final = description
        self._owner: Final[dict[str, Any]] = {"run_id": run_id, "session_id": session_id, "simulated": simulated}
        self._id = hold_id
        self._amount = amount
        self._charged = 0
        self._lease_s = lease_s
        self._engine = engine
        self._clock = clock
        self._require = require
        self._lost = False
        self._settled = False
        self._lock = threading.RLock()

    @property
    def reserved_usd(self) -> float:
        """What was reserved, in dollars."""
        return to_usd(self._amount)

    @property
    def charged_usd(self) -> float:
        """What this run has spent so far, in dollars; calls of unknown price count 0."""
        return to_usd(self._charged)

    @property
    def remaining_usd(self) -> float:
        """What this run may still spend, in dollars, never below 0."""
        return 0.0 if self._lost else to_usd(max(0, self._amount - self._charged))

    @property
    def exceeded(self) -> bool:
        """True once the run must stop.

        It has spent more than it reserved; or it was silent for longer than its lease and others took the money; or a
        call could not be priced or written down, so that nobody knows what is left.
        """
        return self._lost or self._charged > self._amount

    def charge(self, call: ModelCall) -> None:
        """Write one model call into the ledger at once, also beyond what was reserved, and renew the lease.

        A cost that is no usable amount (negative, NaN) is written down as unknown, and the run counts as exceeded.

        Raises:
            StoreError: the ledger cannot be written; the run counts as exceeded.
        """
        with self._lock:
            cost, note = None, ""
            if call.cost_usd is not None:
                try:
                    cost = to_nano(call.cost_usd, "cost_usd")
                except SettingsError:
                    self._lost = True
                    note = f" (unusable price: {call.cost_usd!r})"
            self._write(
                cost,
                kind="model_call",
                description=(call.description or self.description) + note,
                model=call.model,
                endpoint=call.endpoint,
                tokens=call.tokens,
            )

    def adjust(self, total_usd: float) -> None:
        """Make the run's sum the endpoint's own final bill; a row of kind ``adjustment`` holds the difference.

        Raises:
            SettingsError: not a number of dollars.
            StoreError: the ledger cannot be written; the run counts as exceeded.
        """
        total = to_nano(total_usd, "total_usd")
        with self._lock:
            if total != self._charged:
                self._write(total - self._charged, kind="adjustment", description=self.description)

    def settle(self, saved_usd: float = 0.0, description: str = "") -> None:
        """Give back what was not spent. ``saved_usd``, where above 0, is written as a row of kind ``saving``.

        Settling again does nothing.

        Raises:
            SettingsError: not a number of dollars.
            StoreError: the state database cannot be written.
        """
        saved = to_nano(saved_usd, "saved_usd")
        with self._lock:
            if self._settled:
                return
            with writing(self._engine) as connection:
                connection.execute(HOLDS.delete().where(HOLDS.c.id == self._id))
                if saved:
                    text = description or self.description
                    at = self._clock()
                    record(connection, at=at, kind="saving", cost=0, saved=saved, description=text, **self._owner)
            self._settled = True

    def _write(self, cost: int | None, **row: Any) -> None:
        charged = self._charged + (cost or 0)
        try:
            with writing(self._engine) as connection:
                now = self._clock()
                record(connection, at=now, cost=cost, **row, **self._owner)
                if not self._settled and not self._keep(connection, now, charged):
                    self._lost = True
        except StoreError:
            self._lost = True
            raise
        self._charged = charged

    def _keep(self, connection: sa.Connection, now: float, charged: int) -> bool:
        """Renew the hold; False when its lease had ended and the money is no longer there."""
        expires_at = now + self._lease_s
        kept = connection.execute(
            HOLDS.update()
            .where(HOLDS.c.id == self._id, HOLDS.c.expires_at > now)
            .values(charged=charged, expires_at=expires_at)
        )
        if kept.rowcount:
            return True
        try:
            self._require(connection, max(0, self._amount - charged))
        except BudgetExceeded:
            return False
        hold(connection, self._id, amount=self._amount, charged=charged, expires_at=expires_at, **self._owner)
        return True

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settle()
