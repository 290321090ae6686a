"""What became of a job: how far its occurrences are accounted for, its last run, what was missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llmos_nb.kernel.files import atomic_write

__all__ = ["JobRecord", "read_record", "write_record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """Occurrences up to ``accounted`` were run or missed."""

    accounted: datetime
    #: What the run that is going on was due at.
    begun: datetime | None = None
    last_status: str = ""
    last_reason: str = ""
    last_run_id: str = ""
    last_at: datetime | None = None
    missed: int = 0
    last_missed: datetime | None = None


def write_record(path: Path, record: JobRecord) -> None:
    """Keep a record.

    Raises:
        StoreError: the folder cannot be written.
    """
    plain = {
        key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(record).items()
    }
    atomic_write(path, json.dumps(plain, indent=1).encode())


def read_record(path: Path, fresh: Callable[[], JobRecord]) -> JobRecord:
    """The record that was kept; ``fresh()`` where there is none that can be read: nothing was missed then."""
    try:
        plain: dict[str, Any] = json.loads(path.read_bytes())
        for key in ("accounted", "begun", "last_at", "last_missed"):
            if key in plain and plain[key] is not None:
                plain[key] = datetime.fromisoformat(plain[key])
                if plain[key].tzinfo is None:
                    return fresh()
        record = JobRecord(**plain)
        if not isinstance(record.accounted, datetime) or not isinstance(record.missed, int):
            return fresh()
    except (OSError, ValueError, TypeError, KeyError):
        return fresh()
    return record
