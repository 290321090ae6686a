"""What a cell shows, as it may be shown while a session has read content from outside: nothing in it loads by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from llmos_nb.guard.gate import current_gate
from llmos_nb.guard.remote import without_remote
from llmos_nb.tools.namespace import Output

__all__ = ["presentable", "presentable_data"]


def presentable_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """A display's data, for the cell that runs now."""
    gate = current_gate()
    if gate is None or not gate.shut:
        return dict(data)
    made = without_remote(data, gate.taint.hosts)
    gate.withheld += made != dict(data)
    return made


def presentable(outputs: Iterable[Output]) -> list[Output]:
    """Outputs, for the cell that runs now."""
    return [one if one.is_stream else dataclasses.replace(one, data=presentable_data(one.data)) for one in outputs]
