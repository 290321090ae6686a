"""What a confidence is made of."""

from __future__ import annotations

import pytest

from llmos_nb.memory.confidence import CEILINGS, LIKELY, WEIGHTS, Signals, confidence_of, reliability

SURE = Signals(0, 1.0, 0.3, 1.0, 0.5, 0.5, 8.0)


def test_a_trace_never_used_is_trusted_and_failures_cost() -> None:
    assert reliability(0, 0) == 1.0
    assert reliability(30, 0) == 1.0
    assert reliability(0, 1) == pytest.approx(0.928, abs=0.001)
    assert reliability(0, 2) < reliability(0, 1) < reliability(29, 1) < 1.0


def test_tiers_have_ceilings_in_order() -> None:
    found = [confidence_of(tier, SURE, 1.0) for tier in ("exact", "template", "words", "meaning", "likely")]
    assert found == sorted(found, reverse=True) == list(CEILINGS.values())


def test_trust_scales() -> None:
    assert confidence_of("exact", None, 0.9) == 0.9


@pytest.mark.parametrize("name", Signals._fields)
@pytest.mark.parametrize(("tier", "weights"), [("meaning", WEIGHTS), ("likely", LIKELY)])
def test_each_signal_moves_it_the_way_it_must(tier: str, weights: Signals, name: str) -> None:
    low = SURE._replace(near=0.5, alike=0.2, apart=0.0, alone=0.0, ahead=0.0, told=0.0)
    before = confidence_of(tier, low, 1.0)
    more = confidence_of(tier, low._replace(**{name: getattr(low, name) + 0.5}), 1.0)
    assert (more > before) == (getattr(weights, name) > 0)
    assert (more < before) == (getattr(weights, name) < 0)
    assert (getattr(weights, name) <= 0) == (name == "extra")


def test_equal_wording_needs_no_signals() -> None:
    assert confidence_of("template", SURE._replace(near=0.0, told=-6.0), 1.0) == CEILINGS["template"]
