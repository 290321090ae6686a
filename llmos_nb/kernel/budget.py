"""What may still be spent, and the reservations that keep two runs from spending the same dollar.

A run reserves before it starts, charges every model call to its reservation, and settles after::

    economy = TokenEconomy(budget_usd=10.0, engine=open_state(workspace / ".llmos" / "state.db"))
    with economy.reserve(0.50, "Learn: plot the penguins", run_id=run_id) as reservation:
        reservation.charge(ModelCall(model="...", tokens=Tokens(input=5210, output=811), cost_usd=0.03))
        if reservation.exceeded:
            ...  # stop the run

Kernels that share a state database share its ledger, its reservations and its limits.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from llmos_nb.errors import BudgetExceeded, SettingsError, StoreError
from llmos_nb.kernel.ledger import (
    HOLDS,
    LEDGER,
    LIMITS,
    ModelCall,
    Tokens,
    held,
    hold,
    record,
    spent,
    sweep,
    to_nano,
    to_usd,
)
from llmos_nb.kernel.reservation import Reservation
from llmos_nb.kernel.state import make_tables, open_state, reading, writing
from llmos_nb.kernel.whose import persons_only

__all__ = ["LEASE_S", "Limits", "ModelCall", "Reservation", "TokenEconomy", "Tokens"]

#: Seconds a reservation counts after its last charge when its holder cannot be looked at (another machine). On this
#: machine a dead holder is seen at once. An hour is longer than any single model call takes.
LEASE_S: Final = 3600.0
DAY_S: Final = 86_400


class _Unset(float):
    """The budget nobody gave: a limit kept in the state database goes before it."""


_DEFAULT_BUDGET: Final = _Unset(10.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run, one session, one UTC day and the workspace ever may spend, in US dollars; None: no limit."""

    run_usd: float | None = None
    session_usd: float | None = None
    day_usd: float | None = None
    workspace_usd: float | None = None


#: What a limit of a project is called; it is kept in the project's own file.
PROJECT: Final = "project"
#: The scopes a limit may have, narrowest first.
SCOPES: Final = tuple(f.name.removesuffix("_usd") for f in fields(Limits))


class TokenEconomy:
    """The budget of a workspace, seen from one session.

    Args:
        budget_usd: the workspace's limit in US dollars, None for none. Where it is not given, the limit kept in the
            state database holds, and 10 dollars where there is none; where it is given, it holds for this economy.
        engine: the state database; None keeps everything in memory.
        limits: limits of the other scopes for this economy. A scope left None takes what the database keeps.
        simulated: spend tutorial money. Simulated and real rows, reservations and kept limits never mix.
        session_id: whose session limit applies; a new one where empty.
        clock: seconds since the epoch. A day is a UTC day.

    Raises:
        SettingsError: a limit that is not a number of dollars.
        StoreError: the state database cannot be used.
    """

    def __init__(
        self,
        budget_usd: float | None = _DEFAULT_BUDGET,
        *,
        engine: sa.Engine | None = None,
        limits: Limits | None = None,
        simulated: bool = False,
        session_id: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.simulated = bool(simulated)
        self.session_id = session_id or secrets.token_hex(8)
        self._clock = clock
        self._given: dict[str, int | None] = {}
        for scope in SCOPES:
            usd = getattr(limits or Limits(), f"{scope}_usd")
            if usd is not None:
                self._given[scope] = to_nano(usd, f"the {scope} limit")
        if not isinstance(budget_usd, _Unset):
            self._given["workspace"] = None if budget_usd is None else to_nano(budget_usd, "budget_usd")
        self._engine = open_state(None) if engine is None else engine
        with writing(
            self._engine, durable=True
        ) as connection:  # the engine may be older than the import of these tables
            make_tables(connection, [LEDGER, HOLDS, LIMITS])
            sweep(connection, self._clock())

    # -- looking

    def __repr__(self) -> str:
        money = "play money" if self.simulated else "US dollars"
        try:
            balance = self.balance_usd
        except StoreError as error:
            return f"TokenEconomy({error.message})"
        left = "no limit" if balance is None else f"${balance:.4f} left"
        return f"TokenEconomy({left}, {money}; %budget shows more)"

    @property
    def limits(self) -> Limits:
        """The limits that hold now, in dollars."""
        with reading(self._engine) as connection:
            nano = self._limits(connection)
        return Limits(**{f"{scope}_usd": None if n is None else to_usd(n) for scope, n in nano.items()})

    @property
    def balance_usd(self) -> float | None:
        """The workspace's budget minus what is in the ledger, in dollars; below 0 when overspent, None: no limit."""
        with reading(self._engine) as connection:
            limit = self._limits(connection)["workspace"]
            return None if limit is None else to_usd(limit - self._spent(connection, "workspace", ""))

    @property
    def reserved_usd(self) -> float:
        """What runs still going hold beyond what they have charged, in dollars."""
        with reading(self._engine) as connection:
            return to_usd(self._held(connection, "workspace", "", ""))

    @property
    def saved_usd(self) -> float:
        """What free modes have saved in this workspace, in dollars."""
        query = sa.select(sa.func.coalesce(sa.func.sum(LEDGER.c.saved), 0))
        with reading(self._engine) as connection:
            return to_usd(int(connection.execute(query.where(LEDGER.c.simulated == self.simulated)).scalar_one()))

    def spent_usd(self, scope: str = "workspace", run_id: str = "") -> float:
        """Dollars spent in ``run`` (which needs ``run_id``), this ``session``, this UTC ``day`` or the ``workspace``.

        Calls of unknown price count 0.

        Raises:
            SettingsError: there is no such scope.
        """
        _check_scope(scope)
        with reading(self._engine) as connection:
            return to_usd(self._spent(connection, scope, run_id))

    def check_budget(self, usd: float) -> bool:
        """True when ``usd`` more dollars fit every limit now, open reservations counted.

        Nothing is held: only :meth:`reserve` keeps another run from spending the same dollars.

        Raises:
            BudgetExceeded: they do not fit; ``limit`` names the scope that has the least left.
            SettingsError: not a number of dollars.
        """
        nano = to_nano(usd)
        with reading(self._engine) as connection:
            self._require(connection, nano, run_id="")
        return True

    def ledger(self) -> list[dict[str, Any]]:
        """The rows of this kind of money, the newest first; ``cost_usd`` is None where no price is known."""
        query = sa.select(LEDGER).where(LEDGER.c.simulated == self.simulated).order_by(LEDGER.c.id.desc())
        with reading(self._engine) as connection:
            found = [dict(row) for row in connection.execute(query).mappings()]
        for row in found:
            cost, saved = row.pop("cost"), row.pop("saved")
            row.update(cost_usd=None if cost is None else to_usd(cost), saved_usd=to_usd(saved))
        return found

    def project_spent_usd(self, project: str) -> float:
        """Dollars that runs in ``project`` have spent. Calls of unknown price count 0."""
        with reading(self._engine) as connection:
            return to_usd(spent(connection, simulated=self.simulated, project=project))

    # -- changing

    def set_limit(self, scope: str, usd: float | None) -> None:
        """Keep a limit in the state database, for every kernel of the workspace; None lifts it.

        In this economy it also replaces what the constructor was given.

        Raises:
            SettingsError: there is no such scope, or not a number of dollars.
        """
        persons_only("set limits")
        _check_scope(scope)
        nano = None if usd is None else to_nano(usd, f"the {scope} limit")
        with writing(self._engine, durable=True) as connection:
            connection.execute(LIMITS.delete().where(LIMITS.c.scope == scope, LIMITS.c.simulated == self.simulated))
            connection.execute(LIMITS.insert().values(scope=scope, simulated=self.simulated, amount=nano))
        self._given.pop(scope, None)

    def deduct(
        self,
        usd: float,
        description: str,
        *,
        run_id: str = "",
        model: str = "",
        endpoint: str = "",
        tokens: Tokens | None = None,
        saved_usd: float = 0.0,
    ) -> None:
        """Write money that *was* spent into the ledger, even past a limit: what comes next is refused then.

        Raises:
            SettingsError: not a number of dollars.
            StoreError: the ledger cannot be written.
        """
        cost, saved = to_nano(usd), to_nano(saved_usd, "saved_usd")
        with writing(self._engine, durable=True) as connection:
            record(
                connection,
                at=self._clock(),
                kind="deduct",
                run_id=run_id,
                session_id=self.session_id,
                simulated=self.simulated,
                cost=cost,
                description=description,
                model=model,
                endpoint=endpoint,
                tokens=tokens,
                saved=saved,
            )

    def reserve(
        self,
        usd: float,
        description: str,
        *,
        run_id: str,
        lease_s: float = LEASE_S,
        project: str = "",
        project_usd: float | None = None,
    ) -> Reservation:
        """Hold ``usd`` dollars for a run, if they fit every limit; 0 always fits, so that free modes always run.

        ``project`` is the project that the run belongs to, and ``project_usd`` what all of its runs together may spend.
        The hold ends with :meth:`Reservation.settle`, with the holder's process, or ``lease_s`` seconds after its
        last charge.

        Raises:
            BudgetExceeded: the money is not there, or other runs hold it.
            SettingsError: not a number of dollars.
        """
        nano = to_nano(usd)
        share = (project, None if project_usd is None else to_nano(project_usd, "the project's limit"))
        hold_id, now = secrets.token_hex(12), self._clock()
        with writing(self._engine) as connection:
            sweep(connection, now)
            self._require(connection, nano, run_id=run_id, share=share)
            hold(
                connection,
                hold_id,
                amount=nano,
                charged=0,
                expires_at=now + lease_s,
                run_id=run_id,
                session_id=self.session_id,
                simulated=self.simulated,
                project=project,
            )
        return Reservation(
            hold_id,
            nano,
            description,
            run_id=run_id,
            session_id=self.session_id,
            simulated=self.simulated,
            project=project,
            lease_s=lease_s,
            engine=self._engine,
            clock=self._clock,
            require=partial(self._require, run_id=run_id, but=hold_id, share=share),
        )

    # -- within a transaction

    def _limits(self, connection: sa.Connection) -> dict[str, int | None]:
        kept = connection.execute(LIMITS.select().where(LIMITS.c.simulated == self.simulated))
        default: dict[str, int | None] = {**dict.fromkeys(SCOPES), "workspace": to_nano(float(_DEFAULT_BUDGET))}
        return {**default, **{row.scope: row.amount for row in kept if row.scope in SCOPES}, **self._given}

    def _spent(self, connection: sa.Connection, scope: str, run_id: str, project: str = "") -> int:
        if scope == PROJECT:
            return spent(connection, simulated=self.simulated, project=project)
        if scope == "run":
            return spent(connection, simulated=self.simulated, run_id=run_id) if run_id else 0
        if scope == "session":
            return spent(connection, simulated=self.simulated, session_id=self.session_id)
        since = math.floor(self._clock() / DAY_S) * DAY_S if scope == "day" else None
        return spent(connection, simulated=self.simulated, since=since)

    def _held(self, connection: sa.Connection, scope: str, run_id: str, but: str, project: str = "") -> int:
        rows = held(connection, now=self._clock(), simulated=self.simulated, but=but)
        if scope == "run":
            rows = [row for row in rows if run_id and row.run_id == run_id]
        elif scope == PROJECT:
            rows = [row for row in rows if row.project == project]
        elif scope == "session":
            rows = [row for row in rows if row.session_id == self.session_id]
        return sum(max(0, row.amount - row.charged) for row in rows)

    def _require(
        self,
        connection: sa.Connection,
        nano: int,
        *,
        run_id: str,
        but: str = "",
        share: tuple[str, int | None] = ("", None),
    ) -> None:
        """Raise BudgetExceeded unless ``nano`` more fit every limit, the hold ``but`` left out; ``share`` is a project's
        name and what its runs may spend."""
        project, project_limit = share
        tightest: tuple[int, str, int, int, int] | None = None
        for scope, limit in {**self._limits(connection), PROJECT: project_limit}.items():
            if limit is None or not nano:
                continue
            used = self._spent(connection, scope, run_id, project)
            on_hold = self._held(connection, scope, run_id, but, project)
            left = limit - used - on_hold
            if nano > left and (tightest is None or left < tightest[0]):
                tightest = (left, scope, limit, used, on_hold)
        if tightest is None:
            return
        left, scope, limit, used, on_hold = tightest
        enough = math.ceil(to_usd(used + on_hold + nano))
        magic = f"%budget set {enough}" if scope == "workspace" else f"%budget limits {scope}={enough}"
        remedy = f'llmos.economy.set_limit("{scope}", {enough}) or {magic}'
        if scope == PROJECT:
            remedy = f"total_budget_usd = {enough} in {project}/project.toml"
        wait = ", or wait until the next UTC day" if scope == "day" else ""
        raise BudgetExceeded(
            f"{_dollars(nano)} would exceed the {scope} limit of {_dollars(limit)}: {_dollars(used)} is spent"
            + (f" and {_dollars(on_hold)} reserved by runs still going" if on_hold else "")
            + f", {_dollars(max(0, left))} is available.",
            limit=scope,
            available_usd=to_usd(max(0, left)),
            remedy=f"Raise it with {remedy}{wait}." if not on_hold else f"Wait for them, or raise it with {remedy}.",
        )


def _check_scope(scope: str) -> None:
    if scope not in SCOPES:
        raise SettingsError(f"There is no scope {scope!r}.", remedy=f"Choose one of {', '.join(SCOPES)}.")


def _dollars(nano: int) -> str:
    """As many decimals as it takes, at least two."""
    whole, _, part = f"{to_usd(nano):.9f}".rstrip("0").partition(".")
    return f"${whole}.{part:0<2}"
