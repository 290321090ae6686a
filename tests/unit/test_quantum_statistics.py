"""The test of counts against theory: how often it fails without a reason, and that it fails where there is one."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("scipy")
from llmos_nb.domains.quantum import QuantumError, check_counts, shots_needed  # noqa: E402

FAIR = {"0": 0.5, "1": 0.5}
GHZ = {"000": 0.5, "111": 0.5}


def drawn(theory: Mapping[str, float], shots: int, seed: int) -> dict[str, int]:
    keys = list(theory)
    rng = np.random.default_rng(seed)
    return dict(zip(keys, map(int, rng.multinomial(shots, list(theory.values()))), strict=True))


def test_two_outcomes_are_tested_by_the_binomial_test() -> None:
    from scipy.stats import binomtest

    for count in (0, 1, 430, 500, 520, 1000):
        check = check_counts({"0": count, "1": 1000 - count}, FAIR)
        assert check.p_value == pytest.approx(min(1.0, binomtest(count, 1000).pvalue), rel=1e-6)
    uneven = {"0": 0.03, "1": 0.97}
    tail = float(sum(math.comb(50, n) * 0.03**n * 0.97 ** (50 - n) for n in range(6, 51)))
    assert check_counts({"0": 6, "1": 44}, uneven).p_value == pytest.approx(2 * tail)


@pytest.mark.parametrize(
    "theory",
    [FAIR, {"00": 0.9, "01": 0.05, "10": 0.03, "11": 0.02}, dict.fromkeys([f"{i:03b}" for i in range(8)], 0.125)],
)
@pytest.mark.parametrize("shots", [20, 200])
def test_false_alarms_are_at_most_as_frequent_as_stated(theory: Mapping[str, float], shots: int) -> None:
    alarms = {0.05: 0, 0.01: 0}
    for seed in range(600):
        p_value = check_counts(drawn(theory, shots, seed), theory).p_value
        for rate in alarms:
            alarms[rate] += p_value < rate
    for rate, seen in alarms.items():  # six standard deviations above what is stated
        assert seen <= 600 * rate + 6 * math.sqrt(600 * rate)


def test_the_tail_of_two_outcomes_is_exact_far_out() -> None:
    """Added up over all that can happen: the probability of a false alarm at one in a million."""
    shots, rate = 60, 1e-6
    alarm = sum(
        math.comb(shots, n) / 2**shots
        for n in range(shots + 1)
        if not check_counts({"0": n, "1": shots - n}, FAIR, rate)
    )
    assert 0 < alarm <= rate


def test_pearsons_tail_is_not_what_it_says_and_that_is_why_it_does_not_decide() -> None:
    """An outcome that is expected 5 times in 10,000 shots."""
    theory, shots, rate = {"0": 0.0005, "1": 0.9995}, 10_000, 1e-6
    alarm = {"chi-squared": 0.0, "exact": 0.0}
    for n in range(60):
        p = math.exp(
            math.lgamma(shots + 1)
            - math.lgamma(n + 1)
            - math.lgamma(shots - n + 1)
            + n * math.log(0.0005)
            + (shots - n) * math.log(0.9995)
        )
        for method in alarm:
            if not check_counts({"0": n, "1": shots - n}, theory, rate, method=method):
                alarm[method] += p
    assert alarm["exact"] <= rate
    assert alarm["chi-squared"] > 50 * rate


def test_what_theory_excludes_fails_at_once() -> None:
    check = check_counts({"000": 500, "111": 499, "010": 1}, GHZ)
    assert not check and check.p_value == 0
    assert check.impossible == {"010": 1}
    assert "'010' came 1 times, which theory excludes" in str(check)
    assert check_counts({"000": 500, "111": 500, "010": 0}, GHZ)


def test_one_possible_outcome() -> None:
    assert check_counts({"11": 100}, {"11": 1.0})
    assert "only '11' is possible" in str(check_counts({"11": 100}, {"11": 1.0}))
    assert not check_counts({"11": 99, "10": 1}, {"11": 1.0})


def test_rare_outcomes_are_counted_together() -> None:
    theory = {"00": 0.97, "01": 0.01, "10": 0.01, "11": 0.01}
    check = check_counts({"00": 97, "01": 1, "10": 1, "11": 1}, theory)
    assert [cell.name for cell in check.cells] == ["00", "3 rare outcomes"]
    assert check.cells[1].expected == pytest.approx(3) and check.cells[1].count == 3
    assert len(check_counts({"00": 970, "01": 10, "10": 10, "11": 10}, theory).cells) == 4
    pearson = check_counts({"00": 97, "01": 1, "10": 1, "11": 1}, {"00": 0.5, "01": 0.47, "10": 0.02, "11": 0.01},
                           method="chi-squared")  # fmt: skip
    assert all(cell.expected >= 5 for cell in pearson.cells)


def test_outcomes_that_are_all_rare_are_compared_one_by_one() -> None:
    theory = {f"{i:06b}": 1 / 64 for i in range(64)}
    assert check_counts(drawn(theory, 200, 3), theory).degrees == 63
    assert not check_counts({"000000": 200}, theory)
    assert not check_counts({"0": 40, "1": 0}, FAIR) and check_counts({"0": 4, "1": 0}, FAIR)


def test_a_single_rare_outcome_is_still_tested() -> None:
    theory = {"0": 0.999, "1": 0.001}
    assert check_counts({"0": 999, "1": 1}, theory)
    assert not check_counts({"0": 970, "1": 30}, theory)
    with pytest.raises(QuantumError, match="too few shots for a chi-squared test"):
        check_counts({"0": 999, "1": 1}, theory, method="chi-squared")


def test_the_verdict_names_what_is_furthest_off() -> None:
    check = check_counts({"000": 1000, "111": 0}, GHZ)
    assert not check
    assert "'000' came 1000 times where 500.0 are expected" in check.reason
    assert "DOES NOT AGREE" in str(check)


def test_chi_squared_is_told_beside_it() -> None:
    check = check_counts({"000": 520, "111": 480}, GHZ)
    assert check.chi_squared == pytest.approx(1.6) and check.degrees == 1
    assert "chi-squared 1.60 on 1 degree of freedom" in str(check)


@pytest.mark.parametrize("theory", [GHZ, dict.fromkeys(["00", "01", "10", "11"], 0.25)])
def test_the_stated_power_is_there(theory: dict[str, float]) -> None:
    """What `sees` promises to find 99 times in 100 is found in fresh samples about as often."""
    shots = 3000
    sees = check_counts(drawn(theory, shots, 1), theory).sees
    assert sees is not None and 0.05 < sees < 0.1
    keys = list(theory)
    half = len(keys) // 2
    other = {key: (0.5 + (sees if i < half else -sees)) / half for i, key in enumerate(keys)}
    found = sum(not check_counts(drawn(other, shots, 1000 + seed), theory) for seed in range(300))
    assert found >= 285
    assert check_counts(drawn(theory, shots, 1), theory).sees == sees  # the same again


def test_a_power_that_a_few_shots_do_not_have() -> None:
    assert check_counts({"0": 4, "1": 4}, FAIR).sees is None
    assert check_counts({"0": 25, "1": 25}, FAIR).sees == pytest.approx(0.46, abs=0.04)
    assert check_counts({"0": 8}, {"0": 1.0}).sees == pytest.approx(1 - 0.01 ** (1 / 8))


def test_shots_needed() -> None:
    few, many = shots_needed(FAIR, 0.2), shots_needed(FAIR, 0.05)
    # normal approximation: ((4.89 + 2.33) / (2 * 0.05)) ** 2 = 5213
    assert 4800 < many < 5900
    assert 12 < many / few < 20
    assert shots_needed(GHZ, {"000": 1.0}) < 40
    assert shots_needed({"1": 1.0}, 0.01) == pytest.approx(math.log(0.01) / math.log(0.99), rel=0.15)
    # an impossible outcome tells at once
    assert shots_needed(GHZ, {"000": 0.45, "111": 0.45, "010": 0.1}) < 60


@pytest.mark.parametrize(
    ("counts", "theory", "options", "message"),
    [
        ({}, FAIR, {}, "no shot was made"),
        ({"0": 0}, FAIR, {}, "no shot was made"),
        ({"0": -1, "1": 5}, FAIR, {}, "count of '0' is a whole number from 0, got -1"),
        ({"0": 1.5}, FAIR, {}, "whole number from 0, got 1.5"),
        ([1, 2], FAIR, {}, "counts is a mapping"),
        ({"0": 5}, {"0": 0.5, "1": 0.4}, {}, "add up to 0.9, not to 1"),
        ({"0": 5}, {"0": 1.5, "1": -0.5}, {}, "between 0 and 1"),
        ({"0": 5}, {"0": float("nan"), "1": 1.0}, {}, "between 0 and 1"),
        ({"00": 5}, FAIR, {}, "'00' and '0' are not of one kind"),
        ({"0": 5, "01": 1}, FAIR, {}, "are not of one kind"),
        ({"0": 5}, FAIR, {"false_alarm": 0}, "false_alarm is between 0 and 1"),
        ({"0": 5}, FAIR, {"false_alarm": 1.0}, "false_alarm is between 0 and 1"),
        ({"0": 5}, FAIR, {"method": "eye"}, "method is 'exact' or 'chi-squared'"),
    ],
)
def test_what_cannot_be_compared_is_an_error(counts: object, theory: object, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(QuantumError, match=message):
        check_counts(counts, theory, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("deviation", "message"),
    [(0, "between 0 and 1"), (FAIR, "both distributions are the same"), (0.6, "No more than 0.5 of the probability")],
)
def test_deviations_that_are_none(deviation: object, message: str) -> None:
    with pytest.raises(QuantumError, match=message):
        shots_needed(FAIR, deviation)  # type: ignore[arg-type]
