"""What the agent is told of a trace that could not simply be replayed: its steps as code, and why they were not run."""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.memory import Step, Trace
from llmos_nb.memory.blocks import fenced
from llmos_nb.tools.registry import TOOLS

__all__ = ["guidance"]

#: The tag that ends the guidance, which no text of a trace may forge.
_END: Final = re.compile(r"</(?=llmos-guidance)", re.IGNORECASE)


def guidance(trace: Trace, reason: str, limit: int) -> str:
    """Text for the model about a successful trace: as many whole steps as fit ``limit`` characters, at least one."""
    head = [
        f'<llmos-guidance trace="{trace.id}">',
        f"This goal was reached before: {trace.goal}",
        f"The recorded steps were not simply replayed: {reason}. Whatever they changed was put back.",
        "Start from them, change what must be changed, and verify:",
    ]
    text = "\n".join(head)
    steps = trace.replayable_steps
    for number, step in enumerate(steps, start=1):
        shown = f"{text}\n{_shown(number, step)}"
        if number > 1 and len(shown) > limit:
            text += f"\n({len(steps) - number + 1} more steps are left out.)"
            break
        text = shown
    body = text.removeprefix(head[0])
    return f"{head[0]}{_END.sub('< /', body)}\n</llmos-guidance>"


def _shown(number: int, step: Step) -> str:
    tool = TOOLS.get(step.tool)
    if tool is None or not tool.language:
        return f"Step {number}, {step.tool}: {dict(step.arguments)!r}"
    return f"Step {number}, {step.tool}:\n{fenced(tool.language, str(step.arguments.get(tool.main, '')))}"
