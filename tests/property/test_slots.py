"""Lifting loses nothing, whatever the text and whatever is known."""

from __future__ import annotations

import json
import keyword
import re
from decimal import Decimal

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from llmos_nb.memory.slots import Lifted, Slot, Vocabulary, lift, slots_record
from llmos_nb.memory.slots.ordinary import ORDINARY
from llmos_nb.memory.slots.vocabulary import first_words

#: What has meant trouble: brackets, quotes, signs, units, words that begin a value, letters of odd lengths.
SCRAPS = st.sampled_from(
    re.findall(
        r"\S+",
        """{ } {{ }} {0} { " ' ` `` ``` “ ” ‘ ’ „ « » - − – + / \\ \\\\ . .. ... , ; : :// @ % $ € ° _ __ # * & = < > <=
        1 2 3 10 0 00 007 1.5 .5 1e3 1e 1,234 1_000 2x2 5x 3d 5th 5% $5 5$ EUR 5k 5M 30cm m/s cm in K 20°C 5pm a.m. 10:30
        2026-11-22 22/11/2026 25:00 Nov May may 22 2026 T10:30 3-5 to from between and or a an one two twenty-five hundred
        dozen half third second first million thousand per cent percent Boston New York McDonald O'Brien I I'll Don't it's
        ~/ /x ./ C:\\x data/ data/a.csv a.csv np.log e.g. df.x a_b x1 Q3 EECS CS-LSA C++ camelCase http://a.b/c. a@b.co
        İ ß ﬁ ² ½ ５ é 漢字""",
    )
)
GLUE = st.sampled_from(["", " ", " ", "  ", "\n", ", ", " and ", " or ", " to ", "-", "\u00a0"])
TEXTS = st.text(max_size=80) | st.lists(st.tuples(SCRAPS, GLUE), max_size=14).map(
    lambda parts: "".join(scrap + glue for scrap, glue in parts)
)
VALUES = SCRAPS | st.text(max_size=12) | st.tuples(SCRAPS, SCRAPS).map(" ".join)
KNOWN = st.dictionaries(
    SCRAPS | st.sampled_from(["column", "column_2", "class", "", "a b", "name", "integer", "quoted", "list"]),
    st.lists(VALUES, max_size=6),
    max_size=4,
)


def check(lifted: Lifted, goal: str) -> None:
    assert lifted.goal == lifted.fill() == goal
    assert len(lifted.pieces) == len(lifted.slots) + 1
    assert lifted.template.format(**{slot.name: slot.text for slot in lifted.slots}) == goal
    names = [slot.name for slot in lifted.slots]
    assert len(set(names)) == len(names)
    end = 0
    for slot in lifted.slots:
        assert end <= slot.start <= slot.end
        end = slot.end
        check_slot(slot, goal)


def check_slot(slot: Slot, goal: str) -> None:
    assert goal[slot.start : slot.end] == slot.text
    assert slot.name.isidentifier()
    assert not keyword.iskeyword(slot.name)
    assert slot.kinds
    assert slot.kind == slot.kinds[0]
    assert len(set(slot.kinds)) == len(slot.kinds)
    if slot.items:
        assert slot.value == tuple(item.value for item in slot.items)
    for item in slot.items:
        assert slot.start <= item.start <= item.end <= slot.end
        check_slot(item, goal)


@settings(deadline=None, max_examples=400)
@given(TEXTS)
@example("{a} {{b}} '{c}' 3")
@example("1e999 km and 1e-999 nm")
@example('"" and ""')
@example("' ' ' \" \" ` ` ``")
def test_nothing_is_lost(goal: str) -> None:
    lifted = lift(goal)
    check(lifted, goal)
    assert lift(goal) == lifted


@settings(deadline=None, max_examples=400)
@given(TEXTS, KNOWN)
@example("a'a", {"column": ["'a"]})
@example("İ i", {"column": ["i̇", "İ"]})
def test_nothing_is_lost_with_known_values(goal: str, known: dict[str, list[str]]) -> None:
    vocabulary = Vocabulary(known)
    lifted = lift(goal, vocabulary)
    check(lifted, goal)
    assert lift(goal, vocabulary) == lift(goal, known) == lifted


@settings(deadline=None, max_examples=200)
@given(TEXTS, KNOWN)
def test_records_are_plain(goal: str, known: dict[str, list[str]]) -> None:
    lifted = lift(goal, known)
    records = slots_record(lifted)
    assert list(records) == [slot.name for slot in lifted.slots]
    assert json.loads(json.dumps(records)) == records


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_operators_stay_or_belong_to_a_text_value(goal: str) -> None:
    """No number, name or list of them swallows a comparison, a plus, a star or an equals sign."""
    for slot in lift(goal).slots:
        if slot.kind in {"integer", "decimal", "percent", "money", "quantity", "ordinal", "name"}:
            assert not re.search(r"[<>=*+|]", re.sub(r"[eE][+]\d", "", slot.text))


@settings(deadline=None, max_examples=200)
@given(st.integers(-(10**18), 10**18))
def test_every_integer_is_itself(number: int) -> None:
    (slot,) = lift(f"use {number} rows").slots
    assert (slot.kind, slot.value) == ("integer", number)
    (slot,) = lift(f"use {number:,} rows").slots
    assert (slot.kind, slot.value) == ("integer", number)


@settings(deadline=None, max_examples=200)
@given(st.decimals(-(10**9), 10**9, places=4), st.sampled_from([("cm", "0.01"), ("km", "1000"), ("ms", "0.001")]))
def test_units_convert_without_rounding(amount: Decimal, unit: tuple[str, str]) -> None:
    name, factor = unit
    (slot,) = lift(f"use {amount} {name} now").slots
    assert (slot.kind, slot.value) == ("quantity", amount * Decimal(factor))


@settings(deadline=None, max_examples=200)
@given(
    st.from_regex(r"[b-z][a-z]{4,8}[0-9]?", fullmatch=True),
    st.sampled_from(["{}", "the {}.", "({})", "'{}' now", "`{}`, x"]),
)
def test_a_known_value_is_found_in_any_case(value: str, frame: str) -> None:
    assume(value not in ORDINARY)
    for said in (value, value.upper(), value.title()):
        kinds = {slot.kind: slot.value for slot in lift(f"take {frame.format(said)}", {"known": [value]}).slots}
        assert kinds.get("known") == value


@given(TEXTS, KNOWN)
@example("ΑΣ 'ΑΣ'", {"name": ["ας"]})
@example("3bit and `bit width`", {"column": ["bit", "bit width", "width"]})
def test_only_values_that_begin_with_a_word_of_the_goal_change_how_it_is_read(
    goal: str, known: dict[str, list[str]]
) -> None:
    words = first_words(goal)
    assume(words is not None)
    assert words is not None
    whole = Vocabulary(known)
    fewer = Vocabulary(
        {
            kind: [value for value in values if Vocabulary({kind: [value]}).about(words)]
            for kind, values in known.items()
        }
    )
    assert whole.about(words) == fewer.about(words)
    assert lift(goal, whole) == lift(goal, fewer)
    if not fewer.about(words):
        assert lift(goal, whole) == lift(goal)
