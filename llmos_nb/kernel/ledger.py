"""The money tables: what was spent (the ledger), what is held for runs still going, and the limits people set.

Amounts are integers of nano-dollars (1e-9 US dollars; one token at $0.10 per million costs 100 of them), so that sums
never drift; they become dollars only at the edges. Rows are only ever added to the ledger.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import numbers
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from llmos_nb.errors import SettingsError
from llmos_nb.kernel.state import METADATA

__all__ = [
    "HOLDS",
    "LEDGER",
    "LIMITS",
    "Holder",
    "ModelCall",
    "Tokens",
    "calls_as_text",
    "calls_of",
    "held",
    "hold",
    "holder_alive",
    "record",
    "record_call",
    "spent",
    "sweep",
    "to_nano",
    "to_usd",
]

#: Nano-dollars in a dollar.
NANO: Final = 1_000_000_000
#: What the description of a call ends with whose process died before it was over.
CUT_OFF: Final = " (cut off: the process ended before the answer was booked, so it cost at least this)"
#: Seconds after its lease for which a call on another machine may still be booked by who made it.
SURELY_DEAD_S: Final = 30 * 86_400.0
#: The largest amount or limit in dollars: a sum of nine of them still fits 64 bits of nano-dollars.
MOST_USD: Final = 1e9

LEDGER = sa.Table(
    "ledger",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False, doc="seconds since the epoch"),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, doc="model_call | deduct | adjustment | saving"),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False, doc="tutorial money"),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cache_read_tokens", sa.BigInteger, nullable=False),
    sa.Column("cache_write_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=True, doc="nano-dollars; NULL where no price is known"),
    sa.Column("saved", sa.BigInteger, nullable=False, doc="nano-dollars"),
    # Older databases get these when they are opened: see llmos_nb.kernel.migrations.
    sa.Column("agent", sa.Text, nullable=False, server_default="", doc="who asked"),
    sa.Column("project", sa.Text, nullable=False, server_default="", doc="the project the run belongs to"),
    # Each scope's sum is read from one index alone.
    sa.Index("ledger_by_time", "simulated", "at", "cost"),
    sa.Index("ledger_by_session", "simulated", "session_id", "cost"),
    sa.Index("ledger_by_run", "simulated", "run_id", "cost"),
    sa.Index("ledger_by_project", "simulated", "project", "cost"),
    sqlite_autoincrement=True,
)

HOLDS = sa.Table(
    "budget_holds",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False, doc="nano-dollars reserved"),
    sa.Column("charged", sa.BigInteger, nullable=False, doc="nano-dollars of it that are in the ledger"),
    sa.Column("expires_at", sa.Float, nullable=False, doc="seconds since the epoch"),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started", sa.Text, nullable=False, doc="tells a process from a later one with the same pid"),
    sa.Column("project", sa.Text, nullable=False, server_default=""),
    sa.Column("open_calls", sa.Text, nullable=False, server_default="", doc="model calls that began, as JSON"),
)

LIMITS = sa.Table(
    "budget_limits",
    METADATA,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("simulated", sa.Boolean, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=True, doc="nano-dollars; NULL: no limit"),
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts of one model call, as the endpoint counts them."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One model call, answered or failed. ``cost_usd`` is None where no price is known; ``slot`` tells calls apart that
    are under way at the same time (the tool call that a subagent works for)."""

    model: str
    endpoint: str = ""
    tokens: Tokens = Tokens()
    cost_usd: float | None = None
    description: str = ""
    agent: str = ""
    slot: str = ""


def to_nano(usd: Any, what: str = "amount") -> int:
    """``usd`` dollars in nano-dollars, rounded to the nearest.

    Raises:
        SettingsError: not a number, negative, not finite, or above a thousand million dollars.
    """
    if isinstance(usd, bool) or not isinstance(usd, (numbers.Real, Decimal)):
        reason = f"got {usd!r} ({type(usd).__name__})"
    elif not math.isfinite(usd) or not 0 <= float(usd) <= MOST_USD:
        reason = f"got {usd!r}"
    else:
        exact = usd if isinstance(usd, Decimal) else Decimal(repr(float(usd)))
        return int((exact * NANO).to_integral_value(ROUND_HALF_EVEN))
    raise SettingsError(
        f"{what} must be a number of US dollars from 0 to {MOST_USD:,.0f}, {reason}.",
        remedy="Give dollars as a plain number, such as 0.5.",
    )


def to_usd(nano: int) -> float:
    """Nano-dollars in dollars."""
    return nano / NANO


def record(
    connection: sa.Connection,
    *,
    at: float,
    kind: str,
    run_id: str,
    session_id: str,
    simulated: bool,
    cost: int | None,
    description: str = "",
    model: str = "",
    endpoint: str = "",
    tokens: Tokens | None = None,
    saved: int = 0,
    agent: str = "",
    project: str = "",
) -> None:
    """Add one row to the ledger; ``cost`` and ``saved`` are nano-dollars, ``at`` seconds since the epoch."""
    counts = tokens or Tokens()
    connection.execute(
        LEDGER.insert().values(
            at=at,
            kind=kind,
            run_id=run_id,
            session_id=session_id,
            simulated=simulated,
            cost=cost,
            description=description,
            model=model or "",
            endpoint=endpoint or "",
            # An endpoint that reports no count must not keep the call out of the ledger.
            input_tokens=int(counts.input or 0),
            output_tokens=int(counts.output or 0),
            cache_read_tokens=int(counts.cache_read or 0),
            cache_write_tokens=int(counts.cache_write or 0),
            saved=saved,
            agent=agent,
            project=project,
        )
    )


def spent(
    connection: sa.Connection,
    *,
    simulated: bool,
    run_id: str | None = None,
    session_id: str | None = None,
    project: str | None = None,
    since: float | None = None,
) -> int:
    """Nano-dollars in the ledger, of one run, session or project or since a moment where given; unknown prices count 0."""
    query = sa.select(sa.func.coalesce(sa.func.sum(LEDGER.c.cost), 0)).where(LEDGER.c.simulated == simulated)
    if run_id is not None:
        query = query.where(LEDGER.c.run_id == run_id)
    if session_id is not None:
        query = query.where(LEDGER.c.session_id == session_id)
    if project is not None:
        query = query.where(LEDGER.c.project == project)
    if since is not None:
        query = query.where(LEDGER.c.at >= since)
    return int(connection.execute(query).scalar_one())


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that made a reservation: where it runs, its number and when it started."""

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Holder:
        """This process."""
        pid = os.getpid()
        return cls(_host(), pid, _process_start(pid) or "")


def held(connection: sa.Connection, *, now: float, simulated: bool, but: str = "") -> list[sa.Row[Any]]:
    """Reservations that count at ``now`` (lease running, holder not known dead), except the one named ``but``."""
    query = HOLDS.select().where(HOLDS.c.simulated == simulated, HOLDS.c.expires_at > now, HOLDS.c.id != but)
    return [row for row in connection.execute(query) if holder_alive(Holder(row.host, row.pid, row.started))]


def hold(
    connection: sa.Connection,
    hold_id: str,
    *,
    amount: int,
    charged: int,
    expires_at: float,
    run_id: str,
    session_id: str,
    simulated: bool,
    project: str = "",
    open_calls: str = "",
) -> None:
    """Write a reservation of this process, in place of an older row of the same id."""
    holder = Holder.current()
    connection.execute(HOLDS.delete().where(HOLDS.c.id == hold_id))
    connection.execute(
        HOLDS.insert().values(
            id=hold_id,
            amount=amount,
            charged=charged,
            expires_at=expires_at,
            run_id=run_id,
            session_id=session_id,
            simulated=simulated,
            host=holder.host,
            pid=holder.pid,
            started=holder.started,
            project=project,
            open_calls=open_calls,
        )
    )


def sweep(connection: sa.Connection, now: float) -> None:
    """Forget reservations of dead processes and ended leases; what they charged is in the ledger already.

    A model call that had begun when its process died is written down in the same transaction, at what is known of its
    price. Where nobody can tell whether the process is dead (another machine), that waits until nobody doubts it.
    """
    for row in connection.execute(HOLDS.select()).all():
        dead = not holder_alive(Holder(row.host, row.pid, row.started))
        if not dead and (row.expires_at > now or (row.open_calls and row.expires_at > now - SURELY_DEAD_S)):
            continue
        for call in calls_of(row.open_calls):
            owner = {name: getattr(row, name) for name in ("run_id", "session_id", "simulated", "project")}
            record_call(connection, call, at=now, cost=_cost_so_far(call), note=CUT_OFF, **owner)
        connection.execute(HOLDS.delete().where(HOLDS.c.id == row.id))


def calls_as_text(calls: Iterable[ModelCall]) -> str:
    """Calls that are under way as a reservation's row holds them."""
    return json.dumps([dataclasses.asdict(call) for call in calls]) if calls else ""


def calls_of(text: str) -> list[ModelCall]:
    """The calls in such a text."""
    try:
        return [ModelCall(**{**one, "tokens": Tokens(**one["tokens"])}) for one in json.loads(text)] if text else []
    except (ValueError, TypeError, KeyError):  # of another version: that there was one is known all the same
        return [ModelCall(model="")]


def record_call(
    connection: sa.Connection, call: ModelCall, *, at: float, cost: int | None, note: str = "", **owner: Any
) -> None:
    """Add the row of one model call."""
    record(
        connection,
        at=at,
        kind="model_call",
        cost=cost,
        description=call.description + note,
        model=call.model,
        endpoint=call.endpoint,
        tokens=call.tokens,
        agent=call.agent,
        **owner,
    )


def _cost_so_far(call: ModelCall) -> int | None:
    try:
        return None if call.cost_usd is None else to_nano(call.cost_usd)
    except SettingsError:
        return None


def holder_alive(holder: Holder) -> bool:
    """False only when the process is known to be gone; a process of another machine counts as alive."""
    if holder.host != _host():
        return True
    start = _process_start(holder.pid)
    if start is None:
        return False
    return not holder.started or not start or start == holder.started


def _host() -> str:
    """This machine since its last boot, and within it the container, since each container counts its own pids."""
    boot = namespace = ""
    with contextlib.suppress(OSError):  # not Linux
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    return f"{platform.node()}/{boot}/{namespace}"


def _process_start(pid: int) -> str | None:
    """When a process of this machine started, in its own terms; "" where that is unknown, None where it is gone."""
    if os.name == "nt":
        return ""  # os.kill(pid, 0) would end the process there; the lease alone decides
    try:
        # The command in parentheses may hold anything; after it: state, then start time as the 20th field.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):  # gone, hidden from this user, or not Linux
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""
