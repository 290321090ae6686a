"""Code whose author is an agent, known again when it runs later: as a callback, a finalizer, a method that Python calls.

A context goes with tasks, not with an object that is left behind. So the code objects of agents' cells are noted, and
whoever wants to know who acts looks for one of them among the callers.
"""

from __future__ import annotations

import sys
import weakref
from types import CodeType, FrameType
from typing import Final

__all__ = ["is_agents", "left_behind", "note_code"]

#: By identity: two cells with the same text are not the same code.
_codes: Final[dict[int, weakref.ref[CodeType]]] = {}


def note_code(code: CodeType) -> None:
    """Note ``code``, and all functions and classes in it, as an agent's."""
    waiting = [code]
    while waiting:
        one = waiting.pop()
        key = id(one)
        if key not in _codes:
            _codes[key] = weakref.ref(one, lambda _, key=key: _codes.pop(key, None))  # type: ignore[misc]
            waiting += [part for part in one.co_consts if isinstance(part, CodeType)]


def is_agents(code: CodeType) -> bool:
    """Whether an agent wrote this code."""
    return id(code) in _codes


def left_behind(frame: FrameType | None = None) -> bool:
    """Whether code that an agent left behind is at work here, from ``frame`` (the caller's) outward.

    A function of an agent's that a person's cell calls by its name works for that person. A method that Python calls by
    itself, a lambda, and whatever a library calls, does not.
    """
    if not _codes:
        return False
    if frame is None:
        frame = sys._getframe(1)
    last: FrameType | None = None
    while frame is not None:
        if id(frame.f_code) in _codes:
            last = frame
        elif last is not None:
            name = last.f_code.co_name
            called = not name.startswith("__") and name != "<lambda>"
            if not (called and frame.f_globals.get("__name__") == "__main__"):
                return True
            last = None
        frame = frame.f_back
    return last is not None
