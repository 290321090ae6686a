"""What may stand in a trace's front matter and in a step's ``expect`` block, as data: order, default, type.

An empty field is not written; a field that is not there has its default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final

from llmos_nb.memory.flow import FlowError
from llmos_nb.memory.trace import STATUSES, Expectation, Trace

__all__ = ["EXPECT", "FRONT", "Field", "as_written", "from_written"]


@dataclass(frozen=True, slots=True)
class Field:
    """How one field is read: ``read`` returns the value or raises ``TypeError`` with what it should be."""

    read: Callable[[Any], Any]
    default: Any
    always: bool


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("a mapping, as in {name: value}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("a list of texts, as in [a, b]")
    return tuple(value)


def _text_map(value: object) -> dict[str, str]:
    if not all(isinstance(item, str) for item in _mapping(value).values()):
        raise TypeError("a mapping to texts, as in {name: text}")
    return _mapping(value)


def _lists(value: object) -> dict[str, tuple[str, ...]]:
    return {name: _texts(items) for name, items in _mapping(value).items()}


def _counts(value: object) -> dict[str, int]:
    if not all(isinstance(item, int) and not isinstance(item, bool) for item in _mapping(value).values()):
        raise TypeError("a mapping to whole numbers")
    return _mapping(value)


def _status(value: object) -> str:
    if value not in STATUSES:
        raise TypeError(f"one of {', '.join(STATUSES)}")
    return _text(value)


def _step_status(value: object) -> str:
    if value not in ("ok", "error"):
        raise TypeError("ok or error")
    return _text(value)


def _declared(kind: type[Any], readers: Mapping[str, Callable[[Any], Any]], always: set[str]) -> dict[str, Field]:
    defaults = {f.name: f.default_factory() if f.default_factory is not MISSING else f.default for f in fields(kind)}
    return {name: Field(read, defaults[name], name in always) for name, read in readers.items()}


#: The front matter in the order it is written; ``schema`` comes before it, unknown keys after it.
FRONT: Final = _declared(
    Trace,
    {
        "id": _text, "goal": _text, "template": _text, "slots": _mapping, "mode": _text, "status": _status,
        "reason": _text, "agent": _text, "model": _text, "endpoint": _text, "created_at": _text,
        "duration_s": _number, "cost_usd": _number, "simulated_cost": _flag, "tokens": _counts,
        "environment": _mapping, "inputs": _text_map, "guided_by": _texts, "wrong": _text,
    },
    {"goal", "mode", "status", "duration_s", "cost_usd"},
)  # fmt: skip

#: A step's ``expect`` block, which also holds the step's ``duration_s``.
EXPECT: Final = _declared(
    Expectation,
    {
        "status": _step_status, "error": _text, "defines": _text_map, "columns": _lists, "deletes": _texts,
        "outputs": _texts, "files": _texts, "digest": _text, "replay": _flag,
    },
    {"status"},
)  # fmt: skip


def as_written(value: Trace | Expectation, declared: Mapping[str, Field]) -> dict[str, Any]:
    """The fields that are written, in order."""
    written = {}
    for name, field in declared.items():
        item = getattr(value, name)
        if field.always or item != field.default:
            written[name] = item
    return written


def from_written(values: Mapping[str, Any], declared: Mapping[str, Field]) -> dict[str, Any]:
    """The declared fields among ``values``, each of the right type. An empty one counts as not there.

    Raises:
        FlowError: a value has the wrong type.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            if name == "cost_usd":
                found[name] = None
            continue
        try:
            found[name] = declared[name].read(value)
        except TypeError as error:
            raise FlowError(f"{name} must be {error}, got {value!r:.80}") from None
    return found
