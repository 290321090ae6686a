"""The values a goal holds, lifted out: "Plot {column} by {column_2} for the top {integer} rows" and what stood there."""

from __future__ import annotations

from llmos_nb.memory.slots.lift import lift
from llmos_nb.memory.slots.records import slot_record, slots_record
from llmos_nb.memory.slots.slot import KINDS, Lifted, Slot, Value
from llmos_nb.memory.slots.vocabulary import Vocabulary

__all__ = ["KINDS", "Lifted", "Slot", "Value", "Vocabulary", "lift", "slot_record", "slots_record"]
