"""Values that the recorded code turns down before it does anything: refused, and no stain on the trace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from test_possible import rebound, swap
from test_replay import Place

from llmos_nb.learning.replay import Replay, replay

CHECKED = "import math\nif math.sqrt(3) > 2:\n    raise ValueError('3 is too much')\nroot = math.sqrt(3)"


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def again(cwd: Path, *code: str, new: str) -> Replay:
    trace = Place(cwd).record(*code, goal="The root of 3")
    steps = rebound(trace.replayable_steps, swap("3", new))

    async def work() -> Replay:
        return await replay(trace, steps, Place(cwd).make_bench(), recorded=[(trace, ())])

    return asyncio.run(work())


def test_a_value_that_is_turned_down_at_once(cwd: Path) -> None:
    done = again(cwd, CHECKED, new="9")
    assert done.rejected
    assert done.surprise == "step 1 (run_cell) failed: ValueError: 9 is too much"


def test_a_failure_after_something_was_done_is_one(cwd: Path) -> None:
    assert not again(cwd, "a = 1", CHECKED, new="9").rejected
    assert not again(cwd, "a = 3\nif a == 9:\n    raise ValueError(a)", new="9").rejected
    assert not again(cwd, "open('a.txt', 'w').close()", CHECKED, new="9").rejected
    assert again(cwd, "import cmath", CHECKED, new="9").rejected


def test_another_outcome_is_no_rejection(cwd: Path) -> None:
    done = again(cwd, "root = 3 if 3 < 5 else 'none'", new="9")
    assert done.surprise and not done.rejected
