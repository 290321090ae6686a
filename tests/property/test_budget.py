"""Whatever is done in whatever order: no limit is passed by more than one call, and the sums agree."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from llmos_nb.errors import BudgetExceeded
from llmos_nb.kernel.budget import ModelCall, Reservation, TokenEconomy
from llmos_nb.kernel.ledger import LEDGER
from llmos_nb.kernel.state import open_state, reading

BUDGET = 1_000_000_000
#: Amounts in nano-dollars, many of them awkward in binary.
NANO = st.one_of(st.integers(0, BUDGET // 2), st.sampled_from([0, 1, 100_000_000, 300_000_000, 333_333_333]))


class Runs(RuleBasedStateMachine):
    """Runs that reserve, call, get bills, settle and time out on one budget, and stop when they are told to."""

    open = Bundle("open")

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        self.overshoot = 0
        self.engine = open_state(None)
        kernels = [
            TokenEconomy(BUDGET / 1e9, engine=self.engine, session_id=str(n), clock=lambda: self.now)
            for n in range(2)
        ]
        self.kernels = kernels
        self.tutorial = TokenEconomy(BUDGET / 1e9, engine=self.engine, simulated=True, clock=lambda: self.now)

    @rule(target=open, kernel=st.integers(0, 1), nano=NANO)
    def reserve(self, kernel: int, nano: int) -> object:
        try:
            return self.kernels[kernel].reserve(nano / 1e9, "x", run_id=f"r{kernel}", lease_s=100)
        except BudgetExceeded as refused:
            assert nano / 1e9 > refused.available_usd
            return multiple()

    @rule(reservation=open, nano=st.none() | NANO)
    def call_model(self, reservation: Reservation, nano: int | None) -> None:
        if reservation.exceeded:
            return
        reservation.charge(ModelCall(model="m", cost_usd=None if nano is None else nano / 1e9))
        if reservation.exceeded:  # the one call that took it past what it held, or came after its lease
            self.overshoot += nano or 0

    @rule(reservation=consumes(open), bill=st.none() | NANO, saved=NANO)
    def settle(self, reservation: Reservation, bill: int | None, saved: int) -> None:
        if bill is not None and bill / 1e9 <= reservation.charged_usd:
            reservation.adjust(bill / 1e9)
        reservation.settle(saved_usd=saved / 1e9)

    @rule(seconds=st.sampled_from([1, 50, 101]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule(nano=NANO)
    def check_then_deduct(self, nano: int) -> None:
        try:
            self.kernels[0].check_budget(nano / 1e9)
        except BudgetExceeded:
            return
        self.kernels[0].deduct(nano / 1e9, "x")

    @rule(nano=NANO)
    def play(self, nano: int) -> None:
        self.tutorial.deduct(nano / 1e9, "x")

    def rows(self, simulated: bool) -> list[sa.Row[Any]]:
        with reading(self.engine) as connection:
            return list(connection.execute(LEDGER.select().where(LEDGER.c.simulated == simulated)))

    @invariant()
    def never_past_the_limit_by_more_than_the_calls_that_overshot(self) -> None:
        assert sum(row.cost or 0 for row in self.rows(simulated=False)) <= BUDGET + self.overshoot

    @invariant()
    def the_balance_is_the_budget_minus_the_rows(self) -> None:
        for economy, simulated in ((self.kernels[0], False), (self.kernels[1], False), (self.tutorial, True)):
            assert economy.balance_usd == (BUDGET - sum(row.cost or 0 for row in self.rows(simulated))) / 1e9

    def teardown(self) -> None:
        self.now += 1000
        assert self.kernels[0].reserved_usd == 0.0
        self.engine.dispose()


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
