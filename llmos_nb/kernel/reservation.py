"""Money held for one run: charged call by call, and what is left of it given back at the end."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Final

import sqlalchemy as sa

from llmos_nb.errors import BudgetExceeded, SettingsError, StoreError
from llmos_nb.kernel.ledger import HOLDS, ModelCall, calls_as_text, hold, record, to_nano, to_usd
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
        project: str,
        lease_s: float,
        engine: sa.Engine,
        clock: Callable[[], float],
        require: Callable[[sa.Connection, int], None],
        whole: Reservation | None = None,
    ) -> None:
        self.run_id: Final = run_id
        self.description: Final = description
        self._owner: Final[dict[str, Any]] = {
            "run_id": run_id, "session_id": session_id, "simulated": simulated, "project": project
        }  # fmt: skip
        self._id = hold_id
        self._amount = amount
        self._charged = 0
        self._lease_s = lease_s
        self._engine = engine
        self._clock = clock
        self._require = require
        self._whole = whole
        self._lost = False
        self._settled = False
        #: Calls that began and are not charged yet, by their slot.
        self._open: dict[str, ModelCall] = {}
        #: Rows that could not be written when they were due: the next write takes them along, settling at the latest.
        self._owed: list[tuple[int | None, dict[str, Any]]] = []
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

    def part(self, usd: float, description: str, *, run_id: str) -> Reservation:
        """Hold ``usd`` of these dollars for a run that belongs to this one; what it does not spend comes back here.

        The sum of all parts and of what is charged here never exceeds what was reserved; only a call that had begun
        can go past it, and then the rest shrinks.

        Raises:
            BudgetExceeded: less than that is left.
            SettingsError: not a number of dollars.
            StoreError: the state database cannot be written.
        """
        nano = to_nano(usd)
        with self._lock:
            left = 0 if self._lost or self._settled else max(0, self._amount - self._charged)
            if nano > left:
                raise BudgetExceeded(
                    f"${usd:g} is more than the ${to_usd(left):g} that is left of this run.",
                    limit="run",
                    available_usd=to_usd(left),
                    remedy="Give the whole more with --budget.",
                )
            hold_id, now = secrets.token_hex(12), self._clock()
            expires_at = now + self._lease_s
            with writing(self._engine) as connection:
                if not self._keep(connection, now, self._charged):
                    self._lost = True  # it was silent for longer than its lease, and others took the money
                    raise BudgetExceeded(
                        "What was held for this run is held by others by now.",
                        limit="run",
                        available_usd=0.0,
                        remedy="Run it again when they have ended.",
                    )
                self._resize(connection, self._amount - nano, expires_at)
                owner = {**self._owner, "run_id": run_id}
                hold(connection, hold_id, amount=nano, charged=0, expires_at=expires_at, **owner)
            self._amount -= nano
        return Reservation(
            hold_id,
            nano,
            description,
            run_id=run_id,
            session_id=str(self._owner["session_id"]),
            simulated=bool(self._owner["simulated"]),
            project=str(self._owner["project"]),
            lease_s=self._lease_s,
            engine=self._engine,
            clock=self._clock,
            require=self._require,
            whole=self,
        )

    def _resize(self, connection: sa.Connection, amount: int, expires_at: float) -> None:
        """Make the hold one of ``amount``, and renew it."""
        hold(
            connection,
            self._id,
            amount=amount,
            charged=self._charged,
            expires_at=expires_at,
            open_calls=calls_as_text(self._open.values()),
            **self._owner,
        )

    def _returned(self, connection: sa.Connection, nano: int) -> None:
        """What a part did not spend comes back; below 0 where it spent more than it held."""
        if self._settled:
            return
        now = self._clock()
        if self._keep(connection, now, self._charged):
            self._resize(connection, max(0, self._amount + nano), now + self._lease_s)
        else:
            self._lost = True

    def begin(self, call: ModelCall) -> None:
        """Note that a model call is under way, with what is known of it so far; a later note of its slot replaces it.

        Should the process die before :meth:`charge` books it, whoever opens the ledger next writes it down as it was
        noted. A note that cannot be written makes the run count as exceeded.
        """
        with self._lock:
            self._open[call.slot] = replace(call, description=call.description or self.description)
            try:
                with writing(self._engine, durable=not self._owner["simulated"]) as connection:
                    if not self._settled and not self._keep(connection, self._clock(), self._charged):
                        self._lost = True
            except StoreError:
                self._lost = True

    def charge(self, call: ModelCall) -> None:
        """Write one model call into the ledger at once, also beyond what was reserved, and renew the lease.

        In the same transaction the note that it had begun goes away: it is in the ledger once, whenever a kill comes.

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
            self._open.pop(call.slot, None)
            self._write(
                cost,
                kind="model_call",
                description=(call.description or self.description) + note,
                model=call.model,
                endpoint=call.endpoint,
                tokens=call.tokens,
                agent=call.agent,
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
        whole = self._whole
        with whole._lock if whole is not None else contextlib.nullcontext(), self._lock:
            if self._settled:
                return
            with writing(self._engine, durable=bool(self._owed)) as connection:
                charged = self._charged + self._pay(connection, self._clock())
                rest = self._amount - charged
                connection.execute(HOLDS.delete().where(HOLDS.c.id == self._id))
                if whole is not None:
                    whole._returned(connection, rest)
                if saved:
                    text = description or self.description
                    at = self._clock()
                    record(connection, at=at, kind="saving", cost=0, saved=saved, description=text, **self._owner)
            if whole is not None:
                whole._amount += rest
            self._charged = charged
            self._owed.clear()
            self._settled = True

    def _write(self, cost: int | None, **row: Any) -> None:
        self._owed.append((cost, row))
        try:
            with writing(self._engine, durable=True) as connection:
                now = self._clock()
                charged = self._charged + self._pay(connection, now)
                if not self._settled and not self._keep(connection, now, charged):
                    self._lost = True
        except StoreError:
            self._lost = True
            raise
        self._charged = charged
        self._owed.clear()

    def _pay(self, connection: sa.Connection, now: float) -> int:
        """Write every row that is not in the ledger yet; returns their sum."""
        for cost, row in self._owed:
            record(connection, at=now, cost=cost, **row, **self._owner)
        return sum(cost or 0 for cost, _ in self._owed)

    def _keep(self, connection: sa.Connection, now: float, charged: int) -> bool:
        """Renew the hold; False when its lease had ended and the money is no longer there."""
        expires_at = now + self._lease_s
        kept = connection.execute(
            HOLDS.update()
            .where(HOLDS.c.id == self._id, HOLDS.c.expires_at > now)
            .values(charged=charged, expires_at=expires_at, open_calls=calls_as_text(self._open.values()))
        )
        if kept.rowcount:
            return True
        try:
            self._require(connection, max(0, self._amount - charged))
        except BudgetExceeded:
            return False
        calls = calls_as_text(self._open.values())
        hold(
            connection,
            self._id,
            amount=self._amount,
            charged=charged,
            expires_at=expires_at,
            open_calls=calls,
            **self._owner,
        )
        return True

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settle()
