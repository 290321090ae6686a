"""The tasks by field. ``LIMITS`` are kept apart: no method can tell them from two examples, so they are only reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from task import Task

from tasks import files, limits, plots, quantum, robotics, sql, statistics, tables, text

__all__ = ["LIMITS", "TASKS"]

#: Every task, by the field that it is from.
TASKS: Final[Mapping[str, tuple[Task, ...]]] = {
    "pandas": tables.TASKS,
    "files": files.TASKS,
    "plots": plots.TASKS,
    "sql": sql.TASKS,
    "quantum": quantum.TASKS,
    "robotics": robotics.TASKS,
    "statistics": statistics.TASKS,
    "text": text.TASKS,
}

#: Programs whose dependence on the values two examples cannot show.
LIMITS: Final[tuple[Task, ...]] = limits.TASKS
