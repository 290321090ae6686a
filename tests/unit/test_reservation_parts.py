"""Money of a whole run that its parts take from, give back, and never spend twice."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_nb.dispatch.orchestrator.pot import Pot
from llmos_nb.errors import BudgetExceeded
from llmos_nb.kernel.budget import ModelCall, TokenEconomy, Tokens


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def call(cost: float) -> ModelCall:
    return ModelCall(model="m", endpoint="e", tokens=Tokens(1, 1, 0, 0), cost_usd=cost)


def test_a_part_is_taken_from_the_whole_and_its_rest_comes_back() -> None:
    economy = TokenEconomy(budget_usd=1.0)
    whole = economy.reserve(0.6, "plan", run_id="w")
    part = whole.part(0.4, "node", run_id="n")
    assert (whole.remaining_usd, part.remaining_usd, economy.reserved_usd) == (0.2, 0.4, 0.6)
    with pytest.raises(BudgetExceeded, match=r"\$0.3 is more than the \$0.2 that is left"):
        whole.part(0.3, "greedy", run_id="g")
    part.charge(call(0.1))
    part.settle()
    assert whole.remaining_usd == 0.5 and economy.reserved_usd == 0.5 and economy.spent_usd() == 0.1
    whole.settle()
    assert economy.reserved_usd == 0 and economy.balance_usd == 0.9


def test_a_part_that_outlives_the_whole_gives_its_rest_to_everyone() -> None:
    economy = TokenEconomy(budget_usd=1.0)
    whole = economy.reserve(1.0, "plan", run_id="w")
    part = whole.part(0.4, "node", run_id="n")
    whole.settle()
    assert economy.reserved_usd == 0.4
    part.settle()
    part.settle()
    assert economy.reserved_usd == 0


def test_a_whole_that_was_silent_too_long_takes_nothing_that_others_hold() -> None:
    clock = Clock()
    economy = TokenEconomy(budget_usd=1.0, clock=clock)
    whole = economy.reserve(1.0, "plan", run_id="w", lease_s=10)
    part = whole.part(0.4, "node", run_id="n")
    clock.now += 11
    other = economy.reserve(0.9, "another kernel", run_id="o")
    with pytest.raises(BudgetExceeded, match="held by others"):
        whole.part(0.2, "next node", run_id="m")
    part.settle()
    assert whole.remaining_usd == 0 and economy.reserved_usd == pytest.approx(0.9)
    other.settle()
    whole.settle()
    assert economy.reserved_usd == 0


def test_a_whole_whose_lease_ended_goes_on_while_the_money_is_there() -> None:
    clock = Clock()
    economy = TokenEconomy(budget_usd=1.0, clock=clock)
    whole = economy.reserve(1.0, "plan", run_id="w", lease_s=10)
    clock.now += 11
    part = whole.part(0.2, "node", run_id="n")
    assert economy.reserved_usd == pytest.approx(1.0)
    part.settle()
    whole.settle()
    assert economy.reserved_usd == 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["take", "spend", "end"]), st.integers(0, 5), st.integers(0, 500)), max_size=30
    )
)
def test_whatever_parts_do_no_dollar_is_held_twice_or_lost(actions: list[tuple[str, int, int]]) -> None:
    economy = TokenEconomy(budget_usd=1.0)
    whole = economy.reserve(1.0, "plan", run_id="w")
    parts = []
    for what, number, milli in actions:
        if what == "take":
            try:
                parts.append(whole.part(milli / 1000, "node", run_id=f"n{len(parts)}"))
            except BudgetExceeded:
                assert milli / 1000 > whole.remaining_usd
        elif parts:
            part = parts[number % len(parts)]
            if what == "end":
                part.settle()
                parts.remove(part)  # a call that is billed after the end is written down, but was not begun by us
            elif not part.exceeded and milli / 1000 <= part.remaining_usd:
                part.charge(call(milli / 1000))
        assert economy.spent_usd() + economy.reserved_usd <= 1.0 + 1e-9
    for part in parts:
        part.settle()
    assert whole.remaining_usd + economy.spent_usd() == pytest.approx(1.0)
    whole.settle()
    assert economy.reserved_usd == 0 and economy.balance_usd == pytest.approx(1.0 - economy.spent_usd())


def test_many_threads_take_no_more_than_there_is() -> None:
    economy = TokenEconomy(budget_usd=1.0)
    pot = Pot(economy, 0.5, "plan", run_id="w")
    taken: list[float] = []

    def take(number: int) -> None:
        for turn in range(10):
            try:
                with pot.part(0.04, "node", run_id=f"n{number}-{turn}") as part:
                    part.charge(call(0.01))
                    taken.append(0.01)
            except BudgetExceeded:
                pass

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pot.settle()
    assert economy.spent_usd() == pytest.approx(sum(taken)) and economy.spent_usd() <= 0.5
    assert economy.reserved_usd == 0 and len(taken) > 8


def test_a_pot_holds_nothing_until_somebody_needs_it() -> None:
    economy = TokenEconomy(budget_usd=0.0)
    pot = Pot(economy, 0.5, "plan", run_id="w")
    pot.promise(0.3, run_id="n")
    assert pot.left_usd == pytest.approx(0.2) and economy.reserved_usd == 0
    pot.forget("n")
    assert pot.left_usd == 0.5
    with pytest.raises(BudgetExceeded):
        pot.part(0.1, "node", run_id="n")
    pot.settle()
