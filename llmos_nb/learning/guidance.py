"""What the agent is told of traces that could not simply be replayed: their steps as code, what is different now, and
why they were not run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llmos_nb.kernel.fenced import fenced
from llmos_nb.memory import Step, Trace
from llmos_nb.memory.slots.slot import Slot
from llmos_nb.tools.registry import TOOLS

__all__ = ["Guide", "differences", "guidance"]

#: The tag that ends the guidance, which no text of a trace may forge.
_END: Final = re.compile(r"</(?=llmos-guidance)", re.IGNORECASE)
#: Differences that are told of one trace: with more it is another task.
DIFFERENCES: Final = 12


@dataclass(frozen=True, slots=True)
class Guide:
    """A trace to start from, and how its goal differs from the one at hand, each difference in words."""

    trace: Trace
    differences: Sequence[str] = ()


def differences(there: Sequence[Slot], here: Sequence[Slot]) -> tuple[str, ...]:
    """What differs between the values of two goals: ``column: body_mass_g there, bill_length_mm here``.

    Values in the same order are compared; what one goal has more of is told as well.
    """
    told = [
        f"{_kind(new)}: {old.text} there, {new.text} here"
        for old, new in zip(there, here, strict=False)
        if (old.kind, old.value, old.unit) != (new.kind, new.value, new.unit)
    ]
    told += [f"{_kind(slot)}: {slot.text} there, nothing here" for slot in there[len(here) :]]
    told += [f"{_kind(slot)}: {slot.text} here, nothing there" for slot in here[len(there) :]]
    return tuple(told)


def _kind(slot: Slot) -> str:
    return slot.kind or slot.name


def guidance(traces: Sequence[Guide] | Trace, reason: str, limit: int) -> str:
    """Text for the model about successful traces, the most similar first; empty when none of them was successful.

    ``reason`` is why the first one was not replayed. As many whole steps as fit ``limit`` characters are told, of the
    first trace at least one; further traces where there is room for one step of theirs.
    """
    given = [Guide(traces)] if isinstance(traces, Trace) else traces
    guides = [guide for guide in given if guide.trace.status == "success"]
    if not guides:
        return ""
    first, *others = guides
    tag = f'<llmos-guidance trace="{_attribute(first.trace.id)}">'
    text = "\n".join(
        [
            tag,
            f"{_reached(first)}: {first.trace.goal}",
            f"The recorded steps were not simply replayed: {reason}. Whatever they changed was put back.",
            *_differing(first),
            "Start from them, change what must be changed, and verify:",
        ]
    )
    text = _with_steps(text, first.trace, limit, at_least=1)
    for guide in others:
        head = "\n".join([f"Another one: {guide.trace.goal}", *_differing(guide)])
        if any(
            guide.trace.replayable_steps == other.trace.replayable_steps for other in guides[: guides.index(guide)]
        ):
            continue  # the same program says nothing new
        more = _with_steps(f"{text}\n\n{head}", guide.trace, limit, at_least=0)
        text = more or text
    body = text.removeprefix(tag)
    return f"{tag}{_END.sub('< /', body)}\n</llmos-guidance>"


def _reached(guide: Guide) -> str:
    return "A goal like this one was reached before" if guide.differences else "This goal was reached before"


def _differing(guide: Guide) -> list[str]:
    if not guide.differences:
        return []
    shown = [f"- {difference}" for difference in guide.differences[:DIFFERENCES]]
    more = len(guide.differences) - len(shown)
    return ["What is different now:", *shown, *([f"- and {more} more"] if more > 0 else [])]


def _with_steps(text: str, trace: Trace, limit: int, *, at_least: int) -> str:
    """``text`` and whole steps after it; empty where not even the first fits and none has to be told."""
    steps = trace.replayable_steps
    for number, step in enumerate(steps, start=1):
        shown = f"{text}\n{_shown(number, step)}"
        if number > at_least and len(shown) > limit:
            if number == 1:
                return ""
            left = len(steps) - number + 1
            return f"{text}\n({left} more step{'s are' if left > 1 else ' is'} left out.)"
        text = shown
    return text


def _attribute(text: str) -> str:
    return re.sub(r'["<>\n]', "", text)


def _shown(number: int, step: Step) -> str:
    tool = TOOLS.get(step.tool)
    if tool is None or not tool.language:
        return f"Step {number}, {step.tool}: {dict(step.arguments)!r}"
    return f"Step {number}, {step.tool}:\n{fenced(tool.language, str(step.arguments.get(tool.main, '')))}"
