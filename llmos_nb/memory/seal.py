"""A trace's seal: a digest of everything in it that a replay does, checks or says, made when it was recorded.

A trace is a text file that people may edit. An edited one is another program than the one that was recorded, and what
is verified against an edited expectation proves nothing; so it is noticed, and a person has to agree to it. The seal
has no secret: it tells of edits and accidents, not of forgers, whom the guard and trust are for.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from llmos_nb.kernel.trust import Trust
from llmos_nb.memory.trace import Step, Trace

__all__ = ["RECORDED", "is_edited", "is_recorded_here", "recorded_here", "seal_of", "sealed"]

#: Name of the seal in a trace's front matter.
SEAL: Final = "seal"
#: Name of the mark in it that says that it was recorded here.
RECORDED: Final = "recorded"
#: What the seal covers; another number for another set of fields.
_VERSION: Final = "1"
#: The parts of a trace's environment that a replay goes by.
_CONDITIONS: Final = ("context", "folder", "handed", "needs")


def seal_of(trace: Trace) -> str:
    """The seal of ``trace`` as it is now: ``1-`` and 24 hexadecimal digits of a SHA-256.

    It covers the goal, the end state, every step (tool, arguments, expectation, output), inputs, the conditions of a
    replay and the answer; not what only tells of the run: its cost, its times, its names, the versions of packages.

    Raises:
        TypeError: the trace holds what JSON cannot.
    """
    content = {
        "goal": trace.goal,
        "status": trace.status,
        "steps": [_step(step) for step in trace.steps],
        "inputs": trace.inputs,
        "conditions": {name: trace.environment[name] for name in _CONDITIONS if trace.environment.get(name)},
        "answer": trace.answer,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return f"{_VERSION}-{hashlib.sha256(text.encode('ascii')).hexdigest()[:24]}"


def sealed(trace: Trace) -> Trace:
    """``trace`` with the seal that it ought to have: for one just recorded, or one whose edits a person agreed to."""
    return dataclasses.replace(trace, extra={**trace.extra, SEAL: seal_of(trace)})


def is_edited(trace: Trace) -> bool:
    """Whether what a replay rests on was changed since the trace was sealed. One without a seal was never sealed.

    A seal of a version that this one does not know counts as broken.
    """
    kept = trace.extra.get(SEAL)
    return kept is not None and kept != seal_of(trace)


def recorded_here(trace: Trace, trust: Trust) -> Trace:
    """``trace`` with the mark that this machine's person, or a run of theirs, made it. It needs its id by now.

    Raises:
        GuardDenied: an agent's code asks.
    """
    return dataclasses.replace(trace, extra={**trace.extra, RECORDED: trust.sign("trace", trace.id, _marked(trace))})


def is_recorded_here(trace: Trace, trust: Trust) -> bool:
    """Whether a trace has that mark, and still says what it said then."""
    return trust.knows("trace", trace.id, _marked(trace), trace.extra.get(RECORDED))


def _marked(trace: Trace) -> str:
    """What the mark is of: all that a replay goes by, and where the trace belongs."""
    more = {name: trace.extra[name] for name in ("project", "came_in", "task") if name in trace.extra}
    return f"{seal_of(trace)} {json.dumps(more, sort_keys=True, default=str)}"


def _step(step: Step) -> dict[str, Any]:
    expect = {field.name: getattr(step.expect, field.name) for field in dataclasses.fields(step.expect)}
    return {"tool": step.tool, "arguments": step.arguments, "expect": expect, "output": step.output}


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a trace cannot hold {type(value).__name__}")
