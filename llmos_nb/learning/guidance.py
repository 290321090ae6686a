"""What the agent is told of a trace that could not simply be replayed: its steps as code, and why they were not run."""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.memory import Step, Trace

__all__ = ["guidance"]

_LANGUAGE: Final = {"run_cell": ("code", "python"), "run_shell": ("command", "bash")}
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
    argument, language = _LANGUAGE.get(step.tool, ("", ""))
    if not argument:
        return f"Step {number}, {step.tool}: {dict(step.arguments)!r}"
    text = str(step.arguments.get(argument, ""))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"Step {number}, {step.tool}:\n{fence}{language}\n{text}\n{fence}"
