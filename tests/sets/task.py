"""A notebook task as data: how people ask for it, with which values, and what an agent would do for these values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Probe", "Steps", "Task", "Values", "cell", "shell", "write"]

Values = Mapping[str, Any]
#: Tool calls as plain data: ``{"tool": name, "arguments": {...}}``.
Steps = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Probe:
    """What two runs have to agree in. ``names`` are templates over the values; None stands for every public name."""

    names: tuple[str, ...] | None = None
    output: bool = True
    files: bool = True


@dataclass(frozen=True, slots=True)
class Task:
    """One task with five value sets: two to learn from, three to ask for.

    ``setup`` writes the input files into a folder and returns the names that are bound at the start. ``program`` gives
    the steps for some values; ``reference`` gives the true ones where that is another program. ``trap`` says what is
    special, ``refuse`` which value sets no substitution can answer. ``answer`` is the recorded prose, a template over
    the values and ``last``, the last printed line.
    """

    name: str
    phrasings: tuple[str, ...]
    values: tuple[Values, ...]
    program: Callable[[Values], Steps]
    setup: Callable[[Path], Mapping[str, Any]]
    reference: Callable[[Values], Steps] | None = None
    probe: Probe = Probe()
    trap: str = ""
    refuse: frozenset[int] = field(default_factory=frozenset)
    answer: str = "Done."

    def goal(self, values: Values, phrasing: int) -> str:
        """What a person asks for with these values."""
        return self.phrasings[phrasing].format(**{name: _spoken(value) for name, value in values.items()})

    def truth(self, values: Values) -> Steps:
        """The steps that are right for these values."""
        return (self.reference or self.program)(values)


def _spoken(value: Any) -> str:
    """A value as a sentence has it: a list with commas and "and"."""
    if isinstance(value, tuple):
        *most, last = map(str, value)
        return f"{', '.join(most)} and {last}" if most else last
    return str(value)


def cell(*lines: str) -> dict[str, Any]:
    """A cell of these lines."""
    return {"tool": "run_cell", "arguments": {"code": "\n".join(lines)}}


def write(path: str, *lines: str) -> dict[str, Any]:
    """A file of these lines."""
    return {"tool": "write_file", "arguments": {"path": path, "content": "\n".join(lines) + "\n"}}


def shell(command: str) -> dict[str, Any]:
    """A shell command."""
    return {"tool": "run_shell", "arguments": {"command": command}}
