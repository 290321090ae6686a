"""How one node of a plan ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["NodeResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResult:
    """The end of a node. ``status`` is one of the six end states, or ``skipped`` for one that never began.

    ``kept`` marks one that an earlier run had finished and this one took over. ``text`` is its answer; ``produced``
    names what it left, as ``variable counts`` or ``file report.md``, each with a mark of its value then.
    """

    id: str
    goal: str
    agent: str = ""
    status: str = "skipped"
    mode: str = ""
    reason: str = ""
    text: str = ""
    cost_usd: float | None = 0.0
    saved_usd: float = 0.0
    run_id: str = ""
    trace_id: str | None = None
    kept: bool = False
    produced: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the node's goal was reached."""
        return self.status == "success"

    @property
    def how(self) -> str:
        """How the goal was reached, or how it ended otherwise, in a word or two."""
        if self.ok:
            return "kept" if self.kept else self.mode
        return self.status.replace("_", " ")

    def as_data(self) -> dict[str, Any]:
        """The result as plain data."""
        return {**dataclasses.asdict(self), "produced": dict(self.produced)}
