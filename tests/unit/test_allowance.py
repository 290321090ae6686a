"""What a goal may spend: one meaning for the limit of a run, however it was set, and a remedy that helps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_nb.dispatch.allowance import allowed
from llmos_nb.errors import BudgetExceeded
from llmos_nb.projects import Constraints, Project
from llmos_nb.system import LLMOS
from llmos_nb.system.goals import goal_of
from llmos_nb.tools.namespace import PlainNamespace

GOAL = "Add 2 and 3"
USD = st.floats(0, 1000)
MAYBE = st.none() | USD


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def system(**settings: object) -> LLMOS:
    return LLMOS("workspace", endpoint="scripted", namespace=PlainNamespace(), **settings)  # type: ignore[arg-type]


def may_spend(one: LLMOS, usd: float | None = None, project: str | None = None) -> float:
    """What a goal reserves; that it can be reserved is part of it."""
    goal = goal_of(one, GOAL, budget_usd=usd, project=project)
    with one.economy.reserve(goal.budget_usd, "x", run_id=goal.run_id) as held:
        assert held.reserved_usd == pytest.approx(goal.budget_usd)
    return goal.budget_usd


def test_the_limit_of_a_run_is_what_a_goal_reserves_here_and_in_the_next_kernel() -> None:
    with system() as one:
        assert may_spend(one) == one.goal_budget_usd == 0.5
        one.economy.set_limit("run", 0.2)
        assert may_spend(one) == may_spend(one, 1.0) == one.goal_budget_usd == 0.2
        assert may_spend(one, 0.1) == 0.1
    with system() as later:
        assert may_spend(later) == 0.2
        later.economy.set_limit("run", 2)
        assert may_spend(later) == 2.0 and may_spend(later, 1.0) == 1.0
        later.economy.set_limit("run", None)
        assert may_spend(later) == 0.5


def test_a_chosen_budget_and_the_limit_of_a_run_both_hold() -> None:
    with system(run_budget_usd=0.3) as one:
        one.economy.set_limit("run", 2)
        assert may_spend(one) == 0.3
        one.economy.set_limit("run", 0.1)
        assert may_spend(one) == 0.1
    with system(preset="teaching") as taught:
        taught.economy.set_limit("run", 0.9)
        assert may_spend(taught) == 0.9, "a preset is nobody's choice of an amount"


def test_the_remedy_of_the_budget_can_be_run() -> None:
    with system() as llmos:
        llmos.economy.set_limit("run", 0.2)
        with pytest.raises(BudgetExceeded) as caught:
            llmos.economy.reserve(0.5, "x", run_id="r")
        assert 'llmos.economy.set_limit("run", 1)' in caught.value.remedy
        assert "%budget limits run=1" in caught.value.remedy
        exec('llmos.economy.set_limit("run", 1)', {"llmos": llmos})
        llmos.economy.reserve(0.5, "x", run_id="r")


def test_the_remedy_names_what_held_the_goal_back() -> None:
    with system() as one:

        def more(usd: float | None = None, project: str | None = None) -> str:
            return goal_of(one, GOAL, budget_usd=usd, project=project).more

        assert "--budget" in more() and "%budget limits run=" in more()
        assert more(1.0) == "Give this goal more with --budget."
        one.projects.create("cheap", run_budget_usd=0.001)
        for usd in (None, 1.0, 0.001):
            said = more(usd, "cheap")
            assert "run_budget_usd" in said and "project.toml" in said and "--budget" not in said
        one.projects.create("tiny", total_budget_usd=0.002)
        assert "total_budget_usd" in more(1.0, "tiny") and "project.toml" in more(1.0, "tiny")
        one.economy.set_limit("run", 0.2)
        assert "set_limit" in more(1.0) and "--budget" not in more(1.0)
        one.configure(run_budget_usd=0.1)
        assert "llmos.configure(run_budget_usd=" in more()


@given(MAYBE, USD, st.booleans(), MAYBE, MAYBE, MAYBE)
def test_no_goal_gets_more_than_any_limit(
    usd: float | None, setting: float, chosen: bool, limit: float | None, run: float | None, total: float | None
) -> None:
    constraints = Constraints(run_budget_usd=run, total_budget_usd=total)
    found = allowed(usd, setting, chosen, limit, Project(Path("projects/x")), constraints)
    bounds = [one for one in (usd, limit, run) if one is not None]
    assert found.more and found.usd >= 0 and all(found.usd <= bound for bound in bounds)
    if usd is None and limit is None:
        assert found.usd <= setting
