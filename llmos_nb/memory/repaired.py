"""Did a run mend what failed on its way? A run that gave up at its main step teaches nothing about the task.

An agent tries, reads the traceback, and tries again in nearly the same words: that failure is mended. A failure that
nothing like it follows is where the run gave up; that it then explained itself well does not make it an example.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

from llmos_nb.memory.trace import Step, Trace

__all__ = ["gave_up", "mended_by"]

#: Likeness (ratio of common pieces, 0 to 1) from which a later step counts as the failed one mended.
_LIKE: Final = 0.5
#: Characters of an argument that are compared.
_LENGTH: Final = 4_000


def gave_up(trace: Trace) -> bool:
    """Whether some step failed and no later step of its tool that worked is like it."""
    return any(mended is None for _, mended in _failures(trace))


def mended_by(trace: Trace) -> list[tuple[Step, Step]]:
    """Every step that failed with the first later one that mended it; those that nothing mended are left out."""
    return [(failed, mended) for failed, mended in _failures(trace) if mended is not None]


def _failures(trace: Trace) -> Iterator[tuple[Step, Step | None]]:
    """Every step that failed, and the first later step of its tool that is like it and worked."""
    steps = tuple(trace.steps)
    for number, step in enumerate(steps):
        if step.expect.status != "error" or step.expect.error == "denied":
            continue
        later = (s for s in steps[number + 1 :] if s.tool == step.tool and s.expect.status == "ok")
        yield step, next((other for other in later if _alike(step, other)), None)


def _alike(step: Step, other: Step) -> bool:
    ours, theirs = _text(step), _text(other)
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    return matcher.quick_ratio() >= _LIKE and matcher.ratio() >= _LIKE


def _text(step: Step) -> str:
    return " ".join(str(value) for _, value in sorted(step.arguments.items()))[:_LENGTH]
