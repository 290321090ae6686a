"""What comparing goals must hold for any of them."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmos_nb.memory.binding import same_values
from llmos_nb.memory.reading import compare, read_goal, slot_order
from llmos_nb.memory.reading.lexicon import PHRASES
from llmos_nb.memory.slots import Lifted, lift

CITIES = ("Oslo", "Rome", "Lima", "New York")
WORDS = (
    "show",
    "the",
    "flights",
    "from",
    "to",
    "before",
    "not",
    "all",
    "rows",
    "mean",
    "of",
    "and",
    "by",
    "sort",
    "?",
)
pieces = st.one_of(st.sampled_from(WORDS), st.sampled_from(CITIES), st.integers(0, 99).map(str))
goals = st.lists(pieces, min_size=1, max_size=10).map(" ".join)


def lifted(goal: str) -> Lifted:
    return lift(goal, {"city": CITIES})


@settings(max_examples=150)
@given(st.one_of(goals, st.text(min_size=1, max_size=60)))
def test_a_goal_always_matches_itself(goal: str) -> None:
    reading = read_goal(lifted(goal))
    comparison = compare(reading, read_goal(lifted(goal)))
    assert comparison.tier == "template"
    assert slot_order(reading, reading, "template") == tuple(range(len(reading.classes)))


@settings(max_examples=150)
@given(goals, goals)
def test_comparing_is_deterministic_and_says_why_not(one: str, other: str) -> None:
    a, b = read_goal(lifted(one)), read_goal(lifted(other))
    assert compare(a, b) == compare(a, b)
    found = compare(a, b)
    assert bool(found.tier) != bool(found.veto)


@settings(max_examples=100)
@given(st.sampled_from(CITIES), st.sampled_from(CITIES))
def test_swapped_values_are_never_the_same_values(one: str, other: str) -> None:
    assume(one != other)
    recorded, asked = lifted(f"Flights from {one} to {other}"), lifted(f"Flights from {other} to {one}")
    a, b = read_goal(asked), read_goal(recorded)
    order = slot_order(a, b, compare(a, b).tier)
    if order is not None:
        slots = [asked.slots[place] for place in order]
        assert not all(same_values(x, y) for x, y in zip(slots, recorded.slots, strict=True))


@given(st.data(), st.sampled_from(PHRASES))
def test_a_phrase_is_never_passed_over(
    data: st.DataObject, phrase: tuple[re.Pattern[str], str, tuple[str, ...]]
) -> None:
    pattern, _, needed = phrase
    text = data.draw(st.from_regex(pattern))
    assert any(part in text for part in needed)
