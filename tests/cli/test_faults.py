"""A few of the things that go wrong between a goal and the model; ``python -m tests.bench faults`` has them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import CASES, Place, met

pytestmark = pytest.mark.cli


@pytest.mark.parametrize("group", CASES)
async def test_what_goes_wrong_is_told_truly_and_leaves_nothing_behind(group: str, tmp_path: Path) -> None:
    place = Place(tmp_path, altered=group == "between")
    try:
        await place.warmed()
        found = {case.name: (await met(case, place))[1] for case in CASES[group] if case.quick}
    finally:
        place.close()
    assert found and not any(found.values()), {name: wrong for name, wrong in found.items() if wrong}


def test_a_row_that_ends_otherwise_is_found_wrong() -> None:
    """The table itself can fail: names are unique, every end state is one, and success is never expected of a death."""
    names = [(group, case.name) for group, cases in CASES.items() for case in cases]
    assert len(set(names)) == len(names) > 150
    states = {"success", "failed", "stopped", "timed_out", "denied", "over_budget"}
    assert all(case.ends and case.ends <= states for cases in CASES.values() for case in cases)
