"""A replay with other values: run under guard, verified by bound expectations, answered anew or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from test_possible import rebound, swap
from test_replay import Place, everything

from llmos_nb.learning.replay import Replay, replay
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.slots.slot import Slot

SALES = "city,amount\nBerlin,120\nBerlin,230\nParis,1775\nOslo,410\n"
CODE = (
    "import pandas as pd\nsales = pd.read_csv('sales.csv')",
    "total = int(sales.loc[sales['city'] == 'Berlin', 'amount'].sum())\nprint(f'total of Berlin: {total}')",
)


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sales.csv").write_text(SALES)
    return tmp_path


def slot(goal: str, text: str, kind: str = "value") -> Slot:
    start = goal.index(text)
    return Slot("city", kind, text, start, start + len(text), text)


def asked(city: str) -> str:
    return f"Total amount of {city} in the sales"


def recorded(cwd: Path, city: str, total: int) -> tuple[Trace, tuple[Slot, ...]]:
    code = [text.replace("Berlin", city) for text in CODE]
    trace = Place(cwd).record(*code, goal=asked(city), answer=f"The total of {city} is **{total}**.")
    return trace, (slot(asked(city), city),)


def run_bound(
    place: Place,
    known: Sequence[tuple[Trace, Sequence[Slot]]],
    steps: Sequence[Step],
    slots: Sequence[Slot] = (),
) -> Replay:
    async def work() -> Replay:
        return await replay(known[0][0], steps, place.make_bench(), slots=slots, recorded=known)

    return asyncio.run(work())


def test_bound_steps_are_run_and_answered_from_their_own_outputs(cwd: Path) -> None:
    known = [recorded(cwd, "Berlin", 350), recorded(cwd, "Paris", 1775)]
    place = Place(cwd)
    steps = rebound(known[0][0].replayable_steps, swap("Berlin", "Oslo"))
    done = run_bound(place, known, steps, (slot(asked("Oslo"), "Oslo"),))
    assert done == Replay(answer="The total of Oslo is **410**.", basis="rederived")
    assert not done.stale and place.names["total"] == 410


def test_without_certainty_the_outputs_are_the_answer(cwd: Path) -> None:
    known = [recorded(cwd, "Berlin", 350)]
    steps = rebound(known[0][0].replayable_steps, swap("Berlin", "Oslo"))
    for slots in ((), (slot(asked("Oslo"), "Oslo"),)):
        done = run_bound(Place(cwd), known, steps, slots)
        assert done.basis == "outputs" and done.stale and not done.surprise
        assert "total of Oslo: 410" in done.answer and "350" not in done.answer and "Berlin" not in done.answer


def test_recorded_prose_is_never_repeated_for_other_values_even_if_nothing_shows(cwd: Path) -> None:
    trace = Place(cwd).record("x = 3", answer="x is 3 now.")
    done = run_bound(Place(cwd), [(trace, ())], rebound(trace.replayable_steps, swap("3", "4")))
    assert done.basis == "outputs" and "x is 3" not in done.answer


def test_new_data_is_told_in_the_recorded_words_where_every_value_is_certain(cwd: Path) -> None:
    trace = Place(cwd).record(
        "import pandas as pd\ndf = pd.read_csv('sales.csv')\nprint('total amount:', df['amount'].sum())",
        goal="Total amount in the sales", answer="The total amount is **2,535**.",
    )  # fmt: skip
    assert Place(cwd).replay(trace) == Replay(answer="The total amount is **2,535**.", basis="recorded")
    (cwd / "sales.csv").write_text(SALES.replace("410", "1000410"))
    assert Place(cwd).replay(trace) == Replay(answer="The total amount is **1,002,535**.", basis="rederived")


@pytest.mark.parametrize(
    "answer",
    [
        "The total amount is 2535, the highest so far.",
        "The total amount rose to 2535.",
        "The four sales come to 2535.",
        "The total amount is 2535, which is 1775 for Paris alone.",
    ],
)
def test_claims_and_values_of_unknown_source_are_not_repeated_over_new_data(answer: str, cwd: Path) -> None:
    code = "import pandas as pd\ndf = pd.read_csv('sales.csv')\nprint('total amount:', df['amount'].sum())"
    trace = Place(cwd).record(code, goal="Total amount in the sales", answer=answer)
    (cwd / "sales.csv").write_text(SALES.replace("410", "999"))
    done = Place(cwd).replay(trace)
    assert done.basis == "outputs" and "2535" not in done.answer and "total amount: 3124" in done.answer


# ---------------------------------------------------------------- verification of bound steps


def bound_to_fail(cwd: Path, code: str, change: tuple[str, str], **expect: Any) -> tuple[Replay, Place]:
    """A bound replay of ``log.append`` and then ``code``; ``expect`` overrides what the bound step has to do."""
    first = "log.append(1)\nopen('first.txt', 'w').write('x');"
    trace = Place(cwd, log=[0]).record(first, code)
    for name in ("first.txt", "a.txt", "b.txt", "c.txt"):
        (cwd / name).unlink(missing_ok=True)
    steps = rebound(trace.replayable_steps, swap(*change))
    steps[1] = dataclasses.replace(steps[1], expect=dataclasses.replace(steps[1].expect, **expect))
    place = Place(cwd, log=[0])
    files = everything(cwd)
    done = run_bound(place, [(trace, ())], steps)
    if done.surprise:
        assert everything(cwd) == files and place.names == {"log": [0]}
    return done, place


@pytest.mark.parametrize(
    ("code", "change", "expect", "reason"),
    [
        ("n = 1\nif n > 1: open('b.txt', 'w').close()", ("n = 1", "n = 2"), {}, "changed the files b.txt"),
        ("n = 1\nif n > 1: print('x')", ("n = 1", "n = 2"), {}, "showed stream instead of nothing"),
        ("n = 1\nif n > 1: del log", ("n = 1", "n = 2"), {}, "deleted log"),
        ("v = [1]", ("[1]", "'1'"), {}, "type str instead of list"),
        ("v = 10 / 5", ("/ 5", "/ 0"), {}, "ZeroDivisionError"),
        ("open('a.txt', 'w').close()", ("a.txt", "b.txt"), {"files": ("c.txt",)}, "b.txt instead of c.txt"),
        (
            "for n in 'a': open(n + '.txt', 'w').close()",
            ("'a'", "'ab'"),
            {"files": ()},
            "instead of files like a.txt",
        ),
        ("n = 1\nprint(n)\nif n > 1: 'shown'", ("n = 1", "n = 2"), {"outputs": ()}, ""),
    ],
)
def test_what_bound_steps_do_is_verified_and_put_back(
    code: str, change: tuple[str, str], expect: dict[str, Any], reason: str, cwd: Path
) -> None:
    done, _ = bound_to_fail(cwd, code, change, **expect)
    assert reason in done.surprise and bool(done.surprise) == bool(reason)


def test_files_that_nobody_could_name_may_be_as_many_as_recorded(cwd: Path) -> None:
    done, _ = bound_to_fail(cwd, "open('a.txt', 'w').close()", ("a.txt", "b.txt"), files=())
    assert done.surprise == "" and (cwd / "b.txt").exists()


def test_a_bound_replay_of_an_edited_trace_is_refused(cwd: Path) -> None:
    trace, _ = recorded(cwd, "Berlin", 350)
    steps = rebound(trace.replayable_steps, swap("Berlin", "Oslo"))
    edited = dataclasses.replace(trace, answer="Another answer.")
    place = Place(cwd)
    assert "edited since it was recorded" in place.replay(edited, steps).surprise
    assert place.calls_begun() == 0
