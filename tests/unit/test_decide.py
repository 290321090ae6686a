"""The mode of a goal follows from what memory says of it, by a function that looks at nothing else."""

from __future__ import annotations

import builtins
import itertools
import socket
import sqlite3
from typing import Any

import pytest

from llmos_nb.dispatch.decide import Decision, Thresholds, check_mode, decide
from llmos_nb.errors import ModeUnavailable, UnknownMode
from llmos_nb.memory import Match, Step, Trace
from llmos_nb.settings import MODES

STEPS = (Step("run_cell", {"code": "x = 1"}),)
TRACE = Trace(goal="g", steps=STEPS, id="t")


def match(verdict: Any, confidence: float) -> Match:
    known = verdict != "none"
    return Match(
        verdict, confidence, "t" if known else None, steps=STEPS if verdict in ("replay", "rebind") else None,
        reasons=("because",) if known else (), trace=TRACE if known else None,
    )  # fmt: skip


#: verdict, confidence, and the mode with ``auto``, ``follower`` and ``mixed`` asked for (None: it is not available).
CASES = [
    ("replay", 1.0, "follower", "follower", "mixed"),
    ("replay", 0.92, "follower", "follower", "mixed"),
    ("replay", 0.9199, "mixed", None, "mixed"),
    ("replay", 0.75, "mixed", None, "mixed"),
    ("replay", 0.7499, "learner", None, "mixed"),
    ("rebind", 0.95, "follower", "follower", "mixed"),
    ("rebind", 0.8, "mixed", None, "mixed"),
    ("guide", 1.0, "mixed", None, "mixed"),
    ("guide", 0.74, "learner", None, "mixed"),
    ("none", 0.0, "learner", None, None),
    ("none", 1.0, "learner", None, None),
]


@pytest.mark.parametrize(("verdict", "confidence", "auto", "follower", "mixed"), CASES)
def test_the_table_of_modes(
    verdict: str, confidence: float, auto: str, follower: str | None, mixed: str | None
) -> None:
    found = match(verdict, confidence)
    for asked, expected in (("auto", auto), ("follower", follower), ("mixed", mixed), ("learner", "learner")):
        if expected is None:
            with pytest.raises(ModeUnavailable) as caught:
                decide("g", found, mode=asked)
            assert caught.value.remedy
            continue
        decision = decide("g", found, mode=asked)
        assert decision.mode == expected
        assert decision.reason
        assert (decision.match is found) is (expected != "learner")


def test_a_mode_without_anything_to_run_says_so() -> None:
    with pytest.raises(ModeUnavailable) as caught:
        decide("g", match("replay", 1.0), mode="crystallized")
    assert "--mode auto" in caught.value.remedy


def test_several_goals_are_orchestrated_unless_the_whole_of_it_is_known() -> None:
    several = "a numbered list of 3 goals"
    assert decide("g", match("replay", 1.0), several=several).mode == "follower"
    for found in (match("guide", 0.9), match("none", 0.0)):
        decision = decide("g", found, several=several)
        assert decision.mode == "orchestrator" and several in decision.reason and decision.match is None
    assert decide("g", match("guide", 0.9)).mode == "mixed", "one goal"


def test_a_person_who_asks_for_a_plan_gets_one_whatever_the_goal_looks_like() -> None:
    assert decide("g", match("replay", 1.0), mode="orchestrator").mode == "orchestrator"


def test_thresholds_can_be_set() -> None:
    found = match("replay", 0.6)
    assert decide("g", found, thresholds=Thresholds(0.5, 0.4)).mode == "follower"
    assert decide("g", found, thresholds=Thresholds(0.7, 0.6)).mode == "mixed"
    assert decide("g", match("replay", 1.0), thresholds=Thresholds(1.0, 1.0)).mode == "follower"


def test_more_certainty_never_makes_it_dearer() -> None:
    order = ["follower", "mixed", "learner"]
    for verdict in ("replay", "rebind", "guide", "none"):
        ranks = [order.index(decide("g", match(verdict, n / 100)).mode) for n in range(101)]
        assert all(later <= earlier for earlier, later in itertools.pairwise(ranks))


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_known_in_any_case(mode: str) -> None:
    assert check_mode(f" {mode.upper()} ") == mode


@pytest.mark.parametrize(
    ("wrong", "right"), [("folower", "follower"), ("learn", "learner"), ("crystal", "crystallized")]
)
def test_an_unknown_mode_is_met_with_the_closest(wrong: str, right: str) -> None:
    with pytest.raises(UnknownMode) as caught:
        decide("g", match("none", 0.0), mode=wrong)
    assert repr(wrong) in caught.value.message and f"Did you mean '{right}'?" in caught.value.remedy


@pytest.mark.parametrize("wrong", [None, 5, "", "\u0000"])
def test_what_is_no_mode_at_all_is_refused(wrong: Any) -> None:
    with pytest.raises(UnknownMode):
        check_mode(wrong)


def test_a_decision_can_be_read() -> None:
    decision = decide("g", match("replay", 1.0))
    assert str(decision).splitlines()[0] == "follower: because"
    assert "from the run of g, confidence 1.00" in str(decision)
    assert "**follower**: because" in decision._repr_markdown_()
    assert str(Decision("learner", "nothing fits")) == "learner: nothing fits"


def test_deciding_looks_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*given: Any, **options: Any) -> Any:
        raise AssertionError("deciding must not look anything up")

    found = [match(verdict, 0.95) for verdict in ("replay", "guide", "none")]
    for owner, name in ((builtins, "open"), (socket, "socket"), (sqlite3, "connect")):
        monkeypatch.setattr(owner, name, forbidden)
    assert [decide("g", one).mode for one in found] == ["follower", "mixed", "learner"]
    assert decide("g", found[0]) == decide("g", found[0])
