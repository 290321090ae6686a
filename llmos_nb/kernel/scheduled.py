"""Which job of the schedule the current task works for."""

from __future__ import annotations

import contextvars
from typing import Final

__all__ = ["SCHEDULED"]

#: The job's name; empty for what a person asked for.
SCHEDULED: Final[contextvars.ContextVar[str]] = contextvars.ContextVar("llmos_scheduled", default="")
