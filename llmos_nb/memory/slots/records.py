"""Slots as plain values, for a trace's front matter: ``{integer: {type: integer, value: 3}}``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from llmos_nb.memory.slots.slot import Lifted, Slot, Value

__all__ = ["slot_record", "slots_record"]


def slots_record(lifted: Lifted) -> dict[str, Any]:
    """The slots of ``lifted`` by name, in the order of the goal; see :func:`slot_record`."""
    return {slot.name: slot_record(slot) for slot in lifted.slots}


def slot_record(slot: Slot) -> dict[str, Any]:
    """``{type, value, unit, text}`` of a slot, all of JSON's types.

    ``value`` is in ``unit``, which is there only if the slot has one. ``text`` is what the goal said, where that is
    not the value as it prints. A list or range has a list for its value. A decimal becomes a float where that is the
    same number, else text.
    """
    value = _plain(slot.value)
    record: dict[str, Any] = {"type": slot.kind, "value": value}
    if slot.unit:
        record["unit"] = slot.unit
    if slot.text != str(value):
        record["text"] = slot.text
    return record


def _plain(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        near = float(value)
        return near if Decimal(repr(near)) == value else str(value)
    return value
