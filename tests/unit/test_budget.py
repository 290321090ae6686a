from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from llmos_nb.errors import BudgetExceeded, SettingsError, StoreError
from llmos_nb.kernel.budget import Limits, ModelCall, TokenEconomy, Tokens
from llmos_nb.kernel.ledger import LEDGER
from llmos_nb.kernel.state import open_state

#: Where a new process finds the package, installed or not.
ROOT = Path(__file__).parents[2]


class Clock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_state(tmp_path / "state.db")


def rows(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        return [dict(row._mapping) for row in connection.execute(LEDGER.select().order_by(LEDGER.c.id))]


def call(cost: float | None, **more: Any) -> ModelCall:
    return ModelCall(model="m", endpoint="e", tokens=Tokens(10, 2, 3, 4), cost_usd=cost, **more)


# -- the sketch


def test_the_sketch_works_as_written() -> None:
    economy = TokenEconomy(budget_usd=10.0)
    assert economy.check_budget(0.50) is True
    economy.deduct(0.45, "Learn: Create script")
    assert economy.balance_usd == 9.55
    assert economy.spent_usd("workspace") == 0.45


def test_a_budget_of_ten_dollars_is_the_default() -> None:
    assert TokenEconomy().limits == Limits(workspace_usd=10.0)


def test_no_limit_at_all() -> None:
    economy = TokenEconomy(budget_usd=None)
    assert economy.check_budget(1e6) is True
    assert economy.balance_usd is None


def test_over_budget_names_the_limit_what_is_left_and_a_remedy() -> None:
    economy = TokenEconomy(budget_usd=1.0)
    economy.deduct(0.75, "x")
    with pytest.raises(BudgetExceeded, match=r"\$0\.50 .* workspace limit of \$1\.00") as caught:
        economy.check_budget(0.50)
    assert caught.value.limit == "workspace"
    assert caught.value.available_usd == 0.25
    assert "%budget set 2" in caught.value.remedy


def test_the_last_cent_can_be_spent_and_a_billionth_more_cannot() -> None:
    economy = TokenEconomy(budget_usd=0.3)
    economy.deduct(0.1, "x")
    economy.deduct(0.1, "x")
    assert economy.check_budget(0.1) is True
    with pytest.raises(BudgetExceeded):
        economy.check_budget(0.100000001)


def test_sums_do_not_drift() -> None:
    economy = TokenEconomy(budget_usd=1.0)
    for _ in range(10):
        economy.deduct(0.1, "x")
    assert economy.balance_usd == 0.0


def test_money_that_was_spent_is_written_even_past_the_limit() -> None:
    economy = TokenEconomy(budget_usd=1.0)
    economy.deduct(1.5, "the bill came higher")
    assert economy.balance_usd == -0.5
    with pytest.raises(BudgetExceeded) as caught:
        economy.check_budget(0.000001)
    assert caught.value.available_usd == 0.0


@pytest.mark.parametrize("amount", [-0.01, float("nan"), float("inf"), -float("inf"), True, "0.5", None, 1e12, 1j])
def test_unusable_amounts_are_refused_and_leave_no_row(engine: sa.Engine, amount: Any) -> None:
    economy = TokenEconomy(engine=engine)
    for attempt in (
        lambda: economy.deduct(amount, "x"),
        lambda: economy.check_budget(amount),
        lambda: economy.reserve(amount, "x", run_id="r"),
        lambda: economy.deduct(0.1, "x", saved_usd=amount),
    ):
        with pytest.raises(SettingsError, match="US dollars"):
            attempt()
    assert rows(engine) == []
    assert economy.reserved_usd == 0.0


@pytest.mark.parametrize("budget", [-1, float("nan"), "10", True])
def test_unusable_budgets_are_refused(budget: Any) -> None:
    with pytest.raises(SettingsError, match="budget_usd"):
        TokenEconomy(budget_usd=budget)
    with pytest.raises(SettingsError, match="day limit"):
        TokenEconomy().set_limit("day", budget)
    with pytest.raises(SettingsError, match="run limit"):
        TokenEconomy(limits=Limits(run_usd=budget))


def test_other_number_types_are_amounts_too() -> None:
    economy = TokenEconomy(budget_usd=10)
    economy.deduct(Decimal("0.1"), "x")  # type: ignore[arg-type]
    economy.deduct(1, "x")
    assert economy.balance_usd == 8.9


def test_a_row_says_what_was_bought(engine: sa.Engine) -> None:
    clock = Clock()
    economy = TokenEconomy(engine=engine, session_id="s1", clock=clock)
    economy.deduct(
        0.25, "Learn: x", run_id="r1", model="sonnet", endpoint="claude", tokens=Tokens(1, 2, 3, 4), saved_usd=0.5
    )
    (row,) = rows(engine)
    assert row == {
        "id": 1, "at": clock.now, "run_id": "r1", "session_id": "s1", "kind": "deduct", "description": "Learn: x",
        "model": "sonnet", "endpoint": "claude", "simulated": False, "input_tokens": 1, "output_tokens": 2,
        "cache_read_tokens": 3, "cache_write_tokens": 4, "cost": 250_000_000, "saved": 500_000_000,
        "agent": "", "project": "",
    }  # fmt: skip
    assert economy.saved_usd == 0.5


# -- limits


@pytest.mark.parametrize("scope", ["run", "session", "day", "workspace"])
def test_each_scope_stops_spending(scope: str) -> None:
    economy = TokenEconomy(budget_usd=None, session_id="s")
    economy.set_limit(scope, 1.0)
    economy.deduct(0.6, "x", run_id="r")
    with pytest.raises(BudgetExceeded) as caught:
        economy.reserve(0.5, "y", run_id="r")
    assert caught.value.limit == scope
    assert economy.reserve(0.4, "y", run_id="r").reserved_usd == 0.4
    assert economy.spent_usd(scope, "r") == 0.6


def test_run_and_session_limits_count_only_their_own(engine: sa.Engine) -> None:
    limits = Limits(run_usd=1.0, session_usd=2.0)
    one = TokenEconomy(budget_usd=None, engine=engine, limits=limits, session_id="one")
    two = TokenEconomy(budget_usd=None, engine=engine, limits=limits, session_id="two")
    one.reserve(1.0, "x", run_id="a")
    one.reserve(1.0, "x", run_id="b")
    with pytest.raises(BudgetExceeded, match="session"):
        one.reserve(0.1, "x", run_id="c")
    two.reserve(1.0, "x", run_id="d")


def test_a_new_utc_day_has_its_own_limit() -> None:
    clock = Clock(86_400.0 * 20_000 + 86_399)
    economy = TokenEconomy(budget_usd=None, limits=Limits(day_usd=1.0), clock=clock)
    economy.deduct(1.0, "x")
    with pytest.raises(BudgetExceeded, match="day") as caught:
        economy.check_budget(0.1)
    assert "UTC" in caught.value.remedy
    clock.now += 1
    assert economy.check_budget(1.0) is True
    assert economy.spent_usd("day") == 0.0
    assert economy.spent_usd("workspace") == 1.0


def test_the_tightest_limit_is_named() -> None:
    economy = TokenEconomy(budget_usd=1.0, limits=Limits(run_usd=0.5, day_usd=0.2))
    with pytest.raises(BudgetExceeded) as caught:
        economy.reserve(2.0, "x", run_id="r")
    assert (caught.value.limit, caught.value.available_usd) == ("day", 0.2)


def test_kept_limits_reach_other_kernels_and_explicit_ones_stay(engine: sa.Engine) -> None:
    plain, other = TokenEconomy(engine=engine), TokenEconomy(engine=engine)
    explicit = TokenEconomy(5.0, engine=engine)
    plain.set_limit("workspace", 20.0)
    plain.set_limit("day", 2.0)
    assert other.limits == Limits(day_usd=2.0, workspace_usd=20.0)
    assert explicit.limits == Limits(day_usd=2.0, workspace_usd=5.0)
    explicit.set_limit("workspace", 30.0)
    assert explicit.balance_usd == other.balance_usd == 30.0
    other.set_limit("day", None)
    assert plain.limits.day_usd is None


def test_limits_survive_a_restart(tmp_path: Path) -> None:
    TokenEconomy(engine=open_state(tmp_path / "state.db")).set_limit("workspace", None)
    assert TokenEconomy(engine=open_state(tmp_path / "state.db")).balance_usd is None


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(SettingsError, match="month"):
        TokenEconomy().set_limit("month", 1.0)
    with pytest.raises(SettingsError, match="run, session, day, workspace"):
        TokenEconomy().spent_usd("month")


def test_tutorial_money_and_real_money_never_mix(engine: sa.Engine) -> None:
    real = TokenEconomy(budget_usd=1.0, engine=engine)
    play = TokenEconomy(budget_usd=1.0, engine=engine, simulated=True)
    play.reserve(1.0, "x", run_id="r").charge(call(1.0))
    play.set_limit("day", 0.5)
    assert real.balance_usd == 1.0
    assert real.check_budget(1.0) is True
    real.reserve(1.0, "x", run_id="r")
    assert play.reserved_usd == 0.0
    assert (real.reserved_usd, real.limits.day_usd) == (1.0, None)
    assert [row["simulated"] for row in rows(engine)] == [True]


# -- reservations


def test_a_reservation_holds_charges_and_gives_back(engine: sa.Engine) -> None:
    economy = TokenEconomy(budget_usd=1.0, engine=engine)
    reservation = economy.reserve(0.8, "Learn: x", run_id="r")
    with pytest.raises(BudgetExceeded, match="reserved") as caught:
        economy.reserve(0.3, "other", run_id="s")
    assert caught.value.available_usd == 0.2
    reservation.charge(call(0.1))
    assert (reservation.charged_usd, reservation.remaining_usd, reservation.exceeded) == (0.1, 0.7, False)
    assert (economy.balance_usd, economy.reserved_usd) == (0.9, 0.7)
    reservation.settle()
    reservation.settle()
    assert (economy.balance_usd, economy.reserved_usd) == (0.9, 0.0)
    (row,) = rows(engine)
    assert (row["kind"], row["cost"], row["cache_write_tokens"], row["description"]) == (
        "model_call", 100_000_000, 4, "Learn: x",
    )  # fmt: skip


def test_a_run_that_spends_more_than_it_reserved_is_told_to_stop_and_its_call_is_kept(engine: sa.Engine) -> None:
    economy = TokenEconomy(budget_usd=1.0, engine=engine)
    reservation = economy.reserve(0.2, "x", run_id="r")
    reservation.charge(call(0.2))
    assert not reservation.exceeded
    reservation.charge(call(0.05))
    assert reservation.exceeded
    assert reservation.remaining_usd == 0.0
    assert economy.spent_usd() == 0.25
    assert economy.reserved_usd == 0.0


def test_a_call_of_unknown_price_is_kept_unknown(engine: sa.Engine) -> None:
    economy = TokenEconomy(budget_usd=1.0, engine=engine)
    with economy.reserve(0.2, "x", run_id="r") as reservation:
        reservation.charge(call(None))
        assert not reservation.exceeded
    assert rows(engine)[0]["cost"] is None
    assert economy.balance_usd == 1.0


@pytest.mark.parametrize("price", [float("nan"), -1.0, "free"])
def test_a_call_with_a_rubbish_price_is_kept_and_stops_the_run(engine: sa.Engine, price: Any) -> None:
    reservation = TokenEconomy(engine=engine).reserve(0.2, "x", run_id="r")
    reservation.charge(call(price))
    assert reservation.exceeded
    (row,) = rows(engine)
    assert row["cost"] is None
    assert repr(price) in row["description"]


def test_missing_token_counts_do_not_lose_the_call(engine: sa.Engine) -> None:
    reservation = TokenEconomy(engine=engine).reserve(0.2, "x", run_id="r")
    reservation.charge(ModelCall(model="m", tokens=Tokens(input=None), cost_usd=0.1))  # type: ignore[arg-type]
    assert rows(engine)[0]["input_tokens"] == 0


@pytest.mark.parametrize("bill", [0.0, 0.07, 0.1, 0.4])
def test_the_final_bill_makes_the_sum(engine: sa.Engine, bill: float) -> None:
    economy = TokenEconomy(budget_usd=1.0, engine=engine)
    reservation = economy.reserve(0.2, "x", run_id="r")
    reservation.charge(call(0.1))
    reservation.adjust(bill)
    reservation.adjust(bill)
    assert economy.spent_usd("run", "r") == bill
    assert reservation.exceeded is (bill > 0.2)
    assert [row["kind"] for row in rows(engine)] == ["model_call"] + ["adjustment"] * (bill != 0.1)


def test_a_free_replay_writes_what_it_saved_once(engine: sa.Engine) -> None:
    economy = TokenEconomy(budget_usd=0.0, engine=engine)
    reservation = economy.reserve(0.0, "Follow: x", run_id="r")  # an empty budget does not stop a free mode
    reservation.settle(saved_usd=0.0512, description="replayed")
    reservation.settle(saved_usd=0.0512)
    assert [(row["kind"], row["cost"], row["saved"]) for row in rows(engine)] == [("saving", 0, 51_200_000)]
    assert economy.saved_usd == 0.0512
    assert economy.spent_usd() == 0.0


def test_a_late_charge_after_settling_is_still_in_the_ledger(engine: sa.Engine) -> None:
    economy = TokenEconomy(budget_usd=1.0, engine=engine)
    reservation = economy.reserve(0.2, "x", run_id="r")
    reservation.settle()
    reservation.charge(call(0.1))
    assert economy.spent_usd() == 0.1
    assert economy.reserved_usd == 0.0


def test_a_reservation_is_settled_when_its_block_raises() -> None:
    economy = TokenEconomy(budget_usd=1.0)
    with pytest.raises(KeyError), economy.reserve(0.9, "x", run_id="r"):
        raise KeyError
    assert economy.check_budget(1.0) is True


def test_a_lease_that_ends_frees_the_money_and_a_charge_renews_it() -> None:
    clock = Clock()
    economy = TokenEconomy(budget_usd=1.0, clock=clock)
    reservation = economy.reserve(1.0, "x", run_id="r", lease_s=10)
    clock.now += 9
    reservation.charge(call(0.1))
    clock.now += 9
    with pytest.raises(BudgetExceeded):
        economy.check_budget(0.1)
    clock.now += 1
    assert economy.check_budget(0.9) is True


def test_a_run_whose_lease_ended_goes_on_only_while_the_money_is_there() -> None:
    clock = Clock()
    economy = TokenEconomy(budget_usd=1.0, clock=clock)
    lucky = economy.reserve(0.4, "x", run_id="lucky", lease_s=10)
    unlucky = economy.reserve(0.6, "x", run_id="unlucky", lease_s=10)
    clock.now += 11
    lucky.charge(call(0.1))
    assert not lucky.exceeded
    assert economy.reserved_usd == pytest.approx(0.3)
    economy.reserve(0.5, "x", run_id="thief")
    unlucky.charge(call(0.1))
    assert unlucky.exceeded
    assert unlucky.remaining_usd == 0.0
    assert economy.spent_usd() == 0.2


def test_a_ledger_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    engine = open_state(tmp_path / "state.db")
    reservation = TokenEconomy(engine=engine).reserve(0.5, "x", run_id="r")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE ledger RENAME TO elsewhere"))
    with pytest.raises(StoreError):
        reservation.charge(call(0.1))
    assert reservation.exceeded


# -- several kernels


PRELUDE = """
import sys, time
from llmos_nb.errors import BudgetExceeded
from llmos_nb.kernel.budget import ModelCall, TokenEconomy
from llmos_nb.kernel.state import open_state
economy = TokenEconomy(budget_usd=1.0, engine=open_state(sys.argv[1]))
print("ready", flush=True)
"""

HAMMER = """
sys.stdin.readline()
for number in range(60):
    try:
        reservation = economy.reserve(0.03, "x", run_id=f"{sys.argv[2]}-{number}")
    except BudgetExceeded:
        continue
    reservation.charge(ModelCall(model="m", cost_usd=0.013))
    reservation.charge(ModelCall(model="m", cost_usd=0.017 if number % 2 else 0.001))
    reservation.settle()
    time.sleep(0.002)  # so that neither has spent it all before the other begins
"""

HOLD = """
economy.reserve(0.9, "x", run_id="r").charge(ModelCall(model="m", cost_usd=0.2))
print("held", flush=True)
time.sleep(60)
"""


def kernel(path: Path, name: str, code: str) -> subprocess.Popen[str]:
    """Another process on the same database, ready to run ``code``."""
    command = [sys.executable, "-c", PRELUDE + code, str(path), name]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_kernels_cannot_spend_the_same_dollar(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    kernels = [kernel(path, name, HAMMER) for name in ("one", "two")]
    for process in kernels:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in kernels:
        process.communicate(timeout=60)
    assert [process.returncode for process in kernels] == [0, 0]
    engine = open_state(path)
    economy = TokenEconomy(budget_usd=1.0, engine=engine)
    assert 0.97 < economy.spent_usd() <= 1.0
    assert economy.reserved_usd == 0.0
    assert economy.spent_usd() == sum(row["cost"] for row in rows(engine)) / 1e9
    assert {row["run_id"].split("-")[0] for row in rows(engine)} == {"one", "two"}


@pytest.mark.skipif(os.name == "nt", reason="a dead holder is seen by its lease alone there")
def test_a_killed_kernel_keeps_its_charges_and_frees_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    process = kernel(path, "doomed", HOLD)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    economy = TokenEconomy(budget_usd=1.0, engine=open_state(path))
    with pytest.raises(BudgetExceeded, match="reserved"):
        economy.reserve(0.5, "x", run_id="s")
    process.kill()
    process.communicate()
    assert economy.reserved_usd == 0.0
    assert economy.reserve(0.8, "x", run_id="s").reserved_usd == 0.8
    assert economy.spent_usd() == 0.2


# -- projects, and databases of an older version


def test_a_projects_runs_share_its_limit_and_no_others(engine: sa.Engine) -> None:
    economy = TokenEconomy(engine=engine)
    with economy.reserve(0.3, "x", run_id="r1", project="whales", project_usd=0.5) as held:
        held.charge(call(0.3))
    assert economy.project_spent_usd("whales") == 0.3
    assert economy.project_spent_usd("birds") == 0
    with pytest.raises(BudgetExceeded, match="the project limit of") as error:
        economy.reserve(0.3, "x", run_id="r2", project="whales", project_usd=0.5)
    assert error.value.limit == "project" and "project.toml" in error.value.remedy
    assert error.value.available_usd == pytest.approx(0.2)
    economy.reserve(0.3, "x", run_id="r3", project="birds", project_usd=0.5).settle()
    with economy.reserve(0.2, "x", run_id="r4", project="whales", project_usd=0.5), pytest.raises(BudgetExceeded):
        economy.reserve(0.1, "x", run_id="r5", project="whales", project_usd=0.5)  # held by a run still going
    assert [row["project"] for row in rows(engine)] == ["whales"]


def test_a_ledger_of_an_older_version_gets_its_new_columns_and_keeps_its_rows(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "state.db"
    economy = TokenEconomy(engine=open_state(path))
    economy.deduct(0.25, "before", run_id="r1")
    with sqlite3.connect(path) as old:
        for index in ("ledger_by_project",):
            old.execute(f"DROP INDEX {index}")
        for table, column in (("ledger", "agent"), ("ledger", "project"), ("budget_holds", "project")):
            old.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        old.execute("PRAGMA user_version = 0")
    again = TokenEconomy(engine=open_state(path))
    with again.reserve(0.1, "after", run_id="r2", project="whales") as held:
        held.charge(call(0.1, agent="analyst"))
    assert again.spent_usd() == 0.35
    found = rows(again._engine)
    assert [(row["agent"], row["project"]) for row in found] == [("", ""), ("analyst", "whales")]
