"""Ranges and lists: what several values make together, and what they do not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from llmos_nb.memory.slots import Slot, lift

D = Decimal


def only(goal: str) -> Slot:
    slots = lift(goal).slots
    assert len(slots) == 1, slots
    return slots[0]


RANGES = [
    ("from 3 to 5", "3 to 5", (3, 5), "", "integer"),
    ("columns 3-5", "3-5", (3, 5), "", "integer"),
    ("columns 3–5", "3–5", (3, 5), "", "integer"),
    ("between 3 and 5", "3 and 5", (3, 5), "", "integer"),
    ("from -5 to 5", "-5 to 5", (-5, 5), "", "integer"),
    ("from 10 to 1", "10 to 1", (10, 1), "", "integer"),
    ("from 0 to 0.5", "0 to 0.5", (0, D("0.5")), "", "integer"),
    ("3 to 5 cm long", "3 to 5 cm", (D("0.03"), D("0.05")), "m", "quantity"),
    ("30 cm to 1 m", "30 cm to 1 m", (D("0.3"), 1), "m", "quantity"),
    ("10-20%", "10-20%", (10, 20), "%", "percent"),
    ("$5-10", "$5-10", (5, 10), "USD", "money"),
    ("from 2026-11-22 to 2026-11-25", "2026-11-22 to 2026-11-25", ("2026-11-22", "2026-11-25"), "", "date"),
    ("from 9am to 5pm", "9am to 5pm", ("09:00", "17:00"), "", "time"),
    ("three to five rows", "three to five", (3, 5), "", "integer"),
]


@pytest.mark.parametrize(("goal", "text", "value", "unit", "first"), RANGES)
def test_range_holds_both_ends(goal: str, text: str, value: Any, unit: str, first: str) -> None:
    slot = only(goal)
    assert (slot.kind, slot.text, slot.value, slot.unit) == ("range", text, value, unit)
    assert tuple(item.value for item in slot.items) == value
    assert slot.items[0].kind == first
    assert all(goal[item.start : item.end] == item.text for item in slot.items)


@pytest.mark.parametrize(
    "goal",
    [
        "Boston to Denver",
        "5 kg to 3 m",
        "3 to 5 million",  # is it three, or three million?
        "3 and 5",
        "10-2",
        "555-123-4567",
        "3 to the 5",
        '"3" to "5"',
    ],
)
def test_no_range(goal: str) -> None:
    assert all(slot.kind != "range" for slot in lift(f"see {goal}").slots)


LISTS = [
    ("numbers 1, 2, 3", "1, 2, 3", (1, 2, 3), ""),
    ("add 3 and 4", "3 and 4", (3, 4), ""),
    ("add 0.5, 1 and 2", "0.5, 1 and 2", (D("0.5"), 1, 2), ""),
    ("to (0.1, -0.2)", "0.1, -0.2", (D("0.1"), D("-0.2")), ""),
    ("use [100,200,300]", "100,200,300", (100, 200, 300), ""),
    ("either 3 or 5", "3 or 5", (3, 5), "or"),
    ("either 3, 4, or 5 cm", "3, 4, or 5 cm", (D("0.03"), D("0.04"), D("0.05")), "or m"),
    ("5 EUR and €3", "5 EUR and €3", (5, 3), "EUR"),
    ("sum a_x, b_y & c_z", "a_x, b_y & c_z", ("a_x", "b_y", "c_z"), ""),
    ("sum a_x, b_y", "a_x, b_y", ("a_x", "b_y"), ""),
    ("say \"a\", 'b' or `c`", "\"a\", 'b'", ("a", "b"), ""),
    ("run `a` and `b`", "`a` and `b`", ("a", "b"), ""),
    ("merge a.csv, b.csv and c.csv", "a.csv, b.csv and c.csv", ("a.csv", "b.csv", "c.csv"), ""),
    ("the 1st, 2nd and 3rd rows", "1st, 2nd and 3rd", (1, 2, 3), ""),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "text", "value", "unit"), LISTS)
def test_list_holds_its_items(goal: str, text: str, value: Any, unit: str) -> None:
    (slot, *rest) = lift(goal).slots
    assert (slot.kind, slot.text, slot.value, slot.unit) == ("list", text, value, unit)
    assert tuple(item.value for item in slot.items) == value
    assert [item.name for item in slot.items] == [f"list_{n}" for n in range(1, len(value) + 1)]
    assert all(goal[item.start : item.end] == item.text for item in slot.items)
    assert all(item.kind != "list" for item in rest)


@pytest.mark.parametrize(
    "goal",
    [
        "in 2024, 5 files",
        "fly from Boston and Denver",
        "load a.csv and 5 rows",
        "$5 and 3 kg",
        "2 cm, 3 kg",
        "x > 5 and 3 < y",
        "a_x and 'b'",
        "a_x with b_y",
    ],
)
def test_no_list(goal: str) -> None:
    assert all(slot.kind != "list" for slot in lift(goal).slots)


def test_an_and_ends_a_list() -> None:
    values = [slot.value for slot in lift("use a_x or b_y, a_x and c_z").slots]
    assert values == [("a_x", "b_y"), ("a_x", "c_z")]
