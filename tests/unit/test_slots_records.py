"""Slots as they stand in a trace's front matter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmos_nb.memory.slots import lift, slot_record, slots_record

RECORDS = [
    ("add 3", {"type": "integer", "value": 3}),
    ("add three", {"type": "integer", "value": 3, "text": "three"}),
    ("add 0.5", {"type": "decimal", "value": 0.5}),
    ("add 0.50", {"type": "decimal", "value": 0.5, "text": "0.50"}),
    ("add 0.12345678901234567890123", {"type": "decimal", "value": "0.12345678901234567890123"}),
    ("move 30cm", {"type": "quantity", "value": 0.3, "unit": "m", "text": "30cm"}),
    ("pay $5", {"type": "money", "value": 5, "unit": "USD", "text": "$5"}),
    ("on 22 Nov 2026", {"type": "date", "value": "2026-11-22", "text": "22 Nov 2026"}),
    ("load a.csv", {"type": "path", "value": "a.csv"}),
    ("say 'a b'", {"type": "quoted", "value": "a b"}),
    ("columns 3 to 5", {"type": "range", "value": [3, 5], "text": "3 to 5"}),
    ("either 3 or 5", {"type": "list", "value": [3, 5], "unit": "or", "text": "3 or 5"}),
]


@pytest.mark.parametrize(("goal", "record"), RECORDS)
def test_record(goal: str, record: dict[str, Any]) -> None:
    (slot,) = lift(goal).slots
    assert slot_record(slot) == record
    assert json.loads(json.dumps(record)) == record


def test_records_keep_the_order_of_the_goal() -> None:
    lifted = lift("Load a.csv and plot species by 3 weeks", {"column": ["species"]})
    assert list(slots_record(lifted)) == ["path", "column", "quantity"]
    assert slots_record(lifted)["column"] == {"type": "column", "value": "species"}


def test_a_known_value_in_another_spelling_keeps_what_was_typed() -> None:
    (slot,) = lift("plot Bill Length", {"column": ["bill_length"]}).slots
    assert slot_record(slot) == {"type": "column", "value": "bill_length", "text": "Bill Length"}
