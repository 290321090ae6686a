"""What a store of facts answers: a fact that was found, and what became of one that was to be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmos_nb.memory.facts.fact import Fact

__all__ = ["Recalled", "Remembered"]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A fact that was found, how much it bears on what was asked (0 to 1), and why."""

    fact: Fact
    score: float
    reason: str

    def __str__(self) -> str:
        return f"{self.fact.text}  ({self.fact.source}, {self.fact.date[:10]}; {self.score:.2f}: {self.reason})"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of a fact that was to be remembered. ``near`` are others that say nearly the same, or contradict it."""

    fact: Fact
    #: False: the same was remembered before, and nothing was written.
    new: bool
    near: tuple[Fact, ...] = ()
    superseded: Fact | None = None

    def __str__(self) -> str:
        lines = [
            f"Remembered as {self.fact.id}."
            if self.new
            else f"Remembered before, on {self.fact.date[:10]}: {self.fact.id}."
        ]
        if self.superseded is not None:
            lines.append(f"It takes the place of {self.superseded.id}: {self.superseded.text!r}")
        lines += [f"Close to it: {fact.id}: {fact.text!r}" for fact in self.near]
        if self.near:
            lines.append("If one of them is no longer true: llmos.facts.supersede(old_id, text), or forget(old_id).")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
