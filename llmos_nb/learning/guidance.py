"""What the agent is told of a trace that could not simply be replayed: its steps as code, and why they were not run."""

from __future__ import annotations

from typing import Final

from llmos_nb.memory import Trace

__all__ = ["guidance"]

_LANGUAGE: Final = {"run_cell": ("code", "python"), "run_shell": ("command", "bash")}


def guidance(trace: Trace, reason: str, limit: int) -> str:
    """Text for the model about a successful trace, at most ``limit`` characters of it."""
    lines = [
        f'<llmos-guidance trace="{trace.id}">',
        f"This goal was reached before: {trace.goal}",
        f"The recorded steps were not simply replayed: {reason}. Whatever they changed was put back.",
        "Start from them, change what must be changed, and verify:",
    ]
    for number, step in enumerate(trace.replayable_steps, start=1):
        argument, language = _LANGUAGE.get(step.tool, ("", ""))
        if argument:
            lines.append(f"Step {number}, {step.tool}:\n```{language}\n{step.arguments.get(argument, '')}\n```")
        else:
            lines.append(f"Step {number}, {step.tool}: {dict(step.arguments)!r}")
    text = "\n".join(lines)
    return f"{text[:limit]}\n</llmos-guidance>"
