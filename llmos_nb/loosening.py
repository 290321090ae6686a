"""Which way an option loosens: what lets agents do, spend, send or keep more than they would without it.

A settings file may come with a folder from somebody else, so what loosens waits there until the person trusts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["Loosens", "always", "higher", "lower", "other_endpoint", "weaker"]

#: Whether a value loosens, compared with the one that holds without it.
Loosens = Callable[[Any, Any], bool]

#: From the loosest to the strictest.
_STRICTNESS: Final = ("allow", "never", "ask", "deny", "always")


def always(value: Any, plain: Any) -> bool:
    """Whatever it is: it names a place, a key or a program."""
    return bool(value != plain)


def higher(value: Any, plain: Any) -> bool:
    """More of it is looser, and no limit the loosest."""
    return plain is not None and (value is None or value > plain)


def lower(value: Any, plain: Any) -> bool:
    """Less of it is looser; none at all is what never happens, and so the strictest."""
    return value is not None and (plain is None or value < plain)


def weaker(value: Any, plain: Any) -> bool:
    """``allow`` is looser than ``ask``, and that than ``deny``; ``never`` in a sandbox is looser than ``always``."""
    return _STRICTNESS.index(value) < _STRICTNESS.index(plain)


def other_endpoint(value: Any, plain: Any) -> bool:
    """Goals, and what agents read, are sent there, and are paid for."""
    return value not in ("auto", "scripted", plain)
