"""What the tests of a crystal said: one check for each recorded run, for one exact text of the module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Check", "Report"]


@dataclass(frozen=True, slots=True)
class Check:
    """One recorded run made again by the crystal. ``reason`` says in words how it differed, or why it was not run."""

    trace_id: str
    passed: bool
    reason: str = ""
    duration_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.trace_id}: {'passed' if self.passed else f'failed: {self.reason}'}"


@dataclass(frozen=True, slots=True)
class Report:
    """The checks of one text, which ``digest`` names. It passed when there are checks and none failed."""

    digest: str
    checks: tuple[Check, ...]
    tested_at: str = ""

    @property
    def passed(self) -> bool:
        """Whether every recorded run came out the same."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """Why it did not pass; empty when it did."""
        if not self.checks:
            return "no recorded run could be made again"
        return "; ".join(str(check) for check in self.checks if not check.passed)

    def __str__(self) -> str:
        good = sum(check.passed for check in self.checks)
        return "\n".join([f"{good} of {len(self.checks)} recorded runs came out the same", *map(str, self.checks)])

    def as_record(self) -> dict[str, Any]:
        """Plain data for JSON."""
        checks = [
            {"trace": c.trace_id, "passed": c.passed, "reason": c.reason, "duration_s": c.duration_s}
            for c in self.checks
        ]
        return {"digest": self.digest, "tested_at": self.tested_at, "checks": checks}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Report:
        """The inverse of :meth:`as_record`.

        Raises:
            KeyError, TypeError, ValueError: the record is not one of a report.
        """
        checks = tuple(
            Check(str(c["trace"]), c["passed"] is True, str(c["reason"]), float(c["duration_s"]))
            for c in record["checks"]
        )
        return cls(str(record["digest"]), checks, str(record["tested_at"]))
