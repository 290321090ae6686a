"""What would be done about a goal, with everything that was looked at on the way. Nothing is run."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmos_nb.dispatch.decide import Decision
from llmos_nb.memory import Match
from llmos_nb.memory.facts import Recalled
from llmos_nb.memory.insights import MENDED, Insight
from llmos_nb.memory.match import Considered
from llmos_nb.memory.slots import Lifted, Slot

__all__ = ["Explanation", "expected_cost"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a goal reads, which recorded goals were considered, which mode would serve it and at what cost.

    ``expected_cost_usd`` is in US dollars, None where nothing tells; ``cost_note`` says what it rests on.
    """

    goal: str
    decision: Decision
    lifted: Lifted
    considered: tuple[Considered, ...]
    expected_cost_usd: float | None
    cost_note: str
    #: Remembered facts that the agent would be given, the most relevant first.
    recalled: tuple[Recalled, ...] = ()
    #: What earlier runs had to mend that it would be given beside them, each with how much it bears on the goal.
    lessons: tuple[tuple[Insight, float], ...] = ()

    @property
    def mode(self) -> str:
        """The mode that would be taken."""
        return self.decision.mode

    @property
    def reason(self) -> str:
        """Why."""
        return self.decision.reason

    @property
    def match(self) -> Match | None:
        """The match that the mode rests on."""
        return self.decision.match

    @property
    def alternatives(self) -> tuple[str, ...]:
        """What was not taken, and why."""
        return self.decision.alternatives

    @property
    def template(self) -> str:
        """The goal with its values lifted out."""
        return self.lifted.template

    @property
    def slots(self) -> Mapping[str, Any]:
        """The goal's values by their names in the template."""
        return {slot.name: slot.value for slot in self.lifted.slots}

    def _repr_markdown_(self) -> str:
        lines = [self.decision._repr_markdown_().rstrip(), "", f"Expected cost: {self._cost()}", ""]
        lines += [f"Template: `{_cell(self.template)}`", ""]
        if self.lifted.slots:
            lines += ["| value | kind | means |", "| --- | --- | --- |"]
            lines += [f"| `{_cell(s.text)}` | {s.kind} | {_cell(_meaning(s))} |" for s in self.lifted.slots] + [""]
        if self.considered:
            lines += ["| recorded goal | alike | confidence | use | why |", "| --- | --- | --- | --- | --- |"]
            lines += [
                f"| {_cell(c.goal[:100])} | {c.tier or 'no'} | {c.confidence:.2f} | {c.verdict} | {_cell(c.reason)} |"
                for c in self.considered
            ]
        if self.recalled or self.lessons:
            lines += ["", "| from memory | relevance | why | said by |", "| --- | --- | --- | --- |"]
            lines += [
                f"| {_cell(one.fact.text[:200])} | {one.score:.2f} | {_cell(one.reason)} | {_cell(one.fact.source)} |"
                for one in self.recalled
            ]
            lines += [
                f"| {_cell(lesson.text[:200])} | {score:.2f} | {MENDED} | earlier runs |"
                for lesson, score in self.lessons
            ]
        return "\n".join(lines).rstrip()

    def __str__(self) -> str:
        lines = [str(self.decision), f"Expected cost: {self._cost()}", f"Template: {self.template}"]
        lines += [f"  {s.text!r} is {_article(s.kind)}: {_meaning(s)}" for s in self.lifted.slots]
        if self.considered:
            lines.append("Recorded goals that were considered:")
        for one in self.considered:
            sure = f", confidence {one.confidence:.2f}" if one.tier else ""
            lines.append(f"  {one.goal[:100]!r}: {one.verdict}{sure}: {one.reason}")
        if self.recalled or self.lessons:
            lines.append("The agent would be given from memory:")
        lines += [f"  {one}" for one in self.recalled]
        lines += [f"  {lesson.text}  ({score:.2f}: {MENDED})" for lesson, score in self.lessons]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _cost(self) -> str:
        if self.expected_cost_usd is None:
            return self.cost_note
        if not self.expected_cost_usd:
            return "free"
        return f"about ${self.expected_cost_usd:.4f}, {self.cost_note}"


def expected_cost(mode: str, rows: Iterable[Mapping[str, Any]], play: bool) -> tuple[float | None, str]:
    """What a goal in this mode is going to cost, from what runs of the mode did cost; and what that rests on."""
    if mode in ("follower", "crystallized"):
        return 0.0, "no model is asked"
    costs = [row["cost_usd"] for row in rows if row["mode"] == mode and row["cost_usd"]]
    if not costs:
        return None, f"not known: no goal was worked on in mode {mode} yet"
    runs = "the one run" if len(costs) == 1 else f"the median of {len(costs)} runs"
    return statistics.median(costs), f"{runs} in this mode{' (play money)' if play else ''}"


def _article(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def _meaning(slot: Slot) -> str:
    """A slot's value as people write it, with its unit."""
    if isinstance(slot.value, tuple):
        return ", ".join(f"{item}" for item in slot.value)
    return f"{slot.value} {slot.unit}".strip()


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("`", "'").split())
